"""Step 5: every update rule of `reference` against torch.optim, over its options, and without side effects."""

from itertools import product
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from oracle.judge import judge
from oracle.spec import UpdateCase
from oracle.subjects import reference_update, resolve, wrap
from oracle.twin import run_update
from reference import OPTIMIZERS, GraphError, update
from reference.optimizers import build_optimizer

GRIDS: dict[str, dict[str, tuple[Any, ...]]] = {
    "SGD": {"lr": (0.1, 0.5), "momentum": (0, 0.9), "weight_decay": (0, 0.1), "maximize": (False, True)},
    "Adagrad": {
        "lr": (0.1,), "lr_decay": (0, 0.1), "weight_decay": (0, 0.1), "initial_accumulator_value": (0, 0.5),
        "eps": (1e-10, 1e-3), "maximize": (False, True),
    },
    "RMSprop": {
        "lr": (0.1,), "alpha": (0.99, 0.5), "eps": (1e-8, 1e-3), "weight_decay": (0, 0.1), "momentum": (0, 0.9),
        "centered": (False, True), "maximize": (False, True),
    },
    "Adam": {
        "lr": (0.1,), "betas": ([0.9, 0.999], [0.0, 0.5]), "eps": (1e-8, 1e-3), "weight_decay": (0, 0.1),
        "amsgrad": (False, True), "maximize": (False, True),
    },
    "AdamW": {
        "lr": (0.1,), "betas": ([0.9, 0.999], [0.5, 0.0]), "eps": (1e-8,), "weight_decay": (0.01, 0.0),
        "amsgrad": (False, True), "maximize": (False, True),
    },
}  # fmt: skip
MORE: dict[str, list[dict[str, Any]]] = {
    "SGD": [
        {"lr": 0.1, "momentum": 0.9, "nesterov": True},
        {"lr": 0.1, "momentum": 0.5, "dampening": 0.5},
        {"lr": 0.0},
    ],
}
REFERENCE = resolve("reference")


def options(op: str) -> list[dict[str, Any]]:
    grid = GRIDS[op]
    return [{}, *MORE.get(op, []), *(dict(zip(grid, values, strict=True)) for values in product(*grid.values()))]


def case(op: str, attrs: dict[str, Any], dtype: Any = "float64", steps: int = 10, scale: float = 1.0) -> UpdateCase:
    """Two parameters of one shape, which must not share their state, and a scalar; some gradients are 0."""
    rng = np.random.default_rng(1)
    shapes: dict[str, tuple[int, ...]] = {"a": (2, 2), "b": (2, 2), "s": ()}

    def draw() -> dict[str, np.ndarray]:
        return {n: np.asarray(rng.normal(size=s) * scale * (rng.random(s) < 0.8), dtype) for n, s in shapes.items()}

    return UpdateCase(op=op, attrs=attrs, dtype=dtype, parameters=draw(), gradients=tuple(draw() for _ in range(steps)))


def test_every_optimizer_has_a_grid() -> None:
    assert set(GRIDS) == set(OPTIMIZERS)
    for op, grid in GRIDS.items():
        known = set(OPTIMIZERS[op].__dataclass_fields__)
        assert known == set(grid) | {k for attrs in MORE.get(op, []) for k in attrs}, op


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("op", GRIDS)
def test_ten_steps_are_those_of_torch(op: str, dtype: str) -> None:
    for attrs in options(op):
        verdict = judge(case(op, attrs, dtype), REFERENCE)
        assert verdict.outcome == "match", (attrs, verdict)


@pytest.mark.parametrize("scale", [1e-30, 1e-8, 1e8])
@pytest.mark.parametrize("op", GRIDS)
def test_tiny_and_huge_gradients(op: str, scale: float) -> None:
    for dtype in ("float64", "float32"):
        verdict = judge(case(op, {}, dtype, scale=scale), REFERENCE)
        assert verdict.outcome in ("match", "torch deviates"), verdict


