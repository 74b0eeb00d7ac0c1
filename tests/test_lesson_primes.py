"""Lessons that write C'(W) for ∂C/∂W, and functions of functions for the forward pass."""

import pytest

from tests.verdicts import claimed

NESTED = r"""
$$Cost = C(R(Z(X W)))$$
$$C'(W) = C'(R) \cdot R'(Z) \cdot Z'(W) = (R - y) \cdot R'(Z) \cdot X$$
"""
FORWARD = r"""
$$Z_h = X W_h, \quad H = R(Z_h), \quad Z_o = H W_o, \quad \hat{y} = R(Z_o), \quad C = \frac{1}{2} (\hat{y} - y)^2$$
"""
CLAIMS = r"""
$$C'(W_o) = C'(\hat{y}) \cdot \hat{y}'(Z_o) \cdot Z_o'(W_o) = (\hat{y} - y) \cdot R'(Z_o) \cdot H$$
$$C'(W_h) = C'(\hat{y}) \cdot \hat{y}'(Z_o) \cdot Z_o'(H) \cdot H'(Z_h) \cdot Z_h'(W_h)$$
$$C'(Z_o) = (\hat{y} - y) \cdot R'(Z_o)$$
$$E_o = (\hat{y} - y) \cdot R'(Z_o)$$
$$E_h = E_o \cdot W_o \cdot R'(Z_h)$$
$$C'(W_O) = E_o \cdot H, \quad C'(W_h) = E_h \cdot X$$
$$C'(W_h) = \frac{dC}{d\hat{y}} \cdot \frac{d\hat{y}}{dZ_o} \cdot \frac{dZ_o}{dH}
  \cdot \frac{dH}{dZ_h} \cdot \frac{dZ_h}{dW_h}$$
"""


@pytest.mark.parametrize("lesson", [NESTED, FORWARD + CLAIMS, CLAIMS])
def test_what_is_right_holds(lesson: str) -> None:
    found = claimed(lesson)
    assert len(found) > 1
    assert set(found) == {"holds"}


@pytest.mark.parametrize("forward", [FORWARD, ""])
@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        (r"R'(Z_o) \cdot H$$", r"R'(Z_o) \cdot X$$"),
        (r"C'(W_O) = E_o \cdot H", r"C'(W_O) = E_h \cdot H"),
        (r"C'(Z_o) = (\hat{y} - y)", r"C'(Z_o) = (y - \hat{y})"),
        (r"Z_o'(H) \cdot H'(Z_h)", r"H'(Z_h)"),
        (r"\cdot \frac{dZ_o}{dH}", ""),
    ],
)
def test_a_slip_is_found_and_nothing_else_is_called_wrong(forward: str, right: str, wrong: str) -> None:
    assert right in CLAIMS
    found = claimed(forward + CLAIMS.replace(right, wrong))
    assert sum(verdict in ("fails", "ill-typed") for verdict in found) <= 1
    assert not forward or sum(verdict == "fails" for verdict in found) == 1


def test_what_the_partials_do_not_say_is_no_proof() -> None:
    found = claimed(CLAIMS + r"$$C'(W_q) = (\hat{y} - y) \cdot V$$")
    assert found[-1] == "not understood"
    assert set(found[:-1]) == {"holds"}


def test_slopes_stay_slopes() -> None:
    lesson = r"""
$$z = w x + b, \quad a = \sigma(z), \quad C = \frac{1}{2} (a - y)^2$$
$$\frac{\partial C}{\partial w} = (a - y) \sigma'(z) x$$
$$\frac{\partial C}{\partial w} = (a - y) \sigma'(a) x$$
"""
    assert claimed(lesson) == ["holds", "fails"]


def test_a_capitalised_word_is_one_symbol() -> None:
    lesson = r"""
$$Output = \sigma(w Input)$$
$$\frac{\partial Output}{\partial Input} = w \sigma'(w Input)$$
"""
    assert claimed(lesson) == ["holds"]
