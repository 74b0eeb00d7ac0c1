r"""Links held against autograd: the head of a chain is the truth, every member is compared with it in many nets."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import product
from math import isfinite

import torch

from oracle.lesson.cancelling import is_zero, size_of_terms
from oracle.lesson.meaning.absent import past
from oracle.lesson.meaning.bare_functions import applied
from oracle.lesson.meaning.calculus import ACTIVATIONS
from oracle.lesson.meaning.columns import turns_entries
from oracle.lesson.meaning.einstein import contracted
from oracle.lesson.meaning.inverses import inverted
from oracle.lesson.meaning.layouts import LAYOUTS, WORDS, sensitive
from oracle.lesson.meaning.limits import of_layers_and_entries
from oracle.lesson.meaning.masks import conditional
from oracle.lesson.meaning.notation import CHOSEN, Ref, letters, mentions
from oracle.lesson.meaning.partials import by_its_past
from oracle.lesson.meaning.program import LAST, Definition, Env, Program
from oracle.lesson.meaning.proving import proves
from oracle.lesson.meaning.slopes import AHEAD, linked, regrouped
from oracle.lesson.meaning.told_entries import beside_entries
from oracle.lesson.meaning.two_steps import ahead
from oracle.lesson.meaning.units_meant import meant
from oracle.lesson.meaning.unsaid import dependencies
from oracle.lesson.meaning.usage import is_chain
from oracle.lesson.meaning.values import (
    REFUSED,
    BeyondError,
    Dim,
    FreeIndexError,
    IllTypedError,
    NotUnderstoodError,
    UndefinedError,
    Value,
    one,
)
from oracle.lesson.meaning.world import World
from oracle.lesson.records import Verdict
from oracle.lesson.syntax import (
    Call,
    Derivative,
    Gradient,
    Indicator,
    Limit,
    Matrix,
    Node,
    Number,
    Prime,
    Sum,
    Transpose,
)

CLOSE = 1e-9
"""Relative differences up to here are rounding in float64."""
NOTHING = 1e-14
"""What is smaller everywhere is a zero that was rounded."""
UNSAID = "nothing says how a quantity that is differentiated here is computed"
FAR = 1e-6
"""Beyond here two nets are proof enough."""


@dataclass
class Outcome:
    """What the nets say of one link."""

    verdict: Verdict
    reason: str = ""
    least: float = 0.0
    most: float = 0.0
    zero: bool = False
    """Both sides vanish in every net."""

    @property
    def right(self) -> bool:
        """Whether it holds, and says something."""
        return self.verdict == "holds" and not self.zero


@dataclass(frozen=True)
class Way:
    """How formulas are read in the nets of a lesson; beyond the first, each has words for the report."""

    words: str = ""
    activations: tuple[str, ...] = ()
    pairs: str = "strict"
    immediate: str = ""
    """Which partials hold everything else fixed: "all" of both sides, those of steps by "parameters", or those of a
    state by its own "past", of which it goes on being made.
    """
    left: bool = False
    """Whether those of the left side do so too."""
    half: int = 0
    unlike: str = field(default="", compare=False)
    """An index that is not the true class."""
    unlike_at: Node | None = field(default=None, compare=False)
    """The class of a sample, where the true class is that."""
    unlike_place: int | None = field(default=None, compare=False)
    """The place that it is not, where a number says so: i ≠ 0."""
    apart: bool = False
    """Different indices of one kind are different numbers (j ≠ k)."""
    summed: bool = False
    """An index that stands twice in a product is summed."""
    entrywise: bool = False
    """A partial of a vector by a vector is a vector, where no entry depends on another."""
    inverse: bool = False
    """A partial of a parameter by what is made of it is one over the other partial."""
    backwards: bool = False
    """The factors of a product over steps stand from the last step to the first."""
    layout: str | None = None
    """How partials are laid out, where that is not as in the rest of the lesson."""
    rightwards: bool = False
    """Long products with ⊙ are made from right to left."""
    averaging: bool = False
    """What takes the largest of a window takes the mean."""
    slopes: int | None = None
    """A slope at the end of a product is multiplied entry by entry with all but so many factors before it, or one that
    is `AHEAD` with all that follows.
    """


RECTIFIED = ("relu",)
"""What alone has slopes like [z > 0]."""
APART = Way("the two indices are different", apart=True)
ENTRYWISE = Way("vectors side by side are multiplied entry by entry", pairs="elementwise")
SLOPED = Way("slopes are multiplied entry by entry", slopes=AHEAD)
OTHERWISE: tuple[Way, ...] = (
    Way("each partial holds everything else fixed", immediate="all", left=True),
    Way("a state is made of its own past, and everything else is held", immediate="past", left=True),
    Way("the partial of a step by a parameter holds the steps before it", immediate="parameters"),
    Way("the partial of a step by a parameter holds the steps before it", immediate="parameters", left=True),
    Way("the activation is the logistic sigmoid", ("sigmoid",)),
    Way("the activation is tanh", ("tanh",)),
    Way("the activation is ReLU", RECTIFIED),
    Way("the argument is positive", half=1),
    Way("the argument is negative", half=-1),
    APART,
    Way("the factors of a product stand from the last step to the first", backwards=True),
    Way("products are made from right to left", rightwards=True),
    ENTRYWISE,
    Way("vectors are rows", pairs="rows"),
    Way("vectors side by side are an inner product", pairs="dot"),
    Way("partials of vectors by vectors are meant entry by entry", pairs="elementwise", entrywise=True),
    Way(
        "partials of vectors by vectors are meant entry by entry, everything else held",
        pairs="elementwise",
        entrywise=True,
        immediate="all",
        left=True,
    ),
    Way("the partial of a parameter by what it makes is one over the other partial", inverse=True),
    Way("repeated indices are summed", summed=True),
    Way(
        "repeated indices are summed, and each partial holds everything else fixed",
        immediate="all",
        left=True,
        summed=True,
    ),
    Way(
        "repeated indices are summed, and the partial of a step by a parameter holds the steps before it",
        immediate="parameters",
        summed=True,
    ),
)
OTHERWISE += tuple(
    Way(f"the factors of a product stand from the last step to the first, and {held.words}", held.activations,
        immediate=held.immediate, left=held.left, backwards=True)
    for held in OTHERWISE if held.immediate in ("all", "parameters") and held.pairs == "strict" and not held.summed
)  # fmt: skip
OTHERWISE += (Way("the pooling is an average", averaging=True),)
OTHERWISE += tuple(Way("slopes are multiplied entry by entry", slopes=before) for before in (0, 1))
OTHERWISE += (SLOPED,)
OTHERWISE += tuple(Way(WORDS[layout], layout=layout) for layout in LAYOUTS)
ALWAYS = tuple(way for way in OTHERWISE if way.summed)
"""Readings with the sums that Einstein leaves out."""


def apart_by(limit: Limit) -> Way:
    """How formulas are read under a condition that two indices differ, or one from the true class or from a number."""
    if limit.b.isdigit():
        return Way(APART.words, unlike=limit.a, unlike_place=int(limit.b))
    return replace(APART, unlike=limit.a, unlike_at=limit.at) if limit.of_class else APART


@dataclass
class Nets:
    """The random nets of a lesson, made once and used for every link."""

    program: Program
    count: int = 8
    seed: int = 0
    activations: tuple[str, ...] = tuple(ACTIVATIONS)
    worlds: dict[Way, list[World]] = field(default_factory=dict)
    deeper: Callable[[], Program] | None = None
    """The same lesson's net with a layer more, for formulas that this one has too few layers for."""

    others: Callable[[], list[tuple[Definition, Program]]] | None = None
    """The lesson's net with its other losses, each with what it says of the loss."""

    @cached_property
    def beside(self) -> "list[tuple[Definition, Nets]]":
        """The nets with other losses of the lesson."""
        return [(loss, self.of(program)) for loss, program in (self.others() if self.others else [])]

    @cached_property
    def further(self) -> "Nets | None":
        """The nets with a layer more."""
        return self.deeper and self.of(self.deeper())

    def of(self, program: Program) -> "Nets":
        """As many nets of another program, from the same seed."""
        return Nets(program, self.count, self.seed, self.activations)

    @cached_property
    def below(self) -> dict[object, set[object]]:
        """What every quantity is made of."""
        return dependencies(self.program.definitions)

    def nets(self, way: Way) -> Iterator[World]:
        """The nets of one way of reading, drawn when they are first asked for."""
        made = self.worlds.setdefault(way, [])
        activations = way.activations or self.activations
        for k in range(self.count):
            if k == len(made):
                activation = activations[k % len(activations)]
                made.append(
                    World(
                        self.program,
                        self.seed + k,
                        activation=activation,
                        pairs=way.pairs,
                        half=way.half,
                        entrywise=way.entrywise,
                        backwards=way.backwards,
                        rightwards=way.rightwards,
                        layout=way.layout,
                        averaging=way.averaging,
                    )
                )
            yield made[k]

    def __iter__(self) -> Iterator[World]:
        return self.nets(Way())

    def judge(self, head: Node, member: Node, line: int = 0) -> Outcome:
        """Whether two formulas agree as they stand."""
        return self.read(head, member, Way(), line)

    @property
    def summing(self) -> tuple[Way, ...]:
        """The readings of what is not understood as it stands: with sums, in a lesson that leaves them out."""
        return ALWAYS if self.program.summed else ()

    def under(self, head: Node, member: Node, line: int = 0, ways: tuple[Way, ...] = OTHERWISE) -> str:
        """The reading under which two formulas agree that do not as they stand; "" where there is none."""
        for way in ways:
            if not self.sensible(way, head, member):
                continue
            found = self.read(head, member, way, line)
            if found.right:
                return way.words
        return ""

    def sensible(self, way: Way, head: Node, member: Node) -> bool:
        """Whether a reading can be meant: a lesson that writes ⊙ means it, and [i = j] is no formula for i ≠ j."""
        if way.activations and self.program.calls(way.activations[0]):
            return False  # a lesson that writes tanh means another function by σ
        if way.rightwards and linked(member) is None:
            return False
        if way.backwards and not any(isinstance(part, Sum) and part.product for part in member.walk()):
            return False
        if way.immediate and any(adds_up(side, "sample") for side in (head, member)):
            return False  # what is added up over samples is a mean's gradient: nothing is held
        if way.immediate == "all" and way.left and adds_up(member, "time"):
            return False  # with everything held, one step is left of all that are added up
        if way.immediate == "past":
            return isinstance(head, Derivative) and by_its_past(head.of, head.wrt[0])
        if way.inverse:
            return any(inverted(side, self.program) != side for side in (head, member))
        if way.slopes is not None:
            return not self.program.elementwise and regrouped(member, way.slopes) is not None
        if way.averaging:
            return self.program.notation.over.averages and any(known.wide for known in self.program.windows)
        if way.layout is not None:
            return way.layout in self.program.layouts and sensitive(head, member)
        if way.activations == RECTIFIED and not any(isinstance(part, Indicator) for part in member.walk()):
            return False
        if way.activations:
            return way.activations != self.activations and len(self.activations) > 1
        if way.pairs == "elementwise" and self.program.elementwise and not way.entrywise:
            return False
        partials = (isinstance(part, Derivative | Gradient) for side in (head, member) for part in side.walk())
        if way.entrywise and not any(partials):
            return False
        if way.summed and not self.program.summed and (self.program.chains_summed or not is_chain(member)):
            return False
        return not (way.apart and any(conditional(side) for side in (head, member)))

    def read(self, head: Node, member: Node, way: Way, line: int = 0) -> Outcome:
        """Whether two formulas agree in every net, for every layer, sample and step.

        A symbol that nothing defines may be anything where it stands on both sides: σ′(z) = σ(z) (1 − σ(z)). Where it
        stands on one, nothing is said but that they agree whatever it is: p_i = C e^{z_i} / (C Σ_j e^{z_j}).
        """
        if ways := meant(self.program, head, member):
            return _any_of([self.read(left, right, way, line) for left, right in ways])
        free: set[str] = set()
        head, member = applied(head, member)
        if way.slopes is not None:
            member = regrouped(member, way.slopes) or member
        if way.summed:
            whole = contracted(member, head, self.program.notation.summed)
            left = contracted(head, head)
            if whole is None and left is None:
                return Outcome("not understood", "no index is repeated")
            head, member = left or head, whole or member
        if way.inverse:
            head, member = inverted(head, self.program), inverted(member, self.program)
        doubt = ""
        while True:
            try:
                found = self._read(head, member, way, line, free)
            except UndefinedError as error:
                if error.base in free or _differentiated(head, member, error.base):
                    return Outcome("not understood", str(error))
                if not _may_be_free(head, member, error.base):
                    doubt = doubt or str(error)
                free.add(error.base)
                continue
            if found.verdict in ("fails", "ill-typed") and turns_entries(head, member):
                doubt = doubt or "an entry of a vector is transposed: it may be one of many vectors"
            elif found.verdict in ("fails", "ill-typed") and (letter := of_layers_and_entries(head, member)):
                doubt = doubt or f"{letter} counts layers here, and entries"
            return Outcome("not understood", doubt) if doubt and found.verdict != "holds" else found

    def _read(self, head: Node, member: Node, way: Way, line: int, free: set[str]) -> Outcome:
        least, most, seen, zero = float("inf"), 0.0, False, True
        for world in self.nets(way):
            world.begin(line, free)
            for env in assignments(self.program, (head, member)):
                if ahead(self.program, env, head, member):
                    continue
                try:
                    if self.program.activates_input(member, env):
                        continue
                    difference, nothing = compared(world, head, member, env, way)
                except BeyondError:
                    continue
                except UndefinedError:
                    raise
                except IllTypedError as error:
                    known = (not free or isinstance(error, FreeIndexError)) and proves(
                        self.program, self.below, head, member
                    )
                    return Outcome("ill-typed", str(error)) if known else Outcome("not understood", UNSAID)
                except NotUnderstoodError as error:
                    return Outcome("not understood", str(error))
                except RuntimeError:  # of torch, or of Python's stack: a lesson may be anything
                    return Outcome("not understood", "the net cannot compute this formula")
                seen, zero = True, zero and nothing
                least, most = min(least, difference), max(most, difference)
            if most > FAR and world is not self.worlds[way][0]:
                break
        if not seen:
            if self.further is not None:
                return self.further.read(head, member, way, line)
            if (nowhere := past(self.program, member)) and self.exists(head, way):
                return Outcome("ill-typed", nowhere)
            return Outcome("not understood", "in no net drawn do both sides exist")
        if most >= CLOSE and not proves(self.program, self.below, head, member):
            return Outcome("not understood", UNSAID)
        return Outcome("holds" if most < CLOSE else "fails", "", least, most, zero)

    def exists(self, head: Node, way: Way) -> bool:
        """Whether the net has what a formula stands for, in some layer."""
        world = next(self.nets(way))
        for env in assignments(self.program, (head,)):
            try:
                with world.fresh(head):
                    world.value(head, env)
                return True
            except REFUSED:
                continue
        return False


