"""The usual ways of calling a student's function, tried on small nets whose sizes are all different."""

import traceback
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from oracle.spec import Array
from oracle.students import paths
from oracle.students.entry import ALONE, FORMS, Entry, entry, fill
from oracle.students.layout import LAYOUTS, Layout, Net, arrays
from oracle.students.meaning import UNITS, Choice, Probe, choose
from oracle.students.signature import Misfit
from oracle.students.student import Reading

SIZES = ((2, 3, 4, 6, 7), (5, 4, 2, 3, 7), (3, 6, 5, 2, 4))
BATCHES = (5, 3, 4)
"""Of the probes: no two sizes of one are the same."""
OUTPUTS = (0, 10, 1)
"""Widths of the output that a function may insist on; 0 for any."""
SPELLINGS = {
    "none": ("linear", "identity", "none"),
    "leaky_relu": ("leaky_relu", "leakyrelu", "lrelu"),
    "silu": ("silu", "swish"),
    "relu": ("relu", "ReLU"),
    "sigmoid": ("sigmoid", "Sigmoid"),
    "tanh": ("tanh", "Tanh"),
}

Tried = tuple[Reading, list[Probe], Any, Choice]

HELP = (
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
        frames = [
            f for f in traceback.extract_tb(error.__traceback__) if Path(f.filename).parent != Path(__file__).parent
        ]
        line = frames[0].lineno or 0 if frames else 0
        at = f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno}, in {frames[-1].name})" if frames else ""
        given = f", parameters as {form}" if form else ""
        kind = "" if isinstance(error, Misfit) else f"{type(error).__name__}: "
        return cls(line, f"({layout}{given}) {kind}{str(error)[:200]}{at}")


def failed(failures: list[Failure]) -> str:
    """What went wrong where it came furthest."""
    if not failures:
        return f"nothing in it can be called with a net; {HELP}"
    return (
        "no usual way of calling it gave gradients of the right shapes: weights (in, out) and (out, in), samples in "
        f"rows, in columns and one at a time were tried, on layers of different sizes. It came furthest with "
        f"{max(failures, key=lambda f: f.line).told}; if that is not how it is called, {HELP}"
    )


# -------------------------------------------------------------------------------------------------- how it is called


def widths_to_try(call: Any, said: dict[str, str]) -> Iterator[tuple[int, ...]]:
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


def net_of(sizes: tuple[int, ...], k: int, layout: Layout) -> Net:
    """The k-th probe."""
    return _drawn(sizes, k, layout.single, layout.biases == "none")


@cache
def _drawn(sizes: tuple[int, ...], k: int, single: bool, bare: bool) -> Net:
    rng = np.random.default_rng(k)
    widths = [fixed or free for fixed, free in zip(sizes, SIZES[k], strict=False)]
    n = 1 if single else BATCHES[k] if BATCHES[k] not in sizes else 11 + k
    weights = [rng.normal(size=(b, a)) / a**0.5 for a, b in pairwise(widths)]
    biases = [rng.normal(size=b) * (not bare) for b in widths[1:]]
    classes = (np.arange(n) + k) % widths[-1]
    target = np.eye(widths[-1])[classes] if widths[-1] > 1 else (np.arange(n)[:, None] + k) % 2 * 1.0
    return Net(weights, biases, rng.normal(size=(n, widths[0])), target)


def readings(call: Any, said: dict[str, str], sizes: tuple[int, ...], failures: list[Failure]) -> Iterator[Tried]:
    """Every reading under which it runs and returns gradients of the right shapes, with what it then computes."""
    args = said["args"].split("+") if "args" in said else None
    for found in entry(call, args):
        if found.signature.depth not in (0, len(sizes) - 1):
            continue
        owner = _owner(found, said, sizes, failures)
        for layout in _layouts(said):
            if (layout.single and _in_batches(found)) or (found.make and not _holds(owner, layout, sizes)):
                continue
            for form in _forms(found, layout):
                for activation in _activations(found, said):
                    yield from _reading(found, layout, form, activation, said, sizes, failures)


def _owner(found: Entry, said: dict[str, str], sizes: tuple[int, ...], failures: list[Failure]) -> Any:
    """An object of the student's class, where there is a class; None where it cannot be made in this way."""
    activation = next(iter(_activations(found, said)))[1]
    try:
        return found.make and found.make(net_of(sizes, 0, Layout()).widths, activation)
    except Exception as error:
        failures.append(Failure(0, f"({found.name}) {type(error).__name__}: {str(error)[:200]}"))
        return None


def _holds(owner: Any, layout: Layout, sizes: tuple[int, ...]) -> bool:
    """Whether an object has room for weights and biases in this layout."""
    parts = arrays(layout, net_of(sizes, 0, layout))
    try:
        fill(owner, parts["weights"], parts["biases"])
    except Misfit:
        return False
    return True


def _in_batches(found: Entry) -> bool:
    """Whether the samples are called X, or a batch, which one sample is not."""
    names = [n for n, r in zip(found.signature.names, found.signature.roles, strict=True) if r == "x"]
    return any(n[0].isupper() or "batch" in n.lower() for n in names)


def _reading(
    found: Entry, layout: Layout, form: str, activation: tuple[str, Any], said: dict[str, str], sizes: tuple[int, ...],
    failures: list[Failure],
) -> Iterator[Tried]:  # fmt: skip
    name, value = activation
    net = net_of(sizes, 0, layout)
    try:
        answer = found.run(arrays(layout, net.copy()), form, value, net.widths)
        located = _locate(answer, layout, net)
        if isinstance(located, str):
            failures.append(Failure(10**6, f"({layout}) {located}"))
            return
        single = any(x.dtype == np.float32 for x in answer.values() if x.ndim)
        reading = Reading(found, layout, form, *located, single)
        probes = [Probe(net, *reading.ask(net.copy(), value, strict=False))]
        for k in (1, 2):
            more = net_of(sizes, k, layout)
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
        shapes = [b.shape for b in parts["biases"]]
        biases = paths.find(rest, shapes, bias=True) or paths.find(_entries(rest, len(shapes)), shapes, bias=True)
        if biases is None:
            return "an answer without gradients of the biases"
        rest = {
            p: x
            for p, x in rest.items()
            if not any(paths.same(p, biases[1].at(k + 1)) for k in range(len(net.weights)))
        }
    scalars = [p for p, x in rest.items() if x.size == 1]
    named = [p for p in scalars if any(str(s.at).lower() in ("loss", "cost", "j", "error", "mse", "e") for s in p)]
    loss = next(iter(named or scalars), None)
    return weights[1], biases[1] if biases else None, loss


def _entries(found: dict[paths.Path, Array], layers: int) -> dict[paths.Path, Array]:
    """The numbers in lists of one for each layer, which have become arrays: biases that were summed over everything."""
    return {
        (*path, paths.Step("index", k, k - layers)): np.asarray(x[k])
        for path, x in found.items()
        if x.shape == (layers,)
        for k in range(layers)
    }


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
