"""What is asked: always a case that can be judged, the same for the same seed, of every operator and regime."""

from collections import Counter
from random import Random

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st

from oracle import draws, strategies
from oracle.architectures import LOSSES, PROFILES, UNITS
from oracle.draws import OPTIMIZERS, Stream
from oracle.kinks import kinks
from oracle.spec import Case, UpdateCase
from oracle.twin import Twin, run_update

QUIET = settings(
    deadline=None, derandomize=True, database=None, max_examples=60, suppress_health_check=list(HealthCheck)
)


def graphs(stream: Stream, count: int) -> list[Case]:
    return [c for k in range(count) if isinstance(c := stream[k], Case)]


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_every_case_can_be_judged(profile: str, dtype: str) -> None:
    stream = Stream(11, dtype, profile)
    for k in range(0, 40, 1 if profile == "standard" else 3):
        case = stream[k]
        assert case.dtype == dtype
        case.check()
        if isinstance(case, UpdateCase):
            run_update(case)
        else:
            Twin.of(case)


def test_a_case_depends_on_its_seed_and_number_alone() -> None:
    first, second = Stream(5), Stream(5)
    numbers = [*range(0, 40, 3), 600, 601, 700]
    there = {k: first[k].id for k in numbers}
    back = {k: second[k].id for k in reversed(numbers)}
    assert there == back
    assert len(set(there.values())) == len(numbers)
    for other in (Stream(6), Stream(5, "float32"), Stream(5, profile="mlp")):
        assert not {other[k].id for k in numbers} & set(there.values())


def test_one_architecture_carries_several_values() -> None:
    stream = Stream(0)
    a, b = stream[0], stream[1]
    assert isinstance(a, Case)
    assert isinstance(b, Case)
    assert a.nodes is b.nodes
    assert a.id != b.id
    assert len({id(c.nodes) for c in graphs(stream, 32)}) == 16


def test_a_short_run_meets_every_operator_and_every_shape_of_graph() -> None:
    cases = graphs(Stream(0), 130)
    ops = Counter(node.op for case in cases for node in case.nodes)
    assert set(ops) >= set(UNITS) | set(LOSSES)
    assert {case.training for case in cases} == {True, False}
    assert any(len(case.spec.consumers(name)) > 1 for case in cases for name in case.inputs), "no fan-out"
    assert any(x.shape[0] == 0 for case in cases for x in case.inputs.values() if x.ndim), "no empty batch"
    assert any(x.ndim == 3 for case in cases for x in case.inputs.values()), "no third axis"
    assert any(case.spec.consumers(n.name) == [] for case in cases for n in case.nodes[:-1] if n.op != "Chunk"), (
        "no stub"
    )
    assert any(node.params for case in graphs(Stream(0), 600) for node in case.nodes), "no tied weights"


def test_numbers_of_every_kind_are_met() -> None:
    cases = graphs(Stream(0, "float32"), 200)
    reals = [x for case in cases for x in case.inputs.values() if x.dtype.kind == "f" and x.size]
    assert any((np.abs(x) > 100).any() for x in reals)
    assert any(((x != 0) & (np.abs(x) < np.finfo("f4").tiny)).any() for x in reals), "no denormal"
    assert any((np.signbit(x) & (x == 0)).any() for x in reals), "no -0"
    assert any((x == np.round(x)).all() for x in reals)
    assert all(np.isfinite(x).all() for x in reals)
    met = sum(
        bool((truth.values[node.inputs[0]] == kink.at).any())
        for case in cases[:60]
        for truth in [Twin(case).run(case)]
        for node in case.nodes
        for kink in kinks(node)
    )
    assert met > 5, "kinks are not met exactly"


def test_updates_come_in_turn_and_meet_every_optimizer() -> None:
    stream, every = Stream(0), PROFILES["standard"].updates
    assert [k for k in range(3 * every) if isinstance(stream[k], UpdateCase)] == [n * every - 1 for n in (1, 2, 3)]
    assert {draws.update_case(Random(k), "float64").op for k in range(60)} == set(OPTIMIZERS)


def test_only_what_a_subject_supports_is_drawn() -> None:
    few = frozenset({"Linear", "Tanh", "MSELoss"})
    for case in graphs(Stream(0, supports=few), 60):
        assert {node.op for node in case.nodes} <= few
    with pytest.raises(ValueError, match="supports no loss"):
        Stream(0, supports=frozenset({"Linear"}))[0]


# ---------------------------------------------------------------------------------------------------- hypothesis


@QUIET
@given(strategies.cases())
def test_the_strategies_draw_cases_that_can_be_judged(case: Case) -> None:
    case.check()
    Twin.of(case)


@QUIET
@given(strategies.update_cases("float32"))
def test_the_strategies_draw_updates(case: UpdateCase) -> None:
    assert len(run_update(case)) == len(case.gradients)


@pytest.mark.parametrize("op", ["Tanh", "Add", "BatchNorm1d"])
def test_hypothesis_shrinks_an_architecture(op: str) -> None:
    options = settings(QUIET, max_examples=1000, phases=(Phase.generate, Phase.shrink))
    found = find(
        strategies.architectures(), lambda a: any(n.op == op for n in a.nodes), settings=options, random=Random(0)
    )
    assert len(found.nodes) <= 5


@QUIET
@given(st.data())
def test_a_profile_of_the_strategies_is_that_of_the_stream(data: st.DataObject) -> None:
    case = data.draw(strategies.cases("mlp", "float32"))
    assert case.dtype == "float32"
    assert {n.op for n in case.nodes} <= {"Linear", *PROFILES["mlp"].units, *PROFILES["mlp"].losses}
