"""How a student's function is to be read: found by trying the usual ways on small nets whose sizes are all different."""

import traceback
from collections.abc import Iterator
from dataclasses import replace as changed
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from msgspec.structs import replace

from oracle.chains import Chain
from oracle.spec import Array
from oracle.students import paths
from oracle.students.entry import ALONE, FORMS, Entry, Misfit, entry, silence
from oracle.students.layout import LAYOUTS, Layout, Net, arrays
from oracle.students.meaning import LOSSES, REDUCTIONS, UNITS, Choice, Probe, choose
from oracle.students.student import AnswerError, Reading, Student
from oracle.subjects import SubjectError

SAID: dict[str, tuple[str, ...]] = {
    "activation": tuple(u for u in UNITS if u != "softmax"), "output": tuple(UNITS), "loss": tuple(LOSSES),
    "reduction": REDUCTIONS, "layout": ("in_out", "out_in"), "samples": ("rows", "columns", "column", "vector"),
    "biases": ("vector", "row", "column", "none", "first"), "targets": ("like", "classes"),
    "args": (), "sizes": (),
}  # fmt: skip
"""What can be said of a function, and the values it may have; none where any will do."""

SIZES = ((2, 3, 4, 6, 7), (5, 4, 2, 3, 7), (3, 6, 5, 2, 4))
BATCHES = (5, 3, 4)
"""Of the probes: no two sizes of one are the same."""
OUTPUTS = (0, 10, 1)
"""Widths of the output that a function may insist on; 0 for any."""
SPELLINGS = {"none": ("linear", "identity", "none"), "leaky_relu": ("leaky_relu", "leakyrelu", "lrelu"), "silu": ("silu", "swish")}

Tried = tuple[Reading, list[Probe], Any, Choice]


def detect(call: Any, said: dict[str, str]) -> Student:
    """The function as a subject. Raises `SubjectError` with what was tried."""
    name = getattr(call, "__qualname__", type(call).__name__)
    failures: list[Failure] = []
    try:
        with silence():
            for sizes in _sizes(call, said):
                found = list(_readings(call, said, sizes, failures))
                if found:
                    return _student(found, said, sizes, name)
    except Misfit as error:
        raise SubjectError(f"{name}: {error}; {_HELP}") from error
    raise SubjectError(f"{name}: {_failed(failures)}")


_HELP = (
    "say what its parameters are, in their order: --as mlp:args=weights+biases+x+y (also params, activation, slope, "
    "W1, B1, off for what should be 0, one for what should be 1)"
)


class Failure(NamedTuple):
    """A way of calling that did not work."""

    line: int
    """How far the student's code ran."""
    told: str

    @classmethod
    def of(cls, error: BaseException, layout: Layout, form: str) -> "Failure":
        """With the line of the student's that raised."""
        frames = [f for f in traceback.extract_tb(error.__traceback__) if Path(f.filename).parent != Path(__file__).parent]
        line = frames[0].lineno or 0 if frames else 0
        at = f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno}, in {frames[-1].name})" if frames else ""
        given = f", parameters as {form}" if form else ""
        return cls(line, f"({layout}{given}) {type(error).__name__}: {str(error)[:200]}{at}")


def _failed(failures: list[Failure]) -> str:
    """What went wrong where it came furthest."""
    if not failures:
        return f"nothing in it can be called with a net; {_HELP}"
    return (
        "no usual way of calling it gave gradients of the right shapes: weights (in, out) and (out, in), samples in rows, "
        f"in columns and one at a time were tried, on layers of different sizes. It came furthest with "
        f"{max(failures, key=lambda f: f.line).told}; if that is not how it is called, {_HELP}"
    )


# -------------------------------------------------------------------------------------------------- how it is called


def _sizes(call: Any, said: dict[str, str]) -> Iterator[tuple[int, ...]]:
    """The widths to try, (0, 0, 0) for any three, the number of layers included."""
    if told := said.get("sizes"):
        try:
            yield tuple(int(n) for n in told.split("-"))
        except ValueError:
            raise Misfit(f"sizes are {told!r}, but should be like 784-30-10") from None
        return
    for last in OUTPUTS:
        for depth in (2, 3, 1):
            yield (*(0,) * depth, last)


