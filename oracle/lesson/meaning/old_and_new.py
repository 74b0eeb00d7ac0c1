r"""Update rules with words in parentheses: w(\text{new}) = w(\text{old}) + Δw."""

from dataclasses import replace

from oracle.lesson.meaning.above import PARAMETERS
from oracle.lesson.syntax import (
    Call,
    Indexed,
    Marked,
    Name,
    Node,
    Power,
    Relation,
    Statement,
    Tagged,
    Times,
    rebuilt,
)


def with_old_and_new(statement: Statement) -> Statement:
    """A statement in which what is new is marked so, and what is old as it is."""
    body = statement.body
    if not isinstance(body, Relation) or body.ops[0] == "in" or (found := _next(body.items[0])) is None:
        return statement
    symbol, now = found
    items = (Marked(symbol, "new", span=body.items[0].span), *(_now(item, symbol, now) for item in body.items[1:]))
    return replace(statement, body=replace(body, items=items))


def _next(node: Node) -> tuple[Node, Name] | None:
    """The w of w(new), and what its old value is called; None of anything else."""
    match _given(node):
        case symbol, Name(base="new") if _core(symbol).removeprefix("Delta ") in PARAMETERS:
            return symbol, Name("old")
    return None


def _given(node: Node) -> tuple[Node, Node] | None:
    """A symbol and what stands in the parenthesis behind it."""
    match node:
        case Call(function=function, args=(arg,)):
            return function, arg
        case Times(factors=(symbol, arg), ops=("",)):
            return symbol, arg
    return None


def _core(node: Node) -> str:
    while isinstance(node, Indexed | Tagged | Power | Marked):
        node = node.base
    return node.base if isinstance(node, Name) else ""


def _now(node: Node, symbol: Node, now: Name) -> Node:
    """A formula of what is old: w(old) is the old w."""
    found = _given(node)
    if found is not None and found[1] == now and _core(found[0]):
        return Marked(found[0], "old", span=node.span) if found[0] == symbol else found[0]
    if isinstance(node, Times) and now in node.factors[1:]:
        return _now(_joined(node, now), symbol, now)
    return rebuilt(node, lambda child: _now(child, symbol, now))


def _joined(node: Times, now: Name) -> Node:
    """μ Δw(t), in which t is a factor, as a product of μ and Δw(t)."""
    at = node.factors.index(now, 1)
    one = Call(node.factors[at - 1], (now,), span=(node.factors[at - 1].span[0], now.span[1]))
    factors = (*node.factors[: at - 1], one, *node.factors[at + 1 :])
    return replace(node, factors=factors, ops=node.ops[: at - 1] + node.ops[at:]) if len(factors) > 1 else one
