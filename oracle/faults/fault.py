"""What a fault is."""

from dataclasses import dataclass
from typing import Literal

Part = Literal["forward", "backward", "partials", "update", "contract"]

FAMILIES = {
    "A": "derivatives of activations",
    "B": "partials of biases",
    "C": "softmax and cross-entropy",
    "D": "dropout",
    "F": "forward pass",
    "G": "graphs: branches and shared tensors",
    "H": "arguments of a layer",
    "J": "joins, broadcasting and shapes",
    "L": "derivatives of losses",
    "N": "normalization",
    "O": "optimizers",
    "P": "contract and state",
    "R": "reductions over the batch",
    "S": "signs",
    "W": "partials and error signals of weights",
    "X": "floating-point numbers",
}
"""What the first letter of a code says."""


@dataclass(frozen=True)
class Fault:
    """One bug."""

    code: str
    name: str
    story: str
    """What happened, in one sentence."""
    wrong: str
    right: str
    """The wrong line and the right one."""
    part: Part = "backward"
    """Where it is made."""
    effect: str = "everywhere"
    """When it shows."""
    source: str = ""
    """Where it was met: owner/repository#number."""

    @property
    def family(self) -> str:
        """What kind of bug it is."""
        return FAMILIES[self.code[0]]
