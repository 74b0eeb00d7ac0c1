"""Subjects that are wrong in one known way: the reference, with one line of one formula changed."""

from collections.abc import Callable
from typing import Any

import numpy as np

import reference
from oracle.seeds.planting import bent
from oracle.spec import Answer, Case, Node
from reference.backprop import _signal
from reference.layer import build

Patch = Callable[[Any, dict[str, Any]], None]
Layers = tuple[str, dict[str, Any]]


def chain(*layers: str | Layers, loss: str | Layers = "MSELoss", shape: tuple[int, ...] = (3, 2), seed: int = 0,
          dtype: Any = "float64", training: bool = True) -> Case:  # fmt: skip
    """Operators of one input in a row ("Tanh", or with arguments), and a loss; ordinary numbers, off every kink."""
    rng = np.random.default_rng(seed)
    full = [(layer, {}) if isinstance(layer, str) else layer for layer in (*layers, loss)]
    x = at = rng.normal(size=shape).astype(dtype)
    nodes, parameters, buffers = [], {}, {}
    for k, (op, attrs) in enumerate(full[:-1], 1):
        layer = build(op, attrs, training, f"n{k}")
        p = {role: (rng.normal(size=s) + 0.5).astype(dtype) for role, (_, s) in layer.shapes().items()}
        p |= {"running_var": abs(p["running_var"]), "num_batches_tracked": np.array(3)} if "running_var" in p else {}
        at, _ = layer.forward(p, at)
        nodes.append(Node(f"n{k}", op, (f"n{k - 1}" if k > 1 else "x",), attrs))
        for role, value in p.items():
            (parameters if role in layer.parameters else buffers)[f"n{k}.{role}"] = value
    other = "c" if full[-1][0] == "Dot" else "t"
    nodes.append(Node("loss", full[-1][0], (nodes[-1].name if nodes else "x", other), full[-1][1]))
    inputs = {"x": x, other: rng.normal(size=at.shape).astype(dtype)}
    return Case(
        dtype=dtype, training=training, nodes=tuple(nodes), inputs=inputs, parameters=parameters, buffers=buffers
    )


def linear(features: int, units: int, bias: bool = True) -> Layers:
    """A Linear for `chain`."""
    return "Linear", {"in_features": features, "out_features": units, "bias": bias}


MLP = (linear(2, 3), "Tanh", linear(3, 2))


def wrong(op: str, **methods: Callable[..., Any]) -> Callable[[Case], Answer]:
    """The reference, with methods of one operator (or of all: "*") replaced: (layer, right, *arguments) -> result."""
    planted = bent("wrong", op, **methods).plant()

    def subject(case: Case) -> Answer:
        return planted.call(case)

    return subject


ACTIVATIONS = "Sigmoid Tanh ReLU SiLU GELU Softplus LogSigmoid ELU Softsign Mish"


def _linear_partials(change: Callable[[Any, np.ndarray, np.ndarray, dict[str, Any]], dict[str, Any]]) -> Any:
    def partials(self: Any, right: Any, p: Any, x: Any, delta: Any) -> dict[str, Any]:
        return change(self, x, delta, right(p, x, delta))

    return wrong("Linear", partials=partials)


no_slope = wrong(ACTIVATIONS, backward=lambda self, right, p, saved, delta: (delta,))
slope_at_output = wrong("Sigmoid Tanh", backward=lambda self, right, p, saved, delta: (
    delta * (self.slope(saved[1], self.sigma(saved[1]))),))  # fmt: skip
tanh_without_square = wrong("Tanh", backward=lambda self, right, p, saved, delta: (delta * (1 - saved[1]),))
sigmoid_from_z = wrong("Sigmoid", backward=lambda self, right, p, s, delta: (delta * s[0] * (1 - s[0]),))
transposed_weights = wrong("Linear", backward=lambda self, right, p, x, delta: (
    (delta @ p["weight"].T,) if self.in_features == self.out_features else right(p, x, delta)))  # fmt: skip
mean_for_sum = _linear_partials(lambda self, x, d, g: {k: v / max(len(x), 1) for k, v in g.items()})
bias_mean = _linear_partials(lambda self, x, d, g: g | ({"bias": g["bias"] / max(len(x), 1)} if self.bias else {}))
bias_not_summed = _linear_partials(lambda self, x, d, g: g | ({"bias": d} if self.bias else {}))
last_sample = _linear_partials(lambda self, x, d, g: g | {"weight": np.outer(
    d.reshape(-1, d.shape[-1])[-1], x.reshape(-1, x.shape[-1])[-1]) if x.size else g["weight"]})  # fmt: skip
