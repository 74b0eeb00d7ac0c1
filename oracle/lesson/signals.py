"""Of which partials a lesson's error signals stand: δ, and the dW and dz of lessons that write code."""

from collections import Counter
from collections.abc import Container, Iterable, Iterator
from dataclasses import replace

from oracle.lesson.arguments import INTO
from oracle.lesson.endings import is_loss, samples_name, weighs
from oracle.lesson.meaning.above import BESIDE
from oracle.lesson.meaning.differentials import PREFIX
from oracle.lesson.meaning.gradients import gradient_of
from oracle.lesson.meaning.gradients_below import BELOW
from oracle.lesson.meaning.losses import LOSS, LOSSES
from oracle.lesson.meaning.naming import core
from oracle.lesson.meaning.notation import PARAMETER_LETTERS, Ref
from oracle.lesson.meaning.program import Definition, Program, Signal, letters_of
from oracle.lesson.meaning.stacks import small
from oracle.lesson.meaning.usage import Usage
from oracle.lesson.syntax import Call, Name, Sum

PRE = ("z", "Z", "net", "s", "u", "in", "a", "h", "o")
"""What preactivations are called, the likeliest first."""
ACT = ("a", "A", "h", "H", "o", "out", "y", "x", "X", "z")
"""What activations are called, the likeliest first."""
Signals = tuple[dict[str, Signal], tuple[str, ...]]
"""What each stands for, and the words for the report."""


def _stacked(base: str, usage: Usage, own: Program, loss: str) -> Signal | None:
    """The Δ that has the δ of every sample, δ = ∂ℓ/∂z, where forward equations have Z: Δ is ∂J/∂Z, of the sum."""
    one = base[:1].lower() + base[1:]
    said = [signal for (name, *_), signal in own.signals.items() if name == one != base]
    whole = swapped(said[0].of) if said and said[0].of.islower() else ""
    made = any(d.head.base == whole for d in own.definitions)
    return Signal(whole, Ref(loss), said[0].factor, mean=bool(samples_name(usage))) if made else None


def swapped(base: str) -> str:
    """b for B, Z_1 for z_1: the other case of a symbol, its label as it is."""
    core, line, label = base.partition("_")
    return core.swapcase() + line + label


def spellings(base: str) -> tuple[str, ...]:
    """Other cases of a symbol: of its letter, or of its label, Z_O for Z_o."""
    label = base.partition("_")[2]
    return (swapped(base), *([f"{core(base)}_{label.swapcase()}"] if label.isalpha() else []))


def forward_names(definitions: Iterable[Definition]) -> set[str]:
    """The symbols of forward equations."""
    return {n.base for d in definitions for n in (d.head, *d.body.walk()) if isinstance(n, Ref)}


def differentials(usage: Usage, loss: str, forward: set[str], whole: bool = False) -> Iterator[Signals]:
    """dW, db, dZ as partials of the loss; with `whole`, the lesson says that all are of the mean.

    Where the lesson takes a mean over its samples, what each sample has (dZ, dA) is of the sum, dW and db of the mean;
    else, or in a lesson that divides earlier, all are of one loss.
    """
    means = bool(samples_name(usage)) and not whole
    for each in (True, False) if means else (False,):
        found: dict[str, Signal] = {}
        for base in usage.kinds:
            of = gradient_of(base, usage.notation.markers) if usage.is_signal(base) else ""
            known = next((name for name in (of, swapped(of)) if name in forward), of if of in usage.kinds else "")
            if known:
                batch = core(known).isupper() and core(known) not in PARAMETER_LETTERS
                of_samples = of != known and any("sample" in kinds for kinds in usage.kinds.get(known, ()))
                name = small(base) if of_samples else base  # dZ is all dz^{(i)}, of z^{(i)}
                found[name] = Signal(known, Ref(loss), mean=each and (batch or of_samples))
        words = "what each sample has (dZ) is of the sum over the samples"
        yield found, (words,) if each and any(s.mean for s in found.values()) else ()
        if usage.notation.markers and (inside := _inside(found, forward)):
            yield {**found, **inside}, ("the partials of gates are of what goes into their functions",)
        if not any(s.mean for s in found.values()):
            return


