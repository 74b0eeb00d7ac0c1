r"""A section on one sample in a lesson of batches: dz = a - y, after Z = W X + b, A = σ(Z) and J = 1/m Σ_i ….

The net of such a section has the vectors that are the columns of those batches, and the loss of one of them.
"""

from dataclasses import replace

from oracle.lesson.meaning.columns import is_batch
from oracle.lesson.meaning.losses import LOSSES
from oracle.lesson.meaning.naming import core
from oracle.lesson.meaning.notation import PARAMETER_LETTERS, Ref
from oracle.lesson.meaning.program import SCALARS, Definition, Program
from oracle.lesson.meaning.stacks import COUNTS, small
from oracle.lesson.meaning.usage import Usage
from oracle.lesson.meaning.world import World
from oracle.lesson.syntax import Name, Negative, Node, Number, Quotient, Sum, Times, Transpose, rebuilt


def of_one_sample(own: Program, here: Usage) -> Program | None:
    """The lesson's program for one sample; None where this section is not of one, or no batch is computed."""
    names = {part.base for d in own.definitions for part in (d.head, *d.body.walk()) if isinstance(part, Ref)}
    batches = {base for base in names - SCALARS if is_batch(base) and core(base) not in PARAMETER_LETTERS}
    made = batches & {d.head.base for d in own.definitions}
    used = {ref.base for ref in here.refs if "sample" not in ref.kinds}
    used |= {signal.of for (base, *_), signal in own.signals.items() if base in used}
    without = not made and _writes_none(own, here, used)
    if not without and (used & batches or not used & {small(base) for base in made}):
        return None
    singles: dict[tuple[str, tuple[object, ...]], Definition] = {}
    for d in sorted(own.definitions, key=lambda d: "sample" in d.head.kinds):
        head = _single(d.head, batches)
        assert isinstance(head, Ref)
        body = _alone(d.body) if d.head.base in LOSSES and not d.head.slots else d.body
        if body != head and not (isinstance(body, Ref) and _single(body, batches) == head):
            of = (head.base, head.slots)
            if (d.head.base in batches and "sample" not in d.head.kinds) or of not in singles:
                others = tuple(_single(other, batches) for other in d.others)
                singles[of] = Definition(head, _single(body, batches), d.number, others)
    found = list(singles.values())
    layered = any("layer" in ref.kinds for ref in here.refs)
    return replace(own, definitions=_of_layers(found) if layered else found)


def _writes_none(own: Program, here: Usage, used: set[str]) -> bool:
    """Whether a section differentiates without samples what others have of each: E by ŷ after E = 1/n Σ_i l(ŷ_i)."""
    sampled = {d.head.base for d in own.definitions if "sample" in d.head.kinds}
    terms = [_alone(d.body) for d in own.definitions if d.head.base in LOSSES and _alone(d.body) is not d.body]
    sums = any(isinstance(term, Ref) and term.base in sampled for term in terms)
    if any(is_batch(base) and core(base) not in {*PARAMETER_LETTERS, *LOSSES} for base in used):
        return False
    ends = {ref for pair in here.partials for ref in pair}
    return sums and bool(ends) and bool(used & sampled) and not any("sample" in ref.kinds for ref in ends)


def _of_layers(definitions: list[Definition]) -> list[Definition]:
    """Definitions without the a = σ(wᵀ x + b) of one neuron beside a^{[2]} = σ(z^{[2]}), and what is made of it."""
    layered = {d.head.base for d in definitions if "layer" in d.head.kinds}
    return [
        d for d in definitions
        if not any(
            isinstance(part, Ref) and part.base in layered and not part.slots for part in (d.head, *d.body.walk())
        )
    ]  # fmt: skip


def _single(node: Node, batches: set[str]) -> Node:
    """a for A, and for a^{(i)}; b for b 1ᵀ."""
    match node:
        case Times(factors=(one, Transpose(base=Ref(base="1" | "bb 1"))), ops=("",)):
            return _single(one, batches)
    if isinstance(node, Ref):
        base = small(node.base) if node.base in batches else node.base
        return replace(node, base=base, slots=tuple(slot for slot in node.slots if slot[0] != "sample"))
    return rebuilt(node, lambda child: _single(child, batches))


def _alone(body: Node) -> Node:
    """One term of a mean over samples."""
    match body:
        case Negative(body=inner):
            return Negative(_alone(inner), span=body.span)
        case Times(factors=(*front, Sum() as total)) if _over_samples(total):
            kept = [factor for factor in front if not _counts(factor)]
            return Times((*kept, total.body), ("",) * len(kept), span=body.span) if kept else total.body
        case Quotient(over=Sum() as total, under=Ref(base=base)) if _over_samples(total) and base in COUNTS:
            return total.body
        case Sum() as total if _over_samples(total):
            return total.body
    return body


def _over_samples(total: Sum) -> bool:
    return not total.product and {World.counts(name.base, total.body) for name in total.indices} == {"sample"}


def _counts(factor: Node) -> bool:
    """1/m."""
    match factor:
        case Quotient(over=Number(text="1"), under=Ref(base=base) | Name(base=base)):
            return base in COUNTS
    return False
