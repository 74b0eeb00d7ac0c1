r"""What is another for each sample, though no sample is written: z and a are, W is not, nor is μ = \frac1m Σ_i x_i."""

from collections.abc import Iterable
from dataclasses import replace

from oracle.lesson.meaning.losses import LOSSES
from oracle.lesson.meaning.naming import letter
from oracle.lesson.meaning.notation import PARAMETER_LETTERS, Ref
from oracle.lesson.meaning.program import SCALARS, Definition
from oracle.lesson.syntax import Call, Indexed, Name, Node, Plus, Sum, Times, rebuilt


def shared(definitions: Iterable[Definition]) -> set[str]:
    """Names of what all samples have in common: parameters, what stands beside samples, and what is made of such."""
    given = list(definitions)
    made: dict[str, list[Definition]] = {}
    for d in given:
        made.setdefault(d.head.base, []).append(d)
    used = {ref.base for d in given for ref in _refs(d.body)}
    beside = {
        ref.base for d in given if any(map(_sampled, _refs(d.body))) for ref in _refs(d.body) if not _sampled(ref)
    }
    biases = {base for d in given for base in _biases(d.body)}
    found = {base for base in used - made.keys() if _constant(base) or base in beside | biases}
    open_to = {base for base, several in made.items() if not any(_sampled(d.head) for d in several)}
    for _ in range(len(open_to)):
        more = {base for base in open_to - found if all(_common(d, found) for d in made[base])}
        if not more:
            break
        found |= more
    return found


def _biases(body: Node) -> Iterable[str]:
    """The c of ŷ = V h + c, which is no parameter by its name alone."""
    for part in body.walk():
        if isinstance(part, Plus) and any(isinstance(t, Times) and any(map(_weight, t.factors)) for t in part.terms):
            yield from (term.base for term in part.terms if isinstance(term, Ref) and term.base in ("c", "d"))


def _weight(node: Node) -> bool:
    return isinstance(node, Ref) and letter(node.base) in PARAMETER_LETTERS


def singles(definitions: Iterable[Definition]) -> set[str]:
    """Names that forward equations have for each sample, and never without one."""
    given = list(definitions)
    heads = {d.head.base for d in given if _sampled(d.head)} - {d.head.base for d in given if not _sampled(d.head)}
    refs = [ref for d in given for ref in _refs(d.body)]
    leaves = {ref.base for ref in refs if _sampled(ref)} - {ref.base for ref in refs if not _sampled(ref)}
    return heads | leaves - {d.head.base for d in given}


def _common(d: Definition, found: set[str]) -> bool:
    """Whether a body has only what is shared, beside the samples that it adds up."""
    return all(_sampled(ref) or ref.base in found or ref.base == d.head.base for ref in _refs(d.body))


def _refs(body: Node) -> list[Ref]:
    return [part for part in body.walk() if isinstance(part, Ref)]


def _sampled(ref: Ref) -> bool:
    return "sample" in ref.kinds


def _constant(base: str) -> bool:
    return letter(base) in PARAMETER_LETTERS or base in SCALARS


def with_values_of_samples(definitions: list[Definition]) -> list[Definition]:
    """y^{(n)}_k for y_k(x_n, w), where y_k is a quantity of the lesson."""
    made = {(d.head.base, d.head.subs) for d in definitions if not d.head.slots}
    values = [(d, _values(d.body, made)) for d in definitions]
    return [d if d.body == body else replace(d, body=body) for d, body in values if body != d.head]


def _values(node: Node, made: set[tuple[str, tuple[Node, ...]]]) -> Node:
    match node:
        case Call(function=Indexed(base=Name(base=base), subs=subs), args=(Ref() as x, *_)):
            slots = tuple(slot for slot in x.slots if slot[0] == "sample")
            if slots and (base, subs) in made:
                return Ref(base, slots, subs, span=node.span)
    return rebuilt(node, lambda child: _values(child, made))


def with_samples_on_heads(definitions: Iterable[Definition]) -> list[Definition]:
    """s^{(i)} = W x^{(i)} + b for s = W x_i + b: what is made of one sample is of that sample."""
    return [_of_its_sample(d) for d in definitions]


def _of_its_sample(d: Definition) -> Definition:
    slots = _free(d.body)
    slot = slots.pop() if len(slots) == 1 else None
    if d.head.base in LOSSES or "sample" in d.head.kinds or not isinstance(slot, Name):
        return d
    every = sorted((*d.head.slots, ("sample", slot)), key=lambda kind: kind[0])
    return replace(d, head=replace(d.head, slots=tuple(every)))


def _free(node: Node) -> set[Node]:
    """The samples that a formula is of, and does not add up."""
    if isinstance(node, Ref):
        return {slot for kind, slot in node.slots if kind == "sample"}
    found = {slot for child in node.children() for slot in _free(child)}
    return found - {*node.indices} if isinstance(node, Sum) else found
