"""Who is right: the true partial of a case as a proven ball.

    partial(case, "h1.weight", (0, 2))  ->  Ball(low, high, mid): low ≤ ∂L/∂w ≤ high, proven

A ball is an enclosure by `arb` (F. Johansson, Arb: efficient arbitrary-precision midpoint-radius interval
arithmetic, 2017). Partials are found in forward mode (`dual.py`), so that no backward formula is trusted, not
even torch's; forward formulas are textbook definitions (`activations.py`, `layers.py`, `losses.py`,
`update.py`). Precision grows until a ball is narrow, or a branch is decided. The numbers of the case, and the
floats among its attributes, are taken as exact.
"""

import itertools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import flint
import numpy as np
from flint import arb

from oracle.arbiter.activations import ACTIVATIONS
from oracle.arbiter.dual import ONE, Dual, Straddles, Undecided, balls, zeros
from oracle.arbiter.layers import LAYERS
from oracle.arbiter.losses import LOSSES
from oracle.arbiter.site import Formula, Site
from oracle.arbiter.update import EXECUTION, RULES, unknown_options
from oracle.spec import Case, Node, UpdateCase

__all__ = ["FORMULAS", "LIMIT", "Ball", "Undecided", "buffer", "cost", "loss", "output", "partial", "updated"]

FORMULAS: dict[str, Formula] = {**ACTIVATIONS, **LAYERS, **LOSSES}
"""The forward pass of every operator that the arbiter knows."""
LIMIT = 5_000_000
"""Scalar multiplications of a forward pass above which no partial is attempted."""
MOST = 4096
"""Bits of precision after which a ball is returned as wide as it is."""
NARROW, TINY = arb(2) ** -80, arb(2) ** -1200
"""A ball is settled when its radius is this small relative to its middle, or (below float64) absolutely."""

Index = tuple[int, ...]
State = dict[str, Any]


@dataclass(frozen=True)
class Ball:
    """A proven enclosure of a real number: low ≤ it ≤ high, rounded outwards to float64."""

    low: float
    high: float
    mid: str
    """The middle, in 25 digits."""

    def __contains__(self, x: float) -> bool:
        return self.low <= x <= self.high

    def distance(self, x: float) -> float:
        """How far x is from the true number, at least."""
        return max(self.low - x, x - self.high, 0.0)


@dataclass(frozen=True)
class _Pass:
    """A forward pass over balls, whose every option is settled."""

    case: Case
    slopes: Mapping[str, Any]
    exact_softplus: bool

    def run(self, wanted: set[str], seed: tuple[str, Index] | None = None) -> tuple[dict[str, Any], State]:
        """Every tensor made by the wanted nodes, and the state after them; the tangent is ∂/∂(seed)."""
        state = {name: _lift(x, name, seed) for name, x in self.case.state().items()}
        values = {name: _lift(x, name, seed) for name, x in self.case.inputs.items()}
        for node in self.case.nodes:
            if node.name in wanted:
                site = Site(node, self.case, state, self.slopes, self.exact_softplus)
                y = _formula(node)(site, *(values[name] for name in node.inputs))
                values.update(_named(node, y))
        return values, state


def _lift(x: Any, name: str, seed: tuple[str, Index] | None) -> Any:
    """A real tensor as exact balls, with tangent 1 at the seed; integers and masks as they are."""
    if x.dtype.kind != "f":
        return x
    if seed is None or seed[0] != name:
        return Dual(balls(x))
    d = zeros(x.shape)
    d[seed[1]] = ONE
    return Dual(balls(x), d)


def _named(node: Node, y: Any) -> dict[str, Any]:
    return {f"{node.name}:{k}": part for k, part in enumerate(y)} if isinstance(y, tuple) else {node.name: y}


def _formula(node: Node) -> Formula:
    if node.op not in FORMULAS:
        raise Undecided(f"{node.name}: the arbiter has no formula for {node.op}")
    return FORMULAS[node.op]


# ---------------------------------------------------------------------------------------------- what is asked


def partial(
    case: Case,
    tensor: str,
    index: Index,
    *,
    bits: int = 128,
    slopes: Mapping[str, Any] | None = None,
    exact_softplus: bool = False,
) -> Ball:
    """The true ∂L/∂tensor[index].

    At a kink the slope is (1 − λ) left + λ right, with λ = slopes[op], or torch's where it is not given; slopes[name]
    is for one node, and may be an array with a λ for each entry.
    `exact_softplus` proves Softplus without its threshold. Raises `Undecided`.
    """
    _check(case, tensor, index)
    name, wanted = case.spec.loss.name, case.spec.ancestors(case.spec.loss)
    forward = _Pass(case, slopes or {}, exact_softplus)
    return _enclose(lambda: forward.run(wanted, (tensor, index))[0][name].tangent[()], bits, cost(case))


