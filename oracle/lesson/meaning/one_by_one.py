"""Units that a lesson writes one by one: h_1 = tanh(z_1), h_2 = tanh(z_2)."""

from collections.abc import Iterable

from oracle.lesson.syntax import Indexed, Name, Node, Number, Relation, Statement


def one_by_one(statements: Iterable[Statement]) -> set[str]:
    """The names that equations define with one number after the other, and that never stand without any."""
    bodies = [s.body for s in statements]
    heads = [body.items[0] for body in bodies if isinstance(body, Relation) and body.ops[0] in ("=", ":=")]
    numbered = [pair for head in heads if (pair := _numbered(head))]
    several = {base for base, number in numbered if any(b == base and n != number for b, n in numbered)}
    return several - {name for body in bodies for name in _whole(body)}


def _numbered(head: Node) -> tuple[str, str] | None:
    match head:
        case Indexed(base=Name(base=base), subs=(Number(text=text),)):
            return base, text
    return None


def _whole(node: Node) -> set[str]:
    """The symbols that stand without anything below them."""
    match node:
        case Name(base=base):
            return {base}
        case Indexed(base=Name()):
            return set()
    return {name for child in node.children() for name in _whole(child)}
