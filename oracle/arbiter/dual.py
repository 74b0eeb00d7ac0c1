"""Dual numbers over balls: a tensor of values, each a proven enclosure, and its tangent.

Forward mode: one scalar t of the case is varied, and every tensor carries x and ẋ = ∂x/∂t. All that is
taken on trust is a first week of calculus: the derivatives of + − × ÷ and of seven elementary functions. A
ball is flint's `arb`; NumPy's object arrays call its methods, so that formulas read as they do over floats.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from flint import arb
from numpy.typing import NDArray

Balls = NDArray[np.object_]
Axes = int | tuple[int, ...]

ZERO, ONE, HALF = arb(0), arb(1), arb(0.5)
_is_zero = np.frompyfunc(arb.is_zero, 1, 1)
_exact = np.frompyfunc(arb, 1, 1)


class Undecided(Exception):  # noqa: N818  (not a failure: an outcome)
    """The arbiter cannot say what the true number is; the sentence says why."""


class Straddles(Undecided):
    """A ball lies on both sides of a branch: more precision may decide."""


def balls(x: Any) -> Balls:
    """Exact numbers as balls of radius 0."""
    return _array(_exact(np.asarray(x).astype(object)))


def zeros(shape: tuple[int, ...]) -> Balls:
    """Exact zeros."""
    return np.full(shape, ZERO, object)


def live(x: Balls) -> NDArray[np.bool_]:
    """Where a ball is anything but an exact zero."""
    return ~np.asarray(_is_zero(x), bool)


def _array(x: Any) -> Balls:
    """NumPy hands back a bare ball where the shape is ()."""
    if isinstance(x, np.ndarray):
        return x
    wrapped = np.empty((), object)
    wrapped[()] = x
    return wrapped


class Dual:
    """x + ẋ ε with ε² = 0; `d` is None where ẋ is zero throughout."""

    __array_ufunc__ = None
    __slots__ = ("d", "v")

    def __init__(self, v: Any, d: Any = None) -> None:
        self.v = _array(v)
        self.d = None if d is None else np.broadcast_to(_array(d), self.v.shape)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of x."""
        return self.v.shape

    @property
    def tangent(self) -> Balls:
        """ẋ, written out."""
        return zeros(self.shape) if self.d is None else self.d

    def rearranged(self, move: Callable[[Balls], Any]) -> "Dual":
        """Both x and ẋ, moved alike."""
        return Dual(move(self.v), None if self.d is None else move(self.d))

    def chain(self, value: Callable[[Balls], Any], slope: Callable[[Balls], Any]) -> "Dual":
        """f(x) + f′(x) ẋ ε, with f′ only where ẋ is not zero."""
        if self.d is None:
            return Dual(value(self.v))
        d, on = zeros(self.shape), live(self.d)
        d[on] = slope(self.v[on]) * self.d[on]
        return Dual(value(self.v), d)

    def __neg__(self) -> "Dual":
        return self.rearranged(np.negative)

    def __add__(self, other: Any) -> "Dual":
        """(x + y)˙ = ẋ + ẏ"""
        y = dual(other)
        if self.d is None or y.d is None:
            return Dual(self.v + y.v, y.d if self.d is None else self.d)
        return Dual(self.v + y.v, self.d + y.d)

    def __sub__(self, other: Any) -> "Dual":
        return self + -dual(other)

    def __mul__(self, other: Any) -> "Dual":
        """(x y)˙ = ẋ y + x ẏ"""
        y = dual(other)
        terms = [a * b for a, b in ((self.d, y.v), (y.d, self.v)) if a is not None]
        return Dual(self.v * y.v, sum(terms[1:], start=terms[0]) if terms else None)

    def __truediv__(self, other: Any) -> "Dual":
        """(x / y)˙ = (ẋ − (x/y) ẏ) / y"""
        y = dual(other)
        v = self.v / y.v
        return Dual(v, None if self.d is y.d is None else (self.tangent - v * y.tangent) / y.v)

    def __radd__(self, other: Any) -> "Dual":
        return self + other

    def __rsub__(self, other: Any) -> "Dual":
        return -self + other

    def __rmul__(self, other: Any) -> "Dual":
        return self * other

    def __rtruediv__(self, other: Any) -> "Dual":
        return dual(other) / self

    def __matmul__(self, other: "Dual") -> "Dual":
        """(X Y)˙ = Ẋ Y + X Ẏ, over the rows of Ẋ and the columns of Ẏ that are not zero."""
        v = self.v @ other.v
        if self.d is other.d is None:
            return Dual(v)
        d = zeros(v.shape)
        if self.d is not None:
            rows = live(self.d).any(-1)
            d[rows] = self.d[rows] @ other.v
        if other.d is not None:
            columns = live(other.d).any(0)
            d[..., columns] = d[..., columns] + self.v @ other.d[:, columns]
        return Dual(v, d)

    def __getitem__(self, index: Any) -> "Dual":
        return self.rearranged(lambda x: x[index])

    def reshape(self, *shape: int) -> "Dual":
        """The same numbers in another shape."""
        return self.rearranged(lambda x: x.reshape(shape))

    def moveaxis(self, source: int, target: int) -> "Dual":
        """One axis elsewhere."""
        return self.rearranged(lambda x: np.moveaxis(x, source, target))

    def sum(self, axis: Axes | None = None, keepdims: bool = False) -> "Dual":
        """Σ x"""
        initial: Any = ZERO  # NumPy would start from an int
        return self.rearranged(lambda x: x.sum(axis, keepdims=keepdims, initial=initial))

    def mean(self, axis: Axes | None = None, keepdims: bool = False) -> "Dual":
        """Σ x / n"""
        total = self.sum(axis, keepdims)
        return total / arb(self.v.size // max(total.v.size, 1))


def dual(x: Any) -> Dual:
    """A constant as a dual number."""
    return x if isinstance(x, Dual) else Dual(x if isinstance(x, np.ndarray) else arb(x))


def concatenate(x: Sequence[Dual], axis: int) -> Dual:
    """Tensors end to end."""
    d = None if all(y.d is None for y in x) else np.concatenate([y.tangent for y in x], axis)
    return Dual(np.concatenate([y.v for y in x], axis), d)


def constant(z: Dual, value: Any) -> Dual:
    """The same number everywhere; no tangent."""
    return Dual(np.full(z.shape, arb(value), object))


_sech = np.frompyfunc(arb.sech, 1, 1)
_erfc = np.frompyfunc(arb.erfc, 1, 1)


def exp(z: Dual) -> Dual:
    """(eᶻ)′ = eᶻ"""
    return z.chain(np.exp, np.exp)


def expm1(z: Dual) -> Dual:
    """(eᶻ − 1)′ = eᶻ"""
    return z.chain(np.expm1, np.exp)


def log(z: Dual) -> Dual:
    """(ln z)′ = 1/z"""
    return z.chain(np.log, lambda x: ONE / x)


def log1p(z: Dual) -> Dual:
    """(ln(1 + z))′ = 1/(1 + z)"""
    return z.chain(np.log1p, lambda x: ONE / (ONE + x))


def sqrt(z: Dual) -> Dual:
    """(√z)′ = 1/(2√z)"""
    return z.chain(np.sqrt, lambda x: HALF / np.sqrt(x))


def tanh(z: Dual) -> Dual:
    """(tanh z)′ = sech² z, which does not cancel where 1 − tanh² z does"""
    return z.chain(np.tanh, lambda x: _sech(x) * _sech(x))


def erfc(z: Dual) -> Dual:
    """(erfc z)′ = −2/√π e^(−z²)"""
    return z.chain(_erfc, lambda x: np.exp(-(x * x)) * (arb(-2) / arb.pi().sqrt()))


def sigmoid(z: Dual) -> Dual:
    """σ(z) = 1 / (1 + e^(−z))"""
    return 1 / (1 + exp(-z))


def softplus(z: Dual) -> Dual:
    """ln(1 + eᶻ)"""
    return log1p(exp(z))
