"""How a bug is put into the reference: one method of one operator replaced, nothing else touched.

A *seed* is a way to make a subject that has the bug. `bent` wraps methods of layers; `walking` replaces the backward
walk over the graph; `answering` spoils the finished answer; `stepping` wraps the update rule of an optimizer.
Seeds are written in NumPy against `reference`, and know nothing of `oracle.hypotheses`.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

import reference
from oracle.spec import Answer, Case, UpdateAnswer, UpdateCase
from oracle.subjects import Subject, reference_update
from oracle.subjects import reference as right_answer
from reference.backprop import _signal
from reference.layer import Array
from reference.optimizers import build_optimizer

Method = Callable[..., Any]
"""(layer, right, *arguments) -> result; `right(*arguments)` is what the method should return."""
Make = Callable[[], Subject]


@dataclass(frozen=True)
class Seed:
    """A bug planted in the reference."""

    code: str
    """Of the fault."""
    ops: str
    """The operators, or the optimizers, that are wrong, "Sigmoid Tanh"; "" where it is the walk over the graph."""
    plant: Make
    """A fresh subject with the bug; called for every run, so that state does not outlive one."""
    profile: str = "standard"
    """The profile of cases in which it is looked for."""
    variant: str = ""
    """Which of several wrong lines of the fault, for `dataclasses.replace`: "1e-3" beside "1e-8"."""

    @property
    def name(self) -> str:
        """Code, operators and variant, to tell the seeds of one fault apart."""
        return " ".join(filter(None, (self.code, self.ops, self.variant)))


def bent(code: str, ops: str, profile: str = "standard", **methods: Method) -> Seed:
    """The reference with methods (forward, backward, partials, buffers) of these operators wrapped; "*": of all."""

    def call(case: Case) -> Answer:
        net = reference.Network(case.nodes, case.training)
        net.nodes = [replace(n, layer=_bent(n.layer, methods)) if is_one(n.layer, ops) else n for n in net.nodes]
        net.loss = net.nodes[-1]
        found = reference.backprop(net, case.state(), case.inputs)
        buffers = found.trace.buffers(net, case.state()) if case.buffers else None
        return Answer(loss=found.loss, gradients=found.gradients, buffers=buffers)

    return Seed(code, "" if ops == "*" else ops, lambda: Subject(code, call, reference_update), profile)


def is_one(layer: Any, ops: str) -> bool:
    """Whether a layer is of one of these operators."""
    return ops == "*" or type(layer).__name__ in ops.split()


def _bent(layer: Any, methods: dict[str, Method]) -> Any:
    cls = type(layer)

    def method(name: str, change: Method) -> Method:
        right = getattr(cls, name)
        return lambda self, *args: change(self, lambda *a: right(self, *a), *args)

    changed = type(cls.__name__, (cls,), {name: method(name, change) for name, change in methods.items()})
    other: Any = object.__new__(changed)
    other.__dict__.update(layer.__dict__)
    return other


Walk = Callable[[reference.Network, dict[str, Array], Any, dict[str, Array], Callable[[Any], Any]], None]
"""(net, theta, trace, deltas, received) -> None: fills `deltas`, the error signal of every tensor.

`received(node)` is what the node hands to each of its inputs, from what `deltas` says of it now (None: nothing).
"""


def walking(code: str, walk: Walk, profile: str = "standard") -> Seed:
    """The reference with another walk over the graph in place of step 1 to 3; the partials come from its `deltas`."""

    def call(case: Case) -> Answer:
        net, theta = reference.Network(case.nodes, case.training), case.state()
        trace = reference.forward(net, theta, case.inputs)
        loss = trace.values[net.loss.name]
        deltas = {net.loss.name: np.ones(loss.shape, loss.dtype)}

        def received(node: Any) -> Any:
            delta = _signal(node, trace, deltas) if node.wanted else None
            if delta is None:
                return None
            handed = node.layer.backward(node.own(theta), trace.saved[node.name], delta)
            return [d if w else None for d, w in zip(handed, node.wanted, strict=True)]

        walk(net, theta, trace, deltas, received)
        gradients = reference.partials(net, theta, trace, deltas)
        reals = {n: x for n, x in case.inputs.items() if x.dtype.kind == "f"}
        gradients |= {n: deltas.get(n, np.zeros_like(x)) for n, x in reals.items()}
        buffers = trace.buffers(net, theta) if case.buffers else None
        return Answer(loss=loss, gradients=gradients, buffers=buffers)

    return Seed(code, "", lambda: Subject(code, call, reference_update), profile)


def answering(
    code: str, ops: str, make: Callable[[], Callable[[Case, Answer], Any]], profile: str = "standard"
) -> Seed:
    """The reference with its finished answer spoilt: `make()` gives (case, right answer) -> answer, fresh."""

    def plant() -> Subject:
        spoil = make()

        return Subject(code, lambda case: spoil(case, right_answer(case)), reference_update)

    return Seed(code, ops, plant, profile)


Step = Callable[..., tuple[Array, Any]]
"""(optimizer, right, theta, g, state, t, name) -> (theta, state); `right(theta, g, state)` is the right step.

`state` starts as whatever `optimizer.start` returns; t counts the steps from 1; name is the parameter's.
"""


def stepping(code: str, ops: str, step: Step) -> Seed:
    """The reference with the step of these optimizers wrapped."""

    def update(case: UpdateCase) -> UpdateAnswer:
        if case.op not in ops.split():
            return reference_update(case)
        optimizer = build_optimizer(case.op, case.attrs)
        theta = dict(case.parameters)
        states = {name: optimizer.start(x) for name, x in theta.items()}
        steps = []
        for t, gradients in enumerate(case.gradients, 1):
            theta = dict(theta)
            for name, g in gradients.items():
                theta[name], states[name] = step(optimizer, optimizer.step, theta[name], g, states[name], t, name)
            steps.append(theta)
        return UpdateAnswer(steps=tuple(steps))

    return Seed(code, ops, lambda: Subject(code, _no_case, update), "updates")


def updating(code: str, ops: str, rule: Callable[[UpdateCase], list[dict[str, Array]]]) -> Seed:
    """The reference with the whole of step 5 of these optimizers replaced: UpdateCase -> parameters after each step."""

    def update(case: UpdateCase) -> UpdateAnswer:
        return UpdateAnswer(steps=tuple(rule(case))) if case.op in ops.split() else reference_update(case)

    return Seed(code, ops, lambda: Subject(code, _no_case, update), "updates")


def _no_case(case: Case) -> Answer:
    raise AssertionError("the profile of updates has no other cases")
