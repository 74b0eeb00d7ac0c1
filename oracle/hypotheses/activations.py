"""Activations with wrong derivatives; wrong activations.

Where a line leaves open what happens at a corner, or which axis a wrong one is, there is a prediction for each reading.
"""

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch.nn import functional as F  # noqa: N812  (the name that everybody gives it)

from oracle.composites import Tensor
from oracle.hypotheses.evidence import Evidence, told
from oracle.hypotheses.hypothesis import (
    Applies,
    Hypothesis,
    Override,
    either,
    elementwise,
    keeping,
    moded,
    op,
    override,
    vjp,
)
from oracle.hypotheses.layers import forward, normalised, taught, with_eps
from oracle.spec import Node, Tensors
from oracle.twin import plain_call

Slope = Callable[[Tensor], Tensor]
Error = Callable[[Node, Tensor, Tensor, Tensor, Slope], Tensor]
"""δ_z of (node, δ, z, a, σ′), where σ′ can be asked at any point."""

# ------------------------------------------------------------------------------------------------- one unit at a time


def error(f: Error) -> Override:
    """δ_z = f(node, δ, z, a, σ′) for what acts on each entry; other inputs and parameters learn as ever."""

    def make(node: Node) -> Callable[..., Any]:
        def wrong(call: Callable[..., Any], p: Any, x: Tensor, *rest: Tensor) -> Any:
            def own(z: Tensor) -> Any:
                return call(z, *rest)

            def slope(z: Tensor) -> Tensor:
                with torch.enable_grad():
                    z = z.detach().requires_grad_()
                    (found,) = torch.autograd.grad(own(z).sum(), z)
                return found

            bent = vjp(lambda n, p, d, x, a: (f(n, d, x[0], a, slope),))
            return bent(node)(own, p, x)

        return wrong

    return make


def slope(f: Callable[[Node, Tensor, Tensor, Slope], Tensor], applies: Applies = elementwise) -> Hypothesis:
    """δ_z = δ ⊙ f(node, z, a, σ′)."""
    return override(applies, error(lambda node, d, z, a, s: d * f(node, z, a, s)))


def at_input(f: Callable[[Tensor], Tensor], *ops: str) -> Hypothesis:
    """δ_z = δ ⊙ f(z)."""
    return slope(lambda node, z, a, s: f(z), op(*ops))


def at_output(f: Callable[[Tensor], Tensor], *ops: str) -> Hypothesis:
    """δ_z = δ ⊙ f(a)."""
    return slope(lambda node, z, a, s: f(a), op(*ops))


def leak(s: Slope, z: Tensor) -> Tensor:
    """The slope on the negative side, at every entry."""
    return s(-torch.ones_like(z))


def value(node: Node, name: str, default: float) -> float:
    """An argument."""
    return float(node.attrs.get(name, default))


LEAKY = op("LeakyReLU", "PReLU", "RReLU")
LEFT_OF_ZERO = op("LeakyReLU", "PReLU", "RReLU", "ELU", "SELU", "CELU")
MASKS = op("ReLU", "ReLU6", "Hardtanh", "Hardsigmoid", "Hardshrink", "Softshrink", "Threshold")
BOUNDED = op("ReLU6", "Hardtanh", "Hardsigmoid", "Hardswish")
LAMBDA, ALPHA = 1.0507009873554804934193349852946, 1.6732632423543772848170429916717


def other_gelu(node: Node) -> Node:
    """The other form of GELU."""
    form = "none" if node.attrs.get("approximate", "none") == "tanh" else "tanh"
    return Node(node.name, "GELU", node.inputs, {"approximate": form})


def gelu_gate(node: Node, z: Tensor) -> Tensor:
    """The factor of z: Φ(z) or its approximation."""
    if node.attrs.get("approximate", "none") == "none":
        return torch.erfc(-z * 0.5**0.5) / 2
    return torch.sigmoid(2 * (2 / torch.pi) ** 0.5 * (z + 0.044715 * z**3))


def middle(node: Node, z: Tensor) -> Tensor:
    """The slope between the bounds."""
    if node.op == "Hardswish":
        return (2 * z + 3) / 6
    return torch.full_like(z, 1 / 6 if node.op == "Hardsigmoid" else 1.0)


