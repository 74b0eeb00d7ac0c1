"""Batch normalization."""

from typing import Any, ClassVar, NamedTuple

import numpy as np

from reference.layer import Array, GraphError, Layer, Params, Saved, layer


class Normalized(NamedTuple):
    """What the forward pass leaves: x̂ = (x − μ) r with r = 1/√(σ² + ε), and the statistics of the n values."""

    x_hat: Array
    rate: Array
    mean: Array
    variance: Array
    n: int


@layer
class BatchNorm1d(Layer):
    r"""y = w x̂ + b with x̂ = (x − μ)/√(σ² + ε), for each channel (axis 1). Shapes: (N, C) or (N, C, L); w, b: (C,).

    In training μ and σ² = Σ (x − μ)²/n are those of the batch, n = N L, and so functions of x; else they are the
    running ones, constants. The running variance takes the unbiased σ² n/(n − 1). With momentum None the running
    statistics are plain averages over the batches. An empty batch only counts.
    Raises `GraphError` where a batch has one value per channel: x̂ would be 0 whatever x is.
    Source: S. Ioffe, C. Szegedy, Batch normalization: accelerating deep network training, 2015.
    """

    num_features: int
    eps: float = 1e-5
    momentum: float | None = 0.1
    affine: bool = True
    track_running_stats: bool = True
    training: bool = True

    parameters: ClassVar = ("weight", "bias")

    def shapes(self) -> dict[str, tuple[str, tuple[int, ...]]]:
        """Parameters where affine, then buffers where tracked."""
        roles = ["weight", "bias"] * self.affine + ["running_mean", "running_var"] * self.track_running_stats
        count: dict[str, Any] = {"num_batches_tracked": ("()", ())} if self.track_running_stats else {}
        return dict.fromkeys(roles, ("(num_features,)", (self.num_features,))) | count

    def forward(self, p: Params, *x: Array) -> tuple[Array, Saved]:
        """y = w x̂ + b."""
        self._check(x[0])
        saved = self._batch(x[0]) if self._of_batch else self._running(p, x[0])
        y = saved.x_hat
        return (y * self._column(p["weight"], y) + self._column(p["bias"], y) if self.affine else y), saved

    def backward(self, p: Params, saved: Normalized, delta: Array) -> tuple[Array, ...]:
        """δx = r (δ̂ − mean δ̂ − x̂ mean(δ̂ x̂)) with δ̂ = w δ; the means are the ways through μ and through σ².

        Of two values x̂ = ±√(1 − ε r²), and the three terms cancel to ε r² (δ̂ − mean δ̂).
        """
        if self.affine:
            delta = delta * self._column(p["weight"], delta)
        if saved.n == 2:
            delta = self.eps * np.square(saved.rate) * (delta - _mean(delta))
        elif self._of_batch:
            delta = delta - _mean(delta) - saved.x_hat * _mean(delta * saved.x_hat)
        return (delta * saved.rate,)

    def partials(self, p: Params, saved: Normalized, delta: Array) -> dict[str, Array]:
        """∂L/∂w = Σ δ x̂ and ∂L/∂b = Σ δ, over all but the channels."""
        axes = _axes(delta)
        return {"weight": (delta * saved.x_hat).sum(axes), "bias": delta.sum(axes)} if self.affine else {}

    def buffers(self, p: Params, saved: Normalized) -> dict[str, Array]:
        """Running ← (1 − f) running + f batch, with f = momentum, or 1/(batches so far) where it is None."""
        if not self.track_running_stats:
            return {}
        old = {role: p[role] for role in ("running_mean", "running_var", "num_batches_tracked")}
        if not self.training:
            return old
        count = np.asarray(p["num_batches_tracked"] + 1)
        if not saved.n:
            return old | {"num_batches_tracked": count}
        f = 1 / int(count) if self.momentum is None else self.momentum
        mean, unbiased = saved.mean.reshape(-1), saved.variance.reshape(-1) * (saved.n / (saved.n - 1))
        return {
            "running_mean": (1 - f) * old["running_mean"] + f * mean,
            "running_var": (1 - f) * old["running_var"] + f * unbiased,
            "num_batches_tracked": count,
        }

    @property
    def _of_batch(self) -> bool:
        return self.training or not self.track_running_stats

    def _batch(self, x: Array) -> Normalized:
        """Centred twice: the second time takes out what rounding left of a mean far greater than the spread."""
        mean = _mean(x)
        centred = x - mean
        rest = _mean(centred)
        centred = centred - rest
        variance = _mean(np.square(centred))
        rate = 1 / np.sqrt(variance + self.eps)
        return Normalized(centred * rate, rate, mean + rest, variance, x.size // max(1, x.shape[1]))

    def _running(self, p: Params, x: Array) -> Normalized:
        mean, variance = self._column(p["running_mean"], x), self._column(p["running_var"], x)
        rate = 1 / np.sqrt(variance + self.eps)
        return Normalized((x - mean) * rate, rate, mean, variance, 0)

    def _column(self, v: Array, x: Array) -> Array:
        return v.reshape(-1, *[1] * (x.ndim - 2))

    def _check(self, x: Array) -> None:
        if x.ndim not in (2, 3) or x.shape[1] != self.num_features:
            known = f"(N, {self.num_features}) or (N, {self.num_features}, L)"
            raise GraphError(f"BatchNorm1d: the input has shape {x.shape}, but should be {known}")
        if self._of_batch and x.size == x.shape[1]:
            raise GraphError(
                f"BatchNorm1d: the input has shape {x.shape}, one value per channel, which normalizes to 0 whatever "
                "it is; use a batch of 2 or more, or evaluation"
            )


def _axes(x: Array) -> tuple[int, ...]:
    return (0, 2) if x.ndim == 3 else (0,)


def _mean(x: Array) -> Array:
    """The mean of each channel, in the shape of a column; NaN (without a warning) where there is nothing."""
    axes = _axes(x)
    n = x.shape[0] * (x.shape[2] if x.ndim == 3 else 1)
    return x.sum(axes, keepdims=True) / n if n else x.sum(axes, keepdims=True)
