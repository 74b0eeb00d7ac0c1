"""One training step of `reference`, over torch and beside NumPy as a naive author writes it.

    python tests/benchmarks/bench_step.py [--only mnist] [--write]

A step is forward, loss, backward, partials and update of a multilayer perceptron. All contestants run in one
process on one thread, call by call in turn, so that a slow moment of the machine hits all of them; each number is a
median. `--write` puts the table into reports/benchmark.md.
"""

import os

THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
os.environ.update(dict.fromkeys(THREADS, "1"))  # before NumPy is imported: OpenBLAS reads it once

import argparse
import platform
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from itertools import pairwise, product
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np
import torch

from reference import Network, forward, hidden_errors, output_error, partials, update
from reference.optimizers import SGD, Adam

Array = np.ndarray
Tensors = dict[str, Array]
Step = Callable[[], Tensors]
"""Takes one step and returns the parameters after it."""

TARGET = 1.5
"""The reference may take this many times the naive author's time."""
LR = 1e-3
LOSSES = {"HalfSquaredError": "½ Σ (y − t)²", "CrossEntropyLoss": "cross-entropy"}


@dataclass(frozen=True)
class Bench:
    """One row."""

    name: str
    widths: tuple[int, ...]
    batch: int
    activation: str
    loss: str
    dtype: str
    optimizer: str = "SGD"

    @property
    def title(self) -> str:
        """tiny 2-3-1 (1), sigmoid, ½ Σ (y − t)²."""
        words = (f"({self.batch}), {self.activation.lower()}", LOSSES[self.loss])
        rule = "" if self.optimizer == "SGD" else f", {self.optimizer}"
        return f"{self.name} {'-'.join(map(str, self.widths))} {', '.join(words)}{rule}"

    @property
    def classifies(self) -> bool:
        """Whether targets are labels."""
        return self.loss == "CrossEntropyLoss"

    def data(self) -> tuple[Tensors, Tensors]:
        """Parameters and minibatch."""
        rng = np.random.default_rng(0)
        theta: Tensors = {}
        for k, (fan_in, fan_out) in enumerate(pairwise(self.widths)):
            theta[f"z{k}.weight"] = (rng.normal(size=(fan_out, fan_in)) / fan_in**0.5).astype(self.dtype)
            theta[f"z{k}.bias"] = np.zeros(fan_out, self.dtype)
        x = rng.normal(size=(self.batch, self.widths[0])).astype(self.dtype)
        labels = rng.integers(0, self.widths[-1], self.batch)
        t = labels if self.classifies else rng.normal(size=(self.batch, self.widths[-1])).astype(self.dtype)
        return theta, {"x": x, "t": t}


# ----------------------------------------------------------------------------------------------------- contestants


def reference(bench: Bench) -> Step:
    """The five steps, as the lesson has them."""
    theta, inputs = bench.data()
    net = Network(_nodes(bench), input_errors=False)
    rule = Adam(lr=LR) if bench.optimizer == "Adam" else SGD(lr=LR)
    state: Any = None

    def step() -> Tensors:
        nonlocal theta, state
        trace = forward(net, theta, inputs)
        deltas = output_error(net, theta, trace)
        deltas = hidden_errors(net, theta, trace, deltas)
        gradients = partials(net, theta, trace, deltas)
        theta, state = update(rule, theta, gradients, state)
        return theta

    return step


def _nodes(bench: Bench) -> Iterable[dict[str, Any]]:
    """Linear, activation, Linear, ..., loss."""
    at, last = "x", len(bench.widths) - 2
    for k, (fan_in, fan_out) in enumerate(pairwise(bench.widths)):
        yield {
            "name": f"z{k}",
            "op": "Linear",
            "inputs": (at,),
            "attrs": {"in_features": fan_in, "out_features": fan_out},
        }
        at = f"z{k}"
        if k < last:
            yield {"name": f"a{k}", "op": bench.activation, "inputs": (at,)}
            at = f"a{k}"
    yield {"name": "loss", "op": bench.loss, "inputs": (at, "t")}


NAIVE: dict[str, tuple[Callable[[Array], Array], Callable[[Array, Array], Array]]] = {
    "Sigmoid": (lambda z: 1 / (1 + np.exp(-z)), lambda z, a: a * (1 - a)),
    "Tanh": (np.tanh, lambda z, a: 1 - a**2),
    "ReLU": (lambda z: np.maximum(z, 0), lambda z, a: z > 0),
}


