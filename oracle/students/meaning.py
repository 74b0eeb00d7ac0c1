"""What a student's function computes: activations, loss and reduction, told from the gradients that are right.

Every meaning that is usual is tried: the one under which the most gradients are right, over several nets, is taken.
One wrong line spoils some of them and not all; where no meaning makes half of them right, none is taken.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache

import numpy as np

from oracle.chains import Chain, Unit
from oracle.spec import Array, Case
from oracle.students.layout import Net
from oracle.subjects import reference

UNITS: dict[str, Unit | None] = {
    "sigmoid": Unit("Sigmoid"), "tanh": Unit("Tanh"), "relu": Unit("ReLU"), "none": None,
    "leaky_relu": Unit("LeakyReLU"), "elu": Unit("ELU"), "softplus": Unit("Softplus"), "silu": Unit("SiLU"),
    "gelu": Unit("GELU", {"approximate": "none"}), "gelu_tanh": Unit("GELU", {"approximate": "tanh"}),
    "leaky_relu_0.1": Unit("LeakyReLU", {"negative_slope": 0.1}),
    "leaky_relu_0.2": Unit("LeakyReLU", {"negative_slope": 0.2}), "softmax": Unit("Softmax", {"dim": 1}),
}  # fmt: skip
HIDDEN = {name: unit or Unit("Identity") for name, unit in UNITS.items() if name != "softmax"}
LOSSES = {
    "half_squared": "HalfSquaredError", "squared": "MSELoss", "cross_entropy": "CrossEntropyLoss",
    "binary_cross_entropy": "BCELoss",
}  # fmt: skip
REDUCTIONS = ("sum", "batch", "mean", "outputs")
"""Σ, Σ/N, Σ/(N·out) and Σ/out."""
NAMES = {
    "half_squared": "half squared error", "squared": "squared error", "cross_entropy": "cross-entropy of a softmax",
    "binary_cross_entropy": "binary cross-entropy of sigmoids",
}  # fmt: skip
SUMMED = {
    "sum": "summed", "batch": "summed over the outputs, mean over the batch", "mean": "mean over all entries",
    "outputs": "summed over the batch, mean over the outputs",
}  # fmt: skip
RIGHT, EXACT, ROUGH = 1e-5, 1e-11, 1e-3
"""Relative errors up to which a gradient is right while a meaning is looked for, a loss is right, or nearly so."""


@dataclass(frozen=True)
class Meaning:
    """Activations, loss and reduction."""

    hidden: str
    output: str
    loss: str
    reduction: str

    @property
    def units(self) -> tuple[Unit, Unit | None]:
        """The nodes of the hidden layers and of the output; a softmax under a cross-entropy is the loss's own."""
        return HIDDEN[self.hidden], None if self.loss == "cross_entropy" else UNITS[self.output]

    def divisor(self, n: int, width: int) -> int:
        """What the sum over all entries is divided by."""
        return {"sum": 1, "batch": n, "mean": n * width, "outputs": width}[self.reduction]

    def factor(self, op_reduction: str, n: int, width: int) -> float:
        """What turns its gradients into those of the oracle's loss with this reduction."""
        whole = n if self.loss == "cross_entropy" else n * width
        return self.divisor(n, width) / (whole if op_reduction == "mean" else 1)

    @property
    def plain(self) -> str:
        """The reduction of the oracle's loss that is nearest to its own."""
        return "sum" if self.reduction in ("sum", "outputs") else "mean"

    @property
    def activations(self) -> str:
        """In words."""
        hidden, output = (name.replace("none", "no activation") for name in (self.hidden, self.output))
        return f"{hidden} everywhere" if hidden == output else f"{hidden} in hidden layers and {output} at the output"

    @property
    def error(self) -> str:
        """The loss in words."""
        return f"{NAMES[self.loss]}, {SUMMED[self.reduction]}"

    def __str__(self) -> str:
        return f"{self.activations}, {self.error}"


def meanings(said: dict[str, str]) -> Iterator[Meaning]:
    """Every usual meaning, as far as it is not said."""
    outputs = ("sigmoid", "none", "tanh", "relu", "softmax", "leaky_relu")
    for loss in LOSSES:
        own = {"cross_entropy": ("softmax",), "binary_cross_entropy": ("sigmoid",)}.get(loss)
        for hidden in HIDDEN:
            for output in own or dict.fromkeys((*outputs, hidden)):
                for reduction in REDUCTIONS[:2] if loss == "cross_entropy" and not said else REDUCTIONS:
                    found = {"activation": hidden, "output": output, "loss": loss, "reduction": reduction}
                    if all(found[key] == value for key, value in said.items() if key in found):
                        yield Meaning(hidden, output, loss, reduction)


# ------------------------------------------------------------------------------------------------------------ probes


