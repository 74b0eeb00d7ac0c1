r"""Quantities that a lesson names beside their use: ŷ_t = softmax(V s_t) first, and q_t = V s_t, or z_3 = V s_3, later.

∂ŷ_t/∂q_t is of something only if ŷ_t is computed from q_t: the argument gets its name.
"""

from collections import Counter
from dataclasses import replace

from oracle.lesson.meaning.losses import ALL, LOSSES
from oracle.lesson.meaning.naming import letter
from oracle.lesson.meaning.notation import PARAMETER_LETTERS, Ref, counted_on
from oracle.lesson.meaning.program import Definition, Program
from oracle.lesson.meaning.unsaid import dependencies
from oracle.lesson.meaning.usage import Usage
from oracle.lesson.syntax import Derivative, Gradient, Name, Node, Number, Quotient, Relation, Sum, Times, rebuilt


def made_of_partials(bodies: list[Relation], usage: Usage) -> set[int]:
    """Identities of what only gives a name to what partials are made into: z_t = ∂f/∂w + ξ_t ∂f/∂h ∂h/∂w.

    It is such a name if the lesson has no other use of it.
    """
    uses = Counter(n.base for body in bodies for item in body.items for n in item.walk() if isinstance(n, Ref))
    found = set[int]()
    for body in bodies:
        head, member = body.items[0], body.items[1]
        if not isinstance(head, Ref) or usage.is_signal(head.base) or head.mark or body.ops[0] not in ("=", ":="):
            continue
        partials = any(isinstance(part, Derivative | Gradient) for part in member.walk())
        itself = sum(n.base == head.base for n in head.walk() if isinstance(n, Ref))
        if partials and head.base not in LOSSES and uses[head.base] == itself:
            found.add(id(member))
    return found


def step_by_step(program: Program, defined: set[int], usage: Usage) -> None:
    """Compute from steps that the lesson defines and differentiates by what a chain says to be made of them.

    B = softmax(W) = B_1 ⊙ B_4 beside B_1 = exp(W) and ∂L/∂B_4: B is computed from B_4 then, and the rest is a claim.
    """
    steps = {ref.base for ref in usage.variables} & {d.head.base for d in program.definitions}
    below = dependencies(program.definitions)
    for k, d in enumerate(program.definitions):
        used = {(ref.base, ref.kinds) for ref in _refs(d.body)}
        for other in () if isinstance(d.body, Ref) else d.others:
            made = {
                (n.base, n.kinds) for n in _refs(other) if n.base in steps or letter(n.base) not in PARAMETER_LETTERS
            }
            finer = made - used and {base for base, _ in made} <= steps and (d.head.base, d.head.kinds) not in made
            if finer and not isinstance(other, Ref) and not any(below.get(ref, set()) & made for ref in used):
                program.definitions[k] = replace(d, body=other, others=())
                defined.discard(id(d.body))
                defined.add(id(other))
                break


def _refs(node: Node) -> list[Ref]:
    return [part for part in node.walk() if isinstance(part, Ref)]


def every_step(definitions: list[Definition]) -> list[Definition]:
    """s_3 = tanh(U x_3 + W s_2) as s_t = tanh(U x_t + W s_{t-1}), where the lesson says of no other step what s is."""
    heads = [d.head.base for d in definitions]
    return [_general(d) if heads.count(d.head.base) == 1 else d for d in definitions]


def _general(definition: Definition) -> Definition:
    """A definition at a step that has a number, for all steps; as it is where it is no such definition."""
    match definition.head.slots:
        case (("time", Number(text=text)),) if text.isdigit():
            head, body = (_counted(node, int(text)) for node in (definition.head, definition.body))
            return replace(definition, head=head, body=body) if isinstance(head, Ref) else definition
    return definition


def _counted(node: Node, here: int) -> Node:
    """A formula with its steps counted from t, which stands for a number."""
    if not isinstance(node, Ref):
        return rebuilt(node, lambda child: _counted(child, here))
    return replace(node, slots=tuple((kind, _from_here(slot, here, kind)) for kind, slot in node.slots))


def _from_here(slot: Node, here: int, kind: str) -> Node:
    if kind != "time" or not isinstance(slot, Number) or not slot.text.isdigit():
        return slot
    return counted_on(Name("t"), int(slot.text) - here)


