"""Wrong update rules: each optimizer once, in float64, with a switch for every fault.

A fault is one rule; where books would write the same bug in two ways, the one that its row spells out.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from oracle.hypotheses.hypothesis import Hypothesis, rule
from oracle.spec import Array, Tensors, UpdateCase

Options = Mapping[str, Any]
DEFAULTS: dict[str, dict[str, Any]] = {
    "SGD": {"lr": 1e-3, "momentum": 0.0, "dampening": 0.0, "nesterov": False},
    "Adagrad": {"lr": 1e-2, "lr_decay": 0.0, "initial_accumulator_value": 0.0, "eps": 1e-10},
    "RMSprop": {"lr": 1e-2, "alpha": 0.99, "eps": 1e-8, "momentum": 0.0, "centered": False},
    "Adam": {"lr": 1e-3, "betas": (0.9, 0.999), "eps": 1e-8, "amsgrad": False},
    "AdamW": {"lr": 1e-3, "betas": (0.9, 0.999), "eps": 1e-8, "amsgrad": False, "weight_decay": 1e-2},
}
"""The arguments of torch.optim."""


@dataclass
class State:
    """What an optimizer remembers of a parameter."""

    t: int = 0
    v: Array | float | None = None
    """The velocity; None before the first step."""
    m: Array | float = 0.0
    s: Array | float = 0.0
    top: Array | float = 0.0
    """The greatest s so far."""


@dataclass(frozen=True)
class Rules:
    """One case, and the switches that are on."""

    case: UpdateCase
    on: frozenset[str]
    o: Options = field(init=False)

    def __post_init__(self) -> None:
        plain = {"weight_decay": 0.0, "maximize": False} | DEFAULTS[self.case.op]
        object.__setattr__(self, "o", plain | dict(self.case.attrs))

    def run(self) -> Iterator[Tensors]:
        """The parameters after each step."""
        theta = {name: np.asarray(x, np.float64) for name, x in self.case.parameters.items()}
        states: dict[Any, State] = {}
        total = {name: np.zeros(x.shape) for name, x in theta.items()}
        for step, gradients in enumerate(self.case.gradients):
            for k, (name, x) in enumerate(theta.items()):
                g = np.asarray(gradients[name], np.float64)
                total[name] = g = total[name] + g if "gradients kept" in self.on else g
                key = x.shape if "state by shape" in self.on else name
                state = states.setdefault(key, State(s=self._accumulator()))
                state.t = step * len(theta) + k if "t per parameter" in self.on else state.t
                state.t = 1 if "t stays 1" in self.on else step + 1 if "t apart" in self.on else state.t + 1
                with np.errstate(all="ignore"):
                    theta[name] = self._stepped(x, g, state)
            yield dict(theta)

    def _accumulator(self) -> float:
        return 0.0 if "no start" in self.on else self.o.get("initial_accumulator_value", 0.0)

    def _stepped(self, theta: Array, g: Array, state: State) -> Array:
        """θ after one step: the decay, then the optimizer's own move."""
        on, o = self.on, self.o
        g = np.clip(g, -1, 1) if "clipped" in on else np.clip(g, -5, 5) if "clipped at 5" in on else g
        g = -g if o["maximize"] and "maximize ignored" not in on else g
        decay = self._decay() if theta.ndim > 1 or "matrices only" not in on else 0.0
        decay = -decay if o["maximize"] and "decay climbs" in on else decay
        rate = 1.0 if "decay without rate" in on else o["lr"]
        decoupled = (self.case.op == "AdamW") != ("other coupling" in on)
        shrunk = theta * (1 - rate * decay) if decoupled else theta
        if not decoupled:
            g = g + decay * theta
        move = {"SGD": self._sgd, "Adagrad": self._adagrad, "RMSprop": self._rmsprop}.get(self.case.op, self._adam)
        step = move(g, state) * (-1 if "uphill" in on else 1)
        return (theta - step) * (1 - rate * decay) if "decay after" in on else shrunk - step

    def _decay(self) -> float:
        factors = {"no decay": 0, "decay doubled": 2, "decay negated": -1}
        return float(self.o["weight_decay"] * next((k for name, k in factors.items() if name in self.on), 1))

    def _sgd(self, g: Array, state: State) -> Array:
        """η v."""
        o, mu = self.o, self.o["momentum"]
        if not mu or "no momentum" in self.on:
            return np.asarray(o["lr"] * g)
        v = self._velocity(g, state, 1 - o["dampening"])
        if not o["nesterov"] or "no nesterov" in self.on:
            return np.asarray(o["lr"] * v)
        start = 0.0 if "ahead only" in self.on else v if "ahead twice" in self.on else g
        return np.asarray(o["lr"] * (start + (1.0 if "whole velocity" in self.on else mu) * v))

    def _velocity(self, g: Array, state: State, share: float, plain_start: bool = True) -> Array:
        """μ v + share · g; the first one is g, undampened."""
        on, first = self.on, state.v is None
        plain = first and "plain start" in on
        entering = g * (self.o["lr"] if "rate in velocity" in on and not plain else 1.0)
        share = 1.0 if "no dampening" in on or (first and plain_start and "first dampened" not in on) else share
        averaged = on & {"averaged", "averaged too"} and not plain
        share = (1 - self.o["momentum"]) * (share if "averaged too" in on else 1.0) if averaged else share
        old = 0.0 if state.v is None or "at rest" in on else state.v
        state.v = np.asarray((self.o["momentum"] * old if not first else 0.0) + share * entering)
        if "at rest" in on:
            state.v = np.asarray(entering)
        return state.v

    def _adagrad(self, g: Array, state: State) -> Array:
        """η_t g/(√s + ε)."""
        o, late = self.o, 0 if "one early" in self.on else 1
        decay = 0.0 if "no lr_decay" in self.on else o["lr_decay"]
        square = self._square(g)
        state.s = square if "not accumulated" in self.on else state.s + square
        return np.asarray(o["lr"] / (1 + (state.t - late) * decay) * g / self._root(state.s))

    def _rmsprop(self, g: Array, state: State) -> Array:
        """η g/(√s + ε), or η v."""
        on, o, a = self.on, self.o, self.o["alpha"]
        b = 1 - a if "alpha exchanged" in self.on else a
        state.s = b * state.s + (1 - b) * self._square(g)
        state.m = a * state.m + (1 - a) * g
        centred = o["centered"] and "not centred" not in self.on
        mean = state.m if on & {"mean itself", "mean made positive"} else np.square(state.m)
        spread = state.s - mean if centred else state.s
        move = g / self._root(np.abs(spread) if centred and "mean made positive" in on else spread)
        if o["momentum"] and "no momentum" not in self.on:
            move = self._velocity(move, state, 1.0, plain_start=False)
        return np.asarray(o["lr"] * move)

    def _adam(self, g: Array, state: State) -> Array:
        """η m̂/(√ŝ + ε)."""
        o, on, t = self.o, self.on, state.t
        b1, b2 = reversed(o["betas"]) if "betas exchanged" in on else o["betas"]
        own = b2 if "β₂ for m" in on else b1
        b2 = b1 if "β₁ for s" in on else b2
        state.m = own * state.m + (1 - own) * g
        state.s = b2 * state.s + (1 - b2) * self._square(g)
        d1, d2 = o["betas"] if "corrections left" in on else (b1, b2)
        d1 = own if "β₂ for m" in on and "corrections left" not in on else d1
        off = {"ahead": 1, "behind": -1}
        t1 = t + sum(k for name, k in off.items() if on & {f"m {name}", name})
        t2 = t + sum(k for name, k in off.items() if on & {f"s {name}", name})
        c1 = 1.0 if on & {"uncorrected", "m uncorrected"} else 1 - d1**t1
        c2 = 1.0 if on & {"uncorrected", "s uncorrected"} else 1 - d2**t2
        corrected = state.s / c2
        if o["amsgrad"] and "no amsgrad" not in on:
            state.top = np.maximum(state.top, corrected if "max corrected" in on else state.s)
            corrected = state.top if "max corrected" in on else state.top / c2
        root = (np.sqrt(corrected * c2) + o["eps"]) / c2**0.5 if "eps first" in on else self._root(corrected)
        root = np.sqrt((corrected * c2 + o["eps"]) / c2) if "eps inside first" in on else root
        return np.asarray(o["lr"] * (state.m / c1) / root)

    def _square(self, g: Array) -> Array:
        return np.abs(g) if "absolute" in self.on else np.square(g)

    def _root(self, s: Any) -> Array:
        """√s + ε."""
        if "no root" in self.on:
            return np.asarray(s + self.o["eps"])
        return np.asarray(np.sqrt(s + self.o["eps"]) if "eps inside" in self.on else np.sqrt(s) + self.o["eps"])


