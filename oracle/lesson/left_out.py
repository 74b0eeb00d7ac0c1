r"""Layers and labels that a section leaves out of its parameters: W and b for W^{(2)} and b^{(2)}, W for W_2."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from oracle.lesson.meaning.notation import Ref
from oracle.lesson.meaning.program import Program
from oracle.lesson.meaning.usage import Usage
from oracle.lesson.profiles import Assumption
from oracle.lesson.syntax import Number


def left_out(here: Usage, own: Program, assumed: Assumption) -> Iterator[Assumption]:
    """By the number of a layer, the same net with the parameters that carry no number here read as that layer's."""
    forward = [part for d in own.definitions for side in (d.head, d.body) for part in side.walk()]
    refs = [part for part in forward if isinstance(part, Ref)]
    whole = {ref.base for ref in refs if not ref.slots}
    made = {d.head.base for d in own.definitions}
    bare = {base for base, kinds in here.kinds.items() if () in kinds and base not in whole | made}
    slots = {(ref.base, at) for ref in refs for kind, at in ref.slots if kind == "layer" and isinstance(at, Number)}
    for number in dict.fromkeys(at for base, at in slots if base in bare):
        placed = {base: (("layer", number),) for base in bare if (base, number) in slots}
        yield replace(assumed, left_out=placed, words=(*assumed.words, _words(placed, number.text)))
    for label in dict.fromkeys(ref.base.partition("_")[2] for ref in refs if ref.base.partition("_")[0] in bare):
        named = {base: f"{base}_{label}" for base in bare if f"{base}_{label}" in whole}
        if label.isdigit() and named:
            yield replace(assumed, aliases={**assumed.aliases, **named}, words=(*assumed.words, _words(named, label)))


def _words(bases: Iterable[str], number: str) -> str:
    return f"{', '.join(sorted(bases))} without a number is of the layer {number}"
