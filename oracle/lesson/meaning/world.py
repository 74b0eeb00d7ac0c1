r"""One random net of a lesson: every quantity as a tensor of one autograd graph, every formula as a value.

A quantity is computed when it is first asked for, and kept: the tensor that others use is the tensor by which one
differentiates, so ∂L/∂z is the total partial through everything that z feeds.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import torch

from oracle.lesson.meaning.notation import Ref, letters
from oracle.lesson.meaning.program import SCALARS, Definition, FunctionDefinition, Key, Program
from oracle.lesson.meaning.values import (
    Algebra,
    BeyondError,
    Dim,
    IllTypedError,
    NotUnderstoodError,
    Tensor,
    UndefinedError,
    Value,
    Way,
    one,
)
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
    Prime,
    Quotient,
    Relation,
    Sum,
    Tagged,
    Times,
    Transpose,
)  # fmt: skip

Env = dict[str, int]
ELEMENTWISE: dict[str, Callable[[Tensor], Tensor]] = {
    "log": torch.log, "ln": torch.log, "exp": torch.exp, "tanh": torch.tanh, "sinh": torch.sinh, "cosh": torch.cosh,
    "sigmoid": torch.sigmoid, "relu": torch.relu, "ReLU": torch.relu, "sin": torch.sin, "cos": torch.cos,
    "sqrt": torch.sqrt, "sech": lambda x: 1 / torch.cosh(x), "sign": torch.sign,
}  # fmt: skip
ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "sigmoid": torch.sigmoid, "tanh": torch.tanh, "softplus": torch.nn.functional.softplus,
}  # fmt: skip
TARGETS = {"t", "y", "d", "T", "Y", "target"}
CONSTANTS = {"e": torch.e, "pi": torch.pi}
ENDS = {"layer": "depth", "time": "steps", "sample": "samples"}


@dataclass
class World:
    """`infer` finds the dimensions and draws nothing; else `sizes` holds how large each is."""

    program: Program
    seed: int = 0
    infer: bool = False
    sizes: dict[Dim, int] = field(default_factory=dict)
    activation: str = "sigmoid"
    pairs: str = "strict"
    immediate: bool = False
    kept: dict[Key, Value] = field(default_factory=dict)
    busy: set[Key] = field(default_factory=set)
    typed: dict[str, Dim] = field(default_factory=dict)
    """Of the formula at hand: what its letters count."""
    letters: set[str] = field(default_factory=set)
    """Of the formula at hand: all indices."""
    held: dict[Key, Value] | None = None
    """While a direct partial is taken: copies of the quantities, each standing for itself."""
    loose: set[str] = field(default_factory=set)
    """Symbols of the formula at hand that may be anything."""
    line: int = 0
    """The number of the equation at hand."""
    bindings: list[dict[str, Value]] = field(default_factory=list)
    """Arguments of the functions that are being evaluated."""

    def __post_init__(self) -> None:
        self.algebra = Algebra(self.infer, self.pairs)
        self.random = torch.Generator().manual_seed(self.seed)

    # ---------------------------------------------------------------------------------------------------- quantities

    def quantity(self, base: str, family: tuple[str, ...], slots: tuple[tuple[str, int], ...], count: int) -> Value:
        key = (base, family, tuple(n for _, n in slots))
        if key in self.kept:
            return self.kept[key]
        found = self.definition(base, family, slots)
        if found is None or key in self.busy:
            value = self.leaf(base, family, slots, count)
        else:
            value = self.defined(key, *found)
        self.kept[key] = replace(value, way=None)
        return self.kept[key]

    def definition(
        self, base: str, family: tuple[str, ...], slots: tuple[tuple[str, int], ...]
    ) -> tuple[Definition, Env] | None:
        """What defines a quantity, and the numbers of its letters; a definition of this very layer comes first."""
        best: tuple[Definition, Env] | None = None
        for definition in self.program.definitions:
            head = definition.head
            if head.base != base or self.program.family(head) != family or len(head.slots) != len(slots):
                continue
            env: Env = {}
            pairs = zip(head.slots, slots, strict=True)
            if all(a == c and self.solve(pattern, n, env, a) for (a, pattern), (c, n) in pairs):
                if not env:
                    return definition, env
                best = best or (definition, env)
        return best

    def solve(self, pattern: Node, value: int, env: Env, kind: str) -> bool:
        """Whether `l + 1` can be `value`, and what l is then (it counts from 1)."""
        free = [x for x in letters(pattern) if not self.constant(x, kind)]
        if not free:
            return self.number(pattern, env, kind) == value
        offset = self.number(pattern, {free[0]: 0}, kind)
        env[free[0]] = value - offset
        return value - offset >= 1

    def constant(self, letter: str, kind: str) -> bool:
        return (kind == "layer" and letter in ("L", "n", "N", "D", "n_l")) or (
            kind != "layer" and letter in ("T", "N", "m")
        )

    def number(self, node: Node, env: Env, kind: str = "") -> int:
        """A slot's number."""
        match node:
            case Number(text=text) if text.isdigit():
                return int(text)
            case Name(base=base) | Ref(base=base):
                if base in env:
                    return env[base]
                if self.constant(base, kind):
                    return int(getattr(self.program, ENDS[kind]))
            case Indexed(base=Name(base="n" | "N")):
                return self.program.depth
            case Plus(terms=terms, signs=signs):
                return sum(sign * self.number(term, env, kind) for term, sign in zip(terms, signs, strict=True))
            case Negative(body=body):
                return -self.number(body, env, kind)
        raise NotUnderstoodError(f"{letters(node) or node} stands where a number of a {kind or 'slot'} should")

    def leaf(self, base: str, family: tuple[str, ...], slots: tuple[tuple[str, int], ...], count: int) -> Value:
        if base in self.program.counts and not slots:
            number = (
                None if self.infer else torch.tensor(float(self.size(self.program.counts[base])), dtype=torch.float64)
            )
            return Value(number)
        at = (base, family, tuple(n for kind, n in slots if kind == "layer"))
        if at not in self.program.shapes:
            others = [known for known in self.program.shapes if known[0] == base]
            kinds = tuple(k for k, _ in slots)
            heads = [d.head for d in self.program.definitions if slots and not self.infer]
            if any(head.base == base and head.kinds == kinds for head in heads):
                raise BeyondError
            if not self.infer and any(known[1] == family and len(known[2]) == len(at[2]) for known in others):
                raise BeyondError
            if not self.infer and others and family and base not in self.loose:
                raise IllTypedError(f"no {base} has the indices {', '.join(family)}")
            if not self.infer and base not in self.loose and base not in SCALARS:
                raise UndefinedError(base)
            parameter = base[:1] in "wWUVΘθuv" or base in ("Theta", "theta")
            rank = count if base in self.loose else self.program.rank(base, count)
            self.program.shapes[at] = tuple(Dim(f"axis {k + 1} of {base}", parameter) for k in range(rank))
        shape = self.program.shapes[at]
        data = None
        if not self.infer:
            size = [self.size(dim) for dim in shape]
            data = torch.rand(size, generator=self.random, dtype=torch.float64) * 1.6 - 0.8
            data = data + 0.1 * torch.sign(data)
            if base in TARGETS and self.program.logarithms:  # targets of a cross-entropy are a distribution
                data = torch.softmax(2 * data, -1) if data.dim() else torch.sigmoid(data)
            data.requires_grad_(True)
        return Value(data, shape=shape)

    def size(self, dim: Dim) -> int:
        root = dim.root()
        if root not in self.sizes:
            self.sizes[root] = len(self.sizes) + 2
        return self.sizes[root]

    def defined(self, key: Key, definition: Definition, env: Env) -> Value:
        self.busy.add(key)
        with self.fresh(definition.head, definition.body):
            value = self.value(definition.body, env)
        self.busy.discard(key)
        names = tuple(sub.base for sub in definition.head.subs if isinstance(sub, Name))
        if names and (loose := sorted(set(value.names) - set(names))):
            raise IllTypedError(f"index {', '.join(loose)} is free on the right and not on the left")
        value = self.algebra.placed(value, tuple(n for n in names if n in value.names)).plain()
        if value.data is not None and not value.data.requires_grad:
            value = replace(value, data=value.data.clone().requires_grad_(True))
        return value

    @contextmanager
    def fresh(self, *formulas: Node) -> Iterator[None]:
        """Another formula: its letters are its own."""
        before = self.typed, self.letters
        self.typed = dict(self.program.roles)
        self.letters = {
            s.base for f in formulas for n in f.walk() if isinstance(n, Ref) for s in n.subs if isinstance(s, Name)
        }
        try:
            yield
        finally:
            self.typed, self.letters = before

    # ----------------------------------------------------------------------------------------------------- symbols

    def ref(self, node: Ref, env: Env) -> Value:
        """A symbol's value; an error signal's (δ, dW) is a partial of the loss."""
        if node.base in CONSTANTS and self.definition(node.base, (), ()) is None and not node.subs:
            return self.scalar(CONSTANTS[node.base])
        if other := self.program.aliases.get(node.base):
            return self.ref(replace(node, base=other), env)
        if signal := self.program.signal(node):
            wrt = replace(node, base=signal.of)
            out = self.partial(self.value(signal.loss, env), wrt, env, signal.loss)
            return replace(self.algebra.multiply(self.scalar(signal.factor), out, ""), way=out.way)
        for binding in reversed(self.bindings):
            if node.base in binding:
                return self.indexed(binding[node.base], node, env)
        return self.indexed(self.whole(node, env), node, env)

    def whole(self, node: Ref, env: Env) -> Value:
        slots = tuple((kind, self.number(expr, env, kind)) for kind, expr in node.slots)
        for kind, n in slots:
            if not (0 if kind != "sample" else 1) <= n <= int(getattr(self.program, ENDS[kind])):
                raise BeyondError
        value = self.quantity(node.base, self.family(node), slots, len(node.subs))
        if self.held is None or value.data is None:
            return value
        key = (node.base, self.family(node), tuple(n for _, n in slots))
        if key not in self.held:
            self.held[key] = replace(value, data=value.data.detach().clone().requires_grad_(True))
        return self.held[key]

    def family(self, node: Ref) -> tuple[str, ...]:
        """Which of several quantities of a name: by its letters, where one is new by those of the formula at hand."""
        family = self.program.family(node)
        known = self.program.families_of(node.base, len(family), self.infer)
        if not family or family in known or not known:
            return family
        fits = [other for other in known if all(a == b or self.like(a, b) for a, b in zip(family, other, strict=True))]
        near = [other for other in fits if set(other) & self.letters]
        return (near or fits or [family])[0]

    def like(self, letter: str, other: str) -> bool:
        """Whether a letter may count what another counts."""
        if dim := self.typed.get(letter):
            return other in self.program.roles and one(dim, self.program.roles[other])
        return letter not in self.program.roles

    def indexed(self, value: Value, node: Ref, env: Env) -> Value:
        if len(node.subs) > value.rank:
            raise IllTypedError(f"{node.base} has {value.rank} axes, and {len(node.subs)} indices stand at it")
        for sub in node.subs:
            value = self.pick(value, sub, env)
        return value

    def pick(self, value: Value, sub: Node, env: Env) -> Value:
        match sub:
            case Number(text=text) if text.isdigit():
                return self.algebra.entry(value, int(text) - 1)
            case Name(base=base) if base in env:
                return self.algebra.entry(value, env[base])
            case Name(base=base):
                dim = self.typed.setdefault(base, value.shape[0])
                self.algebra.same(dim, value.shape[0], f"index {base}")
                return replace(self.algebra.named(value, (base,)), row=value.rank == 2)
        raise NotUnderstoodError("an index that is neither a letter nor a number")

    # -------------------------------------------------------------------------------------------------- expressions

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
        raise NotUnderstoodError(f"{type(node).__name__.lower()} has no meaning here yet")

    def scalar(self, number: float) -> Value:
        return Value(None if self.infer else torch.tensor(number, dtype=torch.float64))

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
            out = self.joined(out, right) or self.algebra.multiply(out, right, op)
        return out

    def joined(self, a: Value, b: Value) -> Value | None:
        """∂A/∂B ∂B/∂C: contracted over all of B, whichever stands first."""
        if a.way is None or b.way is None or not (a.rank or b.rank):
            return None
        if a.way.wrt != b.way.of:
            if b.way.wrt != a.way.of:
                return None
            a, b = b, a
        assert a.way is not None
        assert b.way is not None
        k = a.way.rank
        if k == 0 or a.rank < k or b.rank < k:
            return None
        names, dims = self.algebra.union((a, b), "a chain of partials")
        left, right = self.algebra.spread(a, names), self.algebra.spread(b, names)
        data = None
        if left is not None and right is not None:
            n = len(names)
            lead = torch.broadcast_shapes(left.shape[:n], right.shape[:n])
            left, right = left.expand(*lead, *left.shape[n:]), right.expand(*lead, *right.shape[n:])
            inner = left.shape[left.dim() - k :].numel()
            rows, columns = left.shape[n : left.dim() - k], right.shape[n + k :]
            data = left.reshape((*lead, rows.numel(), inner)) @ right.reshape((*lead, inner, columns.numel()))
            data = data.reshape((*lead, *rows, *columns))
        return Value(data, names, dims, a.shape[: a.rank - k] + b.shape[k:], way=Way(a.way.of, b.way.wrt, b.way.rank))

    def power(self, node: Power, env: Env) -> Value:
        if isinstance(node.base, Name | Ref) and node.base.base == "e" and not self.definition("e", (), ()):
            return self.apply(torch.exp, self.value(node.exponent, env))
        base, exponent = self.value(node.base, env), self.value(node.exponent, env)
        return self.algebra.elementwise(torch.pow, base, exponent, "a power")

    @staticmethod
    def apply(f: Callable[[Tensor], Tensor], a: Value) -> Value:
        return replace(a.plain(), data=None if a.data is None else f(a.data), row=a.row)

    # ---------------------------------------------------------------------------------------------------- functions

    def call(self, node: Call, env: Env) -> Value:
        core, primes = node.function, 0
        while not isinstance(core, Name):
            if isinstance(core, Prime):
                primes += core.order
            elif not isinstance(core, Power | Tagged | Indexed):
                raise NotUnderstoodError("a function that is no symbol")
            core = core.base
        if not primes and self.is_quantity(core.base):
            return self.ref(Ref(core.base), env)
        args = [self.value(arg, env) for arg in node.args]
        if core.base in ("sum", "mean") and len(args) == 1:
            return self.norm_free(args[0])
        if core.base == "softmax" and len(args) == 1:
            return self.apply(lambda x: torch.softmax(x, -1), args[0])
        if core.base == "prod" and len(args) == 2:
            return self.joined(args[0], args[1]) or self.algebra.multiply(args[0], args[1], "")
        if core.base in ("max", "min") and len(args) == 2:
            extreme: Callable[..., Tensor] = torch.maximum if core.base == "max" else torch.minimum
            return self.algebra.elementwise(extreme, args[0], args[1], core.base)
        if len(args) > 1 and core.base not in ELEMENTWISE:
            return self.anything(core.base, args)
        if len(args) != 1:
            raise NotUnderstoodError(f"{core.base} of {len(args)} arguments")
        f = self.function(core.base)
        for _ in range(primes):
            f = slope(f)
        return self.apply(f, args[0])

    def anything(self, name: str, args: list[Value]) -> Value:
        """A function of which nothing is said, l(o, y): smooth, of all entries, the same in one net."""
        if any(arg.names for arg in args):
            raise NotUnderstoodError(f"{name} of several arguments with indices")
        if self.infer:
            return Value(None)
        out = torch.zeros((), dtype=torch.float64)
        for k, arg in enumerate(args):
            assert arg.data is not None
            entries = arg.data.reshape(-1)
            weights = torch.linspace(0.4 + 0.2 * k, 1.3, len(entries), dtype=torch.float64)
            out = (
                out * (1 + 0.3 * (entries * weights).sum())
                + torch.tanh(entries * weights).sum()
                + (weights * entries**2).sum()
            )
        return Value(out)

    def is_quantity(self, base: str) -> bool:
        """Whether J(W, b) is J: a quantity written with what it depends on."""
        heads = (d.head for d in self.program.definitions)
        return not self.program.functions.get(base) and any(
            h.base == base and not h.subs and not h.slots for h in heads
        )

    def function(self, name: str) -> Callable[[Tensor], Tensor]:
        if name in ELEMENTWISE:
            return ELEMENTWISE[name]
        if own := self.defined_function(name):
            parameter = own.parameters[0].base

            def lessons(x: Tensor) -> Tensor:
                self.bindings.append({parameter: Value(x.reshape(-1), ("",), (Dim("argument"),))})
                try:
                    out = self.value(own.body, {}).data
                finally:
                    self.bindings.pop()
                assert out is not None
                return out.reshape(x.shape)

            return lessons
        return ACTIVATIONS[self.activation]

    def defined_function(self, name: str) -> FunctionDefinition | None:
        """The lesson's last definition before the line at hand; where it gives several, its net is of none of them."""
        found = self.program.functions.get(name, [])
        before = [definition for definition in found if definition.number <= self.line]
        return before[-1] if before else found[0] if len(found) == 1 else None

    def total(self, node: Sum, env: Env) -> Value:
        if len(node.indices) != 1:
            raise NotUnderstoodError("a sum over nothing that is named, or over several indices")
        letter = node.indices[0].base
        kind = self.counts(letter, node.body)
        if kind:
            low = self.number(node.lower, env, kind) if node.lower else 1
            high = self.number(node.upper, env, kind) if node.upper else int(getattr(self.program, ENDS[kind]))
            values = [self.value(node.body, {**env, letter: n}) for n in range(low, high + 1)]
            out = values[0]
            for value in values[1:]:
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
            return self.apply(torch.abs, body)
        places = tuple(range(len(body.names), len(body.names) + body.rank))
        data = None if body.data is None else (body.data**2).sum(places).sqrt() if places else body.data.abs()
        return Value(data, body.names, body.dims)

    @staticmethod
    def norm_free(body: Value) -> Value:
        """The sum over all places."""
        places = tuple(range(len(body.names), len(body.names) + body.rank))
        data = None if body.data is None else body.data.sum(places) if places else body.data
        return Value(data, body.names, body.dims)

    def kronecker(self, a: str, b: str) -> Value:
        dim = self.typed.get(a) or self.typed.get(b)
        if dim is None:
            raise NotUnderstoodError(f"what {a} and {b} count is not known")
        self.typed.setdefault(a, dim)
        self.typed.setdefault(b, dim)
        self.algebra.same(self.typed[a], self.typed[b], f"{a} = {b}")
        data = None if self.infer else torch.eye(self.size(dim), dtype=torch.float64)
        return Value(data, (a, b), (dim, dim))

    # --------------------------------------------------------------------------------------------------- partials

    def derivative(self, node: Derivative, env: Env) -> Value:
        if len(node.wrt) != 1:
            raise NotUnderstoodError("a derivative of higher order")
        if (self.immediate or node.immediate) and isinstance(node.of, Ref):
            return self.direct(node.of, node.wrt[0], env)
        return self.partial(self.value(node.of, env), node.wrt[0], env, node.of)

    def direct(self, of: Ref, wrt: Node, env: Env) -> Value:
        """The partial with everything else held: through the definition of `of` alone, where that uses `wrt` itself."""
        slots = tuple((kind, self.number(expr, env, kind)) for kind, expr in of.slots)
        found = self.definition(of.base, self.family(of), slots)
        if (
            found is None
            or not isinstance(wrt, Ref)
            or not any(isinstance(n, Ref) and n.base == wrt.base for n in found[0].body.walk())
        ):
            return self.partial(self.value(of, env), wrt, env, of)
        before, self.held = self.held, {}
        try:
            whole = self.defined((of.base, self.family(of), tuple(n for _, n in slots)), *found)
            return self.partial(self.indexed(whole, of, env), wrt, env, of)
        finally:
            self.held = before

    def partial(self, of: Value, wrt: Node, env: Env, source: Node | None = None) -> Value:
        if not isinstance(wrt, Ref):
            raise NotUnderstoodError("a derivative by something that is no symbol")
        wrt = replace(wrt, base=self.program.aliases.get(wrt.base, wrt.base))
        target = self.whole(wrt, env)
        if isinstance(source, Ref) and source.base in self.program.alternates and not connected(of, target):
            of = self.value(self.program.alternates[source.base], env)
        names, dims, shape = of.names, of.dims, of.shape + target.shape
        data = None if of.data is None or target.data is None else jacobian(of.data, target.data)
        places = Value(data, names, dims, shape)
        way = None if wrt.subs else Way(_key(source), _key(wrt), target.rank)
        if not wrt.subs:
            return replace(places, way=way)
        first = tuple(range(len(names)))
        last = range(len(names), len(names) + of.rank)
        turned = None if data is None else data.permute((*first, *range(len(names) + of.rank, data.dim()), *last))
        return self.indexed(Value(turned, names, dims, target.shape + of.shape), wrt, env)


