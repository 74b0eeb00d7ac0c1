"""From a lesson's statements to its net: definitions found, dimensions inferred, error signals bound."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from oracle.lesson.meaning.notation import Notation, Ref
from oracle.lesson.meaning.program import (
    Definition,
    Program,
    Signal,
    find_families,
    has_partials,
    is_update,
    matrix_notation,
)  # fmt: skip
from oracle.lesson.meaning.values import IllTypedError, NotUnderstoodError
from oracle.lesson.meaning.world import ACTIVATIONS, World
from oracle.lesson.syntax import Derivative, Name, Node, Number, Relation, Statement


@dataclass
class Reading:
    """How a lesson is read: its net, and what was assumed."""

    program: Program
    profile: str = ""
    net: tuple[str, ...] = ()
    readings: tuple[str, ...] = ()
    activations: tuple[str, ...] = tuple(ACTIVATIONS)
    defined: set[int] = field(default_factory=set)
    """Identities of the members that define something."""

    def is_definition(self, number: int, head: Node, member: Node) -> bool:
        return id(member) in self.defined

    def is_update(self, head: Node, member: Node) -> bool:
        return is_update(head, member)


def build(statements: Iterable[tuple[int, Statement]], settings: dict[str, str]) -> Reading:
    """The net of a lesson whose symbols are `Ref`s by now."""
    found = list(statements)
    reading = Reading(Program(Notation()))
    program = reading.program
    program.vectors = matrix_notation(node for _, s in found for node in s.body.walk())
    for number, statement in found:
        if isinstance(statement.body, Relation):
            _define(number, statement.body, reading)
    find_families(program)
    _infer(program)
    return reading


def _define(number: int, body: Relation, reading: Reading) -> None:
    head, op, member = body.items[0], body.ops[0], body.items[1]
    if op not in ("=", ":=") or not isinstance(head, Ref) or head.mark or isinstance(member, Number):
        return
    program = reading.program
    if head.base == "delta" or head.base.startswith("delta_"):
        if isinstance(member, Derivative) and isinstance(member.of, Ref) and isinstance(member.wrt[0], Ref):
            program.signals.setdefault(head.base, Signal(member.wrt[0].base, member.of))
            reading.defined.add(id(member))
        return
    if has_partials(member) or is_update(head, member):
        return
    if not any(
        (d.head.base, d.head.slots, _subs(d.head)) == (head.base, head.slots, _subs(head)) for d in program.definitions
    ):
        program.definitions.append(Definition(head, member, number))
        reading.defined.add(id(member))


def _subs(ref: Ref) -> tuple[str, ...]:
    return tuple(sub.base if isinstance(sub, Name) else "#" for sub in ref.subs)


def _infer(program: Program) -> None:
    """Unite dimensions through every definition, in every layer; a definition that means nothing is dropped."""
    from oracle.lesson.judging import BeyondError, assignments

    world = World(program, infer=True)
    for definition in list(program.definitions):
        for env in assignments(program, (definition.head, definition.body)):
            try:
                with world.fresh():
                    world.value(definition.head, env)
                    if program.families:
                        program.roles.update(world.typed)
            except BeyondError:
                continue
            except (IllTypedError, NotUnderstoodError):
                if definition in program.definitions:
                    program.definitions.remove(definition)
