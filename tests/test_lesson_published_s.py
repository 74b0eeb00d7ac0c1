"""What published lessons do: rows that follow from others, examples of any layer, numbers put into formulas."""

import pytest

from tests.verdicts import claimed

GOOD, BAD = {"holds", "holds under"}, {"fails", "ill-typed"}

FOLLOWS = r"""
$$z_i = w x_i + b, \quad J = \frac{1}{N} \sum_{i=1}^N [\ln(1 + e^{-z_i}) + (1 - t_i) z_i]$$
$$\begin{align*}
\frac{d}{dz_i} (1 + e^{-z_i}) &= -e^{-z_i} \\
\text{By the chain rule} => \frac{d}{dz_i} \ln(1 + e^{-z_i}) &= \frac{1}{1 + e^{-z_i}} \cdot (-e^{-z_i}) \\
&= -\frac{1}{1 + e^{z_i}}
\end{align*}$$
"""


@pytest.mark.parametrize(
    ("right", "wrong"), [("(-e^{-z_i})", "(e^{-z_i})"), (r"&= -\frac{1}{1 + e", r"&= \frac{1}{1 + e")]
)
def test_a_row_that_follows_from_others_has_a_left_side_of_its_own(right: str, wrong: str) -> None:
    assert set(claimed(FOLLOWS)) <= GOOD
    assert sum(verdict in BAD for verdict in claimed(FOLLOWS.replace(right, wrong))) == 1


def test_a_partial_by_what_has_an_index_of_its_own_is_at_that_index() -> None:
    lesson = r"$$z_i = w x_i + b$$ Let $u = -z_i$. $$\frac{d}{dz_i} e^u = \frac{d(e^u)}{du} \cdot \frac{du}{dz_i}$$"
    assert set(claimed(lesson)) <= GOOD
    assert claimed(lesson.replace(r"\cdot \frac{du}{dz_i}", ""))[-1] in BAD


EXAMPLE = r"""
# Any layer

$$\delta^l = \frac{\partial L}{\partial z^l}$$
$$\delta^l = (W^{l+1})^T \delta^{l+1} \odot \sigma'(z^l)$$
With the sigmoid, $\sigma'(z^l) = \sigma(z^l)(1 - \sigma(z^l))$.

# An example

$$z^1 = W^1 x + b^1$$
$$a^1 = \text{ReLU}(z^1)$$
$$z^2 = W^2 a^1 + b^2 \quad (W^2 \in \mathbb{R}^{1 \times 4})$$
$$a^2 = \text{sigmoid}(z^2)$$
$$\delta^2 = (a^2 - y) \odot \sigma'(z^2)$$
where $\sigma'(z^2) = a^2 (1 - a^2)$.
$$\frac{\partial L}{\partial W^2} = \delta^2 (a^1)^T$$
"""


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("(W^{l+1})^T", "W^{l+1}"),
        (r"\sigma(z^l)(1", "z^l(1"),
        ("a^2 (1 - a^2)", "z^2 (1 - z^2)"),
        ("(a^1)^T", "(a^2)^T"),
    ],
)
def test_what_is_said_of_any_layer_is_not_said_of_the_example(right: str, wrong: str) -> None:
    assert set(claimed(EXAMPLE)) <= GOOD | {"aside"}
    assert sum(verdict in BAD for verdict in claimed(EXAMPLE.replace(right, wrong))) == 1


def test_a_loss_that_was_left_open_is_what_its_section_writes() -> None:
    lesson = r"""
$$z = w x + b, \quad a = \sigma(z), \quad L = L(a, y)$$

# Partials

$$\frac{\partial z}{\partial w} = x$$ With $L(a, y) = \frac{1}{2} (a - y)^2$:
$$\frac{\partial L}{\partial a} = a - y$$
"""
    assert set(claimed(lesson)) <= GOOD
    assert claimed(lesson.replace("= a - y$", "= y - a$"))[-1] in BAD


def test_numbers_that_are_put_in_claim_nothing_of_the_net() -> None:
    lesson = r"""
$$h = \frac{1}{1 + e^{-z}} = \frac{1}{1 + e^{-0.1}}, \quad a = \mathrm{ReLU}(v)$$
With $v = \begin{bmatrix} 0.8 \\ -0.6 \end{bmatrix}$ we have
$$\mathrm{ReLU}'(v) = \begin{bmatrix} 1 \\ 0 \end{bmatrix}$$
"""
    assert set(claimed(lesson)) == {"aside"}


def test_a_fence_whose_formula_begins_on_its_line_is_read() -> None:
    lesson = "```math z = w x + b \\\\```\n```math L = \\frac{1}{2} (z - y)^2```\n\n"
    lesson += (
        "```math \\begin{aligned} \\frac{\\partial L}{\\partial w} &= (z - y) \\frac{\\partial z}{\\partial w} \\\\\n"
    )
    lesson += "&= (z - y) x \\end{aligned}```\n\n```math \\frac{\\partial L}{\\partial b} = y - z``\n"
    assert claimed(lesson) == ["holds", "holds", "fails"]


