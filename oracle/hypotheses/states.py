"""Answers under the wrong name or with the wrong digits, and floating-point numbers: formulas as a first draft has
them, computed in the case's own dtype, infinities and NaN included.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import torch
from torch.nn import functional as F  # noqa: N812  (the name that everybody gives it)

from oracle.composites import Tensor
from oracle.hypotheses.evidence import Evidence, told
from oracle.hypotheses.graphs import live
from oracle.hypotheses.hypothesis import (
    Applies,
    Hypothesis,
    Override,
    anything,
    either,
    elementwise,
    keeping,
    op,
    override,
    vjp,
)  # fmt: skip
from oracle.hypotheses.losses import CE, Classes, back, clipped, reduced, shifted, sloped, times
from oracle.spec import Array, Node, Tensors

# ---------------------------------------------------------------------------------------------------- names and buffers


def _groups(e: Evidence, names: Iterable[str]) -> dict[tuple[int, ...], list[str]]:
    """Names by the shape of their gradient."""
    found: dict[tuple[int, ...], list[str]] = {}
    for name in names:
        found.setdefault(e.right[name].shape, []).append(name)
    return found


def renamed(e: Evidence, names: list[str], sources: list[str]) -> Iterator[Tensors]:
    """Each name with the gradient of its source: of all names, if the shapes fit; and within each shape."""
    if all(e.right[a].shape == e.right[b].shape for a, b in zip(names, sources, strict=True)):
        yield {**e.right, **{a: e.right[b] for a, b in zip(names, sources, strict=True)}}
    mixed: Tensors = {}
    for many in _groups(e, names).values():
        mixed.update(zip(many, [e.right[b] for b in sources if b in many], strict=True))
    yield {**e.right, **mixed}


def _exchanged(e: Evidence) -> Iterator[Tensors]:
    """The opposite order; the next of its shape; or whatever exchange the answer shows."""
    names = list(e.case.parameters)
    yield from renamed(e, names, names[::-1])
    for step in (1, -1):
        turned = [
            pair for many in _groups(e, names).values() for pair in zip(many, many[step:] + many[:step], strict=True)
        ]
        yield {**e.right, **{a: e.right[b] for a, b in turned}}
    shown = _shown(e, sorted(e.wrong & set(names)))
    if set(shown) == set(shown.values()):
        yield {**e.right, **{a: e.right[b] for a, b in shown.items()}}


def _shown(e: Evidence, names: list[str]) -> dict[str, str]:
    """For each of these gradients, the one among them that was returned for it."""
    found = {}
    for name in names:
        for other in names:
            right, got = e.right[other], np.asarray(e.got[name])
            near = 1e-9 * float(np.abs(right).max(initial=0)) if e.case.dtype == "float64" else 1e-4
            if right.shape == got.shape and np.allclose(got, right, rtol=1e-4, atol=near):
                found[name] = other
    return found


def _sorted_as_text(e: Evidence) -> Iterator[Tensors]:
    """Names, or nodes, sorted as text, beside gradients in the order of the layers; or the reverse."""
    names = list(e.case.parameters)
    nodes = list(dict.fromkeys(name.rpartition(".")[0] for name in names))
    by_node = sorted(names, key=lambda name: sorted(nodes).index(name.rpartition(".")[0]))
    for order in (sorted(names), by_node):
        place = dict(zip(order, names, strict=True))
        yield from renamed(e, names, [place[name] for name in names])
        yield from renamed(e, names, order)


def _one_buffer(e: Evidence) -> Iterator[Tensors]:
    """Gradients of one shape are all the one that was written last: in the order of parameters, or of nodes."""
    names, heard = list(e.case.parameters), live(e.case)
    written = [name for node in e.case.nodes for name in _learned(e, [node])]
    alive = [name for node in heard for name in _learned(e, [node])]
    for order in (names, names[::-1], written, written[::-1], alive, alive[::-1]):
        last = {e.right[name].shape: name for name in order if name in e.right}
        shared = {name: e.right[last[e.right[name].shape]] for name in names if e.right[name].shape in last}
        yield {**e.right, **shared}


def _owns(node: Node, name: str) -> bool:
    return name == node.parameter(name.rpartition(".")[2])


def _learned(e: Evidence, nodes: list[Node]) -> list[str]:
    """The parameters of these nodes."""
    return [name for name in e.case.parameters if any(_owns(node, name) for node in nodes)]


def _truncated(e: Evidence, nodes: list[Node]) -> Iterator[Tensors]:
    """Fractions cut off: of all partials, or of those of whole-numbered parameters; of inputs too, or not."""
    given = {**e.case.parameters, **e.case.inputs}
    inputs = [name for node in nodes for name in node.inputs if name in e.case.inputs and name in e.right]
    for names in (_learned(e, nodes), [*_learned(e, nodes), *inputs]):
        for always in (True, False):
            cut = [n for n in names if always or np.array_equal(given[n], np.trunc(given[n]))]
            yield {**e.right, **{name: np.trunc(e.right[name]) for name in cut}}


# ---------------------------------------------------------------------------------------------------- the answer's size

BOUNDS = (1.0, 5.0)


def _normalised(e: Evidence, nodes: list[Node]) -> Iterator[Tensors]:
    """G / max(1, ‖g‖), or g/‖g‖: of each partial, or of all of them together; of inputs too, or not."""
    own = _learned(e, nodes)
    for names in (own, [n for n in e.case.wanted() if n in e.right]) if own else ([],):
        for together in (False, True):
            norms = {name: float(np.linalg.norm(e.right[name])) for name in names}
            if together:
                norms = dict.fromkeys(names, float(np.sqrt(sum(n * n for n in norms.values()))))
            scales = [{name: min(1.0, bound / (n + tiny)) if n else 1.0 for name, n in norms.items()}
                      for bound in BOUNDS for tiny in (0.0, 1e-6)]  # fmt: skip
            for scale in (*scales, {name: 1 / n if n else 1.0 for name, n in norms.items()}):
                yield {**e.right, **{name: e.right[name] * scale[name] for name in names}}


def _thresholds(e: Evidence) -> list[float]:
    """1e-8, and one that lies between what was set to 0 and what was kept."""
    gone = [np.abs(e.right[n][(g == 0) & (e.right[n] != 0)]).max(initial=0) for n, g in _gradients(e)]
    read = float(np.nextafter(max(gone, default=0.0), np.inf))
    return [1e-8, *([read] if read > 1e-300 else [])]


def _gradients(e: Evidence) -> Iterator[tuple[str, Array]]:
    return ((n, g) for n, g in e.got.items() if n in e.truth.gradients and np.shape(g) == e.right[n].shape)


class _Through(torch.autograd.Function):
    """The identity, whose error signal is changed on its way."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, change: Callable[[Tensor], Tensor]) -> Tensor:
        ctx.change = change
        return x.clone()

    @staticmethod
    def backward(ctx: Any, delta: Tensor) -> Any:
        return ctx.change(delta), None


