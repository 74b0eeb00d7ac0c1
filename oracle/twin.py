"""The same graph in torch, and autograd's answer for it.

The twin always computes in float64. For a float32 case its own error is then invisible; for a float64 case it is
one more rounding of the same size as the subject's, which the measure of `compare` knows.

Most operators need no code here: `op` is a class of `torch.nn`. Those in `FUNCTIONS` are functions of torch, take
their randomness as data, or are spelled out because torch itself deviates there (see `composites`).
"""

import inspect
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from oracle.composites import ARGUMENTS, FUNCTIONS, LEGITIMATE, SPELLED, Call, Tensor
from oracle.kinks import KINKS, RESIDUAL, exactly_at, kinks
from oracle.spec import Array, Case, CaseError, Node, Tensors, UpdateCase

REFUSED = ("device", "dtype", "inplace", "size_average", "reduce")
"""Arguments of torch.nn that are no part of an operator, or deprecated."""
CONTAINERS = ("Module", "Sequential", "ModuleList", "ModuleDict", "ParameterList", "ParameterDict", "Container")
"""Modules that hold others: a case has its operators one by one."""
ROUNDED = ("min_val", "max_val", "lambd", "threshold", "value")
"""Attributes that torch compares with, or writes into, tensors of the case's dtype."""


@dataclass(frozen=True)
class Choice:
    """What to do at the kinks of one node: y = Σ weight · op(x + shift); `exact` keeps the operator's own value."""

    parts: tuple[tuple[float, Array], ...]
    exact: bool = True

    def apply(self, call: Call, x: Tensor, *rest: Tensor, noise: "Noise | None" = None) -> Tensor:
        """The node's output with the chosen slopes; noise may not undo a shift."""
        with noise.rest() if noise else nullcontext():
            moved = [(w, x + torch.from_numpy(shift)) for w, shift in self.parts]
        mixed = sum(w * call(z, *rest) for w, z in moved)
        return mixed + (call(x, *rest) - mixed).detach() if self.exact else mixed


Fault = Call
"""A wrong version of a node, for diagnosis: (call, parameters by role, *inputs) -> output."""


@dataclass
class Truth:
    """Autograd's answer: float64 arrays, named as in `Answer`."""

    loss: Array
    gradients: Tensors
    buffers: Tensors = field(default_factory=dict)
    values: Tensors = field(default_factory=dict)
    """Every tensor of the forward pass, inputs included."""
    errors: Tensors = field(default_factory=dict)
    """∂L/∂ each node's output; filled on request."""


@dataclass(slots=True)
class _Step:
    node: Node
    call: Call
    noisy: tuple[Call, ...]
    """The forms that noisy runs use in turn: in small operators, and as torch has it."""
    native: Call
    """As torch has it: what a run in float32 uses."""
    module: nn.Module | None
    roles: list[tuple[str, str]]
    """Parameters of the module: (role, full name)."""
    buffers: list[tuple[str, str]]


POOL = 1 << 16


