r"""States in another case: S_k beside w and x_k where $s_k = s_{k-1} w + x_k v$, and another S_k has a W elsewhere."""

from collections.abc import Iterable
from dataclasses import replace

from oracle.lesson.meaning.notation import Ref
from oracle.lesson.meaning.program import Definition
from oracle.lesson.signals import swapped
from oracle.lesson.syntax import Node, rebuilt


def in_this_case(definitions: list[Definition], bodies: Iterable[Node]) -> list[Definition]:
    """Definitions, that of S_k what is said of s_k where the `bodies` of a section have S_k and what s_k is made of."""
    here = {part.base for body in bodies for part in body.walk() if isinstance(part, Ref)}
    return [_meant(d, definitions, here) for d in definitions]


def _meant(d: Definition, definitions: list[Definition], here: set[str]) -> Definition:
    other = next((e for e in definitions if (e.head.base, e.head.kinds) == (swapped(d.head.base), d.head.kinds)), None)
    if other is None or "time" not in d.head.kinds or d.head.base not in here or other.head.base in here:
        return d
    ours, theirs = ({n.base for n in e.body.walk() if isinstance(n, Ref)} - {e.head.base} for e in (d, other))
    if ours & here or not theirs & here:
        return d
    return replace(other, head=replace(other.head, base=d.head.base), body=_in_case(other.body, d.head.base))


def _in_case(node: Node, base: str) -> Node:
    if isinstance(node, Ref):
        return replace(node, base=base) if node.base == swapped(base) else node
    return rebuilt(node, lambda child: _in_case(child, base))
