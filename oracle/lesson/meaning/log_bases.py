r"""Logarithms of another base: where log(p) = ln(p)/ln(10) is said, log is of base 10 all over the lesson."""

from collections.abc import Iterable
from dataclasses import replace
from itertools import permutations

from oracle.lesson.syntax import Call, Name, Node, Number, Quotient, Relation, Statement, rebuilt

LOG, LN = Name("log"), Name("ln")


def base_of_logarithms(statements: Iterable[Statement]) -> Number | None:
    """The 10 of log(p) = ln(p)/ln(10)."""
    bodies = (s.body for s in statements if isinstance(s.body, Relation))
    pairs = (pair for body in bodies for pair in permutations(body.items, 2))
    return next((base for one, other in pairs if (base := _base(one, other))), None)


def with_base(statement: Statement, base: Number | None) -> Statement:
    """A statement in which log(p) is ln(p)/ln(10)."""
    return replace(statement, body=_natural(statement.body, base)) if base else statement


def _base(log: Node, natural: Node) -> Number | None:
    match log, natural:
        case Call(function=Name("log"), args=of), Quotient(over=over, under=Call(Name("ln"), args=(Number() as base,))):
            return base if over == Call(LN, of) else None
    return None


def _natural(node: Node, base: Number) -> Node:
    node = rebuilt(node, lambda child: _natural(child, base))
    match node:
        case Call(function=Name("log")):
            return Quotient(replace(node, function=LN), Call(LN, (base,)), span=node.span)
    return node
