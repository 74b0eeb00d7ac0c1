"""What published lessons do: steps in parentheses, squares of vectors for losses, other logarithms."""

import pytest

from tests.verdicts import claimed

GOOD, BAD = {"holds", "holds under"}, {"fails", "ill-typed"}

NOW = r"""
$$s(t) = f(P x(t) + Q s(t-1) + b), \quad o(t) = g(V s(t) + c)$$
$$\hat{s}(t) = P x(t) + Q s(t-1) + b, \quad \hat{o}(t) = V s(t) + c$$
$$\delta_s(t) = \frac{\partial E}{\partial \hat{s}(t)}, \quad \delta_o(t) = \frac{\partial E}{\partial \hat{o}(t)}$$
$$E = \frac{1}{2} (o(t) - d(t))^2$$
$$\frac{\partial E}{\partial V} = \delta_o(t) s(t)^T$$
$$\frac{\partial E}{\partial P} = \delta_s(t) x(t)^T$$
$$\delta_o(t) = g'(\hat{o}(t)) (o(t) - d(t))$$
$$\delta_s(t) = f'(\hat{s}(t)) V^T \delta_o(t)$$
$$\delta_s(t-k-1) = f'(\hat{s}(t-k-1)) Q^T \delta_s(t-k)$$
$$P_{t+1} = P_t - \eta \sum_{k=0}^{\tau} \delta_s(t-k) x(t-k)^T, \quad c_{t+1} = c_t - \eta \delta_o(t)$$
"""
NOW_SLIPS = [
    (r"\delta_o(t) s(t)^T", r"\delta_o(t) s(t-1)^T"),
    ("(o(t) - d(t))$$\n$$\\delta_s", "(d(t) - o(t))$$\n$$\\delta_s"),
    ("V^T", "V"),
    (r"Q^T \delta_s(t-k)", r"Q^T \delta_s(t-k-1)"),
    (r"\delta_s(t) x(t)^T", r"\delta_s(t) x(t-1)^T"),
]


def test_a_loss_without_a_step_is_of_the_step_at_hand_which_is_the_last() -> None:
    assert set(claimed(NOW)) <= GOOD | {"update"}


@pytest.mark.parametrize(("right", "wrong"), NOW_SLIPS)
def test_a_slip_is_found_where_the_loss_is_of_the_step_at_hand(right: str, wrong: str) -> None:
    assert right in NOW
    assert sum(verdict in BAD for verdict in claimed(NOW.replace(right, wrong))) == 1


SQUARE = r"""
$$z = W x + b, \quad a = f(z), \quad C = \frac{1}{2} (a - y)^2$$
$$\delta = \frac{\partial C}{\partial z}$$
$$\frac{\partial C}{\partial W} = \delta x^T$$
$$\delta = (a - y) \odot f'(z)$$
"""


@pytest.mark.parametrize(("right", "wrong"), [(r"\delta x^T", r"x \delta^T"), ("(a - y) \\odot", "(y - a) \\odot")])
def test_the_square_of_a_vector_is_a_number_where_it_is_the_loss(right: str, wrong: str) -> None:
    assert set(claimed(SQUARE)) <= GOOD
    assert sum(verdict in BAD for verdict in claimed(SQUARE.replace(right, wrong))) == 1


def test_a_hat_over_a_symbol_with_its_step_is_over_the_symbol() -> None:
    assert set(claimed(NOW.replace(r"\hat{s}(t) = P", r"\hat{s(t)} = P"))) <= GOOD | {"update"}


LOG10 = r"""
$$\hat{p}_k^{(p)} = \mathrm{softmax}(x^{(p,3)})_k$$
$$(x^{(p,3)})_j = \sum_i w_{ij}^{(2)} (x^{(p,2)})_i + b_j^{(2)}$$
$$E = -\frac{1}{m} \sum_{p=1}^m \sum_k y_k^{(p)} \log(\hat{p}_k^{(p)})$$
$$\log(\hat{p}_k^{(p)}) = \frac{ln(\hat{p}_k^{(p)})}{ln(10)}$$
$$\log(\hat{p}_k^{(p)}) = \frac{(x^{(p,3)})_k - ln(\sum_q e^{(x^{(p,3)})_q})}{ln(10)}$$
$$\frac{\partial (x^{(p,3)})_j}{\partial w^{(2)}_{ij}} = (x^{(p,2)})_i + 0$$
$$\frac{\partial \log(\hat{p}_k^{(p)})}{\partial (x^{(p,3)})_j} = \frac{1}{ln(10)} [ \delta_{kj} - \hat{p}_j^{(p)} ]$$
"""


