"""Lessons of one neuron or a chain of them: numbers only, derivatives step by step, names in words or in quotes."""

import pytest

from tests.verdicts import claimed

SQUARE = r"""
$$z = wx + b, \quad a = \sigma(z), \quad L = (a - y)^2$$
$$\frac{dL}{da} = 2 (a - y)$$
$$\frac{da}{dz} = \sigma(z) (1 - \sigma(z)) = a (1 - a)$$
$$\frac{dL}{dw} = \frac{dL}{da} \frac{da}{dz} \frac{dz}{dw} = 2 (a - y) \, a (1 - a) \, x$$
$$dL/db = dL/da * da/dz * dz/db = 2 (a - y) \cdot a (1 - a) \cdot 1$$
"""
QUOTED = r"""
$$z = w_1 x_1 + w_2 x_2 + b, \quad \hat{y} = a = \sigma(z)$$
$$\mathcal{L}(a, y) = -(y \log(a) + (1 - y) \log(1 - a))$$
$$"da" = \frac{d\mathcal{L}(a, y)}{da} = -\frac{y}{a} + \frac{1 - y}{1 - a}$$
$$"dz" = \frac{d\mathcal{L}}{dz} = \frac{d\mathcal{L}}{da} \cdot \frac{da}{dz} = a - y$$
$$\frac{\partial \mathcal{L}}{\partial w_1} = "dw_1" = x_1 \, dz$$
$$dw_2 = x_2 \cdot dz, \quad db = dz$$
"""
WORDS = r"""
$$\text{output} = \sigma(\text{weight} \cdot \text{input} + \text{bias})$$
$$\text{loss} = \frac{1}{2} (\text{output} - \text{target})^2$$
$$\frac{\partial \text{loss}}{\partial \text{output}} = \text{output} - \text{target}$$
$$\frac{\partial \text{loss}}{\partial \text{weight}}
  = (\text{output} - \text{target}) \cdot \text{output} \cdot (1 - \text{output}) \cdot \text{input}$$
"""
INLINE = r"""
We have $\hat y = \sigma(wx + b)$ and $L = -[y \log \hat y + (1 - y) \log(1 - \hat y)]$.
$$\frac{\partial L}{\partial \hat y}
  = -\frac{y}{\hat y} + \frac{1 - y}{1 - \hat y} = \frac{\hat y - y}{\hat y (1 - \hat y)}$$
$$\frac{dL}{dw} = (\hat y - y) x$$
$$\frac{dL}{db} = \hat y - y$$
"""
STEPS = r"""
$$z = w_1 x_1 + w_2 x_2 + b, \quad L = (z - y)^2$$
$$\frac{\partial z}{\partial w_1} = 1 \cdot w_1^{(1-1)} \cdot x_1 + 0 + 0 = x_1$$
$$\frac{\partial L}{\partial z} = 2 (z - y)^{(2-1)} \cdot 1 = 2 (z - y)$$
"""
SLOPES = r"""
$$\sigma(x) = \frac{1}{1 + e^{-x}}$$
$$\frac{d\sigma(x)}{dx} = \frac{e^{-x}}{(1 + e^{-x})^2} = (1 - \sigma(x)) \sigma(x)$$
$$\frac{d}{dx} \tanh(x) = 1 - \tanh^2(x)$$
"""


@pytest.mark.parametrize("lesson", [SQUARE, QUOTED, WORDS, INLINE, STEPS, SLOPES])
def test_what_is_right_holds(lesson: str) -> None:
    found = claimed(lesson)
    assert len(found) > 1
    assert set(found) <= {"holds", "holds under"}


@pytest.mark.parametrize(
    ("lesson", "right", "wrong"),
    [
        (SQUARE, "= 2 (a - y)$$", "= (a - y)$$"),
        (SQUARE, r"\, x$$", r"\, w$$"),
        (SQUARE, r"dL/da * da/dz * dz/db", r"dL/da * da/dz * dz/dw"),
        (QUOTED, r"= a - y$$", "= y - a$$"),
        (QUOTED, r"x_2 \cdot dz", r"x_1 \cdot dz"),
        (QUOTED, r"-\frac{y}{a} + \frac{1 - y}{1 - a}", r"-\frac{y}{a} - \frac{1 - y}{1 - a}"),
        (WORDS, r"(1 - \text{output}) \cdot \text{input}", r"(1 - \text{output}) \cdot \text{weight}"),
        (INLINE, r"(\hat y - y) x", r"(y - \hat y) x"),
        (STEPS, "(z - y)^{(2-1)}", "(z - y)^{(3-1)}"),
        (SLOPES, r"1 - \tanh^2(x)", r"1 - \tanh(x)"),
        (SLOPES, r"\frac{e^{-x}}", r"\frac{-e^{-x}}"),
    ],
)
def test_a_slip_is_found_and_nothing_else_is_called_wrong(lesson: str, right: str, wrong: str) -> None:
    assert right in lesson
    found = claimed(lesson.replace(right, wrong))
    assert sum(verdict in ("fails", "ill-typed") for verdict in found) == 1
