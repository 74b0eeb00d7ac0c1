"""What others would have said: gradcheck, finite differences, np.allclose and assert_close, asked one case at a time.

Each peer gets a question (a case, with autograd's numbers for it) and a way to ask the subject, and says "right",
"wrong" or "cannot say". They are taken as their users meet them, with their default tolerances; all of them see the
loss and every gradient that the subject returns. A subject that raises, or leaves out a tensor, is "wrong" to all.
"""

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import torch
from msgspec.structs import replace

from oracle.compare import normalise
from oracle.spec import Answer, AnyCase, Array, Case, CaseError, Tensors, UpdateCase
from oracle.subjects import Subject
from oracle.twin import Twin, run_update

Say = Literal["right", "wrong", "cannot say"]
Ask = Callable[[AnyCase], Tensors | None]
"""The subject's numbers for a case, by name; None if it raised or returned no answer."""

STEP = 1e-5
"""The h of the finite differences, (L(x + h) − L(x − h)) / 2h, as courses take it."""
STRICT, LOOSE = 1e-7, 1e-2
"""Relative errors |a − n| / max(1e-8, |a| + |n|): below the first one "should be happy", above the second the
gradient "is probably wrong". Source: Stanford's CS231n, its notes ("Gradient checks") and the rel_error of its
assignments.
"""


@dataclass
class Question:
    """A case, and what autograd says of it."""

    where: str
    """ "case 17 of seed 0, float64"."""
    case: AnyCase

    @cached_property
    def truth(self) -> Tensors | None:
        """Autograd's numbers, as a user has them: in the dtype of the case. None where torch refuses the case."""
        try:
            if isinstance(self.case, UpdateCase):
                return {n: x.astype(self.case.dtype) for n, x in _steps(run_update(self.case))}
            found = Twin(self.case).run(self.case, real=self.case.dtype)
            return {"loss": found.loss, **found.gradients, **{f"buffer {n}": x for n, x in found.buffers.items()}}
        except CaseError:
            return None


@dataclass(frozen=True)
class Peer:
    """One way to check gradients."""

    name: str
    rule: str
    """When it calls a subject wrong."""
    judge: Callable[[Question, Ask], Say]
    everywhere: bool = False
    """Whether it also judges float32 and step 5."""


def asking(subject: Subject) -> Ask:
    """How a peer asks a subject: with a copy of the case, and without a contract."""

    def ask(case: AnyCase) -> Tensors | None:
        given = _copy(case)
        try:
            with np.errstate(all="ignore"):
                if isinstance(given, UpdateCase):
                    return None if subject.update is None else numbers(subject.update(given))
                return numbers(normalise(subject.call(given)))
        except Exception:
            return None

    return ask


def _copy(case: AnyCase) -> AnyCase:
    def each(tensors: Tensors) -> Tensors:
        return {name: np.array(x) for name, x in tensors.items()}

    if isinstance(case, UpdateCase):
        return replace(case, parameters=each(case.parameters), gradients=tuple(map(each, case.gradients)))
    nodes = tuple(replace(node, attrs=dict(node.attrs)) for node in case.nodes)
    mine = {"inputs": each(case.inputs), "parameters": each(case.parameters), "buffers": each(case.buffers)}
    return replace(case, nodes=nodes, **mine)


def numbers(answer: Any) -> Tensors | None:
    """Everything in an answer, or in the steps of an update, by name."""
    if answer is None or isinstance(answer, str):
        return None
    if not isinstance(answer, Answer):
        return dict(_steps(answer))
    loss = {} if answer.loss is None else {"loss": np.asarray(answer.loss)}
    buffers = {f"buffer {n}": np.asarray(x) for n, x in (answer.buffers or {}).items()}
    return loss | {n: np.asarray(g) for n, g in answer.gradients.items()} | buffers


def _steps(answer: Any) -> Iterator[tuple[str, Array]]:
    for k, step in enumerate(getattr(answer, "steps", answer), 1):
        yield from ((f"step {k}: {name}", np.asarray(x)) for name, x in step.items())


# ------------------------------------------------------------------------------------- beside autograd's own numbers


def _beside(question: Question, ask: Ask, equal: Callable[[Array, Array], bool]) -> Say:
    """Every tensor that the subject returns beside autograd's."""
    if question.truth is None:
        return "cannot say"
    got = ask(question.case)
    if got is None or {n for n in question.truth if not n.startswith("buffer ")} - got.keys():
        return "wrong"
    try:
        return "right" if all(equal(got[n], t) for n, t in question.truth.items() if n in got) else "wrong"
    except (AssertionError, ValueError, TypeError):  # ValueError: shapes that do not broadcast
        return "wrong"


def _allclose(got: Array, truth: Array) -> bool:
    return bool(np.allclose(got, truth, equal_nan=True))


def _assert_close(got: Array, truth: Array) -> bool:
    torch.testing.assert_close(torch.from_numpy(np.array(got)), torch.from_numpy(np.array(truth)), equal_nan=True)
    return True


