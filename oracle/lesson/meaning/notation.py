r"""The notation of one lesson: which scripts are layers, samples, steps, indices, labels or powers.

What a formula leaves open (`syntax`) the whole lesson decides: a superscript is a layer if weights carry it, a
subscript is a step if it is met as t - 1, and one that names another quantity (W_{xh}) or is a word is a label.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from oracle.lesson.meaning.above import BESIDE, Stepped, stepped_names, with_labels
from oracle.lesson.meaning.bold_samples import bold_rows
from oracle.lesson.meaning.cases import General
from oracle.lesson.meaning.differentials import total, with_changes
from oracle.lesson.meaning.gradients import gradient_of, markers, named
from oracle.lesson.meaning.index_letters import compared
from oracle.lesson.meaning.iterations_above import iterated
from oracle.lesson.meaning.last_layers import last_layers
from oracle.lesson.meaning.last_steps import always_last, stepping_above
from oracle.lesson.meaning.layers_below import counted_below
from oracle.lesson.meaning.losses import LOSSES, SampleLosses
from oracle.lesson.meaning.many import many_vectors, numbered_matrices
from oracle.lesson.meaning.naming import Units, flat, spelled, units
from oracle.lesson.meaning.one_by_one import one_by_one
from oracle.lesson.meaning.over_marks import OverMarks
from oracle.lesson.meaning.primes import primed, quantities, sloped
from oracle.lesson.meaning.ranges import running, tops
from oracle.lesson.meaning.samples_above import samples_above
from oracle.lesson.meaning.samples_below import samples_below, samples_last
from oracle.lesson.meaning.squares import Bare, bare, squared
from oracle.lesson.meaning.step_heads import step_heads
from oracle.lesson.meaning.unit_names import AnyUnit
from oracle.lesson.meaning.whole_gradients import completed, gradients_by, loss_of
from oracle.lesson.syntax import (
    Call,
    Derivative,
    Gradient,
    Indexed,
    Items,
    Marked,
    Matrix,
    Name,
    Negative,
    Node,
    Number,
    Plus,
    Power,
    Prime,
    Quotient,
    Relation,
    Statement,
    Sum,
    Tagged,
    Text,
    Transpose,
    rebuilt,
)  # fmt: skip

LAYER_LETTERS = {"l", "L", "ell", "cal L"}
OUTPUT_LETTERS = {"o", "O", "out", "output"}
"""What the layer of the outputs is called where it has a name."""
TIME_LETTERS = {"t", "tau"}
SAMPLE_LETTERS = {"i", "n", "m", "s", "p", "mu", "d", "j", "k", "r", "q"}
UNITS = {"input", "hidden", "output", "sample"}
"""Roles of what stands as an index."""
INDEX_LETTERS = set("ijklmnpqrsucdv") | {"ell", "alpha", "beta", "mu", "nu", "kappa", "rho"}
EARLY = set("abc")
"""Letters that are indices where one of them surely is."""
PARAMETER_LETTERS = {"w", "W", "b", "B", "theta", "Theta", "u", "U", "v", "V"}
REGRESSED = {"alpha", "beta"}
"""What statisticians call parameters: α_{0m} + α_m^T X."""
REPEATED = {"W", "U", "V", "A", "lambda", "gamma"}
"""What is the same in every step: W^t is a power."""
CHOSEN = Name("class")
CLASSES = {"y", "c", "k"}
"""What a class is called that stands as an index with a step or a sample."""
MANY_PARTIALS = 12
"""A lesson with more of them, and no transpose among them, writes none."""
NUMBERS = {"e", "pi", "epsilon", "eta", "alpha", "lambda", "beta", "gamma"}


def same(statement: Statement) -> Statement:
    """A statement as it is written."""
    return statement


@dataclass(frozen=True)
class Ref(Node):
    """A quantity where it is used: `a^{[l](i)}_j` has the base `a`, slots layer l and sample i, the subscript j."""

    base: str
    slots: tuple[tuple[str, Node], ...] = ()
    subs: tuple[Node, ...] = ()
    mark: str = ""

    @cached_property
    def kinds(self) -> tuple[str, ...]:
        return tuple(kind for kind, _ in self.slots)


@dataclass(frozen=True)
class Scripts:
    """A symbol taken apart, before anything is decided."""

    name: Name
    tags: tuple[tuple[Node, str], ...]
    powers: tuple[Node, ...]
    subs: tuple[Node, ...]
    mark: str
    entries: bool = False
    """Whether they stand outside of a parenthesis with a label in it, and are indices all."""


def taken_apart(node: Node) -> Scripts | None:
    """The scripts of a symbol, however they are nested; None where the core is no symbol."""
    tags: list[tuple[Node, str]] = []
    powers: list[Node] = []
    subs: tuple[Node, ...] = ()
    mark = ""
    entries = False
    while not isinstance(node, Name):
        match node:
            case Tagged(base=base, tag=tag, bracket=bracket):
                tags.insert(0, (tag, bracket))
            case Power(base=base, exponent=exponent):
                powers.insert(0, exponent)
            case Indexed(base=Name(base=matrix), subs=label) if subs and _is_label(matrix, label, len(subs)):
                node, entries = Name("_".join([matrix, *map(_word, label)]), span=node.span), True
                continue
            case Indexed(base=base, subs=inner):
                subs = inner + subs
            case Marked(base=base, mark=word):
                mark = word
            case _:
                return None
        node = base
    return Scripts(node, tuple(tags), tuple(powers), subs, mark, entries)


def _is_label(matrix: str, label: tuple[Node, ...], count: int) -> bool:
    """Whether the 2 of (W_2)_{hk}, which has its indices outside, says which parameter it is."""
    if any(letters(sub) & LAYER_LETTERS for sub in label):
        return False
    if all(isinstance(sub, Number) for sub in label):
        return True
    return matrix in PARAMETER_LETTERS and matrix.isupper() and count == 2


def letters(node: Node) -> set[str]:
    """Every letter of an expression."""
    return {part.base for part in node.walk() if isinstance(part, Name)}


def mentions(node: Node, base: str = "") -> bool:
    """Whether a formula has a symbol of this name; without a name, any symbol but the e of e^{-0.15}."""
    if not base and isinstance(node, Power) and node.base == Ref("e"):
        return mentions(node.exponent)
    if not base and not isinstance(node, Ref):
        return any(map(mentions, node.children()))
    return any(isinstance(part, Ref) and (not base or part.base == base) for part in node.walk())


def is_class(sub: Node) -> bool:
    """Whether an index is the class of a step or sample: the y^{(t)} of -log p_{y^{(t)}}."""
    core = sub.base if isinstance(sub, Tagged | Indexed) else sub
    told = isinstance(sub, Indexed) and sub.subs == (CHOSEN,)
    return isinstance(core, Name) and core is not sub and (core.base in CLASSES or told)


def chosen(letter: str) -> Indexed:
    """The mark of a letter that is the true class: the c of -log p_c."""
    return Indexed(Name(letter), (CHOSEN,))


def stepped(node: Node) -> str | None:
    """The letter of `t - 1` or `l + 1`."""
    if (
        isinstance(node, Plus)
        and len(node.terms) == 2
        and isinstance(node.terms[0], Name)
        and isinstance(node.terms[1], Number)
    ):
        return node.terms[0].base
    return None


def counted_on(at: Node, by: int) -> Node:
    """`t - 1` or `l + 1`; the letter itself for 0."""
    return Plus((at, Number(str(abs(by)))), (1, 1 if by > 0 else -1)) if by else at


@dataclass
class Notation:
    """What the scripts of this lesson mean."""

    roles: Mapping[str, str] = field(default_factory=dict)
    """What the lesson says that its letters count: input, hidden, output, sample, step or layer."""
    layers: set[str] = field(default_factory=lambda: set(LAYER_LETTERS))
    """Letters that count layers."""
    plain_layers: set[str] = field(default_factory=set)
    """Bases whose superscript without brackets is a layer."""
    bare: Bare = field(default_factory=set)
    """Names that stand without anything above them, with the number of their indices."""
    bracket_kinds: dict[str, str] = field(default_factory=dict)
    """By base, what a number in brackets is."""
    stepping_above: set[str] = field(default_factory=set)
    """Bases whose steps stand above without brackets: T is the last one there, as in δ^{T-1} beside δ^t."""
    timed: set[str] = field(default_factory=set)
    """Bases whose superscripts in parentheses count steps: the k of h^{(k)} beside h^{(t)}."""
    passing: set[str] = field(default_factory=set)
    """Letters that count steps in parentheses above: the k of h^{(k)}, and of the copy W^{(k)}."""
    iterated: set[tuple[str, str]] = field(default_factory=set)
    """Parameters with the letter that counts their updates: the β and r of β^{(r+1)} = β^{(r)} - …"""
    sub_slots: dict[str, tuple[int, str]] = field(default_factory=dict)
    """By base, which subscript is a step (or a layer)."""
    bound: set[str] = field(default_factory=set)
    """Letters that a sum goes over."""
    indexed: set[tuple[str, int]] = field(default_factory=set)
    """Bases, with the number of their subscripts, that carry an index letter."""
    widths: set[tuple[str, str]] = field(default_factory=set)
    """Numbers of dimensions with the letter below them: the k of √d_k says of which vectors, and counts nothing."""
    many: set[str] = field(default_factory=set)
    """Names of many vectors: u_w is the vector of the word w."""
    rows: frozenset[str] = frozenset()
    """Letters whose bold symbols have an index less than their plain ones: the y of \\mathbf{y}_i beside y_{ik}."""
    single: set[tuple[str, str]] = field(default_factory=set)
    """Names of one vector each with the letter below it, which is a label: v_c."""
    labelled: set[str] = field(default_factory=set)
    """Letters that are labels though they are letters of indices: the i of W_i beside i_t."""
    numbered: set[str] = field(default_factory=set)
    """Names whose numbers below tell quantities apart: δ_1 is one partial, δ_2 another."""
    below: set[str] = field(default_factory=set)
    """Symbols whose layer stands below them as well: z_2 for z^{[2]}, in a lesson that writes W_2 for W^{[2]}."""
    parted: set[tuple[str, int]] = field(default_factory=set)
    """Symbols that are known by a number, with as many scripts as they have where entries follow: the Z of Z_{2,ij}."""
    counting: set[str] = field(default_factory=set)
    """Letters that count though they are no usual ones: the b of V_{lb} beside V_{lm}."""
    entries: set[str] = field(default_factory=set)
    """Letters that never count steps, where others do: the i of x_i beside x_{t_i}."""
    ends: set[str] = field(default_factory=set)
    """Letters that are the last step, because sums over the steps end there: the τ of Σ_{t=1}^τ."""
    lags: set[str] = field(default_factory=set)
    """Letters that are no last step, because they say how far back something is: the m of s_{k-m}."""
    numbered_names: set[str] = field(default_factory=set)
    """Names that stand with a number alone below them, as the b of b_2 does, and never with a letter."""
    renamed: Callable[[Statement], Statement] = same
    """What is done with symbols before anybody asks what they mean."""
    tops: set[str] = field(default_factory=set)
    """Letters that are the last layer, because layers are counted up to them: the M of m = 1, …, M."""
    chosen: set[str] = field(default_factory=set)
    """Letters that are the true class: then targets are one-hot."""
    rows_labelled: bool = False
    """Whether P_{i y_i} stands in the lesson: then every row of targets has a class."""
    made_by: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """The activations, by their functions and what these are given."""
    others: bool = False
    """Whether the lesson speaks of the classes that are not the true one."""
    labelled_losses: set[Ref] = field(default_factory=set)
    """Losses whose index only says which sample is meant."""
    from_zero: bool = False
    """Whether sums begin with 0: then w_{j0} is one of the w_{ji}."""
    written: dict[str, int] = field(default_factory=dict)
    """How many entries of a vector a sum has that is written out: 3 of z in v_{00} z_0 + v_{01} z_1 + v_{02} z_2."""
    sampled: dict[str, str] = field(default_factory=dict)
    """By base, the letter of its first index that counts samples: the i of x_i beside w^T x_i."""
    sample_ends: set[str] = field(default_factory=set)
    """Letters that are the last sample below a symbol: the n of x_n, where Σ_{i=1}^n adds up what is of x_i."""
    last_sampled: set[str] = field(default_factory=set)
    """Bases whose last index counts samples: the z of z_{mi} and z_i."""
    samples_above: set[str] = field(default_factory=set)
    """Letters that count samples without brackets above: the μ of x_i^μ."""
    samples_at: int | None = None
    """Which axis of its batches counts samples, by all that the lesson multiplies."""
    sample_losses: SampleLosses = field(default_factory=SampleLosses)
    """Losses that are one thing of a sample and another of all."""
    totals: set[str] = field(default_factory=set)
    """Letters of losses that are added up to one of the same letter."""
    predicted: dict[str, str] = field(default_factory=dict)
    """By the name of a function of samples, the quantity that it is: h_θ(x)."""
    summed: bool = False
    """Whether the lesson says that repeated indices are summed."""
    sums_left_out: bool = False
    """Whether the lesson leaves sums out without saying so: it writes none, and repeats indices."""
    squares: set[str] = field(default_factory=set)
    """Names whose square is a quantity of its own: σ² of a batch."""
    units: Units = field(default_factory=Units)
    """The units that go by names: o1, h2."""
    primed: set[str] = field(default_factory=set)
    """Names whose primes are partials."""
    sloped: set[str] = field(default_factory=set)
    """Costs whose primes are partials, and which are no functions: the C of C'(a)."""
    markers: frozenset[str] = frozenset()
    """What makes a quantity's name that of its partial: the δ of δh_t, the bar over h_t."""
    called_values: dict[Call, "Ref"] = field(default_factory=dict)
    """Values of functions by which the lesson differentiates, with their names."""
    over: OverMarks = field(default_factory=OverMarks)
    """How it writes convolutions."""
    differentials: bool = False
    """Whether dL and dW are changes of L and W, and no partials."""
    stepping: Stepped = field(default_factory=Stepped)
    """What has steps."""
    layouts: tuple[str, ...] = ()
    """How partials may be laid out, by what the lesson says."""
    behind_nabla: set[str] = field(default_factory=set)
    """Quantities whose gradient is meant by ∇ before them: the a of ∇a = ∂C/∂a."""
    loss: str = ""
    """What the lesson differentiates."""
    abbreviated: str = ""
    """The loss of whose partials the prose says that dA is short for them."""
    synonyms: dict[str, str] = field(default_factory=dict)
    """By the lesson's own name of a function that is known, the usual one."""
    general: General = field(default_factory=General)
    """Variables that are meant in general: the X of α_m^T X beside α_m^T x_i."""
    thresholds: frozenset[tuple[str, int]] = frozenset()
    """Weights whose entry 0 is a threshold, and where the 0 stands: the w of w_0 + Σ_{i=1}^n w_i x_i."""
    two_steps: Mapping[str, tuple[Ref, Derivative]] = field(default_factory=dict)
    """Error signals of two steps, and the partials that they stand for."""
    any_unit: AnyUnit = field(default_factory=AnyUnit)
    """Units that may be of any layer."""
    depths: dict[int, int] = field(default_factory=dict)
    """How many layers the prose of a section says that there are."""
    turnless: bool = False
    """Whether the lesson writes no transpose anywhere, though it has many partials."""
    starting: frozenset[str] = frozenset()
    """What has steps above it that begin at 0: the a and x of a^0 = w x^0 + b."""
    narrow: set[int] = field(default_factory=set)
    """The sections that speak of a net with a single unit in some layer: a 1-2-1 network."""
    scalar: set[int] = field(default_factory=set)
    """The sections before the first with vectors."""

    def letters_of(self, role: str, custom: set[str]) -> set[str]:
        """The letters of a role: those of custom, but for those that the lesson gives another."""
        said = {letter for letter, known in self.roles.items() if known == role}
        return (custom - {*self.roles}) | said

    @property
    def times(self) -> set[str]:
        """Letters that count steps."""
        return self.letters_of("step", TIME_LETTERS)

    # -- the decision for one symbol

    def ref(self, parts: Scripts) -> Node:
        """The symbol as a quantity, its powers around it."""
        parts = self.placed(parts)
        base = parts.name.base
        slots = [slot for tag, bracket in parts.tags for slot in self.slots_of_tag(base, tag, bracket)]
        powers, squared = [], ""
        for at, power in enumerate(parts.powers):
            there = {kind for kind, _ in slots}
            raised = at > 0 and isinstance(power, Number)  # (V^μ)^2
            if (kind := self.kind_of_power(base, power)) and kind not in there and not raised:
                slots.append((kind, power))
            elif base in self.squares and isinstance(power, Number) and power.text == "2":
                squared = "^2"
            else:
                powers.append(power)
        subs: list[Node] = []
        labels: list[str] = []
        numeric = []
        for at, sub in enumerate(flat(parts.subs)):
            if is_class(sub):
                subs.append(sub)
                numeric.append(False)
                continue
            if isinstance(sub, Indexed) and self.is_step(base, sub.base):
                slots.append(("time", sub.base))  # s_{t_m}: entry m at step t
                subs += sub.subs
                numeric += [isinstance(inner, Number) for inner in sub.subs]
                continue
            if (kind := self.kind_of_sub(base, at, len(parts.subs), sub)) in ("time", "layer", "sample"):
                slots.append((kind, sub))
            elif (kind == "label" and not parts.entries) or self.is_bias(base, parts.subs, sub):
                labels.append(_word(sub))
            else:
                numeric.append(isinstance(sub, Number))
                subs.append(sub)
        if len(subs) == 1 and all(numeric) and base in self.below and all(kind != "layer" for kind, _ in slots):
            slots.append(("layer", subs.pop()))
        labelled = "_".join([base, *labels]) + squared
        told = parts.name.bold or base in self.numbered or (base in ("W", "Theta") and subs == [Number("0")])  # a bias
        if subs and all(numeric) and (told or not self.has_axes(labelled, len(subs))):
            labelled, subs = "_".join([labelled, *(_word(sub) for sub in subs)]), []
        if len(subs) == 1 and isinstance(subs[0], Number) and len(subs[0].text) == 2 and (labelled, 2) in self.indexed:
            subs = [Number(digit, span=subs[0].span) for digit in subs[0].text]
        node: Node = Ref(
            labelled, tuple(sorted(slots, key=lambda s: s[0])), tuple(subs), parts.mark, span=parts.name.span
        )
        for power in powers:
            node = Power(node, lifted(power, self), span=parts.name.span)
        return node

    def placed(self, parts: Scripts) -> Scripts:
        """(W_2)_{ij} in a lesson of W_l, where the 2 is a layer and no label."""
        core, _, label = parts.name.base.partition("_")
        if not parts.entries or not label.isdigit() or self.sub_slots.get(core) != (0, "layer"):
            return parts
        number = Number(label, span=parts.name.span)
        return replace(parts, name=replace(parts.name, base=core), subs=(number, *parts.subs), entries=False)

    def is_bias(self, base: str, subs: tuple[Node, ...], sub: Node) -> bool:
        """Whether w_{j0} stands beside the w_{ji} of a sum over i that does not begin with 0."""
        weighs = base in PARAMETER_LETTERS | REGRESSED and len(flat(subs)) == 2 and not self.from_zero
        return weighs and isinstance(sub, Number) and sub.text == "0"

    def is_step(self, base: str, sub: Node) -> bool:
        """Whether the r of s_{r_m} is a step."""
        if isinstance(sub, Number):
            return self.sub_slots.get(base) == (0, "time")
        if isinstance(sub, Plus) and letters(sub) & self.times:
            return True
        return isinstance(sub, Name) and (sub.base in self.times or self.sub_slots.get(base) == (0, "time"))

    def has_axes(self, base: str, count: int) -> bool:
        """Whether letters stand below a symbol somewhere; of db_2, below a b that has a number as well."""
        inner = gradient_of(base, self.markers)
        if inner in self.numbered_names:
            base = inner
        return (base, count) in self.indexed or (count == 1 and (base, 2) in self.indexed)

    def slots_of_tag(self, base: str, tag: Node, bracket: str) -> list[tuple[str, Node]]:
        """What stands in brackets above; both the sample and the layer of x^{(p,3)}."""
        if not isinstance(tag, Items) or len(tag.items) != 2:
            return [(self.kind_of_tag(base, tag, bracket), tag)]
        found = [(self.kind_of_tag(base, item, bracket), item) for item in tag.items]
        if {kind for kind, _ in found} == {"sample"}:
            found = [("layer" if isinstance(item, Number) else kind, item) for kind, item in found]
        return found if len({kind for kind, _ in found}) == 2 else [(self.kind_of_tag(base, tag, bracket), tag)]

    def kind_of_tag(self, base: str, tag: Node, bracket: str) -> str:
        used = letters(tag)
        if used & self.times or bracket == "<":
            return "time"
        if used & self.layers or "n_l" in used or bracket == "[":
            return "layer"
        if bracket == "(" and any((base, letter) in self.iterated for letter in used):
            return "time"
        if bracket == "(" and (base in self.timed or (used and used <= self.passing and base in PARAMETER_LETTERS)):
            return "time"
        if used & self.letters_of("sample", SAMPLE_LETTERS):
            return "sample"
        if used:
            return "layer"
        return self.bracket_kinds.get(base, "layer")

    def kind_of_power(self, base: str, power: Node) -> str:
        used = letters(power)
        if base in NUMBERS and base not in self.plain_layers:
            return ""
        if used and used <= self.times | ({"T"} if base in self.stepping_above else set()):
            return "" if base in REPEATED else "time"
        if used and used <= self.layers:
            return "layer"
        if isinstance(power, Name) and power.base in self.samples_above:
            return "sample"
        if not used and isinstance(power, Number) and base in self.plain_layers and power.text.isdigit():
            return "layer"
        return ""

    def kind_of_sub(self, base: str, at: int, count: int, sub: Node) -> str:
        used = letters(sub)
        if self.is_size(sub):
            return "label" if base in ("I", "bb I") else "index"
        counted = self.counts_samples(base, at, count) and isinstance(sub, Name)
        if counted and (self.sampled[base] in used or (count == 1 and used <= self.sample_ends)):
            return "sample"
        if used & self.times and "total" not in used:
            return "time"
        if used and all(self.roles.get(letter) == "layer" for letter in used):
            return "layer"
        if isinstance(sub, Name) and sub.base in BESIDE:
            return "label"  # dh_{next} is of no step that next counts
        where, kind = self.sub_slots.get(base, self.sub_slots.get(gradient_of(base, self.markers), (None, "")))
        if count == 1 and base in ("w", "b") and used and used <= self.layers:  # the w_L of W_L
            where, kind = self.sub_slots.get(base, self.sub_slots.get(base.upper(), (where, kind)))
        entry = kind == "time" and isinstance(sub, Name) and sub.base in self.entries
        there = where in (at, at - count) and not entry
        if there and (kind != "layer" or not used or used & self.layers or stepped(sub)):
            return kind
        if isinstance(sub, Text) or (at == 0 and isinstance(sub, Number) and (base, count) in self.parted):
            return "label"
        if isinstance(sub, Name):
            if sub.base == ":" and count == 2:
                return "index"
            return "label" if self.is_label(sub.base) or (base, sub.base) in self.widths | self.single else "index"
        return "index"

    def counts_samples(self, base: str, at: int, count: int) -> bool:
        """Whether samples are counted at a place below a symbol: first, as in y_{ik}, or last, as in z_{mi}."""
        return base in self.sampled and (at == count - 1 if base in self.last_sampled else at == 0)

    def is_size(self, sub: Node) -> bool:
        """Whether the M_l of z_{M_l} is how many units a layer has: no layer, and the last index."""
        match sub:
            case Indexed(base=Name(base=base), subs=(Name(base=layer),)):
                return layer in self.layers and base not in self.layers | self.times | {"n", "N"}
        return False

    def is_label(self, letter: str) -> bool:
        bare = letter.rstrip("'")
        if bare in self.units.labels:
            return True
        if bare in self.bound or bare in self.counting:
            return False
        return bare in self.labelled or bare not in INDEX_LETTERS


