"""Many cases, one subject: the run behind `oracle check`.

Cases are judged as they come; failures are grouped by where they are born, and each group is analysed once, at the
end (see `analysis`).
"""

import platform
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

import numpy as np
import torch
from msgspec.structs import replace

from oracle.analysis import Alone, Failure, analyse, breach, finding_of, pattern, signatures, size
from oracle.compare import FAILURES, Outcome, Verdict, cheap
from oracle.draws import OPTIMIZERS, Stream
from oracle.judge import How, Trial, judge, trial
from oracle.records import Finding, Note, Replayed, Report
from oracle.regimes import expected, regimes, update_regimes
from oracle.spec import AnyCase, Case, CaseError, Node, UpdateCase, load
from oracle.subjects import Subject, resolve
from oracle.twin import Twin, run_update

OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
WITNESSES = 8
"""Failing cases kept for each cause."""
CAUSES = 8
"""Causes that are analysed; further failures are counted."""
APART = 64
"""Causes after which a run that must tell them all apart gives up."""
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

    apart: bool = False
    """Tell causes apart at any price, so that a known one hides no new one: look at every failing case, at every layer
    that fails alone, and analyse every cause.
    """
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
        causes = self._causes(case, found, subject) if found.verdict.failed else []
        if found.verdict.differences and any(key not in self.groups for key, _ in causes):
            found = _looked_at_again(case, found, subject)
            causes = causes if found.verdict.differences else [(pattern(found.verdict.reason), None)]
        verdict = found.verdict
        self.outcomes[verdict.outcome] += 1
        self.stages[verdict.stage] += 1
        if verdict.outcome != "skipped":
            self.coverage.update({case.op} if isinstance(case, UpdateCase) else {n.op for n in case.nodes})
            self._cover(case, found)
        if verdict.outcome == "match":
            return
        if not verdict.failed:
            note = Failure(where, case, verdict)
            self.notes.setdefault((verdict.outcome, pattern(verdict.reason)), []).append(note)
        for key, alone in causes if verdict.failed else ():
            self._keep(key, Failure(where, case, verdict, alone))

    def _causes(self, case: AnyCase, found: Trial, subject: Subject) -> list[tuple[str, Alone | None]]:
        """What a failing case is put down to: the cause nearest to the loss, or all of them."""
        if not self.apart:
            known = "" if self._room() else "more"
            known = known or self._known(case)
            return [(known, None)] if known else signatures(case, found, subject)[:1]
        if not found.verdict.differences:
            return [(breach(case, found.verdict), None)]
        return list({key: (key, alone) for key, alone in reversed(signatures(case, found, subject))}.values())[::-1]

    def _keep(self, key: str, failure: Failure) -> None:
        """Count a failure, and keep it if it is the smallest of its cause, or one of the first."""
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


def _looked_at_again(case: AnyCase, first: Trial, subject: Subject) -> Trial:
    """A thorough trial of a case that seemed wrong; what is answered otherwise now is no better for it."""
    found = trial(case, subject)
    if found.verdict.failed or first.found is None or found.found is None:
        return found
    pairs = [(name, then, got) for (name, then, _), (_, got, _) in zip(found.found, first.found, strict=False)]
    if not (other := cheap(pairs, case.dtype)):
        return found
    told = f"the second call with the same case returned another {other[0]}"
    return Trial(Verdict("mismatch", told, stage="contract"), found.truth, found.found)


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
    corpus: Iterable[tuple[str, AnyCase | str]] = (),
    apart: bool = False,
) -> Report:
    """Judge a subject on `cases` random cases of each dtype, or for so many seconds; the same seed, the same report.

    The cases of a `corpus`, named after their files, come first; a sentence stands for a file that is no case. With
    `apart` the causes are told apart as a baseline needs them, which takes longer.
    """
    subject = resolve(subject) if isinstance(subject, str) else subject
    chain = subject.chain
    profile, dtypes = ("chains" if chain else profile), tuple(dtypes)
    if chain:
        dtypes = tuple(dtype for dtype in dtypes if dtype in chain.dtypes) or chain.dtypes
    tally, stopped, replayed = Tally(apart), "", list[Replayed]()
    try:
        for file, saved in corpus:
            replayed.append(_replayed(tally, subject, file, saved))
            if stopped := _enough(tally, subject):
                break
        drawn = _stream(cases, seconds, seed, dtypes, profile, subject.supports, chain)
        for where, case, twin, k in () if stopped else drawn:
            tally.add(where, case, _trial(case, subject, twin, k), subject)
            if progress:
                progress(tally.cases, tally.outcomes)
            if stopped := _enough(tally, subject):
                break
    except KeyboardInterrupt:
        stopped = "interrupted"
    asked = None if cases is None else cases * len(dtypes) + sum(r.outcome != "broken" for r in replayed)
    found = _report(tally, subject, name, seed, dtypes, profile, asked, stopped)
    broken = any(r.outcome == "broken" for r in replayed)
    return replace(found, replayed=tuple(replayed), exit_code=found.exit_code or (2 if broken else 0))


