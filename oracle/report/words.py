"""The sentences and lines that every report says in the same words."""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, get_args

from oracle.compare import FAILURES, Difference, Outcome
from oracle.faults import FAULTS
from oracle.records import Finding, Report
from oracle.report.numbers import exact, short
from oracle.spec import AnyCase, Array, Case, Node, UpdateCase

OUTCOMES: tuple[str, ...] = get_args(Outcome)
NOT_RECOGNISED = "cause not recognised: no fault in the catalogue reproduces these numbers"
NOT_TRIED = "cause not recognised: the catalogue knows the faults of layers, and nothing of a function of one's own"

STATUS = {"wrong": "WRONG", "unknown": "not known"}
"""Statuses of a node or tensor that are spelled otherwise than in the record."""


def status(word: str) -> str:
    """A status as every report writes it."""
    return STATUS.get(word, word)


def verdict_line(report: Report) -> str:
    """The whole report in one line."""
    word, rest = verdict(report)
    return f"{word}: {rest}"


def verdict(report: Report) -> tuple[str, str]:
    """The word for the exit code, and the sentence after it."""
    word = {0: "PASSED", 1: "FAILED", 2: "NOT STARTED", 3: "SELF-CHECK FAILED", 130: "INTERRUPTED"}
    broken = sum(r.outcome == "broken" for r in report.replayed)
    if report.exit_code == 2 and broken:
        return "BROKEN CORPUS", f"{plural(broken, 'file')} of the corpus cannot be judged; {_told(report)}"
    if report.exit_code == 2 or (report.exit_code == 0 and not report.cases):
        return "NOTHING JUDGED", f"none of {plural(report.cases, 'case')} could be called right or wrong"
    return word.get(report.exit_code, f"EXIT CODE {report.exit_code}"), _told(report)


def _told(report: Report) -> str:
    failed = sum(report.tally.get(outcome, 0) for outcome in FAILURES)
    judged = f"{plural(report.cases, 'case')}"
    if not failed and not report.findings:
        return f"{report.tally.get('match', 0)} of {judged} match"
    known = sum(bool(f.known) for f in report.findings)
    new = len(report.findings) - known
    causes = f"{plural(new, 'cause')} of failure" if new or not known else "no new cause of failure"
    return f"{causes}{f' beside {known} known' if known else ''}, in {failed} of {judged}"


def seen(finding: Finding) -> str:
    """How often, and where first."""
    return f"{plural(finding.count, 'case')} with this cause; first seen in {finding.found_in}"


def outcome(finding: Finding) -> str:
    """mismatch, or known mismatch."""
    return f"{'known ' if finding.known else ''}{finding.verdict.outcome}"


REPLAYED = {"match": "FIXED", "mismatch": "FAILED", "errored": "ERRORED", "timeout": "ERRORED"}
"""What became of a saved case; other outcomes are their own word."""


def replayed(outcome: str) -> str:
    """FIXED, FAILED, ERRORED, or the outcome."""
    return REPLAYED.get(outcome, outcome.upper())


def remarks(report: Report) -> list[str]:
    """What there is to say of the run as a whole: of the subject, the corpus and the baseline."""
    counts = Counter(replayed(r.outcome) for r in report.replayed)
    told = [f"corpus: {', '.join(f'{n} {word}' for word, n in sorted(counts.items()))}"] if counts else []
    told += [
        f"corpus: {replayed(r.outcome)}  {r.file}{f': {r.reason}' if r.reason else ''}"
        for r in report.replayed
        if r.outcome != "match"
    ]
    return [*report.remarks, *told, *(f"not met any more, though it stands in the baseline: {s}" for s in report.stale)]


def run_line(report: Report) -> str:
    """What was run: enough to run it again."""
    asked = "" if report.asked is None or report.asked == report.cases else f" of {report.asked} asked for"
    dtypes = ", ".join(report.dtypes) or "no dtype"
    return (
        f"subject {report.subject}, {report.cases} cases{asked}, seed {report.seed}, {dtypes}, profile {report.profile}"
    )


def plural(n: int, noun: str) -> str:
    """1 case, 2 cases."""
    return f"{n} {noun}{'' if n == 1 else 's'}"


def in_order(tally: Mapping[str, int]) -> list[tuple[str, int]]:
    """Outcomes in their own order, then whatever else is counted, by name."""
    known = [name for name in OUTCOMES if name in tally]
    return [(name, tally[name]) for name in (*known, *sorted(tally.keys() - set(known)))]


def tally_line(report: Report) -> str:
    """990 match, 10 mismatch; outcomes that never came are left out."""
    return ", ".join(f"{n} {outcome}" for outcome, n in in_order(report.tally) if n) or "nothing"


def title(finding: Finding) -> str:
    """A finding in a few words: the fault's name, or where it was born, or its outcome."""
    if finding.diagnosis:
        node = finding.diagnosis.node
        return f"{finding.diagnosis.name} ({node})" if node else finding.diagnosis.name
    if finding.born:
        return f"{finding.born.part} of {finding.born.op} ({finding.born.node})"
    return f"{finding.verdict.outcome} on {_kind(finding.case)}"


def _kind(case: AnyCase) -> str:
    return (
        f"the update rule {case.op}"
        if isinstance(case, UpdateCase)
        else f"a network of {plural(len(case.nodes), 'node')}"
    )


def corpus_name(finding: Finding) -> str:
    """The file of a finding's case, relative to the report. A case id is a digest, and never a path."""
    name = finding.case_id if re.fullmatch(r"\w[\w-]{0,63}", finding.case_id, re.ASCII) else finding.case.id
    return f"corpus/{name}.json"


