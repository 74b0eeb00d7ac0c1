"""Notation profiles: the equations that lessons of a kind leave unsaid, in the lesson's own letters.

A profile supplies only what the lesson has no definition of. Its choices (which layer a weight is counted by, whether
it is transposed, what the loss is, of what δ is the partial) are candidates; the lesson's own equations decide.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product

from oracle.lesson import chained
from oracle.lesson.chained_units import chained_units
from oracle.lesson.convolutions import ANY_LOSS, goes_over, open_losses
from oracle.lesson.endings import (
    HALF,
    called,
    endings,
    is_loss,
    is_open,
    joined,
    loss_name,
    of_the_called,
    output,
    outputs,
    samples_name,
    weighs,
)
from oracle.lesson.meaning.losses import LOSSES
from oracle.lesson.meaning.naming import core
from oracle.lesson.meaning.notation import Ref, counted_on
from oracle.lesson.meaning.program import TARGETS, Definition, Program, Signal
from oracle.lesson.meaning.usage import SIGNALS, Usage
from oracle.lesson.normalising import normalisation
from oracle.lesson.of_the_sum import of_the_sum
from oracle.lesson.predictions import predictions
from oracle.lesson.signals import ACT, PRE, first, meanings, spellings, swapped
from oracle.lesson.stacking import stacked
from oracle.lesson.syntax import (
    Call,
    Name,
    Negative,
    Node,
    Norm,
    Number,
    Plus,
    Power,
    Quotient,
    Relation,
    Sum,
    Times,
    Transpose,
    rebuilt,
)

OUT = ("y", "Y", "hat y", "o", "p", "hat p", "a", "out", "h", "f")
TARGET = (*TARGETS, "hat y")
WEIGHT = ("w", "W", "theta", "Theta", "omega", "v", "V", "u", "U")
BIAS = ("b", "B")
ONE_UNIT = "every layer has one unit, in the sections before the first with vectors"


@dataclass(frozen=True)
class Assumption:
    """What is supplied to a lesson."""

    name: str
    definitions: tuple[Definition, ...] = ()
    signals: dict[str, Signal] = field(default_factory=dict)
    words: tuple[str, ...] = ()
    ranks: Mapping[str, int] = field(default_factory=dict)
    vectors: bool = False
    flat: bool = False
    """Whether vectors are rows."""
    aliases: Mapping[str, str] = field(default_factory=dict)
    loss: str = ""
    """"half_squared", "cross_entropy" or "binary", where one is supplied."""
    replaced: tuple[Definition, ...] = ()
    """Forward equations of the lesson that are read as these."""
    supposed: str = ""
    """The target of a loss that was made up for the lesson's own output."""
    read_off: bool = False
    """Whether the forward pass is guessed from the partials that the lesson names."""
    left_out: Mapping[str, tuple[tuple[str, Node], ...]] = field(default_factory=dict)
    """By name, the slots of what a section writes without them."""
    numbers: bool = False
    """Whether every quantity is a number, because every layer has one unit."""
    of_sum: frozenset[str] = frozenset()
    """By what partials of the loss are meant of the sum over the samples, where the loss is their mean."""

    @property
    def scalar(self) -> "Assumption":
        """The same in nets of one unit in every layer."""
        return replace(self, vectors=False, numbers=True, words=(*self.words, ONE_UNIT))


def assumptions(usage: Usage, own: Program, settings: Mapping[str, str]) -> Iterator[Assumption]:
    """Every candidate for a lesson, the least first; `settings` may fix the profile and the loss."""
    more = (*batched(usage, own), *joined(own), *normalisation(usage, own))
    nets = list(_nets(usage, own))
    fits = [
        net for net in nets
        if settings.get("profile", net.name) == net.name and settings.get("loss", net.loss or "") in (net.loss, "")
    ]  # fmt: skip
    for net, stack in product(_either_way(fits or nets[:1], usage), stacked(usage, own)):
        base = replace(net, definitions=(*more, *stack, *net.definitions))
        for signals, words in meanings(usage, own, base.definitions):
            aliases = {**base.aliases, **spelled_otherwise(usage, own, base)}
            made = replace(base, signals=signals, words=base.words + words, aliases=aliases)
            yield made
            if whole := of_the_sum(usage, own, signals):
                yield replace(made, signals=whole.signals, words=(*base.words, whole.words), of_sum=whole.by)


def _either_way(nets: list[Assumption], usage: Usage) -> Iterator[Assumption]:
    """Vectors are columns; where a lesson multiplies a vector by a transposed one, they may be rows as well."""
    yield from nets
    if usage.turned:
        yield from (replace(net, flat=True, words=(*net.words, "vectors are rows")) for net in nets)


