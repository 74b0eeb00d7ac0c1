r"""A whole vector where its entry is meant: ∂J/∂x_k = (ŷ - y) W^T is the entry k of what stands there."""

from collections.abc import Collection
from dataclasses import replace

from oracle.lesson.meaning.limits import free
from oracle.lesson.meaning.notation import Ref
from oracle.lesson.syntax import Derivative, Indexed, Name, Node, rebuilt

ENTRY = "the entry is meant, as on the left"
WHOLE = "the index that only the right side has stands for all entries"


def entry_of(head: Node, member: Node) -> Node | None:
    """The entry of a formula without indices that a partial by one entry is, or of what it differentiates:
    ∂z_j/∂w_{ji} = ∂/∂w_{ji} (W h + b); None of any other formula.
    """
    match head, member:
        case Derivative(of=Ref(subs=(Name() as k,))), Derivative(of=whole) if member.wrt == head.wrt and not free(
            whole
        ):
            return replace(member, of=Indexed(whole, (k,), span=whole.span))
    match head:
        case Derivative(of=Ref(subs=()), wrt=(Ref(subs=(Name() as k,)),)) if not free(member):
            return Indexed(member, (k,), span=member.span)
    return None


def whole_of(head: Node, member: Node, added: Collection[str]) -> Node | None:
    """A formula with an index that the left side leaves out, ∂L/∂W = (ŷ_l - y_l) a, as one of whole vectors; None where
    sums of the lesson go over such letters, which are `added` up: then it is a sum that is left out.
    """
    left = free(member) if isinstance(head, Derivative) and not free(head) else set()
    return _without(member, Name(left.pop())) if len(left) == 1 and not left & {*added} else None


def _without(node: Node, index: Name) -> Node:
    if isinstance(node, Ref):
        return replace(node, subs=()) if node.subs == (index,) else node
    return rebuilt(node, lambda child: _without(child, index))