@lru_cache(256)
def _pool(dtype: str, seed: int) -> tuple[Tensor, Tensor]:
    """The factors 1 + ε ξ and the terms η ξ of a seed."""
    info = np.finfo(dtype)
    random = torch.rand(2, POOL, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    xi = (0.5 + random[0] / 2) * torch.where(random[1] < 0.5, -1.0, 1.0)
    return 1 + xi * float(info.eps), xi * float(info.tiny)


class Noise(TorchDispatchMode):
    """Every float result, of the backward pass too, times 1 + ε ξ with ½ ≤ |ξ| ≤ 1 of random sign, plus η ξ.

    ε is the spacing of the case's dtype at 1, so that no noise is lost in rounding, and η its smallest normal number,
    so that a subject may flush denormals; an exact zero stays one. Every third seed spares the forward pass: a column
    that is exactly constant stays so, and what that amplifies is seen.
    Source: D. S. Parker, Monte Carlo Arithmetic, 1997.
    """

    def __init__(self, dtype: str, seed: int) -> None:
        super().__init__()
        self.seed, self.at, self.resting = seed, 0, False
        self.forward = seed % 3 != 2
        self.factors, self.floors = _pool(dtype, seed)

    @contextmanager
    def rest(self) -> Iterator[None]:
        """No noise meanwhile."""
        self.resting = True
        yield
        self.resting = False

    def perturb(self, x: Tensor) -> Tensor:
        """One rounding's worth of noise."""
        n = x.numel()
        if self.at + n > POOL:
            self.at = 0
            if n > POOL:
                return torch.cat([self.perturb(part) for part in x.flatten().split(POOL)]).view(x.shape)
        here, self.at = slice(self.at, self.at + n), self.at + n
        return x * self.factors[here].view(x.shape) + self.floors[here].view(x.shape) * (x != 0)


def _perturbed(self: Noise, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
    """Run one operator, then perturb what it made; views and in-place results are left alone."""
    out = func(*args, **(kwargs or {}))
    if self.resting or any(r.alias_info is not None for r in func._schema.returns):
        return out
    if isinstance(out, Tensor):
        return self.perturb(out) if out.is_floating_point() else out
    if isinstance(out, tuple | list):
        return type(out)(self.perturb(o) if isinstance(o, Tensor) and o.is_floating_point() else o for o in out)
    return out


# Set here and not in the class, where torch would wrap it for its compiler at twice the cost.
Noise.__torch_dispatch__ = _perturbed  # type: ignore[method-assign, assignment]


class Twin:
    """A graph, built once; run on any case that has this graph, mode and dtype.

    `functions` are operators beside the vocabulary: a user's own.
    """

    def __init__(self, case: Case, functions: Mapping[str, Call] | None = None) -> None:
        self.functions = functions or {}
        self.nodes, self.training, self.dtype = case.nodes, case.training, case.dtype
        self.real = "float64"
        self.steps = [self._step(node) for node in case.nodes]

    @classmethod
    def of(cls, case: Case) -> "Twin":
        """The twin of a case, after checking it whole. Raises `CaseError`."""
        case.check()
        twin = cls(case)
        twin.check(case)
        return twin

    def _step(self, node: Node) -> _Step:
        if node.op in self.functions:
            call = self.functions[node.op]
            return _Step(node, call, (call,), call, None, [], [])
        attrs = dict(node.attrs)
        if self.dtype == "float32":
            attrs.update({k: float(np.float32(attrs[k])) for k in ROUNDED if isinstance(attrs.get(k), float)})
        if node.op in FUNCTIONS:
            if unknown := sorted(set(attrs) - set(ARGUMENTS.get(node.op, ()))):
                raise CaseError(f"{node.name}: {node.op} has no argument {unknown[0]!r}")
            try:
                call = FUNCTIONS[node.op](attrs, self.training)
                if node.op not in LEGITIMATE:
                    noisy = SPELLED[node.op](_module(node, attrs)) if node.op in SPELLED else (call,)
                    return _Step(node, call, noisy, call, None, [], [])
                native = _module(node, attrs).forward
                return _Step(node, call, (native, call), native, None, [], [])
            except (KeyError, TypeError, ValueError) as error:
                raise CaseError(f"{node.name}: {node.op}({attrs}): argument {error}") from None
        module = _module(node, attrs)
        module.train(self.training)
        roles = [(role, node.parameter(role)) for role, p in module.named_parameters() if p is not None]
        mine = [(r, node.parameter(r)) for r, b in module.named_buffers() if b is not None and r not in node.attrs]
        call = _linear(module) if node.op == "Linear" else module.forward
        noisy = SPELLED[node.op](module) if node.op in SPELLED else (call,)
        return _Step(node, call, noisy, call, module, roles, mine)

    def check(self, case: Case) -> None:
        """Raise `CaseError` for missing or misshapen parameters, and for what torch refuses to run."""
        wanted: dict[str, tuple[str, tuple[int, ...]]] = {}
        for step in self.steps:
            for role, full in step.roles:
                assert step.module is not None
                wanted[full] = (f"{step.node.name}: {role}", tuple(step.module.get_parameter(role).shape))
            for role, full in step.buffers:
                assert step.module is not None
                wanted[full] = (f"{step.node.name}: {role}", tuple(step.module.get_buffer(role).shape))
        state = case.state()
        for full, (where, shape) in wanted.items():
            if full not in state:
                raise CaseError(f"{where} is missing: {full!r} of shape {shape} is neither parameter nor buffer")
            if state[full].shape != shape:
                raise CaseError(f"{where} has shape {state[full].shape}, but should be {shape}")
        if unused := sorted(set(state) - set(wanted)):
            raise CaseError(f"parameter {unused[0]!r} is given but no node has it")
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)  # torch warns of what it broadcasts or guesses
            found = self.run(case)
        if found.loss.shape != ():
            raise CaseError(f"{case.nodes[-1].name}: the last node must be a scalar; add a Dot after it")

    def run(
        self,
        case: Case,
        *,
        errors: bool = False,
        noise: Noise | None = None,
        choices: Mapping[str, Choice] | None = None,
        faults: Mapping[str, Fault] | None = None,
        pins: Tensors | None = None,
        real: str = "float64",
        jitter: int | None = None,
    ) -> Truth:
        """Autograd's answer, computed in `real`, of parameters and inputs moved by a rounding of `real` if there is a
        `jitter` (a seed). `pins` holds the exact values at kinks that noise must not move.
        """
        torch.set_grad_enabled(True)  # a subject may have left it off
        self._cast(real)
        leaf = {name: _leaf(x, real) for name, x in case.inputs.items()}
        theta = {name: _leaf(x, real) for name, x in case.parameters.items()}
        state = {name: _leaf(x, real).detach() for name, x in case.buffers.items()}
        if jitter is not None:
            moves = Noise(real, jitter)
            leaf = {n: _moved(x, moves) for n, x in leaf.items()}
            theta = {n: _moved(x, moves) for n, x in theta.items()}
        early = noise if noise is not None and noise.forward else None
        values: dict[str, Any] = dict(leaf)
        if early is not None:
            values = {n: early.perturb(x) if x.is_floating_point() else x for n, x in leaf.items()}
            moved = {n: early.perturb(x) for n, x in theta.items()}
        with early or nullcontext():
            for step in self.steps:
                self._forward(step, values, moved if early else theta, state, choices or {}, faults or {}, pins, noise)
        loss = values[self.nodes[-1].name]
        wanted = [*theta.values(), *(x for x in leaf.values() if x.requires_grad)]
        names = [*theta, *(name for name, x in leaf.items() if x.requires_grad)]
        made = [n for n in values if n not in leaf and values[n].requires_grad] if errors else []
        with noise or nullcontext():
            grads = _grad(loss, [*wanted, *(values[n] for n in made)])
        return Truth(
            loss.detach().numpy(),
            dict(zip(names, grads, strict=False)),
            {name: x.numpy() for name, x in state.items()},
            {name: x.detach().numpy() for name, x in values.items()},
            dict(zip(made, grads[len(names) :], strict=True)),
        )

    def _cast(self, real: str) -> None:
        """The constants of the modules (weights of classes) in the dtype of the run."""
        if real != self.real:
            for step in self.steps:
                constants = step.module._buffers if step.module is not None else {}
                for name, x in constants.items():
                    constants[name] = x.to(getattr(torch, real)) if x is not None and x.is_floating_point() else x
            self.real = real

    def _forward(
        self,
        step: _Step,
        values: dict[str, Any],
        theta: Mapping[str, Tensor],
        state: dict[str, Tensor],
        choices: Mapping[str, Choice],
        faults: Mapping[str, Fault],
        pins: Tensors | None,
        noise: Noise | None,
    ) -> None:
        node, module = step.node, step.module
        call = (
            step.noisy[noise.seed % len(step.noisy)] if noise else step.native if self.real == "float32" else step.call
        )
        if module is not None:
            for role, full in step.roles:
                module._parameters[role] = theta[full]  # type: ignore[assignment]
            for role, full in step.buffers:
                module._buffers[role] = state[full]
        try:
            x = [values[name] for name in node.inputs]
            if node.op == "BCELoss" and noise is None and self.real == "float64":
                _probability(x[0].detach())
            if pins is not None and node.op in KINKS:
                x[0] = _pin(node, x, pins, noise)
            if node.name in faults:
                y = faults[node.name](call, {role: theta[full] for role, full in step.roles}, *x)
            elif node.name in choices:
                y = choices[node.name].apply(call, *x, noise=noise)
            else:
                y = call(*x)
        except (RuntimeError, ValueError, IndexError, TypeError, ArithmeticError, UserWarning) as error:
            shapes = ", ".join(f"{name} {tuple(values[name].shape)}" for name in node.inputs if name in values)
            raise CaseError(f"{node.name} ({node.op}) on {shapes}: {_first_line(error)}") from None
        except KeyError as error:
            raise CaseError(f"{node.name} reads {error}, which nothing makes") from None
        if noise is not None and noise.forward:  # its readers see another rounding than its backward pass
            y = tuple(part * 1.0 for part in y) if isinstance(y, tuple) else y * 1.0
        if isinstance(y, tuple):
            values.update({f"{node.name}:{k}": part for k, part in enumerate(y)})
        else:
            values[node.name] = y
        if module is not None:
            for role, full in step.buffers:
                state[full] = module._buffers[role]  # type: ignore[assignment]


def _probability(p: Tensor) -> None:
    """Refuse what is no probability; noise and float32 may leave [0, 1] by a rounding."""
    if bool(((p < -1e-6) | (p > 1 + 1e-6)).any()):
        raise ValueError("the input is a probability, but has entries outside [0, 1]")


def _linear(module: nn.Module) -> Call:
    """The module's forward pass without its attribute look-ups, which cost as much as the product of a small layer."""
    own: dict[str, Any] = module._parameters
    return lambda x: nn.functional.linear(x, own["weight"], own["bias"])


def _pin(node: Node, x: Sequence[Tensor], pins: Tensors, noise: Noise | None) -> Tensor:
    """Put the entries that lie exactly on a kink back there, whatever the noise did, and without any of its own."""
    exact = [pins[name] for name in node.inputs]
    on = exactly_at(node, exact)
    if not on.any():
        return x[0]
    with noise.rest() if noise is not None else nullcontext():
        target = torch.from_numpy(exact[0]).to(x[0].dtype)
        if node.op in RESIDUAL:
            target = target - torch.from_numpy(exact[1]).to(x[0].dtype) + x[1]
        return x[0] + torch.where(torch.from_numpy(on), target - x[0], torch.zeros(())).detach()


def _leaf(x: Array, real: str) -> Tensor:
    tensor = torch.from_numpy(np.array(x, dtype=real if x.dtype.kind == "f" else x.dtype, order="C"))
    return tensor.requires_grad_() if x.dtype.kind == "f" else tensor


def _moved(x: Tensor, noise: "Noise") -> Tensor:
    return noise.perturb(x.detach()).to(x.dtype).requires_grad_() if x.is_floating_point() else x


def _grad(loss: Tensor, wanted: list[Tensor]) -> list[Array]:
    if not wanted:
        return []
    if not loss.requires_grad or loss.shape != ():
        return [np.zeros(x.shape) for x in wanted]
    try:
        found = torch.autograd.grad(loss, wanted, allow_unused=True)
    except RuntimeError as error:
        raise CaseError(f"torch has no gradient: {_first_line(error)}") from None
    return [np.zeros(x.shape) if g is None else g.numpy() for x, g in zip(wanted, found, strict=True)]


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]


