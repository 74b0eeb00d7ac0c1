"""Wrong σ′, and wrong activations, planted."""

import math
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np

from oracle.seeds.planting import Method, Seed, bent, walking
from reference import LAYERS, Layer, Network
from reference.activations import Activation, normal_cdf, sigmoid, softplus
from reference.layer import Array
from reference.linear import Identity
from reference.softmax import axis_of

Slope = Callable[[Any, Array, Array], Any]
"""(layer, z, a) -> what δ_a is multiplied by."""


def sloped(code: str, ops: str, slope: Slope, profile: str = "standard") -> Seed:
    """A wrong σ′."""

    def backward(layer: Any, right: Any, p: Any, saved: Any, delta: Array) -> Any:
        return ((delta * slope(layer, *saved)).astype(delta.dtype, copy=False),)

    return bent(code, ops, profile, backward=backward)


def handing(code: str, ops: str, error: Callable[[Any, Any, Any, Array], Any]) -> Seed:
    """A wrong δ_x: (layer, p, saved, δ) -> δ_x; where there are other inputs, they hear what is right."""

    def backward(layer: Any, right: Any, p: Any, saved: Any, delta: Array) -> Any:
        return (error(layer, p, saved, delta).astype(delta.dtype, copy=False), *right(p, saved, delta)[1:])

    return bent(code, ops, backward=backward)


def instead(code: str, ops: str, other: Callable[[Any], Layer]) -> Seed:
    """Another layer in both passes."""
    return bent(
        code,
        ops,
        forward=lambda layer, right, p, *x: other(layer).forward(p, *x),
        backward=lambda layer, right, p, saved, delta: other(layer).backward(p, saved, delta),
    )


def computed(code: str, ops: str, sigma: Callable[[Any, Array], Any], slope: Slope) -> Seed:
    """A wrong σ, with the σ′ that goes with it."""

    def forward(layer: Any, right: Any, p: Any, z: Array) -> Any:
        a = sigma(layer, z).astype(z.dtype, copy=False)
        return a, (z, a)

    def backward(layer: Any, right: Any, p: Any, saved: Any, delta: Array) -> Any:
        return ((delta * slope(layer, *saved)).astype(delta.dtype, copy=False),)

    return bent(code, ops, forward=forward, backward=backward)


def same(layer: Any, **changes: Any) -> Layer:
    """The right layer, with other arguments."""
    make: Any = LAYERS[type(layer).__name__]
    return make(**layer.__dict__ | changes)


def defaults(layer: Any) -> Layer:
    """The right layer, with no arguments but the mode."""
    make: Any = LAYERS[type(layer).__name__]
    return make(**{k: v for k, v in layer.__dict__.items() if k == "training"})


# ------------------------------------------------------------------------------------------------ σ′ in general


def at_the_output(layer: Any, right: Any, p: Any, saved: Any, delta: Array) -> Any:
    """σ′(a)."""
    return right(p, (saved[1], layer.sigma(saved[1])), delta)


def twice(layer: Any, right: Any, p: Any, saved: Any, delta: Array) -> Any:
    """σ′(z)²."""
    return right(p, saved, right(p, saved, delta)[0])


def slope_of(op: str) -> Slope:
    """ρ′(z) of another activation."""
    other: Any = LAYERS[op]()
    return lambda layer, z, a: other.slope(z, a)


def next_layers_slope(net: Network, theta: Any, trace: Any, deltas: Any, received: Callable[[Any], Any]) -> None:
    """The walk as it should be, but every activation borrows σ′ from the activation after it."""
    units = [node for node in net.nodes if isinstance(node.layer, Activation | Identity)]
    after = {node.name: following.layer for node, following in pairwise(units)}
    for node in units:
        trace.saved[node.name] = (trace.values[node.inputs[0]], trace.values[node.name])
    for node in reversed(net.nodes):
        handed = received(replace(node, layer=after.get(node.name, node.layer))) or ()
        for name, delta in zip(node.inputs, handed, strict=False):
            if delta is not None:
                deltas[name] = deltas[name] + delta if name in deltas else delta


# -------------------------------------------------------------------------------------------- the softmax family


def coupled(code: str, ops: str, error: Callable[[Array, Array, int], Array], sign: int = 1) -> Seed:
    """A wrong δ_z of softmax: (y, δ, axis) -> δ_z, or −δ_z for softmin."""
    return handing(code, ops, lambda layer, p, y, delta: sign * error(y, delta, axis_of(layer.dim, y)))


