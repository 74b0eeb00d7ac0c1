r"""Slopes that stand side by side with vectors and matrices: X^T δ W^T f'(z) is X^T ((δ W^T) ⊙ f'(z))."""

from dataclasses import replace

from oracle.lesson.syntax import Call, Node, Prime, Times, Transpose, rebuilt

AHEAD = -1
"""Where a slope stands before all that it is multiplied with."""


def regrouped(node: Node, before: int) -> Node | None:
    """A product in which a slope at its end is multiplied entry by entry with all but so many factors `before` it.

    A slope in front is `AHEAD` of everything: f'(z) Wᵀ δ is f'(z) ⊙ (Wᵀ δ).
    """
    if before == AHEAD:
        return _behind(node)
    if not isinstance(node, Times) or any(node.ops) or len(node.factors) < before + 2 or not _slope(node.factors[-1]):
        return None
    outer, inner = node.factors[:before], node.factors[before:-1]
    whole = inner[0] if len(inner) == 1 else replace(node, factors=inner, ops=("",) * (len(inner) - 1))
    product = replace(node, factors=(whole, node.factors[-1]), ops=("odot",))
    return replace(node, factors=(*outer, product), ops=("",) * before) if outer else product


def _behind(node: Node) -> Node | None:
    if not isinstance(node, Times) or any(node.ops) or len(node.factors) < 3 or not _slope(node.factors[0]):
        return None
    rest = replace(node, factors=node.factors[1:], ops=node.ops[1:])
    return replace(node, factors=(node.factors[0], rest), ops=("odot",))


def leftwards(node: Node) -> Node:
    """A formula whose products are made from left to right: a ⊙ b Wᵀ is (a ⊙ b) Wᵀ."""
    node = rebuilt(node, leftwards)
    match node:
        case Times(factors=(*front, Times(factors=(first, *rest), ops=ops)), ops=(*_, "odot")) if not any(ops):
            whole = replace(node, factors=(*front, first))
            return replace(node, factors=(whole, *rest), ops=ops)
    return node


def linked(node: Node) -> tuple[list[Node], list[str]] | None:
    """The factors of a long product of matrices and slopes, W_1^T · f_1' ∘ W_2^T · f_2' ∘ ∇C, and what joins them."""
    factors, ops = _flat(node)
    matrices = any(isinstance(factor, Transpose) for factor in factors)
    return (factors, ops) if ops.count("odot") > 1 and {*ops} != {"odot"} and matrices else None


def _flat(node: Node) -> tuple[list[Node], list[str]]:
    if not isinstance(node, Times):
        return [node], []
    factors, ops = _flat(node.factors[0])
    for op, factor in zip(node.ops, node.factors[1:], strict=True):
        more, inside = _flat(factor)
        factors, ops = [*factors, *more], [*ops, op, *inside]
    return factors, ops


def _slope(node: Node) -> bool:
    return isinstance(node, Call) and any(isinstance(part, Prime) for part in node.function.walk())
