"""Many cases, one subject: the run behind `oracle check`, and the analysis of what failed.

Cases are judged as they come; failures are grouped by where they are born, and each group is analysed once, at the
end: the smallest failing case is shrunk, proven, localised and diagnosed, with the others as witnesses.
"""

import platform
import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import numpy as np
import torch
from msgspec.structs import replace

from oracle import localize
from oracle.compare import FAILURES, Outcome, Verdict, cheap, update_contract
from oracle.diagnose import Evidence, breach_diagnosis, diagnose
from oracle.draws import Stream
from oracle.judge import How, Trial, judge, trial
from oracle.records import Birthplace, Diagnosis, Finding, Line, Note, Report, Stop
from oracle.shrink import shrink, shrink_update
from oracle.spec import AnyCase, Case, CaseError, Node, UpdateAnswer, UpdateCase
from oracle.subjects import Subject, resolve
from oracle.twin import Twin, run_update

OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
WITNESSES = 8
"""Failing cases kept for each cause."""
CAUSES = 8
"""Causes that are analysed; further failures are counted."""
HANGS = 5
"""Cases without an answer in time after which a run gives up."""
TWICE = 4
"""Every so many cases the subject is asked twice."""

QUICK = How(prove=False, twice=False, thorough=False)
"""While searching: suspicion is enough."""
SURE = How(twice=False)
"""Before accusing."""

Progress = Callable[[int, Counter[str]], None]


@dataclass
class Failure:
    """A failing case, on its way to a finding."""

    where: str
    case: AnyCase
    verdict: Verdict
    alone: "Alone | None" = None
    """The node that fails alone, nearest to the loss, with its case and verdict."""


@dataclass
class Tally:
    """What a run has seen so far."""

    outcomes: Counter[str] = field(default_factory=Counter)
    stages: Counter[str] = field(default_factory=Counter)
    coverage: Counter[str] = field(default_factory=Counter)
    groups: dict[str, list[Failure]] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    notes: dict[tuple[str, str], list[Failure]] = field(default_factory=dict)

    @property
    def cases(self) -> int:
        """How many cases were judged."""
        return self.outcomes.total()

    def add(self, where: str, case: AnyCase, found: Trial, subject: Subject) -> None:
        """Count one case, and keep it if it is a witness."""
        key, alone = signature(case, found, subject) if found.verdict.failed and self._room() else ("more", None)
        if found.verdict.differences and found.verdict.failed and key not in self.groups:
            found = trial(case, subject)
            key = key if found.verdict.differences else _pattern(found.verdict.reason)
        verdict = found.verdict
        self.outcomes[verdict.outcome] += 1
        self.stages[verdict.stage] += 1
        if verdict.outcome != "skipped":
            self.coverage.update({case.op} if isinstance(case, UpdateCase) else {n.op for n in case.nodes})
        if verdict.outcome == "match":
            return
        failure = Failure(where, case, verdict, alone)
        if not verdict.failed:
            self.notes.setdefault((verdict.outcome, _pattern(verdict.reason)), []).append(failure)
            return
        self.counts[key] += 1
        group = self.groups.setdefault(key, [])
        if len(group) < WITNESSES:
            group.append(failure)
        smallest = min((*group, failure), key=lambda f: size(f.case))
        if smallest is not group[0]:
            group[:] = [smallest, *(f for f in group if f is not smallest)][:WITNESSES]

    def _room(self) -> bool:
        return len(self.groups) < CAUSES or self.cases < 100 * CAUSES


def size(case: AnyCase) -> int:
    """How much there is to read in a case."""
    if isinstance(case, UpdateCase):
        return len(case.gradients) * sum(x.size for x in case.parameters.values())
    return 10 * len(case.nodes) + sum(x.size for x in (*case.inputs.values(), *case.parameters.values()))


def _pattern(reason: str) -> str:
    """A sentence without its numbers and names, so that like reasons meet."""
    reason = re.sub(r" \(and \d+ more\)$", "", reason)
    return re.sub(r"\b[a-z]+\d+\b(\.\w+)?|-?\d[\d.e+-]*|\[[^]]*\]|\([^)]*\)|'[^']*'", "·", reason)


Alone = tuple[Node, Case, Verdict]


