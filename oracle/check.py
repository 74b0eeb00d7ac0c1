"""Many cases, one subject: the run behind `oracle check`.

Cases are judged as they come; failures are grouped by where they are born, and each group is analysed once, at the
end (see `analysis`).
"""

import platform
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, get_args

import numpy as np
import torch
from msgspec.structs import replace

from oracle.analysis import Failure, analyse, finding_of, pattern, signature, size
from oracle.compare import FAILURES, Outcome, Verdict
from oracle.draws import OPTIMIZERS, Stream
from oracle.judge import How, Trial, judge, trial
from oracle.records import Finding, Note, Report
from oracle.regimes import expected, regimes, update_regimes
from oracle.spec import AnyCase, Case, Node, UpdateCase
from oracle.subjects import Subject, resolve
from oracle.twin import Twin

OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
WITNESSES = 8
"""Failing cases kept for each cause."""
CAUSES = 8
"""Causes that are analysed; further failures are counted."""
HANGS = 5
"""Cases without an answer in time after which a run gives up."""
TWICE = 4
"""Every so many cases the subject is asked twice."""
SAMPLE = 3
"""Every so many cases it is counted in which regimes its operators were met."""

Progress = Callable[[int, Counter[str]], None]


@dataclass
class Tally:
    """What a run has seen so far."""

    outcomes: Counter[str] = field(default_factory=Counter)
    stages: Counter[str] = field(default_factory=Counter)
    coverage: Counter[str] = field(default_factory=Counter)
    regimes: dict[str, Counter[str]] = field(default_factory=dict)
    groups: dict[str, list[Failure]] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    notes: dict[tuple[str, str], list[Failure]] = field(default_factory=dict)

    @property
    def cases(self) -> int:
        """How many cases were judged."""
        return self.outcomes.total()

    def add(self, where: str, case: AnyCase, found: Trial, subject: Subject) -> None:
        """Count one case, and keep it if it is a witness."""
        key, alone = ("more", None)
        if found.verdict.failed and self._room():
            key, alone = (known, None) if (known := self._known(case)) else signature(case, found, subject)
        if found.verdict.differences and found.verdict.failed and key not in self.groups:
            found = trial(case, subject)
            key = key if found.verdict.differences else pattern(found.verdict.reason)
        verdict = found.verdict
        self.outcomes[verdict.outcome] += 1
        self.stages[verdict.stage] += 1
        if verdict.outcome != "skipped":
            self.coverage.update({case.op} if isinstance(case, UpdateCase) else {n.op for n in case.nodes})
            self._cover(case, found)
        if verdict.outcome == "match":
            return
        failure = Failure(where, case, verdict, alone)
        if not verdict.failed:
            self.notes.setdefault((verdict.outcome, pattern(verdict.reason)), []).append(failure)
            return
        self.counts[key] += 1
        group = self.groups.setdefault(key, [])
        if len(group) < WITNESSES:
            group.append(failure)
        smallest = min((*group, failure), key=lambda f: size(f.case))
        if smallest is not group[0]:
            group[:] = [smallest, *(f for f in group if f is not smallest)][:WITNESSES]

    def _known(self, case: AnyCase) -> str:
        """A cause met so often that most of the cases that have its operator are put down to it unseen."""
        if isinstance(case, UpdateCase) or self.cases % 4 == 0:
            return ""
        ops = {node.op for node in case.nodes}
        often = (key for key, n in self.counts.items() if n >= 3 * WITNESSES)
        return next((key for key in often if key.partition(" ")[0] in ops), "")

    def _cover(self, case: AnyCase, found: Trial) -> None:
        """In which regimes the operators were met; of a sample, for it takes time."""
        if isinstance(case, UpdateCase):
            self.regimes.setdefault(case.op, Counter()).update(update_regimes(case))
        elif self.cases % SAMPLE == 0 and found.truth is not None:
            met = regimes(case, found.truth.values)
            for node in case.nodes:
                self.regimes.setdefault(node.op, Counter()).update(met[node.name])

    def _room(self) -> bool:
        return len(self.groups) < CAUSES or self.cases < 100 * CAUSES


