r"""What the entries of a matrix or vector are called: W^l = (w^l_{jk}), b = (b_j), which defines nothing."""

from collections.abc import Collection

from oracle.lesson.meaning.notation import PARAMETER_LETTERS, Ref
from oracle.lesson.syntax import Name, Node


def names_entries(head: Ref, member: Node) -> bool:
    """Whether W^l = (w^l_{jk}) says by which small letter the entries go."""
    match member:
        case Ref(base=base, slots=slots, subs=(Name(), *_) as subs) if not head.subs:
            named = all(isinstance(sub, Name) for sub in subs)
            return named and slots == head.slots and base in (head.base, head.base[:1].lower() + head.base[1:])
    return False


def has_entries(refs: Collection[Ref]) -> bool:
    """Whether a lesson of whole W has entries w_{jk}, so that its a in W a is a vector."""
    whole = {ref.base for ref in refs} - {ref.base for ref in refs if ref.subs}
    entries = {ref.base for ref in refs if len(ref.subs) == 2 and ref.base in PARAMETER_LETTERS}
    return any(base.islower() and base.upper() in whole for base in entries)
