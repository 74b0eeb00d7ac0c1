"""`reference` trains on the UCI handwritten digits in lockstep with torch, every gradient of every step judged.

E. Alpaydin, C. Kaynak, Optical recognition of handwritten digits, UCI 1998; scikit-learn ships 1797 of them.
At each step the oracle judges the reference's answer, and that very answer feeds `reference.update` and
`torch.optim`: the two parameter vectors may drift apart by rounding only, and `drift` says by how much.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from oracle.judge import judge
from oracle.spec import Answer, Array, Case, Node, Tensors
from oracle.subjects import Subject, reference
from oracle.twin import Twin
from reference import Network, backprop, forward, update
from reference.optimizers import build_optimizer

EPOCHS, BATCH, TRAINED = 4, 32, 1437
STEPS = EPOCHS * -(-TRAINED // BATCH)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """On products this small, torch's threads only wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@dataclass
class Run:
    """One training: its settings, and what came out."""

    activation: str
    dtype: str
    op: str
    attrs: dict[str, Any]
    drift: Callable[..., float]
    judged: int = 0
    closest: float = 0.0
    """The largest distance from torch's parameters, over the tolerance."""
    losses: list[float] = field(default_factory=list)
    accuracy: float = 0.0

    @property
    def nodes(self) -> tuple[Node, ...]:
        """64-32-10."""
        return (
            Node("h", "Linear", ("x",), {"in_features": 64, "out_features": 32}),
            Node("a", self.activation, ("h",)),
            Node("o", "Linear", ("a",), {"in_features": 32, "out_features": 10}),
            Node("loss", "CrossEntropyLoss", ("o", "t")),
        )


# ------------------------------------------------------------------------------------- how far rounding can drift
#
# Both sides start equal and are fed the same gradients, so nothing but their own rounding parts them. Below, u = eps/2
# is one rounding, the two sides together make twice each; k steps, G the largest |gradient| and T the largest
# |parameter| so far. Every step rounds θ − move once: 2uT = eps T a step. The rest is what the moves differ by.


def sgd_drift(k: int, G: float, T: float, eps: float, lr: float, momentum: float) -> float:
    """v ← μv + g rounds twice, |v| ≤ V = G/(1 − μ): v differs by ≤ 2 eps V/(1 − μ); ηv rounds once more."""
    V = G / (1 - momentum)
    return eps * k * (T + lr * V * (1 + 2 / (1 - momentum)))


def adam_drift(k: int, G: float, T: float, eps: float, lr: float, betas: tuple[float, float] = (0.9, 0.999)) -> float:
    """The move is η q, q = m̂/√ŝ. As ŝ is a mean of the g² with no weight below β₂ᵏ/k, G/√ŝ ≤ R = √(k/β₂ᵏ).

    m ← m + (1 − β₁)(g − m) rounds three times, at most 2G large: m̂/√ŝ differs by ≤ 6 eps R/(1 − β₁).
    s ← β₂s + (1 − β₂)g² has positive terms only and rounds by 3u a step: √ŝ differs by ≤ 3/2 k eps of itself, and
    |q| ≤ R. Root, correction, + ε, quotient and η round once each: 5 eps R.
    """
    R = (k / betas[1] ** k) ** 0.5
    return eps * k * (T + lr * R * (6 / (1 - betas[0]) + 1.5 * k + 5))


# ------------------------------------------------------------------------------------------------------- training


def digits(dtype: str) -> tuple[Array, Array]:
    """Images scaled to [0, 1], (1797, 64), and labels, shuffled."""
    x, t = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(x))
    return (x[order] / 16).astype(dtype), t[order]


def initial(dtype: str) -> Tensors:
    """Weights of variance 1/fan-in, biases 0."""
    rng = np.random.default_rng(1)
    shapes = {"h.weight": (32, 64), "h.bias": (32,), "o.weight": (10, 32), "o.bias": (10,)}
    return {
        n: (rng.normal(size=s) / s[-1] ** 0.5 if len(s) > 1 else np.zeros(s)).astype(dtype) for n, s in shapes.items()
    }


def batches() -> Iterator[Array]:
    """Indices of each minibatch of every epoch; the last of an epoch is smaller."""
    rng = np.random.default_rng(2)
    for _ in range(EPOCHS):
        order = rng.permutation(TRAINED)
        yield from (order[k : k + BATCH] for k in range(0, TRAINED, BATCH))


def train(run: Run, answer: Callable[[Case], Answer] = reference) -> Run:
    """Every step: judge the answer, update both sides with it, and compare them."""
    x, t = digits(run.dtype)
    theta, state, twin = initial(run.dtype), None, None
    optimizer, beside = build_optimizer(run.op, run.attrs), Beside(run, theta)
    for k, at in enumerate(batches(), 1):
        case = Case(dtype=run.dtype, nodes=run.nodes, inputs={"x": x[at], "t": t[at]}, parameters=theta)
        twin = twin or Twin.of(case)
        gradients = judged(run, case, twin, answer)
        theta, state = update(optimizer, theta, gradients, state)
        beside.step(k, gradients, theta)
    run.accuracy = accuracy(run, theta, x[TRAINED:], t[TRAINED:])
    return run