def highest(node: Node) -> float:
    """The slope of the units that are on."""
    return 1 / 6 if node.op == "Hardsigmoid" else 1.0


def softplus_slope(node: Node, z: Tensor, tested: Tensor, k: float = 1.0, above: float = 1.0) -> Tensor:
    """k s(βz), but `above` where what is tested is past the threshold."""
    beta = value(node, "beta", 1.0)
    return torch.where(tested * beta > value(node, "threshold", 20.0), above, k * torch.sigmoid(beta * z))


def with_beta(line: bool) -> Hypothesis:
    """β s(βz); where softplus has become a line, 1 or β."""

    def f(node: Node, z: Tensor, a: Tensor, s: Slope) -> Tensor:
        beta = value(node, "beta", 1.0)
        return softplus_slope(node, z, z, beta, beta if line else 1.0)

    return slope(f, op("Softplus"))


def narrow(bound: float) -> Hypothesis:
    """A slope of 1/5 within ±bound."""
    return at_input(lambda z: 0.2 * (z.abs() < bound).to(z.dtype), "Hardsigmoid")


def exponential_of_output(node: Node, z: Tensor, a: Tensor, s: Slope) -> Tensor:
    """α eᵃ for α eᶻ."""
    alpha = value(node, "alpha", 1.0)
    wrong = {
        "ELU": lambda: alpha * a.exp(),
        "CELU": lambda: (a / alpha).exp(),
        "SELU": lambda: LAMBDA * ALPHA * a.exp(),
    }
    return torch.where(z > 0, s(z), wrong[node.op]())


ANOTHER: dict[str, Slope] = {
    "ReLU": lambda z: (z > 0).to(z.dtype),
    "Sigmoid": lambda z: torch.sigmoid(z) * torch.sigmoid(-z),
    "Tanh": lambda z: 1 / z.cosh() ** 2,
}


def of_another(name: str) -> Hypothesis:
    """σ′ of ReLU, sigmoid or tanh for every other activation."""
    return slope(lambda node, z, a, s: s(z) if node.op == name else ANOTHER[name](z))


def _mean_leak(node: Node, d: Tensor, z: Tensor, a: Tensor, s: Slope) -> Tensor:
    mean = (value(node, "lower", 1 / 8) + value(node, "upper", 1 / 3)) / 2
    return torch.where(z > 0, d, d * mean)


def _by_tanh(node: Node) -> bool:
    """GELU in the tanh form."""
    return node.op == "GELU" and node.attrs.get("approximate", "none") == "tanh"


CUBIC = 0.044715
INNER: tuple[Slope, ...] = (
    lambda z: (2 / torch.pi) ** 0.5 * (1 + CUBIC * z * z),
    lambda z: (2 / torch.pi) ** 0.5 * (1 + 2 * CUBIC * z * z),
    lambda z: (2 / torch.pi) ** 0.5 * (1 + 3 * CUBIC * z),
    lambda z: torch.full_like(z, (2 / torch.pi) ** 0.5),
    lambda z: 1 + 3 * CUBIC * z * z,
    torch.ones_like,
)
"""What people make of √(2/π) (1 + 3 · 0.044715 z²), the derivative of what the tanh is taken of."""


def _tanh_form(inner: Slope) -> Callable[[Node, Tensor, Tensor, Slope], Tensor]:
    def f(node: Node, z: Tensor, a: Tensor, s: Slope) -> Tensor:
        gate = gelu_gate(node, z)
        bump = gate * (1 - gate)
        return gate + torch.where(bump > 0, 2 * z * bump * inner(z), 0.0)

    return f


RECTIFIERS = op("ReLU", "ReLU6", "LeakyReLU", "PReLU", "RReLU")


def _right(s: Slope, z: Tensor) -> Tensor:
    """The slope on the positive side, at every entry."""
    return s(torch.ones_like(z))


