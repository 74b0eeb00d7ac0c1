"""Formulas to syntax trees."""

import pytest

from oracle.lesson.formula import parse, to_tex
from oracle.lesson.syntax import (
    At,
    Call,
    Derivative,
    Indexed,
    Indicator,
    Name,
    Node,
    Number,
    Plus,
    Power,
    Prime,
    Quotient,
    Relation,
    Sum,
    Tagged,
    Times,
    Transpose,
)  # fmt: skip


def n(*names: str) -> tuple[Name, ...]:
    return tuple(Name(name) for name in names)


def sub(base: str, *subs: str) -> Node:
    return Indexed(Name(base), n(*subs))


L, z, W = n("L", "z", "W")

CASES: dict[str, Node] = {
    r"\frac{\partial L}{\partial w_{kj}}": Derivative(L, (sub("w", "k", "j"),)),
    r"\frac12 m": Times((Quotient(Number("1"), Number("2")), Name("m")), ("",)),
    r"dL/dz": Derivative(L, (z,), "d"),
    r"\frac{\mathrm d L}{\mathrm d z}": Derivative(L, (z,), "d"),
    r"\frac{\partial}{\partial z} L W + z": Plus(
        (Derivative(Times((L, W), ("",)), (z,), operator=True), z), (1, 1)
    ),
    r"A B \odot C D": Times((Times(n("A", "B"), ("",)), Times(n("C", "D"), ("",))), ("odot",)),
    r"\sum_{k=1}^K w_{kj} + b": Plus(
        (Sum(n("k"), Number("1"), Name("K"), None, sub("w", "k", "j")), Name("b")), (1, 1)
    ),
    r"W^{[2]T} z^{(l+1)}": Times(
        (Transpose(Tagged(W, Number("2"), "[")), Tagged(z, Plus((Name("l"), Number("1")), (1, 1)), "(")), ("",)
    ),
    r"\sigma'(z_k)": Call(Prime(Name("sigma")), (sub("z", "k"),)),
    "σ(z) = y(1 − y)": Relation(
        (Call(Name("sigma"), (z,)), Times((Name("y"), Plus((Number("1"), Name("y")), (1, -1))), ("",))), ("=",)
    ),
    r"J(W, b)": Call(Name("J"), n("W", "b")),
    r"1 - \tanh^2 z": Plus((Number("1"), Power(Call(Name("tanh"), (z,)), Number("2"))), (1, -1)),
    r"\left. z \right|_{x = L}": At(z, Relation((Name("x"), L), ("=",))),
    r"1\{z = L\}": Indicator(Relation((z, L), ("=",))),
    r"\underbrace{L}_{z} W": Times((L, W), ("",)),
    r"W \leftarrow z": Relation((W, z), ("<-",)),
}  # fmt: skip


@pytest.mark.parametrize("tex", CASES)
def test_the_tree_of_a_formula(tex: str) -> None:
    parsed = parse(tex)
    assert parsed.problems == ()
    assert [statement.body for statement in parsed.statements] == [CASES[tex]]


@pytest.mark.parametrize("tex", CASES)
def test_a_tree_printed_is_read_back_as_the_same_tree(tex: str) -> None:
    (statement,) = parse(to_tex(CASES[tex])).statements
    assert statement.body == CASES[tex]


def test_rows_that_begin_with_a_relation_go_on_with_the_chain() -> None:
    (statement,) = parse(r"\begin{align} a &= b \\ &= z. \end{align}").statements
    assert statement.body == Relation((*n("a", "b"), z), ("=", "="))


def test_conditions_stand_beside_their_statement() -> None:
    (statement,) = parse(r"L = z, \quad \text{for } i = 1, \dots, n").statements
    assert statement.body == Relation((L, z), ("=",))
    assert statement.asides[0] == Relation((Name("i"), Number("1")), ("=",))


def test_what_a_macro_makes_has_the_span_of_its_call() -> None:
    (statement,) = parse(r"a = \dd{L}", {r"\dd": (1, r"\frac{\partial #1}{\partial z}")}).statements
    assert statement.body == Relation((Name("a"), Derivative(L, (z,))), ("=",))
    assert list(statement.body.children())[1].span[0] == 4


@pytest.mark.parametrize("tex", [r"\frac{a}{", "(((", r"\unknown x", "a =", r"\loop", "^", "_", r"\begin{cases} a"])
def test_what_cannot_be_read_is_a_problem_with_its_place(tex: str) -> None:
    (problem,) = parse(tex, {r"\loop": (0, r"\loop\loop")}).problems
    assert problem.reason
    assert 0 <= problem.span[0] <= problem.span[1] <= len(tex)
