"""The catalogue of backpropagation bugs: each with a code, a story, the wrong line beside the right one, and the
*hypothesis*: what autograd would say if the twin had that bug.

There are two kinds of hypothesis.

    Wrong backward   a version of the node whose value is right and whose vector-Jacobian product is the wrong one:
                     y = f(x).detach() + (s(x) − s(x).detach()), where s has the wrong derivative
    Wrong partial    the partials of one node's parameters, computed from its true input and error signal

To add a fault: one entry in `FAULTS`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch

from oracle.architectures import LOSSES, UNITS
from oracle.composites import Tensor
from oracle.spec import Array, Case, Node, Tensors
from oracle.twin import Truth, plain_call

ELEMENTWISE = frozenset(
    set(UNITS) - set("Identity Softmax LogSoftmax Softmin BatchNorm1d Dropout PReLU RReLU".split())  # noqa: SIM905
)
Backward = Callable[[Node], Callable[..., Any]]
Partial = Callable[[Case, Truth, Node], Tensors]


@dataclass(frozen=True)
class Fault:
    """One bug."""

    code: str
    name: str
    story: str
    wrong: str
    right: str
    kind: Literal["backward", "partial"]
    hypothesis: Any
    applies: Callable[[Node], bool] = lambda node: True


def _keeping(value: Any, surrogate: Any) -> Any:
    """The value of one expression with the derivative of another."""
    return value.detach() + (surrogate - surrogate.detach())


def scaled(x: Tensor, k: float | Tensor) -> Tensor:
    """x, whose gradient is k times what it should be."""
    return x.detach() + k * (x - x.detach())


# ------------------------------------------------------------------------------------------------- wrong backwards


def _no_slope(node: Node) -> Callable[..., Any]:
    return lambda call, p, x, *rest: _keeping(call(x, *rest), x)


def _slope_at_output(node: Node) -> Callable[..., Any]:
    def wrong(call: Callable[..., Any], p: Mapping[str, Tensor], x: Tensor, *rest: Tensor) -> Any:
        y = call(x, *rest)
        with torch.enable_grad():
            a = y.detach().requires_grad_()
            (slope,) = torch.autograd.grad(call(a, *rest).sum(), a)
        return _keeping(y, x * slope)

    return wrong


def _output_form_at_input(node: Node) -> Callable[..., Any]:
    """The slope written in terms of the output, fed with the input: z (1 − z), 1 − z²."""

    def wrong(call: Callable[..., Any], p: Mapping[str, Tensor], x: Tensor, *rest: Tensor) -> Any:
        z = x.detach()
        slope = z * (1 - z) if node.op == "Sigmoid" else 1 - z * z
        return _keeping(call(x, *rest), x * slope)

    return wrong


def _slope_of_output(formula: Callable[[Tensor], Tensor]) -> Backward:
    """A wrong slope written in terms of the output a."""
    return lambda node: lambda call, p, x, *rest: _keeping(call(x, *rest), x * formula(call(x, *rest).detach()))


def _negated(node: Node) -> Callable[..., Any]:
    return lambda call, p, *x: call(*[scaled(t, -1.0) if t.is_floating_point() else t for t in x])


def _transposed(node: Node) -> Callable[..., Any]:
    def wrong(call: Callable[..., Any], p: Mapping[str, Tensor], x: Tensor) -> Tensor:
        weight = p["weight"].detach()
        return call(x.detach()) + (_keeping(torch.zeros(()), x @ weight))

    return wrong


def _nothing_back(node: Node) -> Callable[..., Any]:
    return lambda call, p, *x: call(*[t.detach() for t in x])


def _use_forgotten(k: int) -> Backward:
    """The k-th input of the node gets nothing back."""
    return lambda node: lambda call, p, *x: call(*[t.detach() if i == k else t for i, t in enumerate(x)])


def _diagonal(node: Node) -> Callable[..., Any]:
    def wrong(call: Callable[..., Any], p: Mapping[str, Tensor], x: Tensor) -> Tensor:
        y = call(x)
        s = y.detach()
        return _keeping(y, x * s * (1 - s) * (-1 if node.op == "Softmin" else 1))

    return wrong


def _statistics_constant(node: Node) -> Callable[..., Any]:
    """Normalisation whose mean and variance are taken for constants."""

    def wrong(call: Callable[..., Any], p: Mapping[str, Tensor], x: Tensor) -> Tensor:
        y = call(x)
        axes = (0, 2)[: x.dim() - 1]
        variance = x.detach().var(axes, unbiased=False, keepdim=True)
        shape = (1, -1, 1)[: x.dim()]
        gain = p["weight"].detach().reshape(shape) if "weight" in p else 1.0
        return _keeping(y, gain * x / (variance + node.attrs.get("eps", 1e-5)).sqrt()) + _keeping(
            torch.zeros(()), call(x.detach())
        )

    return wrong


def _defaults(node: Node) -> Callable[..., Any]:
    """The backward pass of the operator with its default arguments, but for those that change its value."""
    kept = {k: v for k, v in node.attrs.items() if k in ("reduction", "approximate", "threshold", "value")}
    plain = plain_call(Node(node.name, node.op, node.inputs, kept))
    return lambda call, p, *x: _keeping(call(*x), plain(*x))


def _mask_forgotten(node: Node) -> Callable[..., Any]:
    keep = 1 - node.attrs.get("p", 0.5)
    return lambda call, p, x, mask: _keeping(call(x, mask), x / keep if keep else x)


def _scale_forgotten(node: Node) -> Callable[..., Any]:
    return lambda call, p, x, mask: _keeping(call(x, mask), x * mask)


# -------------------------------------------------------------------------------------------------- wrong partials


def _linear(case: Case, truth: Truth, node: Node) -> tuple[Array, Array]:
    """Input and error signal of a Linear node, as rows."""
    x = truth.values[node.inputs[0]]
    delta = truth.errors.get(node.name, np.zeros(truth.values[node.name].shape))
    return x.reshape(-1, x.shape[-1]), delta.reshape(-1, delta.shape[-1])


def _weights(formula: Callable[[Array, Array], Array]) -> Partial:
    """∂L/∂W = formula(x, δ)."""
    return lambda case, truth, node: {node.parameter("weight"): formula(*_linear(case, truth, node))}


def _rows(keep: slice) -> Partial:
    """Both partials of a Linear node from these samples only."""

    def wrong(case: Case, truth: Truth, node: Node) -> Tensors:
        x, delta = (t[keep] for t in _linear(case, truth, node))
        found = {node.parameter("weight"): delta.T @ x}
        return found | ({node.parameter("bias"): delta.sum(0)} if node.attrs.get("bias", True) else {})

    return wrong


def _biases(formula: Callable[[Array], Array]) -> Partial:
    """∂L/∂b = formula(δ)."""
    return lambda case, truth, node: {node.parameter("bias"): formula(_linear(case, truth, node)[1])}


def _times(role: str | None, k: Callable[[int], float]) -> Partial:
    """Partials times a function of the batch size; of every parameter of the node, or of one role."""

    def wrong(case: Case, truth: Truth, node: Node) -> Tensors:
        shape = truth.values[node.inputs[0]].shape
        batch = int(np.prod(shape[:-1])) if node.op == "Linear" else shape[0]
        roles = [role] if role else ["weight", "bias"]
        names = [node.parameter(r) for r in roles if node.parameter(r) in truth.gradients]
        return {name: truth.gradients[name] * k(batch) for name in names}

    return wrong


def _inverse(n: int) -> float:
    return 1 / n if n else 1.0


def _loss_times(k: Callable[[tuple[int, ...]], float]) -> Backward:
    """A loss whose error signals are k times too large; k of the shape of the prediction."""
    return lambda node: (
        lambda call, p, *x: call(*[scaled(t, k(tuple(x[0].shape))) if t.is_floating_point() else t for t in x])
    )


def _unaveraged(node: Node) -> Callable[..., Any]:
    """The value of the averaged loss with the derivative of the summed one; elementwise losses summed over samples."""
    if node.op not in ("CrossEntropyLoss", "NLLLoss"):
        return _loss_times(_samples)(node)
    summed = plain_call(Node(node.name, node.op, node.inputs, {**node.attrs, "reduction": "sum"}))
    return lambda call, p, *x: _keeping(call(*x), summed(*x))


def _samples(shape: tuple[int, ...]) -> int:
    return shape[0] if shape else 1


def _entries(shape: tuple[int, ...]) -> int:
    return int(np.prod(shape))


# ------------------------------------------------------------------------------------------------------- the table


def _elementwise(node: Node) -> bool:
    return node.op in ELEMENTWISE


def _op(*ops: str) -> Callable[[Node], bool]:
    return lambda node: node.op in ops


def _reduced(node: Node) -> bool:
    return node.op in LOSSES and node.op != "Dot"


def _mean(node: Node) -> bool:
    default = "sum" if node.op == "HalfSquaredError" else "mean"
    return _reduced(node) and node.attrs.get("reduction", default) == "mean"


FAULTS: tuple[Fault, ...] = (
    Fault("A101", "σ′ missing", "The error signal passes the activation as if it were the identity.",
          "δ_z = δ_a", "δ_z = δ_a ⊙ σ′(z)", "backward", _no_slope, _elementwise),
    Fault("A102", "σ′ taken at a instead of z", "The derivative is evaluated at the activation's output, σ′(σ(z)).",
          "δ_z = δ_a ⊙ σ′(a)", "δ_z = δ_a ⊙ σ′(z)", "backward", _slope_at_output, _elementwise),
    Fault("A103", "output form of σ′ fed with z", "a(1 − a), or 1 − a², is right for the output a; here a is z.",
          "δ_z = δ_a ⊙ z(1 − z)  (tanh: 1 − z²)", "δ_z = δ_a ⊙ a(1 − a)  (tanh: 1 − a²)", "backward",
          _output_form_at_input, _op("Sigmoid", "Tanh")),
    Fault("A104", "tanh′ without the square", "1 − a where 1 − a² is meant.",
          "δ_z = δ_a ⊙ (1 − a)", "δ_z = δ_a ⊙ (1 − a²)", "backward", _slope_of_output(lambda a: 1 - a), _op("Tanh")),
    Fault("A105", "the activation itself for its derivative", "σ(z) is multiplied in where σ′(z) belongs.",
          "δ_z = δ_a ⊙ σ(z)", "δ_z = δ_a ⊙ σ′(z)", "backward", _slope_of_output(lambda a: a), _elementwise),
    Fault("A106", "softmax with a diagonal Jacobian", "Each output is differentiated by its own input only.",
          "δ_z = δ_y ⊙ y(1 − y)", "δ_z = y ⊙ (δ_y − Σ δ_y y)", "backward", _diagonal, _op("Softmax", "Softmin")),
    Fault("W101", "transposed weights in the backward pass", "Legal only for square W, where nothing complains.",
          "δ_x = δ Wᵀ", "δ_x = δ W", "backward", _transposed,
          lambda n: n.op == "Linear" and n.attrs.get("in_features") == n.attrs.get("out_features")),
    Fault("W102", "transposed partial of the weights", "x and δ have changed places.",
          "∂L/∂W = xᵀ δ", "∂L/∂W = δᵀ x", "partial", _weights(lambda x, d: x.T @ d),
          lambda n: n.op == "Linear" and n.attrs.get("in_features") == n.attrs.get("out_features")),
    Fault("W103", "last sample only", "Assigned in a loop over the samples where it should be added: = for +=.",
          "∂L/∂W = δ_N x_Nᵀ", "∂L/∂W = Σₙ δ_n x_nᵀ", "partial",
          _weights(lambda x, d: d[-1:].T @ x[-1:]), _op("Linear")),
    Fault("W104", "first sample only", "The sum over the samples stops after the first.",
          "∂L/∂W = δ_1 x_1ᵀ", "∂L/∂W = Σₙ δ_n x_nᵀ", "partial", _weights(lambda x, d: d[:1].T @ x[:1]), _op("Linear")),
    Fault("W105", "last sample dropped", "The loop over the samples ends one too early.",
          "Σ over n < N", "Σ over n ≤ N", "partial", _weights(lambda x, d: d[:-1].T @ x[:-1]), _op("Linear")),
    Fault("W108", "last sample only, weights and biases", "Assigned in a loop over the samples: = for +=.",
          "δ_N x_Nᵀ, δ_N", "Σₙ δ_n x_nᵀ, Σₙ δ_n", "partial", _rows(slice(-1, None)), _op("Linear")),
    Fault("W109", "first sample only, weights and biases", "The sum over the samples stops after the first.",
          "δ_1 x_1ᵀ, δ_1", "Σₙ δ_n x_nᵀ, Σₙ δ_n", "partial", _rows(slice(0, 1)), _op("Linear")),
    Fault("W110", "last sample dropped, weights and biases", "The loop over the samples ends one too early.",
          "Σ over n < N", "Σ over n ≤ N", "partial", _rows(slice(0, -1)), _op("Linear")),
    Fault("R101", "mean for sum over the batch, weights", "The loss has already averaged; the partial divides again.",
          "∂L/∂W = δᵀ x / N", "∂L/∂W = δᵀ x", "partial", _times("weight", _inverse)),
    Fault("R102", "mean for sum over the batch, weights and biases", "The partials divide by the batch size again.",
          "δᵀ x / N, Σₙ δ_n / N", "δᵀ x, Σₙ δ_n", "partial", _times(None, _inverse)),
    Fault("R103", "sum for mean over the batch", "The loss averages over the samples; its gradient does not.",
          "δ = ∂ℓ/∂y", "δ = ∂ℓ/∂y / N", "backward", _unaveraged, _mean),
    Fault("R104", "sum for mean over all entries", "The loss averages over samples and units; its gradient does not.",
          "δ = ∂ℓ/∂y", "δ = ∂ℓ/∂y / (N K)", "backward", _loss_times(_entries), _mean),
    Fault("R105", "mean for sum over the batch, loss", "The loss sums over the samples; its gradient averages.",
          "δ = ∂ℓ/∂y / N", "δ = ∂ℓ/∂y", "backward", _loss_times(lambda s: _inverse(_samples(s))), _reduced),
    Fault("R106", "mean for sum over all entries, loss", "The loss sums over all entries; its gradient averages.",
          "δ = ∂ℓ/∂y / (N K)", "δ = ∂ℓ/∂y", "backward", _loss_times(lambda s: _inverse(_entries(s))), _reduced),
    Fault("B101", "bias partial averaged", "The mean over the samples where the sum belongs.",
          "∂L/∂b = meanₙ δ_n", "∂L/∂b = Σₙ δ_n", "partial", _biases(lambda d: d.mean(0)), _op("Linear")),
    Fault("B102", "bias partial of the last sample", "Assigned where it should be added, or not summed at all.",
          "∂L/∂b = δ_N", "∂L/∂b = Σₙ δ_n", "partial", _biases(lambda d: d[-1]), _op("Linear")),
    Fault("B103", "bias partial of the first sample", "Not summed over the batch; only the first row is kept.",
          "∂L/∂b = δ_1", "∂L/∂b = Σₙ δ_n", "partial", _biases(lambda d: d[0]), _op("Linear")),
    Fault("B104", "bias partial forgotten", "The bias never learns.",
          "∂L/∂b = 0", "∂L/∂b = Σₙ δ_n", "partial", _biases(lambda d: d.sum(0) * 0), _op("Linear")),
    Fault("W106", "weight partial forgotten", "The weights never learn.",
          "∂L/∂W = 0", "∂L/∂W = δᵀ x", "partial", _times("weight", lambda n: 0.0)),
    Fault("S101", "sign of the loss gradient", "t − y where y − t is meant: descent climbs.",
          "δ = t − y", "δ = y − t", "backward", _loss_times(lambda s: -1.0), _reduced),
    Fault("S102", "sign of a layer's error signal", "The layer hands its error signal down with the wrong sign.",
          "δ_x = −(∂y/∂x)ᵀ δ", "δ_x = (∂y/∂x)ᵀ δ", "backward", _negated, lambda n: n.op not in LOSSES),
    Fault("S103", "sign of a partial", "The partial of the parameters has the wrong sign.",
          "∂L/∂θ = −…", "∂L/∂θ = …", "partial", _times(None, lambda n: -1.0)),
    Fault("S104", "sign of the weight partial", "The partial of the weights has the wrong sign.",
          "∂L/∂W = −δᵀ x", "∂L/∂W = δᵀ x", "partial", _times("weight", lambda n: -1.0)),
    Fault("S105", "sign of the bias partial", "The partial of the biases has the wrong sign.",
          "∂L/∂b = −Σₙ δ_n", "∂L/∂b = Σₙ δ_n", "partial", _times("bias", lambda n: -1.0)),
    Fault("L101", "factor 2 missing", "The half of ½(y − t)² is differentiated where the loss has none.",
          "δ = y − t", "δ = 2(y − t)", "backward", _loss_times(lambda s: 0.5), _reduced),
    Fault("L102", "half missing", "The loss has the half; its gradient keeps the 2.",
          "δ = 2(y − t)", "δ = y − t", "backward", _loss_times(lambda s: 2.0), _reduced),
    Fault("H101", "arguments ignored in the backward pass", "The formula is right for the default arguments only.",
          "σ′ with the default alpha, slope, …", "σ′ with the arguments of the layer", "backward", _defaults,
          lambda n: bool(n.attrs) and (n.op in ELEMENTWISE or _reduced(n))),
    Fault("G101", "first input forgotten", "Where branches meet, the first gets no error signal back.",
          "δ_a = 0", "δ_a = δ", "backward", _use_forgotten(0), lambda n: len(n.inputs) > 1),
    Fault("G102", "second input forgotten", "Where branches meet, the second gets no error signal back.",
          "δ_b = 0", "δ_b = δ", "backward", _use_forgotten(1), lambda n: len(n.inputs) > 1),
    Fault("G103", "no error signal handed down", "The layers below get nothing.",
          "δ_x = 0", "δ_x = (∂y/∂x)ᵀ δ", "backward", _nothing_back),
    Fault("N101", "statistics taken for constants", "Mean and variance depend on every sample; the formula forgets it.",
          "δ_x = γ δ / σ", "δ_x = γ/σ (δ − mean δ − x̂ mean(δ x̂))", "backward",
          _statistics_constant, _op("BatchNorm1d")),
    Fault("D101", "dropout mask not applied", "Dropped units learn all the same.",
          "δ_x = δ / (1 − p)", "δ_x = δ ⊙ mask / (1 − p)", "backward", _mask_forgotten, _op("Dropout")),
    Fault("D102", "dropout scale not applied", "The forward pass divides by 1 − p, the backward pass does not.",
          "δ_x = δ ⊙ mask", "δ_x = δ ⊙ mask / (1 − p)", "backward", _scale_forgotten, _op("Dropout")),
)  # fmt: skip

PROTOCOL = {
    "P101": Fault("P101", "gradient accumulated from an earlier call",
                  "Nothing sets the gradients to zero between calls.",
                  "grad += …", "grad = …", "backward", None),
    "P102": Fault("P102", "bias partial not summed", "One row for each sample is returned.",
                  "∂L/∂b = δ", "∂L/∂b = Σₙ δ_n", "partial", None),
    "W107": Fault("W107", "updated weights used for the hidden error signals",
                  "The weights are stepped before the error signal passes through them.",
                  "δ_x = δ (W − η ∂L/∂W)", "δ_x = δ W", "backward", None),
    "G104": Fault("G104", "one branch of a fan-out forgotten", "A tensor used twice hears from one use only.",
                  "δ = last use", "δ = Σ over uses", "backward", None),
}  # fmt: skip
"""Faults whose hypothesis is not one node's: `diagnose` holds how each is recognised."""