def _module(node: Node, attrs: dict[str, Any]) -> nn.Module:
    """The module `torch.nn.<op>(**attrs)`, without numbers. Raises `CaseError` for an unknown name or argument."""
    cls = getattr(nn, node.op, None)
    if not (inspect.isclass(cls) and issubclass(cls, nn.Module)) or node.op in CONTAINERS:
        raise CaseError(f"{node.name}: {node.op!r} is neither a class of torch.nn nor one of {', '.join(FUNCTIONS)}")
    known = inspect.signature(cls).parameters
    for name in attrs:
        if "args" in known:
            raise CaseError(f"{node.name}: {node.op} is not in the vocabulary yet")
        if name not in known or name in REFUSED:
            takes = ", ".join(k for k in known if k not in REFUSED) or "none"
            raise CaseError(f"{node.name}: {node.op} has no argument {name!r}; it takes {takes}")
    if "dtype" in known:
        attrs["dtype"] = torch.float64
    try:
        for name in ("weight", "pos_weight"):
            if isinstance(attrs.get(name), list | tuple):
                attrs[name] = torch.tensor(attrs[name], dtype=torch.float64)
        module = cls(**attrs)
    except (TypeError, ValueError, RuntimeError, AssertionError, ArithmeticError) as error:
        raise CaseError(f"{node.name}: {node.op}({node.attrs}): {_first_line(error)}") from None
    if getattr(module, "dim", 0) is None:
        raise CaseError(f"{node.name}: {node.op} has no dim; torch's own choice is deprecated, so name the axis")
    return module


