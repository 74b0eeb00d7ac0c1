r"""Update rules with words in parentheses: w(\text{new}) = w(\text{old}) + Δw."""

from dataclasses import replace

from oracle.lesson.meaning.above import PARAMETERS, symbol_of
from oracle.lesson.meaning.iterations import applied
from oracle.lesson.syntax import Call, Marked, Name, Node, Relation, Statement, Times, rebuilt

OLD = Name("old")


def with_old_and_new(statement: Statement) -> Statement:
    """A statement in which what is new is marked so, and what is old as it is."""
    body = statement.body
    if not isinstance(body, Relation) or body.ops[0] == "in" or (symbol := _new(body.items[0])) is None:
        return statement
    items = (Marked(symbol, "new", span=body.items[0].span), *(_old(item, symbol) for item in body.items[1:]))
    return replace(statement, body=replace(body, items=items))


def _new(node: Node) -> Node | None:
    """The w of w(new); None of anything else."""
    match applied(node):
        case symbol, Name(base="new") if symbol_of(symbol).removeprefix("Delta ") in PARAMETERS:
            return symbol
    return None


def _old(node: Node, symbol: Node) -> Node:
    """A formula of what is old: w(old) is the old w."""
    match applied(node):
        case other, argument if argument == OLD and symbol_of(other):
            return Marked(other, "old", span=node.span) if other == symbol else other
    if isinstance(node, Times) and OLD in node.factors[1:]:
        return _old(_joined(node), symbol)
    return rebuilt(node, lambda child: _old(child, symbol))


def _joined(node: Times) -> Node:
    """μ Δw(old), in which old is a factor, as a product of μ and Δw(old)."""
    at = node.factors.index(OLD, 1)
    before, old = node.factors[at - 1 : at + 1]
    one = Call(before, (old,), span=(before.span[0], old.span[1]))
    factors = (*node.factors[: at - 1], one, *node.factors[at + 1 :])
    return replace(node, factors=factors, ops=node.ops[: at - 1] + node.ops[at:]) if len(factors) > 1 else one