def stepped(case: UpdateCase, *on: str) -> list[Tensors]:
    """The parameters after each step, with these switches on; with none, torch's."""
    return list(Rules(case, frozenset(on)).run())


def _switched(ops: str, *readings: str) -> Hypothesis:
    """A fault in one reading of its line or several, each with its switches, "one, another"."""

    def reading(on: str) -> Callable[[UpdateCase], list[Tensors]]:
        return lambda case: stepped(case, *on.split(", "))

    return rule(ops, *map(reading, readings))


ADAM = "Adam AdamW"
ADAPTIVE = "Adagrad RMSprop Adam AdamW"
ALL = "SGD Adagrad RMSprop Adam AdamW"
COUPLED = "SGD Adagrad RMSprop Adam"

HYPOTHESES: dict[str, Hypothesis] = {
    "O101": _switched(ALL, "uphill"),
    "O102": _switched(ADAM, "t stays 1"),
    "O103": _switched("Adagrad Adam AdamW", "t per parameter"),
    "O104": _switched(ADAM, "betas exchanged", "betas exchanged, corrections left"),
    "O105": _switched(ALL, "state by shape", "state by shape, t apart"),
    "O106": _switched(ADAPTIVE, "absolute"),
    "O107": _switched("AdamW", "other coupling"),
    "O108": _switched(COUPLED, "other coupling"),
    "O109": _switched(ALL, "decay negated"),
    "O110": _switched(ALL, "no decay"),
    "O111": _switched(ALL, "decay doubled"),
    "O112": _switched(ALL, "matrices only"),
    "O113": _switched("AdamW", "decay without rate"),
    "O114": _switched("SGD RMSprop", "averaged", "averaged, plain start", "averaged too", "averaged too, plain start"),
    "O115": _switched("SGD", "at rest"),
    "O116": _switched("SGD", "first dampened"),
    "O117": _switched("SGD", "no dampening"),
    "O118": _switched("SGD", "no nesterov", "ahead only"),
    "O119": _switched("SGD", "ahead twice", "whole velocity"),
    "O120": _switched(ALL, "gradients kept"),
    "O121": _switched("RMSprop", "alpha exchanged"),
    "O122": _switched(ADAPTIVE, "eps inside", "eps inside first"),
    "O123": _switched(ADAPTIVE, "no root"),
    "O124": _switched(ADAM, "uncorrected"),
    "O125": _switched(ADAM, "s uncorrected"),
    "O126": _switched(ADAM, "m uncorrected"),
    "O127": _switched(ADAM, "eps first"),
    "O128": _switched(ADAM, "no amsgrad"),
    "O129": _switched(ADAM, "max corrected"),
    "O130": _switched("RMSprop", "not centred"),
    "O131": _switched(ALL, "maximize ignored"),
    "O132": _switched("Adagrad", "no lr_decay"),
    "O133": _switched("Adagrad", "one early"),
    "O134": _switched("Adagrad", "no start"),
    "O135": _switched("Adagrad", "not accumulated"),
    "O136": _switched("SGD RMSprop", "no momentum"),
    "O137": _switched("SGD RMSprop", "rate in velocity", "rate in velocity, plain start"),
    "O138": _switched("AdamW", "decay after"),
    "O140": _switched(ADAM, "m ahead", "s ahead", "ahead", "m behind", "s behind", "behind"),
    "O141": _switched("RMSprop", "mean itself", "mean made positive"),
    "O142": _switched(ADAM, "β₂ for m", "β₂ for m, corrections left", "β₁ for s", "β₁ for s, corrections left"),
    "O143": _switched(COUPLED, "decay climbs"),
    "O139": _switched(ALL, "clipped", "clipped at 5"),
}
