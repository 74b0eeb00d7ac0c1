r"""One unit of the last layer, which has no activation: $g_1^{(o)} = \sum_j w_{1j}^{(o)} g_j^{(o-1)} + b_1^{(o)}$.

Beside $g_i^{(l)} = \sigma(\ldots)$ it says of all units of that layer what it says of the one.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace

from oracle.lesson.meaning.notation import Ref
from oracle.lesson.meaning.program import Definition
from oracle.lesson.syntax import Call, Name, Node, Number, Sum, rebuilt


def of_last_units(definitions: Iterable[Definition], last: Collection[str]) -> list[Definition]:
    """Definitions, those of one unit of the last layer said of all its units, where the others are made otherwise."""
    given = list(definitions)
    return [next(_of_all(d, given, last), d) for d in given]


def _of_all(d: Definition, given: list[Definition], last: Collection[str]) -> Iterator[Definition]:
    """The g_i^{(o)} of a g_1^{(o)}, by what is said of the g_i^{(l)}."""
    match d.head:
        case Ref(slots=(("layer", Name(base=top)),), subs=(Number() as unit,)) if top in last:
            for other in given:
                match other.head:
                    case Ref(slots=(("layer", Name(base=layer)),), subs=(Name() as letter,)) if layer not in last:
                        if other.head.base == d.head.base:
                            head, body = (_lettered(node, d.head.slots, unit, letter) for node in (d.head, d.body))
                            general = _in_layer(other.body, layer, Name(top))
                            if isinstance(head, Ref) and body != general:
                                yield replace(d, head=head, body=_named(body, general, head, given, layer))


def _lettered(node: Node, slots: tuple[tuple[str, Node], ...], unit: Number, letter: Name) -> Node:
    """A formula with the index of any unit in the first place below what is of the last layer."""
    if isinstance(node, Ref) and node.slots == slots and node.subs[:1] == (unit,):
        return replace(node, subs=(letter, *node.subs[1:]))
    return node if isinstance(node, Ref) else rebuilt(node, lambda child: _lettered(child, slots, unit, letter))


def _in_layer(node: Node, layer: str, top: Name) -> Node:
    """What is said of a layer l, said of the last one."""
    if isinstance(node, Ref):
        return replace(node, slots=tuple((kind, _in_layer(slot, layer, top)) for kind, slot in node.slots))
    return top if node == Name(layer) else rebuilt(node, lambda child: _in_layer(child, layer, top))


def _named(body: Node, general: Node, head: Ref, given: list[Definition], layer: str) -> Node:
    """z_i^{(o)}, where the lesson has g^{(l)} = σ(z^{(l)}) beside the g_i^{(l)} = σ(…) that is of the same."""
    calls = (d.body for d in given if d.head.base == head.base and d.head.slots == (("layer", Name(layer)),))
    names = [call.args[0] for call in calls if isinstance(call, Call) and isinstance(call.args[0], Ref)]
    if isinstance(general, Call) and [*map(_without_bounds, general.args)] == [_without_bounds(body)] and names:
        return replace(names[0], slots=head.slots, subs=head.subs)
    return body


def _without_bounds(node: Node) -> Node:
    """Σ_j for Σ_{j=1}^3."""
    node = rebuilt(node, _without_bounds)
    return replace(node, lower=None, upper=None) if isinstance(node, Sum) else node
