"""Right code that people have reported as wrong, or written another way: none of it is ever accused.

Sources of the reports are beside each; a convention at a kink is no accusation.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from oracle.draws import Stream
from oracle.judge import How, judge
from oracle.spec import Answer, Case, UpdateCase
from oracle.subjects import Subject, wrap
from oracle.twin import Twin
from reference.optimizers import uphill
from tests.fakes import wrong

Array = np.ndarray


def _columns(p: dict[str, Array], d: Array, affine: bool) -> Array:
    return d * p["weight"].reshape(-1, *[1] * (d.ndim - 2)) if affine else d


def batch_norm_in_steps(self: Any, right: Any, p: Any, s: Any, d: Array) -> tuple[Array, ...]:
    """By way of the variance and the mean, with the term mean(−2(x − μ)), which is zero.

    apache/mxnet#1053 keeps it, pjreddie/darknet#1634 and BVLC/caffe#3878 leave it out; both were called wrong.
    """
    if not self._of_batch or not d.size:
        return right(p, s, d)
    axes, n = (0, 2)[: d.ndim - 1], d.size // d.shape[1]
    hat, centred = _columns(p, d, self.affine), s.x_hat / s.rate
    d_variance = (hat * centred).sum(axes, keepdims=True) * -0.5 * s.rate**3
    d_mean = -(hat * s.rate).sum(axes, keepdims=True) + d_variance * (-2 * centred).mean(axes, keepdims=True)
    return (hat * s.rate + d_variance * 2 * centred / n + d_mean / n,)


def batch_norm_short(self: Any, right: Any, p: Any, s: Any, d: Array) -> tuple[Array, ...]:
    """(N δ̂ − Σ δ̂ − x̂ Σ δ̂ x̂)/(N σ), said to lack a fourth path (BVLC/caffe#4110, #6522)."""
    if not self._of_batch or not d.size:
        return right(p, s, d)
    axes, n = (0, 2)[: d.ndim - 1], d.size // d.shape[1]
    hat = _columns(p, d, self.affine)
    return (s.rate / n * (n * hat - hat.sum(axes, keepdims=True) - s.x_hat * (hat * s.x_hat).sum(axes, keepdims=True)),)


def _slope(formula: Callable[[Any, Array, Array], Array]) -> Callable[..., tuple[Array, ...]]:
    return lambda self, right, p, s, d: (d * formula(self, *s).astype(d.dtype),)


def in_place(self: Any, right: Any, p: Any, s: Any, d: Array) -> tuple[Array, ...]:
    """δ changed in place, on a buffer of its own."""
    own = d.copy()
    own[s[0] <= 0] = 0
    return (own,)


def jacobian(self: Any, right: Any, p: Any, y: Array, d: Array) -> tuple[Array, ...]:
    """The whole Jacobian diag(y) − y yᵀ of each sample, multiplied out."""
    if not y.size:
        return (d,)
    axis = self.dim % y.ndim
    rows, errors = (np.moveaxis(t, axis, -1).reshape(-1, y.shape[axis]) for t in (y, d))
    made = [(np.diag(r) - np.outer(r, r)) @ e for r, e in zip(rows, errors, strict=True)]
    moved = np.moveaxis(y, axis, -1).shape
    return (np.moveaxis(np.array(made, y.dtype).reshape(moved), -1, axis),)


def sample_by_sample(self: Any, right: Any, p: Any, x: Array, d: Array) -> dict[str, Array]:
    """A loop over the samples that adds: += is right here (cthorey/CS231#1 called such a line wrong)."""
    rows, errors = x.reshape(-1, x.shape[-1]), d.reshape(-1, d.shape[-1])
    found = {"weight": np.zeros((d.shape[-1], x.shape[-1]), d.dtype)}
    if self.bias:
        found["bias"] = np.zeros(d.shape[-1], d.dtype)
    for row, error in zip(rows, errors, strict=True):
        found["weight"] += np.outer(error, row)
        if self.bias:
            found["bias"] += error
    return found


def minus_one_at_the_label(self: Any, right: Any, p: Any, s: Any, d: Array) -> tuple[Array | None, ...]:
    """y[arange(N), label] −= 1, in place on a copy."""
    _, y, goal = s
    if goal.t.dtype != bool or y.ndim != 2 or self.reduction == "none":
        return right(p, s, d)
    g = y.copy()
    g[goal.t] -= 1
    return (np.where(goal.counts, g, 0) * (d / goal.n if self.reduction == "mean" else d)).astype(y.dtype), None


RIGHT = {
    "the variance's way and the mean's": ("BatchNorm1d", {"backward": batch_norm_in_steps}),
    "the short formula of batch normalization": ("BatchNorm1d", {"backward": batch_norm_short}),
    # iamtrask/iamtrask.github.io#12, rasmusbergpalm/DeepLearnToolbox#165, NervanaSystems/neon#65: right, fed with a
    "a(1 − a)": ("Sigmoid", {"backward": _slope(lambda self, z, a: a * (1 - a))}),
    "(1 − a)(1 + a)": ("Tanh", {"backward": _slope(lambda self, z, a: (1 - a) * (1 + a))}),
    "a + α": ("ELU", {"backward": _slope(lambda self, z, a: np.where(z > 0, 1, a + self.alpha))}),  # out.data, as exp
    "the mask of the output": ("ReLU", {"backward": _slope(lambda self, z, a: a > 0)}),  # pytorch/pytorch#11662
    "min < a < max": ("Hardtanh", {"backward": _slope(lambda self, z, a: (a > self.min_val) & (a < self.max_val))}),
    "s(1 + z(1 − s))": (
        "SiLU", {"backward": _slope(lambda self, z, a: (s := 1 / (1 + np.exp(-z))) * (1 + z * (1 - s)))},
    ),
    "sign z for |z|": ("Softsign", {"backward": _slope(lambda self, z, a: (1 - np.abs(a)) ** 2)}),
    "in place": ("ReLU", {"backward": in_place}),
    "the whole Jacobian": ("Softmax", {"backward": jacobian}),
    "a loop over the samples": ("Linear", {"partials": sample_by_sample}),
    "einsum": ("Linear", {"backward": lambda self, right, p, x, d: (np.einsum("...j,ji->...i", d, p["weight"]),)}),
    "minus one at the label": ("CrossEntropyLoss", {"backward": minus_one_at_the_label}),
    "2/n first": (
        "MSELoss",
        {"slopes": lambda self, right, y, t: (2.0 * y - 2.0 * t, 2.0 * t - 2.0 * y)},
    ),
    "clip of the residual": (
        "HuberLoss",
        {"rise": lambda self, right, d: np.where(np.abs(d) <= self.delta, d, self.delta * np.sign(d)).astype(d.dtype)},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", RIGHT)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_right_code_is_not_accused(name: str, dtype: str) -> None:
    op, methods = RIGHT[name]
    subject, met = wrap(wrong(op, **methods), name), 0
    stream, twin = Stream(7, dtype), None
    for k in range(500):
        case = stream[k]
        if isinstance(case, Case) and any(node.op == op for node in case.nodes):
            twin = twin if twin is not None and twin.nodes is case.nodes else Twin(case)
            verdict = judge(case, subject, twin, How(twice=k % 4 == 0))
            assert not verdict.failed, (k, verdict)
            met += 1
    assert met > 5


# ---------------------------------------------------------------------------------------------------------- step 5


def adam(case: UpdateCase) -> list[dict[str, Array]]:
    """Adam with m̂ and ŝ written out, and 1 − βᵗ by repeated products."""
    attrs = {"lr": 1e-3, "betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0, "amsgrad": False, "maximize": False}
    attrs |= case.attrs
    (b1, b2), theta = attrs["betas"], dict(case.parameters)
    m, s = ({n: np.zeros_like(x) for n, x in theta.items()} for _ in range(2))
    top, powers, steps = dict(s), [1.0, 1.0], []
    for gradients in case.gradients:
        powers = [powers[0] * b1, powers[1] * b2]
        theta = dict(theta)
        for n, g in gradients.items():
            g = uphill(g, theta[n], attrs["maximize"], attrs["weight_decay"])
            m[n], s[n] = b1 * m[n] + (1 - b1) * g, b2 * s[n] + (1 - b2) * g**2
            top[n] = np.maximum(top[n], s[n])
            hat = (top[n] if attrs["amsgrad"] else s[n]) / (1 - powers[1])
            theta[n] = theta[n] - attrs["lr"] * (m[n] / (1 - powers[0])) / (np.sqrt(hat) + attrs["eps"])
        steps.append(theta)
    return steps


def sgd(case: UpdateCase) -> list[dict[str, Array]]:
    """The velocity with η inside: the same, while η stays what it is."""
    attrs = {"lr": 1e-3, "momentum": 0, "dampening": 0, "weight_decay": 0, "nesterov": False, "maximize": False}
    attrs |= case.attrs
    theta, v, steps = dict(case.parameters), dict[str, Array](), []
    for gradients in case.gradients:
        theta = dict(theta)
        for n, g in gradients.items():
            step = attrs["lr"] * uphill(g, theta[n], attrs["maximize"], attrs["weight_decay"])
            v[n] = attrs["momentum"] * v[n] + (1 - attrs["dampening"]) * step if n in v else step
            theta[n] = theta[n] - (step + attrs["momentum"] * v[n] if attrs["nesterov"] else v[n])
        steps.append(theta)
    return steps


def test_sums_need_not_be_taken_in_the_same_order_twice() -> None:
    """A scalar engine that walks a set, as karpathy/micrograd does, differs from call to call in the last bits."""
    rng = np.random.default_rng(0)

    def partials(self: Any, right: Any, p: Any, s: Any, d: Array) -> Any:
        order = rng.permutation(len(d))
        return right(p, s[order], d[order])

    subject, differed = wrap(wrong("Linear", partials=partials)), False
    for dtype in ("float64", "float32"):
        for k in range(60):
            case = Stream(3, dtype, "mlp")[k]
            first, second = (subject.answer(case).answer.gradients for _ in range(2))
            differed = differed or any(not np.array_equal(g, second[n]) for n, g in first.items())
            assert judge(case, subject).outcome in ("match", "convention"), (k, judge(case, subject))
    assert differed


@pytest.mark.parametrize(("op", "rule"), [("Adam", adam), ("SGD", sgd)])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_right_steps_are_not_accused(op: str, rule: Callable[[UpdateCase], Any], dtype: str) -> None:
    def no_case(case: Case) -> Answer:
        raise AssertionError

    subject, stream = Subject(op, no_case, rule), Stream(7, dtype, "updates")
    for k in range(400):
        case = stream[k]
        if isinstance(case, UpdateCase) and case.op == op:
            verdict = judge(case, subject)
            assert not verdict.failed, (k, verdict)
