"""Chains: the nets that a function with a fixed structure can run, as it declares them, and cases of nothing else.

A chain is Linear, σ, Linear, σ, ..., Linear, perhaps σ once more, and a loss. A subject that can run nothing else
says so in an attribute `chain`; then only such nets are drawn for it. Plain data: it travels between processes.
"""

from itertools import pairwise
from random import Random
from typing import Any, Literal

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from oracle.architectures import Architecture, Slot
from oracle.draws import values
from oracle.spec import Case, Node, Unsupported

REGIMES = ("small", "halves", "normal", "normal", "kinks", "zeros", "saturating", "large")
LARGEST = 8.0
"""What goes into an output activation that a logarithm follows: beyond, a textbook's log(softmax(z)) is no number."""


class Unit(Struct, frozen=True):
    """An activation."""

    op: str
    attrs: dict[str, Any] = {}


class Chain(Struct, frozen=True):
    """The chains that a subject can run."""

    units: tuple[tuple[Unit, Unit | None], ...]
    """(the activation of every hidden layer, that of the output), one pair for each kind of net."""
    loss: str
    reduction: str
    target: str = "real"
    """real, classes, binary or one_hot."""
    depths: tuple[int, ...] = (1, 2, 2, 3, 4)
    widths: tuple[int, ...] = (1, 2, 2, 3, 3, 4, 5, 6)
    sizes: tuple[int, ...] = ()
    """Every width from the input to the output, where they cannot be chosen; 0 where one can."""
    batches: tuple[int, ...] = (1, 1, 2, 2, 3, 4, 5, 6)
    bias: bool = True
    dtypes: tuple[Literal["float32", "float64"], ...] = ("float64", "float32")
    """float32 alone for a function that calculates in that whatever it is given."""

    @property
    def supports(self) -> frozenset[str]:
        """Every operator in it."""
        units = {unit.op for pair in self.units for unit in pair if unit}
        return frozenset({"Linear", self.loss, *units})

    def draw(self, r: Random) -> Architecture:
        """A random one."""
        widths = [fixed or r.choice(self.widths) for fixed in self.sizes or (0,) * (r.choice(self.depths) + 1)]
        if self.target in ("classes", "one_hot") and not (self.sizes and self.sizes[-1]):
            widths[-1] = max(2, widths[-1])
        return self.net(widths, r.choice(self.batches), r.choice(self.units))

    def net(self, widths: list[int], batch: int, pair: tuple[Unit, Unit | None] | None = None) -> Architecture:
        """The one with these widths, from the input to the output."""
        hidden, output = pair or self.units[0]
        nodes, parameters, at = list[Node](), dict[str, Slot](), "x"
        for k, (before, width) in enumerate(pairwise(widths), 1):
            attrs: dict[str, Any] = {"in_features": before, "out_features": width}
            nodes.append(Node(f"h{k}", "Linear", (at,), attrs if self.bias else attrs | {"bias": False}))
            parameters[f"h{k}.weight"] = Slot((width, before), "weight")
            if self.bias:
                parameters[f"h{k}.bias"] = Slot((width,))
            at = f"h{k}"
            if unit := hidden if k < len(widths) - 1 else output:
                at = f"a{k}"
                nodes.append(Node(at, unit.op, (f"h{k}",), dict(unit.attrs)))
        nodes.append(Node("loss", self.loss, (at, "target"), {"reduction": self.reduction}))
        inputs = {"x": Slot((batch, widths[0]), batched=True), "target": self._target(batch, widths[-1])}
        return Architecture(tuple(nodes), True, inputs, parameters, {}, self.batches)

    def _target(self, batch: int, width: int) -> Slot:
        if self.target == "classes":
            return Slot((batch,), "classes", classes=width, batched=True)
        return Slot((batch, width), self.target, batched=True)

    def case(self, net: Architecture, seed: int, dtype: str, regimes: tuple[str, ...] = REGIMES) -> Case:
        """The net with numbers."""
        case = values(net, seed, dtype, regimes)
        return tamed(case) if self.loss in ("BCELoss", "CrossEntropyLoss") else case


def tamed(case: Case) -> Case:
    """The last Linear scaled down by a power of two, so that what it puts out is moderate."""
    bound, linear = float(np.abs(case.inputs["x"]).max(initial=1)), case.nodes[0]
    for node in case.nodes[:-1]:
        if node.op == "Linear":
            weight, bias = (case.parameters.get(f"{node.name}.{role}", np.zeros(1)) for role in ("weight", "bias"))
            bound, linear = float(np.abs(weight).sum(-1).max(initial=0)) * bound + float(np.abs(bias).max()), node
        elif node.op in ("Sigmoid", "Tanh") and node is not case.nodes[-2]:
            bound = 1.0
    scale = 2.0 ** min(0.0, np.floor(np.log2(LARGEST / max(bound, LARGEST))))
    last = {name: x for name, x in case.parameters.items() if name.partition(".")[0] == linear.name}
    return replace(case, parameters=case.parameters | {name: (x * scale).astype(x.dtype) for name, x in last.items()})


class Links(Struct, frozen=True):
    """A case taken apart as a chain."""

    linears: tuple[Node, ...]
    hidden: Unit | None
    """None where there is no hidden layer."""
    output: Unit | None
    loss: Node

    @property
    def widths(self) -> list[int]:
        """From the input to the output."""
        first = self.linears[0].attrs["in_features"]
        return [first, *(node.attrs["out_features"] for node in self.linears)]


def links(case: Case) -> Links:
    """The links of a chain. Raises `Unsupported` for a graph that is none."""
    *body, loss = case.nodes
    at, linears, units = next(iter(case.nodes[0].inputs), ""), list[Node](), list[Unit | None]()
    for node in body:
        if node.inputs[0] != at or len(node.inputs) > 1 or node.params:
            raise Unsupported("a graph that is no chain")
        at = node.name
        if node.op == "Linear":
            linears.append(node)
            units.append(None)
        elif not linears or units[-1] is not None:
            raise Unsupported(f"{node.op} that follows no Linear")
        else:
            units[-1] = Unit(node.op, node.attrs)
    if not linears or len(loss.inputs) != 2 or loss.inputs[0] != at or linears[0].inputs[0] not in case.inputs:
        raise Unsupported("a graph that is no chain of Linear, activations and a loss")
    *hidden, output = units
    if any(unit is None or unit != hidden[0] for unit in hidden):
        raise Unsupported("hidden layers of different activations, or of none")
    return Links(tuple(linears), hidden[0] if hidden else None, output, loss)
