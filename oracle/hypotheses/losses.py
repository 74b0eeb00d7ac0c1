"""Losses with wrong error signals or values, wrong divisors, wrong signs.

Where a line can be read in two ways (is the target's error signal wrong too? are three axes N samples, or N L?),
there is a prediction for each reading.
"""

import operator
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from msgspec.structs import replace
from torch.nn import functional as F  # noqa: N812  (the name that everybody gives it)

from oracle.architectures import LOSSES, reduction
from oracle.composites import Tensor
from oracle.hypotheses.evidence import UNIT, Evidence
from oracle.hypotheses.hypothesis import (
    Applies,
    Hypothesis,
    Override,
    either,
    elementwise,
    formula,
    is_loss,
    keeping,
    op,
    override,
    scaled,
    vjp,
)
from oracle.hypotheses.layers import default_eps
from oracle.spec import Case, Node, Tensors
from oracle.twin import Truth, plain_call

# ------------------------------------------------------------------------------------------------------------- tools


def each(applies: Applies, *overrides: Override) -> Hypothesis:
    """Several overrides of the same nodes."""
    return either(*(override(applies, wrong) for wrong in overrides))


def among(ops: str, reductions: str = "mean sum none", attr: str = "") -> Applies:
    """Losses with one of these reductions, and with this attribute."""
    wanted, how = ops.split(), reductions.split()
    return lambda node: node.op in wanted and reduction(node) in how and (not attr or bool(node.attrs.get(attr)))


def altered(node: Node, **attrs: Any) -> Node:
    """The node with other attributes; None drops one."""
    return replace(node, attrs={k: v for k, v in {**node.attrs, **attrs}.items() if v is not None})


def back(node: Node, delta: Tensor, x: Iterable[Tensor]) -> tuple[Tensor | None, ...]:
    """The right error signals of an operator without parameters, for a given δ."""
    leaves = [t.detach().requires_grad_(t.is_floating_point()) for t in x]
    with torch.enable_grad():
        y = plain_call(node)(*leaves)
        found = iter(torch.autograd.grad(y, [t for t in leaves if t.requires_grad], delta, allow_unused=True))
    return tuple(next(found) if t.requires_grad else None for t in leaves)


def times(k: Any, signals: Iterable[Tensor | None]) -> tuple[Tensor | None, ...]:
    """Error signals times k."""
    return tuple(None if g is None else g * k for g in signals)


def forward(applies: Applies, *wrong: Override) -> Hypothesis:
    """Wrong values, each with the gradients of the function it is, or with those of the right one."""

    def value(make: Override) -> Override:
        return lambda node: lambda call, p, *x: keeping(make(node)(call, p, *x), call(*x))

    return each(applies, *wrong, *(value(make) for make in wrong))


def instead(change: Callable[[Node], Node]) -> Override:
    """Another loss in both passes."""
    return lambda node: lambda call, p, *x: plain_call(change(node))(*x)


def backward_of(change: Callable[[Node], Node]) -> Override:
    """The error signals of another loss."""
    return vjp(lambda node, p, delta, x, y: back(change(node), delta, x))


def reduced(costs: Tensor, node: Node, n: Any = None) -> Tensor:
    """Σ costs, Σ costs/n, or the costs themselves."""
    how = reduction(node)
    return costs if how == "none" else costs.sum() / (1 if how == "sum" else costs.numel() if n is None else n)


POINTWISE = "HalfSquaredError MSELoss L1Loss HuberLoss SmoothL1Loss BCELoss BCEWithLogitsLoss"
"""Losses of each entry."""
DIFFERENCE = "HalfSquaredError MSELoss L1Loss HuberLoss SmoothL1Loss"
"""Losses of y − t."""
CLASSES = "CrossEntropyLoss NLLLoss"
EVERY = f"{POINTWISE} {CLASSES}"

# -------------------------------------------------------------------------------------------------- divisors and signs

Divisor = Callable[[Node, list[Tensor]], Any]


def mean_divisor(node: Node, x: list[Tensor]) -> Any:
    """What the mean divides by."""
    return Classes(node, x).n if node.op in CLASSES.split() else x[0].numel()


def _samples(node: Node, x: list[Tensor]) -> Any:
    """All samples, ignored ones too: one for each position of a sequence."""
    return x[0].numel() / max(1, x[0].shape[min(1, x[0].dim() - 1)])


def _batch(node: Node, x: list[Tensor]) -> Any:
    return x[0].shape[0]


def _rows(node: Node, x: list[Tensor]) -> Any:
    return x[0].numel() / max(1, x[0].shape[-1])


def _one(node: Node, x: list[Tensor]) -> Any:
    return 1


def _counting(node: Node, x: list[Tensor]) -> Any:
    """The samples that count."""
    return Classes(node, x).counts.sum()


