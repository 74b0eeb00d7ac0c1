"""Linear, BatchNorm1d and Dropout with wrong partials, error signals or outputs.

Where a line leaves open what a sample is in a sequence, or what becomes of a corner case, there is a prediction for
each reading.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import inf
from typing import Any

import numpy as np
import torch

from oracle.composites import Tensor
from oracle.hypotheses.evidence import Evidence, told
from oracle.hypotheses.hypothesis import (
    Applies,
    Hypothesis,
    Override,
    either,
    formula,
    keeping,
    moded,
    op,
    override,
    vjp,
)
from oracle.spec import Array, Case, Node, Tensors
from oracle.twin import Truth

Params = Mapping[str, Tensor]

# ------------------------------------------------------------------------------------------------------------- tools


def spared(condition: Callable[[Node], bool], h: Hypothesis) -> Hypothesis:
    """A fault that may spare nodes of a kind: there the truth is foretold too."""

    def predict(e: Evidence, nodes: list[Node]) -> Iterator[Tensors]:
        yield from h.predict(e, nodes)
        if any(condition(node) for node in nodes):
            yield e.right

    return Hypothesis(h.applies, predict)


def where(condition: Callable[[Evidence, Node], bool], h: Hypothesis) -> Hypothesis:
    """A reading that differs from another only in cases with such a node."""

    def predict(e: Evidence, nodes: list[Node]) -> Iterator[Tensors]:
        if any(condition(e, node) for node in nodes):
            yield from h.predict(e, nodes)

    return Hypothesis(h.applies, predict)


def axes(e: Evidence, node: Node) -> int:
    """The number of axes of a node's input."""
    return e.truth.values[node.inputs[0]].ndim


def deep(h: Hypothesis) -> Hypothesis:
    """A reading that differs with sequences only."""
    return where(lambda e, node: axes(e, node) > 2, h)


def cased(applies: Applies, wrong: Callable[[Node, Case], Callable[..., Any]]) -> Hypothesis:
    """`override` for what needs the case: its mode, its running statistics."""

    def predict(e: Evidence, nodes: list[Node]) -> Iterator[Tensors]:
        yield told(e.twin.run(e.case, faults={n.name: wrong(n, e.case) for n in nodes}))

    return Hypothesis(applies, predict)


def forward(applies: Applies, wrong: Override) -> Hypothesis:
    """A wrong value, with the gradients of the function it is, or those of the right one."""

    def value(node: Node) -> Callable[..., Any]:
        return lambda call, p, *x: keeping(wrong(node)(call, p, *x), call(*x))

    return either(override(applies, wrong), override(applies, value))


def taught(partials: Callable[..., Mapping[str, Tensor]]) -> Override:
    """Other partials of the parameters: partials(node, p, x, y, delta) by role; all else is kept."""

    def make(node: Node) -> Callable[..., Any]:
        def wrong(call: Callable[..., Any], p: Params, *x: Tensor) -> Any:
            inputs = [t.detach().requires_grad_(t.is_floating_point()) for t in x]
            own = {role: t.detach() for role, t in p.items()}
            real = [t for t in inputs if t.requires_grad]
            y = call(*inputs)

            def back(delta: Tensor) -> list[Tensor | None]:
                found = torch.autograd.grad(y, [*real, *p.values()], delta, allow_unused=True, retain_graph=True)
                wrong = partials(node, own, inputs[0].detach(), y.detach(), delta)
                right = iter(found)
                errors = [next(right) if t.requires_grad else None for t in inputs]
                return [*errors, *(wrong.get(role, g) for role, g in zip(p, right, strict=True))]

            return _Taught.apply(back, y.detach(), *x, *p.values())  # type: ignore[no-untyped-call]

        return wrong

    return make


class _Taught(torch.autograd.Function):
    """A value y, whose inputs and parameters hear what `back` makes of δ."""

    @staticmethod
    def forward(ctx: Any, back: Callable[[Tensor], Any], y: Tensor, *leaves: Tensor) -> Tensor:
        ctx.back = back
        return y.clone()

    @staticmethod
    def backward(ctx: Any, delta: Tensor) -> Any:
        return (None, None, *ctx.back(delta))


def heard(change: Callable[[Tensor], Tensor]) -> Override:
    """The whole node, parameters included, hears another error signal than was sent."""

    def make(node: Node) -> Callable[..., Any]:
        bent = vjp(lambda n, p, delta, x, y: (change(delta),))(node)
        return lambda call, p, *x: bent(lambda y: y.clone(), {}, call(*x))

    return make


# ------------------------------------------------------------------------------------------------------------ Linear

LINEAR = op("Linear")


def square(node: Node) -> bool:
    """Linear, as many units as inputs."""
    return LINEAR(node) and node.attrs.get("in_features") == node.attrs.get("out_features")


def biased(node: Node) -> bool:
    """Linear with a bias."""
    return LINEAR(node) and bool(node.attrs.get("bias", True))


