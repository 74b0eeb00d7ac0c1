"""Linear and Identity: the layers of the first lesson."""

from typing import ClassVar

from reference.layer import Array, Layer, Params, Saved, layer


@layer
class Linear(Layer):
    r"""y = x Wᵀ + b: every unit j forms \(z_j = \sum_i w_{ji} x_i + b_j\).

    Shapes: (N, F) @ (F, H) + (H,) -> (N, H); W is stored as (H, F) = (out_features, in_features).
    Any number of leading axes may stand for N.
    """

    in_features: int
    out_features: int
    bias: bool = True

    parameters: ClassVar = ("weight", "bias")

    def shapes(self) -> dict[str, tuple[str, tuple[int, ...]]]:
        """W is (out_features, in_features), b is (out_features,)."""
        weight = {"weight": ("(out_features, in_features)", (self.out_features, self.in_features))}
        return weight | ({"bias": ("(out_features,)", (self.out_features,))} if self.bias else {})

    def forward(self, p: Params, *x: Array) -> tuple[Array, Saved]:
        """z = x Wᵀ + b."""
        z = x[0] @ p["weight"].T
        if self.bias:
            z += p["bias"]
        return z, x[0]

    def backward(self, p: Params, saved: Saved, delta: Array) -> tuple[Array, ...]:
        """δx = δ W: unit i hears from every unit j it feeds, through w_ji."""
        return (delta @ p["weight"],)

    def partials(self, p: Params, saved: Saved, delta: Array) -> dict[str, Array]:
        """∂L/∂W = δᵀ x and ∂L/∂b = Σₙ δₙ, sums over the samples."""
        x, delta = saved.reshape(-1, self.in_features), delta.reshape(-1, self.out_features)
        found = {"weight": delta.T @ x}
        if self.bias:
            found["bias"] = delta.sum(0)
        return found


@layer
class Identity(Layer):
    """y = x."""

    def forward(self, p: Params, *x: Array) -> tuple[Array, Saved]:
        """The input itself."""
        return x[0], None

    def backward(self, p: Params, saved: Saved, delta: Array) -> tuple[Array, ...]:
        """δx = δ."""
        return (delta,)
