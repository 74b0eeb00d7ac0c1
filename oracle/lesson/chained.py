"""Forward equations read off the chains of a lesson that writes none: C'(ŷ) · ŷ'(Z) · Z'(W) says what is made of what.

What is differentiated by a weight is that weight times an activation; what is differentiated by one such sum alone is
the activation of it; and the cost is half the square of the output's error, or one of the other usual losses.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from oracle.lesson.endings import Ending, endings, loss_name
from oracle.lesson.meaning.losses import LOSSES
from oracle.lesson.meaning.naming import core
from oracle.lesson.meaning.notation import PARAMETER_LETTERS, Ref
from oracle.lesson.meaning.program import Definition, Program
from oracle.lesson.meaning.usage import Usage
from oracle.lesson.syntax import Call, Name, Node, Plus, Times

BIASES = {"b", "B"}


@dataclass(frozen=True)
class Chained:
    """Definitions that were read off, the output, and other spellings of names."""

    definitions: tuple[Definition, ...]
    top: Ref
    aliases: dict[str, str]


def chained(usage: Usage, own: Program) -> Iterator[Chained]:
    """What the partials of numbers say of the forward pass, for every output that it may have."""
    aliases = _aliases(usage)
    pairs = Counter(
        (aliases.get(of.base, of.base), aliases.get(wrt.base, wrt.base))
        for of, wrt in usage.partials
        if not (of.subs or of.slots or wrt.subs or wrt.slots)
    )
    found: list[Definition] = []
    slope = next((f for f, _ in usage.slopes.most_common() if f not in own.functions), "sigma")
    for of in sorted({of for of, _ in pairs} - {d.head.base for d in own.definitions}):
        wrts = [wrt for (a, wrt), _ in pairs.most_common() if a == of]
        if core(of) not in LOSSES and (body := _body(wrts, usage, slope)) is not None:
            found.append(Definition(Ref(of), body))
    if {type(d.body) for d in found} & {Times, Plus} and not any(isinstance(d.body, Call) for d in found):
        return  # one product says too little of a net
    for top in _tops(set(pairs), [*own.definitions, *found]):
        yield Chained(tuple(found), Ref(top), aliases)


def _body(wrts: list[str], usage: Usage, slope: str) -> Node | None:
    """What a quantity is that is differentiated by these, the most frequent first."""
    weights = [w for w in wrts if core(w) in PARAMETER_LETTERS - BIASES]
    biases = [w for w in wrts if core(w) in BIASES]
    rest = [w for w in wrts if core(w) not in PARAMETER_LETTERS]
    if not weights:
        return Call(Name(slope), (Ref(rest[0]),)) if rest and not biases else None
    source = next(iter(rest), next((x for x in ("x", "X", "input") if x in usage.kinds), ""))
    product = Times((Ref(weights[0]), Ref(source)), ("",))
    if not source or len(weights) > 1:
        return None
    return Plus((product, Ref(biases[0])), (1, 1)) if biases else product


def _tops(pairs: set[tuple[str, str]], definitions: list[Definition]) -> list[str]:
    """What the cost is differentiated by and nothing else is made of."""
    made = {d.head.base: {n.base for n in d.body.walk() if isinstance(n, Ref)} for d in definitions}
    chain = {base for pair in pairs for base in pair}
    used = {base for head, parts in made.items() if head in chain for base in parts}
    return sorted({wrt for of, wrt in pairs if core(of) in LOSSES and wrt in made and wrt not in used})


def _aliases(usage: Usage) -> dict[str, str]:
    """Z_O beside Z_o: the spelling that is met more often."""
    counts: dict[str, int] = {}
    for ref, count in usage.refs.items():
        counts[ref.base] = counts.get(ref.base, 0) + count
    found = {}
    for base, count in counts.items():
        line, label = base.partition("_")[1:]
        other = core(base) + line + label.swapcase()
        if label.isalpha() and (counts.get(other, 0), label.isupper()) > (count, False):
            found[base] = other
    return found


def nets(usage: Usage, own: Program) -> Iterator[tuple[Ending, Chained]]:
    """Every loss on what was read off, in lessons of plain numbers."""
    if (
        usage.vectors
        or any(usage.layered(base) for base in usage.kinds)
        or any(d.head.base == loss_name(usage, own) for d in own.definitions)
    ):
        return
    for read in chained(usage, own):
        whole = Program(own.notation, [*own.definitions, *read.definitions])
        for ending in endings(usage, whole, read.top):
            if not ending.replaced:
                yield ending, read
