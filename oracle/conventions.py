"""Kinks are conventions: whether an answer is one that another valid slope at a kink, or a choice of side, explains."""

from collections.abc import Callable, Iterator, Mapping
from itertools import product

import numpy as np

from oracle import compare
from oracle.arbiter import Undecided, output
from oracle.compare import Pairs, Verdict
from oracle.kinks import RESIDUAL, Kink, argument, kinks
from oracle.spec import Array, Case, Node
from oracle.twin import Choice, Noise, Truth, Twin, near_kinks

COMMON = (0.0, 0.5, 1.0)
"""Weights of the right slope that libraries choose at a kink; any other between 0 and 1 is found by a fit."""

NEARLY, RUNS = 1e-2, 12
"""The share of a tensor's largest entry within which an answer is worth noisy runs of its own, and how many."""

Place = tuple[str, float]
"""A kink of an operator: ("ReLU", 0.0)."""
Use = tuple[Node, Kink, Array]
"""A node that meets a kink exactly, and the steps that leave it, zero elsewhere."""
Met = dict[Place, list[Use]]
Declared = Mapping[str, tuple[float, ...]]
"""The weight of the right slope at each kink of an operator, in the order of `kinks`."""


def at_kinks(
    case: Case,
    twin: Twin,
    truth: Truth,
    runs: list[Truth],
    kept: Pairs,
    tolerance: dict[str, Array],
    declared: Declared,
) -> Verdict | None:
    """The verdict, if the answer is one that another choice at a kink explains."""
    spread = {
        name: compare.SAFE * sum(np.abs(run.values[name] - value) for run in runs) / len(runs)
        for name, value in truth.values.items()
        if value.dtype.kind == "f"
    }
    near = near_kinks(case, truth, spread)

    def chosen(choices: dict[str, Choice]) -> Pairs:
        return compare.as_pairs(kept, twin.run(case, choices=choices, errors=bool(truth.errors)))

    def explained(choices: dict[str, Choice]) -> bool:
        beside = [(name, got, t) for (name, got, _), (_, _, t) in zip(kept, chosen(choices), strict=True)]
        room = compare.widened(tolerance, beside, case.dtype)
        left = compare.suspects(beside, room)
        if left and _close(left, beside):
            left = compare.suspects(beside, _measured(case, twin, truth, choices, beside, room))
        return not left

    met = _met(case, truth)
    for lambdas in _guesses(met, kept, chosen, declared):
        choices = _choices(met, lambdas)
        if explained(choices):
            if _as_declared(met, lambdas, declared):
                return Verdict("match", "the slopes at kinks are as the subject declares", stage="measured")
            if _surely_on(case, truth, choices):
                return Verdict("convention", _told(met, lambdas), stage="measured")
            return Verdict("match", "an input that only rounding puts on a kink", stage="measured")
    for choices in _sides(case, truth, near):
        if explained(choices):
            return Verdict("match", "an input so near a kink that rounding decides the side", stage="measured")
    if sum(int(mask.sum()) for mask in near.values()) > _SIDES:
        return Verdict("undecided", "too many inputs lie so near a kink that rounding decides their sides")
    return None


def _close(left: list[compare.Difference], beside: Pairs) -> bool:
    """Whether what is left is so little that the case's conditioning with these slopes may be the reason."""
    largest = {name: float(np.abs(t).max(initial=0)) for name, _, t in beside}
    return all(d.error <= NEARLY * largest[d.tensor] for d in left)


def _measured(
    case: Case, twin: Twin, truth: Truth, choices: dict[str, Choice], beside: Pairs, room: Mapping[str, Array]
) -> dict[str, Array]:
    """The tolerance of an answer with these slopes: with torch's, an entry at a kink may be a zero without noise."""
    runs = (
        twin.run(case, choices=choices, noise=Noise(case.dtype, seed), pins=truth.values, errors=bool(truth.errors))
        for seed in range(RUNS)
    )
    own = compare.tolerances(beside, [compare.as_pairs(beside, run) for run in runs], case.dtype)
    return {name: np.maximum(own[name], room[name]) for name in own}


def _met(case: Case, truth: Truth) -> Met:
    """The kinks that the case meets exactly."""
    met: Met = {}
    for node in case.nodes:
        x = [truth.values[n] for n in node.inputs] if kinks(node) else []
        for kink in kinks(node):
            on = argument(node, x) == np.asarray(kink.at, case.dtype)
            if on.any():
                met.setdefault((node.op, kink.at), []).append((node, kink, on * _step(node, x, case.dtype)))
    return met


def _guesses(
    met: Met, kept: Pairs, chosen: Callable[[dict[str, Choice]], Pairs], declared: Declared
) -> Iterator[dict[Place, float]]:
    """One λ for each place: as declared; what libraries choose, in every combination; then what fits best."""
    places = list(met)[:4]
    usual = {place: met[place][0][1].torch for place in met}
    said = {place: _declared(met, place, declared) for place in met}
    if said != usual:
        yield said
    for weights in product(COMMON, repeat=len(places)):
        lambdas = usual | dict(zip(places, weights, strict=True))
        if lambdas != usual:
            yield lambdas
    if met:
        yield from _fitted(met, usual, places, kept, chosen)


