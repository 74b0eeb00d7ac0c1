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


EINSTEIN = r"""
Repeated indices are summed, as Einstein does, and inputs are rows.
$$s = x A^{(1)} + c^{(1)}, \quad g = \tanh(s), \quad u = g A^{(2)} + c^{(2)}, \quad p = \text{softmax}(u) = \phi(u)$$
$$E = -t_k \log p_k$$

## The output
$$\frac{\partial p_a}{\partial u_e} = \frac{\partial}{\partial u_e} \phi(u_a) = p_a \delta_{ae} - p_a p_e$$
$$\frac{\partial E}{\partial u_e} = -\frac{t_a}{p_a} (p_a \delta_{ae} - p_a p_e)
  = -t_a \delta_{ae} + t_a p_e = p_e - t_e$$

## The second layer, whose numbers are left out
$$\frac{\partial u_e}{\partial A_{bh}} = \frac{\partial}{\partial A_{bh}} [g_i A_{ie} + c_e] = g_b \delta_{eh}$$
$$\frac{\partial E}{\partial A_{bh}} = [p - t]_e g_b \delta_{eh} = g_b [p - t]_h$$
$$\frac{\partial E}{\partial c_b} = [p - t]_b$$

## The input
$$\frac{\partial E}{\partial x_b} = [p - t]_e A_{ed}^{(2)T} (1 - g_d^2) A_{db}^{(1)T}$$
"""
DROPPED = r"""
$$z_1 = W_1 x + b_1, \quad a_1 = \sigma(z_1), \quad z_2 = W_2 a_1 + b_2, \quad a_2 = \sigma(z_2)$$
$$J = \frac12 \|a_2 - y\|^2$$

## Output layer
We drop the subscripts of $W_2$ and $b_2$.
$$\delta = \frac{\partial J}{\partial z_2} = (a_2 - y) \odot \sigma'(z_2)$$
$$\frac{\partial J}{\partial W} = \delta a_1^T, \quad \frac{\partial J}{\partial b} = \delta$$

## Hidden layer
Here they are those of the first layer.
$$\frac{\partial J}{\partial W} = \left(W_2^T \delta \odot \sigma'(z_1)\right) x^T$$
$$\frac{\partial J}{\partial b} = W_2^T \delta \odot \sigma'(z_1)$$
"""


@pytest.mark.parametrize("lesson", [EINSTEIN, DROPPED])
def test_letters_that_a_section_leaves_out_or_counts_with(lesson: str) -> None:
    assert set(claimed(lesson)) <= {"holds", "holds under"}


@pytest.mark.parametrize(
    ("lesson", "right", "wrong"),
    [
        (EINSTEIN, r"= p_a \delta_{ae} - p_a p_e$$", r"= p_a \delta_{ae} - p_a$$"),
        (EINSTEIN, r"= -t_a \delta_{ae} + t_a p_e", r"= -t_a \delta_{ae} + t_e p_e"),
        (EINSTEIN, r"= g_b [p - t]_h", r"= g_h [p - t]_b"),
        (EINSTEIN, r"\frac{\partial E}{\partial c_b} = [p - t]_b", r"\frac{\partial E}{\partial c_b} = [t - p]_b"),
        (EINSTEIN, r"A_{ed}^{(2)T} (1 - g_d^2) A_{db}^{(1)T}", r"A_{ed}^{(2)T} (1 - g_d) A_{db}^{(1)T}"),
        (DROPPED, r"= \delta a_1^T", r"= \delta a_2^T"),
        (DROPPED, r"\odot \sigma'(z_1)\right) x^T", r"\odot \sigma'(z_2)\right) x^T"),
    ],
)
def test_what_is_wrong_is_found_among_them(lesson: str, right: str, wrong: str) -> None:
    assert lesson.count(right) == 1
    found = claimed(lesson.replace(right, wrong))
    assert sum(verdict in ("fails", "ill-typed") for verdict in found) == 1


def test_a_quantity_before_brackets_is_no_function() -> None:
    lesson = r"""
$$s = W x, \quad g = \tanh(s), \quad L = \frac12 \sum_k (g_k - t_k)^2$$
$$\frac{\partial L}{\partial s_k} = g_k (1 - g_k^2) - t_k (1 - g_k^2)$$
"""
    assert claimed(lesson) == ["holds"]
    assert claimed(lesson.replace("g_k (1 - g_k^2) -", "g_k (1 + g_k^2) -")) == ["fails"]


