"""What others say of right and of wrong code, where each is right to say it, and where each is known to fail."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from oracle.peers import PEERS, Question, Say, asking
from oracle.seeds.planting import bent, stepping
from oracle.spec import Case, UpdateCase
from oracle.subjects import Subject, resolve
from tests.fakes import MLP, chain, linear

BY_NAME = {peer.name: peer for peer in PEERS}
ALL = tuple(BY_NAME)
GRADCHECKS, DIFFERENCES, BESIDE = ALL[:2], ALL[2:4], ALL[4:]
RIGHT = resolve("reference")


def says(peer: str, case: Case | UpdateCase, subject: Subject) -> Say:
    return BY_NAME[peer].judge(Question("here", case), asking(subject))


def times(factor: float, op: str = "MSELoss") -> Subject:
    """A layer whose error signals are so many times too large."""
    return bent("S101", op, backward=lambda self, right, *a: tuple(
        None if g is None else (g * factor).astype(g.dtype) for g in right(*a))).plant()  # fmt: skip


def answering(change: Callable[[dict[str, Any]], Any]) -> Subject:
    """The reference, with its answer changed."""

    def call(case: Case) -> Any:
        answer = RIGHT.call(case)
        return {"loss": answer.loss, "gradients": change(dict(answer.gradients))}

    return Subject("changed", call)


@pytest.mark.parametrize("peer", ALL)
def test_right_code_is_right_and_a_wrong_sign_is_wrong(peer: str) -> None:
    assert says(peer, chain(*MLP), RIGHT) == "right"
    assert says(peer, chain(*MLP), times(-1)) == "wrong"


def test_a_small_loss_hides_its_sign_from_gradcheck() -> None:
    """Its absolute tolerance of 1e-5 is larger than every gradient near the minimum."""
    case = chain("Identity")
    case = replace(case, inputs={name: x * 1e-6 for name, x in case.inputs.items()})
    assert {peer: says(peer, case, times(-1)) for peer in ALL} == {
        "gradcheck, slow": "right",
        "gradcheck, fast": "right",
        "differences, 1e-7": "wrong",
        "differences, 1e-2": "wrong",
        "np.allclose": "wrong",
        "assert_close": "wrong",
    }


def test_smaller_errors_than_the_tolerance_are_missed() -> None:
    case = chain(*MLP)
    missed = {peer for peer in ALL if says(peer, case, times(1 + 5e-6)) == "right"}
    assert missed == {"gradcheck, slow", "gradcheck, fast", "differences, 1e-2", "np.allclose"}


def test_a_kink_makes_differences_accuse_right_code() -> None:
    case = chain("ReLU", loss="Dot")
    case = replace(case, inputs=case.inputs | {"x": np.zeros((3, 2))})
    assert {peer for peer in ALL if says(peer, case, RIGHT) == "wrong"} == {*GRADCHECKS, *DIFFERENCES}


def test_a_wrong_shape_escapes_where_shapes_broadcast() -> None:
    """np.allclose broadcasts, and torch reduces a gradient that has the batch in front."""
    case = chain(linear(2, 2), shape=(1, 2))
    subject = answering(lambda g: g | {"n1.bias": g["n1.bias"][None]})
    said = {peer: says(peer, case, subject) for peer in ALL}
    assert {peer for peer, word in said.items() if word == "wrong"} == {*DIFFERENCES, "assert_close"}


@pytest.mark.parametrize("peer", ALL)
def test_a_single_number_is_a_tensor_too(peer: str) -> None:
    case = chain("Tanh", loss="Dot")
    inputs = {"x": np.float64(0.5), "c": np.float64(2.0)}
    assert says(peer, replace(case, inputs=inputs), RIGHT) == "right"


@pytest.mark.parametrize("peer", ALL)
def test_no_answer_and_a_missing_gradient_are_wrong(peer: str) -> None:
    def fails(gradients: dict[str, Any]) -> Any:
        raise ZeroDivisionError

    for change in (fails, lambda g: {n: x for n, x in g.items() if n != "n1.bias"}, lambda g: "nothing"):
        assert says(peer, chain(*MLP), answering(change)) == "wrong"


@pytest.mark.parametrize("peer", ALL)
def test_an_answer_of_another_shape_is_wrong(peer: str) -> None:
    subject = answering(lambda g: g | {"n1.weight": np.ones((7, 5))})
    assert says(peer, chain(*MLP), subject) == "wrong"


def test_a_point_beside_the_case_that_the_subject_refuses_is_no_verdict() -> None:
    """A probability of 1 cannot be moved up: BCELoss itself refuses."""
    case = chain("Sigmoid", loss="BCELoss")
    ones = {"x": np.full((1, 1), 50.0), "t": np.ones((1, 1))}
    case = replace(case, nodes=(replace(case.nodes[-1], inputs=("x", "t")),), inputs=ones | {"x": np.ones((1, 1))})
    assert {says(peer, case, RIGHT) for peer in (*GRADCHECKS, *DIFFERENCES)} == {"cannot say"}


def test_float32_and_step_5_are_only_for_those_beside_autograd() -> None:
    case = chain(*MLP, dtype="float32")
    step = UpdateCase(
        op="SGD", attrs={"lr": 0.1}, parameters={"w": np.ones(2)}, gradients=({"w": np.array([1.0, 2.0])},)
    )
    ascent = stepping("O101", "SGD", lambda o, right, theta, g, state, t, name: right(theta, -g, state)).plant()
    for peer in BESIDE:
        assert BY_NAME[peer].everywhere
        assert says(peer, case, RIGHT) == "right"
        assert says(peer, case, times(-1)) == "wrong"
        assert says(peer, step, RIGHT) == "right"
        assert says(peer, step, ascent) == "wrong"
    for peer in (*GRADCHECKS, *DIFFERENCES):
        assert not BY_NAME[peer].everywhere
        assert {says(peer, case, RIGHT), says(peer, step, RIGHT)} == {"cannot say"}


def test_a_dtype_is_seen_by_assert_close_alone() -> None:
    case = chain("Identity", loss="Dot")
    case = replace(case, inputs={n: np.round(x) for n, x in case.inputs.items()})
    subject = answering(lambda g: {n: x.astype("float32") for n, x in g.items()})
    assert {peer for peer in ALL if says(peer, case, subject) == "wrong"} == {"assert_close"}


def test_the_case_is_not_for_the_subject_to_change() -> None:
    def call(case: Case) -> Any:
        answer = RIGHT.call(case)
        case.inputs["x"] += 1
        return answer

    case = chain(*MLP)
    before = case.inputs["x"].copy()
    assert says("np.allclose", case, Subject("changes", call)) == "right"
    np.testing.assert_array_equal(case.inputs["x"], before)
