"""Operators of the twin that are not taken from `torch.nn` as they are.

`FUNCTIONS` are functions of torch, take their randomness as data, or are spelled out because torch deviates there
(`DEVIATIONS`): always by operators of torch, so that the gradient stays autograd's word.

`SPELLED` are operators whose kernels do several things at once. The truth comes from the kernel; the noisy runs use
the spelled form, so that rounding inside the kernel is seen.
"""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch.nn import functional as F  # noqa: N812  (the name that everybody gives it)

Tensor = torch.Tensor
Call = Callable[..., Any]


def _dropout(attrs: Mapping[str, Any], training: bool) -> Call:
    keep = 1 - attrs.get("p", 0.5)
    if not 0 <= keep <= 1:
        raise ValueError(f"p is {1 - keep}, but should be a probability")
    if not training:
        return lambda x, mask: x * 1.0
    return lambda x, mask: x * mask.to(x.dtype) / keep if keep else x * 0.0


def _rrelu(attrs: Mapping[str, Any], training: bool) -> Call:
    fixed = (attrs.get("lower", 1 / 8) + attrs.get("upper", 1 / 3)) / 2
    return lambda x, slopes: torch.where(x > 0, x, x * (slopes if training else slopes.detach() * 0 + fixed))


def _celu(attrs: Mapping[str, Any], training: bool) -> Call:
    if not (alpha := attrs.get("alpha", 1.0)):
        raise ValueError("alpha is 0, but z/alpha needs another number")
    return lambda x: F.elu(x / alpha) * alpha


def _sigmoid(x: Tensor) -> Tensor:
    """1 / (1 + e^(−x)), with e^(−|x|) alone: σ′ = e / (1 + e)² keeps every digit of both tails."""
    positive = x >= 0
    e = torch.where(positive, -x, x).exp()
    return torch.where(positive, 1.0, e) / (1 + e)


def _tanh(x: Tensor) -> Tensor:
    """tanh x, with the derivative of 2 σ(2x) − 1."""
    s = 2 * _sigmoid(2 * x)
    return torch.tanh(x).detach() + (s - s.detach())


def _gelu(attrs: Mapping[str, Any], training: bool) -> Call:
    if (form := attrs.get("approximate", "none")) not in ("none", "tanh"):
        raise ValueError(f"approximate is {form!r}, but should be 'none' or 'tanh'")
    if form == "none":
        return lambda x: x * torch.erfc(x * -(0.5**0.5)) / 2
    return lambda x: x * torch.sigmoid(2 * (2 / torch.pi) ** 0.5 * (x + 0.044715 * x**3))


def _gated(a: Tensor, b: Tensor) -> Tensor:
    return a * _sigmoid(b)


def _chunk(attrs: Mapping[str, Any], training: bool) -> Call:
    chunks, dim = attrs["chunks"], attrs.get("dim", 1)
    return lambda x: torch.chunk(x, chunks, dim)


def _dot(y: Tensor, c: Tensor) -> Tensor:
    if y.shape != c.shape:
        raise ValueError(f"the cotangent has shape {tuple(c.shape)}, but should be {tuple(y.shape)}")
    return (y * c).sum()


def _half_squared_error(attrs: Mapping[str, Any], training: bool) -> Call:
    reduction = attrs.get("reduction", "sum")
    return lambda y, t: F.mse_loss(y, t, reduction=reduction) / 2


def _bce(attrs: Mapping[str, Any], training: bool) -> Call:
    """torch's BCELoss, with the gradient of the target clamped as its value is, and 1e-12 not rounded to float32."""
    weight = torch.tensor(attrs["weight"], dtype=torch.float64) if attrs.get("weight") is not None else None
    if (reduction := attrs.get("reduction", "mean")) not in ("none", "mean", "sum"):
        raise ValueError(f"reduction is {reduction!r}, but should be 'none', 'mean' or 'sum'")

    def log(q: Tensor, value: Tensor) -> Tensor:
        return torch.where(q > 0, value.clamp(min=-100), -100.0)

    def call(p: Tensor, t: Tensor) -> Tensor:
        if p.shape != t.shape:
            raise ValueError(f"the input has shape {tuple(p.shape)}, but the target has {tuple(t.shape)}")
        q = p.detach()
        w = 1.0 if weight is None else weight.to(p.dtype)
        odds = log(1 - q, torch.log1p(-q)) - log(q, torch.log(q))
        value = (t.detach() * odds - log(1 - q, torch.log1p(-q))) * w
        slope = (q - t.detach()) / (q * (1 - q)).clamp(min=1e-12)
        linear = (p * slope + t * odds) * w
        y = value + (linear - linear.detach())
        return y if reduction == "none" else y.mean() if reduction == "mean" else y.sum()

    return call


