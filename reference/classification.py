"""Losses of classes: the negative log-likelihood, and the cross-entropy, which is log-softmax and it in one.

Shapes: classes along axis 1, (N, C) or (N, C, d₁, …), and labels (N,) or (N, d₁, …); one sample alone is (C,) and ().
"mean" divides by the sum of the weights of the samples that count, with probabilities as targets by the number of
samples. Samples labelled `ignore_index` do not count: where none does, the mean is 0/0 = NaN and its gradient 0.
"""

from typing import Any, ClassVar, NamedTuple

import numpy as np

from reference.activations import gate, sigmoid, softplus
from reference.layer import Array, GraphError, Layer, Params, Saved, layer
from reference.losses import Loss, Weight, check_reduction, reduced, shared
from reference.refusals import require, same_shape
from reference.softmax import excess, log_softmax


def class_axis(x: Array) -> int:
    """1, or 0 for a sample alone."""
    return min(1, x.ndim - 1)


def class_weights(loss: Any, x: Array) -> Array:
    """The weight of each class, as a column along the class axis."""
    axis = class_axis(x)
    w = np.ones(1, x.dtype) if loss.weight is None else np.asarray(loss.weight, x.dtype)
    if loss.weight is not None and w.shape != (x.shape[axis],):
        name, n = type(loss).__name__, x.shape[axis]
        raise GraphError(f"{name}: weight has shape {w.shape}, but should be (classes,) = ({n},)")
    return w.reshape(-1, *[1] * (x.ndim - 1 - axis))


def label_masks(loss: Any, x: Array, labels: Array) -> tuple[Array, Array]:
    """One True per sample at its label, in the shape of x; and which samples count, one for all classes."""
    name, axis = type(loss).__name__, class_axis(x)
    shape, classes = x.shape[:axis] + x.shape[axis + 1 :], x.shape[axis]
    if labels.shape != shape:
        raise GraphError(f"{name}: the labels have shape {labels.shape}, but should be {shape}, one per sample")
    index = np.expand_dims(labels, axis)
    counts = index != loss.ignore_index
    chosen = (np.arange(classes).reshape(-1, *[1] * (x.ndim - 1 - axis)) == index) & counts
    if np.count_nonzero(chosen) != np.count_nonzero(counts):
        raise GraphError(f"{name}: a label is outside 0 to {classes - 1}, and not ignore_index")
    return chosen, counts


@layer
class NLLLoss(Layer):
    """−Σₙ w_c xₙ_c over the samples n, c the label of n, and x = log-probabilities; δ = −w_c at the label, else 0."""

    weight: Weight = None
    ignore_index: int = -100
    reduction: str = "mean"

    arity: ClassVar = (2, 2)

    def __post_init__(self) -> None:
        """The reduction is known."""
        check_reduction(self)

    def forward(self, p: Params, *x: Array) -> tuple[Array, Saved]:
        """−Σ w x over the labels."""
        chosen, _ = label_masks(self, *x)
        w, axis = class_weights(self, x[0]), class_axis(x[0])
        costs = gate(-w * x[0], chosen).sum(axis)
        n = (w * chosen).sum()
        return reduced(costs, self.reduction, n), (chosen, w, n, axis)

    def backward(self, p: Params, saved: Saved, delta: Array) -> tuple[Array | None, ...]:
        """−w δ at the labels."""
        chosen, w, n, axis = saved
        delta = np.expand_dims(shared(delta, self.reduction, n), axis if self.reduction == "none" else ())
        return gate(np.broadcast_to(-w * delta, chosen.shape), chosen), None


class Goal(NamedTuple):
    """What a cross-entropy wants: the goal distribution times the weights, its divisor, and which samples count.

    Labels alone, without weights and smoothing, are a mask.
    """

    t: Array
    n: Any
    counts: Array | None


@layer
class CrossEntropyLoss(Layer):
    """−Σ_c w_c t_c log y_c with y = softmax(x), for each sample; t is 1 at the label, or given as probabilities.

    δ = y Σ_j w_j t_j − w t: without weights, and t summing to 1, the famous y − t. Of a target of probabilities
    δt = −w log y. label_smoothing s takes (1 − s) t + s/C for t.
    """

    weight: Weight = None
    ignore_index: int = -100
    reduction: str = "mean"
    label_smoothing: float = 0.0

    arity: ClassVar = (2, 2)

    def __post_init__(self) -> None:
        """The reduction is known, and 0 ≤ s ≤ 1."""
        check_reduction(self)
        s = self.label_smoothing
        require(0 <= s <= 1, f"CrossEntropyLoss: label_smoothing is {s}, but should be from 0 to 1")

    def forward(self, p: Params, *x: Array) -> tuple[Array, Saved]:
        """−Σ w t log y; a class that is not wanted costs nothing, even where its log y is −∞."""
        z, target = x
        axis = class_axis(z)
        log_y, y = log_softmax(z, axis)
        goal = self._probabilities(z, target) if target.dtype.kind == "f" else self._labels(z, target)
        hard = goal.t.dtype == bool
        costs = -gate(log_y if hard else goal.t * log_y, goal.t if hard else goal.t != 0).sum(axis)
        return reduced(costs, self.reduction, goal.n), (log_y, y, goal)

    def backward(self, p: Params, saved: Saved, delta: Array) -> tuple[Array | None, ...]:
        """δ (y Σ w t − w t) and, of probabilities, −δ w (1 − s) log y."""
        log_y, y, goal = saved
        axis = class_axis(y)
        delta = np.expand_dims(shared(delta, self.reduction, goal.n), axis if self.reduction == "none" else ())
        if goal.t.dtype == bool:  # y − t, at the label as y − 1 = expm1(log y)
            return gate(delta * np.where(goal.t, np.expm1(log_y), y), goal.counts), None
        error = delta * excess(y, log_y, goal.t, axis)
        if goal.counts is not None:
            return gate(error, goal.counts), None
        return error, -delta * class_weights(self, y) * (1 - self.label_smoothing) * log_y

    def _labels(self, z: Array, labels: Array) -> Goal:
        chosen, counts = label_masks(self, z, labels)
        if self.weight is None and not self.label_smoothing:
            return Goal(chosen, z.dtype.type(np.count_nonzero(counts)), counts)
        w = class_weights(self, z)
        wanted = w * chosen
        t = self._smooth(wanted, w * counts, z) if self.label_smoothing else wanted
        return Goal(t, wanted.sum(), counts)

    def _probabilities(self, z: Array, t: Array) -> Goal:
        same_shape(self, "the target", z, t)
        require(self.ignore_index < 0, "CrossEntropyLoss: ignore_index is for labels, not for probabilities")
        w, n = class_weights(self, z), z.size // max(1, z.shape[class_axis(z)])
        return Goal(self._smooth(w * t, w, z) if self.label_smoothing else w * t, n, None)

    def _smooth(self, t: Array, w: Array, z: Array) -> Array:
        """(1 − s) t + s/C, weighted."""
        s = self.label_smoothing
        return (1 - s) * t + (s / z.shape[class_axis(z)]) * w