weight_sign = _linear_partials(lambda self, x, d, g: g | {"weight": -g["weight"]})
loss_sign = wrong("MSELoss", backward=lambda self, right, *a: tuple(None if g is None else -g for g in right(*a)))
half_missing = wrong("HalfSquaredError", backward=lambda self, right, *a: tuple(2 * g for g in right(*a)))
factor_two_missing = wrong("MSELoss", backward=lambda self, right, *a: tuple(g / 2 for g in right(*a)))
sum_for_mean = wrong("CrossEntropyLoss", backward=lambda self, right, p, s, d: tuple(
    None if g is None else g * (s[2].n if self.reduction == "mean" else 1) for g in right(p, s, d)))  # fmt: skip
softmax_diagonal = wrong("Softmax", backward=lambda self, right, p, y, d: (
    (d * y * (1 - y)) if isinstance(y, np.ndarray) else (d * y[1] * (1 - y[1])),))  # fmt: skip
skip_forgotten = wrong("Add", backward=lambda self, right, *a: (right(*a)[0], *(g * 0 for g in right(*a)[1:])))
dropout_scale = wrong("Dropout", backward=lambda self, right, p, s, d: tuple(
    None if g is None else g * ((1 - self.p) if self.training else 1) for g in right(p, s, d)))  # fmt: skip
leaky_slope = wrong(
    "LeakyReLU", backward=lambda self, right, p, s, d: (d * np.where(s[0] > 0, 1, 0.01).astype(d.dtype),)
)
batch_norm_constant = wrong("BatchNorm1d", backward=lambda self, right, p, s, d: (
    d * ((p["weight"] if self.affine else np.ones(d.shape[1], d.dtype)).reshape((1, -1, 1)[: d.ndim])),))  # fmt: skip
batch_norm_statistics = wrong("BatchNorm1d", backward=lambda self, right, p, s, d: (
    (d * ((p["weight"] if self.affine else np.ones(d.shape[1], d.dtype)).reshape((1, -1, 1)[: d.ndim]) * s.rate)
     if hasattr(s, "rate") else right(p, s, d)[0]),))  # fmt: skip
float32_constant = wrong("Sigmoid", backward=lambda self, right, *a: (right(*a)[0] * float(np.float32(1 / 3)) * 3,))


def relu_one_at_zero(case: Case) -> Answer:
    """relu'(0) = 1: another convention, not a mistake."""
    return wrong("ReLU", backward=lambda self, right, p, s, d: (
        d * ((s[0] if isinstance(s, tuple) else s) >= 0),))(case)  # fmt: skip


class Accumulating:
    """Adds every gradient to that of the calls before."""

    def __init__(self) -> None:
        self.before: dict[str, np.ndarray] = {}

    def __call__(self, case: Case) -> Answer:
        """Answer with the sum so far."""
        answer = wrong("Identity")(case)
        for name, g in answer.gradients.items():
            old = self.before.get(name)
            self.before[name] = answer.gradients[name] = g + old if old is not None and old.shape == g.shape else g
        return answer


def updated_weights(case: Case) -> Answer:
    """Steps the weights before the error signal passes through them."""

    def backward(self: Any, right: Any, p: Any, x: Any, delta: Any) -> Any:
        g = reference.LAYERS["Linear"].partials(self, p, x, delta)["weight"]
        return right({**p, "weight": p["weight"] - 0.5 * g.astype(x.dtype)}, x, delta)

    return wrong("Linear", backward=backward)(case)


def last_use_wins(case: Case) -> Answer:
    """A tensor used twice hears from its last use only: = for +=."""
    net = reference.Network(case.nodes, case.training)
    theta = case.state()
    trace = reference.forward(net, theta, case.inputs)
    deltas = {net.loss.name: np.ones_like(trace.values[net.loss.name])}
    for node in reversed(net.nodes):
        delta = _signal(node, trace, deltas)
        if delta is not None and node.wanted:
            received = node.layer.backward(node.own(theta), trace.saved[node.name], delta)
            deltas |= {n: d for n, d in zip(node.inputs, received, strict=True) if d is not None}
    gradients = reference.partials(net, theta, trace, deltas)
    reals = {name: x for name, x in case.inputs.items() if x.dtype.kind == "f"}
    gradients |= {name: deltas.get(name, np.zeros_like(x)) for name, x in reals.items()}
    return Answer(loss=trace.values[net.loss.name], gradients=gradients)
