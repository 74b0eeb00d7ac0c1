r"""Forward equations of "layer L" that are of every layer: Z^{[L]} = W^{[L]} A^{[L-1]} + b^{[L]} beside dZ^{[l]}."""

from collections.abc import Iterable
from dataclasses import replace

from oracle.lesson.meaning.notation import Ref, letters
from oracle.lesson.meaning.program import Definition
from oracle.lesson.syntax import Call, Name, Node, Tagged, rebuilt

LAST = "L"


def of_every_layer(definitions: list[Definition], refs: Iterable[Ref]) -> list[Definition]:
    """Definitions of every layer l, if all are of L, whose function has it too, g^{[L]}, and `refs` are of an l."""
    layered = [d for d in definitions if d.head.kinds == ("layer",)]
    alike = [d for d in layered if d.head.slots[0][1] == Name(LAST)]
    called = any(isinstance(d.body, Call) and isinstance(d.body.function, Tagged) for d in alike)
    bases = {d.head.base for d in alike}
    counted = {
        letter for ref in refs if ref.base in bases and ref.kinds == ("layer",) for letter in letters(ref.slots[0][1])
    }
    others = sorted(counted - {LAST})
    if not called or len(alike) != len(layered) or len(others) != 1:
        return definitions
    return [_counted(d, others[0]) if d in alike else d for d in definitions]


def _counted(d: Definition, letter: str) -> Definition:
    head, body = (_renamed(node, letter) for node in (d.head, d.body))
    assert isinstance(head, Ref)
    return replace(d, head=head, body=body)


def _renamed(node: Node, letter: str) -> Node:
    """A formula with l for L, below symbols and functions."""
    if node == Name(LAST):
        return Name(letter, span=node.span)
    if isinstance(node, Ref):
        return replace(node, slots=tuple((kind, _renamed(slot, letter)) for kind, slot in node.slots))
    return rebuilt(node, lambda child: _renamed(child, letter))
