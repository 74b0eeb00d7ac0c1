"""Shrinking: every cut keeps the true gradients, every step is a whole case, and what is left can be done by hand."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from msgspec.structs import replace

from oracle import shrink
from oracle.draws import Stream
from oracle.spec import Case, CaseError, UpdateCase
from oracle.twin import Truth, Twin
from tests.fakes import chain, linear

LARGE = chain(
    *(linear(4, 5), "Tanh", linear(5, 6), ("BatchNorm1d", {"num_features": 6, "eps": 0.1}), "ReLU", linear(6, 3)),
    *[("LogSoftmax", {"dim": 1})],
    shape=(7, 4),
)


def drawn(count: int, step: int = 1) -> Iterator[tuple[Case, Truth]]:
    for k in range(0, count, step):
        case = Stream(4)[k]
        if isinstance(case, Case):
            yield case, Twin(case).run(case, errors=True)


def same(got: np.ndarray, expected: np.ndarray) -> None:
    """Equal, up to the rounding of a case with extreme numbers."""
    if np.isfinite(expected).all():
        np.testing.assert_allclose(got, expected, rtol=1e-6, atol=1e-9 * max(1, np.abs(expected).max(initial=0)))


def tensors(case: Case, truth: Truth) -> list[str]:
    """Every tensor that a node makes and the loss hears of, but for the loss."""
    return [t for t in truth.values if t in truth.errors][:-1]


def test_a_cut_behind_a_node_keeps_the_gradients_that_all_pass_through_it() -> None:
    compared = 0
    for case, truth in drawn(60, 3):
        for tensor in tensors(case, truth):
            small = shrink.cut_behind(case, truth, tensor)
            gradients = Twin.of(small).run(small).gradients
            inside = {n.name for n in small.nodes}
            outside = [n for n in case.nodes if n.name not in inside]
            elsewhere = {i for n in outside for i in n.inputs} | {p for n in outside for p in n.params.values()}
            if not elsewhere & ({t for t in truth.values if t.partition(":")[0] in inside} - {tensor}):
                for name in set(case.parameters) & set(gradients) - elsewhere:
                    same(gradients[name], truth.gradients[name])
                    compared += 1
    assert compared > 50


def test_a_cut_before_a_node_turns_its_error_signal_into_a_gradient() -> None:
    compared = 0
    for case, truth in drawn(60, 3):
        for tensor in tensors(case, truth):
            if np.isnan(truth.values[tensor]).any():
                continue  # the mean over an empty batch
            small = shrink.cut_before(case, truth, [tensor])
            gradients = Twin.of(small).run(small).gradients
            if (name := tensor.replace(":", "_") + "_in") in gradients:
                same(gradients[name], truth.errors[tensor])
                compared += 1
    assert compared > 50


def test_a_node_alone_has_the_partials_that_it_has_in_company() -> None:
    compared = 0
    for case, truth in drawn(60, 3):
        shared = {full for n in case.nodes for full in n.params.values()}
        for node in case.nodes[:-1]:
            small = shrink.isolate(case, truth, node)
            assert [n.name for n in small.nodes] == [node.name, "dot"]
            gradients = Twin.of(small).run(small).gradients
            for name in small.parameters.keys() - shared if node.name in truth.errors else ():
                same(gradients[name], truth.gradients[name])
                compared += 1
    assert compared > 20


def extent(case: Case) -> int:
    """The lengths of all axes together: entries would not tell an empty batch that got narrower."""
    return sum(sum(x.shape) for x in (*case.inputs.values(), *case.state().values()))


@pytest.mark.parametrize("move", [shrink._graphs, shrink._widths], ids=["graphs", "widths"])
def test_every_move_makes_a_smaller_case_or_one_that_is_refused(move: Callable[[Case, Truth], Iterator[Case]]) -> None:
    whole = refused = 0
    for case, truth in drawn(48, 4):
        lengths = extent(case)
        for small in move(case, truth):
            try:
                Twin.of(small)
                whole += 1
            except CaseError:
                refused += 1
                continue
            if move is shrink._widths:
                assert len(small.nodes) == len(case.nodes)
                assert extent(small) < lengths
    assert whole > 3 * refused


# ------------------------------------------------------------------------------------------------------- the search


def has(op: str) -> Callable[[Case], bool]:
    def fails(case: Case) -> bool:
        Twin.of(case)
        return any(node.op == op for node in case.nodes)

    return fails


@pytest.mark.parametrize("op", ["Linear", "Tanh", "BatchNorm1d", "ReLU", "LogSoftmax", "MSELoss"])
def test_one_operator_is_left_with_the_plainest_numbers(op: str) -> None:
    small = shrink.shrink(LARGE, has(op))
    assert [n.op for n in small.nodes] == ([op, "Dot"] if op != "MSELoss" else [op])
    assert small.nodes[0].attrs.keys() <= {"in_features", "out_features", "num_features", "dim"}
    numbers = [*small.inputs.values(), *small.parameters.values()]
    assert all(set(np.unique(x)) <= {1, 2, 3, -1, -2} for x in numbers)
    assert max(x.size for x in numbers) <= (2 if op == "BatchNorm1d" else 1)


def test_what_must_stay_stays() -> None:
    """A failure that needs two samples, a negative weight and an argument keeps just these."""

    def fails(case: Case) -> bool:
        Twin.of(case)
        own = [n for n in case.nodes if n.op == "LeakyReLU" and n.attrs.get("negative_slope") == 0.3]
        weights = [w for name, w in case.parameters.items() if name.endswith("weight")]
        return bool(own and weights) and case.inputs["x"].shape[0] >= 2 and any((w < 0).any() for w in weights)

    case = chain(linear(4, 5), ("LeakyReLU", {"negative_slope": 0.3}), linear(5, 2), shape=(6, 4))
    small = shrink.shrink(case, fails)
    assert fails(small)
    assert [n.op for n in small.nodes] == ["Linear", "LeakyReLU", "Dot"]
    assert small.inputs["x"].shape == (2, 1)
    assert small.parameters["n1.weight"].tolist() == [[-1.0]]
    assert small.parameters["n1.bias"].tolist() == [1.0]


def test_the_result_fails_still_and_is_the_same_each_time() -> None:
    for case, _ in drawn(30, 6):
        for dtype in ("float64", "float32"):
            typed = case if dtype == "float64" else _as_float32(case)
            small = shrink.shrink(typed, has(case.nodes[0].op), budget=150)
            assert has(case.nodes[0].op)(small)
            assert small.dtype == dtype
            assert small.id == shrink.shrink(typed, has(case.nodes[0].op), budget=150).id


def _as_float32(case: Case) -> Case:
    def cast(x: np.ndarray) -> np.ndarray:
        return x.astype("f4") if x.dtype.kind == "f" else x

    groups = {g: {n: cast(x) for n, x in getattr(case, g).items()} for g in ("inputs", "parameters", "buffers")}
    return replace(case, dtype="float32", **groups)


def test_no_more_trials_than_the_budget() -> None:
    asked = []
    shrink.shrink(LARGE, lambda c: bool(asked.append(c)), budget=37)  # type: ignore[func-returns-value]
    assert len(asked) == 37


def test_a_candidate_that_cannot_be_judged_is_passed_over() -> None:
    def fails(case: Case) -> bool:
        if len(case.nodes) < len(LARGE.nodes):
            raise CaseError("no")
        return Twin.of(case) is not None

    assert len(shrink.shrink(LARGE, fails, budget=60).nodes) == len(LARGE.nodes)


def test_an_update_keeps_one_number_and_the_argument_that_matters() -> None:
    rng = np.random.default_rng(0)
    drawn = [{n: rng.normal(size=(3, 2)) for n in "vw"} for _ in range(5)]
    attrs = {"lr": 0.1, "amsgrad": True, "eps": 0.5}
    case = UpdateCase(op="Adam", attrs=attrs, parameters=drawn[0], gradients=tuple(drawn[1:]))
    small = shrink.shrink_update(case, lambda c: len(c.gradients) >= 2 and c.attrs.get("amsgrad", False))
    assert small.attrs == {"lr": 0.1, "amsgrad": True}
    assert len(small.gradients) == 2
    assert [x.size for x in small.parameters.values()] == [1]
    for tensors_of in (small.parameters, *small.gradients):
        assert all(abs(x).item() in (1.0, 2.0, 3.0) for x in tensors_of.values())
    small.check()
