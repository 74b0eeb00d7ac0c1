r"""Chains of equalities, and repairs of them as trees and as TeX."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol

from oracle.lesson.correcting.edit import Edit
from oracle.lesson.correcting.vocabulary import Vocabulary
from oracle.lesson.correcting.writing import rewritten, text
from oracle.lesson.document import Formula
from oracle.lesson.judging import Way
from oracle.lesson.records import BAD
from oracle.lesson.syntax import Node, Relation, Statement, replaced

Reread = Callable[[str], Sequence[Statement]]
"""TeX to its statements, symbols bound as in the lesson."""
Kind = Literal["edit", "relabel", "exchange", "joint"]
FRESH = 1000
"""Added to the seed: a repair is confirmed in nets in which nothing was tried."""


class Understood(Protocol):
    """A formula with its statements, symbols bound."""

    @property
    def number(self) -> int: ...
    @property
    def section(self) -> int: ...
    @property
    def formula(self) -> Formula: ...
    @property
    def statements(self) -> tuple[Statement, ...]: ...


@dataclass(frozen=True)
class Chain:
    """A chain of equalities and the verdicts of its members."""

    body: Relation
    verdicts: tuple[str, ...]
    line: int = 0
    ways: tuple[Way, ...] = ()
    """Readings under the conditions that the text sets on its indices."""

    @property
    def bad(self) -> list[int]:
        return [k for k, verdict in enumerate(self.verdicts) if verdict in BAD]


@dataclass(frozen=True)
class Offer:
    """A repaired chain, before it is confirmed."""

    body: Relation
    cost: float
    words: str
    kind: Kind = "edit"


def with_members(chain: Chain, head: Node, members: Mapping[int, Node]) -> Relation:
    """A chain with some members replaced."""
    old = chain.body.items[1:]
    return replace(chain.body, items=(head, *(members.get(k, member) for k, member in enumerate(old))))


def offered(chain: Chain, head: Node, repaired: Mapping[int, Edit], words: Vocabulary) -> Offer:
    said = dict.fromkeys(edit.said(words) for edit in repaired.values())
    cost = sum(edit.cost for edit in repaired.values())
    return Offer(with_members(chain, head, {k: edit.node for k, edit in repaired.items()}), cost, "; ".join(said))


def swapped(body: Relation, other: Mapping[Node, Node]) -> Relation:
    """A chain with symbols replaced all through."""
    return replace(body, items=tuple(replaced(item, other) for item in body.items))


def written(line: Understood, at: int, body: Relation, words: Vocabulary) -> str:
    """The formula's TeX with one statement repaired; members that are no longer there are cut out."""
    old, tex = line.statements[at].body, line.formula.tex
    assert isinstance(old, Relation)
    if len(old.items) == len(body.items):
        for a, b in sorted(zip(old.items, body.items, strict=True), key=lambda pair: -pair[0].span[0]):
            if a != b:
                tex = rewritten(a, b, tex, words)
        return tex
    start, end = old.items[1].span[0], old.items[-1].span[1]
    tex = tex[:start] + text(body.items[1], words) + tex[end:]
    return rewritten(old.items[0], body.items[0], tex, words)
