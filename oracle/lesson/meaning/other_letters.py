r"""An equation in the letters of another: $a_j^k = \sum_l w_{lj}^k o_l^{k-1}$ as one of $a_l^{k+1}$."""

from collections.abc import Mapping
from dataclasses import replace

from oracle.lesson.meaning.notation import Ref, counted_on
from oracle.lesson.meaning.program import Definition
from oracle.lesson.syntax import Call, Name, Node, Number, Plus, Sum, rebuilt

Steps = Mapping[str, tuple[str, int]]
"""By the letter of a layer or step, the other's letter, and how far that is."""


def in_letters_of(later: Definition, known: Definition) -> tuple[Node, Node] | None:
    """What both equations make of the head of `known`, without bounds of sums; None where they are of two things."""
    ours, theirs = later.head, known.head
    if (ours.base, ours.kinds, len(ours.subs)) != (theirs.base, theirs.kinds, len(theirs.subs)):
        return None
    letters = {a.base: b.base for a, b in zip(ours.subs, theirs.subs, strict=True)
               if isinstance(a, Name) and isinstance(b, Name)}  # fmt: skip
    steps: dict[str, tuple[str, int]] = {}
    for (_, a), (_, b) in zip(ours.slots, theirs.slots, strict=True):
        one, other = _counted(a), _counted(b)
        if one is None or other is None:
            return None
        steps[one[0]] = other[0], other[1] - one[1]
    if len({*letters.values()}) != len(ours.subs) or not ours.slots:
        return None
    return _in_letters(later.body, _with_bound(later.body, known.body, letters), steps), _in_letters(known.body, {}, {})


def _counted(slot: Node) -> tuple[str, int] | None:
    """The k and 1 of k + 1."""
    match slot:
        case Name(base=letter):
            return letter, 0
        case Plus(terms=(Name(base=letter), Number(text=text)), signs=(1, sign)) if text.isdigit():
            return letter, sign * int(text)
    return None


def _with_bound(later: Node, known: Node, letters: Mapping[str, str]) -> dict[str, str]:
    """Letters of sums as well, in the order in which they stand."""
    ours, theirs = ([name.base for part in body.walk() if isinstance(part, Sum) for name in part.indices]
                    for body in (later, known))  # fmt: skip
    return {**dict(zip(ours, theirs, strict=False)), **letters}


def _in_letters(node: Node, letters: Mapping[str, str], steps: Steps) -> Node:
    """A formula with other letters, and without the bounds of its sums."""
    if isinstance(node, Sum):
        node = replace(node, lower=None, upper=None)
    if isinstance(node, Name):
        return replace(node, base=letters.get(node.base, node.base))
    if isinstance(node, Ref):
        subs = tuple(_in_letters(sub, letters, steps) for sub in node.subs)
        return replace(node, slots=tuple((kind, _moved(slot, steps)) for kind, slot in node.slots), subs=subs)
    if isinstance(node, Call):
        return replace(node, args=tuple(_in_letters(arg, letters, steps) for arg in node.args))
    return rebuilt(node, lambda child: _in_letters(child, letters, steps))


def _moved(slot: Node, steps: Steps) -> Node:
    """The k of the k - 1 of k - 1 + 1."""
    at = _counted(slot)
    if at is None or at[0] not in steps:
        return slot
    letter, by = steps[at[0]]
    return counted_on(Name(letter), at[1] + by)
