r"""Formulas to numbers: `w_1 * i_1 + b_1` in float64, its symbols looked up by how they print.

Nothing is guessed: what a lesson has not given a number, and what could be read in two ways, raises `UnboundError`.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise
from typing import Any

import torch

from oracle.lesson.formula import to_tex
from oracle.lesson.numbers.normal import key
from oracle.lesson.syntax import (
    Call,
    Derivative,
    Gradient,
    Indexed,
    Items,
    Marked,
    Matrix,
    Name,
    Negative,
    Node,
    Norm,
    Number,
    Plus,
    Power,
    Prime,
    Quotient,
    Sum,
    Tagged,
    Times,
    Transpose,
    rebuilt,
)  # fmt: skip

Tensor = torch.Tensor


class UnboundError(Exception):
    """Why a formula has no number, in a sentence."""


def is_symbol(node: Node) -> bool:
    r"""Whether a node names a quantity: x, w_{12}, a^{(2)}_1, w_5^+, ∂E/∂w_5, Δw_{46}, a word of italic letters."""
    match node:
        case Name() | Gradient() | Derivative(operator=False):
            return True
        case Indexed(base=base) | Tagged(base=base) | Marked(base=base) | Prime(base=base):
            return is_symbol(base)
        case Power(base=base, exponent=exponent):
            return is_symbol(base) and isinstance(exponent, Name | Number | Times)
        case Times(factors=(Name(base="Delta"), one)):
            return is_symbol(one)
        case Times(factors=factors, ops=ops):
            return not any(ops) and len(factors) > 2 and all(isinstance(f, Name) for f in factors)
    return False


def scalar(x: float) -> Tensor:
    """A number as a tensor."""
    return torch.tensor(float(x), dtype=torch.float64)


BUILT_IN: dict[str, Callable[[Tensor], Tensor]] = {
    "exp": torch.exp, "log": torch.log, "ln": torch.log, "tanh": torch.tanh, "sin": torch.sin, "cos": torch.cos,
    "sinh": torch.sinh, "cosh": torch.cosh, "sigmoid": torch.sigmoid, "relu": torch.relu, "logistic": torch.sigmoid,
    "softmax": lambda x: torch.exp(x) / torch.exp(x).sum(),
}  # fmt: skip


class Evaluator(ABC):
    """The value of any node; a subclass says what symbols and functions are."""

    @abstractmethod
    def symbol(self, node: Node) -> Tensor | None:
        """The value of a symbol; None where the lesson gives none."""

    @abstractmethod
    def function(self, name: str, x: tuple[Tensor, ...]) -> Tensor | None:
        """The lesson's own function, or a usual one; None where there is no such function."""

    @abstractmethod
    def doubt(self, words: str) -> None:
        """What makes a value doubtful."""

    def literal(self, node: Number) -> Tensor:
        """The value of digits."""
        return scalar(float(node.text.replace(",", "")))

    def value(self, node: Node) -> Tensor:
        """Raises `UnboundError` where a part has no number, or two readings."""
        if (is_symbol(node) or isinstance(node, Times)) and (found := self.symbol(node)) is not None:
            return found
        rule = RULES.get(type(node))
        if rule is None:
            raise UnboundError(f"{_short(node)} is not calculated here")
        try:
            return rule(self, node)
        except (RuntimeError, ValueError, ArithmeticError, IndexError) as error:
            raise UnboundError(f"{_short(node)} cannot be calculated: {str(error).splitlines()[0]}") from None


def _short(node: Node) -> str:
    return to_tex(node)


def _name(at: Evaluator, node: Name) -> Tensor:
    if node.base == "pi":
        return scalar(math.pi)
    raise UnboundError(f"the lesson gives no number for {to_tex(node)}")


def _unbound(at: Evaluator, node: Node) -> Tensor:
    raise UnboundError(f"the lesson gives no number for {_short(node)}")


def _plus(at: Evaluator, node: Plus) -> Tensor:
    total = node.signs[0] * at.value(node.terms[0])
    for sign, term in zip(node.signs[1:], node.terms[1:], strict=True):
        total = _same(total, sign * at.value(term), torch.add)
    return total