def through(x: Any, change: Callable[[Tensor], Tensor]) -> Any:
    """X, or each of several tensors, whose error signal is changed."""
    if isinstance(x, tuple):
        return tuple(through(t, change) for t in x)
    return _Through.apply(x, change) if x.is_floating_point() else x  # type: ignore[no-untyped-call]


def handing(change: Callable[[Tensor], Tensor]) -> Override:
    """The node hands down error signals that are changed."""
    return lambda node: lambda call, p, *x: call(*[through(t, change) for t in x])


def hearing(change: Callable[[Tensor], Tensor]) -> Override:
    """The node hears an error signal that is changed, and its partials with it."""
    return lambda node: lambda call, p, *x: through(call(*x), change)


def _flushed(e: Evidence) -> Iterator[Tensors]:
    """Entries below a threshold: of the answer, of its partials, or of what nodes (of one kind) hand down."""
    for bound in _thresholds(e):
        flush = {n: np.where(np.abs(e.right[n]) < bound, 0.0, e.right[n]) for n in e.truth.gradients}
        yield {**e.right, **flush}
        yield {**e.right, **{n: g for n, g in flush.items() if n in e.case.parameters}}
        change = _flush(bound)
        for ops in [{n.op for n in e.case.nodes}, *({n.op} for n in e.case.nodes)]:
            for make in (handing(change), hearing(change)):
                yield told(e.twin.run(e.case, faults={n.name: make(n) for n in e.case.nodes if n.op in ops}))


def _flush(bound: float) -> Callable[[Tensor], Tensor]:
    return lambda g: torch.where(g.abs() < bound, 0.0, g)


# ------------------------------------------------------------------------------------------ single precision, somewhere


def _single(x: Tensor) -> Tensor:
    return x.float().double()


