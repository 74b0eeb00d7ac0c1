"""One lesson, read and judged: formulas to statements, statements to a net and to claims, claims to verdicts."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from msgspec import structs

from oracle.lesson.building import Reading, build
from oracle.lesson.document import Document, Formula
from oracle.lesson.formula import parse
from oracle.lesson.judging import Nets
from oracle.lesson.meaning.notation import Notation, lifted, survey
from oracle.lesson.meaning.program import is_update
from oracle.lesson.records import BAD, Audit, Equation, Link, Place, Verdict
from oracle.lesson.syntax import Node, Problem, Relation, Span, Statement

HEAD = re.compile(
    r"(?:^|\\\\|[,;&]|\\quad)\s*\\?(?:math\w+\{)?([A-Za-z]+)\}?(?:_\{?[^{}()]*\}?)?\s*\([^()=]*\)\s*&?\s*(?::?=|\\equiv)"
)
"""`f(x) =`: a symbol that is a function in this lesson."""

MODEL = re.compile(r"([A-Za-z]+)_\{?\\?(?:theta|Theta|W|w)(?:,\s*b)?\}?\s*(?:\\left)?\(")
"""`h_{W,b}(x)`: a model with its parameters below."""


@dataclass(frozen=True)
class Line:
    """A formula with its statements, symbols bound."""

    number: int
    formula: Formula
    statements: tuple[Statement, ...]
    problems: tuple[Problem, ...]


def audit(
    document: Document, *, seed: int = 0, nets: int = 8, settings: Mapping[str, str] | None = None, code: bool = True
) -> Audit:
    """Hold every equation of a lesson against autograd, in `nets` random nets drawn from `seed`."""
    lines, notation = understood(document)
    reading = build([(line.number, s) for line in lines for s in line.statements], notation, dict(settings or {}))
    judge = Nets(reading.program, nets, seed, reading.activations)
    equations = _believed(tuple(judged(line, reading, judge) for line in lines))
    return Audit(
        lesson=document.path, title=document.title, format=document.format, profile=reading.profile, net=reading.net,
        readings=reading.readings, equations=tuple(judged(line, reading, judge) for line in lines),
        notes=document.notes, nets=nets,
    )  # fmt: skip


def _believed(equations: tuple[Equation, ...]) -> tuple[Equation, ...]:
    """Nothing is called wrong under a net that explains less than it contradicts: then the net is wrong, not the lesson."""
    links = [link for equation in equations for link in equation.links if not link.deliberate]
    held = sum(link.verdict in ("holds", "holds under") for link in links)
    bad = sum(link.verdict in BAD for link in links)
    if held >= bad:
        return equations
    reason = "no reading of this lesson's symbols was found under which most of its equations hold"

    def doubted(link: Link) -> Link:
        if link.verdict not in BAD or link.deliberate:
            return link
        return structs.replace(link, verdict="not understood", reason=reason, difference=None)

    return tuple(structs.replace(e, links=tuple(doubted(link) for link in e.links)) for e in equations)


def understood(document: Document) -> tuple[list[Line], Notation]:
    """Every formula that claims something, or that cannot be read, with its symbols bound."""
    formulas = [piece for piece in document.pieces if isinstance(piece, Formula)]
    functions = {name for formula in formulas for pattern in (HEAD, MODEL) for name in pattern.findall(formula.tex)}
    parsed = [(formula, parse(formula.tex, document.macros, functions)) for formula in formulas]
    notation = survey([s for _, p in parsed for s in p.statements])
    lines: list[Line] = []
    for formula, found in parsed:
        statements = tuple(Statement(lifted(s.body, notation), s.asides, span=s.span) for s in found.statements)
        if found.problems or any(isinstance(s.body, Relation) for s in statements):
            lines.append(Line(len(lines) + 1, formula, statements, found.problems))
    return lines, notation


def judged(line: Line, reading: Reading, nets: Nets) -> Equation:
    """All links of one formula."""
    links = [
        link for s in line.statements if isinstance(s.body, Relation) for link in chain(line, s.body, reading, nets)
    ]
    links += [
        Link("", "", line.formula.tex[slice(*p.span)], "not understood", p.reason, place=within(line.formula, p.span))
        for p in line.problems
    ]
    if skip := next((d for d in line.formula.directives if d.startswith("skip")), None):
        links = [replace_link(link, skip) for link in links]
    if "wrong on purpose" in line.formula.directives:
        links = [structs.replace(link, deliberate=True) for link in links]
    return Equation(
        line.number, line.formula.tex, line.formula.place, line.formula.display, tuple(links), label=line.formula.label
    )


def replace_link(link: Link, why: str) -> Link:
    return Link(link.left, link.relation, link.right, "skipped", why.partition(":")[2].strip())


def chain(line: Line, body: Relation, reading: Reading, nets: Nets) -> list[Link]:
    """The links of one chain: its first member is the truth for all others."""
    out = []
    for op, member in zip(body.ops, body.items[1:], strict=True):
        out.append(link(line, body.items[0], op, member, reading, nets))
    return out


def link(line: Line, head: Node, op: str, member: Node, reading: Reading, nets: Nets) -> Link:
    tex = line.formula.tex
    left, right = tex[slice(*head.span)], tex[slice(*member.span)]
    place = within(line.formula, member.span)
    if op not in ("=", ":=", "<-", "+=", "-="):
        return Link(left, op, right, "aside", place=place)
    if reading.is_definition(member):
        return Link(left, op, right, "definition", place=place)
    if op != "=" or is_update(head, member):
        return Link(left, op, right, "update", place=place)
    found = nets.judge(head, member, line.number)
    verdict = "vacuous" if found.verdict == "holds" and found.zero else found.verdict
    under = nets.under(head, member, line.number) if verdict in ("fails", "ill-typed") else ""
    if under:
        verdict = "holds under"
    return Link(
        left, op, right, cast("Verdict", verdict), found.reason, place=place,
        difference=(found.least, found.most) if found.verdict in ("holds", "fails") else None,
    )  # fmt: skip


def within(formula: Formula, span: Span) -> Place:
    """The place of a part of a formula: its line is exact, its columns where nothing is escaped."""
    before = formula.tex[: span[0]].count("\n")
    inside = formula.tex[slice(*span)].count("\n")
    return replace_place(formula.place, before, inside)


def replace_place(place: Place, before: int, inside: int) -> Place:
    line = place.line + before
    return Place(line, place.column if not before else 1, line + inside, place.start, place.end)
