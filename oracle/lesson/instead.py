r"""Another activation than the net's: "If you use tanh instead, $f'(z) = 1 - f(z)^2$" is said of that one alone."""

import re
from dataclasses import replace

from oracle.lesson.document import Document, Formula, Prose
from oracle.lesson.judging import Nets
from oracle.lesson.meaning.bare_functions import ARGUMENT
from oracle.lesson.meaning.program import FunctionDefinition, called
from oracle.lesson.syntax import Call, Name, Node, Prime

NAMED = {
    "tanh": r"\btanh\b|\\tanh|hyperbolic tangent|双曲正切",
    "sigmoid": r"\bsigmoid|\blogistic",
    "relu": r"\brelu\b|\brectifi",
}
"""What a text calls the activations."""
SENTENCE = re.compile(r"[.;。；!?？\n]\s")


def spoken(document: Document) -> dict[int, tuple[str, ...]]:
    """By the place of a formula among the pieces, the activations that its sentence names before it."""
    found: dict[int, tuple[str, ...]] = {}
    before = ""
    for place, piece in enumerate(document.pieces):
        if isinstance(piece, Formula):
            names = tuple(name for name, words in NAMED.items() if re.search(words, before, re.IGNORECASE))
            found |= {place: names} if names else {}
        before = SENTENCE.split(before + piece.text)[-1] if isinstance(piece, Prose) else before
    return found


def instead(nets: Nets, head: Node, member: Node, number: int, names: tuple[str, ...]) -> str:
    """The activation that the text names under which a formula of slopes holds; "" where there is none."""
    calls = [part for part in head.walk() if isinstance(part, Call) and isinstance(part.function, Prime)]
    sloped = {called(replace(call, function=call.function.base)) for call in calls if isinstance(call.function, Prime)}
    for name in names if sloped else ():
        whole = Call(Name(name), (ARGUMENT,))
        other = {f: [FunctionDefinition(f, (ARGUMENT,), whole)] for f in sloped}
        program = replace(nets.program, functions={**nets.program.functions, **other})
        if nets.of(program).judge(head, member, number).right:
            return f"the activation is {name}, as the text says"
    return ""
