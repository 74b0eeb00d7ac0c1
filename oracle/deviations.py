"""Where torch.autograd itself is wrong: torch.nn as it is, against the proven truth, on a grid of hard numbers.

    native(case)   torch's own answer, in the case's dtype: `oracle check python:oracle.deviations:native`
    search()       every operator of the arbiter that torch.nn has, at every point of its probes: the deviations
    contest()      what the oracle says of `native` on its random cases

A number is a deviation if the truth is an ordinary number of the dtype and torch's is NaN, infinite, or more than `FAR`
units in the last place away. Entries on a kink are conventions, and skipped.
"""

import math
import platform
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import torch
from msgspec.structs import replace
from torch import nn
from torch.nn import functional as F  # noqa: N812

from oracle.arbiter import FORMULAS, Ball, Undecided, loss, output, partial
from oracle.composites import DEVIATIONS
from oracle.draws import Stream
from oracle.judge import How, judge
from oracle.kinks import exactly_at, kinks
from oracle.shrink import finite, isolate
from oracle.spec import Answer, Array, Case, CaseError, Node, Tensors, UpdateAnswer, UpdateCase
from oracle.subjects import Subject
from oracle.twin import Twin

Grade = Literal["not finite", "everywhere", "visible", "roundings", "invisible", "conditioning"]
GRADES: tuple[Grade, ...] = ("not finite", "everywhere", "visible", "roundings", "invisible", "conditioning")
"""What matters first: NaN or infinity; wrong at ordinary inputs; off by more than `VISIBLE` roundings of the largest
entry (or of 1, if that is larger); by a few of them; by less than one; and no fault at all: what moving the inputs by
a rounding does to the truth, too.
"""
FAR, VISIBLE = 1000.0, 64.0
MANY = 64
"""Elements of the vectorised form."""
DTYPES = ("float64", "float32")


# ------------------------------------------------------------------------------------------------------ torch as it is


def _dropout(attrs: dict[str, Any], training: bool) -> Callable[..., Any]:
    keep = 1 - attrs.get("p", 0.5)
    return lambda x, mask: x * 1 if not training else x * mask / keep if keep else x * 0


def _rrelu(attrs: dict[str, Any], training: bool) -> Callable[..., Any]:
    if not training:
        evaluated = nn.RReLU(**attrs).eval()
        return lambda x, slopes: evaluated(x)
    return lambda x, slopes: torch.where(x > 0, x, slopes * x)


def _fold(operation: Callable[[Any, Any], Any]) -> Callable[[dict[str, Any], bool], Callable[..., Any]]:
    def call(first: Any, *others: Any) -> Any:
        for other in others:
            first = operation(first, other)
        return first

    return lambda attrs, training: call


PLAIN: dict[str, Callable[[dict[str, Any], bool], Callable[..., Any]]] = {
    "Add": _fold(lambda x, y: x + y),
    "Multiply": _fold(lambda x, y: x * y),
    "Concatenate": lambda attrs, training: lambda *x: torch.cat(x, attrs.get("dim", 1)),
    "Chunk": lambda attrs, training: lambda x: x.chunk(attrs["chunks"], attrs.get("dim", 1)),
    "Dropout": _dropout,
    "RReLU": _rrelu,
    "HalfSquaredError": lambda a, training: lambda x, t: F.mse_loss(x, t, reduction=a.get("reduction", "sum")) / 2,
    "Dot": lambda attrs, training: lambda x, c: (x * c).sum(),
}
"""Operators that torch.nn does not have, or that draw in torch.nn what is data here, in the plainest torch."""


def _module(node: Node, case: Case) -> Any:
    """The operator as a module of torch.nn with the numbers of the case, or as a function."""
    attrs = dict(node.attrs)
    if node.op in PLAIN:
        return PLAIN[node.op](attrs, case.training)
    dtype = getattr(torch, case.dtype)
    attrs.update({k: torch.tensor(attrs[k], dtype=dtype) for k in ("weight", "pos_weight") if k in attrs})
    return getattr(nn, node.op)(**attrs).to(dtype).train(case.training)


