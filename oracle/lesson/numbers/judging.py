"""One published number against what the lesson's formulas and numbers give."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from oracle.lesson.numbers.bench import Bench
from oracle.lesson.numbers.evaluating import UnboundError
from oracle.lesson.numbers.events import Event, rows_of
from oracle.lesson.numbers.printed import Printed
from oracle.lesson.numbers.state import SETTLED, State
from oracle.lesson.numbers.steps import after_step, expected
from oracle.lesson.numbers.ways import Way, arithmetic, exact, from_printed, immediate, room
from oracle.lesson.records import Worked
from oracle.lesson.syntax import Derivative, Marked, Name

Kind = Literal["right", "rounded", "variant", "wrong", "not recomputed"]
MEANINGFUL = 1e-6
"""Two calculations whose relative difference is larger do not differ by rounding in float64."""


@dataclass(frozen=True)
class Verdict:
    """What is said of one number."""

    kind: Kind
    value: float | None
    words: str = ""
    soft: bool = False
    """Wrong by formulas alone: what was rounded on the way may excuse it."""


@dataclass(frozen=True)
class Found:
    """A number, and what is said of it."""

    name: str
    line: int
    one: Printed
    verdict: Verdict

    @property
    def apart(self) -> float:
        """The relative difference of what is published and recomputed."""
        value = self.verdict.value
        return abs(self.one.value - value) / abs(value) if value else 0.0

    def worked(self) -> Worked:
        """As a record."""
        value = self.verdict.value
        again = "" if value is None else self.one.shown(value)
        return Worked(self.name, self.line, self.one.text, again, self.verdict.words, self.verdict.kind)


ALLOWED = 3.0
"""By how much more than other numbers a result of theirs may be off."""
FAR = 0.02
"""Relative differences beyond this are not put down to rounding."""


def excused(found: list[Found]) -> list[Found]:
    """What is wrong by formulas alone is `rounded` where it is off by no more than others are through rounding."""
    seen = [one.apart for one in found if one.verdict.kind == "rounded" and one.apart < FAR]
    room = min(ALLOWED * max(seen, default=0.0), FAR)
    words = "it is off by no more than the intermediate values that the lesson prints rounded"
    return [
        replace(one, verdict=Verdict("rounded", one.verdict.value, words))
        if one.verdict.soft and one.apart <= room
        else one
        for one in found
    ]


def judged(bench: Bench, event: Event) -> Iterator[Found]:
    """Every published number of a chain; what is given, or defined, is not judged."""
    if event.matrix and (event.formulas or event.arithmetic):
        yield from _entries(bench, event)
    calculated = event.formulas or event.arithmetic
    if not calculated and event.head is None:
        return
    asked = bool(calculated) or _is_result(bench, event)
    if not asked and not bench.general(event.head or Name("")):
        return
    for one, line in event.numbers:
        verdict = judge(bench, _repeated(bench, event, one) or event, one)
        silent = not asked or (not calculated and one.text in ("0", "1"))
        if not silent or verdict.kind != "not recomputed":
            yield Found(event.name, line, one, verdict)


def _is_result(bench: Bench, event: Event) -> bool:
    """Whether a number alone is the result of something."""
    if not bench.is_given(event.key):
        return True
    marked = isinstance(event.head, Derivative | Marked)
    return marked or (bench.is_suspect(event.key) and any(one.long for one, _ in event.numbers))


def judge(bench: Bench, event: Event, one: Printed) -> Verdict:
    """Ways of calculating are tried in the order in which they explain the most; wrong is what none explains."""
    ways, reasons = exact(bench, event)
    direct = [way for way in ways if one.near(way.value)]
    if direct:
        _settle(bench, direct[0], one)
    if direct and not (found := _against_autograd(bench, event, one)):
        return Verdict("right", direct[0].value)
    if direct and found:
        return found
    sums = list(arithmetic(bench, event, provenance=True))
    plain = list(arithmetic(bench, event, provenance=False))
    if not ways and (found_sum := next((way for way in sums if one.near(way.value)), None)):
        _settle(bench, found_sum, one)
        return Verdict("right", found_sum.value)
    if found := _rounded(bench, event, one, ways, sums, plain):
        return found
    if found := _otherwise(bench, event, one):
        return found
    return _unexplained(event, one, ways, sums, plain, reasons, bench)


def _settle(bench: Bench, way: Way, one: Printed) -> None:
    """A long number that is right under a doubtful reading settles the doubt."""
    if one.long:
        bench.confirmed |= set(way.doubts) & set(SETTLED)


def _against_autograd(bench: Bench, event: Event, one: Printed) -> Verdict | None:
    """A partial that the lesson's formula gives, and autograd does not."""
    head = event.head
    if not isinstance(head, Derivative):
        return None
    state = State(bench, event.at)
    value = state.partial(head)
    near = State(bench, event.at)
    direct = immediate(near, head)
    if value is None or state.doubts or one.near(float(value.detach()), state.slack(value)):
        return None
    if direct is not None and one.near(float(direct.detach())):
        return None
    if abs(float(value.detach()) - one.value) <= MEANINGFUL * abs(one.value):
        return None
    words = "the lesson's formula gives this number, but autograd through its forward formulas gives another"
    return Verdict("wrong", float(value.detach()), words)


