"""How a subject's answer is held against the truth: contract first, then numbers, with a measure that knows rounding.

1. `contract`: names, types, shapes, dtypes, finiteness; a breach is named before any number is compared.
2. `cheap`: every entry within a few units in the last place of its row and column. Most answers end here.
3. `estimated`: what a run of the twin in float32 says of the case's conditioning. Most of the rest end here.
4. `suspects`: for what is left, the tolerance of an entry is `SAFE` times the mean deviation of the twin's own
   answer under random rounding of every intermediate result, so that ill-conditioned entries get the room that
   their own conditioning asks for, and no other.

What is still suspect is only that; proof is the arbiter's.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

import numpy as np
from msgspec import Struct
from msgspec.structs import asdict

from oracle.spec import Answer, Array, Case, Tensors, UpdateAnswer, UpdateCase

Outcome = Literal["match", "mismatch", "convention", "torch deviates", "errored", "timeout", "skipped", "undecided"]
FAILURES = ("mismatch", "errored", "timeout")
"""Outcomes for which a check fails."""

CHEAP = 16.0
"""Units in the last place of the row's and the column's largest entry that are accepted unasked."""
SAFE = 32.0
"""Mean deviations under random rounding that are accepted. A noisy operation is three halves of a rounding wrong; of
30,744 right tensors the worst was 29 deviations of half a rounding each, so this is three times what was ever seen."""


class Difference(Struct, frozen=True):
    """One entry that is not what it should be."""

    tensor: str
    """"loss", a gradient ("h1.weight", "x"), "buffer bn.running_mean", "output h1" or "error h1"."""
    index: tuple[int, ...]
    expected: float
    got: float
    tolerance: float
    """How far rounding alone can move a right answer."""
    low: float | None = None
    """The true value is proven to lie in [low, high]."""
    high: float | None = None

    @property
    def error(self) -> float:
        """|got − expected|."""
        return abs(self.got - self.expected)

    @property
    def where(self) -> str:
        """The entry as one writes it: h1.weight[0, 2]."""
        return f"{self.tensor}[{', '.join(map(str, self.index))}]" if self.index else self.tensor


class Verdict(Struct, frozen=True):
    """What was found for one case."""

    outcome: Outcome
    reason: str = ""
    differences: tuple[Difference, ...] = ()
    """Empty for a breach of contract; else the worst entry of each tensor that differs, worst first."""
    stage: Literal["contract", "cheap", "estimated", "measured", "proved", "none"] = "none"
    """Where the decision fell."""
    worst: float = 0.0
    """The largest error over its tolerance, where it was measured."""
    suspects: tuple[str, ...] = ()
    """Every tensor that differs beyond rounding."""
    evidence: str = ""
    """The end of the subject's stderr, where its process gave no answer."""

    @property
    def failed(self) -> bool:
        """Whether a check with this verdict fails."""
        return self.outcome in FAILURES


# ------------------------------------------------------------------------------------------------------- contract


PARTS = ("gradients", "buffers", "outputs", "errors")
"""The parts of an answer that hold tensors."""
WORDS = {"gradients": "gradient of", "errors": "error signal of"}
"""What a tensor of a part is called, where it is not the part's own name."""


def normalise(reply: Any) -> Answer | str:
    """What a Python subject returned, as an `Answer`; or a sentence saying why it is none.

    Accepted are an `Answer`, a mapping with "gradients" (and "loss", "buffers", "outputs", "errors"), a pair
    (loss, gradients), and a bare mapping of gradients.
    """
    if isinstance(reply, Answer):
        reply = asdict(reply)
    if isinstance(reply, tuple) and len(reply) == 2 and isinstance(reply[1], Mapping):
        reply = {"loss": reply[0], "gradients": reply[1]}
    if not isinstance(reply, Mapping):
        return f"the subject returned {_kind(reply)}, but should return an Answer or a mapping of gradients"
    if "gradients" not in reply:
        reply = {"gradients": reply}
    if unknown := [str(key) for key in reply if key not in Answer.__struct_fields__]:
        return f"the answer has {unknown[0]!r}; it may have {', '.join(Answer.__struct_fields__)}"
    for part in PARTS:
        if not isinstance(reply.get(part, {}), Mapping if part == "gradients" else Mapping | None):
            return f"{part} is {_kind(reply[part])}, but should be a mapping from names to arrays"
    return Answer(**{key: dict(v) if isinstance(v, Mapping) else v for key, v in reply.items()})


def contract(case: Case, answer: Answer, wanted: Iterable[str], shapes: Mapping[str, Tensors]) -> list[str]:
    """Every breach, in sentences: missing and unknown names, types, shapes, dtypes.

    `wanted` are the gradients that the subject declares; `shapes` are tensors of the right shapes, by part of the
    answer (the truth's own).
    """
    breaches = [f"gradient of {name} is missing" for name in wanted if name not in answer.gradients]
    if breaches and answer.gradients.keys() >= case.parameters.keys():
        breaches[0] += '; a subject without gradients of inputs declares returns = {"parameters"}'
    for part in PARTS:
        got = getattr(answer, part) or {}
        word = WORDS.get(part, part[:-1])
        for name, x in got.items():
            if name not in shapes[part]:
                known = ", ".join(shapes[part]) or "none"
                breaches.append(f"{word} {name!r} is not asked for; the names are {known}")
            elif sentence := _tensor_breach(x, shapes[part][name], case.dtype):
                breaches.append(f"{word} {name} {sentence}")
    if answer.loss is not None and (sentence := _loss_breach(answer.loss)):
        breaches.append(f"the loss {sentence}")
    return breaches


