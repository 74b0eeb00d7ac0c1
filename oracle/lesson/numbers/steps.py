r"""The net after one step of gradient descent, in every order in which lessons take it.

The text of a lesson usually says: all partials first, then all updates. A program that updates the output layer before
it passes the error signal on uses the new weights for the hidden deltas; that is a variant with a name.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch

from oracle.lesson.numbers.bench import Bench, Stepped, bare, exchanged
from oracle.lesson.numbers.evaluating import Tensor, UnboundError
from oracle.lesson.numbers.events import Event
from oracle.lesson.numbers.normal import key
from oracle.lesson.numbers.state import State
from oracle.lesson.syntax import Derivative, Indexed, Name, Node

BIASES = ("b", "bias", "theta", "beta")
VARIANTS = (
    (False, False, 1.0, ""),
    (True, False, 1.0, "hidden deltas from weights that are updated already"),
    (False, True, 1.0, "biases updated too"),
    (True, True, 1.0, "hidden deltas from weights that are updated already, biases updated too"),
    (False, False, 2.0, "a loss without the half"),
    (False, False, 0.5, "a loss with a half more"),
)
"""Whether hidden deltas use new weights, whether biases are trained that the lesson keeps, a factor, and the name."""


@dataclass(frozen=True)
class Rule:
    """An update as the lesson writes it for one parameter."""

    parameter: Node
    formula: Node
    partial: Derivative


def rule(bench: Bench) -> Rule | None:
    """The first update whose formula has the partial by the parameter itself."""
    for event in bench.events:
        parameter = bare(event.head) if event.head else None
        for formula in event.formulas if parameter is not None else ():
            for part in formula.walk():
                if isinstance(part, Derivative) and parameter is not None and part.wrt == (parameter,):
                    return Rule(parameter, formula, part)
    return None


def after_step(bench: Bench, event: Event) -> list[tuple[float, str]]:
    """The values that a number could have after a step, or in a variant of it, each with the variant's name."""
    return list(_after_step(bench, event))


def _after_step(bench: Bench, event: Event) -> Iterator[tuple[float, str]]:
    """(value, name of the variant): of an updated parameter, a partial, or any symbol once more after the step."""
    known, head = rule(bench), event.head
    if known is None or head is None or (event.formulas and not isinstance(head, Derivative) and bare(head) is None):
        return
    for new_weights, biases, factor, words in VARIANTS:
        found = _step(bench, known, new_weights, biases, factor)
        if found is None:
            continue
        updated, partials = found
        if event.key in updated:
            yield updated[event.key], words
        elif event.key in partials:
            yield partials[event.key], words
        elif not event.formulas and not event.arithmetic and (again := _again(bench, event, updated)) is not None:
            yield again, words


def _again(bench: Bench, event: Event, updated: dict[str, float]) -> float | None:
    """A symbol calculated once more with the updated parameters."""
    override = {name[: -len("^{+}")]: torch.tensor(x, dtype=torch.float64) for name, x in updated.items()}
    for other in bench.ordered(event.key, event.at):
        for formula in other.formulas:
            state = State(bench, event.at, override=override)
            try:
                value = state.value(formula)
            except UnboundError:
                continue
            return float(value.detach()) if not value.ndim else None
    return None


def expected(bench: Bench, event: Event) -> float | None:
    """What the lesson's own rule makes of a parameter, where nothing about it is in doubt."""
    known = rule(bench)
    if known is None or bare(event.head or Name("")) is None:
        return None
    found = _step(bench, known, False, False, 1.0)
    state = State(bench, len(bench.events))
    try:
        state.symbol(known.partial.of)
    except UnboundError:
        return None
    return found[0].get(event.key) if found is not None and not state.doubts else None


