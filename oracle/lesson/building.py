"""From a lesson's statements to its net: its own definitions first, a notation profile for what it leaves unsaid.

Every candidate (a profile with its choices, a meaning of δ) is tried on the lesson's own equations in one net; the one
under which most of them hold is taken, the fewest assumptions first.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from oracle.lesson.judging import Nets, assignments
from oracle.lesson.meaning.notation import Notation, Ref
from oracle.lesson.meaning.program import Definition, FunctionDefinition, Program, Signal, find_families
from oracle.lesson.meaning.usage import Usage, survey_usage
from oracle.lesson.meaning.values import BeyondError, IllTypedError, NotUnderstoodError
from oracle.lesson.meaning.world import ACTIVATIONS, World
from oracle.lesson.profiles import Assumption, assumptions
from oracle.lesson.syntax import Call, Derivative, Name, Node, Number, Prime, Relation, Statement

Numbered = list[tuple[int, Statement]]


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

    def is_definition(self, member: Node) -> bool:
        return id(member) in self.defined


def build(statements: Iterable[tuple[int, Statement]], notation: Notation, settings: dict[str, str]) -> Reading:
    """The net of a lesson whose symbols are `Ref`s by now."""
    found = list(statements)
    usage = survey_usage([s for _, s in found], notation)
    own = Program(usage.notation)
    reading = Reading(own)
    for number, statement in found:
        if isinstance(statement.body, Relation):
            _define(number, statement.body, reading, usage)
    _factored(own, usage)
    best: tuple[float, Assumption, Program] | None = None
    claims = list(_claims(found, reading))
    for assumption in assumptions(usage, own):
        program = completed(own, assumption)
        score = _score(program, claims) - 0.01 * len(assumption.definitions)
        if best is None or score > best[0]:
            best = (score, assumption, program)
    assert best is not None
    reading.program, reading.profile = best[2], best[1].name
    reading.readings = best[1].words
    return reading


def completed(own: Program, assumption: Assumption) -> Program:
    """The lesson's program with what a profile supplies, its dimensions inferred."""
    program = Program(own.notation, [*own.definitions], dict(own.functions), dict(own.signals))
    program.vectors = assumption.vectors
    program.declared = {**own.declared, **assumption.ranks}
    known = {_name(d.head) for d in program.definitions}
    program.definitions += [d for d in assumption.definitions if _name(d.head) not in known]
    program.signals = {**assumption.signals, **program.signals}
    program.aliases = dict(assumption.aliases)
    find_families(program)
    _infer(program)
    return program


def _name(ref: Ref) -> tuple[object, ...]:
    return ref.base, ref.slots, tuple(sub.base if isinstance(sub, Name) else "#" for sub in ref.subs)


def _define(number: int, body: Relation, reading: Reading, usage: Usage) -> None:
    head, op, member = body.items[0], body.ops[0], body.items[1]
    if op not in ("=", ":="):
        return
    program = reading.program
    if isinstance(head, Call) and isinstance(head.function, Name) and _new_function(head, member):
        program.functions.setdefault(head.function.base, [])
        program.functions[head.function.base].append(
            FunctionDefinition(head.function.base, tuple(a for a in head.args if isinstance(a, Ref)), member, number)
        )
        reading.defined.add(id(member))
        return
    if not isinstance(head, Ref) or head.mark:
        return
    if isinstance(member, Derivative) and usage.is_signal(head.base):
        if isinstance(member.of, Ref) and isinstance(member.wrt[0], Ref):
            program.signals.setdefault(head.base, Signal(member.wrt[0].base, member.of))
            reading.defined.add(id(member))
        return
    if isinstance(member, Number) or usage.is_signal(head.base) or _claims_something(head, member):
        return
    if _name(head) not in {_name(d.head) for d in program.definitions}:
        program.definitions.append(Definition(head, member, number))
        reading.defined.add(id(member))


def _new_function(head: Call, member: Node) -> bool:
    return (
        len(head.args) == 1
        and isinstance(head.args[0], Ref)
        and not _has_partials(member)
        and not any(isinstance(part, Call) and part.function == head.function for part in member.walk())
    )


def _has_partials(node: Node) -> bool:
    return any(isinstance(part, Derivative | Prime) for part in node.walk())


def _claims_something(head: Ref, member: Node) -> bool:
    same = any(
        isinstance(n, Ref) and (n.base, n.slots, n.subs) == (head.base, head.slots, head.subs) for n in member.walk()
    )
    return same or _has_partials(member)


def _factored(program: Program, usage: Usage) -> None:
    """a = σ(W x + b) beside σ′(z): z is the argument, and a is σ(z)."""
    for k, definition in enumerate(program.definitions):
        body = definition.body
        if not isinstance(body, Call) or len(body.args) != 1 or isinstance(body.args[0], Ref):
            continue
        for base in usage.preactivations:
            kinds = usage.kinds.get(base, set())
            if definition.head.kinds in kinds and base != definition.head.base:
                z = replace(definition.head, base=base)
                known = {_name(d.head) for d in program.definitions}
                if not any(d.head.base == base for d in program.definitions):
                    program.definitions.append(Definition(z, body.args[0], definition.number))
                elif _name(z) not in known and not any(
                    d.head.kinds == z.kinds for d in program.definitions if d.head.base == base
                ):
                    continue
                program.definitions[k] = Definition(definition.head, replace(body, args=(z,)), definition.number)
                break


def _claims(found: Numbered, reading: Reading) -> Iterator[tuple[Node, Node]]:
    for _, statement in found:
        body = statement.body
        if isinstance(body, Relation):
            for op, member in zip(body.ops, body.items[1:], strict=True):
                if op == "=" and not reading.is_definition(member):
                    yield body.items[0], member


def _score(program: Program, claims: list[tuple[Node, Node]]) -> float:
    """How many claims hold (what is zero on both sides counts little)."""
    nets = Nets(program, 1)
    total = 0.0
    for head, member in claims:
        outcome = nets.judge(head, member)
        if outcome.verdict == "holds":
            total += 0.1 if outcome.zero else 1.0
        elif outcome.verdict in ("fails", "ill-typed"):
            total -= 0.3
    return total


def _infer(program: Program) -> None:
    """Unite dimensions through every definition, in every layer; a definition that means nothing is dropped."""
    world = World(program, infer=True)
    for definition in list(program.definitions):
        good = [_inferred(world, definition, env) for env in assignments(program, (definition.head, definition.body))]
        if not any(good):
            program.definitions.remove(definition)


def _inferred(world: World, definition: Definition, env: dict[str, int]) -> bool:
    try:
        with world.fresh():
            world.value(definition.head, env)
            if world.program.families:
                world.program.roles.update(world.typed)
    except (IllTypedError, NotUnderstoodError, BeyondError):
        return False
    return True
