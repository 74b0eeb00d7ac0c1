"""A function as an operator of a graph: the twin computes it by calling `like`, a `Dot` hands each output a cotangent.

order 1    f(x)             judged: its outputs, and ∂(Σ c·f)/∂x
order 2    ∂(c·f)/∂x        a function of x and c; judged: ∂(e · ∂(c·f)/∂x)/∂(x, c)
forward    J(x) v           a function of x and v; judged: its outputs
"""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch

from oracle.composites import FUNCTIONS
from oracle.spec import Array, Case, Node, Tensors
from oracle.twin import known_op

Phase = Literal["order 1", "order 2", "forward"]
Tensor = torch.Tensor


@dataclass(frozen=True)
class Function:
    """What is checked, as the torch function `like` defines it."""

    name: str
    like: Callable[..., Any]
    names: tuple[str, ...]
    """Its inputs, in the order of its arguments."""
    wanted: tuple[str, ...]
    """The inputs whose gradient is asked for."""
    count: int
    """How many outputs it has."""
    picks: tuple[int, ...]
    """Which of them are real numbers; the others have no gradient."""

    def __call__(self, *x: Tensor) -> tuple[Tensor, ...]:
        """Its outputs. Raises `ValueError` for whatever `like` raises, and for what is no tensor."""
        return outputs(self.like, x)

    def real(self, *x: Tensor) -> list[Tensor]:
        """The outputs that have a gradient."""
        found = self(*x)
        return [found[k] for k in self.picks]