def _inside(found: dict[str, Signal], forward: set[str]) -> dict[str, Signal]:
    """δi_t as the partial by what goes into i_t, of everything that a function makes of something without a name."""
    return {base: replace(s, of=INTO + s.of) for base, s in found.items() if INTO + s.of in forward}


def meanings(usage: Usage, own: Program, supplied: tuple[Definition, ...]) -> Iterator[Signals]:
    """What δ and dW stand for, where the lesson does not say."""
    definitions = (*own.definitions, *supplied)
    loss = usage.notation.abbreviated or _loss(usage, definitions) or _unwritten(usage)
    if not loss:
        yield {}, ()
        return
    known = {d.head.base for d in definitions} | set(usage.kinds)
    said = {base for base, *_ in own.signals} | {d.head.base for d in own.definitions}
    whole = usage.notation.abbreviated == loss and any(
        isinstance(part, Sum) for d in definitions if d.head.base == loss for part in d.body.walk()
    )
    for fixed, words in differentials(usage, loss, forward_names(definitions), whole):
        signals = [b for b in usage.kinds if usage.is_signal(b) and not _kronecker(usage, b)]
        signals = [b for b in signals if b.partition("_")[2] not in BESIDE]  # dh^{next} is a part of dh
        unsaid = [b for b in signals if b not in said and not fixed.keys() & {b, small(b)}]
        if not unsaid:
            yield fixed, words
            continue
        cores = known | {core(base) for base in known}
        pre = next((core(b) for b, _ in usage.preactivations.most_common()), None) or first(PRE, cores)
        unnamed = Counter(d.head.base for d in definitions if d.head.base.startswith(INTO))
        pre = next((base for base, _ in unnamed.most_common()), pre) or "z"
        act = first([b for b in ACT if b != pre], cores) or "a"
        stacked = {b: signal for b in unsaid if (signal := _stacked(b, usage, own, loss))}
        chained = {**stacked, **{b: signal for b in unsaid if (signal := _chained(usage, b))}}
        if chained.keys() == {*unsaid}:
            yield {**fixed, **chained}, words
        elif chained:  # what a lesson says of s, whatever its δ is
            fixed, unsaid = {**fixed, **chained}, [b for b in unsaid if b not in chained]
        for of, sign in ((pre, 1.0), (pre, -1.0), (act, 1.0), (act, -1.0)):
            what = f"{', '.join(unsaid)} is {'−' if sign < 0 else ''}∂{loss}/∂{of}"
            for shift in dict.fromkeys((0, _numbers(known, of) - max(_numbers({b}, core(b)) for b in unsaid))):
                counted = _counted(unsaid, own) if of == pre and not shift else {}
                each = {b: () if shift else by_letter(usage, b, own, called=of == act) for b in unsaid}
                made = {
                    b: Signal(counted.get(b) or _alike(of, b, known, shift), Ref(loss), sign, each=each[b])
                    for b in unsaid
                }
                by = [
                    f"{b}_{letter} is {'−' if sign < 0 else ''}∂{loss}/∂{base}"
                    for b in unsaid
                    for letter, base in each[b]
                ]
                meant = ", ".join(by) or what
                yield {**fixed, **made}, (*words, meant)
                if core(of).isupper() and samples_name(usage):
                    summed = {b: replace(s, mean=True) for b, s in made.items()}
                    yield {**fixed, **summed}, (*words, f"{meant} of the sum over the samples")


def _chained(usage: Usage, base: str) -> Signal | None:
    """Of which partial a symbol stands that the lesson says to be a chain: δ_j = ∂E/∂o_j ∂o_j/∂net_j."""
    found = [(head, partial) for head, partial in usage.told.get(base, {}).items() if partial.chained]
    made = [
        (head, Signal(partial.wrt.base, partial.of, partial.factor, said=True))
        for head, partial in found if isinstance(partial.wrt, Ref) and isinstance(partial.of, Ref)
    ]  # fmt: skip
    each = tuple((letters[0], signal.of) for head, signal in made if len(letters := letters_of(head)) == 1)
    return replace(made[0][1], each=each) if made else None


