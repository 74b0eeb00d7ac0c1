"""What to do about an answer that is wrong: said only where the numbers show it."""

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any

import numpy as np

from oracle.compare import contract
from oracle.judge import judge
from oracle.probes import QUICK
from oracle.spec import Answer, AnyCase, Array, Case
from oracle.subjects import Subject
from oracle.twin import Truth, Twin

NEAR = 1e-4
"""The relative error up to which numbers are taken for the same; a hint is about layout and factors, not rounding."""


def told(make: Callable[[int], AnyCase], subject: Subject) -> str:
    """What is certain about a wrong answer, or nothing."""
    case = make(0)
    if not isinstance(case, Case):
        return ""
    reply = subject.answer(case)
    if reply.answer is None:
        return _no_answer(reply.error, reply.breach)
    truth = Twin.of(case).run(case, errors=reply.answer.errors is not None)
    breaches = contract(case, reply.answer, subject.wanted(case), _shapes(truth))
    return _breach(case, subject, reply.answer, truth, breaches) if breaches else _factor(make, subject)


def _shapes(truth: Truth) -> Mapping[str, Any]:
    return {"gradients": truth.gradients, "buffers": truth.buffers, "outputs": truth.values, "errors": truth.errors}


def _no_answer(error: str, breach: str) -> str:
    if error:
        return f"it raised {error}"
    if "returned" in breach:
        return f'{breach}, like {{"loss": 0.5, "gradients": {{"h1.weight": array, "h1.bias": array, "x": array}}}}'
    if "changed" in breach:
        return f"{breach}: work on copies, x = x + 1 and not x += 1"
    return breach


# ---------------------------------------------------------------------------------------------------- the contract


def _breach(case: Case, subject: Subject, answer: Answer, truth: Truth, breaches: list[str]) -> str:
    """The first breach, and what is certain about it."""
    got = answer.gradients
    missing = [name for name in subject.wanted(case) if name not in got]
    if strange := [name for name in got if name not in truth.gradients]:
        return _named(strange[0], got[strange[0]], missing, truth)
    if missing and not any(name in case.parameters for name in missing):
        names, declared = " and ".join(missing), f'{_call(subject)}.returns = {{"parameters"}}'
        return f"the gradients of the inputs, {names}, are missing: return them, or declare\n{declared}"
    for name, g in got.items():
        if hint := _tensor(name, g, truth.gradients[name], case.dtype):
            return hint
    return breaches[0]


def _call(subject: Subject) -> str:
    return str(getattr(subject.call, "__name__", "backprop"))


def _named(name: Any, g: Any, missing: list[str], truth: Truth) -> str:
    """A name that nobody asked for: whose numbers are they?"""
    x = _array(g)
    for other in missing:
        if x is None:
            break
        right = truth.gradients[other]
        if _same(x, right) or (x.ndim == 2 and _same(x.T, right)):
            turned = "" if _same(x, right) else " transposed"
            return f"{name!r} is the gradient of {other}{turned}: return it by that name, {other!r}"
    close = get_close_matches(str(name), missing, 1, 0.4)
    ask = f"did you mean {close[0]!r}? " if close else ""
    return f"a gradient of {name!r} is not asked for: {ask}The names are {', '.join(truth.gradients)}"


def _tensor(name: str, g: Any, right: Array, dtype: str) -> str:
    """What kind, shape or dtype an answer should have had."""
    x, kind = _array(g), type(g).__name__
    if not isinstance(g, np.ndarray | np.generic):
        fits = " (its numbers are right)" if x is not None and _same(x, right) else ""
        if type(g).__module__.split(".")[0] == "torch":
            return f"the gradient of {name} is a torch tensor{fits}: return it as .numpy(force=True)"
        turn = f": return np.asarray(it, {dtype!r})" if x is not None else ": return a NumPy array"
        return f"the gradient of {name} is a {kind}{fits}{turn}"
    if g.shape != right.shape:
        return _shape(name, np.asarray(g), right)
    if g.dtype != dtype and g.dtype.kind == "f":
        return f"the gradient of {name} is {g.dtype} where the case is {dtype}: keep the dtype of what is given"
    return ""