# ------------------------------------------------------------------------------------------- beside differences of L


def _differences(limit: float) -> Callable[[Question, Ask], Say]:
    """Every entry of every gradient beside the central difference of the subject's own loss."""

    def judge(question: Question, ask: Ask) -> Say:
        case = question.case
        if not isinstance(case, Case) or case.dtype != "float64":
            return "cannot say"
        got = ask(case)
        if got is None or any(n not in got or got[n].shape != x.shape for n, x in _leaves(case).items()):
            return "wrong"
        for name, x in _leaves(case).items():
            for index in np.ndindex(x.shape):
                up, down = (_loss(ask, case, name, index, h) for h in (STEP, -STEP))
                if up is None or down is None:
                    return "cannot say"
                a, n = float(got[name][index]), (up - down) / (2 * STEP)
                if not abs(a - n) <= limit * max(1e-8, abs(a) + abs(n)):
                    return "wrong"
        return "right"

    return judge


def _leaves(case: Case) -> Tensors:
    """Every tensor whose gradient is asked for."""
    return {n: case.parameters[n] if n in case.parameters else case.inputs[n] for n in case.wanted()}


def _loss(ask: Ask, case: Case, name: str, index: tuple[int, ...], h: float) -> float | None:
    """The subject's loss with one entry moved by h."""
    moved = np.array(_leaves(case)[name])
    moved[index] += h
    got = ask(_with(case, {name: moved}))
    return None if got is None or "loss" not in got else float(got["loss"])


def _with(case: Case, tensors: Tensors) -> Case:
    """The case with other numbers."""

    def other(group: Tensors) -> Tensors:
        return {n: tensors.get(n, x) for n, x in group.items()}

    return replace(case, inputs=other(case.inputs), parameters=other(case.parameters))


class _NoAnswer(Exception):  # noqa: N818  (not an error of ours: the subject cannot do a case that was moved)
    """Raised through gradcheck where the subject does not answer for a point beside the case."""


class _AsFunction(torch.autograd.Function):
    """The subject as a function of torch: its loss forward, its gradients backward."""

    @staticmethod
    def forward(ctx: Any, ask: Ask, case: Case, *x: torch.Tensor) -> torch.Tensor:
        """The subject's loss."""
        got = ask(_with(case, dict(zip(case.wanted(), (t.detach().numpy() for t in x), strict=True))))
        if got is None or "loss" not in got:
            raise _NoAnswer
        ctx.gradients = [torch.from_numpy(np.array(got[name])) for name in case.wanted()]
        return torch.tensor(float(got["loss"]), dtype=torch.float64)

    @staticmethod
    def backward(ctx: Any, *upstream: Any) -> Any:
        """The subject's gradients, times what comes from above."""
        return (None, None, *(upstream[0] * g for g in ctx.gradients))


_as_function: Callable[..., torch.Tensor] = _AsFunction.apply


def _gradcheck(fast: bool) -> Callable[[Question, Ask], Say]:
    def judge(question: Question, ask: Ask) -> Say:
        case = question.case
        if not isinstance(case, Case) or case.dtype != "float64" or not _leaves(case):
            return "cannot say"
        got = ask(case)
        if got is None or _leaves(case).keys() - got.keys():
            return "wrong"
        x = [torch.tensor(leaf, requires_grad=True) for leaf in _leaves(case).values()]
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                passed = torch.autograd.gradcheck(
                    lambda *x: _as_function(ask, case, *x), x, fast_mode=fast, raise_exception=False
                )
            return "right" if passed else "wrong"
        except _NoAnswer:
            return "cannot say"
        except RuntimeError as error:
            return "wrong" if "invalid gradient" in str(error) else "cannot say"
        except ValueError:
            return "cannot say"

    return judge


PEERS: tuple[Peer, ...] = (
    Peer("gradcheck, slow", "torch.autograd.gradcheck: eps 1e-6, atol 1e-5, rtol 1e-3", _gradcheck(fast=False)),
    Peer("gradcheck, fast", "the same along one random direction (fast_mode)", _gradcheck(fast=True)),
    Peer("differences, 1e-7", "central, h = 1e-5; an entry's relative error above 1e-7", _differences(STRICT)),
    Peer("differences, 1e-2", "central, h = 1e-5; an entry's relative error above 1e-2", _differences(LOOSE)),
    Peer("np.allclose", "beside autograd: rtol 1e-5, atol 1e-8", lambda q, ask: _beside(q, ask, _allclose), True),
    Peer("assert_close", "torch.testing.assert_close beside autograd: rtol 1e-7, atol 1e-7; float32: 1.3e-6, 1e-5",
         lambda q, ask: _beside(q, ask, _assert_close), True),
)  # fmt: skip
"""Every peer. The two that stand beside autograd also judge float32 and step 5; the others judge float64 only."""
