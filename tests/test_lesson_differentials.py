"""Total differentials, slopes without ⊙, and what another section says of the last layer."""

import pytest

from tests.verdicts import claimed, of_partials, of_the_last

MATRICES = r"""
$$Z = X W, \quad \ell = f(Z)$$
$$G = \frac{\partial \ell}{\partial Z}$$
$$d\ell = \mathrm{tr}(G^\top dZ) = \mathrm{tr}(G^\top X \, dW)$$
$$dZ = dX \, W$$
$$\frac{\partial \ell}{\partial W} = X^\top G$$
"""
VECTORS = r"""
$$z = W x + b, \quad a = \sigma(z)$$
$$dz = W dx + db$$
$$da = \sigma'(z) \odot dz$$
$$dL = \left(\frac{\partial L}{\partial a}\right)^T da$$
$$\frac{\partial L}{\partial z} = \frac{\partial L}{\partial a} \odot \sigma'(z)$$
"""
NUMBERS = r"""
$$z = w x + b, \quad a = \tanh(z), \quad L = \frac{1}{2} (a - y)^2$$
$$\mathrm{d}L = (a - y) \, \mathrm{d}a$$
$$\mathrm{d}a = (1 - a^2) \, \mathrm{d}z$$
$$\mathrm{d}z = x \, \mathrm{d}w + w \, \mathrm{d}x + \mathrm{d}b$$
"""


@pytest.mark.parametrize("lesson", [MATRICES, VECTORS, NUMBERS])
def test_changes_on_the_left_follow_from_those_on_the_right(lesson: str) -> None:
    assert set(claimed(lesson)) == {"holds"}


@pytest.mark.parametrize(
    ("lesson", "right", "wrong"),
    [
        (MATRICES, r"G^\top dZ", r"G \, dZ"),
        (MATRICES, r"\mathrm{tr}(G^\top X \, dW)", r"-\mathrm{tr}(G^\top X \, dW)"),
        (MATRICES, r"dX \, W", r"dX \, W^\top"),
        (VECTORS, r"dz = W dx", r"dz = W^T dx"),
        (VECTORS, r"da = \sigma'(z)", r"da = \sigma(z)"),
        (NUMBERS, r"(1 - a^2) \, \mathrm{d}z", r"(1 - a) \, \mathrm{d}z"),
        (NUMBERS, r"w \, \mathrm{d}x", r"x \, \mathrm{d}x"),
    ],
)
def test_a_slip_in_a_differential_is_found(lesson: str, right: str, wrong: str) -> None:
    assert right in lesson
    found = claimed(lesson.replace(right, wrong))
    assert sum(verdict in ("fails", "ill-typed") for verdict in found) == 1


def test_where_a_gradient_of_weights_is_said_d_is_no_change() -> None:
    lesson = r"$$Z = W X, \quad A = \sigma(Z)$$ $$dZ = dA \odot \sigma'(Z)$$ $$dW = dZ X^T$$"
    assert set(claimed(lesson)) == {"holds"}


def test_a_slope_at_the_end_of_a_product_may_be_meant_entry_by_entry() -> None:
    lesson = r"""
$$S = X V, \quad H = f(S), \quad O = H U, \quad L = \frac{1}{2} \sum (O - Y)^2$$
$$\frac{\partial L}{\partial O} = O - Y$$
$$\frac{\partial L}{\partial V} = X^T (O - Y) U^T f'(%s)$$
"""
    assert of_the_last(lesson % "S") == ["holds under"]
    assert of_the_last(lesson % "H") != ["holds under"]


def test_a_softmax_of_another_section_is_not_the_last_layer_of_this_one() -> None:
    lesson = r"""
# Any layer
$$z_j^l = \sum_k w_{jk}^l a_k^{l-1} + b_j^l, \quad a_j^l = \sigma(z_j^l)$$
$$\frac{\partial C}{\partial z_j^L} = \frac{\partial C}{\partial a_j^L} %s$$
$$\frac{\partial C}{\partial b_j^l} = \frac{\partial C}{\partial z_j^l}$$
$$\frac{\partial C}{\partial z_j^l} = \frac{\partial C}{\partial a_j^l} \sigma'(z_j^l)$$
# Classes
$$a_i^L = \frac{\exp(z_i^L)}{\sum_j \exp(z_j^L)}, \quad C = -\sum_j t_j \log a_j^L$$
$$\frac{\partial C}{\partial z_j^L} = a_j^L - t_j$$
"""
    assert of_partials(lesson % r"\frac{\partial a_j^L}{\partial z_j^L}") == ["holds"] * 4
    assert of_partials(lesson % r"\sigma(z_j^L)") == ["fails", "holds", "holds", "holds"]
