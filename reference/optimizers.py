"""Step 5: what a gradient does to a parameter. Arguments, defaults and order of operations are torch.optim's.

    start(theta)           -> state          before the first step
    step(theta, g, state)  -> theta, state   one step; nothing handed in is changed

A state belongs to one parameter and is a plain dict, with the keys of torch.optim's.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, TypeVar

import numpy as np

from reference.layer import Array, GraphError
from reference.refusals import require

State = dict[str, Any]

OPTIMIZERS: dict[str, type["Optimizer"]] = {}
"""Every update rule by its `torch.optim` name."""

O = TypeVar("O", bound="Optimizer")  # noqa: E741


def optimizer(cls: type[O]) -> type[O]:
    """Enter an update rule in `OPTIMIZERS` under its class name."""
    cls = dataclass(frozen=True)(cls)
    OPTIMIZERS[cls.__name__] = cls
    return cls


class Optimizer:
    """One update rule. Hyper-parameters are the fields of a frozen dataclass."""

    def __post_init__(self) -> None:
        """No rate, decay or eps is negative. Raises `GraphError`."""
        name = type(self).__name__
        for key in NOT_NEGATIVE & vars(self).keys():
            value = getattr(self, key)
            require(value >= 0, f"{name}: {key} is {value}, but should be at least 0")
        for k, beta in enumerate(getattr(self, "betas", ())):
            require(0 <= beta < 1, f"{name}: betas[{k}] is {beta}, but should be at least 0 and below 1")

    def start(self, theta: Array) -> State:
        """The state before the first step."""
        return {}

    def step(self, theta: Array, g: Array, state: State) -> tuple[Array, State]:
        """θ and the state after one step along the gradient g = ∂L/∂θ."""
        raise NotImplementedError(type(self).__name__)


NOT_NEGATIVE = {"lr", "momentum", "weight_decay", "eps", "alpha", "lr_decay", "initial_accumulator_value"}


def build_optimizer(op: str, attrs: Mapping[str, Any]) -> Optimizer:
    """The update rule `op(**attrs)`."""
    if op not in OPTIMIZERS:
        raise GraphError(f"no optimizer is called {op!r}; there are {', '.join(sorted(OPTIMIZERS))}")
    cls = OPTIMIZERS[op]
    names = {f.name for f in fields(cls)}  # type: ignore[arg-type]
    if unknown := sorted(set(attrs) - names):
        raise GraphError(f"{op} has no argument {unknown[0]!r}; it takes {sorted(names)}")
    try:
        return cls(**attrs)
    except TypeError as error:
        raise GraphError(f"{op}({dict(attrs)}): {error}") from error


def uphill(g: Array, theta: Array, maximize: bool, weight_decay: float) -> Array:
    """The gradient of the loss (negated to maximize) plus ½ λ Σ θ²: ±g + λθ."""
    g = -g if maximize else g
    return g + weight_decay * theta if weight_decay else g


def blend(old: Array, new: Array, share: float) -> Array:
    """(1 − share) old + share new, from the nearer end."""
    return old + share * (new - old) if share < 0.5 else new - (1 - share) * (new - old)


def descend(theta: Array, lr: float, v: Array) -> Array:
    """θ − η v, as −η v with θ added in place: in a wide net the time of a step is the memory it touches."""
    move = -lr * v
    move += theta
    return move


@optimizer
class SGD(Optimizer):
    """θ ← θ − η g; with momentum μ: v ← μ v + (1 − dampening) g, θ ← θ − η v; nesterov: θ ← θ − η (g + μ v).

    The first v is g, undamped. Books differ: many put η into v, which is another rule once η changes.
    Source: B. T. Polyak, Some methods of speeding up the convergence of iteration methods, 1964;
    I. Sutskever and others, On the importance of initialization and momentum in deep learning, 2013.
    """

    lr: float = 1e-3
    momentum: float = 0
    dampening: float = 0
    weight_decay: float = 0
    nesterov: bool = False
    maximize: bool = False

    def __post_init__(self) -> None:
        """Nesterov needs a momentum, undamped."""
        super().__post_init__()
        ok = not self.nesterov or (self.momentum > 0 and self.dampening == 0)
        require(ok, "SGD: nesterov needs a momentum above 0 and a dampening of 0")

    def step(self, theta: Array, g: Array, state: State) -> tuple[Array, State]:
        """θ − η v."""
        g = uphill(g, theta, self.maximize, self.weight_decay)
        if not self.momentum:
            return descend(theta, self.lr, g), state
        v = self.momentum * state["momentum_buffer"] + (1 - self.dampening) * g if state else g
        return descend(theta, self.lr, g + self.momentum * v if self.nesterov else v), {"momentum_buffer": v}


@optimizer
class Adagrad(Optimizer):
    """s ← s + g², θ ← θ − η/(1 + (t − 1) lr_decay) · g/(√s + ε), at step t = 1, 2, …

    Source: J. Duchi, E. Hazan, Y. Singer, Adaptive subgradient methods for online learning, 2011.
    """

    lr: float = 1e-2
    lr_decay: float = 0
    weight_decay: float = 0
    initial_accumulator_value: float = 0
    eps: float = 1e-10
    maximize: bool = False

    def start(self, theta: Array) -> State:
        """No step yet; s is initial_accumulator_value."""
        return {"step": 0, "sum": np.full_like(theta, self.initial_accumulator_value)}

    def step(self, theta: Array, g: Array, state: State) -> tuple[Array, State]:
        """θ − η_t g/(√s + ε)."""
        g = uphill(g, theta, self.maximize, self.weight_decay)
        rate = self.lr / (1 + state["step"] * self.lr_decay)
        s = state["sum"] + g * g
        return theta - rate * g / (np.sqrt(s) + self.eps), {"step": state["step"] + 1, "sum": s}


@optimizer
class RMSprop(Optimizer):
    """s ← α s + (1 − α) g², θ ← θ − η g/(√s + ε); ε is outside the root.

    centered: the mean m ← α m + (1 − α) g makes it √(s − m²). momentum μ: v ← μ v + g/(√s + ε), θ ← θ − η v.
    Source: T. Tieleman, G. Hinton, Lecture 6.5 — RMSProp, 2012; A. Graves, Generating sequences with RNNs, 2013.
    """

    lr: float = 1e-2
    alpha: float = 0.99
    eps: float = 1e-8
    weight_decay: float = 0
    momentum: float = 0
    centered: bool = False
    maximize: bool = False

    def start(self, theta: Array) -> State:
        """Zeros."""
        used = {"square_avg": True, "grad_avg": self.centered, "momentum_buffer": self.momentum > 0}
        return {"step": 0} | {key: np.zeros_like(theta) for key, is_used in used.items() if is_used}

    def step(self, theta: Array, g: Array, state: State) -> tuple[Array, State]:
        """θ − η v."""
        g = uphill(g, theta, self.maximize, self.weight_decay)
        s = spread = self.alpha * state["square_avg"] + (1 - self.alpha) * g * g
        after = {"step": state["step"] + 1, "square_avg": s}
        if self.centered:
            m = after["grad_avg"] = blend(state["grad_avg"], g, 1 - self.alpha)
            spread = s - m * m
        root = np.sqrt(spread) + self.eps
        if not self.momentum:
            return theta - self.lr * g / root, after
        v = after["momentum_buffer"] = self.momentum * state["momentum_buffer"] + g / root
        return theta - self.lr * v, after


@optimizer
class Adam(Optimizer):
    """m ← β₁ m + (1 − β₁) g, s ← β₂ s + (1 − β₂) g², θ ← θ − η m̂/(√ŝ + ε), m̂ = m/(1 − β₁ᵗ), ŝ = s/(1 − β₂ᵗ).

    amsgrad: the greatest s so far stands for s. weight_decay is a part of g.
    Source: D. P. Kingma, J. Ba, Adam: a method for stochastic optimization, 2014;
    S. J. Reddi, S. Kale, S. Kumar, On the convergence of Adam and beyond, 2018.
    """

    lr: float = 1e-3
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    weight_decay: float = 0
    amsgrad: bool = False
    maximize: bool = False

    def start(self, theta: Array) -> State:
        """Zeros."""
        keys = ("exp_avg", "exp_avg_sq") + ("max_exp_avg_sq",) * self.amsgrad
        return {"step": 0} | {key: np.zeros_like(theta) for key in keys}

    def step(self, theta: Array, g: Array, state: State) -> tuple[Array, State]:
        """θ − η m̂/(√ŝ + ε)."""
        return self._step(theta, uphill(g, theta, self.maximize, self.weight_decay), state)

    def _step(self, theta: Array, g: Array, state: State) -> tuple[Array, State]:
        (beta1, beta2), t = self.betas, state["step"] + 1
        m = blend(state["exp_avg"], g, 1 - beta1)
        s = greatest = beta2 * state["exp_avg_sq"] + (1 - beta2) * g * g
        after = {"step": t, "exp_avg": m, "exp_avg_sq": s}
        if self.amsgrad:
            greatest = after["max_exp_avg_sq"] = np.maximum(state["max_exp_avg_sq"], s)
        root = np.sqrt(greatest) / math.sqrt(1 - beta2**t) + self.eps
        return theta - self.lr / (1 - beta1**t) * m / root, after


@optimizer
class AdamW(Adam):
    """Adam, with a weight decay λ of its own: θ ← (1 − ηλ) θ before the step, and g is left alone.

    Source: I. Loshchilov, F. Hutter, Decoupled weight decay regularization, 2017.
    """

    weight_decay: float = 1e-2

    def step(self, theta: Array, g: Array, state: State) -> tuple[Array, State]:
        """(1 − ηλ) θ, then Adam."""
        return self._step((1 - self.lr * self.weight_decay) * theta, uphill(g, theta, self.maximize, 0), state)
