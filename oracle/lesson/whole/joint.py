r"""Errors that cancel: two wrong claims that make a right one out of a third, and one repair for all three."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from oracle.lesson.correcting import Chain, Corrector, written
from oracle.lesson.correcting.edits import renamed
from oracle.lesson.correcting.vocabulary import Vocabulary
from oracle.lesson.judging import Nets
from oracle.lesson.meaning.notation import Ref
from oracle.lesson.records import BAD, Remark, Suggestion
from oracle.lesson.syntax import Node, Relation
from oracle.lesson.whole.claims import Claim, put_into, uses

Correctors = Mapping[int, Corrector]
Offered = dict[int, tuple[Suggestion, ...]]


@dataclass(frozen=True)
class Cancelling:
    """`third` holds, and also with what `first` and `second` say, but not with what one of them says."""

    first: Claim
    second: Claim
    third: Claim


def cancelling(found: Sequence[Claim], judges: Mapping[int, Nets]) -> Iterator[Cancelling]:
    """Pairs of wrong claims, one equation each, that cancel in a third."""
    wrong = [claim for claim in found if claim.verdict in BAD]
    right = [claim for claim in found if claim.verdict == "holds"]
    seen: set[tuple[int, int]] = set()
    for first, second in combinations(wrong, 2):
        for third in right:
            numbers = (first.number, second.number)
            if numbers not in seen and first.number != second.number and _cancel(first, second, third, judges):
                seen.add(numbers)
                yield Cancelling(first, second, third)


def _cancel(first: Claim, second: Claim, third: Claim, judges: Mapping[int, Nets]) -> bool:
    nets = judges[third.line.section]
    program = nets.program
    if not (uses(third.member, first, program) and uses(third.member, second, program)):
        return False
    one, other = (put_into(third.member, claim, program) for claim in (first, second))
    both = put_into(one, second, program)
    verdicts = [nets.judge(third.head, node, third.number).verdict for node in (both, one, other)]
    return verdicts[0] == "holds" and "holds" not in verdicts[1:]


def remark(case: Cancelling, correctors: Correctors, offered: Offered) -> Remark:
    """What cancels, in words, and the repair of all."""
    first, second, third = case.first, case.second, case.third
    words = (
        f"The errors of equations {first.number} and {second.number} cancel: put into equation {third.number}, "
        f"${first.tex(first.member)}$ for ${first.tex(first.head)}$ and ${second.tex(second.member)}$ for "
        f"${second.tex(second.head)}$ together give the right ${third.tex(third.head)}$. "
        "Whoever repairs one of them alone breaks it; repair them together."
    )
    return Remark(
        "cancelling", words, (first.number, second.number, third.number), joint(case, correctors, offered),
        first.line.formula.place.line,
    )  # fmt: skip


def joint(case: Cancelling, correctors: Correctors, offered: Offered) -> Suggestion | None:
    """One symbol put for another in all three, where that makes them right; else each wrong one's own repair."""
    return next(_relabelled(case, correctors), None) or _each(case, offered)


def _relabelled(case: Cancelling, correctors: Correctors) -> Iterator[Suggestion]:
    corrector = correctors[case.third.line.section]
    words = corrector.words(case.first.line)
    for old, new in _symbols(case, words):
        repaired = [_repaired(claim, old, new, correctors[claim.line.section]) for claim in (case.first, case.second)]
        third = written(case.third.line, case.third.at, _members_renamed(case.third, old, new), words)
        if None in repaired or not corrector.right(case.third.line, third, case.third.at):
            continue
        first, second = (tex for tex in repaired if tex)
        numbers = f"{case.first.number}, {case.second.number} and {case.third.number}"
        said = f"put ${corrector.tex(new, words)}$ for ${corrector.tex(old, words)}$ in equations {numbers}"
        yield Suggestion("joint", first, said, ((case.second.number, second), (case.third.number, third)))


def _symbols(case: Cancelling, words: Vocabulary) -> list[tuple[Ref, Ref]]:
    """Symbols that both heads and the third equation use, and what could be meant, the nearest first."""
    common = [
        node for node in case.first.head.walk()
        if isinstance(node, Ref) and node in list(case.second.head.walk()) and node in list(case.third.member.walk())
    ]  # fmt: skip
    others = sorted(words.symbols.items(), key=lambda pair: pair[1])
    return [
        (old, new) for old in common for new, _ in others
        if new != old and (new.subs, new.slots) == (old.subs, old.slots)
    ]  # fmt: skip


def _members_renamed(claim: Claim, old: Ref, new: Ref) -> Relation:
    head, *members = claim.body.items
    return replace(claim.body, items=(head, *(renamed(member, old, new) for member in members)))


def _repaired(claim: Claim, old: Ref, new: Ref, corrector: Corrector) -> str | None:
    """The TeX of a wrong equation with a new head; members that are still wrong are mended, or left out."""
    head = renamed(claim.head, old, new)
    words = corrector.words(claim.line)
    if not corrector.agree(head, [claim.member], claim.number):
        return None
    for body in _bodies(claim, head, corrector, words):
        tex = written(claim.line, claim.at, body, words)
        if corrector.right(claim.line, tex, claim.at):
            return tex
    return None


def _bodies(claim: Claim, head: Node, corrector: Corrector, words: Vocabulary) -> Iterator[Relation]:
    members = claim.body.items[1:]
    wrong = [k for k, member in enumerate(members) if not corrector.agree(head, [member], claim.number)]
    chain = Chain(claim.body, ("fails",) * len(members), claim.number)
    if not wrong:
        yield replace(claim.body, items=(head, *members))
        return
    yield from (offer.body for offer in corrector.mended_with(chain, head, wrong, words))
    yield replace(claim.body, items=(head, claim.member), ops=claim.body.ops[:1])


def _each(case: Cancelling, offered: Offered) -> Suggestion | None:
    first, second = (offered.get(claim.number, ()) for claim in (case.first, case.second))
    if not first or not second:
        return None
    said = f"in equation {case.first.number}, {first[0].words}; in equation {case.second.number}, {second[0].words}"
    return Suggestion("joint", first[0].tex, said, ((case.second.number, second[0].tex),))