def _fold(function: Callable[[Tensor, Tensor], Tensor]) -> Callable[[Mapping[str, Any], bool], Call]:
    def build(attrs: Mapping[str, Any], training: bool) -> Call:
        def call(first: Tensor, *rest: Tensor) -> Tensor:
            if not rest:
                raise ValueError("it joins at least two tensors")
            for other in rest:
                first = function(first, other)
            return first

        return call

    return build


FUNCTIONS: dict[str, Callable[[Mapping[str, Any], bool], Call]] = {
    "Add": _fold(torch.add),
    "Multiply": _fold(torch.mul),
    "Concatenate": lambda attrs, training: lambda *x: torch.cat(x, attrs.get("dim", 1)),
    "Chunk": _chunk,
    "Dropout": _dropout,
    "RReLU": _rrelu,
    "HalfSquaredError": _half_squared_error,
    "Dot": lambda attrs, training: _dot,
    "Hardsigmoid": lambda attrs, training: lambda x: (F.hardtanh(x, -3, 3) + 3) / 6,
    "BCELoss": _bce,
    "CELU": _celu,
    "Sigmoid": lambda attrs, training: _sigmoid,
    "Tanh": lambda attrs, training: _tanh,
    "GELU": _gelu,
    "Mish": lambda attrs, training: lambda x: x * _tanh(-F.logsigmoid(-x)),
    "SiLU": lambda attrs, training: lambda x: x * _sigmoid(x),
    "GLU": lambda attrs, training: lambda x: _gated(*x.chunk(2, attrs.get("dim", -1))),
}
"""Operators that are functions of torch: op -> (attrs, training) -> call."""

ARGUMENTS: dict[str, tuple[str, ...]] = {
    "Concatenate": ("dim",),
    "Chunk": ("chunks", "dim"),
    "Dropout": ("p",),
    "RReLU": ("lower", "upper"),
    "HalfSquaredError": ("reduction",),
    "BCELoss": ("weight", "reduction"),
    "CELU": ("alpha",),
    "GELU": ("approximate",),
    "GLU": ("dim",),
}
"""The attributes of the operators in `FUNCTIONS`; the others take none."""

DEVIATIONS = {
    "Hardsigmoid": "torch's float64 gradient is float32(1/6) at every interior point: 1.8e8 units in the last place",
    "CELU": "torch's float64 gradient divides by float32(alpha): off by up to 3e-8 where alpha is not a float32",
    "BCELoss": "torch's gradient of the target is not clamped at 100 as its value is, and its 1e-12 is a float32",
    "GELU": "torch's tails are 0 or lose all digits below -6 (-11 with the tanh form): 1 + erf and 1 + tanh cancel",
    "Mish": "torch is 8 units off at 19, where 1 - tanh² cancels, and its tail below -88 is wrong in float32",
    "SiLU": "torch is 18 units off at 37, where x (1 - sigmoid) cancels",
    "GLU": "as Sigmoid",
    "Sigmoid": "torch's a (1 - a) is 0 from 37 on, and has lost its digits before",
    "Tanh": "torch's 1 - a² is 0 from 19 on, and has lost its digits before",
}
"""Where torch itself is wrong, so that the twin spells the operator out; held against torch by a test."""


# --------------------------------------------------------------------------------------- spelled out for noisy runs


def _batch_norm(module: Any) -> Call:
    def call(x: Tensor) -> Tensor:
        module.forward(x.detach())
        axes, shape = ((0, 2), (1, -1, 1)) if x.dim() == 3 else ((0,), (1, -1))
        if module.training or module.running_mean is None:
            centred = x - x.mean(axes, keepdim=True)
            variance = (centred * centred).mean(axes, keepdim=True)
        else:
            centred, variance = x - module.running_mean.reshape(shape), module.running_var.reshape(shape)
        y = centred / (variance + module.eps).sqrt()
        weight = module._parameters["weight"]
        return y if weight is None else y * weight.reshape(shape) + module._parameters["bias"].reshape(shape)

    return call


def _short_batch_norm(module: Any) -> Call:
    """The formula everybody writes, δ_x = γ/σ (δ − mean δ − x̂ mean(δ x̂)), with an x̂ that carries its own rounding."""
    full = _batch_norm(module)

    def call(x: Tensor) -> Tensor:
        if not (module.training or module.running_mean is None):
            return full(x)
        module.forward(x.detach())
        axes, shape = ((0, 2), (1, -1, 1)) if x.dim() == 3 else ((0,), (1, -1))
        centred = x.detach() - x.detach().mean(axes, keepdim=True)
        scale = ((centred * centred).mean(axes, keepdim=True) + module.eps).rsqrt()
        hat = centred * scale
        slope = scale * (x - x.mean(axes, keepdim=True) - hat * (x * hat).mean(axes, keepdim=True))
        weight = module._parameters["weight"]
        if weight is None:
            return hat + (slope - slope.detach())
        gain, shift = weight.reshape(shape), module._parameters["bias"].reshape(shape)
        return hat * gain + shift + gain.detach() * (slope - slope.detach())

    return call


