r"""Quantities that a lesson names beside their use: ŷ_t = softmax(V s_t) first, and q_t = V s_t, or z_3 = V s_3, later.

∂ŷ_t/∂q_t is of something only if ŷ_t is computed from q_t: the argument gets its name.
"""

from dataclasses import replace

from oracle.lesson.meaning.notation import Ref
from oracle.lesson.meaning.program import LOSSES, Definition
from oracle.lesson.meaning.usage import Usage
from oracle.lesson.syntax import Call, Derivative, Gradient, Name, Node, Number, Relation, rebuilt


def made_of_partials(bodies: list[Relation], usage: Usage) -> set[int]:
    """Identities of what only gives a name to what partials are made into: z_t = ∂f/∂w + ξ_t ∂f/∂h ∂h/∂w.

    It is such a name if the lesson has no other use of it.
    """
    found = set[int]()
    for body in bodies:
        head, member = body.items[0], body.items[1]
        if not isinstance(head, Ref) or usage.is_signal(head.base) or head.mark or body.ops[0] not in ("=", ":="):
            continue
        partials = any(isinstance(part, Derivative | Gradient) for part in member.walk())
        uses = [n for other in bodies for item in other.items if item is not head for n in item.walk()]
        if partials and head.base not in LOSSES and not any(isinstance(n, Ref) and n.base == head.base for n in uses):
            found.add(id(member))
    return found


def named(definitions: list[Definition]) -> list[Definition]:
    """The definitions, with every argument of a function that has a definition of its own replaced by its name."""
    found = list(definitions)
    for k, part in enumerate(found):
        if isinstance(part.body, Ref):
            continue
        for n, whole in enumerate(found):
            if n == k or whole.head.base == part.head.base or (name := _name_for(part, whole)) is None:
                continue
            found[n] = replace(whole, body=_replaced(whole.body, name.body, name.head))
            found[k] = name
            break
    return found


def _name_for(part: Definition, whole: Definition) -> Definition | None:
    """`part`, for the layer and step of `whole`, if an argument in `whole` is what it defines."""
    here = _moved(part, whole.head)
    arguments = [arg for call in whole.body.walk() if isinstance(call, Call) for arg in call.args]
    return here if here is not None and here.body in arguments else None


def _moved(part: Definition, head: Ref) -> Definition | None:
    """z_3 = V s_3 as z_t = V s_t, where `head` is a quantity of step t; None where the two have other slots."""
    if part.head.kinds != head.kinds or part.head.subs:
        return None
    body = part.body
    for (_, own), (_, wanted) in zip(part.head.slots, head.slots, strict=True):
        if own != wanted and not isinstance(own, Number):
            return None
        body = _slots(body, own, wanted)
    return replace(part, head=replace(part.head, slots=head.slots), body=body)


def _slots(node: Node, own: Node, wanted: Node) -> Node:
    if isinstance(node, Ref):
        return replace(node, slots=tuple((kind, wanted if slot == own else slot) for kind, slot in node.slots))
    return rebuilt(node, lambda child: _slots(child, own, wanted))


def _replaced(node: Node, old: Node, new: Node) -> Node:
    if node == old:
        return replace(new, span=node.span)
    return rebuilt(node, lambda child: _replaced(child, old, new)) if not isinstance(node, Name | Ref) else node
