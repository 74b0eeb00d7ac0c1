r"""What no net of a lesson has: an index that a quantity never carries, a layer behind the last one.

A symbol that the lesson writes more than once, with the same scripts, is no slip: nobody knows then what it is.
"""

from collections.abc import Collection

from oracle.lesson.formula import to_tex
from oracle.lesson.meaning.notation import Ref, letters
from oracle.lesson.meaning.program import Program, Slots, letters_of
from oracle.lesson.meaning.values import NotUnderstoodError
from oracle.lesson.syntax import Indexed, Name, Node, Number


def elsewhere(program: Program, base: str, family: tuple[str, ...], slots: Slots, typed: Collection[str]) -> str:
    """With which letters a quantity is defined that is written here, and nowhere else, with those of others."""
    kinds = tuple(kind for kind, _ in slots)
    heads = [d.head for d in program.definitions if d.head.base == base and d.head.kinds == kinds]
    known = dict.fromkeys(", ".join(program.family(head)) for head in heads)
    names = {base, *(name for (name, *_), signal in program.signals.items() if signal.of == base)}
    used = any(is_common(program, name, family) for name in names)
    counted = all(letter in program.roles or letter in typed for letter in family)
    return " or ".join(known) if family and known and counted and not used else ""


def is_common(program: Program, base: str, family: tuple[str, ...]) -> bool:
    """Whether a lesson writes a symbol with these letters more than once."""
    return any(ref.base == base and letters_of(ref) == family for ref in program.common)


def is_open(program: Program, base: str, family: tuple[str, ...]) -> bool:
    """Whether a symbol may be of units that no forward equation has: the w_{hl} of a lesson that has it twice, or of an
    l that counts nothing there.
    """
    sides = (part for d in program.definitions for side in (d.head, d.body) for part in side.walk())
    counted = {letter for part in sides if isinstance(part, Ref) for letter in letters_of(part)}
    return is_common(program, base, family) or not {*family} <= counted


def past(program: Program, member: Node) -> str:
    """What a formula has that no net of this lesson has: z^{L+1}, W^{(3)} where 1 and 2 are all; "" where nothing."""
    for part in member.walk():
        for kind, at in part.slots if isinstance(part, Ref) else ():
            if (
                isinstance(part, Ref)
                and not _common(program, part.base, at)
                and (words := _past(program, part, kind, at))
            ):
                return words
    return ""


def _common(program: Program, base: str, at: Node) -> bool:
    return any(known.base == base and at in (slot for _, slot in known.slots) for known in program.common)


def _past(program: Program, part: Ref, kind: str, at: Node) -> str:
    if _counted_from_the_last(program, at, kind) and _behind(program, at, kind):
        return f"nothing stands at {kind} {to_tex(at)}, which is behind the last one"
    there = _numbered(program, part.base, kind) if isinstance(at, Number) else []
    if there and at not in there and not _met(program, kind, at):
        return f"there is no {part.base} of {kind} {to_tex(at)}, only of {', '.join(map(to_tex, there))}"
    return ""


def _behind(program: Program, at: Node, kind: str) -> bool:
    """Whether a number that can be told is behind the last one."""
    try:
        return program.number(at, {}, kind) > program.end(kind)
    except NotUnderstoodError:
        return False


def _counted_from_the_last(program: Program, at: Node, kind: str) -> bool:
    """L + 1, n_l + 1."""
    count = any(isinstance(part, Indexed) and part.base in (Name("n"), Name("N")) for part in at.walk())
    return bool(letters(at)) and (count or letters(at) <= program.last(kind))


def _met(program: Program, kind: str, at: Node) -> bool:
    """Whether the lesson's own equations have anything else at a layer that has a number: a^{(1)} beside z^{(2)}."""
    sides = (part for d in program.definitions if d.number for side in (d.head, d.body) for part in side.walk())
    return any((kind, at) in part.slots for part in sides if isinstance(part, Ref))


def _numbered(program: Program, base: str, kind: str) -> list[Node]:
    """The layers of a quantity, where the lesson's own equations count them in numbers alone."""
    signals = [signal.of for (name, *_), signal in program.signals.items() if name == base]
    sides = [part for d in program.definitions if d.number for side in (d.head, d.body) for part in side.walk()]
    refs = [part for part in sides if isinstance(part, Ref) and part.base in (base, *signals)]
    found = list(dict.fromkeys(at for ref in refs for k, at in ref.slots if k == kind))
    return found if all(isinstance(at, Number) for at in found) else []
