r"""Lessons that write ∂J/∂Z and mean the sum over the samples, where J is their mean: dW = ∂J/∂W = 1/m dZ A^T.

Andrew Ng's dZ and dA are of the losses of the samples, and only dW and db are of the cost; many who write down his
formulas call all of them partials of J.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from oracle.lesson.endings import samples_name
from oracle.lesson.meaning.columns import is_batch, of_batch
from oracle.lesson.meaning.losses import LOSSES
from oracle.lesson.meaning.naming import letter
from oracle.lesson.meaning.notation import PARAMETER_LETTERS, Ref
from oracle.lesson.meaning.program import Program, Signal
from oracle.lesson.meaning.usage import Usage

WORDS = "∂{}/∂{} is of the sum over the samples, and ∂{}/∂W of their mean"


@dataclass(frozen=True)
class OfTheSum:
    """What the lesson's signals stand for then, by what the partials of the sum are, and the words for the report."""

    signals: dict[str, Signal]
    by: frozenset[str]
    words: str


def of_the_sum(usage: Usage, own: Program, read: Mapping[str, Signal]) -> OfTheSum | None:
    """The signals `read`, with the partials by what each sample has meant of the sum; None where no mean is taken."""
    said = {base: signal for (base, *_), signal in own.signals.items()}
    losses = {s.loss.base for s in {**read, **said}.values() if not s.loss.slots} & LOSSES
    pairs = [*usage.partials, *((s.loss, Ref(s.of)) for s in said.values())]
    found = {wrt.base for of, wrt in pairs if of.base in losses and not of.slots}
    found = {base for base in found if is_batch(base) or of_batch(own, base)}
    found = {base for base in found if letter(base) not in PARAMETER_LETTERS | LOSSES}
    if not samples_name(usage) or not found or not any(s.of in found for s in {**read, **said}.values()):
        return None
    signals = {base: replace(s, mean=False) if s.of in found else s for base, s in read.items()}
    return OfTheSum(signals, frozenset(found), WORDS.format(min(losses), ", ".join(sorted(found)), min(losses)))
