r"""Layers that are counted below by any letter: z_i = A_{i-1} f_{i-1} + b_{i-1}, f_i = σ(z_i).

A matrix with a single index is no entry. Where it stands before a vector with the same letter, and what is made of the
one is made of the other a step away, the letter counts layers.
"""

from collections.abc import Collection, Iterable, Iterator
from itertools import pairwise

from oracle.lesson.syntax import Indexed, Name, Node, Number, Plus, Relation, Times

Counted = tuple[str, str, int]
"""A symbol, the letter below it, and how much is added to that: the f of f_{i-1}, i and -1."""


def counted_below(bodies: Iterable[Node], times: Collection[str]) -> set[str]:
    """The letters that count layers below weights and what they weigh; `times` count steps."""
    equations = [body for body in bodies if isinstance(body, Relation) and body.ops[0] in ("=", ":=")]
    met = [{*_counted(body)} for body in equations]
    found = set[str]()
    for body, here in zip(equations, met, strict=True):
        letter = _weighed(body)
        bases = {base for base, of, _ in here if of == letter}
        apart = [{by for base, of, by in symbols if of == letter and base in bases} for symbols in met]
        found |= {letter} if any(len(steps) > 1 for steps in apart) else set()
    return found - {"", *times}


def _counted(body: Relation) -> Iterator[Counted]:
    """What an equation says of symbols with one index."""
    for part in (part for item in body.items[:2] for part in item.walk()):
        match part:
            case Indexed(base=Name(base=base), subs=(Name(base=letter),)):
                yield base, letter, 0
            case Indexed(
                base=Name(base=base), subs=(Plus(terms=(Name(base=letter), Number(text=by)), signs=(1, sign)),)
            ):
                yield base, letter, sign * int(by)


def _weighed(body: Relation) -> str:
    """The letter of z_i = A_i f_{i-1} + …, of what is made and of a matrix before a vector; "" of anything else."""
    products = (part for part in body.items[1].walk() if isinstance(part, Times) and {*part.ops} <= {"", "cdot"})
    for first, second in (pair for part in products for pair in pairwise(part.factors)):
        found = [*_counted(Relation((body.items[0], first), ("=",))), *_counted(Relation((second,), ()))]
        if (
            len(found) == 3
            and len({of for _, of, _ in found}) == 1
            and found[1][0][:1].isupper() > found[2][0][:1].isupper()
        ):
            return found[0][1]
    return ""
