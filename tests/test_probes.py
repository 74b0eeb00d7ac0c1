"""Probes say when a fault shows; regimes are what they say; a layer alone can be shown to any subject."""

from collections import Counter
from typing import Any

import numpy as np
import pytest

from oracle import probes
from oracle.analysis import signature
from oracle.architectures import UNITS, architecture
from oracle.check import check
from oracle.draws import Stream
from oracle.judge import judge, trial
from oracle.probes import QUICK
from oracle.regimes import ALWAYS, expected, regimes, update_regimes
from oracle.shrink import isolate
from oracle.spec import Answer, Case, UpdateCase
from oracle.stage import control, shown, stages
from oracle.subjects import Subject, wrap
from oracle.twin import Twin
from tests import fakes
from tests.fakes import MLP, chain, linear, wrong

# ------------------------------------------------------------------------------------------------------------ regimes


def of(case: Case, node: str) -> set[str]:
    """The regimes of a node."""
    return regimes(case, Twin(case).run(case).values)[node]


def test_a_regime_is_told_from_the_case() -> None:
    case = chain(linear(2, 2), ("LeakyReLU", {"negative_slope": 0.25}), shape=(2, 2))
    assert {"with a square weight", "with a batch equal to the width", "in training", "in float64"} <= of(case, "n1")
    assert {"with negative_slope off its default", "with some argument off its default"} <= of(case, "n2")
    assert "with all arguments at their defaults" in of(chain(*MLP), "n2")
    alone = chain("ReLU", shape=(1, 3), training=False)
    zero = Case(nodes=alone.nodes, inputs=alone.inputs | {"x": np.zeros((1, 3))}, training=False)
    assert {"exactly at a kink", "on zeros", "on equal numbers", "with a batch of 1", "in evaluation"} <= of(zero, "n1")
    labels = chain("Identity", loss=("NLLLoss", {"ignore_index": 1}))
    ignored = Case(nodes=labels.nodes, inputs={"x": labels.inputs["x"], "t": np.array([1, 1, 1])})
    assert {"with ignored labels", "with all labels ignored", "with reduction mean"} <= of(ignored, "loss")


def test_a_regime_of_step_5_is_told_from_the_case() -> None:
    zero = {"w": np.zeros(2)}
    case = UpdateCase(
        op="Adam", attrs={"lr": 0.1, "betas": [0.9, 0.999], "amsgrad": True}, parameters=zero, gradients=(zero,)
    )
    assert {"with amsgrad off its default", "with one step", "on numbers below 0.001"} <= update_regimes(case)
    assert "with betas off its default" not in update_regimes(case)


@pytest.mark.parametrize("dtypes", [("float64", "float32")])
def test_every_operator_meets_every_regime_it_can(dtypes: tuple[str, ...]) -> None:
    met: dict[str, Counter[str]] = {}
    for dtype in dtypes:
        stream, twin = Stream(0, dtype), None
        for k in range(2500):
            case = stream[k]
            if isinstance(case, Case):
                twin = twin if twin is not None and twin.nodes is case.nodes else Twin(case)
                found = regimes(case, twin.run(case).values)
                for node in case.nodes:
                    met.setdefault(node.op, Counter()).update(found[node.name])
    unmet = {op: [r for r in expected(op) if not met[op][r]] for op in met}
    rare = {"BCELoss"}  # a probability below 0.001 everywhere
    assert {op: r for op, r in unmet.items() if r and op not in rare} == {}
    assert set(met) >= set(UNITS)
    assert len(set(ALWAYS)) == len(ALWAYS)


def test_the_report_states_what_was_met_and_what_was_not() -> None:
    report = check("reference", cases=60)
    assert report.regimes["Linear"]["in training"] > 0
    assert any("in a net of more than 10 nodes" in r for r in report.unmet.values())
    assert check("reference", cases=10, profile="mlp").unmet == {}


def test_one_graph_is_met_with_several_batch_sizes() -> None:
    stream = Stream(0)
    cases = [c for k in range(300) if isinstance(c := stream[k], Case)]
    sizes: dict[Any, set[int]] = {}
    for case in cases:
        sizes.setdefault(id(case.nodes), set()).add(case.inputs["x"].shape[0])
    assert sum(len(s) > 1 for s in sizes.values()) > 50
    assert any(node.op == "Dot" and x.shape == () for c in cases for node in c.nodes for x in (c.inputs.get("c"),)
               if x is not None), "a loss with an error signal other than 1"  # fmt: skip


# ------------------------------------------------------------------------------------------------------------ triggers


@pytest.mark.parametrize(
    ("name", "op", "said"),
    [
        ("transposed_weights", "Linear", "only with a square weight"),
        ("leaky_slope", "LeakyReLU", "only with negative_slope off its default"),
        ("dropout_scale", "Dropout", "only in training"),
    ],
)
def test_a_trigger_is_what_the_probes_say(name: str, op: str, said: str) -> None:
    subject = wrap(getattr(fakes, name))
    told = probes.trigger([*probes.of_operator(op, subject, 0), *probes.of_operator(op, subject, 1)], f"{op} alone")
    assert told.startswith(said), told
    assert "in none of the" in told


