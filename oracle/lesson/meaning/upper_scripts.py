r"""Samples and units one above the other: the sample k of \hat y_j^k beside E_k, the unit m of a_i^m beside Q_i.

Where a lesson's loss of one sample has a letter below it, that letter counts samples wherever it stands, above or
below; what else stands above a symbol that has it below is the number of a unit, and no power.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from oracle.lesson.meaning.above import COUNTING, POWERED, STEPS
from oracle.lesson.meaning.losses import ALL, LOSS, LOSSES
from oracle.lesson.meaning.naming import flat
from oracle.lesson.syntax import (
    Derivative,
    Indexed,
    Name,
    Node,
    Number,
    Power,
    Relation,
    Statement,
    Sum,
    Tagged,
    Text,
    rebuilt,
)

NEVER = STEPS | {"l", "ell", "L", "T"}
"""What counts no samples."""


@dataclass(frozen=True)
class Sampled:
    """How a lesson writes its samples; nothing where it writes none above or below."""

    letter: str = ""
    above: bool = False
    """Whether the sample stands above, and units below."""
    bases: frozenset[str] = frozenset()
    """Symbols with the sample below and units above; or the losses of a sample, where samples stand above."""
    wholes: frozenset[str] = frozenset()
    """Losses of all samples that are called by no usual letter: Q = Σ_i Q_i."""


def sampled(statements: Iterable[Statement]) -> Sampled:
    """How a lesson writes its samples."""
    given = list(statements)
    nodes = [node for s in given for top in (s.body, *s.asides) for node in top.walk()]
    pairs = {pair for s in given for pair in _of_samples(s.body)}
    partials = {pair for node in nodes for pair in _differentiated(node)}
    letters = {letter for _, letter in pairs if letter not in NEVER}
    bound = {name.base for node in nodes if isinstance(node, Sum) for name in node.indices}
    for letter in sorted(letters):
        losses = frozenset(loss for loss, of in pairs if of == letter)
        wholes = frozenset(losses - LOSSES)
        if any(_above(node, letter) for node in nodes):
            return Sampled(letter, True, losses, wholes)
        if found := frozenset(base for node in nodes if (base := _beside(node, letter, bound))):
            return Sampled(letter, False, found, wholes)
    for loss, letter in sorted(partials - pairs):
        if letter not in NEVER and any(_above(node, letter) for node in nodes):
            return Sampled(letter, True, frozenset({loss}))
    return Sampled()


def _of_samples(body: Node) -> Iterator[tuple[str, str]]:
    """The Q and i of Q = Σ_i Q_i, and the E and k of an E_k that is defined."""
    match body:
        case Relation(items=(Indexed(base=Name(base=base), subs=(Name(base=letter),)), _, *_), ops=("=" | ":=", *_)):
            yield from [(base, letter)] if base in LOSS else []
        case Relation(items=(Name(base=base), *members)):
            for node in (node for member in members for node in member.walk()):
                match node:
                    case Sum(indices=(Name(base=letter),), body=Indexed(base=Name(base=each), subs=(Name(base=at),))):
                        yield from [(base, letter)] if each == base and at == letter else []


def _differentiated(node: Node) -> Iterator[tuple[str, str]]:
    """The E and k of ∂E_k/∂w."""
    match node:
        case Derivative(of=Indexed(base=Name(base=base), subs=(Name(base=letter),))) if base in LOSS:
            yield base, letter


def _above(node: Node, letter: str) -> bool:
    """Whether a letter stands above a symbol with other indices: the k of y_j^k."""
    match node:
        case Power(base=Indexed(base=Name(base=base), subs=subs), exponent=Name(base=above)):
            return above == letter and base not in POWERED and Name(letter) not in flat(subs)
    return False


def _beside(node: Node, letter: str, bound: set[str]) -> str:
    """The a of a_i^m, where i is the sample and m an index; "" of anything else."""
    match node:
        case Power(base=Indexed(base=Name(base=base), subs=(Name(base=below),)), exponent=Name(base=above)):
            return base if below == letter and above in bound - COUNTING - {letter} else ""
    return ""


def with_samples_apart(statement: Statement, found: Sampled) -> Statement:
    """A statement in which a_i^m is written a_m^{(i)}, and y_j^k y_j^{(k)}."""
    return replace(statement, body=_apart(statement.body, found)) if found.letter else statement


def _apart(node: Node, found: Sampled) -> Node:
    letter = Name(found.letter)
    match node:
        case Name(base=base) if base in found.wholes:
            return Indexed(node, (Text(ALL.strip("_"), span=node.span),), span=node.span)
        case Indexed(base=Name(base=base) as name, subs=(sub,)) if sub == letter and _one(base, found):
            return Tagged(name, sub, "(", span=node.span)
        case Power(base=Indexed() as inner, exponent=Name() as above) if found.above and above == letter:
            return Tagged(inner, above, "(", span=node.span)
        case Power(base=Indexed(base=Name(base=base) as name, subs=(sub,)), exponent=Name() | Number() as above) if (
            sub == letter and base in found.bases and not found.above
        ):
            return Tagged(Indexed(name, (above,), span=node.span), sub, "(", span=node.span)
        case Sum(indices=indices):
            made = rebuilt(replace(node, indices=()), lambda child: _apart(child, found))
            assert isinstance(made, Sum)
            return replace(made, indices=indices)
    return rebuilt(node, lambda child: _apart(child, found))


def _one(base: str, found: Sampled) -> bool:
    """Whether a symbol with the sample's letter alone below it is of one sample."""
    return base in found.bases or base in LOSSES or base.split(" ")[-1] in found.wholes if found.above else True