def _word(sub: Node) -> str:
    match sub:
        case Name(base=base):
            return base
        case Number(text=text):
            return text
        case Text(text=text):
            return text
    return "".join(_word(part) for part in sub.children())


def survey(given: Iterable[Statement], roles: Mapping[str, str] | None = None, classes: Iterable[str] = ()) -> Notation:
    """The notation of a lesson, from all its statements; `classes` are letters that are the true class."""
    marked = markers(given := list(given))
    stepping, changing = stepped_names(given), total(given)
    given = [replace(s, body=with_changes(s.body)) for s in given] if changing else given
    known = units(given := [replace(s, body=named(with_labels(s.body, stepping), marked)) for s in given])
    statements = [spelled(s, known) for s in given]
    nodes = [node for s in statements for top in (s.body, *s.asides) for node in top.walk()]
    bound = {name.base for node in nodes if isinstance(node, Sum) for name in node.indices}
    found = Notation(
        units=known, bound=bound, roles=roles or {}, markers=marked, stepping=stepping, counting={*classes}
    )
    found.differentials = changing
    partials = sum(isinstance(node, Derivative | Gradient) for node in nodes)
    found.turnless = partials > MANY_PARTIALS and not any(isinstance(node, Transpose) for node in nodes)
    found.from_zero = any(isinstance(node, Sum) and node.lower == Number("0") for node in nodes)
    found.from_zero |= any(text == "00" for _, text in map(_two_digits, nodes))
    found.layers = found.letters_of("layer", found.layers | counted_below((s.body for s in statements), found.times))
    found.ends = {end for node in nodes if isinstance(node, Sum) and (end := _end(node, found.times - {"tau"}))}
    found.ends |= always_last(statements) - bound
    found.lags = {lag for node in nodes if isinstance(node, Indexed) for sub in node.subs for lag in _lags(sub)}
    found.many, found.single = many_vectors(statements)
    found.single |= numbered_matrices(statements)
    found.widths = set(filter(None, map(_width, nodes)))
    found.rows = bold_rows(nodes, known.labels)
    found.iterated = {pair for s in statements if (pair := iterated(s.body))}
    found.stepping_above = stepping_above(statements)
    _layers(nodes, found)
    found.layers |= running(statements, found.layers - {*found.roles}) - {*found.roles}
    found_tops = tops(statements, found.layers) | _outputs_above(nodes, found) | last_layers(statements, found.layers)
    if found_tops := found_tops - found.times - {*found.roles}:
        found.tops, found.layers = found_tops, found.layers | found_tops
        _layers(nodes, found)
    found.samples_above = samples_above(nodes) - found.layers - found.times
    _subscripts(nodes, found)
    more = tops(statements, found.layers) - {*found.roles} - found.layers  # the K of f_1, …, f_K
    found.tops, found.layers = found.tops | more, found.layers | more
    _numbered_steps(statements, found)
    stepped_bases = {base for base, slot in found.sub_slots.items() if slot == (0, "time")}
    for base in step_heads(statements, stepped_bases) - PARAMETER_LETTERS:
        found.sub_slots.setdefault(base, (0, "time"))
    found.parted, found.bare = _parted(nodes), bare(nodes)
    found.below = _layers_below(nodes, found)
    steps = {step for node in nodes if isinstance(node, Plus) and (step := stepped(node))}
    found.sampled = samples_below(statements, found.times | found.layers | steps, PARAMETER_LETTERS | {"beta"})
    last = samples_last(statements, {*found.sampled.values()})
    found.sampled, found.last_sampled = {**found.sampled, **last}, {*last}
    found.many -= found.sampled.keys()
    found.sample_ends = _ends_of(nodes, {*found.sampled.values()})
    _labels([top for s in statements for top in (s.body, *s.asides)], nodes, found)
    _squares(nodes, statements, found)
    alone = _mentioned(statements)
    renewed = [s.body for s in statements if _renews(s.body)]
    mentions_of_units = _mentions_of(one_by_one(statements), statements)
    _axes([node for node in nodes if id(node) not in alone], renewed, mentions_of_units, found)
    found.numbered = {base for s in statements if (base := _told_apart(s.body))} | set(map(_turned, nodes)) - {""}
    heads = [s.body.items[0] for s in statements if isinstance(s.body, Relation)]
    found.primed = quantities(nodes, heads, lambda node: _name(node, found))
    found.numbered_names = {base for base in map(_with_number, nodes) if not found.has_axes(base, 1)} - {""}
    found.rows_labelled = any(_labelled_row(node) for node in nodes)
    found.sloped = sloped(nodes, _base)
    found.loss = loss_of(nodes, _base)
    found.behind_nabla = gradients_by(nodes, _base)
    return found


