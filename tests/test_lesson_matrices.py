"""Lessons in matrices and vectors: batches of rows, gradients by many names, layouts, quadratic forms."""

import pytest

from tests.verdicts import of_the_last

DENOMINATOR = """We use denominator layout throughout.

$$y = W x$$
"""
JACOBIANS = r"""
$$y = W x$$

$$a = f(y)$$

$$\frac{\partial a}{\partial x} = W^T \text{diag}(f'(y))$$

$$\frac{\partial a}{\partial y} = \text{diag}(f'(y))$$

$$s = V a$$

$$\frac{\partial s}{\partial a} = V^T$$
"""
BATCH = r"""
$$Z = X W + b$$

$$P = \text{softmax}(Z)$$

$$L = -\sum_{i,k} Y_{ik} \log P_{ik}$$
"""
REVERSE = r"""A bar is the gradient of the loss, $\bar{A} = \partial L / \partial A$.

$$Z = X W + b$$

$$A = \sigma(Z)$$

$$\bar{Z} = \bar{A} \odot \sigma'(Z)$$
"""
ROWS = r"""
$$h_1 = x W_1 + b_1$$

$$a = \sigma(h_1)$$

$$o = a W_2 + b_2$$

$$L = \frac12 (o - t)(o - t)^T$$

$$\delta_2 = o - t$$

$$\delta_1 = \delta_2 W_2^T \odot \sigma'(h_1)$$
"""
BACKWARD = r"""
$$\delta^{(2)} = \hat{y} - y$$

$$\nabla_{W^{(2)}} = \delta^{(2)} a^{(1)T}$$

$$\delta^{(1)} = W^{(2)T} \delta^{(2)} \odot f'(z^{(1)})$$
"""
REGRESSION = r"""
$$\hat{y} = X w + b$$

$$L = \frac{1}{n} \sum_{i=1}^n (\hat{y}_i - y_i)^2$$
"""
RIDGE = r"$$J(w) = \|Xw - y\|_2^2 + \lambda \|w\|_2^2$$"
FORM = "$$f(x) = x^T A x$$"
ABOVE = r"""The gradient from above is $G = \nabla_Y \ell$.

$$Y = X W$$

$$\nabla_X \ell = G W^T$$
"""
UPSTREAM = r"""
$$H = \text{ReLU}(X W_1)$$

$$S \in \mathbb{R}^{N \times K} = H W_2$$

$$P = \text{softmax}(S)$$

$$L = -\frac{1}{N} \sum_i \sum_k Y_{ik} \log P_{ik}$$

$$G = \frac{\partial L}{\partial S} = \frac{1}{N} (P - Y)$$
"""
LISTED = r"""
$$p = \phi(z)$$

$$\phi(z) = \begin{pmatrix} e^{z_1} / \sum_j e^{z_j} \\ \vdots \\ e^{z_d} / \sum_j e^{z_j} \end{pmatrix}$$

$$L = -y^T \log p$$
"""
LOGISTIC = r"""
$$\sigma(z) = \frac{1}{1 + e^{-z}}$$

$$\hat{y} = \sigma(X w)$$

$$L = -\frac{1}{m} \left( y^T \log \hat{y} + (1 - y)^T \log(1 - \hat{y}) \right)$$
"""
RIGHT = [
    (DENOMINATOR, r"\frac{\partial y}{\partial x} = W^T"),
    (DENOMINATOR, r"\frac{\partial L}{\partial x} = \frac{\partial y}{\partial x} \frac{\partial L}{\partial y}"),
    (JACOBIANS, r"\frac{\partial s}{\partial y} = \text{diag}(f'(y)) V^T"),
    (BATCH, "dZ = P - Y"),
    (BATCH, r"db = \text{np.sum}(dZ, axis=0)"),
    (REVERSE, r"\bar{W} = X^T \bar{Z}"),
    (REVERSE, r"\bar{X} = \bar{Z} W^T"),
    (ROWS, r"\frac{\partial L}{\partial W_2} = a^T \delta_2"),
    (BACKWARD, r"\nabla W^{(1)} = \delta^{(1)} x^T"),
    (REGRESSION, r"\frac{\partial L}{\partial w} = \frac{2}{n} X^T (\hat{y} - y)"),
    (REGRESSION, r"\frac{\partial L}{\partial b} = \frac{2}{n} \sum_{i=1}^n (\hat{y}_i - y_i)"),
    (RIDGE, r"\nabla J(w) = 2 X^T (Xw - y) + 2 \lambda w"),
    (FORM, r"\nabla f(x) = (A + A^T) x"),
    (ABOVE, r"\nabla_W \ell = X^T G"),
    (UPSTREAM, r"\frac{\partial L}{\partial W_2} = H^T G"),
    (LISTED, r"\frac{\partial L}{\partial p} = -\frac{y}{p}"),
    (LOGISTIC, r"\nabla_w L = \frac{1}{m} X^T (\hat{y} - y)"),
]
WRONG = [
    (DENOMINATOR, r"\frac{\partial y}{\partial x} = W"),
    (DENOMINATOR, r"\frac{\partial L}{\partial x} = W \frac{\partial L}{\partial y}"),
    (JACOBIANS, r"\frac{\partial s}{\partial y} = V \text{diag}(f'(y))"),
    (BATCH, "dZ = Y - P"),
    (BATCH, r"db = \text{np.sum}(dZ, axis=1)"),
    (REVERSE, r"\bar{W} = X \bar{Z}"),
    (REVERSE, r"\bar{X} = \bar{Z} W"),
    (ROWS, r"\frac{\partial L}{\partial W_2} = \delta_2^T a"),
    (BACKWARD, r"\nabla W^{(1)} = x \delta^{(1)T}"),
    (REGRESSION, r"\frac{\partial L}{\partial w} = \frac{1}{n} X^T (\hat{y} - y)"),
    (REGRESSION, r"\frac{\partial L}{\partial b} = \frac{1}{n} \sum_{i=1}^n (\hat{y}_i - y_i)"),
    (RIDGE, r"\nabla J(w) = 2 X^T (Xw - y) + \lambda w"),
    (FORM, r"\nabla f(x) = 2 A^T x"),
    (ABOVE, r"\nabla_W \ell = X G"),
    (UPSTREAM, r"\frac{\partial L}{\partial W_2} = G H^T"),
    (LISTED, r"\frac{\partial L}{\partial p} = \frac{y}{p}"),
    (LOGISTIC, r"\nabla_w L = \frac{1}{m} X^T (y - \hat{y})"),
]


