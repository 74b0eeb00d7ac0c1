"""What a student's code is called with: a function's parameters by their names, an object made and filled.

What a forward pass leaves for the backward pass ("cache") comes from a function beside it.
"""

import contextlib
import copy
import inspect
import io
import re
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from typing import Any

import numpy as np

from oracle.spec import Array
from oracle.students import paths
from oracle.students.signature import Misfit, Signature

NOTHING = Signature((), (), (), ())

FORMS: dict[str, Callable[[list[Array], list[Array]], Any]] = {
    "a dictionary W1, b1, ...": lambda ws, bs: _named(ws, bs, "W{}", "b{}", 1),
    "a list of (W, b)": lambda ws, bs: list(zip(ws, bs, strict=True)),
    "a list [W1, b1, W2, b2, ...]": lambda ws, bs: [x for pair in zip(ws, bs, strict=True) for x in pair],
    "a pair (weights, biases)": lambda ws, bs: (ws, bs),
    'a list of {"W", "b"}': lambda ws, bs: [{"W": w, "b": b} for w, b in zip(ws, bs, strict=True)],
    'a list of {"weights", "biases"}': lambda ws, bs: [
        {"weights": w, "weight": w, "biases": b, "bias": b} for w, b in zip(ws, bs, strict=True)
    ],
    'a dictionary of "weights", "biases"': lambda ws, bs: {
        "weights": ws, "W": ws, "w": ws, "biases": bs, "b": bs, "bias": bs,
    },
    "a dictionary w1, b1, ...": lambda ws, bs: _named(ws, bs, "w{}", "b{}", 1),
    "a dictionary W0, b0, ...": lambda ws, bs: _named(ws, bs, "W{}", "b{}", 0),
    "a dictionary weight1, bias1, ...": lambda ws, bs: _named(ws, bs, "weight{}", "bias{}", 1),
    "a dictionary weights1, biases1, ...": lambda ws, bs: _named(ws, bs, "weights{}", "biases{}", 1),
}  # fmt: skip
"""One value for all parameters."""
ALONE: dict[str, Callable[[list[Array], list[Array]], Any]] = {
    "a list of weights": lambda ws, bs: ws,
    "a dictionary Theta1, ...": lambda ws, bs: {f"Theta{k}": w for k, w in enumerate(ws, 1)},
    "a dictionary W1, ...": lambda ws, bs: {f"W{k}": w for k, w in enumerate(ws, 1)},
}
"""The same without biases of their own."""


def _named(ws: list[Array], bs: list[Array], weight: str, bias: str, start: int) -> dict[str, Array]:
    pairs = enumerate(zip(ws, bs, strict=True), start)
    return {name: x for k, (w, b) in pairs for name, x in ((weight.format(k), w), (bias.format(k), b))}


class Quiet(io.TextIOBase):
    """Where a student's prints go while the reading is looked for."""

    def write(self, text: str) -> int:
        """Take the text, and forget it."""
        return len(text)


@dataclass(frozen=True)
class Entry:
    """A student's function; or a class, and the method of its objects that does the work."""

    name: str
    call: Callable[..., Any] | None
    make: Callable[[list[int], Any], Any] | None = None
    """(widths, activation) -> an object."""
    method: str = ""
    signature: Signature = NOTHING
    forward: str | Callable[..., Any] | None = None
    """What runs first, where the backward pass wants something of the forward pass."""
    named: bool = False
    """Whether an activation can be handed in."""
    demanded: bool = False
    """Whether one must be."""
    tensors: bool = False
    """Whether it is given torch's tensors, as code that imports torch may want."""

    def run(self, parts: Mapping[str, Any], form: str, activation: Any, widths: list[int]) -> dict[paths.Path, Array]:
        """Everything that it returns, or leaves in its object, by path. What the student's code raises, comes out."""
        parts = {name: _tensors(x) for name, x in parts.items()} if self.tensors else parts
        known = dict(_values(parts, form, activation, widths))
        if self.make is None:
            assert self.call is not None
            return dict(paths.leaves(self._answer(self.call, self.forward, known)))
        owner = self.make(widths, activation)
        filled = fill(owner, parts["weights"], parts["biases"])
        before = {path: x.copy() for path, x in paths.leaves(owner)}
        forward = getattr(owner, self.forward) if isinstance(self.forward, str) else None
        answer = dict(paths.leaves(self._answer(getattr(owner, self.method), forward, known)))
        changed = {p: x for p, x in paths.leaves(owner) if p not in before or not np.array_equal(x, before[p])}
        for path, x in filled:
            if path in changed and changed[path].shape == x.shape:
                np.asarray(x)[...] = changed[path]  # what the object does to its own copy, it does to what it was given
        return answer if any(x.ndim > 1 for x in answer.values()) else answer | changed

    def _answer(self, call: Callable[..., Any], forward: Any, known: dict[str, Any]) -> Any:
        if forward is not None:
            signature = Signature.of(forward)
            args, named = signature.bind(known)
            known |= _left_over(forward(*args, **named), self.signature, known)
        args, named = self.signature.bind(known)
        return call(*args, **named)


