r"""Letters of the last layer: the m of $E = \frac12 (g(a_1^m) - y)^2$ in a net that counts layers by the k of a_j^k.

What has no layer is made of one layer alone, and of one that the steps k + 1 of the others lead to.
"""

from collections.abc import Collection, Iterable, Iterator

from oracle.lesson.syntax import (
    Call,
    Indexed,
    Marked,
    Name,
    Node,
    Number,
    Plus,
    Power,
    Relation,
    Statement,
    Sum,
    Tagged,
)

Script = tuple[str, str, int]
"""A symbol, a letter above it, and how far from that letter it is."""


def last_layers(statements: Iterable[Statement], layers: Collection[str]) -> set[str]:
    """Every such letter, if all that has it has the letters of other layers elsewhere."""
    bodies = [s.body for s in statements if isinstance(s.body, Relation) and s.body.ops[0] in ("=", ":=")]
    met = {script for body in bodies for script in _above(body)}
    counting = {letter for _, letter, by in met if by > 0}
    counting |= {letter for body in bodies for letter in _made_below(body)}
    found = {letter for body in bodies if _without_layer(body.items[0]) for letter in _unbound(body, frozenset())}
    return {m for m in found - counting if _is_layer(m, met, layers, counting)}


def _is_layer(m: str, met: Collection[Script], layers: Collection[str], counting: Collection[str]) -> bool:
    """Whether a letter stands where the counting letters of layers do."""
    bases = {base for base, letter, _ in met if letter == m}
    counted = {base for base, letter, _ in met if letter in counting and letter in layers}
    return bool(bases & counted) and (m in layers or bases <= counted)


def _above(node: Node) -> Iterator[Script]:
    """What stands above the symbols of a formula."""
    for part in node.walk():
        yield from _script(part)


def _script(part: Node) -> Iterator[Script]:
    """What stands above a symbol."""
    if isinstance(part, Power | Tagged) and (base := _base(part)):
        match part.exponent if isinstance(part, Power) else part.tag:
            case Name(base=letter):
                yield base, letter, 0
            case Plus(terms=(Name(base=letter), Number()), signs=(1, sign)):
                yield base, letter, sign


def _base(node: Node) -> str:
    """The letter of a symbol."""
    while isinstance(node, Power | Tagged | Indexed | Marked):
        node = node.base
    return node.base if isinstance(node, Name) else ""


def _without_layer(head: Node) -> bool:
    """Whether a formula is of a quantity without anything above it."""
    name = head.function if isinstance(head, Call) else head
    return bool(_base(name)) and not any(isinstance(part, Power | Tagged) for part in head.walk())


def _unbound(node: Node, bound: frozenset[str]) -> set[str]:
    """The letters above symbols over which no sum goes."""
    if isinstance(node, Sum):
        bound |= {name.base for name in node.indices}
    own = {letter for _, letter, _ in _script(node)} - bound
    return own.union(*(_unbound(child, bound) for child in node.children()))


def _made_below(body: Relation) -> set[str]:
    """The k of a_j^k = Σ_i w_{ij}^k o_i^{k-1}, which is said of every layer; not the m of a_1^m."""
    parts = [*body.items[0].walk()] if _base(body.items[0]) else []
    numbered = any(isinstance(part, Indexed) and all(isinstance(sub, Number) for sub in part.subs) for part in parts)
    heads = {letter for part in parts for _, letter, by in _script(part) if not by and not numbered}
    return heads & {letter for item in body.items[1:] for _, letter, by in _above(item) if by < 0}
