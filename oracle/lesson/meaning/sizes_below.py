r"""Matrices whose sizes stand below them: the T of T_{n+d,4d} x, an affine map of n + d numbers to 4d.

So do those of ones: 1_c^T x is the sum of c entries.
"""

from dataclasses import replace
from itertools import pairwise

from oracle.lesson.meaning.naming import flat
from oracle.lesson.syntax import Indexed, Name, Node, Number, Plus, Statement, Transpose, rebuilt


def without_sizes(statement: Statement) -> Statement:
    """A statement in which matrices stand without their sizes."""
    return replace(statement, body=_without(statement.body))


def _without(node: Node) -> Node:
    match node:
        case Transpose(base=Indexed(base=Number(text="1") | Name(base="1"), subs=(Name(),))):
            return Transpose(Name("1", bold=True, span=node.base.span), span=node.span)
        case Indexed(base=Name(base=base) as name, subs=subs) if base.isupper() and _sizes(flat(subs)):
            return replace(name, span=node.span)
    return rebuilt(node, _without)


def _sizes(subs: tuple[Node, ...]) -> bool:
    """Whether scripts are a size by a size, of which one is a multiple or a sum of two: n + d, 4d."""
    sums = [isinstance(sub, Plus) and all(isinstance(term, Name) for term in sub.terms) for sub in subs]
    multiples = [isinstance(a, Number) and isinstance(b, Name) for a, b in pairwise(subs)]
    return len(subs) - sum(multiples) == 2 and ((any(sums) and any(multiples)) or sum(multiples) == 2)
