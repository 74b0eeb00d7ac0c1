"""The twin is torch, node by node: its answer against torch written by hand, and its refusals."""

from typing import Any

import numpy as np
import pytest
import torch
from msgspec.structs import replace
from torch import nn

from oracle.draws import Stream
from oracle.spec import Case, CaseError, Node, UpdateCase
from oracle.twin import Choice, Noise, Twin, near_kinks, optimizers, run_update
from tests.fakes import MLP, chain, linear

NET = chain(*MLP)


def test_the_answer_is_that_of_torch_written_by_hand() -> None:
    p = {name: torch.tensor(x, requires_grad=True) for name, x in {**NET.parameters, **NET.inputs}.items()}
    hidden = torch.tanh(p["x"] @ p["n1.weight"].T + p["n1.bias"])
    loss = ((hidden @ p["n3.weight"].T + p["n3.bias"] - p["t"]) ** 2).mean()
    hidden.retain_grad()
    loss.backward()
    truth = Twin.of(NET).run(NET, errors=True)
    assert truth.loss == pytest.approx(loss.item(), rel=1e-15)
    assert list(truth.gradients) == NET.wanted() == ["n1.weight", "n1.bias", "n3.weight", "n3.bias", "x", "t"]
    for name, x in p.items():
        assert x.grad is not None
        np.testing.assert_allclose(truth.gradients[name], x.grad, rtol=1e-13)
    assert hidden.grad is not None
    np.testing.assert_allclose(truth.errors["n2"], hidden.grad, rtol=1e-13)
    np.testing.assert_allclose(truth.values["n2"], hidden.detach(), rtol=1e-13)


def test_float32_is_computed_in_float64_from_the_same_numbers() -> None:
    low = chain(*MLP, dtype="float32")
    wide = {g: {n: x.astype("f8") for n, x in getattr(low, g).items()} for g in ("inputs", "parameters")}
    exact = replace(low, dtype="float64", **wide)
    assert {g.dtype for g in Twin(low).run(low).gradients.values()} == {np.dtype("f8")}
    for name, g in Twin(low).run(low).gradients.items():
        np.testing.assert_array_equal(g, Twin(exact).run(exact).gradients[name])
        rough = Twin(low).run(low, real="float32").gradients[name]
        assert rough.dtype == np.float32
        np.testing.assert_allclose(rough, g, rtol=1e-4, atol=1e-6)


def test_a_twin_of_a_stream_is_used_again_in_any_order() -> None:
    """No run leaves anything behind, whatever it was: noisy, in float32, or with errors."""
    cases = [c for k in range(0, 60, 2) if isinstance(c := Stream(3)[k], Case)]
    for case in cases:
        twin = Twin.of(case)
        first = twin.run(case)
        twin.run(case, noise=Noise("float64", 1), pins=first.values)
        twin.run(case, real="float32", errors=True)
        twin.run(case, real="float32", jitter=1)
        again = twin.run(case)
        for name, g in first.gradients.items():
            np.testing.assert_array_equal(g, again.gradients[name])


def test_running_statistics_and_evaluation() -> None:
    for training in (True, False):
        case = chain(linear(2, 3), ("BatchNorm1d", {"num_features": 3}), training=training, shape=(4, 2))
        truth = Twin.of(case).run(case)
        module = nn.BatchNorm1d(3, dtype=torch.float64).train(training)
        module.load_state_dict({r: torch.tensor(case.state()[f"n2.{r}"]) for r in module.state_dict()})
        module(torch.tensor(truth.values["n1"]))
        for role, x in module.named_buffers():
            np.testing.assert_allclose(truth.buffers[f"n2.{role}"], x, rtol=1e-14)
        moved = {n for n, x in case.buffers.items() if not np.array_equal(x, truth.buffers[n])}
        assert moved == (set(case.buffers) if training else set())


# --------------------------------------------------------------------------------------------------------- refusals


def one(op: str, *inputs: str, **attrs: Any) -> tuple[Node, ...]:
    return (Node("n", op, inputs or ("x",), attrs),)