@dataclass
class Probe:
    """A net, and what was answered: gradients in the oracle's layout, and the loss."""

    net: Net
    gradients: dict[str, Array] = field(default_factory=dict)
    loss: float | None = None

    def truth(self, m: Meaning) -> tuple[dict[str, Array], float]:
        """Gradients and loss of a meaning, by the reference."""
        family = "half_squared" if m.loss == "squared" else m.loss
        key = (m.hidden, m.output, family)
        if key not in self.net.truths:
            self.net.truths[key] = self._answer(Meaning(m.hidden, m.output, family, "sum"))
        gradients, loss = self.net.truths[key]
        n, width = self.net.target.shape
        k = (2 if m.loss == "squared" else 1) / m.divisor(n, width)
        return {name: k * g for name, g in gradients.items()}, k * loss

    def _answer(self, m: Meaning) -> tuple[dict[str, Array], float]:
        found = reference(case_of(self.net, m))
        return found.gradients, float(found.loss)

    def right(self, m: Meaning) -> set[str]:
        """The gradients that are right under a meaning."""
        truth, _ = self.truth(m)
        return {name for name, g in self.gradients.items() if near(g, truth[name])}


def near(got: Array, right: Array, room: float = RIGHT) -> bool:
    """Whether an array is right, as far as a reading needs to know; a zero says nothing."""
    size = float(np.abs(right).max(initial=0))
    return got.shape == right.shape and size > 0 and bool((np.abs(got - right) <= room * size).all())


@cache
def _architecture(m: Meaning, widths: tuple[int, ...], n: int, bias: bool) -> tuple[object, ...]:
    return Chain((m.units,), LOSSES[m.loss], "sum", bias=bias).net(list(widths), n).nodes


def case_of(net: Net, m: Meaning) -> Case:
    """A net as a case, every loss summed."""
    nodes = _architecture(m, tuple(net.widths), len(net.x), True)
    weights = {f"h{k}.weight": w for k, w in enumerate(net.weights, 1)}
    biases = {f"h{k}.bias": b for k, b in enumerate(net.biases, 1)}
    return Case(nodes=nodes, inputs={"x": net.x, "target": net.target}, parameters=weights | biases)  # type: ignore[arg-type]


# ------------------------------------------------------------------------------------------------------------- choice


@dataclass(frozen=True)
class Choice:
    """A meaning, and how far it is borne out."""

    meaning: Meaning
    right: float
    """The share of the gradients that are right."""
    loss: str
    """"right", "negative", "near", "unknown" or "none"; the first two are judged."""
    ratios: tuple[float, ...] = ()
    """Where no gradient is right: what all of them are times the right ones, net by net."""

    @property
    def ratio(self) -> float | None:
        """The factor, if it is the same in every net."""
        k = self.ratios[0] if self.ratios else None
        return k if all(abs(r - self.ratios[0]) <= RIGHT * abs(r) for r in self.ratios) else None

    @property
    def sure(self) -> bool:
        """Whether enough is right to judge by it."""
        return self.right >= 0.5 or (self.loss in ("right", "near") and (self.right > 0 or self.ratio is not None))


def choose(probes: list[Probe], said: dict[str, str]) -> Choice:
    """The meaning under which the most is right. A loss that is returned says which one is meant."""
    found = [_measure(m, probes) for m in meanings(said)]
    best = max(found, key=_rank)
    by_loss = [c for c in found if c.loss in ("right", "near")]
    if by_loss:
        told = max(by_loss, key=_rank)
        alike = (told.meaning.hidden, told.meaning.output) == (best.meaning.hidden, best.meaning.output)
        if told.sure or not best.sure:
            return told
        if alike or told.right >= best.right:
            return Choice(told.meaning, max(told.right, 0.5), told.loss, told.ratios)
    return best


def _rank(c: Choice) -> tuple[float, bool, bool, bool]:
    return c.right, c.loss == "right", c.ratio is not None, bool(c.ratios)


def _measure(m: Meaning, probes: list[Probe]) -> Choice:
    total = sum(len(p.gradients) for p in probes)
    weights = [sum(name.endswith("weight") for name in p.right(m)) for p in probes]
    right = sum(len(p.right(m)) for p in probes)
    share = (right + 1e-3 * sum(weights)) / max(1, total)  # of two that are as right, that of the weights
    return Choice(m, share, _loss(m, probes), () if right else _ratios(m, probes))


def _loss(m: Meaning, probes: list[Probe]) -> str:
    if any(p.loss is None for p in probes):
        return "none"
    got = np.array([p.loss for p in probes], float)
    want = np.array([p.truth(m)[1] for p in probes])
    if near(got, want, EXACT):
        return "right"
    if near(got, -want, EXACT):
        return "negative"
    return "near" if near(got, want, ROUGH) else "unknown"


def _ratios(m: Meaning, probes: list[Probe]) -> tuple[float, ...]:
    """The factors between all that was returned and the right gradients, net by net; none if there are none."""
    found = [_ratio(p.gradients, p.truth(m)[0]) for p in probes]
    return tuple(k for k in found if k) if all(found) else ()


def _ratio(returned: dict[str, Array], right: dict[str, Array]) -> float | None:
    pairs = [(g, right[name]) for name, g in returned.items()]
    if any(a.shape != b.shape for a, b in pairs) or not pairs:
        return None
    got, want = (np.concatenate([np.ravel(pair[k]) for pair in pairs]) for k in (0, 1))
    k = float(got @ want / max(float(want @ want), 1e-300))
    return k if k and near(got, k * want) else None
