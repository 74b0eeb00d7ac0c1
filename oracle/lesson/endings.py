"""What comes after the last forward equation of a lesson that writes no loss: its output, a target, a loss.

A lesson that writes z = W a + b and a = σ(z), and goes on with dz = a - y, has said its loss without writing it down.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from oracle.lesson.meaning.calculus import NAMED
from oracle.lesson.meaning.losses import LOSS, LOSSES
from oracle.lesson.meaning.naming import core
from oracle.lesson.meaning.notation import PARAMETER_LETTERS, Ref
from oracle.lesson.meaning.program import TARGETS, Definition, Program, made_of
from oracle.lesson.meaning.unsaid import Unsaid
from oracle.lesson.meaning.usage import Usage
from oracle.lesson.syntax import Call, Name, Negative, Node, Norm, Number, Plus, Power, Quotient, Times, replaced

HALF = Quotient(Number("1"), Number("2"))
ONE = Number("1")
OUTPUTS = ("y", "Y", "hat y", "hat Y", "p", "P", "hat p", "o")
"""What an output is called, the likeliest first."""
COSTS = {"J", "cal J", "C", "cal C", "Cost", "cost"}
"""What the mean is called in lessons that have a loss of each sample too."""
COUNTS = ("m", "N", "n")
"""Names of the number of samples, the likeliest first."""


@dataclass(frozen=True)
class Ending:
    """A loss on a net's output, in a lesson's letters."""

    kind: str
    words: str
    definitions: tuple[Definition, ...]
    target: str
    replaced: tuple[Definition, ...] = ()
    """Forward equations that the loss says more of: its σ is the logistic one."""


def output(own: Program) -> Ref | None:
    """The last quantity of the forward equations: defined, and used by no other; None where that is no single one.

    Of several the last layer's, and the one that a function makes, and the one of this section; a loss is none.
    """
    last = outputs(own)
    here = [d for d in last if d.number in own.here] or last
    if not here or len([d for d in here if isinstance(d.body, Call)]) > 1:
        return None
    best = here[0].head
    return replace(best, slots=tuple((kind, _last(kind, slot)) for kind, slot in best.slots))


def outputs(own: Program) -> list[Definition]:
    """All that may be the output, those that a function makes first."""
    used = {part for d in own.definitions for part in d.body.walk() if isinstance(part, Ref) and part != d.head}
    used |= {replace(part, slots=tuple(slot for slot in part.slots if slot[0] != "sample")) for part in used}
    used |= {replace(part, subs=()) for part in used}  # y_i = γ_i r_i goes on from r
    heads = [d for d in own.definitions if d.head not in used and not d.head.subs and not is_loss(d.head.base)]
    made = {d.head.base for d in own.definitions}
    lost = made_of(own.definitions, {base for base in made if is_loss(base)})  # h is a^{(3)}, and J of h
    heads = [d for d in heads if set(d.head.kinds) <= {"layer"} and _level(d.head) > 0 and _made(d.body, made)]
    heads = [d for d in heads if d.head.base not in lost]
    highest = max((_level(d.head) for d in heads), default=0.0)
    return sorted((d for d in heads if _level(d.head) == highest), key=lambda d: not isinstance(d.body, Call))


def joined(own: Program) -> tuple[Definition, ...]:
    """z = x_3, where the loss is of a z that no forward equation has: what a lesson calls its net's output."""
    top = output(own)
    made = {d.head.base for d in own.definitions}
    found = []
    for d in own.definitions if top is not None else ():
        used = {part.base for part in d.body.walk() if isinstance(part, Ref)}
        others = (n for other in own.definitions if other is not d for n in other.body.walk())
        inside = {n.base for n in others if isinstance(n, Ref)}
        open_ends = used - {*TARGETS, *PARAMETER_LETTERS, *COUNTS, "T"} - made - inside
        if d.head.base in LOSSES and not used & made and len(open_ends) == 1 and used & {*TARGETS}:
            assert top is not None
            found.append(Definition(Ref(min(open_ends)), top))
    return tuple(found[:1])


def is_open(loss: Ref, own: Program) -> bool:
    """Whether a loss is the mean of a function of which the lesson says only what it is of: J = 1/m Σ_i L(ŷ, y)."""
    bodies = {d.head: d.body for d in own.definitions if is_loss(d.head.base)}
    parts = bodies[loss].walk() if loss in bodies else ()
    inner = {part.base for part in parts if isinstance(part, Ref)}
    opened = {head.base for head, body in bodies.items() if isinstance(body, Unsaid)}
    return bool(inner & opened)


def is_loss(base: str) -> bool:
    return base in LOSSES or core(base) in LOSS


def weighs(body: Node) -> bool:
    """Whether a forward equation has a weight in it."""
    return any(isinstance(part, Ref) and core(part.base) in PARAMETER_LETTERS for part in body.walk())


def _made(body: Node, made: set[str]) -> bool:
    return isinstance(body, Call | Plus | Times) or (isinstance(body, Ref) and body.base in made)


def _level(head: Ref) -> float:
    """The number of a head's layer; beyond all numbers where a letter counts them."""
    slot = dict(head.slots).get("layer")
    if slot is None:
        digits = head.base.partition("_")[2]
        return float(digits) if digits.isdigit() else 0.5
    return float(slot.text) if isinstance(slot, Number) else float("inf")


def _last(kind: str, slot: Node) -> Node:
    return slot if kind != "layer" or isinstance(slot, Number) else Name("L")