def _layouts(said: dict[str, str]) -> Iterator[Layout]:
    keys = {"layout": "weights", "samples": "samples", "biases": "biases", "targets": "targets"}
    for layout in LAYOUTS:
        if all(getattr(layout, keys[key]) == value for key, value in said.items() if key in keys):
            yield layout


def _forms(found: Entry, layout: Layout) -> Iterator[str]:
    """The ways to hand in all parameters as one, where the function wants that."""
    if not found.signature.has("params"):
        yield ""
    else:
        yield from ALONE if layout.biases in ("none", "first") else FORMS


def _net(sizes: tuple[int, ...], k: int, layout: Layout) -> Net:
    """The k-th probe."""
    return _drawn(sizes, k, layout.single, layout.biases == "none")


@cache
def _drawn(sizes: tuple[int, ...], k: int, single: bool, bare: bool) -> Net:
    rng = np.random.default_rng(k)
    widths = [fixed or free for fixed, free in zip(sizes, SIZES[k], strict=False)]
    n = 1 if single else BATCHES[k] if BATCHES[k] not in sizes else 11 + k
    weights = [rng.normal(size=(b, a)) / a**0.5 for a, b in zip(widths, widths[1:], strict=False)]
    biases = [rng.normal(size=b) * (not bare) for b in widths[1:]]
    classes = (np.arange(n) + k) % widths[-1]
    target = np.eye(widths[-1])[classes] if widths[-1] > 1 else (np.arange(n)[:, None] + k) % 2 * 1.0
    return Net(weights, biases, rng.normal(size=(n, widths[0])), target)


def _readings(call: Any, said: dict[str, str], sizes: tuple[int, ...], failures: list[Failure]) -> Iterator[Tried]:
    """Every reading under which it runs and returns gradients of the right shapes, with what it then computes."""
    args = said["args"].split("+") if "args" in said else None
    for found in entry(call, args):
        if found.signature.depth not in (0, len(sizes) - 1):
            continue
        for layout in _layouts(said):
            if layout.single and _in_batches(found):
                continue
            for form in _forms(found, layout):
                for activation in _activations(found, said):
                    yield from _reading(found, layout, form, activation, said, sizes, failures)


def _in_batches(found: Entry) -> bool:
    """Whether the samples are called X, or a batch, which one sample is not."""
    names = [n for n, r in zip(found.signature.names, found.signature.roles, strict=True) if r == "x"]
    return any(n[0].isupper() or "batch" in n.lower() for n in names)


def _reading(
    found: Entry, layout: Layout, form: str, activation: tuple[str, Any], said: dict[str, str], sizes: tuple[int, ...],
    failures: list[Failure],
) -> Iterator[Tried]:  # fmt: skip
    name, value = activation
    net = _net(sizes, 0, layout)
    try:
        answer = found.run(arrays(layout, net.copy()), form, value, net.widths)
        located = _locate(answer, layout, net)
        if isinstance(located, str):
            failures.append(Failure(10**6, f"({layout}) {located}"))
            return
        reading = Reading(found, layout, form, *located)
        probes = [Probe(net, *reading.ask(net.copy(), value, strict=False))]
        for k in (1, 2):
            more = _net(sizes, k, layout)
            probes.append(Probe(more, *reading.ask(more.copy(), value, strict=False)))
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        failures.append(Failure.of(error, layout, form))
        return
    known = {"activation": name} if name else {}
    yield reading, probes, activation, choose(probes, said | known)