@pytest.mark.parametrize("op", GRIDS)
def test_a_step_changes_nothing_that_it_is_given(op: str) -> None:
    its = case(op, options(op)[-1], "float32", steps=3)
    optimizer, theta, state = build_optimizer(op, its.attrs), its.parameters, None
    for gradients in its.gradients:
        for x in (*theta.values(), *gradients.values()):
            if isinstance(x, np.ndarray):
                x.flags.writeable = False
        kept = {n: {k: np.copy(v) for k, v in s.items()} for n, s in (state or {}).items()}
        stepped, after = update(optimizer, theta, gradients, state)
        again, _ = update(optimizer, theta, gradients, state)
        assert all(np.array_equal(stepped[n], again[n]) and stepped[n].dtype == np.float32 for n in theta)
        assert all(np.array_equal(v, kept[n][k]) for n, s in (state or {}).items() for k, v in s.items())
        theta, state = stepped, after


def test_a_parameter_without_a_gradient_stays() -> None:
    theta = {"a": np.ones(2), "b": np.ones(2)}
    stepped, state = update(build_optimizer("Adam", {}), theta, {"a": np.ones(2)})
    assert stepped["b"] is theta["b"]
    assert set(state) == {"a"}


WRONG: dict[str, Any] = {
    "a part in 1e9": lambda step, k: step * (1 + 1e-9),
    "the sign": lambda step, k: -step,
    "late": lambda step, k: step if k < 4 else step + 1e-6,
    "NaN": lambda step, k: step * np.nan,
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
@pytest.mark.parametrize("op", GRIDS)
def test_a_wrong_step_is_proven(op: str, wrong: Any) -> None:
    def call(case: Any) -> Any:
        raise AssertionError("not for step 5")

    def bent(case: UpdateCase) -> Any:
        steps = reference_update(case).steps
        return [{n: np.asarray(wrong(x, k)) if n == "b" else x for n, x in s.items()} for k, s in enumerate(steps)]

    call.update = bent  # type: ignore[attr-defined]
    verdict = judge(case(op, {}, steps=6), wrap(call))
    assert verdict.failed
    if wrong is not WRONG["NaN"]:
        assert (verdict.outcome, verdict.stage) == ("mismatch", "proved")
        assert verdict.differences[0].tensor == ("step 5: b" if wrong is WRONG["late"] else "step 1: b")


def test_steps_end_where_the_lesson_says() -> None:
    """θ − η g, and with momentum μ: θ − η (g₂ + μ g₁) at the second step."""
    its = UpdateCase(op="SGD", attrs={"lr": 0.5}, parameters={"w": np.ones(1)}, gradients=({"w": np.ones(1)},) * 2)
    assert [s["w"].item() for s in reference_update(its).steps] == [0.5, 0.0]
    heavy = replace(its, attrs={"lr": 0.5, "momentum": 0.5})
    assert [s["w"].item() for s in reference_update(heavy).steps] == [0.5, -0.25]
    assert [s["w"].item() for s in run_update(heavy)] == [0.5, -0.25]


@pytest.mark.parametrize(("op", "attrs", "words"), [
    ("Foo", {}, "no optimizer is called 'Foo'; there are Adagrad, Adam"),
    ("SGD", {"rate": 1}, "SGD has no argument 'rate'; it takes"),
    ("SGD", {"lr": -1}, "SGD: lr is -1, but should be at least 0"),
    ("SGD", {"nesterov": True}, "SGD: nesterov needs a momentum above 0"),
    ("Adam", {"betas": [0.9, 1.0]}, r"Adam: betas\[1\] is 1.0, but should be at least 0 and below 1"),
    ("RMSprop", {"alpha": -0.1}, "RMSprop: alpha is -0.1, but should be at least 0"),
])  # fmt: skip
def test_what_cannot_be_right_is_refused_in_a_sentence(op: str, attrs: dict[str, Any], words: str) -> None:
    with pytest.raises(GraphError, match=words):
        build_optimizer(op, attrs)
