r"""The cheapest edits of one side after which a link holds: one edit, else two, typed and tried in few nets."""

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import islice

from oracle.lesson.correcting.edit import Edit
from oracle.lesson.correcting.edits import edits, neighbours
from oracle.lesson.correcting.trying import Trial
from oracle.lesson.correcting.vocabulary import Vocabulary
from oracle.lesson.syntax import Derivative, Node, Number

DEAR = 1.6
"""Dearer edits are made alone only."""
FIRSTS = 40
JUDGED = 60
"""How many edits are judged like the lesson's formulas, where none is right in the nets tried."""
AGAIN = 0.5
"""What the same slip costs when it is made again, of its price."""


@dataclass(frozen=True)
class Search:
    """One member to be repaired, and how far it may go."""

    words: Vocabulary
    trials: list[Trial]
    head: Node
    doubled: int = 1500
    """How many pairs of edits are tried; a number, not a time, so that a report is the same on every machine."""
    limit: int = 4
    holds: Callable[[Node], bool] | None = None
    """Whether a formula holds, under the readings of the lesson if need be."""

    def repairs(self, member: Node) -> list[Edit]:
        """Edits of `member` after which it is worth what the head is, the cheapest first."""
        singles = sorted(neighbours(member, self.words), key=_cheapest)
        found: list[Edit] = []
        for edit in (single.made(member) for single in singles):
            if self.good(edit.node, found):
                found.append(edit)
            if len(found) == self.limit:
                break
        return found or self.judged(member, singles) or self.doubles(member, singles)

    def judged(self, member: Node, singles: list[Edit]) -> list[Edit]:
        """The cheapest edit after which a member holds under a reading."""
        made = (single.made(member) for single in singles[:JUDGED] if self.holds)
        return next(([edit] for edit in made if self.read_right(edit.node)), [])

    def read_right(self, node: Node) -> bool:
        """Whether a candidate says something, and holds under a reading."""
        if self.holds is None or isinstance(node, Number) or self.trivial(node):
            return False
        return self.holds(node)

    def again(self, member: Node, slip: Edit) -> Edit | None:
        """The same slip made in another member, too."""
        same = (edit.made(member) for edit in neighbours(member, self.words) if edit.what == slip.what)
        found = next((edit for edit in same if self.good(edit.node, []) or self.read_right(edit.node)), None)
        return found and replace(found, cost=found.cost * AGAIN)

    def good(self, node: Node, found: list[Edit]) -> bool:
        """Whether a candidate says something, and is right in the nets tried."""
        if isinstance(node, Number) or any(node == other.node for other in found):
            return False
        agree = bool(self.trials) and all(trial.agrees(node) for trial in self.trials)
        return agree and not self.trivial(node)

    def trivial(self, node: Node) -> bool:
        """Whether a candidate repeats the head, or differentiates something by itself."""
        parts = list(node.walk())
        if any(_plain(part) == _plain(self.head) for part in parts):
            return True
        return any(isinstance(p, Derivative) and p.of in p.wrt for p in parts)

    def doubles(self, member: Node, singles: list[Edit]) -> list[Edit]:
        """The first pair of edits after which it is."""
        if not self.trials:
            return []
        return next(
            ([edit] for edit in islice(self.pairs(member, singles), self.doubled) if self.good(edit.node, [])), []
        )

    def pairs(self, member: Node, singles: list[Edit]) -> Iterator[Edit]:
        """Two cheap edits one after the other, by what they cost together."""
        firsts = [single for single in singles if single.cost <= DEAR][:FIRSTS]
        second = [self._seconds(first.made(member)) for first in firsts]
        return heapq.merge(*second, key=lambda edit: edit.cost)

    def _seconds(self, first: Edit) -> Iterator[Edit]:
        after = edits(first.node, self.words)
        cheap = sorted((e for e in after if e.cost <= DEAR), key=lambda e: e.cost)
        return (first.then(edit.made(first.node)) for edit in cheap)


def _cheapest(edit: Edit) -> tuple[float, int]:
    """The cheapest first, then the deepest: of p_i ([i = j] - p_i) the first factor is what is differentiated."""
    return round(edit.cost, 6), -len(edit.path)


def _plain(node: Node) -> Node:
    r"""A derivative as one fraction: ∂/∂z y says what ∂y/∂z says."""
    return replace(node, operator=False) if isinstance(node, Derivative) else node
