"""`check_gradients`: many cases of one function, and the report."""

import inspect
import itertools
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from msgspec.structs import replace

from oracle.analysis import Failure, finding_of, pattern
from oracle.check import OUTCOMES, merged, versions
from oracle.compare import FAILURES
from oracle.gradients.cases import case_of, read
from oracle.gradients.finding import Cause, Scene, alike, analyse, lengths_of, plainness, tags
from oracle.gradients.forms import form, refusal
from oracle.gradients.functions import Function, Phase, argument_names, name_of, operator, outputs, tensor
from oracle.gradients.inputs import Template, named, template
from oracle.gradients.judging import Judge
from oracle.gradients.source import DTYPES, Drawn, Source, is_strategy, of_inputs, of_strategy
from oracle.gradients.subject import Mine
from oracle.gradients.subject import mine as subject_of
from oracle.judge import Trial
from oracle.probes import Probe
from oracle.records import Finding, Note, Report
from oracle.spec import Case, CaseError, Tensors, load

CAUSES, WITNESSES, HANGS, ENOUGH = 6, 6, 3, 20
"""Causes that are told apart in one phase, failing cases kept of each; and hangs, and failing cases of a phase, after
which no more is asked.
"""
TWICE = 4
"""Every so many cases `mine` is asked twice."""
STARTS = 40
"""Inputs on which `like` is tried before it is given up."""
JUDGED = 0.1
"""The share of cases that must be judged, lest the run says nothing."""


def check_gradients(
    mine: Any,
    *,
    like: Callable[..., Any],
    inputs: Any,
    order: int = 1,
    forward: bool = False,
    framework: str | None = None,
    dtypes: Iterable[str] | None = None,
    cases: int = 100,
    seconds: float | None = None,
    seed: int = 0,
    sizes: Mapping[str, Sequence[int]] | None = None,
    contiguous: bool = False,
    device: str = "cpu",
    report: str | Path | None = None,
    replay: str | Path | Iterable[str | Path] | None = None,
    raises: bool = True,
) -> Report:
    """Judge a hand-written backward against a torch function that says what it should compute.

    `mine` is a callable of torch tensors (an `autograd.Function` or a `Module` too), of JAX arrays, or of NumPy arrays:
    (forward, backward), or a callable that returns (out, vjp); `framework` says which, where it cannot be seen.
    `inputs` has, for each argument, a shape like ("N", 3), an `oracle.Input`, an example array or a hypothesis
    strategy; or it is one strategy of them all.

    order: 2 judges second derivatives too. forward: judge J v too. cases: for each dtype and phase; seconds: stop then.
    sizes: the lengths that a name may have. contiguous: only arrays in the order of C. report: a folder to write to.
    replay: files of cases to judge in place of random ones. raises: raise `AssertionError` with the findings.

    Raises `ValueError` for a question that cannot be asked.
    """
    __tracebackhide__ = True
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what warns of zeros, empty means and overflow meets them here
        run = _prepare(mine, like, inputs, order, forward, framework, dtypes, sizes, contiguous, device, seed)
        found = run.replayed(replay) if replay is not None else run.drawn(cases, seconds)
    if report is not None:
        from oracle.report import write_report

        write_report(found, Path(report))
    if raises and found.exit_code:
        raise AssertionError(told(found))
    return found


def told(report: Report) -> str:
    """The findings of a report, or why it has none, as the terminal shows them."""
    from oracle.report import render_finding
    from oracle.report.words import verdict_line

    notes = [f"  {note.outcome}, {note.count} times: {note.reason}" for note in report.notes]
    findings = [render_finding(finding) for finding in report.findings]
    return "\n".join([f"{report.subject}: {verdict_line(report)}", *(findings or notes)])


# -------------------------------------------------------------------------------------------------------- preparing


