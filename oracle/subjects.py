"""Subjects: what the oracle judges. A subject is a callable Case -> Answer; step 5 is its `update` attribute.

A Python subject is `python:package.module:callable` or `python:path/file.py:callable`. What it is given is a fresh
copy of the case, what it prints is its own business, and whatever it raises is an outcome. Attributes of the
callable say what it declares:

    returns    which gradients it returns: {"parameters", "inputs"} (default both)
    supports   the operators it knows (default all); or it raises `oracle.Unsupported` for a case
    update     UpdateCase -> the parameters after each step, a sequence of mappings
    conventions  its slopes at kinks, as weights of the right one: {"ReLU": 1, "Hardtanh": (0, 1)}; see `oracle.kinks`
"""

import importlib
import importlib.util
import io
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from oracle.compare import normalise
from oracle.kinks import KINKS
from oracle.spec import Answer, AnyCase, Array, Case, Node, Tensors, Unsupported, UpdateAnswer, UpdateCase


class _Nowhere(io.TextIOBase):
    """Where a subject's prints go."""

    def write(self, text: str) -> int:
        """Take the text, and forget it."""
        return len(text)


class SubjectError(Exception):
    """The subject cannot be started: exit code 2."""


class _TooLate(BaseException):
    """Raised inside a subject whose time is up; no `except Exception` of the subject's own catches it."""


@contextmanager
def _limit(seconds: float) -> Iterator[None]:
    """Interrupt the block after so many seconds, where the system can: in the main thread, with SIGALRM."""
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "SIGALRM"):
        yield
        return

    def late(*_: object) -> None:
        raise _TooLate

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@dataclass(frozen=True)
class Reply:
    """What came back from one call: an answer, or the sentence of why there is none."""

    answer: Any = None
    breach: str = ""
    """The answer is not of the right kind, or the inputs were changed."""
    error: str = ""
    """What was raised, with where."""
    skipped: str = ""
    timeout: str = ""
    """The time limit that ran out."""


@dataclass(frozen=True)
class Subject:
    """An implementation under judgement."""

    name: str
    call: Callable[[Case], Any]
    update: Callable[[UpdateCase], Any] | None = None
    returns: frozenset[str] = field(default_factory=lambda: frozenset({"parameters", "inputs"}))
    supports: frozenset[str] | None = None
    seconds: float = 20.0
    """The time limit of one call."""
    conventions: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    """The weight of the right slope at each kink of an operator, where it is not torch's."""

    def wanted(self, case: Case) -> list[str]:
        """The gradients it is judged on."""
        parts: dict[str, Mapping[str, Any]] = {"parameters": case.parameters, "inputs": case.inputs}
        return [n for n in case.wanted() if any(n in parts[part] for part in self.returns)]

    def declines(self, case: AnyCase) -> str:
        """Why this case is not for this subject, or an empty string."""
        if isinstance(case, UpdateCase):
            return "" if self.update else "the subject does not do step 5"
        unknown = [n.op for n in case.nodes if self.supports is not None and n.op not in self.supports]
        return f"the subject does not support {unknown[0]}" if unknown else ""

    def answer(self, case: AnyCase) -> Reply:
        """Run the subject on a copy of the case; nothing it does to the copy or raises gets through."""
        if reason := self.declines(case):
            return Reply(skipped=reason)
        given = _copy(case)
        try:
            with _limit(self.seconds), np.errstate(all="ignore"), redirect_stdout(_Nowhere()):
                raw = self.update(given) if isinstance(given, UpdateCase) and self.update else self.call(given)  # type: ignore[arg-type]
        except Unsupported as reason:
            return Reply(skipped=f"the subject declines: {reason}")
        except KeyboardInterrupt:
            raise
        except _TooLate:
            return Reply(timeout=f"the subject gave no answer within {self.seconds:g} seconds")
        except BaseException as error:  # a subject may raise anything, SystemExit too; that is its outcome
            return Reply(error=_where(error))
        if changed := _changed(case, given):
            return Reply(breach=f"the subject changed its input {changed}")
        answer = _update_answer(raw) if isinstance(case, UpdateCase) else normalise(raw)
        return Reply(breach=answer) if isinstance(answer, str) else Reply(answer)


