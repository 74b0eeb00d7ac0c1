r"""Entries of transposed matrices: W_{bc}^T is the entry b, c of Wᵀ, which is W_{cb}."""

from dataclasses import replace

from oracle.lesson.meaning.notation import Ref
from oracle.lesson.syntax import Node, Transpose, rebuilt

OF_TRANSPOSED = "an entry that carries a ᵀ is one of the transposed matrix"


def of_transposed(head: Node, member: Node) -> tuple[Node, Node] | None:
    """Two formulas with the indices of every W_{bc}^T turned; None where none is there."""
    turned = _turned(head), _turned(member)
    return turned if turned != (head, member) else None


def _turned(node: Node) -> Node:
    match node:
        case Transpose(base=Ref(subs=(a, b)) as entry):
            return replace(entry, subs=(b, a))
    return rebuilt(node, _turned)
