r"""A whole vector where its entry is meant: ∂J/∂x_k = (ŷ - y) W^T is the entry k of what stands there."""

from dataclasses import replace

from oracle.lesson.meaning.limits import free
from oracle.lesson.meaning.notation import Ref
from oracle.lesson.syntax import Derivative, Indexed, Name, Node

ENTRY = "the entry is meant, as on the left"


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