def _any_of(found: list[Outcome]) -> Outcome:
    """What is said of some layers, whichever: it holds if it does of one, and fails if it does of all."""
    held = [outcome for outcome in found if outcome.verdict == "holds"]
    open_to = [outcome for outcome in found if outcome.verdict == "not understood"]
    return min(held, key=lambda outcome: outcome.zero) if held else (open_to or found)[0]


def adds_up(formula: Node, kind: str) -> bool:
    """Whether a formula adds up samples, or steps."""
    sums = [part for part in formula.walk() if isinstance(part, Sum) and not part.product]
    return any(World.counts(name.base, part.body) == kind for part in sums for name in part.indices)


def _differentiated(head: Node, member: Node, base: str) -> bool:
    """Whether a symbol is differentiated or differentiated by: dσ(x)/dx says all that it is made of, dL/dx does not."""
    for part in (part for side in (head, member) for part in side.walk()):
        match part:
            case Derivative(of=of, wrt=wrt):
                ends = (of, *wrt)
            case Gradient(of=of, wrt=Node() as by):
                ends = (of, by)
            case _:
                continue
        if any(mentions(end, base) for end in ends) and (isinstance(ends[0], Ref) or not mentions(ends[0], base)):
            return True
    return False


def _may_be_free(head: Node, member: Node, base: str) -> bool:
    """Whether a symbol stands on both sides, or on the left of what needs none: f′(z) = 1."""
    slope = isinstance(head, Call) and any(isinstance(part, Prime) for part in head.function.walk())
    return mentions(head, base) and (mentions(member, base) or (slope and not mentions(member)))