def _nets(usage: Usage, own: Program) -> Iterator[Assumption]:
    yield Assumption("own", vectors=usage.vectors)
    if not usage.vectors and _in_vectors(usage, own):
        yield Assumption("own", vectors=True)
    for ending, read in chained.nets(usage, own):
        words = ("the forward pass is what the partials say", ending.words)
        definitions = (*read.definitions, *ending.definitions)
        yield Assumption(
            "chains", definitions, {}, words, loss=ending.kind, aliases=read.aliases,
            supposed=ending.target, read_off=True,
        )  # fmt: skip
    if units := chained_units(usage, own):
        yield Assumption("chains", units, {}, ("the forward pass is what the partials say",), read_off=True)
    for said in predictions(usage, own):
        yield Assumption("own", (said.definition,), {}, (said.words,), said.ranks, usage.vectors or said.whole)
    if any(map(goes_over, own.definitions)):
        for loss in open_losses(own):
            given = ((), (loss,)) if loss.number else ((loss,), ())
            yield Assumption("own", given[0], {}, (ANY_LOSS,), vectors=usage.vectors, replaced=given[1])
        return  # a convolution: no layers of the usual kind stand beside it
    if (top := output(own)) is not None:
        yield from _ended(usage, own, top)
        if any(d.head.kinds == top.kinds and weighs(d.body) for d in own.definitions):
            return
    elif len({d.head.base.lower() for d in outputs(own)}) == 1 and any(weighs(d.body) for d in own.definitions):
        return  # a and A, of one sample and of all: whose loss is meant, nothing says
    if any(usage.layered(base) for base in usage.kinds):
        yield from _layered(usage, own)
    else:
        yield from _indexed(usage, {d.head.base for d in own.definitions})


def _ended(usage: Usage, own: Program, top: Ref) -> Iterator[Assumption]:
    """The lesson's own forward equations, with a loss on their output."""
    vectors = _in_vectors(usage, own)
    for ending, single in product(endings(usage, own, top), (True, False) if _one_unit(own) else (False,)):
        ranks = {ending.target: _rank(top.base)} if vectors else {}
        if single:
            ranks = {ending.target: _rank(top.base) - 1, "w": 1, "b": 0}
        more = called(usage, own, top, ending.target)
        made = of_the_called(ending.definitions, more)
        found = Assumption(
            "own", (*more, *made), {}, (ending.words,), ranks, vectors, loss=ending.kind,
            replaced=ending.replaced, supposed=ending.target,
        )  # fmt: skip
        yield found
        if closed := [d for d in made if is_open(d.head, own)]:
            yield replace(found, replaced=(*found.replaced, *closed))


def _in_vectors(usage: Usage, own: Program) -> bool:
    """Whether a lesson is of vectors: it says so, or computes something with a capital that is no loss."""
    return usage.vectors or any(d.head.base[:1].isupper() and not is_loss(d.head.base) for d in own.definitions)


def _one_unit(own: Program) -> bool:
    """Whether z = w^T x + b, where w is a vector."""
    weights = {part.base for d in own.definitions for part in d.body.walk() if isinstance(part, Ref)} & {*WEIGHT}
    turned = {part.base for d in own.definitions for part in d.body.walk() if isinstance(part, Transpose)}
    return weights == {"w"} and Ref("w") in turned


def batched(usage: Usage, own: Program) -> tuple[Definition, ...]:
    """z_{nj} beside z_j: the same equation for every sample n, parameters shared."""
    singles = {r.base for r in (*usage.refs, *(d.head for d in own.definitions)) if len(r.subs) == 1 and not r.slots}
    pairs = [r for r in usage.refs if len(r.subs) == 2 and r.base not in WEIGHT and not r.slots]
    firsts = {_letter(r.subs[0]) for r in pairs if r.base in singles}
    units = {_letter(d.head.subs[0]) for d in own.definitions if len(d.head.subs) == 1 and not d.head.slots}
    found = []
    for n in sorted(firsts - units - {""}):
        for d in own.definitions:
            if len(d.head.subs) == 1 and not d.head.slots:
                found.append(Definition(_sampled(d.head, n), _through(d.body, n)))
    return tuple(found)


def _letter(node: Node) -> str:
    return node.base if isinstance(node, Name) else ""


def _sampled(ref: Ref, n: str) -> Ref:
    return replace(ref, subs=(Name(n), *ref.subs))