def _copy(case: AnyCase) -> AnyCase:
    """A copy whose arrays lie in memory in one of three ways: a right implementation does not mind."""
    way = sum(x.size for _, tensors in _groups(case) for x in tensors.values()) % 3

    def copy(tensors: Tensors) -> Tensors:
        return {name: _laid_out(x, way) for name, x in tensors.items()}

    if isinstance(case, UpdateCase):
        return UpdateCase(
            dtype=case.dtype,
            op=case.op,
            attrs=case.attrs,
            parameters=copy(case.parameters),
            gradients=tuple(copy(g) for g in case.gradients),
        )
    return Case(
        dtype=case.dtype,
        training=case.training,
        nodes=tuple(Node(n.name, n.op, n.inputs, dict(n.attrs), dict(n.params)) for n in case.nodes),
        inputs=copy(case.inputs),
        parameters=copy(case.parameters),
        buffers=copy(case.buffers),
    )


def _laid_out(x: Array, way: int) -> Array:
    """A copy in the order of C, in that of Fortran, or as every other column of a wider array."""
    if way == 2 and x.ndim > 1:
        wide = np.zeros((*x.shape[:-1], 2 * x.shape[-1]), x.dtype)
        wide[..., ::2] = x
        return wide[..., ::2]
    return x.copy("F" if way == 1 else "C")


def _groups(case: AnyCase) -> list[tuple[str, Tensors]]:
    if isinstance(case, UpdateCase):
        return [("parameter", case.parameters), *(("gradient", g) for g in case.gradients)]
    return [("tensor", case.inputs), ("parameter", case.parameters), ("buffer", case.buffers)]


def _changed(case: AnyCase, given: AnyCase) -> str:
    """The first part of the copy that is no longer what was given."""
    if isinstance(case, Case) and isinstance(given, Case) and given.nodes != case.nodes:
        return "graph"
    for (word, before), (_, after) in zip(_groups(case), _groups(given), strict=True):
        for name, x in before.items():
            y = after.get(name)
            if y is None or y.shape != x.shape or y.dtype != x.dtype or y.tobytes() != x.tobytes():
                return f"{word} {name}"
    return ""


def _update_answer(raw: Any) -> UpdateAnswer | str:
    raw = raw.steps if isinstance(raw, UpdateAnswer) else raw
    if not isinstance(raw, list | tuple):
        return f"the update returned {type(raw).__name__}, but should return the parameters after each step, a list"
    return UpdateAnswer(steps=tuple(raw))