def unsendable(answer: Answer | UpdateAnswer, dtype: str) -> str:
    """What another process cannot be sent of an answer: the first thing that is no array of real numbers, as `contract`
    says it. An empty string if there is none.
    """
    if isinstance(answer, UpdateAnswer):
        steps = [(f"step {k}", step) for k, step in enumerate(answer.steps, 1)]
        if bad := next(((k, step) for k, step in steps if not isinstance(step, Mapping)), None):
            return f"{bad[0]} is {_kind(bad[1])}, but should be a mapping from names to arrays"
        named = [(f"{k}: parameter {name}", x) for k, step in steps for name, x in step.items()]
    else:
        parts = [(WORDS.get(part, part[:-1]), getattr(answer, part) or {}) for part in PARTS]
        named = [(f"{word} {name}", x) for word, tensors in parts for name, x in tensors.items()]
        if answer.loss is not None and (sentence := _loss_breach(answer.loss)):
            return f"the loss {sentence}"
    return next((f"{name} {sentence}" for name, x in named if (sentence := _no_array(x, dtype))), "")


def _loss_breach(loss: Any) -> str:
    try:
        return _tensor_breach(np.asarray(loss), np.zeros(()), None)
    except Exception:  # it may be anything, and raise anything
        return f"is {_kind(loss)}, but should be a number"


def _no_array(x: Any, dtype: str | None) -> str:
    if not isinstance(x, np.ndarray | np.generic):
        return f"is {_kind(x)}, but should be a NumPy array"
    if x.dtype.kind not in "fib" or (dtype and x.dtype.kind == "f" and x.dtype.itemsize not in (4, 8)):
        return f"has dtype {x.dtype}, but should be {dtype or 'real'}"
    return ""


def _tensor_breach(x: Any, like: Array, dtype: str | None) -> str:
    if sentence := _no_array(x, dtype):
        return sentence
    if x.shape != like.shape:
        return f"has shape {x.shape}, but should be {like.shape}"
    if dtype is not None and like.dtype.kind == "f" and x.dtype != dtype:
        return f"has dtype {x.dtype}, but should be {dtype}"
    return ""


def _kind(value: Any) -> str:
    name = type(value).__name__
    return "None" if value is None else f"{'an' if name[0] in 'aeiouAEIOU' else 'a'} {name}"


# -------------------------------------------------------------------------------------------------------- numbers

Pairs = list[tuple[str, Array, Array]]
"""(tensor, got, expected), the expected in float64."""


def pairs(answer: Answer, truth: Any) -> Pairs:
    """Everything in an answer that is judged, beside the truth."""
    found: Pairs = []
    if answer.loss is not None:
        found.append(("loss", np.asarray(answer.loss), truth.loss))
    found += [(name, np.asarray(g), truth.gradients[name]) for name, g in answer.gradients.items()]
    found += [(f"buffer {n}", x, truth.buffers[n]) for n, x in (answer.buffers or {}).items()]
    found += [(f"output {n}", x, truth.values[n]) for n, x in (answer.outputs or {}).items()]
    found += [(f"error {n}", x, truth.errors[n]) for n, x in (answer.errors or {}).items()]
    return found


def as_pairs(kept: Pairs, run: Any) -> Pairs:
    """The tensors of `kept`, as a noisy run has them."""
    places = {"buffer": run.buffers, "output": run.values, "error": run.errors}
    result: Pairs = []
    for name, got, _ in kept:
        kind, _, rest = name.partition(" ")
        value = run.loss if name == "loss" else places[kind][rest] if rest else run.gradients[name]
        result.append((name, got, value))
    return result


def update_pairs(answer: UpdateAnswer, truth: list[Tensors]) -> Pairs:
    """The parameters after each step, beside the truth; the tensors are called "step 1: w"."""
    return [
        (f"step {k}: {name}", got[name], expected[name])
        for k, (got, expected) in enumerate(zip(answer.steps, truth, strict=True), 1)
        for name in expected
    ]


def update_contract(case: UpdateCase, answer: UpdateAnswer) -> list[str]:
    """Every breach of an answer to step 5, in sentences."""
    if len(answer.steps) != len(case.gradients):
        return [f"{len(answer.steps)} steps were returned, but {len(case.gradients)} gradients were given"]
    breaches = []
    for k, step in enumerate(answer.steps, 1):
        if not isinstance(step, Mapping):
            return [f"step {k} is {_kind(step)}, but should be a mapping from names to arrays"]
        for name, x in case.parameters.items():
            if name not in step:
                breaches.append(f"step {k}: parameter {name} is missing")
            elif sentence := _tensor_breach(step[name], x, case.dtype):
                breaches.append(f"step {k}: parameter {name} {sentence}")
        breaches += [f"step {k}: there is no parameter {name!r}" for name in step if name not in case.parameters]
    return breaches