def outputs(like: Callable[..., Any], x: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """What `like` returns, as a tuple of tensors."""
    try:
        found = like(*x)
    except Exception as error:  # it may raise anything; the twin knows these
        raise ValueError(f"like raised {type(error).__name__}: {error}") from None
    found = tuple(found) if isinstance(found, tuple | list) else (found,)
    for y in found:
        if not isinstance(y, Tensor):
            raise ValueError(f"like returned {type(y).__name__}, but should return a tensor or a tuple of tensors")
    return found


def name_of(call: Any) -> str:
    """What a callable is called; a name that stands for no operator of the twin."""
    if isinstance(call, tuple | list):
        return name_of(call[0])
    name = getattr(call, "__name__", None) or type(call).__name__
    name = name if name.isidentifier() else "function"
    return f"{name}_" if name in FUNCTIONS or known_op(name) else name


def argument_names(like: Callable[..., Any], count: int) -> tuple[str, ...]:
    """The names of the first arguments of `like`, where they can be read and lie in order; else x0, x1, ..."""
    try:
        parameters = inspect.signature(like).parameters.values()
        known = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    except (TypeError, ValueError):
        known = []
    if len(known) >= count:
        return tuple(known[:count])
    return ("x",) if count == 1 else tuple(f"x{k}" for k in range(count))


# -------------------------------------------------------------------------------------------------------- operators


@dataclass(frozen=True)
class Operator:
    """One of the three things that are judged of a function."""

    phase: Phase
    function: Function
    extra: tuple[str, ...]
    """Inputs beside those of the function: first cotangents of order 2, tangents of forward mode."""

    @property
    def op(self) -> str:
        """The name of the node's operator."""
        ending = {"order 1": "", "order 2": "_backward", "forward": "_jvp"}[self.phase]
        return self.function.name + ending

    @property
    def inputs(self) -> tuple[str, ...]:
        """The node's inputs."""
        return (*self.function.names, *self.extra)

    @property
    def wanted(self) -> tuple[str, ...]:
        """The inputs whose gradient is judged."""
        return {"order 1": self.function.wanted, "order 2": (*self.function.wanted, *self.extra), "forward": ()}[
            self.phase
        ]

    @property
    def judges_outputs(self) -> bool:
        """Whether the outputs are judged: of order 2 they are the gradients of order 1."""
        return self.phase != "order 2"

    def call(self, *tensors: Tensor) -> Any:
        """What the twin computes: a tensor, or a tuple of them."""
        x, extra = tensors[: len(self.function.names)], tensors[len(self.function.names) :]
        if self.phase == "order 1":
            found = self.function(*x)
        elif self.phase == "order 2":
            found = _gradients(self.function, x, extra)
        else:
            found = _tangents(self.function, x, extra)
        return found if len(found) > 1 else found[0]

    def evaluate(self, inputs: Tensors) -> list[Array]:
        """The outputs in float64, without a graph."""
        x = [tensor(inputs[name]) for name in self.inputs]
        found = self.call(*x)
        return [y.detach().numpy() for y in (found if isinstance(found, tuple) else (found,))]


def tensor(x: Array) -> Tensor:
    """An array as a tensor of the twin: real numbers in float64."""
    return torch.from_numpy(np.array(x, np.float64 if x.dtype.kind == "f" else x.dtype, order="C"))


def _leaves(x: Sequence[Tensor]) -> list[Tensor]:
    return [t if t.requires_grad or not t.is_floating_point() else t.detach().requires_grad_() for t in x]


def _gradients(function: Function, x: Sequence[Tensor], c: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """∂(c·f)/∂x, as a function that can be differentiated again."""
    with torch.enable_grad():
        x = _leaves(x)
        wanted = [x[function.names.index(name)] for name in function.wanted]
        pairs = [(y, d) for y, d in zip(function.real(*x), _leaves(c), strict=True) if y.requires_grad]
        if not pairs:
            return tuple(torch.zeros_like(t) for t in wanted)
        ys, ds = zip(*pairs, strict=True)
        found = torch.autograd.grad(ys, wanted, ds, create_graph=True, allow_unused=True)
    return tuple(torch.zeros_like(t) if g is None else g for t, g in zip(wanted, found, strict=True))


def _tangents(function: Function, x: Sequence[Tensor], v: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """J v: by differentiating uᵀJ, which is linear in u; by torch's forward mode where that cannot be."""
    try:
        return _twice(function, x, v)
    except RuntimeError:
        return forward_mode(function, x, v)


def _twice(function: Function, x: Sequence[Tensor], v: Sequence[Tensor]) -> tuple[Tensor, ...]:
    with torch.enable_grad():
        x = _leaves([t.detach() for t in x])
        wanted = [x[function.names.index(name)] for name in function.wanted]
        ys = function.real(*x)
        us = [torch.zeros_like(y, requires_grad=True) for y in ys]
        pairs = [(y, u) for y, u in zip(ys, us, strict=True) if y.requires_grad]
        if not pairs:
            return tuple(torch.zeros_like(y) for y in ys)
        gs = torch.autograd.grad(
            [y for y, _ in pairs], wanted, [u for _, u in pairs], create_graph=True, allow_unused=True
        )
        used = [(g, t) for g, t in zip(gs, v, strict=True) if g is not None and g.requires_grad]
        if not used:
            return tuple(torch.zeros_like(y) for y in ys)
        found = torch.autograd.grad([g for g, _ in used], us, [t.detach() for _, t in used], allow_unused=True)
    return tuple(torch.zeros_like(y.detach()) if t is None else t.detach() for y, t in zip(ys, found, strict=True))


def forward_mode(function: Function, x: Sequence[Tensor], v: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """J v by torch's forward mode, whose formulas are not those of its backward. Raises `RuntimeError` where it has
    none.
    """
    places = [function.names.index(name) for name in function.wanted]

    def call(*wanted: Tensor) -> tuple[Tensor, ...]:
        full = [t.detach() for t in x]
        for place, t in zip(places, wanted, strict=True):
            full[place] = t
        return tuple(function.real(*full))

    try:
        found = torch.func.jvp(call, tuple(x[k].detach() for k in places), tuple(t.detach() for t in v))[1]
    except (ValueError, NotImplementedError) as error:
        raise RuntimeError(str(error)) from None
    return tuple(t.detach() for t in found)


# ------------------------------------------------------------------------------------------------------------ cases


def free(stem: str, count: int, taken: Sequence[str]) -> tuple[str, ...]:
    """c, or c0, c1, ...: names that nothing has."""
    while any(name.rstrip("0123456789") == stem for name in taken):
        stem += "_"
    return (stem,) if count == 1 else tuple(f"{stem}{k}" for k in range(count))


def operator(function: Function, phase: Phase) -> Operator:
    """The operator of a phase."""
    extra: tuple[str, ...] = ()
    if phase == "order 2":
        extra = free("c", len(function.picks), function.names)
    elif phase == "forward":
        stem = free("v", 1, function.names)[0]
        extra = tuple(f"{stem}_{name}" for name in function.wanted)
    return Operator(phase, function, extra)


def cotangent_names(op: Operator, made: Sequence[Array]) -> dict[int, str]:
    """The cotangent of each real output, by its number."""
    real = [k for k, y in enumerate(made) if y.dtype.kind == "f"]
    stem = "e" if op.phase == "order 2" else "c"
    return dict(zip(real, free(stem, len(real), op.inputs), strict=True))


def graph(op: Operator, outputs: int, cotangents: dict[int, str], needs: Sequence[str] = ()) -> tuple[Node, ...]:
    """The operator, a Dot behind every real output, and their sum."""
    taken = [*op.inputs, *cotangents.values()]
    f, dot = free("f", 1, taken)[0], free("dot", 1, taken)[0]
    attrs = {"needs": list(needs)} if needs and tuple(needs) != op.wanted else {}
    made = [
        Node(dot if len(cotangents) == 1 else f"{dot}{k}", "Dot", (f if outputs == 1 else f"{f}:{k}", c))
        for k, c in cotangents.items()
    ]
    total = [Node("loss", "Add", tuple(n.name for n in made))] if len(made) > 1 else []
    return (Node(f, op.op, op.inputs, attrs), *made, *total)


@dataclass(frozen=True)
class Reading:
    """A case of a function, read back from its graph."""

    case: Case
    op: Operator

    @property
    def node(self) -> Node:
        """The node of the function."""
        return self.case.nodes[0]

    @property
    def needs(self) -> tuple[str, ...]:
        """The inputs whose gradient this case asks for."""
        return tuple(self.node.attrs.get("needs", self.op.wanted))

    @property
    def dots(self) -> list[tuple[int, str, str]]:
        """(number, tensor, cotangent) of every real output."""
        read = [n.inputs for n in self.case.nodes if n.op == "Dot"]
        return [(int(tensor.partition(":")[2] or 0), tensor, c) for tensor, c in read]

    def weights(self) -> dict[int, Array]:
        """The cotangents in float64, by the number of the output."""
        return {k: self.case.inputs[c].astype(np.float64) for k, _, c in self.dots}
