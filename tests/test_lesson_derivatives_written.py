r"""Derivatives as people write them: factors of chains, a ∂ left out, brackets left out, values at a place, rules."""

from pathlib import Path

import pytest

from oracle.lesson.audit import audit
from oracle.lesson.reading import read
from tests.verdicts import claimed

BATCH = r"""
$$Z^{[l]} = W^{[l]} A^{[l-1]} + b^{[l]}, \quad A^{[l]} = g(Z^{[l]})$$
$$J = \frac{1}{2m} \sum_{i=1}^m \|A^{[L](i)} - Y^{(i)}\|^2$$
"""
SCALAR = r"$$z = w x + b, \quad a = \sigma(z), \quad C = \frac12 (a - y)^2$$ "
UNITS = r"$z_u = \sum_j w_{uj} x_j$, $y_u = \sigma(z_u)$, $C = \frac12 \sum_u (y_u - t_u)^2$."
ROWS = r"$$Z = H W + b, \quad L = \frac1N \sum_{i,j} (Z_{ij} - Y_{ij})^2$$"


@pytest.mark.parametrize(
    ("formula", "verdict"),
    [
        (r"\frac{\partial Z^{[L]}}{\partial W^{[L]}} = A^{[L-1]T}", "holds under"),
        (r"\frac{\partial Z^{[L]}}{\partial A^{[L-1]}} = (W^{[L]})^T", "holds under"),
        (r"\frac{\partial Z^{[L]}}{\partial b^{[L]}} = 1", "holds under"),
        (r"\frac{\partial A^{[L]}}{\partial Z^{[L]}} = g'(Z^{[L]})", "holds under"),
        (r"\frac{\partial A^{[L]}}{\partial Z^{[L]}} = g(Z^{[L]})", "fails"),
        (r"\frac{\partial Z^{[L]}}{\partial W^{[L]}} = A^{[L-1]}", "not understood"),
    ],
)
def test_what_a_chain_multiplies_by(formula: str, verdict: str) -> None:
    assert claimed(f"{BATCH}$${formula}$$") == [verdict]


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        (
            r"\frac{\partial C}{\partial w} = \frac{\partial C}{a} \frac{\partial a}{\partial z} x",
            r"\frac{\partial C}{\partial w} = \frac{\partial C}{\partial a} \frac{\partial a}{\partial z} x",
        ),
        (r"\frac{C}{\partial b} = (a - y) \sigma'(z)", r"\frac{\partial C}{\partial b} = (a - y) \sigma'(z)"),
        (
            r"\delta = \frac{\partial C}{z} = (a - y) \sigma'(z)",
            r"\delta = \frac{\partial C}{\partial z} = (a - y) \sigma'(z)",
        ),
    ],
)
def test_a_sign_that_is_missing_is_said_and_written(wrong: str, right: str) -> None:
    found = audit(read(Path("lesson.md"), f"{SCALAR}$${wrong}$$")).equations[-1]
    assert found.links[0].verdict == "ill-typed"
    assert "∂ is missing" in found.links[0].reason
    assert found.suggestions[0].tex == right


def test_a_derivative_may_have_two_kinds_of_signs() -> None:
    assert claimed(SCALAR + r"$$\frac{dC}{\partial w} = \frac{\partial C}{da} \sigma'(z) x$$") == ["holds"]


def test_a_derivative_without_a_bracket_is_of_all_that_follows() -> None:
    right = r"""$$\frac{\partial L}{\partial W_{ij}}
= \sum_{m,n} \frac{\partial L}{\partial Z_{mn}} \frac{\partial}{\partial W_{ij}} \sum_k H_{mk} W_{kn} + b_n
= \sum_m H_{mi} \frac{\partial L}{\partial Z_{mj}}$$"""
    assert claimed(ROWS + right) == ["holds under", "holds"]
    assert claimed(ROWS + right.replace("W_{kn}", "W_{nk}"))[0] in ("fails", "ill-typed")


def test_a_remark_in_a_row_is_no_head_of_the_next() -> None:
    rows = r"""$$\begin{align}
\frac{\partial L}{\partial W} &= H^T \frac{\partial L}{\partial Z} & \because Z = H W + b \\
&= H^T \frac{2}{N} (Z - Y)
\end{align}$$"""
    assert claimed(ROWS + rows) == ["holds", "holds"]


def test_the_matrix_of_such_entries() -> None:
    right = r"$$\frac{\partial L}{\partial Z} = \left(\frac{2}{N} (Z_{ij} - Y_{ij})\right)_{ij}$$"
    assert claimed(ROWS + right) == ["holds"]
    assert claimed(ROWS + right.replace("(Z_{ij} - Y_{ij})", "(Y_{ij} - Z_{ij})")) == ["fails"]


@pytest.mark.parametrize(
    "right",
    [
        r"\frac{\partial C}{\partial w_{ij}} = \frac{dC}{dy} \Bigg|_{y_i} \frac{d\sigma}{dz} \Bigg|_{z_i} x_j",
        r"\frac{\partial C}{\partial w_{ij}} = (y_i - t_i) \left. \frac{d\sigma}{dz} \right|_{z = z_i} x_j",
        r"\frac{\partial C}{\partial w_{ij}} = (y_i - t_i) \sigma'|_{z_i} x_j",
    ],
)
def test_derivatives_at_a_place(right: str) -> None:
    assert claimed(f"{UNITS} $${right}$$") == ["holds"]
    assert set(claimed(f"{UNITS} $${right.replace('z_i', 'z_j')}$$")) <= {"fails", "ill-typed"}


