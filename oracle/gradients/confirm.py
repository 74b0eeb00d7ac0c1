"""Who is right about one suspect entry, without trusting any backward formula.

`like` is any function of torch, so no ball encloses its gradient. But its *values* define it: their slopes on both
sides of the point, extrapolated, with the error of the extrapolation, say what the derivative is, where there is a
kink, and whether `like`'s own backward is to be believed. What is finer than these slopes can see is held against
torch's forward mode, whose formulas are not those of its backward.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import torch
from msgspec.structs import replace

from oracle import compare
from oracle.compare import Difference
from oracle.gradients.functions import Reading, forward_mode, tensor
from oracle.gradients.slopes import Slopes, slopes
from oracle.spec import Array, Tensors
from oracle.twin import Truth

Word = Literal["mismatch", "match", "convention", "torch deviates", "undecided"]
NEARBY = 16
"""Points around a kink at which like's gradient is taken; and entries towards each of which it is taken too."""
STEP, WIDER = 1e-6, 64.0
"""How far away nearby is, relative to each number, or 64 roundings, where that is more; and how much farther those
points are that tell a curve from a kink: around a kink the slopes differ no less when one comes nearer.
"""
JUMP = 1e-3
"""The share of a value by which it differs between nearby points if there is a kink."""


@dataclass(frozen=True)
class Ruling:
    """What became of a suspect entry, and why."""

    word: Word
    told: str = ""
    low: float | None = None
    high: float | None = None
    smooth: bool = False
    """Whether like's values have one slope there, and its gradient no jump nearby."""


@dataclass(frozen=True)
class Witness:
    """What is known of a case when one of its entries is suspect."""

    asked: Reading
    truth: Truth
    got: Tensors
    """The subject's gradients, by input."""
    runs: list[Truth]
    """Noisy runs."""
    jumped: dict[str, Array]
    """Where noisy runs say that rounding decides: by tensor, which entries."""
    light: bool = False
    """In search of a smaller case: the smallest is looked at again."""

    @property
    def rounding(self) -> float:
        """By how much rounding moves Σ c·f in float64."""
        ratio = float(np.finfo(np.float64).eps / np.finfo(self.asked.case.dtype).eps)
        moved = [abs(float(run.loss) - float(self.truth.loss)) for run in self.runs]
        return 2 * ratio * (sum(moved) / max(1, len(moved))) + 4e-16 * abs(float(self.truth.loss))

    @cached_property
    def nearby(self) -> list[Tensors]:
        """like's gradients at points around the case."""
        return self._around(max(STEP, 64 * float(np.finfo(self.asked.case.dtype).eps)))

    @cached_property
    def farther(self) -> list[Tensors]:
        """The same, a good deal farther away."""
        return self._around(WIDER * max(STEP, 64 * float(np.finfo(self.asked.case.dtype).eps)))

    def towards(self, name: str, got: Array) -> list[Tensors]:
        """like's gradients a little way towards, and away from, the entries that the subject gives the most."""
        x = self.asked.case.inputs[name].astype(np.float64)
        found = []
        for at in np.argsort(-np.abs(got), axis=None)[:NEARBY]:
            for sign in (1, -1):
                y = x.copy()
                y.flat[at] += sign * WIDER * STEP * (float(np.abs(x).max()) or 1.0)
                case = replace(self.asked.case, dtype="float64", inputs={**self.asked.case.inputs, name: y})
                found.append(gradients(Reading(case, self.asked.op)))
        return found

    def jumps_at(self, name: str, index: tuple[int, ...], tolerance: float) -> bool:
        """Whether like's gradient has a jump here: coming nearer does not lessen the differences."""
        values = [float(g[name][index]) for g in self.nearby]
        near, size = _spread(values), max(map(abs, values), default=0.0)
        if not near > max(JUMP * size, tolerance):
            return False
        return near > _spread([float(g[name][index]) for g in self.farther]) / WIDER**0.5

    def _around(self, step: float) -> list[Tensors]:
        found = []
        for seed in range(NEARBY):
            try:
                found.append(gradients(moved(self.asked, step, seed)))
            except (ValueError, RuntimeError):
                continue
        return found

    # ---------------------------------------------------------------------------------------------- along a direction

    def along(self, name: str, v: Array) -> Slopes:
        """The slopes of Σ c·f as input `name` moves along v."""
        inputs = {n: x.astype(np.float64) if x.dtype.kind == "f" else x for n, x in self.asked.case.inputs.items()}
        x, weights = inputs[name], self.asked.weights()
        before = self.asked.op.evaluate(inputs)
        steady = self.rounding + 2.3e-16 * float(np.sum(np.abs(x * v * np.nan_to_num(self.truth.gradients[name]))))

        def phi(h: float) -> tuple[float, float]:
            try:
                after = self.asked.op.evaluate({**inputs, name: x + h * v})
            except ValueError:
                return np.nan, np.nan
            parts = [c * (after[k] - before[k]) for k, c in weights.items()]
            sizes = sum(float(np.sum(np.abs(p))) for p in parts)
            return float(sum(np.sum(p) for p in parts)), steady + 2.3e-16 * sizes

        with np.errstate(all="ignore"):
            return slopes(phi, _scales(x, v), not self.light)

    def of_output(self, number: int, index: tuple[int, ...]) -> Slopes:
        """The slopes of one output of `like` as its inputs move along their tangents: an entry of J v."""
        inputs = {n: x.astype(np.float64) if x.dtype.kind == "f" else x for n, x in self.asked.case.inputs.items()}
        function = self.asked.op.function
        tangents = dict(zip(function.wanted, self.asked.op.extra, strict=True))

        def value(h: float) -> float:
            moved = {n: inputs[n] + h * inputs[tangents[n]] if n in tangents else inputs[n] for n in function.names}
            return float(function.real(*map(tensor, moved.values()))[number].detach().numpy()[index])

        start = value(0.0)

        def phi(h: float) -> tuple[float, float]:
            try:
                y = value(h)
            except ValueError:
                return np.nan, np.nan
            return y - start, 1e-15 * (abs(start) + abs(y))

        scales = [max(float(np.abs(inputs[n]).max(initial=0)) for n in tangents) or 1.0, 1.0]
        size = max(float(np.abs(inputs[t]).max(initial=0)) for t in tangents.values()) or 1.0
        with np.errstate(all="ignore"):
            return slopes(phi, [s / 2 / size for s in dict.fromkeys(scales)], not self.light)


