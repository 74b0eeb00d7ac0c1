"""The softmax family, where every unit of a group hears from every other, and the gated linear unit."""

import numpy as np

from reference.activations import sigmoid
from reference.layer import Array, GraphError, Layer, Params, Saved, layer


def softmax(z: Array, axis: int) -> Array:
    """y_i = e^{z_i} / Σ_j e^{z_j}, shifted by the greatest z, which changes nothing and cannot overflow."""
    e = np.exp(z - z.max(axis, keepdims=True, initial=-np.inf))
    return e / e.sum(axis, keepdims=True)


def softmax_error(y: Array, delta: Array, axis: int) -> Array:
    """δz_i = y_i (δ_i − Σ_j y_j δ_j).

    δ is centred twice: a common shift of δ changes nothing, and the second time repairs what rounding the first
    took from the differences. So the error of a confident unit (y near 1) does not vanish.
    """
    delta = delta - (y * delta).sum(axis, keepdims=True)
    return y * (delta - (y * delta).sum(axis, keepdims=True))


def log_softmax(z: Array, axis: int) -> tuple[Array, Array]:
    """log y and y, where log y_i = z_i − m − log Σ_j e^{z_j − m}, m the greatest z.

    With k units at m, log Σ = log k + log(1 + Σ_others/k): a confident loss keeps all its digits.
    """
    z = z - z.max(axis, keepdims=True, initial=-np.inf)
    e = np.exp(z)
    top = e == 1
    k = top.sum(axis, z.dtype, keepdims=True)
    rest = (e - top).sum(axis, keepdims=True)
    return z - np.log(k) - np.log1p(rest / k), e / (k + rest)


def excess(y: Array, log_y: Array, t: Array, axis: int) -> Array:
    """y_i T − t_i with T = Σ_j t_j: how far softmax is above its goal. For y > 1/2 as (y − 1) T + (T − t)."""
    total = t.sum(axis, keepdims=True)
    return np.where(y > 0.5, np.expm1(log_y) * total + (total - t), y * total - t)


def axis_of(dim: int | None, z: Array) -> int:
    """Torch's old choice where `dim` is None: 0 for tensors of 0, 1 or 3 axes, else 1."""
    return dim if dim is not None else int(z.ndim not in (0, 1, 3))


@layer
class Softmax(Layer):
    """y_i = e^{z_i} / Σ_j e^{z_j} along `dim`; δz_i = y_i (δ_i − Σ_j y_j δ_j). Shapes stay.

    Source: J. S. Bridle, Probabilistic interpretation of feedforward classification network outputs, 1990.
    """

    dim: int | None = None

    def forward(self, p: Params, *x: Array) -> tuple[Array, Saved]:
        """softmax(z)."""
        y = softmax(x[0], axis_of(self.dim, x[0]))
        return y, y

    def backward(self, p: Params, saved: Saved, delta: Array) -> tuple[Array, ...]:
        """δz = y ⊙ (δ − Σ y δ)."""
        return (softmax_error(saved, delta, axis_of(self.dim, saved)),)


@layer
class Softmin(Layer):
    """y = softmax(−z) along `dim`; δz_i = −y_i (δ_i − Σ_j y_j δ_j)."""

    dim: int | None = None

    def forward(self, p: Params, *x: Array) -> tuple[Array, Saved]:
        """softmax(−z)."""
        y = softmax(-x[0], axis_of(self.dim, x[0]))
        return y, y

    def backward(self, p: Params, saved: Saved, delta: Array) -> tuple[Array, ...]:
        """δz = −y ⊙ (δ − Σ y δ)."""
        return (-softmax_error(saved, delta, axis_of(self.dim, saved)),)


@layer
class LogSoftmax(Layer):
    """y_i = z_i − log Σ_j e^{z_j} along `dim`; δz_i = δ_i − e^{y_i} Σ_j δ_j."""

    dim: int | None = None

    def forward(self, p: Params, *x: Array) -> tuple[Array, Saved]:
        """log softmax(z)."""
        saved = log_softmax(x[0], axis_of(self.dim, x[0]))
        return saved[0], saved

    def backward(self, p: Params, saved: Saved, delta: Array) -> tuple[Array, ...]:
        """δz = δ − softmax(z) Σ δ."""
        log_y, y = saved
        return (-excess(y, log_y, delta, axis_of(self.dim, y)),)


@layer
class GLU(Layer):
    """y = a ⊙ σ(b), the input split in halves a, b along `dim`: (..., 2H) -> (..., H), σ the sigmoid.

    δa = δ σ(b), δb = δ a σ(b) σ(−b).
    Source: Y. N. Dauphin, A. Fan, M. Auli, D. Grangier, Language modeling with gated convolutional networks, 2016.
    """

    dim: int = -1

    def forward(self, p: Params, *x: Array) -> tuple[Array, Saved]:
        """a ⊙ σ(b)."""
        if x[0].ndim == 0 or x[0].shape[self.dim] % 2:
            raise GraphError(f"GLU: the input has shape {x[0].shape}, but axis {self.dim} should be even")
        a, b = np.split(x[0], 2, self.dim)
        return a * sigmoid(b), (a, b)

    def backward(self, p: Params, saved: Saved, delta: Array) -> tuple[Array, ...]:
        """δa = δ σ(b) and δb = δ a σ(b) σ(−b)."""
        a, b = saved
        s = sigmoid(b)
        return (np.concatenate([delta * s, delta * (a * (s * sigmoid(-b)))], self.dim),)
