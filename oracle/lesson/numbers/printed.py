"""A number as a lesson prints it, and what counts as the same to its printed digits."""

import math
import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from oracle.lesson.syntax import Negative, Node, Number, Power, Times

ROUNDING = 1e-9
"""A tie that binary fractions cannot represent counts as rounded either way; a part of half a unit."""

HUGE = 150
"""Powers of ten from which on a number is none that a lesson means."""
GRID = 0.02
"""Part of a unit of the last digit; what is nearer to a printable number has hardly been rounded."""


@dataclass(frozen=True)
class Printed:
    """`text` stands for every number from `value - half` to `value + half`."""

    text: str
    value: float
    half: float

    @property
    def digits(self) -> int:
        """How many digits count."""
        return len(re.sub(r"\D|^[-−]?0*\.?0*", "", self.text.partition(" ")[0]))

    @property
    def long(self) -> bool:
        """Whether it looks calculated: three digits or more."""
        return self.digits >= 3

    def near(self, x: float, slack: float = 0.0) -> bool:
        """Whether `x` rounds to it, give or take `slack`."""
        return math.isfinite(x) and abs(x - self.value) <= self.half * (1 + ROUNDING) + slack + 1e-15 * abs(x)

    def cut_off(self, x: float) -> bool:
        """Whether it is `x` with the digits left off that follow, which is not rounded."""
        short = abs(x) - abs(self.value)
        return math.isfinite(x) and x * self.value > 0 and self.half < short < 2 * self.half

    def next_door(self, x: float) -> bool:
        """Whether a long number is off by one in its last digit, where that digit has been rounded at all."""
        if not math.isfinite(x):
            return False
        unit = 2 * self.half
        rounded = abs(x / unit - round(x / unit)) > GRID
        return self.long and rounded and abs(x - self.value) <= unit * (1 + ROUNDING)

    def shown(self, x: float) -> str:
        """`x` with two digits more than are printed, so that a difference in the last one is seen."""
        places = max(0, round(-math.log10(2 * self.half))) if self.half else 6
        return f"{x:.{places}f}" if self.near(x) else f"{x:.{places + 2}f}"


def number(text: str) -> Printed | None:
    """A number from its digits; None where they are none."""
    try:
        found = Decimal(text.replace("−", "-").replace(" ", "").replace(",", ""))
    except InvalidOperation:
        return None
    exponent = found.as_tuple().exponent
    if not isinstance(exponent, int) or not -HUGE < exponent <= found.adjusted() < HUGE:
        return None
    return Printed(text.strip(), float(found), 0.5 * 10.0**exponent)


def printed(node: Node) -> Printed | None:
    r"""The number that a node is: `0.4`, `-.3`, `8.2 \times 10^{-2}`; None where it is to be calculated."""
    match node:
        case Number(text=text):
            return number(text)
        case Negative(body=body):
            inner = printed(body)
            return inner and Printed(f"-{inner.text}", -inner.value, inner.half)
        case Times(factors=(mantissa, Power(base=Number(text="10"), exponent=exponent)), ops=(op,)) if op:
            one, ten = printed(mantissa), printed(exponent)
            if one and ten and abs(ten.value) < HUGE:
                scale = 10.0**ten.value
                return Printed(rf"{one.text} \times 10^{{{ten.text}}}", one.value * scale, one.half * scale)
    return None