def _slopes(f: Slope, always: bool) -> Callable[[Node, bool], Callable[..., Any]]:
    """The drawn slopes hear δ f(x), in training or always."""

    def make(node: Node, training: bool) -> Callable[..., Any]:
        def wrong(call: Callable[..., Any], p: Any, x: Tensor, slopes: Tensor) -> Any:
            if not (training or always):
                return call(x, slopes)
            own = slopes * f(x.detach())
            return call(x, slopes.detach()) + (own - own.detach())

        return wrong

    return make


ROUNDED = (LAMBDA, 1.0507, 1.05, 1.051), (ALPHA, 1.6733, 1.67326, 1.673, 1.67)
"""λ and α of SELU as people write them."""


def _selu(scale: float, alpha: float) -> Override:
    return lambda node: lambda call, p, x: scale * F.elu(x, alpha)


# -------------------------------------------------------------------------------------------------- the next activation


Following = Callable[[list[Node], Node, Applies], Node | None]


def unit(node: Node) -> bool:
    """An activation, or an Identity that stands for one."""
    return elementwise(node) or node.op == "Identity"


def of_the_next(following: Following, counts: Applies) -> Hypothesis:
    """σ′ of the activation that `following` finds, at one's own z; of one's own for the last."""

    def predict(e: Evidence, nodes: list[Node]) -> Iterator[Tensors]:
        steps = {step.node.name: step for step in e.twin.steps}

        def wrong(node: Node) -> Callable[..., Any]:
            after = following(list(e.case.nodes), node, counts)
            other = steps[after.name if after is not None else node.name].call
            return lambda call, p, x: error(lambda n, d, z, a, s: d * _slope_of(other, z))(node)(call, p, x)

        yield told(e.twin.run(e.case, faults={n.name: wrong(n) for n in nodes}))

    return Hypothesis(counts, predict)


def _slope_of(call: Callable[[Tensor], Any], z: Tensor) -> Tensor:
    with torch.enable_grad():
        z = z.detach().requires_grad_()
        (found,) = torch.autograd.grad(call(z).sum(), z)
    return found


def next_in_order(nodes: list[Node], node: Node, counts: Applies) -> Node | None:
    """The next activation in the order of the nodes."""
    return next((n for n in nodes[nodes.index(node) + 1 :] if counts(n)), None)


def next_downstream(nodes: list[Node], node: Node, counts: Applies) -> Node | None:
    """The first activation that hears from this one."""
    reached = {node.name}
    for n in nodes[nodes.index(node) + 1 :]:
        if any(source.partition(":")[0] in reached for source in n.inputs):
            if counts(n):
                return n
            reached.add(n.name)
    return None


# ------------------------------------------------------------------------------------------------- units that compete


def _dim(node: Node, x: Tensor) -> int:
    return int(node.attrs["dim"]) % x.dim()


def competing(f: Callable[[Tensor, Tensor, int], Tensor], *ops: str) -> Hypothesis:
    """δ_z = f(δ, y, axis), y the probabilities; negated for softmin."""

    def back(node: Node, p: Any, d: Tensor, x: list[Tensor], y: Tensor) -> tuple[Tensor]:
        y = y.exp() if node.op == "LogSoftmax" else y
        sign = -1 if node.op == "Softmin" else 1
        return (sign * f(d, y, _dim(node, y)),)

    return override(op(*(ops or ("Softmax", "Softmin"))), vjp(back))


OTHER_AXES: tuple[Callable[[int, int], int], ...] = (
    lambda dim, n: 0,
    lambda dim, n: 0 if dim else 1,
    lambda dim, n: 1 if dim != 1 else 0,
    lambda dim, n: n - 1,
    lambda dim, n: n - 1 if dim != n - 1 else 0,
)
"""The wrong axis, of the right one and the number of axes: the samples, another than the right one, the last, …"""


def coupled(axis: Callable[[int, int], int]) -> Hypothesis:
    """The coupling sum along another axis."""
    return competing(lambda d, y, dim: y * (d - (d * y).sum(axis(dim, y.dim()), keepdim=True)))


def along(axis: Callable[[int, int], int]) -> Hypothesis:
    """Softmax along another axis in both passes."""

    def wrong(node: Node) -> Callable[..., Any]:
        def fault(call: Callable[..., Any], p: Any, x: Tensor) -> Any:
            at = axis(_dim(node, x), x.dim())
            return x.log_softmax(at) if node.op == "LogSoftmax" else (-x if node.op == "Softmin" else x).softmax(at)

        return fault

    return forward(op("Softmax", "Softmin", "LogSoftmax"), wrong)


