"""Batch normalisation, of which a lesson writes only what it wants to explain."""

from pathlib import Path

from oracle.lesson.audit import audit
from oracle.lesson.reading import read
from tests.verdicts import of_the_last

SAID = r"$$\hat{x}_i = \frac{x_i - \mu}{\sqrt{\sigma^2 + \epsilon}}$$"
WITH = r"\frac{\partial f}{\partial \gamma} = \sum_{i=1}^m \frac{\partial f}{\partial y_i}"


def verdicts(formula: str) -> list[str]:
    """Of a formula in a lesson with one equation of four, γ and β."""
    shift = r"$$\frac{\partial f}{\partial \beta} = \sum_{i=1}^m \frac{\partial f}{\partial y_i}$$"
    return of_the_last(f"{SAID}\n\n{shift}\n\n$${formula}$$")


def test_the_other_equations_are_known() -> None:
    assert verdicts(rf"{WITH} \hat{{x}}_i") == ["holds"]
    assert verdicts(rf"{WITH} \hat{{x}}_i = \sum_{{i=1}}^m \frac{{\partial f}}{{\partial y_i}} \hat{{x}}_i") == [
        "holds",
        "holds",
    ]


def test_their_slips_are_found() -> None:
    assert verdicts(rf"{WITH} x_i") == ["fails"]
    assert verdicts(rf"{WITH} \frac{{1}}{{\sigma^2}}") == ["fails"]


def test_a_sum_that_the_chain_rule_implies() -> None:
    chain = r"\frac{\partial f}{\partial \gamma} = \frac{\partial f}{\partial y_i} \frac{\partial y_i}{\partial \gamma}"
    assert verdicts(chain) == ["holds under"]


def test_without_them_nothing_is_known_of_the_variance() -> None:
    text = (
        SAID
        + r"""

$$\frac{\partial f}{\partial \beta} = \sum_{i=1}^m \frac{\partial f}{\partial y_i}$$

$$\frac{\partial \sigma^2}{\partial x_i} = \frac{2}{m} (x_i - \mu)$$"""
    )
    found = audit(read(Path("lesson.md"), text))
    assert [link.verdict for e in found.equations for link in e.links] == [
        "definition",
        "not understood",
        "not understood",
    ]


def test_a_lesson_that_writes_such_sums_means_them() -> None:
    full = r"\sum_{i=1}^m \frac{\partial f}{\partial y_i} \frac{\partial y_i}{\partial \beta}"
    chain = r"\frac{\partial f}{\partial y_i} \frac{\partial y_i}{\partial \gamma}"
    text = (
        rf"$$\frac{{\partial f}}{{\partial \beta}} = {full}$$"
        + "\n\n"
        + rf"$$\frac{{\partial f}}{{\partial \gamma}} = {chain}$$"
    )
    assert of_the_last(f"{SAID}\n\n{text}") == ["ill-typed"]
