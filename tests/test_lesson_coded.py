"""Lessons that write code: dW and dZ, products and sums by their NumPy names, a loss that is never written."""

from pathlib import Path

import pytest

from oracle.lesson.audit import audit
from oracle.lesson.reading import read
from tests.verdicts import claimed

LAYERS = r"""
$$Z^{[1]} = W^{[1]} X + b^{[1]}, \quad A^{[1]} = g^{[1]}(Z^{[1]})$$
$$Z^{[2]} = W^{[2]} A^{[1]} + b^{[2]}, \quad A^{[2]} = \sigma(Z^{[2]})$$
$$dZ^{[2]} = A^{[2]} - Y$$
$$dW^{[2]} = \frac{1}{m} dZ^{[2]} A^{[1]T}$$
$$db^{[2]} = \frac{1}{m} np.sum(dZ^{[2]}, axis=1, keepdims=True)$$
$$dZ^{[1]} = W^{[2]T} dZ^{[2]} * g^{[1]'}(Z^{[1]})$$
$$dW^{[1]} = \frac{1}{m} dZ^{[1]} X^T$$
$$dB^{[1]} = \frac{1}{m} \Sigma dZ^{[1]}$$
"""
NUMBERED = r"""
$Z1 = W1 X + b1$, $A1 = \tanh(Z1)$, $Z2 = W2 A1 + b2$, $A2 = softmax(Z2)$
$$dZ2 = A2 - Y$$
$$dW2 = \frac{1}{m} dZ2 A1^T$$
$$db2 = \frac{1}{m} \sum dZ2$$
$$dZ1 = W2^T dZ2 .* g'(Z1)$$
$$dW1 = \frac{1}{m} np.dot(dZ1, X.T)$$
"""
ROWS = r"""
$$Z_1 = X W_1 + b_1, \quad A_1 = \tanh(Z_1), \quad Z_2 = A_1 W_2 + b_2, \quad A_2 = softmax(Z_2)$$
$$dZ_2 = A_2 - Y$$
$$dW_2 = A_1^T dZ_2 / m$$
$$db_2 = np.sum(dZ_2, axis=0) / m$$
$$dA_1 = dZ_2 W_2^T$$
$$dZ_1 = dA_1 * (1 - A_1^2)$$
$$dW_1 = np.dot(X.T, dZ_1) / m$$
"""
GENERAL = r"""
$$Z^{[l]} = W^{[l]} A^{[l-1]} + b^{[l]}, \quad A^{[l]} = g^{[l]}(Z^{[l]})$$
$$dA^{[L]} = -\frac{Y}{A^{[L]}} + \frac{1 - Y}{1 - A^{[L]}}$$
$$dZ^{[l]} = dA^{[l]} * g^{[l]'}(Z^{[l]})$$
$$dW^{[l]} = \frac{1}{m} dZ^{[l]} A^{[l-1]^T}$$
$$db^{[l]} = \frac{1}{m} np.sum(dZ^{[l]}, axis=1)$$
$$dA^{[l-1]} = W^{[l]T} dZ^{[l]}$$
"""
EARLY = r"""
$$Z1 = W1 X + b1, \quad A1 = \tanh(Z1), \quad Z2 = W2 A1 + b2, \quad A2 = \sigma(Z2)$$
$$dZ2 = \frac{1}{m} (A2 - Y)$$
$$dW2 = dZ2 A1^T$$
$$db2 = np.sum(dZ2, axis=1, keepdims=True)$$
$$dA1 = W2^T dZ2$$
$$dZ1 = dA1 * (1 - A1 * A1)$$
"""
SQUARES = r"""
$$Z_1 = W_1 X + b_1, \quad A_1 = \mathrm{ReLU}(Z_1), \quad Z_2 = W_2 A_1 + b_2, \quad \hat{Y} = Z_2$$
$$dZ_2 = 2 (\hat{Y} - Y)$$
$$dW_2 = \frac{1}{m} dZ_2 A_1^T$$
$$dZ_1 = W_2^T dZ_2 \odot 1[Z_1 > 0]$$
"""
ONE = r"""
$$z^{[1]} = W^{[1]} x + b^{[1]}, \quad a^{[1]} = \sigma(z^{[1]}), \quad z^{[2]} = W^{[2]} a^{[1]} + b^{[2]}$$
$$a^{[2]} = \sigma(z^{[2]})$$
$$dz^{[2]} = a^{[2]} - y$$
$$dW^{[2]} = dz^{[2]} a^{[1]T}$$
$$db^{[2]} = dz^{[2]}$$
$$dz^{[1]} = W^{[2]T} dz^{[2]} * g^{[1]\prime}(z^{[1]})$$
$$dW^{[1]} = dz^{[1]} x^T$$
"""