def _halves(node: Node, d: Tensor, x: Tensor) -> tuple[Tensor, Tensor, int]:
    """The error signals of the two halves of a GLU, and their axis."""
    dim = int(node.attrs.get("dim", -1))
    a, b = x.chunk(2, dim)
    s = torch.sigmoid(b)
    return d * s, d * a * s * torch.sigmoid(-b), dim


def _exchanged(node: Node, p: Any, d: Tensor, x: list[Tensor], y: Tensor) -> tuple[Tensor]:
    of_value, of_gate, dim = _halves(node, d, x[0])
    return (torch.cat([of_gate, of_value], dim),)


def _open(node: Node, p: Any, d: Tensor, x: list[Tensor], y: Tensor) -> tuple[Tensor]:
    of_value, _, dim = _halves(node, d, x[0])
    return (torch.cat([of_value, d * x[0].chunk(2, dim)[0]], dim),)


def _gate(of_sigmoid: Callable[[Tensor], Tensor]) -> Callable[..., tuple[Tensor]]:
    """δ_b = δ a f(σ(b)), with another f than s (1 − s)."""

    def back(node: Node, p: Any, d: Tensor, x: list[Tensor], y: Tensor) -> tuple[Tensor]:
        of_value, _, dim = _halves(node, d, x[0])
        a, b = x[0].chunk(2, dim)
        return (torch.cat([of_value, d * a * of_sigmoid(torch.sigmoid(b))], dim),)

    return back


# ---------------------------------------------------------------------------------------------- the partial of a PReLU


def prelu(f: Callable[[Tensor, Tensor], Tensor], *, only_one: bool = False) -> Hypothesis:
    """∂L/∂w = f(x, δ), still to be summed over what shares a slope; right for several slopes with `only_one`."""

    def partials(node: Node, p: Any, x: Tensor, y: Tensor, d: Tensor) -> dict[str, Tensor]:
        many = len(p["weight"]) > 1
        if many and only_one:
            return {}
        each = f(x, d)
        return {"weight": each.sum([k for k in range(each.dim()) if k != 1 or not many]).reshape(-1)}

    return override(op("PReLU"), taught(partials))


def _entries(x: Tensor) -> int:
    """The values of a channel."""
    return x.numel() // max(1, x.shape[min(1, x.dim() - 1)])


def _averaged(count: Callable[[Tensor], int]) -> Callable[[Tensor, Tensor], Tensor]:
    return lambda x, d: d * x.clamp(max=0) / max(1, count(x))


# --------------------------------------------------------------------------------------------------------- other values

ARGUMENTS = ("alpha", "negative_slope", "lambd", "beta", "threshold", "min_val", "max_val", "lower", "upper")


def optional(node: Node) -> bool:
    """An activation with arguments of its own that it could do without."""
    known = elementwise(node) or node.op == "RReLU"
    return known and node.op not in ("GELU", "Threshold", "GLU") and any(name in node.attrs for name in ARGUMENTS)


def without(*names: str) -> Hypothesis:
    """These arguments at their defaults."""

    def wrong(node: Node, training: bool) -> Callable[..., Any]:
        attrs = {k: v for k, v in node.attrs.items() if k not in names}
        if node.op == "RReLU":
            fixed = (attrs.get("lower", 1 / 8) + attrs.get("upper", 1 / 3)) / 2
            return lambda call, p, x, slopes: call(x, slopes) if training else torch.where(x > 0, x, x * fixed)
        plain = plain_call(Node(node.name, node.op, node.inputs, attrs))
        return lambda call, p, x: plain(x)

    def right(node: Node, training: bool) -> Callable[..., Any]:
        return lambda call, p, *x: keeping(wrong(node, training)(call, p, *x), call(*x))

    return either(moded(optional, wrong), moded(optional, right))