def _spread(values: list[float]) -> float:
    known = [float(x) for x in values if np.isfinite(x)]
    return max(known, default=0.0) - min(known, default=0.0)


def _scales(x: Array, v: Array) -> list[float]:
    """First steps: of the size of the tensor's numbers, and of the numbers that move."""
    own = np.abs(x[v != 0])
    size = float(np.abs(v).max()) or 1.0
    wanted = [max(float(np.abs(x).max(initial=0)), 1e-3), float(own[own > 0].min(initial=np.inf)) / 2, 1.0]
    scales = [s / 2 / size for s in wanted if np.isfinite(s) and s > 0]
    return [s for k, s in enumerate(scales) if not any(s / 64 < t < s * 64 for t in scales[:k])]


# ------------------------------------------------------------------------------------------------------- the rulings


def rule(d: Difference, witness: Witness) -> Ruling:
    """Who is right about an entry."""
    kind, _, name = d.tensor.partition(" ")
    if kind != "output":
        return _of_gradient(d, d.tensor, witness)
    number = next(k for k, tensor_, _ in witness.asked.dots if tensor_ == name)
    if witness.asked.op.phase == "forward":
        found = witness.of_output(number, d.index)
        if found.kinked or not found.known:
            return _within(d, Hull.of([found.left, found.right, d.expected], found.error))
        return _of_smooth(d, found, None, witness)
    if not _repeats(witness, number, d.index):
        return Ruling("torch deviates", f"{d.where}: like gives another value each time it is asked")
    if _marked(witness, d):
        return _within(d, Hull.of(_seen(witness, d.tensor, d.index), 0.0, sampled=True, decided=True))
    return Ruling("mismatch", "like's own value is the definition, and rounding explains none of it")


def _repeats(witness: Witness, number: int, index: tuple[int, ...]) -> bool:
    """Whether `like` has a value: for an empty batch, some functions of torch return what is in memory."""
    values = []
    for k in range(4):
        np.full(8 + k, float(k))  # something else in memory
        values.append(witness.asked.op.evaluate(witness.asked.case.inputs)[number][index])
    return bool(np.array_equal(values, np.repeat(values[:1], 4), equal_nan=True))


