r"""A symbol that an algorithm overwrites: $g \leftarrow \nabla_{a^{(k)}} J = g \odot f'(a^{(k)})$.

On the right it is what it was set to last: in the first such line of a loop over the layers, that is what the last one
set it to for the layer above.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from oracle.lesson.meaning.notation import Ref, counted_on, letters
from oracle.lesson.syntax import Derivative, Gradient, Name, Node, Number, Plus, Relation, Statement, rebuilt


@dataclass(frozen=True)
class Line:
    """A line that sets a symbol: where it stands, and the partial that the symbol is from then on."""

    place: int
    at: int
    name: str
    partial: Node

    @property
    def letters(self) -> set[str]:
        """The letters that count layers in it."""
        slots = (slot for part in self.partial.walk() if isinstance(part, Ref) for _, slot in part.slots)
        return {letter for slot in slots for letter in letters(slot)}


def overwritten(said: Mapping[int, list[Statement]], sections: Mapping[int, int]) -> dict[int, list[Statement]]:
    """The statements of a lesson by their places, with what such symbols are at each."""
    found = {place: list(statements) for place, statements in said.items()}
    lines = [line for place in sorted(said) for line in _lines(place, said[place])]
    for section in dict.fromkeys(sections[line.place] for line in lines):
        for name in dict.fromkeys(line.name for line in lines if sections[line.place] == section):
            here = [line for line in lines if line.name == name and sections[line.place] == section]
            if len(here) > 1:
                _replay(found, here)
    return found


def _lines(place: int, statements: list[Statement]) -> list[Line]:
    """The lines of a formula that set a symbol to a partial, and go on with what it is."""
    found = []
    for at, statement in enumerate(statements):
        match statement.body:
            case Relation(
                items=(Ref(base=name, slots=(), subs=()), Derivative() | Gradient() as partial, *_), ops=("<-", *_)
            ):
                found.append(Line(place, at, name, partial))
    return found


def _replay(found: dict[int, list[Statement]], lines: list[Line]) -> None:
    """Write into the statements from the first line to the last what the symbol is there."""
    ways = {(line.place, line.at): line for line in lines}
    loop = next((line for line in lines if line.letters), None)
    current: Node | None = None
    for place in sorted(p for p in found if lines[0].place <= p <= lines[-1].place):
        for at, statement in enumerate(found[place]):
            line = ways.get((place, at))
            if line is not None and line is loop:
                current = _above(lines[-1])
            if current is not None:
                statement = replace(statement, body=_with(statement.body, lines[0].name, current))
            if line is not None:
                assert isinstance(statement.body, Relation)
                items, ops = statement.body.items[1:], statement.body.ops[1:]
                if len(items) > 1:
                    statement = replace(
                        statement, body=replace(statement.body, items=(line.partial, *items[1:]), ops=ops)
                    )
                current = line.partial
            found[place][at] = statement


def _above(line: Line) -> Node:
    """What a line of a loop sets for the layer above."""
    counted = sorted(line.letters)
    return _moved(line.partial, counted[0]) if len(counted) == 1 else line.partial


def _moved(node: Node, letter: str) -> Node:
    if not isinstance(node, Ref):
        return rebuilt(node, lambda child: _moved(child, letter))
    return replace(node, slots=tuple((kind, _one_on(slot, letter)) for kind, slot in node.slots))


def _one_on(slot: Node, letter: str) -> Node:
    """k for k - 1, and k + 1 for k."""
    match slot:
        case Name(base=base) if base == letter:
            return counted_on(slot, 1)
        case Plus(terms=(Name(base=base) as at, Number(text=by)), signs=(1, sign)) if base == letter and by.isdigit():
            return counted_on(at, sign * int(by) + 1)
    return slot


def _with(node: Node, name: str, partial: Node) -> Node:
    """A formula with a partial for a symbol."""
    match node:
        case Ref(base=base, slots=(), subs=()) if base == name:
            return replace(partial, span=node.span)
        case Relation(items=(Ref(base=base, slots=(), subs=()) as head, *rest), ops=("<-", *_)) if base == name:
            return replace(node, items=(head, *(_with(item, name, partial) for item in rest)))
    return rebuilt(node, lambda child: _with(child, name, partial))
