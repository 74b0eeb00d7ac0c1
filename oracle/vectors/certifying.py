"""The proven answer to a case: an enclosure of every number, and beside it what rounding may do in this very case.

Enclosures are the arbiter's, never torch's. At a kink the answer is a set: every entry that lies on one may have any
slope between the left and the right one. A gradient is affine in each of these slopes, for no path of the chain rule
meets an entry twice; so its least and its greatest value are found at the corners, where every slope is the left or
the right one, and the hull over all corners is proven and tight for each entry.

The room for rounding is that of the oracle's own judgement (`oracle.compare`): 32 mean deviations of many runs whose
every intermediate result is randomly rounded, and some units in the last place of the row and the column.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from itertools import product
from typing import Any

import numpy as np
from msgspec.structs import replace

from oracle import compare
from oracle.arbiter import Undecided, loss, output, partial
from oracle.arbiter.site import JUMPS, ROUNDED
from oracle.conventions import COMMON
from oracle.kinks import RESIDUAL, exactly_at, kinks
from oracle.spec import Answer, Array, Case, CaseError, Tensors
from oracle.twin import Noise, Truth, Twin, near_kinks
from oracle.vectors.records import Allowed, Bounds, Convention, Dtype, Expected, Kink

NOISY, JITTERS = 120, (None, 1, 2, 3)
"""Runs behind the room: randomly rounded ones, and those in float32 with inputs moved by a rounding."""
MOST_KINKS = 6
"""Entries on kinks, at most: every one doubles the corners."""

Slopes = dict[str, Any]
Side = tuple[Array, Array]
"""Low and high, entry by entry."""


class Uncertain(Exception):  # noqa: N818  (an outcome: this case makes no vector)
    """No rigorous answer can be written down; the sentence says why."""


@dataclass(frozen=True)
class Proof:
    """All that is known of the answer to a case."""

    expected: Expected
    kinks: tuple[Kink, ...]
    conventions: tuple[Convention, ...]


@np.errstate(all="ignore")
def certify(case: Case) -> Proof:
    """The proven answer to a case in float64. Raises `Uncertain`."""
    try:
        rooms = {dtype: _rooms(cast(case, dtype), dtype) for dtype in held(case)}
        met = _met(case)
        corners = [_enclosed(case, slopes) for slopes in _corners(case, met)]
        cost = loss(case)
        choices = [(w, _enclosed(case, w)) for w in _uniform(case, met)]
    except (CaseError, Undecided) as reason:
        raise Uncertain(str(reason)) from None
    lows, highs = ({n: side([c[n][k] for c in corners], 0) for n in corners[0]} for k, side in _HULL)
    if not any((c[n][0] != lows[n]).any() or (c[n][1] != highs[n]).any() for c in corners for n in c):
        met, choices = [], []
    room = _Room(rooms, {n: np.maximum(np.abs(lows[n]), np.abs(highs[n])) for n in lows})
    expected = Expected(
        room.allowed("loss", np.array(cost.low), np.array(cost.high)),
        {n: room.allowed(n, lows[n], highs[n]) for n in lows},
    )
    return Proof(expected, tuple(met), tuple(_convention(w, found) for w, found in choices))


_HULL = ((0, np.min), (1, np.max))


def _convention(slopes: Slopes, found: dict[str, Side]) -> Convention:
    return Convention(slopes, {n: _bounds(*side) for n, side in found.items()})


def _bounds(low: Array, high: Array) -> Bounds:
    return Bounds((low + 0.0).tolist(), (high + 0.0).tolist())  # never −0


# ------------------------------------------------------------------------------------------------------ enclosures


def _enclosed(case: Case, slopes: Slopes) -> dict[str, Side]:
    """Every gradient, enclosed; each slope as said, else torch's."""
    found = {}
    for name in case.wanted():
        shape = {**case.inputs, **case.parameters}[name].shape
        low, high = np.zeros(shape), np.zeros(shape)
        for at in np.ndindex(shape):
            ball = partial(case, name, at, slopes=slopes)
            low[at], high[at] = ball.low, ball.high
        found[name] = low, high
    return found


def _met(case: Case) -> list[Kink]:
    """The entries that lie exactly on a kink. Raises `Uncertain` where they only may."""
    values, found = Twin.of(case).run(case).values, []
    for node in case.nodes:
        x = [values[name] for name in node.inputs]
        on = exactly_at(node, x) if kinks(node) else np.zeros(())
        for at in (tuple(int(i) for i in index) for index in np.argwhere(on)):
            names = node.inputs[: 2 if node.op in RESIDUAL else 1]
            if node.op in JUMPS or not all(_exact(case, name, at, values[name][at]) for name in names):
                raise Uncertain(f"{node.name} ({node.op}): rounding decides on which side of a kink {list(at)} lies")
            z = float(x[0][at] - x[1][at] if node.op in RESIDUAL else x[0][at])
            kink = next(k for k in kinks(node) if k.at == z)
            found.append(Kink(node.name, at, float(kink.at), float(kink.torch)))
    if len(found) > MOST_KINKS:
        raise Uncertain(f"{len(found)} entries lie on kinks, more than {MOST_KINKS}")
    return found


def _exact(case: Case, name: str, at: tuple[int, ...], value: float) -> bool:
    if name in case.inputs:
        return True
    ball = output(case, name, at)
    return bool(ball.low == ball.high == value)