def native(case: Case) -> Answer:
    """The answer of plain torch.nn modules in the case's own dtype."""
    real = {n: torch.from_numpy(np.array(x)) for n, x in (case.parameters | case.inputs).items()}
    for x in real.values():
        x.requires_grad_(x.is_floating_point())
    buffers, values = {n: torch.from_numpy(np.array(x)) for n, x in case.buffers.items()}, dict(real)
    for node in case.nodes:
        module = _module(node, case)
        if isinstance(module, nn.Module):
            _adopt(module, node, real, buffers)
        y = module(*(values[n] for n in node.inputs))
        parts = {f"{node.name}:{k}": part for k, part in enumerate(y)} if isinstance(y, tuple) else {node.name: y}
        values.update(parts)
    wanted = case.wanted()
    last = values[case.nodes[-1].name]
    made = {n: x.detach().numpy() for n, x in values.items() if n not in real and x is not last}
    slopes = torch.autograd.grad(last, [real[n] for n in wanted], allow_unused=True) if last.requires_grad else ()
    zero: Tensors = {n: np.zeros_like((case.parameters | case.inputs)[n]) for n in wanted}
    return Answer(
        loss=last.detach().numpy(),
        gradients=zero | {n: g.numpy() for n, g in zip(wanted, slopes, strict=False) if g is not None},
        buffers={n: x.numpy() for n, x in buffers.items()} or None,
        outputs=made or None,
    )


def _adopt(module: nn.Module, node: Node, real: dict[str, Any], buffers: dict[str, Any]) -> None:
    """Give a module the parameters and running statistics of the case."""
    for role in [role for role, p in module._parameters.items() if p is not None]:
        del module._parameters[role]
        setattr(module, role, real[node.parameter(role)])
    for role in [role for role, b in module._buffers.items() if b is not None and role not in node.attrs]:
        module._buffers[role] = buffers[node.parameter(role)]


def _native_update(case: UpdateCase) -> UpdateAnswer:
    theta = {n: torch.from_numpy(np.array(x)) for n, x in case.parameters.items()}
    attrs = {k: tuple(v) if isinstance(v, list) else v for k, v in case.attrs.items()}
    optimizer, steps = getattr(torch.optim, case.op)(list(theta.values()), **attrs), []
    for gradients in case.gradients:
        for name, x in theta.items():
            x.grad = torch.from_numpy(gradients[name].copy())
        optimizer.step()
        steps.append({n: x.numpy().copy() for n, x in theta.items()})
    return UpdateAnswer(steps=tuple(steps))


native.update = _native_update  # type: ignore[attr-defined]


# ----------------------------------------------------------------------------------------------------------- the probes

Inputs = Callable[[float], tuple[Any, ...]]
STATEFUL = {"BatchNorm1d", "Linear", "PReLU"}
"""Operators with parameters or running statistics."""


@dataclass(frozen=True)
class Probe:
    """One operator, and a family of inputs with one number that varies."""

    op: str
    attrs: dict[str, Any] = field(default_factory=dict)
    inputs: Inputs = lambda v: ([v],)
    """The inputs at a point: lists of reals, or of classes where they are whole numbers."""
    label: str = "x"
    """What varies."""
    points: Callable[[str], Array] | None = None
    """The numbers that are tried in a dtype; by default the grid of an elementwise operator."""
    cotangent: Any = None
    """∂L/∂ the output; 1 where it is not given, and the operator is then elementwise."""
    training: bool = True
    parameters: dict[str, Any] = field(default_factory=dict)
    """By role, where they are not those that the module starts with."""

    def case(self, dtype: str, *at: float) -> Case:
        """The case at a point, or at several of them side by side."""
        given = [np.concatenate(parts) for parts in zip(*map(self.inputs, at), strict=True)]
        given = [x.astype(dtype) if x.dtype.kind == "f" else x for x in given]
        names = ("x", "t")[: len(given)]
        c = np.ones_like(given[0]) if self.cotangent is None else np.asarray(self.cotangent, dtype)
        node = Node("n", self.op, names, self.attrs)
        case = Case(
            dtype="float32" if dtype == "float32" else "float64",
            training=self.training,
            nodes=(node, Node("loss", "Dot", ("n", "c"))),
            inputs={**dict(zip(names, given, strict=True)), "c": c},
        )
        if self.op not in STATEFUL:
            return case
        module = _module(node, case)
        theta = {n: self.parameters.get(n, p.detach().numpy()) for n, p in module.named_parameters()}
        return replace(
            case,
            parameters={f"n.{n}": np.array(p, dtype) for n, p in theta.items()},
            buffers={f"n.{n}": np.array(b) for n, b in module.named_buffers()},
        )