LOGISTIC = r"""
$$Z = w^T X + b, \quad A = \sigma(Z)$$
$$J = -\frac{1}{m} \sum_{i=1}^m [y^{(i)} \log a^{(i)} + (1 - y^{(i)}) \log(1 - a^{(i)})]$$
$$dZ = A - Y$$
$$dw = \frac{1}{m} X dZ^T$$
$$db = \frac{1}{m} \sum_{i=1}^m dz^{(i)} = \frac{1}{m} np.sum(dZ)$$
$$\frac{\partial J}{\partial w} = \frac{1}{m} X (A - Y)^T$$
$$\frac{\partial J}{\partial b} = \frac{1}{m} \sum_{i=1}^m (a^{(i)} - y^{(i)})$$
"""
BOTH = (
    ONE.replace("g^{[1]\\prime}", "g'")
    + r"""
and for all samples
$$Z^{[1]} = W^{[1]} X + b^{[1]}, \quad A^{[1]} = \sigma(Z^{[1]}), \quad Z^{[2]} = W^{[2]} A^{[1]} + b^{[2]}$$
$$A^{[2]} = \sigma(Z^{[2]})$$
$$dZ^{[2]} = A^{[2]} - Y$$
$$dW^{[2]} = \frac{1}{m} dZ^{[2]} A^{[1]T}$$
$$db^{[2]} = \frac{1}{m} \sum_{i=1}^{m} dZ^{[2](i)}$$
"""
)
TWO_LOSSES = r"""
$$Z^{[l]} = W^{[l]} A^{[l-1]} + b^{[l]}, \quad A^{[l]} = g^{[l]}(Z^{[l]})$$
$$dZ^{[l]} = dA^{[l]} * g^{[l]'}(Z^{[l]})$$
$$dW^{[l]} = \frac{\partial \mathcal{J}}{\partial W^{[l]}} = \frac{1}{m} dZ^{[l]} A^{[l-1] T}$$
$$db^{[l]} = \frac{\partial \mathcal{J}}{\partial b^{[l]}} = \frac{1}{m} \sum_{i=1}^{m} dZ^{[l](i)}$$
$$dA^{[l-1]} = \frac{\partial \mathcal{L}}{\partial A^{[l-1]}} = W^{[l] T} dZ^{[l]}$$
"""
COUNTED_ON = r"""
$$z_1 = x W_1 + b_1, \quad a_1 = \tanh(z_1), \quad z_2 = a_1 W_2 + b_2, \quad \hat{y} = softmax(z_2)$$
$$\delta_3 = \hat{y} - y$$
$$\delta_2 = (1 - \tanh^2 z_1) \circ \delta_3 W_2^T$$
$$\frac{\partial L}{\partial W_2} = a_1^T \delta_3$$
$$\frac{\partial L}{\partial W_1} = x^T \delta_2$$
"""


@pytest.mark.parametrize(
    "lesson", [LAYERS, NUMBERED, ROWS, GENERAL, EARLY, SQUARES, ONE, LOGISTIC, BOTH, TWO_LOSSES, COUNTED_ON]
)
def test_what_is_right_holds(lesson: str) -> None:
    found = claimed(lesson)
    assert len(found) > 2
    assert set(found) <= {"holds", "holds under"}


