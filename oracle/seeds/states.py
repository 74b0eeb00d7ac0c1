"""Breaches of contract, state that leaks, and naive formulas in floating-point numbers, in NumPy."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

import reference
from oracle.seeds.losses import handed, shifted_bce, shifted_logits, shifted_softmax
from oracle.seeds.planting import Seed, answering, bent
from oracle.spec import Answer, Case
from reference.activations import sigmoid
from reference.backprop import hidden_errors, output_error
from reference.classification import class_axis
from reference.layer import Array
from reference.leaky import ALPHA, SCALE
from reference.losses import reduced
from reference.softmax import axis_of

# --------------------------------------------------------------------------------------------------- the whole answer


Spoil = Callable[[Case, Answer], Answer]


def spoilt(code: str, spoil: Callable[[Case, dict[str, Array]], dict[str, Array]], ops: str = "",
           profile: str = "standard") -> Seed:  # fmt: skip
    """The gradients of the finished answer changed."""

    def change(case: Case, answer: Answer) -> Answer:
        return Answer(loss=answer.loss, gradients=spoil(case, answer.gradients), buffers=answer.buffers)

    return answering(code, ops, lambda: change, profile)


def each(code: str, change: Callable[[Array], Array]) -> Seed:
    """Every gradient changed."""
    return spoilt(code, lambda case, gradients: {name: change(g) for name, g in gradients.items()})


def parameters(case: Case, ops: str) -> list[str]:
    """The parameters of these operators."""
    return [node.parameter(role) for node in case.nodes if node.op in ops.split() for role in ("weight", "bias")
            if node.parameter(role) in case.parameters]  # fmt: skip


def accumulating(ops: str) -> Callable[[], Spoil]:
    """Adds the gradients of these operators' parameters (none: every gradient) to those of the calls before."""

    def make() -> Spoil:
        sums: dict[str, Array] = {}

        def spoil(case: Case, answer: Answer) -> Answer:
            for name in dict.fromkeys(parameters(case, ops) if ops else answer.gradients):
                old, g = sums.get(name), answer.gradients[name]
                fits = old is not None and old.shape == g.shape and old.dtype == g.dtype
                sums[name] = answer.gradients[name] = np.asarray(g + old if fits else g)
            return answer

        return spoil

    return make


def alike(case: Case) -> list[list[str]]:
    """The parameters of each shape, in order."""
    groups: dict[tuple[int, ...], list[str]] = {}
    for name, x in case.parameters.items():
        groups.setdefault(x.shape, []).append(name)
    return list(groups.values())


def in_reverse(case: Case, gradients: dict[str, Array]) -> dict[str, Array]:
    """Names and gradients in two orders, among parameters of one shape."""
    swaps = [pair for group in alike(case) for pair in zip(group, group[::-1], strict=True)]
    return gradients | {name: gradients[other] for name, other in swaps}


def as_text(case: Case, gradients: dict[str, Array]) -> dict[str, Array]:
    """The layers of one kind in the order of their names as text; where a shape does not fit, the right gradient."""
    kinds: dict[str, list[str]] = {}
    for name in case.parameters:
        kinds.setdefault(re.sub(r"\d+", "", name), []).append(name)
    pairs = [p for names in kinds.values() for p in zip(sorted(names), _by_number(names), strict=True)]
    return gradients | {a: gradients[b] for a, b in pairs if gradients[a].shape == gradients[b].shape}


def _by_number(names: list[str]) -> list[str]:
    return sorted(names, key=lambda name: [int(k) for k in re.findall(r"\d+", name)])


def one_buffer(case: Case, gradients: dict[str, Array]) -> dict[str, Array]:
    """Of all parameters of one shape, what is written last: walking back, the gradient of the first."""
    return gradients | {name: gradients[group[0]] for group in alike(case) for name in group}


def whole_numbers(case: Case, gradients: dict[str, Array]) -> dict[str, Array]:
    """Truncated for every parameter of whole numbers, as if it had come as integers."""
    whole = [name for name, x in case.parameters.items() if np.array_equal(x, np.trunc(x))]
    return gradients | {name: np.trunc(gradients[name]) for name in whole}


def refused(case: Case, gradients: dict[str, Array]) -> dict[str, Array]:
    """Raises for a batch of 0."""
    if not case.inputs[case.nodes[0].inputs[0]].shape[0]:
        raise ValueError("a batch of 0 samples")
    return gradients


def uninitialised() -> Spoil:
    """Other numbers at every call where nothing is written: gradients of zero throughout."""
    rng = np.random.default_rng(0)

    def spoil(case: Case, answer: Answer) -> Answer:
        for name, g in answer.gradients.items():
            if not g.any():
                answer.gradients[name] = rng.standard_normal(g.shape).astype(g.dtype)
        return answer

    return spoil


