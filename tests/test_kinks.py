"""The table of kinks against torch: between the slopes on both sides, torch takes the one that the table says."""

from random import Random
from typing import Any

import numpy as np
import pytest

from oracle.architectures import LOSSES, UNITS
from oracle.kinks import KINKS, RESIDUAL, exactly_at, kinks
from oracle.spec import Case, Node
from oracle.twin import Twin

ATTRS: dict[str, tuple[dict[str, Any], ...]] = {
    "Hardtanh": ({}, {"min_val": -2.0, "max_val": 0.5}),
    "Hardshrink": ({}, {"lambd": 0.25}),
    "Softshrink": ({}, {"lambd": 1.0}),
    "Threshold": ({"threshold": 0.5, "value": 2.0}, {"threshold": -1.0, "value": -1.0}),
    "Softplus": ({"threshold": 1.0}, {"beta": 2.0, "threshold": 5.0}),
    "LeakyReLU": ({}, {"negative_slope": 0.25}),
    "ELU": ({"alpha": 0.5},),
    "SmoothL1Loss": ({"beta": 0.0},),
}
TABLE = [(op, attrs) for op in KINKS for attrs in ATTRS.get(op, ({},))]
OFF = [0.1, 0.5, 1.0, 3.0, 6.0]


def slopes(op: str, attrs: dict[str, Any], at: list[float], dtype: Any = "float64") -> np.ndarray:
    """Torch's slope of an operator at some points, by autograd."""
    x = np.array([at], dtype)
    other = {"PReLU": {}, "RReLU": {"u": np.full_like(x, 0.25)}}.get(op, {})
    if op in LOSSES:
        nodes = (Node("n", op, ("x", "t"), {**attrs, "reduction": "sum"}),)
        other = {"t": np.zeros_like(x)}
    else:
        nodes = (Node("n", op, ("x", *other), attrs), Node("loss", "Dot", ("n", "c")))
        other["c"] = np.ones_like(x)
    weight = {"n.weight": np.array([0.25], dtype)} if op == "PReLU" else {}
    case = Case(nodes=nodes, inputs={"x": x, **other}, parameters=weight, dtype=dtype)
    return Twin.of(case).run(case).gradients["x"][0]


@pytest.mark.parametrize(("op", "attrs"), TABLE, ids=[f"{op}-{attrs}" for op, attrs in TABLE])
def test_torch_takes_the_slope_that_the_table_says(op: str, attrs: dict[str, Any]) -> None:
    for kink in kinks(Node("n", op, ("x",), attrs)):
        step = max(abs(kink.at), 1) * 1e-12
        left, here, right = slopes(op, attrs, [kink.at - step, kink.at, kink.at + step])
        assert abs(left - right) > 1e-3, "no kink"
        assert here == pytest.approx((1 - kink.torch) * left + kink.torch * right, abs=1e-9)


@pytest.mark.parametrize("op", sorted(set(UNITS) - {"Dropout", "BatchNorm1d", "Softmax", "LogSoftmax", "Softmin"}))
def test_no_kink_is_missing(op: str) -> None:
    """Off the kinks of the table the slope is continuous, at every point where any operator has one."""
    for seed in range(6):
        attrs = UNITS[op](Random(seed), (1, 1))
        listed = {k.at for k in kinks(Node("n", op, ("x",), attrs))}
        points = {s * p for p in (0.0, 0.25, 0.5, 1.0, 2.0, 3.0, 6.0, 20.0) for s in (1, -1)} - listed
        left, right = (slopes(op, attrs, [p + s for p in points]) for s in (-1e-9, 1e-9))
        assert np.abs(left - right).max() < 1e-7


def test_exactly_at_is_exact_in_the_dtype_of_the_argument() -> None:
    node = Node("n", "Softshrink", ("x",), {"lambd": 0.1})
    x = np.array([0.1, -0.1, np.nextafter(0.1, 1), 0.0])
    assert exactly_at(node, [x]).tolist() == [True, True, False, False]
    assert exactly_at(node, [x.astype("f4")]).tolist() == [True, True, True, False]
    assert exactly_at(Node("n", "L1Loss", ("x", "t")), [x, x]).all()
    assert not exactly_at(Node("n", "Tanh", ("x",)), [x]).any()
    assert set(KINKS) >= RESIDUAL
