r"""One random net of a lesson: every formula as a value."""

from dataclasses import dataclass, replace
from itertools import product

import torch

from oracle.lesson.meaning.functions import Functions
from oracle.lesson.meaning.notation import Ref, letters
from oracle.lesson.meaning.program import LAST, Env
from oracle.lesson.meaning.quantities import CONSTANTS, dims_of, indices
from oracle.lesson.meaning.unsaid import Unsaid, mixed
from oracle.lesson.meaning.values import Dim, IllTypedError, NotUnderstoodError, Value, mapped
from oracle.lesson.syntax import (
    Call,
    Derivative,
    Gradient,
    Indexed,
    Indicator,
    Name,
    Negative,
    Node,
    Norm,
    Number,
    Plus,
    Power,
    Quotient,
    Relation,
    Sum,
    Times,
    Transpose,
)  # fmt: skip


@dataclass
class World(Functions):
    """Formulas of sums, products, powers, calls and partials in a net."""

    def value(self, node: Node, env: Env) -> Value:
        """What a formula is worth in this net."""
        match node:
            case Ref():
                return self.ref(node, env)
            case Number(text=text):
                return self.scalar(float(text.replace(",", "")))
            case Negative(body=body):
                return self.algebra.multiply(self.scalar(-1.0), self.value(body, env), "")
            case Name(base=base) if base in CONSTANTS:
                return self.scalar(CONSTANTS[base])
            case Unsaid(args=args):
                return self.arbitrary(args, env)
            case Plus():
                return self.plus(node, env)
            case Times():
                return self.times(node, env)
            case Quotient(over=over, under=under):
                a, b = self.value(over, env), self.value(under, env)
                return self.algebra.elementwise(torch.div, a, b, "a quotient")
            case Power():
                return self.power(node, env)
            case Transpose(base=base):
                return self.algebra.transpose(self.value(base, env))
            case Call():
                return self.call(node, env)
            case Sum():
                return self.total(node, env)
            case Derivative():
                return self.derivative(node, env)
            case Gradient(of=of, wrt=wrt) if wrt is not None:
                return self.partial(self.value(of, env), wrt, env)
            case Norm():
                return self.norm(node, env)
            case Indexed(base=base, subs=subs):
                value = self.value(base, env)
                for sub in subs:
                    value = self.pick(value, sub, env)
                return value
            case Indicator(
                condition=Relation(items=(Name(base=a) | Ref(base=a), Name(base=b) | Ref(base=b)), ops=("=",))
            ):
                return self.kronecker(a, b)
            case Indicator(condition=Relation(ops=(">" | "<" | ">=" | "<=",)) as condition):
                return self.compared(condition, env)
            case Relation(items=(_, _), ops=(">" | "<" | ">=" | "<=",)):
                return self.compared(node, env)
        raise NotUnderstoodError(f"{type(node).__name__.lower()} has no meaning here yet")

    def compared(self, node: Relation, env: Env) -> Value:
        """z > 0 as code has it: 1 where it is so."""
        a, b = (self.value(item, env) for item in node.items)
        sign = 1 if node.ops[0][0] == ">" else -1
        return self.algebra.elementwise(lambda p, q: (sign * (p - q) > 0).to(p.dtype), a, b, "a comparison")

    def arbitrary(self, args: tuple[Ref, ...], env: Env) -> Value:
        """A function of which only the arguments are known, of the shape of what it defines."""
        (head,) = self.formulas[:1]
        assert isinstance(head, Ref)
        names = tuple(sub.base for sub in head.subs if isinstance(sub, Name))
        values = [value for arg in args for value in self.through_steps(arg, env)]
        dims, shape = self.looks(head, names, values)
        if self.infer:
            return Value(None, names, dims, shape)
        return Value(mixed(values, names, tuple(self.size(dim) for dim in (*dims, *shape))), names, dims, shape)

    def through_steps(self, arg: Ref, env: Env) -> list[Value]:
        """A quantity in all the samples and steps, and in the last layer, that the head does not count."""
        free = [kind for kind, slot in arg.slots if letters(slot) - env.keys() - LAST[kind]]
        ends = [range(self.program.end(kind) if kind == "layer" else 1, self.program.end(kind) + 1) for kind in free]
        values = []
        for numbers in product(*ends):
            at = dict(zip(free, numbers, strict=True))
            slots = tuple((kind, Number(str(at[kind])) if kind in at else slot) for kind, slot in arg.slots)
            values.append(self.value(replace(arg, slots=slots), env))
        return values

    def looks(self, head: Ref, names: tuple[str, ...], values: list[Value]) -> tuple[tuple[Dim, ...], tuple[Dim, ...]]:
        """The dimensions of the indices and the places of an arbitrary function."""
        key = (f"unsaid {head.base}", names, tuple(range(len(head.slots))))
        known = {n: dim for value in values for n, dim in zip(value.names, value.dims, strict=True)}
        rank = 0 if names else self.program.rank(head.base, 0)
        made = self.program.shapes.setdefault(key, dims_of(head.base, len(names) + rank))
        dims = tuple(known.get(n, dim) for n, dim in zip(names, made, strict=False))
        return dims, made[len(names) :]

    def plus(self, node: Plus, env: Env) -> Value:
        first, *rest = (self.value(term, env) for term in node.terms)
        out = first if node.signs[0] > 0 else self.algebra.multiply(self.scalar(-1.0), first, "")
        for sign, term in zip(node.signs[1:], rest, strict=True):
            out = self.algebra.add(out, term, sign)
        return out

    def times(self, node: Times, env: Env) -> Value:
        values = [self.value(factor, env) for factor in node.factors]
        out = values[0]
        for op, right in zip(node.ops, values[1:], strict=True):
            out = self.algebra.joined(out, right) or self.algebra.multiply(out, right, op)
        return out

    def power(self, node: Power, env: Env) -> Value:
        if isinstance(node.base, Name | Ref) and node.base.base == "e" and not self.program.definition("e", (), ()):
            return mapped(torch.exp, self.value(node.exponent, env))
        base, exponent = self.value(node.base, env), self.value(node.exponent, env)
        return self.algebra.elementwise(torch.pow, base, exponent, "a power")

    def total(self, node: Sum, env: Env) -> Value:
        if not node.indices and not node.product:
            return self.gathered(self.value(node.body, env))
        if len(node.indices) != 1:
            raise NotUnderstoodError("a sum over nothing that is named, or over several indices")
        letter = node.indices[0].base
        kind = self.counts(letter, node.body)
        if kind:
            low = self.program.number(node.lower, env, kind) if node.lower else 1
            high = self.program.number(node.upper, env, kind) if node.upper else self.program.end(kind)
            back = isinstance(node.upper, Number) and not isinstance(node.lower, Number) and high < low
            numbers = range(low, high - 1, -1) if back else range(low, high + 1)
            if not numbers:
                return self.scalar(1.0 if node.product else 0.0)
            first, *rest = (self.value(node.body, {**env, letter: n}) for n in numbers)
            out = first
            for value in rest:
                out = self.algebra.multiply(out, value, "") if node.product else self.algebra.add(out, value, 1)
            return out
        before = self.typed.pop(letter, None)
        try:
            body = self.value(node.body, env)
        except IllTypedError:
            if before is None:
                raise
            self.typed[letter] = before
            body = self.value(node.body, env)
        finally:
            self.typed.pop(letter, None)
            if before is not None:
                self.typed[letter] = before
        if letter not in body.names:
            raise IllTypedError(f"the sum is over {letter}, and nothing in it depends on {letter}")
        if isinstance(node.upper, Ref) and not node.upper.subs:
            self.program.counts.setdefault(node.upper.base, body.dims[body.names.index(letter)])
        return self.algebra.total(body, letter)

    @staticmethod
    def counts(letter: str, body: Node) -> str:
        """What kind of slot a letter counts in a body; "" where it is an index."""
        for part in body.walk():
            if isinstance(part, Ref):
                for kind, expr in part.slots:
                    if letter in letters(expr):
                        return kind
        return ""

    def norm(self, node: Norm, env: Env) -> Value:
        body = self.value(node.body, env)
        if node.kind == "abs" and not body.rank:
            return mapped(torch.abs, body)
        return self.algebra.length(body)

    def gathered(self, body: Value) -> Value:
        """Σ of which nothing is said: over the samples of a batch, and over everything where a loss is made."""
        if not body.rank:
            for name in set(body.names) - indices(*self.formulas[:1]):
                body = self.algebra.total(body, name)
            return body
        samples = [k for k, dim in enumerate(body.shape) if not dim.root().of_parameter]
        if body.rank == 2 and len(samples) == 1 and not self.losing:
            return self.algebra.along(body, samples[0])
        return self.algebra.everything(body)
