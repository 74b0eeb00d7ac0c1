r"""Losses of samples and their sum by one letter: E_n and E = Σ_n E_n are two quantities."""

from collections.abc import Iterable
from dataclasses import replace

from oracle.lesson.meaning.losses import LOSSES
from oracle.lesson.meaning.notation import Ref
from oracle.lesson.syntax import Node, Relation, Statement, Sum, rebuilt


def totals(statements: Iterable[Statement]) -> set[str]:
    """The letters of losses that a lesson adds up to one of the same letter."""
    found: set[str] = set()
    for body in (s.body for s in statements if isinstance(s.body, Relation)):
        match body.items[0]:
            case Ref(base=base, slots=(), subs=()) if base in LOSSES:
                sums = [part for item in body.items[1:] for part in item.walk() if isinstance(part, Sum)]
                found |= {base} if any(_adds(total, base) for total in sums) else set()
    return found


def _adds(total: Sum, base: str) -> bool:
    refs = (part for part in total.body.walk() if isinstance(part, Ref) and part.base == base)
    return any(ref.subs == (index,) for ref in refs for index in total.indices)


def told_apart(statement: Statement, bases: set[str]) -> Statement:
    """A statement in which the loss of a sample has a name of its own."""
    return replace(statement, body=_each(statement.body, bases)) if bases else statement


def _each(node: Node, bases: set[str]) -> Node:
    if isinstance(node, Ref):
        return replace(node, base=f"{node.base}_each") if node.base in bases and node.subs else node
    return rebuilt(node, lambda child: _each(child, bases))