@pytest.mark.parametrize(("right", "wrong"), [(r"\frac{1}{ln(10)} [", "["), ("(x^{(p,2)})_i + 0", "(x^{(p,2)})_j + 0")])
def test_samples_and_layers_stand_above_together_and_logarithms_have_a_base(right: str, wrong: str) -> None:
    assert right in LOG10
    assert set(claimed(LOG10)) <= GOOD
    assert sum(verdict in BAD for verdict in claimed(LOG10.replace(right, wrong))) == 1


SIGNS = r"""
$$z_j = \sum_i w_{ij} x_i + b_j, \quad a_j = relu(z_j)$$
$$C = \frac12 \sum_j (a_j - t_j)^2$$
If $z_j > 0$:
$$\frac{\partial a_j}{\partial z_j} = 1$$
$$\frac{\partial a_j}{\partial w_{ij}} = x_i$$
If $z_j < 0$:
$$\frac{\partial a_j}{\partial w_{ij}} = 0$$
With $H(v) = 1$ if $v > 0$, and $0$ if $v < 0$, this is
$$\frac{\partial C}{\partial w_{ij}} = (a_j - t_j) H(z_j) x_i$$
"""


@pytest.mark.parametrize(
    ("right", "wrong"),
    [("z_j} = 1", "z_j} = 0"), ("= x_i", "= x_j"), ("w_{ij}} = 0", "w_{ij}} = x_i"), ("H(z_j) x_i", "H(-z_j) x_i")],
)
def test_what_is_said_of_a_sign_is_judged_where_the_value_has_that_sign(right: str, wrong: str) -> None:
    assert set(claimed(SIGNS)) <= GOOD | {"aside"}
    assert sum(verdict in BAD for verdict in claimed(SIGNS.replace(right, wrong))) == 1


BATCHES = r"""
$$Z(t) = X(t) \cdot U + H(t-1) \cdot W, \quad H(t) = \tanh(Z(t))$$
$$G(t) = H(t) \cdot V, \quad O(t) = \text{softmax}(G(t))$$
$$J(t) = -\sum_{i=1}^N \sum_{j=1}^C Y(t)_{i,j} \log(O(t)_{i,j})$$
Here tanh is element-wise, so that with $\log() = \text{ln}()$ and $k \le t$
$$\frac{\partial H(t)_{m,n}}{\partial Z(t)_{i,j}} = \mathbf{1}(m = i, n = j) (1 - H(t)_{i,j}^2)$$
$$\frac{\partial J(t)}{\partial Z(t)} = \frac{\partial J(t)}{\partial H(t)} \circ (I - H(t) \circ H(t))$$
$$\frac{\partial J(t)}{\partial G(t)} = O(t) - Y(t)$$
$$\frac{\partial J(t)}{\partial V} = H(t)^\top (O(t) - Y(t))$$
$$\frac{\partial J(t)}{\partial W} = \sum_{k=1}^t \frac{\partial J(t)}{\partial H(t)}
\frac{\partial H(t)}{\partial Z(t)} \frac{\partial Z(t)}{\partial H(t-1)} \frac{\partial H(t-1)}{\partial Z(t-1)} \cdots
\frac{\partial H(k)}{\partial Z(k)} \frac{\partial Z(k)}{\partial W}$$
"""


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("m = i, n = j", "m = j, n = i"),
        (r"I - H(t) \circ H(t)", r"I - Z(t) \circ Z(t)"),
        (r"H(t)^\top (O", r"H(t) (O"),
        (r"\frac{\partial Z(k)}{\partial W}", r"\frac{\partial Z(t)}{\partial W}"),
    ],
)
def test_batches_may_have_their_steps_in_parentheses(right: str, wrong: str) -> None:
    assert right in BATCHES
    assert set(claimed(BATCHES)) <= GOOD | {"definition", "aside"}
    assert sum(verdict in BAD for verdict in claimed(BATCHES.replace(right, wrong))) == 1


LISTED = r"""
$$z = W x, \quad s = \tanh(z)$$
$$\frac{\partial s}{\partial z} = \text{diag}(1 - %s_1^2, 1 - %s_2^2, \ldots, 1 - %s_n^2)$$
"""