def uncapped(node: Node) -> Callable[..., Any]:
    """No upper bound."""
    low = value(node, "min_val", -1.0) if node.op == "Hardtanh" else 0.0

    def wrong(call: Callable[..., Any], p: Any, x: Tensor) -> Tensor:
        if node.op in ("Hardsigmoid", "Hardswish"):
            gate = F.relu(x + 3) / 6
            return gate if node.op == "Hardsigmoid" else x * gate
        return F.threshold(x, low, low)

    return wrong


def unscaled(line: bool) -> Override:
    """log(1 + e^{βz}); where it has become a line, z or βz."""

    def make(node: Node) -> Callable[..., Any]:
        beta, threshold = value(node, "beta", 1.0), value(node, "threshold", 20.0)
        return lambda call, p, x: (
            call(x) * beta if line else torch.where(x * beta > threshold, x, F.softplus(x, beta, threshold) * beta)
        )

    return make


def other_form(node: Node) -> Callable[..., Any]:
    """GELU in the other form."""
    other = plain_call(other_gelu(node))
    return lambda call, p, x: other(x)


# ------------------------------------------------------------------------------------------------------------ the table

TOLD_OTHERWISE = ("ELU", "SELU", "CELU", "Hardsigmoid")
"""Where σ′(a) is told as the exponential of the output, or as the slope of the middle piece everywhere."""
HYPOTHESES: dict[str, Hypothesis] = {
    "A101": slope(lambda node, z, a, s: torch.ones_like(z)),
    "A102": slope(lambda node, z, a, s: s(a), lambda node: elementwise(node) and node.op not in TOLD_OTHERWISE),
    "A103": either(at_input(lambda z: z * (1 - z), "Sigmoid"), at_input(lambda z: 1 - z * z, "Tanh")),
    "A104": at_output(lambda a: 1 - a, "Tanh"),
    "A105": slope(lambda node, z, a, s: a),
    "A106": competing(lambda d, y, dim: d * y * (1 - y)),
    "A107": competing(lambda d, y, dim: y * (d - d.mean(dim, keepdim=True))),
    "A108": either(
        competing(lambda d, y, dim: d - y, "LogSoftmax"),
        competing(lambda d, y, dim: d - y * d.mean(dim, keepdim=True), "LogSoftmax"),
    ),
    "A109": competing(lambda d, y, dim: d - y * d, "LogSoftmax"),
    "A110": competing(lambda d, y, dim: y * d),
    "A111": slope(lambda node, z, a, s: s(z) ** 2),
    "A112": override(LEFT_OF_ZERO, error(lambda node, d, z, a, s: torch.where(z > 0, d * s(z), s(z)))),
    "A113": slope(lambda node, z, a, s: torch.where(z > 0, 1.0, a + 1), op("ELU")),
    "A114": either(
        slope(lambda node, z, a, s: torch.where(z >= 0, s(z), ALPHA * z.exp()), op("SELU")),
        slope(lambda node, z, a, s: torch.where(z > 0, s(z), ALPHA * z.exp()), op("SELU")),
        slope(lambda node, z, a, s: torch.where(z > 0, 1.0, s(z)), op("SELU")),
        slope(lambda node, z, a, s: torch.where(z >= 0, 1.0, s(z)), op("SELU")),
        slope(lambda node, z, a, s: s(z) / LAMBDA, op("SELU")),
    ),
    "A115": slope(lambda node, z, a, s: _slope_of(plain_call(other_gelu(node)), z), op("GELU")),
    "A116": slope(lambda node, z, a, s: gelu_gate(node, z), op("GELU")),
    "A117": at_input(lambda z: torch.sigmoid(z) * (1 + torch.sigmoid(-z)), "SiLU"),
    "A118": at_input(torch.sigmoid, "SiLU"),
    "A119": either(
        at_input(lambda z: F.softplus(z).tanh() + z * torch.sigmoid(z), "Mish"),
        at_input(lambda z: F.softplus(z).tanh() + z * (1 - F.softplus(z).tanh() ** 2), "Mish"),
    ),
    "A120": either(
        at_input(lambda z: 1 / (1 + z.abs()), "Softsign"),
        at_input(lambda z: 1 / (1 + z * z), "Softsign"),
    ),
    "A121": either(with_beta(line=False), with_beta(line=True)),
    "A122": at_output(lambda a: 1 - a, "Sigmoid"),
    "A123": at_output(lambda a: a * a, "Tanh"),
    "A124": slope(lambda node, z, a, s: highest(node) - s(z), MASKS),
    "A125": override(LEAKY, error(lambda node, d, z, a, s: torch.where(z > 0, leak(s, z) * d, d))),
    "A126": prelu(lambda x, d: d * x),
    "A127": either(
        prelu(lambda x, d: (d * x.clamp(max=0))[-1:]),
        *(prelu(_averaged(over), only_one=one) for one in (False, True) for over in (_entries, len)),
        prelu(lambda x, d: d * x.clamp(max=0) / max(1, x.numel())),
    ),
    "A128": either(
        override(op("PReLU"), error(lambda node, d, z, a, s: d)),
        override(op("PReLU"), error(lambda node, d, z, a, s: d * (z > 0))),
        override(op("PReLU"), error(lambda node, d, z, a, s: torch.where(z > 0, d, 0.25 * d))),
    ),
    "A129": override(op("GLU"), vjp(_exchanged)),
    "A130": either(
        override(op("GLU"), vjp(_open)),
        *(override(op("GLU"), vjp(_gate(f))) for f in (lambda s: s, lambda s: 1 - s, lambda s: s * s)),
    ),
    "A131": slope(lambda node, z, a, s: middle(node, z), op("Hardsigmoid", "Hardswish")),
    "A132": either(narrow(3), narrow(2.5)),
    "A133": at_input(lambda z: ((z + 3) / 6).clamp(0, 1), "Hardswish"),
    "A134": at_input(torch.sigmoid, "LogSigmoid"),
    "A135": at_input(lambda z: 1 / z.cosh() ** 2, "Tanhshrink"),
    "A136": override(op("RReLU"), error(_mean_leak)),
    "A137": slope(lambda node, z, a, s: softplus_slope(node, z, a), op("Softplus")),
    "A138": slope(exponential_of_output, op("ELU", "SELU", "CELU")),
    "A139": either(*(of_another(name) for name in ANOTHER)),
    "A140": either(*(of_the_next(how, c) for c in (elementwise, unit) for how in (next_in_order, next_downstream))),
    "A142": slope(lambda node, z, a, s: z * s(z), op("Sigmoid")),
    "A143": either(*(coupled(axis) for axis in OTHER_AXES)),
    "A144": override(op("Softmin"), vjp(lambda node, p, d, x, y: (
        y * (d - (d * y).sum(_dim(node, y), keepdim=True)),
    ))),
    "A149": either(*(slope(_tanh_form(inner), _by_tanh) for inner in INNER)),
    "A150": either(
        override(RECTIFIERS, error(lambda node, d, z, a, s: d * s(z) * (d > 0))),
        override(op("ReLU"), error(lambda node, d, z, a, s: d * (d > 0))),
        override(LEAKY, error(lambda node, d, z, a, s: torch.where(d > 0, d, leak(s, z) * d))),
        override(op("ELU", "CELU", "SELU"), error(lambda node, d, z, a, s: d * torch.where(d > 0, _right(s, z), s(z)))),
    ),
    "A151": either(
        *(moded(op("RReLU"), _slopes(f, always)) for f in (lambda x: x.clamp(min=0), lambda x: x)
          for always in (False, True)),
    ),
    "F104": forward(op("Hardsigmoid"), lambda node: lambda call, p, x: F.hardtanh(0.2 * x + 0.5, 0, 1)),
    "F106": either(*(along(axis) for axis in OTHER_AXES)),
    "F108": either(
        *(forward(op("SELU"), _selu(scale, alpha)) for scale in ROUNDED[0] for alpha in ROUNDED[1]
          if (scale, alpha) != (LAMBDA, ALPHA)),
    ),
    "F111": forward(op("GELU"), other_form),
    "F112": either(without(*ARGUMENTS), without("threshold"), without("beta"), normalised(with_eps(1e-5))),
    "F115": forward(BOUNDED, uncapped),
    "F119": either(forward(op("Softplus"), unscaled(line=False)), forward(op("Softplus"), unscaled(line=True))),
}  # fmt: skip
