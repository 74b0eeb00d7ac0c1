r"""The net of a lesson: what its forward equations define, and what they leave to chance.

A definition is an equation whose left side is one symbol (`z^{(l)} = W^{(l)} a^{(l-1)}`). Definitions in a letter that
counts layers, samples or steps stand for one quantity each. What is used and never defined is an input or a parameter.
"""

from collections.abc import Collection
from dataclasses import dataclass, field, replace

from oracle.lesson.meaning.losses import LOSSES
from oracle.lesson.meaning.naming import core, letter
from oracle.lesson.meaning.notation import PARAMETER_LETTERS, Notation, Ref, letters
from oracle.lesson.meaning.usage import ACTIVATION_NAMES
from oracle.lesson.meaning.values import Area, BeyondError, Dim, NotUnderstoodError, Window
from oracle.lesson.syntax import Call, Indexed, Name, Negative, Node, Number, Plus, Power, Sum, Tagged, Transpose

TARGETS = ("t", "y", "d", "target", "T", "Y")
"""What targets are called, the likeliest first."""
DESIRED = {"*", "true", "target", "desired", "gt", "real", "label", "obs"}
"""Labels of what an output should be: y^*, y_true."""
LOGARITHMS = {"log", "ln"}
SCALARS = {"eta", "lambda", "alpha", "epsilon", "varepsilon", "m", "n", "N", "M", "D", "pi", "K", "rho"}
OFFSETS = {"W_0", "Theta_0"}
"""What is added to W^T x and called after the weights."""
MOMENTS = {"m", "s", "r", "S", "V", "Delta", "velocity", "momentum"}
"""What optimizers keep from step to step."""
ENDS = {"layer": "depth", "time": "steps", "sample": "samples"}
LAST = {"layer": {"L", "n", "N", "D", "n_l"}, "time": {"T", "N", "m"}, "sample": {"T", "N", "m"}}
"""Letters that are the last layer, step or sample, and are never counted through."""
Env = dict[str, int]
"""The numbers of the letters that count layers, steps or samples."""
Key = tuple[str, tuple[str, ...], tuple[int, ...]]
"""A quantity: its base, its family, and the numbers of its slots."""
Slots = tuple[tuple[str, int], ...]
"""Kinds and numbers."""


def is_target(base: str) -> bool:
    """Whether a symbol is what an output should be, by its name."""
    return base in TARGETS or base.partition("_")[2] in DESIRED


@dataclass(frozen=True)
class Definition:
    """`head = body`, read at `number` (0 for what a profile supplies)."""

    head: Ref
    body: Node
    number: int = 0
    others: tuple[Node, ...] = ()
    """What the chain goes on with: said instead where the body means nothing."""


@dataclass(frozen=True)
class FunctionDefinition:
    """`f(x) = body`."""

    name: str
    parameters: tuple[Ref, ...]
    body: Node
    number: int = 0
    subs: tuple[Node, ...] = ()
    """The indices of an entry, where it makes a vector of a vector: s(x)_i."""


def called(call: Call) -> str:
    """The name of a function without its layer: the f of f^{[l]}(z) and of f_l(z)."""
    core = call.function
    while isinstance(core, Tagged | Power | Indexed):
        core = core.base
    return core.base if isinstance(core, Name) else ""


Written = tuple[str, tuple[str, ...], int]
"""How a symbol is written: its base, the kinds of its slots, how many indices it has."""


def written(ref: Ref) -> Written:
    """δ_j is written otherwise than δ_{nj} and δ^l."""
    return ref.base, ref.kinds, len(ref.subs)


@dataclass(frozen=True)
class Signal:
    """A symbol that stands for a partial of the loss: δ = factor · ∂loss/∂of."""

    of: str
    loss: Ref
    factor: float = 1.0
    mean: bool = False
    """Of the sum over the samples, where the loss is their mean: dZ beside dW."""
    said: bool = False
    """Whether the lesson says so itself."""
    each: tuple[tuple[str, str], ...] = ()
    """By letter, what it is of where that differs: δ_k of an output, δ_j of a hidden unit."""