def rows(x: Tensor) -> Tensor:
    """(N, …, F) as (N …, F)."""
    return x.reshape(-1, x.shape[-1])


def product(delta: Tensor, x: Tensor) -> Tensor:
    """δᵀ x, over all leading axes."""
    return rows(delta).T @ rows(x)


def total(delta: Tensor) -> Tensor:
    """Σ δ, over all leading axes."""
    return rows(delta).sum(0)


def steps(x: Tensor) -> Tensor:
    """Each step of a sequence is a sample."""
    return rows(x)


def sequences(x: Tensor) -> Tensor:
    """Each sequence is a sample."""
    return x


def of_samples(wrong: Callable[[Callable[[Tensor], Tensor]], Hypothesis]) -> Hypothesis:
    """Both readings of what a sample is."""
    return either(wrong(steps), deep(wrong(sequences)))


def weights(f: Callable[..., Tensor], applies: Applies = LINEAR) -> Hypothesis:
    """∂L/∂W = f(W, x, δ)."""
    return override(applies, taught(lambda node, p, x, y, d: {"weight": f(p["weight"], x, d)}))


def biases(f: Callable[[Tensor], Tensor], applies: Applies = biased) -> Hypothesis:
    """∂L/∂b = f(δ)."""
    return override(applies, taught(lambda node, p, x, y, d: {"bias": f(d)}))


def both(f: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]], applies: Applies = LINEAR) -> Hypothesis:
    """Both partials of other inputs and error signals: x, δ -> x, δ."""

    def wrong(node: Node, p: Params, x: Tensor, y: Tensor, delta: Tensor) -> dict[str, Tensor]:
        x, delta = f(x, delta)
        return {"weight": product(delta, x), "bias": total(delta)}

    return override(applies, taught(wrong))


def errors(f: Callable[[Tensor, Tensor], Tensor], applies: Applies = LINEAR) -> Hypothesis:
    """δ_x = f(δ, W)."""
    return override(applies, vjp(lambda node, p, d, x, y: (f(d, p["weight"]),)))


def weights_of(keep: slice) -> Hypothesis:
    """∂L/∂W of these samples only."""
    return of_samples(lambda as_: weights(lambda w, x, d: product(as_(d)[keep], as_(x)[keep])))


def both_of(keep: slice) -> Hypothesis:
    """∂L/∂W and ∂L/∂b of these samples only."""
    return of_samples(lambda as_: both(lambda x, d: (as_(x)[keep], as_(d)[keep])))


def biases_of(keep: slice) -> Hypothesis:
    """∂L/∂b of these samples only."""
    return of_samples(lambda as_: biases(lambda d: total(as_(d)[keep])))


def biases_of_step(keep: slice) -> Hypothesis:
    """∂L/∂b of these steps of a sequence only."""
    return biases(lambda d: total(d[:, keep] if d.dim() > 2 else d))


def unless_one(as_: Callable[[Tensor], Tensor], x: Tensor) -> int:
    """1, but 0 for a batch of one."""
    return int(len(as_(x)) != 1)


def first_for_all(as_: Callable[[Tensor], Tensor]) -> Hypothesis:
    """The error signal of the first sample, at every sample."""
    return errors(lambda d, w: as_(d)[:1].expand_as(as_(d)).reshape(d.shape) @ w)


def averaged(delta: Tensor, count: int) -> Tensor:
    """Σ δ / count; NaN for no samples, like any mean of nothing."""
    return total(delta) / count if count else total(delta) * torch.nan


def with_rate(unit: Callable[[float], Hypothesis]) -> Hypothesis:
    """A fault with an unknown rate: read from the tensors on which it acts in proportion, then made exact by Newton."""

    def predict(e: Evidence, nodes: list[Node]) -> Iterator[Tensors]:
        def at(rate: float) -> Tensors:
            return next(unit(rate).predict(e, nodes))

        with np.errstate(all="ignore"):
            one, two, off = (_less(x, e.right, e.got) for x in (at(1.0), at(2.0), e.got))
            straight = {n: x for n, x in one.items() if n in two and _near(two[n], 2 * x)}
            rate = _ratio(off, straight) or _ratio(off, one)
            for _ in range(3):
                if not rate:
                    raise ValueError("no rate can be read")
                here = at(rate)
                yield here
                rise = _less(at(rate * 1.0001), here, e.got)
                rate *= 1 + 1e-4 * _ratio(_less(e.got, here, e.got), rise)

    return Hypothesis(unit(1.0).applies, predict)


def _less(a: Tensors, b: Tensors, of: Tensors) -> Tensors:
    """The difference, of tensors that are finite."""
    return {name: x for name in of if np.isfinite(x := a[name] - b[name]).all()}


def _near(a: Array, b: Array) -> bool:
    return bool(np.abs(a - b).max(initial=0) <= 1e-6 * np.abs(b).max(initial=0))


