r"""Remarks in parentheses behind a formula: δ = \frac{∂C}{∂a} \frac{∂a}{∂z} (only \frac{∂a}{∂z} ≠ 0)."""

from dataclasses import replace

from oracle.lesson.syntax import Call, Derivative, Node, Relation, Statement, Times, rebuilt


def without_remarks(statement: Statement) -> Statement:
    """A statement in which no relation is a factor, but for conditions on indices: p_i (i = j)."""
    return replace(statement, body=_without(statement.body))


def _without(node: Node) -> Node:
    node = rebuilt(node, _without)
    match node:
        case Times(factors=(first, *_, Relation() as said), ops=(*ops, "")) if any(map(_is_more, said.walk())):
            rest = node.factors[:-1]
            return replace(node, factors=rest, ops=tuple(ops)) if len(rest) > 1 else first
    return node


def _is_more(part: Node) -> bool:
    """Whether a relation is of more than indices."""
    return isinstance(part, Derivative | Times | Call)
