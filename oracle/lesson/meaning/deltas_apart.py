r"""Δ as a quantity: in a lesson of Δ := ∇_Z J, Δ X^T is a product, and no change of X.

And Δ_p w, the change of w for the pattern p, is no product.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace

from oracle.lesson.meaning.above import symbol_of
from oracle.lesson.meaning.gradients import PARAMETERS
from oracle.lesson.syntax import Indexed, Name, Node, Power, Relation, Statement, Tagged, Times, Transpose, rebuilt

DELTA = "Delta"


def deltas_apart(statements: Iterable[Statement]) -> set[str]:
    """The names of changes that are products with Δ, where the lesson says what Δ is: none that it says itself."""
    given = list(statements)
    heads = {symbol_of(s.body.items[0]) for s in given if isinstance(s.body, Relation)}
    names = {part.base for s in given for part in s.body.walk() if isinstance(part, Name)}
    return {name for name in names - heads if name.startswith(f"{DELTA} ")} if DELTA in heads else set()


def with_deltas_apart(statement: Statement, names: Collection[str]) -> Statement:
    """A statement in which those are products, and Δ_p w_{ji} on the left is a change of w_{ji}."""
    body = _apart(statement.body, names) if names else statement.body
    match body:
        case Relation(items=(Times(factors=(Indexed(base=Name(base="Delta")), weight), ops=("",)) as change, *rest)):
            if symbol_of(weight) in PARAMETERS | {"theta"}:
                body = replace(body, items=(replace(_changed(weight), span=change.span), *rest))
    return replace(statement, body=body)


def _changed(weight: Node) -> Node:
    """Δw_{ji} for w_{ji}."""
    if isinstance(weight, Name):
        return replace(weight, base=f"{DELTA} {weight.base}")
    inner = next(iter(weight.children()))
    return rebuilt(weight, lambda child: _changed(child) if child is inner else child)


def _apart(node: Node, names: Collection[str]) -> Node:
    if not isinstance(node, Times):
        split = (*_split(node, names),)
        return Times(split, ("",), span=node.span) if len(split) > 1 else split[0]
    factors, ops = list[Node](), list[str]()
    for op, factor in zip(("", *node.ops), node.factors, strict=True):
        split = (*_split(factor, names),)
        factors += split
        ops += (op, *[""] * (len(split) - 1))
    return replace(node, factors=tuple(factors), ops=tuple(ops[1:]))


def _split(node: Node, names: Collection[str]) -> Iterator[Node]:
    """Δ and X^T for (Δ X)^T; any other node with what is in it."""
    core = node
    while isinstance(core, Indexed | Tagged | Power | Transpose):
        core = core.base
    if isinstance(core, Name) and core.base in names:
        yield Name(DELTA, span=core.span)
        yield _of_the_rest(node, core)
    else:
        yield rebuilt(node, lambda child: _apart(child, names))


def _of_the_rest(node: Node, core: Name) -> Node:
    if node == core:
        return replace(core, base=core.base.removeprefix(f"{DELTA} "))
    return rebuilt(node, lambda child: _of_the_rest(child, core))
