r"""Two losses by one letter, told apart by their arguments: J(W, b; x, y) is of a sample, J(W, b) of them all.

The loss of a sample keeps the letter, J^{(i)} of the sample i; the one that adds them up gets a name of its own.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from oracle.lesson.meaning.losses import ALL, LOSSES, SampleLosses
from oracle.lesson.meaning.naming import letter
from oracle.lesson.meaning.notation import (
    LAYER_LETTERS,
    PARAMETER_LETTERS,
    TIME_LETTERS,
    Ref,
    is_class,
    letters,
    slots_of,
)
from oracle.lesson.syntax import (
    Call,
    Derivative,
    Gradient,
    Name,
    Node,
    Relation,
    Statement,
    Sum,
    Tagged,
    Times,
    rebuilt,
)

PROBABILITIES = {"P", "p", "Pr", "bb P"}
PARAMETERS = PARAMETER_LETTERS | {"beta", "phi", "Phi", "omega"}


def sample_losses(statements: Iterable[Statement]) -> SampleLosses:
    """The losses that a lesson adds up, over arguments of samples, to one of the same letter."""
    bodies = [s.body for s in statements if isinstance(s.body, Relation)]
    wholes = {call for body in bodies for call in _batches(body)}
    found = {base for body in bodies for base in _added(body) & {*_wholes(body.items[0])}} | {*map(_called, wholes)}
    single = {base for base in found if any(_abbreviates(body, base) for body in bodies)}
    single -= {base for base in single for body in bodies if any(_by_a_sample(part, base) for part in body.walk())}
    return SampleLosses(frozenset(found), frozenset(single), frozenset(wholes))


def _batches(body: Relation) -> Iterator[Call]:
    """The E(X, w) of a left side, where the right one adds up the E_d."""
    for part in body.items[0].walk():
        if isinstance(part, Call) and _called(part) in _added(body) and not _samples(part):
            yield part


def _added(body: Relation) -> set[str]:
    """Losses of the samples that a sum goes over."""
    sums = [part for item in body.items[1:] for part in item.walk() if isinstance(part, Sum)]
    pairs = [(part, {name.base for name in total.indices}) for total in sums for part in total.body.walk()]
    return {base for part, bound in pairs if (base := _of_data(part)) and bound & _samples(part)}


def _wholes(node: Node) -> Iterator[str]:
    """The losses without samples of a left side: J, J(W, b), ∂J/∂W."""
    for part in node.walk():
        if isinstance(part, Ref) and not part.slots and not part.subs and part.base in LOSSES:
            yield part.base
        elif base := _of_parameters(part):
            yield base


def _called(node: Node) -> str:
    """The loss that a call is of, whatever sample stands above it."""
    if not isinstance(node, Call):
        return ""
    name = node.function
    if isinstance(name, Tagged) and name.bracket == "(" and not letters(name.tag) & {*TIME_LETTERS, *LAYER_LETTERS}:
        name = name.base
    return name.base if isinstance(name, Name) and name.base in LOSSES else ""


def _of_parameters(node: Node) -> str:
    """The J of J(W, b)."""
    plain = isinstance(node, Call) and isinstance(node.function, Name) and all(map(_parameter, node.args))
    return _called(node) if plain else ""


def _of_data(node: Node) -> str:
    """The J of J(W, b; x, y), of J^{(i)}(W, b) and of J_i."""
    if isinstance(node, Ref) and "sample" in node.kinds and node.base in LOSSES:
        return node.base
    if not isinstance(node, Call):
        return ""
    return _called(node) if isinstance(node.function, Tagged) or not all(map(_parameter, node.args)) else ""


def _parameter(node: Node) -> bool:
    return isinstance(node, Ref) and letter(node.base) in PARAMETERS and "sample" not in node.kinds


def _samples(node: Node) -> set[str]:
    """The letters of the samples in a loss's arguments, and above it."""
    tags, args = set[str](), (node.args if isinstance(node, Call) else (node,))
    if isinstance(node, Call) and isinstance(node.function, Tagged):
        tags = letters(node.function.tag)
    refs = (part for arg in args for part in arg.walk() if isinstance(part, Ref))
    return tags.union(*(letters(slot) for ref in refs for kind, slot in ref.slots if kind == "sample"))


def _abbreviates(body: Relation, base: str) -> bool:
    """Whether a loss without arguments is a sample's: beside one with them, or by a quantity that is no parameter."""
    nodes = [*body.walk()]
    bare = any(isinstance(part, Ref) and (part.base, part.slots, part.subs) == (base, (), ()) for part in nodes)
    beside = any(_of_data(part) == base for part in nodes) and not _added(body)
    return (bare and beside and base in map(_called, nodes)) or any(_by_a_quantity(part, base) for part in nodes)


def _by_a_quantity(node: Node, base: str) -> bool:
    return any(not (_parameter(wrt) or "sample" in wrt.kinds or wrt.base[:1].isupper()) for wrt in _wrt(node, base))


def _by_a_sample(node: Node, base: str) -> bool:
    return any("sample" in wrt.kinds for wrt in _wrt(node, base))


