"""Where a difference is born: told apart from what only inherits it, and told as a walk through the backward pass."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from oracle.compare import Verdict
from oracle.judge import How, judge, trial
from oracle.localize import birthplace, isolated, narrate
from oracle.records import Birthplace, Diagnosis
from oracle.spec import Case, Node
from oracle.subjects import Subject, reference, wrap
from oracle.twin import Twin
from tests import fakes
from tests.fakes import chain, linear

NET = chain(linear(2, 2), "Tanh", linear(2, 3), "Sigmoid", linear(3, 2))
W = ["n1.weight", "n1.bias", "n3.weight", "n3.bias", "n5.weight", "n5.bias"]


def verdict(*suspects: str) -> Verdict:
    return Verdict("mismatch", "wrong", suspects=suspects)


BORN: dict[str, tuple[tuple[str, ...], str, tuple[str, str] | None]] = {
    "nothing": ((), "", None),
    "one weight": (("n3.weight",), "", ("n3", "partials")),
    "one bias": (("n5.bias",), "", ("n5", "partials")),
    "weight and bias of the last layer": (("n5.weight", "n5.bias"), "n5", ("n5", "partials")),
    "the input alone": (("x",), "", ("n1", "backward")),
    "all below an activation": (("n1.weight", "n1.bias", "x"), "n2", ("n2", "backward")),
    "all below an activation, and no node fails alone": (("n1.weight", "n1.bias", "x"), "", ("n2", "backward")),
    "all below a Linear, which fails alone": (("n1.weight", "n1.bias", "x"), "n3", ("n3", "backward")),
    "the target alone": (("t",), "", ("loss", "backward")),
    "the loss": (("loss", *W), "", ("loss", "forward")),
    "an output": (("output n2", "loss", *W), "", ("n2", "forward")),
    "an error signal": (("error n2", "n1.weight", "n1.bias", "x"), "n3", ("n3", "backward")),
}


@pytest.mark.parametrize(("suspects", "guilty", "expected"), BORN.values(), ids=BORN)
def test_the_wrong_tensors_say_where(suspects: tuple[str, ...], guilty: str, expected: tuple[str, str] | None) -> None:
    born = birthplace(NET, verdict(*suspects), guilty, NET.wanted())
    assert (born and (born.node, born.part)) == expected
    if born is not None:
        assert born.op == next(n.op for n in NET.nodes if n.name == born.node)
        assert born.node in born.sentence


def test_a_buffer_points_to_its_layer() -> None:
    case = chain(linear(2, 2), ("BatchNorm1d", {"num_features": 2}))
    born = birthplace(case, verdict("buffer n2.running_var"))
    assert born is not None
    assert (born.node, born.part) == ("n2", "forward")


FAKES: dict[str, tuple[Callable[[Case], Any], Case, list[str], str]] = {
    "Tanh": (fakes.tanh_without_square, NET, ["n2"], "backward"),
    "Sigmoid": (fakes.sigmoid_from_z, NET, ["n4"], "backward"),
    "both": (fakes.no_slope, NET, ["n4", "n2"], "backward"),
    "weights": (fakes.transposed_weights, NET, ["n1"], "backward"),
    "partials": (fakes.weight_sign, NET, ["n5", "n3", "n1"], "partials"),
    "loss": (fakes.loss_sign, NET, ["loss"], "backward"),
    "softmax": (fakes.softmax_diagonal, chain(linear(2, 3), ("Softmax", {"dim": 1})), ["n2"], "backward"),
}


@pytest.mark.parametrize(("fake", "case", "guilty", "part"), FAKES.values(), ids=FAKES)
def test_the_guilty_node_fails_alone(fake: Callable[[Case], Any], case: Case, guilty: list[str], part: str) -> None:
    truth = Twin(case).run(case, errors=True)
    alone = isolated(case, truth, lambda c: judge(c, wrap(fake), how=How(prove=False, twice=False)))
    assert [node.name for node, _, _ in alone] == guilty
    for node, small, its in alone:
        born = birthplace(small, its, node.name)
        assert born is not None
        assert (born.node, born.part) == (node.name, part)
    assert isolated(case, truth, lambda c: judge(c, wrap(reference), how=How(twice=False))) == []


def test_a_diagnosis_knows_the_node_where_none_fails_alone() -> None:
    for code, part in (("W107", "backward"), ("R102", "partials")):
        diagnosis = Diagnosis(code, "", "", "", "", "n3", "")
        born = birthplace(NET, verdict("n1.weight", "n3.bias"), "", NET.wanted(), diagnosis)
        assert born is not None
        assert (born.node, born.op, born.part) == ("n3", "Linear", part)


def told(subject: Subject, case: Case, guilty: str) -> tuple[dict[str, str], dict[str, str], Birthplace | None]:
    found = trial(case, subject)
    truth = Twin(case).run(case, errors=True)
    got = {name: np.asarray(g) for name, g, _ in found.found or []}
    born = birthplace(case, found.verdict, guilty)
    stops = narrate(case, truth, got, found.verdict, born)
    assert [s.node for s in stops] == [n.name for n in reversed(case.nodes)]
    return {s.node: s.status for s in stops}, {line.tensor: line.status for s in stops for line in s.lines}, born


def test_the_walk_tells_what_is_wrong_and_what_follows() -> None:
    nodes, lines, born = told(wrap(fakes.tanh_without_square), NET, "n2")
    assert born is not None
    assert nodes == {"loss": "right", "n5": "right", "n4": "right", "n3": "right", "n2": "wrong", "n1": "follows"}
    assert lines == dict.fromkeys(["loss", "t", *W[2:]], "right") | dict.fromkeys(
        ["n1.weight", "n1.bias", "x"], "follows"
    )


def test_a_wrong_partial_spoils_nothing_else() -> None:
    case = chain(linear(2, 2), "Tanh", linear(2, 2))
    subject = wrap(lambda c: _spoiled(reference(c), "n3.weight"))
    nodes, lines, _ = told(subject, case, "n3")
    assert nodes == {"loss": "right", "n3": "wrong", "n2": "right", "n1": "right"}
    assert {t for t, status in lines.items() if status != "right"} == {"n3.weight"}
    assert lines["n3.weight"] == "wrong"


def _spoiled(answer: Any, tensor: str) -> Any:
    answer.gradients[tensor] = -answer.gradients[tensor]
    return answer


def test_what_was_not_returned_is_said() -> None:
    case = chain(linear(2, 2))
    truth = Twin(case).run(case, errors=True)
    stops = narrate(case, truth, {"n1.weight": truth.gradients["n1.weight"]}, verdict("n1.weight"), None)
    lines = {line.tensor: line.status for s in stops for line in s.lines}
    assert lines == {**dict.fromkeys(["loss", "t", "n1.bias", "x"], "not returned"), "n1.weight": "follows"}
    assert {s.node: s.status for s in stops} == {"loss": "right", "n1": "unknown"}


def test_a_dot_is_nobody_but_where_it_is_all_there_is() -> None:
    case = Case(nodes=(Node("d", "Dot", ("x", "c")),), inputs={"x": np.ones(2), "c": np.ones(2)})
    twice = wrap(lambda c: {n: 2 * g for n, g in reference(c).gradients.items()})
    truth = Twin(case).run(case, errors=True)
    assert [node.name for node, _, _ in isolated(case, truth, lambda c: judge(c, twice))] == ["d"]