def _magnitudes(dtype: str) -> Array:
    """Positive numbers from denormal to the end of the dtype, dense where functions bend, with no short mantissa."""
    info = np.finfo(dtype)
    low, high, tail = (-44, 38, 104.0) if dtype == "float32" else (-322, 308, 745.0)
    sparse = 1.37 * 10.0 ** np.linspace(low, high, 24)
    dense = 1.013 * 2.0 ** np.arange(-10, 10, 0.75)
    tails = np.concatenate([np.arange(3.07, 41, 1.31), np.linspace(41.3, 1.02 * tail, 16)])
    x = np.concatenate([sparse, dense, tails, [float(info.tiny), 1.1 * float(info.max) ** 0.5, float(info.max) / 4]])
    return np.unique(x[x < float(info.max)].astype(dtype)).astype(float)


def _grid(node: Node, dtype: str) -> Array:
    """Both signs of the magnitudes, and the neighbourhood of the kinks, which are themselves left out."""
    x = _magnitudes(dtype)
    points = [kink.at for kink in kinks(node) if abs(kink.at) < 1e6]
    near = [p + s * h for p in points for s in (-1, 1) for h in (1e-6, 1e-3, 0.1, 0.37)]
    both = np.unique(np.concatenate([-x, x, near]).astype(dtype))
    return both[~exactly_at(node, [both, np.zeros_like(both)])].astype(float)


def _probabilities(dtype: str) -> Array:
    """Numbers in [0, 1], near both ends, and the ends."""
    small = _magnitudes(dtype)
    small = small[small < 0.5]
    return np.unique(np.concatenate([[0.0, 1.0], small, 1 - small[small > 1e-9]]).astype(dtype)).astype(float)


def _sizes(*at: float) -> Callable[[str], Array]:
    return lambda dtype: np.array(at, dtype).astype(float)


LOGITS = _sizes(0.3, 1.7, 4.1, 9.3, 15.7, 17.9, 25.1, 33.3, 36.1, 38.7, 50.3, 80.9, 87.7, 95.1, 400.7, 700.9, 740.3)
SHIFTS = _sizes(1.3, 10.7, 100.3, 1e3, 1e4, 1e5, 1e6, 1e9, 1e20, 1e30)
SPREADS = _sizes(1e-30, 1e-10, 1e-3, 1.0, 1e3, 1e10, 1e17, 2e19, 1e20, 1e25, 1e30, 1e37)
MEANS = _sizes(1.3, 10.7, 100.3, 1e3, 1e4, 1e5)

BATCH = np.array([0.3, -1.1, 0.8, -0.45])
SLOPES = [[0.7], [-0.2], [0.4], [-1.3]]


def _confident(sign: float, *labels: Any) -> Inputs:
    return lambda v: ([[sign * v, 0.0, -0.25 * sign]], *labels)


def _against(target: float) -> Inputs:
    return lambda v: ([v], [target])


def _shifted(v: float) -> tuple[Any, ...]:
    return ([[v, v, v]],)


def _softmaxes() -> Iterator[Probe]:
    for op, sign in (("Softmax", 1.0), ("LogSoftmax", 1.0), ("Softmin", -1.0)):
        for k, name in ((0, "its own"), (1, "another")):
            hot = [[float(k == j) for j in range(3)]]
            yield Probe(op, {"dim": 1}, _confident(sign), f"{name} output, a confident logit", LOGITS, hot)
        yield Probe(op, {"dim": 1}, _shifted, "a common shift", SHIFTS, [[1.0, 0.0, 0.0]])


def _likelihoods() -> Iterator[Probe]:
    op, plain = "CrossEntropyLoss", {"reduction": "none"}
    for smooth in ({}, {"label_smoothing": 0.1}):
        for label, name in ((0, "the right class"), (1, "a wrong class")):
            inputs = _confident(1.0, [label])
            yield Probe(op, plain | smooth, inputs, f"{name}, a confident logit", LOGITS, [1.0])
    yield Probe(op, plain, lambda v: (*_shifted(v), [0]), "a common shift", SHIFTS, [1.0])
    yield Probe("NLLLoss", plain, lambda v: ([[-v, -0.5, -1.5]], [0]), "−ln p", LOGITS, [1.0])


