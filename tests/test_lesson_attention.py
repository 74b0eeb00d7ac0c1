"""Attention and softmaxes by rows: ones that repeat, names at the ends of chains, a formula in one piece."""

import pytest

from tests.verdicts import claimed, of_the_last

ATTENTION = r"""
$$Q = X A, \quad K = X B, \quad V = X C$$

$$S = \frac{Q K^T}{\sqrt{d_k}}$$

$$P = \text{softmax}(S)$$

$$O = P V$$

$$\frac{\partial L}{\partial P} = \frac{\partial L}{\partial O} V^T$$

$$\frac{\partial L}{\partial V} = P^T \frac{\partial L}{\partial O}$$
"""
STABLE = r"""
$$m = \max_k z_k$$

$$e_i = \exp(z_i - m)$$

$$p_i = \frac{e_i}{\sum_k e_k}$$

$$g_i = \frac{\partial L}{\partial p_i}$$
"""
STEPS = r"""
The loss $L$ is a number.

$$F(Q, K, V) = \text{softmax}(\frac{Q K^T}{\sqrt{d_k}}) V$$

$$S = \frac{Q K^T}{%s}$$

$$P = \text{softmax}(S) = E \odot R$$

where $E = \exp(S)$, $n = E \mathbf{1}$, and $R = n^{-1} \mathbf{1}^T$.

$$O = P V$$

$$\frac{\partial L}{\partial P} = \frac{\partial L}{\partial O} V^T = G_1$$

$$\frac{\partial L}{\partial R} = %s = G_2$$

$$\frac{\partial L}{\partial n} = -(n \odot n)^{-1} \odot (G_2 \mathbf{1})$$

$$\frac{\partial L}{\partial E} = G_1 \odot R + \frac{\partial L}{\partial n} \mathbf{1}^T$$

$$\frac{\partial L}{\partial Q} = \frac{\partial L}{\partial S} \frac{K}{\sqrt{d_k}}$$
"""


def right(lesson: str, formula: str) -> bool:
    return set(of_the_last(f"{lesson}\n$${formula}$$\n")) <= {"holds", "holds under"}


def wrong(lesson: str, formula: str) -> bool:
    return bool(set(of_the_last(f"{lesson}\n$${formula}$$\n")) & {"fails", "ill-typed"})


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        (
            r"\frac{\partial L}{\partial S} = P \odot (G - ((P \odot G) \mathbf{1}) \mathbf{1}^T)",
            r"\frac{\partial L}{\partial S} = P \odot (G - \mathbf{1} (\mathbf{1}^T (P \odot G)))",
        ),
        (
            r"\frac{\partial L}{\partial Q} = \frac{1}{\sqrt{d_k}} \frac{\partial L}{\partial S} K",
            r"\frac{\partial L}{\partial Q} = \frac{1}{d_k} \frac{\partial L}{\partial S} K",
        ),
        (
            r"\frac{\partial L}{\partial K} = \frac{1}{\sqrt{d_k}} (\frac{\partial L}{\partial S})^T Q",
            r"\frac{\partial L}{\partial K} = \frac{1}{\sqrt{d_k}} \frac{\partial L}{\partial S} Q",
        ),
        (
            r"\frac{\partial L}{\partial S_{ij}} = P_{ij} (G_{ij} - \sum_k P_{ik} G_{ik})",
            r"\frac{\partial L}{\partial S_{ij}} = P_{ij} (G_{ij} - \sum_k P_{kj} G_{kj})",
        ),
    ],
)
def test_a_softmax_by_rows_in_matrices(good: str, bad: str) -> None:
    lesson = ATTENTION + r"Let $G = \frac{\partial L}{\partial P}$."
    assert right(lesson, good)
    assert wrong(lesson, bad)


def test_the_e_of_an_exponential_beside_a_quantity_of_that_name() -> None:
    assert right(STABLE, r"\log p_i = z_i - \log \sum_k e^{z_k}")
    assert right(STABLE, r"\frac{\partial}{\partial z_j} \log \sum_k e^{z_k} = p_j")
    assert wrong(STABLE, r"\log p_i = z_i + \log \sum_k e^{z_k}")


def test_a_number_before_ones_is_a_vector() -> None:
    assert right(STABLE, r"\frac{\partial L}{\partial z} = p \odot (g - (g^T p) \mathbf{1})")
    assert wrong(STABLE, r"\frac{\partial L}{\partial z} = p \odot (g + (g^T p) \mathbf{1})")


def test_ones_repeat_a_bias_for_every_sample() -> None:
    lesson = r"""
$$Z = X W + \mathbf{1}_n b^\top$$

$$L = \frac{1}{2} \lVert Z - Y \rVert^2$$

$$\frac{\partial L}{\partial W} = X^\top (Z - Y)$$
"""
    assert right(lesson, r"\frac{\partial L}{\partial b} = (Z - Y)^\top \mathbf{1}_n")
    assert wrong(lesson, r"\frac{\partial L}{\partial b} = (Z - Y) \mathbf{1}_n")


def test_what_is_computed_step_by_step_is_differentiated_so_and_names_come_at_the_end_of_chains() -> None:
    assert set(claimed(STEPS % (r"\sqrt{d_k}", r"E \odot G_1"))) <= {"holds", "aside"}
    assert "fails" in claimed(STEPS % (r"\sqrt{d_k}", r"P \odot G_1"))


def test_a_step_that_says_something_else_than_the_formula_in_one_piece() -> None:
    found = claimed(STEPS % ("d_k", r"E \odot G_1"))
    assert found.count("fails") == 1
    assert found[0] == "fails"


def test_a_loss_that_nobody_writes_is_made_of_what_an_example_has() -> None:
    lesson = r"""
Let $Y = W X$ and $Z = X \odot U$, and $L$ a loss of either.

$$\frac{\partial L}{\partial W} = \frac{\partial L}{\partial Y} X^T$$

$$\frac{\partial L}{\partial U} = \frac{\partial L}{\partial Z} \odot X$$
"""
    assert right(lesson, r"\frac{\partial L}{\partial X} = W^T \frac{\partial L}{\partial Y}")
    assert right(lesson, r"\frac{\partial L}{\partial X} = \frac{\partial L}{\partial Z} \odot U")
    assert wrong(lesson, r"\frac{\partial L}{\partial X} = \frac{\partial L}{\partial Z} \odot X")


def test_a_matrix_with_a_number_is_no_entry_where_it_is_transposed() -> None:
    lesson = r"""
Let $Y = A X_1 + X_2 B$ with a loss $L$.

$$\frac{\partial L}{\partial X_1} = A^T \frac{\partial L}{\partial Y}$$
"""
    assert right(lesson, r"\frac{\partial L}{\partial X_2^T} = B (\frac{\partial L}{\partial Y})^T")
    assert wrong(lesson, r"\frac{\partial L}{\partial X_2^T} = B^T (\frac{\partial L}{\partial Y})^T")