def _mentioned(statements: list[Statement]) -> set[int]:
    """The identities of indexed weights that the text only mentions, where all equations have them whole: W_i."""
    related = [s.body for s in statements if isinstance(s.body, Relation)]
    parts = [found for body in related for node in body.walk() if (found := taken_apart(node))]
    indexed = {found.name.base for found in parts if found.subs}
    whole = {found.name.base for found in parts} - indexed
    tops = [s.body for s in statements if (found := taken_apart(s.body)) and found.subs and found.name.base in whole]
    return {id(node) for top in tops if _base(top) in PARAMETER_LETTERS for node in top.walk()}


def _told_apart(body: Node) -> str:
    """The δ of δ_1 = ∂J/∂θ, which is no entry of anything."""
    if not isinstance(body, Relation) or not isinstance(body.items[0], Indexed):
        return ""
    parts = taken_apart(body.items[0])
    partial = body.items[1]
    whole = isinstance(partial, Derivative) and not any(isinstance(n, Indexed) for w in partial.wrt for n in w.walk())
    return parts.name.base if parts and whole and all(isinstance(sub, Number) for sub in parts.subs) else ""


def _labelled_row(node: Node) -> bool:
    """Whether a symbol is P_{i y_i}: of every row the entry of its class."""
    match node:
        case Indexed(subs=(Name() as row, Indexed(subs=(Name() as of,)) as label)):
            return row == of and is_class(label)
    return False