def known_op(op: str) -> bool:
    """Whether the twin can compute an operator."""
    cls = getattr(nn, op, None)
    return op in FUNCTIONS or (inspect.isclass(cls) and issubclass(cls, nn.Module))


def plain_call(node: Node) -> Call:
    """An operator without parameters as a function of its inputs."""
    if node.op in FUNCTIONS:
        return FUNCTIONS[node.op](node.attrs, True)
    return _module(node, dict(node.attrs)).forward


def near_kinks(case: Case, truth: Truth, spread: Tensors) -> dict[str, Array]:
    """Nodes with entries so near a kink that rounding decides the side: |z − kink| ≤ spread, not exactly on it."""
    found: dict[str, Array] = {}
    for node in case.nodes:
        for kink in kinks(node):
            z = truth.values[node.inputs[0]]
            s = spread[node.inputs[0]]
            if node.op in RESIDUAL:
                z, s = z - truth.values[node.inputs[1]], s + spread[node.inputs[1]]
            distance = np.abs(z - kink.at)
            near = (distance <= s) & (distance > 0)
            if near.any():
                found[node.name] = found.get(node.name, np.zeros(z.shape, bool)) | near
    return found


# ------------------------------------------------------------------------------------------------------ step 5


def optimizers() -> list[str]:
    """The optimizers whose steps are judged."""
    return ["SGD", "Adagrad", "RMSprop", "Adam", "AdamW"]


def run_update(case: UpdateCase, noise: Noise | None = None) -> list[Tensors]:
    """The parameters after each step, by the optimizer of torch.optim, in float64."""
    case.check()
    cls = getattr(torch.optim, case.op, None)
    if case.op not in optimizers() or cls is None:
        raise CaseError(f"no optimizer is called {case.op!r}; there are {', '.join(optimizers())}")
    theta = {name: torch.from_numpy(x.astype(np.float64)) for name, x in case.parameters.items()}
    if noise is not None:
        theta = {name: noise.perturb(x) for name, x in theta.items()}
    attrs = dict(case.attrs)
    if isinstance(attrs.get("betas"), list):
        attrs["betas"] = tuple(attrs["betas"])
    try:
        optimizer = cls(list(theta.values()), **attrs, foreach=False)
    except (TypeError, ValueError) as error:
        raise CaseError(f"{case.op}({case.attrs}): {_first_line(error)}") from None
    steps = []
    for gradients in case.gradients:
        for name, x in theta.items():
            g = torch.from_numpy(gradients[name].astype(np.float64))
            x.grad = g if noise is None else noise.perturb(g)
        with noise or nullcontext():
            optimizer.step()
        steps.append({name: x.numpy().copy() for name, x in theta.items()})
    return steps