def _of_gradient(d: Difference, name: str, witness: Witness) -> Ruling:
    v = np.zeros(witness.asked.case.inputs[name].shape)
    v[d.index] = 1.0
    found = witness.along(name, v)
    near = [float(g[name][d.index]) for g in witness.nearby if np.isfinite(g[name][d.index])]
    marked = _marked(witness, d)
    if not (marked or found.kinked or witness.jumps_at(name, d.index, d.tolerance)):
        forward = _forward(witness, name, v)
        return _of_smooth(d, found, forward, witness, name, v) if found.known else _by_forward(d, forward)
    sides = [found.left, found.right] if found.known else []
    seen = _seen(witness, name, d.index) if marked else []
    values = [*sides, *near, *seen]
    if values and not min(values) - found.error - d.tolerance <= d.expected <= max(values) + found.error + d.tolerance:
        return Ruling(
            "convention", f"{d.where}: at a kink, where like's backward is not the slope of its values either"
        )
    room = _spread(near) / 8
    plain = bool(sides) and not seen and all(min(sides) - room <= x <= max(sides) + room for x in near)
    ruling = _within(d, Hull.of([*values, d.expected], found.error if sides else 0.0, not plain, marked))
    return _together(d, name, witness, ruling) if ruling.word in ("match", "convention") else ruling


def _of_smooth(
    d: Difference, found: Slopes, forward: float | None, witness: Witness, name: str = "", v: Array | None = None
) -> Ruling:
    """Where the values have one slope."""
    room = found.precision + d.tolerance
    off, torch_off = abs(d.got - found.middle), abs(d.expected - found.middle)
    low, high = found.middle - found.precision, found.middle + found.precision
    if not np.isfinite(d.got) and torch_off <= room:
        return Ruling("mismatch", _slope(found), low, high)
    if off > room and torch_off <= room:
        return Ruling("mismatch", _slope(found), low, high, smooth=True)
    if off > room and torch_off > room:
        if name and _fine_nearby(witness, name, d):
            return Ruling("convention", f"{d.where}: like's own backward is not the slope of its values at this point")
        return Ruling("mismatch", f"{_slope(found)}; like's own backward is wrong too: {d.expected:.9g}", low, high)
    if torch_off > room:
        told = f"{d.where}: {_slope(found)}; mine agrees, and like's own backward says {d.expected:.9g}"
        return Ruling("torch deviates", told, low, high)
    return _by_forward(d, forward, _slope(found))


def _by_forward(d: Difference, forward: float | None, told: str = "") -> Ruling:
    """What is finer than the slopes can see: forward mode must say what the backward says."""
    if forward is None or not np.isfinite(forward):
        return Ruling("undecided", f"{d.where}: too fine for the slopes of like's values, and like has no forward mode")
    off, torch_off = abs(d.got - forward), abs(d.expected - forward)
    said = f"{told}; " if told else ""
    if not off <= d.tolerance and torch_off <= d.tolerance:
        low, high = sorted((d.expected, forward))
        return Ruling("mismatch", f"{said}torch's forward mode says {forward!r}", low, high)
    if torch_off > d.tolerance >= off:
        return Ruling(
            "torch deviates", f"{d.where}: torch's forward mode says {forward!r}, its backward {d.expected!r}"
        )
    return Ruling("undecided", f"{d.where}: torch's forward mode says {forward!r}, which settles nothing")


def _slope(found: Slopes) -> str:
    return f"the slope of like's values is {found.middle:.12g} ± {found.precision:.1g}"


def _forward(witness: Witness, name: str, v: Array) -> float | None:
    """Σ c · J v by torch's forward mode, of order 1 alone."""
    op, inputs = witness.asked.op, witness.asked.case.inputs
    if op.phase != "order 1" or name not in op.function.wanted:
        return None
    x = [tensor(inputs[n]) for n in op.function.names]
    tangents = [tensor(v if n == name else np.zeros(inputs[n].shape)) for n in op.function.wanted]
    try:
        found = forward_mode(op.function, x, tangents)
    except RuntimeError:
        return None
    weights = witness.asked.weights()
    return sum(float(np.sum(weights[k] * t.numpy())) for k, t in zip(op.function.picks, found, strict=True))


# --------------------------------------------------------------------------------------------------------- at kinks


def _marked(witness: Witness, d: Difference) -> bool:
    """Whether rounding decides between two values of the entry."""
    return bool(witness.jumped[d.tensor][d.index]) if d.tensor in witness.jumped else False


def _seen(witness: Witness, tensor_: str, index: tuple[int, ...]) -> list[float]:
    """The values that the entry has in noisy runs."""
    blank = [(tensor_, np.zeros(()), np.zeros(()))]
    return [float(compare.as_pairs(blank, run)[0][2][index]) for run in witness.runs]