def assignments(program: Program, nodes: tuple[Node, ...]) -> Iterator[Env]:
    """Every value of the letters that count layers, samples or steps and are not bound by a sum.

    What is said of every layer is of those before the last, where that is another one.
    """
    kinds: dict[str, str] = {}
    last = {kind: program.last(kind) for kind in LAST}
    last["time"] = last["time"] | {program.now}
    for node in nodes:
        _slot_letters(node, frozenset(), kinds, last)
    ends = [range(1, program.end(kind) + 1) for kind in kinds.values()]
    found = [dict(zip(kinds, values, strict=True)) for values in product(*ends)]
    special = program.special if "layer" in kinds.values() else set()
    yield from [env for env in found if not special or not _in_another_layer(program, special, env, nodes)] or found


def _in_another_layer(program: Program, special: set[str], env: Env, nodes: tuple[Node, ...]) -> bool:
    """Whether a letter is the last layer, at a quantity that is `special` there, or a partial by one."""
    for ref in (part for node in nodes for part in node.walk() if isinstance(part, Ref) and "layer" in part.kinds):
        signal = program.signal(ref)
        if {ref.base, signal.of if signal else ""} & special:
            at = next(slot for kind, slot in ref.slots if kind == "layer")
            if letters(at) & env.keys() and program.number(at, env, "layer") == program.end("layer"):
                return True
    return False


