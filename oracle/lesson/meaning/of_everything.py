r"""Functions of what nobody speaks of again: $F(x) = e^T e$ with x for all weights is the quantity F."""

from collections.abc import Collection, Iterable
from dataclasses import replace

from oracle.lesson.meaning.iterations import applied
from oracle.lesson.syntax import Indexed, Name, Node, Power, Relation, Statement, rebuilt


def everything(statements: Iterable[Statement]) -> set[str]:
    """The letters that are only the argument of what is defined without them: the x of F(x) = e^T e."""
    bodies = [s.body for s in statements if isinstance(s.body, Relation)]
    heads = {letter for body in bodies if (letter := _of(body.items[0])) and not _uses(body.items[1:], letter)}
    return {letter for letter in heads if all(_only_argument(body, letter) for body in bodies)}


def without_everything(statement: Statement, letters: Collection[str]) -> Statement:
    """A statement in which such functions are quantities."""
    return replace(statement, body=_bare(statement.body, letters)) if letters else statement


def _of(node: Node) -> str:
    """The x of F(x), which looks like a product where F is no function."""
    match applied(node):
        case Name() | Indexed() | Power(), Name(base=base, bold=True):
            return base
    return ""


def _uses(nodes: Iterable[Node], letter: str) -> bool:
    return any(part == Name(letter) for node in nodes for part in node.walk())


def _only_argument(node: Node, letter: str) -> bool:
    """Whether a letter stands nowhere but as an argument."""
    if node == Name(letter):
        return False
    return _of(node) == letter or all(_only_argument(child, letter) for child in node.children())


def _bare(node: Node, letters: Collection[str]) -> Node:
    if _of(node) in letters:
        core, _ = applied(node) or (node, node)
        return replace(core, span=node.span)
    return rebuilt(node, lambda child: _bare(child, letters))