def _corners(case: Case, met: list[Kink]) -> Iterator[Slopes]:
    """Every assignment of the left or the right slope to the entries on kinks."""
    shapes = _shapes(case) if met else {}
    for sides in product((0.0, 1.0), repeat=len(met)):
        slopes: Slopes = {}
        for kink, side in zip(met, sides, strict=True):
            slopes.setdefault(kink.node, np.zeros(shapes[kink.node]))[kink.index] = side
        yield slopes


def _shapes(case: Case) -> dict[str, tuple[int, ...]]:
    values = Twin.of(case).run(case).values
    return {node.name: values[node.inputs[0]].shape for node in case.nodes}


def _uniform(case: Case, met: list[Kink]) -> Iterator[Slopes]:
    """What libraries choose, the same at all kinks of an operator; torch's choice first."""
    by_name = {node.name: node.op for node in case.nodes}
    torch = {by_name[kink.node]: kink.torch for kink in met}
    if torch:
        yield dict(torch)
    for weights in product(COMMON, repeat=len(torch)):
        if (chosen := dict(zip(torch, weights, strict=True))) != torch:
            yield chosen


# ----------------------------------------------------------------------------------------------------------- rounding


@dataclass(frozen=True)
class _Room:
    """Proven bounds, widened by what rounding may do."""

    rooms: dict[Dtype, dict[str, Array]]
    sizes: dict[str, Array]
    """The largest of every gradient over all choices of slopes: torch's own may be 0."""

    def allowed(self, name: str, low: Array, high: Array) -> Allowed:
        wide = {dtype: self._wide(dtype, name, low, high) for dtype in self.rooms}
        return Allowed(low.shape, _bounds(low, high), wide["float64"], wide.get("float32"))

    def _wide(self, dtype: Dtype, name: str, low: Array, high: Array) -> Bounds:
        size = self.sizes.get(name, np.abs(low))
        pairs: compare.Pairs = [(name, size, size)]
        room = compare.widened({name: self.rooms[dtype][name]}, pairs, dtype)[name]
        nothing = (low == 0) & (high == 0) & (room <= 64 * float(np.finfo(dtype).tiny))  # no run ever moved it
        room = np.where(nothing, 0.0, room)
        return Bounds(_outwards(low, -room), _outwards(high, room))


def _outwards(x: Array, room: Array) -> Any:
    """x + room, away from x, in the digits that matter beside the room."""
    return np.reshape([_further(float(a), float(b)) for a, b in zip(x.flat, room.flat, strict=True)], x.shape).tolist()


def _further(x: float, room: float) -> float:
    if not room:
        return x
    last = Decimal(10) ** (math.floor(math.log10(abs(room))) - 1)
    exact = Decimal(x) + Decimal(room)
    digits = (exact / last).to_integral_value(ROUND_CEILING if room > 0 else ROUND_FLOOR)
    return float(digits * last) + 0.0


def _rooms(case: Case, dtype: Dtype) -> dict[str, Array]:
    """How far rounding can move each number of a right answer. Raises `Uncertain` where that cannot be said."""
    twin = Twin.of(case)
    truth = twin.run(case)
    if not np.isfinite([truth.loss, *(np.abs(g).max(initial=0) for g in truth.gradients.values())]).all():
        raise Uncertain("the loss or a gradient is no finite number")
    noisy = [twin.run(case, noise=Noise(dtype, seed), pins=truth.values) for seed in range(NOISY)]
    low = [twin.run(case, real="float32", jitter=j, pins=None if j is None else truth.values) for j in JITTERS]
    _refuse_near_kinks(case, truth, noisy)
    pairs = compare.pairs(Answer(loss=truth.loss, gradients=truth.gradients), truth)
    rooms = compare.tolerances(
        pairs, [compare.as_pairs(pairs, r) for r in noisy], dtype, low=[compare.as_pairs(pairs, r) for r in low]
    )
    if not all(np.isfinite(room).all() for room in rooms.values()):
        raise Uncertain(f"rounding in {dtype} may move a gradient without bounds")
    return rooms


def _refuse_near_kinks(case: Case, truth: Truth, noisy: list[Truth]) -> None:
    spread = {
        name: compare.SAFE * sum(np.abs(run.values[name] - value) for run in noisy) / len(noisy)
        for name, value in truth.values.items()
        if value.dtype.kind == "f"
    }
    if near := near_kinks(case, truth, spread):
        raise Uncertain(f"{', '.join(near)}: rounding decides on which side of a kink an entry lies")


# ------------------------------------------------------------------------------------------------------------- dtypes


def cast(case: Case, dtype: Dtype) -> Case:
    """The case in another dtype, without −0."""

    def each(tensors: Tensors) -> Tensors:
        return {n: np.asarray(x.astype(dtype) + 0.0 if x.dtype.kind == "f" else x) for n, x in tensors.items()}

    parts = {part: each(getattr(case, part)) for part in ("inputs", "parameters", "buffers")}
    return replace(case, dtype=dtype, **parts)


def held(case: Case) -> list[Dtype]:
    """The dtypes that hold every number of the question."""
    tensors = [x for group in (case.inputs, case.parameters, case.buffers) for x in group.values()]
    given = [x for x in tensors if x.dtype.kind == "f"]
    given += [np.asarray(x, float) for node in case.nodes for name, x in node.attrs.items() if name in ROUNDED]
    with np.errstate(over="ignore"):
        exact = all(np.array_equal(x.astype(np.float32), x) for x in given)
    return ["float64", "float32"] if exact else ["float64"]