def _ratio(of: Tensors, to: Tensors) -> float:
    """k of `of` = k `to`, by least squares; 0 if there is none."""
    both = of.keys() & to.keys()
    top, bottom = (sum(float((x[n] * to[n]).sum()) for n in both) for x in (of, to))
    return top / bottom if bottom and np.isfinite(top / bottom) else 0.0


def stale(eta: float) -> Hypothesis:
    """Error signals that pass weights which have been stepped already."""
    return override(LINEAR, vjp(lambda node, p, d, x, y: (d @ (p["weight"] - eta * product(d, x[0])),)))


def decayed(lam: float) -> Hypothesis:
    """λ W added to each weight partial."""
    return weights(lambda w, x, d: product(d, x) + lam * w)


def decayed_everywhere(lam: float) -> Hypothesis:
    """λ W added also off the loss's path; once for weights that are shared."""

    def predict(e: Evidence, nodes: list[Node]) -> Iterator[Tensors]:
        names = {n.parameter("weight") for n in nodes}
        yield {**e.right, **{n: e.right[n] + lam * e.case.parameters[n].astype(float) for n in names}}

    return Hypothesis(LINEAR, predict)


CLIPS = (5.0, 1.0, 10.0, 0.5, 0.1)
"""Where a clip of gradients begins."""


def clipped_signal(k: float) -> Iterator[Hypothesis]:
    """δ clipped before it passes the weights, before anything hears it, or behind the weights."""
    yield errors(lambda d, w: d.clamp(-k, k) @ w)
    yield override(LINEAR, heard(lambda d: d.clamp(-k, k)))
    yield errors(lambda d, w: (d @ w).clamp(-k, k))


def _clipped_behind(k: float) -> Hypothesis:
    return errors(lambda d, w: (d @ w).clamp(-k, k))


def _clipped_somewhere(e: Evidence, nodes: list[Node]) -> Iterator[Tensors]:
    """δ_x clipped at a bound that is read from the largest entry returned."""
    for name in {n.inputs[0] for n in nodes} & e.got.keys():
        got, right = np.abs(e.got[name]), np.abs(e.right[name])
        bound = float(got.max(initial=0))
        if (right > 0).sum() < 2 or not 0 < bound < right.max(initial=0) or name not in e.wrong:
            continue
        yield next(_clipped_behind(bound).predict(e, nodes))


clipped_somewhere = Hypothesis(LINEAR, _clipped_somewhere)


def clipped_answer(e: Evidence, nodes: list[Node]) -> Iterator[Tensors]:
    """Clipped in the finished answer: the weights of these nodes, all that they learn, all partials, or all gradients.

    Where nothing is so large, once.
    """
    own = [[n for n in e.case.parameters if n in {f"{x.parameter(r)}" for x in nodes for r in roles}]
           for roles in (("weight",), ("weight", "bias"))]  # fmt: skip
    seen: list[set[str]] = []
    for k in CLIPS:
        for names in (*own, list(e.case.parameters), list(e.truth.gradients)):
            large = {n for n in names if np.abs(e.right[n]).max(initial=0) > k}
            if (large or not seen) and {str(k), *large} not in seen:
                seen.append({str(k), *large})
                yield {**e.right, **{n: e.right[n].clip(-k, k) for n in large}}


def shared(e: Evidence, node: Node) -> bool:
    """Whether another node has the same weights."""
    return sum(n.parameter("weight") == node.parameter("weight") for n in e.case.nodes) > 1


def along_batch(axis: int) -> Override:
    """z = x Wᵀ + b, the bias along an axis of samples; as it should be where the lengths differ."""

    def make(node: Node) -> Callable[..., Any]:
        def wrong(call: Callable[..., Any], p: Params, x: Tensor) -> Any:
            z, width = x @ p["weight"].T, p["weight"].shape[0]
            if z.dim() < 2 or z.shape[axis] != width:
                return call(x)
            return z + p["bias"].reshape([width if k == axis % z.dim() else 1 for k in range(z.dim())])

        return wrong

    return make


# ------------------------------------------------------------------------------------------------------- BatchNorm1d

NORM = op("BatchNorm1d")


def affine(node: Node) -> bool:
    """BatchNorm1d with γ and β."""
    return NORM(node) and bool(node.attrs.get("affine", True))


def tracking(node: Node) -> bool:
    """BatchNorm1d with running statistics."""
    return NORM(node) and bool(node.attrs.get("track_running_stats", True))


def mean(x: Tensor) -> Tensor:
    """The mean of each feature, in the shape of a column."""
    return x.mean([k for k in range(x.dim()) if k != 1], keepdim=True)


def column(v: Any, x: Tensor) -> Tensor:
    """A number for each feature, to go with x."""
    return torch.as_tensor(v, dtype=x.dtype).reshape(-1, *[1] * (x.dim() - 2))