@dataclass
class Program:
    """Definitions, and all that inference finds about the quantities."""

    notation: Notation
    definitions: list[Definition] = field(default_factory=list)
    again: list[Definition] = field(default_factory=list)
    """What the lesson says once more of what it has defined."""
    functions: dict[str, list[FunctionDefinition]] = field(default_factory=dict)
    examples: set[str] = field(default_factory=set)
    """Functions that stand in a list with others: the g(z) = max(0, z) beside which g_l may be any."""
    signals: dict[Written, Signal] = field(default_factory=dict)
    lettered: dict[tuple[str, tuple[str, ...], tuple[str, ...]], Signal] = field(default_factory=dict)
    """By name, kinds of slots and letters, where it differs: δ_k of an output, δ_j of a hidden unit."""
    layered_inputs: dict[str, str] = field(default_factory=dict)
    """Inputs that are a layer, with what that is called: the x^1 and a of z^2 = W^2 x^1 and z^l = W^l a^{l-1}."""
    numbered_signals: dict[Ref, Signal] = field(default_factory=dict)
    """Of layers that have numbers: δ^1 of what goes into a layer, δ^2 of what comes out of another."""
    aliases: dict[str, str] = field(default_factory=dict)
    """Names that are another's: w for W."""
    left_out: dict[str, tuple[tuple[str, Node], ...]] = field(default_factory=dict)
    """By name, the slots of what a section writes without them: the layer of its W."""
    anyone: dict[str, str] = field(default_factory=dict)
    """Names that stand for any parameter, and the one that is taken here."""
    copies: set[str] = field(default_factory=set)
    """Parameters of which every step uses a copy: W^{(t)}."""
    alternates: dict[str, Node] = field(default_factory=dict)
    """Losses for the quantities that the loss of this name does not depend on."""
    supposed: str = ""
    """The target of a loss that the lesson never writes."""
    read_off: bool = False
    """Whether the forward pass is guessed from partials: there no dependence is no proof of none."""
    declared: dict[str, int] = field(default_factory=dict)
    """Ranks that are known beforehand."""
    summed: bool = False
    """Whether the lesson leaves sums out, as Einstein does."""
    depth: int = 3
    steps: int = 3
    samples: int = 3
    rows: bool = False
    """Whether samples are rows."""
    flat: bool = False
    """Whether a vector as it stands is a row, and xᵀ a column."""
    layout: str = ""
    """How partials are laid out."""
    layouts: tuple[str, ...] = ()
    """Other ways in which they may be, for all that the lesson says."""
    here: set[int] = field(default_factory=set)
    """The numbers of the equations of this section."""
    told_signals: set[tuple[object, int]] = field(default_factory=set)
    """Error signals with the numbers of the equations that say what they are."""
    units: list[Dim] = field(default_factory=list)
    """Dimensions of size one: of what has one output unit."""
    told: set[str] = field(default_factory=set)
    """What the lesson gives a number in a worked example."""
    given: list[Definition] = field(default_factory=list)
    """Numbers that this section tells of symbols."""
    columns: dict[str, str] = field(default_factory=dict)
    """Names of one sample, and the batch that it is of: a for A."""
    stacks: dict[str, str] = field(default_factory=dict)
    """Batches, and the sample of which each is made: X for x."""
    samples_at: int | None = None
    """Which axis of its batches counts samples."""
    singles: set[str] = field(default_factory=set)
    """Names of what is defined for each sample, and never without one."""
    batches: set[str] = field(default_factory=set)
    """Small letters of what is of all samples in lessons that have both: the z of z = W A + b."""
    batch: Dim | None = None
    """The dimension of the samples in lessons that have both."""
    vectors: bool = False
    """Whether symbols without indices are vectors and matrices."""
    numbers: bool = False
    """Whether every quantity is a number."""
    narrow: bool = False
    """Whether vectors of some layer have one entry, and may stand where numbers do."""
    changes_are_gradients: bool = False
    """Whether Δw is no more than a name of ∂E/∂w: so the lesson says again and again, and never adds it to w."""
    ascents: int = 0
    descents: int = 0
    """How many update rules of the lesson go along a gradient, and how many against it."""
    chains_summed: bool = False
    """Whether the lesson writes the sums of its chains of partials, and means none where it writes none."""
    elementwise: bool = False
    """Whether the lesson writes ⊙ where it multiplies entry by entry."""
    entries: dict[str, float] = field(default_factory=dict)
    """By vector, its entry 0, where that is told: x_0 = 1."""
    common: set[Ref] = field(default_factory=set)
    """Symbols, with their scripts, that the lesson writes more than once."""
    shapes: dict[tuple[str, tuple[str, ...], tuple[int, ...]], tuple[Dim, ...]] = field(default_factory=dict)
    counts: dict[str, Dim] = field(default_factory=dict)
    """Numbers that are the end of a sum, and what they count: the m of Σ_{i=1}^m."""
    sizes: set[str] = field(default_factory=set)
    """Numbers of samples: the m of a mean over samples, Σ_{i=1}^m."""
    shared: set[str] = field(default_factory=set)
    """Names of what all samples have in common."""
    drawn: dict[str, tuple[Dim, Dim]] = field(default_factory=dict)
    """By name, words that are drawn, and of which dimension: the n_s of u_{n_s}."""
    joins: list[Dim] = field(default_factory=list)
    """Dimensions that are made of others."""
    windows: list[Window] = field(default_factory=list)
    """Positions that are those of others together, because x_{i+m} says so."""
    maps: set[str] = field(default_factory=set)
    """Names of whole arrays, of which a layer may have several: a_k beside a."""
    turning: bool = False
    """Whether * turns round what goes over an array."""
    areas: list[Area] = field(default_factory=list)
    """Dimensions that are all places of matrices: those of vec(A)."""
    fixed: dict[Dim, int] = field(default_factory=dict)
    """How large dimensions are, where sums over them are written out."""
    firsts: list[tuple[Dim, int]] = field(default_factory=list)
    """From where sums count positions."""
    now: str = ""
    """The letter of the last step, where the loss is of that: the t of E = ½ (y_t - d_t)²."""
    roles: dict[str, Dim] = field(default_factory=dict)
    """What a letter counts, where letters tell quantities apart (z_j, z_k)."""
    of_sum: frozenset[str] = frozenset()
    """By what partials of the loss are meant of the sum over the samples, where the loss is their mean."""
    unclear: set[Ref] = field(default_factory=set)
    """What the lesson defines in a way that means nothing here."""
    families: set[str] = field(default_factory=set)
    inputs: set[tuple[str, tuple[str, ...]]] = field(default_factory=set)
    """Of these names, what nothing computes and all of the others are made of: the a_i of a_j and a_k."""

    def end(self, kind: str) -> int:
        """The number of the last layer, step or sample."""
        return int(getattr(self, ENDS[kind]))

    def last(self, kind: str) -> set[str]:
        """Letters that are the last layer, step or sample in this lesson."""
        told = {"time": self.notation.ends, "layer": self.notation.tops}
        return (LAST.get(kind, set()) - self.notation.lags) | told.get(kind, set())

    @property
    def special(self) -> set[str]:
        """What is made in another way in the last layer: the a of a^L = softmax(z^L) beside a^l = σ(z^l)."""
        at = {(d.head.base, *letters(slot)) for d in self.definitions for kind, slot in d.head.slots if kind == "layer"}
        ends = {base for base, *letter in at if letter and {*letter} <= self.last("layer")}
        return ends & {base for base, *letter in at if {*letter} - self.last("layer")}

    def number(self, node: Node, env: Env, kind: str = "") -> int:
        """What the script of a slot is: l + 1 where l is known."""
        match node:
            case Number(text=text) if text.isdigit():
                return int(text)
            case Name(base=base) | Ref(base=base):
                if base in env:
                    return env[base]
                if base in self.last(kind) or (kind == "time" and base == self.now):
                    return self.end(kind)
            case Indexed(base=Name(base="n" | "N")):
                return self.depth
            case Plus(terms=terms, signs=signs):
                return sum(sign * self.number(term, env, kind) for term, sign in zip(terms, signs, strict=True))
            case Negative(body=body):
                return -self.number(body, env, kind)
        said = ", ".join(sorted(letters(node))) or "something"
        raise NotUnderstoodError(f"{said} stands where a number of a {kind or 'slot'} should")

    def numbered(self, ref: Ref, env: Env) -> Slots:
        """The slots of a symbol, as numbers."""
        return tuple((kind, self.number(expr, env, kind)) for kind, expr in ref.slots)

    def solved(self, pattern: Node, value: int, env: Env, kind: str) -> bool:
        """Whether `l + 1` can be `value`; l is noted in `env` then (it counts from 1)."""
        free = letters(pattern) - self.last(kind)
        if not free:
            return self.number(pattern, env, kind) == value
        letter = min(free)
        env[letter] = value - self.number(pattern, {letter: 0}, kind)
        return env[letter] >= (0 if value > env[letter] and kind == "layer" and self.from_zero else 1)

    def definition(self, base: str, family: tuple[str, ...], slots: Slots) -> tuple[Definition, Env] | None:
        """What defines a quantity, and the numbers of its letters; a definition of this very layer comes first."""
        best: tuple[Definition, Env] | None = None
        for definition in self.definitions:
            head = definition.head
            if head.base != base or self.family(head) != family or len(head.slots) != len(slots):
                continue
            env: Env = {}
            pairs = zip(head.slots, slots, strict=True)
            if all(a == c and self.solved(pattern, n, env, a) for (a, pattern), (c, n) in pairs):
                if not env or _layer_given(head):
                    return definition, env
                best = best or (definition, env)
        if best and any(kind == "layer" and n <= self.bottom(kind) for kind, n in slots):
            raise BeyondError
        return best

    def activates_input(self, node: Node, env: Env) -> bool:
        """Whether a formula has an activation of what is the input in this layer: h(a^0) where a^0 = x, and no W x."""
        calls = (part.args[0] for part in node.walk() if isinstance(part, Call) and len(part.args) == 1)
        for arg in (arg.base if isinstance(arg, Transpose) else arg for arg in calls):
            match arg:
                case Ref(slots=(("layer", at),)) as given if letters(at) and letters(at) <= env.keys():
                    made = self.definition(given.base, self.family(given), self.numbered(given, env))
                    own = made is not None and not made[1] and not letters(dict(made[0].head.slots)["layer"])
                    if own and made is not None and isinstance(made[0].body, Ref):
                        return True
        return False

    @property
    def sampled_layers(self) -> bool:
        """Whether what is of a layer with a number is said of a sample: f_0 = β_0 + ω_0 x_i."""
        return any("sample" in d.head.kinds and _layer_given(d.head) for d in self.definitions)

    @property
    def from_zero(self) -> bool:
        """Whether the input is of layer 0: then a^{l+1} = f(W^{l+1} a^l) is said of l = 0, too."""
        return any(slot == ("layer", Number("0")) for d in self.definitions for slot in d.head.slots)

    def bottom(self, kind: str) -> int:
        """The layer of the input, where the lesson gives it a number: 1 by a^{(1)} = x; below it there is nothing."""
        given = [d for d in self.definitions if d.head.kinds == (kind,) and isinstance(d.head.slots[0][1], Number)]
        inputs = [d for d in given if not any(isinstance(n, Ref) and n.slots for n in d.body.walk())]
        every = {d.head.base for d in self.definitions if d.head.kinds == (kind,) and letters(d.head.slots[0][1])}
        return max((self.number(d.head.slots[0][1], {}) for d in inputs if d.head.base in every), default=0)

    def defines(self, base: str, kinds: tuple[str, ...]) -> bool:
        """Whether some quantity of this name and these slots has a forward equation, or that of any sample has one."""
        of_any = tuple(kind for kind in kinds if kind != "sample")
        return any(d.head.base == base and d.head.kinds in (kinds, of_any) for d in self.definitions)

    def knows(self, name: str) -> bool:
        """Whether some forward equation has a symbol of this letter, whatever its scripts."""
        sides = (side for d in self.definitions for side in (d.head, d.body))
        return any(isinstance(n, Ref) and core(n.base) == name for side in sides for n in side.walk())

    def uses(self, ref: Ref) -> bool:
        """Whether some forward equation uses a quantity of this name and these slots, or a function of the lesson."""
        bodies = [
            *(d.body for d in self.definitions),
            *self.alternates.values(),
            *(f.body for found in self.functions.values() for f in found),
        ]
        return any(isinstance(n, Ref) and n.base == ref.base and n.kinds == ref.kinds for b in bodies for n in b.walk())

    def function(self, name: str, line: int) -> FunctionDefinition | None:
        """The lesson's last definition before a line; where it gives several after it, its net is of none of them."""
        found = self.functions.get(name, [])
        before = [definition for definition in found if definition.number <= line]
        latest = max(before, key=lambda definition: definition.number, default=None)
        return latest or (found[0] if len(found) == 1 else None)

    def is_function(self, ref: Ref) -> bool:
        """Whether a symbol is a function of the lesson, written without its argument."""
        return core(ref.base) in self.functions and not ref.subs

    def signal(self, ref: Ref) -> Signal | None:
        """Of which partial a symbol stands: as it is written, else as its like is."""
        if found := self.numbered_signals.get(Ref(ref.base, ref.slots)):
            return found
        if found := self.lettered.get((ref.base, ref.kinds, letters_of(ref))) or self.signals.get(written(ref)):
            return found
        if ref.kinds == ("sample",) and (found := self.lettered.get((ref.base, (), letters_of(ref)))):
            return found
        alike = [s for (base, kinds, _), s in self.signals.items() if base == ref.base and kinds == ref.kinds]
        return next(iter(alike), None) or next((s for (base, *_), s in self.signals.items() if base == ref.base), None)

    def family(self, ref: Ref) -> tuple[str, ...]:
        """The letters by which a quantity of several is known: z_j is not z_k."""
        if ref.base not in self.families:
            return ()
        return tuple(counting(sub.base) if isinstance(sub, Name) else "?" for sub in ref.subs)

    @property
    def activations(self) -> set[str]:
        """Names that stand for the activation: by custom, or because a forward equation applies them to a symbol."""
        calls = [d.body for d in self.definitions if isinstance(d.body, Call)]
        return ACTIVATION_NAMES | {name for call in calls if (name := called(call))}

    def calls(self, name: str) -> bool:
        """Whether a forward equation of the lesson calls a function by this name."""
        return any(isinstance(n, Call) and called(n) == name for d in self.definitions for n in d.body.walk())

    @property
    def logarithms(self) -> bool:
        """Whether the net takes logarithms: its loss is a cross-entropy."""
        bodies = [*(d.body for d in self.definitions), *self.alternates.values()]
        bodies += [f.body for found in self.functions.values() for f in found]
        return any(isinstance(n, Name) and n.base in LOGARITHMS for body in bodies for n in body.walk())

    def families_of(self, base: str, count: int, defined: bool) -> list[tuple[str, ...]]:
        """The quantities of a name: those that are defined, and else those that a forward equation uses."""
        heads = [self.family(d.head) for d in self.definitions if d.head.base == base]
        given = [letters for name, letters in self.inputs if name == base]
        leaves = [] if defined else [key[1] for key in self.shapes if key[0] == base]
        return list(dict.fromkeys(f for f in (*heads, *given, *leaves) if len(f) == count))

    def is_loss(self, base: str) -> bool:
        """Whether a name is a loss's; the C_t that is made of C_{t-1} is a cell."""
        own = [d for d in self.definitions if d.head.base == base]
        return base in LOSSES and not any(
            isinstance(n, Ref) and (n.base, n.kinds) == (base, d.head.kinds) for d in own for n in d.body.walk()
        )

    def step_of(self, base: str, slots: Slots) -> int | None:
        """The step of a quantity: the last one for the E of E = ½ (y_t - d_t)²."""
        return dict(slots).get("time", self.steps if self.now and self.is_loss(base) else None)

    def of_all_units(self, loss: Definition) -> bool:
        """Whether a loss that is a vector is the sum of its entries: E = ½ (y - d)² in a net with matrices."""
        matrices = any(len(shape) > 1 for shape in self.shapes.values())
        units = any(isinstance(n, Ref) and n.subs for d in self.definitions for n in (d.head, *d.body.walk()))
        if units or not matrices or any(isinstance(n, Sum) for n in loss.body.walk()):
            return False
        bodies = (d.body for d in self.definitions)
        return not any(isinstance(n, Ref) and n.base == loss.head.base for b in bodies for n in b.walk())

    def is_unit(self, dim: Dim) -> bool:
        """Whether a dimension is of size one."""
        return any(dim.root() is unit.root() for unit in self.units)

    def said_here(self, signal: Ref) -> bool:
        """Whether this section itself says what an error signal stands for."""
        return any(head == written(signal) and number in self.here for head, number in self.told_signals)

    def is_constant(self, base: str) -> bool:
        """Whether a symbol is a number that only functions have: the a of φ(v) = 1 / (1 + exp(-a v))."""
        functions = (f for found in self.functions.values() for f in found)
        if not any(Ref(base) in f.body.walk() and Ref(base) not in f.parameters for f in functions):
            return False
        nodes = (node for d in self.definitions for node in (d.head, *d.body.walk()))
        return not any(isinstance(node, Ref) and node.base == base for node in nodes)

    def rank(self, base: str, count: int) -> int:
        """How many axes a quantity without a definition has."""
        if self.numbers or (not count and self.is_constant(base)):
            return 0
        if base in self.declared:
            return self.declared[base]
        if self.columns.get(base) == base and self.vectors:  # the A of A_k^{(i)} has samples beside its k
            return 2
        known = [n + (base in self.notation.many) for b, n in self.notation.indexed if b == base]
        if known or count:
            return max([*known, count])
        plain = letter(base)
        labelled = base != plain and plain in ("K", "M", "D")  # K_{row} counts nothing
        if (plain in SCALARS and not labelled) or (self.is_loss(base) and plain not in ("S", "R")) or not self.vectors:
            return 0
        if plain[:1].isupper() and base not in LOSSES:
            return 1 if base in OFFSETS else 2
        return 2 if plain in ("w",) else 1


