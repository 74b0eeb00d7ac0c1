r"""What concerns a lesson as a whole: contradictions, errors that cancel, names."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from oracle.lesson.correcting import Corrector, Reread, Understood
from oracle.lesson.judging import Nets, assignments
from oracle.lesson.meaning.notation import Ref
from oracle.lesson.meaning.values import REFUSED, UndefinedError
from oracle.lesson.records import Equation, Remark
from oracle.lesson.syntax import Derivative, Node, Relation
from oracle.lesson.whole.claims import Claim, claims, heads, put_into, uses
from oracle.lesson.whole.joint import Offered, cancelling, remark


def remarks(
    lines: Sequence[Understood], equations: Sequence[Equation], judges: Mapping[int, Nets], reread: Reread,
    offered: Offered | None = None,
) -> tuple[Remark, ...]:  # fmt: skip
    """All remarks on a lesson.

    `equations` are the `lines` judged, `judges` the nets of each section, `offered` the suggestions by number.
    """
    found = claims(lines, equations)
    correctors = {section: Corrector(lines, nets, reread) for section, nets in judges.items()}
    return (
        *(remark(case, correctors, offered or {}) for case in cancelling(list(heads(found)), judges)),
        *contradictions(found, judges),
        *undefined(lines, equations, judges),
        *two_quantities(lines, judges),
    )


# ------------------------------------------------------------------------------------------------------ contradictions


def contradictions(found: Sequence[Claim], judges: Mapping[int, Nets]) -> Iterator[Remark]:
    """Claims that, put into another equation of the lesson, make two of its members differ."""
    for claim in heads(found):
        if claim.verdict != "fails":
            continue
        against = list(dict.fromkeys(pair for other in _chains(found, claim) for pair in _broken(claim, other, judges)))
        if against:
            where, words = against[0]
            yield Remark(
                "contradiction", f"Equation {claim.number} says that ${claim.tex(claim.head)}$ is "
                f"${claim.tex(claim.member)}$. {words}",
                tuple(dict.fromkeys((claim.number, where, *(number for number, _ in against)))),
                None, claim.line.formula.place.line,
            )  # fmt: skip


def _chains(found: Sequence[Claim], claim: Claim) -> Iterator[list[Claim]]:
    """The members of every other chain that hold against its head."""
    chains: dict[tuple[int, int], list[Claim]] = {}
    for other in found:
        if other.verdict == "holds" and other.number != claim.number:
            chains.setdefault((other.number, other.at), []).append(other)
    yield from chains.values()


def _broken(claim: Claim, chain: list[Claim], judges: Mapping[int, Nets]) -> Iterator[tuple[int, str]]:
    """The equation that contradicts a claim, and how; nobody asks here what the truth is."""
    nets = judges[chain[0].line.section]
    program = nets.program
    for one in chain:
        same = claim.head == one.head and not uses(one.member, claim, program)
        if same and _differ(nets, one.member, claim.member, one.number):
            yield one.number, f"Equation {one.number} says that it is ${one.tex(one.member)}$."
        if not uses(one.member, claim, program):
            continue
        for other in chain:
            said, beside = (put_into(member, claim, program) for member in (one.member, other.member))
            if other is not one and _differ(nets, beside, said, one.number):
                words = (
                    f"With that, the ${one.tex(one.member)}$ of equation {one.number} is not the "
                    f"${other.tex(other.member)}$ that stands beside it."
                )
                yield one.number, words


def _differ(nets: Nets, one: Node, other: Node, line: int) -> bool:
    return nets.judge(one, other, line).verdict == "fails"


# --------------------------------------------------------------------------------------------------------------- names


def undefined(
    lines: Sequence[Understood], equations: Sequence[Equation], judges: Mapping[int, Nets]
) -> Iterator[Remark]:
    """Symbols that keep an equation from being understood: nothing defines them, and the net does not use them."""
    found: dict[str, dict[int, str]] = {}
    for line, equation in zip(lines, equations, strict=True):
        if any(link.verdict == "not understood" for link in equation.links):
            for ref in _symbols(line):
                if _undefined(ref, judges[line.section]):
                    found.setdefault(ref.base, {}).setdefault(line.number, line.formula.tex[slice(*ref.span)])
    places = {line.number: line.formula.place.line for line in lines}
    for base, where in found.items():
        numbers = tuple(where)
        tex = where[numbers[0]] or base
        yield Remark("undefined", f"${tex}$ is used and never defined.", numbers, None, places[numbers[0]])


def _symbols(line: Understood) -> Iterator[Ref]:
    return (node for s in line.statements for node in s.body.walk() if isinstance(node, Ref))


def _undefined(ref: Ref, nets: Nets) -> bool:
    world = next(iter(nets))
    world.begin(world.line, set())
    for env in assignments(nets.program, (ref,)):
        try:
            with world.fresh(ref):
                world.value(ref, env)
        except UndefinedError as error:
            return error.base == ref.base
        except (*REFUSED, RuntimeError):  # RuntimeErrors are torch's, or of Python's stack
            continue
    return False


def two_quantities(lines: Sequence[Understood], judges: Mapping[int, Nets]) -> Iterator[Remark]:
    """One name for the partials by two quantities (δ for ∂L/∂z and ∂L/∂a), or for two functions."""
    meanings: dict[str, dict[str, tuple[Understood, str]]] = {}
    for line in lines:
        for head, member in _equalities(line):
            if isinstance(head, Ref) and isinstance(member, Derivative) and isinstance(member.wrt[0], Ref):
                said = line.formula.tex[slice(*member.span)].strip()
                meanings.setdefault(head.base, {}).setdefault(member.wrt[0].base, (line, said))
    for found in meanings.values():
        if len(found) > 1:
            (one, first), (other, second), *_ = found.values()
            words = (
                f"One name stands for two quantities: for ${first}$ in equation {one.number}, "
                f"for ${second}$ in equation {other.number}."
            )
            yield Remark("two quantities", words, (one.number, other.number), None, one.formula.place.line)
    yield from _two_functions(lines, judges)


def _equalities(line: Understood) -> Iterator[tuple[Node, Node]]:
    for statement in line.statements:
        if isinstance(body := statement.body, Relation):
            yield from ((body.items[0], m) for op, m in zip(body.ops, body.items[1:], strict=True) if op in ("=", ":="))


def _two_functions(lines: Sequence[Understood], judges: Mapping[int, Nets]) -> Iterator[Remark]:
    places = {line.number: line.formula.place.line for line in lines}
    nets = next(iter(judges.values()))
    for name, given in nets.program.functions.items():
        for one, other in pairwise(sorted(given, key=lambda definition: definition.number)):
            if one.parameters == other.parameters and _differ(nets, one.body, other.body, one.number):
                words = (
                    f"One name stands for two functions: {name} is defined in equation {one.number}, "
                    f"and otherwise in equation {other.number}."
                )
                yield Remark("two quantities", words, (one.number, other.number), None, places.get(one.number, 0))
                break


__all__ = ["Offered", "remarks"]