def noisy() -> Spoil:
    """Randomness of its own: a thousandth of every gradient of a Linear."""
    rng = np.random.default_rng(0)

    def spoil(case: Case, answer: Answer) -> Answer:
        for name in dict.fromkeys(parameters(case, "Linear")):
            g = answer.gradients[name]
            answer.gradients[name] = (g * (1 + 1e-3 * rng.standard_normal(g.shape))).astype(g.dtype)
        return answer

    return spoil


def stale(ops: str) -> Callable[[], Spoil]:
    """What these operators (none: all) save in the first call with a graph is used in every later one."""

    def make() -> Spoil:
        caches: dict[Any, dict[str, Any]] = {}

        def spoil(case: Case, answer: Answer) -> Answer:
            net, theta = reference.Network(case.nodes, case.training), case.state()
            trace = reference.forward(net, theta, case.inputs)
            key = repr((case.nodes, case.training, [(n, x.shape, x.dtype) for n, x in case.inputs.items()]))
            first = caches.setdefault(key, trace.saved)
            kept = {n.name for n in case.nodes if not ops or n.op in ops.split()}
            trace = replace(trace, saved={n: first[n] if n in kept else s for n, s in trace.saved.items()})
            deltas = hidden_errors(net, theta, trace, output_error(net, theta, trace))
            answer.gradients |= reference.partials(net, theta, trace, deltas)
            answer.gradients |= {name: deltas[name] for name in answer.gradients if name in deltas}
            return answer

        return spoil

    return make


# ---------------------------------------------------------------------------------------------------- parts of a layer


def partial(code: str, ops: str, change: Callable[[Array, Array], Array], *roles: str) -> Seed:
    """The partials of these parameters (none: of all) changed: (δ, right partial) -> partial."""

    def partials(self: Any, right: Any, p: Any, saved: Any, delta: Array) -> dict[str, Array]:
        found = right(p, saved, delta)
        return {role: change(delta, g) if role in roles or not roles else g for role, g in found.items()}

    return bent(code, ops, partials=partials)


def down(code: str, ops: str, change: Callable[[Array], Array]) -> Seed:
    """Every error signal that a layer hands down changed."""
    return bent(code, ops, backward=lambda self, right, *a: tuple(
        None if d is None else change(d) for d in right(*a)))  # fmt: skip


def spoiling(code: str, ops: str, spoil: Callable[[Any, tuple[Array, ...]], None]) -> Seed:
    """The right forward pass, which then overwrites an input."""

    def forward(self: Any, right: Any, p: Any, *x: Array) -> Any:
        found = right(p, *(v.copy() for v in x))
        spoil(self, x)
        return found

    return bent(code, ops, forward=forward)


def cut_below(self: Any, x: tuple[Array, ...]) -> None:
    """x[x < 0] = 0."""
    x[0][x[0] < 0] = 0


def drop(self: Any, x: tuple[Array, ...]) -> None:
    """x *= mask."""
    if self.training:
        x[0][~x[1]] = 0


def residual(self: Any, x: tuple[Array, ...]) -> None:
    """t −= y."""
    x[1][...] -= x[0]


def single(g: Array) -> Array:
    """Through float32 and back."""
    return g.astype(np.float32).astype(g.dtype)


def single_mean(self: Any, right: Any, p: Any, x: Any, delta: Array) -> tuple[Array, ...]:
    """1/n in float32."""
    n = max(1, x[0].size)
    return right(p, x, delta * (float(np.float32(1 / n)) * n) if self.reduction == "mean" else delta)


def unit(g: Array) -> Array:
    """g / max(1, ‖g‖)."""
    return g / max(1, float(np.linalg.norm(g)))


# ------------------------------------------------------------------------------------------------------ naive formulas


def naive_sigmoid(z: Array) -> Array:
    """eᶻ/(1 + eᶻ)."""
    e = np.exp(z)
    return e / (1 + e)


def naive_softplus(z: Array) -> Array:
    """log(1 + eᶻ)."""
    return np.log(1 + np.exp(z))


def naive_softmax(z: Array, axis: int) -> Array:
    """eᶻ / Σ eᶻ."""
    e = np.exp(z)
    return e / e.sum(axis, keepdims=True)


def naive_log_softmax(z: Array, axis: int) -> Array:
    """z − log Σ eᶻ."""
    return z - np.log(np.exp(z).sum(axis, keepdims=True))


