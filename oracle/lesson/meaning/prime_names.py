r"""Primes that are part of a name: W' and w'_j beside W, where nothing is a function of anything.

A prime is a name's if one differentiates by the symbol, if the text says where it lies (W' ∈ ℝ^{N×V}), or if it is
defined without partials, and by no step of an update. It is a slope where a parenthesis follows somewhere.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace

from oracle.lesson.meaning.primes import FUNCTIONS
from oracle.lesson.syntax import (
    Call,
    Derivative,
    Gradient,
    Indexed,
    Name,
    Node,
    Plus,
    Prime,
    Relation,
    Statement,
    rebuilt,
)

PRIMED = "_'"
"""What the name of such a symbol has at its end, like a label."""


def prime_names(statements: Iterable[Statement]) -> set[str]:
    """The letters whose primes are part of a name in this lesson."""
    bodies = [s.body for s in statements]
    nodes = [node for body in bodies for node in body.walk()]
    called = {_letter(call.function) for call in nodes if isinstance(call, Call)}
    named = {letter for body in bodies for letter in _said(body)}
    named |= {letter for node in nodes if (letter := _letter(node)) and letter.isalpha() and letter.upper() in named}
    return {letter for letter in named if letter and letter not in called | FUNCTIONS}


def _said(body: Node) -> Iterator[str]:
    """The letters of which a statement says that their primes are names."""
    for node in body.walk():
        if isinstance(node, Derivative):
            yield from map(_letter, node.wrt)
        elif isinstance(node, Prime) and isinstance(node.base, Indexed) and len(node.base.subs) == 2:
            yield _letter(node) if _letter(node).isupper() else ""  # an entry of a matrix
        elif isinstance(node, Gradient) and node.wrt is not None:
            yield _letter(node.wrt)
    if isinstance(body, Relation) and (letter := _letter(body.items[0])):
        partials = any(isinstance(part, Derivative | Gradient) for item in body.items[1:] for part in item.walk())
        sums = [item for item in body.items[1:] if isinstance(item, Plus | Name)]
        renewed = any(part == Name(letter) for item in sums for part in _outside_primes(item))
        if body.ops[0] in ("=", ":=", "in") and not partials and not renewed:
            yield letter


def _outside_primes(node: Node) -> Iterator[Node]:
    if not isinstance(node, Prime):
        yield node
        for child in node.children():
            yield from _outside_primes(child)


def _letter(node: Node) -> str:
    """The letter of a symbol with a prime, whatever its indices; "" of anything else."""
    primed = False
    while isinstance(node, Prime | Indexed):
        primed = primed or isinstance(node, Prime)
        node = node.base
    return node.base if primed and isinstance(node, Name) else ""


def with_prime_names(statement: Statement, letters: Collection[str]) -> Statement:
    """A statement in which such primes are part of the name."""
    return replace(statement, body=_renamed(statement.body, letters)) if letters else statement


def _renamed(node: Node, letters: Collection[str]) -> Node:
    if isinstance(node, Prime) and _letter(node) in letters:
        return replace(_marked(node.base, PRIMED.replace("'", "'" * node.order)), span=node.span)
    return rebuilt(node, lambda child: _renamed(child, letters))


def _marked(node: Node, mark: str) -> Node:
    if isinstance(node, Name):
        return replace(node, base=node.base + mark)
    assert isinstance(node, Indexed)
    return replace(node, base=_marked(node.base, mark))