def _slot_letters(node: Node, bound: frozenset[str], kinds: dict[str, str], last: Mapping[str, set[str]]) -> None:
    if isinstance(node, Sum):
        bound |= {name.base for name in node.indices}
    if isinstance(node, Ref):
        for kind, expr in node.slots:
            for letter in letters(expr) - bound - last.get(kind, set()):
                kinds.setdefault(letter, kind)
    for child in node.children():
        _slot_letters(child, bound, kinds, last)


def compared(world: World, head: Node, member: Node, env: Env, way: Way = Way()) -> tuple[float, bool]:
    """The relative difference of two formulas in one net, and whether both are zero."""
    sample = sample_of(world.program, env, head, member)
    with world.fresh(head, member), world.of_sample(sample):
        left, right = both(world, head, member, env, way)
        inside = world.inside(head, env)
    if isinstance(member, Number) and not right.rank:
        right = Value(right.data)
    if left.data is None or right.data is None or max(left.ones * right.rank, right.ones * left.rank) > 1:
        raise NotUnderstoodError("a vector of ones whose length nothing says")
    left, right = world.algebra.laid_out(left, right), world.algebra.laid_out(right, left)
    extra = set(right.names) - set(left.names)
    if len(extra) == 1 and left.rank == 1 and not right.rank:  # ∂f/∂x beside an x_i: its entry i is meant
        left = world.algebra.named(left, tuple(extra))
        extra = set()
    if "" in extra:
        raise NotUnderstoodError("a function of something that has no index")
    if extra and isinstance(head, Ref) and not head.subs and not world.program.signal(head):
        raise NotUnderstoodError(f"what {', '.join(sorted(extra))} is on the right is not said")
    if extra & _labels(head):
        raise NotUnderstoodError(f"whether {', '.join(sorted(extra))} is an index on the left is not said")
    if extra:
        raise FreeIndexError(f"index {', '.join(sorted(extra))} is free on the right and not on the left")
    one = isinstance(member.base if isinstance(member, Transpose) else member, Ref | Call)
    if right.rank < left.rank > 2 and (one or left.rank > 3):  # ∂Z/∂W = Aᵀ
        raise NotUnderstoodError(f"the left side has {left.rank} axes: what a chain multiplies by is meant")
    if right.rank and left.rank != right.rank:
        raise IllTypedError(f"{_shape(left)} on the left, {_shape(right)} on the right")
    difference = world.algebra.elementwise(torch.sub, left, right, "the two sides")
    difference = beside_entries(difference, world.entered)
    if inside is not None:
        left, right, difference = (
            world.algebra.elementwise(torch.mul, v, inside, "") for v in (left, right, difference)
        )
    if way.apart:
        mask = different(difference)
        left, right, difference = (world.algebra.elementwise(torch.mul, v, mask, "") for v in (left, right, difference))
    if way.unlike in difference.names:
        dim = difference.dims[difference.names.index(way.unlike)]
        with world.of_sample(_one_sample(env, head, member) if way.unlike_at else None):
            place = None if way.unlike_place is None else (way.unlike_place - 1) % world.size(dim)
            place = world.class_of(way.unlike_at or CHOSEN, dim, env) if place is None else place
            mask = _other_classes(world, way.unlike, dim, place)
        left, right, difference = (world.algebra.elementwise(torch.mul, v, mask, "") for v in (left, right, difference))
    if world.open:
        left, right, difference = _known(left, right, difference)
    gap, nothing = relative(left, right, difference)
    if is_zero(member) and (terms := size_of_terms(world, head, env)) > max(size(left), NOTHING):
        gap, nothing = size(difference) / terms, False
    if not isfinite(gap):
        raise BeyondError  # a root of something negative, say: another net may tell
    return gap, nothing