@dataclass(frozen=True)
class Hull:
    """What may be returned at a kink: everything between the slopes on its sides."""

    low: float
    high: float
    sampled: bool
    """Whether there may be slopes beyond those that were met."""
    decided: bool
    """Whether rounding decides on which side of the kink the case is."""

    @classmethod
    def of(cls, values: Sequence[float], error: float, sampled: bool = False, decided: bool = False) -> "Hull":
        """The hull of these values, NaN and infinity left out."""
        known = [x for x in values if np.isfinite(x)]
        return cls(min(known, default=np.nan) - error, max(known, default=np.nan) + error, sampled, decided)

    @property
    def told(self) -> str:
        """The slopes on both sides."""
        return f"the slopes around this kink are {self.low:.6g} to {self.high:.6g}"


def _within(d: Difference, hull: Hull) -> Ruling:
    """Whether an entry is one of the slopes at its kink."""
    if not np.isfinite(hull.low):
        return Ruling("undecided", f"{d.where}: like has no slope here that could be told from its values")
    beyond = max(hull.low - d.got, d.got - hull.high)
    if beyond <= d.tolerance:
        if hull.decided:
            return Ruling("match", "an input so near a kink that rounding decides the side")
        told = f"{d.where} is {d.got:.9g}, torch's {d.expected:.9g}; {hull.told}"
        return Ruling("convention", f"another slope at a kink: {told}")
    if hull.sampled and beyond <= hull.high - hull.low:
        return Ruling("undecided", f"{d.where} is {d.got:.9g}, and {hull.told}, of those that were met")
    return Ruling("mismatch", hull.told, hull.low, hull.high)


def _together(d: Difference, name: str, witness: Witness, calm: Ruling) -> Ruling:
    """Entry by entry all may be allowed, and the whole not: what ties share is shared once, so sums tell."""
    got = witness.got[name].astype(float)
    if not np.isfinite(got).all():
        return calm
    around = [*witness.nearby, *witness.farther, *witness.towards(name, got)]
    known = [float(g[name].sum()) for g in (*around, witness.truth.gradients) if np.isfinite(g[name]).all()]
    own, low, high = float(got.sum()), min(known), max(known)
    room = high - low + 10 * JUMP * float(np.abs(got).sum()) + d.tolerance * got.size
    if max(low - own, own - high) <= room:
        return calm
    told = f"at a kink: the sum of all entries of {name} is {own:.6g}, and around this kink {low:.6g} to {high:.6g}"
    return Ruling("mismatch", told)


def _fine_nearby(witness: Witness, name: str, d: Difference) -> bool:
    """Whether like's backward is the slope of its values a little way off: then the point itself is special."""
    v = np.zeros(witness.asked.case.inputs[name].shape)
    v[d.index] = 1.0
    for k in range(3):
        there = moved(witness.asked, 1e-3, k)
        gradient = gradients(there)[name]
        slope = Witness(there, Truth(witness.truth.loss, {name: gradient}), {}, witness.runs, {}).along(name, v)
        if (
            not slope.known
            or slope.kinked
            or abs(slope.middle - gradient[d.index]) > 10 * slope.precision + d.tolerance
        ):
            return False
    return True


def moved(asked: Reading, step: float, seed: int) -> Reading:
    """The case with every real input of the function a little off, relative to itself and to its tensor."""
    rng, case = np.random.default_rng(seed), asked.case
    inputs = dict(case.inputs)
    for name in asked.op.wanted:
        x = case.inputs[name].astype(np.float64)
        size = np.maximum(np.abs(x), float(np.abs(x).max(initial=0)) or 1.0)
        inputs[name] = x + step * size * rng.uniform(0.5, 1.0, x.shape) * rng.choice([-1.0, 1.0], x.shape)
    return Reading(replace(case, dtype="float64", inputs=inputs), asked.op)


def gradients(asked: Reading, cotangents: Tensors | None = None) -> Tensors:
    """like's gradients of Σ c·f, in float64; with other cotangents, if they are given."""
    given = {**asked.case.inputs, **(cotangents or {})}
    with torch.enable_grad():
        x = {name: tensor(given[name]) for name in asked.op.inputs}
        leaves = [x[name].requires_grad_() for name in asked.op.wanted]
        made = asked.op.call(*x.values())
        many = made if isinstance(made, tuple) else (made,)
        total = torch.stack([(many[k] * tensor(given[c])).sum() for k, _, c in asked.dots]).sum()
        found = torch.autograd.grad(total, leaves, allow_unused=True) if leaves and total.requires_grad else ()
    zero = {n: np.zeros(tuple(t.shape)) for n, t in zip(asked.op.wanted, leaves, strict=True)}
    return zero | {n: g.numpy() for n, g in zip(asked.op.wanted, found, strict=False) if g is not None}
