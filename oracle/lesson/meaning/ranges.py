r"""What counts from where to where: $l = L-1, \ldots, 2$ and $m = 1, 2, \ldots, M$ define nothing.

They say which letter is the last layer, whatever its name.
"""

from collections.abc import Collection, Iterable, Iterator
from itertools import pairwise

from oracle.lesson.syntax import Dots, Items, Name, Node, Number, Plus, Power, Relation, Statement, Sum, Tagged

RANGES = {"=", ":=", "in"}


def tops(statements: Iterable[Statement], counting: Collection[str]) -> set[str]:
    """The letters at which the counting letters end or begin: the M of m = 1, …, M and of m = M-1, …, 1."""
    found, running = set[str](), set[str]()
    for statement in statements:
        for letter, ends in (*_ranges(statement), *_sums(statement), *_below(statement)):
            if letter in counting:
                running.add(letter)
                found |= {end for node in ends if (end := _end(node))}
    return found - running


def running(statements: Iterable[Statement], counting: Collection[str]) -> set[str]:
    """The letters of sums and products that begin or end at a counting letter: the m of Π_{m=l+2}^o z^{(m)}."""
    found = ((letter, ends) for statement in statements for letter, ends in _sums(statement))
    return {letter for letter, ends in found if any(_letters(node) & {*counting} for node in ends)}


def _letters(node: Node) -> set[str]:
    return {part.base for part in node.walk() if isinstance(part, Name)}


def _ranges(statement: Statement) -> Iterator[tuple[str, tuple[Node, ...]]]:
    """Letters that run through values of which some are left out, with the first and the last of these."""
    letter, values = "", list[Node]()
    for node in (statement.body, *statement.asides, Relation((), ())):
        if isinstance(node, Relation):
            if letter and any(isinstance(value, Dots) for value in values):
                yield letter, (values[0], values[-1])
            letter, values = _counted(node), _listed(node.items[1:])
        else:
            values.append(node)


def _listed(values: tuple[Node, ...]) -> list[Node]:
    r"""The values of a set, too: k \in \{1, 2, \ldots, K\}."""
    return [one for value in values for one in (value.items if isinstance(value, Items) else (value,))]


def _counted(relation: Relation) -> str:
    """The l of l = L - 1."""
    match relation:
        case Relation(items=(Name(base=base), _), ops=(op,)) if op in RANGES:
            return base
    return ""


def _below(statement: Statement) -> Iterator[tuple[str, tuple[Node, ...]]]:
    """The l of l < K, with the capital that it stays below."""
    for node in (statement.body, *statement.asides):
        for op, (a, b) in zip(node.ops, pairwise(node.items), strict=True) if isinstance(node, Relation) else ():
            if op in ("<", "<=") and isinstance(a, Name) and isinstance(b, Name) and b.base.isupper():
                yield a.base, (b,)


def _sums(statement: Statement) -> Iterator[tuple[str, tuple[Node, ...]]]:
    """The indices of the sums of a statement, and where they end."""
    for node in statement.body.walk():
        if isinstance(node, Sum) and len(node.indices) == 1 and node.lower and node.upper and _above(node):
            yield node.indices[0].base, (node.lower, node.upper)


def _above(total: Sum) -> bool:
    """Whether the index of a sum stands above something in it, as a layer does."""
    scripts = [part for part in total.body.walk() if isinstance(part, Tagged | Power)]
    above = (part.tag if isinstance(part, Tagged) else part.exponent for part in scripts)
    return any(total.indices[0] in script.walk() for script in above)


def _end(node: Node) -> str:
    """The M of M and of M - 1."""
    match node:
        case Name(base=base) | Plus(terms=(Name(base=base), Number()), signs=(1, -1)):
            return base
    return ""
