"""Formulas to syntax trees."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oracle.lesson.formula import parse, to_tex
from oracle.lesson.syntax import (
    At,
    Before,
    Call,
    Cases,
    Derivative,
    Dots,
    Gradient,
    Indexed,
    Indicator,
    Marked,
    Matrix,
    Name,
    Negative,
    Node,
    Norm,
    Number,
    Plus,
    Power,
    Prime,
    Quotient,
    Relation,
    Sum,
    Tagged,
    Text,
    Times,
    Transpose,
)  # fmt: skip


def n(*names: str) -> tuple[Name, ...]:
    return tuple(Name(name) for name in names)


def sub(base: str, *subs: str) -> Node:
    return Indexed(Name(base), n(*subs))


def juxtaposed(*factors: Node) -> Node:
    return Times(factors, ("",) * (len(factors) - 1))


L, z, W, w = n("L", "z", "W", "w")

MARKS = r"{ } ( ) [ ] _ ^ \frac \partial d \sum | \| & \\ ' a 1 , = + - \nabla \hat / \log \ \{ ² . < \left. ^T \over"
BITS = [*re.split(" ", MARKS), r"\begin{cases}", r"\end{cases}", r"\text{", r"\text{if}", r"\left", r"\right"]

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
    r"\frac{\partial^2 L}{\partial w^2}": Derivative(L, (w, w)),
    r"\frac{\partial L}{\partial w^2}": Derivative(L, (Power(w, Number("2")),)),
    r"\frac{\partial^+ h}{\partial w \partial z}": Derivative(Name("h"), (w, z), immediate=True),
    r"{\partial L \over \partial w}": Derivative(L, (w,)),
    "∂L/∂w · ∂w/∂z": Times((Derivative(L, (w,)), Derivative(w, (z,))), ("cdot",)),
    r"{\partial L}/{\partial w}": Derivative(L, (w,)),
    r"||w||^2 z\_k": juxtaposed(Power(Norm(w), Number("2")), sub("z", "k")),
    "= L = z": Relation((Before(), L, z), ("=", "=")),
    r"batch z": juxtaposed(*n("batch", "z")),
    r"\boldsymbol{\nabla}_w L \mathbin{\odot} z": Times((Gradient(L, w), z), ("odot",)),
    r"\partial_w L": Derivative(L, (w,)),
    r"\nabla_{z^l} L \odot W": Times((Gradient(L, Power(z, Name("l"))), W), ("odot",)),
    "Σ_k δ_k w_{kj}": Sum(n("k"), None, None, None, juxtaposed(sub("delta", "k"), sub("w", "k", "j"))),
    r"\sum_{j \ne i} z": Sum(n("j"), None, None, Relation(n("j", "i"), ("!=",)), z),
    r"\sum_{\substack{i, j'}} z": Sum(n("i", "j'"), None, None, None, z),
    r"\prod_{k \in D} z": Sum(n("k"), None, None, Relation(n("k", "D"), ("in",)), z, product=True),
    r"w^{l}_{jk} + w_{jk}^{l}": Plus((Power(sub("w", "j", "k"), Name("l")),) * 2, (1, 1)),
    r"x^{\langle t \rangle} a^{[l](i)}": juxtaposed(
        Tagged(Name("x"), Name("t"), "<"), Tagged(Tagged(Name("a"), Name("l"), "["), Name("i"), "(")
    ),
    r"\mathbf{W}^{\mathsf{T}} W^{l\,T} W.T": juxtaposed(
        Transpose(W), Transpose(Power(W, Name("l"))), Transpose(W)
    ),
    r"W^{-1}": Power(W, Negative(Number("1"))),
    r"w^{new} + w^{(\text{old})} + w^+": Plus(tuple(Marked(w, mark) for mark in ("new", "old", "+")), (1, 1, 1)),
    r"g^{[1]\prime}(z)": Call(Prime(Tagged(Name("g"), Number("1"), "[")), (z,)),
    r"E_{total} - out_{o1} - w_{12}": Plus(
        (sub("E", "total"), sub("out", "o1"), Indexed(w, (Number("12"),))), (1, -1, -1)
    ),
    r"W_{hh} h_{t-1}": juxtaposed(
        sub("W", "h", "h"), Indexed(Name("h"), (Plus((Name("t"), Number("1")), (1, -1)),))
    ),
    "w1 z": juxtaposed(Indexed(w, (Number("1"),)), z),
    r"\hat{y}_i ŷ \tilde{\mathbf x}": juxtaposed(sub("hat y", "i"), *n("hat y", "tilde x")),
    r"\mathcal{L} \in \mathbb{R}^{h \times d}": Relation(
        (Name("cal L"), Power(Name("bb R"), Times(n("h", "d"), ("times",)))), ("in",)
    ),
    r"W -= \alpha\, dW": Relation((W, juxtaposed(*n("alpha", "dW"))), ("-=",)),
    r"\Delta w": Name("Delta w"),
    r"z\log \hat y \log z": juxtaposed(z, Call(Name("log"), n("hat y")), Call(Name("log"), (z,))),
    r"\text{loss}(z) \text{out}(z)": juxtaposed(Call(Name("loss"), (z,)), Name("out"), z),
    "np.sum(z, axis=1)": Call(Name("sum"), (z, Relation((Name("axis"), Number("1")), ("=",)))),
    r"-\ln p(z | w)": Negative(Call(Name("ln"), (Call(Name("p"), (z, w)),))),
    r"\max_k z_k": Call(Indexed(Name("max"), n("k")), (sub("z", "k"),)),
    r"\left\| W \right\|_F^2 + |z|": Plus((Power(Norm(W, "F"), Number("2")), Norm(z, "abs")), (1, 1)),
    r"\begin{bmatrix} w & z \\ L & W \end{bmatrix}": Matrix(((w, z), (L, W))),
    r"\begin{cases} z & \text{if } z > 0, \\ w & \text{otherwise} \end{cases}": Cases(
        (z, w), (Relation((z, Number("0")), (">",)), Text("otherwise"))
    ),
    r"\frac{z}{w} / L": Quotient(Quotient(z, w), L),
    r"\sqrt{z} 10^{-3}": juxtaposed(
        Power(z, Quotient(Number("1"), Number("2"))), Power(Number("10"), Negative(Number("3")))
    ),
    r"[z = w] \mathbf{1}_{z = w}": juxtaposed(*(Indicator(Relation((z, w), ("=",))),) * 2),
    r"z \cdot -w": Times((z, Negative(w)), ("cdot",)),
    r"\left( z \right. \\ \left. + w \right) L": juxtaposed(Plus((z, w), (1, 1)), L),
    r"f \colon \mathbb{R} \to \mathbb{R}": Relation(n("f", "bb R", "bb R"), ("in", "->")),
    r"\left. z \right|_{x = L}": At(z, Relation((Name("x"), L), ("=",))),
    r"1\{z = L\}": Indicator(Relation((z, L), ("=",))),
    r"\underbrace{L}_{z} W": Times((L, W), ("",)),
    r"W \leftarrow z": Relation((W, z), ("<-",)),
}  # fmt: skip


def test_a_number_of_an_equation_needs_no_braces() -> None:
    assert parse(r"L = w \tag4").statements[0].body == parse(r"L = w \tag{4}").statements[0].body


def test_a_sign_that_is_missing_is_noted() -> None:
    assert parse(r"\frac{\partial}{w} L").statements[0].body == Derivative(L, (w,), operator=True, torn="below")


@pytest.mark.parametrize("tex", CASES)
def test_the_tree_of_a_formula(tex: str) -> None:
    parsed = parse(tex)
    assert parsed.problems == ()
    assert [statement.body for statement in parsed.statements] == [CASES[tex]]


@pytest.mark.parametrize("tex", CASES)
def test_a_tree_printed_is_read_back_as_the_same_tree(tex: str) -> None:
    (statement,) = parse(to_tex(CASES[tex])).statements
    assert statement.body == CASES[tex]


CHAIN = Relation((*n("a", "b"), z), ("=", "="))
ROWS = [
    r"\begin{align} a &= b \\ &= z. \end{align}",
    r"\begin{aligned} a &= b, \tag{1} \\[2pt] &= z \nonumber \end{aligned}",
    r"\begin{eqnarray*} a & = & b \\ & = & z \label{eq:z} \end{eqnarray*}",
    r"\begin{array}{rcl} a & = & b \\ & = & z \end{array}",
    r"a = \\ b = \quad z",
]


@pytest.mark.parametrize("tex", ROWS)
def test_rows_that_begin_with_a_relation_go_on_with_the_chain(tex: str) -> None:
    (statement,) = parse(tex).statements
    assert statement.body == CHAIN


SYSTEMS = [
    r"\begin{align} a &= z \\ b &= w \end{align}",
    r"\left\{ \begin{aligned} a &= z, \\ b &= w \end{aligned} \right.",
    r"\begin{cases} a = z \\ b = w \end{cases}",
    r"a = z, \quad b = w.",
    r"a = z \text{ and } b = w",
    r"a = z \implies b = w",
    r"a = z \text{ (by definition)}, \quad \text{where } b = w",
]


@pytest.mark.parametrize("tex", SYSTEMS)
def test_several_statements_of_one_formula(tex: str) -> None:
    bodies = [statement.body for statement in parse(tex).statements]
    assert bodies == [Relation((Name("a"), z), ("=",)), Relation((Name("b"), w), ("=",))]


def test_conditions_stand_beside_their_statement() -> None:
    (statement,) = parse(r"L = z, \quad \text{for } i = 1, \dots, n").statements
    assert statement.body == Relation((L, z), ("=",))
    assert statement.asides[0] == Relation((Name("i"), Number("1")), ("=",))


def test_a_limit_before_its_statement_stands_beside_it() -> None:
    (statement,) = parse(r"\text{For each } k = 1, \ldots, K \colon L = z").statements
    assert statement.body == Relation((L, z), ("=",))
    assert statement.asides == (Relation((Name("k"), Number("1")), ("=",)), Dots(), Name("K"))


def test_a_note_at_the_end_stands_beside_its_statement() -> None:
    (statement,) = parse(r"L = z \quad \text{(chain rule)}").statements
    assert statement.asides == (Text("(chain rule)"),)


def test_what_the_lesson_calls_a_function_takes_its_parenthesis() -> None:
    assert parse("y(z)").statements[0].body == juxtaposed(Name("y"), z)
    assert parse("y(z)", functions={"y"}).statements[0].body == Call(Name("y"), (z,))


def test_bold_is_kept_and_does_not_tell_symbols_apart() -> None:
    names = [node for node in parse(r"\mathbf{Wx} + \vec z + b").statements[0].body.walk() if isinstance(node, Name)]
    assert [(name.base, name.bold) for name in names] == [("W", True), ("x", True), ("z", True), ("b", False)]


def test_spans_are_places_in_the_tex_of_the_lesson() -> None:
    tex = r"\frac{\partial L}{\partial \mathbf{w}_{1}} = (a + b) / \hat{y} \cdot z'"
    found = {tex[slice(*node.span)] for node in parse(tex).statements[0].body.walk()}
    assert {r"\mathbf{w}_{1}", r"(a + b) / \hat{y}", r"\hat{y}", "z'", "a + b"} <= found


def test_what_a_macro_makes_has_the_span_of_its_call() -> None:
    (statement,) = parse(r"a = \dd{L}", {r"\dd": (1, r"\frac{\partial #1}{\partial z}")}).statements
    assert statement.body == Relation((Name("a"), Derivative(L, (z,))), ("=",))
    assert list(statement.body.children())[1].span[0] == 4


@pytest.mark.parametrize(
    "tex", [r"\frac{a}{", "(((", r"\unknown x", "a =", r"\loop", r"\partial L", "^", "_", r"\begin{cases} a"]
)
def test_what_cannot_be_read_is_a_problem_with_its_place(tex: str) -> None:
    (problem,) = parse(tex, {r"\loop": (0, r"\loop\loop")}).problems
    assert problem.reason
    assert 0 <= problem.span[0] <= problem.span[1] <= len(tex)


def test_one_bad_statement_leaves_the_others() -> None:
    parsed = parse(r"L = z, \quad a = \frac{b}{, \quad z = w")
    assert parsed.statements[0].body == Relation((L, z), ("=",))
    assert len(parsed.problems) == 1


@pytest.mark.parametrize("bit", [*"({-|=d", "d(", "1(", "a^", r"\frac", r"\hat", "a'", "a/", r"\left.", "_{"])
def test_nothing_hangs_and_no_error_escapes(bit: str) -> None:
    parsed = parse(bit * 400)
    assert parsed.statements or parsed.problems


@given(st.lists(st.sampled_from(BITS), max_size=25).map(" ".join))
@settings(max_examples=200, deadline=None)
def test_any_text_is_read_or_a_problem(tex: str) -> None:
    parsed = parse(tex)
    for statement in parsed.statements:
        to_tex(statement.body)
        assert all(0 <= start <= stop <= len(tex) for start, stop in (node.span for node in statement.body.walk()))
    assert all(0 <= problem.span[0] <= problem.span[1] <= len(tex) for problem in parsed.problems)


def test_a_sign_alone_is_spoken_of() -> None:
    assert parse(r"\odot").statements[0].body == Text(r"\odot")


def test_a_condition_may_stand_apart_from_its_word() -> None:
    (statement,) = parse(r"L = z \quad \text{if} \quad w > 0").statements
    assert statement.asides == (Relation((w, Number("0")), (">",)),)
