"""Mini lessons in the notations of published ones: functions with brackets, chains with numbers."""

from pathlib import Path

import pytest

from oracle.lesson.audit import audit
from oracle.lesson.formula import parse
from oracle.lesson.reading import read
from oracle.lesson.records import Link

GOOD, BAD, TOLD = {"holds", "holds under"}, {"fails", "ill-typed"}, {"definition", "aside"}


def bad(text: str) -> list[str]:
    """The left sides of what is called wrong."""
    return [link.left for link in links(text) if link.verdict in BAD]


def links(text: str) -> list[Link]:
    """What is claimed, without conditions beside it."""
    found = audit(read(Path("lesson.md"), text), code=False)
    return [link for equation in found.equations for link in equation.links if link.verdict not in TOLD]


BRACKETS = r"""
$$L[\boldsymbol\phi] = \sum_{i=1}^I \ell_i$$

# Numbers
$$f_0 = \beta_0 + \omega_0 \cdot x_i$$
$$h_1 = \sin[f_0]$$
$$f_1 = \beta_1 + \omega_1 \cdot h_1$$
$$h_2 = \exp[f_1]$$
$$f_2 = \beta_2 + \omega_2 \cdot h_2$$
$$\ell_i = (f_2 - y_i)^2$$
$$\frac{\partial \ell_i}{\partial f_2} = 2 (f_2 - y_i)$$
$$\frac{\partial \ell_i}{\partial f_0} = \frac{\partial h_1}{\partial f_0} \frac{\partial f_1}{\partial h_1}
\left(\frac{\partial h_2}{\partial f_1} \frac{\partial f_2}{\partial h_2} \frac{\partial \ell_i}{\partial f_2}\right)$$
$$\frac{\partial f_k}{\partial \omega_k} = h_k$$
$$\frac{\partial f_0}{\partial \omega_0} = x_i$$

# Vectors
$$\mathbf{f}_0 = \boldsymbol\beta_0 + \boldsymbol\Omega_0 \mathbf{x}_i$$
$$\mathbf{h}_k = \mathbf{a}[\mathbf{f}_{k-1}] \hspace{2cm} k \in \{1, 2, \ldots, K\}$$
$$\mathbf{f}_k = \boldsymbol\beta_k + \boldsymbol\Omega_k \mathbf{h}_k \hspace{2cm} k \in \{1, 2, \ldots, K\}$$
$$\ell_i = \mbox{l}[\mathbf{f}_K, y_i]$$
$$\frac{\partial \mathbf{f}_2}{\partial \mathbf{h}_2} = \boldsymbol\Omega_2^T$$
$$\frac{\partial \ell_i}{\partial \boldsymbol\Omega_k} = \frac{\partial \ell_i}{\partial \mathbf{f}_k} \mathbf{h}_k^T$$
$$\frac{\partial \ell_i}{\partial \mathbf{f}_{k-1}}
= \mathbb{I}[\mathbf{f}_{k-1} > 0] \odot \bigl(\boldsymbol\Omega_k^T
\frac{\partial \ell_i}{\partial \mathbf{f}_k}\bigr)
\hspace{1cm} k \in \{K, K-1, \ldots, 1\}$$
$$\frac{\partial \ell_i}{\partial \boldsymbol\Omega_0} = \frac{\partial \ell_i}{\partial \mathbf{f}_0} \mathbf{x}_i^T$$
"""
"""A chain of numbers, and the same letters as vectors in bold; functions have their arguments in brackets."""


def test_functions_with_brackets_and_chains_of_numbers_hold() -> None:
    assert {link.verdict for link in links(BRACKETS)} <= GOOD


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("= 2 (f_2 - y_i)", "= (f_2 - y_i)"),
        (r"\frac{\partial h_2}{\partial f_1} \frac", r"\frac"),
        (r"= h_k$$", r"= h_{k+1}$$"),
        (r"\mathbb{I}[\mathbf{f}_{k-1} > 0] \odot", ""),
    ],
)
def test_a_slip_in_such_a_chain_is_found(right: str, wrong: str) -> None:
    assert BRACKETS.count(right) == 1
    assert len(bad(BRACKETS.replace(right, wrong))) == 1


