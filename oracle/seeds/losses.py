"""Losses, reductions and signs gone wrong, in NumPy.

A loss of y − t hands its target −δ: where its slope is wrong, the target hears it too. A loss whose two slopes are two
formulas (the cross-entropies) is wrong in that of the prediction alone.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from oracle.seeds.planting import Seed, _bent, bent
from reference.activations import gate, sigmoid
from reference.classification import class_axis, class_weights, label_masks
from reference.layer import LAYERS, Array, Layer
from reference.losses import reduced, shared
from reference.softmax import excess, softmax, softmax_error

# ------------------------------------------------------------------------------------------------------------- helpers


def like(layer: Layer, **attrs: Any) -> Any:
    """The right layer of the same operator, with other arguments."""
    return LAYERS[type(layer).__name__](**(vars(layer) | attrs))


def reduction(**instead: str) -> Callable[[Any], Any]:
    """The right loss with other reductions than were asked for: mean="sum"."""
    return lambda self: like(self, reduction=instead.get(self.reduction, self.reduction))


def default(self: Any) -> Any:
    """The right layer with the default arguments."""
    return LAYERS[type(self).__name__](**{key: v for key, v in vars(self).items() if key in ("reduction", "training")})


def both(code: str, ops: str, make: Callable[[Any], Any]) -> Seed:
    """Both passes are those of another layer."""
    return bent(
        code,
        ops,
        forward=lambda self, right, *a: make(self).forward(*a),
        backward=lambda self, right, *a: make(self).backward(*a),
    )


def back(code: str, ops: str, make: Callable[[Any], Any]) -> Seed:
    """The backward pass is that of another layer."""
    return bent(code, ops, backward=lambda self, right, *a: make(self).backward(*a))


def saved(code: str, ops: str, make: Callable[[Any], Any]) -> Seed:
    """The value is right, but the backward pass sees what another layer has saved."""
    return bent(code, ops, forward=lambda self, right, *a: (right(*a)[0], make(self).forward(*a)[1]))


def upstream(code: str, ops: str, change: Callable[[Any, Any, Array], Array]) -> Seed:
    """The loss answers to another δ than its own: (loss, saved, δ) -> δ."""
    return bent(code, ops, backward=lambda self, right, p, saved, delta: right(p, saved, change(self, saved, delta)))


def handed(code: str, ops: str, change: Callable[[Any, Any, Array], Array]) -> Seed:
    """The loss hands something else to its prediction: (loss, saved, right δ) -> δ."""

    def backward(self: Any, right: Any, p: Any, saved: Any, delta: Array) -> tuple[Any, ...]:
        to_y, *rest = right(p, saved, delta)
        return change(self, saved, to_y), *rest

    return bent(code, ops, backward=backward)


def partial(code: str, ops: str, change: Callable[[Array, Array], Array], *roles: str) -> Seed:
    """The partials of these parameters changed: (δ, right partial) -> partial."""

    def partials(self: Any, right: Any, p: Any, saved: Any, delta: Array) -> dict[str, Array]:
        return {role: change(delta, g) if role in roles else g for role, g in right(p, saved, delta).items()}

    return bent(code, ops, partials=partials)


def slope(code: str, ops: str, change: Callable[[Any, Array, Array], Array]) -> Seed:
    """Another ∂cost/∂y: (loss, y, t) -> slope; that of the target is right."""
    return bent(code, ops, slopes=lambda self, right, y, t: (change(self, y, t), right(y, t)[1]))


def rise(code: str, ops: str, change: Callable[[Any, Array], Array]) -> Seed:
    """Another cost′(d): (loss, d) -> slope, for the target too."""
    return bent(code, ops, rise=lambda self, right, d: change(self, d))


# --------------------------------------------------------------------------------------------- reductions and signs


def batch(loss: Any, saved: Any) -> int:
    """How many samples there are, or 1."""
    if type(loss).__name__ in ("CrossEntropyLoss", "NLLLoss"):
        y = saved[1] if len(saved) == 3 else saved[0]
        return max(1, y.size // y.shape[class_axis(y)])
    return max(1, len(saved[0]))


def entries(loss: Any, saved: Any) -> float:
    """What the mean divides by."""
    if type(loss).__name__ in ("CrossEntropyLoss", "NLLLoss"):
        return float(saved[2].n if len(saved) == 3 else saved[2])
    return max(1, saved[0].size)


def units(loss: Any, saved: Any) -> int:
    """The entries of one sample."""
    return int(np.prod(saved[0].shape[1:]))


def times(wanted: str, factor: Callable[[Any, Any], float]) -> Callable[[Any, Any, Array], Array]:
    """δ multiplied, for this reduction."""
    return lambda self, saved, delta: delta * factor(self, saved) if self.reduction == wanted else delta


def over(wanted: str, divisor: Callable[[Any, Any], float]) -> Callable[[Any, Any, Array], Array]:
    """δ divided, for these reductions."""
    return lambda self, saved, delta: delta / divisor(self, saved) if self.reduction in wanted.split() else delta


def by_batch(code: str, ops: str, weighted: bool, in_both: bool = False) -> Seed:
    """The mean of losses with labels, weighted or not, divided by the number of all samples."""

    def forward(self: Any, right: Any, p: Any, *x: Array) -> tuple[Array, Any]:
        value, saved = right(p, *x)
        n = x[1].size
        if x[1].dtype.kind == "f" or (self.weight is not None) != weighted or self.reduction != "mean":
            return value, saved
        if in_both:
            value = np.asarray(like(self, reduction="sum").forward(p, *x)[0] / n)
        return value, (*saved[:2], saved[2]._replace(n=n)) if len(saved) == 3 else (*saved[:2], n, saved[3])

    return bent(code, ops, forward=forward)


def negated(code: str, ops: str) -> Seed:
    """A layer that hands down −δ."""
    return bent(code, ops, backward=lambda self, right, *a: tuple(None if d is None else -d for d in right(*a)))


def same_to_target(code: str, ops: str) -> Seed:
    """A loss whose target hears what the prediction hears."""
    return bent(code, ops, backward=lambda self, right, *a: (right(*a)[0],) * 2)


def scaled_both(code: str, ops: str, factor: Callable[[Any, Any], float]) -> Seed:
    """A mean that is some factor too great, in both passes."""
    return bent(
        code,
        ops,
        forward=lambda self, right, p, *x: (
            (y := right(p, *x))[0] * (factor(self, x) if self.reduction == "mean" else 1),
            y[1],
        ),
        backward=lambda self, right, p, saved, delta: right(p, saved, times("mean", factor)(self, saved, delta)),
    )


# --------------------------------------------------------------------------------------------------- cross-entropies


def logits(code: str, error: Callable[[Any, Array, Array, Array, int], Array], kind: str = "") -> Seed:
    """CrossEntropyLoss with another δ_z: (loss, log y, y, t, axis) -> δ_z, where t sums to the weight of the sample.

    kind: "labels" for plain labels only, without smoothing.
    """

    def backward(self: Any, right: Any, p: Any, saved: Any, delta: Array) -> tuple[Any, ...]:
        to_z, to_t = right(p, saved, delta)
        log_y, y, goal = saved
        axis = class_axis(y)
        if kind == "labels" and (goal.counts is None or self.label_smoothing):
            return to_z, to_t
        wrong = _each(self, delta, goal.n, axis) * error(self, log_y, y, goal.t.astype(y.dtype), axis)
        return (wrong if goal.counts is None else gate(wrong, goal.counts)), to_t

    return bent(code, "CrossEntropyLoss", backward=backward)


def _each(loss: Any, delta: Array, n: Any, axis: int) -> Array:
    """δ of each sample, as a column along the class axis."""
    return np.expand_dims(shared(delta, loss.reduction, n), axis if loss.reduction == "none" else ())


def one_hot(y: Array, axis: int) -> Array:
    """1 at the first greatest entry along the axis."""
    index = np.expand_dims(y.argmax(axis), axis)
    return (np.arange(y.shape[axis]).reshape(-1, *[1] * (y.ndim - 1 - axis)) == index).astype(y.dtype)


def total(t: Array, axis: int) -> Array:
    """Σ_j t_j."""
    return t.sum(axis, keepdims=True)


def everyones(t: Array, axis: int) -> Array:
    """1 at the label of any sample."""
    return (t != 0).any(tuple(k for k in range(t.ndim) if k != axis), keepdims=True).astype(t.dtype)


def clipped(loss: Any, log_y: Array, y: Array, t: Array, axis: int) -> Array:
    """clip(y) − t; where nothing is clipped, as the reference rounds it."""
    near = np.clip(y, 1e-7, 1 - 1e-7)
    return np.where(near == y, excess(y, log_y, t, axis), near * total(t, axis) - t)


def not_ignored(self: Any, right: Any, p: Any, saved: Any, delta: Array) -> tuple[Any, ...]:
    """δ = y where the label is ignored."""
    to_z, to_t = right(p, saved, delta)
    _, y, goal = saved
    each = _each(self, delta, goal.n, class_axis(y))
    return to_z if goal.counts is None else np.where(goal.counts, to_z, each * y), to_t


def of_log_probabilities() -> Seed:
    """NLLLoss with y − t for −t, y the softmax of what it is given."""

    def backward(self: Any, right: Any, p: Any, saved: Any, delta: Array) -> tuple[Any, ...]:
        x, (chosen, w, n, axis) = saved
        each = _each(self, delta, n, axis) * (w * chosen).sum(axis, keepdims=True)
        extra = gate(each * softmax(x, axis), chosen.any(axis, keepdims=True))
        return right(p, saved[1], delta)[0] + extra, None

    def forward(self: Any, right: Any, p: Any, *x: Array) -> tuple[Array, Any]:
        value, saved = right(p, *x)
        return value, (x[0], saved)

    return bent("C109", "NLLLoss", forward=forward, backward=backward)


def spread(self: Any, right: Any, z: Array, labels: Array) -> Any:
    """Goals with s/(C − 1) for the classes other than the label; one class has no others."""
    goal, (chosen, counts), others = right(z, labels), label_masks(self, z, labels), z.shape[class_axis(z)] - 1
    if not self.label_smoothing or not others:
        return goal
    t = np.where(chosen, 1 - self.label_smoothing, self.label_smoothing / others).astype(z.dtype)
    return goal._replace(t=class_weights(self, z) * counts * t)


def hardened(self: Any, right: Any, z: Array, t: Array) -> Any:
    """Goals with a 1 at the greatest probability."""
    return right(z, one_hot(t, class_axis(z)))


def goals(**methods: Callable[..., Any]) -> Callable[[Any], Any]:
    """A cross-entropy that makes other goals."""
    return lambda self: _bent(like(self), methods)


# ------------------------------------------------------------------------------------------- logarithms of y + epsilon


def shifted_bce(code: str, eps: float) -> Seed:
    """BCELoss with log(y + ε) and log(1 − y + ε), in both passes."""

    def cost(self: Any, right: Any, y: Array, t: Array) -> Array:
        return self._weight(y) * -(t * np.log(y + eps) + (1 - t) * np.log(1 - y + eps))

    def slopes(self: Any, right: Any, y: Array, t: Array) -> tuple[Array, Array]:
        w = self._weight(y)
        return w * ((1 - t) / (1 - y + eps) - t / (y + eps)), w * (np.log(1 - y + eps) - np.log(y + eps))

    return bent(code, "BCELoss", cost=cost, slopes=slopes)


def shifted_logits(code: str, eps: float) -> Seed:
    """BCEWithLogitsLoss with log(σ + ε) and log(1 − σ + ε), in both passes."""

    def cost(self: Any, right: Any, z: Array, t: Array) -> Array:
        (w, q), y = self._weights(z), sigmoid(z)
        return w * -(q * t * np.log(y + eps) + (1 - t) * np.log(1 - y + eps))

    def slopes(self: Any, right: Any, z: Array, t: Array) -> tuple[Array, Array]:
        (w, q), y = self._weights(z), sigmoid(z)
        to_y = (1 - t) / (1 - y + eps) - q * t / (y + eps)
        return w * (to_y * y * (1 - y)), w * (np.log(1 - y + eps) - q * np.log(y + eps))

    return bent(code, "BCEWithLogitsLoss", cost=cost, slopes=slopes)


def shifted_softmax(code: str, eps: float) -> Seed:
    """CrossEntropyLoss with log(y + ε), in both passes."""

    def forward(self: Any, right: Any, p: Any, *x: Array) -> tuple[Array, Any]:
        _, y, goal = right(p, *x)[1]
        log_y = np.log(y + eps)
        return reduced(-(goal.t * log_y).sum(class_axis(y)), self.reduction, goal.n), (log_y, y, goal)

    def backward(self: Any, right: Any, p: Any, saved: Any, delta: Array) -> tuple[Any, ...]:
        _, y, goal = saved
        axis = class_axis(y)
        to_z = _each(self, delta, goal.n, axis) * softmax_error(y, -(goal.t / (y + eps)), axis)
        return to_z if goal.counts is None else gate(to_z, goal.counts), right(p, saved, delta)[1]

    return bent(code, "CrossEntropyLoss", forward=forward, backward=backward)


MEANS = ("MSELoss", "L1Loss", "BCEWithLogitsLoss")
"""Losses whose mean is over all entries."""
CLASSES = ("CrossEntropyLoss", "NLLLoss")

SEEDS: tuple[Seed, ...] = (
    partial("R101", "Linear", lambda delta, g: g / max(1, len(delta)), "weight"),
    partial("R102", "Linear", lambda delta, g: g / max(1, len(delta)), "weight", "bias"),
    *(back("R103", op, reduction(mean="sum")) for op in CLASSES),
    *(back("R104", op, reduction(mean="sum")) for op in (*MEANS, "HuberLoss")),
    *(upstream("R105", op, over("sum", batch)) for op in ("HalfSquaredError", "CrossEntropyLoss")),
    *(
        upstream("R107", op, lambda self, saved, delta: np.ones_like(delta))
        for op in ("MSELoss", "BCEWithLogitsLoss", "CrossEntropyLoss", "NLLLoss")
    ),
    *(by_batch("R108", op, weighted=True) for op in CLASSES),
    *(by_batch("R109", op, weighted=False) for op in CLASSES),
    *(upstream("R111", op, times("mean", units)) for op in MEANS),
    *(upstream("R112", op, over("sum none", entries)) for op in ("MSELoss", "BCEWithLogitsLoss", "CrossEntropyLoss")),
    rise("S101", "MSELoss", lambda self, d: -2 * d),
    rise("S101", "HalfSquaredError", lambda self, d: -d),
    handed("S101", "BCEWithLogitsLoss", lambda self, saved, delta: -delta),
    handed("S101", "CrossEntropyLoss", lambda self, saved, delta: -delta),
    *(negated("S102", op) for op in ("Linear", "Tanh", "Softmax", "BatchNorm1d")),
    *(partial("S103", op, lambda delta, g: -g, "weight", "bias") for op in ("Linear", "PReLU", "BatchNorm1d")),
    *(partial("S104", op, lambda delta, g: -g, "weight") for op in ("Linear", "BatchNorm1d")),
    *(partial("S105", op, lambda delta, g: -g, "bias") for op in ("Linear", "BatchNorm1d")),
    *(same_to_target("S106", op) for op in ("HalfSquaredError", "MSELoss", "HuberLoss")),
    rise("L101", "MSELoss", lambda self, d: d),
    rise("L102", "HalfSquaredError", lambda self, d: 2 * d),
    rise("L103", "HuberLoss", lambda self, d: np.where(np.abs(d) > self.delta, np.sign(d), d)),
    rise("L104", "HuberLoss", lambda self, d: np.minimum(d, self.delta)),
    rise("L105", "SmoothL1Loss", lambda self, d: np.where(np.abs(d) < self.beta, d, np.sign(d))),
    rise("L106", "L1Loss", lambda self, d: d),
    rise("L107", "MSELoss", lambda self, d: np.sign(d)),
    rise("L108", "HuberLoss", lambda self, d: np.where(np.abs(d) > self.delta, 0, d)),
    slope("L109", "BCELoss", lambda self, y, t: self._weight(y) * (y - t)),
    slope("X113", "BCELoss", lambda self, y, t: self._weight(y) * (y - t) / (y * (1 - y) + 1e-8)),
    handed("L110", "BCEWithLogitsLoss", lambda self, x, delta: delta * sigmoid(x[0]) * sigmoid(-x[0])),
    slope("L111", "BCELoss", lambda self, y, t: self._weight(y) * -(t / np.maximum(y, 1e-12))),
    slope("L112", "BCEWithLogitsLoss", lambda self, z, t: (
        (wq := self._weights(z))[0] * ((1 - t) * z - wq[1] * t * (1 - z)))),
    slope("L113", "BCEWithLogitsLoss", lambda self, z, t: (
        (wq := self._weights(z))[0] * (wq[1] * (1 - t) * sigmoid(z) - t * sigmoid(-z)))),
    *(
        back("H101", op, default)
        for op in ("LeakyReLU", "ELU", "Softplus", "Hardtanh", "Softshrink", "HuberLoss", "SmoothL1Loss")
    ),
    logits("C101", lambda self, log_y, y, t, axis: y * total(t, axis)),
    logits("C102", lambda self, log_y, y, t, axis: total(t, axis) * (y - everyones(t, axis)), "labels"),
    saved("C103", "CrossEntropyLoss", goals(_labels=spread)),
    logits("C104", clipped),
    logits("C105", lambda self, log_y, y, t, axis: total(t, axis) * (y - one_hot(y, axis)), "labels"),
    handed("C106", "CrossEntropyLoss", lambda self, saved, delta: delta * saved[1] * (1 - saved[1])),
    bent("C107", "CrossEntropyLoss", backward=not_ignored),
    logits("C108", lambda self, log_y, y, t, axis: np.where(t != 0, -t / y, 0)),
    of_log_probabilities(),
    saved("C110", "CrossEntropyLoss", goals(_probabilities=hardened)),
    *(saved("C111", op, lambda self: like(self, weight=None)) for op in CLASSES),
    saved("C112", "CrossEntropyLoss", lambda self: like(self, label_smoothing=0)),
    bent("F105", "MSELoss", of=lambda self, right, d: right(d) / 2, rise=lambda self, right, d: d),
    shifted_softmax("F107", 1e-7),
    shifted_bce("F107", 1e-7),
    both("F109", "CrossEntropyLoss", goals(_labels=spread)),
    *(both("F110", op, reduction(sum="mean")) for op in ("HalfSquaredError", *MEANS, "CrossEntropyLoss")),
    *(scaled_both("F113", op, units) for op in MEANS),
    *(by_batch("F114", op, weighted=True, in_both=True) for op in CLASSES),
    *(both("F116", op, lambda self: like(self, weight=None)) for op in CLASSES),
    *(both("F117", op, reduction(mean="sum")) for op in (*MEANS, "CrossEntropyLoss")),
    both("F118", "CrossEntropyLoss", lambda self: like(self, label_smoothing=0)),
    *(by_batch("F120", op, weighted=False, in_both=True) for op in CLASSES),
)  # fmt: skip
