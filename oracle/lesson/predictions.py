"""What a lesson says in words only: that the prediction in its cross-entropy is a softmax, or a sigmoid, of its scores.

The prediction stands inside the logarithm of the loss and has no equation of its own; the scores are what the lesson
differentiates the loss, or the prediction, by. Each is a candidate; the lesson's own equations decide.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from oracle.lesson.meaning.notation import PARAMETER_LETTERS, Ref
from oracle.lesson.meaning.program import LOGARITHMS, Definition, Program
from oracle.lesson.meaning.usage import Usage
from oracle.lesson.syntax import Call, Name, Node, Number, Plus


@dataclass(frozen=True)
class Prediction:
    """p = softmax(z), with how many axes both have."""

    definition: Definition
    ranks: dict[str, int]
    words: str
    whole: bool
    """Whether it is made of a whole vector."""


def predictions(usage: Usage, own: Program) -> Iterator[Prediction]:
    """Every score that the prediction of a lesson's cross-entropy may be made of."""
    for p, binary in predicted(own):
        for z in scores(usage, own, p):
            yield _made(p, z, "sigmoid" if binary else "softmax", usage)


def predicted(own: Program) -> Iterator[tuple[Ref, bool]]:
    """What stands inside a logarithm of a loss and is defined nowhere; whether 1 minus it does, too."""
    logged = [arg for d in own.definitions for part in d.body.walk() for arg in _logged(part)]
    found = [arg for arg in logged if isinstance(arg, Ref) and not own.defines(arg.base, arg.kinds)]
    rest = [arg.terms[1] for arg in logged if isinstance(arg, Plus) and _complement(arg)]
    for p in dict.fromkeys(Ref(arg.base, arg.slots) for arg in found):
        yield p, any(isinstance(other, Ref) and other.base == p.base for other in rest)


def _logged(node: Node) -> tuple[Node, ...]:
    return node.args if isinstance(node, Call) and node.function in {Name(log) for log in LOGARITHMS} else ()


def _complement(node: Plus) -> bool:
    return node.signs == (1, -1) and node.terms[0] == Number("1")


def scores(usage: Usage, own: Program, p: Ref) -> list[Ref]:
    """What is differentiated by and may be the prediction's argument: no parameter, nothing made of the prediction."""
    plain = [Ref(wrt.base, wrt.slots) for wrt, _ in usage.variables.most_common() if wrt.kinds == p.kinds]
    return [z for z in dict.fromkeys(plain) if z.base != p.base and z.base not in PARAMETER_LETTERS][:3]


def _made(p: Ref, z: Ref, name: str, usage: Usage) -> Prediction:
    slotted = Ref(z.base, p.slots)
    axes = max((len(r.subs) for r in usage.refs if r.base == p.base), default=0)
    rank = axes or (2 if p.base[:1].isupper() else 1)
    ranks = {z.base: rank, p.base: rank} if name == "softmax" or axes else {}
    words = f"{p.base} is the {name} of {z.base}"
    return Prediction(Definition(p, Call(Name(name), (slotted,))), ranks, words, name == "softmax")
