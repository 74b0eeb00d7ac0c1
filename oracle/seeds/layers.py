"""Wrong partials and error signals of Linear, BatchNorm1d and Dropout, planted."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from oracle.seeds.planting import Method, Seed, bent
from reference import LAYERS
from reference.layer import Array
from reference.normalization import Normalized, _axes, _mean

Change = Callable[[Any, Array, Array, Array], Array]
"""(layer, x, δ, right partial) -> partial, or (layer, x, δ, W) -> δ_x."""
Statistics = Callable[[Any, Array, Normalized], tuple[Array, Array]]
"""(layer, x, what is right) -> x̂ and 1/σ."""


def same(layer: Any, **changes: Any) -> Any:
    """The right layer, with other arguments."""
    make: Any = LAYERS[type(layer).__name__]
    return make(**layer.__dict__ | changes)


def training_error(layer: Any, right: Any, p: Any, saved: Any, delta: Array) -> Any:
    """The backward pass of training, in evaluation too."""
    return same(layer, training=True).backward(p, saved, delta)


def instead(code: str, op: str, **changes: Any) -> Seed:
    """Both passes of a layer with other arguments."""
    return bent(
        code,
        op,
        forward=lambda layer, right, p, *x: same(layer, **changes).forward(p, *x),
        backward=lambda layer, right, p, saved, delta: same(layer, **changes).backward(p, saved, delta),
    )


# ---------------------------------------------------------------------------------------------------------- Linear


def weight(code: str, change: Change) -> Seed:
    """A wrong ∂L/∂W."""
    return _partial(code, "weight", change)


def bias(code: str, change: Change) -> Seed:
    """A wrong ∂L/∂b."""
    return _partial(code, "bias", change)


def _partial(code: str, role: str, change: Change) -> Seed:
    def partials(layer: Any, right: Any, p: Any, x: Array, delta: Array) -> dict[str, Array]:
        found = right(p, x, delta)
        return found | {role: change(layer, x, delta, found[role])} if role in found else found

    return bent(code, "Linear", partials=partials)


def some(code: str, part: slice, *roles: str) -> Seed:
    """The partials of these roles from some of the samples."""

    def partials(layer: Any, right: Any, p: Any, x: Array, delta: Array) -> dict[str, Array]:
        few = right(p, x[part], delta[part])
        return {role: few[role] if role in roles else g for role, g in right(p, x, delta).items()}

    return bent(code, "Linear", partials=partials)


def handing(code: str, change: Change) -> Seed:
    """A wrong δ_x: (layer, x, δ, W) -> δ_x."""
    return bent(code, "Linear", backward=lambda layer, right, p, x, delta: (change(layer, x, delta, p["weight"]),))


def square(layer: Any) -> bool:
    """Whether Wᵀ has the shape of W."""
    return bool(layer.in_features == layer.out_features)


def rows(x: Array) -> Array:
    """Every leading axis as one."""
    return x.reshape(-1, x.shape[-1]) if x.size else np.zeros((0, x.shape[-1]), x.dtype)


def stepped(layer: Any, right: Any, p: Any, x: Array, delta: Array) -> Any:
    """δ (W − η ∂L/∂W), η = 0.1."""
    g = layer.partials(p, x, delta)["weight"]
    return right({**p, "weight": p["weight"] - 0.1 * g}, x, delta)


def last_step(layer: Any, x: Array, delta: Array, g: Array) -> Array:
    """δ[:, −1]ᵀ x[:, −1]."""
    return delta[:, -1].T @ x[:, -1] if x.ndim == 3 else g


def along_the_batch(z: Array) -> bool:
    """Whether a bias of the units can be added to the samples instead."""
    return z.ndim == 2 and z.shape[0] == z.shape[1]


def unread_bias(layer: Any, right: Any, p: Any, *x: Array) -> Any:
    """x Wᵀ."""
    return same(layer, bias=False).forward(p, *x)


def bias_of_samples(layer: Any, right: Any, p: Any, *x: Array) -> Any:
    """x Wᵀ + b[:, None]."""
    z, saved = same(layer, bias=False).forward(p, *x)
    return (z + p["bias"][:, None], saved) if layer.bias and along_the_batch(z) else right(p, *x)


def per_sample(layer: Any, x: Array, delta: Array, g: Array) -> Array:
    """Σ_j δ_nj."""
    return delta.sum(1) if along_the_batch(delta) else g


def unread(layer: Any, right: Any, p: Any, x: Array, delta: Array) -> dict[str, Array]:
    """No partial of the bias."""
    return {role: g * 0 if role == "bias" else g for role, g in right(p, x, delta).items()}


def transposed(layer: Any, right: Any, p: Mapping[str, Array], *args: Any) -> Any:
    """With Wᵀ for W."""
    return right({**p, "weight": p["weight"].T} if square(layer) else p, *args)


def transposed_partials(layer: Any, right: Any, p: Any, x: Array, delta: Array) -> dict[str, Array]:
    """∂L/∂W of z = x W."""
    found = right(p, x, delta)
    return found | {"weight": found["weight"].T} if square(layer) else found


# ----------------------------------------------------------------------------------------------------- BatchNorm1d


def gain(layer: Any, p: Any, like: Array) -> Any:
    """γ as a column."""
    return p["weight"].reshape(-1, *[1] * (like.ndim - 2)) if layer.affine else np.ones((), like.dtype)


def without_gain(p: Any) -> dict[str, Array]:
    """γ = 1."""
    return {role: np.ones_like(v) if role == "weight" else v for role, v in p.items()}


def training(code: str, error: Callable[[Array, Array], Array]) -> Seed:
    """A wrong δ_x in training: (γ δ, x̂) -> δ_x σ."""

    def backward(layer: Any, right: Any, p: Any, saved: Any, delta: Array) -> Any:
        if not layer._of_batch:
            return right(p, saved, delta)
        return (saved.rate * error(delta * gain(layer, p, delta), saved.x_hat),)

    return bent(code, "BatchNorm1d", backward=backward)


def affine(code: str, role: str, change: Callable[[Any, Any, Normalized, Array, Array], Array]) -> Seed:
    """A wrong ∂L/∂γ or ∂L/∂β: (layer, p, saved, δ, right) -> partial."""

    def partials(layer: Any, right: Any, p: Any, saved: Any, delta: Array) -> dict[str, Array]:
        found = right(p, saved, delta)
        return found | {role: change(layer, p, saved, delta, found[role])} if layer.affine else found

    return bent(code, "BatchNorm1d", partials=partials)


def normalised(code: str, statistics: Statistics, backward: Method) -> Seed:
    """A wrong x̂ and 1/σ, and the backward pass that goes with them; the running statistics stay right."""

    def forward(layer: Any, right: Any, p: Any, x: Array) -> Any:
        y, saved = right(p, x)
        x_hat, rate = statistics(layer, x, saved)
        if layer.affine:
            y = x_hat * gain(layer, p, x) + p["bias"].reshape(-1, *[1] * (x.ndim - 2))
        return y if layer.affine else x_hat, saved._replace(x_hat=x_hat, rate=rate)

    return bent(code, "BatchNorm1d", forward=forward, backward=backward)


def count(x: Array) -> int:
    """The values of a channel; 1 for none."""
    return max(1, x.size // max(1, x.shape[1]))


def without_mean(d: Array, x_hat: Array) -> Array:
    """The way through the variance, and δ itself."""
    return d - x_hat * _mean(d * x_hat)


def without_rate(layer: Any, right: Any, p: Any, saved: Any, delta: Array) -> Any:
    """γ (δ − mean δ − …)."""
    return (right(p, saved, delta)[0] / saved.rate,)


def without_eps(layer: Any, right: Any, p: Any, saved: Any, delta: Array) -> Any:
    """1/√var in place of 1/σ."""
    return (right(p, saved, delta)[0] / saved.rate / np.sqrt(saved.variance),)


def gain_outside_means(layer: Any, right: Any, p: Any, saved: Any, delta: Array) -> Any:
    """(γ δ − mean δ − x̂ mean(δ x̂))/σ."""
    if not layer._of_batch:
        return right(p, saved, delta)
    return (right(without_gain(p), saved, delta)[0] + (gain(layer, p, delta) - 1) * delta * saved.rate,)


def over_the_width(layer: Any, right: Any, p: Any, saved: Any, delta: Array) -> Any:
    """Sums over the batch, divided by the width."""
    n, width = count(delta), delta.shape[1]
    if not layer._of_batch or n == width:
        return right(p, saved, delta)
    d, share = delta * gain(layer, p, delta), n / width
    return (saved.rate * (d - share * _mean(d) - share * saved.x_hat * _mean(d * saved.x_hat)),)


def always_training(layer: Any, right: Any, p: Any, saved: Any, delta: Array) -> Any:
    """The training formula, with the x̂ and σ of the forward pass."""
    if layer._of_batch:
        return right(p, saved, delta)
    d = delta * gain(layer, p, delta)
    return (saved.rate * (d - _mean(d) - saved.x_hat * _mean(d * saved.x_hat)),)


def inverted(layer: Any, right: Any, p: Any, saved: Any) -> dict[str, Array]:
    """1 − momentum for momentum."""
    return right(p, saved) if layer.momentum is None else same(layer, momentum=1 - layer.momentum).buffers(p, saved)


def over_samples(x: Array) -> Array:
    """The mean over the first axis."""
    return x.sum(0, keepdims=True) / max(1, len(x))


def momentum_ignored(layer: Any, right: Any, p: Any, saved: Any) -> dict[str, Array]:
    """0.1 for momentum."""
    return same(layer, momentum=0.1).buffers(p, saved)


def biased(layer: Any, right: Any, p: Any, saved: Any) -> dict[str, Array]:
    """The variance with 1/n, in the running one."""
    return right(p, saved._replace(variance=saved.variance * ((saved.n - 1) / saved.n)) if saved.n else saved)


def not_updated(layer: Any, right: Any, p: Any, saved: Any) -> dict[str, Array]:
    """The old mean and variance; the batches are counted."""
    return {role: p[role] if role.startswith("running") else v for role, v in right(p, saved).items()}


def updated_always(layer: Any, right: Any, p: Any, saved: Any) -> dict[str, Array]:
    """As in training, where a batch has a variance."""
    x = saved.x_hat / saved.rate + saved.mean
    if layer.training or count(x) < 2:
        return right(p, saved)
    learning = same(layer, training=True)
    return learning.buffers(p, learning._batch(x))


def eps_outside(layer: Any, x: Array, saved: Normalized) -> tuple[Array, Array]:
    """(x − μ)/(σ + ε)."""
    rate = 1 / (np.sqrt(saved.variance) + layer.eps)
    return saved.x_hat / saved.rate * rate, rate


def eps_outside_error(layer: Any, right: Any, p: Any, saved: Any, delta: Array) -> Any:
    """δ̂ − mean δ̂ − x̂ mean(δ̂ x̂) (σ + ε)/σ; of two values, (δ̂ − mean δ̂) ε/(σ + ε)."""
    if not layer._of_batch:
        return right(p, saved, delta)
    d = delta * gain(layer, p, delta)
    if saved.n == 2:
        return ((d - _mean(d)) * (layer.eps * saved.rate**2),)
    sigma = np.sqrt(saved.variance)
    back = np.where(sigma > 0, saved.x_hat / np.where(sigma > 0, sigma, 1), 0)
    return (saved.rate * (d - _mean(d)) - back * _mean(d * saved.x_hat),)


def unbiased(layer: Any, x: Array, saved: Normalized) -> tuple[Array, Array]:
    """σ² with 1/(n − 1)."""
    if not layer._of_batch or saved.n < 2:
        return saved.x_hat, saved.rate
    rate = 1 / np.sqrt(saved.variance * (saved.n / (saved.n - 1)) + layer.eps)
    return saved.x_hat / saved.rate * rate, rate


def unbiased_error(layer: Any, right: Any, p: Any, saved: Any, delta: Array) -> Any:
    """δ̂ − mean δ̂ − x̂ Σ δ̂ x̂/(n − 1)."""
    if not layer._of_batch or saved.n <= 2:
        return right(p, saved, delta)
    d = delta * gain(layer, p, delta)
    share = saved.n / (saved.n - 1)
    return (saved.rate * (d - _mean(d) - share * saved.x_hat * _mean(d * saved.x_hat)),)


def of_the_sample(layer: Any, x: Array, saved: Normalized) -> tuple[Array, Array]:
    """μ and σ² over the units."""
    if not layer._of_batch:
        return saved.x_hat, saved.rate
    centred = x - _over_units(x)
    rate = 1 / np.sqrt(_over_units(centred * centred) + layer.eps)
    return centred * rate, rate


def of_the_sample_error(layer: Any, right: Any, p: Any, saved: Any, delta: Array) -> Any:
    """δ̂ − mean δ̂ − x̂ mean(δ̂ x̂), means over the units."""
    if not layer._of_batch:
        return right(p, saved, delta)
    d = delta * gain(layer, p, delta)
    if d.shape[1] == 2:
        return (layer.eps * saved.rate**3 * (d - _over_units(d)),)
    return (saved.rate * (d - _over_units(d) - saved.x_hat * _over_units(d * saved.x_hat)),)


def _over_units(x: Array) -> Array:
    return x.sum(1, keepdims=True) / x.shape[1]


def always_of_batch(layer: Any, right: Any, p: Any, x: Array) -> Any:
    """The statistics of the batch, in evaluation too."""
    y, saved = right(p, x)
    if layer._of_batch:
        return y, saved
    saved = layer._batch(x)
    y = saved.x_hat
    return y * gain(layer, p, x) + p["bias"].reshape(-1, *[1] * (x.ndim - 2)) if layer.affine else y, saved


# --------------------------------------------------------------------------------------------------------- Dropout

Drop = Callable[[Any, Array, Array], Array]
"""(layer, x or δ, mask) -> what is left of it, in training."""


def dropped(code: str, drop: Drop, both: bool = False) -> Seed:
    """A wrong backward pass in training, or both passes."""

    def forward(layer: Any, right: Any, p: Any, x: Array, mask: Array) -> Any:
        return drop(layer, x, mask) if layer.training else x, mask

    def backward(layer: Any, right: Any, p: Any, mask: Any, delta: Array) -> Any:
        return drop(layer, delta, mask) if layer.training else delta, None

    return bent(code, "Dropout", backward=backward, forward=forward if both else as_it_is)


def as_it_is(layer: Any, right: Any, *args: Any) -> Any:
    """What is right."""
    return right(*args)


def over(x: Array, q: float) -> Array:
    """x/q; 0 for q = 0, where nothing is right."""
    return x / q if q else np.zeros_like(x)


# --------------------------------------------------------------------------------------------------- the catalogue

SEEDS: tuple[Seed, ...] = (
    # ------------------------------------------------------------------------------------------------ weights
    handing("W101", lambda layer, x, d, w: d @ (w.T if square(layer) else w)),
    weight("W102", lambda layer, x, d, g: g.T if square(layer) else g),
    some("W103", slice(-1, None), "weight"),
    some("W104", slice(1), "weight"),
    some("W105", slice(-1), "weight"),
    weight("W106", lambda layer, x, d, g: np.zeros_like(g)),
    bent("W107", "Linear", "mlp", backward=stepped),
    some("W108", slice(-1, None), "weight", "bias"),
    some("W109", slice(1), "weight", "bias"),
    some("W110", slice(-1), "weight", "bias"),
    weight("W111", lambda layer, x, d, g: rows(d).T @ np.abs(rows(x))),
    handing("W112", lambda layer, x, d, w: np.clip(d, -1, 1) @ w),
    weight("W113", lambda layer, x, d, g: 0 * g + g.sum(1, keepdims=True) / g.shape[1]),
    bent("W114", "Linear", partials=lambda layer, right, p, x, d: right(p, x, d) | (
        {"weight": rows(d).T @ rows(layer.forward(p, x)[0])} if square(layer) else {})),
    weight("W115", lambda layer, x, d, g: np.clip(g, -5, 5)),
    replace(weight("W115", lambda layer, x, d, g: np.clip(g, -1, 1)), variant="±1"),
    weight("W116", last_step),
    handing("W117", lambda layer, x, d, w: d if square(layer) else d @ w),
    weight("W118", lambda layer, x, d, g: rows(d).T @ np.ones_like(rows(x))),
    handing("W119", lambda layer, x, d, w: d @ w / max(1, len(d))),
    handing("W120", lambda layer, x, d, w: d @ (w / w.sum(1, keepdims=True))),
    bent("W121", "Linear", partials=lambda layer, right, p, x, d: (
        (found := right(p, x, d)) | {"weight": found["weight"] + 0.01 * p["weight"]})),
    handing("W122", lambda layer, x, d, w: d @ np.abs(w)),
    bent("W123", "Linear", partials=lambda layer, right, p, x, d: right(p, x, d) | (
        {"weight": rows(d @ p["weight"]).T @ rows(x)} if square(layer) else {})),
    weight("W124", lambda layer, x, d, g: g if len(x) > 1 else np.zeros_like(g)),
    handing("W125", lambda layer, x, d, w: np.broadcast_to(d[:1], d.shape) @ w if len(d) else d @ w),
    some("W126", slice(1, None), "weight"),
    some("W127", slice(1, None), "weight", "bias"),
    # ------------------------------------------------------------------------------------------------- biases
    bias("B101", lambda layer, x, d, g: g / max(1, len(rows(d)))),
    some("B102", slice(-1, None), "bias"),
    some("B103", slice(1), "bias"),
    bias("B104", lambda layer, x, d, g: np.zeros_like(g)),
    bias("B105", lambda layer, x, d, g: (rows(d).T @ rows(x)).sum(1)),
    bias("B106", lambda layer, x, d, g: np.full_like(g, g.sum())),
    replace(bias("B106", lambda layer, x, d, g: np.full_like(g, g.sum() / len(g))), variant="mean"),
    bias("B107", per_sample),
    bias("B108", lambda layer, x, d, g: g if len(d) > 1 else np.zeros_like(g)),
    bias("B109", lambda layer, x, d, g: d[:, -1].sum(0) if d.ndim == 3 else g),
    # ------------------------------------------------------------------------------------------ normalization
    training("N101", lambda d, x_hat: d),
    training("N102", lambda d, x_hat: d - _mean(d)),
    training("N103", without_mean),
    training("N104", lambda d, x_hat: without_mean(d, x_hat) - 2 * _mean(d)),
    training("N105", lambda d, x_hat: d - _mean(d) - x_hat * _mean(d * x_hat) / 2),
    bent("N106", "BatchNorm1d", backward=lambda layer, right, p, *rest: right(without_gain(p), *rest)),
    bent("N107", "BatchNorm1d", backward=without_rate),
    affine("N108", "bias", lambda layer, p, saved, d, g: g / count(d)),
    affine("N109", "weight", lambda layer, p, saved, d, g: (
        d * (saved.x_hat / saved.rate + saved.mean)).sum(_axes(d))),
    bent("N110", "BatchNorm1d", backward=over_the_width),
    bent("N111", "BatchNorm1d", backward=always_training),
    affine("N112", "weight", lambda layer, p, saved, d, g: g / count(d)),
    affine("N113", "weight", lambda layer, p, saved, d, g: p["weight"] * g + p["bias"] * d.sum(_axes(d))),
    bent("N114", "BatchNorm1d", backward=without_eps),
    training("N115", lambda d, x_hat: d - _mean(d) + x_hat * _mean(d * x_hat)),
    affine("N116", "weight", lambda layer, p, saved, d, g: (d[-1:] * saved.x_hat[-1:]).sum(_axes(d))),
    bent("N117", "BatchNorm1d", backward=gain_outside_means),
    training("N118", lambda d, x_hat: d - over_samples(d) - x_hat * over_samples(d * x_hat)),
    bent("N120", "BatchNorm1d", buffers=inverted),
    bent("N121", "BatchNorm1d", buffers=biased),
    bent("N122", "BatchNorm1d", buffers=not_updated),
    bent("N123", "BatchNorm1d", buffers=updated_always),
    normalised("N124", eps_outside, eps_outside_error),
    normalised("N125", unbiased, unbiased_error),
    instead("N126", "BatchNorm1d", eps=1e-8),
    replace(instead("N126", "BatchNorm1d", eps=1e-3), variant="1e-3"),
    normalised("N127", of_the_sample, of_the_sample_error),
    bent("N128", "BatchNorm1d", forward=always_of_batch, backward=training_error),
    bent("N129", "BatchNorm1d", buffers=momentum_ignored),
    # ------------------------------------------------------------------------------------------------ dropout
    dropped("D101", lambda layer, d, mask: over(d, 1 - layer.p)),
    dropped("D102", lambda layer, d, mask: d * mask),
    dropped("D103", lambda layer, d, mask: over(d * mask, (1 - layer.p) ** 2)),
    dropped("D104", lambda layer, x, mask: over(x * mask, layer.p or 1), both=True),
    instead("D105", "Dropout", training=True),
    dropped("D106", lambda layer, x, mask: over(x * mask, (1 - layer.p) ** 2), both=True),
    dropped("D107", lambda layer, x, mask: x * mask, both=True),
    bent("D108", "Dropout", backward=training_error),
    dropped("D109", lambda layer, d, mask: over(d * ~mask, 1 - layer.p)),
    bent(
        "D110",
        "Dropout",
        forward=lambda layer, right, p, x, mask: right(p, x, mask) if layer.training else (x * (1 - layer.p), mask),
        backward=lambda layer, right, p, mask, d: right(p, mask, d) if layer.training else (d * (1 - layer.p), None),
    ),
    # ---------------------------------------------------------------------------------------- constant factors
    *(bent("R113", op, backward=lambda layer, right, *args: tuple(2 * d for d in right(*args)))
      for op in ("Softsign", "GLU", "BatchNorm1d", "Linear")),
    bent("R114", "Linear", partials=lambda layer, right, *args: {n: 2 * g for n, g in right(*args).items()}),
    bent("R114", "BatchNorm1d", partials=lambda layer, right, *args: {n: 0.5 * g for n, g in right(*args).items()}),
    # ------------------------------------------------------------------------------------------- forward pass
    bent("F101", "Linear", forward=unread_bias, partials=unread),
    bent("F102", "Linear", forward=bias_of_samples, partials=lambda layer, right, p, x, d: (
        (found := right(p, x, d)) | ({"bias": per_sample(layer, x, d, found["bias"])} if layer.bias else {}))),
    bent("F103", "Linear", forward=transposed, backward=transposed, partials=transposed_partials),
)  # fmt: skip
