"""Where a formula is evaluated: its node, the case's mode and numbers, and what to do at kinks."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from flint import arb

from oracle.arbiter.dual import Balls, Dual, Straddles, Undecided, balls, live, zeros
from oracle.kinks import kinks
from oracle.spec import Case, Node

ROUNDED = {"min_val", "max_val", "lambd", "threshold", "value"}
"""Attributes that torch compares with, or writes into, tensors of the case's dtype."""
JUMPS = {"Hardshrink", "Threshold", "Softplus"}
"""Operators whose value, too, may jump at a kink."""

Formula = Callable[..., Any]
"""(site, *inputs) -> output or a tuple of outputs."""


@dataclass(frozen=True)
class Site:
    """One node of one case."""

    node: Node
    case: Case
    state: dict[str, Any]
    """Parameters and buffers by full name; running statistics are replaced as the pass goes on."""
    slopes: Mapping[str, Any] = field(default_factory=dict)
    """λ at the kinks of an operator, or of a node: then it may be an array, one for each entry."""
    exact_softplus: bool = False

    @property
    def where(self) -> str:
        """For messages."""
        return f"{self.node.name} ({self.node.op})"

    def attr(self, name: str, default: Any = None) -> Any:
        """A keyword argument of the constructor."""
        return self.node.attrs.get(name, default)

    def number(self, name: str, default: float = 0.0) -> arb:
        """A real attribute, exactly the float that it is."""
        x = self.attr(name, default)
        return self.rounded(x) if name in ROUNDED else arb(x)

    def rounded(self, x: float) -> arb:
        """A number as a tensor of the case's dtype would hold it."""
        return arb(float(np.asarray(x, self.case.dtype)))

    def get(self, role: str) -> Dual | None:
        """A parameter or buffer; failing that, a list among the attributes."""
        if (name := self.node.parameter(role)) in self.state:
            return self.state[name]
        x = self.attr(role)
        return None if x is None or isinstance(x, bool) else Dual(balls(np.asarray(x, np.float64)))

    def tensor(self, role: str) -> Dual:
        """A parameter or buffer that has to be there."""
        if (x := self.get(role)) is None:
            raise Undecided(f"{self.where} has no {self.node.parameter(role)!r} in this case")
        return x

    def ball(self, z: Dual) -> str:
        """One ball for a message."""
        first: Any = z.v.flat[0]
        return str(first.str(12))


@dataclass(frozen=True)
class Break:
    """Where one formula hands over to the next: at a kink λ is the weight of the right slope, else None."""

    at: arb
    slope: Any = None
    left: bool = True
    """Whether the value at the break is that of the left formula."""
    jump: bool = False

    def joined(self, left: Dual, right: Dual, on: Any) -> Dual:
        """Exactly at the break, at the entries `on`: its own value, and (1 − λ) left + λ right for the tangent."""
        if self.slope is None:
            return hull(left, right)
        weight = balls(np.broadcast_to(self.slope, on.shape)[on])
        d = left.tangent * (1 - weight) + right.tangent * weight
        return Dual((left if self.left else right).v, d)


_union = np.frompyfunc(arb.union, 2, 1)


def hull(x: Dual, y: Dual) -> Dual:
    """Balls that hold both."""
    return Dual(_union(x.v, y.v), None if x.d is y.d is None else _union(x.tangent, y.tangent))


def own_breaks(site: Site) -> list[Break]:
    """The kinks that `oracle.kinks` names, with torch's choice or the one asked for."""
    return [
        Break(
            at=site.rounded(kink.at),
            slope=site.slopes.get(site.node.name, site.slopes.get(site.node.op, kink.torch)),
            left=kink.torch <= 0.5,
            jump=site.node.op in JUMPS,
        )
        for kink in kinks(site.node)
    ]


def piecewise(site: Site, breaks: Sequence[Break], pieces: Sequence[Formula], z: Dual, *others: Dual) -> Dual:
    """pieces[k](z, *others) between breaks[k − 1] and breaks[k], decided by the ball of z."""
    if any(not a.at <= b.at for a, b in itertools.pairwise(breaks)):
        raise Undecided(f"{site.where}: its kinks are not in ascending order")
    rest = [other.rearranged(lambda x: np.broadcast_to(x, z.shape)) for other in others]
    where, doubt = _locate(site, breaks, z)
    moving = any(x.d is not None for x in (z, *rest))
    v, d = zeros(z.shape), zeros(z.shape) if moving else None
    for place in sorted({(int(w), bool(u)) for w, u in zip(where.flat, doubt.flat, strict=True)}):
        on = (where == place[0]) & (doubt == place[1])
        y = _piece(site, breaks, pieces, *place, on, [x[on] for x in (z, *rest)])
        v[on] = y.v
        if d is not None:
            d[on] = y.tangent
    return Dual(v, d)


def _piece(
    site: Site, breaks: Sequence[Break], pieces: Sequence[Formula], place: int, doubt: bool, on: Any, x: list[Dual]
) -> Dual:
    """Place 2k is between two breaks, 2k + 1 is break k itself, in doubt or for certain."""
    k = place // 2
    if place % 2 == 0:
        return pieces[k](*x)
    left, right = pieces[k](*x), pieces[k + 1](*x)
    if not doubt:
        return breaks[k].joined(left, right, on)
    still = not any(live(y.tangent).any() for y in x)
    if breaks[k].slope is None or (still and not breaks[k].jump):
        return hull(left, right)
    at = breaks[k].at.str(6, radius=False)
    raise Straddles(f"{site.where}: {site.ball(x[0])} may lie on either side of the kink at {at}")


def _locate(site: Site, breaks: Sequence[Break], z: Dual) -> tuple[Any, Any]:
    where, doubt = np.zeros(z.shape, int), np.zeros(z.shape, bool)
    for k, b in enumerate(breaks):
        above, below, on = _against(z.v, b.at)
        unsure = ~(above | below | on)
        if (unsure & (where % 2 == 1)).any():
            raise Straddles(f"{site.where}: a ball reaches over two kinks")
        where = np.where(above, 2 * k + 2, np.where((on | unsure) & (where % 2 == 0), 2 * k + 1, where))
        doubt |= unsure
    return where, doubt


def _against(z: Balls, at: arb) -> tuple[Any, Any, Any]:
    """Surely above, surely below, exactly equal."""
    return tuple(np.asarray(x, bool) for x in (z > at, z < at, z == at))  # type: ignore[return-value]
