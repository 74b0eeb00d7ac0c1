"""What published lessons do: letters for the last layer, one sum in other letters, rules in their own letters."""

import pytest

from tests.verdicts import claimed

GOOD, BAD = {"holds", "holds under"}, {"fails", "ill-typed"}

FINAL = r"""
$$\frac{\partial E(X, w)}{\partial w_{pq}^h} = \frac{1}{N} \sum_{d=1}^N
\frac{\partial}{\partial w_{pq}^h} \left(\frac12 (\hat{y_d} - y_d)^2\right)
= \frac{1}{N} \sum_{d=1}^N \frac{\partial E_d}{\partial w_{pq}^h}$$
$$E = \frac12 (\hat{y} - y)^2 = \frac12 (g(s_1^z) - y)^2$$
$$\delta_q^h = \frac{\partial E}{\partial s_q^h}$$
$$\frac{\partial s_q^h}{\partial w_{pq}^h} =
\frac{\partial}{\partial w_{pq}^h} \left(\sum_{r=0}^{n_{h-1}} w_{rq}^h u_r^{h-1}\right) = u_p^{h-1}$$
$$\delta_1^z = (\hat{y} - y) g'(s_1^z)$$
$$\frac{\partial E}{\partial w_{p1}^z} = \delta_1^z u_p^{z-1}$$
$$s_r^{h+1} = \sum_{q=1}^{n_h} w_{qr}^{h+1} g(s_q^h)$$
$$\delta_q^h = g'(s_q^h) \sum_{r=1}^{n_{h+1}} w_{qr}^{h+1} \delta_r^{h+1}$$
$$\frac{\partial E}{\partial w_{pq}^h} = \delta_q^h u_p^{h-1}$$
"""
FINAL_SLIPS = [
    ("= \\delta_1^z u_p^{z-1}", "= \\delta_1^z u_p^z"),
    (r"(\hat{y} - y) g'(s_1^z)", r"(y - \hat{y}) g'(s_1^z)"),
    (r"\right) = u_p^{h-1}", r"\right) = u_q^{h-1}"),
    (r"w_{qr}^{h+1} \delta", r"w_{rq}^{h+1} \delta"),
    (r"\delta_q^h u_p^{h-1}", r"\delta_p^h u_p^{h-1}"),
]


def test_what_has_no_layer_says_which_letter_is_the_last_and_one_sum_in_other_letters_what_goes_into_it() -> None:
    assert set(claimed(FINAL)) <= GOOD


@pytest.mark.parametrize(("right", "wrong"), FINAL_SLIPS)
def test_a_slip_is_found_in_a_net_with_a_letter_for_the_last_layer(right: str, wrong: str) -> None:
    assert right in FINAL
    assert sum(verdict in BAD for verdict in claimed(FINAL.replace(right, wrong))) == 1


RULE = r"""
$$\frac{dp}{dx} = \frac{dp}{dy} \frac{dy}{dx}$$

# The net

$$z = w x + b, \quad a = f(z), \quad E = \frac12 (a - y)^2$$
$$\frac{\partial E}{\partial w} = (a - y) f'(z) x$$
"""


def test_the_chain_rule_is_of_any_quantities_that_the_lesson_does_not_compute() -> None:
    assert set(claimed(RULE)) <= GOOD
    assert "holds under" not in claimed(RULE.replace(r"\frac{dy}{dx}", r"\frac{dx}{dy}"))


SAMPLES = r"""
$$\frac{{{\rm d}} f}{{{\rm d}} t} = \sum_{i=1}^{n} \frac{\partial f}{\partial x_i} \frac{{{\rm d}} x_i}{{{\rm d}} t}$$
$$x = A \cdot y, \quad x_i = \sum_k A_{ik} y_k$$
$$\frac{\partial x_i}{\partial y_j} = A_{ij}$$

# The net

The weights $W^{(2)} = v$ are a row.
$$z = W^{(1)} \cdot x, \quad a = f(z), \quad a_i = f(z_i), \quad W^{(2)} = v$$
$$E = \frac{1}{2N} \sum_{l=1}^{N} (y^{(l)} - \hat{y}^{(l)})^2, \quad \hat{y}^{(l)} = W^{(2)} \cdot a^{(l)}$$
\begin{align}
\frac{\partial E}{\partial W_{ij}^{(1)}}
&= \frac{1}{N} \sum_{l=1}^{N} -(y^{(l)} - \hat{y}^{(l)}) \frac{\partial \hat{y}^{(l)}}{\partial W_{ij}^{(1)}}
& &y^{(l)} \text{ is constant}\\
&= \frac{1}{N} \sum_{l=1}^{N} -(y^{(l)} - \hat{y}^{(l)}) W^{(2)}_i f'(z_i^{(l)}) x_j^{(l)} & &\mbox{substitution}
\end{align}
$$\nabla_{W^{(1)}} E = \frac{1}{N} \sum_{l=1}^{N} -(y^{(l)} - \hat{y}^{(l)})
({W^{(2)}}^T \odot f'(z^{(l)})) \cdot {x^{(l)}}^T$$
"""
SAMPLES_SLIPS = [
    (
        "\\frac{1}{N} \\sum_{l=1}^{N} -(y^{(l)} - \\hat{y}^{(l)}) W^{(2)}_i",
        "\\frac{1}{N} \\sum_{l=1}^{N} (y^{(l)} - \\hat{y}^{(l)}) W^{(2)}_i",
    ),
    ("f'(z_i^{(l)})", "f(z_i^{(l)})"),
    ("x_j^{(l)} &", "x_i^{(l)} &"),
]