def silu_slope(self: Any, right: Any, z: Array, a: Array) -> Array:
    """s + z s (1 − s)."""
    s = naive_sigmoid(z)
    return s + z * s * (1 - s)


def mish_slope(self: Any, right: Any, z: Array, a: Array) -> Array:
    """τ + z (1 − τ²) s with τ = tanh(log(1 + eᶻ))."""
    tau = np.tanh(naive_softplus(z))
    return tau + z * (1 - np.square(tau)) * naive_sigmoid(z)


def glu(self: Any, right: Any, p: Any, *x: Array) -> tuple[Array, Any]:
    """a ⊙ σ(b)."""
    _, (a, b) = right(p, *x)
    return a * naive_sigmoid(b), (a, b)


def glu_back(self: Any, right: Any, p: Any, saved: Any, delta: Array) -> tuple[Array, ...]:
    """δ s and δ a s (1 − s)."""
    a, b = saved
    s = naive_sigmoid(b)
    return (np.concatenate([delta * s, delta * a * s * (1 - s)], self.dim),)


def softplus_value(self: Any, right: Any, z: Array, a: Any = None) -> Array:
    """log(1 + e^{βz})/β, but for the line where eᵘ is finite and the threshold passed."""
    u = self.beta * z
    return np.where((u > self.threshold) & np.isfinite(np.exp(u)), z, naive_softplus(u) / self.beta)


def softplus_slope(self: Any, right: Any, z: Array, a: Array) -> Array:
    """eᵘ/(1 + eᵘ), likewise."""
    u = self.beta * z
    return np.where((u > self.threshold) & np.isfinite(np.exp(u)), 1, naive_sigmoid(u)).astype(z.dtype)


def overflowing_cost(self: Any, right: Any, z: Array, t: Array) -> Array:
    """w (q t log(1 + e⁻ᶻ) + (1 − t) log(1 + eᶻ))."""
    w, q = self._weights(z)
    return w * (q * t * naive_softplus(-z) + (1 - t) * naive_softplus(z))


def overflowing_slopes(self: Any, right: Any, z: Array, t: Array) -> tuple[Array, Array]:
    """The slopes of `overflowing_cost`."""
    w, q = self._weights(z)
    to_z = (1 - t) * naive_sigmoid(z) - q * t * naive_sigmoid(-z)
    to_t = -z if self.pos_weight is None else (q - 1) * naive_softplus(-z) - z
    return w * to_z, w * to_t


def rounded_cost(self: Any, right: Any, z: Array, t: Array) -> Array:
    """−w (q t log σ + (1 − t) log(1 − σ))."""
    (w, q), y = self._weights(z), sigmoid(z)
    return w * -(q * t * np.log(y) + (1 - t) * np.log(1 - y))


def rounded_slopes(self: Any, right: Any, z: Array, t: Array) -> tuple[Array, Array]:
    """The slopes of `rounded_cost`, σ − t where nothing is weighted."""
    (w, q), y = self._weights(z), sigmoid(z)
    return w * ((1 - t) * y - q * t * (1 - y)), w * (np.log(1 - y) - q * np.log(y))


def cross_entropy(self: Any, right: Any, p: Any, *x: Array) -> tuple[Array, Any]:
    """−Σ w t (z − log Σ eᶻ)."""
    goal, axis = right(p, *x)[1][2], class_axis(x[0])
    log_y = naive_log_softmax(x[0], axis)
    costs = -np.where(goal.t != 0, goal.t * log_y, 0).sum(axis)
    return reduced(costs, self.reduction, goal.n), (log_y, naive_softmax(x[0], axis), goal)


def naive_group(code: str, op: str, change: Callable[[Array, int], Any]) -> Seed:
    """The softmax family: another forward pass, and what it saves: (z, axis) -> (y, saved)."""
    return bent(code, op, forward=lambda self, right, p, z: change(z, axis_of(self.dim, z)))


def cut(y: Array, delta: Array) -> Array:
    """0 where y is clipped."""
    return np.where((y < 1e-7) | (y > 1 - 1e-7), 0, delta)


def masked(code: str, op: str, left: Callable[[Any, Array], Array], right_slope: float) -> Seed:
    """Both sides of a corner at 0 computed everywhere and multiplied by 0 and 1."""
    return bent(code, op, slope=lambda self, right, z, a: (
        (z > 0) * z.dtype.type(right_slope) + (z <= 0) * left(self, z)))  # fmt: skip


def masked_softplus(self: Any, right: Any, z: Array, a: Array) -> Array:
    """The line and the curve, each times its mask."""
    u = self.beta * z
    return (u > self.threshold) + (u <= self.threshold) * naive_sigmoid(u)


