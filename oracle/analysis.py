"""From failing cases of one cause to a finding: shrunk, proven, localised, diagnosed, with what triggers it.

Failures are grouped by where they are born; each group is analysed once, at the end of a run.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from msgspec.structs import replace

from oracle import localize, probes
from oracle.compare import Verdict, cheap, update_contract
from oracle.diagnose import ENOUGH, breach_diagnosis, diagnose, named
from oracle.faults import FAULTS
from oracle.hypotheses import Evidence, Steps
from oracle.judge import How, Trial, judge, trial
from oracle.probes import QUICK, Probe
from oracle.reading import reading
from oracle.records import Birthplace, Diagnosis, Finding, Line, Stop
from oracle.shrink import shrink, shrink_update
from oracle.spec import AnyCase, Case, Node, Tensors, UpdateAnswer, UpdateCase
from oracle.stage import stages
from oracle.subjects import Subject
from oracle.twin import Twin, run_update

SURE = How(twice=False)
"""Before accusing."""

FAILING, PATIENCE = 6, 4
"""Failing probes that a trigger wants to see, and rounds of probes in which it looks for them."""

Alone = tuple[Node, Case, Verdict]


@dataclass
class Failure:
    """A failing case, on its way to a finding."""

    where: str
    case: AnyCase
    verdict: Verdict
    alone: Alone | None = None
    """The node that fails alone, nearest to the loss, with its case and verdict."""


def size(case: AnyCase) -> int:
    """How much there is to read in a case."""
    if isinstance(case, UpdateCase):
        return len(case.gradients) * sum(x.size for x in case.parameters.values())
    return 10 * len(case.nodes) + sum(x.size for x in (*case.inputs.values(), *case.parameters.values()))


def pattern(reason: str) -> str:
    """A sentence without its numbers and names, so that like reasons meet."""
    reason = re.sub(r" \(and \d+ more\)$", "", reason)
    return re.sub(r"\b[a-z]+\d+\b(\.\w+)?|-?\d[\d.e+-]*|\[[^]]*\]|\([^)]*\)|'[^']*'", "·", reason)


def signature(case: AnyCase, found: Trial, subject: Subject) -> tuple[str, Alone | None]:
    """What failing cases of one cause have in common: the operator that fails alone, or the kind of breach."""
    return signatures(case, found, subject)[0]


def signatures(case: AnyCase, found: Trial, subject: Subject) -> list[tuple[str, Alone | None]]:
    """The signature of every cause that shows in a case, the one nearest to the loss first."""
    verdict = found.verdict
    if isinstance(case, UpdateCase):
        kind = "" if verdict.differences else pattern(verdict.reason)
        return [(f"step 5 {case.op} {verdict.outcome}{kind}", None)]
    if not verdict.differences or found.truth is None:
        return [(pattern(verdict.reason), None)]
    alone = _alone(case, subject)
    return [(_place(a), a) for a in alone[:1] + _sure(alone)] or [("in context", None)]


def _place(alone: Alone) -> str:
    node, isolated, its = alone
    born = localize.birthplace(isolated, its, node.name)
    return f"{node.op} {born.part if born else ''}"


def _sure(alone: list[Alone]) -> list[Alone]:
    """Of the nodes after the first: those that fail beside none but operators that are right."""
    guilty = {node.op for node, _, _ in alone}
    return [a for a in alone[1:] if not guilty & {n.op for n in a[1].nodes if n.op != a[0].op}]


def breach(case: AnyCase, verdict: Verdict) -> str:
    """The pattern of a breach, with what tells two of one pattern apart.

    That is the function that raised, an operator in the message, and the operator whose parameter it is about.
    """
    raised = re.search(r", in ([\w<>]+)\)", verdict.reason)
    owned = re.search(r"\b(\w+)\.\w+", verdict.reason) if raised is None else None
    nodes = {} if isinstance(case, UpdateCase) else {node.name: node.op for node in case.nodes}
    step = f"step 5 {case.op}" if isinstance(case, UpdateCase) else ""
    more = (raised and f"in {raised[1]}", *re.findall(r"'([A-Z]\w*)'", verdict.reason), owned and nodes.get(owned[1]))
    return " ".join(filter(None, (step, pattern(verdict.reason), *more)))


def _alone(case: Case, subject: Subject) -> list[Alone]:
    truth = Twin(case).run(case, errors=True)
    return localize.isolated(case, truth, lambda c: judge(c, subject, how=QUICK), lambda c: stages(c, subject))


def analyse(group: list[Failure], subject: Subject, count: int = 1) -> Finding:
    """A group of failures of one cause, the smallest case first, as a finding."""
    first = group[0]
    if isinstance(first.case, UpdateCase):
        return _update_finding(group, subject, count)
    if not first.verdict.differences:
        return _breach_finding(group, subject, count)
    for failure in group:
        if failure.alone is None and isinstance(failure.case, Case):
            failure.alone = next(iter(_alone(failure.case, subject)), None)
    small, verdict, guilty = _smallest(first, subject)
    evidence = _evidence(small, subject, verdict)
    if evidence is None:
        return finding_of(first, small, verdict, subject, count)
    larger = [e for f in group if (e := _evidence(_witness(f)[0], subject)) and e.wrong]
    op = next((n.op for n in small.nodes if n.name == guilty), "")
    rounds = _Rounds(lambda k: list(probes.of_operator(op, subject, k) if op else probes.of_nets(subject, k)))
    diagnosis = _stateful(evidence, subject) or diagnose(evidence, larger, rounds)
    diagnosis = diagnosis or _empty([evidence, *larger]) or _single_precision([evidence, *larger], rounds(0))
    gradients = {name: x for name, x in evidence.got.items() if not name.startswith("buffer ")}
    born = localize.birthplace(small, verdict, guilty, gradients, diagnosis)
    if diagnosis and born and not diagnosis.node and FAULTS[diagnosis.code].part != "contract":
        diagnosis = replace(diagnosis, node=born.node)
    stops = localize.narrate(small, evidence.truth, gradients, verdict, born)
    finding = finding_of(first, small, verdict, subject, count, born, diagnosis, stops)
    what = f"{op} alone" if op else "whole nets"
    return replace(
        finding, trigger=probes.trigger(rounds.all, what), reading=reading([evidence, *larger], guilty, op, born)
    )


class _Rounds:
    """Fresh probes, round by round, each drawn once."""

    def __init__(self, draw: Callable[[int], list[Probe]]) -> None:
        self.draw, self.drawn = draw, list[list[Probe]]()

    def __call__(self, k: int) -> list[Probe]:
        while len(self.drawn) <= k:
            self.drawn.append(self.draw(len(self.drawn)))
        return self.drawn[k]

    @property
    def all(self) -> list[Probe]:
        """Every probe drawn; more are, until enough of them fail to say when."""
        while not self.drawn or (sum(p.failed for d in self.drawn for p in d) < FAILING and len(self.drawn) < PATIENCE):
            self(len(self.drawn))
        return [probe for drawn in self.drawn for probe in drawn]


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
        small = shrink(start, _fails_alike(its, subject, whole=not name and subject.chain is not None))
        for candidate in (small, start):
            found = judge(candidate, subject, how=SURE)
            if found.outcome == "mismatch" and found.stage in ("proved", "contract"):
                return candidate, found, name
    return failure.case, failure.verdict, ""


def _fails_alike(verdict: Verdict, subject: Subject, whole: bool = False) -> Callable[[Case], bool]:
    """Whether a candidate fails as the first case did: in its values, or in gradients only; and, where no layer runs
    alone, in every tensor of the first that it has (`whole`): what became 0 would pass for right.
    """

    def kind(found: Verdict) -> tuple[bool, bool]:
        names = [name for name in found.suspects if not name.startswith("buffer ")]
        return bool(names), "loss" in names

    def fails(candidate: Case) -> bool:
        found = judge(candidate, subject, how=QUICK)
        alike = found.outcome == "mismatch" and bool(found.differences) and kind(found) == kind(verdict)
        there = {*candidate.parameters, *candidate.inputs} & {*verdict.suspects}
        return alike and (not whole or there <= {*found.suspects})

    return fails


def _evidence(case: Case, subject: Subject, verdict: Verdict | None = None) -> Evidence | None:
    """What the subject makes of a case; None if it does not answer this time. The verdict, where it is known."""
    evidence = probes.evidence(case, trial(case, subject, how=QUICK))
    if evidence is not None and verdict is not None:
        evidence.wrong = set(verdict.suspects)
    return evidence


def _stateful(e: Evidence, subject: Subject) -> Diagnosis | None:
    """Whether the answer depends on what was asked before."""
    case = e.case
    other = replace(case, inputs={n: x + 1 if x.dtype.kind == "f" else x for n, x in case.inputs.items()})
    answers = []
    for before in (case, other):
        subject.answer(before)
        answers.append(subject.answer(case).answer)
    if None in answers:
        return None
    first, second = (answer.gradients for answer in answers)
    again = subject.answer(case).answer
    if again and _grew(second, again.gradients, e):
        return named(FAULTS["P101"], "", "each of several equal calls returned more, by the gradient itself")
    if cheap([(name, np.asarray(second.get(name)), np.asarray(g)) for name, g in first.items()], case.dtype):
        told = "the answer to the smallest case is another after a call with other numbers"
    elif judge(case, subject, how=QUICK).failed and judge(_renamed(case), subject, how=QUICK).outcome == "match":
        told = "the same case with its nodes renamed, which was never asked before, is answered right"
    else:
        return None
    return named(FAULTS["P113"], "", told)


def _grew(before: Tensors, after: Tensors, e: Evidence) -> bool:
    """Whether each gradient that changed is more than before, by the true one."""
    names = [n for n in e.truth.gradients if n in before and n in after and before[n].shape == after[n].shape]
    grown = {n: np.asarray(after[n], float) - before[n] for n in names if not np.array_equal(after[n], before[n])}
    eps = 4 * float(np.finfo(e.case.dtype).eps)
    room = {n: eps * float(np.abs(after[n]).max(initial=0)) for n in grown}
    return bool(grown) and all(
        np.isfinite(room[n]) and np.allclose(x, e.truth.gradients[n], rtol=1e-3, atol=room[n]) for n, x in grown.items()
    )


def _empty(failing: list[Evidence]) -> Diagnosis | None:
    """Whether empty batches, and nothing else, give NaN."""
    for e in failing:
        if not _has_empty(e.case) or not all(np.isnan(e.got[name]).any() for name in e.wrong if name in e.got):
            return None
    return named(FAULTS["P111"], "", "with a batch of 0 it returned NaN, and no other batch was seen to fail")


def _single_precision(failing: list[Evidence], fresh: list[Probe]) -> Diagnosis | None:
    """Whether only float64 fails, and never by more than a rounding to float32."""
    float32 = [p for p in fresh if p.evidence is not None and p.evidence.case.dtype == "float32"]
    wrong = [p.evidence for p in fresh if p.failed and isinstance(p.evidence, Evidence)]
    if any(p.failed for p in float32) or len(float32) < FAILING or any(e.case.dtype != "float64" for e in failing):
        return None
    small = [e for e in (*failing, *wrong) if e.off_by() <= 8 * float(np.finfo(np.float32).eps)]
    if len(small) < ENOUGH * len([*failing, *wrong]) or not _like_float32(small):
        return None
    told = f"no float32 case fails, and in {len(small)} float64 cases nothing is off by more than float32 rounds"
    return named(FAULTS["X109"], "", told)


def _like_float32(small: list[Evidence]) -> bool:
    """Whether entries are off as rounding does it: too large about as often as too small, or all by one factor, that of
    a constant. A small ε, say, is otherwise.
    """
    both = [(e.got[n], e.truth.gradients[n]) for e in small for n in e.wrong if n in e.got]
    with np.errstate(all="ignore"):
        off = np.concatenate([np.zeros(0), *(np.ravel((got - true) / true) for got, true in both)])
    off = off[np.isfinite(off) & (off != 0)]
    larger, smaller = int((off > 0).sum()), int((off < 0).sum())
    alike = off.size > 0 and float(np.ptp(off)) <= 0.1 * float(np.abs(off).max())
    return alike or min(larger, smaller) * 4 >= max(larger, smaller) > 0


def _renamed(case: Case) -> Case:
    """The same case under names that no earlier one had, in the same order as text."""

    def other(name: str) -> str:
        return f"again_{name}"

    made = {node.name for node in case.nodes}
    nodes = tuple(
        replace(
            node,
            name=other(node.name),
            inputs=tuple(other(i) if i.partition(":")[0] in made else i for i in node.inputs),
            params={role: other(full) for role, full in node.params.items()},
        )
        for node in case.nodes
    )
    parameters, buffers = ({other(n): x for n, x in t.items()} for t in (case.parameters, case.buffers))
    return replace(case, nodes=nodes, parameters=parameters, buffers=buffers)


def finding_of(
    first: Failure,
    case: AnyCase,
    verdict: Verdict,
    subject: Subject,
    count: int,
    born: Birthplace | None = None,
    diagnosis: Diagnosis | None = None,
    stops: tuple[Any, ...] = (),
) -> Finding:
    """A case and what is known of it, as a finding."""
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
        reproduce=f"oracle replay corpus/{identity}.json --subject {subject.words}",
    )


def _sentence(verdict: Verdict, born: Birthplace | None, diagnosis: Diagnosis | None) -> str:
    if diagnosis is not None:
        where = f"{diagnosis.node} ({born.op})" if born and born.node == diagnosis.node else diagnosis.node
        return f"{where or 'the subject'}: {diagnosis.name}. {diagnosis.story}"
    if born is not None:
        return f"{born.sentence[0].upper()}{born.sentence[1:]}: {verdict.reason}"
    return verdict.reason


def _has_empty(case: AnyCase) -> bool:
    return isinstance(case, Case) and any(x.ndim and not x.shape[0] for x in case.inputs.values())


def _breach_finding(group: list[Failure], subject: Subject, count: int) -> Finding:
    """A breach of contract, or an exception: the smallest case with the same breach."""
    first = group[0]
    assert isinstance(first.case, Case)
    like = pattern(first.verdict.reason)
    twice = first.verdict.outcome == "mismatch"

    def fails(candidate: Case) -> bool:
        found = judge(candidate, subject, how=How(prove=False, twice=twice, thorough=False))
        return found.failed and pattern(found.reason) == like

    again = first.verdict.outcome != "timeout" and fails(first.case)  # a hang would hang at every step of shrinking
    budget = 30 if subject.fragile else 150  # each try may start a process
    small = shrink(first.case, fails, budget=budget) if again else first.case
    verdict = judge(small, subject) if small is not first.case else first.verdict
    return finding_of(first, small, verdict, subject, count, diagnosis=_breach(small, verdict, subject, group))


def _breach(case: Case, verdict: Verdict, subject: Subject, group: list[Failure]) -> Diagnosis | None:
    """The name of a breach; an answer that differs once, and then no more, comes from an earlier call."""
    found = breach_diagnosis(case, verdict)
    if found is not None and found.code == "P111" and not all(_has_empty(f.case) for f in group):
        return None  # other batches raise too: the smallest case is empty because empty is small
    if found is not None and found.code == "P112":
        second, third = (subject.answer(case).answer for _ in range(2))
        if (
            second
            and third
            and not cheap([(n, third.gradients[n], g) for n, g in second.gradients.items()], case.dtype)
        ):
            return named(FAULTS["P113"], "", "the first of several equal calls is answered otherwise")
    return found


# ------------------------------------------------------------------------------------------------------------ step 5


def _update_finding(group: list[Failure], subject: Subject, count: int) -> Finding:
    """A failure of step 5."""
    first = group[0]
    like = pattern(first.verdict.reason)

    def fails(candidate: UpdateCase) -> bool:
        found = judge(candidate, subject, how=QUICK)
        same = found.outcome == first.verdict.outcome
        return same and (bool(found.differences) or pattern(found.reason) == like)

    assert isinstance(first.case, UpdateCase)
    small = shrink_update(first.case, fails)
    verdict = judge(small, subject)
    if not verdict.failed:
        small, verdict = first.case, first.verdict
    if not verdict.differences:
        told = replace(verdict, reason=f"step 5, {small.op}: {verdict.reason}")
        return finding_of(first, small, told, subject, count)
    op, rounds = small.op, _Rounds(lambda k: list(probes.of_updates(small.op, subject, k)))
    cases = [small, *(f.case for f in group if isinstance(f.case, UpdateCase))]
    known = [e for case in cases if (e := _steps(case, subject)) is not None and e.wrong]
    diagnosis = diagnose(known[0], known[1:], rounds) if known else None
    born = Birthplace("step 5", op, "update", f"step 5, {op}")
    if diagnosis:
        diagnosis = replace(diagnosis, node="step 5")
    finding = finding_of(first, small, verdict, subject, count, born, diagnosis, _update_stops(small, subject))
    return replace(finding, trigger=probes.trigger(rounds.all, f"step 5 with {op}"))


def _steps(case: UpdateCase, subject: Subject) -> Steps | None:
    return probes.steps(case, trial(case, subject, how=QUICK))


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
