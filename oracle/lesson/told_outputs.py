r"""Losses of a function that nobody defines: E = ½ [Q(s, a; θ) - Y]² says by ∂E/∂g_1 = g_1 - Y that Q is g_1 there."""

from collections.abc import Iterable
from dataclasses import replace

from oracle.lesson.endings import is_loss
from oracle.lesson.meaning.calculus import NAMED
from oracle.lesson.meaning.notation import Ref
from oracle.lesson.meaning.program import Definition, Program, called
from oracle.lesson.syntax import Call, Node, Plus, Relation, replaced


def told_outputs(program: Program, bodies: Iterable[Node]) -> list[Definition]:
    """The definitions, the function of a loss replaced by what the lesson subtracts its target from, if that is one."""
    related = [body for body in bodies if isinstance(body, Relation)]
    made = {d.head.base for d in program.definitions}
    return [_told(d, program, related, made) if is_loss(d.head.base) or _is_open(d) else d for d in program.definitions]


def _is_open(d: Definition) -> bool:
    """Whether a quantity without layers or indices is made of a function's difference from something."""
    return not d.head.slots and not d.head.subs


def _told(d: Definition, program: Program, bodies: list[Relation], made: set[str]) -> Definition:
    for part in d.body.walk():
        match part:
            case Plus(terms=(Call() as call, Ref() as target), signs=(1, -1)) if _unknown(call, program, made):
                found = {ref for body in bodies for ref in _compared(body, target) if ref.base in made}
                if len(found) == 1:
                    return replace(d, body=replaced(d.body, {call: found.pop()}))
    return d


def _unknown(call: Call, program: Program, made: set[str]) -> bool:
    """Whether nothing says what a function is."""
    name = called(call)
    return bool(name) and name not in {*NAMED, *program.functions, *made}


def _compared(body: Relation, target: Ref) -> Iterable[Ref]:
    """The g_1 of g_1 - Y."""
    for member in body.items[1:]:
        for part in member.walk():
            match part:
                case Plus(terms=(Ref() as ref, other), signs=(1, -1)) if other == target:
                    yield ref
