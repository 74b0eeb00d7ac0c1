"""Graphs and joins gone wrong, in NumPy: sums where branches meet, broadcasts, changes of shape."""

from collections.abc import Callable
from functools import reduce
from typing import Any

import numpy as np

import reference
from oracle.seeds.planting import Seed, answering, bent, walking
from oracle.spec import Answer, Case
from reference.backprop import _signal
from reference.joins import unbroadcast
from reference.layer import Array

Handed = tuple[Any, ...]
Received = Callable[[Any], Any]

# ------------------------------------------------------------------------------------------- the walk over the graph


def handing(code: str, ops: str, change: Callable[[Handed], Handed]) -> Seed:
    """A layer that hands down something else: what its inputs should hear -> what they hear."""
    return bent(code, ops, backward=lambda self, right, *a: change(right(*a)))


def without(k: int) -> Callable[[Handed], Handed]:
    """Nothing for input k."""
    return lambda handed: tuple(np.zeros_like(d) if j == k else d for j, d in enumerate(handed))


def nothing(handed: Handed) -> Handed:
    """Nothing for any input."""
    return tuple(None if d is None else np.zeros_like(d) for d in handed)


def uses(node: Any, received: Received) -> list[tuple[str, Array]]:
    """The inputs of a node that hear something, with what they hear."""
    return [(name, d) for name, d in zip(node.inputs, received(node) or (), strict=False) if d is not None]


def last_use(net: Any, theta: Any, trace: Any, deltas: dict[str, Array], received: Received) -> None:
    """= for +=."""
    for node in reversed(net.nodes):
        deltas.update(uses(node, received))


def once_in_a_node(net: Any, theta: Any, trace: Any, deltas: dict[str, Array], received: Received) -> None:
    """+= for every node, but of two uses in one node the second overwrites the first."""
    for node in reversed(net.nodes):
        for name, d in dict(uses(node, received)).items():
            deltas[name] = deltas[name] + d if name in deltas else d


def averaged(net: Any, theta: Any, trace: Any, deltas: dict[str, Array], received: Received) -> None:
    """The mean over the uses."""
    heard: dict[str, list[Array]] = {}
    for node in reversed(net.nodes):
        for name, d in uses(node, received):
            heard.setdefault(name, []).append(d)
            deltas[name] = np.asarray(sum(heard[name]) / len(heard[name]))


def again(net: Any, theta: Any, trace: Any, deltas: dict[str, Array], received: Received) -> None:
    """No topological order: each use at once sends on all that its maker has so far."""
    makers = {output: node for node in net.nodes for output in node.outputs}

    def send(node: Any) -> None:
        for name, d in uses(node, received):
            deltas[name] = deltas[name] + d if name in deltas else d
            if name in makers:
                send(makers[name])

    send(net.loss)


def overwritten(case: Case, answer: Answer) -> Answer:
    """Of a shared parameter, the partial that is found last: walking back, that of its first use."""
    net, theta = reference.Network(case.nodes, case.training), case.state()
    found = reference.backprop(net, theta, case.inputs)
    for node in reversed(net.nodes):
        delta = _signal(node, found.trace, found.deltas)
        if node.roles and delta is not None:
            partials = node.layer.partials(node.own(theta), found.trace.saved[node.name], delta)
            answer.gradients |= {name: partials[role] for role, name in node.roles if role in partials}
    return answer


def no_input_error(case: Case, answer: Answer) -> Answer:
    """Zero for the tensor that the first node reads."""
    name = case.nodes[0].inputs[0]
    return _with(answer, **{name: np.zeros_like(answer.gradients[name])})


def _with(answer: Answer, **gradients: Array) -> Answer:
    answer.gradients |= gradients
    return answer


# ---------------------------------------------------------------------------------------------------------- joins


def broadcast(code: str, op: str, change: Callable[[Array, tuple[int, ...], int], Array]) -> Seed:
    """Add or Multiply with another adjoint of broadcasting: (δ of the operand, repeated; the axes; how many of them are
    new) -> δ. Where nothing is repeated, or no times, it is right.
    """

    def backward(self: Any, right: Any, p: Any, saved: Any, delta: Array) -> Handed:
        full = [(delta, shape) for shape in saved] if op == "Add" else products(saved, delta)
        return tuple(
            change(d, axes, d.ndim - len(shape)) if (axes := repeated(d, shape)) and d.size else unbroadcast(d, shape)
            for d, shape in full
        )

    return bent(code, op, backward=backward)


