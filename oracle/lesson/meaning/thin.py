r"""Weights that are vectors: the w of a linear regression ŷ = X w + b, where X has a row for every sample."""

from collections.abc import Iterable

from oracle.lesson.meaning.losses import LOSSES
from oracle.lesson.meaning.naming import letter
from oracle.lesson.meaning.notation import Ref
from oracle.lesson.syntax import Node, Plus, Relation, Statement, Times


def thin(statements: Iterable[Statement]) -> dict[str, int]:
    """By name, the number of axes: 1 for a w behind a matrix in what is no matrix, 0 for the b that is added to it."""
    found: dict[str, int] = {}
    wide: set[str] = set()
    for statement in statements:
        body = statement.body
        if isinstance(body, Relation):
            head = body.items[0]
            matrix = isinstance(head, Ref) and letter(head.base)[:1].isupper() and head.base not in LOSSES
            for part in (part for member in body.items[1:] for part in member.walk()):
                weights = _behind_a_matrix(part)
                found |= {} if matrix else dict.fromkeys(weights, 1)
                wide |= weights if matrix else set()
                if isinstance(part, Plus) and any(_behind_a_matrix(term) for term in part.terms):
                    found |= {term.base: 0 for term in part.terms if isinstance(term, Ref) and term.base == "b"}
    return {base: rank for base, rank in found.items() if base not in wide} if "w" in found.keys() - wide else {}


def _behind_a_matrix(node: Node) -> set[str]:
    """The w of X w: a small letter right of a capital."""
    match node:
        case Times(factors=(Ref(base=a, subs=(), slots=()), Ref(base="w", subs=(), slots=()) as w), ops=("",)):
            return {w.base} if letter(a).isupper() else set()
    return set()