def _tensors(x: Any) -> Any:
    """The same numbers, in the same memory, as tensors of the torch that the student's code has imported."""
    if isinstance(x, list):
        return [_tensors(y) for y in x]
    return sys.modules["torch"].from_numpy(np.asarray(x))


def _left_over(result: Any, wanted: Signature, known: Mapping[str, Any]) -> dict[str, Any]:
    """What the backward pass takes of the forward pass: by name, by kind, or in order."""
    names = [
        n for n, r, must in zip(wanted.names, wanted.roles, wanted.required, strict=True) if r not in known and must
    ]
    if isinstance(result, Mapping) and all(name in result for name in names):
        return {name: result[name] for name in names}
    many = list(result) if isinstance(result, tuple) else [result]
    if len(names) == len(many):
        return dict(zip(names, many, strict=True))
    outputs = [x for x in many if isinstance(x, np.ndarray)]
    caches = [x for x in many if not isinstance(x, np.ndarray)]
    found = {}
    for name in names:
        told = re.search(r"(?i)cache|memory|stor|inter|activations|zs|trace|tape", name)
        source = caches if told or not outputs else outputs
        if source or many:
            found[name] = (source or many)[-1]
    return found


def _values(parts: Mapping[str, Any], form: str, activation: Any, widths: list[int]) -> Iterator[tuple[str, Any]]:
    """(role, value) of everything that is known."""
    ws, bs = parts["weights"], parts["biases"]
    yield from (("weights", ws), ("biases", bs), ("x", parts["x"]), ("y", parts["y"]))
    for kind, many in (("W", ws), ("B", bs)):
        yield from ((f"{kind}{k}", x) for k, x in enumerate(many, 1))
    if form:
        yield "params", {**FORMS, **ALONE}[form](ws, bs)
    if isinstance(activation, tuple):
        yield from zip(("activation", "slope"), activation, strict=True)
    elif activation is not None:
        yield "activation", activation
    yield from (("off", 0.0), ("one", 1.0), ("rate", 0.0), ("sizes", list(widths)), ("count", len(ws)))


def fill(owner: Any, weights: list[Array], biases: list[Array]) -> list[tuple[paths.Path, Array]]:
    """Put weights and biases where arrays of just these shapes lie in an object, and say where.

    Raises `Misfit` if there are none.
    """
    found, filled = dict(paths.leaves(owner)), list[tuple[paths.Path, Array]]()
    for many, bias in ((weights, False), (biases, True)):
        if not many:
            continue
        at = paths.find(found, [x.shape for x in many], bias)
        if at is None or at[0] < 39 * len(many):
            raise Misfit(f"its object has no {'biases' if bias else 'weights'} of these shapes")
        for k, x in enumerate(many, 1):
            path = next(p for p in found if paths.same(p, at[1].at(k)))
            paths.put(owner, path, x)
            filled.append((path, x))
    return filled


# ---------------------------------------------------------------------------------------------------- what was named


FORWARD = re.compile(r"(?i)forward|feed_?forward|fprop|predict_proba")


METHODS = (
    "backprop", "backpropagation", "back_propagation", "loss", "gradients", "gradient", "compute_gradients", "grads",
    "loss_and_grads", "backward", "backward_pass", "backward_propagation", "bprop", "cost_function_prime",
)  # fmt: skip
"""Methods that do the work, the likeliest first, where only a class is named."""


def entry(call: Any, said: list[str] | None = None) -> Iterator[Entry]:
    """Every way in which what was named can be called. Raises `Misfit` where its parameters are not understood."""
    owner, _ = _owner(call)
    code = call if owner is None else owner if isinstance(owner, type) else type(owner)
    module = sys.modules.get(getattr(code, "__module__", ""))
    names = getattr(call, "__globals__", vars(module) if module else {})
    uses_torch = "torch" in sys.modules and any(x is sys.modules["torch"] for x in names.values())
    for found in _entries(call, said):
        yield from (replace(found, tensors=True), found) if uses_torch else (found,)