@pytest.mark.parametrize(("lesson", "tex"), RIGHT)
def test_what_is_right_holds(lesson: str, tex: str) -> None:
    assert of_the_last(f"{lesson}\n\n$${tex}$$\n") == ["holds"]


@pytest.mark.parametrize(("lesson", "tex"), WRONG)
def test_what_is_wrong_is_found(lesson: str, tex: str) -> None:
    assert of_the_last(f"{lesson}\n\n$${tex}$$\n")[0] in ("fails", "ill-typed")


def test_one_jacobian_alone_may_be_laid_out_either_way() -> None:
    for right in ("W", "W^T"):
        lesson = rf"$$y = W x$$ and so $$\frac{{\partial y}}{{\partial x}} = {right}$$"
        assert of_the_last(lesson) == ["holds"]


def test_an_apostrophe_is_a_prime() -> None:
    assert of_the_last("$$a = σ(z)$$\n\n$$\\frac{\\partial a}{\\partial z} = σ’(z)$$") == ["holds"]


def test_a_function_that_is_listed_entry_by_entry_is_no_other_one() -> None:
    again = r"""First $\phi(z) = \frac{1}{1 + e^{-z}}$ of one unit.

# Several units

$$\phi(z) = \begin{pmatrix} e^{z_1} / \sum_j e^{z_j} \\ \vdots \\ e^{z_d} / \sum_j e^{z_j} \end{pmatrix}$$
"""
    assert of_the_last(again) == ["definition"]


def test_a_transposed_entry_may_be_one_of_many_vectors() -> None:
    lesson = r"""
$$p = \text{softmax}(W^T x)$$

$$L = -y^T \log p$$

$$\frac{\partial L}{\partial W} = \sum_i x_i (p_i - y_i)^T$$
"""
    assert of_the_last(lesson) == ["not understood"]


def test_a_loss_that_is_any_function_of_a_vector_is_a_number() -> None:
    lesson = "$$z = W x$$\n\n$$L = f(z)$$\n\n$$\\frac{\\partial L}{\\partial W} = %s$$"
    assert of_the_last(lesson % r"\frac{\partial L}{\partial z} x^T") == ["holds"]
    assert of_the_last(lesson % r"x \frac{\partial L}{\partial z}^T")[0] in ("fails", "ill-typed")
