r"""Equations of single units, $a_1^{(2)} = f(W_{11}^{(1)} x_1 + \ldots)$, beside $a^{(l)}_i = f(z^{(l)}_i)$."""

from collections.abc import Collection
from dataclasses import replace

from oracle.lesson.meaning.notation import Ref
from oracle.lesson.meaning.program import Definition
from oracle.lesson.syntax import Name, Number

FIRST = (Number("1"),)


def of_all_units(definitions: list[Definition], here: Collection[int]) -> list[Definition]:
    """Definitions without those of single units that are one of a kind which a general one is of.

    The output of such an example, h(x) = a_1^{(3)}, is in any other section (`here` are the equations of this one) the
    last layer's, all of it.
    """
    general = _general(definitions)
    single = single_units(definitions, definitions)
    kept = [d for d in definitions if d not in single]
    return [d if d.number in here else _whole(d, general) for d in kept]


def single_units(said: list[Definition], definitions: list[Definition]) -> list[Definition]:
    """What is said of single units of an example, of which a general definition says it of all."""
    general = _general(definitions)
    return [d for d in said if _counted(d.head) and (d.head.base, d.head.kinds) in general]


def _general(definitions: list[Definition]) -> set[tuple[str, tuple[str, ...]]]:
    return {(d.head.base, d.head.kinds) for d in definitions if not _counted(d.head)}


def _counted(head: Ref) -> bool:
    return bool(head.subs) and bool(head.slots) and all(isinstance(sub, Number) for sub in head.subs)


def _whole(definition: Definition, general: Collection[tuple[str, tuple[str, ...]]]) -> Definition:
    """h = a^{(L)} for h = a_1^{(3)}."""
    match definition.head, definition.body:
        case Ref(slots=(), subs=()), Ref(subs=subs, slots=(("layer", Number()),)) as unit if subs == FIRST:
            if (unit.base, unit.kinds) in general:
                return replace(definition, body=replace(unit, subs=(), slots=(("layer", Name("L")),)))
    return definition
