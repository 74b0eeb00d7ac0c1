"""The ways of calculating a number: by formulas, by autograd, by the numbers that the lesson inserts."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import torch

from oracle.lesson.numbers.bench import Bench
from oracle.lesson.numbers.evaluating import Tensor, UnboundError
from oracle.lesson.numbers.events import Event
from oracle.lesson.numbers.normal import key
from oracle.lesson.numbers.state import State
from oracle.lesson.syntax import Derivative, Node


@dataclass(frozen=True)
class Way:
    """One calculation of a number."""

    value: float
    slack: float
    doubts: tuple[str, ...] = ()
    words: str = ""


def exact(bench: Bench, event: Event) -> tuple[list[Way], list[str]]:
    """By the chain's own formulas, by other formulas for its symbol, by autograd; and why not."""
    ways, reasons = [], list[str]()
    for calculate in _calculations(bench, event):
        state = State(bench, event.at)
        try:
            value = calculate(state)
        except UnboundError as error:
            reasons.append(str(error))
            continue
        if value is not None and value.numel() == 1 and bool(torch.isfinite(value).all()):
            number = value.flatten()[0]
            ways.append(Way(float(number.detach()), state.slack(number), tuple(state.doubts)))
    return ways, reasons


Calculation = Callable[[State], Tensor | None]


def _calculations(bench: Bench, event: Event) -> Iterator[Calculation]:
    for formula in event.formulas:
        yield partial(_by, formula)
    head = event.head
    if head is None:
        return
    if not event.formulas and not event.arithmetic:
        for other in bench.ordered(event.key, event.at):
            for formula in other.formulas:
                yield partial(_by, formula)
        for formula in bench.general(head):
            yield partial(_by_general, formula)
    if isinstance(head, Derivative):
        yield lambda state: state.partial(head)
        yield lambda state: immediate(state, head)


def _by(formula: Node, state: State) -> Tensor:
    return state.value(formula)


def _by_general(formula: Node, state: State) -> Tensor:
    state.doubt("it is read from a formula for all indices")
    return state.value(formula)


def immediate(state: State, head: Derivative) -> Tensor | None:
    """The partial through the formula of `of` alone, all else in it held fixed."""
    if state.symbol(head.of) is None or len(head.wrt) != 1:
        return None
    formula = next((f for name, f in reversed(state.made) if name == key(head.of)), None)
    if formula is None:
        return None
    fixed = {name: value.detach().requires_grad_() for name, value in state.memo.items() if name != key(head.of)}
    inner = State(state.bench, state.at, override=fixed)
    wrt = fixed.get(key(head.wrt[0]))
    value = inner.value(formula)
    if wrt is None or value.ndim or not value.requires_grad:
        return None
    (found,) = torch.autograd.grad(value, wrt, allow_unused=True)
    state.doubts += inner.doubts
    return found


def arithmetic(bench: Bench, event: Event, *, provenance: bool) -> Iterator[Way]:
    """The numbers that the chain itself inserts: as they stand, or what they were rounded from."""
    for inserted in event.arithmetic:
        state = State(bench, event.at, provenance=provenance)
        try:
            value = state.value(inserted)
        except UnboundError:
            continue
        if not value.ndim and bool(torch.isfinite(value)):
            yield Way(float(value.detach()), state.slack(value, literals=True), tuple(state.doubts))


def room(bench: Bench, event: Event) -> float:
    """How much the rounding of inserted numbers can change the result."""
    return max((way.slack for way in arithmetic(bench, event, provenance=True)), default=0.0) or max(
        (abs(a.value - b.value) for a, b in zip(
            arithmetic(bench, event, provenance=True), arithmetic(bench, event, provenance=False), strict=False)),
        default=0.0,
    )  # fmt: skip


def from_printed(bench: Bench, event: Event) -> Iterator[Way]:
    """The formulas with results as they were printed before."""
    for formula in event.formulas:
        state = State(bench, event.at, rounded=True)
        try:
            value = state.value(formula)
        except UnboundError:
            continue
        if value.numel() == 1:
            yield Way(float(value.detach()), 0.0)
