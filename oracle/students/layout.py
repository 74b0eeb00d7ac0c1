"""How the numbers of a net lie in a student's arrays: which axis is which."""

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from oracle.spec import Array


@dataclass(frozen=True)
class Net:
    """The numbers of a chain as the oracle has them."""

    weights: list[Array]
    """(out, in) each."""
    biases: list[Array]
    x: Array
    """(N, in)"""
    target: Array
    """(N, out), or the classes, (N,)."""
    truths: dict[Any, Any] = field(default_factory=dict, compare=False, repr=False)
    """What the reference says of it, by meaning."""

    def copy(self) -> "Net":
        """The same numbers, for code that may change them."""
        weights, biases = ([x.copy() for x in many] for many in (self.weights, self.biases))
        return Net(weights, biases, self.x.copy(), self.target.copy())

    @property
    def widths(self) -> list[int]:
        """From the input to the output."""
        return [self.weights[0].shape[1], *(w.shape[0] for w in self.weights)]


@dataclass(frozen=True)
class Layout:
    """One way to lay them out."""

    weights: Literal["in_out", "out_in"] = "in_out"
    samples: Literal["rows", "columns", "column", "vector"] = "rows"
    """"column" and "vector": one sample at a time, (in, 1) or (in,)."""
    biases: Literal["vector", "row", "column", "none", "first"] = "vector"
    """"first": the first column of the weights, or their first row."""
    targets: Literal["like", "classes"] = "like"

    @property
    def single(self) -> bool:
        """Whether it holds one sample only."""
        return self.samples in ("column", "vector")

    def weight(self, w: Array, b: Array) -> Array:
        """(out, in) as the student has it."""
        w = np.column_stack([b, w]) if self.biases == "first" else w
        return w.T if self.weights == "in_out" else w

    def bias(self, b: Array) -> Array:
        """(out,) as the student has it."""
        return {"row": b[None], "column": b[:, None]}.get(self.biases, b)

    def sample(self, x: Array) -> Array:
        """(N, width) as the student has it."""
        return {"columns": x.T, "column": x.T, "vector": x[0] if len(x) == 1 else x}.get(self.samples, x)

    def target(self, t: Array, width: int) -> Array:
        """(N, out) or classes as the student has them."""
        if self.targets == "classes":
            classes = t if t.ndim == 1 else t.argmax(1)
            return classes[0] if self.samples == "vector" else classes
        return self.sample(np.eye(width)[t] if t.ndim == 1 else t)

    def read_weight(self, g: Array) -> Array:
        """A student's gradient of weights, (out, in)."""
        return g.T if self.weights == "in_out" and g.ndim == 2 else g

    def read_bias(self, g: Array, width: int) -> Array:
        """A student's gradient of a bias, (out,); what has not the bias's own shape is left to be complained of."""
        given = self.bias(np.empty(width)).shape
        if g.shape == given or (g.size == width and np.broadcast_shapes(g.shape, given) == given):
            return g.reshape(width)
        return g.T if self.samples == "columns" and g.ndim == 2 else g

    def __str__(self) -> str:
        order = {"in_out": "weights (in, out)", "out_in": "weights (out, in)"}[self.weights]
        biases = {
            "vector": "biases (out,)", "row": "biases (1, out)", "column": "biases (out, 1)", "none": "no biases",
            "first": "the bias as the first " + ("row" if self.weights == "in_out" else "column") + " of the weights",
        }[self.biases]  # fmt: skip
        samples = {
            "rows": "samples in rows", "columns": "samples in columns",
            "column": "one sample at a time, a column", "vector": "one sample at a time, a vector",
        }[self.samples]  # fmt: skip
        return f"{order}, {biases}, {samples}" + (", targets as classes" if self.targets == "classes" else "")


LAYOUTS: tuple[Layout, ...] = tuple(
    Layout(weights, samples, biases, targets)
    for targets in ("like", "classes")
    for samples in ("rows", "columns", "column", "vector")
    for weights in (("in_out", "out_in") if samples == "rows" else ("out_in", "in_out"))
    for biases in (
        ("vector", "row", "none", "first")
        if samples == "rows"
        else ("column", "vector", "none", "first")
        if samples != "vector"
        else ("vector", "none", "first")
    )
)
"""Every layout that is tried, the usual ones first."""


def arrays(layout: Layout, net: Net) -> dict[str, Any]:
    """The parts of a net, laid out."""
    return {
        "weights": [layout.weight(w, b) for w, b in zip(net.weights, net.biases, strict=True)],
        "biases": [layout.bias(b) for b in net.biases] if layout.biases in ("vector", "row", "column") else [],
        "x": layout.sample(net.x),
        "y": layout.target(net.target, net.widths[-1]),
    }
