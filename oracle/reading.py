"""What a subject computes in place of the right terms, read from its numbers by least squares.

The true formula is a sum of terms with known coefficients: ∂L/∂W = Σₙ w_n δ_n x_nᵀ with every w_n = 1; the error
signal of a batch normalization γ/σ (δ − mean δ − x̂ mean(δ x̂)) with 1, −1, −1; of an elementwise operator δ σ′(z).
Fitting the coefficients to what was returned says which term is missing, doubled, or of the wrong sign, also where
no fault of the catalogue is recognised.
"""

import numpy as np

from oracle.hypotheses.evidence import Evidence
from oracle.hypotheses.hypothesis import elementwise, rows, signal
from oracle.records import Birthplace
from oracle.spec import Array, Node
from oracle.stage import SHOWN

FITS = 1e-7
"""The largest residual of a fit, relative to what is fitted."""


def reading(evidence: list[Evidence], guilty: str, op: str, born: Birthplace | None) -> str:
    """A sentence, or nothing where no simple terms fit. The largest case says the most.

    Where no node fails alone, a ratio must be seen in every case: a net has room for coincidences.
    """
    name = guilty or (born.node if born else "")
    double = [e for e in evidence if e.case.dtype == "float64" and e.wrong]
    ratio = bool(guilty) or all(map(_ratio, double))
    for e in sorted(evidence, key=lambda e: -sum(x.size for x in e.got.values())):
        node = next((n for n in e.case.nodes if n.name == name or (op and n.op == op)), None)
        if node is None or born is None or e.case.dtype != "float64":
            continue
        if node.name not in e.truth.values or node.inputs[0] not in e.truth.values:
            continue  # several outputs, or none of its own
        found = (ratio and _ratio(e)) or (_of_samples(e, node) if born.part == "partials" else _of_signal(e, node))
        if found:
            return found
    return ""


def _fit(terms: list[Array], got: Array) -> Array | None:
    """Coefficients c with Σ c term = got, if there are any and they are determined."""
    matrix = np.stack([np.ravel(t) for t in terms], 1)
    target = np.ravel(got)
    if not np.isfinite(matrix).all() or not np.isfinite(target).all() or len(target) <= len(terms):
        return None
    found, _, rank, _ = np.linalg.lstsq(matrix, target, rcond=1e-10)
    off = np.abs(matrix @ found - target).max(initial=0)
    return found if rank == len(terms) and off <= FITS * np.abs(target).max(initial=0) else None


def _told(value: float) -> str:
    """A coefficient as people write it."""
    for n in range(1, 13):
        if abs(value * n - round(value * n)) < 1e-6 * max(1.0, abs(value * n)):
            top = round(value * n)
            return f"{top}" if n == 1 else f"{top}/{n}"
    return f"{value:.6g}"


def _ratio(e: Evidence) -> str:
    """A constant factor between what was returned and what is right, the same for all wrong tensors."""
    wrong = [name for name in e.wrong if name in e.right and e.right[name].size > 1]
    if not wrong or "loss" in e.wrong:
        return ""
    got = np.concatenate([np.ravel(e.got[name]) for name in wrong]).astype(float)
    right = np.concatenate([np.ravel(e.right[name]) for name in wrong])
    if not np.any(right) or not np.any(got):
        return "zeros were returned" if np.any(right) and not np.any(got) else ""
    factor = _fit([right], got)
    if factor is None:
        return ""
    batch = next(iter(e.case.inputs.values())).shape[:1]
    k = float(factor[0])
    n = batch[0] if batch else 1
    about = ""
    if n > 1 and abs(k * n - 1) < 1e-6:
        about = f", which is 1/N for the batch of N = {n}"
    elif n > 1 and abs(k - n) < 1e-6 * n:
        about = f", which is N for the batch of N = {n}"
    told = _told(k)
    if abs(k - 1) < 1e-3 or "." in told:  # a ratio that nobody would write is a coincidence
        return ""
    return f"what was returned is {told} times the right gradient{about}"


def _of_samples(e: Evidence, node: Node) -> str:
    """How much of each sample is in ∂L/∂W of a Linear."""
    name = node.parameter("weight")
    if node.op != "Linear" or name not in e.wrong:
        return ""
    x, delta = rows(e.truth, node)
    if not 1 < len(x) <= 12:
        return ""
    found = _fit([np.outer(d, v) for d, v in zip(delta, x, strict=True)], e.got[name])
    if found is None:
        return ""
    if np.allclose(found, 1, rtol=1e-6):
        return ""
    return f"{name} is Σ w_n δ_n x_nᵀ with w = ({', '.join(_told(w) for w in found)}), where every w_n should be 1"


def _of_signal(e: Evidence, node: Node) -> str:
    name = node.inputs[0]
    got = e.got.get(name)
    if got is None and name.endswith(SHOWN):
        shown = e.got.get(f"{name}.weight")
        got = None if shown is None else shown.T
    if got is None or not got.size:
        return ""
    delta = signal(e.truth, node)
    if node.op == "BatchNorm1d":
        return _of_normalization(e, node, got, delta)
    if elementwise(node) and delta.shape == got.shape:
        return _of_slopes(e, node, got, delta)
    return ""


def _of_normalization(e: Evidence, node: Node, got: Array, delta: Array) -> str:
    """The coefficients of the three terms."""
    x = e.truth.values[name] if (name := node.inputs[0]) in e.truth.values else None
    if x is None or not e.case.training or x.size <= x.shape[1]:
        return ""
    axes = (0, 2)[: x.ndim - 1]
    weight = e.case.parameters.get(node.parameter("weight"), np.ones(x.shape[1]))
    hat = delta * weight.reshape(-1, *[1] * (x.ndim - 2))
    rate = 1 / np.sqrt(x.var(axes, keepdims=True) + node.attrs.get("eps", 1e-5))
    x_hat = (x - x.mean(axes, keepdims=True)) * rate
    terms = [hat, hat.mean(axes, keepdims=True) + 0 * hat, x_hat * (hat * x_hat).mean(axes, keepdims=True)]
    found = _fit([t * rate for t in terms], got)
    if found is None or np.allclose(found, (1, -1, -1), rtol=1e-6):
        return ""
    return (
        "the error signal is γ/σ (a δ + b mean δ + c x̂ mean(δ x̂)) with "
        f"(a, b, c) = ({', '.join(_told(c) for c in found)}), which should be (1, -1, -1)"
    )


def _of_slopes(e: Evidence, node: Node, got: Array, delta: Array) -> str:
    """The slope at a few places."""
    z, right = e.truth.values[node.inputs[0]], e.right.get(node.inputs[0])
    if right is None:
        return ""
    with np.errstate(all="ignore"):
        slope, true = np.ravel(got / delta), np.ravel(right / delta)
    wrong = [
        k for k in range(z.size) if np.isfinite(slope[k]) and abs(slope[k] - true[k]) > 1e-6 * max(abs(true[k]), 1e-3)
    ]
    places = [f"{slope[k]:.6g} at {np.ravel(z)[k]:.6g} (right: {true[k]:.6g})" for k in wrong[:3]]
    return f"the slope of {node.op} is {', '.join(places)}" if places else ""