EXAMPLE = r"""
## In general
$$Z^{[l]} = W^{[l]} A^{[l-1]} + b^{[l]}, \quad A^{[l]} = g(Z^{[l]})$$
$$dZ^{[l]} = W^{[l+1]T} dZ^{[l+1]} \odot g'(Z^{[l]})$$

## An example
For $L = 2$ and a cross-entropy behind a sigmoid, with $m$ examples,
$$dZ^{[2]} = A^{[2]} - Y$$
$$dW^{[2]} = \frac{1}{m} dZ^{[2]} A^{[1]T}$$
$$dZ^{[1]} = W^{[2]T} dZ^{[2]} \odot g'(Z^{[1]})$$
"""


def test_a_section_may_say_how_many_layers_it_has() -> None:
    assert set(claimed(EXAMPLE)) == {"holds"}
    assert "ill-typed" in claimed(EXAMPLE.replace("W^{[2]T} dZ^{[2]}", "W^{[2]} dZ^{[2]}"))


CLASSES = r"""
## Two classes
$$z = \sum_j w_j x_j + b, \quad p = \sigma(z) = \frac{1}{1 + e^{-z}}, \quad L = -t \log p - (1 - t) \log (1 - p)$$
$$\frac{\partial L}{\partial p} = -\frac{t}{p} + \frac{1 - t}{1 - p}$$
$$\frac{\partial L}{\partial w_j} = (p - t) x_j, \quad \frac{\partial L}{\partial b} = p - t$$

## Many classes
$$z_k = \sum_j w_{kj} x_j + b_k, \quad p_k = \frac{e^{z_k}}{\sum_i e^{z_i}}, \quad L = -\sum_k t_k \log p_k$$
$$\frac{\partial p_k}{\partial z_i} = p_k (\delta_{ki} - p_i)$$
$$\frac{\partial L}{\partial w_{kj}} = (p_k - t_k) x_j, \quad \frac{\partial L}{\partial b_k} = p_k - t_k$$
"""


def test_a_letter_has_as_many_axes_as_its_section_gives_it() -> None:
    assert set(claimed(CLASSES)) <= {"holds", "holds under"}


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        (r"-\frac{t}{p} + \frac{1", r"-\frac{t}{p} - \frac{1"),
        ("= (p - t) x_j,", "= (p - t) w_j,"),
        ("= p_k - t_k$$", "= t_k - p_k$$"),
        ("= (p_k - t_k) x_j,", "= (p_k - t_k) x_k,"),
    ],
)
def test_what_has_other_axes_elsewhere_is_found_wrong(right: str, wrong: str) -> None:
    assert CLASSES.count(right) == 1
    assert sum(verdict in ("fails", "ill-typed") for verdict in claimed(CLASSES.replace(right, wrong))) == 1


def test_two_names_of_one_parameter_are_no_circle() -> None:
    lesson = r"""
## One feature
$$\hat y = w x + b, \quad L = (\hat y - y)^2$$
$$\frac{\partial L}{\partial w} = (\hat y - y) x$$

## Many
$$\hat{\mathbf{y}} = W \mathbf{x} + \mathbf{b}, \quad L = \|\hat{\mathbf{y}} - \mathbf{y}\|^2$$
$$\frac{\partial L}{\partial W} = 2 (\hat{\mathbf{y}} - \mathbf{y}) \mathbf{x}^T$$
$$\frac{\partial L}{\partial w_{ij}} = 2 (\hat y_i - y_i) x_j$$
"""
    first, *others = claimed(lesson)
    assert first != "holds"
    assert others == ["holds", "holds"]


def test_a_function_that_is_defined_several_times_has_no_other_name() -> None:
    lesson = r"""
## Network
$$z^{(l+1)} = W^{(l)} a^{(l)} + b^{(l)}, \quad a^{(l)} = f(z^{(l)})$$

## Sigmoid
$$f(z) = \frac{1}{1 + e^{-z}}$$
$$f'(z) = f(z) (1 - f(z))$$

## Tanh
$$f(z) = \tanh(z) = \frac{e^z - e^{-z}}{e^z + e^{-z}}$$
$$f'(z) = 1 - f(z)^2$$
"""
    assert set(claimed(lesson)) <= {"holds", "holds under"}
    assert claimed(lesson.replace("= f(z) (1 - f(z))", "= f(z) (1 + f(z))")).count("fails") == 1