def _with_number(node: Node) -> str:
    """The b of b_2."""
    match node:
        case Indexed(base=Name(base=base), subs=(Number(),)):
            return base
    return ""


def _turned(node: Node) -> str:
    """The X of X_2^T, where no entry can be transposed."""
    match node:
        case Transpose(base=Indexed(base=Name(base=base), subs=(Number(text=text),))) if len(text) == 1:
            return base
    return ""


def _base(node: Node) -> str:
    """The letter of a symbol, whatever its scripts; "" of anything else."""
    parts = taken_apart(node)
    return parts.name.base if parts else ""


def _name(node: Node, notation: "Notation") -> str:
    """The name of a symbol without index or slot; "" of anything else."""
    parts = taken_apart(node)
    made = notation.ref(parts) if parts else None
    return made.base if isinstance(made, Ref) and not made.subs and not made.slots else ""


def _end(node: Sum, times: set[str]) -> str:
    """The letter at which a sum over all steps ends; "" for any other sum."""
    steps = len(node.indices) == 1 and node.indices[0].base in times and isinstance(node.lower, Number)
    return node.upper.base if steps and isinstance(node.upper, Name) else ""


def _lags(sub: Node) -> Iterator[str]:
    """The m of k - m, and of k - m + 1."""
    if isinstance(sub, Plus) and isinstance(sub.terms[0], Name):
        for term, sign in zip(sub.terms, sub.signs, strict=True):
            if sign < 0 and isinstance(term, Name):
                yield term.base


