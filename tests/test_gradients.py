"""One function: right backwards are left alone, wrong ones are found, and what is said of them can be done."""

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from torch.nn import functional as F  # noqa: N812  (the name that everybody gives it)

import oracle
from oracle import Input
from oracle.gradients.slopes import slopes
from tests.functions import RIGHT, WRONG, Made, Square, function, saving
from tests.wild import WILD, SwiGLU

X = {"x": ("N", "D")}


@pytest.mark.parametrize("made", RIGHT, ids=lambda m: m.name)
def test_what_is_right_is_not_accused(made: Made) -> None:
    for seed in range(2):
        options = {"cases": 25, **made.options}
        report = oracle.check_gradients(made.mine, like=made.like, inputs=made.inputs, seed=seed, **options)
        assert report.tally["match"] > report.cases / 2
        assert not report.tally["undecided"]


@pytest.mark.parametrize("name", WILD)
def test_kernels_of_strangers_are_not_accused(name: str) -> None:
    mine, like, inputs, options = WILD[name]
    report = oracle.check_gradients(mine, like=like, inputs=inputs, cases=25, **options)
    assert report.tally["match"] > report.cases / 2


SAID = {
    "sign of small entries": "the gradient of x is wrong",
    "slope 5 at the kink": "on zeros",
    "ties doubled": "the sum of all entries of x is 2",
    "only for inputs that are not contiguous": "do not lie in memory in the order of C",
    "only for a batch of 1": "only with N = 1",
    "sum over the wrong axis": "only with D = N",
    "forgets the upstream gradient": "the upstream gradient is forgotten",
    "returns float64": "wrong dtype",
    "changes its input": "input changed in place",
    "changes the upstream gradient": "input changed in place",
    "stateful": "accumulated from an earlier call",
    "a None": "gradient of x1 is None",
    "one gradient too few": "the backward returned 1 gradient, but should one for each of x0, x1",
    "missing sum over a broadcast axis": "gradient of b has shape",
    "only the second derivative": "the second derivative with respect to x is wrong",
    "only the jvp": "Its forward mode, J v, is wrong",
    "once differentiable": "cannot be differentiated again",
    "wrong value": "The value that it returns is wrong",
}
"""Words that the message must have."""


@pytest.mark.parametrize("made", WRONG, ids=lambda m: m.name)
def test_what_is_wrong_is_found(made: Made) -> None:
    options = {"cases": 100, **made.options}
    with pytest.raises(AssertionError) as raised:
        oracle.check_gradients(made.mine, like=made.like, inputs=made.inputs, **options)
    assert SAID.get(made.name, "is wrong") in str(raised.value)


# ------------------------------------------------------------------------------------------------------- who is right


class Detached(torch.autograd.Function):
    """x², with a backward that says 3 x."""

    @staticmethod
    def forward(ctx, x):
        """x²."""
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx, g):
        """Wrong."""
        return 3 * ctx.saved_tensors[0] * g


def test_a_like_with_a_wrong_backward_is_not_believed() -> None:
    right = oracle.check_gradients(Square, like=Detached.apply, inputs=X, cases=10)
    assert right.tally["torch deviates"] > 10
    assert not right.tally["mismatch"]
    wrong = function("Fourfold", saving(torch.square), lambda ctx, g: 4 * ctx.saved_tensors[0] * g)
    with pytest.raises(AssertionError, match="like's own backward is wrong too"):
        oracle.check_gradients(wrong, like=Detached.apply, inputs=X, cases=10)


def test_another_slope_at_a_kink_is_a_convention() -> None:
    made = next(m for m in RIGHT if m.name == "relu with slope 1 at 0")
    report = oracle.check_gradients(made.mine, like=made.like, inputs=made.inputs)
    assert report.tally["convention"]
    assert "another slope at a kink" in report.notes[0].reason


def test_rounding_may_decide_the_side_of_a_kink() -> None:
    def summed(x):
        return torch.relu(x.flip(1).cumsum(1)[:, -1] - x.sum(1) + 1e-17)

    def backward(d, x):
        z = np.cumsum(x, 1)[:, -1] - np.cumsum(x[:, ::-1], 1)[:, -1] + 1e-17
        return np.zeros_like(x) * (d * (z > 0))[:, None]

    forward = lambda x: np.maximum(np.cumsum(x[:, ::-1], 1)[:, -1] - np.sum(x, 1) + 1e-17, 0)  # noqa: E731
    for seed in range(2):
        oracle.check_gradients((forward, backward), like=summed, inputs=X, cases=40, seed=seed)


def test_no_number_no_mismatch_and_too_few_are_said() -> None:
    mine = (lambda x: np.sqrt(-1 - x * x), lambda d, x: d * 7)
    report = oracle.check_gradients(mine, like=lambda x: torch.sqrt(-1 - x * x), inputs=X, cases=10, raises=False)
    assert report.exit_code == 2
    assert not report.tally["mismatch"]
    with pytest.raises(AssertionError, match="NOTHING JUDGED"):
        oracle.check_gradients(mine, like=lambda x: torch.sqrt(-1 - x * x), inputs=X, cases=10)


