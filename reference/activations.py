"""Smooth activations: each is σ and σ′. `rectifiers.py` has those with corners, `softmax.py` those that mix units.

Formulas are written so that no digit is lost where a stable form exists: with e^{−|z|}, which cannot overflow,
and never as 1 − (a number near 1). Where torch rounds a tail to zero, the true tail is here.
"""

import math

import numpy as np
from numpy.polynomial import chebyshev, polynomial

from reference.layer import Array, Layer, Params, Saved, layer
from reference.refusals import require


class Activation(Layer):
    """a = σ(z), unit by unit; shapes stay. A subclass says σ and σ′; a σ′ of 0 and 1 alone may be a mask."""

    def sigma(self, z: Array) -> Array:
        """σ(z)."""
        raise NotImplementedError(type(self).__name__)

    def slope(self, z: Array, a: Array) -> Array:
        """σ′(z), with a = σ(z) at hand."""
        raise NotImplementedError(type(self).__name__)

    def forward(self, p: Params, *x: Array) -> tuple[Array, Saved]:
        """a = σ(z)."""
        a = self.sigma(x[0])
        return a, (x[0], a)

    def backward(self, p: Params, saved: Saved, delta: Array) -> tuple[Array, ...]:
        """δz = δa ⊙ σ′(z)."""
        slope = self.slope(*saved)
        return (gate(delta, slope) if slope.dtype == bool else delta * slope,)


def gate(delta: Array, is_open: Array) -> Array:
    """δ where open, else 0, also for an infinite δ.

    As fast as a product (`where` is ten times slower) and without its ∞ · 0 = NaN: the bits are multiplied.
    """
    bits = np.dtype(f"i{delta.itemsize}")
    return (delta.view(bits) * is_open).view(delta.dtype)


def sigmoid(z: Array) -> Array:
    """σ(z) = 1/(1 + e^{−z}), as 1/(1 + e) for z ≥ 0 and e/(1 + e) for z < 0, with e = e^{−|z|}."""
    e = np.exp(-np.abs(z))
    return np.maximum(e, z >= 0) / (1 + e)


def softplus(z: Array) -> Array:
    """log(1 + e^z) = max(z, 0) + log(1 + e^{−|z|})."""
    return np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))


@layer
class Sigmoid(Activation):
    """σ(z) = 1/(1 + e^{−z}), σ′(z) = σ(z) σ(−z) = (1 / (2 cosh(z/2)))².

    Books write σ(1 − σ), the same number; in floating point its tail is lost once σ rounds to 1.
    """

    def sigma(self, z: Array) -> Array:
        """1/(1 + e^{−z})."""
        return sigmoid(z)

    def slope(self, z: Array, a: Array) -> Array:
        """σ(z) σ(−z)."""
        return np.square(0.5 / np.cosh(0.5 * z))


@layer
class Tanh(Activation):
    """σ(z) = tanh z, σ′(z) = 1/cosh² z, which books write 1 − σ(z)²."""

    def sigma(self, z: Array) -> Array:
        """The hyperbolic tangent."""
        return np.tanh(z)

    def slope(self, z: Array, a: Array) -> Array:
        """1/cosh² z, whose tail does not cancel."""
        return np.square(1 / np.cosh(z))


@layer
class Tanhshrink(Activation):
    """σ(z) = z − tanh z, σ′(z) = tanh² z.

    Near 0 the difference cancels. There z − tanh z = k tanh z with k = z²/(3 + z²/(5 + z²/(7 + …))).
    Source: J. H. Lambert, Mémoire sur quelques propriétés remarquables des quantités transcendentes, 1768.
    """

    def sigma(self, z: Array) -> Array:
        """Eight levels of the continued fraction reach the last bit up to |z| = 1."""
        a, square = np.tanh(z), np.square(z)
        k = square / 17
        for odd in range(15, 1, -2):
            k = square / (odd + k)
        return np.where(np.abs(z) < 1, a * k, z - a)

    def slope(self, z: Array, a: Array) -> Array:
        """tanh² z."""
        return np.square(np.tanh(z))


@layer
class Softsign(Activation):
    """σ(z) = z/(1 + |z|), σ′(z) = 1/(1 + |z|)²; smooth once at 0, σ′(0) = 1.

    Source: J. Bergstra, G. Desjardins, P. Lamblin, Y. Bengio, Quadratic polynomials learn better image features, 2009.
    """

    def sigma(self, z: Array) -> Array:
        """z/(1 + |z|)."""
        return z / (1 + np.abs(z))

    def slope(self, z: Array, a: Array) -> Array:
        """1/(1 + |z|)²."""
        return np.square(1 / (1 + np.abs(z)))


@layer
class Softplus(Activation):
    """σ(z) = log(1 + e^{βz})/β, but z itself where βz > threshold; σ′(z) = 1/(1 + e^{−βz}), but 1 there.

    At βz = threshold exactly the curve is still the logarithm: the jump is torch's, and a part of the definition.
    Source: C. Dugas, Y. Bengio and others, Incorporating second-order functional knowledge, 2000.
    """

    beta: float = 1.0
    threshold: float = 20.0

    def sigma(self, z: Array) -> Array:
        """softplus(βz)/β."""
        u = self.beta * z
        return np.where(u > self.threshold, z, softplus(u) / self.beta)

    def slope(self, z: Array, a: Array) -> Array:
        """The sigmoid of βz."""
        u = self.beta * z
        return np.maximum(sigmoid(u), u > self.threshold)