def _all_weights(node: Node, x: list[Tensor]) -> Any:
    """The sum of the weights of all labels, ignored ones too where they are classes."""
    c = Classes(node, x)
    return (c.weight * c.any_label).sum()


def _label_weights(row: Callable[[Tensor, int], Tensor]) -> Divisor:
    """The sum of the weights of all labels, an ignored one taken for the class that row(label, classes) says."""

    def total(node: Node, x: list[Tensor]) -> Any:
        c = Classes(node, x)
        if not c.hard:
            return c.n
        label = x[1] if c.axis else x[1].reshape(1)
        kept = c.counts.reshape(label.shape)
        return c.weight.flatten()[torch.where(kept, label, row(label, c.count))].sum() if c.given else kept.numel()

    return total


def _with_ignored(node: Node, x: list[Tensor]) -> Any:
    """The sum of the weights of the samples that count, and 1 for each that is ignored."""
    c = Classes(node, x)
    return c.n + (~c.counts).sum() if c.hard else c.n


IGNORED: tuple[Divisor, ...] = (
    _label_weights(lambda label, count: torch.zeros_like(label)),
    _label_weights(lambda label, count: label.clamp(0, count - 1)),
    _label_weights(lambda label, count: label % max(1, count)),
    _with_ignored,
)
"""What the mean divides by where ignored samples count: with the weight of class 0, of the nearest, of the one that
NumPy's negative index means, or with 1.
"""


def _over(part: Divisor) -> Divisor:
    """What the mean divides by, over a part of it: the other part."""
    return lambda node, x: mean_divisor(node, x) / max(1, part(node, x))


def divided(applies: Applies, *divisors: Divisor) -> Hypothesis:
    """The gradient of the sum over these divisors; the value is kept."""

    def wrong(divisor: Divisor) -> Override:
        def formula(node: Node, p: Any, delta: Tensor, x: list[Tensor], y: Tensor) -> Any:
            plain = altered(node, reduction="none" if reduction(node) == "none" else "sum")
            n = float(divisor(node, x))
            return times(1 / n if n else 0.0, back(plain, delta, x))

        return vjp(formula)

    return each(applies, *(wrong(divisor) for divisor in divisors))


def divided_again(*divisors: Divisor) -> Hypothesis:
    """The right gradient over these divisors: of a summed loss, or of any."""

    def wrong(divisor: Divisor) -> Override:
        return vjp(lambda node, p, delta, x, y: times(1 / max(1, divisor(node, x)), back(node, delta, x)))

    many = [wrong(divisor) for divisor in divisors]
    return either(each(among(EVERY, "sum"), *many), each(among(EVERY, "mean none"), _right, *many))


def _right(node: Node) -> Callable[..., Any]:
    return lambda call, p, *x: call(*x)


def _upstream_one(node: Node, p: Any, delta: Tensor, x: list[Tensor], y: Tensor) -> Any:
    return back(node, torch.ones_like(delta), x)


def _negated(node: Node) -> Callable[..., Any]:
    return lambda call, p, *x: call(*[scaled(t, -1.0) if t.is_floating_point() else t for t in x])


def _target_negated(node: Node) -> Callable[..., Any]:
    return lambda call, p, y, t: call(y, scaled(t, -1.0) if t.is_floating_point() else t)


def _one_negated(role: str) -> Hypothesis:
    """One partial of a layer that shares none with another."""

    def wrong(case: Case, truth: Truth, node: Node) -> Tensors:
        name = node.parameter(role)
        return {name: -truth.gradients[name]} if name in truth.gradients else {}

    return formula(op("BatchNorm1d", "PReLU"), wrong)


def linear(roles: str, *factors: Callable[[Tensor], float]) -> Hypothesis:
    """The partials of a Linear node, those of these roles, times each of these functions of the input."""

    def wrong(factor: Callable[[Tensor], float]) -> Override:
        def make(node: Node) -> Callable[..., Any]:
            def call(call: Any, p: Any, x: Tensor) -> Tensor:
                own = {role: scaled(t, factor(x)) if role in roles else t for role, t in p.items()}
                return F.linear(x, own["weight"], own.get("bias"))

            return call

        return make

    return each(op("Linear"), *(wrong(factor) for factor in factors))


