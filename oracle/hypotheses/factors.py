"""Mistakes that any formula can have: a sign inside it, a term or a bound left out, a constant too much."""

import torch

from oracle.composites import Tensor
from oracle.hypotheses.activations import at_input, at_output, error, slope
from oracle.hypotheses.hypothesis import Hypothesis, either, formula, op, override, scaled, vjp
from oracle.spec import Case, Node, Tensors
from oracle.twin import Truth

CONSTANTS = (2.0, 0.5, -2.0, -0.5, 3.0, 1 / 3, 4.0, 0.25, 10.0, 0.1)
"""Factors that people put in or leave out."""


def _coupled(sign: float) -> Hypothesis:
    """y (δ ± Σ δ y), for softmax, softmin and log-softmax."""

    def back(node: Node, p: Tensors, d: Tensor, x: list[Tensor], y: Tensor) -> tuple[Tensor]:
        dim = int(node.attrs["dim"])
        if node.op == "LogSoftmax":
            return (d + sign * y.exp() * d.sum(dim, keepdim=True),)
        found = y * (d + sign * (d * y).sum(dim, keepdim=True))
        return (-found if node.op == "Softmin" else found,)

    return override(op("Softmax", "Softmin", "LogSoftmax"), vjp(back))


def _logistic(z: Tensor) -> Tensor:
    return torch.sigmoid(z)


def _bell(z: Tensor) -> Tensor:
    """z φ(z)."""
    return z * torch.exp(-z * z / 2) / (2 * torch.pi) ** 0.5


def _mish(z: Tensor) -> tuple[Tensor, Tensor]:
    """The two terms of mish′: w, and z (1 − w²) s."""
    w = torch.tanh(torch.nn.functional.softplus(z, threshold=1e9))
    return w, z * (1 - w * w) * _logistic(z)


def _bounds(node: Node) -> tuple[float, float, float]:
    """Lower and upper bound, and the slope between them."""
    low = {"ReLU6": 0.0, "Hardtanh": float(node.attrs.get("min_val", -1.0))}.get(node.op, -3.0)
    high = {"ReLU6": 6.0, "Hardtanh": float(node.attrs.get("max_val", 1.0))}.get(node.op, 3.0)
    return low, high, 1 / 6 if node.op == "Hardsigmoid" else 1.0


def _one_bound(upper: bool) -> Hypothesis:
    def f(node: Node, z: Tensor) -> Tensor:
        low, high, k = _bounds(node)
        return k * ((z < high) if upper else (z > low)).to(z.dtype)

    return slope(lambda node, z, a, s: f(node, z), op("ReLU6", "Hardtanh", "Hardsigmoid"))


def _one_sided(sign: float) -> Hypothesis:
    """Only the entries beyond +λ, or −λ, pass."""

    def f(node: Node, z: Tensor) -> Tensor:
        return (sign * z > float(node.attrs.get("lambd", 0.5))).to(z.dtype)

    return slope(lambda node, z, a, s: f(node, z), op("Hardshrink", "Softshrink"))


def _times(k: float) -> Hypothesis:
    """The error signals of a node k times too large; its partials stay."""
    return override(
        lambda node: node.op != "Dot",
        lambda node: lambda call, p, *x: call(*[scaled(t, k) if t.is_floating_point() else t for t in x]),
    )


def _partials_times(k: float, roles: tuple[str, ...]) -> Hypothesis:
    def wrong(case: Case, truth: Truth, node: Node) -> Tensors:
        names = [node.parameter(role) for role in roles]
        return {name: k * truth.gradients[name] for name in names if name in truth.gradients}

    return formula(op("Linear", "BatchNorm1d", "PReLU"), wrong)


def _celu(f: str) -> Hypothesis:
    def own(node: Node, z: Tensor) -> Tensor:
        alpha = float(node.attrs.get("alpha", 1.0))
        inner = torch.exp(z / alpha)
        left = {"elu": alpha * torch.exp(z), "scaled": alpha * inner, "divided": inner / alpha}
        return torch.where(z > 0, torch.ones_like(z), left[f])

    return slope(lambda node, z, a, s: own(node, z), op("CELU"))


HYPOTHESES: dict[str, Hypothesis] = {
    "A145": either(
        at_output(lambda a: 1 + a * a, "Tanh"), at_output(lambda a: a * (1 + a), "Sigmoid"), _coupled(1.0),
        at_input(lambda z: _logistic(z) - z * _logistic(z) * _logistic(-z), "SiLU"),
        at_input(lambda z: _mish(z)[0] - _mish(z)[1], "Mish"),
        override(op("GELU"), error(lambda node, d, z, a, s: d * (s(z) - 2 * (s(z) - _phi(z))))),
        at_input(lambda z: 1 / (1 - z.abs()) ** 2, "Softsign"),
    ),
    "A146": either(*map(_celu, ("elu", "scaled", "divided"))),
    "A147": either(
        at_input(_bell, "GELU"), at_input(lambda z: z * _logistic(z) * _logistic(-z), "SiLU"),
        *(at_input(lambda z, k=k: _mish(z)[k], "Mish") for k in (0, 1)),  # type: ignore[misc]
    ),
    "A148": either(_one_bound(True), _one_bound(False), _one_sided(1.0), _one_sided(-1.0)),
    "R113": either(*map(_times, CONSTANTS)),
    "R114": either(*(_partials_times(k, r) for r in (("weight", "bias"), ("weight",), ("bias",)) for k in CONSTANTS)),
}  # fmt: skip


def _phi(z: Tensor) -> Tensor:
    """Φ(z)."""
    return 0.5 * torch.erfc(-z / 2**0.5)
