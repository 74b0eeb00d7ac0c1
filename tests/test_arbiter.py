"""The arbiter against torch.autograd where torch is right, and against arithmetic where it is not."""

import copy
import itertools
import json
import math
import subprocess
import sys
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import flint
import numpy as np
import pytest
import torch
from torch import nn

from oracle import arbiter
from oracle.arbiter import Ball, Undecided
from oracle.kinks import KINKS, kinks
from oracle.spec import Case, Node, UpdateCase

ULP = 2.0**-52


# ------------------------------------------------------------------------------------ operators against torch


@dataclass(frozen=True)
class Trial:
    """One operator on drawn numbers; `inputs` are arrays, or shapes to draw."""

    op: str
    attrs: dict[str, Any] = field(default_factory=dict)
    inputs: tuple[Any, ...] = ((3, 4),)
    training: bool = True
    name: str = ""

    def __str__(self) -> str:
        return self.name or f"{self.op}-{json.dumps(self.attrs)}-{self.training}"


def draw(seed: int, shape: tuple[int, ...]) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape) * 2


POSITIVE = np.random.default_rng(5).uniform(0.05, 0.95, (3, 4))
MASK = np.random.default_rng(6).random((3, 4)) < 0.6
CLASSES, DEEP = np.array([2, 0, 3]), np.array([[0, 3], [-100, 1], [2, 2]])
PROBABILITIES = POSITIVE / POSITIVE.sum(1, keepdims=True)

