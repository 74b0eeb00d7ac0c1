"""Every fake is caught, shrunk to what one can do by hand, blamed on the right node, and named if it has a name."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import oracle
from oracle.analysis import Failure, analyse
from oracle.check import Tally, check
from oracle.diagnose import breach_diagnosis, diagnose
from oracle.draws import Stream
from oracle.faults import FAULTS
from oracle.hypotheses import HYPOTHESES, Evidence
from oracle.judge import How, judge, trial
from oracle.probes import QUICK, Probe
from oracle.records import Finding
from oracle.seeds import SEEDS, Seed
from oracle.spec import Answer, Case
from oracle.subjects import Subject, wrap
from oracle.twin import Twin
from tests import fakes
from tests.fakes import MLP, Accumulating, chain, linear

TABLE: dict[str, tuple[str | None, str, str]] = {
    "no_slope": ("A101", "", "backward"),
    "slope_at_output": ("A102", "", "backward"),
    "tanh_without_square": ("A104", "Tanh", "backward"),
    "sigmoid_from_z": ("A103", "Sigmoid", "backward"),
    "transposed_weights": ("W101", "Linear", "backward"),
    "mean_for_sum": ("R102", "Linear", "partials"),
    "bias_mean": ("B101", "Linear", "partials"),
    "bias_not_summed": ("P102", "Linear", ""),
    "last_sample": ("W103", "Linear", "partials"),
    "weight_sign": ("S104", "Linear", "partials"),
    "loss_sign": ("S101", "MSELoss", "backward"),
    "half_missing": ("L102", "HalfSquaredError", "backward"),
    "factor_two_missing": ("L101", "MSELoss", "backward"),
    "sum_for_mean": ("R103", "CrossEntropyLoss", "backward"),
    "softmax_diagonal": ("A106", "Softmax", "backward"),
    "skip_forgotten": ("G102", "Add", "backward"),
    "dropout_scale": ("D102", "Dropout", "backward"),
    "leaky_slope": ("H101", "LeakyReLU", "backward"),
    "batch_norm_constant": (None, "BatchNorm1d", "backward"),
    "batch_norm_statistics": ("N101", "BatchNorm1d", "backward"),
    "float32_constant": ("X109", "Sigmoid", "backward"),
    "updated_weights": ("W107", "Linear", "backward"),
    "last_use_wins": ("G104", "", "backward"),
}
"""What each fake of `fakes` is: the code of the fault, or None; the operator that is wrong, and its part."""
HARMLESS = {"relu_one_at_zero", "Accumulating"}
"""Another convention; and one that only a second call shows."""
NO_FAKES = {"wrong", "chain", "linear", "replace"}


def failures(subject: Subject, wanted: int = 2, among: int = 400) -> list[Failure]:
    """The first failing cases of one cause that are not small already, as a run collects them."""
    stream, twin, tally = Stream(0), None, Tally()
    for k in range(among):
        case = stream[k]
        if isinstance(case, Case) and len(case.nodes) > 2:
            twin = twin if twin is not None and twin.nodes is case.nodes else Twin(case)
            tally.add(f"case {k}", case, trial(case, subject, twin, QUICK), subject)
            full = [group for group in tally.groups.values() if len(group) >= wanted]
            if full:
                return full[0]
    return next(iter(tally.groups.values()))


def plain(finding: Finding) -> bool:
    """Whether a person can do it by hand."""
    case = finding.case
    assert isinstance(case, Case)
    nodes = [n for n in case.nodes if n.op != "Dot" and not n.op.endswith(("Loss", "Error"))]
    numbers = np.concatenate([np.ravel(x) for x in (*case.inputs.values(), *case.parameters.values())])
    return len(nodes) <= 3 and bool((np.abs(numbers) < 10).all()) and bool((numbers * 2 == np.round(numbers * 2)).all())


def test_every_fake_is_in_the_table() -> None:
    made_here = {name for name, value in vars(fakes).items() if callable(value) and name[0] != "_"}
    its_own = {n for n in made_here if getattr(getattr(fakes, n), "__module__", "") == "tests.fakes"}
    assert its_own - NO_FAKES == set(TABLE) | HARMLESS


@pytest.mark.parametrize("name", TABLE)
def test_a_fake_is_caught_shrunk_blamed_and_named(name: str) -> None:
    code, op, part = TABLE[name]
    subject = wrap(getattr(fakes, name), name)
    group = failures(subject)
    finding = analyse(group, subject, len(group))
    assert finding.verdict.outcome == ("errored" if code == "P102" else "mismatch"), finding.sentence
    assert finding.verdict.stage == ("contract" if code == "P102" else "proved")
    assert (finding.diagnosis and finding.diagnosis.code) == code, finding.sentence
    assert plain(finding), finding.case
    if part:
        assert finding.born is not None
        assert (finding.born.op, finding.born.part) == (op or finding.born.op, part)
        assert [s.status for s in finding.backward if s.node == finding.born.node] == ["wrong"]
        assert "wrong" not in {s.status for s in finding.backward if s.node != finding.born.node}
    if finding.diagnosis is not None:
        node = next(n for n in finding.case.nodes if n.name == finding.diagnosis.node)  # type: ignore[union-attr]
        assert node.op == (op or node.op)
        assert finding.sentence.startswith(node.name)
        assert finding.diagnosis.name in finding.sentence
    assert finding.count == len(group)
    assert judge(finding.case, subject, how=How(twice=False)).outcome == finding.verdict.outcome


def test_another_convention_is_only_noted() -> None:
    report = check(wrap(fakes.relu_one_at_zero), cases=96, dtypes=("float64",), profile="mlp")
    assert report.exit_code == 0
    assert report.findings == ()
    assert {note.outcome for note in report.notes} == {"convention"}
    assert all("ReLU at 0: 1 of the right slope (torch 0)" in note.reason for note in report.notes)


def test_what_accumulates_is_named() -> None:
    case = chain(*MLP)
    subject = wrap(Accumulating())
    diagnosis = breach_diagnosis(case, judge(case, subject))
    assert diagnosis is not None
    assert diagnosis.code == "P101"


# ------------------------------------------------------------------------------------------------ breaches of contract


def spoilt(change: Callable[[Case, Answer], None]) -> Subject:
    """The reference, with its answer changed."""

    def call(case: Case) -> Answer:
        answer = fakes.wrong("Identity")(case)
        change(case, answer)
        return answer

    return wrap(call)


def _transpose(case: Case, answer: Answer) -> None:
    answer.gradients["n1.weight"] = answer.gradients["n1.weight"].T


def _squeeze(case: Case, answer: Answer) -> None:
    answer.gradients = {name: np.squeeze(g) for name, g in answer.gradients.items()}


def _widen(case: Case, answer: Answer) -> None:
    answer.gradients["x"] = answer.gradients["x"].astype(np.float32)


def _drop(case: Case, answer: Answer) -> None:
    del answer.gradients["n1.bias"]


def _whole(case: Case, answer: Answer) -> None:
    answer.gradients["x"] = answer.gradients["x"].astype(np.int64)


def _overwrite(case: Case, answer: Answer) -> None:
    case.inputs["x"][...] = 0


def _shake(case: Case, answer: Answer) -> None:
    answer.gradients["x"] = answer.gradients["x"] * (1 + 1e-3 * np.random.default_rng().random())


@pytest.mark.parametrize(
    ("code", "change", "node"),
    [
        ("P103", _transpose, "n1"), ("P106", _squeeze, "n1"), ("P105", _widen, "n1"), ("P110", _drop, "n1"),
        ("P114", _whole, "n1"), ("P104", _overwrite, ""), ("P112", _shake, ""),
    ],
)  # fmt: skip
def test_a_breach_is_named(code: str, change: Callable[[Case, Answer], None], node: str) -> None:
    case = chain(linear(2, 3), "Tanh", linear(3, 2), shape=(1, 2) if code == "P106" else (3, 2))
    verdict = judge(case, spoilt(change))
    assert verdict.failed, verdict
    diagnosis = breach_diagnosis(case, verdict)
    assert diagnosis is not None, verdict.reason
    assert (diagnosis.code, diagnosis.node) == (code, node)


def test_what_depends_on_the_call_before_is_named() -> None:
    before: dict[str, np.ndarray] = {}

    def stale(case: Case) -> Answer:
        answer = fakes.wrong("Identity")(case)
        mine, before["x"] = before.get("x", answer.gradients["x"]), answer.gradients["x"]
        answer.gradients["x"] = mine if mine.shape == answer.gradients["x"].shape else answer.gradients["x"]
        return answer

    report = check(wrap(stale), cases=40, dtypes=("float64",))
    assert "P113" in {f.diagnosis.code for f in report.findings if f.diagnosis}


# ---------------------------------------------------------------------------------------------------------- hypotheses


def test_a_fault_that_a_passing_case_contradicts_is_not_believed() -> None:
    small, large = (chain(linear(2, 2), shape=(n, 2)) for n in (1, 4))
    right = wrap(fakes.wrong("Identity"))

    def evidence(case: Case, weight: np.ndarray, wrong: bool) -> Evidence:
        got = {**right.answer(case).answer.gradients, "n1.weight": weight}
        return Evidence(case, got, {"n1.weight"} if wrong else set())

    zero = evidence(small, np.zeros((2, 2)), True)
    forgotten = diagnose(zero, [], lambda k: [])
    assert forgotten is not None
    assert {forgotten.code, *(also.split()[0] for also in forgotten.also)} >= {"W105", "W106"}, "all, or the last one"
    passing = Probe(False, frozenset(), evidence(large, right.answer(large).answer.gradients["n1.weight"], False))
    batch_one = diagnose(zero, [], lambda k: [passing] * 4)
    assert batch_one is not None
    assert batch_one.code == "W124", "only a batch of one goes without"


def test_numbers_that_no_fault_explains_are_not_named() -> None:
    case = chain(*MLP)
    got = {n: g * 1.2345 for n, g in wrap(fakes.wrong("Identity")).answer(case).answer.gradients.items()}
    assert diagnose(Evidence(case, got, set(got)), [], lambda k: []) is None


def test_every_fault_is_whole() -> None:
    planted = {seed.code for seed in SEEDS}
    assert len(FAULTS) > 250
    assert len({f.name for f in FAULTS.values()}) == len(FAULTS)
    for code, fault in FAULTS.items():
        assert re.fullmatch("[A-Z][0-9]{3}", code)
        assert fault.family
        assert fault.story.endswith(".")
        assert fault.wrong != fault.right
        assert code in planted, "every fault has a seed"
        assert (code in HYPOTHESES) == (fault.part != "contract"), code


def test_seeds_and_hypotheses_share_no_code() -> None:
    for one, other in (("seeds", "hypotheses"), ("hypotheses", "seeds")):
        for path in (Path(oracle.__file__).parent / one).glob("*.py"):
            assert f"oracle.{other}" not in path.read_text().replace(f"`oracle.{other}`", ""), path


SAMPLE = [seed for k, seed in enumerate(SEEDS) if k % 40 == 0]


@pytest.mark.parametrize("seed", SAMPLE, ids=lambda s: s.name)
def test_a_planted_fault_is_found_located_and_named(seed: Seed) -> None:
    subject, fault = seed.plant(), FAULTS[seed.code]
    report = check(subject, cases=120, profile=seed.profile)
    assert report.findings, seed.name
    first = report.findings[0]
    if fault.part != "contract":
        assert first.born is not None
        assert not seed.ops or first.born.op in seed.ops.split()
    assert first.diagnosis is not None, first.sentence
    assert seed.code in {first.diagnosis.code, *(also.split()[0] for also in first.diagnosis.also)}
