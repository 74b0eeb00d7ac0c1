"""Where branches meet or part: sums and products (a residual net needs Add), and changes of shape."""

from collections.abc import Callable
from functools import partial, reduce
from typing import Any, ClassVar

import numpy as np

from reference.layer import Array, GraphError, Layer, Params, Saved, layer


def joined(layer: Layer, how: Callable[[Any], Array], x: tuple[Array, ...]) -> Array:
    """`how(x)`, or a refusal that names the shapes."""
    try:
        return how(x)
    except ValueError as error:
        shapes = ", ".join(str(v.shape) for v in x)
        raise GraphError(f"{type(layer).__name__}: inputs of shapes {shapes} do not fit together") from error


def unbroadcast(delta: Array, shape: tuple[int, ...]) -> Array:
    """The adjoint of broadcasting from `shape`: an entry that was used many times hears the sum of their errors."""
    if delta.shape == shape:
        return delta
    new = delta.ndim - len(shape)
    axes = (*range(new), *(new + k for k, n in enumerate(shape) if n == 1))
    return delta.sum(axes).reshape(shape)


@layer
class Add(Layer):
    """y = x₁ + x₂ + …, broadcast; every δxₖ = δ, summed over the axes along which xₖ was repeated."""

    arity: ClassVar = (2, 99)

    def forward(self, p: Params, *x: Array) -> tuple[Array, Saved]:
        """x₁ + x₂ + …, from left to right."""
        return joined(self, partial(reduce, np.add), x), [v.shape for v in x]

    def backward(self, p: Params, saved: Saved, delta: Array) -> tuple[Array, ...]:
        """δxₖ = δ."""
        return tuple(unbroadcast(delta, shape) for shape in saved)


@layer
class Multiply(Layer):
    """y = x₁ ⊙ x₂ ⊙ …, broadcast; δxₖ = δ ⊙ the other factors (never y/xₖ, which fails at xₖ = 0)."""

    arity: ClassVar = (2, 99)

    def forward(self, p: Params, *x: Array) -> tuple[Array, Saved]:
        """x₁ ⊙ x₂ ⊙ …, from left to right."""
        return joined(self, partial(reduce, np.multiply), x), x

    def backward(self, p: Params, saved: Saved, delta: Array) -> tuple[Array, ...]:
        """δxₖ = δ ⊙ Π_{j≠k} xⱼ."""
        others = [saved[:k] + saved[k + 1 :] for k in range(len(saved))]
        return tuple(
            unbroadcast(reduce(np.multiply, rest, delta), x.shape) for x, rest in zip(saved, others, strict=True)
        )


@layer
class Concatenate(Layer):
    """y = [x₁ x₂ …] side by side along `dim` (torch.cat); δ is cut at the same places."""

    dim: int = 1

    arity: ClassVar = (1, 99)

    def forward(self, p: Params, *x: Array) -> tuple[Array, Saved]:
        """x₁, x₂, … side by side."""
        y = joined(self, partial(np.concatenate, axis=self.dim), x)
        return y, np.cumsum([v.shape[self.dim] for v in x])[:-1]

    def backward(self, p: Params, saved: Saved, delta: Array) -> tuple[Array, ...]:
        """δ, cut."""
        return tuple(np.split(delta, saved, self.dim))


@layer
class Chunk(Layer):
    """(x₁, …, x_chunks) = x cut into equal pieces along `dim` (torch.chunk); their δ are put side by side."""

    chunks: int
    dim: int = 1

    @property
    def outputs(self) -> int:
        """As many as chunks."""
        return self.chunks

    def forward(self, p: Params, *x: Array) -> tuple[Any, Saved]:
        """X, cut. Raises `GraphError` where the axis does not divide."""
        if x[0].shape[self.dim] % self.chunks:
            raise GraphError(f"Chunk: axis {self.dim} of {x[0].shape} does not divide into {self.chunks} chunks")
        pieces = tuple(np.split(x[0], self.chunks, self.dim))
        return pieces if self.chunks > 1 else pieces[0], None

    def backward(self, p: Params, saved: Saved, delta: Any) -> tuple[Array, ...]:
        """δ₁, δ₂, … side by side."""
        return (np.concatenate(delta, self.dim) if self.chunks > 1 else delta,)


@layer
class Flatten(Layer):
    """The axes start_dim to end_dim as one: (N, C, L) -> (N, CL)."""

    start_dim: int = 1
    end_dim: int = -1

    def forward(self, p: Params, *x: Array) -> tuple[Array, Saved]:
        """X, reshaped, in the order of C."""
        shape = x[0].shape or (1,)
        start, end = (dim % len(shape) for dim in (self.start_dim, self.end_dim))
        merged = int(np.prod(shape[start : end + 1]))
        return x[0].reshape(*shape[:start], merged, *shape[end + 1 :]), x[0].shape

    def backward(self, p: Params, saved: Saved, delta: Array) -> tuple[Array, ...]:
        """δ, in the old shape."""
        return (delta.reshape(saved),)


@layer
class Unflatten(Layer):
    """The axis `dim` as several, of sizes `unflattened_size` (one may be −1): (N, CL) -> (N, C, L)."""

    dim: int
    unflattened_size: tuple[int, ...]

    def forward(self, p: Params, *x: Array) -> tuple[Array, Saved]:
        """X, reshaped, in the order of C."""
        shape, dim = x[0].shape, self.dim % x[0].ndim
        known = -int(np.prod(self.unflattened_size)) if -1 in self.unflattened_size else 0
        sizes = tuple(shape[dim] // known if n == -1 and known else n for n in self.unflattened_size)
        if np.prod(sizes) != shape[dim]:
            raise GraphError(f"Unflatten: axis {self.dim} of {shape} does not unfold into {self.unflattened_size}")
        return x[0].reshape(*shape[:dim], *sizes, *shape[dim + 1 :]), shape

    def backward(self, p: Params, saved: Saved, delta: Array) -> tuple[Array, ...]:
        """δ, in the old shape."""
        return (delta.reshape(saved),)