ACTIVATIONS: list[tuple[str, dict[str, Any]]] = [
    ("CELU", {}),
    ("CELU", {"alpha": 0.7}),
    ("ELU", {}),
    ("ELU", {"alpha": 1.5}),
    ("GELU", {}),
    ("GELU", {"approximate": "tanh"}),
    ("Hardshrink", {}),
    ("Hardshrink", {"lambd": 0.25}),
    ("Hardsigmoid", {}),
    ("Hardswish", {}),
    ("Hardtanh", {}),
    ("Hardtanh", {"min_val": -0.3, "max_val": 1.7}),
    ("LeakyReLU", {}),
    ("LeakyReLU", {"negative_slope": 0.3}),
    ("LogSigmoid", {}),
    ("Mish", {}),
    ("PReLU", {}),
    ("PReLU", {"num_parameters": 4}),
    ("ReLU", {}),
    ("ReLU6", {}),
    ("SELU", {}),
    ("SiLU", {}),
    ("Sigmoid", {}),
    ("Softplus", {}),
    ("Softplus", {"beta": 2.0, "threshold": 1.0}),
    ("Softshrink", {}),
    ("Softshrink", {"lambd": 0.0}),
    ("Softsign", {}),
    ("Tanh", {}),
    ("Tanhshrink", {}),
    ("Threshold", {"threshold": 0.5, "value": 20.0}),
    ("Softmax", {"dim": 1}),
    ("Softmax", {"dim": 0}),
    ("LogSoftmax", {"dim": -1}),
    ("Softmin", {"dim": 1}),
    ("GLU", {}),
    ("GLU", {"dim": 1}),
]
TRIALS = [
    *(Trial(op, attrs) for op, attrs in ACTIVATIONS),
    Trial("PReLU", {"num_parameters": 2}, ((3, 2, 2),), name="PReLU-channels"),
    Trial("RReLU", {}, ((3, 4), POSITIVE)),
    Trial("RReLU", {"lower": 0.25}, ((3, 4), POSITIVE), training=False),
    Trial("Linear", {"in_features": 4, "out_features": 3}),
    Trial("Linear", {"in_features": 4, "out_features": 2, "bias": False}, ((2, 3, 4),)),
    Trial("Identity"),
    Trial("Flatten", {}, ((2, 3, 2),)),
    Trial("Flatten", {"start_dim": 0, "end_dim": 1}, ((2, 3, 2),)),
    Trial("Unflatten", {"dim": 1, "unflattened_size": [2, -1]}),
    Trial("Add", {}, ((3, 4), (4,), (3, 1))),
    Trial("Multiply", {}, ((3, 4), (4,), (3, 1))),
    Trial("Concatenate", {}, ((3, 4), (3, 2))),
    Trial("Concatenate", {"dim": 0}, ((3, 4), (1, 4))),
    Trial("Chunk", {"chunks": 2}),
    Trial("Chunk", {"chunks": 3}, ((3, 7),)),
    Trial("Dropout", {"p": 0.3}, ((3, 4), MASK)),
    Trial("Dropout", {"p": 1.0}, ((3, 4), MASK)),
    Trial("Dropout", {}, ((3, 4), MASK), training=False),
    Trial("BatchNorm1d", {"num_features": 4}),
    Trial("BatchNorm1d", {"num_features": 4}, training=False),
    Trial("BatchNorm1d", {"num_features": 3, "momentum": None, "eps": 0.1}, ((2, 3, 4),)),
    Trial("BatchNorm1d", {"num_features": 4, "affine": False, "momentum": 0.3}),
    Trial("BatchNorm1d", {"num_features": 4, "track_running_stats": False}, training=False),
    *(Trial("HalfSquaredError", {"reduction": r}, ((3, 4), (3, 4))) for r in ("sum", "mean", "none")),
    Trial("HalfSquaredError", {}, ((3, 4), (3, 4))),
    *(
        Trial(op, attrs | {"reduction": r}, ((3, 4), (3, 4)))
        for op, attrs in [
            ("MSELoss", {}),
            ("L1Loss", {}),
            ("HuberLoss", {"delta": 0.7}),
            ("SmoothL1Loss", {"beta": 0.7}),
            ("SmoothL1Loss", {"beta": 0.0}),
        ]
        for r in ("mean", "sum", "none")
    ),
    *(
        Trial("CrossEntropyLoss", attrs | {"reduction": r, "label_smoothing": s}, inputs, name=f"CE-{k}-{r}-{s}")
        for k, (attrs, inputs) in enumerate(
            [
                ({}, ((3, 4), CLASSES)),
                ({"weight": [1.0, 0.5, 2.0, 3.0]}, ((3, 4), CLASSES)),
                ({"ignore_index": 0}, ((3, 4), CLASSES)),
                ({"weight": [1.0, 0.5, 2.0, 3.0]}, ((3, 4, 2), DEEP)),
                ({"weight": [1.0, 0.5, 2.0, 3.0]}, ((3, 4), PROBABILITIES)),
                ({}, ((3, 4, 2), (3, 4, 2))),
                ({}, ((4,), np.array(2))),
                ({}, ((4,), (4,))),
            ]
        )
        for r in ("mean", "sum", "none")
        for s in (0.0, 0.2)
    ),
    *(
        Trial("NLLLoss", attrs | {"reduction": r}, inputs, name=f"NLL-{k}-{r}")
        for k, (attrs, inputs) in enumerate(
            [
                ({}, ((3, 4), CLASSES)),
                ({"weight": [1.0, 0.5, 2.0, 3.0], "ignore_index": 3}, ((3, 4), CLASSES)),
                ({}, ((3, 4, 2), DEEP)),
            ]
        )
        for r in ("mean", "sum", "none")
    ),
    *(
        Trial("BCELoss", attrs | {"reduction": r}, (POSITIVE, PROBABILITIES))
        for attrs in ({}, {"weight": [1.0, 0.5, 2.0, 3.0]})
        for r in ("mean", "sum", "none")
    ),
    *(
        Trial("BCEWithLogitsLoss", attrs | {"reduction": r}, ((3, 4), PROBABILITIES))
        for attrs in ({}, {"weight": [1.0, 0.5, 2.0, 3.0], "pos_weight": [2.0, 0.5, 1.0, 3.0]})
        for r in ("mean", "sum", "none")
    ),
    Trial("Dot", {}, ((3, 4), (3, 4))),
]
FUNCTIONS: dict[str, Any] = {
    "Add": lambda attrs, x: sum(x[1:], start=x[0]),
    "Multiply": lambda attrs, x: math.prod(x[1:], start=x[0]),
    "Concatenate": lambda attrs, x: torch.cat(x, attrs.get("dim", 1)),
    "Chunk": lambda attrs, x: torch.chunk(x[0], attrs["chunks"], attrs.get("dim", 1)),
    "HalfSquaredError": lambda attrs, x: nn.functional.mse_loss(*x, reduction=attrs.get("reduction", "sum")) / 2,
    "Dot": lambda attrs, x: (x[0] * x[1]).sum(),
}
LOOSE = {"Hardsigmoid": 1e-7, "CELU": 1e-7}
"""In float64 torch's gradient of Hardsigmoid is float32(1/6), and that of CELU has α rounded to float32."""