def endings(usage: Usage, own: Program, top: Ref) -> Iterator[Ending]:
    """The losses that a lesson may mean: the cross-entropies that go with its output, and half the squared error."""
    target = target_of(usage, own, top)
    made = own.definition(top.base, own.family(top), own.numbered(top, {}))
    soft = made is not None and any(isinstance(n, Name) and n.base == "softmax" for n in made[0].body.walk())
    y = Ref(target)
    if soft:
        entropy = Negative(Call(Name("sum"), (Times((y, Call(Name("log"), (top,))), ("odot",)),)))
        yield _ending(usage, own, top, target, "cross_entropy", "the loss is the cross-entropy of a softmax", entropy)
    elif made is not None and isinstance(made[0].body, Call) and _may_be_logistic(made[0].body):
        both = Plus((_weighed(y, top), _weighed(_rest(y), _rest(top))), (1, 1))
        words = "the output is a logistic sigmoid's, the loss the binary cross-entropy"
        binary = _ending(usage, own, top, target, "binary", words, Negative(Call(Name("sum"), (both,))))
        logistic = replace(made[0].body, function=Name("sigmoid"))
        yield replace(binary, replaced=(replace(made[0], body=logistic),))
    square = Power(Norm(Plus((top, y), (1, -1))), Number("2"))
    halved = Times((HALF, square), ("",))
    yield _ending(usage, own, top, target, "half_squared", "the loss is half the squared error", halved)
    yield _ending(usage, own, top, target, "squared", "the loss is the squared error", square)


def _may_be_logistic(call: Call) -> bool:
    """Whether nothing says that a function is another than the logistic one, as log does."""
    return len(call.args) == 1 and not (isinstance(call.function, Name) and call.function.base in NAMED - {"sigmoid"})


def _weighed(y: Node, a: Node) -> Node:
    return Times((y, Call(Name("log"), (a,))), ("odot",))


def _rest(node: Node) -> Node:
    return Plus((ONE, node), (1, -1))


def _ending(usage: Usage, own: Program, top: Ref, target: str, kind: str, words: str, body: Node) -> Ending:
    definitions = []
    name, each = loss_name(usage, own), ""
    if count := samples_name(usage):
        name, each = _mean_and_sum(usage, own, name)
        definitions.append(Definition(Ref(count), Call(Name("samples"), (top,))))
        if each:
            definitions.append(Definition(Ref(each), body))
        body = Times((Quotient(ONE, Ref(count)), Ref(each) if each else body), ("",))
        words += ", a mean over the samples"
    definitions.append(Definition(Ref(name), body))
    return Ending(kind, words, tuple(definitions), target)


def _mean_and_sum(usage: Usage, own: Program, name: str) -> tuple[str, str]:
    """The cost and the loss of a lesson that differentiates both: ∂J/∂W of the mean, ∂L/∂A of each sample."""
    defined = {d.head.base for d in own.definitions}
    both = [base for base, _ in usage.losses.most_common() if base in LOSSES and base not in defined]
    costs, losses = [b for b in both if b in COSTS], [b for b in both if b not in COSTS]
    return (costs[0], losses[0]) if costs and losses and name in both else (name, "")


def samples_name(usage: Usage) -> str:
    """What the lesson calls the number of its samples; "" where it never divides by it."""
    plain = {ref.base for ref in usage.refs if not ref.subs and not ref.slots}
    return next((name for name in COUNTS if name in plain and not usage.layered(name)), "")


def loss_name(usage: Usage, own: Program) -> str:
    """What the lesson differentiates, or calls like a loss."""
    defined = {d.head.base for d in own.definitions}
    plain = [b for b, kinds in usage.kinds.items() if () in kinds and b not in defined]
    told = (s.loss.base for s in own.signals.values() if s.said and isinstance(s.loss, Ref) and s.loss.base in LOSS)
    named = next((b for b, _ in usage.losses.most_common()), None) or next(told, None)
    return named or next((b for b in LOSS if b in plain), "L")


def _unsaid(usage: Usage, own: Program) -> set[str]:
    """Whole symbols that no forward equation has."""
    parts = [n for d in own.definitions for n in (d.head, *d.body.walk()) if isinstance(n, Ref)]
    forward = {n.base for n in parts if not n.subs}
    return {r.base for r in usage.refs if not r.subs and not r.slots} - forward


def called(usage: Usage, own: Program, top: Ref, target: str) -> tuple[Definition, ...]:
    """Y = A^{(L)}: what a lesson that writes Y - T calls its output; a hat says it without a target."""
    free = _unsaid(usage, own) - {target, top.base}
    name = next((base for base in OUTPUTS if base in free), "")
    return (Definition(Ref(name), top),) if name and (name.startswith("hat ") or target in _unsaid(usage, own)) else ()


def of_the_called(definitions: Iterable[Definition], more: Iterable[Definition]) -> tuple[Definition, ...]:
    """Losses of what the lesson calls its output: of Y, by which it may differentiate, and not of A^{(L)}."""
    names = {d.body: d.head for d in more}
    return tuple(replace(d, body=replaced(d.body, names)) for d in definitions)


def target_of(usage: Usage, own: Program, top: Ref) -> str:
    """What the output should be: a symbol that no forward equation has, of the output's kind (Y beside A)."""
    free = _unsaid(usage, own)
    named = [t for t in TARGETS if t in free]
    alike = [t for t in named if t[0].isupper() == top.base[0].isupper()]
    made = {d.head.base for d in own.definitions}
    others = [base for base in (("Y", "T") if top.base[0].isupper() else ("y", "t")) if base not in made]
    return next(iter((*alike, *named, *others)), "target")