def _locate(answer: dict[paths.Path, Array], layout: Layout, net: Net) -> tuple[Any, Any, Any] | str:
    """Where weights, biases and the loss lie in an answer; or why that cannot be told."""
    parts = arrays(layout, net)
    given = [*parts["weights"], *parts["biases"]]
    fresh = {p: x for p, x in answer.items() if not any(x.shape == g.shape and np.array_equal(x, g) for g in given)}
    weights = paths.find(fresh, [w.shape for w in parts["weights"]], bias=False)
    if weights is None:
        got = ", ".join(str(x.shape) for x in list(answer.values())[:8]) or "nothing"
        return f"an answer without gradients of the weights: it has arrays of the shapes {got}"
    taken = {p for p in fresh for k in range(len(net.weights)) if paths.same(p, weights[1].at(k + 1))}
    rest = {p: x for p, x in fresh.items() if p not in taken}
    biases = None
    if parts["biases"]:
        biases = paths.find(rest, [b.shape for b in parts["biases"]], bias=True)
        if biases is None:
            return "an answer without gradients of the biases"
        rest = {p: x for p, x in rest.items() if not any(paths.same(p, biases[1].at(k + 1)) for k in range(len(net.weights)))}
    scalars = [p for p, x in rest.items() if x.size == 1]
    named = [p for p in scalars if any(str(s.at).lower() in ("loss", "cost", "j", "error", "mse", "e") for s in p)]
    loss = next(iter(named or scalars), None)
    return weights[1], biases[1] if biases else None, loss


# --------------------------------------------------------------------------------------------------- the activation


def _activations(found: Entry, said: dict[str, str]) -> Iterator[tuple[str, Any]]:
    """(name, what to hand in): nothing where the function has its own, or its default."""
    if not found.demanded:
        yield "", None
    if found.named:
        for name in UNITS if "activation" not in said else (said["activation"],):
            if name not in ("softmax", "leaky_relu_0.1", "leaky_relu_0.2"):
                yield from ((name, value) for value in (*SPELLINGS.get(name, (name,)), *FUNCTIONS.get(name, ())))


def _sigmoid(z: Array) -> Array:
    return 1 / (1 + np.exp(-z))


FUNCTIONS: dict[str, tuple[Any, ...]] = {
    "sigmoid": ((_sigmoid, lambda z: _sigmoid(z) * (1 - _sigmoid(z))),),
    "tanh": ((np.tanh, lambda z: 1 - np.tanh(z) ** 2),),
    "relu": ((lambda z: np.maximum(z, 0), lambda z: (z > 0) * 1.0),),
}
"""A function and its slope at z, for those who take functions."""


# ------------------------------------------------------------------------------------------------------- the subject


def _student(found: list[Tried], said: dict[str, str], sizes: tuple[int, ...], name: str) -> Student:
    biased = [tried for tried in found if tried[0].biases is not None]
    found = biased or found  # a net that has biases is not to be judged without them
    exact = [_exact(reading, probes) for reading, probes, _, _ in found]
    named = [bool(activation[0]) for _, _, activation, _ in found]
    order = sorted(range(len(found)), key=lambda k: (*_merit(found[k][3]), exact[k], named[k], -k), reverse=True)
    reading, probes, activation, choice = found[order[0]]
    if not choice.sure and not {"activation", "loss", "reduction"} <= said.keys():
        raise SubjectError(f"{name}: {_unread(reading, choice)}")
    meanings = {activation[0]: (activation[1], choice.meaning)}
    alike = [(its, probes, theirs) for other, probes, its, theirs in (found[k] for k in order) if other == reading]
    for its, _, theirs in alike if activation[0] else ():
        if its[0] and theirs.sure:
            meanings.setdefault(its[0], (its[1], theirs.meaning))
    plain = choice.meaning.hidden != choice.meaning.output or "squared" in choice.meaning.loss
    for its, probes, theirs in alike if activation[0] and choice.sure and plain else ():
        if its[0] in CORE and its[0] not in meanings and not theirs.sure and _known(reading, its[1], probes):
            output = its[0] if choice.meaning.hidden == choice.meaning.output else choice.meaning.output
            meanings[its[0]] = (its[1], changed(choice.meaning, hidden=its[0], output=output))
    return _finished(reading, meanings, choice, sizes)


CORE = ("sigmoid", "tanh", "relu")
"""Activations whose names mean one thing."""


def _known(reading: Reading, value: Any, probes: list[Probe]) -> bool:
    """Whether a function knows an activation by name: it does something else for a name that there is not."""
    try:
        other, _ = reading.ask(probes[0].net.copy(), "no such activation" if isinstance(value, str) else None, strict=False)
    except BaseException:
        return True
    return not all(np.array_equal(g, probes[0].gradients[name]) for name, g in other.items())


def _merit(choice: Choice) -> tuple[bool, float]:
    return choice.sure, round(choice.right, 2)


