r"""Backpropagation in five steps, over any graph of layers.

The net is a list of nodes in topological order; the last one is the loss L. Beside the lesson:

| step                                     | here              | for Linear, an activation σ  |
|------------------------------------------|-------------------|------------------------------|
| forward: every z, every a, the loss      | `forward`         | z = x Wᵀ + b, a = σ(z)       |
| 1  error signal of the output layer      | `output_error`    | δ = y − t, for ½ Σ (y − t)²  |
| 2, 3  error signals of the hidden layers | `hidden_errors`   | δ W, then δ ⊙ σ′(z)          |
| 4  partials of weights and biases        | `partials`        | δᵀ x, Σₙ δₙ                  |
| 5  update                                | `update`          | θ − η ∂L/∂θ                  |

The *error signal* of a node is δ = ∂L/∂(its output). Books differ: many call ∂L/∂z the error of a unit with
activation; here z and a = σ(z) are two nodes, so both quantities have a name of their own.

Source: D. E. Rumelhart, G. E. Hinton, R. J. Williams, Learning representations by back-propagating errors, 1986.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from reference.layer import Array, GraphError, Layer, Saved, build
from reference.optimizers import Optimizer, State

Values = dict[str, Array]


@dataclass(frozen=True, slots=True)
class Node:
    """A layer at its place in the graph."""

    name: str
    layer: Layer
    inputs: tuple[str, ...]
    roles: tuple[tuple[str, str], ...]
    """Parameters and buffers, as (role, full name): ("weight", "h1.weight")."""
    outputs: tuple[str, ...]
    wanted: tuple[bool, ...] = ()
    """Which inputs need an error signal: those that are, or come from, something differentiated."""

    def own(self, theta: Mapping[str, Array]) -> Values:
        """The parameters of this node, by role."""
        return {role: theta[name] for role, name in self.roles}


class Network:
    """A graph of layers, checked once and ready to run any number of times; it holds no numbers.

    `nodes` are mappings {"name", "op", "inputs", "attrs", "params"}, or objects with those attributes: `op` is
    a class name of `torch.nn`, `attrs` its arguments, `inputs` the names of earlier nodes ("lstm:0" picks one of
    several outputs) or of input tensors; `params` renames parameters, {"weight": "encoder.weight"}, to share them.
    With `input_errors=False` the error signals of the input tensors, which training does not need, are skipped.
    """

    def __init__(self, nodes: Iterable[Any], training: bool = True, input_errors: bool = True) -> None:
        self.nodes: list[Node] = []
        known: dict[str, bool] = {}  # every tensor so far, and whether it needs an error signal
        made: set[str] = set()
        for raw in nodes:
            node = _node(raw, training)
            for name in node.inputs:
                known.setdefault(name, input_errors)
            wanted = tuple(known[name] for name in node.inputs)
            if taken := made.intersection(node.outputs) or known.keys() & set(node.outputs):
                raise GraphError(f"{node.name}: {taken.pop()!r} is used before it is made, or made twice")
            live = any(wanted) or bool(node.layer.parameters)
            known.update(dict.fromkeys(node.outputs, live))
            made.update(node.outputs)
            self.nodes.append(
                Node(node.name, node.layer, node.inputs, node.roles, node.outputs, wanted if any(wanted) else ())
            )
        if not self.nodes:
            raise GraphError("the net has no nodes; the last one must be the loss")
        self.loss = self.nodes[-1]
        self.inputs = [name for name in known if name not in made]
        self.input_errors = input_errors
        self.shapes = [
            (node.name, role, full, *node.layer.shapes()[role]) for node in self.nodes for role, full in node.roles
        ]

    def check(self, theta: Mapping[str, Array], inputs: Mapping[str, Array]) -> None:
        """Refuse missing tensors and wrong parameter shapes, in a sentence."""
        for name in self.inputs:
            if name not in inputs:
                raise GraphError(f"input {name!r} is missing; the net reads {self.inputs}")
        for name, role, full, text, shape in self.shapes:
            if full not in theta:
                raise GraphError(f"{name}: parameter {full!r} of shape {text} = {shape} is missing")
            if (got := np.shape(theta[full])) != shape:
                raise GraphError(f"{name}: {role} has shape {got}, but should be {text} = {shape}")


_KEYS = ("name", "op", "inputs", "attrs", "params")


def _node(raw: Any, training: bool) -> Node:
    get = raw if isinstance(raw, Mapping) else {key: getattr(raw, key, None) for key in _KEYS}
    name, params = str(get.get("name", "")), get.get("params") or {}
    layer = build(str(get.get("op", "")), get.get("attrs") or {}, training, name)
    inputs: tuple[str, ...] = tuple(get.get("inputs") or ())
    least, most = layer.arity
    if not least <= len(inputs) <= most:
        expected = least if least == most else f"{least} to {most}" if most < 99 else f"at least {least}"
        raise GraphError(f"{name}: {type(layer).__name__} has {len(inputs)} inputs, but should have {expected}")
    roles = tuple((role, params.get(role, f"{name}.{role}")) for role in layer.shapes())
    outputs = (name,) if layer.outputs == 1 else tuple(f"{name}:{k}" for k in range(layer.outputs))
    return Node(name, layer, inputs, roles, outputs)


@dataclass(frozen=True, slots=True)
class Trace:
    """What the forward pass leaves for the backward pass."""

    values: Values
    """Every tensor by name: inputs and the output of each node."""
    saved: dict[str, Saved]

    def buffers(self, net: Network, theta: Mapping[str, Array]) -> Values:
        """The running statistics after this pass, by full name."""
        return {
            dict(node.roles)[role]: value
            for node in net.nodes
            for role, value in node.layer.buffers(node.own(theta), self.saved[node.name]).items()
        }


def forward(net: Network, theta: Mapping[str, Array], inputs: Mapping[str, Array]) -> Trace:
    """Forward: every node's output, in order. The last one is the loss."""
    values, saved = dict(inputs), {}
    for node in net.nodes:
        y, saved[node.name] = node.layer.forward(node.own(theta), *[values[name] for name in node.inputs])
        if len(node.outputs) == 1:
            values[node.name] = y
        else:
            values.update(zip(node.outputs, y, strict=True))
    return Trace(values, saved)


