"""Update rules gone wrong, in NumPy: step 5."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from msgspec.structs import replace as with_fields

from oracle.seeds.planting import Seed, stepping, updating
from oracle.spec import UpdateCase
from oracle.subjects import reference_update
from reference.layer import Array
from reference.optimizers import OPTIMIZERS, build_optimizer, uphill

Stepped = tuple[Array, dict[str, Any]]
Divisor = Callable[[Array, float], Array]
"""(second moment, ε) -> what the step is divided by."""

# ------------------------------------------------------------------------------- the right rules, with other arguments


def with_attrs(code: str, ops: str, attrs: Callable[[Any, int], dict[str, Any]]) -> Seed:
    """The right rule with other arguments: (optimizer, t) -> arguments."""
    return stepping(code, ops, lambda o, right, theta, g, state, t, name: (
        replace(o, **attrs(o, t)).step(theta, g, state)))  # fmt: skip


def with_state(code: str, ops: str, change: Callable[[dict[str, Any], Array, int], dict[str, Any]]) -> Seed:
    """The right rule from another state: (state, θ, t) -> entries of the state."""
    return stepping(code, ops, lambda o, right, theta, g, state, t, name: (
        right(theta, g, state | change(state, theta, t))))  # fmt: skip


def as_other(code: str, op: str, other: str) -> Seed:
    """The step of another optimizer with the same arguments."""
    return stepping(code, op, lambda o, right, theta, g, state, t, name: (
        OPTIMIZERS[other](**vars(o)).step(theta, g, state)))  # fmt: skip


def decaying(code: str, op: str, factor: Callable[[Any, Array], float]) -> Seed:
    """Weight decay times a factor: (optimizer, θ) -> factor."""

    def step(o: Any, right: Any, theta: Array, g: Array, state: Any, t: int, name: str) -> Stepped:
        plain, decay = replace(o, weight_decay=0), factor(o, theta) * o.weight_decay
        if op == "AdamW":
            return plain.step((1 - o.lr * decay) * theta, g, state)
        return plain.step(theta, g + (-decay if o.maximize else decay) * theta, state)

    return stepping(code, op, step)


def upwards(o: Any, right: Any, theta: Array, g: Array, state: Any, t: int, name: str) -> Stepped:
    """θ + η …; the decay of AdamW is no part of the step."""
    after, state = right(theta, g, state)
    start = (1 - o.lr * o.weight_decay) * theta if type(o).__name__ == "AdamW" else theta
    return start + (start - after), state


def decay_last(o: Any, right: Any, theta: Array, g: Array, state: Any, t: int, name: str) -> Stepped:
    """(1 − ηλ)(θ − η …)."""
    after, state = replace(o, weight_decay=0).step(theta, g, state)
    return (1 - o.lr * o.weight_decay) * after, state


# ------------------------------------------------------------------------------------------------- rules over all steps


def counting_parameters(case: UpdateCase) -> list[dict[str, Array]]:
    """t counts the parameters that were stepped."""
    optimizer, theta, steps, t = build_optimizer(case.op, case.attrs), dict(case.parameters), [], 0
    states = {name: optimizer.start(x) for name, x in theta.items()}
    for gradients in case.gradients:
        for name, g in gradients.items():
            theta[name], states[name] = optimizer.step(theta[name], g, states[name] | {"step": t})
            t += 1
        steps.append(dict(theta))
    return steps


def by_shape(case: UpdateCase) -> list[dict[str, Array]]:
    """The moments, though not the count of steps, are those of any parameter of the same shape."""
    optimizer, theta, steps = build_optimizer(case.op, case.attrs), dict(case.parameters), []
    states = {x.shape: optimizer.start(x) for x in theta.values()}
    for t, gradients in enumerate(case.gradients):
        for name, g in gradients.items():
            before = states[g.shape] | ({"step": t} if "step" in states[g.shape] else {})
            theta[name], states[g.shape] = optimizer.step(theta[name], g, before)
        steps.append(dict(theta))
    return steps


def summed(case: UpdateCase) -> list[dict[str, Array]]:
    """Every gradient is the sum of all so far."""
    sums: list[dict[str, Array]] = []
    for gradients in case.gradients:
        sums.append({name: g + sums[-1][name] if sums else g for name, g in gradients.items()})
    return list(reference_update(with_fields(case, gradients=tuple(sums))).steps)


# ------------------------------------------------------------------------------------------------------ rules by hand


def plus_eps(s: Array, eps: float) -> Array:
    """√s + ε, which is right."""
    return np.sqrt(s) + eps


def eps_inside(s: Array, eps: float) -> Array:
    """√(s + ε)."""
    return np.sqrt(s + eps)


def no_root(s: Array, eps: float) -> Array:
    """s + ε."""
    return s + eps


def sgd(o: Any, theta: Array, g: Array, state: Any, share: float) -> Stepped:
    """SGD in which `share` of g enters the velocity, the first one too."""
    g = uphill(g, theta, o.maximize, o.weight_decay)
    if not o.momentum:
        return theta - o.lr * g, state
    v = o.momentum * state["momentum_buffer"] + (1 - o.dampening) * share * g if state else share * g
    return theta - o.lr * (g + o.momentum * v if o.nesterov else v), {"momentum_buffer": v}


def ahead_twice(o: Any, right: Any, theta: Array, g: Array, state: Any, t: int, name: str) -> Stepped:
    """θ − η (v + μ v)."""
    after, now = right(theta, g, state)
    if o.nesterov:
        after = theta - o.lr * (1 + o.momentum) * now["momentum_buffer"]
    return after, now


def adagrad(o: Any, theta: Array, g: Array, state: Any, square: Any = np.square, root: Divisor = plus_eps) -> Stepped:
    """Adagrad."""
    g = uphill(g, theta, o.maximize, o.weight_decay)
    s = state["sum"] + square(g)
    rate = o.lr / (1 + state["step"] * o.lr_decay)
    return theta - rate * g / root(s, o.eps), {"step": state["step"] + 1, "sum": s}


def rmsprop(o: Any, theta: Array, g: Array, state: Any, square: Any = np.square, root: Divisor = plus_eps,
            exchanged: bool = False, share: float = 1, power: int = 2) -> Stepped:  # fmt: skip
    """RMSprop in which `share` of the step enters the velocity; another power of the mean."""
    g = uphill(g, theta, o.maximize, o.weight_decay)
    keep = 1 - o.alpha if exchanged else o.alpha
    s = spread = keep * state["square_avg"] + (1 - keep) * square(g)
    after = {"step": state["step"] + 1, "square_avg": s}
    if o.centered:
        after["grad_avg"] = o.alpha * state["grad_avg"] + (1 - o.alpha) * g
        spread = np.abs(s - after["grad_avg"] ** power)
    move = g / root(spread, o.eps)
    if o.momentum:
        move = after["momentum_buffer"] = o.momentum * state["momentum_buffer"] + share * move
    return theta - o.lr * move, after


def adam(o: Any, theta: Array, g: Array, state: Any, square: Any = np.square, root: Divisor = plus_eps, *,
         first: bool = True, second: bool = True, late: bool = False, hat: bool = False, ahead: int = 0,
         one_beta: bool = False) -> Stepped:  # fmt: skip
    """Adam or AdamW: which moments are corrected; ŝ only after the root and its ε; the greatest ŝ instead of s; m̂ by a
    later t; β₂ for m, but for its correction.
    """
    decoupled = type(o).__name__ == "AdamW"
    g = uphill(g, theta, o.maximize, 0 if decoupled else o.weight_decay)
    theta = (1 - o.lr * o.weight_decay) * theta if decoupled else theta
    (beta1, beta2), t = o.betas, state["step"] + 1
    own = beta2 if one_beta else beta1
    m = own * state["exp_avg"] + (1 - own) * g
    s = greatest = beta2 * state["exp_avg_sq"] + (1 - beta2) * square(g)
    after = {"step": t, "exp_avg": m, "exp_avg_sq": s}
    rest = 1 - beta2**t
    if o.amsgrad:
        greatest = after["max_exp_avg_sq"] = np.maximum(state["max_exp_avg_sq"], s / rest if hat else s)
    rest = 1.0 if not second or (hat and o.amsgrad) else rest
    divisor = root(greatest, o.eps) / math.sqrt(rest) if late else root(greatest / rest, o.eps)
    return theta - o.lr * (m / (1 - beta1 ** (t + ahead)) if first else m) / divisor, after


RULES: dict[str, Callable[..., Stepped]] = {"Adagrad": adagrad, "RMSprop": rmsprop, "Adam": adam, "AdamW": adam}


def by_hand(code: str, op: str, **how: Any) -> Seed:
    """The rule by hand, with something else in it."""
    return stepping(code, op, lambda o, right, theta, g, state, t, name: RULES[op](o, theta, g, state, **how))


def velocity(code: str, op: str, share: Callable[[Any], float]) -> Seed:
    """A share of the gradient enters the velocity: optimizer -> share."""
    rule = sgd if op == "SGD" else rmsprop
    return stepping(code, op, lambda o, right, theta, g, state, t, name: rule(o, theta, g, state, share=share(o)))


def zero(key: str) -> Callable[[dict[str, Any], Array, int], dict[str, Any]]:
    """A state in which one entry is zero, where there is one."""
    return lambda state, theta, t: {key: np.zeros_like(theta)} if key in state else {}


ADAMS = ("Adam", "AdamW")
SCALED = ("Adagrad", "RMSprop", "Adam", "AdamW")
COUPLED = ("SGD", "Adagrad", "RMSprop", "Adam")
ALL = ("SGD", "Adagrad", "RMSprop", "Adam", "AdamW")
MOVING = ("SGD", "RMSprop")

SEEDS: tuple[Seed, ...] = (
    *(stepping("O101", op, upwards) for op in ("SGD", "RMSprop", "Adam", "AdamW")),
    *(with_state("O102", op, lambda state, theta, t: {"step": 0}) for op in ADAMS),
    *(updating("O103", op, counting_parameters) for op in ADAMS),
    *(with_attrs("O104", op, lambda o, t: {"betas": tuple(o.betas)[::-1]}) for op in ADAMS),
    *(updating("O105", op, by_shape) for op in ("RMSprop", "Adam", "AdamW")),
    *(by_hand("O106", op, square=np.abs) for op in SCALED),
    as_other("O107", "AdamW", "Adam"),
    as_other("O108", "Adam", "AdamW"),
    *(decaying("O109", op, lambda o, theta: -1) for op in ("SGD", "Adam", "AdamW")),
    *(decaying("O110", op, lambda o, theta: 0) for op in ("SGD", "RMSprop", "Adam", "AdamW")),
    *(decaying("O111", op, lambda o, theta: 2) for op in ("SGD", "Adagrad", "Adam", "AdamW")),
    *(decaying("O112", op, lambda o, theta: theta.ndim > 1) for op in ("SGD", "Adam", "AdamW")),
    decaying("O113", "AdamW", lambda o, theta: 1 / o.lr),
    *(velocity("O114", op, lambda o: 1 - o.momentum) for op in MOVING),
    stepping("O115", "SGD", lambda o, right, theta, g, state, t, name: right(theta, g, {})),
    with_state("O116", "SGD", lambda state, theta, t: {} if state else {"momentum_buffer": np.zeros_like(theta)}),
    with_attrs("O117", "SGD", lambda o, t: {"dampening": 0}),
    with_attrs("O118", "SGD", lambda o, t: {"nesterov": False}),
    stepping("O119", "SGD", ahead_twice),
    *(updating("O120", op, summed) for op in ALL),
    by_hand("O121", "RMSprop", exchanged=True),
    *(by_hand("O122", op, root=eps_inside) for op in SCALED),
    *(by_hand("O123", op, root=no_root) for op in SCALED),
    *(by_hand("O124", op, first=False, second=False) for op in ADAMS),
    *(by_hand("O125", op, second=False) for op in ADAMS),
    *(by_hand("O126", op, first=False) for op in ADAMS),
    *(by_hand("O127", op, late=True) for op in ADAMS),
    *(with_attrs("O128", op, lambda o, t: {"amsgrad": False}) for op in ADAMS),
    *(by_hand("O129", op, hat=True) for op in ADAMS),
    with_attrs("O130", "RMSprop", lambda o, t: {"centered": False}),
    *(with_attrs("O131", op, lambda o, t: {"maximize": False}) for op in ALL),
    with_attrs("O132", "Adagrad", lambda o, t: {"lr_decay": 0}),
    with_attrs("O133", "Adagrad", lambda o, t: {"lr": o.lr * (1 + (t - 1) * o.lr_decay) / (1 + t * o.lr_decay)}),
    with_state("O134", "Adagrad", lambda state, theta, t: {"sum": np.zeros_like(theta)} if t == 1 else {}),
    with_state("O135", "Adagrad", zero("sum")),
    with_attrs("O136", "SGD", lambda o, t: {"momentum": 0, "nesterov": False}),
    with_attrs("O136", "RMSprop", lambda o, t: {"momentum": 0}),
    *(velocity("O137", op, lambda o: o.lr) for op in MOVING),
    stepping("O138", "AdamW", decay_last),
    *(
        stepping("O139", op, lambda o, right, theta, g, state, t, name: right(theta, np.clip(g, -1, 1), state))
        for op in ("SGD", "Adagrad", "Adam")
    ),
    *(by_hand("O140", op, ahead=1) for op in ADAMS),
    by_hand("O141", "RMSprop", power=1),
    *(by_hand("O142", op, one_beta=True) for op in ADAMS),
    *(decaying("O143", op, lambda o, theta: -1 if o.maximize else 1) for op in ("SGD", "Adam")),
)  # fmt: skip
