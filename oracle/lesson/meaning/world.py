r"""One random net of a lesson: every formula as a value."""

from dataclasses import dataclass, replace
from functools import reduce
from itertools import product

import torch

from oracle.lesson.meaning.bare_slopes import bare_slope
from oracle.lesson.meaning.convolving import GOES_OVER
from oracle.lesson.meaning.left_open import filled, leaves_out
from oracle.lesson.meaning.limits import free
from oracle.lesson.meaning.notation import Ref, is_class, letters
from oracle.lesson.meaning.partials import apart
from oracle.lesson.meaning.program import Env
from oracle.lesson.meaning.quantities import CONSTANTS, UNITS, dims_of
from oracle.lesson.meaning.slopes import linked
from oracle.lesson.meaning.sums import Sums
from oracle.lesson.meaning.unsaid import Unsaid, mixed
from oracle.lesson.meaning.values import Dim, NotUnderstoodError, Value, mapped
from oracle.lesson.syntax import (
    Call,
    Cases,
    Derivative,
    Gradient,
    Indexed,
    Indicator,
    Items,
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
    Relation,
    Sum,
    Times,
    Transpose,
)  # fmt: skip


@dataclass
class World(Sums):
    """Formulas of sums, products, powers, calls and partials in a net."""

    rightwards: bool = False
    """Whether long products with ⊙ are made from right to left."""

    def value(self, node: Node, env: Env) -> Value:
        """What a formula is worth in this net."""
        match node:
            case Ref(base=base, subs=(Name(base=letter), sub)) if base in UNITS and is_class(sub):
                return self.one_hot(letter, sub, env)
            case Ref():
                return self.ref(node, env)
            case Number(text=text):
                return self.scalar(float(text.replace(",", "")))
            case Negative(body=body):
                return self.algebra.multiply(self.scalar(-1.0), self.value(body, env), "")
            case Name(base=base) if base in CONSTANTS:
                return self.scalar(CONSTANTS[base])
            case Unsaid():
                return self.arbitrary(node, env)
            case Plus():
                return self.plus(node, env)
            case Times():
                return self.times(node, env)
            case Quotient(over=over, under=under):
                a, b = self.value(over, env), self.value(under, env)
                return self.algebra.elementwise(torch.div, a, b, "a quotient")
            case Power():
                return self.power(node, env)
            case Transpose(base=Ref(subs=(Name(),)) as one):  # θ_kᵀ x: one of many vectors, and each is a column
                return self.algebra.transpose(replace(self.value(one, env), row=False))
            case Transpose(base=Ref(subs=(Name() as a, Name() as b)) as entry):  # W^T_{ij} is W_{ji}
                return self.value(replace(entry, subs=(b, a)), env)
            case Transpose(base=base):
                return self.algebra.transpose(self.value(base, env))
            case Call():
                return self.call(node, env)
            case Prime() if (slope := bare_slope(self.program, node)) is not None:
                return self.value(slope, env)
            case Sum():
                return self.total(node, env)
            case Derivative():
                return self.derivative(node, env)
            case Gradient(of=of, wrt=wrt) if wrt is not None:
                found = self.partial(self.value(of, env), wrt, env)
                slopes = self.algebra.diagonal(found) if isinstance(of, Call) and found.rank == 4 else None
                return slopes or found  # ∇f(Z) of every entry
            case Norm():
                return self.norm(node, env)
            case Indexed(base=Number(text="1"), subs=(Name(base=a), Name(base=b))):
                return self.kronecker(a, b)
            case Indexed(base=Number(text="1"), subs=(Name(base=a), b)) if is_class(b):
                return self.one_hot(a, b, env)
            case Indexed(base=base, subs=subs):
                value = self.value(base, env)
                return self.array(value, subs) or self.entries(value, subs, env)
            case Indicator(condition=condition) if isinstance(condition, Relation | Items):
                return self.condition(condition, env)
            case Relation():
                return self.condition(node, env)
            case Matrix():
                return self.matrix(node, env)
            case Cases():
                return self.cases(node, env)
        raise NotUnderstoodError(f"{type(node).__name__.lower()} has no meaning here yet")

    def array(self, value: Value, subs: tuple[Node, ...]) -> Value | None:
        """The matrix (a_i b_j)_{ij} of such entries, if it is one."""
        names = tuple(sub.base for sub in subs if isinstance(sub, Name))
        if value.rank or len({*names}) < len(subs) or not {*names} <= {*value.names}:
            return None
        heads = (f for f in self.formulas[:1] if not (isinstance(f, Indexed) and f.subs == subs))
        entry = any({*names} & free(formula) for formula in heads)
        return value if entry else self.algebra.placed(value, names)

    def arbitrary(self, node: Unsaid, env: Env) -> Value:
        """A function of which only the arguments are known, of the shape of what it defines."""
        (head,) = self.formulas[:1]
        assert isinstance(head, Ref)
        names = tuple(sub.base for sub in head.subs if isinstance(sub, Name))
        values = [value for arg in node.args for value in self.through_steps(arg, env)]
        dims, shape = self.looks(head, names, values, 0 if node.number else None)
        if self.infer:
            if node.number:
                self.used_up(values)
            return Value(None, names, dims, shape)
        return Value(mixed(values, names, tuple(self.size(dim) for dim in (*dims, *shape))), names, dims, shape)

    def through_steps(self, arg: Ref, env: Env) -> list[Value]:
        """A quantity in all the samples and steps, and in the last layer, that the head does not count."""
        free = [kind for kind, slot in arg.slots if letters(slot) - env.keys() - self.program.last(kind)]
        ends = [range(self.program.end(kind) if kind == "layer" else 1, self.program.end(kind) + 1) for kind in free]
        values = []
        for numbers in product(*ends):
            at = dict(zip(free, numbers, strict=True))
            slots = tuple((kind, Number(str(at[kind])) if kind in at else slot) for kind, slot in arg.slots)
            values.append(self.value(replace(arg, slots=slots), env))
        return values

    def looks(
        self, head: Ref, names: tuple[str, ...], values: list[Value], rank: int | None
    ) -> tuple[tuple[Dim, ...], tuple[Dim, ...]]:
        """The dimensions of the indices and the places of an arbitrary function, of so many places if that is known."""
        key = (f"unsaid {head.base}", names, tuple(range(len(head.slots))))
        known = {n: dim for value in values for n, dim in zip(value.names, value.dims, strict=True)}
        rank = 0 if names else self.program.rank(head.base, 0) if rank is None else rank
        made = self.program.shapes.setdefault(key, dims_of(head.base, len(names) + rank))
        dims = tuple(known.get(n, dim) for n, dim in zip(names, made, strict=False))
        return dims, made[len(names) :]

    def plus(self, node: Plus, env: Env) -> Value:
        first, *rest = values = [self.value(term, env) for term in node.terms]
        sums = [
            not v.rank and isinstance(term, Sum) and not self.over_nothing(term)
            for term, v in zip(node.terms, values, strict=True)
        ]
        if any(sums) and any(value.rank for value in values):
            raise NotUnderstoodError("a sum over an index beside a vector: which of its entries is meant is not said")
        out = first if node.signs[0] > 0 else self.algebra.multiply(self.scalar(-1.0), first, "")
        for sign, term in zip(node.signs[1:], rest, strict=True):
            out = self.algebra.add(out, term, sign)
        return out

    def over_nothing(self, node: Sum) -> bool:
        """Whether a sum that is a number goes over steps, none of which there are: Σ_{s > t} at the end."""
        return any(self.counts(name.base, node.body) for name in node.indices)

    def times(self, node: Times, env: Env) -> Value:
        if leaves_out(node):
            node = filled(node, lambda slot, kind: self.program.number(slot, env, kind))
        if self.rightwards and (chain := linked(node)):
            return self.from_the_right(*chain, env)
        if GOES_OVER & {*node.ops}:
            return self.gone_over(node, env)
        node = self.widened(node, env)
        values = [self.value(factor, env) for factor in node.factors]
        ops = list(node.ops)
        for k in reversed(range(1, len(values) - 1)):
            if values[k].ones and values[k].row != self.algebra.flat and values[k + 1].rank:  # p 1ᵀ y is p (1ᵀ y)
                values[k : k + 2] = [self.algebra.multiply(values[k], values[k + 1], ops.pop(k))]
        out = values[0]
        for op, right in zip(ops, values[1:], strict=True):
            out = self.algebra.times(out, right, op)
        return out

    def from_the_right(self, factors: list[Node], ops: list[str], env: Env) -> Value:
        """A product of which every factor is applied to all that follows it: W^T · f' ∘ ∇C is W^T (f' ∘ ∇C)."""
        *rest, last = [self.value(factor, env) for factor in factors]
        for value, op in zip(rest[::-1], ops[::-1], strict=True):
            last = self.algebra.times(value, last, op)
        return last

    def widened(self, node: Times, env: Env) -> Times:
        """∇_s y log s, where y is not made of s: of all that follows."""
        for k, factor in enumerate(node.factors[:-1]):
            match factor:
                case Gradient(of=of, wrt=Ref() as wrt) if not self.infer and apart(
                    self.value(of, env), self.whole(wrt, env)
                ):
                    rest = Times((of, *node.factors[k + 1 :]), node.ops[k:])
                    return replace(node, factors=(*node.factors[:k], Gradient(rest, wrt)), ops=node.ops[:k])
        return node

    def power(self, node: Power, env: Env) -> Value:
        if node.base in (Name("e"), Ref("e")) and self.exponential(node.exponent):
            return mapped(torch.exp, self.value(node.exponent, env))
        base, times = self.value(node.base, env), self.counted_times(node.exponent, env)
        if times is not None and base.rank == 2:
            return self.algebra.repeated(base, times)
        if base.rank == 2 and not base.names and node.exponent == Negative(Number("1")):
            return self.algebra.repeated(base, -1)
        exponent = self.scalar(float(times)) if times is not None else self.value(node.exponent, env)
        return self.algebra.elementwise(torch.pow, base, exponent, "a power")

    def exponential(self, exponent: Node) -> bool:
        """Whether e is the base of the logarithm before this exponent: e^{z} beside a quantity e_i is, e^2 is not."""
        whole = any(d.head == Ref("e") for d in self.program.definitions)
        return not isinstance(exponent, Number) or not (whole or self.is_quantity("e"))

    def counted_times(self, exponent: Node, env: Env) -> int | None:
        """The number that T - i is where i counts steps; None where an exponent is of another kind."""
        used = {part.base for part in exponent.walk() if isinstance(part, Name | Ref)}
        if not used & env.keys() or not used <= env.keys() | self.program.notation.ends:
            return None
        return self.program.number(exponent, env, "time")

    def of_all_layers(self, ref: Ref) -> list[Ref]:
        """The W^{(1)}, …, W^{(L)} that ‖W‖ is of, where no forward equation has a W without a layer."""
        if ref.slots or ref.subs or not self.program.uses(replace(ref, slots=(("layer", Name("l")),))):
            return []
        norms = {part.body for d in self.program.definitions for part in d.body.walk() if isinstance(part, Norm)}
        if self.program.uses(ref) and ref not in norms:
            return []
        layers = sorted(key[2][0] for key in self.program.shapes if key[0] == ref.base and len(key[2]) == 1)
        return [replace(ref, slots=(("layer", Number(str(k))),)) for k in layers]

    def norm(self, node: Norm, env: Env) -> Value:
        if isinstance(node.body, Ref) and (each := self.of_all_layers(node.body)):
            parts = [self.algebra.length(self.value(ref, env)) for ref in each]
            squares = [self.algebra.multiply(part, part, "") for part in parts]
            return mapped(torch.sqrt, reduce(lambda a, b: self.algebra.add(a, b, 1), squares))
        body = self.value(node.body, env)
        if node.kind == "abs" and not body.rank:
            return mapped(torch.abs, body)
        return self.algebra.length(body)