def output_error(net: Network, theta: Mapping[str, Array], trace: Trace) -> Values:
    """Step 1: ∂L/∂L = 1, and what the loss hands to the output layer."""
    loss = trace.values[net.loss.name]
    deltas = {net.loss.name: np.ones(loss.shape, loss.dtype)}
    _hand_down(net.loss, theta, trace, deltas)
    return deltas


def hidden_errors(net: Network, theta: Mapping[str, Array], trace: Trace, deltas: Values) -> Values:
    """Steps 2 and 3: from the last layer to the first, each hands its error signal down to what feeds it."""
    for node in reversed(net.nodes[:-1]):
        _hand_down(node, theta, trace, deltas)
    return deltas


def _hand_down(node: Node, theta: Mapping[str, Array], trace: Trace, deltas: Values) -> None:
    """δ of each input of `node`. A tensor used twice hears from both uses: its error signals add."""
    if not node.wanted or (delta := _signal(node, trace, deltas)) is None:
        return
    received = node.layer.backward(node.own(theta), trace.saved[node.name], delta)
    for name, wanted, d in zip(node.inputs, node.wanted, received, strict=True):
        if wanted and d is not None:
            deltas[name] = deltas[name] + d if name in deltas else d


def _signal(node: Node, trace: Trace, deltas: Values) -> Any:
    """δ at the output of `node`: None off the loss's path; of several outputs, zero where one is unused."""
    if len(node.outputs) == 1:
        return deltas.get(node.name)
    if not any(name in deltas for name in node.outputs):
        return None
    return tuple(deltas[o] if o in deltas else np.zeros_like(trace.values[o]) for o in node.outputs)


def partials(net: Network, theta: Mapping[str, Array], trace: Trace, deltas: Values) -> Values:
    """Step 4: ∂L/∂θ of every parameter; zero off the loss's path; uses of a shared parameter add."""
    gradients: Values = {}
    for node in net.nodes:
        if not node.roles:
            continue
        delta, own = _signal(node, trace, deltas), node.own(theta)
        found = {} if delta is None else node.layer.partials(own, trace.saved[node.name], delta)
        for role, name in node.roles:
            if role in node.layer.parameters:
                g = found[role] if role in found else np.zeros_like(own[role])
                gradients[name] = gradients[name] + g if name in gradients else g
    return gradients


def update(
    optimizer: Optimizer, theta: Mapping[str, Array], gradients: Mapping[str, Array], state: State | None = None
) -> tuple[Values, State]:
    """Step 5: θ ← θ − η ∂L/∂θ, or what the optimizer makes of it. Returns the new parameters and its new state."""
    state = {} if state is None else state
    stepped, after = dict(theta), dict(state)
    for name, gradient in gradients.items():
        before = state[name] if name in state else optimizer.start(theta[name])
        stepped[name], after[name] = optimizer.step(theta[name], gradient, before)
    return stepped, after


@dataclass(frozen=True, slots=True)
class Backprop:
    """Everything one forward and backward pass found."""

    loss: Array
    gradients: Values
    """∂L/∂ every parameter, and every real input where `input_errors` was asked for."""
    deltas: Values
    """The error signal of every node on the loss's path."""
    trace: Trace


def backprop(net: Network, theta: Mapping[str, Array], inputs: Mapping[str, Array]) -> Backprop:
    """The forward pass and steps 1 to 4 in one call.

    Raises `GraphError` (a ValueError) for a missing tensor or a parameter of the wrong shape.
    """
    net.check(theta, inputs)
    with np.errstate(all="ignore"):
        trace = forward(net, theta, inputs)
        deltas = hidden_errors(net, theta, trace, output_error(net, theta, trace))
        gradients = partials(net, theta, trace, deltas)
    for name in net.inputs if net.input_errors else ():
        if inputs[name].dtype.kind == "f":
            gradients[name] = deltas[name] if name in deltas else np.zeros_like(inputs[name])
    return Backprop(trace.values[net.loss.name], gradients, deltas, trace)
