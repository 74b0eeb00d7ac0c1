r"""What the entries of a matrix or vector are called: W^l = (w^l_{jk}), b = (b_j), which defines nothing."""

from collections.abc import Collection

from oracle.lesson.meaning.notation import PARAMETER_LETTERS, Ref
from oracle.lesson.syntax import Dots, Matrix, Name, Node, Number, Transpose


def names_entries(head: Ref, member: Node) -> bool:
    """Whether W^l = (w^l_{jk}) says by which small letter the entries go, or y = (y_1, y_2)^T how many there are."""
    match member:
        case Transpose(base=Matrix(rows=rows)) if not head.subs:
            cells = [cell for row in rows for cell in row if not isinstance(cell, Dots)]
            return bool(cells) and all(isinstance(cell, Ref) and _numbered(cell, head) for cell in cells)
        case Ref(base=base, slots=slots, subs=(Name(), *_) as subs) if not head.subs:
            named = all(isinstance(sub, Name) for sub in subs)
            return named and slots == head.slots and base in (head.base, head.base[:1].lower() + head.base[1:])
    return False


def _numbered(cell: Ref, head: Ref) -> bool:
    """Whether a cell is the entry 1 of what is laid out."""
    return (cell.base, cell.slots) == (head.base, head.slots) and all(isinstance(sub, Number) for sub in cell.subs)


def has_entries(refs: Collection[Ref]) -> bool:
    """Whether a lesson of whole W has entries w_{jk}, so that its a in W a is a vector."""
    whole = {ref.base for ref in refs} - {ref.base for ref in refs if ref.subs}
    entries = {ref.base for ref in refs if len(ref.subs) == 2 and ref.base in PARAMETER_LETTERS}
    return any(base.islower() and base.upper() in whole for base in entries)
