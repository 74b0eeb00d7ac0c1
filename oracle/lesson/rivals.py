"""Forward equations of one quantity that say different things: one of them is the net's, the others are claims."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby, islice, product

from oracle.lesson.judging import Nets
from oracle.lesson.meaning.notation import Ref, letters
from oracle.lesson.meaning.program import Definition, Program
from oracle.lesson.syntax import Name

Complete = Callable[[Program], Program]
MOST = 6
"""How many choices among rivals are tried."""


@dataclass(frozen=True)
class Choice:
    """A program in which no definition contradicts another, and those that were left out for it."""

    program: Program
    rejected: tuple[Definition, ...] = ()


def choices(own: Program, complete: Complete) -> list[Choice]:
    """All that is said, and every choice among the definitions that contradict each other."""
    groups = list(_several(own))
    firsts = [several[0] for several in groups]
    first = _kept(own, groups, firsts, complete)
    contested = [any(d is r for d in several for r in first.rejected) for several in groups]
    options = [several if doubt else several[:1] for several, doubt in zip(groups, contested, strict=True)]
    if not first.rejected:
        return [first]
    others = islice(product(*options), 1, MOST)
    return [Choice(own), first, *(_kept(own, groups, list(kept), complete) for kept in others)]


def said_otherwise(own: Program) -> list[Choice]:
    """What other sections say of a quantity instead: g_k(T) = T_k in one, and the softmax in another."""
    found: list[Choice] = []
    for d in (d for d in own.again if d.number not in own.here):
        known = next((k for k in own.definitions if k.head == d.head and k.number not in own.here), None)
        if known is not None and known.body != d.body:
            found.append(Choice(replace(own, definitions=[d if k is known else k for k in own.definitions])))
    return found[:MOST]


def _kept(own: Program, groups: list[list[Definition]], kept: list[Definition], complete: Complete) -> Choice:
    """One definition of each quantity, and all those that are not false beside these."""
    others = [d for several, k in zip(groups, kept, strict=True) for d in several if d is not k]
    if not others:
        return Choice(own)
    nets = Nets(complete(_without(own, others)), 1)
    rejected = [d for d in others if nets.judge(d.head, d.body, d.number).verdict in ("fails", "ill-typed")]
    return Choice(_without(own, rejected), tuple(rejected))


def _without(own: Program, rejected: list[Definition]) -> Program:
    return replace(own, definitions=[d for d in own.definitions if not any(d is r for r in rejected)])


def _several(program: Program) -> Iterator[list[Definition]]:
    """Definitions of one quantity, of every layer, step and unit: z^l = W^l a^{l-1} and z_j^{l+1} = Σ_k …."""
    general = [d for d in program.definitions if d.number and _is_general(program, d.head)]
    for _, group in groupby(sorted(general, key=_quantity), _quantity):
        several = list(group)
        letters_of = {d.head.subs for d in several if d.head.subs}
        by_letters = not several[0].head.slots and len(letters_of) > 1  # z_j is not z_k
        if len(several) > 1 and not by_letters:
            yield sorted(several, key=program.definitions.index)


def _quantity(definition: Definition) -> tuple[str, tuple[str, ...]]:
    return definition.head.base, definition.head.kinds


def _is_general(program: Program, head: Ref) -> bool:
    """Whether a head is of every layer and every unit."""
    return all(letters(expr) - program.last(kind) for kind, expr in head.slots) and all(
        isinstance(sub, Name) for sub in head.subs
    )