def test_words_below_a_brace_are_no_end_of_the_formula() -> None:
    whole = parse(r"a = \underbrace{b}_\text{one part} \cdot \underbrace{c}_\text{other part}")
    assert not whole.problems
    assert whole.statements == parse(r"a = b \cdot c").statements


LAST = r"""
$$E = \frac{1}{2} \left[ V(s; \theta) - Y \right]^2$$
The output layer is $\mathbf{g}^{(o)} = [g_1^{(o)}, g_2^{(o)}]^\top$. Its first unit is linear:
$$g_1^{(o)} = \sum_{j=1}^3 w_{1,j}^{(o)} g_j^{(o-1)} + b_1^{(o)}$$
$$g_i^{(l)} = \sigma\left(\sum_j w_{i,j}^{(l)} g_j^{(l-1)} + b_i^{(l)}\right)$$
$$\mathbf{g}^{(l)} = \sigma(\mathbf{z}^{(l)}) = \sigma(\mathbf{W}^{(l)} \mathbf{g}^{(l-1)} + \mathbf{b}^{(l)})$$
where $\sigma(\mathbf{z})_i = \sigma(z_i)$.
$$\delta_1^{(o)} = \frac{\partial E}{\partial z_1^{(o)}} = g_1^{(o)} - Y$$
$$\frac{\partial E}{\partial w_{1,2}^{(o-1)}} = (g_1^{(o)} - Y) w_{1,1}^{(o)} \sigma'(z_1^{(o-1)}) g_2^{(o-2)}$$
$$\frac{\partial E}{\partial b_i^{(l)}} = \delta_i^{(l)}$$
$$\frac{\partial E}{\partial b_i^{(l)}} = \sum_{k_{l+1}, \dots, k_o} \frac{\partial E}{\partial z_{k_o}^{(o)}}
\prod_{m=l+2}^o \frac{\partial z_{k_m}^{(m)}}{\partial z_{k_{m-1}}^{(m-1)}}
\frac{\partial z_{k_{l+1}}^{(l+1)}}{\partial z_i^{(l)}}$$
"""
"""The last layer by a letter of its own, one unit of it, and a loss of a function that nothing else defines."""


def test_one_unit_of_the_last_layer_says_what_all_are_and_what_the_loss_is_of() -> None:
    assert [link.verdict for link in links(LAST)] == ["holds"] * 5 + ["not understood"]
    assert len(bad(LAST.replace("= g_1^{(o)} - Y", "= Y - g_1^{(o)}"))) == 1
    assert len(bad(LAST.replace("g_2^{(o-2)}", "g_2^{(o-1)}"))) == 1


SOFTMAX = r"""
$$z^l = W^l a^{l-1} + b^l$$
$$a^l = \sigma(z^l) = \sigma(W^l a^{l-1} + b^l)$$
$$a^L = \mathrm{softmax}(z^L)$$
$$C = -\sum_k y_k \log a_k^L$$
$$\delta^L = \frac{\partial C}{\partial z^L} = a^L - y$$
"""


def test_what_is_said_of_any_layer_is_not_said_of_the_last_that_has_its_own_equation() -> None:
    assert [link.verdict for link in links(SOFTMAX)] == ["holds", "holds"]
    assert bad(SOFTMAX.replace(r"\sigma(W^l a^{l-1} + b^l)", r"\sigma(W^l a^{l-1} - b^l)"))


SIZES = r"""
# Sizes
$$\text{input: } [x] = [D_0 \times 1], \quad \text{the weights: } [W^k] = [D_k \times D_{k-1}]$$

# Units
$$a_j^k = \sum_{i=1}^{D_{k-1}} \omega_{ji}^k \cdot z_i^{k-1} + b_j^k$$
$$z_j^k = h(a_j^k)$$
$$z_j^L = h(a_j^L) = h_{\mathrm{out}}(a_j^L)$$
$$h_{\mathrm{out}}(a_j^L) = \log[\mathrm{softmax}(a_j^L)]$$
$$E = -\mathrm{target} \cdot z^L$$
$$E = -\log[\mathrm{softmax}(a_t^L)]$$
$$\delta_j^L = \frac{\partial E}{\partial a_j^L} = \mathrm{softmax}(a_j^L) - \mathrm{kronecker}(t, j)$$
$$\frac{\partial E}{\partial \omega_{ji}^k} = \delta_j^k \cdot h(a_i^{k-1})$$

# Matrices
$$a^k = W^k \cdot z^{k-1} + b^k, \qquad a^0 = z^0 = x$$
$$\delta^L = \exp(z^L) - \begin{pmatrix}0 & \cdots & 0 & 1 & 0 & \cdots & 0\end{pmatrix}^T$$
$$\delta^{k-1} = (W^k)^T \cdot \delta^k \odot h'(a^{k-1})$$
"""
"""Sizes with an equals sign, one function by two names in the last layer, its class, and weights by two letters."""


