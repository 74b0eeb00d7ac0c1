"""The worked numbers of a lesson: right, rounded, a variant with a name, wrong, or honestly not recomputed."""

from pathlib import Path

import pytest

import reference
from oracle.lesson.numbers import worked
from oracle.lesson.numbers.printed import number
from oracle.lesson.reading import read
from oracle.lesson.records import Worked

LESSONS = Path(__file__).parent / "lessons"
TWO_TWO_TWO = (LESSONS / "two_two_two.md").read_text(encoding="utf-8")
"""The facts of Mazur's step-by-step example."""
THREE_TWO_ONE = (LESSONS / "three_two_one.md").read_text(encoding="utf-8")
"""The facts of the example of Han and Kamber."""


def audited(text: str, name: str = "lesson.md") -> list[Worked]:
    return list(worked(read(Path(name), text)))


def one(text: str) -> Worked:
    """The last number of a lesson."""
    return audited(text)[-1]


def test_every_value_of_the_first_step_is_explained() -> None:
    found = audited(TWO_TWO_TWO)
    assert [w.verdict for w in found].count("right") == 28
    assert [(w.name, w.published, w.verdict) for w in found if w.verdict != "right"] == [
        (r"\frac{\partial E_{o2}}{\partial out_{h1}}", "-0.019049119", "rounded"),
        ("E_{total}", "0.291027924", "variant"),
        ("E_{total}", "0.0000351085", "not recomputed"),
    ]


def test_the_order_of_update_is_named() -> None:
    variant = next(w for w in audited(TWO_TWO_TWO) if w.verdict == "variant")
    assert variant.recomputed.startswith("0.291027773")
    assert variant.explanation == "hidden deltas from weights that are updated already"


def test_error_from_rounded_outputs() -> None:
    found = audited(THREE_TWO_ONE)
    assert len(found) == 19
    assert [(w.published, w.verdict) for w in found if w.verdict != "right"] == [("0.1311", "rounded")]


@pytest.mark.parametrize("language", ["", ".zh"])
def test_all_numbers_of_our_lesson_are_right(language: str) -> None:
    found = worked(read(Path(reference.__file__).parent / "lesson" / f"backpropagation{language}.md"))
    assert len(found) == 41
    assert {w.verdict for w in found} == {"right"}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("= 0.593269992$$\n$$net_{h2}", "= 0.593296992$$\n$$net_{h2}"),
        ("= 0.3775$$", "= 0.3755$$"),
        ("= 0.274811083$$", "= 0.247811083$$"),
        ("= 0.186815602$$", "= 0.186185602$$"),
        ("= 0.35891648$$", "= 0.35981648$$"),
        ("= 0.082167041$$", "= -0.082167041$$"),
        ("w_6^{+} = 0.408666186$", "w_6^{+} = 0.408666816$"),
    ],
)
def test_a_planted_mistake_is_wrong_and_nothing_else_is(old: str, new: str) -> None:
    assert TWO_TWO_TWO.count(old) == 1
    found = audited(TWO_TWO_TWO.replace(old, new))
    assert [w.published for w in found if w.verdict == "wrong"] == [new.rpartition("= ")[2].split("$")[0]]


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("$0.2 * 0.3 + 0.1 = 0.16$", "right"),
        ("$0.2 * 0.3 + 0.1 = 0.17$ where $x = 0.2$, $w = 0.3$, $b = 0.1$", "wrong"),
        ("$x = 0.123$ $y = 2 x = 0.246$", "right"),
        ("$x = 0.123$ $y = 2 x = 0.2$", "right"),
        ("$x = 0.123$ $y = 2 x = 0.3$", "wrong"),
        ("$x = 0.128$ $y = 2 x = 0.25$", "rounded"),
        ("$y = 2 q = 0.3$", "not recomputed"),
        (r"$\sigma(z) = \frac{1}{1 + e^{-z}}$ and $z = 1$ so $a = \sigma(z) = 0.7311$", "right"),
        (r"$\sigma(z) = \frac{1}{1 + e^{-z}}$ and $z = 1$ so $\sigma'(z) = 0.1966$", "right"),
        (r"$x = 3$, $L = x^2$, $\frac{\partial L}{\partial x} = 6$", "right"),
        (r"$x = 3$, $L = x^2$, $\frac{\partial L}{\partial x} = 3 x = 9$", "wrong"),
        (r"$x = 3$, $L = u^2$, $\frac{\partial L}{\partial x} = 9$", "not recomputed"),
        (r"$W = \begin{bmatrix} 1 & 2 \\ 3 & 4 \end{bmatrix}$ $x = \begin{bmatrix} 1 \\ 2 \end{bmatrix}$"
         r" $z = W x = \begin{bmatrix} 5 \\ 11 \end{bmatrix}$", "right"),
        (r"$z = \begin{bmatrix} 1 & 2 \\ 3 & 4 \end{bmatrix} \begin{bmatrix} 1 \\ 2 \end{bmatrix}"
         r" = \begin{bmatrix} 5 \\ 12 \end{bmatrix}$", "wrong"),
    ],
)  # fmt: skip
def test_one_number(text: str, verdict: str) -> None:
    assert one(text).verdict == verdict


def test_given_numbers_are_not_judged() -> None:
    assert audited(r"Let $x_1 = 0.05$, $w = 0.3$ and $\eta = 0.5$.") == []


def test_lines_are_those_of_the_numbers() -> None:
    found = audited("$x = 2$\n\n$$\n\\begin{aligned}\ny &= 2 x \\\\\n &= 4\n\\end{aligned}\n$$\n")
    assert [(w.line, w.published, w.verdict) for w in found] == [(6, "4", "right")]


