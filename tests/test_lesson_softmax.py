"""Softmax and cross-entropy in the spellings of lessons: what is right holds, a planted error is found."""

import pytest

from tests.verdicts import of_the_last

INDICES = r"""
$$p_i = \frac{e^{z_i}}{\sum_{k=1}^{C} e^{z_k}}$$

$$L = -\sum_i y_i \log p_i$$

$$\frac{\partial L}{\partial p_i} = -\frac{y_i}{p_i}$$
"""
VECTORS = r"""
$$z = W x + b$$

$$p = \text{softmax}(z)$$

$$L = -y^T \log p$$

$$\frac{\partial L}{\partial z} = p - y$$
"""
ROWS = r"""
$$s(x)_i = \frac{e^{x_i}}{\sum e^{x_j}}$$

$$H(y, s) = -\sum_i y_i \log s_i = -y \log s^T$$

$$\nabla_x H = -\frac{y}{s} (\text{diag}(s) - s^T s) = s - y$$
"""


def verdicts(lesson: str, formula: str) -> list[str]:
    """The verdicts of a formula at the end of a lesson."""
    return of_the_last(f"{lesson}\n$${formula}$$\n")


def right(lesson: str, formula: str) -> bool:
    return set(verdicts(lesson, formula)) <= {"holds", "holds under"}


def wrong(lesson: str, formula: str) -> bool:
    return bool(set(verdicts(lesson, formula)) & {"fails", "ill-typed"})


@pytest.mark.parametrize(
    "delta",
    [
        r"\delta_{ij}", r"\delta_{i,j}", r"1\{i=j\}", r"\mathbb{1}[i=j]", r"\mathbb{1}_{i=j}", "1_{ij}", "[i=j]",
        r"1_{\{i=j\}}", "I(i=j)", "I_{ij}", r"\mathbf{1}_{[i=j]}", r"\mathbb{I}\{i = j\}", "(i = j)", r"\delta(i, j)",
    ],
)  # fmt: skip
def test_an_indicator_in_every_spelling(delta: str) -> None:
    assert right(INDICES, rf"\frac{{\partial p_i}}{{\partial z_j}} = p_i ({delta} - p_j)")
    assert wrong(INDICES, rf"\frac{{\partial p_i}}{{\partial z_j}} = p_i ({delta} + p_j)")


@pytest.mark.parametrize("other", [r"\text{if } i \neq j", r"\text{otherwise}", r"i \ne j"])
def test_cases_are_judged_branch_by_branch(other: str) -> None:
    form = r"\frac{\partial p_i}{\partial z_j} = \begin{cases} p_i (1-p_i) & i=j \\ %s p_i p_j & %s \end{cases}"
    assert right(INDICES, form % ("-", other))
    assert wrong(INDICES, form % ("", other))
    assert wrong(INDICES, (form % ("-", other)).replace("1-p_i", "1+p_i"))


def test_sums_with_a_condition() -> None:
    chain = r"""\frac{\partial L}{\partial z_i} = -y_i (1 - p_i) - \sum_{j \neq i} y_j \frac{1}{p_j} (-p_j p_i)
        = p_i (y_i + \sum_{j \ne i} y_j) - y_i = p_i - y_i"""
    assert right(INDICES, chain)
    assert wrong(INDICES, chain.replace("(-p_j p_i)", "(p_j p_i)"))


def test_the_jacobian_as_a_matrix() -> None:
    assert right(INDICES, r"\frac{\partial p}{\partial z} = \text{diag}(p) - p p^T")
    assert wrong(INDICES, r"\frac{\partial p}{\partial z} = \text{diag}(p) + p p^T")
    dots = r"""\frac{\partial p}{\partial z} = \begin{bmatrix} p_1 (1 - p_1) & \cdots & -p_1 p_n \\
        \vdots & \ddots & \vdots \\ -p_n p_1 & \cdots & p_n (1 - p_n) \end{bmatrix}"""
    assert right(INDICES, dots)
    assert right(INDICES, dots.replace("_1", "_0"))
    assert wrong(INDICES, dots.replace("-p_n p_1", "p_n p_1"))
    assert wrong(INDICES, dots.replace("(1 - p_n)", "(1 + p_n)"))


def test_the_same_with_vectors() -> None:
    assert right(VECTORS, r"\frac{\partial L}{\partial z} = -(\mathrm{diag}(p) - p p^\top) (y \oslash p)")
    assert right(VECTORS, r"\frac{\partial L}{\partial z} = p \mathbf{1}^T y - y")
    assert right(VECTORS, r"\frac{\partial L}{\partial W} = (p - y) x^T")
    assert wrong(VECTORS, r"\frac{\partial L}{\partial W} = (p + y) x^T")
    assert wrong(VECTORS, r"\frac{\partial L}{\partial z} = (\mathrm{diag}(p) - p p^\top) \frac{y}{p}")