def cheap(found: Pairs, dtype: str) -> list[str]:
    """The tensors that are not within a few units in the last place of their rows and columns."""
    info = np.finfo(dtype)
    unit, floor = CHEAP * float(info.eps), float(info.tiny)
    return [name for name, got, expected in found if not _close(got, expected, unit, floor)]


def _close(got: Array, expected: Array, unit: float, floor: float) -> bool:
    if not expected.size:
        return True
    error, size = np.abs(got - expected), np.abs(expected)
    close = error <= unit * _scale(size) + floor
    if close.all():
        return True
    with np.errstate(invalid="ignore"):
        return bool((close | (got == expected) | (np.isnan(got) & np.isnan(expected))).all())


def _scale(size: Array) -> Array:
    """Entry by entry, the least of the largest entries along each axis: a tiny row or column is held to its own."""
    if size.ndim < 2:
        return size.max() if size.ndim else size
    scale = (
        size.max(axis=1, keepdims=True) if size.ndim == 2 else size.max(axis=tuple(range(1, size.ndim)), keepdims=True)
    )
    others = size.max(axis=0, keepdims=True)
    return np.minimum(scale, others)


def estimated(found: Pairs, samples: list[Pairs], dtype: str, largest: float) -> list[str]:
    """The tensors that differ by more than runs of the twin in float32 say that rounding may do.

    What float32 loses against float64, scaled to the unit of `dtype`, is a sample of what rounding costs each entry.
    A sample so large that it may be a decision gone the other way is no evidence and counts for nothing.
    """
    info = np.finfo(dtype)
    unit, floor = float(info.eps), float(info.tiny)
    doubtful = []
    with np.errstate(all="ignore"):
        for k, (name, got, expected) in enumerate(found):
            losses = [np.abs(run[k][2] - expected) * (unit / float(np.finfo(np.float32).eps)) for run in samples]
            sample = np.maximum.reduce([np.where(loss <= 1e4 * unit * largest, loss, 0.0) for loss in losses])
            scale = np.maximum(sample, _scale(sample)) + unit * _scale(np.abs(expected))
            close = np.abs(got - expected) <= CHEAP * scale + floor
            if not (close | (got == expected) | (np.isnan(got) & np.isnan(expected))).all():
                doubtful.append(name)
    return doubtful


def tolerances(
    found: Pairs, runs: list[Pairs], dtype: str, safe: float = SAFE, low: list[Pairs] | None = None
) -> dict[str, Array]:
    """How far rounding can move each entry: `safe` mean deviations of the noisy runs and of the runs in float32 (scaled
    to the unit of `dtype`), and a few units in the last place.
    """
    info = np.finfo(dtype)
    ratio = float(info.eps) / float(np.finfo(np.float32).eps)
    result = {}
    with np.errstate(all="ignore"):
        for k, (name, _, expected) in enumerate(found):
            spread = sum(np.abs(run[k][2] - expected) for run in runs) / len(runs)
            losses = [np.nan_to_num(np.abs(run[k][2] - expected), nan=0, posinf=0) for run in low or ()]
            spread = spread + ratio * sum(losses) / max(1, len(losses))
            room = safe * (spread + float(info.tiny)) + 4 * float(info.eps) * np.abs(expected)
            result[name] = np.where(np.isnan(room), np.inf, room)
    return result


def widened(tolerance: Mapping[str, Array], found: Pairs, dtype: str) -> dict[str, Array]:
    """The tolerances, with room for rounding at the scale of other expected values."""
    unit = SAFE * float(np.finfo(dtype).eps)
    return {
        name: tolerance[name] + (unit * _scale(np.abs(expected)) if expected.size else 0) for name, _, expected in found
    }


def suspects(found: Pairs, tolerance: Mapping[str, Array]) -> list[Difference]:
    """The worst entry of every tensor that differs by more than its tolerance, worst first."""
    return sorted(_suspects(found, tolerance), key=lambda d: -_ratio(d))


def _ratio(d: Difference) -> float:
    return d.error / d.tolerance if np.isfinite(d.got) and d.tolerance else np.inf


def _suspects(found: Pairs, tolerance: Mapping[str, Array]) -> Iterator[Difference]:
    for name, got, expected in found:
        if not got.size:
            continue
        room = np.broadcast_to(tolerance[name], expected.shape)
        with np.errstate(all="ignore"):
            same = (got == expected) | (np.isnan(got) & np.isnan(expected))
            excess = np.where(same, 0.0, np.abs(got - expected) / room)
        excess = np.where(np.isnan(excess), np.inf, excess)
        at = np.unravel_index(int(np.argmax(excess)), expected.shape)
        if excess[at] > 1:
            index = tuple(int(i) for i in at)
            yield Difference(name, index, float(expected[at]), float(got[at]), float(room[at]))