def _prepare(
    mine: Any, like: Any, inputs: Any, order: int, forward: bool, framework: str | None,
    dtypes: Iterable[str] | None, sizes: Mapping[str, Sequence[int]] | None, contiguous: bool, device: str, seed: int,
) -> "Run":  # fmt: skip
    if order not in (1, 2):
        raise ValueError(f"order is {order!r}, but should be 1 or 2")
    if not callable(like):
        raise ValueError(f"like is {type(like).__name__}, but should be a callable of torch tensors")
    source, names, grads = _source(like, inputs, sizes or {})
    kinds = _dtypes(dtypes, source, seed)
    x, function = _function(like, name_of(mine), source, names, grads, seed, kinds[0])
    asked = form(mine, framework, function, list(x.values()), device)
    if sentence := refusal(asked, order, forward):
        raise ValueError(sentence)
    phases: list[Phase] = ["order 1", *(["order 2"] if order == 2 else []), *(["forward"] if forward else [])]  # type: ignore[list-item]
    operators = {phase: operator(function, phase) for phase in phases}
    empties = any(0 in lengths for lengths in (sizes or {}).values())
    subject = subject_of(name_of(mine), asked, operators, contiguous=contiguous, empties=empties)
    return Run(subject, name_of(like), source, kinds, seed)


def _source(like: Any, inputs: Any, sizes: Mapping[str, Sequence[int]]) -> tuple[Source, tuple[str, ...], set[str]]:
    """Where inputs come from, their names, and those whose gradient is not asked for."""
    if is_strategy(inputs):
        count = len([p for p in inspect.signature(like).parameters.values() if p.default is p.empty])
        names = argument_names(like, max(1, count))
        return of_strategy(inputs, names), (), set()
    count = len(inputs) if isinstance(inputs, tuple | list) else 0
    given = named(inputs, argument_names(like, count) if count else None)
    make: Callable[[Mapping[str, Any]], Template] = partial(template, sizes=sizes)
    still = {name for name, value in given.items() if getattr(value, "grad", True) is False}
    return of_inputs(given, make), tuple(given), still


def _dtypes(dtypes: Iterable[str] | None, source: Source, seed: int) -> tuple[str, ...]:
    if dtypes is None:
        if isinstance(source, Drawn):
            return DTYPES
        first = next(source.stream(seed, ""), {})
        drawn = [x.dtype.name for x in first.values() if x.dtype.kind == "f"]
        return tuple(dict.fromkeys(d for d in drawn if d in DTYPES))[:1] or DTYPES
    found = (dtypes,) if isinstance(dtypes, str) else tuple(str(d).removeprefix("torch.") for d in dtypes)
    if not found or any(d not in DTYPES for d in found):
        raise ValueError(f"dtypes is {found!r}, but should be of {', '.join(DTYPES)}")
    return found


def _function(
    like: Any, name: str, source: Source, names: tuple[str, ...], still: set[str], seed: int, dtype: str
) -> tuple[Tensors, Function]:
    """The first inputs that `like` takes, and what it makes of them. Raises `ValueError` where it takes none."""
    reason = "no inputs could be drawn"
    for x in itertools.islice(source.stream(seed, dtype), STARTS):
        try:
            made = outputs(like, [tensor(a) for a in x.values()])
            again = outputs(like, [tensor(a) for a in x.values()])
        except ValueError as error:
            reason = f"{error} on {', '.join(f'{n} {a.shape}' for n, a in x.items())}"
            continue
        if any(not torch.equal(torch.nan_to_num(a), torch.nan_to_num(b)) for a, b in zip(made, again, strict=True)):
            raise ValueError("like gives two answers for the same inputs; make what is random in it an input")
        picks = tuple(k for k, y in enumerate(made) if y.is_floating_point())
        wanted = tuple(n for n in _needed(like, x, picks) if n not in still)
        if not picks or not wanted:
            what = "output that is a real number" if not picks else "gradient for any input"
            raise ValueError(f"like has no {what}: there is nothing to check")
        return x, Function(name, like, names or tuple(x), wanted, len(made), picks)
    raise ValueError(f"{reason}; in all {STARTS} inputs that were tried")