def _through(node: Node, n: str) -> Node:
    """A forward equation with a sample's index at everything but parameters."""
    if isinstance(node, Ref):
        return _sampled(node, n) if len(node.subs) == 1 and node.base not in (*WEIGHT, *BIAS) else node
    return rebuilt(node, lambda child: _through(child, n))


def spelled_otherwise(usage: Usage, own: Program, net: Assumption) -> dict[str, str]:
    """w for W, and the loss J in another face, where only one of them is in a forward equation."""
    heads = {(d.head.base, d.head.kinds) for d in own.definitions}
    supplied = [d for d in net.definitions if (d.head.base, d.head.kinds) not in heads]
    known = {n.base for d in (*own.definitions, *supplied) for n in (d.head, *d.body.walk()) if isinstance(n, Ref)}
    doubtful = [
        base for base in usage.kinds
        if base not in known | usage.signals and (core(base) in (*WEIGHT, *BIAS) or "_" in base or usage.layered(base))
    ]  # fmt: skip
    found: dict[str, str] = {}
    for base in doubtful:
        alike = [o for o in spellings(base) if o in known and usage.kinds[base] & usage.kinds.get(o, set())]
        found |= {base: alike[0]} if alike else {}
    for base in usage.kinds.keys() - known:
        other = base.removeprefix("cal ") if base.startswith("cal ") else f"cal {base}"
        found |= {base: other} if base in LOSSES and other in known & LOSSES else {}
    return found


def entries_of(definitions: Iterable[Definition], usages: Sequence[Usage]) -> dict[str, str]:
    """w^l_{ij} for the entries of W^l, and y_{ik} for those of Y, where forward equations have one of both.

    Of weights that is the matrix; what is no weight may be one in other formulas alone: the T of ∂L/∂Z = Y - T beside
    the t_{ik} of a loss.
    """
    given = list(definitions)
    known = {n.base for d in given for n in (d.head, *d.body.walk()) if isinstance(n, Ref)}
    made = {d.head.base for d in given}
    met = known.union(*(usage.kinds.keys() for usage in usages))
    pairs = [(base, swapped(base)) for base in met if swapped(base) in met]
    weights = [(base, whole) for base, whole in pairs if core(base) in WEIGHT and whole in known]
    others = [(base, whole) for base, whole in pairs if core(base) not in WEIGHT and base not in made]
    pairs = [*weights, *((base, whole) for base, whole in others if known & {base, whole})]
    found = {base: whole for base, whole in pairs if any(_are_entries(base, whole, usage) for usage in usages)}
    return {**_written_alike(given), **found}


def _written_alike(definitions: Iterable[Definition]) -> dict[str, str]:
    """ω for the entries of W, by a_j = Σ_i ω_{ji} z_i + b_j beside a = W z + b."""
    given = list(definitions)
    sums = [part for d in given for part in d.body.walk() if isinstance(part, Sum)]
    ends = {part.upper.base for part in sums if isinstance(part.upper, Ref)}
    refs = {id(d): [part for part in d.body.walk() if isinstance(part, Ref) and part.base not in ends] for d in given}
    used = {key: {ref.base: len(ref.subs) for ref in found} for key, found in refs.items()}
    found: dict[str, str] = {}
    for whole in (d for d in given if not d.head.subs):
        for entry in (d for d in given if d.head.base == whole.head.base and len(d.head.subs) == 1):
            one, other = used[id(whole)], used[id(entry)]
            ours, theirs = one.keys() - other.keys(), other.keys() - one.keys()
            alone = len(ours) == len(theirs) == 1 and swapped(min(theirs)) not in ours
            if alone and not any(one.values()) and other[min(theirs)] == 2:
                found[min(theirs)] = min(ours)
    return found


def _are_entries(base: str, whole: str, usage: Usage) -> bool:
    """Whether the one never stands without two indices, and the other never with any."""
    ours, theirs = ([ref for ref in usage.refs if ref.base == b] for b in (base, whole))
    slots = usage.kinds.get(base, set()) & usage.kinds.get(whole, set())
    known = base.islower() and len(core(base)) == 1 and bool(slots)
    counts = {len(ref.subs) for ref in ours}
    alike = {1, 2} if core(base) in usage.notation.rows else {2}
    return known and 2 in counts and counts <= alike and not any(ref.subs for ref in theirs)


# -------------------------------------------------------------------------------------------------------------- layers


def layer(base: str, shift: int = 0) -> Ref:
    """A quantity of layer l + shift."""
    return Ref(base, (("layer", counted_on(Name("l"), shift)),))


def _layered(usage: Usage, own: Program) -> Iterator[Assumption]:
    """Layers of vectors, or of batches where the letters are capitals; of both where no number of samples is met."""
    capitals = any(usage.layered(base) and base.isupper() for base in ACT)
    for batch in (True, False) if capitals and not samples_name(usage) else (capitals,):
        yield from _layers(usage, own, batch)


