"""Operators spelled out: like torch.nn where torch is right, and only where torch is not are they another thing."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from oracle.arbiter import partial
from oracle.composites import ARGUMENTS, DEVIATIONS, FUNCTIONS, LEGITIMATE, SPELLED
from oracle.spec import Case, Node
from oracle.twin import Twin

EPS = np.finfo("f8").eps
NEAR = (-2.5, -1.25, -0.3, 0.4, 1.1, 2.75)
AWAY: dict[str, tuple[tuple[dict[str, Any], float], ...]] = {
    "Hardsigmoid": (({}, 0.5),),
    "CELU": (({"alpha": 0.7}, -1.0),),
    "BCELoss": (({}, 1e-60),),
    "GELU": (({}, -8.5), ({"approximate": "tanh"}, -11.5)),
    "Mish": (({}, 19.1),),
    "SiLU": (({}, 37.0),),
    "GLU": (({}, 40.0),),
    "Sigmoid": (({}, 40.0),),
    "Tanh": (({}, 20.0),),
}
"""Where torch is off: arguments and a point; for BCELoss it is a probability, and the gradient that of the target."""


def module(op: str, attrs: dict[str, Any]) -> Any:
    return getattr(nn, op)(**attrs)


def case(op: str, attrs: dict[str, Any], at: float) -> tuple[Case, str]:
    """A case of the operator at a point, and the tensor to ask for."""
    x = np.full((1, 1), at)
    if op == "BCELoss":
        return Case(nodes=(Node("n", op, ("x", "t"), attrs),), inputs={"x": x, "t": np.full((1, 1), 0.25)}), "t"
    inputs = {"x": np.array([[1.0, at]]) if op == "GLU" else x, "c": np.ones((1, 1))}
    return Case(nodes=(Node("n", op, ("x",), attrs), Node("d", "Dot", ("n", "c"))), inputs=inputs), "x"


def torch_slope(op: str, attrs: dict[str, Any], case: Case, tensor: str) -> float:
    """What torch.nn itself says."""
    x = {n: torch.tensor(v, requires_grad=True) for n, v in case.inputs.items()}
    y = module(op, attrs)(*([x["x"], x["t"]] if op == "BCELoss" else [x["x"]])).sum()
    return torch.autograd.grad(y, x[tensor])[0][0, -1].item()


def test_every_deviation_is_in_this_file() -> None:
    assert set(AWAY) == set(DEVIATIONS) <= set(FUNCTIONS)
    assert set(DEVIATIONS) >= LEGITIMATE
    assert set(ARGUMENTS) <= set(FUNCTIONS)


@pytest.mark.parametrize(("op", "attrs", "at"), [(op, *where) for op, wheres in AWAY.items() for where in wheres])
def test_torch_is_off_there_and_the_twin_is_not(op: str, attrs: dict[str, Any], at: float) -> None:
    """If this fails with a new torch, torch has been repaired: take the operator off the list."""
    its, tensor = case(op, attrs, at)
    index = (0, its.inputs[tensor].shape[1] - 1)
    ball = partial(its, tensor, index)
    room = (256 if op == "GELU" else 4) * EPS * abs(ball.low)  # far out, a tail magnifies the rounding of its argument
    assert ball.distance(torch_slope(op, attrs, its, tensor)) > room, "torch is right"
    assert ball.distance(Twin.of(its).run(its).gradients[tensor][index]) <= room


@pytest.mark.parametrize("op", sorted(set(DEVIATIONS) | {"Dropout", "RReLU"} & set(FUNCTIONS)))
def test_elsewhere_torch_and_the_twin_agree(op: str) -> None:
    for attrs, _ in AWAY.get(op, (({}, 0.0),)):
        for at in NEAR:
            if op == "Dropout" or op == "RReLU":
                name = "mask" if op == "Dropout" else "slopes"
                chosen = {"Dropout": np.ones((1, 1), bool), "RReLU": np.full((1, 1), 0.2)}[op]
                nodes = (Node("n", op, ("x", name)), Node("d", "Dot", ("n", "c")))
                its = Case(
                    nodes=nodes, inputs={"x": np.full((1, 1), at), name: chosen, "c": np.ones((1, 1))}, training=False
                )
                tensor, expected = "x", 1.0 if op == "Dropout" or at > 0 else (1 / 8 + 1 / 3) / 2
            else:
                its, tensor = case(op, attrs, abs(at) / 4 if op == "BCELoss" else at)
                expected = torch_slope(op, attrs, its, tensor)
            got = Twin.of(its).run(its).gradients[tensor][0, -1]
            assert got == pytest.approx(expected, rel=1e-7 if op in ("Hardsigmoid", "CELU") else 2e-14, abs=1e-15)


# ------------------------------------------------------------------------------------------------------------ spelled

DRAWN = np.random.default_rng(0)
X2, X3 = DRAWN.normal(size=(4, 3)), DRAWN.normal(size=(4, 3, 2))
LABELS, DEEP = np.array([2, 0, 1, 0]), np.array([[0, 2], [1, 1], [2, 0], [0, 0]])
CHANCES = DRAWN.dirichlet(np.ones(3), 4)
WEIGHTS = {"weight": torch.tensor([0.5, 2.0, 1.0], dtype=torch.float64)}
FORMS: dict[str, list[tuple[dict[str, Any], tuple[np.ndarray, ...]]]] = {
    "BatchNorm1d": [
        ({"num_features": 3, **more}, (x,))
        for x in (X2, X3)
        for more in ({}, {"affine": False}, {"track_running_stats": False}, {"momentum": None, "eps": 0.1})
    ],
    "Softmax": [({"dim": d}, (x,)) for d in (0, 1, -1) for x in (X2, X3)],
    "Softmin": [({"dim": d}, (x,)) for d in (0, 1, -1) for x in (X2, X3)],
    "LogSigmoid": [({}, (X2,)), ({}, (X3,))],
    "ELU": [({"alpha": a}, (x,)) for a in (1.0, 0.5, 2.0) for x in (X2, X3)],
    "SELU": [({}, (X2,)), ({}, (X3,))],
    "CELU": [({"alpha": a}, (x,)) for a in (1.0, 0.5, 2.0) for x in (X2, X3)],
    "LogSoftmax": [({"dim": d}, (x,)) for d in (0, 1, -1) for x in (X2, X3)],
    "CrossEntropyLoss": [
        ({"reduction": reduction, **more}, inputs)
        for reduction in ("mean", "sum", "none")
        for more in ({}, WEIGHTS, {"label_smoothing": 0.25}, {**WEIGHTS, "label_smoothing": 0.1})
        for inputs in ((X2, LABELS), (X3, DEEP), (X2, CHANCES))
    ] + [({"ignore_index": 0, **WEIGHTS}, (X2, LABELS)), ({"ignore_index": 1, "label_smoothing": 0.5}, (X3, DEEP))],
}  # fmt: skip


def test_every_spelled_form_is_in_this_file() -> None:
    assert set(FORMS) == set(SPELLED)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("op", SPELLED)
def test_a_spelled_form_is_its_module(op: str, training: bool) -> None:
    for attrs, arrays in FORMS[op]:
        its = module(op, attrs).double().train(training)
        for p in its.parameters():
            nn.init.normal_(p, generator=torch.Generator().manual_seed(1))
        buffers = {k: b.clone() for k, b in its.named_buffers()}
        results = []
        for call in (its.forward, *SPELLED[op](its)):
            its.load_state_dict(buffers, strict=False)
            x = [torch.tensor(a, requires_grad=a.dtype.kind == "f") for a in arrays]
            y = call(*x)
            cotangent = torch.randn(y.shape, generator=torch.Generator().manual_seed(2), dtype=y.dtype)
            real = [*its.parameters(), *(v for v in x if v.requires_grad)]
            results.append([y.detach(), *torch.autograd.grad((y * cotangent).sum(), real), *its.buffers()])
        for plain, *forms in zip(*results, strict=True):
            for spelled in forms:
                np.testing.assert_allclose(spelled, plain, rtol=1e-12, atol=1e-14, err_msg=f"{op} {attrs}")
