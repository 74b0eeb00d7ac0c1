r"""Remarks in parentheses behind a formula: δ = \frac{∂C}{∂a} \frac{∂a}{∂z} (only \frac{∂a}{∂z} ≠ 0)."""

from dataclasses import replace

from oracle.lesson.syntax import Node, Relation, Statement, Times, rebuilt


def without_remarks(statement: Statement) -> Statement:
    """A statement in which no relation is a factor."""
    return replace(statement, body=_without(statement.body))


def _without(node: Node) -> Node:
    node = rebuilt(node, _without)
    match node:
        case Times(factors=(first, *_, Relation()), ops=(*ops, "")):
            rest = node.factors[:-1]
            return replace(node, factors=rest, ops=tuple(ops)) if len(rest) > 1 else first
    return node
