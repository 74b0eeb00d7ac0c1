"""Numbers as a person reads them: short, exact where that is short, and never alike when they differ."""

import math
import re
from typing import Any

SHORT = 9
"""Characters up to which a number is written exactly."""


def short(x: Any) -> str:
    """0.5, -3, 1e-30 exactly; six significant digits of anything longer.

    >>> short(0.5), short(-3.0), short(1 / 3), short(1e-30)
    ('0.5', '-3', '0.333333', '1e-30')
    """
    text = exact(x)
    return text if len(text) <= SHORT or not _finite(x) else _digits(x, 6)


def exact(x: Any) -> str:
    """Every digit that a float64 has, and none more."""
    if isinstance(x, bool | int):
        return str(x).lower()
    if math.isnan(x):
        return "NaN"
    if math.isinf(x):
        return "Infinity" if x > 0 else "-Infinity"
    return _tidy(repr(float(x)).removesuffix(".0"))


def contrast(a: Any, b: Any) -> tuple[str, str]:
    """Two numbers with as many digits as it takes to tell them apart.

    >>> contrast(1.0, 1.00000001)
    ('1', '1.00000001')
    """
    if a == b or not (_finite(a) and _finite(b)):
        return short(a), short(b)
    pairs = [(short(a), short(b)), *((_digits(a, n), _digits(b, n)) for n in range(6, 18))]
    return next(pair for pair in pairs if pair[0] != pair[1])


def ratio(expected: Any, got: Any) -> str:
    """got / expected; what is just off 1 is written as that: 1 + 2.2e-16."""
    if not (_finite(expected) and _finite(got)) or expected == 0:
        return "–"
    r = quotient(expected, got)
    if short(r) == "1" and got != expected:
        excess = (float(got) - float(expected)) / float(expected)
        return f"1 {'+' if excess > 0 else '-'} {_tidy(f'{abs(excess):.2g}')}"
    return short(r + 0.0)  # -0 becomes 0


def quotient(expected: Any, got: Any) -> float:
    """got / expected, infinite rather than an error."""
    try:
        return float(got) / float(expected)
    except (OverflowError, ZeroDivisionError):
        return math.inf


def _finite(x: Any) -> bool:
    return isinstance(x, int) or math.isfinite(x)


def _digits(x: Any, n: int) -> str:
    return _tidy(f"{x:.{n}g}")


def _tidy(text: str) -> str:
    """1e-07 as 1e-7, 1e+16 as 1e16."""
    return re.sub(r"e([+-])0*(\d)", lambda m: f"e{m[1].strip('+')}{m[2]}", text)