@dataclass
class Norm:
    """What the backward pass of a BatchNorm1d works with."""

    of_batch: bool
    """Whether the statistics are the batch's own."""
    n: int
    """Values of each feature."""
    width: int
    eps: float
    centred: Tensor
    variance: Tensor
    gain: Tensor

    @property
    def rate(self) -> Tensor:
        """1/√(σ² + ε)."""
        return 1 / (self.variance + self.eps).sqrt()

    @property
    def hat(self) -> Tensor:
        """x̂."""
        return self.centred * self.rate

    def core(self, delta: Tensor) -> Tensor:
        """δ − mean δ − x̂ mean(δ x̂), which for two values x̂ = ±√(1 − ε r²) is nearly nothing; δ in evaluation."""
        if not self.of_batch:
            return delta
        if self.n == 2:
            return self.eps * self.rate**2 * (delta - mean(delta))
        return self.three(delta)

    def three(self, delta: Tensor) -> Tensor:
        """δ − mean δ − x̂ mean(δ x̂) in any mode."""
        return delta - mean(delta) - self.hat * mean(delta * self.hat)

    def long(self, delta: Tensor) -> Tensor:
        """`three` with the way through the mean in the variance, which is none where the mean is the batch's own."""
        return delta - mean(delta) - (self.hat - mean(self.hat)) * mean(delta * self.hat)


def norm(node: Node, case: Case, p: Params, x: Tensor, *, always: bool = False) -> Norm:
    """The statistics that a node uses for x; of the batch `always`, if wished."""
    of_batch = always or case.training or not tracking(node)
    if of_batch:
        centred = x - mean(x)
        centred = centred - mean(centred)
        variance = mean(centred * centred)
    else:
        centred = x - column(case.buffers[node.parameter("running_mean")], x)
        variance = column(case.buffers[node.parameter("running_var")], x)
    gain = column(p["weight"], x) if "weight" in p else torch.ones((), dtype=x.dtype)
    count = x.numel() // max(1, x.shape[1])
    return Norm(of_batch, count, x.shape[1], float(node.attrs.get("eps", 1e-5)), centred, variance, gain)


def ways(f: Callable[[Norm, Tensor], Tensor], applies: Applies = NORM, *, always: bool = False) -> Hypothesis:
    """δ_x = f(statistics, δ)."""

    def wrong(node: Node, case: Case) -> Callable[..., Any]:
        return vjp(lambda n, p, d, x, y: (f(norm(n, case, p, x[0], always=always), d),))(node)

    return cased(applies, wrong)


def _mixed(node: Node, case: Case) -> Callable[..., Any]:
    """1/σ of the running statistics, and x̂ of the batch."""

    def back(n: Node, p: Params, delta: Tensor, x: list[Tensor], y: Tensor) -> tuple[Tensor]:
        own, batch = norm(n, case, p, x[0]), norm(n, case, p, x[0], always=True)
        return (own.gain * own.rate * (batch if not own.of_batch else own).core(delta),)

    return vjp(back)(node)


mixed_statistics = cased(op("BatchNorm1d"), _mixed)


def terms(f: Callable[[Norm, Tensor], Tensor]) -> Hypothesis:
    """δ_x = γ/σ f(statistics, δ) where the statistics are the batch's; else as it should be."""
    return ways(lambda s, d: s.gain * s.rate * (f(s, d) if s.of_batch else d))


def gains(f: Callable[[Norm, Tensor, Tensor, Tensor], Tensor], role: str = "weight") -> Hypothesis:
    """∂L/∂γ, or ∂L/∂β, by f(statistics, x, y, δ), still to be summed over all but the features."""

    def wrong(node: Node, case: Case) -> Callable[..., Any]:
        def partials(n: Node, p: Params, x: Tensor, y: Tensor, d: Tensor) -> dict[str, Tensor]:
            each = f(norm(n, case, p, x), x, y, d)
            return {role: each.sum([k for k in range(each.dim()) if k != 1])}

        return taught(partials)(node)

    return cased(affine, wrong)


def averaged_gains(f: Callable[[Norm, Tensor], Tensor], role: str) -> Hypothesis:
    """The mean over all values of a feature, or over the samples only."""
    return either(gains(lambda s, x, y, d: f(s, d) / s.n, role), deep(gains(lambda s, x, y, d: f(s, d) / len(d), role)))


