r"""Predictions that are written as functions of samples: h_θ(x^{(i)}), f(x; w), y(x_n, w), \hat y(x).

h_θ(x) = g(θᵀ x) is no function that anybody differentiates at another argument: it is a quantity that the net computes
of x, and h_θ(x^{(i)}) is that quantity of the sample i.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from oracle.lesson.meaning.losses import LOSSES
from oracle.lesson.meaning.naming import core, letter
from oracle.lesson.meaning.notation import PARAMETER_LETTERS, Notation, Ref, letters, taken_apart
from oracle.lesson.syntax import Call, Derivative, Indexed, Name, Node, Prime, Relation, Statement, Sum, Times, rebuilt

GIVEN = {"x", "phi"}
"""What predictions are made of."""
PARAMETERS = PARAMETER_LETTERS | {"beta", "a", "c", "m", "k"}


def predictions_of(statements: Iterable[Statement], notation: Notation) -> dict[str, str]:
    """By the name of a function, the name of the quantity that it is, for all that predict something of a sample."""
    found: dict[str, str] = {}
    for statement in statements:
        for part in statement.body.walk():
            if isinstance(part, Call) and _by_parameters(part):
                found |= _named(part, notation)
        if isinstance(body := statement.body, Relation) and body.ops[0] in ("=", ":="):
            head, members = body.items[0], body.items[1:]
            if isinstance(head, Call) and _of_a_sample(head) and any(_weighs(m, head) for m in members):
                found |= _named(head, notation)
    return found


def _by_parameters(call: Call) -> bool:
    """Whether parameters stand below a function: h_θ(x)."""
    match call.function:
        case Indexed(base=Name(base=base), subs=(Name(base=by),)):
            return by in ("theta", "Theta", "w", "W", "beta") and base not in LOSSES and _of_a_sample(call)
    return False


def _of_a_sample(call: Call) -> bool:
    first, *others = call.args or (None,)
    sample = isinstance(first, Ref) and core(first.base) in GIVEN
    return sample and all(isinstance(arg, Ref) and letter(arg.base) in PARAMETERS for arg in others)


def _weighs(member: Node, head: Call) -> bool:
    """Whether a formula has parameters in it, and claims no partial."""
    refs = [part for part in member.walk() if isinstance(part, Ref)]
    partials = any(isinstance(part, Derivative | Prime) for part in member.walk())
    return not partials and any(letter(ref.base) in PARAMETERS for ref in refs) and _core(head) not in LOSSES


def _core(call: Call) -> str:
    found = taken_apart(call.function)
    return found.name.base if found else ""


def _named(call: Call, notation: Notation) -> dict[str, str]:
    scripts = taken_apart(call.function)
    made = notation.ref(scripts) if scripts is not None else None
    return {_core(call): made.base} if isinstance(made, Ref) and not made.subs and not made.slots else {}


def as_quantities(statement: Statement, names: Mapping[str, str]) -> Statement:
    """A statement in which predictions are quantities; what defines that of one sample defines it for any."""
    body = statement.body
    head = body.items[0] if isinstance(body, Relation) else None
    if isinstance(body, Relation) and (loss := _loss_of_parameters(body.items[0])):
        body = replace(body, items=(loss, *body.items[1:]))
    if isinstance(head, Call) and _core(head) in names and _of_a_sample(head):
        for slot in (slot for arg in head.args if isinstance(arg, Ref) for slot in arg.slots if slot[0] == "sample"):
            body = _of_any(body, slot)
    return replace(statement, body=_of_one_sample(_quantity(body, names), {*names.values()}) if names else body)


def _of_one_sample(node: Node, predicted: set[str]) -> Node:
    """∂h/∂θ beside h^{(i)}, where no sum goes over i: of the same sample."""
    found = {part.slots for part in node.walk() if isinstance(part, Ref) and part.base in predicted}
    bound = {name.base for part in node.walk() if isinstance(part, Sum) for name in part.indices}
    (slots, *others) = found - {()} or {()}
    if others or () not in found or any(letters(at) & bound for _, at in slots):
        return node
    return _with_slots(node, predicted, slots)


def _with_slots(node: Node, predicted: set[str], slots: tuple[tuple[str, Node], ...]) -> Node:
    if isinstance(node, Ref):
        return replace(node, slots=node.slots or slots) if node.base in predicted else node
    return rebuilt(node, lambda child: _with_slots(child, predicted, slots))


def _loss_of_parameters(head: Node) -> Ref | None:
    """The J of J(θ) = …, which looks like a product in a lesson that writes J elsewhere."""
    match head:
        case Times(factors=(Ref(base=base, subs=(), slots=()), Ref() as by)):
            args: tuple[Node, ...] = (by,)
        case Call(function=Name(base=base), args=args):
            pass
        case _:
            return None
    given = all(isinstance(arg, Ref) and core(arg.base) in PARAMETER_LETTERS and not arg.slots for arg in args)
    return Ref(base, span=head.span) if base in LOSSES and args and given else None


def _of_any(node: Node, slot: tuple[str, Node]) -> Node:
    """A formula of one sample, as one of any."""
    if isinstance(node, Ref):
        return replace(node, slots=tuple(own for own in node.slots if own != slot))
    return rebuilt(node, lambda child: _of_any(child, slot))


def _quantity(node: Node, names: Mapping[str, str]) -> Node:
    match node:
        case Call(function=Name() | Indexed(), args=(Ref() as of, *_)) if _core(node) in names and _of_a_sample(node):
            slots = tuple(slot for slot in of.slots if slot[0] in ("sample", "time"))
            return Ref(names[_core(node)], slots, of.subs, span=node.span)
        case Ref(base=base) if base in names:
            return replace(node, base=names[base])
    return rebuilt(node, lambda child: _quantity(child, names))