def naive(bench: Bench) -> Step:
    """What a good student hands in: lists of weights, a loop forward and a loop backward, updates in place."""
    theta, inputs = bench.data()
    W = [w for name, w in theta.items() if name.endswith("weight")]
    b = [v for name, v in theta.items() if name.endswith("bias")]
    x, t, rows = inputs["x"], inputs["t"], np.arange(bench.batch)
    f, slope = NAIVE[bench.activation]
    rule = naive_adam(bench) if bench.optimizer == "Adam" else naive_sgd

    def step() -> Tensors:
        zs, activations = [], [x]
        for k in range(len(W)):
            z = activations[-1] @ W[k].T + b[k]
            zs.append(z)
            activations.append(f(z) if k < len(W) - 1 else z)
        if bench.classifies:
            e = np.exp(z - z.max(axis=1, keepdims=True))
            y = e / e.sum(axis=1, keepdims=True)
            loss = -np.log(y[rows, t]).mean()
            delta = y
            delta[rows, t] -= 1
            delta /= len(x)
        else:
            loss = 0.5 * np.sum((z - t) ** 2)
            delta = z - t
        assert loss >= 0
        grads_W, grads_b = [None] * len(W), [None] * len(W)
        for k in reversed(range(len(W))):
            grads_W[k] = delta.T @ activations[k]
            grads_b[k] = delta.sum(axis=0)
            if k > 0:
                delta = (delta @ W[k]) * slope(zs[k - 1], activations[k])
        rule(W + b, grads_W + grads_b)
        return theta

    return step


def naive_sgd(theta: list[Array], gradients: list[Any]) -> None:
    """θ −= η g, in place."""
    for p, g in zip(theta, gradients, strict=True):
        p -= LR * g


def naive_adam(bench: Bench) -> Callable[[list[Array], list[Any]], None]:
    """The paper's Algorithm 1, line by line."""
    m: list[Any] = [0.0] * 2 * len(bench.widths)
    v: list[Any] = [0.0] * 2 * len(bench.widths)
    t = 0

    def rule(theta: list[Array], gradients: list[Any]) -> None:
        nonlocal t
        t += 1
        for k, (p, g) in enumerate(zip(theta, gradients, strict=True)):
            m[k] = 0.9 * m[k] + (1 - 0.9) * g
            v[k] = 0.999 * v[k] + (1 - 0.999) * g**2
            m_hat = m[k] / (1 - 0.9**t)
            v_hat = v[k] / (1 - 0.999**t)
            p -= LR * m_hat / (np.sqrt(v_hat) + 1e-8)

    return rule


def eager(bench: Bench) -> Step:
    """torch in its functional form; Adam is torch.optim's."""
    arrays, inputs = bench.data()
    theta = {name: torch.from_numpy(value).requires_grad_() for name, value in arrays.items()}
    x, t = torch.from_numpy(inputs["x"]), torch.from_numpy(inputs["t"])
    layers, leaves = len(bench.widths) - 1, list(theta.values())
    f = {"Sigmoid": torch.sigmoid, "Tanh": torch.tanh, "ReLU": torch.relu}[bench.activation]
    adam = torch.optim.Adam(leaves, lr=LR) if bench.optimizer == "Adam" else None
    F = torch.nn.functional

    def step() -> Tensors:
        z = x
        for k in range(layers):
            z = F.linear(z if k == 0 else f(z), theta[f"z{k}.weight"], theta[f"z{k}.bias"])
        loss = F.cross_entropy(z, t) if bench.classifies else 0.5 * (z - t).square().sum()
        gradients = torch.autograd.grad(loss, leaves)
        if adam is None:
            with torch.no_grad():
                for p, g in zip(leaves, gradients, strict=True):
                    p.sub_(g, alpha=LR)
        else:
            for p, g in zip(leaves, gradients, strict=True):
                p.grad = g
            adam.step()
        return arrays

    return step


# -------------------------------------------------------------------------------------------------------- timing

CONTESTANTS: dict[str, Callable[[Bench], Step]] = {"torch": eager, "naive": naive, "reference": reference}


def agree(bench: Bench) -> None:
    """After three steps all have the same parameters but for rounding: what is timed is the same work."""
    for dtype, room in ((bench.dtype, 1.0), ("float64", 1e-12)):
        ends = {name: end(replace(bench, dtype=dtype), make) for name, make in CONTESTANTS.items()}
        for name, key in product(ends, ends["torch"]):
            got, expected = ends[name][key], ends["torch"][key]
            assert got.dtype == dtype
            off = np.abs(got - expected).max()
            assert off <= room, f"{bench.title}: {name}'s {key} is {off:.3g} from torch's"


def end(bench: Bench, make: Callable[[Bench], Step]) -> Tensors:
    """The parameters after three steps."""
    step = make(bench)
    return [step() for _ in range(3)][-1]