def running(
    training: bool,
    f: Callable[[Array, Array, float], Array],
    *,
    biased: bool = False,
    counts: bool = True,
    again: bool = False,
) -> Hypothesis:
    """Running statistics by f(running, batch, momentum), in training or else in evaluation; the variance of the batch
    biased, or made unbiased (again).
    """

    def wrong(case: Case, truth: Truth, node: Node) -> Tensors:
        if case.training is not training:
            return {}
        x = truth.values[node.inputs[0]]
        over = tuple(k for k in range(x.ndim) if k != 1)
        n = x.size // max(1, x.shape[1])
        names = {role: node.parameter(role) for role in ("running_mean", "running_var", "num_batches_tracked")}
        old = {role: case.buffers[name] for role, name in names.items()}
        count = old["num_batches_tracked"] + counts
        momentum = node.attrs.get("momentum", 0.1)
        m = 1 / max(1, int(count)) if momentum is None else float(momentum)
        factor = (1.0 if biased else n / (n - 1)) * (n / max(1, n - 1) if again else 1.0)
        batch = {"running_mean": x.mean(over), "running_var": x.var(over) * factor}
        found = {f"buffer {names[role]}": f(old[role].astype(float), new, m) for role, new in batch.items()}
        return {**found, f"buffer {names['num_batches_tracked']}": np.asarray(count)}

    return formula(tracking, wrong)


def _momentum(which: Callable[[Any], bool]) -> Hypothesis:
    """0.1 for the momenta of which that holds."""
    fixed = running(True, lambda old, new, m: 0.9 * old + 0.1 * new)

    def predict(e: Evidence, nodes: list[Node]) -> Iterator[Tensors]:
        yield from fixed.predict(e, [n for n in nodes if which(n.attrs.get("momentum", 0.1))])

    return Hypothesis(tracking, predict)


def _other_eps(s: Norm) -> Norm:
    return Norm(**{**vars(s), "eps": 1e-5})


default_eps = either(
    ways(lambda s, d: s.gain * _other_eps(s).rate * _other_eps(s).core(d)),
    ways(lambda s, d: s.gain * _other_eps(s).rate * s.core(d)),
    ways(lambda s, d: s.gain * s.rate * _other_eps(s).core(d)),
)
"""The backward pass with ε at its default."""


def normalised(f: Callable[[Node, Case, Tensor], tuple[Tensor, Tensor]]) -> Hypothesis:
    """y = γ x̂ + β with x̂ = centred · rate of f(node, case, x), and three backward passes: the derivative of that, the
    formula everybody writes with that x̂ and rate, and the right one; or the right value with that derivative.
    """

    def hat(node: Node, case: Case, x: Tensor) -> Tensor:
        centred, rate = f(node, case, x)
        return centred * rate

    def value(node: Node, case: Case, p: Params, x: Tensor) -> Tensor:
        y = hat(node, case, x)
        return y * column(p["weight"], y) + column(p["bias"], y) if "weight" in p else y

    def consistent(node: Node, case: Case) -> Callable[..., Any]:
        def wrong(call: Callable[..., Any], p: Params, x: Tensor) -> Tensor:
            call(x.detach())
            return value(node, case, p, x)

        return wrong

    def written(node: Node, case: Case) -> Callable[..., Any]:
        def back(n: Node, p: Params, delta: Tensor, x: list[Tensor], y: Tensor) -> tuple[Tensor]:
            (_, rate), s = f(node, case, x[0]), norm(node, case, p, x[0])
            x_hat = hat(node, case, x[0])
            if s.of_batch:
                delta = delta - mean(delta) - x_hat * mean(delta * x_hat)
            return (s.gain * rate * delta,)

        def wrong(call: Callable[..., Any], p: Params, x: Tensor) -> Any:
            call(x.detach())
            own = vjp(back)(node)
            return own(lambda z: value(node, case, p, z), p, x)

        return wrong

    def right(node: Node, case: Case) -> Callable[..., Any]:
        return lambda call, p, x: keeping(value(node, case, p, x), call(x))

    def backward(node: Node, case: Case) -> Callable[..., Any]:
        return lambda call, p, x: keeping(call(x), value(node, case, p, x))

    return either(*(cased(NORM, wrong) for wrong in (consistent, written, right, backward)))


def with_running(h: Hypothesis, *others: Hypothesis) -> Hypothesis:
    """A wrong value beside the right running statistics, or these."""

    def predict(e: Evidence, nodes: list[Node]) -> Iterator[Tensors]:
        mine = [n for n in nodes if tracking(n)]
        buffers = [next(other.predict(e, mine)) for other in others] if e.case.training and mine else []
        for predicted in h.predict(e, nodes):
            yield predicted
            for found in buffers:
                yield {**predicted, **{name: x for name, x in found.items() if name.startswith("buffer ")}}

    return Hypothesis(h.applies, predict)


def statistics(node: Node, case: Case, x: Tensor) -> tuple[Tensor, Tensor, int, float]:
    """x − μ, σ², n or 0 for running statistics, and ε: as they should be."""
    s = norm(node, case, {}, x)
    return s.centred, s.variance, s.n if s.of_batch else 0, s.eps


def outer_eps(node: Node, case: Case, x: Tensor) -> tuple[Tensor, Tensor]:
    """ε outside the root."""
    centred, variance, _, eps = statistics(node, case, x)
    return centred, 1 / (variance.sqrt() + eps)


