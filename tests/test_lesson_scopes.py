"""What a letter means in one section of a lesson: numbers first and vectors later, the same names for other nets."""

import pytest

from tests.verdicts import claimed, of_the_last

CHAIN = r"""
# From one neuron to many

## One neuron in every layer
Every layer has a single neuron, $z^{(l)} = w^{(l)} a^{(l-1)} + b^{(l)}$ and $a^{(l)} = \sigma(z^{(l)})$, and the cost
of an example is $C_0 = (a^{(L)} - y)^2$.
$$\frac{\partial C_0}{\partial w^{(L)}} = \frac{\partial z^{(L)}}{\partial w^{(L)}}
  \frac{\partial a^{(L)}}{\partial z^{(L)}} \frac{\partial C_0}{\partial a^{(L)}}
  = a^{(L-1)} \sigma'(z^{(L)}) \, 2 (a^{(L)} - y)$$
$$\frac{\partial C_0}{\partial a^{(L-1)}} = w^{(L)} \sigma'(z^{(L)}) \, 2 (a^{(L)} - y)$$

## Many neurons
$$z_j^{(l)} = \sum_k w_{jk}^{(l)} a_k^{(l-1)} + b_j^{(l)}, \quad a_j^{(l)} = \sigma(z_j^{(l)}), \quad
  C_0 = \sum_j (a_j^{(L)} - y_j)^2$$
$$\frac{\partial C_0}{\partial w_{jk}^{(L)}} = a_k^{(L-1)} \sigma'(z_j^{(L)}) \, 2 (a_j^{(L)} - y_j)$$
$$\frac{\partial C_0}{\partial a_k^{(L-1)}} = \sum_j w_{jk}^{(L)} \sigma'(z_j^{(L)}) \, 2 (a_j^{(L)} - y_j)$$
"""
TWO = r"""
## A neuron
A scalar: $z = w x + b$, $a = \sigma(z)$, $L = \frac12 (a - t)^2$.
$$\frac{dL}{dw} = (a - t) \sigma'(z) x$$

## Two neurons, one behind the other
$$a_1 = \sigma(w_1 x + b_1), \quad a_2 = \sigma(w_2 a_1 + b_2), \quad L = \frac12 (a_2 - t)^2$$
$$\frac{dL}{dw_2} = (a_2 - t) a_2 (1 - a_2) a_1$$
$$\frac{dL}{dw_1} = (a_2 - t) a_2 (1 - a_2) w_2 a_1 (1 - a_1) x$$

## Layers of them
$$\mathbf{z} = W \mathbf{x} + \mathbf{b}, \quad \mathbf{a} = \sigma(\mathbf{z}), \quad
  L = \frac12 \|\mathbf{a} - \mathbf{t}\|^2$$
$$\frac{\partial L}{\partial w_{ij}} = (a_i - t_i) \sigma'(z_i) x_j$$
$$\frac{\partial L}{\partial \mathbf{x}} = W^T \left((\mathbf{a} - \mathbf{t}) \odot \sigma'(\mathbf{z})\right)$$
"""
COST = r"""
## One weight
A single unit has $z = wx + b$ and $a = g(z)$; its cost $C(a)$ may be any.
$$\delta = \frac{\partial C}{\partial z} = C'(a) g'(z)$$
$$\frac{\partial C}{\partial w} = C'(a) g'(z) x$$

## Layers
$$z^l = W^l a^{l-1} + b^l, \quad a^l = g(z^l), \quad \delta^l = \frac{\partial C}{\partial z^l}$$
$$\frac{\partial z_i^l}{\partial w_{ij}^l} = a_j$$
$$\delta^l = (W^{l+1})^T \delta^{l+1} \odot g'(z^l)$$

## All samples
For $m$ samples, side by side,
$$Z^l = W^l A^{l-1} + b^l, \quad A^l = g(Z^l)$$
$$\Delta^l = (W^{l+1})^T \Delta^{l+1} \odot g'(Z^l)$$
$$\frac{\partial C}{\partial W^l} = \frac{1}{m} \Delta^l (A^{l-1})^T$$
"""


@pytest.mark.parametrize("lesson", [CHAIN, TWO, COST])
def test_every_section_has_a_net_of_its_own(lesson: str) -> None:
    assert set(claimed(lesson)) <= {"holds", "holds under"}


@pytest.mark.parametrize(
    ("lesson", "right", "wrong"),
    [
        (CHAIN, r"= a^{(L-1)} \sigma'(z^{(L)}) \, 2", r"= a^{(L)} \sigma'(z^{(L)}) \, 2"),
        (CHAIN, r"= w^{(L)} \sigma'(z^{(L)}) \, 2", r"= w^{(L)} \sigma'(z^{(L)})"),
        (CHAIN, r"= a_k^{(L-1)} \sigma", r"= a_j^{(L-1)} \sigma"),
        (TWO, "(1 - a_2) a_1$$", "(1 - a_2) a_2$$"),
        (TWO, "w_2 a_1 (1 - a_1) x$$", "w_1 a_1 (1 - a_1) x$$"),
        (TWO, r"\sigma'(z_i) x_j$$", r"\sigma'(z_i) x_i$$"),
        (COST, "C'(a) g'(z) x$$", "C'(a) g'(z) w$$"),
        (COST, r"= \frac{1}{m} \Delta^l (A^{l-1})^T", r"= \frac{1}{m} \Delta^l (A^l)^T"),
        (COST, "= a_j$$", "= a_i$$"),
    ],
)
def test_what_is_wrong_is_found_in_its_section(lesson: str, right: str, wrong: str) -> None:
    assert lesson.count(right) == 1
    found = claimed(lesson.replace(right, wrong))
    assert {"fails", "ill-typed"} & {*found}
    assert sum(verdict in ("fails", "ill-typed") for verdict in found) == 1


FUNCTION = r"""
$$a = W x + b, \quad h = \sigma(a), \quad y = W^T h + c, \quad J = \frac12 \|y - x\|^2$$
$$\frac{\partial J}{\partial a} = W (y - x) \odot \sigma'(a)$$
"""


@pytest.mark.parametrize(
    ("said", "verdict"),
    [
        (r"\sigma'(a) = \sigma(a) (1 - \sigma(a))", "holds under"),
        (r"\frac{d}{da} \sigma(a) = \sigma(a) (1 - \sigma(a))", "holds under"),
        (r"\tanh'(a) = 1 - \tanh(a) \tanh(a)", "holds"),
        (r"\sigma'(a) = \sigma(a) (1 + \sigma(a))", "fails"),
        (r"\tanh'(a) = 1 - \tanh(a)", "fails"),
    ],
)
def test_what_is_said_of_a_function_is_said_of_numbers(said: str, verdict: str) -> None:
    assert of_the_last(f"{FUNCTION}\n$${said}$$\n") == [verdict]