def test_what_is_saved_inside_a_forward_pass_is_a_constant_to_the_second_derivative() -> None:
    with pytest.raises(AssertionError, match="the second derivative with respect to a"):
        oracle.check_gradients(SwiGLU, like=lambda a, b: F.silu(a) * b, inputs=WILD["SwiGLU"][2], order=2, cases=10)


@pytest.mark.parametrize(("mine", "like"), [
    (lambda x: 2 * torch.sigmoid(2 * x) - 1, torch.tanh),
    (lambda x: torch.where(x > 0, x, torch.exp(x.clamp(max=0)) - 1), F.elu),
], ids=["tanh", "elu"])  # fmt: skip
def test_digits_that_cancel_are_no_mistake_and_are_said(mine: Callable[..., Any], like: Callable[..., Any]) -> None:
    report = oracle.check_gradients(mine, like=like, inputs=X, cases=60)
    assert any("digits are lost" in note.reason for note in report.notes)


# -------------------------------------------------------------------------------------------------------------- inputs


def test_strategies_are_the_domain_and_hypothesis_shrinks() -> None:
    met: list[np.ndarray] = []

    def half(d, x):
        met.append(x.copy())
        return d * np.where(x > 5, 1, 2 * x)

    tall = hnp.arrays(np.float64, hnp.array_shapes(min_dims=1, max_dims=2, max_side=3), elements=st.floats(2, 9))
    found = [
        oracle.check_gradients((np.square, half), like=torch.square, inputs={"x": tall}, cases=40, raises=False)
        for _ in range(2)
    ]
    assert all(x.min() >= 2 and x.max() <= 9 for x in met if x.size)
    finding = found[0].findings[0]
    assert finding.case.inputs["x"].size == 1
    assert found[0] == found[1]
    assert found[0].dtypes == ("float64",)


def test_a_strategy_of_all_inputs_at_once() -> None:
    both = st.integers(1, 3).flatmap(
        lambda n: st.tuples(*[hnp.arrays(np.float32, (n, n), elements=st.floats(-2, 2, width=32))] * 2)
    )
    report = oracle.check_gradients(torch.mul, like=lambda a, b: a * b, inputs=both, cases=20)
    assert report.dtypes == ("float32",)
    assert report.tally["match"] == 20


def test_examples_labels_and_masks_have_their_shapes_and_kinds() -> None:
    seen = []

    def mine(x, y, m):
        seen.append((x.shape, y.dtype, int(y.max()), m.dtype))
        return F.cross_entropy(x[m], y[m], reduction="sum")

    inputs = [torch.randn(4, 3), Input((4,), "int64", high=3), np.array([True, False, True, True])]
    oracle.check_gradients(
        mine, like=lambda x, y, m: F.cross_entropy(x[m], y[m], reduction="sum"), inputs=inputs, cases=10
    )
    assert {s[0] for s in seen} == {(4, 3)}
    assert {s[1] for s in seen} == {torch.int64}
    assert max(s[2] for s in seen) == 2
    assert {s[3] for s in seen} == {torch.bool}


def test_an_input_without_a_gradient() -> None:
    mine = function("Scaled", lambda ctx, x, s: _saved(ctx, s, x * s), lambda ctx, g: (g * ctx.saved_tensors[0], None))
    inputs = {"x": ("N", "D"), "s": Input(("D",), grad=False)}
    oracle.check_gradients(mine, like=torch.mul, inputs=inputs, cases=20)


def _saved(ctx, s, y):
    ctx.save_for_backward(s)
    return y


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"inputs": ("N", "D")}, "a single shape; give one for each argument"),
        ({"inputs": []}, "inputs is empty"),
        ({"inputs": {"x": 3}}, "input x is int; give a shape"),
        ({"order": 3}, "order is 3, but should be 1 or 2"),
        ({"dtypes": ["float16"]}, "dtypes is"),
        ({"sizes": {"K": (1, 2)}}, "sizes has 'K'; the names in the shapes are N, D"),
        ({"mine": 7}, "mine is int, but should be a callable"),
        ({"framework": "numpyro"}, "framework is 'numpyro'"),
        ({"mine": torch.nn.Linear(2, 2)}, "a Module with parameters"),
        ({"mine": (np.square, np.square), "order": 2}, "order=2 needs a backward that can itself be differentiated"),
        ({"mine": (np.square, np.square), "forward": True}, "needs a third callable"),
        ({"like": lambda x: x + torch.rand(())}, "like gives two answers for the same inputs"),
        ({"like": lambda x: x.sum().item()}, "like returned float"),
        ({"like": lambda x: x > 0}, "like has no output that is a real number"),
        ({"like": lambda x: x.view(7, 7)}, "in all 40 inputs that were tried"),
    ],
)
def test_bad_questions_are_refused_in_sentences(change: dict, sentence: str) -> None:
    asked = {"mine": Square, "like": torch.square, "inputs": X, **change}
    with pytest.raises(ValueError, match=sentence):
        oracle.check_gradients(asked.pop("mine"), **asked)