def unbiased(node: Node, case: Case, x: Tensor) -> tuple[Tensor, Tensor]:
    """Σ (x − μ)²/(n − 1)."""
    centred, variance, n, eps = statistics(node, case, x)
    return centred, 1 / (variance * (n / max(1, n - 1) if n else 1) + eps).sqrt()


def with_eps(eps: float) -> Callable[[Node, Case, Tensor], tuple[Tensor, Tensor]]:
    """Another ε."""

    def f(node: Node, case: Case, x: Tensor) -> tuple[Tensor, Tensor]:
        centred, variance, _, _ = statistics(node, case, x)
        return centred, 1 / (variance + eps).sqrt()

    return f


def over_units(*over: int, always: bool) -> Hypothesis:
    """Normalised over other axes than the samples; in evaluation too, or not."""

    def wrong(node: Node, case: Case) -> Callable[..., Any]:
        def fault(call: Callable[..., Any], p: Params, x: Tensor) -> Any:
            y = call(x)
            if not (always or case.training or not tracking(node)):
                return y
            centred = x - x.mean(over, keepdim=True)
            y = centred / ((centred * centred).mean(over, keepdim=True) + float(node.attrs.get("eps", 1e-5))).sqrt()
            return y * column(p["weight"], y) + column(p["bias"], y) if "weight" in p else y

        return fault

    return cased(NORM, wrong)


def of_the_batch(updating: bool) -> Hypothesis:
    """Batch statistics in evaluation."""

    def wrong(node: Node, case: Case) -> Callable[..., Any]:
        def fault(call: Callable[..., Any], p: Params, x: Tensor) -> Any:
            if case.training:
                return call(x)
            s = norm(node, case, p, x, always=True)
            return s.hat * s.gain + column(p["bias"], x) if "bias" in p else s.hat

        return fault

    def predict(e: Evidence, nodes: list[Node]) -> Iterator[Tensors]:
        (predicted,) = cased(NORM, wrong).predict(e, nodes)
        if updating and not e.case.training:
            tracked = [n for n in nodes if tracking(n)]
            (updated,) = running(False, lambda old, new, m: (1 - m) * old + m * new).predict(e, tracked)
            predicted |= {name: x for name, x in updated.items() if name.startswith("buffer ")}
        yield predicted

    return Hypothesis(NORM, predict)


# ----------------------------------------------------------------------------------------------------------- Dropout

DROPOUT = op("Dropout")
Scaled = Callable[[Tensor, Tensor, float, bool], Tensor]
"""f(what passes, mask, 1/(1 − p), training)."""


def _rate(node: Node, none: float) -> float:
    keep = 1 - float(node.attrs.get("p", 0.5))
    return 1 / keep if keep else none


def _dropped(wrong: Callable[[float], Hypothesis]) -> Hypothesis:
    """With p = 1, where 1/(1 − p) has no value, three readings."""
    rest = (where(lambda e, node: node.attrs.get("p") == 1, wrong(none)) for none in (1.0, inf))
    return either(wrong(0.0), *rest)


def dropped_errors(f: Scaled) -> Hypothesis:
    """δ_x = f(δ, mask, 1/(1 − p), training)."""

    def wrong(none: float) -> Hypothesis:
        def make(node: Node, training: bool) -> Callable[..., Any]:
            k = _rate(node, none)
            return vjp(lambda n, p, d, x, y: (f(d, x[1].to(d.dtype), k, training), None))(node)

        return moded(DROPOUT, make)

    return _dropped(wrong)


def dropped(f: Scaled) -> Hypothesis:
    """y = f(x, mask, 1/(1 − p), training), and the gradients of that or the right ones."""

    def wrong(none: float) -> Hypothesis:
        def consistent(node: Node, training: bool) -> Callable[..., Any]:
            k = _rate(node, none)
            return lambda call, p, x, mask: f(x, mask.to(x.dtype), k, training)

        def right(node: Node, training: bool) -> Callable[..., Any]:
            own = consistent(node, training)
            return lambda call, p, x, mask: keeping(own(call, p, x, mask), call(x, mask))

        return either(moded(DROPOUT, consistent), moded(DROPOUT, right))

    return _dropped(wrong)


def by_p(none: float) -> Hypothesis:
    """y = x ⊙ mask / p; with p = 0, times `none`."""

    def wrong(node: Node, training: bool) -> Callable[..., Any]:
        p = float(node.attrs.get("p", 0.5))
        k = 1 / p if p else none
        return lambda call, _, x, mask: x * mask.to(x.dtype) * k if training else call(x, mask)

    def right(node: Node, training: bool) -> Callable[..., Any]:
        return lambda call, p, x, mask: keeping(wrong(node, training)(call, p, x, mask), call(x, mask))

    return either(moded(DROPOUT, wrong), moded(DROPOUT, right))


def evaluating(h: Hypothesis) -> Hypothesis:
    """A reading that differs in evaluation."""
    return where(lambda e, node: not e.case.training, h)