def default_command(finding: Finding) -> str:
    """How to judge the smallest case again, where the finding does not say."""
    return f"oracle replay {corpus_name(finding)}"


def is_update(case: AnyCase) -> bool:
    """Whether the case is of step 5."""
    return isinstance(case, UpdateCase)


def numbers_compared(finding: Finding) -> bool:
    """Whether there are numbers to show: not where the subject crashed, hung or broke the contract."""
    return finding.verdict.outcome == "mismatch" and bool(finding.verdict.differences or finding.backward)


def not_recognised(finding: Finding) -> str:
    """What is said where there is no diagnosis: whether one was looked for."""
    return NOT_TRIED if "check_gradients(" in finding.reproduce else NOT_RECOGNISED


def observed(finding: Finding) -> list[tuple[str, str]]:
    """(label, text) of what was learnt by experiment: when it shows, and what is computed in place of the right."""
    told = [("shows", finding.trigger), ("read from the numbers", finding.reading)]
    return [(label, text) for label, text in told if text]


def explained(code: str) -> bool:
    """Whether there is a page for a fault."""
    return code in FAULTS


def never_met(report: Report) -> list[tuple[str, str]]:
    """(operator, the regimes in which it should be met and was not), by name."""
    return [(name, "; ".join(regimes)) for name, regimes in sorted(report.unmet.items()) if regimes]


def regimes_met(report: Report, name: str) -> int | None:
    """In how many regimes an operator was met; None if that was not counted."""
    found = report.regimes.get(name)
    return None if found is None else sum(n > 0 for n in found.values())


# --------------------------------------------------------------------------------------------------------- the case


def graph(case: AnyCase) -> list[str]:
    """The network (or the optimizer), one line each: h1 = Linear(x; in_features=2, out_features=1)."""
    if isinstance(case, UpdateCase):
        return [f"optimizer = {case.op}({arguments(case.attrs)})"]
    return [f"{node.name} = {call(node)}" for node in case.nodes]


def call(node: Node) -> str:
    """Linear(x; in_features=2, out_features=1, weight=encoder.weight)."""
    return f"{node.op}({'; '.join(filter(None, (', '.join(node.inputs), arguments({**node.attrs, **node.params}))))})"


def arguments(attrs: Mapping[str, Any]) -> str:
    """Attributes as keyword arguments, by name, so that equal cases read alike."""
    return ", ".join(f"{name}={_value(attrs[name])}" for name in sorted(attrs))


def _value(value: Any) -> str:
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, bool | None):
        return str(value)
    if isinstance(value, int | float):
        return exact(value)
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str)


def mode(case: AnyCase) -> str:
    """float64, training."""
    if isinstance(case, UpdateCase):
        return f"{case.dtype}, {plural(len(case.gradients), 'step')}"
    return f"{case.dtype}, {'training' if case.training else 'evaluation'} mode"


def tensors(case: AnyCase) -> Iterator[tuple[str, str, Array]]:
    """(kind, name, numbers) of every tensor of a case, in the order in which the graph needs them."""
    if isinstance(case, UpdateCase):
        yield from (("parameter", name, case.parameters[name]) for name in sorted(case.parameters))
        for step, gradients in enumerate(case.gradients, 1):
            yield from (("gradient", f"step {step}: {name}", gradients[name]) for name in sorted(gradients))
        return
    order = case.spec.input_names()
    for kind, group in (("input", case.inputs), ("parameter", case.parameters), ("buffer", case.buffers)):
        yield from ((kind, name, group[name]) for name in sorted(group, key=lambda n: _place(case, order, n)))


def _place(case: Case, inputs: list[str], name: str) -> tuple[int, int, bool, str]:
    nodes = [node.name for node in case.nodes]
    owner, _, role = name.partition(".")
    first = inputs.index(name) if name in inputs else len(inputs)
    return first, nodes.index(owner) if owner in nodes else len(nodes), not role.startswith("weight"), name


# ------------------------------------------------------------------------------------------------------ the evidence


def proofs(finding: Finding) -> list[str]:
    """What is proven about the wrong entries, in sentences."""
    told = [_proof(d) for d in finding.verdict.differences if d.low is not None and d.high is not None]
    if told:
        return told
    if finding.verdict.stage == "contract":
        return ["none is needed: the contract is broken whatever the numbers are"]
    return ["the true value was not enclosed for this case"]


def _proof(d: Difference) -> str:
    assert d.low is not None
    assert d.high is not None
    away = max(d.low - d.got, d.got - d.high, 0.0)
    room = f"{short(away)} away, where rounding explains at most {short(d.tolerance)}"
    where = room if away == away else "not a number"
    return f"{d.where}: the true value lies in [{exact(d.low)}, {exact(d.high)}]; got {exact(d.got)}, {where}"


def first_wrong_step(finding: Finding) -> str:
    """Of step 5: "step 2", the first step with a wrong parameter; else nothing."""
    wrong = [d.tensor.partition(":")[0] for d in finding.verdict.differences]
    steps = sorted(int(s.removeprefix("step ")) for s in wrong if re.fullmatch(r"step \d+", s, re.ASCII))
    return f"step {steps[0]}" if steps and is_update(finding.case) else ""


def not_localised(finding: Finding) -> str:
    """What is said where no node is to blame."""
    step = first_wrong_step(finding)
    return f"the first wrong step is {step}" if step else "not localised: no single node explains it"


def born_in(finding: Finding) -> str:
    """h1 (Linear), in its partials; or that it is not known."""
    if not finding.born:
        return first_wrong_step(finding) or "not localised"
    return f"{finding.born.node} ({finding.born.op}), in its {finding.born.part}"
