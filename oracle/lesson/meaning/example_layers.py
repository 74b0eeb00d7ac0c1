r"""Nets by examples of their layers: z^{(1)} = f(a^{(1)}), a^{(2)} = W^{(2)} z^{(1)}, …, z^{(L-1)} = f(a^{(L-1)}).

What is said of a first layer and of the one below the last alike is meant of all. And where ŷ_j = a_j, what has no
layer is of the last one.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from oracle.lesson.meaning.above import symbol_of
from oracle.lesson.syntax import Derivative, Indexed, Name, Node, Number, Plus, Relation, Statement, Tagged, rebuilt

LAST = "L"
GENERAL = ("l", "k", "n", "m")
"""Letters of any layer, the usual one first."""


@dataclass(frozen=True)
class Examples:
    """How the layers of a lesson are told."""

    letter: str = ""
    """The letter of any layer, where some are examples; "" where none are."""
    alike: frozenset[Node] = frozenset()
    """What is said of more layers than one, relative to the layer on the left."""
    outputs: frozenset[tuple[str, str]] = frozenset()
    """Outputs with the layered quantity that they are: the ŷ and a of ŷ_j = a_j."""
    layered: frozenset[str] = frozenset()
    """What has layers."""


def examples(statements: Iterable[Statement]) -> Examples:
    """What a lesson says of example layers, and of symbols without a layer."""
    bodies = [s.body for s in statements]
    tagged = [part for body in bodies for part in body.walk() if isinstance(part, Tagged)]
    if not any(_place(part.tag) == (LAST, 0) for part in tagged):
        return Examples()
    layered = frozenset(symbol_of(part.base) for part in tagged if _place(part.tag)) - {""}
    letters = {place[0] for part in tagged if (place := _place(part.tag)) and place[0]} - {LAST}
    first, last = ({form for body in bodies if (form := _form(body, of))} for of in ("", LAST))
    outputs = frozenset(pair for body in bodies for pair in _outputs(body, layered))
    letter = next((one for one in GENERAL if one in letters), "")
    return Examples(letter, frozenset(first & last), outputs, layered)


def of_all_layers(statement: Statement, said: Examples) -> Statement:
    """A statement of an example layer said of all, and one without layers of the last."""
    body = statement.body
    if said.outputs and not any(isinstance(part, Tagged) for part in body.walk()):
        body = _at_the_top(body, said.layered)
    if said.letter and _form(body, LAST) in said.alike:
        body = _generally(body, said.letter)
    elif (other := _of_top(body, dict(said.outputs))) and _form(other, LAST) in said.alike:
        body = other
    return replace(statement, body=body)


def _place(tag: Node) -> tuple[str, int] | None:
    """The letter and shift of a layer: ("L", -1) of L-1, ("", 2) of 2; None of anything else."""
    match tag:
        case Number(text=text) if text.isdigit():
            return "", int(text)
        case Name(base=base) if len(base) == 1:
            return base, 0
        case Plus(terms=(Name(base=base), Number(text=text)), signs=(1, sign)) if text.isdigit():
            return base, sign * int(text)
    return None


def _form(body: Node, letter: str) -> Node | None:
    """An equation with its layers relative to that on its left, and its indices by their order; None of any other."""
    match body:
        case Relation(items=(head, member), ops=("=" | ":=",)):
            own = _place(head.tag) if isinstance(head, Tagged) else None
            places = [_place(part.tag) for part in body.walk() if isinstance(part, Tagged)]
            partial = any(isinstance(part, Derivative) for part in body.walk())
            if own and own[0] == letter and not partial and all(place and place[0] == letter for place in places):
                below = len({*places}) > 1 or len(places) > 1
                return _numbered(_relative(body, own[1]), {}) if below and member else None
    return None


def _relative(node: Node, start: int) -> Node:
    if isinstance(node, Tagged) and (place := _place(node.tag)):
        return replace(node, base=_relative(node.base, start), tag=Number(str(place[1] - start)))
    return rebuilt(node, lambda child: _relative(child, start))


def _numbered(node: Node, order: dict[str, str]) -> Node:
    """A formula whose indices are known by the order in which they come."""
    if isinstance(node, Indexed):
        subs = tuple(_counted(sub, order) for sub in node.subs)
        return replace(node, base=_numbered(node.base, order), subs=subs)
    node = rebuilt(node, lambda child: _numbered(child, order))
    return _counted(node, order) if isinstance(node, Name) and node.base in order else node


def _counted(node: Node, order: dict[str, str]) -> Node:
    if not isinstance(node, Name):
        return rebuilt(node, lambda child: _counted(child, order))
    return Name(order.setdefault(node.base, f"#{len(order)}"))


def _outputs(body: Node, layered: frozenset[str]) -> Iterator[tuple[str, str]]:
    """The ŷ and a of ŷ_j = a_j and of ŷ_j = a_j^{(L)}."""
    match body:
        case Relation(items=(Indexed(base=Name(base=y), subs=subs), other), ops=("=",)) if y not in layered:
            while isinstance(other, Tagged) and _place(other.tag) == (LAST, 0):
                other = other.base
            match other:
                case Indexed(base=Name(base=a), subs=same) if a in layered and same == subs:
                    yield y, a


def _at_the_top(node: Node, layered: frozenset[str]) -> Node:
    if isinstance(node, Indexed) and symbol_of(node).removeprefix("Delta ") in layered:
        return Tagged(node, Name(LAST, span=node.span), "(", span=node.span)
    return rebuilt(node, lambda child: _at_the_top(child, layered))


def _generally(node: Node, letter: str) -> Node:
    """L-1 for any layer: l for it, and l-1 for L-2."""
    if isinstance(node, Tagged) and (place := _place(node.tag)):
        any_layer, shift = Name(letter, span=node.tag.span), place[1] + 1
        tag = Plus((any_layer, Number(str(abs(shift)))), (1, 1 if shift > 0 else -1)) if shift else any_layer
        return replace(node, base=_generally(node.base, letter), tag=replace(tag, span=node.tag.span))
    return rebuilt(node, lambda child: _generally(child, letter))


def _of_top(body: Node, outputs: Mapping[str, str]) -> Relation | None:
    """ŷ_i = Σ_j w_{ij}^{(L)} z_j^{(L-1)} as a^{(L)}_i = …."""
    match body:
        case Relation(items=(Indexed(base=Name(base=y), subs=subs, span=span), member)) if y in outputs:
            head = Tagged(Indexed(Name(outputs[y]), subs), Name(LAST), "(", span=span)
            return replace(body, items=(head, member))
    return None