def halves(read: str) -> tuple[Node, ...]:
    return (Node("n", "Chunk", ("x",), {"chunks": 2}), Node("d", "Dot", (read, "c")))


X = np.ones((2, 4))
W = {"n.weight": np.ones((1, 3)), "n.bias": np.ones(1)}
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "unknown operator": ({"nodes": one("Foo")}, "'Foo' is neither a class of torch.nn nor one of"),
    "a private name": ({"nodes": one("_Loss")}, "'_Loss' is neither"),
    "a function": ({"nodes": one("functional")}, "'functional' is neither"),
    "unknown argument": ({"nodes": one("ReLU", slope=1)}, "ReLU has no argument 'slope'"),
    "unknown argument of ours": ({"nodes": one("Mish", k=1)}, "Mish has no argument 'k'"),
    "device": ({"nodes": one("PReLU", device="meta")}, "no argument 'device'"),
    "in place": ({"nodes": one("ReLU", inplace=True)}, "no argument 'inplace'"),
    "deprecated": ({"nodes": one("L1Loss", "x", "c", reduce=True)}, "no argument 'reduce'"),
    "argument missing": ({"nodes": one("Linear")}, "missing 2 required"),
    "our argument missing": ({"nodes": one("Chunk")}, "argument 'chunks'"),
    "argument of another type": ({"nodes": one("Linear", in_features="a", out_features=1)}, "n: Linear"),
    "huge argument": ({"nodes": one("ELU", alpha=10**30)}, "int too big"),
    "bounds the wrong way": ({"nodes": one("Hardtanh", max_val=-7)}, "must be greater than min_val"),
    "no probability": ({"nodes": one("Dropout", "x", "c", p=2)}, "should be a probability"),
    "no form": ({"nodes": one("GELU", approximate="a")}, "'none' or 'tanh'"),
    "no reduction": ({"nodes": one("BCELoss", "x", "c", reduction="a")}, "'mean' or 'sum'"),
    "no weights": ({"nodes": one("NLLLoss", "x", "c", weight=[1, "a"])}, "n: NLLLoss"),
    "no axis": ({"nodes": one("Softmax")}, "has no dim"),
    "axis out of range": ({"nodes": one("Softmax", dim=7)}, r"n \(Softmax\) on x \(2, 4\): Dim"),
    "shapes apart": ({"nodes": one("Linear", in_features=3, out_features=1), "parameters": W}, r"on x \(2, 4\): mat1"),
    "a target to broadcast": ({"nodes": one("MSELoss", "x", "c"), "inputs": {"x": X, "c": X[:1]}}, "different to"),
    "a cotangent to broadcast": ({"inputs": {"x": X, "c": X[0]}}, r"has shape \(4,\), but should be \(2, 4\)"),
    "one input to join": ({"nodes": one("Add")}, "joins at least two"),
    "an integer target": ({"nodes": one("HuberLoss", "x", "c"), "inputs": {"x": X, "c": X.astype(int)}}, "no gradient"),
    "no such output": ({"nodes": halves("n:2")}, "'n:2', which nothing makes"),
    "all outputs at once": ({"nodes": halves("n")}, "'n', which nothing makes"),
    "not a scalar": ({"nodes": one("Tanh")}, "the last node must be a scalar; add a Dot"),
    "parameter missing": ({"nodes": one("PReLU")}, r"n: weight is missing: 'n.weight' of shape \(1,\)"),
    "another shape": ({"nodes": one("PReLU"), "parameters": {"n.weight": X}}, r"n: weight has shape \(2, 4\), but"),
    "parameter of nobody": ({"parameters": {"h.weight": X}}, "'h.weight' is given but no node has it"),
}