def _batches() -> Iterator[Probe]:
    def rows(x: Array) -> list[list[float]]:
        return [[float(v)] for v in x]

    for training in (True, False):
        one: dict[str, Any] = {"num_features": 1}
        yield Probe("BatchNorm1d", one, lambda v: (rows(BATCH + v),), "spread 1, the mean", MEANS, SLOPES, training)
        yield Probe("BatchNorm1d", one, lambda v: (rows(BATCH * v),), "the spread", SPREADS, SLOPES, training)


def _losses() -> Iterator[Probe]:
    plain: dict[str, Any] = {"reduction": "none"}
    more: dict[str, Any] = {"HuberLoss": {"delta": 0.3}, "SmoothL1Loss": {"beta": 0.3}}
    for op in ("MSELoss", "L1Loss", "HuberLoss", "SmoothL1Loss"):
        for attrs in [{}, *([more[op]] if op in more else [])]:
            yield Probe(op, plain | attrs, _against(0.0), "prediction − target")
    for target in (0.0, 0.3, 1.0):
        yield Probe("BCELoss", plain, _against(target), f"target {target:g}, p", _probabilities)
        yield Probe("BCEWithLogitsLoss", plain, _against(target), f"target {target:g}, x")
    yield Probe("BCEWithLogitsLoss", plain | {"pos_weight": [2.5]}, _against(1.0), "target 1, x")


ELEMENTWISE: tuple[tuple[str, dict[str, Any]], ...] = (
    ("CELU", {}), ("CELU", {"alpha": 0.7}), ("ELU", {}), ("ELU", {"alpha": 1.7}),
    ("GELU", {}), ("GELU", {"approximate": "tanh"}),
    ("Hardshrink", {}), ("Hardshrink", {"lambd": 0.3}), ("Hardsigmoid", {}), ("Hardswish", {}),
    ("Hardtanh", {}), ("Hardtanh", {"min_val": -0.3, "max_val": 1.7}),
    ("LeakyReLU", {}), ("LeakyReLU", {"negative_slope": 0.3}), ("LogSigmoid", {}), ("Mish", {}), ("PReLU", {}),
    ("ReLU", {}), ("ReLU6", {}), ("SELU", {}), ("SiLU", {}), ("Sigmoid", {}),
    ("Softplus", {}), ("Softplus", {"beta": 2.3}), ("Softshrink", {}), ("Softshrink", {"lambd": 0.3}),
    ("Softsign", {}), ("Tanh", {}), ("Tanhshrink", {}), ("Threshold", {"threshold": 0.1, "value": 0.7}),
)  # fmt: skip

PROBES: tuple[Probe, ...] = (
    *(Probe(op, attrs) for op, attrs in ELEMENTWISE),
    Probe("RReLU", {}, lambda v: ([v], [0.2]), training=False),
    Probe("Identity"),
    Probe("Flatten", {"start_dim": 0}),
    Probe("Unflatten", {"dim": 0, "unflattened_size": (1, 1)}, points=SHIFTS, cotangent=[[1.0]]),
    Probe(
        "Linear",
        {"in_features": 1, "out_features": 1},
        points=SHIFTS,
        cotangent=[1.0],
        parameters={"weight": [[0.7]], "bias": [0.1]},
    ),
    *_softmaxes(),
    Probe("GLU", {}, lambda v: ([[1.3, v]],), "the gate", lambda d: _grid(Node("n", "Sigmoid", ()), d), [[1.0]]),
    *_batches(),
    *_losses(),
    *_likelihoods(),
)
"""Every operator of `FORMULAS` that torch.nn has, but for Dropout, which draws there what is data here."""


# ----------------------------------------------------------------------------------------------------------- the search


@dataclass(frozen=True)
class Point:
    """One number of torch that is not the true one."""

    at: float
    tensor: str
    """"value", or the tensor whose gradient it is."""
    index: tuple[int, ...]
    copies: int
    got: float
    true: Ball
    units: float
    """The error in units in the last place of the true value; infinite for NaN and infinity."""
    roundings: float
    """The error in units in the last place of the largest entry, or of 1 if that is larger."""


@dataclass(frozen=True)
class Deviation:
    """The deviations of one operator in one dtype and one of its results, of one grade."""

    probe: Probe
    dtype: str
    tensor: str
    grade: Grade
    worst: Point
    spans: tuple[tuple[float, float], ...]
    """Where: intervals of neighbouring points of the grid, all of them off."""
    affected: int
    asked: int
    forms: tuple[int, ...]
    """In how many copies it shows: 1, `MANY`, or both."""
    twin: str
    """The twin's own number at the worst point."""
    verdict: str
    """What the oracle says, there, of a subject that is right."""
    script: str
    printed: str
    """What the script prints: torch's number, and the true one rounded to the dtype."""