def module(node: Node, training: bool) -> nn.Module | None:
    """The module of torch with drawn numbers, a loss's own weights excepted; None for a function."""
    if node.op in (*FUNCTIONS, "Dropout", "RReLU"):
        return None
    attrs = {k: torch.tensor(v).double() if "weight" in k else v for k, v in node.attrs.items()}
    own = getattr(nn, node.op)(**attrs).double().train(training)
    for seed, p in enumerate([*own.parameters(), *own.buffers()]):
        if p.is_floating_point() and "Loss" not in node.op:
            p.data = torch.tensor(np.abs(draw(10 + seed, tuple(p.shape))) + 0.1)
    return own


def torch_call(node: Node, training: bool, x: list[torch.Tensor], own: nn.Module | None) -> Any:
    """One node in torch, a drawn mask or slope taken as data."""
    if node.op == "Dropout":
        keep = 1 - node.attrs.get("p", 0.5)
        return x[0] * x[1] * (1 / keep if keep else 0) if training else x[0]
    if node.op == "RReLU":
        eval_slope = (node.attrs.get("lower", 1 / 8) + node.attrs.get("upper", 1 / 3)) / 2
        return torch.where(x[0] > 0, x[0], x[0] * (x[1] if training else eval_slope))
    return FUNCTIONS[node.op](node.attrs, x) if own is None else own(*x)


def case_of(trial: Trial) -> tuple[Case, nn.Module | None]:
    """The operator under test as node n, then the nodes that make a scalar of it."""
    inputs = {f"x{k}": draw(k, x) if isinstance(x, tuple) else x for k, x in enumerate(trial.inputs)}
    node = Node("n", trial.op, tuple(inputs), trial.attrs)
    own = module(node, trial.training)
    tensors = [torch.tensor(x) for x in inputs.values()]
    y = torch_call(node, trial.training, tensors, copy.deepcopy(own))
    outputs = {f"n:{k}": part for k, part in enumerate(y)} if isinstance(y, tuple) else {"n": y}
    nodes = [node]
    if isinstance(y, tuple) or y.shape:
        for k, (source, part) in enumerate(outputs.items()):
            inputs[f"c{k}"] = draw(20 + k, tuple(part.shape))
            nodes.append(Node(f"d{k}", "Dot", (source, f"c{k}")))
        nodes.append(Node("loss", "Add", tuple(f"d{k}" for k in range(len(outputs)))))
    parameters, buffers = {}, {}
    if own is not None:
        parameters = {f"n.{k}": p.detach().numpy() for k, p in own.named_parameters()}
        buffers = {f"n.{k}": b.numpy().copy() for k, b in own.named_buffers() if k not in trial.attrs}
    numbers = {"inputs": inputs, "parameters": parameters, "buffers": buffers}
    return Case(nodes=tuple(nodes), training=trial.training, **numbers), own


