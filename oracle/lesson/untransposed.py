r"""Lessons that never write a transpose: ∂L/∂W = δ · a is δ aᵀ there, and ∂L/∂a = δ W is Wᵀ δ."""

from collections.abc import Iterator
from itertools import product

from oracle.lesson.judging import Nets
from oracle.lesson.syntax import Node, Times, Transpose

UNTURNED = "the lesson writes no transposes"
MOST = 3
"""So many factors are turned and put in another order."""


def of_turned(nets: Nets, head: Node, member: Node, number: int) -> str:
    """The words where a product agrees with the other side once its factors are turned; "" where it does not."""
    if not nets.program.notation.turnless or not isinstance(member, Times):
        return ""
    return UNTURNED if any(nets.judge(head, turned, number).right for turned in _turned(member)) else ""


def _turned(product_of: Times) -> Iterator[Node]:
    """A product with some factors transposed, in its own order and from its end to its beginning."""
    factors, ops = product_of.factors, product_of.ops
    if len(factors) > MOST or set(ops) & {"odot", "otimes"}:
        return
    for way, turns in product((1, -1), product((False, True), repeat=len(factors))):
        found = [Transpose(f, span=f.span) if turn else f for f, turn in zip(factors, turns, strict=True)]
        yield Times((*found[::way],), ("",) * len(ops), span=product_of.span)
