r"""What a formula says of which partial a symbol stands: δ = ∂E/∂z, δ = -∂E/∂z, δ = ∂E/∂a ∂a/∂z."""

from dataclasses import dataclass, replace
from itertools import pairwise

from oracle.lesson.meaning.notation import Ref
from oracle.lesson.meaning.summed_losses import COUNTED
from oracle.lesson.syntax import Derivative, Gradient, Negative, Node, Times


@dataclass(frozen=True)
class Told:
    """The partial of `of` by `wrt`, times `factor`."""

    of: Node
    wrt: Node
    factor: float = 1.0
    chained: bool = False
    """Whether it is written as a chain of partials."""
    mean: bool = False
    """Whether it is times the number of samples, because the loss is their mean: δ = m ∂L/∂Z."""


def told(member: Node) -> Told | None:
    """The partial that a formula is; None where it is anything else."""
    match member:
        case Negative(body=body) if found := told(body):
            return Told(found.of, found.wrt, -found.factor, found.chained)
        case Times(factors=(Ref(base=count, slots=(), subs=()), Derivative(of=of, wrt=(wrt,)))) if count in COUNTED:
            return Told(of, wrt, mean=True)
        case Derivative(of=of, wrt=(wrt,)) | Gradient(of=of, wrt=Node() as wrt):
            return Told(of, wrt)
        case Times(factors=(Negative(body=first), *rest), ops=ops) if found := told(Times((first, *rest), ops)):
            return Told(found.of, found.wrt, -found.factor, True)
        case Times(factors=factors, ops=ops) if {*ops} <= {"", "cdot", "*", "times"}:
            return _chained(factors) or _chained(factors[::-1])
    return None


def _chained(factors: tuple[Node, ...]) -> Told | None:
    """∂E/∂a ∂a/∂z as ∂E/∂z."""
    links = [(f.of, f.wrt[0]) for f in factors if isinstance(f, Derivative) and len(f.wrt) == 1 and not f.operator]
    joined = all(before[1] == after[0] for before, after in pairwise(links))
    return Told(links[0][0], links[-1][1], 1.0, True) if joined and len(links) == len(factors) > 1 else None


def like(head: Ref, found: Told) -> bool:
    """Whether a partial is indexed like the symbol that stands for it."""
    return isinstance(found.wrt, Ref) and (found.wrt.slots, found.wrt.subs) == (head.slots, head.subs)


def of_any_sample(head: Ref, found: Told) -> Told:
    """The δ_j of ∂E^{(k)}/∂z_j^{(k)} is of whatever sample is meant."""
    if "sample" in head.kinds:
        return found
    of, wrt = (_without_sample(node) if isinstance(node, Ref) else node for node in (found.of, found.wrt))
    return replace(found, of=of, wrt=wrt)


def _without_sample(ref: Ref) -> Ref:
    return replace(ref, slots=tuple(slot for slot in ref.slots if slot[0] != "sample"))