def log_coupled(code: str, error: Callable[[Array, Array], Array]) -> Seed:
    """A wrong δ_z of log-softmax: (softmax, δ) -> δ_z."""
    return handing(code, "LogSoftmax", lambda layer, p, saved, delta: error(saved[1], delta))


def _diagonal(y: Array, delta: Array, axis: int) -> Array:
    return delta * y * (1 - y)


def _plain_mean(y: Array, delta: Array, axis: int) -> Array:
    return y * (delta - delta.sum(axis, keepdims=True) / max(1, delta.shape[axis]))


def _uncoupled(y: Array, delta: Array, axis: int) -> Array:
    return y * delta


def _over_samples(y: Array, delta: Array, axis: int) -> Array:
    return y * (delta - (y * delta).sum(0, keepdims=True))


def _softmax(y: Array, delta: Array, axis: int) -> Array:
    return y * (delta - (y * delta).sum(axis, keepdims=True))


# ------------------------------------------------------------------------------------------- operators of their own


def exponential(at: Callable[[Array, Array], Array], scaled: bool = True) -> Slope:
    """α e^… for z < 0, `at` saying where the exponential is taken; else what is right."""

    def slope(layer: Any, z: Array, a: Array) -> Any:
        w, name = np.minimum(at(z, a), 0), type(layer).__name__
        if name == "CELU":
            left = np.exp(w / layer.alpha)
        else:
            left = np.exp(w) * (layer.alpha if name == "ELU" else ALPHA * (SCALE if scaled else 1))
        return np.where(z < 0, left, layer.slope(z, a))

    return slope


ALPHA, SCALE = 1.6732632423543772, 1.0507009873554805


def selu(scale: float, alpha: float) -> tuple[Callable[[Any, Array], Any], Slope]:
    """σ and σ′ of SELU with these constants."""
    return (
        lambda layer, z: scale * np.where(z > 0, z, alpha * np.expm1(np.minimum(z, 0))),
        lambda layer, z, a: scale * np.where(z > 0, 1, alpha * np.exp(np.minimum(z, 0))),
    )


def other_form(layer: Any) -> Any:
    """The GELU that was not asked for."""
    return same(layer, approximate="tanh" if layer.approximate == "none" else "none")


def first_factor(layer: Any, z: Array, a: Array) -> Any:
    """Φ(z), or what stands for it in the tanh form."""
    if layer.approximate == "none":
        return normal_cdf(z)
    return sigmoid(2 * math.sqrt(2 / math.pi) * z * (1 + 0.044715 * np.square(z)))


def inner_without_3(layer: Any, z: Array, a: Array) -> Any:
    """The inner derivative √(2/π) (1 + 0.044715 z²)."""
    if layer.approximate == "none":
        return layer.slope(z, a)
    k = math.sqrt(2 / math.pi)
    with np.errstate(all="ignore"):
        t = np.tanh(k * (z + 0.044715 * z**3))
        inner = np.where(np.abs(t) < 1, z * (1 - t * t) * k * (1 + 0.044715 * np.square(z)), 0)
    return (1 + t + inner) / 2


def slopes_of_the_right(layer: Any, right: Any, p: Any, saved: Any, delta: Array) -> Any:
    """δ x [x > 0] for the slopes."""
    error, slopes = right(p, saved, delta)
    return error, np.where(saved[0] > 0, delta * saved[0], 0) if layer.training else slopes


def mish_without_sech(layer: Any, z: Array, a: Array) -> Any:
    """w + z s, w = tanh softplus z."""
    return np.tanh(softplus(z)) + z * sigmoid(z)


def softplus_times_beta(layer: Any, z: Array, a: Array) -> Any:
    """β s(βz), and 1 above the threshold."""
    u = layer.beta * z
    return np.where(u > layer.threshold, 1, layer.beta * sigmoid(u))


def softplus_by_output(layer: Any, z: Array, a: Array) -> Any:
    """s(βz), but 1 where βa > threshold."""
    return np.where(layer.beta * a > layer.threshold, 1, sigmoid(layer.beta * z))


def leak(layer: Any, p: Any, saved: Any) -> tuple[Array, Any]:
    """The input of a leaky rectifier, and its slope below zero."""
    if type(layer).__name__ == "PReLU":
        return saved, layer._slope(p, saved)
    return saved if type(layer).__name__ == "RReLU" else (saved[0], layer.negative_slope)