def judged(run: Run, case: Case, twin: Twin, answer: Callable[[Case], Answer]) -> Tensors:
    """The gradients of the parameters, once the oracle says that every number of the answer is right."""
    found = answer(case)
    run.judged += 1
    verdict = judge(case, Subject("reference", lambda _: found), twin)
    assert verdict.outcome == "match", f"step {run.judged}: {verdict}"
    assert found.gradients.keys() == {*case.parameters, "x"}
    run.losses.append(float(found.loss))
    return {name: found.gradients[name] for name in case.parameters}


class Beside:
    """torch.optim, fed with the reference's gradients."""

    def __init__(self, run: Run, theta: Tensors) -> None:
        self.run, self.largest = run, dict.fromkeys(theta, (0.0, 0.0))
        self.theta = {name: torch.tensor(value) for name, value in theta.items()}
        self.optimizer = getattr(torch.optim, run.op)(self.theta.values(), **run.attrs)

    def step(self, k: int, gradients: Tensors, theta: Tensors) -> None:
        """One step of torch's, and its distance from `theta`."""
        for name, g in gradients.items():
            self.theta[name].grad = torch.tensor(g)
        self.optimizer.step()
        for name, value in theta.items():
            self.compare(k, name, gradients[name], value)

    def compare(self, k: int, name: str, g: Array, value: Array) -> None:
        """Within what rounding may do in k steps."""
        here = (float(np.abs(g).max()), float(np.abs(value).max()))
        G, T = self.largest[name] = (max(here[0], self.largest[name][0]), max(here[1], self.largest[name][1]))
        assert value.dtype == self.run.dtype
        room = self.run.drift(k, G, T, float(np.finfo(self.run.dtype).eps), **self.run.attrs)
        off = float(np.abs(value - self.theta[name].numpy()).max())
        assert off <= room, f"step {k}: {name} is {off:.3g} from torch's, but rounding explains {room:.3g} only"
        self.run.closest = max(self.run.closest, off / room)


def accuracy(run: Run, theta: Tensors, x: Array, t: Array) -> float:
    """The share of images whose largest output is the label's."""
    trace = forward(Network(run.nodes, training=False), theta, {"x": x, "t": t})
    return float((trace.values["o"].argmax(1) == t).mean())


# ---------------------------------------------------------------------------------------------------------- tests

MOMENTUM: dict[str, Any] = {"lr": 0.05, "momentum": 0.9}
RUNS = {
    "sgd-relu-float64": lambda: Run("ReLU", "float64", "SGD", MOMENTUM, sgd_drift),
    "adam-tanh-float64": lambda: Run("Tanh", "float64", "Adam", {"lr": 0.005}, adam_drift),
    "sgd-tanh-float32": lambda: Run("Tanh", "float32", "SGD", MOMENTUM, sgd_drift),
    "adam-relu-float32": lambda: Run("ReLU", "float32", "Adam", {"lr": 0.005}, adam_drift),
}


@pytest.mark.parametrize("name", RUNS)
def test_trains_in_lockstep_with_torch(name: str) -> None:
    run = train(RUNS[name]())
    assert run.judged == STEPS == 180
    assert 0 < run.closest <= 1
    assert np.mean(run.losses[-45:]) < np.mean(run.losses[:45]) / 2
    assert run.accuracy > 0.9


def test_one_wrong_gradient_in_one_step_is_found() -> None:
    run = RUNS["sgd-relu-float64"]()

    def wrong_once(case: Case) -> Answer:
        found = reference(case)
        if run.judged == 6:
            found.gradients["h.bias"][3] += 1e-9
        return found

    with pytest.raises(AssertionError, match=r"step 7: .*mismatch.*h\.bias\[3\]"):
        train(run, wrong_once)


def test_parameters_that_part_are_found() -> None:
    run = RUNS["sgd-relu-float64"]()
    beside = Beside(run, theta := initial(run.dtype))
    nudged = {name: value * (1 - 1e-12) for name, value in theta.items()}
    with pytest.raises(AssertionError, match=r"step 1: h\.weight is .* from torch's"):
        beside.step(1, {name: np.zeros_like(value) for name, value in theta.items()}, nudged)


def test_training_may_skip_the_error_signals_of_the_images() -> None:
    x, t = digits("float64")
    nodes, theta, inputs = RUNS["sgd-relu-float64"]().nodes, initial("float64"), {"x": x[:BATCH], "t": t[:BATCH]}
    whole = backprop(Network(nodes), theta, inputs).gradients
    lean = backprop(Network(nodes, input_errors=False), theta, inputs).gradients
    assert lean.keys() == theta.keys() == whole.keys() - {"x"}
    assert all(np.array_equal(g, whole[name]) for name, g in lean.items())
