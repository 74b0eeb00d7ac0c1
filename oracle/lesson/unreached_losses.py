r"""A section's loss that is not the one of another section: ∂L/∂O of attention, after L = -Σ_i y_i log ŷ_i.

Where nothing by which a section differentiates L is in what another says of it, the letter stands for any loss here.
"""

from collections.abc import Collection

from oracle.lesson.meaning.losses import LOSSES
from oracle.lesson.meaning.naming import core
from oracle.lesson.meaning.notation import Ref
from oracle.lesson.meaning.program import Definition, made_of
from oracle.lesson.meaning.usage import Usage
from oracle.lesson.scoping import weights


def without_unreached(definitions: list[Definition], here: Usage, numbers: Collection[int]) -> list[Definition]:
    """Definitions without those of other sections' losses; `numbers` are this section's equations."""
    by: dict[str, set[str]] = {}
    for of, wrt in here.partials:
        if of.base in LOSSES and not of.slots + of.subs:
            by.setdefault(of.base, set()).add(wrt.base)
    known = {d.head.base for d in definitions if d.number in {0, *numbers}}
    known = known or {ref.base for d in definitions for ref in (d.head, *d.body.walk()) if isinstance(ref, Ref)}
    strange = {loss for loss, ends in by.items() if known & ends and not _reached(loss, definitions, ends)}
    return [d for d in definitions if d.number in numbers or d.head.base not in strange]


def _reached(loss: str, definitions: list[Definition], ends: Collection[str]) -> bool:
    """Whether a loss is made of one of `ends`, but for what its targets are in other sections.

    What the lesson computes is known by its letter, Z for z_1; a p that nothing computes is not the P of another layer.
    """
    given = {base for d in definitions if d.head.base == loss for base in weights(d.body)}
    found = made_of([d for d in definitions if d.head.base not in given], {loss}) - given
    made = {d.head.base for d in definitions}
    return bool(_plain(found & made) & _plain(ends) or {*map(core, found - made)} & {*map(core, ends)})


def _plain(bases: Collection[str]) -> set[str]:
    """Letters without case and label: Z for z_1."""
    return {core(base).lower() for base in bases}
