"""σ′ = σ (1 − σ), tanh′ = 1 − tanh²: functions without their argument, which may be anything."""

from oracle.lesson.meaning.notation import Ref
from oracle.lesson.syntax import Call, Name, Node, Power, Prime, rebuilt

ARGUMENT = Ref("argument")


def applied(head: Node, member: Node) -> tuple[Node, Node]:
    """Both sides with the argument written out; as they are where the left is no slope without one."""
    core = head.base if isinstance(head, Prime) else None
    if not isinstance(core, Name | Ref) or (isinstance(core, Ref) and (core.subs or core.slots)):
        return head, member
    return _applied(head, core.base), _applied(member, core.base)


def _applied(node: Node, name: str) -> Node:
    match node:
        case Call(function=function) if any(isinstance(n, Name | Ref) and n.base == name for n in function.walk()):
            return node
        case Prime(base=Name(base=base) | Ref(base=base)) if base == name:
            return Call(Prime(Name(name), node.order), (ARGUMENT,), span=node.span)
        case Power(base=Name(base=base) | Ref(base=base)) if base == name:
            return Power(Call(Name(name), (ARGUMENT,)), node.exponent, span=node.span)
        case Name(base=base) | Ref(base=base, slots=(), subs=()) if base == name:
            return Call(Name(name), (ARGUMENT,), span=node.span)
    return rebuilt(node, lambda child: _applied(child, name))
