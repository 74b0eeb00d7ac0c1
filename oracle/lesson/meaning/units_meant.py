r"""Letters that stand for units of any layer: the i and j of $\partial L/\partial w_{ij} = \sum_t \delta_j^t b_i^t$.

Where the forward equations tell layers apart by their letters, $a_h$, $a_k$, $w_{ih}$, $w_{hk}$, such a formula is said
of each two layers that have all that stands in it: here of h and k, since only hidden units have a b.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import product

from oracle.lesson.meaning.notation import Ref
from oracle.lesson.meaning.program import Program, counting, letters_of
from oracle.lesson.syntax import Name, Node, Sum, rebuilt

MOST = 3
"""So many letters may be open in one formula."""


def meant(program: Program, *sides: Node) -> list[tuple[Node, ...]]:
    """The formulas that are said of the layers of a lesson, one for each way to place the letters that have none; none
    where every letter is of a layer, or what the left side is of has those of its own.
    """
    if not program.families:
        return []
    known = _families(program)
    refs = [ref for side in sides for ref in side.walk() if isinstance(ref, Ref) and _of_units(ref)]
    told = [(ref, known[base]) for ref in refs if (base := _base(ref, program)) in known]
    placed = {ref for ref, found in told if letters_of(ref) in found}
    of_layers = [ref for ref, _ in told if ref.base in program.families or program.signal(ref)]
    if placed >= {*of_layers} or placed & {*sides[0].walk()}:
        return []
    bound = {name.base for side in sides for part in side.walk() if isinstance(part, Sum) for name in part.indices}
    free = sorted({sub.base for ref, _ in told for sub in ref.subs if isinstance(sub, Name)} - bound)
    layers = sorted({letter for found in known.values() for letters in found for letter in letters})
    if len(free) > MOST:
        return []
    ways = (dict(zip(free, way, strict=True)) for way in product(layers, repeat=len(free)))
    fitting = [way for way in ways if all(_placed(ref, way) in found for ref, found in told)]
    names = [{k: of if of == k else of + "'" * (n + 2) for n, (k, of) in enumerate(way.items())} for way in fitting]
    return [tuple(_lettered(side, way) for side in sides) for way in names]


def every_layer(program: Program, ref: Ref) -> list[Ref]:
    """a_h and a_k for an a_j of no layer that the lesson has, where two layers have an a."""
    alike = [other for other in _refs(program) if (other.base, other.kinds) == (ref.base, ref.kinds)]
    found = {letters_of(other): other.subs for other in alike if _of_units(other) and len(other.subs) == len(ref.subs)}
    if len(found) < 2 or letters_of(ref) in found or not _of_units(ref):
        return [ref]
    return [replace(ref, subs=found[letters]) for letters in sorted(found)]


def _families(program: Program) -> dict[str, set[tuple[str, ...]]]:
    """By name, the letters below what the forward equations have of it."""
    found: dict[str, set[tuple[str, ...]]] = {}
    for ref in _refs(program):
        if _of_units(ref):
            found.setdefault(ref.base, set()).add(letters_of(ref))
    return found


def _refs(program: Program) -> Iterator[Ref]:
    for d in program.definitions:
        yield from (part for side in (d.head, d.body) for part in side.walk() if isinstance(part, Ref))


def _of_units(ref: Ref) -> bool:
    return bool(ref.subs) and all(isinstance(sub, Name) for sub in ref.subs)


def _base(ref: Ref, program: Program) -> str:
    """The name of a quantity; of an error signal that of what it is the partial by."""
    signal = program.signal(ref)
    return signal.of if signal else ref.base


def _placed(ref: Ref, way: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(counting(way.get(sub.base, sub.base)) for sub in ref.subs if isinstance(sub, Name))


def _lettered(node: Node, way: Mapping[str, str]) -> Node:
    """A formula with other letters below its symbols."""
    if isinstance(node, Ref):
        subs = tuple(replace(x, base=way.get(x.base, x.base)) if isinstance(x, Name) else x for x in node.subs)
        return replace(node, subs=subs)
    return rebuilt(node, lambda child: _lettered(child, way))