def _needed(like: Any, x: Tensors, picks: tuple[int, ...]) -> list[str]:
    """The real inputs on which autograd says that the outputs depend."""
    leaves = {n: tensor(a).requires_grad_() if a.dtype.kind == "f" else tensor(a) for n, a in x.items()}
    with torch.enable_grad():
        made = outputs(like, list(leaves.values()))
        reals = [n for n, a in x.items() if a.dtype.kind == "f"]
        total = sum(made[k].sum() for k in picks)
        if not isinstance(total, torch.Tensor) or not total.requires_grad:
            return []
        found = torch.autograd.grad(total, [leaves[n] for n in reals], allow_unused=True)
    return [n for n, g in zip(reals, found, strict=True) if g is not None]


# ------------------------------------------------------------------------------------------------------------ a run


@dataclass
class Run:
    """A check on its way: what is asked, and what was found so far."""

    subject: Mine
    like: str
    source: Source
    dtypes: tuple[str, ...]
    seed: int
    outcomes: Counter[str] = field(default_factory=Counter)
    stages: Counter[str] = field(default_factory=Counter)
    coverage: Counter[str] = field(default_factory=Counter)
    notes: dict[tuple[str, str], list[Failure]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    stopped: str = ""

    def __post_init__(self) -> None:
        self.judge = Judge(self.subject)

    def drawn(self, cases: int, seconds: float | None) -> Report:
        """Random cases, phase by phase: where the gradient is wrong, nothing is said of what is derived from it."""
        end = time.monotonic() + seconds if seconds is not None else float("inf")
        asked = 0
        for op in self.subject.operators:
            if self.findings:
                break  # what is derived from a wrong gradient says nothing
            asked += cases * len(self.dtypes)
            self._phase(self._stream(op, cases, end))
        return self._report(asked)

    def replayed(self, paths: str | Path | Iterable[str | Path]) -> Report:
        """Saved cases."""
        files = [paths] if isinstance(paths, str | Path) else list(paths)
        operators = {op.op: op for op in self.subject.operators}
        loaded = []
        for path in files:
            case = load(Path(path))
            if not isinstance(case, Case):
                raise ValueError(f"{path} is a case of step 5, and none of a function")
            loaded.append((Path(path).name, read(case, operators).case, 0))
        self._phase(iter(loaded))
        return self._report(len(loaded))

    def _stream(self, op: Any, cases: int, end: float) -> Iterator[tuple[str, Case | CaseError, int]]:
        streams = [(dtype, self.source.stream(self.seed, dtype)) for dtype in self.dtypes]
        for k in range(cases):
            for dtype, stream in streams:
                if time.monotonic() > end or (x := next(stream, None)) is None:
                    return
                where = f"case {k} of seed {self.seed}, {dtype}" + ("" if op.phase == "order 1" else f", {op.phase}")
                try:
                    yield where, case_of(op, x, dtype, [self.seed, k, DTYPES.index(dtype)]), k
                except CaseError as reason:
                    yield where, reason, k

    def _phase(self, stream: Iterator[tuple[str, Case | CaseError, int]]) -> None:
        causes: list[Cause] = []
        seen: list[tuple[Case, bool]] = []
        for where, case, k in stream:
            if isinstance(case, CaseError):
                self._note("skipped", Failure(where, None, Trial(_skipped(case)).verdict))  # type: ignore[arg-type]
                continue
            try:
                known = any(cause.count >= WITNESSES for cause in causes)
                found = self.judge.trial(case, twice=k % TWICE == 0, light=known)
            except CaseError as reason:
                found = Trial(_skipped(reason))
            self.stages[found.verdict.stage] += 1
            self.coverage[case.nodes[0].op] += found.verdict.outcome != "skipped"
            failure = Failure(where, case, found.verdict)
            if found.verdict.failed:
                self.outcomes[found.verdict.outcome] += 1
                _add(causes, failure, k)
            else:
                self._note(found.verdict.outcome, failure)
            if found.verdict.failed or found.verdict.outcome == "match":
                seen.append((case, found.verdict.failed))
            hung = self.outcomes["timeout"] >= HANGS
            if hung or sum(cause.count for cause in causes) >= ENOUGH:
                self.stopped = f"{HANGS} cases ran out of time" if hung else f"{ENOUGH} cases failed"
                break
        self.findings += [self._finding(cause, seen) for cause in causes[:CAUSES]]

    def _note(self, outcome: str, failure: Failure) -> None:
        self.outcomes[outcome] += 1
        if outcome != "match":
            self.notes.setdefault((outcome, pattern(failure.verdict.reason)), []).append(failure)

    def _finding(self, cause: Cause, seen: list[tuple[Case, bool]]) -> Finding:
        probes = [Probe(failed, tags(case, lengths_of(self.source, case.inputs)), None) for case, failed in seen]
        scene = Scene(self.judge, self.source, self.seed, probes, self._reproduce)
        try:
            return analyse(cause, scene)
        except Exception as error:  # no run may be lost to one finding
            first = cause.failures[0]
            verdict = replace(first.verdict, reason=f"{first.verdict.reason} (not analysed: {error!r})")
            made = finding_of(first, first.case, verdict, self.subject, cause.count)
            return replace(made, reproduce=self._reproduce(first.case))  # type: ignore[arg-type]

    def _reproduce(self, case: Case) -> str:
        like = "..." if self.like == "function" else self.like
        call = f"oracle.check_gradients({self.subject.name}, like={like}, inputs=..."
        return f'{call}, seed={self.seed}), or with report=DIR, and then {call}, replay=DIR + "/corpus/{case.id}.json")'

    def _report(self, asked: int) -> Report:
        failed = any(self.outcomes[o] for o in FAILURES)
        accepted = self.outcomes["match"] + self.outcomes["convention"] + self.outcomes["torch deviates"]
        total = self.outcomes.total()
        few = accepted <= JUDGED * total
        if few and accepted and not failed:
            self.stopped = (
                f"only {accepted} of {total} cases could be judged; give Input(low=, high=) where like has values"
            )
        notes = [
            Note(o, group[0].verdict.reason, len(group), group[0].where)  # type: ignore[arg-type]
            for (o, _), group in sorted(self.notes.items(), key=lambda item: (item[0][0], -len(item[1]), item[0][1]))
        ]
        return Report(
            name="gradients",
            subject=self.subject.name,
            seed=self.seed,
            dtypes=self.dtypes,
            profile=f"like {self.like}",
            cases=total,
            asked=asked,
            tally={outcome: self.outcomes[outcome] for outcome in OUTCOMES},
            stages=dict(sorted(self.stages.items())),
            coverage=dict(sorted(self.coverage.items())),
            findings=tuple(merged(self.findings)),
            notes=tuple(notes),
            versions=versions() | {"numpy": np.__version__},
            exit_code=1 if failed else 2 if few else 0,
            stopped=self.stopped,
        )


def _skipped(reason: CaseError) -> Any:
    from oracle.compare import Verdict

    return Verdict("skipped", str(reason))


def _add(causes: list[Cause], failure: Failure, place: int) -> None:
    """Put a failure to the cause that it looks like, or to a new one."""
    for cause in causes:
        if alike(cause.failures[0].verdict, cause.suspects, failure.verdict):
            break
    else:
        causes.append(cause := Cause())
    cause.count += 1
    cause.suspects |= set(failure.verdict.suspects)
    together = sorted(
        [*zip(cause.failures, cause.places, strict=True), (failure, place)], key=lambda f: plainness(f[0].case)
    )
    cause.failures, cause.places = map(list, zip(*together[:WITNESSES], strict=True))
