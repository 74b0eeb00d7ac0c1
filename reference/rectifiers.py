"""Activations with corners: straight pieces, joined. Each names the slope torch takes at a corner."""

from typing import ClassVar

import numpy as np

from reference.activations import Activation, gate
from reference.layer import Array, GraphError, Layer, Params, Saved, layer
from reference.refusals import require, same_shape


@layer
class ReLU(Activation):
    """σ(z) = max(z, 0), σ′(z) = [z > 0]: the corner has σ′(0) = 0.

    Source: V. Nair, G. E. Hinton, Rectified linear units improve restricted Boltzmann machines, 2010.
    """

    def sigma(self, z: Array) -> Array:
        """max(z, 0)."""
        return np.maximum(z, 0)

    def slope(self, z: Array, a: Array) -> Array:
        """[z > 0]; like torch, a NaN passes."""
        return ~(z <= 0)


@layer
class Hardtanh(Activation):
    """σ(z) = min(max(z, min_val), max_val), σ′(z) = [min_val < z < max_val]: 0 at both corners."""

    min_val: float = -1.0
    max_val: float = 1.0

    def __post_init__(self) -> None:
        """min_val < max_val."""
        ok = self.min_val < self.max_val
        require(ok, f"Hardtanh: min_val is {self.min_val}, but should be below max_val = {self.max_val}")

    def sigma(self, z: Array) -> Array:
        """Z, kept between the two bounds."""
        return np.minimum(np.maximum(z, self.min_val), self.max_val)

    def slope(self, z: Array, a: Array) -> Array:
        """[min_val < z < max_val]."""
        return (z > self.min_val) & (z < self.max_val)


@layer
class ReLU6(Activation):
    """σ(z) = min(max(z, 0), 6), σ′(z) = [0 < z < 6].

    Source: A. Krizhevsky, Convolutional deep belief networks on CIFAR-10, 2010.
    """

    def sigma(self, z: Array) -> Array:
        """min(max(z, 0), 6)."""
        return np.minimum(np.maximum(z, 0), 6)

    def slope(self, z: Array, a: Array) -> Array:
        """[0 < z < 6]."""
        return (z > 0) & (z < 6)


@layer
class Hardsigmoid(Activation):
    """σ(z) = min(max(z + 3, 0), 6)/6, σ′(z) = [−3 < z < 3]/6.

    In float64 torch 2.13 has the 1/6 of float32 in its slope, 0.1666666716; here it is 1/6.
    Source: M. Courbariaux, Y. Bengio, J.-P. David, BinaryConnect, 2015 (with another slope).
    """

    def sigma(self, z: Array) -> Array:
        """min(max(z + 3, 0), 6)/6."""
        return np.minimum(np.maximum(z + 3, 0), 6) / 6

    def slope(self, z: Array, a: Array) -> Array:
        """Six times σ′, the mask."""
        return np.abs(z) < 3

    def backward(self, p: Params, saved: Saved, delta: Array) -> tuple[Array, ...]:
        """δz = δa [−3 < z < 3]/6."""
        return (gate(delta, self.slope(*saved)) / 6,)


@layer
class Hardswish(Activation):
    """σ(z) = z min(max(z + 3, 0), 6)/6; σ′(z) = 0 for z ≤ −3, z/3 + 1/2 between, 1 for z ≥ 3.

    The corners have σ′(−3) = 0 and σ′(3) = 1 (from inside they would be −1/2 and 3/2).
    Source: A. Howard and others, Searching for MobileNetV3, 2019.
    """

    def sigma(self, z: Array) -> Array:
        """z · hardsigmoid(z)."""
        return z * (np.minimum(np.maximum(z + 3, 0), 6) / 6)

    def slope(self, z: Array, a: Array) -> Array:
        """z/3 + 1/2 between the corners, 1 to the right."""
        return np.where(z < 3, z / 3 + 0.5, 1)

    def backward(self, p: Params, saved: Saved, delta: Array) -> tuple[Array, ...]:
        """δz = δa σ′(z), nothing from z ≤ −3."""
        return (gate(delta, saved[0] > -3) * self.slope(*saved),)


@layer
class Hardshrink(Activation):
    """σ(z) = z where |z| > λ, else 0; σ′(z) = [|z| > λ]: 0 at ±λ, where σ jumps."""

    lambd: float = 0.5

    def sigma(self, z: Array) -> Array:
        """z [|z| > λ]."""
        return z * self.slope(z, z)

    def slope(self, z: Array, a: Array) -> Array:
        """[|z| > λ]."""
        return np.abs(z) > self.lambd


@layer
class Softshrink(Activation):
    """σ(z) = z − min(max(z, −λ), λ), σ′(z) = [|z| > λ]: 0 at ±λ.

    Source: D. L. Donoho, De-noising by soft-thresholding, 1995.
    """

    lambd: float = 0.5

    def __post_init__(self) -> None:
        """λ ≥ 0."""
        require(self.lambd >= 0, f"Softshrink: lambd is {self.lambd}, but should be at least 0")

    def sigma(self, z: Array) -> Array:
        """Z, nearer to 0 by λ."""
        return z - np.minimum(np.maximum(z, -self.lambd), self.lambd)

    def slope(self, z: Array, a: Array) -> Array:
        """[|z| > λ]."""
        return np.abs(z) > self.lambd


@layer
class Threshold(Activation):
    """σ(z) = z where z > threshold, else `value`; σ′(z) = [z > threshold]: 0 at the threshold."""

    threshold: float
    value: float

    def sigma(self, z: Array) -> Array:
        """z or `value`."""
        return np.where(z <= self.threshold, self.value, z)

    def slope(self, z: Array, a: Array) -> Array:
        """[z > threshold]; like torch, a NaN passes."""
        return ~(z <= self.threshold)


@layer
class Dropout(Layer):
    """y = m x/(1 − p): a unit is dropped with probability p; m (True: kept) is drawn outside, the second input.

    A mask is a slope: δx = m δ/(1 − p). With p = 1 both are 0. In evaluation y = x.
    Source: N. Srivastava, G. Hinton, A. Krizhevsky, I. Sutskever, R. Salakhutdinov, Dropout, 2014.
    """

    p: float = 0.5
    training: bool = True

    arity: ClassVar = (2, 2)

    def __post_init__(self) -> None:
        """0 ≤ p ≤ 1."""
        require(0 <= self.p <= 1, f"Dropout: p is {self.p}, but should be a probability, from 0 to 1")

    def forward(self, p: Params, *x: Array) -> tuple[Array, Saved]:
        """m x/(1 − p)."""
        same_shape(self, "mask", *x)
        if x[1].dtype != bool:
            raise GraphError(f"Dropout: the mask is {x[1].dtype}, but should be bool, True where a unit is kept")
        return self._drop(*x), x[1]

    def backward(self, p: Params, saved: Saved, delta: Array) -> tuple[Array | None, ...]:
        """m δ/(1 − p); no error signal for the mask."""
        return self._drop(delta, saved), None

    def _drop(self, x: Array, mask: Array) -> Array:
        if not self.training:
            return x
        return gate(x, mask) / (1 - self.p) if self.p < 1 else np.zeros_like(x)