# ----------------------------------------------------------------------------------------------------------- the run


def check(
    subject: Subject | str = "reference",
    *,
    cases: int | None = 1000,
    seconds: float | None = None,
    seed: int = 0,
    dtypes: Iterable[str] = ("float64", "float32"),
    profile: str = "standard",
    name: str = "check",
    progress: Progress | None = None,
) -> Report:
    """Judge a subject on `cases` random cases of each dtype, or for so many seconds; the same seed, the same report."""
    subject = resolve(subject) if isinstance(subject, str) else subject
    tally, stopped, dtypes = Tally(), "", tuple(dtypes)
    try:
        for where, case, twin, k in _stream(cases, seconds, seed, dtypes, profile, subject.supports):
            tally.add(where, case, _trial(case, subject, twin, k), subject)
            if progress:
                progress(tally.cases, tally.outcomes)
            if stopped := f"{HANGS} cases ran out of time" if tally.outcomes["timeout"] >= HANGS else subject.lost:
                break
    except KeyboardInterrupt:
        stopped = "interrupted"
    asked = None if cases is None else cases * len(dtypes)
    return _report(tally, subject, name, seed, dtypes, profile, asked, stopped)


def _trial(case: AnyCase, subject: Subject, twin: Twin | None, k: int) -> Trial:
    return trial(case, subject, twin, How(twice=k % TWICE == 0, thorough=False))


def _stream(
    cases: int | None, seconds: float | None, seed: int, dtypes: tuple[str, ...], profile: str, supports: Any = None
) -> Iterator[tuple[str, AnyCase, Twin | None, int]]:
    """Every case with its name, its twin (one for each architecture) and its number; the dtypes take turns."""
    end = time.monotonic() + seconds if seconds is not None else float("inf")
    streams = [(Stream(seed, dtype, profile, supports), dtype) for dtype in dtypes]
    twins: dict[str, Twin] = {}
    k = 0
    while cases is None or k < cases:
        for stream, dtype in streams:
            if time.monotonic() > end:
                return
            case = stream[k]
            twin = None
            if isinstance(case, Case):
                twin = twins.get(dtype)
                if twin is None or twin.nodes is not case.nodes:
                    twin = twins[dtype] = Twin(case)
            yield f"case {k} of seed {seed}, {dtype}", case, twin, k
        k += 1


def replay(
    subject: Subject, cases: Iterable[tuple[str, AnyCase]], name: str = "replay"
) -> tuple[Report, list[Verdict]]:
    """Judge saved cases again. Each is checked whole first; one that cannot be judged is skipped, with the reason."""
    tally, verdicts, seen = Tally(), [], 0
    for where, case in cases:
        found = trial(case, subject)
        seen += 1
        verdicts.append(found.verdict)
        tally.add(where, case, found, subject)
    return _report(tally, subject, name, 0, ("as saved",), "saved cases", seen, ""), verdicts


def _report(
    tally: Tally,
    subject: Subject,
    name: str,
    seed: int,
    dtypes: tuple[str, ...],
    profile: str,
    asked: int | None,
    stopped: str,
) -> Report:
    findings = _merged(_analysed(group, subject, tally.counts[key]) for key, group in tally.groups.items())
    notes = [
        Note(group[0].verdict.outcome, group[0].verdict.reason, len(group), group[0].where)
        for _, group in sorted(tally.notes.items(), key=lambda item: (item[0][0], -len(item[1]), item[0][1]))
    ]
    failed = any(tally.outcomes[o] for o in FAILURES)
    accepted = tally.outcomes["match"] or tally.outcomes["convention"]
    return Report(
        name=name,
        subject=subject.name,
        seed=seed,
        dtypes=dtypes,
        profile=profile,
        cases=tally.cases,
        asked=asked,
        tally={outcome: tally.outcomes[outcome] for outcome in OUTCOMES},
        stages=dict(sorted(tally.stages.items())),
        coverage=dict(sorted(tally.coverage.items())),
        regimes={op: dict(sorted(met.items())) for op, met in sorted(tally.regimes.items())},
        unmet=_unmet(tally) if profile == "standard" else {},
        findings=tuple(findings),
        notes=tuple(notes),
        versions=versions(),
        exit_code=130 if stopped == "interrupted" else 1 if failed else 0 if accepted else 2,
        stopped=stopped,
        remarks=(*filter(None, [subject.remark]), *subject.close()),
    )


