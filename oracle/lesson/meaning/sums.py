"""Sums and products: over indices, over layers, samples and steps, over everything."""

from dataclasses import dataclass, field, replace

import torch

from oracle.lesson.meaning.masks import COMPARED, compares
from oracle.lesson.meaning.notation import Ref, letters
from oracle.lesson.meaning.program import Env
from oracle.lesson.meaning.quantities import indices
from oracle.lesson.meaning.values import BeyondError, IllTypedError, NotUnderstoodError, Value
from oracle.lesson.meaning.vectorising import Vectorising
from oracle.lesson.syntax import Dots, Name, Node, Number, Quotient, Relation, Sum


@dataclass
class Sums(Vectorising):
    """A net whose quantities can be added up."""

    backwards: bool = False
    """Whether the factors of a product over steps stand from the last to the first."""
    falling: set[str] = field(default_factory=set)
    """Letters of the sums around this one that go down: the i of Σ_{i=t}^1."""

    def total(self, node: Sum, env: Env) -> Value:
        if node.condition is not None and any(isinstance(part, Dots) for part in node.condition.walk()):
            raise NotUnderstoodError("a sum over indices some of which are left out")
        if not node.indices and not node.product:
            return self.gathered(self.value(node.body, env))
        if not node.indices:
            raise NotUnderstoodError("a product over nothing that is named")
        if len(node.indices) > 1:
            return self.total(_nested(node), env)
        letter = node.indices[0].base
        if kind := self.counts(letter, node.body):
            return self.counted(node, letter, kind, env)
        if node.product:
            raise NotUnderstoodError(f"a product over {letter}, which counts no layers, samples or steps here")
        return self.summed_up(node, letter, env)

    def counted(self, node: Sum, letter: str, kind: str, env: Env) -> Value:
        """A sum or product over layers, samples or steps."""
        numbers, down = self.numbers(node, letter, kind, env)
        if not numbers and node.product and any(formula is node for formula in self.formulas):
            raise BeyondError  # a chain of no steps is nobody's claim
        if not numbers:
            return self.scalar(1.0 if node.product else 0.0)
        if node.product and self.backwards:
            numbers, down = numbers[::-1], not down
        before = self.falling
        self.falling = before | {letter} if down else before - {letter}
        try:
            out, *rest = self.terms(node, letter, kind, numbers, env)
        finally:
            self.falling = before
        for value in rest:
            out = self.algebra.times(out, value, "") if node.product else self.algebra.add(out, value, 1)
        return out

    def terms(self, node: Sum, letter: str, kind: str, numbers: list[int], env: Env) -> list[Value]:
        """The terms of a sum; in Σ_{k=0}^t δ_k ⊗ h_{k-1} that of a step 0, which no net drawn has, is none."""
        if kind == "time" and node.lower == Number("0") and not node.product and numbers[:1] == [0] and numbers[1:]:
            try:
                return [self.term(node.body, {**env, letter: n}, None) for n in numbers]
            except BeyondError:
                numbers = numbers[1:]
        return [self.term(node.body, {**env, letter: n}, n if kind == "sample" else None) for n in numbers]

    def term(self, body: Node, env: Env, sample: int | None) -> Value:
        """One term of a sum; in that of a sample, what names none is of this one."""
        with self.of_sample(sample or self.sample):
            return self.value(body, env)

    def numbers(self, node: Sum, letter: str, kind: str, env: Env) -> tuple[list[int], bool]:
        """What a letter runs through, and whether downwards: Σ_{i=t}^1, and inside it Π_{j=t}^{i+1}."""
        low = self.program.number(node.lower, env, kind) if node.lower else 1
        count = kind == "sample" and isinstance(node.upper, Ref) and node.upper.base not in env
        every = node.upper is None or count  # Σ_{i=1}^n goes over all samples, whatever their number is called
        high = self.program.end(kind) if every or node.upper is None else self.program.number(node.upper, env, kind)
        low = max(low, 1) if kind == "sample" else low  # written from 0, as code counts
        ends = isinstance(node.upper, Number) and isinstance(node.lower, Name | Ref) and high <= low
        named = {part.base for part in node.upper.walk() if isinstance(part, Name | Ref)} if node.upper else set()
        down = ends or bool(named & self.falling)
        found = range(low, high - 1, -1) if down else range(low, high + 1)
        return [n for n in found if self.meets(node.condition, {**env, letter: n}, kind)], down

    def meets(self, condition: Node | None, env: Env, kind: str) -> bool:
        """Whether `k ≠ t`, `k < t` or `1 ≤ k ≤ t` is so; k ∈ D always is."""
        if condition is None or (isinstance(condition, Relation) and condition.ops == ("in",)):
            return True
        if not isinstance(condition, Relation) or not set(condition.ops) <= COMPARED.keys():
            raise NotUnderstoodError("a sum under a condition that nobody here can read")
        found = [self.program.number(item, env, kind) for item in condition.items]
        return all(COMPARED[op](a, b) for op, a, b in zip(condition.ops, found, found[1:], strict=False))

    def summed_up(self, node: Sum, letter: str, env: Env) -> Value:
        """A sum over an index."""
        before = self.typed.pop(letter, None)
        try:
            body = self.restricted(node, env)
        except IllTypedError:
            if before is None:
                raise
            self.typed[letter] = before
            body = self.restricted(node, env)
        finally:
            self.typed.pop(letter, None)
            if before is not None:
                self.typed[letter] = before
        number = node.upper.base if isinstance(node.upper, Ref) else ""
        if letter not in body.names and (dim := self.program.counts.get(number)):
            return self.algebra.multiply(self.scalar(1.0 if self.infer else float(self.size(dim))), body, "")
        if letter not in body.names:
            raise IllTypedError(f"the sum is over {letter}, and nothing in it depends on {letter}")
        self.began(node, body.dims[body.names.index(letter)])
        if isinstance(node.upper, Ref) and not node.upper.subs:
            self.program.counts.setdefault(node.upper.base, body.dims[body.names.index(letter)])
        elif node.upper is None and _divides(number := letter.upper(), *self.formulas):
            self.program.counts.setdefault(number, body.dims[body.names.index(letter)])
        return self.algebra.total(body, letter)

    def restricted(self, node: Sum, env: Env) -> Value:
        """The body of a sum, zero where a condition like k ≠ l is not met."""
        body = self.value(node.body, env)
        if not compares(node.condition):
            return body
        return self.algebra.elementwise(torch.mul, body, self.condition(node.condition, env), "a condition")

    @staticmethod
    def counts(letter: str, body: Node) -> str:
        """What kind of slot a letter counts in a body; "" where it is an index."""
        for part in body.walk():
            if isinstance(part, Ref):
                for kind, expr in part.slots:
                    if letter in letters(expr):
                        return kind
        return ""

    def gathered(self, body: Value) -> Value:
        """Σ of which nothing is said: over the samples of a batch, and over everything where a loss is made."""
        if not body.rank:
            loose = set(body.names) - indices(*self.formulas[:1])
            for name in loose or (body.names if len(body.names) == 1 else ()):  # Σ e^{x_j}, though ∂x_j is on the left
                body = self.algebra.total(body, name)
            return body
        samples = [k for k, dim in enumerate(body.shape) if not dim.root().of_parameter]
        if body.rank == 2 and len(samples) == 1 and not self.losing:
            return self.algebra.along(body, samples[0])
        return self.algebra.everything(body)


def _divides(number: str, *formulas: Node) -> bool:
    """Whether a number is divided by, as a mean does: the H of 1/H Σ_h."""
    quotients = (part for formula in formulas for part in formula.walk() if isinstance(part, Quotient))
    return any(part.under == Ref(number) for part in quotients)


def _nested(node: Sum) -> Sum:
    """Σ_{i,k} as Σ_i Σ_k; bounds and conditions belong to the first."""
    if node.upper is not None or node.lower is not None or node.condition is not None:
        raise NotUnderstoodError("a sum over several indices with bounds")
    first, *others = node.indices
    return replace(node, indices=(first,), body=replace(node, indices=tuple(others)))