def _cached(node: Node) -> Callable[..., Any]:
    """The backward pass with inputs that were kept in single precision."""

    def wrong(call: Any, p: Any, *x: Tensor) -> Any:
        if node.op == "BatchNorm1d":
            raise ValueError("a second call would move the running statistics")
        y = call(*x)
        kept = call(*[t + (_single(t) - t).detach() if t.is_floating_point() else t for t in x])
        if isinstance(y, tuple):
            return tuple(keeping(a, b) for a, b in zip(y, kept, strict=True))
        return keeping(y, kept)

    return wrong


def _cached_output(node: Node) -> Callable[..., Any]:
    """σ′ from an output that was kept in single precision, for what is written in terms of it."""
    slopes = {"Sigmoid": lambda a: a * (1 - a), "Tanh": lambda a: 1 - a * a}

    def wrong(call: Any, p: Any, x: Tensor) -> Any:
        y = call(x)
        return keeping(y, x * slopes[node.op](_single(y.detach())))

    return wrong


def _single_weights(node: Node) -> Callable[..., Any]:
    return lambda call, p, x: keeping(call(x), F.linear(x, _lowered(p["weight"]), p.get("bias")))


def _lowered(x: Tensor) -> Tensor:
    return x + (_single(x) - x).detach()


def _single_slope(node: Node) -> Callable[..., Any]:
    """Only σ′ is rounded."""

    def wrong(call: Any, p: Any, x: Tensor, *rest: Tensor) -> Any:
        leaf = x.detach().requires_grad_()
        with torch.enable_grad():
            y = call(leaf, *[t.detach() for t in rest])
            (slope,) = torch.autograd.grad(y.sum(), leaf)
        return keeping(call(x, *rest), x * _single(slope))

    return wrong


def _constants(node: Node) -> Callable[..., Any]:
    """The arguments of the layer in single precision, in the backward pass."""
    attrs = {k: float(np.float32(v)) if isinstance(v, float) else v for k, v in node.attrs.items()}
    other = Node(node.name, node.op, node.inputs, attrs)
    return vjp(lambda node, p, delta, x, y: back(other, delta, x))(node)


def _single_partials(e: Evidence, nodes: list[Node]) -> Iterator[Tensors]:
    yield {**e.right, **{n: e.right[n].astype(np.float32).astype(float) for n in _learned(e, nodes)}}


def _plain(node: Node) -> bool:
    """Operators that act on each entry, or have nothing to learn."""
    return node.op not in ("Linear", "BatchNorm1d", "PReLU", "Chunk", "Dropout", "RReLU")


def _doubled(h: Hypothesis) -> Hypothesis:
    """What shows in float64 only."""

    def predict(e: Evidence, nodes: list[Node]) -> Iterator[Tensors]:
        if e.case.dtype == "float32":
            yield e.right
        else:
            yield from h.predict(e, nodes)

    return Hypothesis(h.applies, predict)


# --------------------------------------------------------------------------------------------------- naive formulas

Typed = Callable[[Node, torch.dtype], Callable[..., Any]]
"""(node, dtype of the case) -> wrong(call, p, *x)."""


def typed(applies: Applies, *wrong: Typed) -> Hypothesis:
    """Overrides that compute in the dtype of the case; a prediction for each."""

    def one(make: Typed) -> Hypothesis:
        def predict(e: Evidence, nodes: list[Node]) -> Iterator[Tensors]:
            dtype: torch.dtype = getattr(torch, e.case.dtype)
            yield told(e.twin.run(e.case, faults={n.name: make(n, dtype) for n in nodes}))

        return Hypothesis(applies, predict)

    return either(*(one(make) for make in wrong))


def naive(value: Callable[..., Tensor], *slopes: Callable[..., Any]) -> list[Typed]:
    """A value(node, *x) in the case's dtype: differentiated as it stands, as it should be, or by these slopes.

    A slope(node, z, a, *rest) is that of one entry, from the wrong output a.
    """

    def found(node: Node, dtype: torch.dtype, x: Iterable[Tensor]) -> Tensor:
        return value(node, *[t.to(dtype) if t.is_floating_point() else t for t in x]).double()

    def itself(node: Node, dtype: torch.dtype) -> Callable[..., Any]:
        return lambda call, p, *x: found(node, dtype, x)

    def right(node: Node, dtype: torch.dtype) -> Callable[..., Any]:
        return lambda call, p, *x: keeping(found(node, dtype, x), call(*x))

    def by(slope: Callable[..., Any]) -> Typed:
        def make(node: Node, dtype: torch.dtype) -> Callable[..., Any]:
            def formula(node: Node, p: Any, delta: Tensor, x: list[Tensor], y: Tensor) -> Any:
                own = [t.to(dtype) if t.is_floating_point() else t for t in x]
                slopes = slope(node, own[0], value(node, *own), *own[1:]).double()
                return delta * slopes, *back(node, delta, x)[1:]

            wrong = vjp(formula)(node)
            return lambda call, p, *x: keeping(found(node, dtype, x), wrong(call, p, *x))

        return make

    return [itself, right, *(by(slope) for slope in slopes)]


