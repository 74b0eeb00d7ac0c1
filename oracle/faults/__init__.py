"""The catalogue of backpropagation bugs, as data: a code, a name, a story, the wrong line beside the right one.

A fault has two more columns, which share no code, or diagnosis would measure itself:

    the hypothesis   what autograd would say if the twin had the bug (`oracle.hypotheses`, in torch)
    the seed         how to put the bug into a from-scratch implementation (`oracle.seeds`, in NumPy)

To add a fault: a row in the file of its family, a hypothesis, a seed.
"""

from oracle.faults import activations, graphs, layers, losses, optimizers, states
from oracle.faults.fault import FAMILIES, Fault, Part

FAULTS: dict[str, Fault] = {
    fault.code: fault
    for family in (activations, layers, losses, graphs, optimizers, states)
    for fault in family.FAULTS
}  # fmt: skip
"""Every fault by its code."""

__all__ = ["FAMILIES", "FAULTS", "Fault", "Part"]
