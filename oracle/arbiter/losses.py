"""Forward formulas of the losses."""

from typing import Any

import numpy as np
from flint import arb

from oracle.arbiter.activations import log_sum_exp
from oracle.arbiter.dual import Dual, Straddles, balls, dual, softplus
from oracle.arbiter.site import Break, Formula, Site, own_breaks, piecewise

Target = Any
"""A `Dual` of real numbers, or an integer array of classes."""


def reduced(site: Site, terms: Dual, default: str = "mean") -> Dual:
    """The sum or the mean over all entries, or the entries themselves."""
    how = site.attr("reduction", default)
    return terms if how == "none" else terms.sum() if how == "sum" else terms.mean()


def squared(site: Site, y: Dual, t: Dual) -> Dual:
    """MSE(y, t) = mean (y − t)²"""
    return reduced(site, (y - t) * (y - t))


def half_squared(site: Site, y: Dual, t: Dual) -> Dual:
    """½ Σ (y − t)²"""
    return reduced(site, (y - t) * (y - t) * 0.5, "sum")


def absolute(site: Site, y: Dual, t: Dual) -> Dual:
    """L₁(y, t) = mean |y − t|"""
    return reduced(site, _absolute(site, y - t))


def _absolute(site: Site, r: Dual) -> Dual:
    return piecewise(site, own_breaks(site), [lambda r: -r, lambda r: r], r)


def _huber(site: Site, r: Dual, width: arb) -> Dual:
    """½ r² where |r| ≤ δ, else δ (|r| − ½ δ); smooth at ±δ"""
    pieces = [
        lambda r: width * (-r - width / 2),
        lambda r: r * r * 0.5,
        lambda r: width * (r - width / 2),
    ]
    return piecewise(site, [Break(-width), Break(width)], pieces, r)


def huber(site: Site, y: Dual, t: Dual) -> Dual:
    """Huber(y, t): the mean, of width δ"""
    return reduced(site, _huber(site, y - t, site.number("delta", 1.0)))


def smooth_l1(site: Site, y: Dual, t: Dual) -> Dual:
    """SmoothL1(y, t): the mean of Huber's function of width β, over β; |y − t| where β = 0"""
    beta = site.number("beta", 1.0)
    return absolute(site, y, t) if beta == 0 else reduced(site, _huber(site, y - t, beta) / beta)


def dot(site: Site, y: Dual, c: Dual) -> Dual:
    """Σ c y"""
    return (c * y).sum()


def cross_entropy(site: Site, z: Dual, target: Target) -> Dual:
    """−ln softmax(z) at the class, or weighed by probabilities"""
    return likelihood(site, z - log_sum_exp(z, min(1, z.v.ndim - 1)), target)


def likelihood(site: Site, logp: Dual, target: Target) -> Dual:
    """−Σ q w ln p over classes (axis 1), for q = (1 − s) target + s/C, s the label smoothing

    With class indices the mean divides by Σ w at the classes that are not ignored; with probabilities by the
    number of samples.
    """
    axis = min(1, logp.v.ndim - 1)
    logp = logp.moveaxis(axis, -1)
    classes, smoothing = logp.shape[-1], site.number("label_smoothing", 0.0)
    weight = site.get("weight") or Dual(balls(np.ones(classes)))
    if isinstance(target, Dual):
        hot, keep = target.moveaxis(axis, -1), dual(1)
        count: Any = arb(logp.v.size // max(classes, 1))
    else:
        kept = np.asarray(target != site.attr("ignore_index", -100))[..., None]
        hot = Dual(balls((np.arange(classes) == target[..., None]) & kept))
        keep, count = Dual(balls(kept)), (hot * weight).sum()
    q = hot * (1 - smoothing) + keep * (smoothing / classes)
    terms = -(q * weight * logp).sum(-1)
    how = site.attr("reduction", "mean")
    return terms if how == "none" else terms.sum() if how == "sum" else terms.sum() / count


def binary(site: Site, p: Dual, t: Dual) -> Dual:
    """BCE(p, t) = mean −w (t ln p + (1 − t) ln(1 − p)), with torch's guards: ln at least −100 in the value, and
    ∂/∂p = (p − t) / max(p (1 − p), 1e-12).
    """
    spread, least = p.v * (1 - p.v), arb(1e-12)
    wide = surely_above(site, spread, least)
    logs, others = (guarded(site, q) for q in (p.v, 1 - p.v))
    slope = (p.v - t.v) / np.where(wide, spread, np.array(least, object))
    value = Dual(-(t.v * logs + (1 - t.v) * others), slope * p.tangent + (others - logs) * t.tangent)
    return reduced(site, (site.get("weight") or dual(1)) * value)


def surely_above(site: Site, x: Any, bound: arb) -> Any:
    """Which balls lie above a bound; all the others lie below."""
    above, below = (x > bound).astype(bool), (x < bound).astype(bool)
    if not np.all(above | below):
        raise Straddles(f"{site.node.name}: a probability is not surely on one side of where torch clamps BCELoss")
    return above


def guarded(site: Site, p: Any) -> Any:
    """Ln p, at least −100."""
    above = surely_above(site, p, arb(-100).exp())
    logs = [x.log() if up else arb(-100) for x, up in zip(p.flat, above.flat, strict=True)]
    return np.array(logs, object).reshape(p.shape)


def binary_logits(site: Site, z: Dual, t: Dual) -> Dual:
    """BCE(σ(z), t) = mean w ((1 − t) z + (1 + (a − 1) t) ln(1 + e^(−z))), a = pos_weight"""
    a, w = (site.get(role) or dual(1) for role in ("pos_weight", "weight"))
    return reduced(site, w * ((1 - t) * z + (1 + (a - 1) * t) * softplus(-z)))


LOSSES: dict[str, Formula] = {
    "BCELoss": binary,
    "BCEWithLogitsLoss": binary_logits,
    "CrossEntropyLoss": cross_entropy,
    "Dot": dot,
    "HalfSquaredError": half_squared,
    "HuberLoss": huber,
    "L1Loss": absolute,
    "MSELoss": squared,
    "NLLLoss": likelihood,
    "SmoothL1Loss": smooth_l1,
}
