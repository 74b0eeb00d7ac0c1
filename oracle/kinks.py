"""Where operators have no derivative, and which of the valid answers torch gives there.

At a kink every slope between the left and the right one is a subgradient; a library picks one. Here a choice is
a number λ in [0, 1], the weight of the right slope: torch's relu'(0) = 0 is λ = 0, its |·|'(0) = 0 is λ = ½.
At a jump (Threshold, Hardshrink, Softplus's switch to a line) the value is the operator's own and only the slope
is a matter of convention.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from oracle.spec import Array, Node


@dataclass(frozen=True)
class Kink:
    """One point where the slope jumps."""

    at: float
    torch: float
    """λ of torch: 0 the left slope, 1 the right one."""


def _at(*kinks: tuple[float, float]) -> Callable[[Mapping[str, Any]], tuple[Kink, ...]]:
    return lambda attrs: tuple(Kink(*k) for k in kinks)


KINKS: dict[str, Callable[[Mapping[str, Any]], tuple[Kink, ...]]] = {
    "ReLU": _at((0, 0)),
    "ReLU6": _at((0, 0), (6, 1)),
    "LeakyReLU": _at((0, 0)),
    "PReLU": _at((0, 0)),
    "RReLU": _at((0, 0)),
    "ELU": _at((0, 0)),
    "SELU": _at((0, 0)),
    "Hardsigmoid": _at((-3, 0), (3, 1)),
    "Hardswish": _at((-3, 0), (3, 1)),
    "Hardtanh": lambda a: (Kink(a.get("min_val", -1.0), 0), Kink(a.get("max_val", 1.0), 1)),
    "Hardshrink": lambda a: (Kink(-a.get("lambd", 0.5), 1), Kink(a.get("lambd", 0.5), 0)),
    "Softshrink": lambda a: (Kink(-a.get("lambd", 0.5), 1), Kink(a.get("lambd", 0.5), 0)),
    "Threshold": lambda a: (Kink(a["threshold"], 0),),
    "Softplus": lambda a: (Kink(a.get("threshold", 20.0) / a.get("beta", 1.0), 0),),
    "L1Loss": _at((0, 0.5)),
    "SmoothL1Loss": lambda a: (Kink(0, 0.5),) if a.get("beta", 1.0) == 0 else (),
}
"""Kinks of each operator, in its first input; for a loss, in prediction − target."""

RESIDUAL = {"L1Loss", "SmoothL1Loss"}
"""Operators whose kink lies in the difference of their two inputs."""


def argument(node: Node, inputs: list[Array]) -> Array:
    """The tensor in which the kinks of `node` lie."""
    return inputs[0] - inputs[1] if node.op in RESIDUAL else inputs[0]


def kinks(node: Node) -> tuple[Kink, ...]:
    """The kinks of a node; none for a smooth operator."""
    return KINKS[node.op](node.attrs) if node.op in KINKS else ()


def exactly_at(node: Node, inputs: list[Array]) -> Array:
    """Which entries of the node's argument lie exactly on a kink."""
    z = argument(node, inputs)
    on = np.zeros(z.shape, bool)
    for kink in kinks(node):
        on |= z == np.asarray(kink.at, z.dtype)
    return on
