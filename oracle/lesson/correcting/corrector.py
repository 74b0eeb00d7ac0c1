r"""The repairs of one lesson: offers for a chain, written as TeX, read again and confirmed in fresh nets."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from oracle.lesson.correcting.chains import (
    FRESH,
    Chain,
    Offer,
    Reread,
    Understood,
    offered,
    swapped,
    with_members,
    written,
)
from oracle.lesson.correcting.edit import Edit
from oracle.lesson.correcting.edits import edits, renamings
from oracle.lesson.correcting.readings import Judge, as_meant, longer, respelled, under_limits
from oracle.lesson.correcting.searching import Search
from oracle.lesson.correcting.trying import Store, Trial, trials
from oracle.lesson.correcting.vocabulary import Source, Vocabulary, vocabulary
from oracle.lesson.correcting.writing import text
from oracle.lesson.judging import Nets, Way, size
from oracle.lesson.meaning.masks import conditional
from oracle.lesson.meaning.notation import Ref
from oracle.lesson.records import BAD, Suggestion
from oracle.lesson.syntax import Derivative, Node, Relation, rebuilt

STAYS = ("not understood", "aside", "definition", "update", "holds under", "vacuous")
"""Verdicts of members that a repair leaves as they are."""

WANTED = 1.2
"""What it is worth that another left side is a partial that the lesson uses and never tells, where this one is told."""

REPEATED = 0.5
"""What it costs that a repair says again what another member of the chain says."""


@dataclass
class Corrector:
    """What every search of one lesson shares."""

    lines: Sequence[Understood]
    """The lesson: what repairs are made of."""
    nets: Nets
    reread: Reread
    doubled: int = 1500
    limit: int = 3
    ways: tuple[Way, ...] = ()
    """The readings of the lesson's own formulas."""

    def __post_init__(self) -> None:
        self.store: Store = {}
        self.sources = [Source(n.number, tuple(s.body for s in n.statements), n.formula.tex) for n in self.lines]
        self.sure = Nets(self.nets.program, 6, self.nets.seed + FRESH, self.nets.activations)
        self.meant: dict[int, dict[Node, Node]] = {}

    def words(self, line: Understood) -> Vocabulary:
        """What a repair of this formula may put in."""
        words = vocabulary(self.sources[self.lines.index(line)], self.sources)
        for definition in self.nets.program.definitions:
            words.add_definition(definition.head, definition.body)
        return words

    @staticmethod
    def tex(node: Node, words: Vocabulary) -> str:
        """A symbol as the lesson writes it."""
        return text(node, words)

    def suggestions(self, line: Understood, verdicts: Mapping[int, Sequence[str]]) -> tuple[Suggestion, ...]:
        """Repairs of one formula; `verdicts` holds those of each statement's members, by the statement's place."""
        words = self.words(line)
        found: list[Suggestion] = []
        for at, statement in enumerate(line.statements):
            if isinstance(statement.body, Relation) and set(verdicts.get(at, ())) & BAD:
                chain = Chain(statement.body, tuple(verdicts[at]), line.number, under_limits(statement.limits))
                found += self.confirmed(line, at, self.offers(chain, words), words, chain.verdicts)
        return tuple(found[: self.limit])

    def offers(self, chain: Chain, words: Vocabulary) -> list[Offer]:
        """All repairs of one chain, the least change first."""
        found = [*_completed(chain), *self.edited(chain, words), *self.relabelled(chain, words)]
        if not any(offer.kind == "edit" for offer in found):
            found += self.swapped(chain, words)
        found = found or [*self.exchanged(chain, words)]
        again, wanted = self.untold(chain)

        def price(offer: Offer) -> float:
            head, *members = offer.body.items
            return offer.cost - WANTED * (again and head in wanted) + REPEATED * (len({*members}) < len(members))

        return sorted(found, key=price)

    def untold(self, chain: Chain) -> tuple[bool, set[Node]]:
        """Whether the lesson tells elsewhere, without partials, what this chain is of; what it never tells so."""
        others = [s.body for n in self.lines if n.number != chain.line for s in n.statements]
        bodies = [body for body in others if isinstance(body, Relation)]
        told = {body.items[0] for body in bodies if not all(map(_has_partials, body.items[1:]))}
        partials: set[Node] = {part for body in bodies for part in body.walk() if isinstance(part, Derivative)}
        return chain.body.items[0] in told, partials - told

    def edited(self, chain: Chain, words: Vocabulary) -> Iterator[Offer]:
        """Every bad member repaired; the first one in several ways."""
        head, *members = chain.body.items
        apart = bool(chain.ways) and not any(map(conditional, members))
        tried = trials(self.nets, self.store, head, tuple(members), chain.line, apart=apart)
        nonzero = any(size(trial.target) for trial in tried)
        yield from self.mended(chain, head, chain.bad, tried if nonzero else [], words)

    def mended(
        self, chain: Chain, head: Node, bad: Sequence[int], tried: list[Trial], words: Vocabulary
    ) -> Iterator[Offer]:
        """The members `bad` repaired to be worth what `head` is; the same slip once more is the likeliest."""
        members = chain.body.items[1:]
        first, *others = bad
        judge = Judge(self.nets, self.ways + chain.ways)
        search = Search(
            words, tried, head, doubled=self.doubled, holds=lambda member: judge.holds(head, member, chain.line)
        )
        repairs = search.repairs(members[first])
        alone = {k: search.repairs(members[k])[:1] for k in others} if repairs else {}
        for edit in repairs:
            repaired = {first: edit}
            for k in others:
                if found := search.again(members[k], edit) or next(iter(alone[k]), None):
                    repaired[k] = found
            if len(repaired) == len(bad):
                yield offered(chain, head, repaired, words)

    def mended_with(self, chain: Chain, head: Node, bad: Sequence[int], words: Vocabulary) -> Iterator[Offer]:
        """`mended`, for another head."""
        tried = trials(self.nets, self.store, head, (), chain.line)
        if tried:
            yield from self.mended(chain, head, bad, tried, words)

    def relabelled(self, chain: Chain, words: Vocabulary) -> Iterator[Offer]:
        """Another left side: with it all members agree, or some, and the others are repaired."""
        head, *members = chain.body.items
        partly = 0
        for edit, tried in self.heads(head, words, chain.line):
            agree = [all(trial.agrees(member) for trial in tried) for member in members]
            bad = [k for k, good in enumerate(agree) if not good]
            said = f"{edit.said(words)} on the left"
            if not bad:
                yield Offer(with_members(chain, edit.node, {}), edit.cost + 0.6, said, "relabel")
            elif len(bad) < len(members) and partly < 2:
                partly += 1
                for offer in self.mended(chain, edit.node, bad, tried, words):
                    yield Offer(offer.body, edit.cost + 0.6 + offer.cost, f"{said}; {offer.words}", "relabel")

    def heads(self, head: Node, words: Vocabulary, line: int) -> Iterator[tuple[Edit, list[Trial]]]:
        """Left sides that differ in one symbol, and mean something that is not zero."""
        if not isinstance(head, Derivative | Ref):
            return
        for edit in sorted(_relabellings(head, words), key=lambda e: e.cost):
            tried = trials(self.nets, self.store, edit.node, (), line)
            if tried and any(size(trial.target) for trial in tried):
                yield edit, tried

    def swapped(self, chain: Chain, words: Vocabulary) -> Iterator[Offer]:
        """Two symbols exchanged in the whole chain, where only that makes it right."""
        symbols = list(dict.fromkeys(node for node in chain.body.walk() if isinstance(node, Ref)))
        for a, b in combinations(symbols, 2):
            body = swapped(chain.body, {a: b, b: a})
            if self.all_agree(body, chain.line):
                said = f"exchange ${text(a, words)}$ and ${text(b, words)}$ throughout"
                yield Offer(body, 2.2, said, "exchange")
        for edit in renamings(chain.body, words):
            if isinstance(edit.node, Relation) and self.all_agree(edit.node, chain.line):
                yield Offer(edit.node, 2.3, edit.said(words), "relabel")

    def all_agree(self, body: Relation, line: int) -> bool:
        """Whether a whole chain is right in the nets tried, and not because it is zero."""
        return self.agree(body.items[0], body.items[1:], line)

    def agree(self, head: Node, members: Iterable[Node], line: int) -> bool:
        """Whether members are worth what a head is, which is not zero."""
        tried = trials(self.nets, self.store, head, (), line)
        if not tried or not any(size(trial.target) for trial in tried):
            return False
        return all(trial.agrees(member) for trial in tried for member in members)

    def exchanged(self, chain: Chain, words: Vocabulary) -> Iterator[Offer]:
        """∂a/∂z for ∂z/∂a, and what it is."""
        head = chain.body.items[0]
        if not isinstance(head, Derivative) or len(head.wrt) != 1:
            return
        turned = replace(head, of=head.wrt[0], wrt=(head.of,))
        tried = trials(self.nets, self.store, turned, (), chain.line)
        if not tried or not any(size(trial.target) for trial in tried):
            return
        for member in words.factors:
            if not isinstance(member, Derivative) and all(trial.agrees(member) for trial in tried):
                body = replace(chain.body, items=(turned, member), ops=chain.body.ops[-1:])
                said = f"turn the derivative round; it is ${text(member, words)}$"
                yield Offer(body, 2.0, said, "exchange")
                return

    def confirmed(
        self, line: Understood, at: int, offers: Iterable[Offer], words: Vocabulary, verdicts: Sequence[str] = ()
    ) -> Iterator[Suggestion]:
        """The offers that hold as they are written, in fresh nets."""
        seen: set[str] = set()
        for offer in offers:
            tex = written(line, at, offer.body, words)
            if tex and tex not in seen and tex != line.formula.tex and self.right(line, tex, at, verdicts):
                seen.add(tex)
                yield Suggestion(offer.kind, tex, offer.words)

    def right(self, line: Understood, tex: str, at: int, verdicts: Sequence[str] = ()) -> bool:
        """Whether every link of a statement holds, read again from its TeX; what nobody understood may stay."""
        statements, old = list(self.reread(tex)), line.statements[at].body
        if len(statements) < len(line.statements) or not isinstance(body := statements[at].body, Relation):
            return False
        assert isinstance(old, Relation)
        body = as_meant(body, old, self.spellings(line))
        same = body.items[0] == old.items[0] and len(verdicts) == len(old.items) - 1 == len(body.items) - 1
        left = {k for k, verdict in enumerate(verdicts) if same and verdict in STAYS}
        left = {k for k in left if body.items[k + 1] == old.items[k + 1]}
        head, *members = body.items
        made = [member for k, member in enumerate(members) if k not in left]
        kept = [members[k] for k in left if verdicts[k] == "holds under"]
        groups = [*_of_one_activation(self.ways + under_limits(line.statements[at].limits))]
        agree = [{m for m in kept if self.all_right(head, [m], line.number, group)} for group in groups]
        read = set[Node]().union(*agree)
        return any(
            known == read and self.all_right(head, made, line.number, group)
            for group, known in zip(groups, agree, strict=True)
        )

    def all_right(self, head: Node, members: Sequence[Node], number: int, ways: tuple[Way, ...]) -> bool:
        """Whether all members of a chain hold in fresh nets, and not all because they are zero."""
        judge = Judge(self.sure, ways)
        outcomes = [judge.outcome(head, member, number) for member in members]
        return all(held for held, _ in outcomes) and not all(zero for _, zero in outcomes)

    def spellings(self, line: Understood) -> dict[Node, Node]:
        """What symbols mean where a line stands, where their TeX alone does not say it; the line's own first."""
        own = dict(respelled(self.reread(line.formula.tex), line.statements))
        if not own:
            return {}
        if line.section not in self.meant:
            ordered = sorted(self.lines, key=lambda n: n.section == line.section)
            pairs = [(n, pair) for n in ordered for pair in respelled(self.reread(n.formula.tex), n.statements)]
            self.meant[line.section] = {a: b for n, (a, b) in pairs if n.section == line.section or longer(a, b)}
        return self.meant[line.section] | own


def _of_one_activation(ways: tuple[Way, ...]) -> Iterator[tuple[Way, ...]]:
    """Readings that can be meant together: of one activation at most."""
    general = tuple(way for way in ways if not way.activations)
    yield general
    yield from ((*general, way) for way in ways if way.activations)


def _completed(chain: Chain) -> Iterator[Offer]:
    r"""A chain with the ∂ that is missing in it: \frac{\partial C}{\partial z} for \frac{\partial C}{z}."""
    body = _whole(chain.body)
    if body != chain.body:
        assert isinstance(body, Relation)
        yield Offer(body, 0.0, "write the ∂ that is missing")


def _whole(node: Node) -> Node:
    node = rebuilt(node, _whole)
    return replace(node, torn="") if isinstance(node, Derivative) else node


def _has_partials(node: Node) -> bool:
    return any(isinstance(part, Derivative) for part in node.walk())


def _relabellings(head: Node, words: Vocabulary) -> Iterator[Edit]:
    """Another symbol in a left side, or its derivative turned upside down."""
    for edit in edits(head, words, term=False):
        if edit.what[0] in ("put", "exchange") and edit.cost <= 1.9:
            made = edit.made(head)
            if type(made.node) is type(head):
                yield made
