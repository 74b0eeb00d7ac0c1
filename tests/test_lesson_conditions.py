"""What is said of i = j is judged for i = j: the condition stands beside the formula, or in the text around it."""

import pytest

from tests.verdicts import of_partials, of_the_last

SOFTMAX = r"""
$$q_i = \frac{e^{s_i}}{\sum_k e^{s_k}}$$

"""
ENTRY = r"\frac{\partial q_i}{\partial s_j}"
DIAGONAL = rf"{ENTRY} = q_i (1 - q_i)"
BESIDE = rf"{ENTRY} = -q_i q_j"


def right(lesson: str) -> bool:
    return of_partials(SOFTMAX + lesson)[-1] in ("holds", "holds under", "vacuous")


def wrong(lesson: str) -> bool:
    return of_partials(SOFTMAX + lesson)[-1] in ("fails", "ill-typed")


@pytest.mark.parametrize(
    "around",
    [
        "If $i = j$, the quotient rule gives\n\n$$%s$$\n",
        "When $j=i$ we get $$%s$$\n",
        "For i = j:\n\n$$%s$$\n",
        "### The case $i = j$\n\n$$%s$$\n",
        "- case 1 ($i=j$): $%s$\n",
        "当 $i = j$ 时，\n\n$$%s$$\n",
        "We have $$%s$$\nif $i = j$, and no more.",
        "Now $%s$ whenever $i=j$.",
        r"$$%s \quad (i = j)$$",
        r"$$%s, \quad i = j$$",
        r"$$%s \qquad \text{if } i = j$$",
        r"$$i = j: \quad %s$$",
        r"$$i = j \Rightarrow %s$$",
        "If $i \\neq j$, nothing is said here.\n\nElse $$%s$$\n",
    ],
)
def test_a_diagonal_entry_is_judged_on_the_diagonal(around: str) -> None:
    assert right(around % DIAGONAL)
    assert wrong(around % DIAGONAL.replace("1 - q_i", "1 + q_i"))
    assert wrong(around % BESIDE)


@pytest.mark.parametrize(
    "around",
    ["If $i \\neq j$:\n\n$$%s$$\n", "for i ≠ j we find $%s$", r"$$%s \quad (i \ne j)$$", "当 $i \\ne j$ 时，$%s$"],
)
def test_an_entry_beside_the_diagonal(around: str) -> None:
    assert right(around % BESIDE)
    assert wrong(around % BESIDE.replace("-q_i", "q_i"))
    assert wrong(around % DIAGONAL)


def test_a_condition_in_an_index_and_behind_a_bar() -> None:
    assert right(r"$$\frac{\partial q_i}{\partial s_{j \neq i}} = -q_i q_j$$")
    assert wrong(r"$$\frac{\partial q_i}{\partial s_{j \neq i}} = -q_i$$")
    assert right(r"$$\left. \frac{\partial q_i}{\partial s_j} \right|_{i=j} = q_i (1 - q_j)$$")
    assert wrong(r"$$\left. \frac{\partial q_i}{\partial s_j} \right|_{i=j} = q_j - q_i$$")


def test_nothing_is_nothing_where_the_text_says_where() -> None:
    lesson = r"With $a_i = \tanh(s_i)$: $\frac{\partial a_i}{\partial s_j} = %s$ if $i \neq j$."
    assert right(lesson % "0")
    assert wrong(lesson % "1")


def test_without_a_condition_every_entry_is_meant() -> None:
    assert wrong(f"$${DIAGONAL}$$")
    assert wrong(f"If $i = j$:\n\n$${DIAGONAL}$$\n\n### Every entry\n\n$${DIAGONAL}$$")


def test_two_conditions_at_once() -> None:
    lesson = r"""
$$z_k = \sum_l W_{kl} x_l$$

$\frac{\partial}{\partial W_{ij}} W_{kl} = %s$ if $i = k$ and $j = l$.
"""
    assert of_partials(lesson % "1") == ["holds"]
    assert of_partials(lesson % "0") == ["fails"]


def test_a_chain_goes_on_under_its_condition() -> None:
    lesson = "If $i = j$:\n\n$$" + ENTRY + " = q_i - q_i^2$$\n$$= q_i (1 %s q_j)$$\n"
    assert of_the_last(SOFTMAX + lesson % "-") == ["holds"]
    assert of_the_last(SOFTMAX + lesson % "+") == ["fails"]
