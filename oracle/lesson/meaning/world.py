r"""One random net of a lesson: every quantity as a tensor of one autograd graph, every formula as a value.

A quantity is computed when it is first asked for, and kept: the tensor that others use is the tensor by which one
differentiates, so ∂L/∂z is the total partial through everything that z feeds.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import torch

from oracle.lesson.meaning.algebra import Algebra
from oracle.lesson.meaning.calculus import ACTIVATIONS, ELEMENTWISE, NAMED, anything, connected, jacobian, slope
from oracle.lesson.meaning.notation import PARAMETER_LETTERS, Ref, letters, mentions, slots_of
from oracle.lesson.meaning.program import LOSSES, SCALARS, TARGETS, Definition, Env, Key, Program, Slots
from oracle.lesson.meaning.usage import SIGNALS
from oracle.lesson.meaning.values import (
    BeyondError,
    Dim,
    IllTypedError,
    NotUnderstoodError,
    Route,
    Tensor,
    UndefinedError,
    Value,
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

SMALL = torch.tensor([0.5, 1.0, -0.5, 2.0, -1.0, 1.5, 0.25], dtype=torch.float64)
CONSTANTS = {"e": torch.e, "pi": torch.pi}


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
    single: bool = False
    """Whether every layer has one unit, and numbers are small ones."""
    half: int = 0
    """1 or -1: symbols that may be anything are positive, or negative."""
    kept: dict[Key, Value] = field(default_factory=dict)
    busy: set[Key] = field(default_factory=set)
    typed: dict[str, Dim] = field(default_factory=dict)
    """Of the formula at hand: what its letters count."""
    formulas: tuple[Node, ...] = ()
    """The formula at hand, its left side first."""
    losing: bool = False
    """While a loss is made."""
    sample: int | None = None
    """While a quantity of one sample is computed by equations that name no sample: which one."""
    held: dict[Key, Value] | None = None
    """While a direct partial is taken: copies of the quantities, each standing for itself."""
    loose: set[str] = field(default_factory=set)
    """Symbols of the formula at hand that may be anything."""
    passing: set[Key] = field(default_factory=set)
    """Their keys among what is kept."""
    free: dict[Key, tuple[Dim, ...]] = field(default_factory=dict)
    """What such symbols look like."""
    line: int = 0
    """The number of the equation at hand."""
    bindings: list[dict[str, Value]] = field(default_factory=list)
    """Arguments of the functions that are being evaluated."""

    def __post_init__(self) -> None:
        self.algebra = Algebra(self.infer, self.pairs, self.program.rows)
        self.random = torch.Generator().manual_seed(self.seed)

    # ---------------------------------------------------------------------------------------------------- quantities

    def quantity(self, base: str, family: tuple[str, ...], slots: Slots, count: int) -> Value:
        key = (base, family, tuple(n for _, n in slots))
        if key in self.kept:
            return self.kept[key]
        found = self.program.definition(base, family, slots)
        if found is None and (sample := dict(slots).get("sample")) and self.sample is None:
            bare = tuple(slot for slot in slots if slot[0] != "sample")
            if (shared := self.program.definition(base, family, bare)) is not None:
                self.sample = sample
                try:
                    self.kept[key] = replace(self.defined(key, *shared), way=None)
                finally:
                    self.sample = None
                return self.kept[key]
        if found is None or key in self.busy:
            value = self.leaf(base, family, slots, count)
        else:
            value = self.defined(key, *found)
        self.kept[key] = replace(value, way=None)
        if base in self.loose:
            self.passing.add(key)
        return self.kept[key]

    def begin(self, line: int, loose: set[str]) -> None:
        """Another equation: what could be anything in the last one is forgotten."""
        self.line, self.loose = line, loose
        for key in self.passing:
            self.kept.pop(key, None)
        self.passing.clear()
        self.free.clear()

    def leaf(self, base: str, family: tuple[str, ...], slots: Slots, count: int) -> Value:
        if base in self.program.counts and not slots:
            number = (
                None if self.infer else torch.tensor(float(self.size(self.program.counts[base])), dtype=torch.float64)
            )
            return Value(number)
        at = (base, family, tuple(n for kind, n in slots if kind == "layer"))
        if base in self.loose:
            shape = self.free.setdefault(at, _dims(base, count))
        elif at in self.program.shapes:
            shape = self.program.shapes[at]
        else:
            self.refuse(base, family, slots, at)
            rank = len(family) or self.program.rank(base, count)
            shape = self.program.shapes[at] = _dims(base, rank)
        return Value(None if self.infer else self.drawn(base, shape), shape=shape)

    def refuse(self, base: str, family: tuple[str, ...], slots: Slots, at: Key) -> None:
        """Say what is wrong with a symbol that no forward equation has, but where it is one of the usual constants."""
        if self.infer:
            return
        others = [known for known in self.program.shapes if known[0] == base]
        if slots and self.program.defines(base, tuple(kind for kind, _ in slots)):
            raise BeyondError
        if any(known[1] == family and len(known[2]) == len(at[2]) for known in others):
            raise BeyondError
        if others and family:
            raise IllTypedError(f"no {base} has the indices {', '.join(family)}")
        if base not in SCALARS:
            raise UndefinedError(base)

    def drawn(self, base: str, shape: tuple[Dim, ...]) -> Tensor:
        """Random numbers, none near zero."""
        size = [self.size(dim) for dim in shape]
        if self.single:
            data = SMALL[torch.randint(len(SMALL), size, generator=self.random)]
        else:
            data = torch.rand(size, generator=self.random, dtype=torch.float64) * 1.6 - 0.8
            data = data + 0.1 * torch.sign(data)
        if base in SCALARS:
            data = data.abs()
        if self.half and base in self.loose:
            data = self.half * data.abs()
        if base in TARGETS and self.program.logarithms:  # targets of a cross-entropy are a distribution
            data = torch.softmax(2 * data, -1) if data.dim() else torch.sigmoid(data)
        return data.requires_grad_(True)

    def size(self, dim: Dim) -> int:
        """How large a dimension is: different from all others, or 1 in a net of single units."""
        if self.single:
            return 1
        root = dim.root()
        if root not in self.sizes:
            self.sizes[root] = len(self.sizes) + 2
        return self.sizes[root]

    def defined(self, key: Key, definition: Definition, env: Env) -> Value:
        losing = self.losing
        self.busy.add(key)
        self.losing = definition.head.base in LOSSES and not definition.head.subs
        try:
            with self.fresh(definition.head, definition.body):
                value = self.value(definition.body, env)
        finally:
            self.busy.discard(key)
            self.losing = losing
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
        before = self.typed, self.formulas
        self.typed, self.formulas = dict(self.program.roles), formulas
        try:
            yield
        finally:
            self.typed, self.formulas = before

    # ----------------------------------------------------------------------------------------------------- symbols

    def ref(self, node: Ref, env: Env) -> Value:
        """A symbol's value; an error signal's (δ, dW) is a partial of the loss."""
        if node.base == "1" and not node.subs:
            return Value(None, ones=True)
        if node.base in ("I", "delta") and len(node.subs) == 2 and all(isinstance(x, Name) for x in node.subs):
            known = node.base == "delta" and (node.base, (), 2) in self.program.signals
            if not known and self.program.definition(node.base, self.program.family(node), ()) is None:
                return self.kronecker(*(x.base for x in node.subs if isinstance(x, Name)))
        if node.base in CONSTANTS and self.program.definition(node.base, (), ()) is None and not node.subs:
            return self.scalar(CONSTANTS[node.base])
        if other := self.program.aliases.get(node.base):
            return self.ref(replace(node, base=other), env)
        if signal := self.program.signal(node):
            wrt = replace(node, base=signal.of)
            out = self.partial(self.value(signal.loss, env), wrt, env, signal.loss)
            factor = signal.factor * (self.samples(out) if signal.mean else 1)
            return replace(self.algebra.multiply(self.scalar(factor), out, ""), way=out.way)
        for binding in reversed(self.bindings):
            if node.base in binding:
                return self.indexed(binding[node.base], node, env)
        return self.indexed(self.whole(node, env), node, env)

    def whole(self, node: Ref, env: Env) -> Value:
        """A quantity, all of it."""
        if self.program.is_function(node) and self.program.definition(node.base, (), ()) is None and not node.slots:
            own = self.program.function(node.base.split("_")[0], self.line)
            if own is not None:
                return self.value(own.body, env)
        slots = self.program.numbered(node, env)
        if self.sample is not None and "sample" not in dict(slots) and self.per_sample(node.base):
            slots = tuple(sorted((*slots, ("sample", self.sample))))
        for kind, n in slots:
            if not (0 if kind != "sample" else 1) <= n <= self.program.end(kind):
                raise BeyondError
        value = self.quantity(node.base, self.family(node), slots, len(node.subs))
        if self.held is None or value.data is None:
            return value
        key = (node.base, self.family(node), tuple(n for _, n in slots))
        if key not in self.held:
            self.held[key] = replace(value, data=value.data.detach().clone().requires_grad_(True))
        return self.held[key]

    def samples(self, value: Value) -> int:
        """How many samples a batch has."""
        return next((self.size(dim) for dim in value.shape if not dim.root().of_parameter), 1)

    def per_sample(self, base: str) -> bool:
        """Whether a quantity is another for each sample: all but parameters and constants."""
        core = base.split("_")[0].split(" ")[-1]
        return (
            core not in PARAMETER_LETTERS
            and base not in SCALARS
            and base not in self.program.counts
            and base not in CONSTANTS
        )

    def family(self, node: Ref) -> tuple[str, ...]:
        """Which of several quantities of a name: by its letters, where one is new by those of the formula at hand."""
        family = self.program.family(node)
        known = self.program.families_of(node.base, len(family), self.infer)
        if not family or family in known or not known:
            return family
        fits = [other for other in known if all(a == b or self.like(a, b) for a, b in zip(family, other, strict=True))]
        near = [other for other in fits if set(other) & _indices(*self.formulas)]
        return (near or fits or [family])[0]

    def like(self, letter: str, other: str) -> bool:
        """Whether a letter may count what another counts."""
        if dim := self.typed.get(letter):
            return other in self.program.roles and one(dim, self.program.roles[other])
        return letter not in self.program.roles

    def indexed(self, value: Value, node: Ref, env: Env) -> Value:
        if len(node.subs) > value.rank:
            raise NotUnderstoodError(f"{node.base} has {value.rank} axes here, and {len(node.subs)} indices")
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
            out = self.algebra.joined(out, right) or self.algebra.multiply(out, right, op)
        return out

    def power(self, node: Power, env: Env) -> Value:
        if isinstance(node.base, Name | Ref) and node.base.base == "e" and not self.program.definition("e", (), ()):
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
            if isinstance(core, Indexed) and isinstance(label := core.subs[0], Name) and label.base in NAMED:
                core = label
                continue
            core = core.base
        slots = slots_of(node.args)
        for which in (slots, ()):
            known = self.program.defines(core.base, tuple(kind for kind, _ in which))
            if known and not primes and not self.program.functions.get(core.base):  # J(W, b) is J
                return self.ref(Ref(core.base, which), env)
        args = [self.value(arg, env) for arg in node.args if not isinstance(arg, Relation)]
        if core.base == "samples":
            return self.scalar(float(self.samples(args[0])))
        if core.base == "sum":
            return self.summed(args[0], node.args[1:])
        if core.base == "softmax" and len(args) == 1:
            return self.apply(lambda x: torch.softmax(x, -1), args[0])
        if core.base == "prod" and len(args) == 2:
            return self.algebra.joined(args[0], args[1]) or self.algebra.multiply(args[0], args[1], "")
        if core.base in ("max", "min") and len(args) == 2:
            extreme: Callable[..., Tensor] = torch.maximum if core.base == "max" else torch.minimum
            return self.algebra.elementwise(extreme, args[0], args[1], core.base)
        if len(args) > 1 and core.base not in ELEMENTWISE:
            if any(arg.names for arg in args):
                raise NotUnderstoodError(f"{core.base} of several arguments with indices")
            return Value(None if self.infer else anything([arg.data for arg in args if arg.data is not None]))
        if len(args) != 1:
            raise NotUnderstoodError(f"{core.base} of {len(args)} arguments")
        if core.base in SIGNALS and not self.program.functions.get(core.base):
            raise IllTypedError(f"{core.base} stands for a partial here, and is no function")
        f = self.applied(core.base, node.args[0], primes) or self.function(core.base, env)
        for _ in range(primes):
            f = slope(f)
        return self.apply(f, args[0])

    def applied(self, name: str, arg: Node, primes: int) -> Callable[[Tensor], Tensor] | None:
        """g′(z) beside a = ReLU(z): the slope of what the net applies to z, where nothing says what g is."""
        if not primes or not isinstance(arg, Ref) or self.program.functions.get(name):
            return None
        for definition in self.program.definitions:
            body = definition.body
            if isinstance(body, Call) and len(body.args) == 1 and isinstance(used := body.args[0], Ref):
                labels = (n.base for n in body.function.walk() if isinstance(n, Name))
                label = next((base for base in labels if base in ELEMENTWISE), "")
                if label and label != name and used.base == arg.base and used.slots == arg.slots:
                    return ELEMENTWISE[label]
        return None

    def function(self, name: str, env: Env) -> Callable[[Tensor], Tensor]:
        """What a name stands for: a known function, the lesson's own, or its activation."""
        if name in ELEMENTWISE:
            return ELEMENTWISE[name]
        if own := self.program.function(name, self.line):
            parameter = own.parameters[0].base if own.parameters else ""

            def lessons(x: Tensor) -> Tensor:
                self.bindings.append({parameter: Value(x.reshape(-1), ("",), (Dim("argument"),))})
                try:
                    out = self.value(own.body, env).data
                finally:
                    self.bindings.pop()
                assert out is not None
                return out.reshape(x.shape)

            return lessons
        if name not in self.program.activations:
            raise NotUnderstoodError(f"what function {name} is, nothing says")
        return ACTIVATIONS[self.activation]

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
            return self.apply(torch.abs, body)
        return self.algebra.length(body)

    def gathered(self, body: Value) -> Value:
        """Σ of which nothing is said: over the samples of a batch, and over everything where a loss is made."""
        if not body.rank:
            for name in set(body.names) - _indices(*self.formulas[:1]):
                body = self.algebra.total(body, name)
            return body
        samples = [k for k, dim in enumerate(body.shape) if not dim.root().of_parameter]
        if body.rank == 2 and len(samples) == 1 and not self.losing:
            return self.algebra.along(body, samples[0])
        return self.algebra.everything(body)

    def summed(self, body: Value, options: tuple[Node, ...]) -> Value:
        """`sum(Z, axis=1, keepdims=True)`, as in NumPy."""
        for option in options:
            if (
                isinstance(option, Relation)
                and letters(option.items[0]) == {"axis"}
                and isinstance(option.items[1], Number)
            ):
                axis = int(option.items[1].text)
                if axis >= body.rank:
                    raise IllTypedError(f"a sum over axis {axis} of {body.rank}")
                return self.algebra.along(body, axis)
        return self.algebra.everything(body)

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
        slots = self.program.numbered(of, env)
        found = self.program.definition(of.base, self.family(of), slots)
        if found is None or not isinstance(wrt, Ref) or not mentions(found[0].body, wrt.base):
            return self.partial(self.value(of, env), wrt, env, of)
        before, self.held = self.held, {}
        try:
            whole = self.defined((of.base, self.family(of), tuple(n for _, n in slots)), *found)
            return self.partial(self.indexed(whole, of, env), wrt, env, of)
        finally:
            self.held = before

    def unsaid(self, of: Ref, wrt: Ref) -> bool:
        """Whether a symbol is differentiated of which nothing says how it is computed."""
        of = replace(of, base=self.program.aliases.get(of.base, of.base))
        if of.base == wrt.base or self.program.signal(of) or of.base in self.loose:
            return False
        return not self.program.defines(of.base, of.kinds) and not self.program.is_function(of)

    def partial(self, of: Value, wrt: Node, env: Env, source: Node | None = None) -> Value:
        if not isinstance(wrt, Ref):
            raise NotUnderstoodError("a derivative by something that is no symbol")
        wrt = replace(wrt, base=self.program.aliases.get(wrt.base, wrt.base))
        target = self.whole(wrt, env)
        if isinstance(source, Ref) and self.unsaid(source, wrt):
            raise UndefinedError(source.base)
        if isinstance(source, Ref) and source.base in self.program.alternates and _apart(of, target):
            of = self.value(self.program.alternates[source.base], env)
        names, dims, shape = of.names, of.dims, of.shape + target.shape
        data = None if of.data is None or target.data is None else jacobian(of.data, target.data)
        places = Value(data, names, dims, shape)
        way = None if wrt.subs else Route(_key(source), _key(wrt), target.rank)
        if not wrt.subs:
            return replace(places, way=way)
        first = tuple(range(len(names)))
        last = range(len(names), len(names) + of.rank)
        turned = None if data is None else data.permute((*first, *range(len(names) + of.rank, data.dim()), *last))
        return self.indexed(Value(turned, names, dims, target.shape + of.shape), wrt, env)


def _key(node: Node | None) -> object:
    return (node.base, node.slots) if isinstance(node, Ref) else node


def _apart(of: Value, wrt: Value) -> bool:
    """Whether a value is not made of another at all."""
    return of.data is not None and wrt.data is not None and not connected(of.data, wrt.data)


def _indices(*formulas: Node) -> set[str]:
    """Every letter that stands as an index."""
    found = (node for formula in formulas for node in formula.walk() if isinstance(node, Ref | Indexed))
    return {sub.base for node in found for sub in node.subs if isinstance(sub, Name)}


def _dims(base: str, rank: int) -> tuple[Dim, ...]:
    parameter = base[:1] in "wWUVuv" or base in ("Theta", "theta")
    return tuple(Dim(f"axis {k + 1} of {base}", parameter) for k in range(rank))