def search(probes: Sequence[Probe] = (), dtypes: Sequence[str] = DTYPES) -> list[Deviation]:
    """Every deviation that the probes (all of them, unless some are given) find, what matters first."""
    found = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for probe in probes or PROBES:
            for dtype in dtypes:
                found += _deviations(probe, dtype)
    return sorted(found, key=_importance)


def _importance(d: Deviation) -> tuple[Any, ...]:
    return (GRADES.index(d.grade), -min(d.worst.roundings, 1e300), -min(d.worst.units, 1e300), d.probe.op, d.dtype)


@np.errstate(all="ignore")
def _deviations(probe: Probe, dtype: str) -> list[Deviation]:
    node = Node("n", probe.op, ("x",), probe.attrs)
    points = probe.points(dtype) if probe.points else _grid(node, dtype)
    asked: Counter[str] = Counter()
    off: dict[tuple[str, Grade], list[Point]] = {}
    together = _side_by_side(probe, dtype, points) if probe.cotangent is None else {}
    for k, at in enumerate(points.tolist()):
        case = probe.case(dtype, at)
        truths = _truths(case)
        asked.update({t for (t, _), ball in truths.items() if _within(ball, dtype)})
        alone = _numbers(native(case))
        got = [(1, key, float(alone[key[0]][key[1]]), ball) for key, ball in truths.items()]
        got += [(MANY, key, float(together[key[0]][k]), b) for key, b in truths.items() if key[0] in together]
        for point in _compare(got, at, dtype):
            grade: Grade = "conditioning" if _conditioned(case, point) else _grade(point)
            off.setdefault((point.tensor, grade), []).append(point)
    if probe.cotangent is None:
        off = {(t, _everywhere(g, its, points)): its for (t, g), its in off.items()}
    return [_deviation(probe, dtype, t, g, its, points, asked[t]) for (t, g), its in off.items()]


def _everywhere(grade: Grade, off: list[Point], points: Array) -> Grade:
    """What is visible at more than a quarter of the inputs that networks meet is not in a corner."""
    common = {x for x in points.tolist() if 1e-3 < abs(x) < 10}
    return "everywhere" if grade == "visible" and 4 * len(common & {p.at for p in off}) > len(common) else grade


def _conditioned(case: Case, point: Point) -> bool:
    """Whether the truth moves by a quarter of the error when the inputs move to the next numbers, one at a time."""
    if not math.isfinite(point.got):
        return False
    x, moved = case.inputs["x"], 0.0
    for index in np.ndindex(x.shape):
        beside = x.copy()
        beside[index] = np.nextafter(x[index], np.inf)
        ball = _true(replace(case, inputs=case.inputs | {"x": beside}), point.tensor, point.index)
        moved += ball.distance(point.true.low) if ball else 0.0
    return 4 * moved >= point.true.distance(point.got)


Truths = dict[tuple[str, tuple[int, ...]], Ball]


def _truths(case: Case) -> Truths:
    """The proven value of every entry of the output and of every gradient but the cotangent's."""
    shapes = {"value": case.inputs["c"].shape} | {t: x.shape for t, x in (case.parameters | case.inputs).items()}
    wanted = ["value", *(t for t in case.wanted() if t != "c")]
    found = {(t, index): _true(case, t, index) for t in wanted for index in np.ndindex(shapes[t])}
    return {key: ball for key, ball in found.items() if ball is not None}


def _true(case: Case, tensor: str, index: tuple[int, ...]) -> Ball | None:
    """One true number, if it can be proven; Softplus without its threshold."""
    try:
        if tensor == "value":
            return output(case, "n", index, exact_softplus=True)
        return partial(case, tensor, index, exact_softplus=True)
    except Undecided:
        return None


def _numbers(answer: Answer) -> Tensors:
    """The output and the gradients."""
    assert answer.outputs is not None
    return {"value": answer.outputs["n"], **answer.gradients}


