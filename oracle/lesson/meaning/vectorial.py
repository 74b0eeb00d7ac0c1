r"""Functions of whole vectors: the lesson's own (s(x)_i = …), diag, Tr, the largest entry, Jacobians."""

from dataclasses import dataclass, replace

import torch

from oracle.lesson.meaning.differentials import PREFIX
from oracle.lesson.meaning.matrices import Matrices
from oracle.lesson.meaning.notation import CHOSEN, Ref, is_class
from oracle.lesson.meaning.program import Env, FunctionDefinition
from oracle.lesson.meaning.quantities import UNITS
from oracle.lesson.meaning.values import IllTypedError, NotUnderstoodError, Value, units
from oracle.lesson.meaning.wholes import is_jacobian
from oracle.lesson.syntax import Call, Indexed, Matrix, Name, Node, Relation

TRACES = {"Tr", "tr", "trace"}
EACH = "each sample"
"""The name of the axis that counts the vectors of a batch, while a function is given all of them."""
EXTREMES = {"max": torch.amax, "min": torch.amin}


@dataclass
class Vectorial(Matrices):
    """A net whose vectors can be given to functions as a whole."""

    averaging: bool = False
    """Whether what takes the largest of a window takes the mean."""

    def call(self, node: Call, env: Env) -> Value:
        match node:
            case Call(function=Name(base="diag"), args=(Matrix(rows=(cells,)),)):
                return self.diagonal(self.listed(cells, env))
            case Call(function=Name(base="diag"), args=(_, _, *_) as cells):
                return self.diagonal(self.listed(cells, env))
            case Call(function=Name(base="diag"), args=(arg,)):
                return self.diagonal(self.value(arg, env))
            case Call(function=Name(base=base), args=(arg,)) if base in TRACES:
                return self.trace(self.value(arg, env))
            case Call(function=Name(base="inner"), args=(a, b)):
                return self.inner(self.value(a, env), self.value(b, env))
            case Call(function=Name(base=base), args=(arg,)) if base == PREFIX:
                return self.change_of(self.value(arg, env), env)
            case Call(function=Name(base=base), args=(Ref(base=a, subs=()), Ref(base=b, subs=()))) if base in UNITS:
                return self.kronecker(a, b)
            case Call(function=Name(base="softmax"), args=(Ref(subs=(sub,)) as arg,)) if is_class(sub):
                whole = replace(node, args=(replace(arg, subs=()),))
                return self.value(Indexed(whole, (sub,), span=node.span), env)  # softmax(z_c) is of all z
            case Call(function=Name(base="kronecker"), args=(Node() as a, Node() as b)):
                return self.compared_places(a, b, env)
            case Call(function=Name(base=base) | Indexed(base=Name(base=base)), args=(arg,)) if base in EXTREMES:
                return self.extreme(node, base, arg, env)
            case Call(function=Indexed(subs=(Name() as sub,)), args=(Ref() as arg,)) if is_jacobian(node):
                return self.matrix_of_partials(arg, Ref(sub.base), env)
            case Call(function=Name(base=base), args=(arg,)):
                own = self.program.function(base, self.line)
                if own is not None and own.subs:
                    return self.applied_whole(own, arg, env)
        return super().call(node, env)

    def compared_places(self, a: Node, b: Node, env: Env) -> Value:
        """kronecker(i, j), and kronecker(t, j) where t is the true class."""
        for letter, other in ((a, b), (b, a)):
            match letter, other:
                case Ref(base=j, slots=(), subs=()), Ref(base=t) if t in self.program.notation.chosen:
                    return self.one_hot(j, CHOSEN, env)
        if isinstance(a, Ref) and isinstance(b, Ref):
            return self.kronecker(a.base, b.base)
        raise NotUnderstoodError("what is compared are no places")

    def inner(self, a: Value, b: Value) -> Value:
        """⟨A, B⟩, the sum of all products of entries."""
        if a.rank != b.rank:
            raise IllTypedError(f"an inner product of {a.rank} and {b.rank} axes")
        return self.algebra.everything(self.algebra.elementwise(torch.mul, a, b, "an inner product").plain())

    def matrix_of_partials(self, a: Ref, b: Ref, env: Env) -> Value:
        """J_x(s) = ∂s/∂x and J_s(x) = ∂s/∂x: of what is made of the other."""
        of, wrt = (a, b) if self.program.defines(a.base, a.kinds) else (b, a)
        return self.partial(self.value(of, env), wrt, env, of)

    def extreme(self, node: Call, name: str, arg: Node, env: Env) -> Value:
        """max_k z_k, max(z): the largest of all entries."""
        subs = node.function.subs if isinstance(node.function, Indexed) else ()
        letters = [sub.base for sub in subs if isinstance(sub, Name)]
        value = self.value(arg, env)
        take = torch.mean if self.averaging and any(isinstance(sub, Relation) for sub in subs) else EXTREMES[name]
        letters += [part.base for sub in subs if isinstance(sub, Relation) for part in sub.items
                    if isinstance(part, Name | Ref) and part.base in value.names]  # fmt: skip
        letters = letters or [*value.names] if len(value.names) == 1 else letters
        if letters and {*letters} <= {*value.names} and not value.rank:
            for letter in letters:
                at = value.names.index(letter)
                data = None if value.data is None else take(value.data, at)
                names, dims = value.names[:at] + value.names[at + 1 :], value.dims[:at] + value.dims[at + 1 :]
                value = Value(data, names, dims)
            return value
        if value.rank != 1:
            raise NotUnderstoodError(f"{name} of what is no vector")
        return Value(None if value.data is None else EXTREMES[name](value.data, -1), value.names, value.dims)

    def applied_whole(self, own: FunctionDefinition, arg: Node, env: Env) -> Value:
        """A function of a vector: of its own argument it is a quantity, and of an entry it is meant entry by entry."""
        parameter = own.parameters[0]
        bound = any(parameter.base in binding for binding in self.bindings)
        if isinstance(arg, Ref) and (arg.base, arg.slots) == (parameter.base, parameter.slots) and not bound:
            return self.ref(Ref(own.name, (), arg.subs), env)
        value = self.value(arg, env)
        if value.rank == 1:
            return self.made(own, value, env)
        if value.rank == 2 and not value.names:
            return self.of_each(own, value, env)
        if value.rank or len(value.names) != 1:
            raise NotUnderstoodError(f"{own.name} of what is no vector")
        return self.algebra.named(self.made(own, self.algebra.placed(value, value.names), env), value.names)

    def of_each(self, own: FunctionDefinition, batch: Value, env: Env) -> Value:
        """What the function makes of every sample of a batch: σ(Z), where σ(z)_i = e^{z_i} / Σ_j e^{z_j}."""
        columns = units(batch.shape) == -2
        rows = self.algebra.named(self.algebra.transpose(batch) if columns else batch, (EACH,))
        made = self.algebra.placed(self.made(own, rows, env), (EACH,))
        return self.algebra.transpose(made) if columns else made

    def made(self, own: FunctionDefinition, value: Value, env: Env) -> Value:
        """What the function makes of a vector: its entries, from the equation that defines them."""
        names = tuple(sub.base for sub in own.subs if isinstance(sub, Name))
        if value.names not in ((), (EACH,)):
            raise NotUnderstoodError(f"{own.name} of a vector with free indices")
        self.bindings.append({own.parameters[0].base: replace(value, way=None)})
        try:
            with self.fresh(Ref(own.name, (), own.subs), own.body):
                out = self.value(own.body, {k: n for k, n in env.items() if k not in names})
        finally:
            self.bindings.pop()
        if set(out.names) != {*names, *value.names}:
            raise NotUnderstoodError(f"{own.name} has other indices than its definition")
        return self.algebra.placed(out, names)
