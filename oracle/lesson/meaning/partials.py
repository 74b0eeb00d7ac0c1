"""Partials of the quantities of a net: total ones, and direct ones with everything else held."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import product

import torch

from oracle.lesson.meaning.calculus import connected, jacobian
from oracle.lesson.meaning.columns import bare
from oracle.lesson.meaning.differentials import PREFIX
from oracle.lesson.meaning.layouts import turned as laid_out
from oracle.lesson.meaning.losses import LOSSES
from oracle.lesson.meaning.naming import core
from oracle.lesson.meaning.notation import PARAMETER_LETTERS, Ref, letters, mentions
from oracle.lesson.meaning.program import SCALARS, Env, Program, called
from oracle.lesson.meaning.sampling import Sampling
from oracle.lesson.meaning.unsaid import open_loss
from oracle.lesson.meaning.values import (
    BeyondError,
    IllTypedError,
    NotUnderstoodError,
    Route,
    Tensor,
    UndefinedError,
    Value,
)
from oracle.lesson.syntax import Call, Derivative, Node, Number, Plus, Transpose

GIVEN = {"t", "d", "target"}
"""What targets are called, and nothing else is."""
MOST = 400
"""Jacobians that are kept."""


LARGEST = 600
"""Entries of what is differentiated."""


@dataclass
class Partials(Sampling):
    """A net whose quantities can be differentiated by each other."""

    jacobians: dict[tuple[int, int], tuple[Tensor, Tensor, Tensor]] = field(default_factory=dict)
    """What was differentiated by what (kept, so that its identity stays its own), and the result."""
    directs: dict[object, Value] = field(default_factory=dict)
    """Direct partials of the functions f(x_t, h_{t-1}, w)."""

    def derivative(self, node: Derivative, env: Env) -> Value:
        if len(node.wrt) != 1:
            raise NotUnderstoodError("a derivative of higher order")
        of = self.completed(node.of, env) if isinstance(node.of, Ref) else node.of
        wrt = node.wrt[0]
        of = self.next_to(of, wrt, env) if isinstance(of, Ref) and isinstance(wrt, Ref) else of
        if isinstance(wrt, Transpose) and isinstance(wrt.base, Ref) and not wrt.base.subs:
            return self.algebra.transpose(self.derivative(replace(node, wrt=(wrt.base,)), env))
        if isinstance(of, Ref) and (node.immediate or (node.sign != "total" and self.holds_others(of, wrt, env))):
            return self.direct(of, wrt, env)
        argument = argument_of(of, wrt) if isinstance(of, Call) and not self.parametrized(of) else None
        if isinstance(of, Call) and node.sign != "d" and argument is not None:
            return self.by_argument(of, argument, env)
        return self.partial(self.value(of, env), wrt, env, of)

    def next_to(self, of: Ref, wrt: Ref, env: Env) -> Ref:
        """The Z^{[l]} of ∂Z/∂A^{[l-1]}, whose layer is left out: the one that is made of A^{[l-1]} at once."""
        bodies = [d for d in self.program.definitions if d.head.base == of.base and d.head.kinds == wrt.kinds]
        if of.slots or wrt.kinds != ("layer",) or not bodies or self.program.defines(of.base, ()):
            return of
        wanted = (wrt.base, self.program.numbered(wrt, env))
        for d in bodies:
            for at in assigned(self.program, d.head):
                parts = (part for part in d.body.walk() if isinstance(part, Ref) and part.kinds == wrt.kinds)
                if wanted in [(part.base, self.program.numbered(part, at)) for part in parts]:
                    number = dict(self.program.numbered(d.head, at))["layer"]
                    return replace(of, slots=(("layer", Number(str(number))),))
        raise BeyondError

    def parametrized(self, call: Call) -> bool:
        """Whether a call is the loss of some parameters, J(θ_0, θ_1): its partials are the total ones."""
        given = all(isinstance(arg, Ref) and core(arg.base) in PARAMETER_LETTERS for arg in call.args)
        return given and called(call) in LOSSES and self.program.defines(called(call), ())

    def by_argument(self, call: Call, argument: Ref, env: Env) -> Value:
        """The partial of a function by one of its arguments, the others held."""
        if (loss := open_loss(self.program, call)) is not None:
            return self.direct(loss, argument, env)
        plain = not self.bindings and all(
            isinstance(a, Ref) and not a.subs and a.base not in self.loose for a in call.args
        )
        key = (call.function, tuple(self.arguments(call, env)), self.end(argument, env), self.sample)
        if plain and key in self.directs:
            return self.directs[key]
        with self.holding():
            out = self.partial(self.value(call, env), argument, env, call)
        if plain:
            self.directs[key] = out
        return out

    def holds_others(self, of: Ref, wrt: Node, env: Env) -> bool:
        """Whether a partial is read as a direct one: all, or those of what has steps by a parameter."""
        steps = self.program.step_of(of.base, self.program.numbered(of, env)) is not None
        parameter = isinstance(wrt, Ref) and "time" not in wrt.kinds
        if self.immediate == "past":
            return by_its_past(of, wrt)
        return self.immediate == "all" or (self.immediate == "parameters" and steps and parameter)

    def jacobian(self, of: Tensor, wrt: Tensor) -> Tensor:
        """∂of/∂wrt, made once for any two tensors."""
        key = (id(of), id(wrt))
        if of.numel() > LARGEST:
            raise NotUnderstoodError("more partials than are worth the time")
        if key not in self.jacobians:
            if len(self.jacobians) > MOST:
                self.jacobians.clear()
            self.jacobians[key] = (of, wrt, jacobian(of, wrt))
        return self.jacobians[key][2]

    @contextmanager
    def holding(self, step: int | None = None, through: str = "") -> Iterator[None]:
        """While every quantity stands for itself, whatever it is made of; or those of all other steps than one, or all
        but one that is made of its own past.
        """
        before, self.held, self.step, self.through = (self.held, self.step, self.through), {}, step, through
        try:
            yield
        finally:
            self.held, self.step, self.through = before

    def direct(self, of: Ref, wrt: Node, env: Env) -> Value:
        """The partial with everything else held.

        Through the definition of `of` alone, where that uses `wrt` itself; else through what belongs to the same step.
        """
        if self.immediate == "past" and by_its_past(of, wrt):
            with self.holding(through=of.base):
                return self.partial(self.value(of, env), wrt, env, of)
        slots = self.program.numbered(of, env)
        found = self.program.definition(of.base, self.family(of), slots)
        if found is None or not isinstance(wrt, Ref):
            return self.partial(self.value(of, env), wrt, env, of)
        step = self.program.step_of(of.base, slots)
        if not mentions(found[0].body, wrt.base):
            if step is None or step == dict(self.program.numbered(wrt, env)).get("time"):
                return self.partial(self.value(of, env), wrt, env, of)
            with self.holding(step):
                return self.partial(self.value(of, env), wrt, env, of)
        with self.holding():
            whole = self.defined((of.base, self.family(of), tuple(n for _, n in slots)), *found)
            return self.partial(self.indexed(whole, of, env), wrt, env, of)

    def end(self, node: Node | None, env: Env) -> object:
        """Where a partial leads from or to: a quantity of a certain layer and step."""
        if isinstance(node, Call) and (made := self.made_by(node, env)) is not None:
            return made
        if not isinstance(node, Ref):
            return node
        return self.program.aliases.get(node.base, node.base), self.program.numbered(node, env)

    def made_by(self, call: Call, env: Env) -> object:
        """The quantity h_t that f(x_t, h_{t-1}, w) is."""
        wanted = self.arguments(call, env)
        for head, body in ((d.head, d.body) for d in self.program.definitions):
            if isinstance(body, Call) and body.function == call.function and len(body.args) == len(call.args):
                for step in assigned(self.program, head):
                    if self.arguments(body, step) == wanted:
                        return head.base, self.program.numbered(head, step)
        return None

    def arguments(self, call: Call, env: Env) -> list[object]:
        return [(a.base, self.program.numbered(a, env)) if isinstance(a, Ref) else a for a in call.args]

    def change(self, node: Ref, env: Env) -> Value:
        """Any change of a quantity; on the left of a formula the one that follows from those on its right."""
        whole = self.whole(of := replace(node, base=node.base.removeprefix(PREFIX), subs=()), env)
        head, *members = self.formulas
        follows = node in head.walk() and not any(node in member.walk() for member in members)
        if not follows or not any(map(changes, members)) or self.infer or whole.data is None:
            return self.anyhow(of, whole, env)
        return self.change_of(whole, env)

    def change_of(self, whole: Value, env: Env) -> Value:
        """The change of a value that follows from those on the right: d(AB) from dA and dB."""
        if self.infer or whole.data is None:
            return whole.plain()
        parts = [part for member in self.formulas[1:] for part in changes(member)]
        refs = dict.fromkeys(replace(n, base=n.base.removeprefix(PREFIX), subs=()) for n in parts)
        values = [(ref, self.whole(ref, env)) for ref in refs]
        if not values or any(not apart(a, b) for _, a in values for _, b in values if a is not b):
            raise NotUnderstoodError("which quantities change, and which are held, is not said")
        data = whole.data * 0
        for ref, value in values:
            assert value.data is not None
            moved = self.anyhow(ref, value, env)
            assert moved.data is not None
            data = data + (self.jacobian(whole.data, value.data) * moved.data).reshape((*whole.data.shape, -1)).sum(-1)
        return Value(data, shape=whole.shape)

    def anyhow(self, of: Ref, whole: Value, env: Env) -> Value:
        """One change of a quantity, always the same."""
        key = (PREFIX + of.base, self.family(of), tuple(n for _, n in self.program.numbered(of, env)))
        if key not in self.kept or self.infer:
            data = None if whole.data is None else self.drawn(PREFIX + of.base, whole.shape)
            self.kept[key] = Value(data, shape=whole.shape)
        return self.kept[key]

    def unsaid(self, of: Ref, wrt: Ref) -> bool:
        """Whether a symbol is differentiated of which nothing says how it is computed."""
        of = replace(of, base=self.program.aliases.get(of.base, of.base))
        of = bare(of, batch) if (batch := self.column(of)) else of
        if of.base == wrt.base or self.program.signal(of) or of.base in self.loose or self.given(of):
            return False
        known = self.program.defines(of.base, of.kinds) or of.base in self.program.singles
        return not known and not self.program.is_function(of)

    def given(self, of: Ref) -> bool:
        """Whether a symbol is a parameter, a target or a constant of the net: nothing else makes it."""
        if not any(base == of.base for base, *_ in self.program.shapes):
            return False
        named = core(of.base) in PARAMETER_LETTERS | GIVEN or of.base in SCALARS
        return named or any(_compares(d.body, of, self.program) for d in self.program.definitions)

    def _of_sample(self, of: Value, wrt: Ref, env: Env, source: Node | None) -> Value:
        """The loss L(a, y) of the sample by which it is differentiated, where the lesson adds up those of all."""
        if not isinstance(source, Ref) or source.base not in LOSSES or source.slots:
            return of
        sample = tuple(slot for slot in wrt.slots if slot[0] == "sample")
        if any(d.head.base == source.base and d.head.kinds == ("sample",) for d in self.program.definitions):
            return self.ref(replace(source, slots=sample), env)
        with self.of_sample(self.number_of(wrt, env)):
            return self.ref(source, env)

    def partial(self, of: Value, wrt: Node, env: Env, source: Node | None = None, written: bool = True) -> Value:
        if not isinstance(wrt, Ref):
            raise NotUnderstoodError("a derivative by something that is no symbol")
        wrt = replace(wrt, base=self.program.aliases.get(wrt.base, wrt.base))
        if (signal := self.program.signal(wrt)) and signal.said and not of.way and wrt.base not in self.loose:
            raise IllTypedError(f"{wrt.base} stands for a partial here, and nothing is differentiated by it")
        if (one := self.sample_of(wrt)) and not of.rank and not wrt.subs:
            return self.side_by_side(
                [self.partial(self._of_sample(of, ref, env, source), ref, env, source) for ref in self.each(wrt, one)]
            )
        if batch := self.column(wrt):
            made = self.one_of(self.partial(of, bare(wrt, batch), env, source), wrt, env, of.rank)
            return self.indexed(_turned(made, of.rank), wrt, env) if wrt.subs else made
        target = self.whole(wrt, env)
        refs = [part for part in source.walk() if isinstance(part, Ref)] if source else []
        if refs and all(self.unsaid(ref, wrt) for ref in refs):
            raise UndefinedError(refs[0].base)
        loss = source.base if isinstance(source, Ref) else called(source) if isinstance(source, Call) else ""
        if loss in self.program.alternates and apart(of, target):
            of = self.value(self.program.alternates[loss], env)
        if env and dict(self.program.numbered(wrt, env)).get("layer") == self.program.depth and apart(of, target):
            raise BeyondError  # the last layer has no such quantity: no H_L where S = Z_L
        other_loss = written and isinstance(source, Ref) and loss in LOSSES and not source.slots + wrt.slots
        if (self.program.read_off or other_loss) and apart(of, target):
            raise NotUnderstoodError("nothing says that the one is made of the other here")
        final = wrt.base in LOSSES and any(d.head.base == wrt.base and d.number for d in self.program.definitions)
        known = final or self.program.uses(wrt) or wrt.base in self.program.copies
        if written and not known and apart(of, target):
            raise NotUnderstoodError(f"nothing that is computed here uses {wrt.base} as it is written here")
        names, dims, shape = of.names, of.dims, of.shape + target.shape
        data = None if of.data is None or target.data is None else self.jacobian(of.data, target.data)
        if data is not None and loss in LOSSES and wrt.base in self.program.of_sum:
            data = data * self.samples(target)
        places = _at_indices(Value(data, names, dims, shape), of, target)
        way = None if wrt.subs else Route(self.end(source, env), self.end(wrt, env), target.rank)
        if not wrt.subs:
            alone = self.entrywise and self.algebra.diagonal(places)
            return alone or laid_out(replace(places, way=way), self.algebra.layout)
        entry = self.indexed(_turned(places, of.rank), wrt, env)
        return replace(entry, row=False) if entry.rank == of.rank == 1 else entry  # ∂z/∂W_{ij} is as z is


def _at_indices(made: Value, of: Value, wrt: Value) -> Value:
    """A partial by what has an index of its own, at that index: the ∂e^u/∂u of u = -z_i."""
    if not wrt.names:
        return made
    known = {**dict(zip(of.names, of.dims, strict=True)), **dict(zip(wrt.names, wrt.dims, strict=True))}
    names, dims = tuple(known), tuple(known.values())
    data = made.data
    if data is not None:
        at = [names.index(name) for name in (*of.names, *wrt.names)]
        places = [len(names) + k for k in range(of.rank + wrt.rank)]
        cut = len(of.names)
        given = [*at[:cut], *places[: of.rank], *at[cut:], *places[of.rank :]]
        data = torch.einsum(data, given, [*range(len(names)), *places])
    return Value(data, names, dims, made.shape)


def _turned(made: Value, rank: int) -> Value:
    """A partial with the places of what it is taken by before those of what is differentiated, which are `rank`."""
    first, last = range(len(made.names)), range(len(made.names), len(made.names) + rank)
    data = made.data
    if data is not None:
        data = data.permute((*first, *range(len(made.names) + rank, data.dim()), *last))
    return Value(data, made.names, made.dims, made.shape[rank:] + made.shape[:rank])


def _compares(body: Node, target: Ref, program: Program) -> bool:
    """Whether a formula has the difference of a symbol and something that the net computes: that is a target."""
    for part in body.walk():
        if isinstance(part, Plus) and len(part.terms) == 2 and sorted(part.signs) == [-1, 1]:
            refs = [term for term in part.terms if isinstance(term, Ref)]
            if len(refs) == 2 and any(ref.base == target.base for ref in refs):
                return any(program.defines(ref.base, ref.kinds) for ref in refs if ref.base != target.base)
    return False


def assigned(program: Program, head: Ref) -> Iterator[Env]:
    """Every number of the letters that count steps, layers or samples in the head of a definition."""
    found = [(letter, kind) for kind, slot in head.slots for letter in sorted(letters(slot) - program.last(kind))]
    for numbers in product(*(range(1, program.end(kind) + 1) for _, kind in found)):
        yield {letter: n for (letter, _), n in zip(found, numbers, strict=True)}


def argument_of(call: Call, wrt: Node) -> Ref | None:
    """The argument by which f(x_t, h_{t-1}, w) is differentiated, the others held; ∂_h f is by the only h there is."""
    found = [arg for arg in call.args if isinstance(arg, Ref)]
    if len(call.args) < 2 or not isinstance(wrt, Ref):
        return None
    alike = [arg for arg in found if arg.base == wrt.base]
    return wrt if wrt in found else alike[0] if len(alike) == 1 and not wrt.slots and not wrt.subs else None


def by_its_past(of: Node, wrt: Node) -> bool:
    """Whether a state is differentiated by what it was before: ∂c_t/∂c_k."""
    return isinstance(of, Ref) and isinstance(wrt, Ref) and of.base == wrt.base and "time" in of.kinds


def changes(formula: Node) -> list[Ref]:
    """The dW and dA of a formula in which they are changes."""
    return [part for part in formula.walk() if isinstance(part, Ref) and part.base.startswith(PREFIX)]


def apart(of: Value, wrt: Value) -> bool:
    """Whether a value is not made of another at all."""
    return of.data is not None and wrt.data is not None and not connected(of.data, wrt.data)
