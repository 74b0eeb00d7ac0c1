"""Every fake is caught, shrunk to what one can do by hand, blamed on the right node, and named if it has a name."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from oracle.architectures import UNITS
from oracle.check import QUICK, Failure, Tally, analyse, check
from oracle.diagnose import Evidence, breach_diagnosis, diagnose, predict
from oracle.draws import Stream
from oracle.faults import ELEMENTWISE, FAULTS, PROTOCOL, Fault
from oracle.judge import How, judge, trial
from oracle.records import Finding
from oracle.spec import Case, Node
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
    "float32_constant": (None, "Sigmoid", "backward"),
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


# --------------------------------------------------------------------------------------------------- the catalogue

X, C = np.array([[0.5, -1.0], [1.5, 2.0], [-0.5, 0.25]]), np.array([[1.0, 2.0], [-1.0, 0.5], [3.0, -2.0]])


def around(op: str, more: dict[str, np.ndarray] | None = None, **attrs: Any) -> Case:
    """An operator between two Linear layers."""
    base = chain(linear(2, 2), linear(2, 2), loss="Dot")
    first, second, dot = base.nodes
    node = Node("f", op, (first.name, *(more or {})), attrs)
    read = "f:0" if op == "Chunk" else "f"
    nodes = (first, node, Node(second.name, "Linear", (read,), second.attrs), dot)
    return Case(nodes=nodes, inputs=base.inputs | {"x": X, "c": C} | (more or {}), parameters=base.parameters)


MASK = {"m": np.array([[True, False], [True, True], [False, True]])}
SUM, MEAN = ({"reduction": r} for r in ("sum", "mean"))
SCENES: dict[str, Case] = {
    **{f.code: around("Tanh") for f in FAULTS if f.code[0] in "ARBWS"},
    "A103": around("Sigmoid"),
    "A106": around("Softmax", dim=1),
    "R103": chain(*MLP, loss=("MSELoss", MEAN)),
    "R104": chain(*MLP, loss=("MSELoss", MEAN)),
    "R105": chain(*MLP, loss=("MSELoss", SUM)),
    "R106": chain(*MLP, loss=("MSELoss", SUM)),
    "S101": chain(*MLP),
    "L101": chain(*MLP, loss=("MSELoss", SUM)),
    "L102": chain(*MLP, loss="HalfSquaredError"),
    "H101": around("ELU", alpha=0.3),
    "G101": around("Add", {"u": C}),
    "G102": around("Add", {"u": C}),
    "G103": around("Tanh"),
    "N101": around("BatchNorm1d", num_features=2, affine=False, track_running_stats=False),
    "D101": around("Dropout", MASK, p=0.25),
    "D102": around("Dropout", MASK, p=0.25),
}


def mistaken(fault: Fault, true: Evidence) -> Iterator[Evidence]:
    """What a subject with the fault would say, at each node where that is another thing."""
    for node in true.case.nodes:
        predicted = predict(true, fault, lambda n, name=node.name: n.name == name) if fault.applies(node) else None
        wrong = {n for n, g in (predicted or {}).items() if not np.allclose(g, true.truth.gradients[n], rtol=1e-9)}
        if wrong:
            yield Evidence(true.case, dict(predicted or {}), wrong)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f.code)
def test_every_fault_of_the_catalogue_is_told_from_all_others(fault: Fault) -> None:
    """Autograd with the fault is a subject; the diagnosis finds the fault again, and reproduces nothing else."""
    evidence = list(mistaken(fault, Evidence(SCENES[fault.code], {}, set())))
    assert evidence, "the fault changes nothing"
    for e in evidence:
        found = diagnose(e, [])
        assert found is not None
        assert fault.code in (found.code, *(also.split()[0] for also in found.also)), found


def test_an_unknown_mistake_is_not_named() -> None:
    case = chain(*MLP)
    truth = Twin(case).run(case).gradients
    bent = {n: g * 1.37 if n == "n1.weight" else g for n, g in truth.items()}
    assert diagnose(Evidence(case, bent, {"n1.weight"}), []) is None
    spoiled = {**truth, "x": np.full_like(truth["x"], np.nan)}
    assert diagnose(Evidence(case, spoiled, {"x"}), []) is None


def test_the_larger_cases_decide_between_faults_that_the_smallest_cannot_tell_apart() -> None:
    """With one sample, the last is the first and the sum is the mean."""
    small, large = (chain(linear(2, 2), shape=(n, 2)) for n in (1, 4))
    subject = wrap(fakes.last_sample)

    def evidence(case: Case) -> Evidence:
        gradients = {n: np.zeros_like(g) if case is small and n == "n1.weight" else g for n, g in _got(case).items()}
        return Evidence(case, gradients, {"n1.weight"})

    def _got(case: Case) -> dict[str, np.ndarray]:
        return subject.answer(case).answer.gradients

    alone = diagnose(evidence(small), [])
    assert alone is not None
    assert {alone.code, *(also.split()[0] for also in alone.also)} >= {"W105", "W106"}, (
        "a dropped sample, or all of them"
    )
    both = diagnose(evidence(large), [])
    assert both is not None
    assert (both.code, both.also) == ("W103", ())


def test_the_catalogue_is_whole() -> None:
    every = [*FAULTS, *PROTOCOL.values()]
    assert len({f.code for f in every}) == len(every) == len({f.name for f in every})
    assert all(f.story.endswith(".") and f.wrong != f.right for f in every)
    assert set(SCENES) >= {f.code for f in FAULTS}
    assert set(UNITS) > ELEMENTWISE
