"""Repairs of what fails: a lesson with one planted mistake, and what a teacher would put."""

from collections.abc import Sequence

import pytest

from oracle.lesson.audit import Line, judged, understood
from oracle.lesson.building import build
from oracle.lesson.correcting import Reread, suggest
from oracle.lesson.defining import Said
from oracle.lesson.formula import parse
from oracle.lesson.judging import Nets
from oracle.lesson.meaning.notation import lifted
from oracle.lesson.reading import markdown
from oracle.lesson.records import Equation, Suggestion
from oracle.lesson.syntax import Statement

FORWARD = r"""$$z_j = \sum_i w_{ji} x_i + b_j$$
$$a_j = \sigma(z_j)$$
$$z_k = \sum_j w_{kj} a_j + b_k$$
$$y_k = \sigma(z_k)$$
$$L = \frac{1}{2} \sum_k (y_k - t_k)^2$$
"""
LAYERS = r"""$$z^l = W^l a^{l-1} + b^l$$
$$a^l = \sigma(z^l)$$
$$C = \frac{1}{2} \|a^L - y\|^2$$
$$\delta^l = \frac{\partial C}{\partial z^l}$$
"""


def lesson(text: str) -> tuple[list[Line], list[Equation], Nets, Reread]:
    document = markdown.read("lesson.md", text.replace("\n", "\n\n"))
    lines, notation = understood(document)
    reading = build([Said(line.number, 0, s) for line in lines for s in line.statements], notation, {})
    nets = Nets(reading.scopes[0].program, 4, 0, reading.activations)

    def reread(tex: str) -> Sequence[Statement]:
        found = parse(tex, document.macros).statements
        return [Statement(lifted(s.body, notation), s.asides, span=s.span) for s in found]

    return lines, [judged(line, reading, {0: nets}) for line in lines], nets, reread


def repairs(tex: str, forward: str = FORWARD) -> tuple[Suggestion, ...]:
    lines, equations, nets, reread = lesson(f"{forward}$${tex}$$\n")
    return suggest(lines, equations, nets, reread).get(len(lines), ())


ONE = [
    (r"\frac{\partial L}{\partial z_k} = (y_k - t_k) \sigma(z_k)", r"(y_k - t_k) \sigma'(z_k)"),
    (r"\frac{\partial L}{\partial z_k} = (t_k - y_k)\,\sigma'(z_k)", r"(y_k - t_k)\,\sigma'(z_k)"),
    (r"\frac{\partial L}{\partial w_{kj}} = (y_k - t_k) \sigma'(z_k) x_i", r"(y_k - t_k) \sigma'(z_k) a_j"),
    (r"\frac{\partial L}{\partial w_{kj}} = (y_k - t_k) a_j", r"(y_k - t_k) a_j \sigma'(z_k)"),
    (r"\frac{\partial L}{\partial a_j} = \frac{\partial L}{\partial z_k} w_{kj}",
     r"\sum_k \frac{\partial L}{\partial z_k} w_{kj}"),
    (r"\frac{\partial L}{\partial z_j} = \sigma'(z_k) \sum_k \frac{\partial L}{\partial z_k} w_{kj}",
     r"\sigma'(z_j) \sum_k \frac{\partial L}{\partial z_k} w_{kj}"),
    (r"\frac{\partial L}{\partial b_k} = - (y_k - t_k) \sigma'(z_k)", r"(y_k - t_k) \sigma'(z_k)"),
]  # fmt: skip


@pytest.mark.parametrize(("wrong", "right"), ONE)
def test_the_first_suggestion_undoes_the_one_mistake_and_touches_nothing_else(wrong: str, right: str) -> None:
    head = wrong.partition("=")[0]
    assert repairs(wrong)[0].tex == f"{head}= {right}"


def test_a_transpose_that_is_missing() -> None:
    wrong = r"\delta^l = W^{l+1} \delta^{l+1} \odot \sigma'(z^l)"
    assert repairs(wrong, LAYERS)[0].tex == r"\delta^l = (W^{l+1})^T \delta^{l+1} \odot \sigma'(z^l)"


def test_the_left_side_may_be_what_is_wrong() -> None:
    found = repairs(r"\frac{\partial L}{\partial y_k} = (y_k - t_k) \sigma'(z_k)")
    assert [s.kind for s in found[:2]] == ["edit", "relabel"]
    assert found[0].tex == r"\frac{\partial L}{\partial y_k} = y_k - t_k"
    assert found[1].tex == r"\frac{\partial L}{\partial z_k} = (y_k - t_k) \sigma'(z_k)"


def test_nothing_is_offered_for_what_holds() -> None:
    assert repairs(r"\frac{\partial L}{\partial z_k} = (y_k - t_k) \sigma'(z_k)") == ()


def test_a_derivative_the_wrong_way_round_is_exchanged() -> None:
    (first, *_) = repairs(r"\frac{\partial z_j}{\partial a_j} = b_j")
    assert (first.kind, first.tex) == ("exchange", r"\frac{\partial a_j}{\partial z_j} = \sigma'(z_j)")


def test_every_member_that_repeats_a_slip_is_repaired() -> None:
    wrong = r"\frac{\partial L}{\partial w_{ji}} = \frac{\partial L}{\partial z_k} x_i = (y_k - t_k) \sigma'(z_k) x_i"
    found = repairs(wrong)
    assert not found or all(s.tex.count("=") == 2 for s in found)
    wrong = r"\frac{\partial L}{\partial w_{kj}} = \frac{\partial L}{\partial z_k} x_j = (y_k - t_k) \sigma'(z_k) x_j"
    assert repairs(wrong)[0].tex == wrong.replace("x_j", "a_j")


def test_two_symbols_exchanged_all_through() -> None:
    wrong = r"\frac{\partial L}{\partial a_j} = \frac{\partial L}{\partial z_j} \frac{\partial z_j}{\partial a_j}"
    right = r"\frac{\partial L}{\partial z_j} = \frac{\partial L}{\partial a_j} \frac{\partial a_j}{\partial z_j}"
    assert right in [s.tex for s in repairs(wrong)]


def test_the_left_side_and_a_member_may_both_be_wrong() -> None:
    wrong = (
        r"\frac{\partial L}{\partial w_{ki}} = \frac{\partial L}{\partial z_k} \frac{\partial z_k}{\partial w_{kj}}"
        r" = y_i (y_k - t_k) \sigma'(z_k)"
    )
    assert repairs(wrong)[0].tex == wrong.replace("w_{ki}", "w_{kj}").replace("y_i", "a_j")


def test_two_slips_in_one_member() -> None:
    wrong = r"\frac{\partial L}{\partial w_{kj}} = (t_k - y_k) \sigma'(z_k) x_j"
    assert repairs(wrong)[0].tex == r"\frac{\partial L}{\partial w_{kj}} = (y_k - t_k) \sigma'(z_k) a_j"


def test_a_chain_with_two_different_slips_gets_the_lessons_own_forward_equation() -> None:
    wrong = (
        r"\frac{\partial y_k}{\partial z_j} = \frac{\partial}{\partial z_j} \sigma(z_k w_{kj} + b_k)"
        r" = \sigma'(z_j) w_{kj}"
    )
    right = wrong.replace("z_k w_{kj}", r"\sum_j w_{kj} a_j") + r" \sigma'(z_k)"
    forward = FORWARD + "$$\\frac{\\partial L}{\\partial y_k} = y_k - t_k$$\n"
    assert repairs(wrong, forward)[0].tex == right
