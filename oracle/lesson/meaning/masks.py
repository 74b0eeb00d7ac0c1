"""What holds under a condition: branches of cases, indicators, sums with a restriction."""

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from oracle.lesson.meaning.functions import Functions
from oracle.lesson.meaning.notation import Ref, is_class, letters, unbound
from oracle.lesson.meaning.program import TARGETS, Env
from oracle.lesson.meaning.quantities import UNITS, indices
from oracle.lesson.meaning.values import REFUSED, NotUnderstoodError, Tensor, Value, mapped
from oracle.lesson.syntax import Cases, Indicator, Items, Name, Node, Number, Relation, Text

COMPARED: dict[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq, "!=": operator.ne, "<": operator.lt, ">": operator.gt, "<=": operator.le, ">=": operator.ge,
}  # fmt: skip
"""Relations of a condition, of numbers and of tensors alike."""
TURNED = {"=": "=", "!=": "!=", "<": ">", ">": "<", "<=": ">=", ">=": "<="}
REST = (
    "otherwise", "else", "other", "for other", "in other", "elsewhere", "其他", "其它", "否则", "sonst", "sinon",
    "en otro caso", "altrimenti", "caso contrário", "иначе", "в остальных", "değilse", "그 외", "それ以外",
)  # fmt: skip
"""How the last branch begins where it is what the others leave."""


@dataclass
class Masks(Functions):
    """A net in which formulas may hold under conditions: a condition is a value of ones and zeros."""

    def cases(self, node: Cases, env: Env) -> Value:
        """The sum of the branches, each where its condition holds; the last may be all that is left."""
        out: Value | None = None
        left = self.scalar(1.0)
        for value, condition in zip(node.values, node.conditions, strict=True):
            mask = left if _rest(condition) else self.condition(condition, env)
            left = self.algebra.add(left, mask, -1)
            branch = self.branch(value, mask, env)
            if branch is None:
                continue
            out = branch if out is None else self.algebra.add(out, branch, 1)
        if out is None:
            raise NotUnderstoodError("cases without a branch")
        return out

    def branch(self, value: Node, mask: Value, env: Env) -> Value | None:
        """What is where a condition holds; None of what means nothing here, where it never does: of another layer."""
        try:
            return self.algebra.elementwise(_where, self.value(value, env), mask, "a branch")
        except REFUSED:
            if _never(mask):
                return None
            raise

    def condition(self, node: Node | None, env: Env) -> Value:
        """1 where a condition holds and 0 elsewhere. Raises NotUnderstoodError for what is said in words."""
        if isinstance(node, Items):
            out = self.scalar(1.0)
            for item in node.items:
                out = self.algebra.elementwise(torch.mul, out, self.condition(item, env), "a condition")
            return out
        if not isinstance(node, Relation):
            raise NotUnderstoodError("a condition in words")
        out = self.scalar(1.0)
        for a, op, b in zip(node.items, node.ops, node.items[1:], strict=False):
            if op != "in":
                out = self.algebra.elementwise(torch.mul, out, self.comparison(a, op, b, env), "a condition")
        return out

    def comparison(self, a: Node, op: str, b: Node, env: Env) -> Value:
        """One relation of a condition: of indices, of numbers that count, or of values."""
        if op not in COMPARED:
            raise NotUnderstoodError(f"a condition with {op}")
        number, other = self._counted(a, env), self._counted(b, env)
        if number is not None and other is not None:  # l = L, though f_L has an L below it
            return self.scalar(float(COMPARED[op](number, other)))
        left, right = self.index(a, env), self.index(b, env)
        for letter, at in ((left, unbound(b)), (right, unbound(a))):
            if op in ("=", "!=") and letter and is_class(at):
                there = self.one_hot(letter, at, env)
                return there if op == "=" else self.algebra.add(self.scalar(1.0), there, -1)
        if left and right:
            return self.places(left, op, right)
        if left or right:
            return self.place(left or right, op if left else TURNED[op], b if left else a, env)
        if op in ("=", "!=") and any(isinstance(x, Ref) and x.base in TARGETS for x in (a, b)):
            raise NotUnderstoodError("a condition on a target, whose values are not known")
        x, y = self.value(a, env), self.value(b, env)
        return mapped(torch.Tensor.double, self.algebra.elementwise(COMPARED[op], x, y, "a condition"))

    def index(self, node: Node, env: Env) -> str:
        """The letter, where a side of a condition is an index of the formula at hand."""
        if not isinstance(node, Name | Ref) or (isinstance(node, Ref) and (node.subs or node.slots)):
            return ""
        known = node.base in self.typed or node.base in indices(*self.formulas)
        return node.base if known and node.base not in env else ""

    def places(self, a: str, op: str, b: str) -> Value:
        """Two indices compared by what they count."""
        out = self.kronecker(a, b)
        if op == "=" or out.data is None:
            return out
        if a == b:
            return mapped(lambda x: COMPARED[op](x, x).double(), out)
        at = torch.arange(len(out.data))
        return Value(COMPARED[op](at[:, None], at).double(), out.names, out.dims)

    def place(self, letter: str, op: str, other: Node, env: Env) -> Value:
        """An index compared with a place that has a number."""
        at = _first(other) if isinstance(other, Number) else self._counted(other, env)
        if at is None or letter not in self.typed:
            raise NotUnderstoodError(f"what {letter} is compared with is not known")
        dim = self.typed[letter]
        size = self.size(dim)
        data = None if self.infer else COMPARED[op](torch.arange(size), at + size * (at < 0)).double()
        return Value(data, (letter,), (dim,))

    def one_hot(self, letter: str, sub: Node, env: Env) -> Value:
        """1 where an index is the class of a step or sample."""
        self.seek(letter, env)
        dim = self.typed[letter]
        refs = [part for formula in self.formulas for part in formula.walk() if isinstance(part, Ref)]
        rows = [Name(row) for row in sorted(letters(sub)) if row not in env]
        if row := next((row.base for row in rows if any(row in ref.subs for ref in refs)), ""):
            self.seek(row, env)
            known = self.typed[row]
            every = None if self.infer else self.classes(known, dim)[:, None] == torch.arange(self.size(dim))
            return Value(every if every is None else every.double(), (row, letter), (known, dim))
        at = self.class_of(sub, dim, env)
        data = None if self.infer else (torch.arange(self.size(dim)) == at).double()
        return Value(data, (letter,), (dim,))

    def _counted(self, node: Node, env: Env) -> int | None:
        """The number of a letter that counts, and of the last layer."""
        if not isinstance(node, Name | Ref) or (isinstance(node, Ref) and (node.subs or node.slots)):
            return None
        last = node.base == "L" and self.program.depth
        return env.get(node.base) or last or None