def like(weight: Weight, y: Array, loss: Layer, name: str) -> Array:
    """A weight as an array of the dtype of y, which it may not widen."""
    w = np.asarray(weight, y.dtype)
    try:
        np.broadcast_to(w, y.shape)
    except ValueError as error:
        sentence = f"{name} has shape {w.shape}, but should broadcast to the prediction's {y.shape}"
        raise GraphError(f"{type(loss).__name__}: {sentence}") from error
    return w


@layer
class BCELoss(Loss):
    """−w (t log y + (1 − t) log(1 − y)) of a probability y; ∂/∂y = w (y − t)/(y(1 − y)), ∂/∂t = w log((1 − y)/y).

    As in torch a logarithm is at least −100, and y(1 − y) in the slope at least 1e-12. The slope of the target is
    that of the clamped loss, never beyond ±100; torch 2.13 forgets its clamp there.
    Raises `GraphError` for a y or t outside [0, 1].
    """

    weight: Weight = None
    reduction: str = "mean"

    def forward(self, p: Params, *x: Array) -> tuple[Array, Saved]:
        """Probabilities only."""
        for name, v in zip(("prediction", "target"), x, strict=True):
            if not np.all((v >= 0) & (v <= 1)):
                raise GraphError(f"BCELoss: the {name} should lie in [0, 1]; BCEWithLogitsLoss takes any number")
        return super().forward(p, *x)

    def cost(self, y: Array, t: Array) -> Array:
        """−w (t log y + (1 − t) log(1 − y))."""
        log_y, log_rest = clamped_logs(y)
        return self._weight(y) * -(t * log_y + (1 - t) * log_rest)

    def slopes(self, y: Array, t: Array) -> tuple[Array, Array]:
        """∂/∂y and ∂/∂t; near y = 1/2 the difference of the logarithms cancels, and is −2 artanh(2y − 1)."""
        (log_y, log_rest), w = clamped_logs(y), self._weight(y)
        to_t = np.where(np.abs(y - 0.5) < 0.25, -2 * np.arctanh(2 * y - 1), log_rest - log_y)
        return w * ((y - t) / np.maximum((1 - y) * y, 1e-12)), w * to_t

    def _weight(self, y: Array) -> Array:
        return like(1 if self.weight is None else self.weight, y, self, "weight")


def clamped_logs(y: Array) -> tuple[Array, Array]:
    """log y and log(1 − y), neither below −100."""
    return np.maximum(np.log(y), -100), np.maximum(np.log1p(-y), -100)


@layer
class BCEWithLogitsLoss(Loss):
    """BCELoss of σ(y), σ the sigmoid: w (q t softplus(−y) + (1 − t) softplus(y)), q = pos_weight.

    ∂/∂y = w ((1 − t) σ(y) − q t σ(−y)), which without q is w (σ(y) − t); ∂/∂t = w ((q − 1) softplus(−y) − y).
    """

    weight: Weight = None
    reduction: str = "mean"
    pos_weight: Weight = None

    def cost(self, y: Array, t: Array) -> Array:
        """w (q t softplus(−y) + (1 − t) softplus(y))."""
        w, q = self._weights(y)
        return w * (q * t * softplus(-y) + (1 - t) * softplus(y))

    def slopes(self, y: Array, t: Array) -> tuple[Array, Array]:
        """w ((1 − t) σ(y) − q t σ(−y)) and w ((q − 1) softplus(−y) − y)."""
        w, q = self._weights(y)
        to_t = -y if self.pos_weight is None else (q - 1) * softplus(-y) - y
        return w * ((1 - t) * sigmoid(y) - q * t * sigmoid(-y)), w * to_t

    def _weights(self, y: Array) -> tuple[Array, Array]:
        one = np.ones((), y.dtype)
        return (
            one if self.weight is None else like(self.weight, y, self, "weight"),
            one if self.pos_weight is None else like(self.pos_weight, y, self, "pos_weight"),
        )
