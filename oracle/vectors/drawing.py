"""Small cases that a person can check by hand, in the vocabulary of a first lesson.

But for the weights of a few, every number is a multiple of 1/4 and exact in float32, so that one case serves both
dtypes, and a reader whose JSON goes through float32 loses nothing. Beside the chain of layers there are the graphs
that two-input losses allow: a prediction held against another one, against its own input, or against itself.
"""

import hashlib
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import numpy as np

from oracle.architectures import reduction
from oracle.spec import Array, Case, Node, Tensors

Shape = tuple[int, ...]
Attrs = dict[str, Any]

PLAIN = (-3.0, -2.0, -1.0, -1.0, -0.5, 0.5, 1.0, 1.0, 2.0, 2.0, 3.0)
WEIGHTS = (-2.0, -1.0, -0.5, 0.5, 1.0, 1.0, 2.0)
TENTHS = (0.1, -0.3, 0.7)
"""Weights that float32 cannot hold: such a case is for float64 alone."""
HOT = (-1000.0, -30.0, -20.0, 20.0, 30.0, 1000.0)
"""Numbers that saturate, or overflow an exponential."""
ACTIVATIONS = ("Sigmoid", "Tanh", "ReLU", "LeakyReLU", "Identity")
LOSSES = ("HalfSquaredError", "MSELoss", "CrossEntropyLoss", "BCEWithLogitsLoss", "Dot")
OPERATORS = frozenset({"Linear", *ACTIVATIONS, *LOSSES})
"""The vocabulary, that of the profile `mlp`."""
LARGEST = 32
"""Numbers in a case, at most."""
DEEP = 11
"""Layers of the deep nets: with ten and more, names in the order of text are not in the order of layers."""


class _Net:
    """A graph that grows, with its numbers."""

    def __init__(self, r: Random) -> None:
        self.r = r
        self.nodes: list[Node] = []
        self.inputs: Tensors = {}
        self.parameters: Tensors = {}
        self.shapes: dict[str, Shape] = {}
        self.hot = r.random() < 0.12
        self.weights = TENTHS if r.random() < 0.03 else WEIGHTS

    def real(self, shape: Shape, choices: tuple[float, ...] = PLAIN) -> Array:
        """Simple numbers."""
        return np.array([self.r.choice(choices) for _ in range(int(np.prod(shape)))]).reshape(shape)

    def given(self, name: str, x: Array) -> str:
        """A new input."""
        self.inputs[name], self.shapes[name] = x, x.shape
        return name

    def add(self, name: str, op: str, inputs: tuple[str, ...], shape: Shape, attrs: Attrs, **params: str) -> str:
        """A new node."""
        self.nodes.append(Node(name, op, inputs, attrs, params))
        self.shapes[name] = shape
        return name

    def linear(self, x: str, width: int) -> str:
        """Linear; now and then without bias, or with the weights of an earlier one."""
        shape, name = self.shapes[x], f"h{sum(n.op == 'Linear' for n in self.nodes) + 1}"
        attrs: Attrs = {"in_features": shape[-1], "out_features": width}
        same = [full for full, w in self.parameters.items() if w.shape == (width, shape[-1])]
        tied = {"weight": same[0]} if same and self.r.random() < 0.15 else {}
        if not tied:
            self.parameters[f"{name}.weight"] = self.real((width, shape[-1]), self.weights)
        if self.r.random() < 0.15:
            attrs["bias"] = False
        else:
            self.parameters[f"{name}.bias"] = self.real((width,))
        return self.add(name, "Linear", (x,), (*shape[:-1], width), attrs, **tied)

    def activation(self, x: str) -> str:
        """One of the five."""
        op = self.r.choice(ACTIVATIONS)
        attrs = {"negative_slope": 0.25} if op == "LeakyReLU" and self.r.random() < 0.5 else {}
        name = f"a{sum(n.op in ACTIVATIONS for n in self.nodes) + 1}"
        return self.add(name, op, (x,), self.shapes[x], attrs)

    def chain(self, x: str, depth: int, widths: tuple[int, ...]) -> str:
        """Layers, each a Linear and mostly an activation."""
        for _ in range(depth):
            x = self.linear(x, self.r.choice(widths))
            x = self.activation(x) if self.r.random() < 0.8 else x
        return x

    def end(self, x: str) -> None:
        """The loss; unreduced, or by chance, with an error signal of its own."""
        op, shape = self.r.choice(LOSSES), self.shapes[x]
        attrs, target, unreduced = LOSS[op](self, shape)
        if op == "Dot":
            self.add("loss", op, (x, target), (), {})
            return
        none = attrs.get("reduction") == "none"
        upstream = none or self.r.random() < 0.2
        loss = self.add("cost" if upstream else "loss", op, (x, target), unreduced if none else (), attrs)
        if upstream:
            self.add("loss", "Dot", (loss, self.given("c", self.real(self.shapes[loss]))), (), {})

    def case(self) -> Case:
        """What has grown."""
        return Case(nodes=tuple(self.nodes), inputs=self.inputs, parameters=self.parameters)


