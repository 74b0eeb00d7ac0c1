"""A failing case with what the subject made of it, and what it takes for a prediction to explain that."""

from dataclasses import dataclass, field

import numpy as np

from oracle.kinks import KINKS, RESIDUAL, exactly_at
from oracle.spec import Array, Case, Tensors, UpdateCase
from oracle.twin import Truth, Twin, run_update

UNIT = {"float64": 1e-9, "float32": 2e-4}
"""How near a prediction must come to what was returned, relative to the largest entry of the tensor."""

NOISE = {"float64": 1e-12, "float32": 1e-5}
"""What is noise, relative to the largest gradient of the case: a true 0 has no scale of its own."""


@dataclass
class Evidence:
    """One case of the forward and backward pass, the subject's answer, and autograd's."""

    case: Case
    got: Tensors
    """What was returned: gradients by name, "loss", "buffer NAME"."""
    wrong: set[str]
    """The tensors of `got` that are wrong; empty for a case that passed."""
    twin: Twin = field(init=False)
    truth: Truth = field(init=False)

    def __post_init__(self) -> None:
        self.twin = Twin(self.case)
        self.truth = self.twin.run(self.case, errors=True)
        self.right = told(self.truth)
        self.at_kinks = _at_kinks(self.case, self.truth)

    def explained(self, predicted: Tensors | None) -> bool:
        """Whether a prediction is what was returned in every tensor and, for the wrong ones, unlike the truth."""
        if predicted is None:
            return False
        unit = UNIT[self.case.dtype]
        sizes = (float(np.abs(g[np.isfinite(g)]).max(initial=0)) for g in self.truth.gradients.values())
        noise = NOISE[self.case.dtype] * max(sizes, default=0.0)

        def explains(name: str, got: Array) -> bool:
            three = (got, predicted.get(name, self.right[name]), self.right[name])
            return _explains(*self._off_kinks(name, *three), unit, name in self.wrong, noise)

        return all(explains(name, got) for name, got in self.got.items())

    def _off_kinks(self, name: str, got: Array, predicted: Array, right: Array) -> tuple[Array, Array, Array]:
        """Without the entries at kinks, where a slope is a convention; unless there alone is anything wrong."""
        on = self.at_kinks.get(name)
        if on is None or on.shape != got.shape or predicted.shape != got.shape:
            return got, predicted, right
        off = np.where(on, 0, np.abs(got - right))
        if name in self.wrong and not (off > NOISE[self.case.dtype] * np.abs(right).max(initial=0)).any():
            return got, predicted, right
        a, b, c = (np.where(on, 0, x) for x in (got, predicted, right))
        return a, b, c

    def off_by(self) -> float:
        """The largest error of a wrong tensor, relative to its largest entry."""
        found = [(np.asarray(self.got[name], float), self.right[name]) for name in self.wrong if name in self.got]
        with np.errstate(all="ignore"):
            off = [np.abs(got - right).max(initial=0) / np.abs(right).max(initial=0) for got, right in found]
        return float(max(off, default=np.inf))


def _at_kinks(case: Case, truth: Truth) -> dict[str, Array]:
    """Which entries of the inputs lie exactly on a kink of the node that reads them."""
    found: dict[str, Array] = {}
    for node in case.nodes:
        if node.op in KINKS and node.inputs[0] in case.inputs:
            on = exactly_at(node, [truth.values[name] for name in node.inputs])
            for name in node.inputs[: 2 if node.op in RESIDUAL else 1]:
                if on.any() and name in truth.gradients and truth.gradients[name].shape == on.shape:
                    found[name] = found.get(name, np.zeros(on.shape, bool)) | on
    return found


def told(truth: Truth) -> Tensors:
    """Everything an answer may hold, by the names of `Evidence.got`."""
    return {**truth.gradients, "loss": truth.loss, **{f"buffer {n}": x for n, x in truth.buffers.items()}}


@dataclass
class Steps:
    """One case of step 5, the subject's parameters after each step, and torch's."""

    case: UpdateCase
    got: list[Tensors]
    wrong: bool
    right: list[Tensors] = field(init=False)

    def __post_init__(self) -> None:
        self.right = run_update(self.case)

    def explained(self, predicted: list[Tensors] | None) -> bool:
        """Whether a prediction is what was returned after every step and, where that is wrong, unlike the truth."""
        if predicted is None:
            return False
        unit = UNIT[self.case.dtype]
        sizes = (float(np.abs(x).max(initial=0)) for step in (self.case.parameters, *self.right) for x in step.values())
        noise = NOISE[self.case.dtype] / 10 * max(filter(np.isfinite, sizes), default=0.0)
        wrong = [
            self.wrong and not _near(np.asarray(got[name], float), np.asarray(right[name], float), unit, noise)
            for got, right in zip(self.got, self.right, strict=True)
            for name in right
        ]
        triples = [
            (got[name], p[name], right[name])
            for got, p, right in zip(self.got, predicted, self.right, strict=True)
            for name in right
        ]
        return all(_explains(*t, unit, w, noise) for t, w in zip(triples, wrong, strict=True))


def _near(a: Array, b: Array, unit: float, noise: float = 0.0) -> bool:
    finite = np.isfinite(b)
    if not np.array_equal(np.isfinite(a), finite) or not np.array_equal(a[~finite], b[~finite], equal_nan=True):
        return False
    scale = float(np.abs(b[finite]).max(initial=0))
    return float(np.abs(a[finite] - b[finite]).max(initial=0)) <= max(unit * scale, noise) + 1e-300


def _explains(got: Array, predicted: Array, right: Array, unit: float, wrong: bool, noise: float = 0.0) -> bool:
    got, predicted, right = (np.asarray(x, float) for x in (got, predicted, right))
    if predicted.shape != got.shape:
        return False
    finite = np.isfinite(got) & np.isfinite(right) & np.isfinite(predicted)
    off = float(np.abs(got - right)[finite].max(initial=0))
    if not wrong and finite.all() and float(np.abs(predicted - right).max(initial=0)) <= max(off, noise):
        return True  # both are right, up to the noise around a zero
    if not _near(got, predicted, unit, noise):
        return False
    if not wrong:
        return True
    if not finite.all() and not np.array_equal(np.isfinite(got), np.isfinite(right)):
        return True  # the infinities and NaN are the error, and are predicted
    return float(np.abs(got - predicted)[finite].max(initial=0)) <= 0.1 * off  # nearer than the truth is