@pytest.mark.parametrize(("change", "words"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_run_is_refused_in_a_sentence(change: dict[str, Any], words: str) -> None:
    good = Case(nodes=one("Dot", "x", "c"), inputs={"x": X, "c": X})
    Twin.of(good)
    case = replace(good, **change)
    read = case.spec.input_names()
    with pytest.raises(CaseError, match=words):
        Twin.of(replace(case, inputs={n: x for n, x in case.inputs.items() if n in read}))


# ------------------------------------------------------------------------------------------------------------- noise


def test_noise_is_of_the_size_of_a_rounding_and_never_hits_zero() -> None:
    for dtype in ("float32", "float64"):
        moved = Noise(dtype, 0).perturb(torch.ones(200_000, dtype=torch.float64)) - 1
        eps = np.finfo(dtype).eps
        assert 0.5 * eps * 0.99 <= moved.abs().min() <= moved.abs().max() <= eps * 1.01
        assert moved.mean().abs() < 0.2 * eps
        assert not Noise(dtype, 0).perturb(torch.zeros(5, dtype=torch.float64)).any()


def test_noisy_runs_differ_by_seed_alone_and_stay_near_the_truth() -> None:
    twin, exact = Twin.of(NET), Twin.of(NET).run(NET)

    def noisy(seed: int) -> np.ndarray:
        return twin.run(NET, noise=Noise("float64", seed), pins=exact.values).gradients["n1.weight"]

    assert np.array_equal(noisy(1), noisy(1))
    assert not np.array_equal(noisy(1), noisy(2))
    np.testing.assert_allclose(noisy(1), exact.gradients["n1.weight"], rtol=1e-12)
    assert not np.array_equal(noisy(1), exact.gradients["n1.weight"])


def test_noise_does_not_move_what_lies_on_a_kink() -> None:
    nodes = (Node("n", "ReLU", ("x",)), Node("d", "Dot", ("n", "c")))
    case = Case(nodes=nodes, inputs={"x": np.array([[0.0, 6.0, -6.0]]), "c": np.ones((1, 3))})
    twin = Twin.of(case)
    for seed in range(5):
        run = twin.run(case, noise=Noise("float64", seed), pins=twin.run(case).values)
        np.testing.assert_allclose(run.gradients["x"], [[0, 1, 0]], rtol=1e-14)


def test_a_choice_mixes_the_slopes_and_keeps_the_value() -> None:
    nodes = (Node("n", "ReLU", ("x",)), Node("d", "Dot", ("n", "c")))
    case = Case(nodes=nodes, inputs={"x": np.zeros((1, 2)), "c": np.ones((1, 2))})
    step = np.array([[1e-300, 0.0]])
    run = Twin.of(case).run(case, choices={"n": Choice(((0.25, -step), (0.75, step)))})
    np.testing.assert_array_equal(run.gradients["x"], [[0.75, 0]])
    np.testing.assert_array_equal(run.values["n"], [[0, 0]])


def test_near_kinks_are_those_within_the_spread_but_not_on_it() -> None:
    nodes = (Node("n", "ReLU6", ("x",)), Node("d", "Dot", ("n", "c")))
    case = Case(nodes=nodes, inputs={"x": np.array([[0.0, 1e-9, -1e-9, 1e-3, 6 + 1e-9]]), "c": np.ones((1, 5))})
    truth = Twin.of(case).run(case)
    near = near_kinks(case, truth, {"x": np.full((1, 5), 1e-8), "c": np.zeros((1, 5))})
    assert near["n"].tolist() == [[False, True, True, False, True]]


# ------------------------------------------------------------------------------------------------------------ step 5


@pytest.mark.parametrize(("change", "words"), [
    ({"op": "LBFGS"}, "no optimizer is called 'LBFGS'; there are SGD"),
    ({"attrs": {"lr": -1.0}}, r"SGD\(.*\): Invalid learning rate: -1.0"),
    ({"attrs": {"rate": 1.0}}, r"SGD\(.*\): .*unexpected keyword argument 'rate'"),
    ({"gradients": ({},)}, r"step 1: gradients of \[\]"),
])  # fmt: skip
def test_an_update_that_cannot_run_is_refused(change: dict[str, Any], words: str) -> None:
    good = UpdateCase(op="SGD", attrs={"lr": 0.5}, parameters={"w": np.ones(2)}, gradients=({"w": np.ones(2)},))
    np.testing.assert_array_equal(run_update(good)[0]["w"], [0.5, 0.5])
    with pytest.raises(CaseError, match=words):
        run_update(replace(good, **change))
    assert len(optimizers()) == len(set(optimizers()))