def test_rules_of_calculus_and_what_they_are_applied_to() -> None:
    rule = r"$\left(\frac{f}{g}\right)' = \frac{f'g - fg'}{g^2}$, $(uv)' = u'v + uv'$."
    assert claimed(rule) == ["holds under", "holds under"]
    assert claimed(rule.replace("f'g - fg'", "f'g + fg'")) == ["fails", "holds under"]
    scratch = (
        r"$p_i = \frac{e^{z_i}}{\sum_j e^{z_j}}$. Here $f = e^{z_i}$, $g = \sum_j e^{z_j}$, $g' = e^{z_k}$, $f' = 0$."
    )
    assert claimed(rule + scratch) == ["holds under"] * 4
    assert claimed(rule + scratch.replace("g' = e", "g' = -e"))[2] == "not understood"


def test_a_mean_over_a_batch_that_only_the_text_speaks_of() -> None:
    softmax = r"$p = \text{softmax}(z)$, $L = -\sum_k y_k \log p_k$. For a batch $\frac{\partial L}{\partial z} = X$."
    assert claimed(softmax.replace("X", r"\frac{1}{N} (p - y)")) == ["holds under"]
    assert claimed(softmax.replace("X", r"\frac{1}{N} (y - p)")) == ["fails"]


def test_a_name_may_stand_on_the_right() -> None:
    named = SCALAR + r"$$\frac{\partial C}{\partial z} =: \delta$$ $$\frac{\partial C}{\partial w} = \delta x$$"
    assert claimed(named) == ["holds"]
    assert claimed(named.replace(r"\delta x", r"\delta w")) == ["fails"]


def test_single_units_first_and_vectors_by_the_same_names() -> None:
    lesson = r"""
# A single unit per layer
$$ y = \sigma(z_2) = \sigma(w_2 h_1) = \sigma(w_2 \sigma(w_1 x)) $$
$$ \frac{dy}{dw_2} = \sigma'(z_2) h_1 $$
# Vectors
$$ \mathbf{z}_1 = W_1 \mathbf{x}, \; \mathbf{h}_1 = \sigma(\mathbf{z}_1), \; \mathbf{z}_2 = W_2 \mathbf{h}_1, \;
\mathbf{y} = \sigma(\mathbf{z}_2) $$
$$ y_u = \sigma(z_{2,u}) = \sigma\left(\sum_m w_{2,um} h_{1,m}\right) $$
$$ C = \frac12 \sum_u (y_u - t_u)^2 $$
$$ \frac{dC}{dw_{1,ij}} = \sum_u (y_u - t_u) \sigma'(z_{2,u}) w_{2,ui} \sigma'(z_{1,i}) x_j $$
"""
    assert set(claimed(lesson)) == {"holds"}
    assert claimed(lesson.replace("w_{2,ui}", "w_{2,iu}"))[-1] in ("fails", "ill-typed")


def test_forward_equations_of_the_last_layer_are_of_every_layer() -> None:
    lesson = r"""
$$Z^{[L]} = W^{[L]} A^{[L-1]} + b^{[L]}, \quad A^{[L]} = g^{[L]}(Z^{[L]})$$
$$dZ^{[l]} = \frac{\partial J}{\partial Z^{[l]}} = dA^{[l]} * g'^{[l]}(Z^{[l]})$$
$$dW^{[l]} = \frac{\partial J}{\partial W^{[l]}} = dZ^{[l]} A^{[l-1]T}$$
"""
    assert set(claimed(lesson)) == {"holds"}
    assert claimed(lesson.replace("(Z^{[l]})", "(Z^{[L]})"))[0] in ("fails", "ill-typed")


def test_a_product_of_entries_is_no_convolution() -> None:
    lesson = r"""# Full layers
$$z^l = W^l a^{l-1} + b^l, \quad a^l = \sigma(z^l), \quad C = \frac12 \|a^L - y\|^2$$
# Convolution
A convolution of a $3 \times 3$ array and a $2 \times 2$ kernel, $z^{l+1} = a^l * W^{l+1}$, is a convolution.
$$z_{11} = a_{11} * w_{11} + a_{12} * w_{12} + a_{21} * w_{21} + a_{22} * w_{22}$$
$$z_{12} = a_{12} * w_{11} + a_{13} * w_{12} + a_{22} * w_{21} + a_{23} * w_{22}$$
$$z_{21} = a_{21} * w_{11} + a_{22} * w_{12} + a_{31} * w_{21} + a_{32} * w_{22}$$
$$z_{22} = a_{22} * w_{11} + a_{23} * w_{12} + a_{32} * w_{21} + a_{33} * w_{22}$$
With $\delta^l = \frac{\partial C}{\partial z^l}$ we have
$$\frac{\partial C}{\partial a_{12}} = \delta_{11} w_{12} + \delta_{12} w_{11}$$
"""
    assert claimed(lesson)[-1] == "holds"
    assert claimed(lesson.replace(r"\delta_{11} w_{12} +", r"\delta_{11} w_{21} +"))[-1] == "fails"


@pytest.mark.parametrize(("index", "verdict"), [("i", "holds"), ("j", "ill-typed")])
def test_a_whole_vector_is_differentiated_where_its_entry_is_meant(index: str, verdict: str) -> None:
    found = claimed(
        r"$$z = W h + b, \quad a = \sigma(z), \quad L = -y^T \log a$$"
        r"$$\frac{\partial z_j}{\partial W_{j,i}} = \frac{\partial}{\partial W_{j,i}} \left(W h + b\right)"
        rf" = h_{index}$$"
    )
    assert found == ["holds under", verdict]