def torch_gradients(case: Case, own: nn.Module | None) -> tuple[torch.Tensor, dict[str, np.ndarray]]:
    values: dict[str, Any] = {
        name: torch.tensor(x, requires_grad=x.dtype.kind == "f") for name, x in case.inputs.items()
    }
    leaves = {name: x for name, x in values.items() if x.requires_grad}
    leaves |= {f"n.{k}": p for k, p in own.named_parameters()} if own is not None else {}
    for node in case.nodes:
        x = [values[name] for name in node.inputs]
        y = torch_call(node, case.training, x, own if node.name == "n" else None)
        values |= {f"{node.name}:{k}": part for k, part in enumerate(y)} if isinstance(y, tuple) else {node.name: y}
    loss = values[case.nodes[-1].name]
    found = torch.autograd.grad(loss, list(leaves.values()), allow_unused=True)
    zero = [torch.zeros_like(x) for x in leaves.values()]
    return loss, {n: (z if g is None else g).numpy() for n, z, g in zip(leaves, zero, found, strict=True)}


def some(shape: tuple[int, ...], most: int = 5) -> list[tuple[int, ...]]:
    every = list(itertools.product(*map(range, shape)))
    picked = np.random.default_rng(0).permutation(len(every))[:most]
    return [every[k] for k in picked]


def assert_agrees(case: Case, own: nn.Module | None, most: int = 5, loose: float = 300 * ULP) -> None:
    loss, gradients = torch_gradients(case, own)
    assert arbiter.loss(case).distance(float(loss.detach())) <= loose * (abs(float(loss.detach())) + 1)
    for name, g in gradients.items():
        scale = np.abs(g).max(initial=0)
        for index in some(g.shape, most):
            ball = arbiter.partial(case, name, index)
            assert ball.distance(float(g[index])) <= loose * scale, (name, index, ball, g[index])


@pytest.mark.parametrize("trial", TRIALS, ids=str)
def test_agrees_with_autograd(trial: Trial) -> None:
    case, own = case_of(trial)
    assert_agrees(case, own, loose=LOOSE.get(trial.op, 300 * ULP))


def test_every_formula_is_tried() -> None:
    assert {trial.op for trial in TRIALS} == set(arbiter.FORMULAS)


@pytest.mark.parametrize(("op", "attrs"), [t for t in ACTIVATIONS if t[0] in KINKS], ids=str)
def test_at_kinks_torch_s_convention(op: str, attrs: dict[str, Any]) -> None:
    points = [kink.at for kink in kinks(Node("n", op, ("x",), attrs))]
    x = np.array([[*points, -0.0, -1.25, 0.75, 0.0][:4]])
    case, own = case_of(Trial(op, attrs, (x,)))
    assert_agrees(case, own, loose=LOOSE.get(op, 300 * ULP))


@pytest.mark.parametrize(
    ("op", "attrs"),
    [
        ("L1Loss", {}),
        ("SmoothL1Loss", {"beta": 0.0}),
        ("SmoothL1Loss", {"beta": 0.5}),
        ("HuberLoss", {"delta": 0.5}),
    ],
)
def test_residuals_at_kinks_and_joins(op: str, attrs: dict[str, Any]) -> None:
    t = draw(0, (1, 5)).round(3)
    case, own = case_of(Trial(op, attrs, (np.array([[0.0, 0.5, -0.5, 2.0, -2.0]]) * 1.0, t * 0)))
    assert_agrees(case, own)


@pytest.mark.parametrize("slope", [0.0, 0.5, 1.0])
def test_another_subgradient_can_be_chosen(slope: float) -> None:
    case, _ = case_of(Trial("ReLU", {}, (np.array([[0.0, 1.0]]),)))
    c = float(case.inputs["c0"][0, 0])
    assert slope * c in arbiter.partial(case, "x0", (0, 0), slopes={"ReLU": slope})


def test_float32_kinks_are_where_torch_rounds_them() -> None:
    at = np.float32(0.3)
    case = Case(
        dtype="float32",
        nodes=(
            Node("n", "Hardtanh", ("x",), {"min_val": -0.3, "max_val": 0.3}),
            Node("loss", "Dot", ("n", "c")),
        ),
        inputs={"x": np.array([at, np.nextafter(at, np.float32(0))]), "c": np.ones(2, "float32")},
    )
    assert arbiter.partial(case, "x", (0,)) == Ball(0.0, 0.0, "0")
    assert 1.0 in arbiter.partial(case, "x", (1,))