def _analysed(group: list[Failure], subject: Subject, count: int) -> Finding:
    """`analyse`; where that itself fails, the case as it is: no long run may be lost to one finding."""
    try:
        return analyse(group, subject, count)
    except Exception as error:
        first = group[0]
        reason = f"{first.verdict.reason} (not analysed: {type(error).__name__}: {error})"
        return finding_of(first, first.case, replace(first.verdict, reason=reason), subject, count)


def _merged(findings: Iterable[Finding]) -> list[Finding]:
    """Findings of one fault in one kind of node as one, with the smallest case; the most frequent first."""
    groups: dict[Any, list[Finding]] = {}
    for finding in findings:
        d, born = finding.diagnosis, finding.born
        key = (d.code, born and (born.op, born.part)) if d else finding.case_id
        groups.setdefault(key, []).append(finding)
    merged = []
    for same in groups.values():
        best = min(same, key=lambda f: size(f.case))
        merged.append(replace(best, count=sum(f.count for f in same)))
    return sorted(merged, key=lambda f: (-f.count, f.sentence))


def _unmet(tally: Tally) -> dict[str, tuple[str, ...]]:
    """What was not met though it should have been; nothing is said of step 5."""
    met = {op: found for op, found in sorted(tally.regimes.items()) if op in tally.coverage and op not in OPTIMIZERS}
    missing = {op: tuple(r for r in expected(op) if not found[r]) for op, found in met.items()}
    return {op: absent for op, absent in missing.items() if absent}


def versions() -> dict[str, str]:
    """What the verdicts depend on."""
    from importlib.metadata import version

    packages = ("backprop-oracle", "torch", "numpy", "python-flint")
    return {"python": platform.python_version()} | {p: version(p) for p in packages}


# ------------------------------------------------------------------------------------------------------- self-check


def self_check() -> str:
    """An empty string if the oracle itself works: it accepts a right answer, rejects a wrong one, and proves it."""
    rng = np.random.default_rng(0)
    nodes = (
        Node("h1", "Linear", ("x",), {"in_features": 2, "out_features": 2}),
        Node("a1", "Tanh", ("h1",)),
        Node("loss", "MSELoss", ("a1", "t")),
    )
    case = Case(
        nodes=nodes,
        inputs={"x": rng.normal(size=(3, 2)), "t": rng.normal(size=(3, 2))},
        parameters={"h1.weight": rng.normal(size=(2, 2)), "h1.bias": rng.normal(size=2)},
    )
    truth = Twin.of(case).run(case)
    right = judge(case, Subject("right", lambda c: {"loss": truth.loss, "gradients": truth.gradients}))
    if right.outcome != "match":
        return f"a right answer was judged {right.outcome}: {right.reason}"
    bent = {**truth.gradients, "h1.weight": truth.gradients["h1.weight"] * (1 + 1e-9)}
    wrong = judge(case, Subject("wrong", lambda c: {"loss": truth.loss, "gradients": bent}))
    if (wrong.outcome, wrong.stage) != ("mismatch", "proved"):
        return f"an answer wrong by 1e-9 was judged {wrong.outcome}: {wrong.reason}"
    return ""


def shadowed() -> str:
    """An empty string if `reference` and `oracle` are the two that belong together."""
    import importlib.util
    from pathlib import Path

    found = importlib.util.find_spec("reference")
    mine = Path(__file__).resolve().parents[1] / "reference" / "__init__.py"
    if found is None or found.origin is None or Path(found.origin).resolve() != mine:
        theirs = found.origin if found else "nothing"
        return f"`import reference` finds {theirs}, which shadows {mine}; rename it, or run the `oracle` script"
    return ""


def set_threads() -> None:
    """One thread for torch: small nets are faster so, and the sums are the same on every machine."""
    torch.set_num_threads(1)
