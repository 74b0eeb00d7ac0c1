r"""Lessons of a single step of a recurrence, whose gates have no step: i = σ(W x_t), c_t = f ⊙ c_{t-1} + i ⊙ g.

There t says no more than "now", and what is of the step before is given.
"""

from collections.abc import Iterable
from dataclasses import replace

from oracle.lesson.meaning.above import STEPS, symbol_of
from oracle.lesson.meaning.naming import flat
from oracle.lesson.syntax import (
    Call,
    Derivative,
    Indexed,
    Items,
    Matrix,
    Name,
    Node,
    Number,
    Plus,
    Relation,
    Statement,
    Sum,
    Tagged,
    Text,
    Transpose,
    rebuilt,
)

BEFORE = "prev"
"""The label of what is of the step before."""


def single_step(statements: Iterable[Statement]) -> str:
    """The letter of the step where gates go without one and no other steps are met than this and the one before."""
    bodies = [s.body for s in statements]
    equations = [body for body in bodies if isinstance(body, Relation) and body.ops[0] in ("=", ":=")]
    for letter in sorted(STEPS):
        timed = [body for body in equations if _steps(body.items[0], letter)]
        used = {symbol_of(part) for body in timed for item in body.items[1:] for part in item.walk()}
        gates = {
            symbol_of(head)
            for body in equations if any(_steps(item, letter) for item in body.items[1:2])
            for head in cells(body.items[0]) if not _steps(head, letter)
        }  # fmt: skip
        made = {symbol_of(body.items[0]) for body in timed}
        if (gates & used - {""} or _mixed(bodies, letter) & made) and all(
            map(_only_two, bodies, [letter] * len(bodies))
        ):
            return letter
    return ""


def _mixed(bodies: Iterable[Node], letter: str) -> set[str]:
    """What goes without a step in partials whose other end has one: the z of ∂E_t/∂z; nothing where sums end at t."""
    given = [part for body in bodies for part in body.walk()]
    if any(isinstance(part, Sum) and Name(letter) in (part.lower, part.upper) for part in given):
        return set()
    ends = [(d.of, d.wrt[0]) for d in given if isinstance(d, Derivative) and len(d.wrt) == 1]
    ends += [(wrt, of) for of, wrt in ends if not isinstance(of, Call)]
    ends = [(a, b) for a, b in ends if isinstance(a, Name | Indexed) and not isinstance(b, Call)]
    return {symbol_of(a) for a, b in ends if not _steps(a, letter) and _steps(b, letter)}


def of_one_step(statement: Statement, letter: str) -> Statement:
    """A statement without the step: c for c_t, and c_{prev} for c_{t-1}."""
    return replace(statement, body=_without(statement.body, letter)) if letter else statement


def cells(node: Node) -> tuple[Node, ...]:
    """What is listed in (i, f, o)^T or one below the other; a thing by itself is its own list."""
    match node:
        case Transpose(base=Items() | Matrix() as inner):
            return cells(inner)
        case Items(items=items):
            return items
        case Matrix(rows=rows) if len(rows) == 1 or {len(row) for row in rows} == {1}:
            return tuple(cell for row in rows for cell in row)
    return (node,)


def _steps(node: Node, letter: str) -> set[int]:
    """How far from step t a formula goes: 0 and -1 in f ⊙ c_{t-1} + i_t."""
    found = set[int]()
    for part in node.walk():
        for script in _scripts(part):
            if (shift := _shift(script, letter)) is not None:
                found.add(shift)
    return found


def _scripts(node: Node) -> tuple[Node, ...]:
    return flat(node.subs) if isinstance(node, Indexed) else (node.tag,) if isinstance(node, Tagged) else ()


def _shift(script: Node, letter: str) -> int | None:
    """The -1 of t-1; None of what is no step."""
    match script:
        case Name(base=base) if base == letter:
            return 0
        case Plus(terms=(Name(base=base), Number(text=text)), signs=(1, sign)) if base == letter and text.isdigit():
            return sign * int(text)
    return None


def _only_two(body: Node, letter: str) -> bool:
    """Whether nothing is added up over steps and nothing is of another step than this one and that before."""
    sums = (part for part in body.walk() if isinstance(part, Sum))
    return _steps(body, letter) <= {0, -1} and all(Name(letter) not in part.indices for part in sums)


def _without(node: Node, letter: str) -> Node:
    scripts = _scripts(node)
    shifts = [_shift(script, letter) for script in scripts]
    if not isinstance(node, Indexed | Tagged) or shifts == [None] * len(shifts):
        return rebuilt(node, lambda child: _without(child, letter))
    rest = [script for script, shift in zip(scripts, shifts, strict=True) if shift is None]
    rest += [Text(BEFORE, span=node.span)] * (-1 in shifts)
    base = _without(node.base, letter)
    return Indexed(base, tuple(rest), span=node.span) if rest else replace(base, span=node.span)