def test_running_statistics() -> None:
    for trial in [t for t in TRIALS if t.op == "BatchNorm1d" and t.attrs.get("track_running_stats", True)]:
        case, own = case_of(trial)
        assert own is not None
        torch_gradients(case, own)
        for name, b in own.named_buffers():
            for index in some(tuple(b.shape)):
                x = float(b[index])
                assert arbiter.buffer(case, f"n.{name}", index).distance(x) <= 30 * ULP * abs(x)


def test_outputs_of_several_tensors() -> None:
    case, _ = case_of(Trial("Chunk", {"chunks": 2}))
    assert case.inputs["x0"][1, 3] in arbiter.output(case, "n:1", (1, 1))


# --------------------------------------------------------------------------------------------------- networks


def linear(name: str, source: str, n: int, m: int, **kwargs: Any) -> Node:
    return Node(name, "Linear", (source,), {"in_features": n, "out_features": m}, **kwargs)


def bounds(ball: Ball) -> tuple[float, float]:
    return ball.low, ball.high


def test_tied_weights_add() -> None:
    tied = {"weight": "h.weight", "bias": "h.bias"}
    case = Case(
        nodes=(linear("h", "x", 1, 1), linear("g", "h", 1, 1, params=tied), Node("loss", "Dot", ("g", "c"))),
        inputs={"x": np.array([[3.0]]), "c": np.array([[1.0]])},
        parameters={"h.weight": np.array([[2.0]]), "h.bias": np.array([5.0])},
    )
    assert bounds(arbiter.partial(case, "h.weight", (0, 0))) == (17.0, 17.0)  # 2wx + b
    assert bounds(arbiter.partial(case, "h.bias", (0,))) == (3.0, 3.0)  # w + 1


def test_total_cancellation_in_float64() -> None:
    """∂L/∂s = 1 + 2⁻⁶⁰ − 1: float64 sees 0."""
    x, c = np.array([[1.0, 2.0**-60, -1.0]]), np.array([[1.0]])
    case = Case(
        nodes=(linear("h", "x", 3, 1), Node("p", "Multiply", ("h", "s")), Node("loss", "Dot", ("p", "c"))),
        inputs={"x": x, "c": c, "s": np.array([[1.0]])},
        parameters={"h.weight": np.ones((1, 3)), "h.bias": np.zeros(1)},
    )
    assert (x[0, 0] + x[0, 1]) + x[0, 2] == 0
    truth = float(sum(Fraction(v) for v in x[0]))
    assert bounds(arbiter.partial(case, "s", (0, 0))) == (truth, truth)
    assert truth == 2.0**-60


def test_saturation_that_torch_loses() -> None:
    """σ′(40) = e⁻⁴⁰ to 16 digits, and softmax′ far in its tail; 1 − σ(40) is 0 in float64."""
    case, own = case_of(Trial("Sigmoid", {}, (np.array([40.0]),)))
    truth = math.exp(-40) * float(case.inputs["c0"][0])
    assert torch_gradients(case, own)[1]["x0"][0] == 0
    assert arbiter.partial(case, "x0", (0,)).distance(truth) <= 4 * ULP * abs(truth)
    case, _ = case_of(Trial("CrossEntropyLoss", {}, (np.array([[600.0, 0.0]]), np.array([0]))))
    assert arbiter.partial(case, "x0", (0, 0)).distance(-math.exp(-600)) <= 4 * ULP * math.exp(-600)


def test_a_partial_that_is_zero_by_cancellation() -> None:
    """Softmax ignores a common shift: ∂/∂b is 0, which no precision shows, but no float is inside but 0."""
    case = Case(
        nodes=(
            Node("z", "Add", ("x", "b")),
            Node("n", "Softmax", ("z",), {"dim": 1}),
            Node("loss", "Dot", ("n", "c")),
        ),
        inputs={"x": draw(1, (2, 3)), "b": np.zeros((1, 1)), "c": draw(2, (2, 3))},
    )
    ball = arbiter.partial(case, "b", (0, 0))
    assert 0 in ball
    assert ball.high - ball.low <= 1e-322


