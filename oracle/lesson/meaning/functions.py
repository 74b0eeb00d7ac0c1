"""Functions in formulas: known ones, the lesson's own, its activation, and their slopes."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from math import prod

import torch

from oracle.lesson.formula.symbols import LOSSES
from oracle.lesson.meaning.calculus import ACTIVATIONS, ELEMENTWISE, NAMED, anything, slope
from oracle.lesson.meaning.called import called_by_word
from oracle.lesson.meaning.coded import PRODUCTS, REDUCTIONS, product, reduced
from oracle.lesson.meaning.columns import is_batch
from oracle.lesson.meaning.joining import JOINED, joined
from oracle.lesson.meaning.losses import LOSS
from oracle.lesson.meaning.naming import letter
from oracle.lesson.meaning.notation import PARAMETER_LETTERS, Ref, letters, slots_of, taken_apart
from oracle.lesson.meaning.partials import Partials
from oracle.lesson.meaning.program import Env
from oracle.lesson.meaning.quantities import dims_of
from oracle.lesson.meaning.unsaid import dependencies
from oracle.lesson.meaning.usage import ACTIVATION_NAMES, SIGNALS
from oracle.lesson.meaning.values import Dim, IllTypedError, NotUnderstoodError, Tensor, Value, mapped, units
from oracle.lesson.syntax import Call, Indexed, Name, Node, Power, Prime, Relation, Tagged, rebuilt

LOSS_NAMES = {Name(base) for base in LOSSES}
NESTED = 8
"""So many functions may stand inside each other; what goes deeper is a function of itself."""


@dataclass
class Functions(Partials):
    """A net whose quantities can be given to functions."""

    running: list[str] = field(default_factory=list)
    """The lesson's functions that are being evaluated, the outermost first."""

    def call(self, node: Call, env: Env) -> Value:
        core, primes = node.function, 0
        while not isinstance(core, Name):
            if isinstance(core, Prime):
                primes += core.order
            elif not isinstance(core, Power | Tagged | Indexed):
                raise NotUnderstoodError("a function that is no symbol")
            if isinstance(core, Indexed) and isinstance(label := core.subs[0], Name) and label.base in NAMED:
                core = core.base if core.base in LOSS_NAMES else label  # ℓ_softmax is no softmax
                continue
            core = core.base
        slots = slots_of(node.args)
        self.mixed(core.base, node)
        self.of_a_batch(core.base, node)
        if not primes and (quantity := self.written_out(node)) is not None:
            return self.ref(quantity, env)
        if not primes and (word := called_by_word(node)) and self.program.defines(word, ()):
            return self.ref(Ref(word, span=node.span), env)
        for which in (slots, ()) if not self.stepped(node) else (slots,):
            known = self.program.defines(core.base, tuple(kind for kind, _ in which))
            own = self.program.functions.get(core.base) or self.by_itself(core.base)
            if known and not primes and not own:  # J(W, b) is J
                if isinstance(node.function, Indexed) and self.program.is_loss(core.base):
                    raise NotUnderstoodError(f"{core.base} with an index and arguments may be a partial by one of them")
                if self.of_one(node):
                    raise NotUnderstoodError(f"{core.base} of one sample is not {core.base} of them all")
                return self.ref(Ref(core.base, which), env)
        if primes == 1 and (loss := self.sloping_loss(node, core.base)) is not None:
            return self.partial(self.ref(loss, env), node.args[0], env, loss)
        args = [self.value(arg, env) for arg in node.args if not isinstance(arg, Relation)]
        if core.base == JOINED:
            return joined(self.program, args)
        if core.base == "samples":
            return self.scalar(float(self.samples(args[0])))
        if core.base in REDUCTIONS and args:
            return reduced(self.algebra, core.base, args[0], node.args[1:])
        if core.base == "softmax" and len(args) == 1:
            return mapped(lambda x: torch.softmax(x, units(args[0].shape)), args[0])
        if core.base in PRODUCTS and len(args) == 2:
            return product(self.algebra, core.base, args[0], args[1])
        if core.base in ("max", "min") and len(args) == 2:
            extreme: Callable[..., Tensor] = torch.maximum if core.base == "max" else torch.minimum
            return self.algebra.elementwise(extreme, args[0], args[1], core.base)
        if core.base in LOSSES and not primes and not self.program.functions.get(core.base):
            return self.arbitrary_call(core.base, args)
        if len(args) > 1 and core.base not in ELEMENTWISE:
            return self.arbitrary_call(core.base, args)
        if len(args) != 1:
            raise NotUnderstoodError(f"{core.base} of {len(args)} arguments")
        if core.base in SIGNALS and not self.program.functions.get(core.base):
            raise IllTypedError(f"{core.base} stands for a partial here, and is no function")
        of_any_layer = core.base in self.program.examples and without_primes(node).function != core
        f = self.applied(core.base, node.args[0], primes)
        f = f or (self.activated if of_any_layer else self.function(core.base, env))
        for _ in range(primes):
            f = slope(f)
        return mapped(f, args[0])

    def of_one(self, node: Call) -> bool:
        """Whether a call is of one row of each batch: the ℓ(t_i, y_i) that ℓ(T, Y) adds up."""
        rows = [arg for arg in node.args if isinstance(arg, Ref) and len(arg.subs) == 1]
        return len(rows) == len(node.args) > 1 and all(arg.base in self.program.aliases for arg in rows)

    def sloping_loss(self, node: Call, name: str) -> Ref | None:
        """The loss whose partial by its first argument C'(a^L) is; None where the function is none."""
        of = without_primes(node)
        if name not in LOSS or self.program.functions.get(name) or not isinstance(node.args[0], Ref):
            return None
        found = self.named(of)
        for slots in (found.slots if found else (), slots_of(node.args)):
            if self.program.defines(name, tuple(kind for kind, _ in slots)):
                return Ref(name, slots, span=node.span)
        return None

    def mixed(self, name: str, node: Call) -> None:
        """Raise IllTypedError where the loss of one sample is given the input of one and the target of another."""
        refs = (part for arg in node.args for part in arg.walk() if isinstance(part, Ref))
        samples = {min(letters(slot), default="") for ref in refs for kind, slot in ref.slots if kind == "sample"}
        if name in self.program.notation.sample_losses.letters and len(samples) > 1:
            raise IllTypedError(f"{name} is of one sample here, and {' and '.join(sorted(samples))} are two")

    def of_a_batch(self, name: str, node: Call) -> None:
        """Raise NotUnderstoodError where ℓ(X Θ, y) is of a batch, and the lesson's ℓ(z, y) is made of none."""
        written = (arg for arg in node.args if not isinstance(arg, Ref))
        batches = {ref.base for arg in written for ref in arg.walk() if isinstance(ref, Ref) and is_batch(ref.base)}
        batches = {base for base in batches if letter(base) not in PARAMETER_LETTERS}
        if batches and self.program.is_loss(name) and self.program.defines(name, ()):
            made = dependencies(self.program.definitions).get((name, ()), set())
            if not any((base, ()) in made for base in batches):
                raise NotUnderstoodError(f"what {name} of a batch is, nothing says")

    def by_itself(self, name: str) -> bool:
        """Whether a quantity has the name of the function that makes it: R = R(Z)."""
        found = self.program.definition(name, (), ())
        return found is not None and isinstance(found[0].body, Call) and found[0].body.function == Name(name)

    def arbitrary_call(self, name: str, args: list[Value]) -> Value:
        """f(x_t, h_{t-1}, w), of which nothing is said: a number, or a vector where h_t = f(…) is one."""
        if any(arg.names for arg in args):
            raise NotUnderstoodError(f"{name} of several arguments with indices")
        heads = [d.head for d in self.program.definitions if _function(d.body) == name]
        shape: tuple[Dim, ...] = ()
        if heads and (rank := self.program.rank(heads[0].base, 0)):
            shape = self.program.shapes.setdefault((heads[0].base, (), ()), dims_of(heads[0].base, rank))
        if self.infer:
            self.used_up(args)
            return Value(None, shape=shape)
        size = [self.size(dim) for dim in shape]
        given = [arg.data for arg in args if arg.data is not None]
        entries = [anything(f"{name}{k}", given) for k in range(prod(size))]
        return Value(torch.stack(entries).reshape(size), shape=shape)

    @staticmethod
    def used_up(args: list[Value]) -> None:
        """A vector that a loss takes needs no other forward equation: what fits it is known as well as it will be."""
        for dim in {dim.root() for arg in args for dim in arg.shape}:
            dim.met += dim.of_parameter

    def written_out(self, node: Call) -> Ref | None:
        """E_3(s_1, s_2): a quantity, with what it depends on written out."""
        found = self.named(node)
        known = found and found.slots and self.program.defines(found.base, found.kinds)
        return found if found and known and not self.program.functions.get(found.base) else None

    def stepped(self, node: Call) -> bool:
        """Whether a function has a step of its own: L_t(h_t, y_t) is no L."""
        found = self.named(node)
        return found is not None and "time" in found.kinds

    def named(self, node: Call) -> Ref | None:
        """The symbol that stands where the function of a call does."""
        scripts = taken_apart(node.function)
        found = self.program.notation.ref(scripts) if scripts is not None else None
        return found if isinstance(found, Ref) else None

    def applied(self, name: str, arg: Node, primes: int) -> Callable[[Tensor], Tensor] | None:
        """g(z), g′(z) beside a = ReLU(z): what the net applies to z and its slope, where nothing says what g is."""
        if not (primes or name in ACTIVATION_NAMES) or not isinstance(arg, Ref) or self.program.functions.get(name):
            return None
        for definition in self.program.definitions:
            body = definition.body
            if isinstance(body, Call) and len(body.args) == 1 and isinstance(used := body.args[0], Ref):
                labels = (n.base for n in body.function.walk() if isinstance(n, Name))
                label = next((base for base in labels if base in ELEMENTWISE), "")
                general = all(letters(at) for _, at in used.slots) and used.kinds == arg.kinds
                alike = used.base == self.program.aliases.get(arg.base, arg.base)
                if label and label != name and alike and (general or used.slots == arg.slots):
                    return ELEMENTWISE[label]
        return None

    def function(self, name: str, env: Env) -> Callable[[Tensor], Tensor]:
        """What a name stands for: a known function, the lesson's own, or its activation."""
        if name in ELEMENTWISE:
            return ELEMENTWISE[name]
        if own := self.program.function(name, self.line):
            parameter = own.parameters[0].base if own.parameters else ""
            if len(self.bindings) > NESTED or name in self.running:
                raise NotUnderstoodError(f"{name} is made of itself")

            def lessons(x: Tensor) -> Tensor:
                self.bindings.append({parameter: Value(x.reshape(-1), ("",), (Dim("argument"),))})
                self.running.append(name)
                try:
                    out = self.value(own.body, env).data
                finally:
                    self.bindings.pop()
                    self.running.pop()
                assert out is not None
                return out.reshape(x.shape)

            return lessons
        if name not in self.program.activations:
            raise NotUnderstoodError(f"what function {name} is, nothing says")
        return self.activated

    @property
    def activated(self) -> Callable[[Tensor], Tensor]:
        """The activation of this net."""
        return ACTIVATIONS.get(self.activation) or ELEMENTWISE[self.activation]


def without_primes(node: Call) -> Call:
    """f_t(h_t) for f_t'(h_t)."""
    return replace(node, function=_plain(node.function))


def _plain(node: Node) -> Node:
    return _plain(node.base) if isinstance(node, Prime) else rebuilt(node, _plain)


def _function(body: Node) -> str:
    """The name of the function that a formula is a call of."""
    return body.function.base if isinstance(body, Call) and isinstance(body.function, Name) else ""