def _ratio(z: Tensor) -> Tensor:
    """Eᶻ/(1 + eᶻ)."""
    return z.exp() / (1 + z.exp())


def _gated(node: Node, x: Tensor) -> Tensor:
    a, b = x.chunk(2, node.attrs.get("dim", -1))
    return a * _ratio(b)


def _ratio_of_output(node: Node, z: Tensor, a: Tensor) -> Tensor:
    return a * (1 - a)


def _ratio_of_input(node: Node, z: Tensor, a: Tensor) -> Tensor:
    return z.exp() / (1 + z.exp()) ** 2


TANH: tuple[Callable[[Tensor], Tensor], ...] = (
    lambda z: (z.exp() - (-z).exp()) / (z.exp() + (-z).exp()),
    lambda z: ((2 * z).exp() - 1) / ((2 * z).exp() + 1),
    lambda z: (1 - (-2 * z).exp()) / (1 + (-2 * z).exp()),
)
"""Hyperbolic tangents that overflow on one side or both."""


def _tanh_by(tanh: Callable[[Tensor], Tensor]) -> Callable[..., Tensor]:
    return lambda node, z: tanh(z)


def _gelu_by(tanh: Callable[[Tensor], Tensor]) -> Callable[..., Tensor]:
    def value(node: Node, z: Tensor) -> Tensor:
        if node.attrs.get("approximate", "none") != "tanh":
            raise ValueError("no tanh here")
        return 0.5 * z * (1 + tanh((2 / torch.pi) ** 0.5 * (z + 0.044715 * z**3)))

    return value


def _tanh_slope(node: Node, z: Tensor, a: Tensor) -> Tensor:
    return 1 - a * a


def _linear_and_log(node: Node, z: Tensor, t: Tensor) -> Tensor:
    """(1 − t) z + (1 + (q − 1) t) log(1 + e⁻ᶻ)."""
    w, q = (torch.tensor(1.0 if node.attrs.get(k) is None else node.attrs[k], dtype=z.dtype)
            for k in ("weight", "pos_weight"))  # fmt: skip
    return reduced(w * ((1 - t) * z + (1 + (q - 1) * t) * (1 + (-z).exp()).log()), node)


def _over_shifted(eps: float) -> Callable[[Node, Tensor, Tensor], Tensor]:
    """(y − t)/(y (1 − y) + ε)."""

    def slope(node: Node, y: Tensor, t: Tensor) -> Tensor:
        given = node.attrs.get("weight")
        w = torch.tensor(1.0 if given is None else given, dtype=y.dtype)
        return w * (y - t) / (y * (1 - y) + eps)

    return slope


def _swish(node: Node, z: Tensor, a: Tensor) -> Tensor:
    return _ratio(z) * (1 + z * (1 - _ratio(z)))


def _softplus(bounded: bool) -> Callable[..., Tensor]:
    """Log(1 + e^{βz})/β, with the switch to a line, or without."""

    def value(node: Node, z: Tensor) -> Tensor:
        beta = node.attrs.get("beta", 1.0)
        curve = (1 + (beta * z).exp()).log() / beta
        return torch.where(beta * z > node.attrs.get("threshold", 20.0), z, curve) if bounded else curve

    return value


def _softplus_slope(form: Callable[[Tensor], Tensor], bounded: bool) -> Callable[..., Tensor]:
    def slope(node: Node, z: Tensor, a: Tensor) -> Tensor:
        beta = node.attrs.get("beta", 1.0)
        line = beta * z > node.attrs.get("threshold", 20.0)
        return torch.where(line, 1.0, form(beta * z)) if bounded else form(beta * z)

    return slope


