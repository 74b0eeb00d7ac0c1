r"""Probabilities with their words in a parenthesis: P(o | c) is the entry P_o, if o and c stand below symbols too."""

from collections.abc import Collection, Iterable
from dataclasses import replace

from oracle.lesson.syntax import Call, Indexed, Name, Node, Relation, Statement, rebuilt

NAMES = {"P", "p", "Pr", "hat P", "hat p", "Q", "q"}


def words_below(statements: Iterable[Statement]) -> set[str]:
    """Every letter that stands below a symbol."""
    nodes = (node for s in statements for node in s.body.walk() if isinstance(node, Indexed))
    return {sub.base for node in nodes for sub in node.subs if isinstance(sub, Name) and len(sub.base) == 1}


def with_probabilities(statement: Statement, letters: Collection[str]) -> Statement:
    """A statement in which the probability of a word under a condition is an entry."""
    return replace(statement, body=_entries(statement.body, letters))


def _entries(node: Node, letters: Collection[str]) -> Node:
    node = _of_values(node)
    match node:
        case Call(function=Name(base=name) as function, args=(Name(base=word) as sub, *given)) if (
            name in NAMES and given
        ):
            if {word, *(arg.base if isinstance(arg, Name) else "" for arg in given)} <= {*letters}:
                return Indexed(function, (sub,), span=node.span)
    return rebuilt(node, lambda child: _entries(child, letters))


def _of_values(node: Node) -> Node:
    """P(o | c) for P(O = o | C = c)."""
    if not isinstance(node, Call) or not isinstance(node.function, Name) or node.function.base not in NAMES:
        return node
    return replace(node, args=tuple(map(_value, node.args)))


def _value(arg: Node) -> Node:
    match arg:
        case Relation(items=(Name(base=variable), Name() as value), ops=("=",)) if variable.isupper():
            return value
    return arg