def _labels(head: Node) -> set[str]:
    """The letters in the names of symbols: the a and b of X_{ab}, where that is taken for a name."""
    return {letter for part in head.walk() if isinstance(part, Ref) for letter in part.base.partition("_")[2]}


def sample_of(program: Program, env: Env, *sides: Node) -> int | None:
    """The number of the sample that formulas are of: 1 where it may be any."""
    return _one_sample(env, *sides) or (1 if _of_any_sample(program, *sides) else None)


def _one_sample(env: Env, *sides: Node) -> int | None:
    """The number of the sample that two formulas are of, if it is one."""
    refs = (part for side in sides for part in side.walk() if isinstance(part, Ref))
    free = {letter for ref in refs for kind, slot in ref.slots if kind == "sample" for letter in letters(slot)}
    numbers = [env[letter] for letter in free & env.keys()]
    return numbers[0] if len(numbers) == 1 else None


def _of_any_sample(program: Program, *sides: Node) -> bool:
    """Whether formulas name no sample, and a loss of one sample: ∂E/∂z_j = δ_j, where only E^{(k)} is defined."""
    refs = [part for side in sides for part in side.walk() if isinstance(part, Ref)]
    losses = [signal.loss for ref in refs if (signal := program.signal(ref))]
    known = any(isinstance(ref, Ref) and ref.base in program.singles for ref in (*refs, *losses))
    return known and not any("sample" in ref.kinds for ref in refs)