def _check(case: Case, tensor: str, index: Index) -> None:
    """Raise KeyError or IndexError for what has no partial."""
    if tensor not in case.wanted():
        raise KeyError(f"{tensor!r} is no real tensor of this case; there are {', '.join(case.wanted())}")
    shape = (case.parameters if tensor in case.parameters else case.inputs)[tensor].shape
    if len(index) != len(shape) or any(not 0 <= i < n for i, n in zip(index, shape, strict=True)):
        raise IndexError(f"{list(index)} is no index of {tensor}, whose shape is {list(shape)}")


def loss(case: Case, *, bits: int = 128, exact_softplus: bool = False) -> Ball:
    """The true loss. Raises `Undecided`."""
    return output(case, case.spec.loss.name, (), bits=bits, exact_softplus=exact_softplus)


def output(case: Case, name: str, index: Index, *, bits: int = 128, exact_softplus: bool = False) -> Ball:
    """One entry of a node's true output; "c:1" is the second output of c. Raises `Undecided`."""
    wanted = {node.name for node in case.nodes if node.name == name.partition(":")[0]}
    for node in [node for node in case.nodes if node.name in wanted]:
        wanted |= case.spec.ancestors(node)
    forward = _Pass(case, {}, exact_softplus)
    return _enclose(lambda: forward.run(wanted)[0][name].v[index], bits, cost(case))


def buffer(case: Case, name: str, index: Index, *, bits: int = 128) -> Ball:
    """One entry of a true running statistic after the pass. Raises `Undecided`."""
    users = [n for n in case.nodes if name.partition(".")[0] == n.name or name in n.params.values()]
    wanted = set().union(*(case.spec.ancestors(node) for node in users))
    forward = _Pass(case, {}, False)
    return _enclose(lambda: _entry(forward.run(wanted)[1][name], index), bits, cost(case))


def _entry(x: Any, index: Index) -> arb:
    return x.v[index] if isinstance(x, Dual) else arb(int(np.asarray(x)[index]))


def updated(case: UpdateCase, step: int, tensor: str, index: Index, *, bits: int = 128) -> Ball:
    """One true entry of a parameter in `UpdateAnswer.steps[step]`. Raises `Undecided`."""
    if case.op not in RULES:
        raise Undecided(f"the arbiter has no update rule for {case.op}; it has {', '.join(RULES)}")
    options = {name: value for name, value in case.attrs.items() if name not in EXECUTION}
    if unknown := unknown_options(case.op, options):
        raise Undecided(f"the arbiter's {case.op} knows no option {unknown[0]!r}")

    def evaluate() -> arb:
        gradients = (arb(float(g[tensor][index])) for g in case.gradients)
        steps = RULES[case.op](arb(float(case.parameters[tensor][index])), gradients, **options)
        return next(itertools.islice(steps, step, None))

    return _enclose(evaluate, bits, 20 * (step + 1))


# --------------------------------------------------------------------------------------- precision and effort


def cost(case: Case) -> int:
    """About how many scalar multiplications a forward pass takes; nothing is computed."""
    state = case.state()
    rows = max((x.size // max(x.shape[-1], 1) for x in case.inputs.values() if x.ndim), default=1)
    weights = [state[w].size for node in case.nodes if (w := node.parameter("weight")) in state]
    entries = sum(x.size for x in case.inputs.values()) * len(case.nodes)
    return rows * sum(weights) + entries


def _enclose(evaluate: Callable[[], arb], bits: int, effort: int) -> Ball:
    """Evaluate with growing precision until the ball is narrow, or there is no more to gain or to spend."""
    if effort > LIMIT:
        raise Undecided(f"a proof would take about {effort:,} multiplications, more than {LIMIT:,}: shrink the case")
    while True:
        last = bits >= MOST or effort * bits > LIMIT * 128
        with flint.ctx.workprec(bits):
            try:
                ball = evaluate()
            except Straddles:
                if last:
                    raise
            else:
                if last or _settled(ball):
                    return _rounded(ball)
        bits = min(4 * bits, MOST)


def _settled(ball: arb) -> bool:
    radius = ball.rad()
    return bool(ball.is_finite() and (radius <= TINY or radius <= NARROW * abs(ball.mid())))


def _rounded(ball: arb) -> Ball:
    """A ball as two floats around it."""
    if not ball.is_finite():
        raise Undecided("the true value is infinite, undefined, or beyond the arbiter's precision")
    low, high = ball.lower(), ball.upper()
    return Ball(_toward(low, -math.inf), _toward(high, math.inf), ball.mid().str(25, radius=False))


def _toward(x: arb, direction: float) -> float:
    """The float nearest to an exact x on the side of `direction`."""
    near = float(x)
    wrong = arb(near) > x if direction < 0 else arb(near) < x
    return (math.nextafter(near, direction) if wrong else near) + 0.0  # never −0
