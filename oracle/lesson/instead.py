r"""Another activation than the net's: "If you use tanh instead, $f'(z) = 1 - f(z)^2$" is said of that one alone.

So is ∂y_k/∂a_l = δ_{kl} y_k - y_k y_l "for softmax outputs".
"""

import re
from dataclasses import replace

from oracle.lesson.document import Document, Formula, Prose
from oracle.lesson.judging import Nets
from oracle.lesson.meaning.bare_functions import ARGUMENT
from oracle.lesson.meaning.notation import Ref
from oracle.lesson.meaning.program import Definition, FunctionDefinition, called
from oracle.lesson.pointwise import at_any_number
from oracle.lesson.syntax import Call, Derivative, Name, Node, Prime, Quotient, Sum

NAMED = {
    "tanh": r"\btanh\b|\\tanh|hyperbolic tangent|tangente? h[iy]perb|双曲正切",
    "sigmoid": r"\bsigmo[iï]d|\blogisti|сигмоид|シグモイド|시그모이드",
    "relu": r"\brelu\b|\brectifi",
    "softmax": r"\bsoftmax\b",
}
"""What a text calls the activations."""
SENTENCE = re.compile(r"[.;。；!?？\n]\s")


def named(document: Document) -> set[str]:
    """The activations that a lesson names anywhere."""
    return {name for name, words in NAMED.items() if re.search(words, document.text, re.IGNORECASE)}


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
    if not sloped and isinstance(head, Derivative):
        return _outputs(nets, head, member, number, names)
    head, member = at_any_number(head, member) or (head, member)
    for name in names if sloped else ():
        whole = Call(Name(name), (ARGUMENT,))
        other = {f: [FunctionDefinition(f, (ARGUMENT,), whole)] for f in sloped}
        program = replace(nets.program, functions={**nets.program.functions, **other})
        if nets.of(program).judge(head, member, number).right:
            return f"the activation is {name}, as the text says"
    return ""


def _outputs(nets: Nets, head: Derivative, member: Node, number: int, names: tuple[str, ...]) -> str:
    """The activation that makes the y of ∂y_k/∂a_l of a, if the formula holds for it; "" where none does."""
    match head:
        case Derivative(
            of=Ref(base=y, subs=(Name() as k,), slots=()), wrt=(Ref(subs=(Name() as at,), slots=()) as a,)
        ) if y != a.base:
            others = [d for d in nets.program.definitions if d.head.base != y]
            for name in names:
                made = Definition(Ref(y, (), (at,)), _applied(name, a, at))
                roles = {x: dim for x, dim in nets.program.roles.items() if Name(x) != k}
                program = replace(nets.program, definitions=[*others, made], roles=roles)
                if nets.of(program).judge(head, member, number).right:
                    return f"the outputs are made by {name}, as the text says"
    return ""


def _applied(name: str, a: Ref, at: Name) -> Node:
    """What an activation makes of a_l."""
    if name != "softmax":
        return Call(Name(name), (a,))
    power = Call(Name("exp"), (a,))
    return Quotient(power, Sum((at,), None, None, None, power))
