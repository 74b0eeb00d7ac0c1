r"""The cheapest edits of one side after which a link holds: one edit, else two, typed and tried in few nets."""

import heapq
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count

from oracle.lesson.correcting.edits import Edit, edits
from oracle.lesson.correcting.trying import Trial
from oracle.lesson.correcting.vocabulary import Vocabulary
from oracle.lesson.syntax import Node, Number

AGAIN = 0.5
"""What the same slip costs when it is made again, of its price."""


@dataclass(frozen=True)
class Search:
    """One member to be repaired, and how long it may take."""

    words: Vocabulary
    trials: list[Trial]
    head: Node
    known: tuple[tuple[object, ...], ...] = ()
    """Slips found in other members of the chain."""
    seconds: float = 0.3
    limit: int = 4

    def repairs(self, member: Node) -> list[Edit]:
        """Edits of `member` after which it is worth what the head is, the cheapest first."""
        end = time.perf_counter() + self.seconds
        singles = sorted((self.priced(e) for e in edits(member, self.words)), key=lambda e: e.cost)
        found: list[Edit] = []
        for edit in singles:
            if self.good(edit.node, found):
                found.append(edit)
            if len(found) == self.limit or time.perf_counter() > end:
                break
        return found or self.doubles(singles, end)

    def priced(self, edit: Edit) -> Edit:
        return replace(edit, cost=edit.cost * AGAIN) if edit.what in self.known else edit

    def good(self, node: Node, found: list[Edit]) -> bool:
        """Whether a candidate says something, and is right in the nets tried."""
        if node == self.head or isinstance(node, Number) or any(node == other.node for other in found):
            return False
        return all(trial.agrees(node) for trial in self.trials)

    def doubles(self, singles: list[Edit], end: float) -> list[Edit]:
        found: list[Edit] = []
        for edit in self.pairs(singles):
            if time.perf_counter() > end:
                break
            if self.good(edit.node, found):
                found.append(edit)
                break
        return found

    def pairs(self, singles: list[Edit]) -> Iterator[Edit]:
        """Two edits one after the other, by what they cost together."""
        ticket = count()
        heap: list[tuple[float, int, Edit, list[Edit], int]] = []
        for single in singles:
            heapq.heappush(heap, (single.cost + 0.5, next(ticket), single, [], 0))
        while heap:
            _, _, first, after, at = heapq.heappop(heap)
            if not after:
                after = sorted((self.priced(e) for e in edits(first.node, self.words)), key=lambda e: e.cost)
            if at or after:
                second = after[at]
                yield Edit(
                    second.node,
                    first.cost + second.cost,
                    f"{first.words}, and {second.words}",
                    first.what + second.what,
                )
            if at + 1 < len(after):
                cost = first.cost + after[at + 1].cost
                heapq.heappush(heap, (cost, next(ticket), first, after, at + 1))