def _shape(name: str, g: Array, right: Array) -> str:
    got = f"the gradient of {name} has shape {g.shape}, but should be {right.shape}"
    if g.ndim == 2 and _same(g.T, right):
        return f"{got}: it is right but for being transposed; weights are (out_features, in_features)"
    if g.ndim == right.ndim + 1:
        for axis in range(g.ndim):
            if g.shape[axis] != 1 and _same(g.sum(axis), right):
                return f"{got}: it is not summed over the batch; .sum({axis}) of it is right"
    if g.size == right.size and _same(g.reshape(right.shape), right):
        return f"{got}: it is right but for an axis of length 1; .reshape({right.shape}) of it is right"
    return got


def _array(g: Any) -> Array | None:
    """Whatever was returned, as numbers, if it can be."""
    try:
        x = np.asarray(g.detach().cpu().numpy() if hasattr(g, "detach") else g)
    except Exception:  # it may be anything, and raise anything
        return None
    return x.astype(float) if x.dtype.kind in "fiub" else None


def _same(x: Array, right: Array) -> bool:
    size = float(np.abs(right).max(initial=0))
    return x.shape == right.shape and size > 0 and bool((np.abs(x - right) <= NEAR * size).all())


# --------------------------------------------------------------------------------------------------------- factors

FACTORS: dict[str, Callable[[int, int], float]] = {
    "−1": lambda n, w: -1, "2": lambda n, w: 2, "1/2": lambda n, w: 1 / 2, "N": lambda n, w: n,
    "1/N": lambda n, w: 1 / n,
    "the width": lambda n, w: w, "1/width": lambda n, w: 1 / w, "N · width": lambda n, w: n * w,
    "1/(N · width)": lambda n, w: 1 / (n * w), "2/N": lambda n, w: 2 / n, "1/(2N)": lambda n, w: 1 / (2 * n),
    "N/2": lambda n, w: n / 2, "2N": lambda n, w: 2 * n, "2/(N · width)": lambda n, w: 2 / (n * w),
}  # fmt: skip
"""Factors by N, the batch, and the width of the output."""
CAUSES = {
    "−1": "the sign is turned, y − t against t − y", "2": "the ½ of half a square is missing, or a 2 is one too many",
    "1/2": "the 2 of the square's slope is missing", "N": "they are summed over the batch where the loss is its mean",
    "1/N": "they are averaged over the batch where the loss is a sum",
    "N · width": "they are summed where the loss is the mean over all entries",
    "1/(N · width)": "they are averaged over all entries where the loss is a sum",
    "the width": "the mean of this loss runs over the outputs too, not over the batch alone",
}  # fmt: skip


def _factor(make: Callable[[int], AnyCase], subject: Subject) -> str:
    """The one factor by which all wrong tensors are off, where it is the same function of the sizes in two nets."""
    wrong, found = set[str](), list[set[str]]()
    for k in (0, 1):
        case = make(k)
        assert isinstance(case, Case)
        answer, truth = subject.answer(case).answer, Twin.of(case).run(case)
        verdict = judge(case, subject, how=QUICK)
        wrong = set(verdict.suspects) if not k else wrong
        if not wrong or wrong != set(verdict.suspects) or answer is None:
            return ""
        n, width = truth.values[case.nodes[-1].inputs[0]].shape
        pairs = [_pair(name, answer, truth) for name in sorted(wrong)]
        found.append(
            {f for f, k_of in FACTORS.items() if all(_same(got, k_of(n, width) * right) for got, right in pairs)}
        )
    both = [f for f in FACTORS if f in found[0] & found[1]]
    if not both or (len(both) > 1 and both[0] not in ("−1", "2", "1/2")):
        return ""  # which function of the sizes it is, these two do not tell
    names = " and ".join(sorted(wrong)) if len(wrong) < 4 else f"all {len(wrong)} wrong tensors"
    cause = f": {CAUSES[both[0]]}" if both[0] in CAUSES else ""
    what = "where N is the batch, " if "N" in both[0] else ""
    return f"{names}: {both[0]} times what is right, {what}in two nets of different sizes{cause}"


def _pair(name: str, answer: Answer, truth: Truth) -> tuple[Array, Array]:
    if name == "loss":
        return np.asarray(answer.loss, float), truth.loss
    return np.asarray(answer.gradients[name], float), truth.gradients[name]
