"""Right implementations that know a vector's file and nothing of this project: torch itself, and NumPy as in books."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

Json = dict[str, Any]


def tensors(vector: Json, dtype: str) -> dict[str, np.ndarray]:
    """Inputs and parameters by name; reals in the dtype."""
    given = {**vector["inputs"], **vector["parameters"]}
    kinds = {"real": dtype, "integer": "int64", "boolean": "bool"}
    return {n: np.array(t["data"], kinds[t["type"]]).reshape(t["shape"]) for n, t in given.items()}


def parameters(node: Json) -> tuple[str, str]:
    """The names of the weight and the bias."""
    weight, bias = (node.get("params", {}).get(role, f"{node['name']}.{role}") for role in ("weight", "bias"))
    return weight, bias


# -------------------------------------------------------------------------------------------------------------- torch


def by_torch(vector: Json, dtype: str) -> Json:
    """Modules of torch.nn, or their functions, in the dtype itself."""
    kind = getattr(torch, dtype)
    leaves = {n: torch.from_numpy(x) for n, x in tensors(vector, dtype).items()}
    leaves = {n: x.requires_grad_() if x.is_floating_point() else x for n, x in leaves.items()}
    values = dict(leaves)
    for node in vector["nodes"]:
        x, attrs = [values[name] for name in node["inputs"]], dict(node.get("attrs", {}))
        attrs |= {n: torch.tensor(v, dtype=kind) for n, v in attrs.items() if isinstance(v, list)}
        if node["op"] == "Linear":
            weight, bias = parameters(node)
            values[node["name"]] = torch.nn.functional.linear(x[0], leaves[weight], leaves.get(bias))
        elif node["op"] == "Dot":
            values[node["name"]] = (x[0] * x[1]).sum()
        elif node["op"] == "HalfSquaredError":
            loss = torch.nn.functional.mse_loss(*x, reduction=attrs.get("reduction", "sum"))
            values[node["name"]] = 0.5 * loss
        else:
            values[node["name"]] = getattr(torch.nn, node["op"])(**attrs)(*x)
    loss, wanted = values[vector["nodes"][-1]["name"]], {n: x for n, x in leaves.items() if x.requires_grad}
    found = torch.autograd.grad(loss, list(wanted.values()), allow_unused=True, materialize_grads=True)
    gradients = {n: g.tolist() for n, g in zip(wanted, found, strict=True)}
    return {"loss": loss.item(), "gradients": gradients}


# -------------------------------------------------------------------------------------------------- NumPy, naive forms

Backward = Callable[[Any], tuple[Any, ...]]
"""The gradient at the output -> the gradients at the inputs (None for a target of classes)."""


def softplus(z: Any) -> Any:
    """log(1 + eᶻ), kept from overflowing."""
    return np.log1p(np.exp(-abs(z))) + np.maximum(z, 0)


def sigmoid(z: Any) -> Any:
    """1/(1 + e⁻ᶻ); the form by the tangent loses the left tail."""
    return 1 / (1 + np.exp(-z))


def reduced(terms: Any, reduction: str, n: Any) -> tuple[Any, Callable[[Any], Any]]:
    """The loss, and the gradient at its terms."""
    if reduction == "none":
        return terms, lambda d: d
    n = n if reduction == "mean" else terms.dtype.type(1)
    return (terms / n).sum(), lambda d: np.full_like(terms, d / n)


def squared(y: Any, t: Any, half: float, reduction: str) -> tuple[Any, Backward]:
    """(y − t)², as y² − 2 y t + t² would lose digits."""
    loss, back = reduced((y - t) * (y - t) * half, reduction, y.size)
    return loss, lambda d: ((g := back(d) * (y - t) * (2 * half)), -g)


def bce(z: Any, t: Any, weight: Any = 1, pos_weight: Any = 1, reduction: str = "mean") -> tuple[Any, Backward]:
    """Σ w (a t log(1 + e^(−z)) + (1 − t) log(1 + e^z))."""
    w, a = np.asarray(weight, z.dtype), np.asarray(pos_weight, z.dtype)
    loss, back = reduced(w * (a * t * softplus(-z) + (1 - t) * softplus(z)), reduction, z.size)
    slope = w * ((1 - t) * sigmoid(z) - a * t * sigmoid(-z))
    return loss, lambda d: (back(d) * slope, back(d) * w * (a * softplus(-z) - softplus(z)))


def cross_entropy(z: Any, t: Any, weight: Any = None, ignore_index: int = -100, label_smoothing: float = 0.0,
                  reduction: str = "mean") -> tuple[Any, Backward]:  # fmt: skip
    """−Σ w q (z − log Σ eᶻ), the classes moved to the last axis."""
    real, classes = t.dtype.kind == "f", z.shape[1]
    x = np.moveaxis(z, 1, -1)
    log_p = x - x.max(-1, keepdims=True)
    log_p = log_p - np.log(np.exp(log_p).sum(-1, keepdims=True))
    w = np.ones(classes, z.dtype) if weight is None else np.asarray(weight, z.dtype)
    keep = np.ones(x.shape[:-1], bool) if real else t != ignore_index
    hot = np.moveaxis(t, 1, -1) if real else np.eye(classes, dtype=z.dtype)[t * keep]
    q = ((1 - label_smoothing) * hot + label_smoothing / classes) * w * keep[..., None]
    n = keep.size if real else (hot * w * keep[..., None]).sum()
    loss, back = reduced(-(q * log_p).sum(-1), reduction, n)

    def backward(d: Any) -> tuple[Any, ...]:
        g = back(d)[..., None]
        to_z = g * (np.exp(log_p) * q.sum(-1, keepdims=True) - q)
        return np.moveaxis(to_z, -1, 1), np.moveaxis(-g * w * (1 - label_smoothing) * log_p, -1, 1) if real else None

    return loss, backward


def linear(x: Any, w: Any, b: Any) -> tuple[Any, Backward]:
    """x Wᵀ + b, sample by sample."""
    z = np.einsum("...i,ji->...j", x, w) + (0 if b is None else b)
    rows = tuple(range(x.ndim - 1))
    return z, lambda d: (np.einsum("...j,ji->...i", d, w), np.tensordot(d, x, (rows, rows)), d.sum(rows))


def elementwise(op: str, z: Any, slope: float) -> tuple[Any, Backward]:
    """The derivatives by the outputs, as books have them."""
    forms: dict[str, tuple[Any, Any]] = {
        "Sigmoid": ((a := sigmoid(z)), a * (1 - a)),
        "Tanh": ((a := np.tanh(z)), 1 - a * a),
        "ReLU": (np.maximum(z, 0), (z > 0).astype(z.dtype)),
        "LeakyReLU": (np.where(z > 0, z, z.dtype.type(slope) * z), np.where(z > 0, 1, slope).astype(z.dtype)),
        "Identity": (z, np.ones_like(z)),
    }
    y, derivative = forms[op]
    return y, lambda d: (d * derivative,)


def run(node: Json, x: list[Any], given: dict[str, Any]) -> tuple[Any, Backward]:
    """One node, forward; and what its backward pass does."""
    op, attrs = node["op"], node.get("attrs", {})
    if op == "Linear":
        weight, bias = parameters(node)
        return linear(x[0], given[weight], given.get(bias))
    if op == "Dot":
        return (x[0] * x[1]).sum(), lambda d: (d * x[1], d * x[0])
    if op == "HalfSquaredError":
        return squared(*x, 0.5, attrs.get("reduction", "sum"))
    if op == "MSELoss":
        return squared(*x, 1, attrs.get("reduction", "mean"))
    if op == "CrossEntropyLoss":
        return cross_entropy(*x, **attrs)
    return bce(*x, **attrs) if op == "BCEWithLogitsLoss" else elementwise(op, x[0], attrs.get("negative_slope", 0.01))


@np.errstate(all="ignore")
def by_numpy(vector: Json, dtype: str) -> Json:
    """Reverse mode on a tape."""
    given = tensors(vector, dtype)
    values, tape = dict(given), []
    for node in vector["nodes"]:
        values[node["name"]], back = run(node, [values[name] for name in node["inputs"]], given)
        heard = (*node["inputs"], *(parameters(node) if node["op"] == "Linear" else ()))
        tape.append((node["name"], heard, back))
    grads = {name: np.zeros_like(np.asarray(x)) for name, x in values.items()}
    grads[tape[-1][0]] = np.ones_like(np.asarray(values[tape[-1][0]]))
    for name, heard, back in reversed(tape):
        for source, d in zip(heard, back(grads[name]), strict=False):
            if d is not None and source in grads:
                grads[source] = grads[source] + d
    wanted = {name: grads[name].tolist() for name in vector["expected"]["gradients"]}
    return {"loss": float(values[tape[-1][0]]), "gradients": wanted}