@pytest.mark.parametrize(
    ("rule", "verdict"),
    [
        (r"(f(g(x)))' = f'(g(x)) g'(x)", "holds under"),
        (r"(f \circ g)'(x) = f'(g(x)) \cdot g'(x)", "holds under"),
        (r"\frac{d f(g(x))}{dx} = \frac{df}{dg} \frac{dg}{dx}", "holds under"),
        (r"(f(g(x)))' = f'(x) g'(x)", "fails"),
        (r"(f \circ g)'(x) = f'(g(x)) g(x)", "fails"),
        (r"f(g(x)) = f'(g(x)) g'(x)", "holds under"),
    ],
)
def test_the_chain_rule_is_of_any_functions(rule: str, verdict: str) -> None:
    lesson = (
        rf"$$z = W x + b, \quad a = \sigma(z), \quad \frac{{\partial a_i}}{{\partial z_i}} = \sigma'(z_i)$$ $${rule}$$"
    )
    assert claimed(lesson)[-1] == verdict


NIELSEN = r"""
$$z^l_j = \sum_k w^l_{jk} a^{l-1}_k + b^l_j, \quad a^l_j = \sigma(z^l_j)$$
$$C = \frac{1}{2} \sum_j (a^L_j - y_j)^2, \quad \delta^l_j = \frac{\partial C}{\partial z^l_j}$$
$$\delta^L = \Sigma'(z^L) \nabla_a C$$
$$\delta^l = \Sigma'(z^l) (w^{l+1})^T \delta^{l+1}$$
$$\delta^l_j = \sum_k \frac{\partial C}{\partial b^l_k} \frac{\partial b^l_k}{\partial z^l_j}$$
$$z^l_j = \sum_k w^l_{jk} a^{l-1}_k + b^l_j$$
$$b^l_j = z^l_j - \sum_k w^l_{jk} a^{l-1}_k$$
$$\frac{\partial b^l_j}{\partial z^l_j} = 1$$
"""


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("(w^{l+1})^T", "w^{l+1}"),
        (r"\Sigma'(z^L)", r"\Sigma'(a^L)"),
        ("z^l_j - ", "z^l_j + "),
        ("z^l_j} = 1", "z^l_j} = 2"),
    ],
)
def test_a_capital_is_the_diagonal_of_slopes_and_a_bias_is_told_by_its_sum(right: str, wrong: str) -> None:
    assert set(claimed(NIELSEN)) <= GOOD
    assert right in NIELSEN
    assert sum(verdict in BAD for verdict in claimed(NIELSEN.replace(right, wrong))) == 1


UNITS = r"""
$$net_{h1} = i1*w11 + i2*w21$$
$$out_{h1} = f(net_{h1}), \quad out_{h2} = f(i1*w12 + i2*w22), \quad f(x) = \frac{1}{1+e^{-x}}$$
$$out_o = f(h1*w1o + h2*w2o)$$
$$E(O) = \frac{1}{2n} (d-o)^2$$
$$E_{total} = \frac{1}{2} (target_o - out_o)^2$$
$$\delta_{o} = \frac{\partial E_{total}}{\partial net_{o}}$$
\begin{gather}
\delta_o = -(target_o - out_o) * out_o (1 - out_o)
\shortintertext{and so}
\frac{\partial E_{total}}{\partial w1o} = ({\delta_{o})} * out_{h1}
\end{gather}
$$\delta h1 = \frac{\partial E_{total}}{\partial out_o} * \frac{\partial out_o}{\partial out_{h1}} *
\frac{\partial out_{h1}}{\partial net_{h1}}$$
$$\delta h1 = \delta o * w1o * out_{h1}(1 - out_{h1})$$
$$\frac{\partial E_{total}}{\partial w11} = \delta h1 * out_{i1}$$
"""


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("= -(target_o", "= (target_o"),
        (r"\delta o * w1o", r"\delta o * w2o"),
        ("out_{i1}", "out_{h1}"),
        (r"({\delta_{o})} * out_{h1}", r"({\delta_{o})} * out_{h2}"),
    ],
)
def test_units_stand_for_what_comes_out_of_them(right: str, wrong: str) -> None:
    assert right in UNITS
    assert set(claimed(UNITS)) <= GOOD
    assert sum(verdict in BAD for verdict in claimed(UNITS.replace(right, wrong))) == 1


