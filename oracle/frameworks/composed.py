"""Operators composed of a framework's primitives, where it has none of its own.

Each is what a careful user of the framework would write, in the words of NumPy: `f` has `where`, `maximum`, `exp` and
the like, and the framework's own `sigmoid`, `softplus` and `log_softmax`. There is no BCELoss: torch clamps its
logarithms and, elsewhere, its slope, which no composition of primitives does.
"""

from functools import partial, reduce
from typing import Any

import numpy as np

from oracle.frameworks.graph import Layer, Operator, Table
from oracle.spec import Unsupported

SELU_ALPHA, SELU_SCALE = 1.6732632423543772, 1.0507009873554805


def composed(f: Any) -> dict[str, Operator]:
    """The table of every operator here, over the functions of a framework."""
    return {op: partial(operator, f) for op, operator in COMPOSED.items()}


# ---------------------------------------------------------------------------------------------------- joins and layers


def parts(x: Any, n: int, axis: int) -> list[Any]:
    """n equal parts along an axis."""
    axis, width = axis % x.ndim, x.shape[axis] // n
    return [x[(*[slice(None)] * axis, slice(k * width, (k + 1) * width))] for k in range(n)]


def flat(x: Any) -> tuple[int, ...]:
    """The shape of x with all axes but the first in one."""
    return (x.shape[0], int(np.prod(x.shape[1:])))


def parted(n: Layer, x: Any) -> tuple[int, ...]:
    """The shape of x with one axis for several."""
    axis = n.get("dim") % x.ndim
    return (*x.shape[:axis], *n.get("unflattened_size"), *x.shape[axis + 1 :])


def _linear(f: Any, n: Layer, x: Any) -> Any:
    y = x @ n.own["weight"].T
    return y + n.own["bias"] if "bias" in n.own else y


def column(x: Any, y: Any) -> Any:
    """One number for each channel, ready to meet y."""
    return x.reshape((1, -1, *[1] * (y.ndim - 2)))


def _batch_norm(f: Any, n: Layer, x: Any) -> Any:
    if n.training or "running_mean" not in n.own:
        axes = tuple(axis for axis in range(x.ndim) if axis != 1)
        mean = x.mean(axes)
        centred = x - column(mean, x)
        variance = (centred * centred).mean(axes)
        track(n, x, mean, variance)
    else:
        mean, variance = (f.tensor(n.own[role]) for role in ("running_mean", "running_var"))
        centred = x - column(mean, x)
    y = centred / f.sqrt(column(variance, x) + n.get("eps", 1e-5))
    return y * column(n.own["weight"], x) + column(n.own["bias"], x) if "weight" in n.own else y


def track(n: Layer, x: Any, mean: Any, variance: Any) -> None:
    """The running statistics after a batch: the variance unbiased, a plain average where there is no momentum."""
    if "running_mean" not in n.own:
        return
    size, count = x.shape[0] * int(np.prod(x.shape[2:])), int(n.own["num_batches_tracked"]) + 1
    momentum = n.get("momentum", 0.1)
    rate = 1 / count if momentum is None else momentum
    for role, new in (("running_mean", mean), ("running_var", variance * (size / (size - 1)))):
        n.new[role] = new * rate + n.own[role] * (1 - rate)
    n.new["num_batches_tracked"] = np.asarray(count)


def dropout(n: Layer, x: Any, mask: Any) -> Any:
    """The kept entries, over the probability to be kept."""
    keep = 1 - n.get("p", 0.5)
    return x * 1.0 if not n.training else x * mask / keep if keep else x * 0.0


def _rrelu(f: Any, n: Layer, x: Any, slopes: Any) -> Any:
    fixed = (n.get("lower", 1 / 8) + n.get("upper", 1 / 3)) / 2
    return f.where(x > 0, x, x * (slopes if n.training else fixed))


# ---------------------------------------------------------------------------------------------------------- activations


def _prelu(f: Any, n: Layer, x: Any) -> Any:
    weight = n.own["weight"]
    return f.where(x > 0, x, x * (weight if weight.shape == (1,) else column(weight, x)))


def _elu(f: Any, n: Layer, x: Any, alpha: float, scale: float = 1.0, over: float = 1.0) -> Any:
    negative = f.where(x > 0, x * 0.0, x)  # where the other branch is taken, expm1 must not overflow
    return scale * f.where(x > 0, x, alpha * f.expm1(negative / over))