def measure(bench: Bench, seconds: float) -> dict[str, float]:
    """The median time of one call of each contestant, in seconds; calls take turns."""
    steps = {name: make(bench) for name, make in CONTESTANTS.items()}
    times: dict[str, list[float]] = {name: [] for name in steps}
    end = perf_counter() + seconds
    while perf_counter() < end or len(times["torch"]) < 7:
        for name, step in steps.items():
            start = perf_counter()
            step()
            times[name].append(perf_counter() - start)
    return {name: median(found[1:]) for name, found in times.items()}


SQUARES, ENTROPY = LOSSES
NETS = (
    ("tiny", (2, 3, 1), 1, "Sigmoid", SQUARES),
    ("small", (4, 16, 16, 3), 32, "Tanh", SQUARES),
    ("small", (4, 16, 16, 3), 32, "Tanh", ENTROPY),
    ("digits", (64, 128, 64, 10), 64, "ReLU", ENTROPY),
    ("mnist", (784, 256, 128, 10), 128, "ReLU", ENTROPY),
    ("wide", (1024, 4096, 1024, 10), 256, "ReLU", ENTROPY),
)
BENCHES = [Bench(*net, dtype) for net in NETS for dtype in ("float32", "float64")]
BENCHES += [Bench(*NETS[3], dtype, "Adam") for dtype in ("float32", "float64")]

HEAD = """| net (batch) | dtype | torch eager | naive NumPy / torch | reference / torch | reference / naive |
|---|---|---|---|---|---|"""


def row(bench: Bench, found: dict[str, float]) -> str:
    """A line of the table."""
    base = found["torch"]
    time = f"{base * 1e3:.1f} ms" if base >= 1e-3 else f"{base * 1e6:.0f} µs"
    ratios = (found["naive"] / base, found["reference"] / base, found["reference"] / found["naive"])
    return f"| {bench.title} | {bench.dtype} | {time} | " + " | ".join(f"{r:.2f}" for r in ratios) + " |"


def machine() -> str:
    """What it ran on."""
    info = Path("/proc/cpuinfo")
    cpu = re.search(r"model name\s*: (.*)", info.read_text()) if info.exists() else None
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    versions = f"NumPy {np.__version__} with {blas['name']} {blas['version']}, torch {torch.__version__}"
    return f"{cpu[1] if cpu else platform.machine()}, one thread; Python {platform.python_version()}, {versions}."


# -------------------------------------------------------------------------------------------------------- report

REPORT = Path(__file__).parents[2] / "reports" / "benchmark.md"
BEGIN, END = "<!-- step:begin -->", "<!-- step:end -->"
EXPLANATION = """## One training step

Forward, loss, backward, partials and update; medians of calls in turn, in one process. `reference` is the general
graph engine that is read beside a lesson; naive NumPy is a loop over weight matrices that can do nothing else. In the
small nets with cross-entropy most of the difference is the loss: the reference's keeps every digit of a confident
prediction and checks the labels, the naive one is log(softmax).
Written by `python tests/benchmarks/bench_step.py --write`."""


def insert(text: str, section: str) -> str:
    """The file with what stands between the markers replaced, or with the section at its end."""
    section = f"{BEGIN}\n{section}\n{END}"
    if BEGIN in text and END in text:
        before, _, rest = text.partition(BEGIN)
        return before + section + rest.partition(END)[2]
    return f"{text.rstrip()}\n\n{section}\n".lstrip()


def write(table: str) -> None:
    """Keep every other section of the file."""
    REPORT.parent.mkdir(exist_ok=True)
    text = REPORT.read_text() if REPORT.exists() else "# Benchmarks\n"
    REPORT.write_text(insert(text, f"{EXPLANATION}\n\n{machine()}\n\n{table}"))


def main() -> None:
    """Print the table as it grows; say which rows miss the target."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--only", help="nets whose name has this in it")
    parser.add_argument("--seconds", type=float, default=3.0, help="for each row")
    parser.add_argument("--write", action="store_true", help="write the table into reports/benchmark.md")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    lines, slow = [HEAD], []
    print(machine(), HEAD, sep="\n")
    for bench in (b for b in BENCHES if chosen.only is None or chosen.only in b.title):
        agree(bench)
        found = measure(bench, chosen.seconds)
        lines.append(row(bench, found))
        slow += [f"{bench.title}, {bench.dtype}"] if found["reference"] > TARGET * found["naive"] else []
        print(lines[-1], flush=True)
    lines.append(f"\nAbove the target of {TARGET} times naive: {'; '.join(slow) or 'none'}.")
    print(lines[-1])
    if chosen.write:
        write("\n".join(lines))


if __name__ == "__main__":
    main()
