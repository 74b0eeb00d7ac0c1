r"""What a chain multiplies by: ∂Z/∂W = Aᵀ says of a matrix by a matrix that G Aᵀ is the partial of what has ∂/∂Z = G.

Such a formula has fewer axes than the partial on its left. It is right if some product with any G in front of it is the
partial by what stands below, in every net: G ⊙ g'(Z), G Aᵀ, Wᵀ G, G summed over the samples where it is 1.
"""

from collections.abc import Iterator

import torch

from oracle.lesson.judging import CLOSE, Nets, Outcome, assignments, both, sample_of
from oracle.lesson.meaning.notation import Ref
from oracle.lesson.meaning.proving import proves
from oracle.lesson.meaning.values import REFUSED, Tensor, Value
from oracle.lesson.syntax import Derivative, Node

FACTOR = "it is the factor that a chain multiplies by"


def as_factor(nets: Nets, head: Node, member: Node, number: int) -> Outcome | None:
    """Whether a formula is the factor that a chain multiplies by; None where it cannot be one."""
    if (
        not isinstance(head, Derivative)
        or not isinstance(head.of, Ref)
        or not all(isinstance(k, Ref) for k in head.wrt)
    ):
        return None
    gaps = list[float]()
    for world in nets:
        world.begin(number, set())
        for env in assignments(nets.program, (head, member)):
            try:
                with world.fresh(head, member), world.of_sample(sample_of(nets.program, env, head, member)):
                    whole, part = both(world, head, member, env)
            except (*REFUSED, RuntimeError):  # of torch, or of Python's stack
                continue
            gap = _gap(whole, part)
            if gap is None:
                return None
            gaps.append(gap)
    if not gaps:
        return None
    least, most = min(gaps), max(gaps)
    if most < CLOSE:
        return Outcome("holds", least=least, most=most)
    sure = least > CLOSE and proves(nets.program, nets.below, head, member)
    return Outcome("fails", least=least, most=most) if sure else None


def _gap(whole: Value, part: Value) -> float | None:
    """How far the nearest product of any G and a factor is from G times the whole partial; None where none fits."""
    if whole.data is None or part.data is None or whole.way is None or whole.names or part.names:
        return None
    inner = whole.way.rank
    outer = whole.rank - inner
    if inner < 1 or not 1 <= outer <= 2 or whole.rank < 3 or part.rank >= whole.rank:
        return None
    random = torch.Generator().manual_seed(whole.data.numel())
    upstream = torch.randn(whole.data.shape[:outer], generator=random, dtype=torch.float64)
    wanted = torch.tensordot(upstream, whole.data.detach(), outer)
    made = [p for p in _products(upstream, part.data.detach(), part.rank) if p.shape == wanted.shape]
    return min((float((p - wanted).abs().max() / wanted.abs().max()) for p in made), default=None)


def _products(upstream: Tensor, factor: Tensor, rank: int) -> Iterator[Tensor]:
    """The products of an upstream gradient with a factor that its shape allows."""
    if factor.shape == upstream.shape or not rank:
        yield upstream * factor
    if rank < 2 and factor.numel() == 1 and upstream.ndim == 2:
        yield from (upstream.sum(axis) * factor for axis in (0, 1))
    if rank == 1 and upstream.ndim == 1:
        yield torch.outer(upstream, factor)
        yield torch.outer(factor, upstream)
    if rank == 2 and factor.shape[0] == upstream.shape[-1]:
        yield upstream @ factor
    if rank == 2 and factor.shape[1] == upstream.shape[0]:
        yield factor @ upstream
