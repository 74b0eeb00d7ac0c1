r"""Matrices that are written out, entry by entry, of one quantity: (w_{11}, …, w_{1n}; …; w_{m1}, …, w_{mn}) is w."""

from collections.abc import Iterator
from dataclasses import replace

from oracle.lesson.meaning.naming import core
from oracle.lesson.meaning.notation import Ref
from oracle.lesson.syntax import Dots, Matrix, Node, Number, Transpose

Place = tuple[int, ...]


def whole(node: Matrix) -> Node | None:
    """The quantity whose entries a matrix, a column or a row has in their places; None where it has anything else."""
    cells = [cell for row in node.rows for cell in row if not isinstance(cell, Dots)]
    refs = [cell for cell in cells if isinstance(cell, Ref)]
    if len(refs) != len(cells) or len({(core(ref.base), ref.slots, ref.mark) for ref in refs}) != 1:
        return None
    bare = replace(refs[0], base=core(refs[0].base), subs=(), span=node.span)
    placed = list(_placed(node))
    if 1 in (len(node.rows), max(map(len, node.rows))):
        alone = len(refs) > 1 and all((k,) == numbers for k, numbers in enumerate(_in_line(node), 1)) and placed
        return (bare if len(node.rows) > 1 else Transpose(bare, span=node.span)) if alone else None
    if not any(r != c for (r, c), _ in placed):
        return None  # by the diagonal alone nobody can tell it from its transpose
    if all(at == numbers for at, numbers in placed):
        return bare
    return Transpose(bare, span=node.span) if all(at[::-1] == numbers for at, numbers in placed) else None


def _in_line(node: Matrix) -> list[Place]:
    """The numbers of the entries of a column or row, up to its first dots or letters."""
    found = list[Place]()
    for cell in (cell for row in node.rows for cell in row):
        if not isinstance(cell, Ref) or not (numbers := _numbers(cell, 1)):
            break
        found.append(numbers)
    return found


def _placed(node: Matrix) -> Iterator[tuple[Place, Place]]:
    """The places and the numbers of the entries that stand before all dots."""
    count = 1 if 1 in (len(node.rows), max(map(len, node.rows))) else 2
    for r, row in enumerate(node.rows, 1):
        if isinstance(row[0], Dots):
            return
        for c, cell in enumerate(row, 1):
            if isinstance(cell, Dots):
                break
            if isinstance(cell, Ref) and (numbers := _numbers(cell, count)):
                yield (r, c), numbers


def _numbers(ref: Ref, count: int) -> Place:
    """The numbers below an entry, those of its name as well; none where letters stand there."""
    below = [*ref.base.split("_")[1:], *(sub.text if isinstance(sub, Number) else "" for sub in ref.subs)]
    if not all(text.isdigit() for text in below):
        return ()
    digits = [*"".join(below)] if len("".join(below)) == count else below
    return tuple(map(int, digits)) if len(digits) == count else ()