DOTS = r"""
$$z = w_1 x_1 + w_2 x_2 + \dots + w_n x_n + b, \quad p_i = \frac{e^{u_i}}{e^{u_1} + e^{u_2} + \cdots + e^{u_K}}$$
$$C = -(y_1 \log p_1 + \dots + y_K \log p_K), \quad \sum_k y_k = 1$$
$$q_{n,h} = \sum_{d=0}^{D-1} x_{n,d} v_{d,h} + c_h$$
$$\frac{\partial z}{\partial w_i} = x_i$$
$$\frac{\partial C}{\partial u_i} = p_i - y_i$$
$$\frac{\partial q_{n,h}}{\partial v_{d,h}} = \frac{\partial}{\partial v_{d,h}} \Bigl(
x_{n,0} v_{0,h} + \cdots + x_{n,d} v_{d,h} + \cdots + x_{n,D-1} v_{D-1,h} + c_h \Bigr)
= 0 + \cdots + x_{n,d} + \cdots + 0$$
"""


@pytest.mark.parametrize(
    ("right", "wrong"),
    [("= x_i", "= w_i"), ("p_i - y_i", "y_i - p_i"), ("+ x_{n,d} + \\cdots + 0$", "+ v_{d,h} + \\cdots + 0$")],
)
def test_sums_with_dots_are_sums(right: str, wrong: str) -> None:
    assert right in DOTS
    assert set(claimed(DOTS)) <= GOOD
    assert sum(verdict in BAD for verdict in claimed(DOTS.replace(right, wrong))) == 1


def test_blocks_of_text_are_read_and_a_letter_of_units_may_be_an_index() -> None:
    lesson = r"""
$$net_{o_1} = w_5 * net_{h_1} + w_6 * net_{h_2}$$
$$y_{n,h} = \sum_{d} x_{n,d} v_{d,h} + b_h$$
```{note}
$$\frac{\partial y_{n,h}}{\partial v_{d,h}} = x_{n,d}$$
```
$$\frac{\partial net_{o1}}{\partial w_5} = net_{h_1}$$
"""
    assert claimed(lesson) == ["holds", "holds"]
    assert claimed(lesson.replace("= x_{n,d}", "= x_{n,h}"))[0] in BAD


ROWS = r"""
$$z_i = w_1 x_{i1} + w_2 x_{i2} + b, \quad J = \frac{1}{N} \sum_{i=1}^N [\ln(1+e^{-z_i}) + (1-y_i) z_i]$$
$$\begin{align*}
\text{Let } f(x_i) &= \ln(1+e^{-z_i}) + (1-y_i) z_i \\
\frac{dJ}{dw_1} &= \frac{1}{N} \sum_{i=1}^N \frac{df}{dz_i} \cdot \frac{dz_i}{dw_1} \\
\text{Equation 2: } \frac{dJ}{dw_2} &= \frac{1}{N} \sum_{i=1}^N \frac{df}{dz_i} \cdot \frac{dz_i}{dw_2} \\
&= \frac{1}{N} \sum_{i=1}^N \frac{df}{dz_i} x_{i2} \\
\text{Proof } \frac{dz_i}{dw_2} &= x_{i2}
\end{align*}$$
"""


@pytest.mark.parametrize(("right", "wrong"), [(r"x_{i2} \\", r"x_{i1} \\"), (r"dw_2} &= x_{i2}", r"dw_2} &= w_2")])
def test_rows_with_names(right: str, wrong: str) -> None:
    assert set(claimed(ROWS)) <= GOOD | {"aside"}
    assert sum(verdict in BAD for verdict in claimed(ROWS.replace(right, wrong))) == 1


def test_the_chain_rule_may_be_told_in_letters_of_its_own() -> None:
    lesson = r"$$z = w x + b, \quad L = (z - y)^2$$ $$\frac{d}{du} f(x) = \frac{df}{dg} \frac{dg}{du}$$"
    assert claimed(lesson)[-1] == "holds under"
    assert claimed(lesson.replace(r"\frac{dg}{du}", r"\frac{du}{dg}"))[-1] not in GOOD


FROM_ZERO = r"""
$$a^t = w x^t + v h^{t-1} + b, \quad a^0 = w x^0 + b, \quad h^t = \sigma(a^t)$$
$$o^t = u h^t, \quad L^t = \frac{1}{2} (o^t - y^t)^2, \quad L = \frac{1}{T} \sum_{t=0}^T L^t$$
$$\frac{\partial h^t}{\partial w} = \sigma'(a^t) \left[ v \frac{\partial h^{t-1}}{\partial w} + x^t \right]$$
$$\frac{\partial h^0}{\partial w} = \sigma'(a^0) x^0$$
"""


@pytest.mark.parametrize(("right", "wrong"), [("(a^0) x^0", "(a^0) x^t"), ("+ x^t \\right", "+ x^{t-1} \\right")])
def test_steps_may_begin_at_zero(right: str, wrong: str) -> None:
    assert right in FROM_ZERO
    assert set(claimed(FROM_ZERO)) <= GOOD
    assert sum(verdict in BAD for verdict in claimed(FROM_ZERO.replace(right, wrong))) == 1