def _fitted(
    met: Met, usual: dict[Place, float], places: list[Place], kept: Pairs, chosen: Callable[..., Pairs]
) -> Iterator[dict[Place, float]]:
    """The λ between 0 and 1 that explain the answer best: gradients are affine in each of them."""

    def flat(pairs: Pairs) -> Array:
        return np.concatenate([np.ravel(x) for _, _, x in pairs])

    base = flat(chosen(_choices(met, usual)))
    slopes = []
    for place in places:
        other = 0.0 if usual[place] == 1 else 1.0
        moved = flat(chosen(_choices(met, usual | {place: other})))
        slopes.append((moved - base) / (other - usual[place]))
    got = np.concatenate([np.ravel(x) for _, x, _ in kept]).astype(float)
    matrix = np.stack(slopes, 1)
    use = np.isfinite(matrix).all(1) & np.isfinite(got - base)
    found = np.linalg.lstsq(matrix[use], (got - base)[use], rcond=None)[0]
    lambdas = {place: round(usual[place] + float(d), 12) for place, d in zip(places, found, strict=True)}
    if all(0 <= value <= 1 for value in lambdas.values()) and lambdas != {p: usual[p] for p in places}:
        yield usual | lambdas


def _choices(met: Met, lambdas: Mapping[Place, float]) -> dict[str, Choice]:
    """What each node does at its kinks."""
    parts: dict[str, list[tuple[Array, float]]] = {}
    for place, uses in met.items():
        for node, _, step in uses:
            parts.setdefault(node.name, []).append((step, lambdas[place]))
    return {name: _choice(uses) for name, uses in parts.items()}


def _told(met: Met, lambdas: Mapping[Place, float]) -> str:
    told = [
        f"{op} at {at:g}: {w:g} of the right slope (torch {met[op, at][0][1].torch:g})"
        for (op, at), w in lambdas.items()
        if w != met[op, at][0][1].torch
    ]
    return "another slope at a kink: " + "; ".join(told)


def _as_declared(met: Met, lambdas: Mapping[Place, float], declared: Declared) -> bool:
    """Whether every slope that is not torch's is the one that the subject declares."""
    usual = {place: uses[0][1].torch for place, uses in met.items()}
    return all(w == usual[p] or abs(_declared(met, p, declared) - w) <= 1e-6 for p, w in lambdas.items())


def _declared(met: Met, place: Place, declared: Declared) -> float:
    """The weight of the right slope that the subject declares for a kink; torch's where it declares none."""
    op, at = place
    node, kink, _ = met[place][0]
    if op not in declared:
        return kink.torch
    k = [point.at for point in kinks(node)].index(at)
    return declared[op][min(k, len(declared[op]) - 1)]


def _surely_on(case: Case, truth: Truth, choices: dict[str, Choice]) -> bool:
    """Whether the entries lie on their kinks in exact arithmetic too, and not by the luck of rounding."""
    for node in case.nodes:
        shifts = [shift for _, shift in choices[node.name].parts] if node.name in choices else []
        for index in np.argwhere(np.any(shifts, axis=0))[:4] if shifts else ():
            names = node.inputs[: 2 if node.op in RESIDUAL else 1]
            if not all(_is_exact(case, truth, name, tuple(int(i) for i in index)) for name in names):
                return False
    return True


def _is_exact(case: Case, truth: Truth, name: str, index: tuple[int, ...]) -> bool:
    if name in case.inputs:
        return True
    try:
        ball = output(case, name, index)
    except Undecided:
        return True
    return ball.low == ball.high == truth.values[name][index]


def _choice(uses: list[tuple[Array, float]]) -> Choice:
    """One node's kinks, each with its weight of the right slope: every combination of sides, weighted."""
    parts = []
    for sides in product((-1, 1), repeat=len(uses)):
        weight = float(np.prod([w if side > 0 else 1 - w for side, (_, w) in zip(sides, uses, strict=True)]))
        if weight:
            parts.append((weight, np.sum([side * step for side, (step, _) in zip(sides, uses, strict=True)], axis=0)))
    return Choice(tuple(parts))


def _step(node: Node, x: list[Array], dtype: str) -> Array:
    """The smallest step that surely leaves a kink: one that is not lost beside the numbers it is added to."""
    size = np.maximum(np.abs(x[0]), np.abs(x[1])) if node.op in RESIDUAL else np.abs(x[0])
    return np.maximum(size * float(np.finfo(np.float64).eps) * 4, float(np.finfo(dtype).tiny))


_SIDES = 6


def _sides(case: Case, truth: Truth, near: dict[str, Array]) -> Iterator[dict[str, Choice]]:
    """Every assignment of sides to the few entries for which rounding decides the side."""
    entries = [(name, tuple(int(i) for i in at)) for name, mask in near.items() for at in np.argwhere(mask)]
    if not 0 < len(entries) <= _SIDES:
        return
    by_name = {node.name: node for node in case.nodes}
    for signs in product((-1, 1), repeat=len(entries)):
        shifts = {name: np.zeros(mask.shape) for name, mask in near.items()}
        for sign, (name, at) in zip(signs, entries, strict=True):
            node = by_name[name]
            x = [truth.values[n] for n in node.inputs]
            z = argument(node, x)[at]
            point = min((k.at for k in kinks(node)), key=lambda p: abs(z - p))
            shifts[name][at] = point - z + sign * _step(node, x, case.dtype)[at]
        yield {name: Choice(((1.0, shift),), exact=False) for name, shift in shifts.items()}