def _mish(node: Node, z: Tensor) -> Tensor:
    return z * torch.tanh((1 + z.exp()).log())


def _mish_slope(node: Node, z: Tensor, a: Tensor) -> Tensor:
    t = torch.tanh((1 + z.exp()).log())
    return t + z * _ratio(z) * (1 - t * t)


def _binary(log_y: Callable[[Tensor], Tensor], log_rest: Callable[[Tensor], Tensor]) -> Callable[..., Tensor]:
    """The loss on logits from log σ and log(1 − σ)."""

    def value(node: Node, z: Tensor, t: Tensor) -> Tensor:
        w, q = (torch.tensor(node.attrs.get(k) or 1.0, dtype=z.dtype) for k in ("weight", "pos_weight"))
        return reduced(-w * (q * t * log_y(z) + (1 - t) * log_rest(z)), node)

    return value


def _saturated(node: Node, z: Tensor, a: Tensor, t: Tensor) -> Tensor:
    """(−t/σ + (1 − t)/(1 − σ)) σ(1 − σ): 0 · ∞ where σ has rounded to 0 or 1."""
    w, q = (torch.tensor(node.attrs.get(k) or 1.0, dtype=z.dtype) for k in ("weight", "pos_weight"))
    s = torch.sigmoid(z)
    slope = w * (-q * t / s + (1 - t) / (1 - s)) * (s * (1 - s))
    return slope / (max(1, z.numel()) if node.attrs.get("reduction", "mean") == "mean" else 1)


def _unshifted(node: Node, z: Tensor) -> Tensor:
    """Eᶻ/Σ eᶻ, or its logarithm."""
    e = (-z if node.op == "Softmin" else z).exp()
    y = e / e.sum(node.attrs["dim"], keepdim=True)
    return y.log() if node.op == "LogSoftmax" else y


def _unshifted_sum(node: Node, z: Tensor) -> Tensor:
    """Z − log Σ eᶻ, for LogSoftmax alone."""
    if node.op != "LogSoftmax":
        raise ValueError("no logarithm here")
    return z - z.exp().sum(node.attrs["dim"], keepdim=True).log()


def _softmax_by_output(dtype_value: Callable[..., Tensor]) -> Typed:
    """The naive output, and the usual formula fed with it."""

    def make(node: Node, dtype: torch.dtype) -> Callable[..., Any]:
        def formula(node: Node, p: Any, delta: Tensor, x: list[Tensor], y: Tensor) -> Any:
            a, dim = dtype_value(node, x[0].to(dtype)).double(), node.attrs["dim"]
            if node.op == "LogSoftmax":
                return (delta - a.exp() * delta.sum(dim, keepdim=True),)
            own = a * (delta - (delta * a).sum(dim, keepdim=True))
            return (-own if node.op == "Softmin" else own,)

        wrong = vjp(formula)(node)
        return lambda call, p, x: keeping(dtype_value(node, x.to(dtype)).double(), wrong(call, p, x))

    return make


Probabilities = Callable[[Tensor, int], Tensor]


def _log_sum(z: Tensor, axis: int) -> Tensor:
    return z - z.exp().sum(axis, keepdim=True).log()


def _log_of_ratio(z: Tensor, axis: int) -> Tensor:
    return (z.exp() / z.exp().sum(axis, keepdim=True)).log()


def _log_of_softmax(z: Tensor, axis: int) -> Tensor:
    return torch.softmax(z, axis).log()


def _exp_ratio(z: Tensor, axis: int) -> Tensor:
    return z.exp() / z.exp().sum(axis, keepdim=True)


def _exp_log_sum(z: Tensor, axis: int) -> Tensor:
    return _log_sum(z, axis).exp()


