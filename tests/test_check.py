"""Many cases: the same seed, the same bytes; nothing a subject does ends a run, but an interrupt; exit codes."""

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, get_args

import pytest
from msgspec.structs import replace

from oracle import spec
from oracle.check import check, replay, self_check, shadowed, versions
from oracle.compare import Outcome
from oracle.draws import Stream
from oracle.records import Report
from oracle.report import encode
from oracle.spec import Case
from oracle.subjects import Subject, reference, reference_update, resolve, wrap
from tests import fakes

BENT = wrap(fakes.tanh_without_square, "bent")


def run(subject: Any = BENT, **options: Any) -> Report:
    return check(subject, **{"cases": 40, "dtypes": ("float64",), "profile": "mlp"} | options)


def test_the_reference_is_right() -> None:
    report = check("reference", cases=300)
    assert report.findings == ()
    assert report.exit_code == 0
    assert set(report.tally) == set(get_args(Outcome))
    assert report.cases == report.asked == 600
    assert sum(report.tally[outcome] for outcome in ("match", "convention", "torch deviates")) == 600
    assert report.tally["match"] > 590
    assert sum(report.stages.values()) == 600
    assert set(report.coverage) >= {"Linear", "Tanh", "SGD", "CrossEntropyLoss"}


def test_the_same_seed_the_same_report() -> None:
    first, other = (encode(run(seed=seed, cases=20)) for seed in (3, 4))
    assert first == encode(run(seed=3, cases=20, progress=lambda n, outcomes: None))
    assert first != other


def test_a_finding_is_replayed_from_its_file(tmp_path: Any) -> None:
    report = run()
    assert report.exit_code == 1
    (finding,) = report.findings
    assert finding.count == report.tally["mismatch"]
    path = spec.save(finding.case, tmp_path / f"{finding.case_id}.json")
    assert finding.reproduce == f"oracle replay corpus/{path.name} --subject bent"
    saved = [(path.name, spec.load(path))]
    again, verdicts = replay(BENT, saved)
    assert [v.outcome for v in verdicts] == ["mismatch"]
    assert verdicts[0].differences[0].where == finding.verdict.differences[0].where
    assert (again.exit_code, again.findings[0].case_id) == (1, finding.case_id)
    fixed, verdicts = replay(resolve("reference"), saved)
    assert ([v.outcome for v in verdicts], fixed.exit_code, fixed.findings) == (["match"], 0, ())


def test_a_case_that_cannot_be_judged_is_skipped_in_a_replay() -> None:
    case = fakes.chain("Tanh")
    report, verdicts = replay(BENT, [("a", replace(case, inputs={"x": case.inputs["x"]})), ("b", case)])
    assert [v.outcome for v in verdicts] == ["skipped", "mismatch"]
    assert [(n.outcome, n.example) for n in report.notes] == [("skipped", "a")]


# --------------------------------------------------------------------------------------- subjects that misbehave


def sometimes(what: Callable[[Case], Any], every: int = 3) -> Subject:
    """The reference, but for some cases."""

    def subject(case: Case) -> Any:
        return what(case) if case.inputs["x"].shape[0] == every else reference(case)

    return wrap(subject, "sometimes")


def raises(error: type[BaseException]) -> Callable[[Case], Any]:
    def call(case: Case) -> Any:
        raise error("now and then")

    return call


def test_a_subject_that_raises_is_asked_on() -> None:
    report = run(sometimes(raises(ValueError)))
    assert report.cases == 40
    assert 0 < report.tally["errored"] < 40
    assert report.tally["match"] + report.tally["errored"] == 40
    (finding,) = report.findings
    assert "the subject raised ValueError: now and then (test_check.py, line" in finding.sentence
    assert finding.count == report.tally["errored"]
    assert isinstance(finding.case, Case)
    assert len(finding.case.nodes) == 1
    assert report.exit_code == 1


def test_exceptions_of_two_kinds_are_two_findings() -> None:
    def call(case: Case) -> Any:
        raise (ValueError if len(case.nodes) > 3 else KeyError)(f"at {case.nodes[0].name}")

    report = run(wrap(call))
    assert report.tally["errored"] == 40
    assert {f.sentence.split()[3] for f in report.findings} == {"ValueError:", "KeyError:"}


