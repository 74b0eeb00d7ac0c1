"""What autograd would say if the twin had a bug: the kinds of hypothesis.

    override   a node computes something else: y = wrong(x). For a wrong backward pass alone, the value is kept:
               y = f(x).detach() + (s(x) − s(x).detach()), where s has the wrong derivative
    formula    tensors computed from a node's true input and error signal (the partials of its parameters,
               running statistics)
    anything   whole predictions for a whole case, for faults that span several nodes
    rule       the parameters after each step, for step 5

Hypotheses are written in torch (formulas in NumPy), from the truth; they know nothing of `oracle.seeds`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from oracle.architectures import LOSSES, UNITS
from oracle.composites import Tensor
from oracle.hypotheses.evidence import Evidence, told
from oracle.spec import Array, Case, CaseError, Node, Tensors, UpdateCase
from oracle.twin import Truth

Applies = Callable[[Node], bool]
Override = Callable[[Node], Callable[..., Any]]
"""node -> wrong(call, parameters by role, *inputs) -> output; `call(*inputs)` is the right output.

Call it once where there are running statistics: every call updates them.
"""
Formula = Callable[[Case, Truth, Node], Tensors]
Rule = Callable[[UpdateCase], list[Tensors]]

SURE = (CaseError, RuntimeError, ValueError, IndexError, KeyError, TypeError, ArithmeticError, AttributeError)
"""What a hypothesis may raise where it cannot be put."""


@dataclass(frozen=True)
class Hypothesis:
    """How a fault would look."""

    applies: Applies
    """At which nodes it can be."""
    predict: Callable[[Evidence, list[Node]], Iterator[Tensors]]
    """What would be returned with the fault at these nodes; several, where the fault has a quantity to be read."""
    everywhere: bool = False
    """Whether it is a fault of the walk over the graph, or of the answer, and not of a node."""
    rules: tuple[Rule, ...] = ()
    """For step 5: what would be returned; several, where the line can be read in several ways."""
    ops: frozenset[str] = frozenset()
    """For step 5: the optimizers."""


def override(applies: Applies, wrong: Override) -> Hypothesis:
    """The node computes something else, or differentiates something else."""

    def predict(e: Evidence, nodes: list[Node]) -> Iterator[Tensors]:
        yield told(e.twin.run(e.case, faults={n.name: wrong(n) for n in nodes}))

    return Hypothesis(applies, predict)


def moded(applies: Applies, wrong: Callable[[Node, bool], Callable[..., Any]]) -> Hypothesis:
    """`override` for what differs in training and evaluation: (node, training) -> wrong."""

    def predict(e: Evidence, nodes: list[Node]) -> Iterator[Tensors]:
        yield told(e.twin.run(e.case, faults={n.name: wrong(n, e.case.training) for n in nodes}))

    return Hypothesis(applies, predict)


def formula(applies: Applies, wrong: Formula) -> Hypothesis:
    """Tensors of a node computed otherwise: {parameter name: ∂L/∂ it} or {"buffer NAME": value}."""

    def predict(e: Evidence, nodes: list[Node]) -> Iterator[Tensors]:
        predicted = dict(e.right)
        for node in nodes:
            found = wrong(e.case, e.truth, node)
            predicted.update({name: x for name, x in found.items() if name in predicted})
        yield predicted

    return Hypothesis(applies, predict)


def anything(predict: Callable[[Evidence], Iterable[Tensors]]) -> Hypothesis:
    """A fault of no one node: whole predictions."""
    return Hypothesis(lambda node: True, lambda e, nodes: iter(predict(e)), everywhere=True)


def rule(ops: str, *wrong: Rule) -> Hypothesis:
    """A wrong update rule of these optimizers, in one reading or several."""
    return Hypothesis(lambda node: False, lambda e, nodes: iter(()), rules=wrong, ops=frozenset(ops.split()))


def either(*hypotheses: Hypothesis) -> Hypothesis:
    """Several readings of one line, a prediction for each."""

    def predict(e: Evidence, nodes: list[Node]) -> Iterator[Tensors]:
        for h in hypotheses:
            if mine := [n for n in nodes if h.applies(n)]:
                try:
                    yield from h.predict(e, mine)
                except SURE:
                    continue

    return Hypothesis(lambda node: any(h.applies(node) for h in hypotheses), predict)


# ------------------------------------------------------------------------------------------------- for those who write


def keeping(value: Any, surrogate: Any) -> Any:
    """The value of one expression with the derivative of another."""
    return value.detach() + (surrogate - surrogate.detach())


def scaled(x: Tensor, k: float | Tensor) -> Tensor:
    """x, whose gradient is k times what it should be."""
    return x.detach() + k * (x - x.detach())


def vjp(formula: Callable[..., Any]) -> Override:
    """Another error signal: formula(node, p, delta, x, y) -> one error signal for each input; all else is kept.

    The parameters p by role, the inputs x, y and delta are detached tensors; None leaves an input without one. Not for
    nodes with several outputs.
    """

    def make(node: Node) -> Callable[..., Any]:
        def wrong(call: Callable[..., Any], p: Mapping[str, Tensor], *x: Tensor) -> Any:
            inputs = [t.detach() for t in x]
            y = call(*inputs)
            own = {role: t.detach() for role, t in p.items()}
            back = lambda delta: tuple(formula(node, own, delta, inputs, y.detach()))  # noqa: E731
            return _Bent.apply(back, y, *x)  # type: ignore[no-untyped-call]

        return wrong

    return make


class _Bent(torch.autograd.Function):
    """A value y, which hears δ (its parameters learn as ever), and inputs that hear what `back` makes of it."""

    @staticmethod
    def forward(ctx: Any, back: Callable[[Tensor], Any], y: Tensor, *x: Tensor) -> Tensor:
        ctx.back = back
        return y.clone()

    @staticmethod
    def backward(ctx: Any, delta: Tensor) -> Any:
        return (None, delta, *ctx.back(delta))


def op(*ops: str) -> Applies:
    """Nodes of these operators."""
    return lambda node: node.op in ops


ELEMENTWISE = frozenset(
    set(UNITS) - set("Identity Softmax LogSoftmax Softmin BatchNorm1d Dropout PReLU RReLU".split())  # noqa: SIM905
)


def elementwise(node: Node) -> bool:
    """Activations with a slope of their own for each entry."""
    return node.op in ELEMENTWISE


def is_loss(node: Node) -> bool:
    """Losses, but for the Dot that ends other nets."""
    return node.op in LOSSES and node.op != "Dot"


def signal(truth: Truth, node: Node) -> Array:
    """The true error signal at a node's output; zero off the loss's path."""
    return truth.errors.get(node.name, np.zeros(truth.values[node.name].shape))


def rows(truth: Truth, node: Node) -> tuple[Array, Array]:
    """Input and error signal of a Linear node, as rows."""
    x, delta = truth.values[node.inputs[0]], signal(truth, node)
    return x.reshape(-1, x.shape[-1]), delta.reshape(-1, delta.shape[-1])
