"""Forward formulas of what stands between the activations: Linear, joins, Dropout, BatchNorm1d."""

import math
from typing import Any

import numpy as np
from flint import arb

from oracle.arbiter.dual import Dual, Undecided, balls, concatenate, constant, sqrt
from oracle.arbiter.site import Formula, Site


def linear(site: Site, x: Dual) -> Dual:
    """Linear(x) = x Wᵀ + b, (N, F) @ (F, H) + (H,) -> (N, H)"""
    y = x @ site.tensor("weight").moveaxis(0, 1)
    return y + site.tensor("bias") if site.attr("bias", True) else y


def flatten(site: Site, x: Dual) -> Dual:
    """Axes start_dim … end_dim as one."""
    first, last = (site.attr(k, d) % x.v.ndim for k, d in (("start_dim", 1), ("end_dim", -1)))
    return x.reshape(*x.shape[:first], math.prod(x.shape[first : last + 1]), *x.shape[last + 1 :])


def unflatten(site: Site, x: Dual) -> Dual:
    """One axis as several, one of which may be −1."""
    dim = site.attr("dim") % x.v.ndim
    sizes = list(site.attr("unflattened_size"))
    sizes = [n if n >= 0 else x.shape[dim] // -math.prod(sizes) for n in sizes]
    return x.reshape(*x.shape[:dim], *sizes, *x.shape[dim + 1 :])


def add(site: Site, x: Dual, *others: Dual) -> Dual:
    """x₁ + x₂ + …"""
    return sum(others, start=x)


def multiply(site: Site, x: Dual, *others: Dual) -> Dual:
    """x₁ x₂ …, entry by entry"""
    return math.prod(others, start=x)


def chunk(site: Site, x: Dual) -> tuple[Dual, ...]:
    """Slices of ⌈n/chunks⌉ along dim; the last may be shorter."""
    dim = site.attr("dim", 1)
    size = math.ceil(x.shape[dim] / site.attr("chunks"))
    x = x.moveaxis(dim, 0)
    return tuple(x[k : k + size].moveaxis(0, dim) for k in range(0, x.shape[0], size))


def dropout(site: Site, x: Dual, mask: np.ndarray[Any, Any]) -> Dual:
    """Dropout(x) = x m / (1 − p) in training, x in evaluation; m is drawn, and data"""
    if not site.case.training:
        return x
    keep = 1 - site.number("p", 0.5)
    return x * balls(mask) / keep if keep != 0 else constant(x, 0)


def batch_norm(site: Site, x: Dual) -> Dual:
    """(x − μ)/√(σ² + ε) γ + β, μ and σ² (biased) of the batch in training, the running ones in evaluation"""
    wide = (1, -1, *[1] * (x.v.ndim - 2))
    if site.case.training or site.get("running_mean") is None:
        mean, var = _moments(site, x)
    else:
        mean, var = site.tensor("running_mean"), site.tensor("running_var")
    y = (x - mean.reshape(*wide)) / sqrt(var + site.number("eps", 1e-5)).reshape(*wide)
    if not site.attr("affine", True):
        return y
    return y * site.tensor("weight").reshape(*wide) + site.tensor("bias").reshape(*wide)


def _moments(site: Site, x: Dual) -> tuple[Dual, Dual]:
    """μ = Σ x/n and σ² = Σ (x − μ)²/n for each channel (axis 1), over all other axes"""
    others = tuple(k for k in range(x.v.ndim) if k != 1)
    n = x.v.size // max(x.shape[1], 1)
    if site.case.training and n < 2:
        raise Undecided(f"{site.node.name}: a batch norm in training needs more than one value per channel")
    centred = x - (mean := x.mean(others, keepdims=True))
    var = (centred * centred).mean(others)
    if site.case.training and site.get("running_mean") is not None:
        _track(site, mean.reshape(-1), var * arb(n) / arb(n - 1))
    return mean.reshape(-1), var


def _track(site: Site, mean: Dual, var: Dual) -> None:
    """(1 − m) running + m new, with the unbiased variance; m = 1/k at batch k where momentum is None"""
    name = site.node.parameter("num_batches_tracked")
    if name in site.state:
        site.state[name] = site.state[name] + 1
    momentum = site.attr("momentum", 0.1)
    m = arb(momentum) if momentum is not None else 1 / arb(int(site.state[name]))
    for role, new in (("running_mean", mean), ("running_var", var)):
        site.state[site.node.parameter(role)] = (1 - m) * site.tensor(role) + m * Dual(new.v)


LAYERS: dict[str, Formula] = {
    "Add": add,
    "BatchNorm1d": batch_norm,
    "Chunk": chunk,
    "Concatenate": lambda site, *x: concatenate(x, site.attr("dim", 1)),
    "Dropout": dropout,
    "Flatten": flatten,
    "Identity": lambda site, x: x,
    "Linear": linear,
    "Multiply": multiply,
    "Unflatten": unflatten,
}
