"""`oracle smoke`: is a subject wired right? A few tiny cases, the simplest first, and a sentence for what is not.

Nothing is said that was not seen: "transposed" only where the transposed numbers are right, "N times" only where two
nets of different sizes agree. Whether every formula is right is the business of `oracle check`.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal

from msgspec import Struct

from oracle.architectures import PROFILES
from oracle.judge import How, judge
from oracle.smoke.hints import told
from oracle.smoke.ladder import PLAIN, SMOOTH, Rung, ladder, net, of_chain, operators
from oracle.spec import AnyCase, Case
from oracle.subjects import Reply, Subject

SECONDS = 6.0
"""After so many nothing more is asked."""
PATIENCE = 2.0
"""Seconds for one answer."""
SLOW = 0.05
"""Seconds for one answer, beyond which a whole check takes long."""


NUMBERS = "The wiring is right, a formula is not: oracle check says where and why"


class Step(Struct, frozen=True):
    """One thing that was tried."""

    what: str
    status: Literal["ok", "wrong", "skipped"]
    told: str = ""
    """What was got, and what to do."""


class Smoke(Struct, frozen=True, kw_only=True):
    """What was found."""

    subject: str
    reading: str
    """How a student's function was read."""
    steps: tuple[Step, ...]
    notes: tuple[str, ...]
    """What is worth knowing, and no mistake."""
    next: str
    """The command to run next."""

    @property
    def exit_code(self) -> int:
        """0 wired right, 1 something is wrong, 2 nothing could be tried."""
        statuses = {step.status for step in self.steps}
        return 1 if "wrong" in statuses else 0 if "ok" in statuses else 2


@dataclass(frozen=True)
class Watched(Subject):
    """A subject, and how long it takes, and the first thing that it writes."""

    inner: Subject | None = None
    times: list[float] = field(default_factory=list)
    written: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, subject: Subject) -> "Watched":
        """The subject, watched, with little patience."""
        quick = replace(subject, seconds=min(PATIENCE, subject.seconds))
        return cls(**{f.name: getattr(quick, f.name) for f in fields(Subject)}, inner=quick)

    def ask(self, case: AnyCase) -> Reply:
        """The subject's reply."""
        assert self.inner is not None
        start = time.perf_counter()
        reply = self.inner.ask(case)
        self.times.append(time.perf_counter() - start)
        if reply.evidence and not self.written:
            self.written.append(reply.evidence.splitlines()[0][:60])
        return reply


def smoke(subject: Subject, seconds: float = SECONDS) -> Smoke:
    """Try a subject on the ladder of cases."""
    seen, end, chain = Watched.of(subject), time.monotonic() + seconds, subject.chain
    rungs = list(of_chain(chain) if chain else ladder(subject))
    steps = list(climbed(rungs, seen, end))
    if chain is None and subject.supports is None and any(step.status == "ok" for step in steps):
        steps += known(seen, end)
    return Smoke(
        subject=subject.name,
        reading=subject.remark,
        steps=tuple(steps),
        notes=tuple(notes(rungs, steps, seen)),
        next=following(subject),
    )


def climbed(rungs: list[Rung], subject: Subject, end: float) -> Iterator[Step]:
    """Every rung tried; the same trouble is told once."""
    said = set[str]()
    for what, make in rungs:
        step = Step(what, "skipped", "not asked: time is up") if time.monotonic() > end else tried(what, make, subject)
        trouble = NUMBERS if NUMBERS in step.told else step.told
        yield Step(what, "wrong", "as before") if step.status == "wrong" and trouble in said else step
        said.add(trouble)


def tried(what: str, make: Callable[[int], Any], subject: Subject) -> Step:
    """One case judged, with advice where it is certain."""
    verdict = judge(make(0), subject, how=How(thorough=False))
    if verdict.outcome in ("skipped", "undecided"):
        return Step(what, "skipped", verdict.reason)
    if not verdict.failed:
        return Step(what, "ok")
    if verdict.outcome == "timeout" or verdict.reason.startswith("the second call"):
        return Step(what, "wrong", verdict.reason)
    numbers = f"{verdict.reason}. {NUMBERS}" if verdict.differences else verdict.reason
    return Step(what, "wrong", told(make, subject) or numbers)


# ---------------------------------------------------------------------------------------------------- the operators


def known(subject: Subject, end: float) -> list[Step]:
    """Whether it answers for every operator; where it does not, which it does."""
    answered, raised, reasons = list[str](), list[str](), Counter[str]()
    loss = next((op for op in PLAIN if _ok(["Linear"], op, subject)), "")
    safe = {"Linear", loss, *(op for op in SMOOTH if loss and _ok(["Linear", op], loss, subject))}
    for op, cases in operators(loss, safe) if loss else ():
        if time.monotonic() > end:
            return [Step("every operator", "skipped", "not asked: time is up")]
        replies = [subject.answer(case) for case in cases]
        if errors := [
            reply.error or reply.breach or reply.timeout or reply.crash for reply in replies if reply.answer is None
        ]:
            raised.append(op)
            reasons[errors[0]] += 1
        elif replies:
            answered.append(op)
    if not raised:
        return [Step("every operator", "ok")] if answered else []
    names = ", ".join(f'"{op}"' for op in sorted({*safe, *answered}))
    count, (most, _) = f"{len(raised)} of {len(raised) + len(answered)}", reasons.most_common(1)[0]
    why = f"it gives no answer for {count} operators ({most})"
    declare = f"declare what it knows:\n{_supports(subject)}{names}{'}' if subject.is_python else ']'}"
    return [Step("every operator", "wrong", f"{why}; {declare}")]


def _supports(subject: Subject) -> str:
    if not subject.is_python:
        return 'in its hello, "supports": ['
    name = subject.name.rpartition(":")[2] if ":" in subject.name else subject.call.__name__
    return f"{name}.supports = {{"


def _ok(ops: list[str], loss: str, subject: Subject) -> bool:
    return judge(net(0, ops, loss), subject).outcome == "match"


# -------------------------------------------------------------------------------------------------------- the rest


def notes(rungs: list[Rung], steps: Iterable[Step], subject: Watched) -> Iterator[str]:
    """What is worth knowing."""
    if subject.written:
        yield f"it prints ({subject.written[0]!r}): that does no harm, and takes time"
    if subject.times and (middle := sorted(subject.times)[len(subject.times) // 2]) > SLOW:
        yield f"one case takes {middle:.2f} s: begin with --cases 50, which are 100 cases, about {100 * middle:.0f} s"
    for (_, make), step in zip(rungs, steps, strict=False):
        case = make(0)
        if step.status == "ok" and isinstance(case, Case):
            reply = subject.answer(case)
            if reply.answer is not None and reply.answer.loss is None:
                yield "the loss is not returned, or not judged: only gradients are"
            return


def following(subject: Subject) -> str:
    """The command to run next, with the profile that fits what is supported."""
    if subject.chain is not None or subject.supports is None:
        return f"oracle check {subject.words}"
    mlp = PROFILES["mlp"]
    few = subject.supports <= {"Linear", *mlp.units, *mlp.losses} and subject.supports & {*mlp.losses}
    return f"oracle check {subject.words}" + (" --profile mlp" if few else "")