def _ends_of(nodes: list[Node], letters: set[str]) -> set[str]:
    """Where sums over some letters end."""
    sums = [node for node in nodes if isinstance(node, Sum) and letters & {name.base for name in node.indices}]
    return {total.upper.base for total in sums if isinstance(total.upper, Name)} - letters


def _width(node: Node) -> tuple[str, str] | None:
    """The d and k of √d_k."""
    match node:
        case Power(base=Indexed(base=Name(base="d" | "D" as base), subs=(Name(base=letter),)), exponent=Quotient()):
            return base, letter
    return None


def _layers(nodes: list[Node], found: Notation) -> None:
    _timed(nodes, found)
    found.layers |= _counted_above(nodes) - found.times
    for node in nodes:
        match node:
            case Tagged() | Power():
                parts = taken_apart(node)
                if parts is None:
                    continue
                base = parts.name.base
                bare = base[1:] if base.startswith("d") and len(base) == 2 else base
                for tag, _ in parts.tags:
                    if bare in PARAMETER_LETTERS and bare not in ("u", "v"):
                        others = found.passing | found.times | found.roles.keys()
                        others |= {letter for name, letter in found.iterated if name == base}
                        found.layers |= {x for x in letters(tag) - others if len(x) < 3}
                for power in parts.powers:
                    used = letters(power)
                    if power == Number("1"):  # nobody writes a first power
                        found.plain_layers.add(base)
                    if used and used <= found.layers and base not in NUMBERS:
                        found.plain_layers.add(base)
                    if bare in ("w", "W", "b") and stepped(power) and stepped(power) not in found.times:
                        found.layers.add(stepped(power) or "l")
                        found.plain_layers.add(base)
    for node in nodes:
        parts = taken_apart(node) if isinstance(node, Tagged) else None
        for tag, bracket in parts.tags if parts else ():
            if parts and letters(tag) and not isinstance(tag, Items):
                found.bracket_kinds.setdefault(parts.name.base, found.kind_of_tag(parts.name.base, tag, bracket))
    if found.plain_layers:  # the others of that lesson carry numbers in the same place
        for node in nodes:
            if (
                isinstance(node, Power)
                and (parts := taken_apart(node))
                and parts.name.base in PARAMETER_LETTERS | {"a", "z", "h", "delta"}
            ):
                found.plain_layers.add(parts.name.base)