def _same(a: Tensor, b: Tensor, do: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    if a.ndim and b.ndim and a.shape != b.shape:
        raise UnboundError(f"{tuple(a.shape)} and {tuple(b.shape)} do not fit entry by entry")
    return do(a, b)


def _times(at: Evaluator, node: Times) -> Tensor:
    result = at.value(node.factors[0])
    for op, factor in zip(node.ops, node.factors[1:], strict=True):
        result = _product(op, result, at.value(factor))
    return result


def _product(op: str, a: Tensor, b: Tensor) -> Tensor:
    if not a.ndim or not b.ndim or op == "odot":
        return _same(a, b, torch.mul)
    fits = a.shape[-1] == b.shape[0]
    if op in ("*", "times") and a.shape == b.shape:
        if fits:
            raise UnboundError(f"{op} between square matrices may be a matrix product or elementwise")
        return a * b
    if not fits or op == "otimes":
        raise UnboundError(f"a product of {tuple(a.shape)} and {tuple(b.shape)}")
    return a @ b


def _power(at: Evaluator, node: Power) -> Tensor:
    exponent = at.value(node.exponent)
    base = scalar(math.e) if node.base == Name("e") else at.value(node.base)
    if base.ndim == 2 and exponent.ndim == 0 and base.shape[0] == base.shape[1] != 1:
        raise UnboundError("a power of a matrix may be meant entry by entry")
    return base**exponent


def _quotient(at: Evaluator, node: Quotient) -> Tensor:
    return _same(at.value(node.over), at.value(node.under), torch.div)


def _call(at: Evaluator, node: Call) -> Tensor:
    if is_symbol(node.function) and len(node.args) == 1 and not isinstance(node.function, Prime):
        factor = at.symbol(node.function)
        if factor is not None:  # `f (1 - f)` where f is a number
            return _product("", factor, at.value(node.args[0]))
    args = tuple(at.value(arg) for arg in node.args)
    order, name = 0, node.function
    while isinstance(name, Prime):
        order, name = order + name.order, name.base
    found = _called(at, key(name), args, order)
    if found is None:
        raise UnboundError(f"the lesson does not say what {_short(node.function)} is")
    return found


def _called(at: Evaluator, name: str, args: tuple[Tensor, ...], order: int) -> Tensor | None:
    if order == 0:
        return at.function(name, args)
    x = args[0] if args[0].requires_grad else args[0].clone().requires_grad_()
    y = at.function(name, (x, *args[1:]))
    for _ in range(order):
        if y is None or not y.requires_grad:
            return None
        (y,) = torch.autograd.grad(y.sum(), x, create_graph=True)
    return y


def _sum(at: Evaluator, node: Sum) -> Tensor:
    if len(node.indices) == 1 and node.lower is None and node.condition is None:
        return _sum_of_all(at, node)
    if len(node.indices) != 1 or node.lower is None or node.upper is None:
        raise UnboundError(f"{_short(node)} leaves open over what it sums")
    first, last = (round(float(at.value(end).detach())) for end in (node.lower, node.upper))
    if not 0 <= last - first < 100:
        raise UnboundError(f"{_short(node)} sums over too much")
    terms = [at.value(numbered(node.body, node.indices[0], k)) for k in range(first, last + 1)]
    return torch.stack(terms).prod(0) if node.product else torch.stack(terms).sum(0)


def _sum_of_all(at: Evaluator, node: Sum) -> Tensor:
    """A sum without bounds: over every number for which all symbols of the term have values."""
    terms = []
    for k in range(1, 10):
        with suppress(UnboundError):
            terms.append(at.value(numbered(node.body, node.indices[0], k)))
    if not terms or node.product:
        raise UnboundError(f"{_short(node)} leaves open over what it sums")
    at.doubt(f"{_short(node)} leaves open over what it sums")
    return torch.stack(terms).sum(0)


def numbered(node: Node, index: Node, k: int) -> Node:
    """A term of a sum: w_{ji} with i = 2 is w_{j2}; also i itself, and the i of o_i or oi."""
    if node == index:
        return Number(str(k))
    if isinstance(index, Name) and isinstance(node, Name) and node.base[1:] == index.base and len(node.base) == 2:
        return Name(f"{node.base[0]}{k}")
    return rebuilt(node, lambda part: numbered(part, index, k))


def _matrix(at: Evaluator, node: Matrix) -> Tensor:
    rows = [[at.value(cell) for cell in row] for row in node.rows]
    if any(len(a) != len(b) for a, b in pairwise(rows)) or any(cell.ndim for row in rows for cell in row):
        raise UnboundError("a matrix with rows of different lengths")
    return torch.stack([torch.stack(row) for row in rows])


def _norm(at: Evaluator, node: Norm) -> Tensor:
    inside = at.value(node.body)
    kinds: dict[str, Callable[[], Tensor]] = {
        "abs": inside.abs, "": lambda: (inside**2).sum() ** 0.5, "2": lambda: (inside**2).sum() ** 0.5,
        "1": lambda: inside.abs().sum(),
    }  # fmt: skip
    if node.kind not in kinds or (node.kind == "abs" and inside.ndim):
        raise UnboundError(f"{_short(node)} is not calculated here")
    return kinds[node.kind]()


def _items(at: Evaluator, node: Items) -> Tensor:
    values = [at.value(item) for item in node.items]
    if any(value.ndim for value in values):
        raise UnboundError("a list of vectors")
    return torch.stack(values)[:, None]


RULES: dict[type, Callable[[Any, Any], Tensor]] = {
    Number: lambda at, node: at.literal(node), Name: _name, Plus: _plus, Times: _times, Power: _power,
    Negative: lambda at, node: -at.value(node.body), Quotient: _quotient, Call: _call, Sum: _sum, Matrix: _matrix,
    Transpose: lambda at, node: at.value(node.base).T, Norm: _norm, Items: _items, Indexed: _unbound,
    Tagged: _unbound, Marked: _unbound, Prime: _unbound, Derivative: _unbound, Gradient: _unbound,
}  # fmt: skip