# -------------------------------------------------------------------------------------------------------------- report


def test_the_report_is_written_and_its_case_can_be_replayed(tmp_path: Path) -> None:
    made = next(m for m in WRONG if m.name == "only for a batch of 1")
    for folder in ("a", "b"):
        with pytest.raises(AssertionError, match="TO REPRODUCE"):
            oracle.check_gradients(made.mine, like=made.like, inputs=made.inputs, report=tmp_path / folder)
    files = sorted(p.relative_to(tmp_path / "a") for p in (tmp_path / "a").rglob("*") if p.is_file())
    assert all((tmp_path / "a" / f).read_bytes() == (tmp_path / "b" / f).read_bytes() for f in files)
    case = next((tmp_path / "a" / "corpus").glob("*.json"))
    assert case.name in (tmp_path / "a" / "summary.md").read_text()
    right = (np.square, lambda d, x: 2 * d * x)
    again = oracle.check_gradients(made.mine, like=made.like, inputs=made.inputs, replay=case, raises=False)
    assert again.tally["mismatch"] == again.cases == 1
    fixed = oracle.check_gradients(right, like=torch.square, inputs=made.inputs, replay=[case])
    assert fixed.tally["match"] == 1


def test_empty_inputs_may_be_declined_unless_they_are_asked_for() -> None:
    mine = (lambda x: x.max(0), lambda d, x: (x == x.max(0)) * d / (x == x.max(0)).sum(0).astype(d.dtype))

    def like(x):
        return x.amax(0) if len(x) else x.sum(0)

    report = oracle.check_gradients(mine, like=like, inputs=X)
    assert any("declines inputs without entries" in note.reason for note in report.notes)
    with pytest.raises(AssertionError, match="zero-size array"):
        oracle.check_gradients(mine, like=like, inputs=X, sizes={"N": (0, 2)})


def test_only_contiguous_arrays_if_that_is_wanted() -> None:
    made = next(m for m in WRONG if m.name == "only for inputs that are not contiguous")
    oracle.check_gradients(made.mine, like=made.like, inputs=made.inputs, contiguous=True)


def test_jax() -> None:
    jax = pytest.importorskip("jax", reason="jax is an optional framework")

    @jax.custom_vjp
    def softplus(x):
        return jax.numpy.logaddexp(x, 0)

    softplus.defvjp(lambda x: (softplus(x), x), lambda x, g: (g * jax.nn.sigmoid(x),))
    oracle.check_gradients(
        softplus, like=lambda x: torch.logaddexp(x, torch.zeros_like(x)), inputs=X, order=2, cases=15
    )
    oracle.check_gradients(jax.jit(jax.numpy.sin), like=torch.sin, inputs=X, forward=True, cases=15)
    wrong = jax.custom_vjp(lambda x: x**2)
    wrong.defvjp(lambda x: (x**2, x), lambda x, g: (3 * x * g,))
    with pytest.raises(AssertionError, match=r"x\[0, 0\] is 3, but should be 2"):
        oracle.check_gradients(wrong, like=torch.square, inputs=X, cases=15)


# -------------------------------------------------------------------------------------------------------------- slopes


@pytest.mark.parametrize("x", [-1.7, 1e-9, 0.3, 4.0, 1e5])
def test_slopes_are_within_their_own_error(x: float) -> None:
    for f, slope in ((np.sin, np.cos), (np.arctan, lambda v: 1 / (1 + v * v)), (np.square, lambda v: 2 * v)):
        y = f(x)
        found = slopes(lambda h, f=f, y=y: (f(x + h) - y, 2e-16 * (abs(y) + abs(x))), [max(abs(x), 1.0) / 2])
        assert abs(found.middle - slope(x)) <= found.precision
        assert found.precision < 1e-6
        assert not found.kinked


def test_a_kink_has_two_slopes_and_the_end_of_a_domain_one() -> None:
    found = slopes(lambda h: (max(3 * h, -h), 0.0), [0.5])
    assert (found.left, found.right) == pytest.approx((-1, 3))
    assert found.kinked
    edge = slopes(lambda h: (2 * h if h >= 0 else np.nan, 0.0), [0.5])
    assert edge.left == edge.right == pytest.approx(2)


def test_the_same_seed_asks_the_same() -> None:
    def asked(seed):
        seen = []
        oracle.check_gradients(
            lambda x: (seen.append(x.detach().clone()), x * x)[1], like=torch.square, inputs=X, seed=seed, cases=5
        )
        return seen

    first, again, other = asked(1), asked(1), asked(2)
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert any(
        a.shape != b.shape or not torch.equal(a, b) for a, b in itertools.zip_longest(first, other, fillvalue=first[0])
    )
