"""Functions of NumPy in formulas: sums along an axis, products by name."""

import torch

from oracle.lesson.meaning.algebra import Algebra
from oracle.lesson.meaning.notation import Ref
from oracle.lesson.meaning.values import IllTypedError, NotUnderstoodError, Value
from oracle.lesson.syntax import Name, Negative, Node, Number, Relation

PRODUCTS = {"dot": "@", "matmul": "@", "multiply": "odot", "outer": "otimes", "prod": ""}
"""Functions of two arguments that are a product, and which."""
REDUCTIONS = ("sum", "mean")


def option(args: tuple[Node, ...], name: str) -> Node | None:
    """What an argument `name=…` says."""
    for arg in args:
        if isinstance(arg, Relation) and isinstance(head := arg.items[0], Name | Ref) and head.base == name:
            return arg.items[1]
    return None


def product(algebra: Algebra, name: str, a: Value, b: Value) -> Value:
    """dot(a, b), multiply(a, b), outer(a, b)."""
    return algebra.times(a, b, PRODUCTS[name])


def reduced(algebra: Algebra, name: str, body: Value, options: tuple[Node, ...]) -> Value:
    """`sum(Z, axis=1, keepdims=True)`, `mean(Z, axis=0)`, and of everything without an axis."""
    where = option(options, "axis")
    if where is None or (isinstance(where, Name | Ref) and where.base == "None"):
        whole = algebra.everything(body.plain())
        return whole if name == "sum" else _divided(whole, _count(body, range(body.rank)))
    axis = _axis(where)
    if not -body.rank <= axis < body.rank:
        raise IllTypedError(f"a {name} along axis {axis} of {body.rank}")
    total = algebra.along(body, axis % body.rank)
    return total if name == "sum" else _divided(total, _count(body, (axis % body.rank,)))


def _axis(node: Node) -> int:
    sign = 1
    if isinstance(node, Negative):
        sign, node = -1, node.body
    if not isinstance(node, Number) or not node.text.isdigit():
        raise NotUnderstoodError("an axis that is no number")
    return sign * int(node.text)


def _count(body: Value, places: range | tuple[int, ...]) -> int:
    if body.data is None:
        return 1
    return torch.Size([body.data.shape[len(body.names) + k] for k in places]).numel()


def _divided(value: Value, count: int) -> Value:
    return Value(None if value.data is None else value.data / count, value.names, value.dims, value.shape)