def slope_alone(layer: Any, p: Any, saved: Any, delta: Array) -> Any:
    """where(z > 0, δ, slope)."""
    z, slope = leak(layer, p, saved)
    return np.where(z > 0, delta, slope)


def sides_exchanged(layer: Any, p: Any, saved: Any, delta: Array) -> Any:
    """where(z > 0, slope · δ, δ)."""
    z, slope = leak(layer, p, saved)
    return np.where(z > 0, slope * delta, delta)


def mean_slope(layer: Any, p: Any, saved: Any, delta: Array) -> Any:
    """(l + u)/2 for the slopes drawn."""
    return np.where(saved[0] > 0, delta, (layer.lower + layer.upper) / 2 * delta)


def prelu_unmasked(layer: Any, right: Any, p: Any, x: Array, delta: Array) -> dict[str, Array]:
    """Σ δ x."""
    each = x * delta
    if layer.num_parameters == 1:
        return {"weight": each.sum(keepdims=True).reshape(1)}
    return {"weight": each.sum(tuple(axis for axis in range(each.ndim) if axis != 1))}


def last_sample(layer: Any, right: Any, p: Any, x: Array, delta: Array) -> Any:
    """The partials of the last sample."""
    return right(p, x[-1:], delta[-1:])


def halves(error: Callable[[Array, Array, Array], tuple[Array, Array]]) -> Method:
    """A wrong δ_x of GLU: (a, b, δ) -> its two halves."""

    def backward(layer: Any, right: Any, p: Any, saved: Any, delta: Array) -> Any:
        a, b = saved
        return (np.concatenate(error(a, b, delta), layer.dim),)

    return backward


def _exchanged(a: Array, b: Array, delta: Array) -> tuple[Array, Array]:
    return delta * a * sigmoid(b) * sigmoid(-b), delta * sigmoid(b)


def _gate_open(a: Array, b: Array, delta: Array) -> tuple[Array, Array]:
    return delta * sigmoid(b), delta * a


# --------------------------------------------------------------------------------------------------- the catalogue