def _layers(usage: Usage, own: Program, batches: bool) -> Iterator[Assumption]:
    layered = [base for base in usage.kinds if usage.layered(base)]
    pre = next((b for b, _ in usage.preactivations.most_common() if b in layered), None) or first(PRE[:5], layered)
    act = first([b for b in ACT if b != pre], layered) or "a"
    weight, bias = first(WEIGHT, layered), first(BIAS, layered)
    slope = _activation(usage)
    if weight is None:
        return
    batch = batches and _rank(act) == 2
    places = 2 if batch else 1
    ranks = {weight: 2, act: places, **({bias: 1} if bias else {}), **({pre: places} if pre else {})}
    rows = (False, True) if batch else (False,)
    for offset, turned, loss, row in product((0, 1), (False, True), ("half_squared", "cross_entropy"), rows):
        w: Node = layer(weight)
        below = layer(act, -1 + offset)
        led: Node = Transpose(w) if turned and batch else w
        before = row if batch else turned
        total: Node = Times((below, led) if before else (led, below), ("",))
        if bias:
            total = Plus((total, layer(bias)), (1, 1))
        definitions = []
        if pre:
            definitions.append(Definition(layer(pre, offset), total))
        definitions.append(
            Definition(layer(act, 0 if pre else offset), Call(Name(slope), (layer(pre) if pre else total,)))
        )
        bottom = Ref(act, (("layer", Number(str(offset))),))
        for x in ("x", "X"):
            if () in usage.kinds.get(x, ()) and act != x:
                definitions.append(Definition(bottom, Ref(x)))
                ranks = {**ranks, x: ranks[act]}
        top = Ref(act, (("layer", Name("L")),))
        if loss == "cross_entropy" and pre:
            definitions.insert(0, Definition(top, Call(Name("softmax"), (Ref(pre, (("layer", Name("L")),)),))))
        more, targets = _loss(usage, own, top, loss, batch)
        definitions += more
        ranks = {**ranks, **targets}
        words = [
            f"layers: {pre or act}^l from {weight}^l{', after' if before else ', before'} {act} of the layer "
            + ("below" if not offset else "l, for layer l + 1"),
            "the loss is half the squared error"
            if loss == "half_squared"
            else "the loss is the cross-entropy of a softmax",
        ]
        words += ["capitals are vectors"] if _rank(act) > places else []
        told = {"Y": "y"} if _rank(act) > places and {"Y", "y"} <= usage.kinds.keys() else {}
        yield Assumption("layers", tuple(definitions), {}, tuple(words), ranks, True, loss=loss, aliases=told)


def _activation(usage: Usage) -> str:
    """The function whose slope the lesson takes."""
    return next((f for f, _ in usage.slopes.most_common() if f not in SIGNALS), "sigma")


def _rank(base: str) -> int:
    """Capitals are batches."""
    return 2 if base[:1].isupper() else 1


def _loss(usage: Usage, own: Program, top: Ref, kind: str, batch: bool) -> tuple[list[Definition], dict[str, int]]:
    """The loss on the net's output, and what stands for output and target in this lesson."""
    known = {d.head.base for d in own.definitions}
    plain = [b for b, kinds in usage.kinds.items() if () in kinds and b not in known]
    whole = {r.base for r in usage.refs if not r.subs and not r.slots}
    others = [t for t in TARGET if t != top.base]
    target = first(others, [b for b in plain if b in whole]) or first(others, plain) or "y"
    more = []
    if out := first([b for b in OUT if b.lower() != target.lower() and b != top.base], plain):
        more.append(Definition(Ref(out), top))
    calls = {"h", "y", "o"} - {f for f, found in own.functions.items() if found} - {_activation(usage)}
    more += [Definition(Ref(f), top) for f in usage.functions if f in calls]
    if kind == "half_squared":
        body: Node = Times((HALF, Power(Norm(Plus((top, Ref(target)), (1, -1))), Number("2"))), ("",))
    else:
        body = Negative(Call(Name("sum"), (Times((Ref(target), Call(Name("log"), (top,))), ("odot",)),)))
    if batch and samples_name(usage):
        body = Times((Quotient(Number("1"), Ref("m")), body), ("",))
        more.append(Definition(Ref("m"), Call(Name("samples"), (top,))))
    more.append(Definition(Ref(loss_name(usage, own)), body))
    return more, {target: 2 if batch else 1}


# ------------------------------------------------------------------------------------------------------------- indices


