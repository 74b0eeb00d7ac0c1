r"""Samples that are counted above without brackets: the μ of Σ_μ (ζ_i^μ - O_i^μ)^2.

A letter that a sum goes over and that stands above symbols, as no power of one does, counts samples, unless it stands
below something too or is a quantity.
"""

from collections.abc import Iterable

from oracle.lesson.meaning.above import symbol_of
from oracle.lesson.meaning.losses import LOSSES
from oracle.lesson.syntax import Indexed, Name, Node, Power, Sum

COUNTING = {"mu", "nu", "n", "p", "s", "q", "k", "i", "m", "r"}
"""What samples are counted by."""
RAISED = {"e", "pi", "alpha", "beta", "lambda", "gamma", "eta", "epsilon", "r"}
"""What is raised to a power."""


def samples_above(given: Iterable[Node]) -> set[str]:
    """The letters that count samples above."""
    nodes = list(given)
    sums = [node for node in nodes if isinstance(node, Sum) and not node.product]
    bound = {name.base for node in sums for name in node.indices}
    met = [(base, node.exponent.base) for node in nodes if isinstance(node, Power) and isinstance(node.exponent, Name)
           and (base := symbol_of(node))]  # fmt: skip
    summed = {letter for base, letter in met if base not in RAISED} & bound & COUNTING
    below = {part.base for node in nodes if isinstance(node, Indexed) for sub in node.subs for part in sub.walk()
             if isinstance(part, Name)}  # fmt: skip
    raised = {letter for base, letter in met if base in RAISED}
    return {letter for letter in summed - below - raised if _several(letter, met)}


def _several(letter: str, met: list[tuple[str, str]]) -> bool:
    """Whether two quantities at least have a letter above them, beside losses."""
    return len({base for base, above in met if above == letter} - LOSSES) > 1