def signature(case: AnyCase, found: Trial, subject: Subject) -> tuple[str, Alone | None]:
    """What failing cases of one cause have in common: the operator that fails alone, or the kind of breach."""
    verdict = found.verdict
    if isinstance(case, UpdateCase):
        return f"step 5 {case.op} {verdict.outcome}" + ("" if verdict.differences else _pattern(verdict.reason)), None
    if not verdict.differences or found.truth is None:
        return _pattern(verdict.reason), None
    alone = _alone(case, subject)
    if not alone:
        return "in context", None
    node, isolated, its = alone[0]
    born = localize.birthplace(isolated, its, node.name)
    return f"{node.op} {born.part if born else ''}", alone[0]


def _alone(case: Case, subject: Subject) -> list[Alone]:
    truth = Twin(case).run(case, errors=True)
    return localize.isolated(case, truth, lambda c: judge(c, subject, how=QUICK))


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
            if tally.outcomes["timeout"] >= HANGS:
                stopped = f"{HANGS} cases ran out of time"
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
        findings=tuple(findings),
        notes=tuple(notes),
        versions=versions(),
        exit_code=130 if stopped == "interrupted" else 1 if failed else 0 if accepted else 2,
        stopped=stopped,
    )


def _analysed(group: list[Failure], subject: Subject, count: int) -> Finding:
    """`analyse`; where that itself fails, the case as it is: no long run may be lost to one finding."""
    try:
        return analyse(group, subject, count)
    except Exception as error:
        first = group[0]
        reason = f"{first.verdict.reason} (not analysed: {type(error).__name__}: {error})"
        return _finding(first, first.case, replace(first.verdict, reason=reason), subject, count)


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


def versions() -> dict[str, str]:
    """What the verdicts depend on."""
    from importlib.metadata import version

    packages = ("backprop-oracle", "torch", "numpy", "python-flint")
    return {"python": platform.python_version()} | {p: version(p) for p in packages}


# ------------------------------------------------------------------------------------------------------ the analysis


def analyse(group: list[Failure], subject: Subject, count: int = 1) -> Finding:
    """A group of failures of one cause, the smallest case first, as a finding."""
    first = group[0]
    if isinstance(first.case, UpdateCase):
        return _update_finding(first, subject, count)
    if not first.verdict.differences:
        return _breach_finding(first, subject, count)
    for failure in group:
        if failure.alone is None and isinstance(failure.case, Case):
            failure.alone = next(iter(_alone(failure.case, subject)), None)
    small, verdict, guilty = _smallest(first, subject)
    evidence = _evidence(small, verdict, subject)
    if evidence is None:
        return _finding(first, small, verdict, subject, count)
    larger = [e for f in group if (e := _evidence(*_witness(f), subject))]
    diagnosis = diagnose(evidence, larger)
    born = localize.birthplace(small, verdict, guilty, evidence.returned, diagnosis)
    stops = localize.narrate(small, evidence.truth, evidence.returned, verdict, born)
    return _finding(first, small, verdict, subject, count, born, diagnosis, stops)


def _witness(failure: Failure) -> tuple[Case, Verdict]:
    """The layer that fails alone, on the numbers of the failing case; else that case whole."""
    if failure.alone is not None:
        return failure.alone[1], failure.alone[2]
    assert isinstance(failure.case, Case)
    return failure.case, failure.verdict


def _smallest(failure: Failure, subject: Subject) -> tuple[Case, Verdict, str]:
    """The smallest case on which the mismatch is proven, its verdict, and the node that fails alone if one does."""
    assert isinstance(failure.case, Case)
    guilty = failure.alone[0].name if failure.alone else ""
    for start, its, name in ((*_witness(failure), guilty), (failure.case, failure.verdict, "")):
        small = shrink(start, _fails_alike(its, subject))
        for candidate in (small, start):
            found = judge(candidate, subject, how=SURE)
            if found.outcome == "mismatch" and found.stage in ("proved", "contract"):
                return candidate, found, name
    return failure.case, failure.verdict, ""


def _fails_alike(verdict: Verdict, subject: Subject) -> Callable[[Case], bool]:
    """Whether a candidate fails as the first case did: in its values, or in its gradients only."""

    def kind(found: Verdict) -> tuple[bool, bool]:
        names = [name for name in found.suspects if not name.startswith("buffer ")]
        return bool(names), "loss" in names

    def fails(candidate: Case) -> bool:
        found = judge(candidate, subject, how=QUICK)
        return found.outcome == "mismatch" and bool(found.differences) and kind(found) == kind(verdict)

    return fails