def _rounded(
    bench: Bench, event: Event, one: Printed, ways: list[Way], sums: list[Way], plain: list[Way]
) -> Verdict | None:
    best = next((way.value for way in (*ways, *sums, *plain)), None)
    for way in (*ways, *sums):
        if one.near(way.value, way.slack):
            return Verdict("rounded", best, "it comes from numbers that the lesson prints rounded")
    for way in plain:
        fits = one.near(way.value)
        if fits and (best is None or abs(best - way.value) <= room(bench, event) + one.half):
            return Verdict("rounded", best, "it comes from the rounded numbers that are inserted")
    for way in from_printed(bench, event):
        if one.near(way.value):
            return Verdict("rounded", best, "it comes from intermediate values as they are printed, which are rounded")
    for way in (*ways, *sums):
        if one.cut_off(way.value):
            return Verdict("rounded", best, "it was cut off after its last digit, not rounded")
        if one.next_door(way.value):
            return Verdict("rounded", best, "its last digit is off by one, as rounded intermediate values make it")
    return None


def _otherwise(bench: Bench, event: Event, one: Printed) -> Verdict | None:
    """Another state of the net, or a named variant of the step."""
    found = after_step(bench, event)
    plain = next((value for value, words in found if not words), None)
    for value, words in found:
        if one.near(value):
            return Verdict("variant" if words else "right", plain if words else value, words)
    return None


def _unexplained(
    event: Event, one: Printed, ways: list[Way], sums: list[Way], plain: list[Way], reasons: list[str], bench: Bench
) -> Verdict:
    sure = [way for way in ways if not way.doubts]
    if any(one.near(way.value) for way in plain):
        if not sure:
            return Verdict("right", next(way.value for way in plain if one.near(way.value)))
        words = "the numbers inserted give it, but they are not the values that the lesson gives to these symbols"
        return Verdict("not recomputed", None, words)
    if sure and plain:
        return Verdict("wrong", sure[0].value, "neither the formula nor the numbers inserted give it")
    if plain and not plain[-1].doubts:
        return Verdict("wrong", sums[-1].value if sums else plain[-1].value, "the numbers inserted give another result")
    if sure and event.formulas:
        return Verdict("wrong", sure[0].value, "the formula gives another number", soft=True)
    if sure and not event.later and not _several(bench, event):
        return Verdict("wrong", sure[0].value, "the lesson's formulas give another number", soft=True)
    bare = not event.formulas and not event.arithmetic and not _several(bench, event)
    if bare and (value := expected(bench, event)) is not None:
        return Verdict("wrong", value, "the lesson's own update rule gives another number", soft=True)
    return Verdict("not recomputed", None, _why(event, ways, reasons, bool(sure)))


def _repeated(bench: Bench, event: Event, one: Printed) -> Event | None:
    """Where the lesson calculates a number that it only repeats here."""
    if event.formulas or event.arithmetic or event.head is None:
        return None
    for other in bench.ordered(event.key, event.at):
        if (other.formulas or other.arithmetic) and any(its.value == one.value for its, _ in other.numbers):
            return other
    return None


def _several(bench: Bench, event: Event) -> bool:
    """Whether the symbol has other numbers, too: then this one may belong to another state."""
    return len({one.value for e in bench.by_key.get(event.key, []) for one, _ in e.numbers}) > 1


def _why(event: Event, ways: list[Way], reasons: list[str], other_state: bool) -> str:
    if other_state:
        return "it seems to belong to another state of the net than the numbers that the lesson gives"
    doubts = [doubt for way in ways for doubt in way.doubts]
    return next(iter([*doubts, *reasons]), "the lesson has no formula for it")


def _entries(bench: Bench, event: Event) -> Iterator[Found]:
    """Each entry of a vector or matrix of numbers."""
    found, reasons = None, list[str]()
    for formula in (*event.arithmetic, *event.formulas):
        state = State(bench, event.at)
        try:
            found = found if found is not None else state.value(formula).detach()
            reasons += state.doubts
        except UnboundError as error:
            reasons.append(str(error))
    for node, line in event.matrix:
        rows = rows_of(node)
        fits = found is not None and tuple(found.shape) == (len(rows), len(rows[0]))
        for i, row in enumerate(rows, 1):
            for j, one in enumerate(row, 1):
                name = f"({event.name})_{{{_where(i, j, rows)}}}"
                value = float(found[i - 1, j - 1]) if fits and found is not None else None
                scale = float(found.abs().max()) if found is not None else 0.0
                verdict = _entry(one, value, scale, reasons)
                yield Found(name, line, one, verdict)


def _where(i: int, j: int, rows: list[list[Printed]]) -> str:
    return f"{i}{j}" if len(rows) > 1 < len(rows[0]) else str(max(i, j))


def _entry(one: Printed, value: float | None, scale: float, reasons: list[str]) -> Verdict:
    if value is None:
        return Verdict("not recomputed", None, next(iter(reasons), "its shape is another"))
    if one.near(value):
        return Verdict("right", value)
    if one.next_door(value) or one.cut_off(value) or abs(one.value - value) <= FAR * scale:
        return Verdict("rounded", value, "it is off by no more than intermediate values that are rounded make it")
    if reasons:
        return Verdict("not recomputed", None, reasons[0])
    return Verdict("wrong", value, "what stands before it gives another number")
