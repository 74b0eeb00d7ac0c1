r"""Update rules that count iterations in parentheses: w(t+1) = w(t) - η ∂E/∂w, w(\text{new}) = w(\text{old}) + Δw."""

from dataclasses import replace

from oracle.lesson.meaning.above import PARAMETERS
from oracle.lesson.syntax import (
    Call,
    Indexed,
    Marked,
    Name,
    Node,
    Number,
    Plus,
    Power,
    Relation,
    Statement,
    Tagged,
    Times,
    rebuilt,
)


def with_iterations(statement: Statement) -> Statement:
    """A statement in which the parameter of the next iteration is marked as new, and what is of this one as it is."""
    body = statement.body
    if not isinstance(body, Relation) or body.ops[0] == "in" or (found := _next(body.items[0])) is None:
        return statement
    symbol, now = found
    items = (Marked(symbol, "new", span=body.items[0].span), *(_now(item, symbol, now) for item in body.items[1:]))
    return replace(statement, body=replace(body, items=items))


def _next(node: Node) -> tuple[Node, Name] | None:
    """The w of w(t+1), and t; None of anything else."""
    found = _given(node)
    symbol, given = found or (node, node)
    if found is None or _core(symbol).removeprefix("Delta ") not in PARAMETERS or _above(symbol):
        return None
    match given:
        case Name(base="new"):
            return symbol, Name("old")
        case Plus(terms=(Name() as now, Number(text="1")), signs=(1, 1)):
            return symbol, now
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


def _above(node: Node) -> bool:
    """Whether something stands above a symbol: what that is, the rest of the lesson tells."""
    return any(isinstance(part, Power | Tagged) for part in node.walk())


def _now(node: Node, symbol: Node, now: Name) -> Node:
    """A formula of this iteration: w(t) is the old w, δ(t) is δ."""
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
