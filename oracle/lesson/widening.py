r"""Derivatives of all that follows them, brackets left out: \sum_n g_n \frac{\partial}{\partial w} \sum_k w_k + b."""

from dataclasses import replace

from oracle.lesson.syntax import Derivative, Node, Plus, Sum, Times, rebuilt


def widened(node: Node) -> Node:
    """A formula in which a derivative without a bracket is of all the terms that follow: ∂/∂w x + y is ∂/∂w (x + y)."""
    node = rebuilt(node, widened)
    if not isinstance(node, Plus):
        return node
    first, *rest = node.terms
    wide = _with(first, rest, node.signs)
    return node if wide is None else wide


def _with(node: Node, rest: list[Node], signs: tuple[int, ...]) -> Node | None:
    """A term that ends with a derivative, of the `rest` too; None where it ends otherwise."""
    match node:
        case Derivative(operator=True, of=of):
            return replace(node, of=Plus((of, *rest), signs))
        case Times(factors=(*before, last)) if (wide := _with(last, rest, signs)) is not None:
            return replace(node, factors=(*before, wide))
        case Sum(body=body) if (wide := _with(body, rest, signs)) is not None:
            return replace(node, body=wide)
    return None
