"""What losses are called, and which letters are two losses."""

from dataclasses import dataclass

from oracle.lesson.syntax import Node

ENTROPIES = ("CE", "BCE", "NLL", "MSE")
LOSS = ("L", "C", "J", "E", "cal L", "cal J", "cal E", "cal C", "ell", "Loss", "Cost", "loss", "cost", *ENTROPIES)
"""What a loss is called, the likeliest first."""
ALL = "_all"
"""What is added to the letter of a loss that adds up losses of the same letter."""
THERE = "_there"
"""What is added to that of another loss, of an example apart from the net of the lesson."""
LOSSES = {*LOSS, "l", "R", "S", *(name + added for name in LOSS for added in (ALL, THERE))}


@dataclass(frozen=True)
class SampleLosses:
    """The letters of losses that are one thing of a sample and another of all samples."""

    letters: frozenset[str] = frozenset()
    single: frozenset[str] = frozenset()
    """Those that are a sample's where they stand without arguments."""
    wholes: frozenset[Node] = frozenset()
    r"""Calls that are of all samples, whatever they are given: the E(X, w) of ∂E(X, w)/∂w = \frac1N Σ_d ∂E_d/∂w."""
