r"""What counts from where to where: $l = L-1, \ldots, 2$ and $m = 1, 2, \ldots, M$ define nothing.

They say which letter is the last layer, whatever its name.
"""

from collections.abc import Collection, Iterable, Iterator

from oracle.lesson.syntax import Dots, Name, Node, Number, Plus, Relation, Statement, Sum

RANGES = {"=", ":=", "in"}


def tops(statements: Iterable[Statement], counting: Collection[str]) -> set[str]:
    """The letters at which the counting letters end or begin: the M of m = 1, …, M and of m = M-1, …, 1."""
    found, running = set[str](), set[str]()
    for statement in statements:
        for letter, ends in (*_ranges(statement), *_sums(statement)):
            if letter in counting:
                running.add(letter)
                found |= {end for node in ends if (end := _end(node))}
    return found - running


def _ranges(statement: Statement) -> Iterator[tuple[str, tuple[Node, ...]]]:
    """Letters that run through values of which some are left out, with the first and the last of these."""
    letter, values = "", list[Node]()
    for node in (statement.body, *statement.asides, Relation((), ())):
        if isinstance(node, Relation):
            if letter and any(isinstance(value, Dots) for value in values):
                yield letter, (values[0], values[-1])
            letter, values = _counted(node), [*node.items[1:]]
        else:
            values.append(node)


def _counted(relation: Relation) -> str:
    """The l of l = L - 1."""
    match relation:
        case Relation(items=(Name(base=base), _), ops=(op,)) if op in RANGES:
            return base
    return ""


def _sums(statement: Statement) -> Iterator[tuple[str, tuple[Node, ...]]]:
    """The indices of the sums of a statement, and where they end."""
    for node in statement.body.walk():
        if isinstance(node, Sum) and len(node.indices) == 1 and node.lower and node.upper:
            yield node.indices[0].base, (node.lower, node.upper)


def _end(node: Node) -> str:
    """The M of M and of M - 1."""
    match node:
        case Name(base=base) | Plus(terms=(Name(base=base), Number()), signs=(1, -1)):
            return base
    return ""
