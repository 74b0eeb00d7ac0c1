"""Arguments that a lesson lists together, z = f(x, y): none of them is a function of another one there."""

from dataclasses import replace

from oracle.lesson.meaning.notation import Ref
from oracle.lesson.meaning.program import Program, made_of
from oracle.lesson.syntax import Call


def listed(program: Program) -> list[set[str]]:
    """The names that stand together as arguments in the equations of this section."""
    bodies = (d.body for d in program.definitions if d.number in program.here)
    calls = (part for body in bodies for part in body.walk() if isinstance(part, Call) and len(part.args) > 1)
    return [{arg.base for arg in call.args if isinstance(arg, Ref)} for call in calls]


def apart(program: Program) -> Program:
    """Without what another section says of an argument, y = max(0, x), that would make it depend on its like."""
    own = {d.head.base for d in program.definitions if d.number in program.here}
    gone = {b for names in listed(program) for b in names - own if made_of(program.definitions, {b}) & names > {b}}
    kept = [d for d in program.definitions if d.head.base not in gone]
    return replace(program, definitions=kept) if gone else program
