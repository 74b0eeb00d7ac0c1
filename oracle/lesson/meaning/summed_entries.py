r"""Sums of entries by a letter that counts samples elsewhere: the y_i of 1ᵀ y = Σ_i y_i."""

from dataclasses import replace

from oracle.lesson.meaning.notation import Ref
from oracle.lesson.syntax import Name, Node, Relation, Statement, Sum, Times, Transpose

ONES = {"1", "bb 1"}


def with_entries(statement: Statement) -> Statement:
    """A statement in which what ones add up is added up by its entries, and not by its samples."""
    body = statement.body
    added = {base for item in body.items for base in _added(item)} if isinstance(body, Relation) else set[str]()
    if not isinstance(body, Relation) or not added:
        return statement
    return replace(statement, body=replace(body, items=tuple(_of_entries(item, added) for item in body.items)))


def _added(node: Node) -> set[str]:
    """The y of 1ᵀ y."""
    match node:
        case Times(factors=(Transpose(base=Ref(base=one)), Ref(base=base, slots=(), subs=()))) if one in ONES:
            return {base}
    return set()


def _of_entries(node: Node, added: set[str]) -> Node:
    match node:
        case Sum(indices=(Name() as letter,), body=Ref(base=base, slots=(("sample", at),), subs=()) as one):
            if base in added and at == letter:
                return replace(node, body=replace(one, slots=(), subs=(letter,)))
    return node