def _exact(reading: Reading, probes: list[Probe]) -> int:
    """How many of the gradients have the parameters' own shapes."""
    shapes = {f"h{k}.{role}": x.shape for role, many in (("weight", probes[0].net.weights), ("bias", probes[0].net.biases)) for k, x in enumerate(many, 1)}
    return sum(x.shape == shapes[name] for name, x in probes[0].gradients.items())


def _unread(reading: Reading, choice: Choice) -> str:
    nearest = f"nearest came {choice.meaning}, with {choice.right:.0%} of the gradients right"
    if choice.ratios:
        times = " and ".join(f"{k:.6g}" for k in dict.fromkeys(round(k, 9) for k in choice.ratios))
        nets = "" if len(set(choice.ratios)) == 1 or choice.ratio else " in nets of other sizes"
        nearest = f"under {choice.meaning}, every gradient is {times} times the right one{nets}"
    m = choice.meaning
    if not choice.right and not choice.ratios:
        nearest = "none of them makes any gradient right"
    if choice.loss == "right":
        nearest = f"the loss it returns is that of {m}, but its gradients are not"
    return (
        f"it runs ({reading.layout}), but what it computes is not known: under no usual activation, loss and reduction is "
        f"half of its gradients right; {nearest}. Say what it should compute, then it is judged by that, for example "
        f"--as mlp:activation={m.hidden},output={m.output},loss={m.loss},reduction={m.reduction}"
    )


def _finished(reading: Reading, meanings: dict[str, tuple[Any, Any]], choice: Choice, sizes: tuple[int, ...]) -> Student:
    meaning = choice.meaning
    target = {"cross_entropy": "classes", "binary_cross_entropy": "binary"}.get(meaning.loss, "real")
    if target != "classes" and reading.layout.targets == "classes":
        target = "one_hot"
    chain = Chain(
        tuple(m.units for _, m in meanings.values()), LOSSES[meaning.loss], meaning.plain, target,
        sizes=sizes if any(sizes) else (), bias=reading.layout.biases != "none",
        batches=(1,) if reading.layout.single else Chain((), "", "").batches,
    )  # fmt: skip
    student = Student(reading, meanings, chain, _told(reading, meanings, choice), choice.loss in ("right", "negative", "none"))
    if not chain.sizes:
        depths = (len(sizes) - 1,) if reading.entry.signature.depth else tuple(_depths(reading, meanings, sizes))
        student = changed(student, chain=_with(chain, depths))
    return student


def _with(chain: Chain, depths: tuple[int, ...]) -> Chain:
    often = tuple(d for d in (1, 2, 2, 3, 4) if d in depths)
    return replace(chain, depths=often or depths)


def _depths(reading: Reading, meanings: dict[str, tuple[Any, Any]], sizes: tuple[int, ...]) -> Iterator[int]:
    """The numbers of layers that it runs and answers for."""
    value = next(iter(meanings.values()))[0]
    for depth in (1, 2, 3, 4):
        net = _net((*(0,) * depth, sizes[-1]), 0, reading.layout)
        try:
            gradients, _ = reading.ask(net.copy(), value, strict=False)
        except KeyboardInterrupt:
            raise
        except BaseException:
            continue
        if depth == len(sizes) - 1 or all(g.size == w.size for g, w in zip((gradients[f"h{k}.weight"] for k in range(1, depth + 1)), net.weights, strict=True)):
            yield depth


def _told(reading: Reading, meanings: dict[str, tuple[Any, Any]], choice: Choice) -> str:
    """The reading in a sentence."""
    form = f", given as {reading.form}" if reading.form else ""
    units = choice.meaning.activations
    if len(meanings) > 1:
        whole = choice.meaning.hidden == choice.meaning.output
        units = f"the activation by name ({', '.join(meanings)}), "
        units += "everywhere" if whole else f"{choice.meaning.output} at the output"
    units += f"; {choice.meaning.error}"
    loss = {
        "near": "; the loss it returns is nearly that, as with an ε in a logarithm, and is not judged",
        "unknown": "; what it returns as a loss is none that is known, and is not judged",
    }.get(choice.loss, "")
    return f"read as: {reading.layout}{form}; {units}{loss}. In the report {reading.mapping}"
