"""The slope of a function of one number, from its values alone, on both sides, with an estimate of its error.

(φ(h) − φ(0)) / h for h = S, S/2, S/4, ..., extrapolated to h = 0; of all extrapolations the one counts whose error is
estimated least. No backward formula is trusted, and a kink shows as two slopes.
Source: C. J. F. Ridders, Accurate computation of F'(x) and F'(x) F''(x), 1982.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from oracle.spec import Array

RUNGS = 38
"""Halvings of the first step."""
ORDER = 5
"""Terms of the expansion in h that are cancelled."""
ESTIMATE = 8.0
"""The error is taken to be so many times its estimate, which is the least of many and so too small."""

Phi = Callable[[float], tuple[float, float]]
"""h -> (φ(h) − φ(0), by how much rounding may have moved it)."""


@dataclass(frozen=True)
class Slopes:
    """One-sided derivatives of φ at 0, in the direction of growing h; NaN where φ has no number on that side."""

    left: float
    right: float
    error: float
    """Of either."""
    middle: float
    precision: float
    """The slope where there is no kink, from both sides at once, and its error."""

    @property
    def kinked(self) -> bool:
        """Whether the sides differ by more than the error."""
        return bool(abs(self.left - self.right) > self.error)

    @property
    def known(self) -> bool:
        """Whether anything was found."""
        return bool(np.isfinite(self.left) and np.isfinite(self.right) and np.isfinite(self.error))


def slopes(phi: Phi, scales: list[float], checked: bool = True) -> Slopes:
    """Both slopes at 0; `scales` are the first steps to try; what is not `checked` costs half as much."""
    ladder = _checked if checked else _ladder
    (right, right_error), (left, left_error), (middle, precision) = (
        min(found, key=lambda limit: limit[1]) for found in zip(*(ladder(phi, s) for s in scales), strict=True)
    )
    if np.isnan(left) or np.isnan(right):  # the end of the domain: one side alone
        left, left_error = (right, right_error) if np.isnan(left) else (left, left_error)
        right, right_error = (left, left_error) if np.isnan(right) else (right, right_error)
        middle, precision = left, max(left_error, right_error)
    error = max(left_error, right_error)
    if precision > error or not max(abs(middle - left), abs(middle - right)) <= error + precision:
        middle, precision = (left + right) / 2, max(error, abs(left - right))  # the sides know better
    return Slopes(left, right, error, middle, precision)


Limit = tuple[float, float]
"""A slope and its error."""


def _checked(phi: Phi, scale: float) -> list[Limit]:
    """The slope to the right, to the left and of both, each from two ladders of steps: one may meet a period."""
    return [_agreed(a, b) for a, b in zip(_ladder(phi, scale), _ladder(phi, scale * 0.731), strict=True)]


def _agreed(a: Limit, b: Limit) -> Limit:
    value, error = min(a, b, key=lambda limit: limit[1])
    apart = abs(a[0] - b[0])
    return value, max(error, apart) if np.isfinite(apart) else error


def _ladder(phi: Phi, scale: float) -> list[Limit]:
    h = scale * 0.5 ** np.arange(RUNGS)
    up, down = (np.array([phi(sign * float(step)) for step in h]) for sign in (1, -1))
    with np.errstate(all="ignore"):
        return [
            _limit(up[:, 0] / h, up[:, 1] / h, 1),
            _limit(-down[:, 0] / h, down[:, 1] / h, 1),
            _limit((up[:, 0] - down[:, 0]) / (2 * h), np.maximum(up[:, 1], down[:, 1]) / h, 2),
        ]


def _limit(d: Array, rounding: Array, power: int) -> Limit:
    """The limit of d(h) for h -> 0 in steps of ½, and its error: Neville's scheme in powers of h, or of h²."""
    best = (np.nan, np.inf)
    column, eps = d, float(np.finfo(float).eps)
    with np.errstate(all="ignore"):
        for k in range(1, ORDER + 1):
            factor = 2.0 ** (power * k)
            finer = column[1:] + (column[1:] - column[:-1]) / (factor - 1)
            change = np.maximum(np.abs(finer - column[1:]), np.abs(finer - column[:-1]))
            floor = rounding[k:] + eps * np.abs(finer)
            errors = np.where(np.isfinite(finer), ESTIMATE * np.maximum(change, floor), np.inf)
            errors = np.where(np.isnan(errors), np.inf, errors)
            at = int(np.argmin(errors))
            if errors[at] < best[1]:
                best = (float(finer[at]), float(errors[at]))
            column = finer
    return best