@pytest.mark.parametrize(("letter", "good"), [("s", True), ("z", False)])
def test_a_diagonal_may_be_listed(letter: str, good: bool) -> None:
    assert claimed(LISTED % (letter, letter, letter))[-1] in (GOOD if good else BAD)


STACKED = r"""
\\(
\newcommand{\vect}[1]{\boldsymbol{#1}}
\\)
# One sample
The product $\otimes$ is taken element-wise.
$$\vect a^{(l)} = \sigma(\vect z^{(l)}) = \sigma(W^{(l)} \vect a^{(l-1)} + \vect b^{(l)})$$
$$\ell_n = \frac{1}{2} \| \vect y_n - \hat{\vect y}_n \|^2, \quad \hat{\vect y}_n = \vect a_n^{(L)}$$
$$J(\Theta) = \frac{1}{N} \sum_{n=1}^{N} \ell_n(\Theta)$$
$$\frac{\partial J}{\partial \Theta} = \frac{1}{N} \sum_{n=1}^{N} \frac{\partial \ell_n}{\partial \Theta}$$
# Signals
$$z_i^{(l)} = \sum_j w_{ij}^{(l)} a_j^{(l-1)} + b_i^{(l)}$$
$$\vect\delta^{(l)} := \frac{\partial \ell}{\partial \vect z^{(l)}}$$
$$\vect\delta^{(l)} = (W^{(l+1)})^\top \vect\delta^{(l+1)} \otimes \sigma'(\vect z^{(l)})$$
$$\frac{\partial \ell}{\partial W^{(l)}} = \vect\delta^{(l)} (\vect a^{(l-1)})^\top$$
# Batches
$$Z^{(l)} = W^{(l)} A^{(l-1)} + \vect b^{(l)} \vect 1^\top, \quad A^{(l)} = \sigma(Z^{(l)})$$
$$\Delta^{(l)} = (W^{(l+1)})^\top \Delta^{(l+1)} \otimes \sigma'(Z^{(l)})$$
$$\frac{\partial J}{\partial W^{(l)}} = \frac{1}{N} \Delta^{(l)} (A^{(l-1)})^\top$$
$$\frac{\partial J}{\partial \vect b^{(l)}} = \frac{1}{N} \sum_{n=1}^{N} \vect\delta^{(l)}_n$$
"""
STACKED_SLIPS = [
    (r"\otimes \sigma'(\vect z^{(l)})", r"\otimes \sigma(\vect z^{(l)})"),
    (r"\frac{1}{N} \Delta^{(l)} (A^{(l-1)})^\top", r"\Delta^{(l)} (A^{(l-1)})^\top"),
    (r"\frac{1}{N} \sum_{n=1}^{N} \vect\delta", r"\sum_{n=1}^{N} \vect\delta"),
]


def test_error_signals_of_samples_are_the_columns_of_their_capital() -> None:
    assert set(claimed(STACKED)) <= GOOD


@pytest.mark.parametrize(("right", "wrong"), STACKED_SLIPS)
def test_a_slip_is_found_among_signals_of_samples_and_batches(right: str, wrong: str) -> None:
    assert right in STACKED
    assert any(verdict in BAD for verdict in claimed(STACKED.replace(right, wrong)))


UNLINKED = r"""
$$\mu = \frac{1}{N} \sum_i x_i, \quad s = \frac{1}{N} \sum_i (x_i - \mu)^2$$
$$\hat{x}_i = \frac{x_i - \mu}{\sqrt{s}}$$
$$\hat{X} = \frac{X - \mu}{\sqrt{s}}, \quad s = \frac{1}{N} (X - \mu)^T (X - \mu)$$
"""


def test_nothing_is_wrong_where_the_net_does_not_know_that_one_input_is_made_of_the_other() -> None:
    assert not {*claimed(UNLINKED)} & BAD


@pytest.mark.parametrize(("mark", "good"), [(r"\circledcirc", True), (r"\cdot", False)])
def test_a_circle_in_a_circle_multiplies_entries(mark: str, good: bool) -> None:
    net = r"$$z = W x, \quad a = f(z), \quad L = \frac12 \|a - y\|^2$$"
    assert (claimed(rf"{net} $$\frac{{\partial L}}{{\partial z}} = (a - y) {mark} f'(z)$$")[-1] == "holds") == good