def _where(error: BaseException) -> str:
    """The exception in one line, with the subject's own line that raised it."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename != __file__]
    at = f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno}, in {frames[-1].name})" if frames else ""
    try:
        told = str(error)[:500]
    except Exception:  # a subject's exception may not even print
        told = "(its message cannot be printed)"
    return f"{type(error).__name__}: {told}{at}"


# ------------------------------------------------------------------------------------------------------- resolving


def resolve(text: str) -> Subject:
    """The subject a name stands for: "reference", or python:MODULE_OR_FILE:CALLABLE. Raises `SubjectError`."""
    if text == "reference":
        return Subject("reference", reference, reference_update)
    kind, _, rest = text.partition(":")
    target, _, attribute = rest.rpartition(":")
    if kind != "python" or not target or not attribute:
        raise SubjectError(
            f"{text!r} is no subject; write python:package.module:callable or python:path/file.py:callable"
        )
    module = _load_file(Path(target)) if target.endswith(".py") else _load_module(target)
    call = module
    for part in attribute.split("."):
        if not hasattr(call, part):
            public = [n for n in dir(call) if not n.startswith("_") and callable(getattr(call, n))]
            raise SubjectError(f"{target} has no {part!r}; its callables are {', '.join(public[:20]) or 'none'}")
        call = getattr(call, part)
    if not callable(call):
        raise SubjectError(f"{text}: {attribute} is {type(call).__name__}, not a callable")
    return wrap(call, text)


def wrap(call: Callable[[Case], Any], name: str = "") -> Subject:
    """A callable with its declarations."""
    returns = getattr(call, "returns", None)
    returns = {returns} if isinstance(returns, str) else returns
    if returns is not None and (unknown := set(returns) - {"parameters", "inputs"}):
        raise SubjectError(f"{name}: returns has {sorted(unknown)[0]!r}; it may have 'parameters' and 'inputs'")
    supports = getattr(call, "supports", None)
    return Subject(
        name or getattr(call, "__name__", "subject"),
        call,
        getattr(call, "update", None),
        frozenset(returns or {"parameters", "inputs"}),
        None if supports is None else frozenset(supports),
        conventions=_conventions(getattr(call, "conventions", None), name),
    )


def _conventions(declared: Any, name: str) -> dict[str, tuple[float, ...]]:
    """What a subject says of its slopes at kinks. Raises `SubjectError` for what is no kink or no valid slope."""
    if declared is not None and not isinstance(declared, Mapping):
        raise SubjectError(f"{name}: conventions is {type(declared).__name__}, but should be like {{'ReLU': 1.0}}")
    found = {}
    for op, weights in (declared or {}).items():
        many = tuple(weights) if isinstance(weights, list | tuple) else (weights,)
        if op not in KINKS:
            raise SubjectError(f"{name}: conventions has {op!r}, which has no kink; see `oracle catalogue --kinks`")
        if not many or not all(isinstance(w, int | float) and 0 <= w <= 1 for w in many):
            raise SubjectError(f"{name}: conventions of {op} are {weights!r}, but should be numbers from 0 to 1")
        found[op] = tuple(float(w) for w in many)
    return found


def _load_module(name: str) -> Any:
    if "" not in sys.path and str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        return importlib.import_module(name)
    except BaseException as error:
        raise SubjectError(f"{name} cannot be imported: {_where(error)}") from error


def _load_file(path: Path) -> Any:
    if not path.is_file():
        raise SubjectError(f"{path} is not a file")
    spec = importlib.util.spec_from_file_location(f"subject_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[module.__name__] = module
    sys.path.insert(0, str(path.parent.resolve()))
    try:
        spec.loader.exec_module(module)
    except BaseException as error:
        raise SubjectError(f"{path} cannot be imported: {_where(error)}") from error
    finally:
        sys.path.pop(0)
    return module


# ------------------------------------------------------------------------------------------------- the reference


def reference(case: Case) -> Answer:
    """`reference.backprop` as a subject."""
    from reference import Network, backprop

    net = _network(Network, case)
    state = case.state()
    found = backprop(net, state, case.inputs)
    return Answer(
        loss=found.loss,
        gradients=found.gradients,
        buffers=found.trace.buffers(net, state) if case.buffers else None,
    )


_nets: dict[Any, Any] = {}


def _network(network: Any, case: Case) -> Any:
    """The net of the last case again, if the graph is the same: one architecture carries many values."""
    key = (case.nodes, case.training)
    if _nets.get("key") != key:
        _nets.update(key=key, net=network(case.nodes, case.training))
    return _nets["net"]


def reference_update(case: UpdateCase) -> UpdateAnswer:
    """`reference.update` as a subject."""
    from reference import update
    from reference.optimizers import build_optimizer

    optimizer, theta, state, steps = build_optimizer(case.op, case.attrs), case.parameters, None, []
    for gradients in case.gradients:
        theta, state = update(optimizer, theta, gradients, state)
        steps.append(theta)
    return UpdateAnswer(steps=tuple(steps))
