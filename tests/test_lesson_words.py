"""Lessons on word vectors and classes: many vectors of one name, drawn words, primes in names, classes in words."""

import pytest

from tests.verdicts import claimed, of_the_last

SKIPGRAM = r"""
$$P(o \mid c) = \frac{\exp(u_o^\top v_c)}{\sum_{w=1}^{W} \exp(u_w^\top v_c)}$$

$$J = -\log P(o \mid c) = -u_o^\top v_c + \log \sum_{w} \exp(u_w^\top v_c)$$
"""
NEGATIVE = r"""
With $\sigma(x) = \frac{1}{1 + e^{-x}}$ and words $1, \ldots, K$ that are not $o$,

$$J = -\log \sigma(u_o^\top v_c) - \sum_{k=1}^{K} \log \sigma(-u_k^\top v_c)$$
"""
SCORES = r"""
$$s = a^\top b, \qquad r_k = z_{n_k}^\top b$$

With $\sigma(x) = \frac{1}{1 + e^{-x}}$ and negative words $n_1, \ldots, n_K$,

$$\mathcal{L} = -\log \sigma(s) - \sum_{k=1}^{K} \log \sigma(-r_k)$$

$$\frac{\partial \mathcal{L}}{\partial s} = \sigma(s) - 1 = g$$

$$\frac{\partial \mathcal{L}}{\partial r_k} = \sigma(r_k) = h_k$$

$$\frac{\partial \mathcal{L}}{\partial z_{n_k}} = h_k b$$

$$\frac{\partial \mathcal{L}}{\partial b} \mathrel{+}= g\, a$$
"""
PRIMED = r"""
$$h = W^\top x$$

$$u_j = \sum_i W'_{ij} h_i$$

$$y_j = \frac{\exp(u_j)}{\sum_k \exp(u_k)}$$

$$E = -\log y_o$$

Let $t_j$ be one for the word $o$, and zero for all others, and $e_j = \frac{\partial E}{\partial u_j}$.
"""
CLASS = r"""
$$L = -\log p_c, \qquad p_k = \frac{e^{z_k}}{\sum_j e^{z_j}}$$
"""


def right(lesson: str, formula: str) -> bool:
    return set(of_the_last(f"{lesson}\n$${formula}$$\n")) <= {"holds", "holds under", "aside"}


def wrong(lesson: str, formula: str) -> bool:
    return bool(set(of_the_last(f"{lesson}\n$${formula}$$\n")) & {"fails", "ill-typed"})


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        (
            r"\frac{\partial J}{\partial v_c} = -u_o + \sum_w P(w \mid c) u_w",
            r"\frac{\partial J}{\partial v_c} = u_o - \sum_w P(w \mid c) u_w",
        ),
        (
            r"\frac{\partial J}{\partial u_o} = (P(o \mid c) - 1) v_c",
            r"\frac{\partial J}{\partial u_o} = (1 - P(o \mid c)) v_c",
        ),
        (
            r"\frac{\partial J}{\partial u_w} = P(w \mid c) v_c \quad (w \neq o)",
            r"\frac{\partial J}{\partial u_w} = -P(w \mid c) v_c \quad (w \neq o)",
        ),
    ],
)
def test_one_name_for_many_vectors(good: str, bad: str) -> None:
    assert right(SKIPGRAM, good)
    assert wrong(SKIPGRAM, bad)


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        (
            r"\frac{\partial J}{\partial v_c} = (\sigma(u_o^\top v_c) - 1) u_o + \sum_k \sigma(u_k^\top v_c) u_k",
            r"\frac{\partial J}{\partial v_c} = (\sigma(u_o^\top v_c) - 1) u_o - \sum_k \sigma(u_k^\top v_c) u_k",
        ),
        (
            r"\frac{\partial J}{\partial u_o} = (\sigma(u_o^\top v_c) - 1) v_c",
            r"\frac{\partial J}{\partial u_o} = \sigma(u_o^\top v_c) v_c",
        ),
        (
            r"\frac{\partial J}{\partial u_k} = \sigma(u_k^\top v_c) v_c",
            r"\frac{\partial J}{\partial u_k} = (\sigma(u_k^\top v_c) - 1) v_c",
        ),
    ],
)
def test_negative_words_are_others_than_the_true_one(good: str, bad: str) -> None:
    assert right(NEGATIVE, good)
    assert wrong(NEGATIVE, bad)


def test_words_that_are_drawn_and_gradients_that_are_added_up() -> None:
    assert set(claimed(SCORES)) <= {"holds", "update"}
    assert "fails" in claimed(SCORES.replace("= h_k b", "= h_k a"))
    assert of_the_last(SCORES) == ["update"]


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        (r"\frac{\partial E}{\partial u_j} = y_j - t_j", r"\frac{\partial E}{\partial u_j} = y_j + t_j"),
        (r"\frac{\partial E}{\partial W'_{ij}} = e_j h_i", r"\frac{\partial E}{\partial W'_{ij}} = e_i h_j"),
        (r"\frac{\partial E}{\partial W'} = h e^\top", r"\frac{\partial E}{\partial W'} = e h^\top"),
        (r"\frac{\partial E}{\partial h} = W' e", r"\frac{\partial E}{\partial h} = -W' e"),
        (r"\frac{\partial E}{\partial w'_j} = e_j h", r"\frac{\partial E}{\partial w'_j} = -e_j h"),
    ],
)
def test_primes_that_are_part_of_a_name(good: str, bad: str) -> None:
    assert right(PRIMED, good)
    assert wrong(PRIMED, bad)


def test_the_other_classes_only_where_the_lesson_speaks_of_them() -> None:
    assert right(CLASS + "For the other classes", r"\frac{\partial L}{\partial z_j} = p_j")
    assert right(CLASS + r"$$\frac{\partial L}{\partial z_c} = p_c - 1$$", r"\frac{\partial L}{\partial z_j} = p_j")
    assert wrong(CLASS + "We get", r"\frac{\partial L}{\partial z_j} = p_j")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (r"\text{if } j \text{ is the correct class}", r"\text{otherwise}"),
        (r"j \text{ is the true label}", r"\text{for all other } j"),
        (r"\text{if $j$ equals $c$}", r"\text{if $j$ differs from $c$}"),
        (r"j = c", r"\text{if } j \text{ is not the target class}"),
    ],
)
def test_branches_whose_conditions_are_words(first: str, second: str) -> None:
    form = r"\frac{\partial L}{\partial z_j} = \begin{cases} p_j - 1 & %s \\ %s & %s \end{cases}"
    assert right(CLASS, form % (first, "p_j", second))
    assert wrong(CLASS, form % (first, "-p_j", second))
