r"""Entries of vectors that are counted above in parentheses: $\partial E_t / \partial V_{ij} = r_t^{(i)} h_t^{(j)}$.

A letter above that is also one of the two below the matrix that is differentiated by counts entries, and no samples.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace

from oracle.lesson.meaning.above import symbol_of
from oracle.lesson.meaning.naming import flat
from oracle.lesson.syntax import Derivative, Indexed, Name, Node, Statement, Sum, Tagged, rebuilt

MATRICES = {"W", "U", "V", "w", "u", "v", "A", "M"}


def entries_above(statements: Iterable[Statement]) -> set[str]:
    """The letters that count entries wherever they stand above in parentheses."""
    bodies = [s.body for s in statements]
    entries = {letter for body in bodies for letter in _tags(body) & _by_entries(body)}
    matrices = (node for body in bodies for node in body.walk() if isinstance(node, Tagged))
    above = {letter for node in matrices if symbol_of(node) in MATRICES for letter in _tags(node)}
    return entries - above - {letter for body in bodies for letter in _summed(body)}


def with_entries_below(statement: Statement, letters: Collection[str]) -> Statement:
    """A statement in which such letters stand below: r_{t,i} for r_t^{(i)}."""
    return replace(statement, body=_below(statement.body, letters)) if letters else statement


def _tags(node: Node) -> set[str]:
    """The letters that stand above in parentheses in a formula."""
    tags = (part.tag for part in node.walk() if isinstance(part, Tagged) and part.bracket == "(")
    return {tag.base for tag in tags if isinstance(tag, Name)}


def _by_entries(body: Node) -> set[str]:
    """The i and j of ∂/∂W_{ij}."""
    wrts = [wrt for part in body.walk() if isinstance(part, Derivative) for wrt in part.wrt]
    subs = [flat(wrt.subs) for wrt in wrts if isinstance(wrt, Indexed) and symbol_of(wrt) in MATRICES]
    return {sub.base for found in subs if len(found) == 2 for sub in found if isinstance(sub, Name)}


def _summed(body: Node) -> Iterator[str]:
    """The letters of sums over what has them above: those may be samples."""
    for part in body.walk():
        if isinstance(part, Sum):
            yield from {name.base for name in part.indices} & _tags(part.body)


def _below(node: Node, letters: Collection[str]) -> Node:
    node = rebuilt(node, lambda child: _below(child, letters))
    match node:
        case Tagged(base=Indexed(base=base, subs=subs), tag=Name(base=letter) as tag, bracket="(") if letter in letters:
            return Indexed(base, (*subs, tag), span=node.span)
        case Tagged(base=base, tag=Name(base=letter) as tag, bracket="(") if letter in letters:
            return Indexed(base, (tag,), span=node.span)
    return node