def _plain_log_sigmoid(x: Tensor) -> Tensor:
    """ln σ(x) with the slope 1 − σ(x), which is 0 from 37 on."""
    slope = x * (1 - torch.sigmoid(x.detach()))
    return F.logsigmoid(x).detach() + (slope - slope.detach())


def _exponential_unit(scale: float, alpha: float, rate: float) -> Call:
    """ELU, SELU and CELU with the slope read from the output, (a + λα) times a rate, whose tail cancels."""

    def call(x: Tensor) -> Tensor:
        a = torch.where(x > 0, scale * x, scale * alpha * torch.expm1(x / alpha if rate != 1 else x)).detach()
        slope = x * torch.where(x > 0, torch.full_like(a, scale), (a + scale * alpha) * rate).detach()
        return a + (slope - slope.detach())

    return call


def log_softmax(x: Tensor, dim: int) -> Tensor:
    """z − log Σ exp z, z shifted by its largest entry."""
    z = x - x.detach().amax(dim, keepdim=True) if x.shape[dim] else x
    return z - z.exp().sum(dim, keepdim=True).log()


def _plain_log_softmax(x: Tensor, dim: int) -> Tensor:
    """x − log Σ exp x, which loses what the shift would keep: half a unit of the largest |x|."""
    return x - torch.logsumexp(x, dim, keepdim=True)


def _softmax(sign: float) -> Callable[[Any], Call]:
    def build(module: Any) -> Call:
        def call(x: Tensor) -> Tensor:
            e = (sign * x - (sign * x).detach().amax(module.dim, keepdim=True)).exp() if x.shape[module.dim] else x
            return e / e.sum(module.dim, keepdim=True)

        return call

    return build


def _cross_entropy(module: Any, log_softmax: Callable[[Tensor, int], Tensor]) -> Call:
    def call(x: Tensor, target: Tensor) -> Tensor:
        axis = 1 if x.dim() > 1 else 0
        logs, classes, smooth = log_softmax(x, axis), x.shape[axis], module.label_smoothing
        shape = [-1 if k == axis else 1 for k in range(x.dim())]
        weight = torch.ones(classes, dtype=x.dtype) if module.weight is None else module.weight
        if target.is_floating_point():
            told = -((target * (1 - smooth) + smooth / classes) * weight.reshape(shape) * logs).sum(axis)
            count: Any = told.numel()
        else:
            kept = target != module.ignore_index
            label = torch.where(kept, target, 0)
            own = weight[label] * kept
            even = (weight.reshape(shape) * logs).sum(axis) * kept * (smooth / classes)
            told = -((1 - smooth) * own * logs.gather(axis, label.unsqueeze(axis)).squeeze(axis) + even)
            count = own.sum()
        return told if module.reduction == "none" else told.sum() / (count if module.reduction == "mean" else 1)

    return call


LEGITIMATE = frozenset({"GELU", "GLU", "Mish", "SiLU", "Sigmoid", "Tanh"})
"""Operators of which torch's own form, though it loses digits in the tails, is what everybody writes and is not wrong:
every other noisy run uses it, so that what it loses is part of the tolerance.
"""

SPELLED: dict[str, Callable[[Any], tuple[Call, ...]]] = {
    "BatchNorm1d": lambda m: (_batch_norm(m), _short_batch_norm(m)),
    "Softmax": lambda m: (_softmax(1.0)(m), lambda x: _plain_log_softmax(x, m.dim).exp()),
    "Softmin": lambda m: (_softmax(-1.0)(m), lambda x: _plain_log_softmax(-x, m.dim).exp()),
    "LogSigmoid": lambda m: (m.forward, _plain_log_sigmoid),
    "ELU": lambda m: (m.forward, _exponential_unit(1.0, m.alpha, 1.0)),
    "SELU": lambda m: (m.forward, _exponential_unit(1.0507009873554805, 1.6732632423543772, 1.0)),
    "CELU": lambda m: (FUNCTIONS["CELU"]({"alpha": m.alpha}, True), _exponential_unit(1.0, m.alpha, 1 / m.alpha)),
    "LogSoftmax": lambda m: (lambda x: log_softmax(x, m.dim), lambda x: _plain_log_softmax(x, m.dim)),
    "CrossEntropyLoss": lambda m: (_cross_entropy(m, log_softmax), _cross_entropy(m, _plain_log_softmax)),
}
"""Operators in small steps, in the forms that people write: op -> module -> calls."""