def _outputs_above(nodes: list[Node], found: Notation) -> set[str]:
    """The o of δ^o and z^o beside δ^l and z^l: what stands above two quantities that have layers there."""
    met = [parts for node in nodes if isinstance(node, Power) and (parts := taken_apart(node))]
    above = {(power.base, m.name.base) for m in met for power in m.powers if isinstance(power, Name)}
    return {o for o in OUTPUT_LETTERS if len({base for letter, base in above if letter == o} & found.plain_layers) > 1}


def _counted_above(nodes: list[Node]) -> set[str]:
    """The m of n^m = W^m a^{m-1}: above weights, and with a step above what else carries it."""
    met = [parts for node in nodes if isinstance(node, Power) and (parts := taken_apart(node))]
    plain = {(m.name.base, power.base) for m in met for power in m.powers if isinstance(power, Name)}
    steps = {(m.name.base, letter) for m in met for power in m.powers if (letter := stepped(power))}
    weighed = {letter for base, letter in plain if base in ("w", "W")}
    return {letter for base, letter in steps & plain if letter in weighed and base not in NUMBERS | PARAMETER_LETTERS}


def _subscripts(nodes: list[Node], found: Notation) -> None:
    steps: Counter[str] = Counter()
    for node in nodes:
        parts = taken_apart(node) if isinstance(node, Indexed) else None
        if parts is None:
            continue
        subs = list(flat(parts.subs))
        for at, sub in enumerate(subs):
            letter = stepped(sub)
            if is_class(sub):
                continue
            if letters(sub) & found.times and isinstance(sub, Name | Plus | Indexed):
                found.sub_slots[parts.name.base] = (at if at == 0 else at - len(subs), "time")
            elif letter and parts.name.base not in found.sub_slots:
                steps[letter] += 1
    found.layers |= {x for node in nodes if (x := _layered(node)) and x in steps}
    slot_letters = {x for x in steps if x in found.layers}
    for node in nodes:
        parts = taken_apart(node) if isinstance(node, Indexed) else None
        if parts is None or parts.name.base in found.sub_slots:
            continue
        subs = list(flat(parts.subs))
        for at, sub in enumerate(subs):
            if letters(sub) & slot_letters and not isinstance(sub, Indexed):  # the k_m of z_{k_m} is a unit
                found.sub_slots[parts.name.base] = (at if at == 0 else at - len(subs), "layer")
    times = {base for base, (_, kind) in found.sub_slots.items() if kind == "time"}
    times |= {base for base, kind in found.bracket_kinds.items() if kind == "time"}
    if times:  # W_i beside i_t is a gate's weight
        found.labelled |= {base for base in times if base not in found.bound}


def _two_digits(node: Node) -> tuple[str, str]:
    """The v and 01 of v_{01}, which are two numbers beside v_{kj}."""
    match node:
        case Indexed(base=Name(base=base), subs=(Number(text=text),)) if len(text) == 2:
            return base, text
    return "", ""


def _parted(nodes: list[Node]) -> set[tuple[str, int]]:
    """Symbols that stand whole with a number, as Z_2 does, and with letters behind it, and never with one letter.

    dW_{2,jk} is such a one where W_2 is.
    """
    met = [parts for node in nodes if isinstance(node, Indexed) and (parts := taken_apart(node))]
    digits = {base for base, text in map(_two_digits, nodes) if text}
    scripts = {(parts.name.base, tuple(type(sub) for sub in flat(parts.subs))) for parts in met
               if parts.name.base not in digits}  # fmt: skip
    one = {base for base, kinds in scripts if kinds == (Name,)}
    whole = {base for base, kinds in scripts if kinds == (Number,) and base not in one}
    mixed = {(base, kinds) for base, kinds in scripts if whole & {base, base.removeprefix("d")} and base not in one}
    return {(base, len(k)) for base, k in mixed if len(k) > 1 and k == (Number, *[Name] * (len(k) - 1))}


def _layers_below(nodes: list[Node], found: Notation) -> set[str]:
    """Symbols with layers above them, where a matrix of weights has its layer above it here and below it there."""
    met = [parts for node in nodes if (parts := taken_apart(node))]
    above = {m.name.base for m in met if any(found.kind_of_tag(m.name.base, *tag) == "layer" for tag in m.tags)}
    alone = {m.name.base for m in met if not m.tags and len(m.subs) == 1 and isinstance(m.subs[0], Number)}
    return above if above & alone & {"W", "Theta"} else set()


