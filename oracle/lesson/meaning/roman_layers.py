r"""Layers in Roman numerals: $\delta^{III}_j$ and $y^{II}_i$ are of the third layer and of the second."""

from collections.abc import Iterable
from dataclasses import replace

from oracle.lesson.syntax import Marked, Name, Node, Number, Power, Statement, Tagged, Times, rebuilt

NUMERALS = {"I": "1", "II": "2", "III": "3", "IV": "4"}


def counts_in_numerals(statements: Iterable[Statement]) -> bool:
    """Whether something of the second layer, or of a later one, stands in a lesson: then I is none of its symbols."""
    above = (_numeral(node) for s in statements for node in s.body.walk())
    return any(number not in ("", "1") for number in above)


def with_numerals(statement: Statement, meant: bool) -> Statement:
    """A statement with the numbers that numerals above symbols are."""
    return replace(statement, body=_with(statement.body)) if meant else statement


def _with(node: Node) -> Node:
    if number := _numeral(node):
        assert isinstance(node, Power | Marked)
        return Tagged(_with(node.base), Number(number), "[", span=node.span)
    return rebuilt(node, _with)


def _numeral(node: Node) -> str:
    """The number of the layer that stands above a symbol; "" where none does."""
    match node:
        case Marked(mark=mark):
            return NUMERALS.get(mark, "")
        case Power(exponent=Name(base=base)):
            return NUMERALS.get(base, "")
        case Power(exponent=Times(factors=factors, ops=ops)) if not any(ops):
            return NUMERALS.get("".join(f.base if isinstance(f, Name) else "." for f in factors), "")
    return ""
