"""A subject, and one call of it: what it is given is a fresh copy of the case, what it prints is its own business, and
whatever it raises is an outcome.
"""

import io
import math
import shlex
import signal
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from oracle.compare import normalise
from oracle.spec import AnyCase, Array, Case, Node, Tensors, Unsupported, UpdateAnswer, UpdateCase


class _Heard(io.StringIO):
    """Where a subject's prints go: the beginning is kept."""

    def write(self, text: str) -> int:
        """Take the text, and forget what is too much of it."""
        if self.tell() < 200:
            super().write(text)
        return len(text)


class SubjectError(Exception):
    """The subject cannot be started: exit code 2."""


class _TooLate(BaseException):
    """Raised inside a subject whose time is up; no `except Exception` of the subject's own catches it."""


@contextmanager
def _limit(seconds: float) -> Iterator[None]:
    """Interrupt the block after so many seconds, where the system can: in the main thread, with SIGALRM."""
    here = threading.current_thread() is threading.main_thread() and hasattr(signal, "SIGALRM")
    if not here or math.isinf(seconds):
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
    crash: str = ""
    """How the process ended in the middle of the call, or what it said in place of an answer."""
    evidence: str = ""
    """What it wrote meanwhile: its process to stderr, or a callable to stdout."""


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
    options: str = ""
    """What a command says of it beside its name ("--as mlp")."""
    remark: str = ""
    """What was assumed of it, in a sentence for its author."""
    chain: Any = None
    """An `oracle.chains.Chain`, where it can run nothing else."""
    prints: TextIO | None = None
    """Where its prints go; their beginning goes into the reply if this is nowhere."""

    @property
    def is_python(self) -> bool:
        """Whether it is a callable of Python."""
        return not self.name.startswith("cmd:")

    @property
    def words(self) -> str:
        """The subject as one writes it in a shell."""
        return " ".join(filter(None, [shlex.quote(self.name), self.options]))

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
        """What the subject makes of a case, if it is one for it."""
        reason = self.declines(case)
        return Reply(skipped=reason) if reason else self.ask(case)

    @property
    def fragile(self) -> bool:
        """Whether it has ended in the middle of a call, so that asking may mean to start it again."""
        return False

    @property
    def lost(self) -> str:
        """Why it is no use to ask any further, or an empty string."""
        return ""

    def close(self) -> tuple[str, ...]:
        """Let go of what the subject holds; it may be asked again. What is worth a remark, in sentences."""
        return ()

    def ask(self, case: AnyCase) -> Reply:
        """Run the subject on a copy of the case; nothing it does to the copy or raises gets through."""
        given, heard = _copy(case), _Heard()
        try:
            with _limit(self.seconds), np.errstate(all="ignore"), redirect_stdout(self.prints or heard):
                raw = self.update(given) if isinstance(given, UpdateCase) and self.update else self.call(given)  # type: ignore[arg-type]
                answer = _update_answer(raw) if isinstance(case, UpdateCase) else normalise(raw)
        except Unsupported as reason:
            return Reply(skipped=f"the subject declines: {reason}")
        except KeyboardInterrupt:
            raise
        except _TooLate:
            return Reply(timeout=f"the subject gave no answer within {self.seconds:g} seconds")
        except BaseException as error:  # a subject may raise anything, SystemExit too; that is its outcome
            return Reply(error=where(error))
        if changed := _changed(case, given):
            return Reply(breach=f"the subject changed its input {changed}")
        return Reply(breach=answer) if isinstance(answer, str) else Reply(answer, evidence=heard.getvalue())


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


def _ours(file: str) -> bool:
    """Whether a frame says nothing to the subject's author: the oracle's own code, or Python's way of importing."""
    return file.startswith("<frozen ") or Path(file).parents[1:2] == Path(__file__).parents[1:2]


def where(error: BaseException) -> str:
    """The exception in one line, with the subject's own line that raised it."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if not _ours(f.filename)]
    at = f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno}, in {frames[-1].name})" if frames else ""
    try:
        told = str(error)[:500]
    except Exception:  # a subject's exception may not even print
        told = "(its message cannot be printed)"
    return f"{type(error).__name__}: {told}{at}"
