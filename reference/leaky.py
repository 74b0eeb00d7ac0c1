"""Rectifiers that leak: the identity for x > 0, something else, not constant, for x ≤ 0."""

from typing import ClassVar

import numpy as np

from reference.activations import Activation, gate
from reference.layer import Array, GraphError, Layer, Params, Saved, layer
from reference.refusals import require, same_shape


def sides(z: Array, right: float, left: float) -> Array:
    """`right` where z > 0, else `left`, in the dtype of z."""
    is_right = z > 0
    return is_right * z.dtype.type(right) + ~is_right * z.dtype.type(left)


@layer
class LeakyReLU(Activation):
    """σ(z) = z for z > 0, s z for z ≤ 0, s = negative_slope; σ′(z) = 1 or s, and σ′(0) = s.

    Source: A. L. Maas, A. Y. Hannun, A. Y. Ng, Rectifier nonlinearities improve neural network acoustic models, 2013.
    """

    negative_slope: float = 0.01

    def sigma(self, z: Array) -> Array:
        """max(z, 0) + s min(z, 0): one of the two is 0."""
        return np.maximum(z, 0) + self.negative_slope * np.minimum(z, 0)

    def slope(self, z: Array, a: Array) -> Array:
        """[z > 0] + s[z ≤ 0]."""
        return sides(z, 1.0, self.negative_slope)


@layer
class PReLU(Layer):
    """y = x for x > 0, w x for x ≤ 0, with a learnt slope w: one for all, or one for each channel (axis 1).

    δx = δ or w δ; ∂L/∂w = Σ x δ over x ≤ 0; at 0 the slope is w.
    Source: K. He, X. Zhang, S. Ren, J. Sun, Delving deep into rectifiers, 2015.
    """

    num_parameters: int = 1
    init: float = 0.25

    parameters: ClassVar = ("weight",)

    def shapes(self) -> dict[str, tuple[str, tuple[int, ...]]]:
        """One slope for all, or one for each channel."""
        return {"weight": ("(num_parameters,)", (self.num_parameters,))}

    def forward(self, p: Params, *x: Array) -> tuple[Array, Saved]:
        """max(x, 0) + w min(x, 0)."""
        return np.maximum(x[0], 0) + self._slope(p, x[0]) * np.minimum(x[0], 0), x[0]

    def backward(self, p: Params, saved: Saved, delta: Array) -> tuple[Array, ...]:
        """δx = δ ([x > 0] + w[x ≤ 0])."""
        return (np.where(saved > 0, delta, self._slope(p, saved) * delta),)

    def partials(self, p: Params, saved: Saved, delta: Array) -> dict[str, Array]:
        """∂L/∂w = Σ x δ [x ≤ 0]."""
        each = gate(saved * delta, saved <= 0)
        if self.num_parameters == 1:
            return {"weight": each.sum(keepdims=True).reshape(1)}
        return {"weight": each.sum(tuple(axis for axis in range(each.ndim) if axis != 1))}

    def _slope(self, p: Params, x: Array) -> Array:
        if self.num_parameters == 1:
            return p["weight"].reshape((1,) * x.ndim)
        if x.ndim < 2 or x.shape[1] != self.num_parameters:
            raise GraphError(f"PReLU: the input has shape {x.shape}, but axis 1 should be {self.num_parameters}")
        return p["weight"].reshape(-1, *[1] * (x.ndim - 2))


@layer
class RReLU(Layer):
    """y = x for x > 0, s x for x ≤ 0; s is drawn from [lower, upper] for each entry: the second input.

    δx = δ or s δ; δs = x δ where x ≤ 0, else 0. In evaluation s = (lower + upper)/2, and δs = 0.
    Source: B. Xu, N. Wang, T. Chen, M. Li, Empirical evaluation of rectified activations, 2015.
    """

    lower: float = 1 / 8
    upper: float = 1 / 3
    training: bool = True

    arity: ClassVar = (2, 2)

    def __post_init__(self) -> None:
        """Lower ≤ upper."""
        require(self.lower <= self.upper, f"RReLU: lower is {self.lower}, above upper = {self.upper}")

    def forward(self, p: Params, *x: Array) -> tuple[Array, Saved]:
        """max(x, 0) + s min(x, 0)."""
        z, slopes = x
        same_shape(self, "slopes", z, slopes)
        s = slopes if self.training else (self.lower + self.upper) / 2
        return np.maximum(z, 0) + s * np.minimum(z, 0), (z, s)

    def backward(self, p: Params, saved: Saved, delta: Array) -> tuple[Array, ...]:
        """δx = δ ([x > 0] + s[x ≤ 0]) and δs = x δ [x ≤ 0]."""
        z, s = saved
        to_slopes = gate(z * delta, z <= 0) if self.training else np.zeros_like(z)
        return np.where(z > 0, delta, s * delta), to_slopes


@layer
class ELU(Activation):
    """σ(z) = z for z > 0, α(e^z − 1) for z ≤ 0; σ′(z) = 1 or α e^z. At 0 torch takes the left: σ′(0) = α.

    Source: D.-A. Clevert, T. Unterthiner, S. Hochreiter, Fast and accurate deep network learning by ELUs, 2015.
    """

    alpha: float = 1.0

    def sigma(self, z: Array) -> Array:
        """max(z, 0) + α(e^{min(z, 0)} − 1): one of the two is 0."""
        return np.maximum(z, 0) + self.alpha * np.expm1(np.minimum(z, 0))

    def slope(self, z: Array, a: Array) -> Array:
        """[z > 0] + α e^z [z ≤ 0]."""
        return np.exp(np.minimum(z, 0)) * sides(z, 1.0, self.alpha)


@layer
class SELU(Activation):
    """σ(z) = λ z for z > 0, λα(e^z − 1) for z ≤ 0; σ′(z) = λ or λα e^z, and σ′(0) = λα as in ELU.

    Source: G. Klambauer, T. Unterthiner, A. Mayr, S. Hochreiter, Self-normalizing neural networks, 2017.
    """

    def sigma(self, z: Array) -> Array:
        """λ max(z, 0) + λα(e^{min(z, 0)} − 1)."""
        return SCALE * np.maximum(z, 0) + SCALE * ALPHA * np.expm1(np.minimum(z, 0))

    def slope(self, z: Array, a: Array) -> Array:
        """λ[z > 0] + λα e^z [z ≤ 0]."""
        return np.exp(np.minimum(z, 0)) * sides(z, SCALE, SCALE * ALPHA)


ALPHA, SCALE = 1.6732632423543772848170429916717, 1.0507009873554804934193349852946


@layer
class CELU(Activation):
    """σ(z) = max(z, 0) + α(e^{min(z, 0)/α} − 1), σ′(z) = 1 for z > 0, e^{z/α} for z ≤ 0: σ′(0) = 1, no corner.

    Source: J. T. Barron, Continuously differentiable exponential linear units, 2017.
    """

    alpha: float = 1.0

    def __post_init__(self) -> None:
        """α ≠ 0."""
        require(self.alpha != 0, "CELU: alpha is 0, but z/alpha needs another number")

    def sigma(self, z: Array) -> Array:
        """max(z, 0) + α(e^{min(z, 0)/α} − 1)."""
        return np.maximum(z, 0) + self.alpha * np.expm1(np.minimum(z, 0) / self.alpha)

    def slope(self, z: Array, a: Array) -> Array:
        """e^{min(z, 0)/α}."""
        return np.exp(np.minimum(z, 0) / self.alpha)