def _timed(nodes: list[Node], found: Notation) -> None:
    """What has steps in parentheses above it, and the letters that count them: the k of h^{(k)} beside h^{(t)}."""
    tagged = [parts for node in nodes if isinstance(node, Tagged) and (parts := taken_apart(node))]
    for parts in tagged:
        if any(bracket == "(" and letters(tag) & found.times for tag, bracket in parts.tags):
            found.timed.add(parts.name.base)
    for parts in tagged:
        if parts.name.base in found.timed:
            found.passing |= {x for tag, mark in parts.tags if mark == "(" for x in letters(tag)} - LAYER_LETTERS


def _layered(node: Node) -> str | None:
    """The i of W_i, Ω_i and W_{i+1}, whose only index it is."""
    parts = taken_apart(node) if isinstance(node, Indexed) else None
    subs = list(flat(parts.subs)) if parts else []
    if parts is None or len(subs) != 1 or parts.tags or parts.name.base not in ("W", "Omega", "Theta", "B"):
        return None
    letter = subs[0].base if isinstance(subs[0], Name) else stepped(subs[0])
    return letter if letter not in TIME_LETTERS else None


def _labels(tops: list[Node], nodes: list[Node], found: Notation) -> None:
    """The q of W_{qh} is a label like the h beside it; the b of V_{lb} counts beside V_{lm}, if nothing is called b."""
    outside = [parts for node in nodes if isinstance(node, Indexed) and (parts := taken_apart(node)) and parts.entries]
    found.counting |= {sub.base for parts in outside for sub in flat(parts.subs) if isinstance(sub, Name)}
    found.counting |= {letter for top in tops for letter in compared(top)}
    quantities = {name for node in tops if not isinstance(node, Name) for name in _named(node)}
    if found.counting & EARLY:  # the a of P_{ab} beside δ_{bc}
        found.counting |= {sub for _, names in _lettered(nodes, found) for sub in names} & EARLY - quantities
    pure: set[str] = set()
    whole: set[tuple[str, int]] = set()
    mixed: list[tuple[str, list[str], list[str]]] = []
    for base, names in _lettered(nodes, found):
        labels = [name for name in names if found.is_label(name)]
        counted = [name for name in names if name not in labels]
        if labels and counted:
            mixed.append((base, labels, counted))
        elif counted:
            pure.update(counted)
            whole.add((base, len(counted)))
    found.counting |= _between(nodes, found) - quantities
    found.entries = pure - _stepping(nodes)
    for base, labels, counted in mixed:
        if (base, len(labels) + len(counted)) in whole and not quantities & set(labels):
            found.counting |= {label for label in labels if len(label) == 1}
        elif quantities & set(labels):
            found.labelled |= set(counted) - pure - found.bound


def _between(nodes: list[Node], found: Notation) -> set[str]:
    """The h of v_{ih} and w_{hj}: last below one weight and first below another, beside letters that count."""
    met = [parts for node in nodes if isinstance(node, Indexed) and (parts := taken_apart(node))]
    pairs = [(*map(_word, flat(m.subs)),) for m in met if m.name.base in PARAMETER_LETTERS and len(flat(m.subs)) == 2]
    firsts = {first for first, last in pairs if not found.is_label(last)}
    return firsts & {last for first, last in pairs if not found.is_label(first)}


def _stepping(nodes: list[Node]) -> set[str]:
    """Letters that count steps: those of j - 1, and those of sums that begin or end at another letter's step."""
    out: set[str] = set()
    for node in nodes:
        if (letter := stepped(node)) is not None:
            out.add(letter)
        elif isinstance(node, Sum):
            ends = set[str]().union(*(letters(end) for end in (node.lower, node.upper) if end))
            out |= {name.base for name in node.indices} if ends & (TIME_LETTERS | {"T"}) else set()
    return out


def _named(node: Node) -> Iterator[str]:
    """The symbols of a formula, not those that are scripts of others."""
    if (parts := taken_apart(node)) is not None:
        yield parts.name.base
    else:
        for child in node.children():
            yield from _named(child)


def _lettered(nodes: list[Node], found: Notation) -> Iterator[tuple[str, list[str]]]:
    """Every symbol with the letters below it that are no steps, layers or samples."""
    for node in nodes:
        parts = taken_apart(node) if isinstance(node, Indexed) else None
        if parts is None:
            continue
        base, subs = parts.name.base, list(flat(parts.subs))
        inner = [s for sub in subs if isinstance(sub, Indexed) and found.is_step(base, sub.base) for s in sub.subs]
        for at, sub in enumerate(subs):
            if isinstance(sub, Name) and found.kind_of_sub(base, at, len(subs), sub) in ("label", "index"):
                inner.append(sub)
        yield base, [sub.base for sub in inner if isinstance(sub, Name)]


def _numbered_steps(statements: list[Statement], found: Notation) -> None:
    """z_3 = V s_3, where s_t has steps: z has steps too."""
    for statement in statements:
        numbered = list(_numbered(statement.body))
        steps = {n for base, n in numbered if found.sub_slots.get(base) == (0, "time")}
        for base, n in numbered:
            if n in steps and base not in PARAMETER_LETTERS:
                found.sub_slots.setdefault(base, (0, "time"))


def _numbered(node: Node) -> Iterator[tuple[str, str]]:
    for part in node.walk():
        if isinstance(part, Indexed) and isinstance(part.base, Name):
            match part.subs:
                case (Number(text=text),):
                    yield part.base.base, text


def _squares(nodes: list[Node], statements: list[Statement], found: Notation) -> None:
    """σ² is a quantity where it is defined or differentiated by."""
    heads = [s.body.items[0] for s in statements if isinstance(s.body, Relation)]
    partials = [n for n in nodes if isinstance(n, Derivative)]
    variances = [n.of for n in partials if isinstance(n.of, Power) and letters(n.of.base) == {"sigma"}]
    for node in (*heads, *variances, *(wrt for n in partials for wrt in n.wrt)):
        if isinstance(node, Power) and isinstance(node.exponent, Number) and node.exponent.text == "2":
            core = node.base.base if isinstance(node.base, Indexed) else node.base
            if isinstance(core, Name):
                found.squares.add(core.base)


def _renews(body: Node) -> bool:
    """Whether a statement is W_i ← W_i - …, or W_i = W_i - …"""
    return isinstance(body, Relation) and (body.ops[0] in ("<-", "-=", "+=") or body.items[0] in body.items[1].walk())


def _mentions_of(bases: set[str], statements: list[Statement]) -> set[int]:
    """The h_j of formulas that claim nothing, for names that are defined with numbers: h_1 = …, h_2 = …"""
    alone = (node for s in statements if not isinstance(s.body, Relation) for node in s.body.walk())
    return {id(node) for node in alone if _base(node) in bases}