SEEDS: tuple[Seed, ...] = (
    *(sloped("A101", ops, lambda layer, z, a: 1) for ops in ("Sigmoid", "Tanh", "ReLU", "SiLU GELU", "Softplus")),
    *(bent("A102", ops, backward=at_the_output) for ops in ("Sigmoid", "Tanh", "SiLU", "Softplus")),
    sloped("A103", "Sigmoid", lambda layer, z, a: z * (1 - z)),
    sloped("A103", "Tanh", lambda layer, z, a: 1 - z * z),
    sloped("A104", "Tanh", lambda layer, z, a: 1 - a),
    *(sloped("A105", ops, lambda layer, z, a: a) for ops in ("Tanh", "ReLU", "GELU", "Softplus")),
    coupled("A106", "Softmax", _diagonal),
    coupled("A106", "Softmin", _diagonal, -1),
    coupled("A107", "Softmax", _plain_mean),
    log_coupled("A108", lambda y, delta: delta - y),
    log_coupled("A109", lambda y, delta: delta - y * delta),
    coupled("A110", "Softmax", _uncoupled),
    coupled("A110", "Softmin", _uncoupled, -1),
    *(bent("A111", ops, backward=twice) for ops in ("Sigmoid", "Tanh", "GELU", "LeakyReLU")),
    *(handing("A112", ops, slope_alone) for ops in ("LeakyReLU", "PReLU", "RReLU")),
    sloped("A113", "ELU", lambda layer, z, a: np.where(z < 0, a + 1, layer.slope(z, a))),
    sloped("A114", "SELU", exponential(lambda z, a: z, scaled=False)),
    sloped("A115", "GELU", lambda layer, z, a: other_form(layer).slope(z, a)),
    sloped("A116", "GELU", first_factor),
    sloped("A117", "SiLU", lambda layer, z, a: sigmoid(z) + sigmoid(z) * sigmoid(-z)),
    sloped("A118", "SiLU", lambda layer, z, a: sigmoid(z)),
    sloped("A119", "Mish", mish_without_sech),
    sloped("A120", "Softsign", lambda layer, z, a: 1 / (1 + np.abs(z))),
    sloped("A121", "Softplus", softplus_times_beta),
    sloped("A122", "Sigmoid", lambda layer, z, a: 1 - a),
    sloped("A123", "Tanh", lambda layer, z, a: a * a),
    *(sloped("A124", ops, lambda layer, z, a: ~layer.slope(z, a))
      for ops in ("ReLU", "Hardtanh ReLU6", "Hardshrink Softshrink", "Threshold")),
    *(handing("A125", ops, sides_exchanged) for ops in ("LeakyReLU", "PReLU", "RReLU")),
    bent("A126", "PReLU", partials=prelu_unmasked),
    bent("A127", "PReLU", partials=last_sample),
    handing("A128", "PReLU", lambda layer, p, x, delta: delta),
    replace(handing("A128", "PReLU", lambda layer, p, x, delta: delta * (x > 0)), variant="slope 0"),
    bent("A129", "GLU", backward=halves(_exchanged)),
    bent("A130", "GLU", backward=halves(_gate_open)),
    sloped("A131", "Hardsigmoid", lambda layer, z, a: 1 / 6),
    sloped("A132", "Hardsigmoid", lambda layer, z, a: 0.2 * (np.abs(z) < 3)),
    sloped("A133", "Hardswish", lambda layer, z, a: np.where(np.abs(z) < 3, (z + 3) / 6, z >= 3)),
    sloped("A134", "LogSigmoid", lambda layer, z, a: sigmoid(z)),
    sloped("A135", "Tanhshrink", lambda layer, z, a: np.square(1 / np.cosh(z))),
    handing("A136", "RReLU", mean_slope),
    sloped("A137", "Softplus", softplus_by_output),
    *(sloped("A138", ops, exponential(lambda z, a: a)) for ops in ("ELU", "SELU", "CELU")),
    sloped("A139", "Tanh", slope_of("ReLU")),
    sloped("A139", "ReLU", slope_of("Sigmoid")),
    sloped("A139", "GELU", slope_of("Tanh")),
    sloped("A139", "ELU", slope_of("ReLU")),
    walking("A140", next_layers_slope, "mlp"),
    sloped("A142", "Sigmoid", lambda layer, z, a: z * a * (1 - a)),
    coupled("A143", "Softmax", _over_samples),
    coupled("A144", "Softmin", _softmax),
    sloped("A145", "Tanh", lambda layer, z, a: 1 + a * a),
    sloped("A145", "Sigmoid", lambda layer, z, a: a * (1 + a)),
    bent("A145", "Softmax", backward=lambda layer, right, p, y, d: (
        y * (d + (d * y).sum(layer.dim, keepdims=True)),)),
    sloped("A146", "CELU", lambda layer, z, a: np.where(
        z > 0, 1, layer.alpha * np.exp(np.minimum(z, 0) / layer.alpha))),
    sloped("A147", "SiLU", lambda layer, z, a: z * sigmoid(z) * sigmoid(-z)),
    sloped("A147", "Mish", lambda layer, z, a: np.tanh(softplus(z))),
    sloped("A148", "ReLU6", lambda layer, z, a: z > 0),
    sloped("A148", "Hardtanh", lambda layer, z, a: z < layer.max_val),
    sloped("A148", "Softshrink", lambda layer, z, a: z > layer.lambd),
    sloped("A149", "GELU", inner_without_3),
    handing("A150", "ReLU", lambda layer, p, saved, delta: np.where((saved[0] > 0) & (delta > 0), delta, 0)),
    bent("A151", "RReLU", backward=slopes_of_the_right),
    computed("F104", "Hardsigmoid", lambda layer, z: np.clip(0.2 * z + 0.5, 0, 1),
             lambda layer, z, a: 0.2 * (np.abs(z) < 2.5)),
    *(instead("F106", ops, lambda layer: same(layer, dim=0)) for ops in ("Softmax", "LogSoftmax", "Softmin")),
    computed("F108", "SELU", *selu(1.0507, 1.67326)),
    instead("F111", "GELU", other_form),
    *(instead("F112", ops, defaults)
      for ops in ("LeakyReLU", "ELU CELU", "Hardtanh", "Softplus", "Softshrink Hardshrink")),
    computed("F115", "ReLU6", lambda layer, z: np.maximum(z, 0), lambda layer, z, a: z > 0),
    computed("F115", "Hardtanh", lambda layer, z: np.maximum(z, layer.min_val), lambda layer, z, a: z > layer.min_val),
    computed("F115", "Hardsigmoid", lambda layer, z: np.maximum(z + 3, 0) / 6, lambda layer, z, a: (z > -3) / 6),
    computed("F119", "Softplus",
             lambda layer, z: np.where(layer.beta * z > layer.threshold, z, softplus(layer.beta * z)),
             softplus_times_beta),
)  # fmt: skip