def test_a_loss_over_samples_that_are_counted_by_the_letter_of_layers() -> None:
    assert set(claimed(SAMPLES)) <= GOOD


@pytest.mark.parametrize(("right", "wrong"), SAMPLES_SLIPS)
def test_a_slip_is_found_beside_remarks_in_columns(right: str, wrong: str) -> None:
    assert right in SAMPLES
    assert sum(verdict in BAD for verdict in claimed(SAMPLES.replace(right, wrong))) == 1


LAYERS = r"""
$$z_l = W_l a_{l-1}, \quad a_l = \sigma(z_l), \quad C = \sum_i (a_{L,i} - y_i)^2$$
$$\delta_l = \frac{\partial C}{\partial z_l}$$
$$\frac{\partial C}{\partial W_L} = \delta_L \frac{\partial z_L}{\partial w_L}$$
$$\delta_l = W_{l+1}^T \delta_{l+1} \odot \sigma'(z_l)$$
Here $$\delta_l = \frac{\partial C}{\partial a_L} \odot \sigma'(z_L)$$ when $$l = L$$.

# Biases

$$\frac{\partial C}{\partial b_l} = \frac{\partial C}{\partial z_l} \frac{\partial z_l}{\partial b_l}
= \delta_l \frac{\partial (W_l a_{l-1} + b_l)}{\partial b_l} = \delta_l$$
"""
SQUARED = r"""
$$z = W x, \quad a = \sigma(z), \quad C = \sum_i (a_i - y_i)^2$$
$$\frac{\partial C}{\partial W} = \frac{\partial}{\partial a}(a - y)^2 \odot \sigma'(z) \frac{\partial z}{\partial W}$$
"""


def test_biases_of_their_own_section_and_what_is_said_of_the_last_layer() -> None:
    assert set(claimed(LAYERS)) <= GOOD | {"aside"}
    assert "fails" in claimed(LAYERS.replace(r"\delta_l$$", r"\delta_l \odot \delta_l$$"))


def test_squares_of_vectors_are_added_up() -> None:
    assert set(claimed(SQUARED)) <= GOOD
    assert set(claimed(SQUARED.replace("(a - y)^2 \\odot", "(a + y)^2 \\odot"))) <= BAD


STATES = r"""
$$S_k = f(S_{k-1} * W_s + X_k * W_x)$$

# One unit

$$s_k = s_{k-1} * w_s + x_k * w_x$$
The best weights are $w_s = w_x = 1$.

# Backwards

$$\frac{\partial E}{\partial y} = \frac{\partial E}{\partial S_n}$$
$$\frac{\partial E}{\partial S_{k-1}} = \frac{\partial E}{\partial S_k} \frac{\partial S_k}{\partial S_{k-1}}
= \frac{\partial E}{\partial S_k} w_s$$
$$\frac{\partial E}{\partial w_x} = \sum_{k=0}^{n} \frac{\partial E}{\partial S_k} x_k, \quad
\frac{\partial E}{\partial w_s} = \sum_{k=1}^{n} \frac{\partial E}{\partial S_k} S_{k-1}$$
$$\frac{\partial S_k}{\partial S_{k-m}} = w_s^m$$
"""
STATES_SLIPS = [
    (r"S_{k-1}$$" + "\n", r"S_k$$" + "\n"),
    (r"\frac{\partial E}{\partial S_k} w_s$$", r"\frac{\partial E}{\partial S_k} w_x$$"),
    (r"w_s^m", r"w_x^m"),
]


def test_steps_have_any_letter_and_the_last_state_another_name() -> None:
    assert set(claimed(STATES)) <= GOOD


@pytest.mark.parametrize(("right", "wrong"), STATES_SLIPS)
def test_a_slip_is_found_where_steps_have_another_letter(right: str, wrong: str) -> None:
    assert right in STATES
    assert sum(verdict in BAD for verdict in claimed(STATES.replace(right, wrong))) == 1