def test_celu_where_torch_rounds_alpha() -> None:
    """In float64 torch's backward is e^(z/β) α/β with β = float32(α); the arbiter says e^(z/α)."""
    case, own = case_of(Trial("CELU", {"alpha": 0.7}, (np.array([-0.2]),)))
    c, theirs = float(case.inputs["c0"][0]), torch_gradients(case, own)[1]["x0"][0]
    ball, alpha = arbiter.partial(case, "x0", (0,)), float(np.float32(0.7))
    assert ball.distance(c * math.exp(-0.2 / 0.7)) <= 4 * ULP * abs(c)
    assert abs(theirs - c * math.exp(-0.2 / alpha) * 0.7 / alpha) <= 4 * ULP * abs(c)
    assert ball.distance(theirs) > 1e-9 * abs(c)


def test_softplus_without_its_threshold() -> None:
    case, _ = case_of(Trial("Softplus", {}, (np.array([25.0]),)))
    c = float(case.inputs["c0"][0])
    documented = arbiter.partial(case, "x0", (0,))
    assert c in documented
    exact = arbiter.partial(case, "x0", (0,), exact_softplus=True)
    assert exact.distance(c / (1 + math.exp(-25))) <= 4 * ULP * abs(c)
    assert c not in exact


# --------------------------------------------------------------------------------------------------- refusals


def never_surely_zero(op: str) -> Case:
    """op(ln softmax(x) − ln softmax(y)) at x = y: 0 in truth, but the ball has a radius."""
    x = draw(1, (1, 2))
    nodes = (
        Node("a", "LogSoftmax", ("x",), {"dim": 1}),
        Node("b", "LogSoftmax", ("y",), {"dim": 1}),
        Node("minus", "Multiply", ("b", "m")),
        Node("z", "Add", ("a", "minus")),
        Node("n", op, ("z",)),
        Node("loss", "Dot", ("n", "c")),
    )
    return Case(nodes=nodes, inputs={"x": x, "y": x, "m": np.full((1, 1), -1.0), "c": draw(2, (1, 2))})


def test_a_kink_that_no_precision_resolves() -> None:
    case = never_surely_zero("ReLU")
    with pytest.raises(Undecided, match=r"n \(ReLU\): .* either side of the kink at 0"):
        arbiter.partial(case, "x", (0, 0))
    assert 0 in arbiter.loss(case)  # the value is continuous there
    smooth = never_surely_zero("Softsign")
    identity = never_surely_zero("Identity")
    truth = arbiter.partial(identity, "x", (0, 0))
    assert arbiter.partial(smooth, "x", (0, 0)).distance(truth.low) <= ULP * abs(truth.low)


def test_what_is_undecided() -> None:
    unknown = Case(nodes=(Node("loss", "Frobnicate", ("x",)),), inputs={"x": np.ones(1)})
    with pytest.raises(Undecided, match="no formula for Frobnicate"):
        arbiter.partial(unknown, "x", (0,))
    clamped, _ = case_of(Trial("BCELoss", {}, (np.array([0.0, 0.5]), np.array([1.0, 0.5]))))
    assert arbiter.partial(clamped, "x0", (0,)).distance(-0.5e12) <= 1e-3  # (p − t) / 1e-12, a mean of two
    infinite, _ = case_of(Trial("Tanh", {}, (np.array([1.0]),)))
    infinite.inputs["c0"][0] = np.inf
    with pytest.raises(Undecided, match="infinite"):
        arbiter.partial(infinite, "x0", (0,))
    huge = Case(
        nodes=(linear("h", "x", 3000, 2000), Node("loss", "Dot", ("h", "c"))),
        inputs={"x": np.ones((1, 3000)), "c": np.ones((1, 2000))},
        parameters={"h.weight": np.ones((2000, 3000)), "h.bias": np.zeros(2000)},
    )
    with pytest.raises(Undecided, match=r"6,\d+,\d+ multiplications"):
        arbiter.partial(huge, "x", (0, 0))