def products(x: tuple[Array, ...], delta: Array) -> list[tuple[Array, tuple[int, ...]]]:
    """δ times all the other factors, and the shape of each factor."""
    return [(reduce(np.multiply, x[:k] + x[k + 1 :], delta), v.shape) for k, v in enumerate(x)]


def repeated(d: Array, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The axes along which an operand of this shape was repeated: new ones, and those of length 1 that grew."""
    new = d.ndim - len(shape)
    return (*range(new), *(k for k, n in enumerate(shape, new) if n != d.shape[k]))


def first_row(d: Array, axes: tuple[int, ...], new: int) -> Array:
    """The first entry along each axis."""
    first = d[tuple(slice(0, 1) if k in axes else slice(None) for k in range(d.ndim))]
    return first.reshape(first.shape[new:])


def mean(d: Array, axes: tuple[int, ...], new: int) -> Array:
    """The mean over the axes."""
    m = d.mean(axes, keepdims=True)
    return m.reshape(m.shape[new:])


def first_axis(d: Array, axes: tuple[int, ...], new: int) -> Array:
    """The sum over the first axis alone."""
    return d.sum(axes[0], keepdims=axes[0] >= new)


def product(code: str, change: Callable[[tuple[Array, ...], int, Array], Array]) -> Seed:
    """Multiply with another derivative: (factors, k, δ) -> δ of factor k, before the sum over repeated axes."""
    return bent(code, "Multiply", backward=lambda self, right, p, x, delta: tuple(
        unbroadcast(change(x, k, delta), v.shape) for k, v in enumerate(x)))  # fmt: skip


def without_one(x: tuple[Array, ...], k: int, delta: Array) -> Array:
    """δ times the first of the other factors."""
    return delta * (x[:k] + x[k + 1 :])[0]


def middle(self: Any, right: Any, p: Any, cuts: Any, delta: Array) -> Handed:
    """δ of two parts, the second read from half the width on (as far back as it must, to be whole)."""
    if len(cuts) != 1:
        return right(p, cuts, delta)
    width, first = delta.shape[self.dim], int(cuts[0])
    start = min(width // 2, first)
    return np.take(delta, range(first), self.dim), np.take(delta, range(start, start + width - first), self.dim)


def exchanged(handed: Handed) -> Handed:
    """The parts in the other order, where they are equal in size."""
    return handed[::-1] if len({d.shape for d in handed}) == 1 else handed


def written_into(self: Any, right: Any, p: Any, saved: Any, delta: Array) -> Handed:
    """δ of the input, in the memory of δ of the output; a scalar, or a view that may not be written, is left alone."""
    (handed,) = right(p, saved, delta)
    if not delta.shape or not delta.flags.writeable:
        return (handed,)
    delta[...] = handed
    return (delta,)


MEETINGS = ("Add", "Multiply", "Concatenate")
BROADCASTING = ("Add", "Multiply")

SEEDS: tuple[Seed, ...] = (
    *(handing("G101", op, without(0)) for op in MEETINGS),
    *(handing("G102", op, without(1)) for op in MEETINGS),
    *(handing("G103", op, nothing) for op in ("Linear", "Tanh", "Softmax", "BatchNorm1d")),
    walking("G104", last_use),
    walking("G105", once_in_a_node),
    walking("G106", averaged),
    walking("G107", again),
    answering("G108", "Linear", lambda: overwritten),
    answering("G109", "", lambda: no_input_error),
    handing("G110", "Add", lambda handed: tuple(d / 2 for d in handed)),
    bent("G111", "Chunk", backward=lambda self, right, p, saved, delta: right(
        p, saved, (delta[0], *map(np.zeros_like, delta[1:])))),
    *(bent("G112", op, backward=written_into) for op in ("ReLU", "Tanh")),
    *(broadcast("J101", op, first_row) for op in BROADCASTING),
    *(broadcast("J102", op, mean) for op in BROADCASTING),
    *(broadcast("J103", op, first_axis) for op in BROADCASTING),
    *(broadcast("J104", op, lambda d, axes, new: d) for op in BROADCASTING),
    product("J105", lambda x, k, delta: delta * x[k]),
    product("J106", lambda x, k, delta: delta),
    handing("J107", "Add", lambda handed: (handed[0], -handed[1], *handed[2:])),
    bent("J108", "Concatenate", backward=middle),
    bent("J109", "Chunk", backward=lambda self, right, p, saved, delta: right(p, saved, delta[::-1])),
    handing("J109", "Concatenate", exchanged),
    *(
        bent("J110", op, backward=lambda self, right, p, shape, delta: (delta.reshape(shape, order="F"),))
        for op in ("Flatten", "Unflatten")
    ),
    product("J111", without_one),
)  # fmt: skip