def test_vectors_may_be_rows() -> None:
    assert right(ROWS, r"\mathbf J_{\mathbf x}(\mathbf s) = \text{diag}(s) - s^T s")
    assert wrong(ROWS, r"\mathbf J_{\mathbf x}(\mathbf s) = \text{diag}(s) - s s^T")
    assert right(ROWS, r"\nabla_s H = -\nabla_s y \log s^T = -\frac{y}{s}")
    assert wrong(ROWS, r"\nabla_s H = \nabla_s y \log s^T")


def test_softmax_is_a_function_of_a_vector() -> None:
    shifted = r"s(x + c)_i = \frac{e^{x_i + c}}{\sum e^{x_j + c}} = \frac{e^{x_i} e^c}{\sum e^{x_j} e^c} = s(x)_i"
    assert right(ROWS, shifted)
    assert wrong(ROWS, shifted.replace(r"\sum e^{x_j} e^c", r"\sum e^{x_j}"))
    assert right(ROWS, r"\frac{\partial s(x)_i}{\partial x_j} = s(x)_i (\delta_{ij} - s(x)_j)")
    entries = r"\sigma(z_j) = \frac{e^{z_j}}{\sum_k e^{z_k}}"
    assert right(f"$${entries}$$", r"\frac{\partial \sigma(z_j)}{\partial z_j} = \sigma(z_j) (1 - \sigma(z_j))")
    assert wrong(f"$${entries}$$", r"\frac{\partial \sigma(z_j)}{\partial z_j} = \sigma(z_j) (1 + \sigma(z_j))")


def test_the_argument_of_a_function_is_no_quantity_of_the_net() -> None:
    lesson = r"""
$$f(x) = q x^2$$

$$q = \tanh(x)$$

$$L = f(z) + q$$
"""
    assert right(lesson, r"\frac{\partial L}{\partial z} = 2 q z")
    assert right(lesson, r"L - q = q z^2")
    assert wrong(lesson, r"\frac{\partial L}{\partial z} = 3 q z")


def test_what_is_subtracted_changes_nothing() -> None:
    for most in (r"\max_k z_k", r"\max(z)", "c"):
        assert right(INDICES, rf"p_i = \frac{{e^{{z_i - {most}}}}}{{\sum_j e^{{z_j - {most}}}}}")
    assert wrong(INDICES, r"p_i = \frac{e^{z_i - \max_k z_k}}{\sum_j e^{z_j}}")
    assert right(INDICES, r"\log p_i = z_i - \log \sum_k e^{z_k}")
    assert wrong(INDICES, r"\log p_i = z_i + \log \sum_k e^{z_k}")


def test_a_prediction_that_is_said_in_words_only() -> None:
    soft = r"""
The scores $o$ go through a softmax.

$$L = -\sum_i y_i \log p_i$$

$$\frac{\partial p_i}{\partial o_i} = p_i (1 - p_i)$$
"""
    assert right(soft, r"\frac{\partial L}{\partial o_i} = p_i - y_i")
    assert wrong(soft, r"\frac{\partial L}{\partial o_i} = p_i + y_i")
    binary = r"""
$$L = -y \log \hat{y} - (1 - y) \log(1 - \hat{y})$$

$$\frac{\partial \hat{y}}{\partial z} = \hat{y} (1 - \hat{y})$$
"""
    assert right(binary, r"\frac{\partial L}{\partial z} = \hat{y} - y")
    assert wrong(binary, r"\frac{\partial L}{\partial z} = y - \hat{y}")


def test_traces() -> None:
    forward = r"""
$$Z = X W + b$$

$$P = \text{softmax}(Z)$$
"""
    loss = r"L = -\frac{1}{m} \sum_i \sum_k Y_{ik} \log P_{ik}"
    assert verdicts(forward, rf"{loss} = -\frac{{1}}{{m}} \text{{Tr}}(Y \log P^T)") == ["definition", "holds"]
    assert verdicts(forward, rf"{loss} = -\text{{Tr}}(Y \log P^T)") == ["definition", "fails"]
    batch = f"{forward}\n$${loss}$$\n"
    assert right(batch, r"\frac{\partial L}{\partial W} = \frac{1}{m} X^T (P - Y)")
    assert wrong(batch, r"\frac{\partial L}{\partial W} = \frac{1}{m} X^T (Y - P)")


def test_what_is_said_in_words_is_not_understood() -> None:
    words = (
        r"\frac{\partial p_i}{\partial z_j} = \begin{cases} p_i & \text{on Mondays} \\ 0 & \text{on others} \end{cases}"
    )
    assert verdicts(INDICES, words) == ["not understood"]
