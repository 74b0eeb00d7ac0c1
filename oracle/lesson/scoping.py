r"""What a section takes from the others: not the z_{nk} of a softmax where it has a z_n of its own."""

from collections.abc import Collection, Iterable

from oracle.lesson.meaning.gradients import gradient_of
from oracle.lesson.meaning.notation import Notation, Ref
from oracle.lesson.meaning.program import Definition
from oracle.lesson.meaning.usage import Usage
from oracle.lesson.syntax import Node


def in_sight(definitions: list[Definition], here: Collection[int], bodies: Iterable[Node]) -> list[Definition]:
    """Definitions without those of other sections for a name that this one defines with another number of indices.

    `here` are the numbers of the equations of this section, `bodies` its formulas: what has these indices in one of
    them is meant there too, as the E_n of E = Σ_n E_n is.
    """
    own = {(d.head.base, d.head.slots) for d in definitions if d.number in here}
    met = {(ref.base, len(ref.subs)) for body in bodies for ref in body.walk() if isinstance(ref, Ref)}
    return [
        d for d in definitions
        if d.number in here or (d.head.base, d.head.slots) not in own or (d.head.base, len(d.head.subs)) in met
    ]  # fmt: skip


def ranks(here: Usage, notation: Notation) -> dict[str, int]:
    """The axes of names that carry so many indices in this section, and another number (or none) in another.

    Where a section has all of its vectors with indices, what has none there is a number; but dS_{ik} is of a matrix S.
    """
    elsewhere: dict[str, set[int]] = {}
    for base, count in notation.indexed:
        elsewhere.setdefault(base, set()).add(count)
    local: dict[str, set[int]] = {}
    for ref in here.refs:
        if not ref.slots and (ref.subs or ref.base not in here.formal):
            local.setdefault(ref.base, set()).add(len(ref.subs))
    single = {base: min(found) for base, found in local.items() if len(found) == 1}
    whole = any(not single.get(gradient_of(base, notation.markers), 1) for base, count in single.items() if count)
    by_indices = not (here.vectors or here.picked or whole) and any(single.values()) and len(single) == len(local)
    return {
        base: count for base, count in single.items()
        if elsewhere.get(base, {count}) != {count} and (count or by_indices)
    }  # fmt: skip