def test_questions_that_make_no_sense() -> None:
    case, _ = case_of(Trial("Tanh"))
    with pytest.raises(KeyError, match="no real tensor"):
        arbiter.partial(case, "y", (0,))
    with pytest.raises(IndexError, match=r"\[3, 0\] is no index of x0"):
        arbiter.partial(case, "x0", (3, 0))


def test_precision_is_restored() -> None:
    before = flint.ctx.prec
    test_a_partial_that_is_zero_by_cancellation()
    test_what_is_undecided()
    assert flint.ctx.prec == before


def test_bounds_are_rounded_outwards() -> None:
    third, _ = case_of(Trial("MSELoss", {}, (np.array([1.0, 0.0, 0.0]), np.zeros(3))))
    ball = arbiter.loss(third)
    assert Fraction(ball.low) < Fraction(1, 3) < Fraction(ball.high)
    assert ball.high == math.nextafter(ball.low, 1)
    assert ball.mid == "0.3333333333333333333333333"


def test_imports_neither_torch_nor_reference() -> None:
    code = "import sys, oracle.arbiter; print('torch' in sys.modules, 'reference' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.split() == ["False", "False"]


# ------------------------------------------------------------------------------------------------- optimizers

OPTIMIZERS: list[tuple[str, dict[str, Any]]] = [
    ("SGD", {}),
    ("SGD", {"lr": 0.1, "momentum": 0.9}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.2, "weight_decay": 0.1, "maximize": True}),
    ("SGD", {"lr": 0.1, "momentum": 0.8, "nesterov": True, "weight_decay": 0.1}),
    ("Adagrad", {}),
    (
        "Adagrad",
        {"lr": 0.2, "lr_decay": 0.1, "weight_decay": 0.1, "initial_accumulator_value": 0.3, "eps": 1e-3},
    ),
    ("RMSprop", {}),
    (
        "RMSprop",
        {"lr": 0.1, "alpha": 0.8, "eps": 0.01, "weight_decay": 0.1, "momentum": 0.5, "centered": True},
    ),
    ("Adam", {}),
    ("Adam", {"lr": 0.1, "betas": [0.7, 0.8], "eps": 0.01, "weight_decay": 0.1, "amsgrad": True}),
    ("Adam", {"lr": 0.1, "maximize": True, "weight_decay": 0.1}),
    ("AdamW", {}),
    ("AdamW", {"lr": 0.1, "betas": [0.7, 0.8], "weight_decay": 0.3, "amsgrad": True, "maximize": True}),
]


@pytest.mark.parametrize(("op", "attrs"), OPTIMIZERS, ids=str)
def test_update_agrees_with_torch_optim(op: str, attrs: dict[str, Any]) -> None:
    gradients = tuple({"w": draw(k, (2, 2)) / (k + 1)} for k in range(5))
    case = UpdateCase(op=op, attrs=attrs, parameters={"w": draw(9, (2, 2))}, gradients=gradients)
    w = torch.tensor(case.parameters["w"])
    optimizer = getattr(torch.optim, op)([w], **attrs)
    for step, g in enumerate(gradients):
        w.grad = torch.tensor(g["w"])
        optimizer.step()
        for index in np.ndindex(2, 2):
            ball = arbiter.updated(case, step, "w", index)
            assert ball.distance(float(w[index])) <= 100 * ULP


def test_updates_that_are_undecided() -> None:
    numbers: dict[str, Any] = {"parameters": {"w": np.ones(1)}, "gradients": ({"w": np.zeros(1)},)}
    with pytest.raises(Undecided, match="no update rule for Lion"):
        arbiter.updated(UpdateCase(op="Lion", **numbers), 0, "w", (0,))
    with pytest.raises(Undecided, match="no option 'nesterov'"):
        arbiter.updated(UpdateCase(op="Adam", attrs={"nesterov": True}, **numbers), 0, "w", (0,))
    with pytest.raises(Undecided, match="undefined"):
        arbiter.updated(UpdateCase(op="Adam", attrs={"eps": 0.0}, **numbers), 0, "w", (0,))