def cross_entropy(logs: Probabilities, *ys: Probabilities) -> list[Typed]:
    """A cross-entropy of these log y, its gradient autograd's, the right one, or y − t with one of these y."""

    def value(node: Node, dtype: torch.dtype, x: list[Tensor], gathered: bool) -> Tensor:
        c = Classes(node, x)
        own = logs(x[0].to(dtype), c.axis).double()
        if gathered:
            return c.cost(c.goal, own)
        costs = -(c.weight * c.goal * own * c.counts).sum(c.axis)
        return reduced(costs, node, c.n)

    def plain(gathered: bool, right: bool) -> Typed:
        def make(node: Node, dtype: torch.dtype) -> Callable[..., Any]:
            def wrong(call: Any, p: Any, *x: Tensor) -> Any:
                found = value(node, dtype, list(x), gathered)
                return keeping(found, call(*x)) if right else found

            return wrong

        return make

    def by(y: Probabilities, gathered: bool) -> Typed:
        def make(node: Node, dtype: torch.dtype) -> Callable[..., Any]:
            def formula(node: Node, p: Any, delta: Tensor, x: list[Tensor], _: Tensor) -> Any:
                c = Classes(node, x)
                to_z = c.error(c.goal, y(x[0].to(dtype), c.axis).double()) * c.share(delta)
                return torch.where(c.counts, to_z, 0.0), back(node, delta, x)[1]

            wrong = vjp(formula)(node)
            return lambda call, p, *x: keeping(value(node, dtype, list(x), gathered), wrong(call, p, *x))

        return make

    both = (True, False)
    return [
        *(plain(gathered, right) for gathered in both for right in both),
        *(by(y, gathered) for y in ys for gathered in both),
    ]


def _clipped(bound: float) -> Typed:
    """No error signal where a probability was clipped."""

    def make(node: Node, dtype: torch.dtype) -> Callable[..., Any]:
        def formula(node: Node, p: Any, delta: Tensor, x: list[Tensor], y: Tensor) -> Any:
            s = x[0].to(dtype)
            s = torch.sigmoid(s) if node.op == "BCEWithLogitsLoss" else s
            to_y, *rest = back(node, delta, x)
            return (None if to_y is None else torch.where((s < bound) | (s > 1 - bound), 0.0, to_y)), *rest

        return vjp(formula)(node)

    return make


# ------------------------------------------------------------------------------------------------------- 0 · ∞


