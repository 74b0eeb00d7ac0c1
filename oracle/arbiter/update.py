"""Step 5: the update rules of `torch.optim`, for one entry of one parameter, over balls.

Each rule takes θ and the sequence of its gradients, and yields θ after every step.
"""

import inspect
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from flint import arb

ZERO = arb(0)
Rule = Callable[..., Iterator[arb]]


def _gradient(g: arb, theta: arb, weight_decay: Any, maximize: bool) -> arb:
    """±g + λ θ"""
    return (-g if maximize else g) + arb(weight_decay) * theta


def sgd(
    theta: arb,
    gradients: Iterable[arb],
    *,
    lr: Any = 1e-3,
    momentum: Any = 0,
    dampening: Any = 0,
    weight_decay: Any = 0,
    nesterov: bool = False,
    maximize: bool = False,
) -> Iterator[arb]:
    """θ ← θ − η b, or θ − η (g + μ b) with Nesterov;  b ← μ b + (1 − τ) g, at first b = g"""
    mu, buffer = arb(momentum), None
    for raw in gradients:
        g = _gradient(raw, theta, weight_decay, maximize)
        if momentum:
            buffer = g if buffer is None else mu * buffer + (1 - arb(dampening)) * g
            g = g + mu * buffer if nesterov else buffer
        theta = theta - arb(lr) * g
        yield theta


def adagrad(
    theta: arb,
    gradients: Iterable[arb],
    *,
    lr: Any = 1e-2,
    lr_decay: Any = 0,
    weight_decay: Any = 0,
    initial_accumulator_value: Any = 0,
    eps: Any = 1e-10,
    maximize: bool = False,
) -> Iterator[arb]:
    """θ ← θ − η/(1 + (t − 1) decay) g/(√s + ε);  s ← s + g²"""
    s = arb(initial_accumulator_value)
    for t, raw in enumerate(gradients):
        g = _gradient(raw, theta, weight_decay, maximize)
        s = s + g * g
        theta = theta - arb(lr) / (1 + t * arb(lr_decay)) * g / (s.sqrt() + arb(eps))
        yield theta


def rmsprop(
    theta: arb,
    gradients: Iterable[arb],
    *,
    lr: Any = 1e-2,
    alpha: Any = 0.99,
    eps: Any = 1e-8,
    weight_decay: Any = 0,
    momentum: Any = 0,
    centered: bool = False,
    maximize: bool = False,
) -> Iterator[arb]:
    """θ ← θ − η b;  b ← μ b + g/(√s + ε);  s ← α s + (1 − α) g², less (mean g)² where centered"""
    a, s, mean, buffer = arb(alpha), ZERO, ZERO, ZERO
    for raw in gradients:
        g = _gradient(raw, theta, weight_decay, maximize)
        s = a * s + (1 - a) * g * g
        mean = a * mean + (1 - a) * g
        spread = s - mean * mean if centered else s
        buffer = arb(momentum) * buffer + g / (spread.sqrt() + arb(eps))
        theta = theta - arb(lr) * buffer
        yield theta


def adam(
    theta: arb,
    gradients: Iterable[arb],
    *,
    lr: Any = 1e-3,
    betas: Any = (0.9, 0.999),
    eps: Any = 1e-8,
    weight_decay: Any = 0,
    amsgrad: bool = False,
    maximize: bool = False,
    decoupled_weight_decay: bool = False,
) -> Iterator[arb]:
    """θ ← θ − η m/(1 − β₁ᵗ) / (√(v/(1 − β₂ᵗ)) + ε);  m ← β₁ m + (1 − β₁) g;  v ← β₂ v + (1 − β₂) g²"""
    b1, b2 = (arb(b) for b in betas)
    m, v, top = ZERO, ZERO, ZERO
    for t, raw in enumerate(gradients, 1):
        if decoupled_weight_decay:
            theta = theta * (1 - arb(lr) * arb(weight_decay))
        g = _gradient(raw, theta, 0 if decoupled_weight_decay else weight_decay, maximize)
        m = b1 * m + (1 - b1) * g
        v = b2 * v + (1 - b2) * g * g
        top = top.max(v) if amsgrad else v
        theta = theta - arb(lr) * m / (1 - b1**t) / ((top / (1 - b2**t)).sqrt() + arb(eps))
        yield theta


def adamw(theta: arb, gradients: Iterable[arb], **options: Any) -> Iterator[arb]:
    """θ ← (1 − η λ) θ, then Adam's step; λ is 0.01 unless given"""
    return adam(theta, gradients, **{"weight_decay": 1e-2} | options | {"decoupled_weight_decay": True})


RULES: dict[str, Rule] = {"Adagrad": adagrad, "Adam": adam, "AdamW": adamw, "RMSprop": rmsprop, "SGD": sgd}
EXECUTION = {"foreach", "fused", "capturable", "differentiable"}
"""Options that say how torch computes, not what."""


def unknown_options(op: str, attrs: Iterable[str]) -> list[str]:
    """Options that a rule does not have."""
    known = inspect.signature(adam if op == "AdamW" else RULES[op]).parameters
    return sorted(set(attrs) - set(known) - EXECUTION)