@pytest.mark.parametrize(
    ("lesson", "right", "wrong"),
    [
        (LAYERS, "A^{[2]} - Y", "Y - A^{[2]}"),
        (LAYERS, r"\frac{1}{m} dZ^{[2]} A^{[1]T}", r"dZ^{[2]} A^{[1]T}"),
        (LAYERS, "W^{[2]T} dZ^{[2]} *", "W^{[2]} dZ^{[2]} *"),
        (LAYERS, "X^T", "A^{[1]T}"),
        (LAYERS, r"\Sigma dZ^{[1]}", r"\Sigma dZ^{[2]}"),
        (NUMBERED, "g'(Z1)", "g(Z1)"),
        (NUMBERED, "dZ2 A1^T", "dZ2^T A1"),
        (NUMBERED, "np.dot(dZ1, X.T)", "np.dot(dZ1, X)"),
        (ROWS, "axis=0", "axis=1"),
        (ROWS, "1 - A_1^2", "1 - A_1"),
        (ROWS, "dZ_2 W_2^T", "dZ_2 W_2"),
        (GENERAL, "A^{[l-1]^T}", "A^{[l]^T}"),
        (GENERAL, "dA^{[l]} *", "dA^{[l-1]} *"),
        (EARLY, "dW2 = ", r"dW2 = \frac{1}{m} "),
        (SQUARES, "Z_1 > 0", "Z_1 < 0"),
        (ONE, "db^{[2]} = dz^{[2]}", "db^{[2]} = dz^{[1]}"),
        (ONE, "dz^{[1]} x^T", "x^T dz^{[1]}"),
        (LOGISTIC, "X dZ^T", "X^T dZ"),
        (LOGISTIC, r"= \frac{1}{m} np.sum(dZ)", "= np.sum(dZ)"),
        (LOGISTIC, "(a^{(i)} - y^{(i)})", "(y^{(i)} - a^{(i)})"),
        (BOTH, r"dW^{[2]} = \frac{1}{m} dZ^{[2]}", "dW^{[2]} = dZ^{[2]}"),
        (BOTH, "dW^{[2]} = dz^{[2]} a^{[1]T}", "dW^{[2]} = dz^{[2]} x^T"),
        (TWO_LOSSES, "= W^{[l] T} dZ^{[l]}", "= W^{[l] T} dA^{[l]}"),
        (TWO_LOSSES, r"\sum_{i=1}^{m} dZ^{[l](i)}", r"\sum_{i=1}^{m} dA^{[l](i)}"),
        (COUNTED_ON, r"x^T \delta_2", r"x^T \delta_3"),
        (COUNTED_ON, r"\hat{y} - y", r"y - \hat{y}"),
    ],
)
def test_a_slip_is_found_and_nothing_else_is_called_wrong(lesson: str, right: str, wrong: str) -> None:
    assert right in lesson
    found = claimed(lesson.replace(right, wrong))
    assert sum(verdict in ("fails", "ill-typed") for verdict in found) == 1


def test_a_loss_that_nobody_wrote_makes_no_formula_wrong() -> None:
    strange = LAYERS.replace("A^{[2]} - Y", "(A^{[2]} - Y) * (A^{[2]} - Y) * (A^{[2]} - Y)")
    assert claimed(strange)[0] == "not understood"
    assert set(claimed(strange)[1:]) <= {"holds", "holds under"}


def test_where_one_sample_and_all_stand_side_by_side_nothing_is_guessed() -> None:
    lesson = r"""
$$z^{[1]} = W^{[1]} x, \quad Z^{[1]} = W^{[1]} X, \quad a^{[1]} = \sigma(z^{[1]}), \quad A^{[1]} = \sigma(Z^{[1]})$$
$$dz^{[1]} = a^{[1]} - y, \quad dZ^{[1]} = A^{[1]} - Y, \quad dW^{[1]} = \frac{1}{m} dZ^{[1]} X^T$$
"""
    assert set(claimed(lesson)) == {"not understood"}


def test_a_parenthesis_too_many_takes_nothing_from_a_formula() -> None:
    found = audit(read(Path("lesson.md"), LAYERS.replace("A^{[2]} - Y", "(A^{[2]} - Y))")))
    links = [link for e in found.equations for link in e.links if link.verdict != "definition"]
    assert [link.verdict for link in links[:2]] == ["holds", "aside"]
    assert "one ) too many" in links[1].reason


def test_sigma_is_a_sum_where_something_follows_and_else_a_matrix() -> None:
    forward = r"$$y_k = \Sigma_{j=1}^{3} w_{kj} x_j, \quad L = \frac12 \Sigma_k (y_k - t_k)^2$$"
    claim = r"$$\frac{\partial L}{\partial w_{kj}} = (y_k - t_k) x_j$$"
    assert claimed(forward + "\n\n" + claim) == ["holds"]
    assert claimed(r"$$\Sigma = A B$$" + "\n\n" + r"$$y = x^T \Sigma^{-1} x$$") == []
