r"""A section's loss that is not the one of another section: ∂L/∂O of attention, after L = -Σ_i y_i log ŷ_i.

Where nothing by which a section differentiates L is in what another says of it, the letter stands for any loss here.
"""

from collections.abc import Collection

from oracle.lesson.meaning.losses import LOSSES
from oracle.lesson.meaning.naming import core
from oracle.lesson.meaning.program import Definition, made_of
from oracle.lesson.meaning.usage import Usage
from oracle.lesson.scoping import weights


def without_unreached(definitions: list[Definition], here: Usage, numbers: Collection[int]) -> list[Definition]:
    """Definitions without those of other sections' losses; `numbers` are this section's equations."""
    by: dict[str, set[str]] = {}
    for of, wrt in here.partials:
        if of.base in LOSSES and not of.slots + of.subs:
            by.setdefault(of.base, set()).add(wrt.base)
    computed = {d.head.base for d in definitions if d.number in {0, *numbers}}
    strange = {loss for loss, ends in by.items() if computed & ends and not _reached(loss, definitions) & _plain(ends)}
    return [d for d in definitions if d.number in numbers or d.head.base not in strange]


def _reached(loss: str, definitions: list[Definition]) -> set[str]:
    """All that a loss is made of, but for what its targets are in other sections."""
    given = {base for d in definitions if d.head.base == loss for base in weights(d.body)}
    return _plain(made_of([d for d in definitions if d.head.base not in given], {loss}) - given)


def _plain(bases: Collection[str]) -> set[str]:
    """Letters without case and label: Z for z_1."""
    return {core(base).lower() for base in bases}