def by_letter(usage: Usage, signal: str, own: Program, called: bool = False) -> tuple[tuple[str, str], ...]:
    """δ_k and δ_j beside u_k = Σ v_kj h_j and s_j = Σ w_ji x_i: the sum that has the letter; or y_k = f(u_k)."""
    known = [d for d in own.definitions if (isinstance(d.body, Call) if called else weighs(d.body))]
    heads = [d.head for d in known if {*d.head.kinds} <= {"sample"} and not is_loss(d.head.base)]
    made = {
        letters[0]: head.base for head in reversed(heads) if len(letters := letters_of(head)) == len(head.subs) == 1
    }
    used = {letters_of(ref) for ref in usage.refs if ref.base == signal and {*ref.kinds} <= {"sample"}}
    return tuple((letter, base) for letter, base in made.items() if (letter,) in used and len({*made.values()}) > 1)


def _alike(of: str, signal: str, known: set[str], shift: int) -> str:
    """net_{o1} for δ_{o1}, where the lesson has it; z_2 for the δ_3 of a lesson whose inputs are layer 1."""
    labels = signal.split("_")[1:]
    labelled = "_".join([of, *labels])
    if len(labels) == 1 and labels[0].isdigit() and shift:
        shifted = f"{of}_{int(labels[0]) + shift}"
        return shifted if shifted in known else of
    return labelled if labelled in known else of


def _counted(signals: list[str], own: Program) -> dict[str, str]:
    """δ_1 and δ_2 for h_1 = x W_1 and o = a W_2: the sums of the net in their order, where not all have numbers."""
    labels = {b: b.partition("_")[2] for b in signals}
    sums = list(dict.fromkeys(d.head.base for d in own.definitions if weighs(d.body) and not is_loss(d.head.base)))
    if not sums or sorted(labels.values()) != [str(k + 1) for k in range(len(sums))]:
        return {}
    numbered = all(base.partition("_")[2].isdigit() for base in sums)
    return {} if numbered else {b: sums[int(label) - 1] for b, label in labels.items()}


def _kronecker(usage: Usage, base: str) -> bool:
    """Whether δ has two indices wherever it stands: then it is 1 where they are equal."""
    met = [ref for ref in usage.refs if ref.base == base]
    alone = all(isinstance(sub, Name) for ref in met for sub in ref.subs)
    return base == "delta" and alone and all(len(ref.subs) == 2 and not ref.slots for ref in met)


def _numbers(names: Iterable[str], of: str) -> int:
    """The largest number that labels a symbol; 0 where none does."""
    labels = [name.partition("_")[2] for name in names if core(name) == of]
    return max((int(label) for label in labels if label.isdigit()), default=0)


def first(wanted: Iterable[str], there: Container[str]) -> str | None:
    """The likeliest of some names that a lesson has."""
    return next((base for base in wanted if base in there), None)


def _unwritten(usage: Usage) -> str | None:
    """What a lesson takes partials of that writes no loss; L where it just calls them dx_i and dγ."""
    differentiated = [b for b, _ in usage.losses.most_common()]
    if usage.notation.markers & {*BELOW}:
        return first(differentiated, LOSSES) or "L"
    return next(iter(differentiated), "L" if usage.notation.markers else None)


def _loss(usage: Usage, definitions: Iterable[Definition]) -> str | None:
    """What the names of partials are of: of a whole loss that the lesson differentiates, else of one of each sample."""
    between = {gradient_of(base, usage.notation.markers) for base in usage.kinds if " " in base}
    heads = [d.head for d in definitions if not d.head.subs and d.head.base not in between]
    whole = {head.base for head in heads if not head.slots}
    by = {ref.base for ref in usage.variables}
    known = whole | ({head.base for head in heads if head.kinds == ("sample",)} - by)
    changing = [b for b in LOSS if PREFIX + b in usage.kinds] if usage.notation.differentials else []
    met = [*changing, *(b for b, _ in usage.losses.most_common())]
    of_samples = [b for b, _ in usage.of_samples.most_common()]
    return (
        first(met, whole & LOSSES) or first(LOSS, whole) or first(met, whole)
        or first([*met, *of_samples, *LOSS], known)
    )  # fmt: skip
