r"""What the entries of a matrix or vector are called: W^l = (w^l_{jk}), b = (b_j), which defines nothing."""

from oracle.lesson.meaning.notation import Ref
from oracle.lesson.syntax import Name, Node


def names_entries(head: Ref, member: Node) -> bool:
    """Whether W^l = (w^l_{jk}) says by which small letter the entries go."""
    match member:
        case Ref(base=base, slots=slots, subs=(Name(), *_) as subs) if not head.subs:
            named = all(isinstance(sub, Name) for sub in subs)
            return named and slots == head.slots and base in (head.base, head.base[:1].lower() + head.base[1:])
    return False
