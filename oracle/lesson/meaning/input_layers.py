r"""Inputs that are a layer: a^1 is x^1 where z^2 = W^2 x^1 + b^2, and z^l = W^l a^{l-1} + b^l in general."""

from collections.abc import Iterator
from dataclasses import replace

from oracle.lesson.meaning.notation import Ref
from oracle.lesson.meaning.program import Definition
from oracle.lesson.syntax import Name, Node, Number, Plus, rebuilt

LAYER = "layer"


def input_layers(definitions: list[Definition]) -> dict[str, str]:
    """What the layer of the inputs is called, where a general equation and one of the first layer say it together."""
    heads = {d.head.base for d in definitions}
    found = dict[str, str]()
    for general in definitions:
        letter = _letter(general.head)
        for special in definitions if letter else ():
            match special.head.slots:
                case ((kind, Number(text=text)),) if kind == LAYER and special.head.base == general.head.base:
                    body = _at(general.body, letter, int(text))
                    pairs = [*_differing(_by_order(body, {}), _by_order(special.body, {}), body, special.body)]
                    for a, x in pairs if len(pairs) == 1 else ():
                        if a and x and a.base in heads and x.base not in heads and x.slots == a.slots != ():
                            found.setdefault(x.base, a.base)
    return found


def _letter(head: Ref) -> str:
    """The l of z^l; "" where a layer is a number, or L."""
    match head.slots:
        case ((kind, Name(base=base)),) if kind == LAYER and base.islower():
            return base
    return ""


def _at(node: Node, letter: str, layer: int) -> Node:
    """A general equation at one layer."""
    match node:
        case Name(base=base) if base == letter:
            return Number(str(layer))
        case Plus(terms=(Name(base=base), Number(text=text)), signs=(1, sign)) if base == letter:
            return Number(str(layer + sign * int(text)))
    return rebuilt(node, lambda child: _at(child, letter, layer))


def _by_order(node: Node, order: dict[str, str]) -> Node:
    """A formula whose indices are known by the order in which they come."""
    if isinstance(node, Name):
        return Name(order.setdefault(node.base, f"#{len(order)}"))
    if isinstance(node, Ref):
        return replace(node, subs=tuple(_by_order(sub, order) for sub in node.subs))
    return rebuilt(node, lambda child: _by_order(child, order))


def _differing(a: Node, b: Node, whole: Node, other: Node) -> Iterator[tuple[Ref | None, Ref | None]]:
    """The symbols in which two formulas differ, as they are written; nothing twice where they differ in more."""
    if a == b:
        return
    if isinstance(whole, Ref) and isinstance(other, Ref):
        yield (whole, other) if len(whole.subs) == len(other.subs) else (None, None)
        return
    parts = [list(node.children()) for node in (a, b, whole, other)]
    if type(a) is not type(b) or len({len(found) for found in parts}) > 1 or not parts[0]:
        yield None, None
        return
    for one in zip(*parts, strict=True):
        yield from _differing(*one)
