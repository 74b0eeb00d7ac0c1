"""A baseline knows a fault again whatever the seed, and hides no other one: not in the same operator either."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from oracle import baseline
from oracle.baseline import Baseline, Entry
from oracle.check import check
from oracle.records import Replayed, Report
from oracle.report import junit, summary
from oracle.report.words import verdict
from oracle.spec import Case, CaseError
from oracle.subjects import Subject, reference, wrap
from tests import fakes

Call = Callable[[Case], Any]


def run(call: Call, supports: str = "Linear Tanh Sigmoid HalfSquaredError Dot", **options: Any) -> tuple[Report, Any]:
    """A run with its causes apart, and the entries of its findings."""
    wrapped = wrap(call, "mine")
    subject = Subject("mine", wrapped.call, supports=frozenset(supports.split()))
    report = check(subject, **{"cases": 25, "dtypes": ("float64",), "apart": True} | options)
    return report, [baseline.identify(finding, subject) for finding in report.findings]


def held(call: Call, known: Baseline, **options: Any) -> Report:
    report, found = run(call, **options)
    return baseline.apply(report, known, found)


def baseline_of(call: Call, **options: Any) -> Baseline:
    return baseline.renewed(run(call, **options)[1], Baseline(entries=()))


def tanh(slope: Callable[[Any, Any], Any]) -> Call:
    """A subject whose Tanh has another slope: (output, error signal) -> what it hands down."""
    return fakes.wrong("Tanh", backward=lambda self, right, p, saved, delta: (slope(saved[1], delta),))


CUBE = tanh(lambda a, d: d * (1 - a**3))
KNOWN = baseline_of(fakes.tanh_without_square)
KNOWN_CUBE = baseline_of(CUBE)


def test_a_known_fault_is_known_with_another_seed_and_profile() -> None:
    for options in ({"seed": 5}, {"seed": 6, "profile": "mlp"}, {"dtypes": ("float32",)}):
        report = held(fakes.tanh_without_square, KNOWN, **options)
        assert [f.known for f in report.findings] == ["it stands in the baseline"]
        assert (report.exit_code, report.stale) == (0, ())
        assert verdict(report)[0] == "PASSED"
        assert "no new cause of failure beside 1 known" in verdict(report)[1]


def test_an_unrecognised_fault_is_known_by_what_it_answers() -> None:
    assert KNOWN_CUBE.entries[0].code == ""
    assert held(CUBE, KNOWN_CUBE, seed=3).exit_code == 0
    report = held(tanh(lambda a, d: d * (1 - a**3) * 1.001), KNOWN_CUBE)
    assert report.exit_code == 1
    assert "the answers are no longer those: there is another one" in report.findings[0].sentence


@pytest.mark.parametrize(
    "other",
    [
        CUBE,
        tanh(lambda a, d: d * (1 - a) * (1 + 1e-3)),
        tanh(lambda a, d: d * (1 - a) if len(a) != 3 else d),
        tanh(lambda a, d: d * np.where(a > 0.999, 1 - a**2, 1 - a)),
    ],
)
def test_another_fault_of_the_same_part_of_the_same_operator_is_new(other: Call) -> None:
    report = held(other, KNOWN)
    assert report.exit_code == 1
    assert not all(f.known for f in report.findings)


def test_a_fault_behind_one_that_fails_every_case_is_seen() -> None:
    def both(case: Case) -> Any:
        bent = fakes.tanh_without_square(case)
        if case.nodes[-1].op != "HalfSquaredError":
            return bent
        return replace_gradients(bent, 2.0)

    supports = "Tanh Sigmoid Linear HalfSquaredError Dot"
    known = baseline_of(half_only, supports=supports)
    assert {e.op for e in known.entries} == {"HalfSquaredError"}
    report = held(both, known, supports=supports)
    assert report.exit_code == 1
    assert {f.op: bool(f.known) for f in report.findings} == {"HalfSquaredError": True, "Tanh": False}


def half_only(case: Case) -> Any:
    answer = reference(case)
    return replace_gradients(answer, 2.0) if case.nodes[-1].op == "HalfSquaredError" else answer


def replace_gradients(answer: Any, factor: float) -> Any:
    return replace(answer, gradients={name: g * factor for name, g in answer.gradients.items()})


def raising(*ops: str) -> Call:
    def call(case: Case) -> Any:
        for node in case.nodes:
            if node.op in ops:
                raise KeyError(node.op)
        return reference(case)

    return call


def test_two_exceptions_of_one_kind_are_two_findings() -> None:
    known = baseline_of(raising("Tanh"))
    assert held(raising("Tanh"), known, seed=2).exit_code == 0
    report = held(raising("Tanh", "Sigmoid"), known)
    assert report.exit_code == 1
    assert [("'Tanh'" in f.sentence, bool(f.known)) for f in report.findings] == [(False, False), (True, True)]


def test_nothing_compared_is_no_success() -> None:
    def never(case: Case) -> Any:
        raise ValueError("always")

    report = held(never, baseline_of(never))
    assert all(f.known for f in report.findings)
    assert (report.exit_code, verdict(report)[0]) == (2, "NOTHING JUDGED")


def test_what_is_fixed_is_stale_and_fails_nothing() -> None:
    report = held(reference, KNOWN)
    assert (report.exit_code, report.findings) == (0, ())
    assert report.stale == (KNOWN.entries[0].sentence,)
    assert "not met any more" in summary(report)


def test_a_run_that_stopped_early_accepts_nothing() -> None:
    report, found = run(fakes.tanh_without_square)
    assert baseline.apply(replace(report, stopped="5 cases ran out of time"), KNOWN, found).exit_code == 1
    broken = replace(report, replayed=(Replayed("a.json", "broken", "no case"),))
    assert baseline.apply(broken, KNOWN, found).exit_code == 2


def test_step_5_has_a_behaviour_too() -> None:
    def update(factor: float) -> Any:
        from oracle.subjects import reference_update

        def call(case: Case) -> Any:
            return reference(case)

        call.update = lambda case: [  # type: ignore[attr-defined]
            {name: x * factor for name, x in step.items()} for step in reference_update(case).steps
        ]
        return wrap(call, "mine")

    def found(factor: float, seed: int = 0) -> tuple[Report, list[Entry]]:
        subject = update(factor)
        report = check(subject, profile="updates", cases=6, dtypes=("float64",), apart=True, seed=seed)
        return report, [baseline.identify(finding, subject) for finding in report.findings]

    known = baseline.renewed(found(1 + 1e-7)[1], Baseline(entries=()))
    (same, entries), (other, others) = found(1 + 1e-7, seed=0), found(1 + 2e-7)
    assert baseline.apply(same, known, entries).exit_code == 0
    assert all("there is another one" in f.sentence for f in baseline.apply(other, known, others).findings)


# ------------------------------------------------------------------------------------------------------------ the file


def test_the_file_round_trips_and_reasons_are_kept(tmp_path: Path) -> None:
    path = baseline.save(KNOWN, tmp_path / "known.json")
    assert baseline.load(path) == KNOWN
    told = Baseline(entries=tuple(replace(e, reason="since 2019, see #12") for e in KNOWN.entries))
    report, found = run(fakes.tanh_without_square, seed=1)
    assert [e.reason for e in baseline.renewed(found, told).entries] == ["since 2019, see #12"]
    marked = baseline.apply(report, told, found)
    assert [f.known for f in marked.findings] == ["since 2019, see #12"]
    xml = junit(marked).decode()
    assert 'skipped message="known: since 2019, see #12' in xml
    assert "<failure" not in xml


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "not what it should be"),
        ('{"entries": [{"sentence": "x"}]}', "missing required field `outcome`"),
        ('{"format": 2, "entries": []}', "format is 2"),
        ('{"entry": []}', "unknown field `entry`"),
    ],
)
def test_what_is_no_baseline_is_refused_in_a_sentence(text: str, sentence: str, tmp_path: Path) -> None:
    (tmp_path / "known.json").write_text(text)
    with pytest.raises(CaseError, match=sentence):
        baseline.load(tmp_path / "known.json")
    with pytest.raises(CaseError, match="No such file"):
        baseline.load(tmp_path / "nowhere.json")


def test_the_schema_names_every_field() -> None:
    assert set(baseline.schema()["$defs"]["Entry"]["properties"]) == set(Entry.__struct_fields__)