@layer
class LogSigmoid(Activation):
    """σ(z) = log(1/(1 + e^{−z})) = −softplus(−z), σ′(z) = 1/(1 + e^z)."""

    def sigma(self, z: Array) -> Array:
        """min(z, 0) − log(1 + e^{−|z|})."""
        return -softplus(-z)

    def slope(self, z: Array, a: Array) -> Array:
        """The sigmoid of −z."""
        return sigmoid(-z)


@layer
class SiLU(Activation):
    """σ(z) = z s(z), σ′(z) = s(z) (1 + z s(−z)), with s the sigmoid. Also called swish.

    Source: S. Elfwing, E. Uchibe, K. Doya, Sigmoid-weighted linear units for neural network function
    approximation in reinforcement learning, 2017.
    """

    def sigma(self, z: Array) -> Array:
        """z s(z)."""
        return z * sigmoid(z)

    def slope(self, z: Array, a: Array) -> Array:
        """s(z) (1 + z s(−z))."""
        return sigmoid(z) * (1 + z * sigmoid(-z))


@layer
class Mish(Activation):
    """σ(z) = z τ with τ = tanh(softplus(z)); σ′(z) = τ + z (1 − τ²) s(z), s the sigmoid.

    With e = e^z and n = e(e + 2): τ = n/(n + 2) and (1 − τ²) s(z) = 4 e(e + 1)/(n + 2)². From z = 40 on, τ = 1.
    Source: D. Misra, Mish: a self regularized non-monotonic activation function, 2019.
    """

    def sigma(self, z: Array) -> Array:
        """z n/(n + 2)."""
        e = np.exp(np.minimum(z, 40))
        n = e * (e + 2)
        return z * (n / (n + 2))

    def slope(self, z: Array, a: Array) -> Array:
        """n/(n + 2) + z 4 e(e + 1)/(n + 2)²."""
        w = np.minimum(z, 40)
        e = np.exp(w)
        n = e * (e + 2)
        return n / (n + 2) + w * (4 * e / (n + 2)) * ((e + 1) / (n + 2))


@layer
class GELU(Activation):
    """σ(z) = z Φ(z), σ′(z) = Φ(z) + z φ(z), with Φ and φ = Φ′ of the standard normal distribution.

    approximate="tanh": σ(z) = z (1 + tanh u)/2 = z s(2u), u = √(2/π) (z + 0.044715 z³), s the sigmoid;
    σ′(z) = s(2u) + z s(2u) s(−2u) 2u′.
    Source: D. Hendrycks, K. Gimpel, Gaussian error linear units, 2016.
    """

    approximate: str = "none"

    def __post_init__(self) -> None:
        """One of two forms."""
        known = self.approximate in ("none", "tanh")
        require(known, f"GELU: approximate is {self.approximate!r}, but should be 'none' or 'tanh'")

    def sigma(self, z: Array) -> Array:
        """z Φ(z)."""
        return z * (normal_cdf(z) if self.approximate == "none" else sigmoid(2 * self._u(z)))

    def slope(self, z: Array, a: Array) -> Array:
        """Φ(z) + z φ(z)."""
        if self.approximate == "none":
            return normal_cdf(z) + z * np.exp(-0.5 * np.square(z)) * math.sqrt(0.5 / math.pi)
        z = np.minimum(np.maximum(z, -30), 30)  # far inside, s is 0 or 1 already, and z³ cannot overflow
        u, rise = self._u(z), math.sqrt(2 / math.pi) * (1 + 3 * 0.044715 * np.square(z))
        return sigmoid(2 * u) * (1 + 2 * z * rise * sigmoid(-2 * u))

    def _u(self, z: Array) -> Array:
        return math.sqrt(2 / math.pi) * z * (1 + 0.044715 * np.square(z))


def normal_cdf(z: Array) -> Array:
    """Φ(z) = erfc(−z/√2)/2, the tail to full relative accuracy.

    With x = |z|/√2 and t = (x − 3.75)/(x + 3.75), (1 + 2x) e^{x²} erfc x is a short Chebyshev series in t.
    Source: M. M. Shepherd, J. G. Laframboise, Chebyshev approximation of (1 + 2x) exp(x²) erfc x, 1981;
    the coefficients were computed anew, with 40 digits.
    """
    x = math.sqrt(0.5) * np.abs(z)
    series = polynomial.polyval((x - 3.75) / (x + 3.75), ERFC[z.dtype.itemsize].astype(z.dtype))
    tail = np.exp(-0.5 * np.square(z)) * series / (2 + 4 * x)
    return np.abs(tail - (z > 0))


# fmt: off
_SERIES = (
    1.1775789345674017, -0.004590054580646478, -0.08424913336651792, 0.05920993999819189,
    -0.026658668435305753, 0.009074997670705265, -0.002413163540417608, 0.0004907758365258086,
    -6.916973302501207e-05, 4.13902798607301e-06, 7.740383066198494e-07, -2.1886401049234373e-07,
    1.0764999465671112e-08, 4.521959811218466e-09, -7.754400208829793e-10, -6.318088340873547e-11,
    2.8687950109412775e-11, 1.945586855379087e-13, -9.654696747896442e-13, 3.252548150842057e-14,
    3.347811948286861e-14, -1.864562907351375e-15, -1.2507951067674961e-15, 7.418227243211198e-17,
)
# fmt: on
ERFC = {4: chebyshev.cheb2poly(_SERIES[:13]), 8: chebyshev.cheb2poly(_SERIES)}