def _side_by_side(probe: Probe, dtype: str, points: Array) -> Tensors:
    """Torch at all points in one go, in its vectorised kernels; they work on blocks, so that the last one is filled."""
    case = probe.case(dtype, *np.resize(points, -(-len(points) // MANY) * MANY).tolist())
    found = _numbers(native(case))
    return {t: x for t, x in found.items() if x.shape == case.inputs["x"].shape and not t.startswith("n.")}


Got = list[tuple[int, tuple[str, tuple[int, ...]], float, Ball]]


def _compare(found: Got, at: float, dtype: str) -> Iterator[Point]:
    """The entries that deviate."""
    info = np.finfo(dtype)
    for copies, (tensor, index), got, ball in found:
        if _within(ball, dtype):
            size = max(abs(ball.low), abs(ball.high))
            largest = max(abs(b.low) for _, (t, _), _, b in found if t == tensor)
            error = ball.distance(got) if math.isfinite(got) else math.inf
            units = error / float(np.spacing(np.dtype(dtype).type(size)))
            if units > FAR and error > _floor(size, info):
                yield Point(at, tensor, index, copies, got, ball, units, error / (float(info.eps) * max(1.0, largest)))


def _within(ball: Ball, dtype: str) -> bool:
    """Whether the truth is within the range of the dtype."""
    return max(abs(ball.low), abs(ball.high)) <= float(np.finfo(dtype).max)


def _floor(size: float, info: Any) -> float:
    """What does not count: a denormal truth may be flushed to zero."""
    return 0.0 if size >= float(info.tiny) else 4 * float(info.tiny)


def _grade(point: Point) -> Grade:
    if not math.isfinite(point.got):
        return "not finite"
    return "visible" if point.roundings > VISIBLE else "roundings" if point.roundings > 1 else "invisible"


def _deviation(
    probe: Probe, dtype: str, tensor: str, grade: Grade, off: list[Point], points: Array, asked: int
) -> Deviation:
    def score(p: Point) -> float:
        return p.units if grade == "invisible" else p.roundings

    most = max(map(score, off))
    worst = min(
        (p for p in off if 2 * score(p) >= most), key=lambda p: (abs(math.log(abs(p.at) or 1e-323)), p.copies, -p.at)
    )
    at = {p.at for p in off}
    return Deviation(
        probe, dtype, tensor, grade, worst, _spans(points.tolist(), at), len(at), asked,
        tuple(sorted({p.copies for p in off})), *_twin(probe, dtype, worst), *script(probe, dtype, worst),
    )  # fmt: skip


def _spans(points: list[float], off: set[float]) -> tuple[tuple[float, float], ...]:
    spans: list[list[float]] = []
    before = False
    for x in points:
        if x in off and before:
            spans[-1][1] = x
        elif x in off:
            spans.append([x, x])
        before = x in off
    return tuple((a, b) for a, b in spans)


def _twin(probe: Probe, dtype: str, worst: Point) -> tuple[str, str]:
    """What the twin has instead, and what the oracle says there of the true numbers."""
    case = probe.case(dtype, worst.at)
    try:
        truth = Twin.of(case).run(case)
    except CaseError as reason:
        return f"refuses: {reason}", "skipped"
    value = float((truth.values["n"] if worst.tensor == "value" else truth.gradients[worst.tensor])[worst.index])
    return f"{value:.9g} ({'right' if _near(value, worst.true, dtype) else 'off too'})", verdict_on_truth(case)


def _near(value: float, ball: Ball, dtype: str) -> bool:
    return ball.distance(value) <= 256 * float(np.finfo(dtype).eps) * max(abs(ball.low), abs(ball.high))


def verdict_on_truth(case: Case) -> str:
    """The outcome for a subject that returns the proven numbers, each rounded once."""

    def number(ball: Ball | None) -> float:
        return float(ball.mid) if ball is not None else math.nan

    state = case.parameters | case.inputs
    gradients = {t: np.zeros(state[t].shape, case.dtype) for t in case.wanted()}
    for tensor, g in gradients.items():
        for index in np.ndindex(g.shape):
            g[index] = number(_true(case, tensor, index))
    try:
        answer = Answer(loss=np.asarray(float(loss(case, exact_softplus=True).mid), case.dtype), gradients=gradients)
    except Undecided:
        return "undecided"
    return judge(case, Subject("truth", lambda case: answer)).outcome


# ---------------------------------------------------------------------------------------------------------- the scripts


def script(probe: Probe, dtype: str, point: Point) -> tuple[str, str]:
    """A few lines of plain torch that print what torch gives and the truth; and what they print."""
    names = ("x", "t")
    given = [np.asarray(x) for x in probe.inputs(point.at)]
    lines = ["import torch"]
    for name, x in zip(names, given, strict=False):
        lines.append(f"{name} = {_tensor(x, dtype, point.copies)}{'.requires_grad_()' if x.dtype.kind == 'f' else ''}")
    attrs = ", ".join(f"{k}={_argument(v, dtype)}" for k, v in probe.attrs.items())
    mode = "" if probe.training else ".eval()"
    cast = ".double()" if dtype == "float64" and probe.op in STATEFUL else ""
    lines.append(f"op = torch.nn.{probe.op}({attrs}){cast}{mode}")
    lines.append(f"y = op({', '.join(names[: len(given)])})")
    where = ", ".join(map(str, point.index))
    if point.tensor == "value":
        got = f"y[{where}]"
    else:
        c = "torch.ones_like(y)" if probe.cotangent is None else _tensor(np.asarray(probe.cotangent), dtype, 1)
        lines.append(f"y.backward({c})")
        got = f"{point.tensor.replace('n.', 'op.')}.grad[{where}]"
    true = _number(float(point.true.mid), dtype)
    lines.append(f'print({got}.item(), "true:", {true})')
    return "\n".join(lines), f"{point.got!r} true: {float(true)!r}"


def _tensor(x: Array, dtype: str, copies: int) -> str:
    if copies > 1:
        return f"torch.full(({copies},), {_number(float(x.flat[0]), dtype)}, dtype=torch.{dtype})"
    if x.dtype.kind != "f":
        return f"torch.tensor({x.tolist()})"
    return f"torch.tensor({_nested(x.tolist(), dtype)}, dtype=torch.{dtype})"


def _nested(x: Any, dtype: str) -> str:
    return f"[{', '.join(_nested(v, dtype) for v in x)}]" if isinstance(x, list) else _number(x, dtype)


def _number(x: float, dtype: str) -> str:
    """The shortest digits that are this number in the dtype."""
    return str(np.dtype(dtype).type(x))


def _argument(x: Any, dtype: str) -> str:
    return f"torch.tensor({x}, dtype=torch.{dtype})" if isinstance(x, list) else repr(x)


# ---------------------------------------------------------------------------------------------------------- the contest


@dataclass(frozen=True)
class Contest:
    """What the oracle says of `native` on random cases of a dtype."""

    dtype: str
    cases: int
    tally: dict[str, int]
    blamed: dict[str, int]
    """Of the cases that do not match, in how many an operator fails alone."""


def contest(cases: int = 100, seed: int = 0, dtypes: Sequence[str] = DTYPES) -> list[Contest]:
    """The first cases of a seed, with torch itself as the subject."""
    subject = Subject("torch", native, _native_update)
    found = []
    for dtype in dtypes:
        stream, tally, blamed = Stream(seed, dtype), Counter[str](), Counter[str]()
        for k in range(cases):
            case = stream[k]
            outcome = judge(case, subject).outcome
            tally[outcome] += 1
            if outcome in ("mismatch", "torch deviates"):
                blamed.update(_guilty(case, subject))
        found.append(Contest(dtype, cases, dict(sorted(tally.items())), dict(sorted(blamed.items()))))
    return found


QUICK = How(prove=False, twice=False, thorough=False)


def _guilty(case: Case | UpdateCase, subject: Subject) -> set[str]:
    """The operators that fail alone, on their true inputs and error signal."""
    if isinstance(case, UpdateCase):
        return {case.op}
    truth, found = Twin.of(case).run(case, errors=True), set()
    for node in case.nodes:
        try:
            alone = isolate(case, truth, node)
            if finite(alone) and judge(alone, subject, how=QUICK).outcome == "mismatch":
                found.add(node.op)
        except CaseError:
            continue
    return found or {"only together"}


# -------------------------------------------------------------------------------------------------- what is known of it

CAUSES: dict[str, str] = {
    "BCELoss x": "The backward pass divides by max(p (1 − p), 1e-12), and its 1e-12 is a float32 in float64 too.",
    "BCELoss t": "The value clamps ln p and ln(1 − p) at −100; the gradient of the target does not, so that it is not "
    "the derivative of what was computed, and infinite at p = 0 and p = 1.",
    "BatchNorm1d": "The variance is summed in the dtype of the input: from a spread of about 1e19 on its squares "
    "overflow float32, and every output is 0.",
    "BCEWithLogitsLoss value": "The value is (1 − t) x − ln σ(x): where the label is 0 and x far below 0, two numbers "
    "of size |x| cancel, and eˣ is lost in their rounding.",
    "BCEWithLogitsLoss x": "The slope is (1 + (a − 1) t) σ(x) − a t, a the pos_weight: it cancels if σ(x) is near t.",
    "CELU x": "The backward kernel of ELU, which CELU uses, works with α rounded to float32.",
    "CrossEntropyLoss value": "ln Σ e^(z − max z) is 0 once the sum rounds to 1.",
    "CrossEntropyLoss x": "p − 1 cancels for the class that is all but certain.",
    "GELU x, not finite": "From 1.85e19 (in float64 1.35e154) on x² overflows, and tanh′ = 0 times that is NaN.",
    "GELU": "1 + erf and 1 + tanh cancel for negative x.",
    "GLU": "σ (1 − σ) cancels where σ is near 1.",
    "Hardsigmoid": "The backward kernel holds 1/6 as a float32, in float64 too.",
    "Hardswish": "x · min(max(x + 3, 0), 6) is formed before the division by 6.",
    "LogSoftmax value": "ln Σ e^(z − max z) is 0 once the sum rounds to 1.",
    "LogSoftmax x": "1 − p cancels for the class that is all but certain.",
    "Mish": "e⁻ˣ overflows, so that σ(x) is 0 and the term x σ(x) is lost, where it is still a normal number.",
    "SiLU": "e⁻ˣ overflows, and what it divides becomes −0, where x eˣ is still a normal number.",
    "Sigmoid": "σ (1 − σ) cancels where σ is near 1: it is exactly 0 once σ rounds to 1.",
    "Softmax": "p (1 − p) cancels for the class that is all but certain.",
    "Softmin": "p (1 − p) cancels for the class that is all but certain.",
    "Softplus": "Documented: the operator is a line where β x > 20. What that leaves out, 2.1e-9 and less, float32 "
    "cannot see next to 20, but float64 can.",
    "Softsign": "Composite: 1/(1 + |x|) − |x|/(1 + |x|)² cancels.",
    "Tanh": "1 − tanh² cancels: it is exactly 0 once tanh rounds to 1.",
    "Tanhshrink": "Composite: x − tanh x cancels near 0, and so does 1 − tanh′.",
}
"""Why: by operator, by operator and result, or by grade as well."""

UPSTREAM: dict[str, str] = {
    "BCELoss": "That there are clamps is documented (pytorch#103316); about these two faults no issue was found.",
    "BatchNorm1d": "pytorch#162489, with a repair proposed in pytorch#178123.",
    "BCEWithLogitsLoss x": "pytorch#195677 and pytorch#195529 (without pos_weight).",
    "BCEWithLogitsLoss value": "pytorch#195529, where the value is 0.",
    "CELU": "No issue was found; pytorch#158314 is about another α held in too low a precision.",
    "CrossEntropyLoss x": "pytorch#195678 and pytorch#195531.",
    "GELU": "The tail: pytorch#187806, with a repair proposed in pytorch#189234.",
    "GELU x, not finite": "No issue was found about finite inputs; pytorch#185770 is about infinite ones.",
    "Hardsigmoid": "No issue was found; pytorch#51438 is about another fault of this derivative.",
    "LogSoftmax x": "pytorch#195680.",
    "Sigmoid": "pytorch#195681 and pytorch#195527.",
    "Softmax": "pytorch#195531.",
    "Softplus": "No issue was found about the threshold in float64.",
    "Tanh": "pytorch#195527 and pytorch#195685.",
}
"""What the public issues say (searched in an index of them), by the same keys."""


@dataclass(frozen=True)
class Known:
    """What a report adds to the numbers."""

    versions: dict[str, str]
    """What the numbers depend on."""
    causes: dict[str, str]
    upstream: dict[str, str]
    twins: dict[str, str]
    """Why the twin spells an operator out."""


def known() -> Known:
    """What is known beside the numbers."""
    versions = {
        "torch": torch.__version__,
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "python": platform.python_version(),
        "machine": platform.machine(),
    }
    return Known(versions, CAUSES, UPSTREAM, DEVIATIONS | {"GLU": DEVIATIONS["Sigmoid"]})


def unprobed() -> set[str]:
    """Operators of the arbiter that torch.nn has and no probe asks."""
    return {op for op in FORMULAS if hasattr(nn, op)} - {p.op for p in PROBES}