def _gelu(f: Any, n: Layer, x: Any) -> Any:
    if n.get("approximate", "none") == "tanh":
        return 0.5 * x * (1.0 + f.tanh((2 / np.pi) ** 0.5 * (x + 0.044715 * x * x * x)))
    if f.erf is None:
        raise Unsupported("it has no erf, which GELU needs")
    return 0.5 * x * (1.0 + f.erf(x * 0.5**0.5))


def _hardtanh(f: Any, n: Layer, x: Any, low: float, high: float) -> Any:
    return f.minimum(f.maximum(x, low), high)


def _hardshrink(f: Any, n: Layer, x: Any) -> Any:
    lambd = n.get("lambd", 0.5)
    return f.where((x > lambd) | (x < -lambd), x, x * 0.0)


def _softshrink(f: Any, n: Layer, x: Any) -> Any:
    lambd = n.get("lambd", 0.5)
    return f.where(x > lambd, x - lambd, f.where(x < -lambd, x + lambd, x * 0.0))


def _softplus(f: Any, n: Layer, x: Any) -> Any:
    beta = n.get("beta", 1.0)
    u = x * beta
    return f.where(u > n.get("threshold", 20.0), x, f.softplus(u) / beta)


def _glu(f: Any, n: Layer, x: Any) -> Any:
    a, b = parts(x, 2, n.get("dim", -1))
    return a * f.sigmoid(b)


# --------------------------------------------------------------------------------------------------------------- losses


def reduced(n: Layer, costs: Any, default: str = "mean") -> Any:
    """The mean of the costs, their sum, or the costs."""
    reduction = n.get("reduction", default)
    return costs if reduction == "none" else costs.sum() if reduction == "sum" else costs.mean()


def _huber(f: Any, n: Layer, y: Any, t: Any) -> Any:
    delta = n.get("delta", 1.0)
    size = f.abs(y - t)
    return reduced(n, f.where(size <= delta, 0.5 * size * size, delta * (size - 0.5 * delta)))


def _smooth_l1(f: Any, n: Layer, y: Any, t: Any) -> Any:
    beta = n.get("beta", 1.0)
    size = f.abs(y - t)
    return reduced(n, f.where(size < beta, 0.5 * size * size / beta, size - 0.5 * beta) if beta else size)


def constant(f: Any, n: Layer, name: str, x: Any) -> Any:
    """A weight among the arguments, as a tensor like x; 1 where there is none."""
    given = n.get(name)
    return 1.0 if given is None else f.tensor(np.asarray(given, f.dtype(x)))


def _bce_with_logits(f: Any, n: Layer, x: Any, t: Any) -> Any:
    p = constant(f, n, "pos_weight", x)
    k = 1.0 + (p - 1.0) * t
    costs = f.where(x > 0, (1.0 - t) * x + k * f.softplus(-x), k * f.softplus(x) - p * t * x)  # no two terms cancel
    return reduced(n, costs * constant(f, n, "weight", x))


def chosen(n: Layer, labels: Any, x: Any, dtype: Any) -> tuple[Any, Any]:
    """The weight of each class at the labels, 0 elsewhere, and of all classes for each sample that counts: NumPy."""
    axis = min(1, x.ndim - 1)
    along = [-1 if k == axis else 1 for k in range(x.ndim)]
    classes, index = np.arange(x.shape[axis]).reshape(along), np.expand_dims(labels, axis)
    weight = np.ones(1, dtype) if n.get("weight") is None else np.asarray(n.get("weight"), dtype).reshape(along)
    counts = (index != n.get("ignore_index", -100)) * weight
    return (classes == index) * counts, counts


def _nll(f: Any, n: Layer, x: Any, labels: Any) -> Any:
    hot, _ = chosen(n, labels, x, f.dtype(x))
    costs = (f.where(hot > 0, -x, x * 0.0) * f.tensor(hot)).sum(min(1, x.ndim - 1))
    return averaged(n, costs, float(hot.sum()))


def averaged(n: Layer, costs: Any, count: float) -> Any:
    """The costs, their sum, or that over a count."""
    reduction = n.get("reduction", "mean")
    return costs if reduction == "none" else costs.sum() if reduction == "sum" else costs.sum() / count