def test_printed_digits() -> None:
    short = number("0.25")
    assert short is not None
    assert short.near(0.2549)
    assert not short.near(0.2551)
    assert short.cut_off(0.2551)
    assert not short.cut_off(0.2449)
    assert short.shown(0.2551) == "0.2551"
    assert short.shown(0.2512) == "0.25"


@pytest.mark.parametrize(
    ("text", "verdicts"),
    [
        ("$[u_1, u_2] = [0.3, 0.5]$ and $s = u_1 + u_2 = 0.8$", ["right"]),
        (r"Let `x = 3` and `w1 = 0.5`: $z = w_1 x = 1.5$, $y = 2 z = 3.1$", ["right", "wrong"]),
        (r"$w = 0.5$, $g = 0.25$, $w_{\text{new}} = w - g = 0.25$, $w^{new} = 0.25$", ["right", "right"]),
        (r"$p = \frac{1}{1 + e^{-2}} = 0.8808$, $q = p + 1 = 1.8808 \approx 1.88$", ["right", "right", "right"]),
        (r"$s = \sum_{i=1}^{3} i^2 = 14$", ["right"]),
        (r"$h = \text{ReLU}(-2) = 0$, $k = \tanh(0.5) = 0.4621$", ["right", "right"]),
        (r"$c = \log 100 = 2$", ["not recomputed"]),
        (r"$c = \log 0.25 = -1.386$, $d = \log 100 = 2$", ["right", "wrong"]),
        (r"$a = \sigma(1) = 0.7311$, $b = \sigma(2) = 0.8888$", ["right", "wrong"]),
        (r"$b = \sigma(2) = 0.8888$", ["not recomputed"]),
        ("$a = 0,5$ and $b = 2 a = 1$", ["not recomputed"]),
        ("$a = 1 000$", []),
        ("$m = 0.5 * 0.5 = 0.25 = 0.21$", ["right", "wrong"]),
        (r"$\frac{\partial J}{\partial J} = 1$", []),
    ],
)
def test_what_lessons_write(text: str, verdicts: list[str]) -> None:
    assert [w.verdict for w in audited(text)] == verdicts


def test_rounding_by_hand_is_no_mistake_and_goes_on() -> None:
    text = r"""
$\sigma(z) = \frac{1}{1 + e^{-z}}$, $x = 2$, $t = 0.5$, $w = 0.3$, $v = 0.5$; $h = \sigma(z)$, $z = w x$, $y = v h$
and $L = (y - t)^2$. So $z = 0.3 * 2 = 0.6$, $h = 0.646$, $y = 0.5 * 0.646 = 0.323$,
$L = (0.323 - 0.5)^2 = 0.0313$, $\frac{\partial L}{\partial y} = 2 (y - t) = 2 * (0.323 - 0.5) = -0.354$,
$\frac{\partial L}{\partial h} = -0.354 * 0.5 = -0.177$,
$\frac{\partial L}{\partial z} = -0.177 * 0.646 * 0.354 = -0.0405$,
$\frac{\partial L}{\partial w} = -0.0405 * 2 = -0.081$. In short, $\frac{\partial L}{\partial w} = -0.081$.
"""
    found = audited(text)
    assert len(found) == 9
    assert {w.verdict for w in found} <= {"right", "rounded"}
    worse = audited(text.replace("= -0.0405$", "= -0.0450$"))
    assert [w.published for w in worse if w.verdict == "wrong"] == ["-0.0450"]


def test_a_wrong_formula_for_a_partial_is_found_by_autograd() -> None:
    found = one(r"$x = 3$, $u = 2 x$, $L = u^2$, $\frac{\partial L}{\partial x} = 2 u = 12$")
    assert found.verdict == "wrong"
    assert "autograd" in found.explanation
    assert found.recomputed == "24.00"


def test_tables_of_symbols_formulas_and_numbers() -> None:
    text = "| x1 | w |\n|---|---|\n| 0.5 | 0.3 |\n\n| what | how | value |\n|---|---|---|\n| $s$ | $w x_1$ | 0.15 |\n"
    found = audited(text + "| $r$ | $2 s$ | 0.4 |\n")
    assert [(w.line, w.published, w.verdict) for w in found] == [(7, "0.15", "right"), (8, "0.4", "wrong")]


@pytest.mark.parametrize(
    "text",
    [
        "$a = 1e999$",
        r"$a = 2 \times 10^{400} = 3$",
        r"$a = 1 / 0 = 2$",
        r"$W = \begin{bmatrix} 1 & 2 \\ 3 \end{bmatrix}^T = \begin{bmatrix} 1 \end{bmatrix}$",
        r"$a = \sum_{i=1}^{9999} i = 3$",
        r"$v = (1, 2)$, $u = v$, $\frac{\partial u}{\partial v} = 3$",
        r"$L = (x, 1)$, $x = 2$, $\frac{\partial L}{\partial x} = 3$",
    ],
)
def test_what_has_no_value_is_not_recomputed_and_nothing_breaks(text: str) -> None:
    assert {w.verdict for w in audited(text)} <= {"not recomputed"}


def test_formulas_for_all_indices_confirm_numbers_and_accuse_none() -> None:
    text = r"""
$\sigma(z) = \frac{1}{1 + e^{-z}}$, $z_j = \sum_i w_{ji} x_i + b_j$, $a_j = \sigma(z_j)$. Let
$x_1 = 1$, $x_2 = 0.5$, $w_{31} = 0.4$, $w_{32} = -0.2$, $b_3 = 0.1$. So $z_3 = 0.4$ and $a_3 = 0.598688$.
"""
    assert [(w.published, w.verdict) for w in audited(text)] == [("0.4", "right"), ("0.598688", "right")]
    other = audited(text.replace("0.598688", "0.612345"))
    assert {w.verdict for w in other if w.published == "0.612345"} <= {"not recomputed"}