def _evidence(case: Case, verdict: Verdict, subject: Subject) -> Evidence | None:
    """The subject's gradients for a case; None if it does not answer this time."""
    answer = subject.answer(case).answer
    if answer is None:
        return None
    loss = None if answer.loss is None else np.asarray(answer.loss, float)
    try:
        return Evidence(
            case, {n: np.asarray(g, float) for n, g in answer.gradients.items()}, set(verdict.suspects), loss
        )
    except CaseError:
        return None


def _finding(
    first: Failure,
    case: AnyCase,
    verdict: Verdict,
    subject: Subject,
    count: int,
    born: Birthplace | None = None,
    diagnosis: Diagnosis | None = None,
    stops: tuple[Any, ...] = (),
) -> Finding:
    identity = case.id
    return Finding(
        sentence=_sentence(verdict, born, diagnosis),
        verdict=verdict,
        case=case,
        case_id=identity,
        found_in=first.where,
        backward=stops,
        born=born,
        diagnosis=diagnosis,
        count=count,
        reproduce=f"oracle replay corpus/{identity}.json --subject {subject.name}",
    )


def _sentence(verdict: Verdict, born: Birthplace | None, diagnosis: Diagnosis | None) -> str:
    if diagnosis is not None:
        where = f"{diagnosis.node} ({born.op})" if born and born.node == diagnosis.node else diagnosis.node
        return f"{where}: {diagnosis.name}. {diagnosis.story}"
    if born is not None:
        return f"{born.sentence[0].upper()}{born.sentence[1:]}: {verdict.reason}"
    return verdict.reason


def _breach_finding(first: Failure, subject: Subject, count: int) -> Finding:
    """A breach of contract, or an exception: the smallest case with the same breach."""
    assert isinstance(first.case, Case)
    pattern = _pattern(first.verdict.reason)
    twice = first.verdict.outcome == "mismatch"

    def fails(candidate: Case) -> bool:
        found = judge(candidate, subject, how=How(prove=False, twice=twice, thorough=False))
        return found.failed and _pattern(found.reason) == pattern

    again = first.verdict.outcome != "timeout" and fails(first.case)  # a hang would hang at every step of shrinking
    small = shrink(first.case, fails, budget=150) if again else first.case
    verdict = judge(small, subject) if small is not first.case else first.verdict
    return _finding(first, small, verdict, subject, count, diagnosis=breach_diagnosis(small, verdict))


def _update_finding(first: Failure, subject: Subject, count: int) -> Finding:
    """A failure of step 5."""
    pattern = _pattern(first.verdict.reason)

    def fails(candidate: UpdateCase) -> bool:
        found = judge(candidate, subject, how=QUICK)
        same = found.outcome == first.verdict.outcome
        return same and (bool(found.differences) or _pattern(found.reason) == pattern)

    assert isinstance(first.case, UpdateCase)
    small = shrink_update(first.case, fails)
    verdict = judge(small, subject)
    if not verdict.failed:
        small, verdict = first.case, first.verdict
    sentence = f"step 5, {small.op}: {verdict.reason}"
    born = Birthplace("step 5", small.op, "update", sentence) if verdict.differences else None
    return _finding(first, small, verdict, subject, count, born, stops=_update_stops(small, subject))


def _update_stops(case: UpdateCase, subject: Subject) -> tuple[Stop, ...]:
    """Every step, the first first: the first wrong one is where the difference is born, later ones follow."""
    answer = subject.answer(case).answer
    if not isinstance(answer, UpdateAnswer) or update_contract(case, answer):
        return ()
    born, stops = False, []
    for k, (expected, got) in enumerate(zip(run_update(case), answer.steps, strict=True), 1):
        bad = set(cheap([(name, np.asarray(got[name]), x) for name, x in expected.items()], case.dtype))
        word: Literal["wrong", "follows"] = "follows" if born else "wrong"
        lines = tuple(
            Line(f"step {k}: {name}", word if name in bad else "right", x, np.asarray(got[name]))
            for name, x in expected.items()
        )
        stops.append(Stop(f"step {k}", case.op, (), word if bad else "right", lines))
        born = born or bool(bad)
    return tuple(stops)


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