def test_an_interrupt_ends_the_run_with_a_report() -> None:
    report = run(sometimes(raises(KeyboardInterrupt), 5))
    assert (report.exit_code, report.stopped) == (130, "interrupted")
    assert 0 < report.cases < report.asked == 40  # type: ignore[operator]


def test_a_subject_that_declines_is_no_failure() -> None:
    report = run(sometimes(raises(spec.Unsupported)))
    assert report.exit_code == 0
    assert [(n.outcome, n.reason, n.count) for n in report.notes] == [
        ("skipped", "the subject declines: now and then", report.tally["skipped"])
    ]


def test_a_subject_that_hangs_is_given_up() -> None:
    def hang(case: Case) -> Any:
        while True:
            with suppress(Exception):
                time.sleep(1)

    report = run(replace_seconds(wrap(hang, "hang"), 0.05), cases=100)
    assert report.tally["timeout"] == report.cases < 20
    assert "out of time" in report.stopped
    assert report.exit_code == 1
    assert [f.verdict.reason for f in report.findings] == ["the subject gave no answer within 0.05 seconds"]


def replace_seconds(subject: Subject, seconds: float) -> Subject:
    return Subject(subject.name, subject.call, subject.update, subject.returns, subject.supports, seconds=seconds)


def test_a_time_limit_ends_the_run() -> None:
    start = time.monotonic()
    report = run("reference", cases=None, seconds=0.3)
    assert time.monotonic() - start < 5
    assert report.cases > 0
    assert (report.asked, report.exit_code, report.stopped) == (None, 0, "")


def test_nothing_judged_is_no_success() -> None:
    report = run("reference", cases=0)
    assert (report.cases, report.exit_code) == (0, 2)


# --------------------------------------------------------------------------------------------------------- findings


def test_two_mistakes_are_two_findings_the_most_frequent_first() -> None:
    def both(case: Case) -> Any:
        answer = fakes.tanh_without_square(case)
        answer.gradients |= {n: g for n, g in fakes.bias_mean(case).gradients.items() if n.endswith("bias")}
        return answer if any(n.op == "Tanh" for n in case.nodes) else fakes.bias_mean(case)

    report = run(wrap(both))
    assert {f.diagnosis.code for f in report.findings if f.diagnosis} >= {"A104", "B101"}
    assert [f.count for f in report.findings] == sorted((f.count for f in report.findings), reverse=True)
    assert sum(f.count for f in report.findings) == report.tally["mismatch"]


def test_step_5_is_a_finding_of_its_own() -> None:
    def update(case: Any) -> Any:
        return [{n: x * (1 + 1e-7) for n, x in step.items()} for step in reference_update(case).steps]

    def call(case: Case) -> Any:
        return reference(case)

    call.update = update  # type: ignore[attr-defined]
    report = run(wrap(call), profile="updates", cases=10)
    assert {(f.born.part, f.born.node) for f in report.findings if f.born} == {("update", "step 5")}
    assert {f.case.op for f in report.findings} == set(report.coverage)  # type: ignore[union-attr]
    assert all(len(f.case.gradients) == 1 and f.verdict.stage == "proved" for f in report.findings)  # type: ignore[union-attr]
    assert [s.status for s in report.findings[0].backward] == ["wrong"]


def test_where_a_case_was_found_names_it_again() -> None:
    (finding,) = run(seed=9).findings
    k = int(finding.found_in.split()[1])
    assert finding.found_in == f"case {k} of seed 9, float64"
    case = Stream(9, "float64", "mlp")[k]
    assert replay(BENT, [("again", case)])[1][0].outcome == "mismatch"


def test_the_oracle_checks_itself() -> None:
    assert self_check() == ""
    assert shadowed() == ""
    assert set(versions()) == {"python", "backprop-oracle", "torch", "numpy", "python-flint"}


def test_an_interrupt_while_a_cause_is_analysed_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("oracle.check.analyse", interrupted)
    report = check(wrap(fakes.wrong("Tanh", slope=lambda self, right, z, a: 1 - a)), cases=20, profile="mlp")
    assert (report.exit_code, report.stopped, report.cases) == (130, "interrupted", 40)
    assert report.findings
    assert "(not analysed: interrupted)" in report.findings[0].verdict.reason
