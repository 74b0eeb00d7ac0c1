"""What autograd would say if the twin had each fault of the catalogue. See `hypothesis`."""

from oracle.hypotheses import activations, factors, graphs, layers, losses, optimizers, states
from oracle.hypotheses.evidence import Evidence, Steps
from oracle.hypotheses.hypothesis import Hypothesis

HYPOTHESES: dict[str, Hypothesis] = {
    **activations.HYPOTHESES, **layers.HYPOTHESES, **losses.HYPOTHESES, **graphs.HYPOTHESES,
    **optimizers.HYPOTHESES, **states.HYPOTHESES, **factors.HYPOTHESES,
}  # fmt: skip
"""By the code of the fault. A few faults have none: they are breaches of contract, told from the breach."""

__all__ = ["HYPOTHESES", "Evidence", "Hypothesis", "Steps"]