def _reduction(r: Random) -> Attrs:
    return r.choice(({}, {"reduction": "mean"}, {"reduction": "sum"}, {"reduction": "none"}))


def _real(net: _Net, shape: Shape) -> tuple[Attrs, str, Shape]:
    """A target of real numbers: a new one, or an earlier tensor."""
    earlier = [name for name, s in net.shapes.items() if s == shape]
    if net.r.random() < 0.3 and earlier:
        return _reduction(net.r), net.r.choice(earlier), shape
    return _reduction(net.r), net.given("t", net.real(shape)), shape


def _classes(net: _Net, shape: Shape) -> tuple[Attrs, str, Shape]:
    """Labels, or probabilities that add up to 1."""
    r, classes, per_sample = net.r, shape[1], (shape[0], *shape[2:])
    attrs = _reduction(r)
    if r.random() < 0.3:
        attrs["weight"] = [r.choice((0.5, 1.0, 2.0)) for _ in range(classes)]
    if r.random() < 0.3:
        attrs["label_smoothing"] = 0.25
    if r.random() < 0.3 and len(shape) == 2:
        return attrs, net.given("t", _probabilities(r, *shape)), per_sample
    if r.random() < 0.3:
        attrs["ignore_index"] = r.choice((0, classes - 1))
    labels = [r.randrange(classes) for _ in range(int(np.prod(per_sample)))]
    return attrs, net.given("t", np.array(labels, np.int64).reshape(per_sample)), per_sample


def _probabilities(r: Random, n: int, classes: int) -> Array:
    """Rows of quarters that add up to 1."""
    cuts = np.array([sorted(r.randrange(5) for _ in range(classes - 1)) for _ in range(n)]).reshape(n, classes - 1)
    return np.diff(cuts, axis=1, prepend=0, append=4) / 4


def _logits(net: _Net, shape: Shape) -> tuple[Attrs, str, Shape]:
    """Targets from 0 to 1."""
    attrs = _reduction(net.r)
    for name in ("weight", "pos_weight"):
        if net.r.random() < 0.25:
            attrs[name] = [net.r.choice((0.5, 1.0, 2.0)) for _ in range(shape[-1])]
    return attrs, net.given("t", net.real(shape, (0.0, 1.0, 0.25, 0.5))), shape


LOSS: dict[str, Callable[[_Net, Shape], tuple[Attrs, str, Shape]]] = {
    "HalfSquaredError": _real,
    "MSELoss": _real,
    "CrossEntropyLoss": _classes,
    "BCEWithLogitsLoss": _logits,
    "Dot": _real,
}
"""Each loss with its arguments, its target, and its shape where it is not reduced."""


def case(r: Random) -> Case:
    """A small case."""
    net = _Net(r)
    if r.random() < 0.02:
        net.end(net.chain(net.given("x", net.real((1, 1))), DEEP, (1,)))
        return net.case()
    shape: Shape = (r.choice((0, 1, 2, 2, 3)), r.choice((1, 2, 2, 3)))
    shape = (shape[0], 2, shape[1]) if r.random() < 0.1 else shape
    x = net.given("x", net.real(shape, HOT if net.hot else PLAIN))
    net.end(net.chain(x, r.choice((0, 1, 1, 2, 2, 3)), (1, 2, 2, 3)))
    return net.case()


def cases(seed: int, count: int) -> Iterator[Case]:
    """Small cases; the same seed, the same cases."""
    digest = hashlib.sha256(f"vectors {seed}".encode()).digest()
    r = Random(int.from_bytes(digest[:8]))
    for _ in range(count):
        drawn = case(r)
        if 0 < size(drawn) <= LARGEST:
            yield drawn


def size(drawn: Case) -> int:
    """The numbers that a person has to read."""
    return sum(x.size for x in (*drawn.inputs.values(), *drawn.parameters.values()))


def features(drawn: Case) -> set[str]:
    """What a case meets of the vocabulary: operators and their options."""
    return {feature for node in drawn.nodes for feature in (node.op, *_options(node, drawn))}


def _options(node: Node, drawn: Case) -> Iterator[str]:
    yield from (f"{node.op} {name}" for name in node.attrs if name not in ("in_features", "out_features", "reduction"))
    if node.op in LOSSES and node.op != "Dot":
        yield f"{node.op} reduction {reduction(node)}"
    if node.op == "CrossEntropyLoss" and node.inputs[1] in drawn.inputs:
        yield f"{node.op} of {'labels' if drawn.inputs[node.inputs[1]].dtype.kind == 'i' else 'probabilities'}"