def test_sizes_define_nothing_and_a_word_tells_the_last_activation() -> None:
    assert {link.verdict for link in links(SIZES)} == {"holds"}


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        (r"\mathrm{kronecker}(t, j)", r"2 \mathrm{kronecker}(t, j)"),
        (r"\cdot h(a_i^{k-1})", r"\cdot a_i^{k-1}"),
        (r"(W^k)^T \cdot \delta^k", r"W^k \cdot \delta^k"),
        (r"\exp(z^L) -", r"z^L -"),
    ],
)
def test_a_slip_beside_sizes_is_found(right: str, wrong: str) -> None:
    assert SIZES.count(right) == 1
    assert len(bad(SIZES.replace(right, wrong))) == 1


BATCH = r"""
The weight from unit $j$ to unit $i$ is $W_{ij}^{(l)}$.
$$s^{(l)} = W^{(l)} x^{(l-1)} + b^{(l)}, \quad x^{(l)} = \sigma(s^{(l)})$$
$$\hat y_i = \mathrm{softmax}(W^{(L)} x_i^{(L-1)} + b^{(L)})$$
$$e_i = -y_i^T \log(\hat y_i)$$
$$E = \frac{1}{n} \sum_{i=1}^n e_i$$

# One sample
$$\hat y = \mathrm{softmax}(s^{(L)}) = \frac{\exp(s^{(L)})}{1_c^T \exp(s^{(L)})}$$
$$\frac{\partial E}{\partial \hat y} = \frac{\partial \log(\hat y)}{\partial \hat y}
\cdot \frac{\partial (-y^T \log(\hat y))}{\partial \log(\hat y)}
= \mathrm{diag}(\hat y)^{-1} \cdot (-y)$$
$$1_c^T y = \sum_{i=1}^c y_i$$
$$\frac{\partial E}{\partial s^{(L)}} = \hat y - y$$

# All samples
$$\delta_i^{(l)} = \frac{\partial e_i}{\partial s_i^{(l)}}$$
$$\frac{\partial E}{\partial W^{(l)}} = \frac{1}{n} \sum_{i=1}^n \delta_i^{(l)} \otimes x_i^{(l-1)}$$
"""
"""Samples below vectors that have layers, a section without samples, ones with their number, an inverse."""


def test_a_section_of_one_sample_after_samples_below_holds() -> None:
    assert {link.verdict for link in links(BATCH)} == {"holds"}
    assert len(bad(BATCH.replace(r"= \hat y - y", r"= y - \hat y"))) == 1
    assert len(bad(BATCH.replace(r"^{-1} \cdot (-y)", r"^{-1} \cdot y"))) == 1
    assert len(bad(BATCH.replace(r"\otimes x_i^{(l-1)}", r"\otimes x_i^{(l)}"))) == 1


WORDS = r"""
$$z^l = W^l a^{l-1} + b^l, \quad a^l = \sigma(z^l)$$
$$\delta^L = \nabla C_{a^L} \odot \sigma'(z^L)$$
If the output layer has no activation, then $a^L = z^L$, and
$$W_{(i+1)}^l = W_{(i)}^l - \eta \frac{\partial C}{\partial W_{(i)}^l}$$
"""


def test_a_net_without_an_activation_is_only_imagined_and_a_gradient_is_by_what_stands_below() -> None:
    assert [link.verdict for link in links(WORDS)] == ["holds", "update"]
    assert len(bad(WORDS.replace(r"_{a^L} \odot \sigma'", r"_{a^L} \odot \sigma"))) == 1