SEEDS: tuple[Seed, ...] = (
    answering("P101", "", accumulating("")),
    answering("P101", "Linear", accumulating("Linear")),
    partial("P102", "Linear", lambda delta, g: delta.reshape(-1, delta.shape[-1]), "bias"),
    partial("P102", "BatchNorm1d", lambda delta, g: delta, "bias"),
    partial("P103", "Linear", lambda delta, g: g.T, "weight"),
    spoiling("P104", "ReLU", cut_below),
    spoiling("P104", "Dropout", drop),
    spoiling("P104", "MSELoss", residual),
    partial("P105", "Linear", lambda delta, g: g.astype(np.float64)),
    down("P105", "MSELoss", lambda d: d.astype(np.float64)),
    each("P105", lambda g: g.astype(np.float32)),
    each("P106", np.squeeze),
    partial("P106", "Linear", lambda delta, g: np.squeeze(g)),
    spoilt("P107", in_reverse),
    spoilt("P108", as_text, profile="deep"),
    spoilt("P109", one_buffer),
    spoilt("P110", lambda case, gradients: {
        name: g for name, g in gradients.items() if ".bias" not in name or name not in parameters(case, "Linear")},
        "Linear"),
    spoilt("P110", lambda case, gradients: {
        name: g for name, g in gradients.items() if name != case.nodes[0].inputs[0]}),
    spoilt("P111", refused),
    partial("P111", "Linear", lambda delta, g: g * np.divide(len(delta), len(delta)).astype(g.dtype)),
    answering("P112", "", uninitialised),
    answering("P112", "Linear", noisy),
    answering("P113", "", stale("")),
    answering("P113", "Tanh Sigmoid", stale("Tanh Sigmoid")),
    answering("P113", "Linear", stale("Linear")),
    spoilt("P114", whole_numbers),
    bent("X101", "Sigmoid", sigma=lambda self, right, z: naive_sigmoid(z), slope=lambda self, right, z, a: a * (1 - a)),
    bent("X101", "SiLU", sigma=lambda self, right, z: z * naive_sigmoid(z), slope=silu_slope),
    bent("X101", "GLU", "stress", forward=glu, backward=glu_back),
    bent("X102", "Softplus", sigma=softplus_value, slope=softplus_slope),
    bent("X102", "Mish", "stress", sigma=lambda self, right, z: z * np.tanh(naive_softplus(z)), slope=mish_slope),
    bent("X102", "BCEWithLogitsLoss", cost=overflowing_cost, slopes=overflowing_slopes),
    bent("X103", "LogSigmoid", "stress", sigma=lambda self, right, z: np.log(sigmoid(z)),
         slope=lambda self, right, z, a: 1 - sigmoid(z)),
    naive_group("X104", "Softmax", lambda z, axis: (naive_softmax(z, axis),) * 2),
    naive_group("X104", "Softmin", lambda z, axis: (naive_softmax(-z, axis),) * 2),
    naive_group("X105", "LogSoftmax", lambda z, axis: (
        y := naive_log_softmax(z, axis), (y, naive_softmax(z, axis)))),
    bent("X105", "CrossEntropyLoss", forward=cross_entropy),
    bent("X106", "BCEWithLogitsLoss", cost=rounded_cost, slopes=rounded_slopes),
    handed("X107", "BCEWithLogitsLoss", lambda self, x, delta: cut(sigmoid(x[0]), delta)),
    handed("X107", "BCELoss", lambda self, x, delta: cut(x[0], delta)),
    handed("X107", "CrossEntropyLoss", lambda self, saved, delta: cut(saved[1], delta)),
    shifted_bce("X108", 1e-8),
    shifted_logits("X108", 1e-8),
    shifted_softmax("X108", 1e-8),
    bent("X109", "Linear", backward=lambda self, right, p, x, delta: (delta @ single(p["weight"]),)),
    bent("X109", "Tanh", slope=lambda self, right, z, a: np.square(single(1 / np.cosh(z)))),
    bent("X109", "MSELoss", backward=single_mean),
    *(down("X110", op, lambda d: np.where(np.abs(d) < 1e-8, 0, d)) for op in ("Linear", "Sigmoid", "Softmax")),
    *(partial("X111", op, lambda delta, g: unit(g)) for op in ("Linear", "BatchNorm1d")),
    masked("X112", "ELU", lambda self, z: self.alpha * np.exp(z), 1.0),
    masked("X112", "CELU", lambda self, z: np.exp(z / self.alpha), 1.0),
    masked("X112", "SELU", lambda self, z: SCALE * ALPHA * np.exp(z), SCALE),
    bent("X112", "Softplus", slope=masked_softplus),
)  # fmt: skip