def _indexed(usage: Usage, made: set[str]) -> Iterator[Assumption]:
    """z_j = Σ_i w_ji x_i + b_j and so on, for a lesson that tells its layers apart by letters."""
    names = _names(usage, made)
    if names is None:
        return
    for to_from in (True, False):
        i, j, k = _letters(usage, names["w"], to_from)
        z, a, y, t, x, w, b, cost = (names[n] for n in ("z", "a", "y", "t", "x", "w", "b", "L"))

        def at(base: str, *letters: str) -> Ref:
            return Ref(base, (), tuple(Name(letter) for letter in letters))

        def weights(to: str, source: str, w: str = w, to_from: bool = to_from) -> Ref:
            return at(w, to, source) if to_from else at(w, source, to)

        def total(letter: str, body: Node) -> Node:
            return Sum((Name(letter),), None, None, None, body)

        slope = _activation(usage)
        definitions = (
            Definition(at(z, j), Plus((total(i, Times((weights(j, i), at(x, i)), ("",))), at(b, j)), (1, 1))),
            Definition(at(a, j), Call(Name(slope), (at(z, j),))),
            Definition(at(z, k), Plus((total(j, Times((weights(k, j), at(a, j)), ("",))), at(b, k)), (1, 1))),
            Definition(at(y, k), Call(Name(slope), (at(z, k),))),
            Definition(
                Ref(cost), Times((HALF, total(k, Power(Plus((at(y, k), at(t, k)), (1, -1)), Number("2")))), ("",))
            ),
        )
        words = (
            f"{i} counts inputs, {j} hidden units, {k} outputs; {w} has the index of the unit that it leads "
            + ("to first" if to_from else "from first"),
            "the loss is half the squared error",
        )
        yield Assumption("indices", definitions, {}, words, loss="half_squared")
        if _differs(usage, y, t):
            linear = tuple(replace(d, body=at(z, k)) if d.head == at(y, k) else d for d in definitions)
            yield Assumption("indices", linear, {}, (*words, "the output units are linear"), loss="half_squared")


def _differs(usage: Usage, y: str, t: str) -> bool:
    """Whether something is y_k - t_k alone: what goes into an output unit has that error signal where it is linear."""
    chains = (body for body in usage.bodies if isinstance(body, Relation))
    ends = (item for body in chains for item in body.items[1:] if isinstance(item, Plus) and item.signs == (1, -1))
    return any([getattr(term, "base", "") for term in end.terms] == [y, t] for end in ends)


def _names(usage: Usage, made: set[str]) -> dict[str, str] | None:
    """What units have in this lesson; a target is nothing that a forward equation has `made`."""
    indexed = {r.base for r in usage.refs if r.subs and not r.slots}
    w = first(WEIGHT, {r.base for r in usage.refs if len(r.subs) == 2 and not r.slots})
    if w is None:
        return None
    pre = next((b for b, _ in usage.preactivations.most_common() if b in indexed), None) or first(PRE, indexed) or "z"
    rest = indexed - {w, pre}
    t = first(TARGET, rest - made) or "t"
    if t == "y" and not (set(OUT[1:]) & (rest - {"y"})):
        t = "t"
    y = first([b for b in OUT if b not in (t,)], rest) or "y"
    a = first([b for b in ACT if b not in (t, y)], rest) or ("a" if y != "a" else "h")
    loss = next((b for b, _ in usage.losses.most_common()), "L")
    return {
        "w": w,
        "z": pre,
        "t": t,
        "y": y,
        "a": a,
        "x": "x" if a != "x" else "i",
        "b": first((*BIAS, "theta"), rest) or "b",
        "L": loss,
    }


def _letters(usage: Usage, w: str, to_from: bool) -> tuple[str, str, str]:
    pairs = [
        tuple(s.base for s in r.subs if isinstance(s, Name)) for r in usage.refs if r.base == w and len(r.subs) == 2
    ]
    pairs = [p for p in pairs if len(p) == 2]
    middle = {p[0] for p in pairs} & {p[1] for p in pairs}
    inputs = {s.base for r in usage.refs if r.base == "x" and len(r.subs) == 1 for s in r.subs if isinstance(s, Name)}
    j = next((m for m in sorted(middle) if m not in inputs), "j")
    firsts, seconds = [p[0] for p in pairs if p[1] == j], [p[1] for p in pairs if p[0] == j]
    k = next(iter(firsts if to_from else seconds), "k")
    i = next(iter(seconds if to_from else firsts), "i")
    said = {role: letter for letter, role in usage.notation.roles.items()}
    return said.get("input", i), said.get("hidden", j), said.get("output", k)