def _key(node: Node | None) -> object:
    return (node.base, node.slots) if isinstance(node, Ref) else node


def slope(f: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    """f′, entry by entry."""

    def prime(x: Tensor) -> Tensor:
        inner = x.detach().requires_grad_(True) if not x.requires_grad else x * 1
        (out,) = torch.autograd.grad(f(inner).sum(), inner, create_graph=True)
        return out

    return prime


def connected(of: Value, wrt: Value) -> bool:
    """Whether a value is made of another at all."""
    if of.data is None or wrt.data is None:
        return True
    if not of.data.requires_grad:
        return False
    (found,) = torch.autograd.grad(of.data.sum(), wrt.data, retain_graph=True, allow_unused=True)
    return found is not None


def jacobian(of: Tensor, wrt: Tensor) -> Tensor:
    """∂of/∂wrt, of shape of.shape + wrt.shape; zeros where one does not depend on the other."""
    if not of.requires_grad:
        return torch.zeros((*of.shape, *wrt.shape), dtype=torch.float64)
    rows = []
    for entry in of.reshape(-1):
        (row,) = torch.autograd.grad(entry, wrt, retain_graph=True, allow_unused=True)
        rows.append(torch.zeros_like(wrt) if row is None else row)
    return torch.stack(rows).reshape((*of.shape, *wrt.shape))
