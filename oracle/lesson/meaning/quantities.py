r"""The quantities of one random net of a lesson, each a tensor of one autograd graph.

A quantity is computed when it is first asked for, and kept: the tensor that others use is the tensor by which one
differentiates, so ∂L/∂z is the total partial through everything that z feeds.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import count as counting

import torch

from oracle.lesson.meaning.absent import elsewhere, is_open
from oracle.lesson.meaning.algebra import Algebra
from oracle.lesson.meaning.columns import axis, bare, is_batch, sample
from oracle.lesson.meaning.differentials import PREFIX
from oracle.lesson.meaning.einstein import contracted
from oracle.lesson.meaning.layouts import BACKWARD, LYING
from oracle.lesson.meaning.naming import core, letter
from oracle.lesson.meaning.notation import CHOSEN, PARAMETER_LETTERS, Notation, Ref, is_class, letters, taken_apart
from oracle.lesson.meaning.program import SCALARS, Definition, Env, Key, Program, Signal, Slots, is_target
from oracle.lesson.meaning.repeating import settled
from oracle.lesson.meaning.stacks import stacked
from oracle.lesson.meaning.told_entries import with_entry
from oracle.lesson.meaning.values import (
    BeyondError,
    Dim,
    IllTypedError,
    NotUnderstoodError,
    Tensor,
    UndefinedError,
    Value,
    one,
    units,
)
from oracle.lesson.syntax import Call, Indexed, Name, Node, Number, Tagged

SMALL = torch.tensor([0.5, 1.0, -0.5, 2.0, -1.0, 1.5, 0.25], dtype=torch.float64)
UNITS = {"I", "delta", "1", "bb 1", "bb I"}
"""Symbols that are 1 where their two indices are one, and 0 elsewhere, if the lesson does not say otherwise."""
EYES = {"I", "bb I"}
"""What the identity is called."""
FREE = Name(":")
"""An index that runs free: W_{i:} is a row."""
CONSTANTS = {"e": torch.e, "pi": torch.pi}


@dataclass
class Quantities(ABC):
    """`infer` finds the dimensions and draws nothing; else `sizes` holds how large each is."""

    program: Program
    seed: int = 0
    infer: bool = False
    sizes: dict[Dim, int] = field(default_factory=dict)
    activation: str = "sigmoid"
    pairs: str = "strict"
    layout: str | None = None
    """How partials are laid out, where that is not as the program has it."""
    immediate: str = ""
    """Which partials hold everything else fixed: "all", or those of steps by "parameters"."""
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
    using: int | None = None
    """While a quantity of one step is computed: which step uses the parameters."""
    sample: int | None = None
    """While a quantity of one sample is computed by equations that name no sample: which one."""
    batch: Dim | None = None
    """What counts the samples, while dimensions are inferred."""
    entrywise: bool = False
    """Whether the partial of a vector by a vector is a vector, where no entry depends on another."""
    through: str = ""
    """The quantity that goes on being made of its own past while all others stand for themselves."""
    held: dict[Key, Value] | None = None
    """While a direct partial is taken: copies of the quantities, each standing for itself."""
    step: int | None = None
    """While a direct partial is taken of a quantity of this step: only those of other steps are held."""
    loose: set[str] = field(default_factory=set)
    """Symbols of the formula at hand that may be anything."""
    passing: set[Key] = field(default_factory=set)
    """Their keys among what is kept."""
    free: dict[Key, tuple[Dim, ...]] = field(default_factory=dict)
    """What such symbols look like."""
    line: int = 0
    """The number of the equation at hand."""
    entered: set[Dim] = field(default_factory=set)
    """The dimensions whose entry 0 is told, and not computed as the others are."""
    bindings: list[dict[str, Value]] = field(default_factory=list)
    """Arguments of the functions that are being evaluated."""

    def __post_init__(self) -> None:
        layout = self.program.layout if self.layout is None else self.layout
        layout = "" if layout == "rows" and self.program.rows else layout  # as the vectors there lie
        across = self.program.samples_at != 0
        self.algebra = Algebra(self.infer, self.pairs, self.program.rows, self.program.flat, across, layout)
        self.random = torch.Generator().manual_seed(self.seed)

    @abstractmethod
    def value(self, node: Node, env: Env) -> Value:
        """What a formula is worth in this net."""

    @abstractmethod
    def change(self, node: Ref, env: Env) -> Value:
        """How a quantity changes: dL, dW."""

    @abstractmethod
    def partial(self, of: Value, wrt: Node, env: Env, source: Node | None = None, written: bool = True) -> Value:
        """The partial of a value by a symbol: one that is written so, or of which a signal stands."""

    # ---------------------------------------------------------------------------------------------------- quantities

    def quantity(self, base: str, family: tuple[str, ...], slots: Slots, count: int) -> Value:
        key = (base, family, tuple(n for _, n in slots))
        if key in self.kept:
            return self.kept[key]
        if base in self.program.copies and "time" in dict(slots):
            self.kept[key] = self.copy(base, family, slots, count)
            return self.kept[key]
        found = self.program.definition(base, family, slots)
        if found is None and key not in self.busy and (shared := self.of_any_sample(base, family, slots)) is not None:
            with self.of_sample(dict(slots)["sample"]):
                self.kept[key] = replace(self.defined(key, *shared), way=None)
            return self.kept[key]
        if found is None or key in self.busy:
            value = self.leaf(base, family, slots, count)
        else:
            with self.of_sample(dict(slots).get("sample")):
                value = self.defined(key, *found)
        if base in self.program.entries:
            self.entered |= {value.shape[0].root()} if found is not None and value.rank == 1 else set()
            value = with_entry(value, self.program.entries[base])
        self.kept[key] = replace(value, way=None)
        if base in self.loose:
            self.passing.add(key)
        return self.kept[key]

    def copy(self, base: str, family: tuple[str, ...], slots: Slots, count: int) -> Value:
        """What one step uses of a parameter: W^{(t)}, which is W."""
        whole = self.quantity(base, family, tuple(slot for slot in slots if slot[0] != "time"), count)
        return replace(whole, data=None if whole.data is None else whole.data.clone())

    @contextmanager
    def of_sample(self, number: int | None) -> Iterator[None]:
        """While what names no sample is of this one."""
        before, self.sample = self.sample, number
        try:
            yield
        finally:
            self.sample = before

    def of_any_sample(self, base: str, family: tuple[str, ...], slots: Slots) -> tuple[Definition, Env] | None:
        """What defines the quantity of one sample, where no sample is named."""
        if not dict(slots).get("sample"):
            return None
        return self.program.definition(base, family, tuple(slot for slot in slots if slot[0] != "sample"))

    def begin(self, line: int, loose: set[str]) -> None:
        """Another equation: what could be anything in the last one is forgotten."""
        self.line, self.loose = line, loose
        for key in self.passing:
            self.kept.pop(key, None)
        self.passing.clear()
        self.free.clear()

    def leaf(self, base: str, family: tuple[str, ...], slots: Slots, count: int) -> Value:
        if base in self.program.notation.ends and not slots and not count:
            return self.scalar(float(self.program.steps))
        if base in self.program.sizes and not slots and not count:
            return self.scalar(float(self.program.samples))
        if base in self.program.counts and not slots:
            number = (
                None if self.infer else torch.tensor(float(self.size(self.program.counts[base])), dtype=torch.float64)
            )
            return Value(number)
        at = (base, family, tuple(n for kind, n in slots if kind == "layer"))
        if base in self.loose:
            met = [
                len(ref.subs) for f in self.formulas for ref in f.walk() if isinstance(ref, Ref) and ref.base == base
            ]
            shape = self.free.setdefault(at, dims_of(base, max([count, *met])))
        elif at in self.program.shapes:
            shape = self.program.shapes[at]
        else:
            self.refuse(base, family, slots, at)
            rank = len(family) or self.program.rank(base, count)
            shape = self.program.shapes[at] = dims_of(base, rank)
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
        if others and family and not is_open(self.program, base, family):
            raise IllTypedError(f"no {base} has the indices {', '.join(family)}")
        if known := elsewhere(self.program, base, family, slots, {*self.typed}):
            raise IllTypedError(f"no equation says what {base} with {', '.join(family)} is, only with {known}")
        if base not in SCALARS and not (at[1:] == ((), ()) and self.program.is_constant(base)):
            raise UndefinedError(base)

    def drawn(self, base: str, shape: tuple[Dim, ...]) -> Tensor:
        """Random numbers, none near zero."""
        size = [self.size(dim) for dim in shape]
        if self.single:
            data = SMALL[torch.randint(len(SMALL), size, generator=self.random)]
        else:
            data = torch.rand(size, generator=self.random, dtype=torch.float64) * 1.6 - 0.8
            data = data + 0.1 * torch.sign(data)
        if base in SCALARS or any(base == f"{d}_{letter}" for d, letter in self.program.notation.widths):
            data = data.abs()
        if self.half and base in self.loose:
            data = self.half * data.abs()
        if is_target(base) and self.program.logarithms:  # targets of a cross-entropy are a distribution
            data = torch.softmax(2 * data, units(shape)) if data.dim() else torch.sigmoid(data)
            if self.program.notation.chosen and len(shape) == 1:
                at = self.class_of(CHOSEN, shape[0], {})
                data = (torch.arange(size[0]) == at).double()
            if self.program.notation.rows_labelled and len(shape) == 2:
                data = (self.classes(*shape)[:, None] == torch.arange(size[1])).double()
        return data.requires_grad_(True)

    def size(self, dim: Dim) -> int:
        """How large a dimension is: different from all others, and not the same in every net (2/m would be 1 where all
        have m = 2); 1 in a net of single units.
        """
        root = dim.root()
        if root.parts:
            return sum(self.size(part) for part in root.parts)
        if self.single or self.program.is_unit(root):
            return 1
        if self.program.batch is not None and root is self.program.batch.root():
            return self.program.samples
        if root in self.program.fixed:
            return self.program.fixed[root]
        if root not in self.sizes:
            taken = {*self.sizes.values(), *((self.program.samples,) if self.program.batch is not None else ())}
            self.sizes[root] = next(n for n in counting(2 + self.seed % 3) if n not in taken)
        return self.sizes[root]

    def defined(self, key: Key, definition: Definition, env: Env) -> Value:
        losing, pairs, using = self.losing, self.algebra.pairs, self.using
        self.using = dict(zip(definition.head.kinds, key[2], strict=False)).get("time")
        bindings, self.bindings = self.bindings, []  # a function's argument is its own: no quantity of the net has it
        self.busy.add(key)
        self.losing = loss = self.program.is_loss(definition.head.base) and not definition.head.subs
        if loss:  # a loss is a number: y log a is an inner product in it
            self.algebra.pairs = "dot"
        try:
            with self.fresh(definition.head, definition.body):
                value = self.value(definition.body, env)
        except (IllTypedError, NotUnderstoodError) as error:
            error.culprit = error.culprit or definition
            raise
        finally:
            self.busy.discard(key)
            self.losing, self.algebra.pairs, self.bindings, self.using = losing, pairs, bindings, using
        single = value.rank and all(map(self.program.is_unit, value.shape))
        if loss and (single or (value.rank == 1 and self.program.of_all_units(definition))):
            value = self.algebra.everything(value)
        names = tuple(sub.base for sub in definition.head.subs if isinstance(sub, Name))
        loose = sorted(set(value.names) - set(names))
        if loose and (names or loss or contracted(definition.body, definition.head) is not None):
            wrong = IllTypedError(f"index {', '.join(loose)} is free on the right and not on the left")
            wrong.culprit = definition
            raise wrong
        lying = value.row and self.algebra.layout in LYING and core(definition.head.base) in BACKWARD
        value = self.closed(definition.head, self.algebra.placed(value, tuple(n for n in names if n in value.names)))
        value = replace(value, row=lying and value.rank == 1)
        if value.data is not None and not value.data.requires_grad:
            value = replace(value, data=value.data.clone().requires_grad_(True))
        return value

    def closed(self, head: Ref, value: Value) -> Value:
        """A quantity that ones repeat, as large as what else the forward equations have it beside."""
        several = sum(dim.open for dim in value.shape)
        if not several:
            return value.plain()
        made = tuple(Dim(f"ones in {head.base}") for _ in range(several))
        dims = self.program.shapes.setdefault((f"ones in {head.base}", self.program.family(head), ()), made)
        return settled(value.plain(), dims, () if self.infer else tuple(map(self.size, dims)))

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
        if core(node.base) in ("1", "bb 1") and not node.slots and self.program.definition(node.base, (), ()) is None:
            if not node.subs or (len(node.subs) == 1 and self.is_length(node.subs[0])):
                return replace(self.scalar(1.0), ones=True)
            if len(node.subs) == 1 and isinstance(node.subs[0], Name):
                return self.ones(node.subs[0].base, env)
        if self.is_identity(node):
            return replace(self.scalar(1.0), eye=True)
        if (
            node.base in UNITS
            and len(node.subs) == 2
            and not node.slots
            and all(isinstance(x, Name) for x in node.subs)
        ):
            known = node.base == "delta" and (node.base, node.kinds, 2) in self.program.signals
            if not known and self.program.definition(node.base, self.program.family(node), ()) is None:
                return self.kronecker(*(x.base for x in node.subs if isinstance(x, Name)))
        if self.program.notation.differentials and node.base.startswith(PREFIX):
            return self.indexed(self.change(node, env), node, env)
        if node.base in CONSTANTS and not node.subs and not self.is_quantity(node.base):
            return self.scalar(CONSTANTS[node.base])
        if one := self.sample_of(node):
            return self.indexed(self.stack(node, one, env), node, env)
        if other := self.program.aliases.get(node.base):
            return self.ref(replace(node, base=other), env)
        if (batch := self.column(node)) and ("sample" in node.kinds or not self.program.signal(node)):
            return self.indexed(self.one_of(self.ref(bare(node, batch), env), node, env), node, env)
        if signal := self.program.signal(node):
            wrt, loss = replace(node, base=signal.of), self.loss_of(signal, node)
            out = self.partial(self.value(loss, env), wrt, env, loss, written=False)
            factor = signal.factor * (self.samples_of(node, wrt, out, env) if signal.mean else 1)
            return replace(self.algebra.multiply(self.scalar(factor), out, ""), way=out.way)
        for binding in reversed(self.bindings):
            if node.base in binding:
                return self.indexed(binding[node.base], node, env)
        return self.indexed(self.whole(node, env), node, env)

    def samples_of(self, node: Ref, wrt: Ref, partial: Value, env: Env) -> int:
        """How many samples an error signal of a mean is times: those of the whole batch, whatever entry is meant."""
        if "sample" in node.kinds:
            return self.program.samples
        return self.samples(self.whole(replace(wrt, subs=()), env) if wrt.subs else partial)

    def is_length(self, sub: Node) -> bool:
        """Whether the n of 1_n says how many ones there are, and is no index of the formula at hand."""
        others = (ref for formula in self.formulas for ref in formula.walk() if isinstance(ref, Ref))
        used = {part for ref in others if core(ref.base) not in UNITS for part in ref.subs}
        return isinstance(sub, Name | Number) and sub not in used and getattr(sub, "base", "") not in self.typed

    def is_quantity(self, base: str) -> bool:
        """Whether the lesson means something of its own by e or π: the e of e_j = y_j - t_j, say."""
        return any(d.head.base == base for d in self.program.definitions) or any(
            base == known for known, *_ in self.program.signals
        )

    def is_identity(self, node: Ref) -> bool:
        """Whether I is the identity: alone or with its size below, where no equation of the lesson says what it is."""
        if core(node.base) not in EYES or node.slots or len(node.subs) > 1 or self.program.knows(core(node.base)):
            return False
        others = {sub for f in self.formulas for ref in f.walk() if isinstance(ref, Ref) for sub in ref.subs
                  if core(ref.base) not in EYES}  # fmt: skip
        return not set(node.subs) & others

    def column(self, node: Ref) -> str:
        """The batch of which a symbol is one sample; "" where it is none."""
        bound = any(node.base in binding for binding in self.bindings)
        batch = "" if bound else self.program.columns.get(node.base, "")
        return batch if batch != node.base or "sample" in node.kinds else ""  # A is no column of A, A^{(i)} is

    def one_of(self, batch: Value, node: Ref, env: Env, first: int = 0) -> Value:
        """The sample of a batch that a symbol stands for; the places of the batch begin at `first`."""
        at = first + axis(batch.shape[first:], self.program.samples_at)
        if self.infer:
            if self.batch is None:
                self.batch = batch.shape[at]
                self.batch.root().met += 1  # a sample is as good as an equation: it says what the axis is
            self.algebra.same(self.batch, batch.shape[at], "the samples")
        return sample(batch, self.number_of(node, env), at)

    def sample_of(self, node: Ref) -> str:
        """The sample of which a symbol is the batch: the x of X, and the y of all samples beside X."""
        if not self.program.stacks or "sample" in node.kinds:
            return ""
        if one := self.program.stacks.get(node.base):
            return one
        beside = any(isinstance(x, Ref) and x.base in self.program.stacks for f in self.formulas for x in f.walk())
        kinds = {d.head.kinds for d in self.program.definitions if d.head.base == node.base}
        target = not kinds and is_target(node.base) and self.program.rank(node.base, 0) == 0
        return node.base if beside and (target or kinds == {("sample",)}) else ""

    def stack(self, node: Ref, one: str, env: Env) -> Value:
        """A batch of samples that are computed one by one."""
        key = (f"batch {node.base}", (), tuple(n for _, n in self.program.numbered(node, env)))
        if key not in self.kept:
            self.kept[key] = self.side_by_side([self.ref(ref, env) for ref in self.each(node, one)])
        return self.kept[key]

    def each(self, node: Ref, one: str) -> list[Ref]:
        """The samples of a batch."""
        numbers = (Number(str(n + 1)) for n in range(self.program.samples))
        return [Ref(one, tuple(sorted((*node.slots, ("sample", n)), key=lambda s: s[0]))) for n in numbers]

    def side_by_side(self, samples: list[Value]) -> Value:
        """Samples as a batch."""
        self.batch = self.program.batch = self.batch or self.program.batch or Dim("samples", met=2)
        return stacked(samples, self.batch, self.program.notation.samples_at or 0)

    def number_of(self, node: Ref, env: Env) -> int:
        """Which sample a symbol is of: the first, where nothing says so."""
        if "sample" not in node.kinds:
            return self.sample or 1
        number = dict(self.program.numbered(node, env))["sample"]
        if not 1 <= number <= self.program.samples:
            raise BeyondError
        return number

    def whole(self, node: Ref, env: Env) -> Value:
        """A quantity, all of it."""
        kinds = {bool(f.subs) for f in self.program.functions.get(core(node.base), ())}
        if len(kinds) > 1 and not self.infer:
            raise NotUnderstoodError(f"{node.base} is one function of each entry and another of whole vectors here")
        if self.program.is_function(node) and self.program.definition(node.base, (), ()) is None and not node.slots:
            own = self.program.function(core(node.base), self.line)
            if own is not None and own.body != node:
                return self.value(own.body, env)
        node = self.completed(node, env)
        slots = self.program.numbered(node, env)
        if self.sample is not None and "sample" not in dict(slots) and self.per_sample(node.base):
            slots = tuple(sorted((*slots, ("sample", self.sample))))
        if self.using is not None and node.base in self.program.copies and "time" not in dict(slots):
            slots = tuple(sorted((*slots, ("time", self.using))))

        if self.only_of_samples(node, slots):
            slots = tuple(sorted((*slots, ("sample", self.spoken_of(env)))))
        number = self.sample or (1 if node.base in self.program.singles else None)
        if number is not None and "sample" not in dict(slots) and self.per_sample(node.base):
            slots = tuple(sorted((*slots, ("sample", number))))
        for kind, n in slots:
            if not (0 if kind != "sample" else 1) <= n <= self.program.end(kind):
                raise BeyondError
        with self.released():
            value = self.quantity(node.base, self.family(node), slots, len(node.subs))
        return value if self.held is None or value.data is None else self.standing(node, slots, value, self.held)

    def loss_of(self, signal: Signal, node: Ref) -> Ref:
        """Of which loss a signal is: of that of its own sample, where there is no other, as e_i for δ_i = ∂e/∂s."""
        at = tuple(slot for slot in node.slots if slot[0] == "sample")
        loss = signal.loss
        known = loss.slots or self.program.defines(loss.base, ())
        return replace(loss, slots=at) if at and not known and self.program.defines(loss.base, ("sample",)) else loss

    def only_of_samples(self, node: Ref, slots: Slots) -> bool:
        """Whether a quantity of some layer is defined of a sample alone: f_0 where f_0 = β_0 + ω_0 x_i."""
        if {kind for kind, _ in slots} != {"layer"} or not self.program.sampled_layers:
            return False
        of_one = tuple(sorted((*slots, ("sample", 1))))
        family = self.family(node)
        return (
            self.program.definition(node.base, family, slots) is None
            and self.program.definition(node.base, family, of_one) is not None
        )

    def spoken_of(self, env: Env) -> int:
        """The sample that a formula speaks of: the i of ∂ℓ_i/∂f_0; the first where there is no such one."""
        every = {slot for f in self.formulas for ref in symbols(f, self.program.notation) for slot in ref.slots}
        found = {slot for slot in every if slot[0] == "sample" and self.known((slot,), env)}
        return self.sample or (self.program.number(found.pop()[1], env, "sample") if len(found) == 1 else 1)

    @contextmanager
    def released(self) -> Iterator[None]:
        """While nothing stands for itself: what is kept of the net is made of all that comes before it."""
        before, self.held = self.held, None
        try:
            yield
        finally:
            self.held = before

    def completed(self, node: Ref, env: Env) -> Ref:
        """E beside E_3, and ∇_a C beside z^L: of the step or layer that is the only one the formula speaks of."""
        program = self.program
        if not node.slots and (slots := program.left_out.get(node.base)):
            return replace(node, slots=slots)
        kinds = {d.head.kinds for d in program.definitions if d.head.base == node.base}
        if node.slots or not kinds or () in kinds or node.base in program.notation.ends:
            return node
        used = [ref for formula in self.formulas for ref in symbols(formula, program.notation) if ref.kinds in kinds]
        alike = {ref.slots for ref in used if ref.base == node.base}
        found = {slots for slots in alike or {ref.slots for ref in used} if self.known(slots, env)}
        return replace(node, slots=found.pop()) if len(found) == 1 else node

    def known(self, slots: tuple[tuple[str, Node], ...], env: Env) -> bool:
        """Whether slots are numbers here, and not of a sum that is elsewhere."""
        return all(letters(slot) <= env.keys() | self.program.last(kind) for kind, slot in slots)

    def standing(self, node: Ref, slots: Slots, value: Value, held: dict[Key, Value]) -> Value:
        """A quantity that stands for itself; or is made again of such, if it belongs to the step that is looked at."""
        key = (node.base, self.family(node), tuple(n for _, n in slots))
        if key in held:
            return held[key]
        time = self.program.step_of(node.base, slots)
        if self.step is not None and time is None:
            return value
        made_again = node.base == self.through if self.through else self.step is not None and self.step == time
        found = self.program.definition(node.base, self.family(node), slots) if made_again else None
        if found is not None:
            held[key] = replace(self.defined(key, *found), way=None)
        elif self.step is None or self.step != time:
            assert value.data is not None
            held[key] = replace(value, data=value.data.detach().clone().requires_grad_(True))
        return held.get(key, value)

    def samples(self, value: Value) -> int:
        """How many samples a batch has."""
        return next((self.size(dim) for dim in value.shape if not dim.root().of_parameter), 1)

    def per_sample(self, base: str) -> bool:
        """Whether a quantity is another for each sample: all but parameters and constants."""
        given = letter(base) in PARAMETER_LETTERS or base in SCALARS
        return (
            (not given or any(d.head.base == base for d in self.program.definitions))
            and base not in self.program.counts
            and base not in self.program.shared
            and not (self.program.columns and (is_batch(base) or base in self.program.batches))
            and base not in CONSTANTS
        )

    def family(self, node: Ref) -> tuple[str, ...]:
        """Which of several quantities of a name: by its letters, where one is new by those of the formula at hand."""
        family = self.program.family(node)
        known = self.program.families_of(node.base, len(family), self.infer)
        if not family or family in known or not known:
            return family
        fits = [other for other in known if all(a == b or self.like(a, b) for a, b in zip(family, other, strict=True))]
        near = [other for other in fits if set(other) & indices(*self.formulas)]
        return (near or fits or [family])[0]

    def like(self, letter: str, other: str) -> bool:
        """Whether a letter may count what another counts."""
        if dim := self.typed.get(letter):
            return other in self.program.roles and one(dim, self.program.roles[other])
        return letter not in self.program.roles

    def indexed(self, value: Value, node: Ref, env: Env) -> Value:
        if len(node.subs) > value.rank:
            raise NotUnderstoodError(f"{node.base} has {value.rank} axes here, and {len(node.subs)} indices")
        if len(node.subs) == 1 and node.base in self.program.maps and value.rank > 1:
            return value  # one of the arrays of a layer, whichever
        found = self.entries(value, node.subs, env)
        return replace(found, row=False) if node.base in self.program.notation.many else found

    def entries(self, value: Value, subs: tuple[Node, ...], env: Env) -> Value:
        """What the indices pick of a value."""
        if len(subs) > value.rank:
            raise NotUnderstoodError(f"{len(subs)} indices of what has {value.rank} axes")
        if len(subs) == value.rank == 2 and FREE in subs:
            row = subs[1] == FREE
            whole = value if row else self.algebra.transpose(value)
            return replace(self.pick(whole, subs[0] if row else subs[1], env), row=row)
        for sub in subs:
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
            case Tagged() | Indexed() if is_class(sub):
                if row := next((letter for letter in sorted(letters(sub)) if letter in value.names), ""):
                    return self.labelled(value, row)
                return self.algebra.entry(value, self.class_of(sub, value.shape[0], env))
        raise NotUnderstoodError("an index that is neither a letter nor a number")

    def class_of(self, sub: Node, dim: Dim, env: Env) -> int:
        """Which class a step or sample has, from 0: another in every net."""
        numbers = [env.get(letter, self.sample or 0) for letter in sorted(letters(sub))]
        return 0 if self.infer else (self.seed + sum(numbers)) % self.size(dim)

    def classes(self, rows: Dim, dim: Dim) -> Tensor:
        """The class of every row of a batch, from 0."""
        return (torch.arange(self.size(rows)) + self.seed + 1) % self.size(dim)

    def labelled(self, value: Value, row: str) -> Value:
        """P_{i y_i}: of every row i the entry of its class."""
        at = value.names.index(row)
        picked = Value(None, value.names, value.dims, value.shape[1:])
        if value.data is None:
            return picked
        classes = self.classes(value.dims[at], value.shape[0])
        there = value.data.movedim(len(value.names), 0).movedim(at + 1, 1)
        return replace(picked, data=there[classes, torch.arange(len(classes))].movedim(0, at))

    def scalar(self, number: float) -> Value:
        return Value(None if self.infer else torch.tensor(number, dtype=torch.float64))

    def ones(self, letter: str, env: Env) -> Value:
        """1_h, which is 1 for every h: as many as there are entries of what else has this index here."""
        self.seek(letter, env)
        dim = self.typed[letter]
        data = None if self.infer else torch.ones(self.size(dim), dtype=torch.float64)
        return Value(data, (letter,), (dim,))

    def seek(self, letter: str, env: Env) -> None:
        """Find what an index counts, by another symbol of the formula that has it; it is noted in `typed`."""
        if letter not in self.typed:
            others = (ref for formula in self.formulas for ref in formula.walk() if isinstance(ref, Ref))
            for ref in others:
                if core(ref.base) not in UNITS and any(sub == Name(letter) for sub in ref.subs):
                    self.ref(ref, env)
                    break
        if letter not in self.typed:
            raise NotUnderstoodError(f"what {letter} counts is not known")

    def kronecker(self, a: str, b: str) -> Value:
        dim = self.typed.get(a) or self.typed.get(b)
        if dim is None:
            raise NotUnderstoodError(f"what {a} and {b} count is not known")
        self.typed.setdefault(a, dim)
        self.typed.setdefault(b, dim)
        self.algebra.same(self.typed[a], self.typed[b], f"{a} = {b}")
        if a == b:
            ones = None if self.infer else torch.ones(self.size(dim), dtype=torch.float64)
            return Value(ones, (a,), (dim,))
        data = None if self.infer else torch.eye(self.size(dim), dtype=torch.float64)
        return Value(data, (a, b), (dim, dim))


def symbols(formula: Node, notation: Notation) -> Iterator[Ref]:
    """Every symbol of a formula, the names of functions among them: the E_3 of E_3(s_1, s_2)."""
    for part in formula.walk():
        if isinstance(part, Ref):
            yield part
        elif isinstance(part, Call):
            scripts = taken_apart(part.function)
            called = notation.ref(scripts) if scripts is not None else None
            yield from [called] if isinstance(called, Ref) else []


def indices(*formulas: Node) -> set[str]:
    """Every letter that stands as an index."""
    found = (node for formula in formulas for node in formula.walk() if isinstance(node, Ref | Indexed))
    return {sub.base for node in found for sub in node.subs if isinstance(sub, Name)}


def dims_of(base: str, rank: int) -> tuple[Dim, ...]:
    """New dimensions for a quantity."""
    parameter = base[:1] in "wWUVuv" or base in ("Theta", "theta")
    found = tuple(Dim(f"axis {k + 1} of {base}", parameter) for k in range(rank))
    if rank == 2:
        found[0].mate, found[1].mate = found[1], found[0]
    return found