def _replayed(tally: Tally, subject: Subject, file: str, case: AnyCase | str) -> Replayed:
    """A case of the corpus, judged and counted."""
    if isinstance(case, str):
        return Replayed(file, "broken", case)
    found = trial(case, subject)
    tally.add(f"{file} of the corpus", case, found, subject)
    return Replayed(file, found.verdict.outcome, found.verdict.reason)


def _enough(tally: Tally, subject: Subject) -> str:
    """Why a run need not go on, if so."""
    if tally.outcomes["timeout"] >= HANGS:
        return f"{HANGS} cases ran out of time"
    if tally.apart and len(tally.groups) >= APART:
        return f"{APART} causes are too many to tell apart"
    return subject.lost


def _trial(case: AnyCase, subject: Subject, twin: Twin | None, k: int) -> Trial:
    return trial(case, subject, twin, How(twice=k % TWICE == 0, thorough=False))


def _stream(
    cases: int | None,
    seconds: float | None,
    seed: int,
    dtypes: tuple[str, ...],
    profile: str,
    supports: Any = None,
    chain: Any = None,
) -> Iterator[tuple[str, AnyCase, Twin | None, int]]:
    """Every case with its name, its twin (one for each architecture) and its number; the dtypes take turns."""
    end = time.monotonic() + seconds if seconds is not None else float("inf")
    streams = [(Stream(seed, dtype, profile, supports, chain), dtype) for dtype in dtypes]
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


def saved(paths: Iterable[Path]) -> Iterator[tuple[Path, AnyCase | str]]:
    """Every case in the files and folders, checked whole, or the sentence of why there is none."""
    for path in paths:
        for file in sorted(path.glob("*.json")) if path.is_dir() else [path]:
            try:
                case = load(file)
                _ = Twin.of(case) if isinstance(case, Case) else run_update(case)
                yield file, case
            except CaseError as error:
                yield file, str(error).removeprefix(f"{file}: ")


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
    analysed, interrupted = _all_analysed(tally, subject)
    findings, stopped = merged(analysed), "interrupted" if interrupted else stopped
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


def _all_analysed(tally: Tally, subject: Subject) -> tuple[list[Finding], bool]:
    """Every cause as a finding; after an interrupt, which is told, those that are left as they were met."""
    findings, interrupted = list[Finding](), False
    for key, group in tally.groups.items():
        tell = _plain if interrupted else _analysed
        try:
            findings.append(tell(group, subject, tally.counts[key]))
        except KeyboardInterrupt:
            interrupted = True
            findings.append(_plain(group, subject, tally.counts[key]))
    return findings, interrupted


def _plain(group: list[Failure], subject: Subject, count: int, why: str = "interrupted") -> Finding:
    """The first case of a cause, as it was met."""
    first = group[0]
    reason = f"{first.verdict.reason} (not analysed: {why})"
    return finding_of(first, first.case, replace(first.verdict, reason=reason), subject, count)


def _analysed(group: list[Failure], subject: Subject, count: int) -> Finding:
    """`analyse`; where that itself fails, the case as it is: no long run may be lost to one finding."""
    try:
        return analyse(group, subject, count)
    except Exception as error:
        return _plain(group, subject, count, f"{type(error).__name__}: {error}")


def merged(findings: Iterable[Finding]) -> list[Finding]:
    """Findings of one fault in one kind of node as one, with the smallest case; the most frequent first."""
    groups: dict[Any, list[Finding]] = {}
    for finding in findings:
        d, born = finding.diagnosis, finding.born
        key = (d.code, finding.op, born and born.part) if d else finding.case_id
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

    found = importlib.util.find_spec("reference")
    mine = Path(__file__).resolve().parents[1] / "reference" / "__init__.py"
    if found is None or found.origin is None or Path(found.origin).resolve() != mine:
        theirs = found.origin if found else "nothing"
        return f"`import reference` finds {theirs}, which shadows {mine}; rename it, or run the `oracle` script"
    return ""


def set_threads() -> None:
    """One thread for torch: small nets are faster so, and the sums are the same on every machine."""
    torch.set_num_threads(1)