def _first(number: Number) -> int | None:
    """The place, from 0, that the 1 of Σ_{k ≠ 1} is."""
    return int(number.text) - 1 if number.text.isdigit() and number.text != "0" else None


def _where(value: Tensor, mask: Tensor) -> Tensor:
    return torch.where(mask > 0, value, torch.zeros((), dtype=value.dtype))


def _never(mask: Value) -> bool:
    """Whether a condition is of no index, and does not hold."""
    return mask.data is not None and not mask.names and not mask.rank and not bool(mask.data.any())


def _rest(condition: Node | None) -> bool:
    """Whether a branch is all that the branches before it leave."""
    if isinstance(condition, Text):
        return condition.text.lower().removeprefix("if ").startswith(REST)
    return condition is None or (isinstance(condition, Name | Ref) and condition.base.lower().startswith(REST))


def compares(condition: Node | None) -> bool:
    """Whether what stands under a sum restricts it: Σ_{j ≠ i}, and not Σ_{j ∈ D}."""
    return isinstance(condition, Relation) and any(op in COMPARED for op in condition.ops)


def conditional(node: Node) -> bool:
    """Whether a formula says itself what is where indices are one."""
    return any(
        isinstance(part, Cases | Indicator) or (isinstance(part, Ref) and part.base in UNITS and len(part.subs) == 2)
        for part in node.walk()
    )
