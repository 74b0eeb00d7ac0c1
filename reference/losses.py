"""Losses of a prediction y and a target t, entry by entry; `classification.py` has those that compare classes.

Books differ in what a loss sums up to. Here, as in torch: reduction "sum" is Σ over all entries, "mean" divides by
their number (of entries, not of samples), "none" leaves each entry its own loss. Only the tutorial's
½ Σ (y − t)² has a half and a default of "sum". A real target has an error signal too; an integer one has none.
"""

from typing import Any, ClassVar

import numpy as np

from reference.layer import Array, Layer, Params, Saved, layer
from reference.refusals import require, same_shape

Weight = Any
"""Numbers as nested lists, since attributes are plain data; None for 1."""


def reduced(costs: Array, reduction: str, n: Any) -> Array:
    """Σ costs, Σ costs/n, or the costs themselves; 0/0 is NaN."""
    if reduction == "none":
        return costs
    return np.asarray(costs.sum() / n if reduction == "mean" else costs.sum())


def shared(delta: Array, reduction: str, n: Any) -> Array:
    """δ of each cost, the adjoint of `reduced`."""
    return delta / n if reduction == "mean" else delta


def check_reduction(loss: Any) -> None:
    """One of three."""
    ok = loss.reduction in ("mean", "sum", "none")
    require(ok, f"{type(loss).__name__}: reduction is {loss.reduction!r}, but should be 'mean', 'sum' or 'none'")


class Loss(Layer):
    """L = Σ cost(y, t). A subclass says the cost and its slopes; shapes: (...), (...) -> () or, unreduced, (...)."""

    arity: ClassVar = (2, 2)
    reduction: str

    def __post_init__(self) -> None:
        """The reduction is known."""
        check_reduction(self)

    def cost(self, y: Array, t: Array) -> Array:
        """The loss of each entry."""
        raise NotImplementedError(type(self).__name__)

    def slopes(self, y: Array, t: Array) -> tuple[Array, Array]:
        """∂cost/∂y and ∂cost/∂t."""
        raise NotImplementedError(type(self).__name__)

    def forward(self, p: Params, *x: Array) -> tuple[Array, Saved]:
        """L."""
        y, t = x
        same_shape(self, "the target", y, t)
        return reduced(self.cost(y, real(t, y)), self.reduction, y.size), x

    def backward(self, p: Params, saved: Saved, delta: Array) -> tuple[Array | None, ...]:
        """δ of the prediction and, where it is real, of the target."""
        y, t = saved
        delta = shared(delta, self.reduction, y.size)
        to_y, to_t = self.slopes(y, real(t, y))
        return delta * to_y, delta * to_t if np.issubdtype(t.dtype, np.floating) else None


def real(t: Array, y: Array) -> Array:
    """An integer target as numbers like y."""
    return t if np.issubdtype(t.dtype, np.floating) else t.astype(y.dtype)


class Difference(Loss):
    """A loss of d = y − t: ∂/∂y = cost′(d) and ∂/∂t = −cost′(d)."""

    def of(self, d: Array) -> Array:
        """The cost of d."""
        raise NotImplementedError(type(self).__name__)

    def rise(self, d: Array) -> Array:
        """cost′(d)."""
        raise NotImplementedError(type(self).__name__)

    def cost(self, y: Array, t: Array) -> Array:
        """The cost of y − t."""
        return self.of(y - t)

    def slopes(self, y: Array, t: Array) -> tuple[Array, Array]:
        """cost′(d), −cost′(d)."""
        rise = self.rise(y - t)
        return rise, -rise


@layer
class HalfSquaredError(Difference):
    """½ Σ (y − t)², the lesson's loss: δ = y − t. Note the half, and the sum."""

    reduction: str = "sum"

    def of(self, d: Array) -> Array:
        """½ d²."""
        return 0.5 * np.square(d)

    def rise(self, d: Array) -> Array:
        """Only d."""
        return d


@layer
class MSELoss(Difference):
    """Σ (y − t)²/n, without a half: δ = 2 (y − t)/n, n the number of entries."""

    reduction: str = "mean"

    def of(self, d: Array) -> Array:
        """d²."""
        return np.square(d)

    def rise(self, d: Array) -> Array:
        """2 d."""
        return 2 * d


@layer
class L1Loss(Difference):
    """Σ |y − t|/n: δ = sign(y − t)/n, and sign(0) = 0."""

    reduction: str = "mean"

    def of(self, d: Array) -> Array:
        """|d|."""
        return np.abs(d)

    def rise(self, d: Array) -> Array:
        """sign d."""
        return np.sign(d)


@layer
class HuberLoss(Difference):
    """½ d² for |d| ≤ δ, else δ(|d| − ½ δ), with d = y − t, δ = `delta`; slope d, kept between −δ and δ.

    Source: P. J. Huber, Robust estimation of a location parameter, 1964.
    """

    reduction: str = "mean"
    delta: float = 1.0

    def __post_init__(self) -> None:
        """δ > 0."""
        check_reduction(self)
        require(self.delta > 0, f"HuberLoss: delta is {self.delta}, but should be above 0")

    def of(self, d: Array) -> Array:
        """m(|d| − ½ m) with m = min(|d|, δ)."""
        size = np.abs(d)
        m = np.minimum(size, self.delta)
        return m * (size - 0.5 * m)

    def rise(self, d: Array) -> Array:
        """min(max(d, −δ), δ)."""
        return np.minimum(np.maximum(d, -self.delta), self.delta)


@layer
class SmoothL1Loss(Difference):
    """½ d²/β for |d| < β, else |d| − ½ β, with d = y − t: the Huber loss over β; slope d/β between −1 and 1.

    β = 0 is L1, with sign(0) = 0.
    Source: R. Girshick, Fast R-CNN, 2015.
    """

    reduction: str = "mean"
    beta: float = 1.0

    def __post_init__(self) -> None:
        """β ≥ 0."""
        check_reduction(self)
        require(self.beta >= 0, f"SmoothL1Loss: beta is {self.beta}, but should be at least 0")

    def of(self, d: Array) -> Array:
        """½ m²/β + |d| − m with m = min(|d|, β)."""
        size = np.abs(d)
        m = np.minimum(size, self.beta)
        return 0.5 * m * (m / self.beta) + (size - m) if self.beta else size

    def rise(self, d: Array) -> Array:
        """d/β between −1 and 1."""
        return np.minimum(np.maximum(d / self.beta, -1), 1) if self.beta else np.sign(d)


@layer
class Dot(Layer):
    """L = Σ c ⊙ y: δy = c, δc = y. Shapes: (...), (...) -> ().

    With a random c it is the end of any net without a loss. Never end one in .sum(), whose c = 1 hides whatever
    cancels: a softmax, a batch normalization, has no gradient at all under it.
    """

    arity: ClassVar = (2, 2)

    def forward(self, p: Params, *x: Array) -> tuple[Array, Saved]:
        """Σ c ⊙ y."""
        same_shape(self, "the cotangent", *x)
        return np.asarray((x[0] * x[1]).sum()), x

    def backward(self, p: Params, saved: Saved, delta: Array) -> tuple[Array, ...]:
        """δ c and δ y."""
        y, c = saved
        return delta * c, delta * y
