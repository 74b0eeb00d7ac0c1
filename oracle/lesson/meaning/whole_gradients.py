r"""Gradients of which not everything is written: ∇_W is the loss's, ∇W too, and ∇f(x) is by x."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace

from oracle.lesson.meaning.losses import LOSSES
from oracle.lesson.meaning.naming import core
from oracle.lesson.syntax import Call, Derivative, Gradient, Indexed, Name, Node, Power, Relation, Tagged

OF_THE_LOSS = "loss"
"""What ∇_W is read as a gradient of, where nothing stands behind it."""


def loss_of(nodes: Iterable[Node], named: Callable[[Node], str]) -> str:
    """The loss that a lesson differentiates, or defines: the one that it does most often; "" where it has none."""
    found = Counter[str]()
    for node in nodes:
        match node:
            case Derivative(of=of) | Gradient(of=of) if of != Name(OF_THE_LOSS):
                found[named(of.function if isinstance(of, Call) else of)] += 2
            case Relation(items=(head, *_)):
                found[named(head.function if isinstance(head, Call) else head)] += 1
    return next((base for base, _ in found.most_common() if base in LOSSES), "")


def gradients_by(nodes: Iterable[Node], named: Callable[[Node], str]) -> set[str]:
    """The a of ∇a = ∂C/∂a: what stands behind ∇ without being differentiated."""
    found = set[str]()
    for node in nodes:
        match node:
            case Relation(items=(Gradient(of=a, wrt=None), Derivative(of=of, wrt=(wrt,)), *_)) if wrt == a != of:
                found.add(named(a))
    return found - {""}


def completed(node: Gradient, loss: str, parameters: set[str], named: Callable[[Node], str]) -> Gradient:
    """∇_W L for ∇_W and ∇W, ∇_x f(x) for ∇f(x), ∇_{a^L} C for ∇C_{a^L}."""
    of = Name(loss or OF_THE_LOSS, span=node.of.span)
    if node.wrt is not None:
        return replace(node, of=of) if node.of == Name(OF_THE_LOSS) else node
    match node.of:
        case Indexed(base=Name(base=base), subs=(Indexed() | Power() | Tagged() as wrt,)) if base in LOSSES:
            return replace(node, of=node.of.base, wrt=wrt)
    if core(named(node.of)) in parameters:
        return replace(node, of=of, wrt=node.of)
    if isinstance(node.of, Call) and len(node.of.args) == 1 and named(node.of.args[0]):
        return replace(node, wrt=node.of.args[0])
    return node