def _layer_given(head: Ref) -> bool:
    """Whether a symbol is of one layer, and not of any."""
    return any(kind == "layer" and not letters(slot) for kind, slot in head.slots)


def find_families(program: Program) -> None:
    """Letters tell quantities apart where one name has several definitions, or its indices play several parts."""
    heads: dict[str, set[tuple[str, ...]]] = {}
    uses: dict[str, set[tuple[str, ...]]] = {}
    for definition in program.definitions:
        head = definition.head
        entry = isinstance(definition.body, Indexed) and definition.body.subs == head.subs  # p_i = softmax(o)_i
        if _told_by_letters(head) and not entry:
            heads.setdefault(head.base, set()).add(letters_of(head))
        for node in definition.body.walk():
            if isinstance(node, Ref) and _told_by_letters(node):
                uses.setdefault(node.base, set()).add(letters_of(node))
    several = {base for base, found in heads.items() if len(found) > 1}
    leaves = {base: found for base, found in uses.items() if base not in heads}
    crossed = {base for base, found in leaves.items() if any(_crossed(a, b) for a in found for b in found)}
    if not several and not crossed:
        return
    program.families = several | crossed | {base for base, found in leaves.items() if len(found) > 1}
    made = {at: _reached(at, program.definitions) for at in ((b, letters) for b in several for letters in heads[b])}
    for base in several:
        for new in uses.get(base, set()) - heads[base]:
            others = [below for (b, letters), below in made.items() if b == base and len(letters) == len(new)]
            if others and all((base, new) in below for below in others):
                program.inputs.add((base, new))


