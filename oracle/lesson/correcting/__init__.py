r"""Corrections of what fails: small edits of the right side, of the left, of both, the least change first.

An edit is tried in two nets, where all candidates share what is the same in them. What is offered is then read again
from its TeX, and held against autograd in fresh nets: what the author copies is what was verified.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Literal, Protocol

from oracle.lesson.correcting.edits import Edit, edits
from oracle.lesson.correcting.searching import Search
from oracle.lesson.correcting.trying import size, trials
from oracle.lesson.correcting.vocabulary import Source, Vocabulary, vocabulary
from oracle.lesson.correcting.writing import rewritten, text
from oracle.lesson.document import Formula
from oracle.lesson.judging import Nets
from oracle.lesson.meaning.notation import Ref
from oracle.lesson.records import BAD, Equation, Suggestion
from oracle.lesson.syntax import Derivative, Node, Relation, Statement

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
    def formula(self) -> Formula: ...
    @property
    def statements(self) -> tuple[Statement, ...]: ...


@dataclass(frozen=True)
class Chain:
    """A chain of equalities and the verdicts of its members."""

    body: Relation
    verdicts: tuple[str, ...]
    line: int = 0

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


@dataclass
class Corrector:
    """What every search of one lesson shares."""

    lines: Sequence[Understood]
    nets: Nets
    reread: Reread
    seconds: float = 0.3
    limit: int = 3

    def __post_init__(self) -> None:
        self.sources = [Source(n.number, tuple(s.body for s in n.statements), n.formula.tex) for n in self.lines]
        self.sure = Nets(self.nets.program, 6, self.nets.seed + FRESH, self.nets.activations)

    def suggestions(self, line: Understood, verdicts: Mapping[int, Sequence[str]]) -> tuple[Suggestion, ...]:
        """Repairs of one formula; `verdicts` holds those of each statement's members, by the statement's place."""
        words = vocabulary(self.sources[self.lines.index(line)], self.sources)
        found: list[Suggestion] = []
        for at, statement in enumerate(line.statements):
            if isinstance(statement.body, Relation) and set(verdicts.get(at, ())) & BAD:
                chain = Chain(statement.body, tuple(verdicts[at]), line.number)
                found += self.confirmed(line, at, self.offers(chain, words), words)
        return tuple(found[: self.limit])

    def offers(self, chain: Chain, words: Vocabulary) -> list[Offer]:
        """All repairs of one chain, the least change first."""
        found = [*self.edited(chain, words), *self.relabelled(chain, words)]
        found = found or [*self.exchanged(chain, words)]
        return sorted(found, key=lambda offer: offer.cost)

    def edited(self, chain: Chain, words: Vocabulary) -> Iterator[Offer]:
        """Every bad member repaired; the first one in several ways."""
        head, *members = chain.body.items
        tried = trials(self.nets, head, tuple(members), chain.line)
        if not tried or all(size(trial.target) == 0.0 for trial in tried):
            return
        first, *others = chain.bad
        search = Search(words, tried, head, seconds=self.seconds)
        for edit in search.repairs(members[first]):
            repaired = [edit]
            for k in others:
                again = replace(search, known=(edit.what,)).repairs(members[k])
                repaired += again[:1]
            if len(repaired) == len(chain.bad):
                yield _offer(chain, dict(zip(chain.bad, repaired, strict=True)))

    def relabelled(self, chain: Chain, words: Vocabulary) -> Iterator[Offer]:
        """Another left side, with which all members agree."""
        head, *members = chain.body.items
        if not isinstance(head, Derivative | Ref):
            return
        for edit in sorted(edits(head, words, term=False), key=lambda e: e.cost):
            if edit.what[0] not in ("put", "exchange") or edit.node in members:
                continue
            if edit.cost < 1.9 and type(edit.node) is type(head) and self.holds(edit.node, members, chain.line):
                body = replace(chain.body, items=(edit.node, *members))
                yield Offer(body, edit.cost + 0.6, f"{edit.words} on the left", "relabel")

    def holds(self, head: Node, members: list[Node], line: int) -> bool:
        tried = trials(self.nets, head, (), line)
        return bool(tried) and all(trial.agrees(member) for trial in tried for member in members)

    def exchanged(self, chain: Chain, words: Vocabulary) -> Iterator[Offer]:
        """∂a/∂z for ∂z/∂a, and what it is."""
        head = chain.body.items[0]
        if not isinstance(head, Derivative) or len(head.wrt) != 1:
            return
        turned = replace(head, of=head.wrt[0], wrt=(head.of,))
        tried = trials(self.nets, turned, (), chain.line)
        if not tried or all(size(trial.target) == 0.0 for trial in tried):
            return
        for member in _simple(words):
            if member != turned and all(trial.agrees(member) for trial in tried):
                body = replace(chain.body, items=(turned, member), ops=chain.body.ops[-1:])
                yield Offer(body, 2.0, f"turn the derivative round; it is ${text(member, words)}$", "exchange")
                return

    def confirmed(self, line: Understood, at: int, offers: Iterable[Offer], words: Vocabulary) -> Iterator[Suggestion]:
        """The offers that hold as they are written, in fresh nets."""
        seen: set[str] = set()
        for offer in offers:
            tex = written(line, at, offer.body, words)
            if tex and tex not in seen and tex != line.formula.tex and self.right(line, tex, at):
                seen.add(tex)
                yield Suggestion(offer.kind, tex, offer.words)

    def right(self, line: Understood, tex: str, at: int) -> bool:
        """Whether every link of a statement holds, read again from its TeX."""
        statements = list(self.reread(tex))
        if at >= len(statements) or not isinstance(body := statements[at].body, Relation):
            return False
        outcomes = [self.sure.judge(body.items[0], member, line.number) for member in body.items[1:]]
        return all(o.verdict.startswith("holds") for o in outcomes) and not all(o.zero for o in outcomes)


def _offer(chain: Chain, repaired: Mapping[int, Edit]) -> Offer:
    head, *members = chain.body.items
    members = [repaired[k].node if k in repaired else member for k, member in enumerate(members)]
    said = dict.fromkeys(edit.words for edit in repaired.values())
    cost = sum(edit.cost for edit in repaired.values())
    return Offer(replace(chain.body, items=(head, *members)), cost, "; ".join(said))


def _simple(words: Vocabulary) -> Iterator[Node]:
    """What a short right side can be: one factor, or two."""
    near = [factor for factor, far in words.factors.items() if not isinstance(factor, Derivative)]
    yield from near


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


def suggest(
    lines: Sequence[Understood], equations: Sequence[Equation], nets: Nets, reread: Reread, *, seconds: float = 0.3
) -> dict[int, tuple[Suggestion, ...]]:
    """By the number of a bad equation, its repairs, the least change first; `equations` are the `lines` judged."""
    corrector = Corrector(lines, nets, reread, seconds)
    found = {}
    for line, equation in zip(lines, equations, strict=True):
        if any(link.verdict in BAD and not link.deliberate for link in equation.links):
            found[line.number] = corrector.suggestions(line, verdicts(line, equation))
    return found


def verdicts(line: Understood, equation: Equation) -> Mapping[int, tuple[str, ...]]:
    """The verdicts of each statement's members, by the statement's place in its formula."""
    links = iter(equation.links)
    found = {}
    for at, statement in enumerate(line.statements):
        if isinstance(statement.body, Relation):
            found[at] = tuple(link.verdict for link in islice(links, len(statement.body.ops)))
    return found


__all__ = ["Chain", "Corrector", "Offer", "Reread", "Understood", "suggest", "verdicts", "written"]