def _axes(nodes: list[Node], updates: list[Node], mentioned: set[int], found: Notation) -> None:
    """Which symbols have indices; the i of W_i ← W_i - … is none where the net has a W_1 and a W_2."""
    apart = {id(node) for update in updates for node in update.walk()} | mentioned
    elsewhere = [taken_apart(node) for node in nodes if isinstance(node, Indexed) and id(node) not in apart]
    known = {parts.name.base for parts in elsewhere if parts}
    for node in nodes:
        if id(node) in apart and (parts := taken_apart(node)) and parts.name.base in known:
            continue
        if not isinstance(node, Indexed) or (parts := taken_apart(node)) is None:
            continue
        subs = list(flat(parts.subs))
        labels: list[str] = []
        axes: list[Node] = []
        for at, sub in enumerate(subs):
            if is_class(sub):
                axes.append(sub)
                continue
            if isinstance(sub, Indexed) and found.is_step(parts.name.base, sub.base):
                axes += list(sub.subs)
                continue
            kind = found.kind_of_sub(parts.name.base, at, len(subs), sub)
            if kind == "label":
                labels.append(_word(sub))
            elif kind == "index":
                axes.append(sub)
        if any(isinstance(sub, Name) or letters(sub) for sub in axes):
            found.indexed.add(("_".join([parts.name.base, *labels]), len(axes)))


def bound(statement: Statement, notation: Notation) -> Statement:
    """A statement with every symbol a `Ref`, and what it says of all units of a name spelled out."""
    body = with_changes(statement.body) if notation.differentials else statement.body
    body = named(with_labels(body, notation.stepping), notation.markers)
    statement = spelled(replace(statement, body=body), notation.units)
    if squares := squared(statement.body, notation.plain_layers, notation.bare, letters):
        notation = replace(notation, plain_layers=notation.plain_layers - squares)
    return Statement(lifted(statement.body, notation), statement.asides, span=statement.span)


def lifted(node: Node, notation: Notation) -> Node:
    """The same formula with every symbol a `Ref`. Functions of calls stay as they are written."""
    partials = notation.primed | notation.sloped
    if (found := primed(node)) and _name(found[0], notation) in partials and taken_apart(found[1]):
        return Derivative(lifted(found[0], notation), (lifted(found[1], notation),), span=node.span)
    if isinstance(node, Gradient):
        node = completed(node, notation.loss, PARAMETER_LETTERS | notation.behind_nabla, _base)
    if isinstance(node, Call):
        call = Call(node.function, tuple(lifted(arg, notation) for arg in node.args), span=node.span)
        return _loss_of_a_sample(call, notation) or call
    if isinstance(node, Sum):
        rest = rebuilt(replace(node, indices=()), lambda child: lifted(child, notation))
        assert isinstance(rest, Sum)
        return replace(rest, indices=node.indices)
    if isinstance(node, Prime):
        return node
    if isinstance(node, Matrix) and (joined := _joined(node, notation)) is not None:
        return joined
    if isinstance(node, Indexed) and taken_apart(node) is None:  # softmax(z)_i: an entry of a value
        return replace(node, base=lifted(node.base, notation))
    if isinstance(node, Tagged) and _counted(node.tag) and (isinstance(node.tag, Plus) or taken_apart(node) is None):
        node = Power(node.base, node.tag, span=node.span)  # w^{(2 - 1)}, (a - b)^{(2)}
    symbol = taken_apart(node)
    if symbol is not None:
        return replace(notation.ref(symbol), span=node.span)
    return rebuilt(node, lambda child: lifted(child, notation))


def _loss_of_a_sample(call: Call, notation: Notation) -> Ref | None:
    """The E_n of E_n(w), which is made of parameters and of the sample n."""
    parts = taken_apart(call.function) if isinstance(call.function, Indexed) else None
    given = all(isinstance(arg, Ref) and arg.base in PARAMETER_LETTERS for arg in call.args)
    made = notation.ref(parts) if parts and parts.name.base in LOSSES and given else None
    return replace(made, span=call.span) if isinstance(made, Ref) and made.kinds == ("sample",) else None


def _counted(node: Node) -> bool:
    """Whether a formula is of numbers alone."""
    return all(isinstance(part, Plus | Number | Negative) for part in node.walk())


def _joined(node: Matrix, notation: Notation) -> Node | None:
    """[h_{t-1}, x_t] as one vector: cells that all have steps and no indices."""
    cells = [cell for row in node.rows for cell in row]
    turned = all(isinstance(cell, Transpose) for cell in cells)
    found = [lifted(cell.base if isinstance(cell, Transpose) else cell, notation) for cell in cells]
    if len(cells) < 2 or 1 not in (len(node.rows), max(len(row) for row in node.rows)):
        return None
    if not all(isinstance(cell, Ref) and "time" in cell.kinds and not cell.subs for cell in found):
        return None
    whole = Call(Name("joined"), tuple(found), span=node.span)
    return Transpose(whole, span=node.span) if turned else whole


def slots_of(args: tuple[Node, ...]) -> tuple[tuple[str, Node], ...]:
    """What all arguments of a call depend on alike: Cost(h(x⁽ⁱ⁾), y⁽ⁱ⁾) on the sample i; L(x_1, …, x_T) on none."""
    found: dict[str, list[Node]] = {}
    for arg in args:
        for part in arg.walk():
            if isinstance(part, Ref):
                for kind, slot in part.slots:
                    if kind != "layer" and slot not in found.setdefault(kind, []):
                        found[kind].append(slot)
    return tuple((kind, slots[0]) for kind, slots in sorted(found.items()) if len(slots) == 1)


def unbound(node: Node) -> Node:
    """Formulas as they are written: every `Ref` a symbol with its scripts."""
    if isinstance(node, Call) and node.function == Name("joined"):
        return Matrix((tuple(unbound(arg) for arg in node.args),), span=node.span)
    if not isinstance(node, Ref):
        return rebuilt(node, unbound)
    base, _, label = node.base.partition("_")
    out: Node = Name(base)
    if label.startswith("'"):
        primes, _, label = label.partition("_")
        out = Prime(out, len(primes))
    labels = (Number(part) if part.isdigit() else Name(part) for part in label.split("_") if part)
    subs = (*labels, *(unbound(sub) for sub in node.subs))
    for kind, slot in node.slots:
        if kind == "time":
            subs = (slot, *subs)
        else:
            out = Tagged(out, slot, "(")
    return Indexed(out, subs) if subs else out