def _reached(
    head: tuple[str, tuple[str, ...]], definitions: Collection[Definition]
) -> set[tuple[str, tuple[str, ...]]]:
    """What a quantity is made of, by name and letters: z_j and a_i for a_j."""
    found, new = set[tuple[str, tuple[str, ...]]](), {head}
    while new:
        bodies = [d.body for d in definitions if (d.head.base, letters_of(d.head)) in new]
        used = {(part.base, letters_of(part)) for body in bodies for part in body.walk() if isinstance(part, Ref)}
        new = used - found
        found |= new
    return found


def _told_by_letters(ref: Ref) -> bool:
    """Whether the letters below a symbol may tell which quantity it is, of any sample: h_j, and V_j^μ."""
    return bool(ref.subs) and {*ref.kinds} <= {"sample", "time"} and all(isinstance(sub, Name) for sub in ref.subs)


def made_of(definitions: Collection[Definition], names: Collection[str]) -> set[str]:
    """Some names, and those of all that is in their definitions, however deep."""
    found, last = {*names}, set[str]()
    while found != last:
        last = {*found}
        bodies = (d.body for d in definitions if d.head.base in found)
        found |= {part.base for body in bodies for part in body.walk() if isinstance(part, Ref)}
    return found


def counting(letter: str) -> str:
    """The letter of what a letter with a prime or a number counts: h for the h' and h_1 that sums go over."""
    return letter.rstrip("'0123456789") or letter


def letters_of(ref: Ref) -> tuple[str, ...]:
    """The letters of a symbol's indices."""
    return tuple(counting(sub.base) for sub in ref.subs if isinstance(sub, Name))


def _crossed(a: tuple[str, ...], b: tuple[str, ...]) -> bool:
    """One letter in two places: w_{ij} and w_{jk}."""
    return len(a) == len(b) > 1 and any(x in b and b.index(x) != k for k, x in enumerate(a))


def is_update(head: Node, body: Node, op: str = "=") -> bool:
    """Whether a parameter is made of itself, or anything is said to be made of itself: Q := (1 - λ) Q + λ Q_i."""
    if op == ":=" and recurs(head, body):
        return True
    known = isinstance(head, Ref) and core(head.base).removeprefix("Delta ") in {*PARAMETER_LETTERS, *MOMENTS}
    return known and recurs(head, body)


def recurs(head: Node, body: Node) -> bool:
    """Whether the right side uses what stands on the left, old or new."""
    if not isinstance(head, Ref):
        return False
    plain = replace(head, mark="")
    return any(isinstance(node, Ref) and replace(node, mark="") == plain for node in body.walk())