def _cross_entropy(f: Any, n: Layer, x: Any, target: Any) -> Any:
    axis, smooth = min(1, x.ndim - 1), n.get("label_smoothing", 0.0)
    logs, classes = f.log_softmax(x, axis), x.shape[axis]
    if isinstance(target, np.ndarray) and target.dtype.kind == "i":
        hot, counts = chosen(n, target, x, f.dtype(x))
        costs = -(f.tensor((1 - smooth) * hot + (smooth / classes) * counts) * logs).sum(axis)
        return averaged(n, costs, float(hot.sum()))
    weight = constant(f, n, "weight", x)
    weight = weight if n.get("weight") is None else column(weight, x)
    return reduced(n, -((target * (1 - smooth) + smooth / classes) * weight * logs).sum(axis))


COMPOSED: Table = {
    "Add": lambda f, n, *x: reduce(lambda a, b: a + b, x),
    "Multiply": lambda f, n, *x: reduce(lambda a, b: a * b, x),
    "Concatenate": lambda f, n, *x: f.concatenate(x, n.get("dim", 1)),
    "Chunk": lambda f, n, x: parts(x, n.get("chunks"), n.get("dim", 1)),
    "Flatten": lambda f, n, x: x.reshape(flat(x)),
    "Unflatten": lambda f, n, x: x.reshape(parted(n, x)),
    "Identity": lambda f, n, x: x,
    "Linear": _linear,
    "BatchNorm1d": _batch_norm,
    "Dropout": lambda f, n, x, mask: dropout(n, x, mask),
    "RReLU": _rrelu,
    "CELU": lambda f, n, x: _elu(f, n, x, n.get("alpha", 1.0), over=n.get("alpha", 1.0)),
    "ELU": lambda f, n, x: _elu(f, n, x, n.get("alpha", 1.0)),
    "GELU": _gelu,
    "GLU": _glu,
    "Hardshrink": _hardshrink,
    "Hardsigmoid": lambda f, n, x: _hardtanh(f, n, x + 3.0, 0.0, 6.0) / 6.0,
    "Hardswish": lambda f, n, x: x * (_hardtanh(f, n, x + 3.0, 0.0, 6.0) / 6.0),
    "Hardtanh": lambda f, n, x: _hardtanh(f, n, x, n.get("min_val", -1.0), n.get("max_val", 1.0)),
    "LeakyReLU": lambda f, n, x: f.where(x > 0, x, x * n.get("negative_slope", 0.01)),
    "LogSigmoid": lambda f, n, x: -f.softplus(-x),
    "LogSoftmax": lambda f, n, x: f.log_softmax(x, n.get("dim")),
    "Mish": lambda f, n, x: x * f.tanh(f.softplus(x)),
    "PReLU": _prelu,
    "ReLU": lambda f, n, x: f.maximum(x, 0.0),
    "ReLU6": lambda f, n, x: _hardtanh(f, n, x, 0.0, 6.0),
    "SELU": lambda f, n, x: _elu(f, n, x, SELU_ALPHA, SELU_SCALE),
    "SiLU": lambda f, n, x: x * f.sigmoid(x),
    "Sigmoid": lambda f, n, x: f.sigmoid(x),
    "Softmax": lambda f, n, x: f.exp(f.log_softmax(x, n.get("dim"))),
    "Softmin": lambda f, n, x: f.exp(f.log_softmax(-x, n.get("dim"))),
    "Softplus": _softplus,
    "Softshrink": _softshrink,
    "Softsign": lambda f, n, x: x / (1.0 + f.abs(x)),
    "Tanh": lambda f, n, x: f.tanh(x),
    "Tanhshrink": lambda f, n, x: x - f.tanh(x),
    "Threshold": lambda f, n, x: f.where(x > n.get("threshold"), x, x * 0.0 + n.get("value")),
    "Dot": lambda f, n, y, c: (y * c).sum(),
    "HalfSquaredError": lambda f, n, y, t: 0.5 * reduced(n, (y - t) * (y - t), "sum"),
    "MSELoss": lambda f, n, y, t: reduced(n, (y - t) * (y - t)),
    "L1Loss": lambda f, n, y, t: reduced(n, f.abs(y - t)),
    "HuberLoss": _huber,
    "SmoothL1Loss": _smooth_l1,
    "BCEWithLogitsLoss": _bce_with_logits,
    "NLLLoss": _nll,
    "CrossEntropyLoss": _cross_entropy,
}
"""op -> (functions of the framework, layer, *inputs) -> output."""