def _wrt(node: Node, base: str) -> Iterator[Ref]:
    """By what a loss without arguments is differentiated."""
    match node:
        case (
            Derivative(of=Ref(base=of, slots=(), subs=()), wrt=(Ref() as wrt,))
            | Gradient(of=Ref(base=of, slots=(), subs=()), wrt=Ref() as wrt)
        ) if of == base:
            yield wrt


# ------------------------------------------------------------------------------------------------------------ rewriting


def with_samples(statement: Statement, losses: SampleLosses) -> Statement:
    """A statement in which the loss of all samples has a name of its own, and that of one the sample's number."""
    body = _classes(statement.body)
    if isinstance(body, Relation) and losses.letters:
        losses = replace(losses, single=losses.single - _added(body))
    body = _of_any(_renamed(body, losses), losses) if losses.letters else body
    return replace(statement, body=_apart(body) if isinstance(body, Relation) else body)


def _classes(node: Node) -> Node:
    """P(y = k | x; θ) as the k-th of all classes' probabilities."""
    match node:
        case Call(function=Name(base=base), args=(Relation(items=(Ref() as y, Ref() as k), ops=("=",)), *given)) if (
            base in PROBABILITIES and not k.subs and not k.slots and not (y.subs or len(k.base) > 1)
        ):
            return Ref(base, slots_of((y, *given)), (Name(k.base, span=k.span),), span=node.span)
    return rebuilt(node, _classes)


def _of_any(body: Node, losses: SampleLosses) -> Node:
    """A statement whose C_x says alone which sample is meant, as one of any sample."""
    refs = [part for part in body.walk() if isinstance(part, Ref)]
    bound = {name.base for part in body.walk() if isinstance(part, Sum) for name in part.indices}
    slots = {slot for ref in refs for slot in ref.slots if slot[0] == "sample" and not letters(slot[1]) & bound}
    alone = slots - {slot for ref in refs if ref.base not in losses.letters for slot in ref.slots}
    told = {x for ref in refs for sub in ref.subs if is_class(sub) for x in letters(sub)}  # the i of p_{y_i}
    alone = {slot for slot in alone if not letters(slot[1]) & told}
    return _without(body, alone) if alone else body


def _without(node: Node, slots: set[tuple[str, Node]]) -> Node:
    if isinstance(node, Ref):
        return replace(node, slots=tuple(slot for slot in node.slots if slot not in slots))
    return rebuilt(node, lambda child: _without(child, slots))


def _renamed(node: Node, losses: SampleLosses) -> Node:
    match node:
        case Call() if node in losses.wholes:
            return Ref(_called(node) + ALL, span=node.span)
        case Call() if _of_data(node) in losses.letters and len(_samples(node)) < 2:
            return Ref(_of_data(node), _slots(node), span=node.span)
        case Call() if _of_parameters(node) in losses.letters:
            return Ref(_of_parameters(node) + ALL, span=node.span)
        case Times(factors=(*before, Ref(base=base, slots=(), subs=()) as loss, by)) if base in losses.letters and (
            _parameter(by) and node.ops[-1] == "" and base not in losses.single
        ):
            whole = replace(loss, base=base + ALL, span=(loss.span[0], by.span[1]))
            if not before:
                return whole
            return replace(node, factors=(*(_renamed(x, losses) for x in before), whole), ops=node.ops[:-1])
        case Ref(base=base, slots=(), subs=()) if base in losses.letters - losses.single:
            return replace(node, base=base + ALL)
    return rebuilt(node, lambda child: _renamed(child, losses))


def _slots(call: Call) -> tuple[tuple[str, Node], ...]:
    if isinstance(call.function, Tagged):
        return (("sample", call.function.tag),)
    return slots_of(call.args)


def _apart(body: Relation) -> Relation:
    """∂J/∂W_{ij} = Σ_i ∂J^{(i)}/∂W_{ij}: the i that is added up counts samples, the other one units."""
    refs = (part for part in body.items[0].walk() if isinstance(part, Ref))
    free = {letter for ref in refs for sub in ref.subs for letter in letters(sub)}
    if not free:
        return body
    return replace(body, items=(body.items[0], *(_counted_apart(item, free) for item in body.items[1:])))


def _counted_apart(node: Node, free: set[str]) -> Node:
    if isinstance(node, Sum) and len(node.indices) == 1 and node.indices[0].base in free:
        old = node.indices[0].base
        refs = [part for part in node.body.walk() if isinstance(part, Ref)]
        counted = any(old in letters(slot) for ref in refs for kind, slot in ref.slots if kind == "sample")
        if counted and any(old in letters(sub) for ref in refs for sub in ref.subs):
            new = next(x for x in "nsmkpqruvh" if x not in free | {ref.base for ref in refs} | letters(node.body))
            return replace(node, indices=(Name(new),), body=_of_sample(node.body, old, new))
    return rebuilt(node, lambda child: _counted_apart(child, free))


def _of_sample(node: Node, old: str, new: str) -> Node:
    if isinstance(node, Ref):
        return replace(node, slots=tuple((kind, _letter(slot, old, new, kind)) for kind, slot in node.slots))
    return rebuilt(node, lambda child: _of_sample(child, old, new))


def _letter(slot: Node, old: str, new: str, kind: str) -> Node:
    return Name(new) if kind == "sample" and slot == Name(old) else slot