INVERSE: tuple[Callable[[Tensor], float], ...] = (
    lambda x: 1 / max(1, x.numel() // max(1, x.shape[-1])),
    lambda x: 1 / max(1, x.shape[0]),
)
"""1/N, and what N may be where there are three axes."""


def _partials_negated(node: Node) -> Callable[..., Any]:
    """Everything negated on the way in, and the error signal of the input again on the way out."""
    return lambda call, p, *x: scaled(call(*[scaled(t, -1.0) if t.is_floating_point() else t for t in x]), -1.0)


# ---------------------------------------------------------------------------------------------------- losses of y − t

Slope = Callable[[Node, Tensor, Tensor], Tensor]
"""The slope of one entry: (node, y, t)."""


def _shared(node: Node, delta: Tensor, y: Tensor) -> Tensor:
    return delta / max(1, y.numel()) if reduction(node) == "mean" else delta


def _weight(node: Node, y: Tensor, name: str = "weight") -> Tensor:
    given = node.attrs.get(name)
    return torch.tensor(1.0 if given is None else given, dtype=y.dtype)


def sloped(applies: Applies, *slopes: Slope, opposite: bool = False) -> Hypothesis:
    """Other slopes of each entry of the prediction; with `opposite`, the target hears the same negated, or as ever."""

    def formula(slope: Slope, both: bool) -> Override:
        def wrong(node: Node, p: Any, delta: Tensor, x: list[Tensor], y: Tensor) -> Any:
            shared = _shared(node, delta, x[0])
            to_y = slope(node, x[0], x[1].to(x[0].dtype)) * shared
            return to_y, -to_y if both and x[1].is_floating_point() else back(node, delta, x)[1]

        return vjp(wrong)

    return each(applies, *(formula(s, both) for s in slopes for both in ((True, False) if opposite else (False,))))


def difference(ops: str, *slopes: Callable[[Node, Tensor], Tensor]) -> Hypothesis:
    """Other slopes of d = y − t."""

    def of(s: Callable[[Node, Tensor], Tensor]) -> Slope:
        return lambda node, y, t: s(node, y - t)

    return sloped(op(*ops.split()), *(of(s) for s in slopes), opposite=True)


def _bound(node: Node) -> float:
    """Where the linear branch begins: delta, or beta."""
    return float(node.attrs.get("delta" if node.op == "HuberLoss" else "beta", 1.0))


def _near(node: Node, d: Tensor) -> Tensor:
    """The slope of the quadratic branch."""
    return d / (_bound(node) or 1.0) if node.op == "SmoothL1Loss" else d


def _beyond(slope: Callable[[Tensor], Any]) -> list[Any]:
    """Another slope beyond the bound, wherever that begins."""
    return [lambda node, d, far=far: torch.where(far(d, _bound(node)), slope(d), _near(node, d)) for far in FAR]


def _past(compare: Callable[[Any, Any], Any]) -> Callable[[Tensor, float], Tensor]:
    return lambda d, bound: compare(d.abs(), bound)


FAR = (_past(operator.gt), _past(operator.ge))


def costing(cost: Callable[[Tensor, float], Tensor]) -> Override:
    """Another cost of d = y − t in both passes: cost(d, delta or beta)."""
    return lambda node: lambda call, p, y, t: reduced(cost(y - t, _bound(node)), node)


def _unsigned(d: Tensor, bound: float) -> Tensor:
    """Huber with d ≤ δ for |d| ≤ δ."""
    return torch.where(d <= bound, d * d / 2, bound * (d.abs() - bound / 2))


def _unit_slope(d: Tensor, bound: float) -> Tensor:
    """|d| beyond the bound, without a factor, and d²/2 below."""
    return torch.where(d.abs() <= bound, d * d / 2, d.abs() - bound / 2)


def _one_sided(below: float) -> Any:
    """d up to δ on the right; on the left, d for ever, or nothing beyond."""
    return lambda node, d: torch.where(d > _bound(node), _bound(node), torch.where(d < -_bound(node), d * below, d))


def _unscaled(far: Callable[[Tensor, float], Tensor]) -> Any:
    return lambda node, d: torch.where(far(d, _bound(node)), d.sign(), d)


def _positive_only(floor: float) -> Slope:
    return lambda node, y, t: _weight(node, y) * -t / y.clamp(min=floor)


def _logits(node: Node, y: Tensor, t: Tensor, q: Any, s: Tensor) -> Tensor:
    """W ((1 − t) s − q t (1 − s))."""
    return _weight(node, y) * ((1 - t) * s - q * t * (1 - s))


def _pos(node: Node, y: Tensor) -> Tensor:
    return _weight(node, y, "pos_weight")


def _misplaced(node: Node, y: Tensor, t: Tensor) -> Tensor:
    """The cost with pos_weight on the negative class."""
    return _weight(node, y) * (t * F.softplus(-y) + _pos(node, y) * (1 - t) * F.softplus(y))


def _misplaced_loss(node: Node) -> Callable[..., Any]:
    return lambda call, p, y, t: reduced(_misplaced(node, y, t.to(y.dtype)), node)


def _misplaced_gradient(node: Node) -> Callable[..., Any]:
    return lambda call, p, y, t: keeping(call(y, t), _misplaced_loss(node)(call, p, y, t))


def _misplaced_slope(node: Node, y: Tensor, t: Tensor) -> Tensor:
    s = torch.sigmoid(y)
    return _weight(node, y) * (_pos(node, y) * (1 - t) * s - t * (1 - s))


def _part_weighted(k: int) -> Slope:
    """The slope of the logits with pos_weight in no term, in that of σ only, or in that of t only."""

    def f(node: Node, y: Tensor, t: Tensor) -> Tensor:
        s, q = torch.sigmoid(y), _pos(node, y)
        return _weight(node, y) * ((s - t), (1 + (q - 1) * t) * s - t, s - q * t)[k]

    return f


def _target_unweighted(node: Node, p: Any, delta: Tensor, x: list[Tensor], y: Tensor) -> Any:
    to_t = -_weight(node, x[0]) * x[0] * _shared(node, delta, x[0])
    return back(node, delta, x)[0], to_t if x[1].is_floating_point() else None


KEPT = ("reduction", "approximate", "threshold", "value")
"""Arguments that a backward pass without arguments cannot ignore, or that have no default."""


def _defaults(*kept: str) -> Override:
    """The backward pass of the operator with its default arguments, but for these."""
    return backward_of(lambda node: replace(node, attrs={k: v for k, v in node.attrs.items() if k in kept}))


def _argued(node: Node) -> bool:
    """Elementwise operators and losses with arguments other than the reduction."""
    return bool(node.attrs.keys() - {"reduction"}) and (elementwise(node) or is_loss(node))


def _without(name: str) -> Hypothesis:
    """One argument of a loss ignored in the backward pass."""
    return each(
        lambda node: is_loss(node) and name in node.attrs, backward_of(lambda node: altered(node, **{name: None}))
    )


# --------------------------------------------------------------------------------------------------- losses of classes


@dataclass
class Classes:
    """What a loss of classes compares, every tensor in the shape of the prediction z, or a column beside it."""

    node: Node
    x: list[Tensor]

    def __post_init__(self) -> None:
        z, target = self.x
        self.z, self.axis = z, min(1, z.dim() - 1)
        self.count = z.shape[self.axis]
        column = [-1 if k == self.axis else 1 for k in range(z.dim())]
        given = self.node.attrs.get("weight")
        self.given = given is not None
        self.weight = torch.tensor([1.0] * self.count if given is None else given, dtype=z.dtype).reshape(column)
        self.smoothing = float(self.node.attrs.get("label_smoothing", 0.0))
        self.hard = not target.is_floating_point()
        every = torch.arange(self.count).reshape(column)
        if self.hard:
            label = target.unsqueeze(self.axis)
            self.counts = label != self.node.attrs.get("ignore_index", -100)
            self.any_label = (every == label).to(z.dtype)
            self.wrapped = (every == torch.where(label < 0, label + self.count, label)).to(z.dtype)
            """As NumPy has it, where the label −1 is the last class."""
            self.t = self.any_label * self.counts
        else:
            self.counts = torch.ones_like(z.narrow(self.axis, 0, min(1, self.count)), dtype=torch.bool)
            self.any_label = self.wrapped = self.t = target

    @property
    def n(self) -> Any:
        """What the mean divides by."""
        return (self.weight * self.t).sum() if self.hard else _samples(self.node, self.x)

    @property
    def y(self) -> Tensor:
        """Softmax."""
        return torch.softmax(self.z, self.axis)

    @property
    def goal(self) -> Tensor:
        """The target, smoothed."""
        return self.smoothed(self.t)

    def smoothed(self, t: Tensor) -> Tensor:
        """(1 − s) t + s/C."""
        return (1 - self.smoothing) * t + self.smoothing / max(1, self.count)

    def spread(self, t: Tensor) -> Tensor:
        """(1 − s) t, and s/(C − 1) for the others."""
        others = (1 - t) * (self.smoothing / (self.count - 1)) if self.count > 1 else 0.0
        return (1 - self.smoothing) * t + others

    def total(self, x: Tensor) -> Tensor:
        """Σ over the classes."""
        return x.sum(self.axis, keepdim=True)

    def error(self, t: Tensor, y: Tensor | None = None) -> Tensor:
        """Y Σ w t − w t."""
        wanted = self.weight * t
        return (self.y if y is None else y) * self.total(wanted) - wanted

    def own_weight(self) -> Tensor:
        """The weight of the sample: Σ w t."""
        return self.total(self.weight * self.t)

    def best(self, x: Tensor) -> Tensor:
        """One at the largest entry, the first of equals."""
        first = torch.from_numpy(x.detach().numpy().argmax(self.axis)) if self.count else x.sum(self.axis).long()
        return F.one_hot(first, self.count).movedim(-1, self.axis).to(x.dtype)

    def share(self, delta: Tensor) -> Tensor:
        """δ of each sample."""
        how = reduction(self.node)
        return delta / self.n if how == "mean" else delta.unsqueeze(self.axis) if how == "none" else delta

    def cost(self, t: Tensor, logs: Tensor | None = None) -> Tensor:
        """−Σ w t log y."""
        logs = torch.log_softmax(self.z, self.axis) if logs is None else logs
        wanted = self.weight * t * self.counts
        costs = -torch.where(wanted != 0, wanted * logs, 0.0).sum(self.axis)
        return reduced(costs, self.node, self.n)


Error = Callable[[Classes], Tensor]


def classes(applies: Applies, *errors: Error, ignore: bool = True) -> Hypothesis:
    """Other error signals of the prediction, before δ and the divisor; ignored samples have none."""

    def wrong(error: Error) -> Override:
        def formula(node: Node, p: Any, delta: Tensor, x: list[Tensor], y: Tensor) -> Any:
            c = Classes(node, x)
            to_z = error(c) * c.share(delta)
            return torch.where(c.counts, to_z, 0.0) if ignore else to_z, back(node, delta, x)[1]

        return vjp(formula)

    return each(applies, *(wrong(error) for error in errors))


def class_loss(t: Callable[[Classes], Tensor]) -> Override:
    """A cross-entropy with another target in both passes."""

    def make(node: Node) -> Callable[..., Any]:
        def wrong(call: Any, p: Any, *x: Tensor) -> Any:
            c = Classes(node, list(x))
            return c.cost(t(c))

        return wrong

    return make


def _columns(labels: Callable[[Classes], Tensor], axes: slice) -> Error:
    """One in every class that is the label of some sample."""

    def find(c: Classes) -> Tensor:
        others = [k for k in range(c.z.dim()) if k != c.axis][axes]
        return (labels(c).sum(others, keepdim=True) > 0).to(c.z.dtype).expand(c.z.shape)

    return find


def _all_columns() -> Iterator[Error]:
    for labels in (lambda c: c.t, lambda c: c.wrapped):
        for axes in (slice(None), slice(1)):
            columns = _columns(labels, axes)
            yield lambda c, f=columns: c.own_weight() * (c.y - c.smoothed(f(c)))  # type: ignore[misc]
            yield lambda c, f=columns: c.y * c.own_weight() - c.weight * c.smoothed(f(c))  # type: ignore[misc]
            yield lambda c, f=columns: c.error(c.smoothed(f(c)))  # type: ignore[misc]


def _summed_columns(axes: slice, ignore: bool) -> Override:
    """The labels of all samples subtracted from every sample, each as often as it occurs."""

    def formula(node: Node, p: Any, delta: Tensor, x: list[Tensor], y: Tensor) -> Any:
        c = Classes(node, x)
        wanted = torch.where(c.counts, c.weight * c.goal, 0.0) * c.share(delta)
        others = [k for k in range(c.z.dim()) if k != c.axis][axes]
        to_z = c.y * c.total(wanted) - (wanted.sum(others, keepdim=True) if others else wanted)
        return torch.where(c.counts, to_z, 0.0) if ignore else to_z, back(node, delta, x)[1]

    return vjp(formula)


def _labels_alone(make: Override) -> Override:
    """A wrong line that targets of probabilities do not meet."""
    return lambda node: lambda call, p, z, t: call(z, t) if t.is_floating_point() else make(node)(call, p, z, t)


SUMMED = [_summed_columns(axes, ignore) for axes in (slice(None), slice(1)) for ignore in (False, True)]


def _unignored(extra: Error) -> Error:
    """Samples that count as ever, ignored ones with something else."""
    return lambda c: torch.where(c.counts, c.error(c.goal), extra(c))


def _unignored_nll(labels: Error) -> Error:
    return lambda c: -c.weight * labels(c)


def _over_probabilities(zero: bool) -> Error:
    """−w t/y, where t is 0 too, or not."""
    return lambda c: torch.where((c.goal != 0) | zero, -c.weight * c.goal / c.y, 0.0)


CE, NLL = op("CrossEntropyLoss"), op("NLLLoss")


def _soft(node: Node) -> bool:
    """Cross-entropies whose target may be probabilities."""
    return node.op == "CrossEntropyLoss" and "ignore_index" not in node.attrs


def _spread(c: Classes) -> Tensor:
    return c.spread(c.t)


def _spread_labels(c: Classes) -> Tensor:
    """The smoothing is spread over the others for labels only."""
    return c.spread(c.t) if c.hard else c.goal


# ---------------------------------------------------------------------------------------------------------- both passes


def _probabilities(node: Node, y: Tensor) -> Tensor:
    """The probability of the first class, or of each."""
    return Classes(node, [y, y]).y if node.op == "CrossEntropyLoss" else torch.sigmoid(y) if _on_logits(node) else y


def _on_logits(node: Node) -> bool:
    return node.op == "BCEWithLogitsLoss"


def _costs(node: Node, x: Iterable[Tensor], log: Callable[[Tensor], Tensor], rest: Callable[[Tensor], Tensor]) -> Any:
    """A cross-entropy with these logarithms of y and of 1 − y."""
    y, t = x
    if node.op == "CrossEntropyLoss":
        c = Classes(node, [y, t])
        return c.cost(c.goal, log(c.y))
    s, q = _probabilities(node, y), _pos(node, y) if _on_logits(node) else 1.0
    return reduced(_weight(node, y) * -(q * t * log(s) + (1 - t) * rest(s)), node)


LOGS = op("CrossEntropyLoss", "BCELoss", "BCEWithLogitsLoss")
"""Losses with the logarithm of a probability."""


def _risen(x: Tensor) -> Tensor:
    """Nothing, with the derivative of x."""
    return x - x.detach()


def shifted(*shifts: float) -> Hypothesis:
    """log(y + shift) for log y, for each of these shifts: in both passes, in the value (the target hears the shifted
    logarithms, or the right ones), or in the gradients.
    """

    def wrong(shift: float, other: float) -> Override:
        return lambda node: (
            lambda call, p, *x: _costs(node, x, lambda s: (s + shift).log(), lambda s: (1 - s + other).log())
        )

    def value(make: Override) -> Override:
        return lambda node: lambda call, p, *x: keeping(make(node)(call, p, *x), call(*x))

    def target(make: Override) -> Override:
        return lambda node: lambda call, p, y, t: make(node)(call, p, y.detach(), t) + _risen(call(y, t.detach()))

    def gradients(make: Override) -> Override:
        return lambda node: lambda call, p, *x: keeping(call(*x), make(node)(call, p, *x))

    def predict(e: Evidence, nodes: list[Node]) -> Iterator[Tensors]:
        near, got = UNIT[e.case.dtype], np.asarray(e.got.get("loss", e.right["loss"]))
        for shift in shifts:
            for other in (shift, 0.0) if any(not CE(node) for node in nodes) else (shift,):
                make = wrong(shift, other)
                (found,) = override(LOGS, make).predict(e, nodes)
                yield found
                here = [value(make), target(make)] if np.isclose(got, found["loss"], near, 0, equal_nan=True) else []
                here += [gradients(make)] if np.isclose(got, e.right["loss"], near, 0, equal_nan=True) else []
                yield from (p for bent in here for p in override(LOGS, bent).predict(e, nodes))

    return Hypothesis(LOGS, predict)


BOUNDS = (1e-7, 1e-6, 1e-8, 1e-12, 1e-15)
"""At which probabilities are clipped."""


def _at_bounds(low: float, high: float, *, cut: bool, both: bool) -> Override:
    """Probabilities clipped, in the gradient or in both passes; the clipped hear nothing, or what they now are."""

    def linear(node: Node, y: Tensor, t: Tensor) -> Tensor:
        """Something with the slopes of the clipped probabilities, which are constants."""
        s = _probabilities(node, y.detach()).clamp(low, high)
        if CE(node):
            c = Classes(node, [y, t])
            return reduced((c.error(c.goal, s).detach() * y * c.counts).sum(c.axis), node, c.n)
        q = _pos(node, y) if _on_logits(node) else 1.0
        slope = (1 - t) * s - q * t * (1 - s)
        slope = slope if _on_logits(node) else slope / (s * (1 - s)).clamp(min=1e-12)
        return reduced(_weight(node, y) * slope.detach() * y, node)

    def costs(node: Node, y: Tensor, t: Tensor) -> Any:
        logs = [lambda s: s.clamp(low, high).log(), lambda s: (-s.clamp(low, high)).log1p()]
        return _costs(node, (y, t), *logs)

    def wrong(node: Node) -> Callable[..., Any]:
        def at(call: Any, p: Any, y: Tensor, t: Tensor) -> Any:
            if cut:
                return costs(node, y, t) if both else keeping(call(y, t), costs(node, y, t))
            return (costs(node, y.detach(), t) if both else call(y.detach(), t)) + _risen(linear(node, y, t))

        return at

    return wrong


def clipped(*, cut: bool) -> Hypothesis:
    """Probabilities clipped at usual bounds, on both sides or from below only, in both passes or in the gradient."""

    def predict(e: Evidence, nodes: list[Node]) -> Iterator[Tensors]:
        shown = [_probabilities(n, torch.from_numpy(e.truth.values[n.inputs[0]].astype(float))) for n in nodes]
        idle = True
        for low in BOUNDS:
            above = any(bool((y > 1 - low).any()) for y in shown)
            if not above and not any(bool((y < low).any()) for y in shown):
                continue
            idle = False
            for high in (1 - low, 1.0) if above else (1 - low,):
                for both in (True, False):
                    yield from override(LOGS, _at_bounds(low, high, cut=cut, both=both)).predict(e, nodes)
        if idle:
            yield e.right

    return Hypothesis(LOGS, predict)


def _summed_over(*divisors: Divisor) -> list[Override]:
    """The summed loss over each divisor, in both passes."""

    def make(divisor: Divisor) -> Override:
        return lambda node: lambda call, p, *x: plain_call(altered(node, reduction="sum"))(*x) / divisor(node, list(x))

    return [make(divisor) for divisor in divisors]


def _weighted(node: Node) -> bool:
    return node.op in CLASSES.split() and reduction(node) == "mean" and node.attrs.get("weight") is not None


def _sigmoid_slope(z: Tensor) -> Tensor:
    s = torch.sigmoid(z)
    return s * (1 - s)


def _unweighted_sum(node: Node) -> Callable[..., Any]:
    """Neither sample nor sum is weighted, but the divisor is."""
    plain = altered(node, weight=None, reduction="sum")
    return lambda call, p, *x: plain_call(plain)(*x) / Classes(node, list(x)).n


HYPOTHESES: dict[str, Hypothesis] = {
    # -------------------------------------------------------------------------------------------------- reductions
    "R101": linear("weight", *INVERSE),
    "R102": linear("weight bias", *INVERSE),
    "R103": either(
        divided(among(POINTWISE, "mean"), _over(_batch), _over(_rows)),
        divided(among(CLASSES, "mean"), _one, _over(_samples), _over(_batch)),
    ),
    "R104": divided(among(POINTWISE, "mean"), _one),
    "R105": divided_again(_batch, _rows),
    "R107": each(is_loss, vjp(_upstream_one)),
    "R108": divided(_weighted, _samples, _counting, _batch),
    "R109": divided(among(CLASSES, "mean"), _samples, _all_weights, *IGNORED, mean_divisor),
    "R111": divided(among(POINTWISE, "mean"), _batch, _rows),
    "R112": either(
        divided(among(EVERY, "sum"), mean_divisor, _samples),
        each(among(EVERY, "none"), _right),
        divided(among(EVERY, "none"), mean_divisor),
    ),
    # ------------------------------------------------------------------------------------------------------- signs
    "S101": each(is_loss, _negated, lambda node: lambda call, p, y, t: call(scaled(y, -1.0), t)),
    "S102": override(lambda node: node.op not in LOSSES, _negated),
    "S103": override(op("Linear", "PReLU", "BatchNorm1d"), _partials_negated),
    "S104": either(linear("weight", lambda x: -1.0), _one_negated("weight")),
    "S105": either(linear("bias", lambda x: -1.0), _one_negated("bias")),
    "S106": override(among(DIFFERENCE), _target_negated),
    # ------------------------------------------------------------------------------------------------------ losses
    "L101": difference("MSELoss", lambda node, d: d),
    "L102": either(
        difference("HalfSquaredError", lambda node, d: 2 * d),
        forward(op("HalfSquaredError"), lambda node: lambda call, p, *x: call(*x) * 2),
    ),
    "L103": either(difference("HuberLoss", *_beyond(torch.sign)), forward(op("HuberLoss"), costing(_unit_slope))),
    "L104": either(
        difference("HuberLoss", _one_sided(1.0), _one_sided(0.0)), forward(op("HuberLoss"), costing(_unsigned))
    ),
    "L105": either(
        difference("SmoothL1Loss", *(_unscaled(far) for far in FAR)),
        forward(op("SmoothL1Loss"), costing(_unit_slope)),
    ),
    "L106": difference("L1Loss", lambda node, d: d),
    "L107": difference("HalfSquaredError MSELoss", lambda node, d: d.sign()),
    "L108": difference("HuberLoss SmoothL1Loss", *_beyond(torch.zeros_like)),
    "L109": sloped(op("BCELoss"), lambda node, y, t: _weight(node, y) * (y - t), lambda node, y, t: y - t),
    "L110": sloped(
        op("BCEWithLogitsLoss"),
        lambda node, y, t: _logits(node, y, t, _pos(node, y), torch.sigmoid(y)) * _sigmoid_slope(y),
        lambda node, y, t: _logits(node, y, t, 1.0, torch.sigmoid(y)) * _sigmoid_slope(y),
    ),
    "L111": sloped(op("BCELoss"), _positive_only(0.0), _positive_only(1e-12)),
    "L112": sloped(
        op("BCEWithLogitsLoss"),
        lambda node, y, t: _logits(node, y, t, _pos(node, y), y),
        lambda node, y, t: _weight(node, y) * (y - t),
    ),
    "L113": either(
        sloped(op("BCEWithLogitsLoss"), _misplaced_slope),
        each(op("BCEWithLogitsLoss"), _misplaced_gradient, _misplaced_loss),
    ),
    "H101": either(
        each(_argued, _defaults(*KEPT), _defaults("reduction", "value", "approximate"), _defaults("reduction")),
        *(_without(name) for name in ("weight", "pos_weight")),
        sloped(op("BCEWithLogitsLoss"), *(_part_weighted(k) for k in range(3))),
        override(op("BCEWithLogitsLoss"), vjp(_target_unweighted)),
        default_eps,
    ),
    # ----------------------------------------------------------------------------------------------------- classes
    "C101": classes(CE, lambda c: c.y * c.total(c.weight * c.goal), lambda c: c.y),
    "C102": either(classes(CE, *_all_columns()), each(CE, *SUMMED, *map(_labels_alone, SUMMED))),
    "C103": classes(CE, lambda c: c.error(_spread(c)), lambda c: c.error(_spread_labels(c))),
    "C104": clipped(cut=False),
    "C105": classes(
        CE,
        lambda c: c.error(c.smoothed(c.best(c.y))),
        lambda c: c.own_weight() * (c.y - c.smoothed(c.best(c.y))),
        lambda c: c.error(c.smoothed(c.best(c.y))) if c.hard else c.error(c.goal),
    ),
    "C106": classes(CE, lambda c: c.error(c.goal) * c.y * (1 - c.y)),
    "C107": either(
        classes(
            CE,
            _unignored(lambda c: c.y),
            _unignored(lambda c: c.error(c.smoothed(c.any_label))),
            _unignored(lambda c: c.error(c.smoothed(c.wrapped))),
            _unignored(lambda c: c.error(c.smoothed(c.t))),
            _unignored(lambda c: c.y - c.smoothed(c.t)),
            ignore=False,
        ),
        classes(NLL, _unignored_nll(lambda c: c.any_label), _unignored_nll(lambda c: c.wrapped), ignore=False),
    ),
    "C108": classes(CE, _over_probabilities(True), _over_probabilities(False)),
    "C109": classes(
        NLL,
        lambda c: c.own_weight() * (torch.softmax(c.z, c.axis) - c.t),
        lambda c: c.own_weight() * (c.z.exp() - c.t),
    ),
    "C110": classes(
        _soft,
        lambda c: c.error(c.goal) if c.hard else c.error(c.smoothed(c.best(c.t))),
        lambda c: c.error(c.goal if c.hard else c.best(c.t)),
        lambda c: c.error(c.goal) if c.hard else c.y - c.best(c.t),
    ),
    "C111": either(
        each(among(CLASSES, attr="weight"), backward_of(lambda node: altered(node, weight=None))),
        classes(among("CrossEntropyLoss", attr="weight"), lambda c: c.y - c.goal),
        classes(among("NLLLoss", attr="weight"), lambda c: -c.t),
        classes(
            among("CrossEntropyLoss", attr="weight"),
            lambda c: c.y - c.weight * c.goal,
            lambda c: c.y * c.total(c.goal) - c.weight * c.goal,
            lambda c: c.y * c.total(c.weight * c.goal) - c.goal,
        ),
    ),
    "C112": either(
        classes(among("CrossEntropyLoss", attr="label_smoothing"), lambda c: c.error(c.t)),
        each(
            among("CrossEntropyLoss", attr="label_smoothing"),
            backward_of(lambda node: altered(node, label_smoothing=None)),
        ),
    ),
    # ------------------------------------------------------------------------------------------------- both passes
    "F105": forward(op("MSELoss"), lambda node: lambda call, p, *x: call(*x) / 2),
    "F107": shifted(1e-7, 1e-5, 1e-6, 1e-10, 1e-12, 1e-15),
    "F109": forward(among("CrossEntropyLoss", attr="label_smoothing"), class_loss(_spread), class_loss(_spread_labels)),
    "F110": forward(among(EVERY, "sum"), instead(lambda node: altered(node, reduction="mean"))),
    "F113": forward(among(POINTWISE, "mean"), *_summed_over(_batch, _rows)),
    "F114": forward(_weighted, *_summed_over(_samples, _counting, _batch)),
    "F116": either(
        forward(among(CLASSES, attr="weight"), instead(lambda node: altered(node, weight=None))),
        forward(_weighted, _unweighted_sum),
    ),
    "F117": forward(among(EVERY, "mean"), instead(lambda node: altered(node, reduction="sum"))),
    "F118": forward(
        among("CrossEntropyLoss", attr="label_smoothing"), instead(lambda node: altered(node, label_smoothing=None))
    ),
    "F120": forward(among(CLASSES, "mean"), *_summed_over(_samples, _all_weights, *IGNORED)),
}
