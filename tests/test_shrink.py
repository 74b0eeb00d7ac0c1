"""Shrinking: every cut keeps the true gradients, every step is a whole case, and what is left can be done by hand."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from msgspec.structs import replace

from oracle import shrink
from oracle.architectures import Stream
from oracle.spec import Case, CaseError, Node, UpdateCase
from oracle.twin import Truth, Twin
from tests.fakes import chain, linear

LARGE = chain(linear(4, 5), "Tanh", linear(5, 6), ("BatchNorm1d", {"num_features": 6, "eps": 0.1}), "ReLU", linear(6, 3),
              ("LogSoftmax", {"dim": 1}), shape=(7, 4))  # fmt: skip


def drawn(count: int, step: int = 1) -> Iterator[tuple[Case, Truth]]:
    for k in range(0, count, step):
        case = Stream(4)[k]
        if isinstance(case, Case):
            yield case, Twin(case).run(case, errors=True)


def agree(small: Truth, large: Truth, renamed: dict[str, str]) -> None:
    """The gradients that both have are the same; `renamed` are tensors that have become inputs."""
    for name, g in small.gradients.items():
        expected = large.errors.get(renamed[name]) if name in renamed else large.gradients.get(name)
        if expected is not None and np.isfinite(expected).all():
            np.testing.assert_allclose(g, expected, rtol=1e-6, atol=1e-9 * max(1, np.abs(expected).max(initial=0)))


def test_a_cut_behind_a_node_keeps_the_gradients_of_what_is_left() -> None:
    for case, truth in drawn(60, 3):
        for tensor in [t for t in truth.values if t not in case.inputs][:-1]:
            if len(case.spec.consumers(tensor)) == 1 and tensor in truth.errors:
                small = shrink.cut_behind(case, truth, tensor)
                run = Twin.of(small).run(small)
                last = [n for n in case.nodes if n.name in case.spec.ancestors(case.nodes[-1])]
                if all(n.name in {m.name for m in small.nodes} or not _reads(n, small) for n in last):
                    agree(run, truth, {})


def _reads(node: Node, small: Case) -> bool:
    """Whether a node that was cut away shares a tensor or a parameter with what is left."""
    return any(i in small.inputs for i in node.inputs) or any(p in small.parameters for p in node.params.values()) or any(
        n.parameter("weight").startswith(f"{node.name}.") for n in small.nodes) or any(
        i.partition(":")[0] in {n.name for n in small.nodes} for i in node.inputs)  # fmt: skip


def test_a_cut_before_a_node_turns_error_signals_into_gradients() -> None:
    for case, truth in drawn(60, 3):
        for tensor in [t for t in truth.values if t not in case.inputs][:-1]:
            small = shrink.cut_before(case, truth, [tensor])
            name = tensor.replace(":", "_") + "_in"
            assert Twin.of(small) is not None
            if name in small.inputs:
                agree(Twin(small).run(small), truth, {name: tensor} | dict.fromkeys(small.parameters, ""))


def test_a_node_alone_hands_down_what_it_hands_down_in_company() -> None:
    alone = 0
    for case, truth in drawn(60, 3):
        for node in case.nodes[:-1]:
            small = shrink.isolate(case, truth, node)
            assert [n.name for n in small.nodes] == [node.name, "dot"]
            run = Twin.of(small).run(small)
            if node.op == "Linear" and not node.params and node.name in truth.errors:
                shared = [n for n in case.nodes if f"{node.name}.weight" in n.params.values()]
                agree(run, truth if not shared else Truth(truth.loss, {}), {})
                alone += 1
    assert alone > 10


@pytest.mark.parametrize("move", [shrink._graphs, shrink._widths], ids=["graphs", "widths"])
def test_every_move_makes_a_smaller_case_or_one_that_is_refused(move: Callable[[Case, Truth], Iterator[Case]]) -> None:
    whole = refused = 0
    for case, truth in drawn(48, 4):
        entries = sum(x.size for x in (*case.inputs.values(), *case.parameters.values()))
        for small in move(case, truth):
            try:
                Twin.of(small)
                whole += 1
            except CaseError:
                refused += 1
                continue
            if move is shrink._widths:
                assert len(small.nodes) == len(case.nodes)
                assert sum(x.size for x in (*small.inputs.values(), *small.parameters.values())) < entries
    assert whole > 20 * refused


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
    tensors = [*small.inputs.values(), *small.parameters.values()]
    assert all(set(np.unique(x)) <= {1.0} for x in tensors)
    assert max(x.size for x in tensors) <= (2 if op == "BatchNorm1d" else 1)


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
        return True

    assert len(shrink.shrink(LARGE, fails, budget=60).nodes) == len(LARGE.nodes)


def test_an_update_keeps_one_number_and_the_argument_that_matters() -> None:
    rng = np.random.default_rng(0)
    tensors = [{n: rng.normal(size=(3, 2)) for n in "vw"} for _ in range(5)]
    case = UpdateCase(
        op="Adam", attrs={"lr": 0.1, "amsgrad": True, "eps": 0.5}, parameters=tensors[0], gradients=tuple(tensors[1:])
    )
    small = shrink.shrink_update(case, lambda c: len(c.gradients) >= 2 and c.attrs.get("amsgrad", False))
    assert small.attrs == {"lr": 0.1, "amsgrad": True}
    assert len(small.gradients) == 2
    assert [x.size for x in small.parameters.values()] == [1]
    for tensors_of in (small.parameters, *small.gradients):
        assert all(abs(x).item() in (1.0, 2.0, 3.0) for x in tensors_of.values())
    small.check()