def relative(left: Value, right: Value, difference: Value) -> tuple[float, bool]:
    """How large a difference is beside what differs, and whether both are nothing."""
    scale = max(size(left), size(right))
    return (size(difference) / scale if not scale <= NOTHING else 0.0), scale <= NOTHING


def both(world: World, head: Node, member: Node, env: Env, way: Way = Way()) -> tuple[Value, Value]:
    """Two formulas; a matrix that is written out is as large as what stands on the other side."""
    world.open, world.frame = False, ()
    laid_out = any(isinstance(part, Matrix) for part in head.walk())
    found = []
    for side in (member, head) if laid_out else (head, member):
        world.immediate = way.immediate if way.left or side is member else ""
        found.append(world.value(side, env))
        world.frame = found[0].shape
    return (found[1], found[0]) if laid_out else (found[0], found[1])


def _known(*values: Value) -> list[Value]:
    """Zeros where an entry is left open."""
    if any(v.data is None or bool(v.data.isnan().all()) for v in values):
        raise NotUnderstoodError("a matrix of which no entry can be told")
    return [replace(v, data=None if v.data is None else v.data.nan_to_num(0.0)) for v in values]


def different(value: Value) -> Value:
    """1 where indices of one kind differ from each other."""
    sizes = [] if value.data is None else list(value.data.shape[: len(value.names)])
    mask = torch.ones(sizes, dtype=torch.float64)
    for a in range(len(sizes)):
        for b in range(a):
            if one(value.dims[a], value.dims[b]):
                shape = [sizes[k] if k in (a, b) else 1 for k in range(len(sizes))]
                mask = mask * (1 - torch.eye(sizes[a], dtype=torch.float64)).reshape(shape)
    return Value(mask, value.names, value.dims)


def _other_classes(world: World, letter: str, dim: Dim, at: int) -> Value:
    """1 where an index is not the true class."""
    return Value((torch.arange(world.size(dim)) != at).double(), (letter,), (dim,))


def size(value: Value) -> float:
    """The largest entry."""
    if value.data is None or not value.data.numel():
        return 0.0
    return float(value.data.detach().abs().max())


def _shape(value: Value) -> str:
    kinds = ("a number", "a vector", "a matrix")
    return kinds[value.rank] if value.rank < 3 else f"{value.rank} axes"
