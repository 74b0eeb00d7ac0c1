r"""Matrices whose sizes stand below them: the T of T_{n+d,4d} x, an affine map of n + d numbers to 4d."""

from dataclasses import replace
from itertools import pairwise

from oracle.lesson.meaning.naming import flat
from oracle.lesson.syntax import Indexed, Name, Node, Number, Plus, Statement, rebuilt


def without_sizes(statement: Statement) -> Statement:
    """A statement in which matrices stand without their sizes."""
    return replace(statement, body=_without(statement.body))


def _without(node: Node) -> Node:
    match node:
        case Indexed(base=Name(base=base) as name, subs=subs) if base.isupper() and _sizes(flat(subs)):
            return replace(name, span=node.span)
    return rebuilt(node, _without)


def _sizes(subs: tuple[Node, ...]) -> bool:
    """Whether scripts are a size by a size, of which one is a multiple or a sum of two: n + d, 4d."""
    sums = [isinstance(sub, Plus) and all(isinstance(term, Name) for term in sub.terms) for sub in subs]
    multiples = [isinstance(a, Number) and isinstance(b, Name) for a, b in pairwise(subs)]
    return len(subs) - sum(multiples) == 2 and ((any(sums) and any(multiples)) or sum(multiples) == 2)