def _masks(node: Node, z: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """(mask, slope where it is 1, slope where it is 0)."""
    a, beta = node.attrs.get("alpha", 1.0), node.attrs.get("beta", 1.0)
    one = torch.ones_like(z)
    if node.op == "ELU":
        return z > 0, one, a * z.exp()
    if node.op == "CELU":
        return z > 0, one, (z / a).exp()
    if node.op == "SELU":
        scale, alpha = 1.0507009873554804934193349852946, 1.6732632423543772848170429916717
        return z > 0, scale * one, scale * alpha * z.exp()
    if node.op == "Softplus":
        return beta * z > node.attrs.get("threshold", 20.0), one, _ratio(beta * z)
    return z >= 0, 1 / (1 + (-z).exp()) ** 2 * (-z).exp(), z.exp() / (1 + z.exp()) ** 2


def _branches(node: Node, z: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The same of the value."""
    a = node.attrs.get("alpha", 1.0)
    if node.op == "ELU":
        return z > 0, z, a * (z.exp() - 1)
    if node.op == "CELU":
        return z > 0, z, a * ((z / a).exp() - 1)
    if node.op == "SELU":
        scale, alpha = 1.0507009873554804934193349852946, 1.6732632423543772848170429916717
        return z > 0, scale * z, scale * alpha * (z.exp() - 1)
    raise ValueError("the value has no mask")


def _product(mask: Tensor, a: Tensor, b: Tensor) -> Tensor:
    return mask.to(a.dtype) * a + (~mask).to(a.dtype) * b


def _masked_slope(node: Node, dtype: torch.dtype) -> Callable[..., Any]:
    def formula(node: Node, p: Any, delta: Tensor, x: list[Tensor], y: Tensor) -> Any:
        return (delta * _product(*_masks(node, x[0].to(dtype))).double(),)

    return vjp(formula)(node)


def _masked_value(node: Node, dtype: torch.dtype) -> Callable[..., Any]:
    slope = _masked_slope(node, dtype)
    return lambda call, p, x: keeping(_product(*_branches(node, x.to(dtype))).double(), slope(call, p, x))


def _masked_signal(node: Node) -> Callable[..., Any]:
    """δ times a mask, where an infinite δ meets a 0."""

    def formula(node: Node, p: Any, delta: Tensor, x: list[Tensor], y: Tensor) -> Any:
        return times(delta, back(node, torch.ones_like(delta), x))

    return vjp(formula)(node)


BRANCHED = op("ELU", "CELU", "SELU", "Softplus", "Sigmoid")
FLAT = op("ReLU", "ReLU6", "Hardtanh", "Hardshrink", "Softshrink", "Hardsigmoid", "Threshold")
LEARNING = op("Linear", "PReLU", "BatchNorm1d")

HYPOTHESES: dict[str, Hypothesis] = {
    # ------------------------------------------------------------------------------------------------ names, buffers
    "P107": anything(_exchanged),
    "P108": anything(_sorted_as_text),
    "P109": anything(_one_buffer),
    "P114": Hypothesis(LEARNING, _truncated),
    # ----------------------------------------------------------------------------------------- floating-point numbers
    "X101": either(
        typed(op("Sigmoid"), *naive(lambda node, z: _ratio(z), _ratio_of_output, _ratio_of_input)),
        typed(op("SiLU"), *naive(lambda node, z: z * _ratio(z), _swish)),
        typed(op("GLU"), *naive(_gated)),
        *(typed(op("Tanh"), *naive(_tanh_by(f), _tanh_slope)) for f in TANH),
        *(typed(op("GELU"), *naive(_gelu_by(f))) for f in TANH),
    ),
    "X102": either(
        *(
            typed(
                op("Softplus"),
                *naive(
                    _softplus(bounded),
                    *(_softplus_slope(f, b) for f in (_ratio, torch.sigmoid) for b in (bounded, False)),
                ),
            )
            for bounded in (False, True)
        ),
        typed(op("Mish"), *naive(_mish, _mish_slope)),
        typed(
            op("LogSigmoid"),
            *naive(
                lambda node, z: -(1 + (-z).exp()).log(),
                lambda node, z, a: torch.sigmoid(-z),
                lambda node, z, a: 1 - a.exp(),
            ),
            *naive(lambda node, z: z - (1 + z.exp()).log(), lambda node, z, a: torch.sigmoid(-z)),
        ),
        typed(op("BCEWithLogitsLoss"), *naive(_linear_and_log)),
        typed(
            op("BCEWithLogitsLoss"),
            *naive(_binary(lambda z: -(1 + (-z).exp()).log(), lambda z: -(1 + z.exp()).log())),
        ),
    ),
    "X103": typed(
        op("LogSigmoid"),
        *naive(lambda node, z: (1 / (1 + (-z).exp())).log(), lambda node, z, a: 1 - a.exp()),
        *naive(lambda node, z: torch.sigmoid(z).log()),
        *naive(lambda node, z: _ratio(z).log(), lambda node, z, a: 1 - _ratio(z)),
    ),
    "X104": typed(
        op("Softmax", "Softmin", "LogSoftmax"),
        *naive(_unshifted),
        _softmax_by_output(_unshifted),
        *naive(_unshifted_sum),
        _softmax_by_output(_unshifted_sum),
    ),
    "X105": typed(
        CE,
        *cross_entropy(_log_sum, _exp_ratio, _exp_log_sum),
        *cross_entropy(_log_of_ratio, _exp_ratio),
    ),
    "X106": either(
        typed(
            op("BCEWithLogitsLoss"),
            *naive(
                _binary(lambda z: (1 / (1 + (-z).exp())).log(), lambda z: (1 - 1 / (1 + (-z).exp())).log()), _saturated
            ),
            *naive(_binary(lambda z: torch.sigmoid(z).log(), lambda z: (1 - torch.sigmoid(z)).log())),
        ),
        typed(CE, *cross_entropy(_log_of_softmax)),
    ),
    "X107": either(
        typed(op("BCELoss", "BCEWithLogitsLoss"), *(_clipped(bound) for bound in (1e-7, 1e-8, 1e-12, 1e-15))),
        clipped(cut=True),
    ),
    "X108": shifted(1e-8),
    "X113": sloped(op("BCELoss"), *map(_over_shifted, (1e-8, 1e-7, 1e-6, 1e-5, 1e-10, 1e-12, 1e-15)), opposite=True),
    "X109": _doubled(
        either(
            override(lambda node: True, handing(_single)),
            override(lambda node: True, hearing(_single)),
            override(lambda node: True, _cached),
            override(op("Sigmoid", "Tanh"), _cached_output),
            override(op("Linear"), _single_weights),
            override(elementwise, _single_slope),
            override(lambda node: _plain(node) and bool(node.attrs), _constants),
            Hypothesis(LEARNING, _single_partials),
        )
    ),
    "X110": anything(_flushed),
    "X111": Hypothesis(LEARNING, _normalised),
    "X112": either(
        typed(BRANCHED, _masked_slope, _masked_value),
        override(FLAT, _masked_signal),
    ),
}