def test_a_trigger_is_not_made_up() -> None:
    never = probes.of_operator("Tanh", wrap(fakes.wrong("Identity")), 0, 12)
    assert probes.trigger(never, "Tanh alone") == ""
    often = list(probes.of_operator("MSELoss", wrap(fakes.loss_sign), 0, 24))
    assert probes.trigger(often, "MSELoss alone").startswith("in ")


@pytest.mark.parametrize("op", ["Linear", "Add", "Multiply", "Chunk", "Flatten", "GLU", "BatchNorm1d", "NLLLoss"])
def test_an_operator_alone_is_drawn(op: str) -> None:
    found = list(probes.of_operator(op, wrap(fakes.wrong("Identity")), 0, 6))
    assert len(found) == 6
    assert not any(p.failed for p in found)
    assert all(len(p.evidence.case.nodes) <= 2 for p in found if p.evidence)


# --------------------------------------------------------------------------------------------------------- the stage


def alone(case: Case, name: str) -> Case:
    """A node alone."""
    truth = Twin(case).run(case, errors=True)
    return isolate(case, truth, next(n for n in case.nodes if n.name == name))


def test_the_error_signal_is_shown_as_the_partial_of_a_linear() -> None:
    case = alone(chain(*MLP), "n2")
    exposed = shown(case)
    there, here = (Twin.of(c).run(c).gradients for c in (exposed, case))
    np.testing.assert_array_equal(there["n1_in_shown.weight"].T, here["n1_in"])
    assert [n.op for n in control(exposed).nodes] == ["Linear", "Dot"]


def test_a_subject_without_dot_gets_a_squared_error() -> None:
    case = alone(chain(*MLP), "n2")
    for op in ("HalfSquaredError", "MSELoss"):
        subject = Subject("s", lambda c: None, supports=frozenset({"Tanh", op}))
        (other,) = stages(case, subject)
        there, here = (Twin.of(c).run(c).gradients["n1_in"] for c in (other, case))
        assert other.nodes[-1].op == op
        np.testing.assert_allclose(there, here, rtol=1e-12)


@pytest.mark.parametrize(("name", "op", "part"), [("tanh_without_square", "Tanh", "backward"),
                                                  ("softmax_diagonal", "Softmax", "backward"),
                                                  ("transposed_weights", "Linear", "backward"),
                                                  ("last_sample", "Linear", "partials")])  # fmt: skip
def test_a_black_box_that_returns_partials_only_is_located(name: str, op: str, part: str) -> None:
    its = getattr(fakes, name)

    def subject(case: Case) -> Answer:
        answer = its(case)
        return Answer(loss=answer.loss, gradients={n: g for n, g in answer.gradients.items() if n in case.parameters})

    box = Subject("box", subject, returns=frozenset({"parameters"}))
    report = check(box, cases=200, dtypes=("float64",))
    first = report.findings[0]
    assert first.born is not None
    assert (first.born.op, first.born.part) == (op, part)
    assert first.diagnosis is not None


def test_the_operator_that_fails_alone_is_the_signature() -> None:
    case = chain(*MLP)
    subject = wrap(fakes.tanh_without_square)
    key, found = signature(case, trial(case, subject, how=QUICK), subject)
    assert key == "Tanh backward"
    assert found is not None


# ------------------------------------------------------------------------------------------------- declared conventions


def half_at_zero(self: Any, right: Any, p: Any, s: Any, d: np.ndarray) -> tuple[np.ndarray, ...]:
    """relu'(0) = 0.3."""
    return ((d * np.where(s[0] > 0, 1, np.where(s[0] == 0, 0.3, 0))).astype(d.dtype),)


def test_a_declared_convention_is_a_match_and_any_valid_one_a_convention() -> None:
    case = chain("ReLU")
    case.inputs["x"][0] = 0
    subject = wrong("ReLU", backward=half_at_zero)
    told = judge(case, wrap(subject))
    assert (told.outcome, "0.3 of the right slope" in told.reason) == ("convention", True)
    subject.conventions = {"ReLU": 0.3}  # type: ignore[attr-defined]
    assert judge(case, wrap(subject)).outcome == "match"
    subject.conventions = {"ReLU": (1,)}  # type: ignore[attr-defined]
    assert judge(case, wrap(subject)).outcome == "convention"
    steep = wrong(
        "ReLU", backward=lambda self, right, p, s, d: (d * np.where(s[0] > 0, 1, np.where(s[0] == 0, 1.5, 0)),)
    )
    steep.conventions = {"ReLU": 1.0}  # type: ignore[attr-defined]
    assert judge(case, wrap(steep)).outcome == "mismatch"


@pytest.mark.parametrize(
    ("declared", "told"),
    [
        ({"Tanh": 1}, "has 'Tanh', which has no kink"),
        ({"ReLU": 2}, "should be numbers from 0 to 1"),
        (3, "should be like"),
    ],
)
def test_a_declaration_that_makes_no_sense_is_refused(declared: Any, told: str) -> None:
    def subject(case: Case) -> None:
        raise AssertionError

    subject.conventions = declared  # type: ignore[attr-defined]
    with pytest.raises(Exception, match=told):
        wrap(subject)


def test_architectures_carry_batches_unless_they_normalize() -> None:
    import random

    nets = [architecture(random.Random(k)) for k in range(80)]
    assert {bool(n.batches) for n in nets} == {True, False}
    assert all(not n.batches for n in nets if any(node.op == "BatchNorm1d" for node in n.nodes))