def _step(bench: Bench, known: Rule, new_weights: bool, biases: bool, factor: float) -> Stepped | None:
    """`step`, each variant once; None where something has no number."""
    variant = (new_weights, biases, factor)
    if variant not in bench.steps:
        try:
            bench.steps[variant] = step(bench, known, new_weights, biases, factor)
        except UnboundError:
            bench.steps[variant] = None
    return bench.steps[variant]


def step(bench: Bench, known: Rule, new_weights: bool, biases: bool, factor: float) -> Stepped | None:
    """(updated parameters by `w_5^+`, partials by `∂E/∂w_5`) after one step from the given values."""
    state = State(bench, len(bench.events))
    loss = state.symbol(known.partial.of)
    if loss is None or loss.ndim:
        return None
    walk = Backwards(state, known, trained(bench, state, biases), new_weights, factor)
    walk.run(key(known.partial.of))
    return (
        {f"{name}^{{+}}": float(x) for name, x in walk.values.items()
         if name in walk.parameters and not x.ndim},
        {key(Derivative(known.partial.of, (walk.nodes[name],))): x for name, x in walk.adjoints.items()
         if name in walk.nodes},
    )  # fmt: skip


def trained(bench: Bench, state: State, biases: bool) -> set[str]:
    """The parameters that the lesson updates; the biases that it keeps, too, where these are asked for."""
    found = {key(b) for e in bench.events if e.head is not None and (b := bare(e.head)) is not None}
    if biases:
        found |= {name for name in state.leaves if _base(bench, name) in BIASES}
    return found & state.memo.keys()


def _base(bench: Bench, name: str) -> str:
    head = bench.by_key[name][0].head if name in bench.by_key else None
    while isinstance(head, Indexed):
        head = head.base
    return head.base if isinstance(head, Name) else ""


class Backwards:
    """Node by node from the loss back, so that a parameter may be updated before its node passes the signal on."""

    def __init__(self, state: State, known: Rule, parameters: set[str], new_weights: bool, factor: float):
        self.state, self.known, self.parameters = state, known, parameters
        self.new_weights, self.factor = new_weights, factor
        self.before = {name: value.detach() for name, value in state.memo.items()}
        self.values = dict(self.before)
        self.adjoints: dict[str, float] = {}
        self.nodes = {name: e[0].head for name, e in state.bench.by_key.items() if e[0].head is not None}

    def run(self, loss: str) -> None:
        """Adjoints of all symbols; `values` has the updated parameters in the end."""
        self.adjoints = {loss: self.factor}
        for name, formula in reversed(self.state.made):
            if name not in self.adjoints:
                continue
            self._collect(formula, self.before, self.adjoints[name], wanted=self.parameters)
            for parameter in self.parameters & self.adjoints.keys():
                self.values[parameter] = self._updated(parameter)
            seen = self.values if self.new_weights else self.before
            self._collect(formula, seen, self.adjoints[name], wanted=self.before.keys() - self.parameters)

    def _collect(self, formula: Node, at: dict[str, Tensor], signal: float, wanted: set[str]) -> None:
        leaves = {name: value.clone().requires_grad_() for name, value in at.items()}
        value = State(self.state.bench, self.state.at, override=leaves).value(formula)
        names = [name for name in leaves if name in wanted]
        if not names or not value.requires_grad or value.ndim:
            return
        grads = torch.autograd.grad(value, [leaves[name] for name in names], allow_unused=True)
        for name, grad in zip(names, grads, strict=True):
            if grad is not None and not grad.ndim:
                self.adjoints[name] = self.adjoints.get(name, 0.0) + signal * float(grad)

    def _updated(self, parameter: str) -> Tensor:
        """The lesson's own rule, for this parameter."""
        node = self.nodes[parameter]
        own = exchanged(self.known.formula, self.known.parameter, node)
        partial = Derivative(self.known.partial.of, (node,))
        signal = torch.tensor(self.adjoints[parameter], dtype=torch.float64)
        override = {**self.before, key(partial): signal}
        return State(self.state.bench, self.state.at, override=override).value(own).detach()
