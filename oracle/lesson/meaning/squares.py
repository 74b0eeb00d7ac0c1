r"""Squares of what has layers elsewhere: $g'(u_a) = 1 - h_a^2$ in a lesson that also writes $h_a$ and $h_a^{\ell}$."""

from collections.abc import Callable, Collection, Iterable

from oracle.lesson.syntax import Indexed, Name, Node, Number, Plus, Power, Tagged

Bare = set[tuple[str, int]]
"""Names with the number of their indices."""
FIRST = (Number("0"), Number("1"))
"""No powers."""


def bare(nodes: Iterable[Node]) -> Bare:
    """What stands without anything above it: the h_a of h_a = g(u_a)."""
    found: Bare = set()
    for node in nodes:
        above = {id(node.base)} if isinstance(node, Power | Tagged | Indexed) else set()
        found |= {made for child in node.children() if id(child) not in above and (made := _written(child))}
    return found


def squared(body: Node, layered: Collection[str], known: Bare, letters: Callable[[Node], set[str]]) -> set[str]:
    """The names whose 2 above is a square here: nothing in the formula has a layer, and another stands without one."""
    powers = [node for node in body.walk() if isinstance(node, Power) and _written(node.base)]
    others = [p for p in powers if p.exponent in FIRST or letters(p.exponent) or isinstance(p.exponent, Plus)]
    twos = {made for p in powers if p.exponent == Number("2") and (made := _written(p.base)) and made in known}
    here = {base for base, _ in bare([body, *body.walk()])}
    return {base for base, _ in twos if base in layered and here & {*layered}} if not others else set()


def _written(node: Node) -> tuple[str, int] | None:
    """A symbol without anything above it."""
    match node:
        case Name(base=base):
            return base, 0
        case Indexed(base=Name(base=base), subs=subs):
            return base, len(subs)
    return None
