"""Random architectures: the graphs that the oracle asks about. `draws` fills them with numbers.

An architecture is drawn from anything with the interface of `random.Random`. `oracle check` uses a seeded one, so
that a seed names the same cases for ever; `strategies` hands in hypothesis's own source of randomness, so that the
same generator shrinks.

To add an operator: one row in `UNITS` if it keeps the shape of its one input, else a method of `Builder` in
`MOVES`; or a row in `LOSSES`.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from random import Random
from typing import Any

import numpy as np

from oracle.spec import Node

Shape = tuple[int, ...]
Attrs = dict[str, Any]


@dataclass(frozen=True)
class Slot:
    """A tensor to be filled with numbers."""

    shape: Shape
    kind: str = "real"
    """real, weight, gain, mask, classes, binary, one_hot, probabilities, unit, slopes, mean, variance or count."""
    classes: int = 0
    ignore: int | None = None
    bounds: tuple[float, float] = (0.0, 1.0)
    batched: bool = False
    """Whether the first axis is the batch, which other values of the same graph may have otherwise."""


@dataclass(frozen=True)
class Architecture:
    """A graph without numbers."""

    nodes: tuple[Node, ...]
    training: bool
    inputs: dict[str, Slot]
    parameters: dict[str, Slot]
    buffers: dict[str, Slot]
    batches: tuple[int, ...] = ()
    """Batch sizes that its values may have."""


@dataclass(frozen=True)
class Profile:
    """What is drawn."""

    story: str
    depth: tuple[int, int] = (1, 6)
    widths: tuple[int, ...] = (1, 2, 2, 3, 3, 4, 5, 6, 8)
    batches: tuple[int, ...] = (0, 1, 1, 2, 2, 3, 3, 4, 5, 6, 8)
    moves: tuple[str, ...] = (
        "unit",
        "unit",
        "unit",
        "linear",
        "linear",
        "residual",
        "gate",
        "split",
        "fork",
        "shape",
    )
    units: tuple[str, ...] = ()
    losses: tuple[str, ...] = ()
    regimes: tuple[str, ...] = (
        "small", "small", "halves", "normal", "normal", "normal", "large", "large", "tiny", "denormal",
        "saturating", "kinks", "kinks", "zeros", "rows", "offset",
    )  # fmt: skip
    updates: int = 8
    """One case of step 5 after this many others; 0 for none."""


PROFILES = {
    "standard": Profile("every operator, graphs with branches, every regime of values"),
    "mlp": Profile(
        "chains of Linear and one activation after each, as a first lesson has them",
        moves=("dense",),
        units=("Sigmoid", "Tanh", "ReLU", "LeakyReLU", "Identity"),
        losses=("HalfSquaredError", "MSELoss", "CrossEntropyLoss", "BCEWithLogitsLoss", "Dot"),
        regimes=("small", "halves", "normal", "normal", "saturating", "kinks", "zeros"),
        updates=0,
    ),
    "deep": Profile("up to 24 layers", depth=(10, 24), widths=(1, 2, 3, 4), regimes=("normal", "small", "zeros")),
    "stress": Profile("extreme values only", regimes=("large", "tiny", "denormal", "saturating", "rows", "offset")),
    "updates": Profile("step 5 only", updates=1),
}

# ------------------------------------------------------------------------------------------------ operators, a row each


def pick(r: Random, **options: tuple[Any, ...]) -> Attrs:
    """Some of the arguments, off their defaults about half of the time."""
    return {name: r.choice(values) for name, values in options.items() if r.random() < 0.5}


def _dim(r: Random, shape: Shape) -> int:
    axis = r.randrange(len(shape))
    return axis if r.random() < 0.7 else axis - len(shape)


UNITS: dict[str, Callable[[Random, Shape], Attrs]] = {
    "CELU": lambda r, s: pick(r, alpha=(0.5, 2.0, 0.7)),
    "ELU": lambda r, s: pick(r, alpha=(0.5, 2.0, 0.3)),
    "GELU": lambda r, s: {"approximate": r.choice(("none", "tanh"))},
    "Hardshrink": lambda r, s: pick(r, lambd=(0.25, 1.0, 0.0)),
    "Hardsigmoid": lambda r, s: {},
    "Hardswish": lambda r, s: {},
    "Hardtanh": lambda r, s: r.choice(({}, {"min_val": -2.0, "max_val": 0.5}, {"min_val": 0.0, "max_val": 2.0})),
    "Identity": lambda r, s: {},
    "LeakyReLU": lambda r, s: pick(r, negative_slope=(0.25, 0.3, 0.0)),
    "LogSigmoid": lambda r, s: {},
    "LogSoftmax": lambda r, s: {"dim": _dim(r, s)},
    "Mish": lambda r, s: {},
    "PReLU": lambda r, s: {"num_parameters": r.choice((1, s[1] or 1))},
    "ReLU": lambda r, s: {},
    "ReLU6": lambda r, s: {},
    "RReLU": lambda r, s: r.choice(({}, {"lower": 0.25, "upper": 0.5})),
    "SELU": lambda r, s: {},
    "SiLU": lambda r, s: {},
    "Sigmoid": lambda r, s: {},
    "Softmax": lambda r, s: {"dim": _dim(r, s)},
    "Softmin": lambda r, s: {"dim": _dim(r, s)},
    "Softplus": lambda r, s: pick(r, beta=(0.5, 2.0, 3.0), threshold=(1.0, 5.0)),
    "Softshrink": lambda r, s: pick(r, lambd=(0.25, 1.0)),
    "Softsign": lambda r, s: {},
    "Tanh": lambda r, s: {},
    "Tanhshrink": lambda r, s: {},
    "Threshold": lambda r, s: {"threshold": r.choice((0.0, 0.5, -1.0)), "value": r.choice((0.0, 2.0, -0.5))},
    "Dropout": lambda r, s: pick(r, p=(0.0, 0.25, 0.8, 1.0)),
    "BatchNorm1d": lambda r, s: {
        "num_features": s[1],
        **pick(
            r,
            eps=(1e-3, 0.1),
            momentum=(None, 0.5, None, 1.0),
            affine=(False, True),
            track_running_stats=(False, True, True),
        ),
    },
}
"""Operators with one output of the shape of their first input: op -> (random, shape) -> attributes."""


def _reduction(r: Random) -> Attrs:
    return {"reduction": r.choice(("mean", "sum", "none"))} if r.random() < 0.8 else {}


def _weights(r: Random, n: int) -> list[float]:
    return [r.choice((0.5, 1.0, 2.0, 3.0, 0.25)) for _ in range(n)]


def _class_attrs(r: Random, shape: Shape) -> Attrs:
    attrs = _reduction(r)
    if r.random() < 0.4:
        attrs["weight"] = _weights(r, shape[1])
    if r.random() < 0.3:
        attrs["ignore_index"] = r.choice((0, shape[1] - 1, -1))
    return attrs


def _bce_attrs(r: Random, shape: Shape) -> Attrs:
    return _reduction(r) | ({"weight": _weights(r, shape[-1])} if r.random() < 0.3 else {})


LOSSES: dict[str, Callable[[Random, Shape], Attrs]] = {
    "HalfSquaredError": lambda r, s: _reduction(r),
    "MSELoss": lambda r, s: _reduction(r),
    "L1Loss": lambda r, s: _reduction(r),
    "HuberLoss": lambda r, s: _reduction(r) | pick(r, delta=(0.5, 2.0, 0.25)),
    "SmoothL1Loss": lambda r, s: _reduction(r) | pick(r, beta=(0.0, 0.5, 2.0)),
    "BCELoss": _bce_attrs,
    "BCEWithLogitsLoss": lambda r, s: (
        _bce_attrs(r, s) | ({"pos_weight": _weights(r, s[-1])} if r.random() < 0.3 else {})
    ),
    "CrossEntropyLoss": lambda r, s: _class_attrs(r, s) | pick(r, label_smoothing=(0.1, 0.25, 1.0)),
    "NLLLoss": _class_attrs,
    "Dot": lambda r, s: {},
}


def reduction(node: Node) -> str:
    """mean, sum or none, of a loss."""
    return str(node.attrs.get("reduction", "sum" if node.op == "HalfSquaredError" else "mean"))


def turns(units: tuple[str, ...]) -> tuple[str, ...]:
    """The operators in the order of their turns: half a round in training, half in evaluation, and in both those that
    know the difference.
    """
    modal = tuple(op for op in ("Dropout", "BatchNorm1d", "RReLU") if op in units)
    rest = tuple(op for op in units if op not in modal)
    half = len(rest) // 2
    return (*rest[:half], *modal, *rest[half:], *modal)


class Builder:
    """A graph growing node by node; `at` is the tensor it grows from."""

    def __init__(self, r: Random, profile: Profile, turn: int | None) -> None:
        self.r, self.profile, self.turn = r, profile, turn
        self.nodes: list[Node] = []
        self.shapes: dict[str, Shape] = {}
        self.inputs: dict[str, Slot] = {}
        self.parameters: dict[str, Slot] = {}
        self.buffers: dict[str, Slot] = {}
        self.units = profile.units or tuple(UNITS)
        self.turns = turns(self.units)
        self.training = r.random() < 0.7 if turn is None else turn // max(1, len(self.turns) // 2) % 2 == 0
        shape: Shape = (r.choice(profile.batches), r.choice(profile.widths))
        if "dense" not in profile.moves and r.random() < 0.2:
            shape = (*shape, r.choice((1, 2, 3)))
        self.at = self.input("x", Slot(shape))

    def input(self, name: str, slot: Slot, batched: bool = True) -> str:
        """A new input tensor."""
        name = name if name not in self.shapes else f"{name}{len(self.inputs)}"
        self.inputs[name], self.shapes[name] = replace(slot, batched=batched), slot.shape
        return name

    def add(self, op: str, inputs: tuple[str, ...], shape: Shape, attrs: Attrs | None = None, **params: str) -> str:
        """A new node, named after its operator."""
        name = f"{op.lower()[:4]}{len(self.nodes) + 1}"
        self.nodes.append(Node(name, op, inputs, attrs or {}, params))
        self.shapes[name] = shape
        return name

    # ------------------------------------------------------------------------------------------------ moves

    def linear(self, x: str, width: int | None = None) -> str:
        """Linear, with and without bias; now and then with the weights of an earlier one of the same shape."""
        shape = self.shapes[x]
        attrs: Attrs = {"in_features": shape[-1], "out_features": width or self.r.choice(self.profile.widths)}
        if self.r.random() < 0.2:
            attrs["bias"] = False
        slot = Slot((attrs["out_features"], attrs["in_features"]), "weight")
        same = [name for name, s in self.parameters.items() if s == slot]
        plain = "dense" in self.profile.moves  # a first lesson shares no weights
        tied = {"weight": self.r.choice(same)} if same and not plain and self.r.random() < 0.15 else {}
        name = self.add("Linear", (x,), (*shape[:-1], attrs["out_features"]), attrs, **tied)
        if not tied:
            self.parameters[f"{name}.weight"] = slot
        if attrs.get("bias", True):
            self.parameters[f"{name}.bias"] = Slot((attrs["out_features"],))
        return name

    def unit(self, x: str, op: str | None = None) -> str:
        """An operator that keeps the shape."""
        shape = self.shapes[x]
        op = op or self.r.choice(self.units)
        if op == "BatchNorm1d" and (shape[0] == 0 or int(np.prod((shape[0], *shape[2:]))) < 2):
            op = "Tanh"
        attrs = UNITS[op](self.r, shape)
        extra: tuple[str, ...] = ()
        if op == "Dropout":
            extra = (self.input("mask", Slot(shape, "mask", bounds=(attrs.get("p", 0.5), 1))),)
        if op == "RReLU":
            bounds = (attrs.get("lower", 1 / 8), attrs.get("upper", 1 / 3))
            extra = (self.input("slopes", Slot(shape, "slopes", bounds=bounds)),)
        name = self.add(op, (x, *extra), shape, attrs)
        if op == "PReLU":
            self.parameters[f"{name}.weight"] = Slot((attrs["num_parameters"],), "gain")
        if op == "BatchNorm1d":
            self.batch_norm(name, attrs, (shape[1],))
        return name

    def batch_norm(self, name: str, attrs: Attrs, shape: Shape) -> None:
        """Parameters and running statistics."""
        if attrs.get("affine", True):
            self.parameters[f"{name}.weight"] = Slot(shape, "gain")
            self.parameters[f"{name}.bias"] = Slot(shape)
        if attrs.get("track_running_stats", True):
            self.buffers[f"{name}.running_mean"] = Slot(shape, "mean")
            self.buffers[f"{name}.running_var"] = Slot(shape, "variance")
            self.buffers[f"{name}.num_batches_tracked"] = Slot((), "count")

    def dense(self, x: str) -> str:
        """Linear and an activation."""
        return self.unit(self.linear(x))

    def residual(self, x: str) -> str:
        """x + f(x), f of the same width; or x + an input."""
        if self.r.random() < 0.2:
            return self.add("Add", (x, self.operand(self.shapes[x])), self.shapes[x])
        branch = self.unit(self.linear(x, self.shapes[x][-1] or 1))
        parts = (x, branch) if self.r.random() < 0.5 else (branch, x)
        return self.add("Add", parts, self.shapes[x])

    def gate(self, x: str) -> str:
        """x ⊙ f(x), x ⊙ x, or a gated linear unit."""
        shape = self.shapes[x]
        if shape[-1] % 2 == 0 and shape[-1] and self.r.random() < 0.5:
            return self.add("GLU", (x,), (*shape[:-1], shape[-1] // 2), {"dim": -1} if self.r.random() < 0.5 else {})
        r = self.r.random()
        other = x if r < 0.3 else self.operand(shape) if r < 0.5 else self.unit(x)
        return self.add("Multiply", (x, other), shape)

    def split(self, x: str) -> str:
        """Chunks of an axis that part, and meet again or stay behind unused."""
        shape = self.shapes[x]
        options = [(axis, n) for axis in range(1, len(shape)) for n in (2, 3) if shape[axis] and shape[axis] % n == 0]
        if not options:
            return self.residual(x)
        axis, n = self.r.choice(options)
        part = (*shape[:axis], shape[axis] // n, *shape[axis + 1 :])
        name = self.add("Chunk", (x,), part, {"chunks": n, "dim": axis})
        parts = tuple(f"{name}:{k}" for k in range(n))
        self.shapes.update(dict.fromkeys(parts, part))
        del self.shapes[name]
        how = self.r.choice(("Add", "Multiply", "one", "Concatenate"))
        if how == "one":
            return self.r.choice(parts)
        if how != "Concatenate":
            return self.add(how, parts, part)
        return self.add("Concatenate", (self.unit(parts[0]), *reversed(parts[1:])), shape, {"dim": axis})

    def fork(self, x: str) -> str:
        """Two branches joined: side by side, or with an earlier tensor or a second input of the same shape."""
        shape, r = self.shapes[x], self.r
        if r.random() < 0.25:
            self.unit(self.linear(x))  # a branch that leads nowhere: its error signal is zero
        own = self.inputs.keys() - {"x"}
        earlier = [name for name, s in self.shapes.items() if s == shape and name not in own and name != x]
        if earlier and r.random() < 0.5:
            return self.add(r.choice(("Add", "Multiply")), (x, r.choice(earlier)), shape)
        if r.random() < 0.5:
            return self.add(r.choice(("Add", "Multiply")), (x, self.operand(shape)), shape)
        a, b = self.unit(x) if r.random() < 0.7 else x, self.linear(x)
        return self.add("Concatenate", (a, b), (*shape[:-1], shape[-1] + self.shapes[b][-1]), {"dim": len(shape) - 1})

    def operand(self, shape: Shape) -> str:
        """A second input of this shape, or one that is repeated along some axes, or has fewer."""
        r = self.r
        if r.random() < 0.2:
            return self.input("v", Slot(shape[1:]), batched=False)
        if r.random() < 0.4:
            return self.input("u", Slot((1, *(1 if r.random() < 0.7 else n for n in shape[1:]))), batched=False)
        return self.input("u", Slot((*shape[:1], *(1 if r.random() < 0.3 else n for n in shape[1:]))))

    def shape(self, x: str) -> str:
        """Flatten, or two axes for one."""
        shape = self.shapes[x]
        if len(shape) == 3:
            return self.add("Flatten", (x,), (shape[0], shape[1] * shape[2]), {})
        if shape[1] % 2 == 0 and shape[1]:
            return self.add(
                "Unflatten",
                (x,),
                (shape[0], 2, shape[1] // 2),
                {"dim": 1, "unflattened_size": [2, shape[1] // 2]},
            )
        return self.unit(x)

    # ------------------------------------------------------------------------------------------------ losses

    def loss(self, x: str) -> None:
        """The last node, with its target; unreduced losses end in a random cotangent."""
        losses = self.profile.losses or tuple(LOSSES)
        op = self.r.choice(losses) if self.turn is None else losses[self.turn % len(losses)]
        shape = self.shapes[x]
        if op == "BCELoss":
            x = self.unit(x, self.r.choice(("Sigmoid", "Softmax")))
        if op == "NLLLoss" and self.r.random() < 0.7:
            x = self.add("LogSoftmax", (x,), shape, {"dim": 1})
        attrs = LOSSES[op](self.r, shape)
        if op == "Dot":
            self.add(op, (x, self.input("c", Slot(shape))), ())
            return
        target, out = self.target(op, shape, attrs)
        none = attrs.get("reduction") == "none"
        name = self.add(op, (x, self.input("target", target)), out if none else (), attrs)
        if none:
            self.add("Dot", (name, self.input("c", Slot(out))), ())
        elif self.r.random() < 0.15 and "dense" not in self.profile.moves:  # a loss with an error signal other than 1
            self.add("Dot", (name, self.input("c", Slot(()), batched=False)), ())

    def target(self, op: str, shape: Shape, attrs: Attrs) -> tuple[Slot, Shape]:
        """What the loss compares with, and the shape of the loss where it is not reduced."""
        per_sample = (shape[0], *shape[2:])
        if op == "NLLLoss" or (op == "CrossEntropyLoss" and (self.r.random() < 0.6 or "ignore_index" in attrs)):
            return Slot(per_sample, "classes", classes=shape[1], ignore=attrs.get("ignore_index", -100)), per_sample
        if op == "CrossEntropyLoss":
            return Slot(shape, "probabilities"), per_sample
        return Slot(shape, "unit" if op.startswith("BCE") else "real"), shape

    def build(self) -> Architecture:
        """Grow to a random depth, then end in a loss. With a turn, its operator is among the nodes."""
        if self.turn is not None and "dense" not in self.profile.moves:
            if "linear" in self.profile.moves and self.r.random() < 0.4:
                self.at = self.linear(self.at)
            self.at = self.unit(self.at, self.turns[self.turn % len(self.turns)])
        for _ in self.steps():
            self.at = getattr(self, self.r.choice(self.profile.moves))(self.at)
        if "dense" in self.profile.moves and self.r.random() < 0.7:
            self.at = self.linear(self.at)
        self.loss(self.at)
        batches = self.profile.batches if self.rebatchable() else ()
        return Architecture(tuple(self.nodes), self.training, self.inputs, self.parameters, self.buffers, batches)

    def steps(self) -> Iterable[int]:
        """One for each move."""
        return range(self.r.randint(*self.profile.depth))

    def rebatchable(self) -> bool:
        """Whether any batch size will do: a batch normalization needs several values, no other operator minds."""
        return all(node.op != "BatchNorm1d" for node in self.nodes)


NEEDS = {
    "linear": {"Linear"}, "dense": {"Linear"}, "residual": {"Linear", "Add"}, "gate": {"Multiply"}, "split": {"Chunk"},
    "fork": {"Linear", "Concatenate"}, "shape": {"Flatten"}, "unit": set[str](),
}  # fmt: skip
"""The operators without which a move is not tried."""


def restricted(profile: Profile, supports: frozenset[str] | None) -> Profile:
    """The profile with only what a subject supports. Raises ValueError if no loss is left."""
    if supports is None:
        return profile
    losses = tuple(op for op in profile.losses or LOSSES if op in supports)
    if not losses:
        raise ValueError(f"the subject supports no loss that this profile draws: {', '.join(profile.losses or LOSSES)}")
    units = tuple(op for op in profile.units or UNITS if op in supports) or ("Identity",)
    moves = tuple(m for m in profile.moves if NEEDS[m] <= supports and (m != "unit" or units != ("Identity",)))
    return replace(profile, losses=losses, units=units, moves=moves or ("unit",))


def architecture(
    r: Random, profile: str | Profile = "standard", turn: int | None = None, supports: frozenset[str] | None = None
) -> Architecture:
    """A random graph. Successive turns go through the operators and the losses, so that a short run meets them all.

    With `supports`, a graph of other operators is drawn again; after many tries the last one is given all the same.
    """
    drawn = restricted(PROFILES[profile] if isinstance(profile, str) else profile, supports)
    for _ in range(200):
        net = Builder(r, drawn, turn).build()
        if supports is None or supports >= {node.op for node in net.nodes}:
            break
    return net