def whole_losses(bodies: list[Node], program: Program) -> list[Definition]:
    r"""E = Σ_t E_t, where the lesson only adds up partials so: ∂E/∂W = Σ_t ∂E_t/∂W, or \frac1n Σ_i ∂E^{(i)}/∂W."""
    found: dict[str, Definition] = {}
    for body in bodies:
        if not isinstance(body, Relation):
            continue
        heads = {n.base for n in body.items[0].walk() if isinstance(n, Ref) and not n.slots and not n.subs}
        for member in body.items[1:]:
            for total in (n for n in member.walk() if isinstance(n, Sum)):
                for part in total.body.walk():
                    if isinstance(part, Ref) and (whole := _whole(part, total, heads)):
                        each = replace(total, lower=None, upper=None, body=part)
                        found.setdefault(whole, Definition(Ref(whole), _in_place(member, total, each)))
    return [d for base, d in found.items() if not program.defines(base, ())]


def _whole(part: Ref, total: Sum, heads: set[str]) -> str:
    """The loss among `heads` that adds up those of steps or samples; "" where it is another sum."""
    name = part.base if part.kinds == ("time",) else part.base + ALL
    counted = part.slots in [((kind, n),) for n in total.indices for kind in ("time", "sample")]
    return name if part.base in LOSSES and name in heads and counted and not part.subs else ""


def _in_place(member: Node, total: Sum, each: Sum) -> Node:
    """The mean that a member with a sum is, where it is one; else the sum."""
    match member:
        case Times(factors=(Quotient(over=Number(text="1")) as share, last), ops=("",)) if last is total:
            return replace(member, factors=(share, each))
    return each


def named(definitions: list[Definition]) -> list[Definition]:
    """The definitions, with names for what has definitions of its own: f = q z for f = (x + y) z, q = x + y."""
    found = list(definitions)
    for k, part in enumerate(found):
        if isinstance(part.body, Ref):
            continue
        for n, whole in enumerate(found):
            if n == k or whole.head.base == part.head.base or (name := _name_for(part, whole)) is None:
                continue
            found[n] = replace(whole, body=_replaced(whole.body, name.body, name.head))
            found[k] = name
            if part.head.slots:
                break
    return found


def _name_for(part: Definition, whole: Definition) -> Definition | None:
    """`part`, for the layer and step of `whole`, if something in `whole` is what it defines."""
    here = part if not part.head.slots else _moved(part, whole.head)
    if here is None or here.body == whole.body or not any(isinstance(n, Ref) for n in here.body.walk()):
        return None
    own = {n for n in here.body.walk() if isinstance(n, Ref) and n.base == whole.head.base}
    before = all(n.slots and n.slots != whole.head.slots for n in own)  # h_{t-1} in what h_t is made of
    return here if before and here.body in whole.body.walk() else None


def _moved(part: Definition, head: Ref) -> Definition | None:
    """z_3 = V s_3, or z_k = V s_k, as z_t = V s_t, where `head` is of step t; None where the two have other slots."""
    if part.head.kinds != head.kinds or part.head.subs:
        return None
    body = part.body
    for (_, own), (_, wanted) in zip(part.head.slots, head.slots, strict=True):
        if own != wanted and not (isinstance(own, Number) or (isinstance(own, Name) and isinstance(wanted, Name))):
            return None
        body = _slots(body, own, wanted)
    return replace(part, head=replace(part.head, slots=head.slots), body=body)


def _slots(node: Node, own: Node, wanted: Node) -> Node:
    if isinstance(node, Ref):
        return replace(node, slots=tuple((kind, _other_letter(slot, own, wanted)) for kind, slot in node.slots))
    return rebuilt(node, lambda child: _slots(child, own, wanted))


def _other_letter(slot: Node, own: Node, wanted: Node) -> Node:
    """t - 1 for k - 1, and t for k or for 3."""
    if slot == own or not isinstance(own, Name):
        return wanted if slot == own else slot
    return rebuilt(slot, lambda child: _other_letter(child, own, wanted))


def _replaced(node: Node, old: Node, new: Node) -> Node:
    if node == old:
        return replace(new, span=node.span)
    return rebuilt(node, lambda child: _replaced(child, old, new)) if not isinstance(node, Name | Ref) else node