def _entries(call: Any, said: list[str] | None) -> Iterator[Entry]:
    owner, method = _owner(call)
    if owner is None:
        yield _function(call, said)
        return
    cls = owner if isinstance(owner, type) else type(owner)
    for make in (_remade(owner), *_makers(cls)) if not isinstance(owner, type) else _makers(cls):
        for name in [method] if method else [m for m in METHODS if callable(getattr(cls, m, None))]:
            yield _method(cls, make, name, said)


def _owner(call: Any) -> tuple[Any, str]:
    """The object or class behind what was named, and the method; no owner for a function."""
    if isinstance(call, type):
        return call, ""
    if inspect.ismethod(call):
        return call.__self__, call.__name__
    if inspect.isfunction(call):
        head, _, last = call.__qualname__.rpartition(".")
        cls = call.__globals__.get(head) if head and "<locals>" not in head else None
        is_method = isinstance(cls, type) and not isinstance(inspect.getattr_static(cls, last), staticmethod)
        return (cls, last) if is_method else (None, "")
    if callable(call) and hasattr(call, "__dict__") and not inspect.isroutine(call):
        return call, "__call__"
    return None, ""


def _function(call: Any, said: list[str] | None) -> Entry:
    signature = Signature.of(call, said=said)
    if not signature.has("weights", "params", "W1"):
        raise Misfit(f"of its parameters ({', '.join(signature.names) or 'none'}), none is called like weights")
    names = vars(inspect.getmodule(call) or object()) if not hasattr(call, "__globals__") else call.__globals__
    helpers = [f for n, f in names.items() if inspect.isfunction(f) and FORWARD.search(n) and f is not call]
    wants = any(r == "?" and must for r, must in zip(signature.roles, signature.required, strict=True))
    helpers.sort(key=lambda f: (_reads_samples(f), _alike(f.__name__, call.__name__)))
    forward = helpers[-1] if wants and helpers else None
    if wants and forward is None:
        unknown = [n for n, r in zip(signature.names, signature.roles, strict=True) if r == "?"]
        raise Misfit(f"its parameter {unknown[0]!r} is not understood")
    return _with_activation(Entry(call.__name__, call, signature=signature, forward=forward), signature)


def _reads_samples(call: Any) -> bool:
    return Signature.of(call).has("x")


def _alike(forward: str, backward: str) -> float:
    """How much two names have in common."""
    return SequenceMatcher(None, forward.lower(), backward.lower()).ratio()


def _with_activation(found: Entry, *signatures: Signature) -> Entry:
    needs = [m for s in signatures for r, m in zip(s.roles, s.required, strict=True) if r == "activation"]
    return replace(found, named=bool(needs), demanded=any(needs))


def _method(cls: type, make: Callable[[list[int], Any], Any], name: str, said: list[str] | None) -> Entry:
    signature = Signature.of(getattr(cls, name), skip=1, said=said)
    wants = not signature.has("x") or any(
        r == "?" and must for r, must in zip(signature.roles, signature.required, strict=True)
    )
    forward = next((n for n in dir(cls) if FORWARD.search(n) and n != name), None) if wants else None
    found = Entry(f"{cls.__name__}.{name}", None, make, name, signature, forward)
    return _with_activation(found, signature, _constructor(cls))


def _constructor(cls: type) -> Signature:
    own = any("__init__" in vars(c) for c in cls.__mro__[:-1])
    return Signature.of(cls) if own else NOTHING


def _remade(owner: Any) -> Callable[[list[int], Any], Any]:
    return lambda widths, activation: copy.deepcopy(owner)


def _makers(cls: type) -> Iterator[Callable[[list[int], Any], Any]]:
    """Ways to make an object of given widths."""
    ways: tuple[Callable[[list[int]], list[Any]], ...] = (
        lambda w: [list(w)], lambda w: list(w), lambda w: [w[0], list(w[1:-1]), w[-1]], lambda w: [w[0], list(w[1:])],
        lambda w: [list(w[1:-1])], lambda w: [],
    )  # fmt: skip
    found = _constructor(cls)
    for way in ways:

        def make(widths: list[int], activation: Any, way: Any = way) -> Any:
            extra = {}
            for name, its, must in zip(found.names, found.roles, found.required, strict=True):
                if its == "activation" and activation is not None:
                    extra[name] = activation
                elif its in ("off", "rate") and must:
                    extra[name] = 0.0
            return cls(*way(widths), **extra)

        yield make


@contextlib.contextmanager
def silence() -> Iterator[None]:
    """No prints and no warnings: most ways of calling are wrong."""
    with contextlib.redirect_stdout(Quiet()), np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