def without_p(h: Hypothesis) -> Hypothesis:
    """A reading that differs where p = 0."""
    return where(lambda e, node: node.attrs.get("p") == 0, h)


# --------------------------------------------------------------------------------------------------------- the table

LAST, FIRST, BUT_LAST, BUT_FIRST = slice(-1, None), slice(0, 1), slice(0, -1), slice(1, None)

HYPOTHESES: dict[str, Hypothesis] = {
    "W101": errors(lambda d, w: d @ w.T, square),
    "W102": weights(lambda w, x, d: product(x, d), square),
    "W103": weights_of(LAST),
    "W104": weights_of(FIRST),
    "W105": weights_of(BUT_LAST),
    "W106": weights(lambda w, x, d: w * 0),
    "W107": with_rate(stale),
    "W108": both_of(LAST),
    "W109": both_of(FIRST),
    "W110": both_of(BUT_LAST),
    "W111": weights(lambda w, x, d: product(d, x.abs())),
    "W112": either(*(h for k in (1, 5) for h in clipped_signal(k)), clipped_somewhere),
    "W113": weights(lambda w, x, d: product(d, x).mean(1, keepdim=True).expand_as(w)),
    "W114": override(square, taught(lambda node, p, x, y, d: {"weight": product(d, y)})),
    "W115": either(
        Hypothesis(op("Linear", "PReLU", "BatchNorm1d"), clipped_answer),
        *(where(shared, weights(lambda w, x, d, k=k: product(d, x).clamp(-k, k))) for k in CLIPS),
    ),
    "W116": either(
        weights(lambda w, x, d: product(d[:, -1], x[:, -1]) if d.dim() > 2 else product(d, x)),
        both(lambda x, d: (x[:, -1], d[:, -1]) if d.dim() > 2 else (x, d)),
    ),
    "W117": errors(lambda d, w: d, square),
    "W118": weights(lambda w, x, d: product(d, torch.ones_like(x))),
    "W119": of_samples(lambda as_: errors(lambda d, w: d @ w / len(as_(d)))),
    "W120": either(
        errors(lambda d, w: d @ (w / w.sum(1, keepdim=True))),
        errors(lambda d, w: d @ (w / w.sum(0, keepdim=True))),
        errors(lambda d, w: d @ (w / w.sum())),
    ),
    "W121": either(with_rate(decayed), with_rate(decayed_everywhere)),
    "W122": errors(lambda d, w: d @ w.abs()),
    "W123": either(
        weights(lambda w, x, d: product(d @ w, x), square),
        override(square, taught(lambda node, p, x, y, d: {
            "weight": product(d @ p["weight"], x), "bias": total(d @ p["weight"]),
        })),
    ),
    "W124": either(
        of_samples(lambda as_: weights(lambda w, x, d: product(d, x) * unless_one(as_, x))),
        of_samples(lambda as_: both(lambda x, d: (x, d * unless_one(as_, x)))),
    ),
    "W125": of_samples(first_for_all),
    "W126": weights_of(BUT_FIRST),
    "W127": both_of(BUT_FIRST),
    "B101": either(
        of_samples(lambda as_: biases(lambda d: averaged(d, len(as_(d))))),
        where(lambda e, node: not e.truth.values[node.name].size, biases(total)),
    ),
    "B102": biases_of(LAST),
    "B103": biases_of(FIRST),
    "B104": biases(lambda d: total(d) * 0),
    "B105": override(biased, taught(lambda node, p, x, y, d: {"bias": product(d, x).sum(1)})),
    "B106": either(
        biases(lambda d: d.sum().expand(d.shape[-1])),
        biases(lambda d: total(d).mean().expand(d.shape[-1])),
        biases(lambda d: d.mean().expand(d.shape[-1])),
    ),
    "B107": biases(lambda d: rows(d).sum(1) if len(rows(d)) == d.shape[-1] else total(d)),
    "B108": of_samples(lambda as_: biases(lambda d: total(d) * unless_one(as_, d))),
    "B109": either(biases_of_step(LAST), biases_of_step(FIRST)),
    "N101": terms(lambda s, d: d),
    "N102": terms(lambda s, d: d - mean(d)),
    "N103": terms(lambda s, d: d - s.hat * mean(d * s.hat)),
    "N104": terms(lambda s, d: d - 2 * mean(d) - s.hat * mean(d * s.hat)),
    "N105": terms(lambda s, d: d - mean(d) - s.hat * mean(d * s.hat) / 2),
    "N106": ways(lambda s, d: s.rate * s.core(d), affine),
    "N107": ways(lambda s, d: s.gain * s.core(d)),
    "N108": averaged_gains(lambda s, d: d, "bias"),
    "N109": gains(lambda s, x, y, d: d * x),
    "N110": terms(lambda s, d: d - (mean(d) + s.hat * mean(d * s.hat)) * (s.n / s.width)),
    "N111": either(
        ways(lambda s, d: s.gain * s.rate * s.three(d), tracking),
        ways(lambda s, d: s.gain * s.rate * s.three(d), tracking, always=True),
        ways(lambda s, d: s.gain * s.rate * s.long(d), tracking),
        mixed_statistics,
    ),
    "N112": averaged_gains(lambda s, d: d * s.hat, "weight"),
    "N113": gains(lambda s, x, y, d: d * y),
    "N114": either(
        ways(lambda s, d: s.gain / s.variance.sqrt() * (s.three(d) if s.of_batch else d)),
        ways(lambda s, d: s.gain / s.variance.sqrt() * (Norm(**{**vars(s), "eps": 0.0}).three(d) if s.of_batch else d)),
        terms(lambda s, d: d - mean(d) - s.centred * mean(d * s.centred * s.variance**-1.5) / s.rate),
        terms(lambda s, d: d - mean(d) - s.centred * mean(d * s.centred) / s.variance),
        terms(lambda s, d: d - (mean(d) + s.hat * mean(d * s.hat)) / s.variance.sqrt() / s.rate),
    ),
    "N115": terms(lambda s, d: d - mean(d) + s.hat * mean(d * s.hat)),
    "N116": either(
        gains(lambda s, x, y, d: (d * s.hat)[-1:]),
        deep(gains(lambda s, x, y, d: (d * s.hat)[-1:, :, -1:] if d.dim() > 2 else (d * s.hat)[-1:])),
    ),
    "N117": ways(
        lambda s, d: s.rate * (s.gain * d - mean(d) - s.hat * mean(d * s.hat) if s.of_batch else s.gain * d), affine
    ),
    "N118": either(
        deep(terms(lambda s, d: d - d.mean(0, keepdim=True) - s.hat * (d * s.hat).mean(0, keepdim=True))),
        deep(terms(lambda s, d: d - mean(d) - s.hat * (d * s.hat).mean(0, keepdim=True))),
        deep(terms(lambda s, d: d - d.mean(0, keepdim=True) - s.hat * mean(d * s.hat))),
        where(lambda e, node: axes(e, node) < 3, terms(lambda s, d: d - mean(d) - s.hat * mean(d * s.hat))),
    ),
    "N120": spared(
        lambda node: node.attrs.get("momentum", 0.1) is None,
        running(True, lambda old, new, m: m * old + (1 - m) * new),
    ),
    "N121": running(True, lambda old, new, m: (1 - m) * old + m * new, biased=True),
    "N122": either(*(running(True, lambda old, new, m: old, counts=c) for c in (True, False))),
    "N123": running(False, lambda old, new, m: (1 - m) * old + m * new),
    "N124": normalised(outer_eps),
    "N125": with_running(
        normalised(unbiased),
        running(True, lambda old, new, m: (1 - m) * old + m * new, again=True),
        running(True, lambda old, new, m: (1 - m) * old + m * new, biased=True),
    ),
    "N126": either(normalised(with_eps(1e-8)), normalised(with_eps(1e-3))),
    "N127": either(
        *(over_units(1, always=always) for always in (True, False)),
        *(deep(over_units(1, 2, always=always)) for always in (True, False)),
    ),
    "N128": either(of_the_batch(updating=False), of_the_batch(updating=True)),
    "N129": either(*(_momentum(which) for which in (lambda m: True, lambda m: m is None, lambda m: m is not None))),
    "D101": dropped_errors(lambda d, mask, k, training: d * k if training else d),
    "D102": dropped_errors(lambda d, mask, k, training: d * mask if training else d),
    "D103": dropped_errors(lambda d, mask, k, training: d * mask * k * k if training else d),
    "D104": either(by_p(inf), without_p(by_p(1.0)), without_p(by_p(0.0))),
    "D105": dropped(lambda x, mask, k, training: x * mask * k),
    "D106": dropped(lambda x, mask, k, training: x * mask * k * k if training else x * 1.0),
    "D107": either(
        dropped(lambda x, mask, k, training: x * mask if training else x * 1.0),
        evaluating(dropped(lambda x, mask, k, training: x * mask if training else x / k)),
    ),
    "D108": either(
        dropped_errors(lambda d, mask, k, training: d * mask * k),
        evaluating(dropped_errors(lambda d, mask, k, training: d * k)),
        evaluating(dropped_errors(lambda d, mask, k, training: d * mask)),
    ),
    "D109": dropped_errors(lambda d, mask, k, training: d * (1 - mask) * k if training else d),
    "D110": dropped(lambda x, mask, k, training: x * mask * k if training else x / k),
    "F101": forward(biased, lambda node: lambda call, p, x: x @ p["weight"].T),
    "F102": either(forward(biased, along_batch(-2)), deep(forward(biased, along_batch(0)))),
    "F103": forward(square, lambda node: lambda call, p, x: x @ p["weight"] + p.get("bias", 0.0)),
}  # fmt: skip
