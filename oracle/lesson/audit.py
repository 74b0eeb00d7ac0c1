"""One lesson, read and judged: formulas to statements, statements to nets and claims, claims to verdicts."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise

from msgspec import structs

from oracle.lesson.building import Reading, build
from oracle.lesson.chapters import Held, chapters, inside, is_better, is_hard
from oracle.lesson.code import judged_code
from oracle.lesson.conditions import conditions
from oracle.lesson.convolutions import marked, over_marks, with_convolutions
from oracle.lesson.correcting import suggest
from oracle.lesson.defining import Said
from oracle.lesson.document import Document, Formula, Prose
from oracle.lesson.dropped_index import with_dropped
from oracle.lesson.dropped_samples import with_samples_dropped
from oracle.lesson.formula import parse
from oracle.lesson.function_names import function_names
from oracle.lesson.hypothetical import imagined, only_imagined
from oracle.lesson.instead import named, spoken
from oracle.lesson.judging import Nets
from oracle.lesson.linking import aside, chain, unread
from oracle.lesson.meaning.abbreviated import loss_of_names
from oracle.lesson.meaning.any_unit import any_unit, in_layers
from oracle.lesson.meaning.called_values import called_values, with_called_values
from oracle.lesson.meaning.classes import class_letters, labelled_losses, speaks_of_others, with_classes, without_labels
from oracle.lesson.meaning.columns import samples_at
from oracle.lesson.meaning.counting import counted, split_off
from oracle.lesson.meaning.evaluated_at import at_places
from oracle.lesson.meaning.first_steps import from_one, starting_at_zero
from oracle.lesson.meaning.function_partials import with_arguments
from oracle.lesson.meaning.general_inputs import general_inputs, of_cases
from oracle.lesson.meaning.hypotheses import as_quantities, predictions_of
from oracle.lesson.meaning.layouts import said as said_layouts
from oracle.lesson.meaning.letters_of_samples import letters_of_samples
from oracle.lesson.meaning.letters_of_steps import letters_of_steps
from oracle.lesson.meaning.limits import (
    conditions_of,
    in_pieces,
    index_letters,
    limited,
    of_class,
    under,
    with_one_letter,
)
from oracle.lesson.meaning.notation import Notation, bound, survey
from oracle.lesson.meaning.overwritten import overwritten
from oracle.lesson.meaning.sample_losses import sample_losses, with_samples
from oracle.lesson.meaning.sloped_gradients import made_by_functions, with_wrt
from oracle.lesson.meaning.summed_entries import with_entries
from oracle.lesson.meaning.summed_losses import with_samples_named
from oracle.lesson.meaning.sums_left_out import leaves_sums_out
from oracle.lesson.meaning.synonyms import synonyms, with_synonyms
from oracle.lesson.meaning.totals import told_apart, totals
from oracle.lesson.meaning.two_steps import two_steps, written_out
from oracle.lesson.meaning.zeroth import apart, thresholds
from oracle.lesson.narrowing import narrowed
from oracle.lesson.numbers import worked
from oracle.lesson.parts import Parts
from oracle.lesson.profiles import Assumption
from oracle.lesson.records import BAD, Audit, Equation, Link
from oracle.lesson.renaming import Placed, renamed
from oracle.lesson.scalar_sections import narrow, numbered, plain_sections, scalar_sections, with_names
from oracle.lesson.settings import complaints, roles, settled
from oracle.lesson.shortened import shortened
from oracle.lesson.syntax import Before, Limit, Problem, Relation, Statement
from oracle.lesson.updating import renewed
from oracle.lesson.whole import remarks

CONVENTION = re.compile(r"(?i)einstein|summation convention|repeated ind|爱因斯坦|求和约定")
"""A lesson that leaves sums out says so."""
SIGNS = "equiv|approx|propto|sim|in|to|gets|leftarrow|rightarrow|Rightarrow|mapsto|le|ge|leq|geq|ne|neq|coloneqq"
SAYING = re.compile(rf"[=<>←→≈≤≥∈∝~≡]|\\(?:{SIGNS})(?![A-Za-z])")
"""What is in a formula that says something."""
DEPTH = re.compile(r"\bL\s*=\s*([2-5])\b")
"""How the prose of a section says how many layers there are: "an example with L = 2"."""
GIVEN = re.compile(r"\s*([A-Za-z])\s*=\s*([2-5])\s*")
"""How many layers a net has, where the letter is the last one: for $K = 2$."""

FEW = 2
"""So many mistakes in a lesson may be all that a section has."""
AMPLE = 5
"""A lesson that is explained has so many times more that holds than what does not."""


@dataclass(frozen=True)
class Line:
    """A formula with its statements, symbols bound."""

    number: int
    section: int
    formula: Formula
    statements: tuple[Statement, ...]
    problems: tuple[Problem, ...]
    spoken: tuple[str, ...] = ()
    """The activations that the text names right before."""
    alone: tuple[Relation, ...] = ()
    """What is a condition on indices and claims nothing: i = j."""


def audit(
    document: Document, *, seed: int = 0, nets: int = 8, settings: Mapping[str, str] | None = None, code: bool = True
) -> Audit:
    """Hold every equation of a lesson against autograd, in `nets` random nets drawn from `seed`."""
    said = document.settings if settings is None else settings
    found = _held(document, seed, nets, said)
    for chapter in chapters(document):
        within = inside(chapter, found.equations)
        if is_hard(within):
            alone = _held(chapter, seed, nets, said, within[0].number - 1)
            found = found.with_chapter(alone) if is_better(alone, within) else found
    return Audit(
        document.path, document.title, document.format, found.profile, found.net, found.words, found.equations,
        remarks=found.remarks, numbers=worked(document),
        code=judged_code(document, seed) if code else (), notes=(*document.notes, *complaints(document)), nets=nets,
    )  # fmt: skip


def _held(document: Document, seed: int, nets: int, settings: Mapping[str, str], before: int = 0) -> Held:
    """The formulas of a lesson, or of a chapter that has so many formulas `before` it."""
    document = marked(document)
    functions = function_names(document)
    lines, notation, reading, judges = prepared(document, seed, nets, settings, functions, before)
    indices = index_letters([s for line in lines for s in line.statements]) | notation.chosen

    def reread(tex: str) -> tuple[Statement, ...]:
        found = parse(tex, document.macros, functions)
        made, _ = limited(_bound(map(notation.renamed, found.statements), notation), indices, notation.chosen)
        return tuple(with_one_letter(s) for s in made)

    equations: list[Equation] = []
    first = [judged(line, reading, judges) for line in lines]
    again = partial(_again, lines, reading)
    everywhere = narrowed([k.section for k in lines], first, judges, again, named(document))
    for section, scope in reading.scopes.items():
        here = [line for line in lines if line.section == section]
        found = [equation for line, equation in zip(lines, everywhere, strict=True) if line.section == section]
        if not _explains(found, everywhere, scope.assumption):
            found = [_doubted(equation) for equation in found]
        repairs = suggest(here, found, judges[section], reread, lesson=lines)
        equations += [structs.replace(e, suggestions=repairs.get(e.number, ())) for e in found]
    equations.sort(key=lambda equation: equation.number)
    offered = {equation.number: equation.suggestions for equation in equations}
    found = [
        renewed(equation, line.statements, line.formula.tex, judges[line.section])
        for line, equation in zip(lines, equations, strict=True)
    ]
    said = remarks(lines, equations, judges, reread, offered)
    return Held(reading.profile, reading.net, reading.words, tuple(found), tuple(said))


def prepared(
    document: Document, seed: int, nets: int, settings: Mapping[str, str], functions: set[str] | None = None,
    before: int = 0,
) -> tuple[list[Line], Notation, Reading, dict[int, Nets]]:  # fmt: skip
    """The lines of a lesson, its notation, how it is read, and the nets of every section."""
    lines, notation = understood(document, functions, before)
    said = [Said(line.number, line.section, s, not line.formula.deliberate) for line in lines for s in line.statements]
    reading = build(said, notation, settled(settings))
    for line in lines:  # nothing could be read in the whole section
        reading.scopes.setdefault(line.section, next(iter(reading.scopes.values())))
    judges = {
        section: Nets(scope.program, nets, seed, reading.activations, deeper=scope.deeper, others=scope.beside)
        for section, scope in reading.scopes.items()
    }
    return lines, notation, reading, judges


def _explains(section: list[Equation], lesson: list[Equation], assumed: Assumption) -> bool:
    """Whether a net explains so much that what it contradicts is wrong: in this section, or all over the lesson.

    Twice as much as it contradicts is enough. Of the lesson's own equations a single mistake is believed, and where
    there are two in the whole lesson, two for each that holds; else the whole lesson has to be explained better still.
    Where only the loss was assumed, two forward equations of the lesson's `own` speak for the net like one that holds.
    """
    held, bad = _count(section)
    everywhere, wrong = _count(lesson)
    if assumed.name == "own":
        held += sum(link.verdict == "definition" for equation in section for link in equation.links) // 2
    if held >= 2 * bad:
        return True
    if not assumed.definitions:
        alone = bad <= 1 and wrong <= 1
        few = 2 * held >= bad if wrong <= FEW else bad <= 1 and everywhere >= 2 * wrong
        return alone or few or everywhere >= AMPLE * wrong
    return held >= bad or (bad == 1 and everywhere >= 3 * wrong)


def _count(equations: list[Equation]) -> tuple[int, int]:
    links = [link for equation in equations for link in equation.links if not link.deliberate]
    held = sum(link.verdict in ("holds", "holds under") for link in links)
    return held, sum(link.verdict in BAD for link in links)


def _doubted(equation: Equation) -> Equation:
    """Nothing is called wrong under a net that explains too little: then it is the net that is wrong."""
    reason = "no reading of the symbols was found under which most equations of this section hold"
    links = [
        link if link.verdict not in BAD or link.deliberate
        else structs.replace(link, verdict="not understood", reason=reason, difference=None)
        for link in equation.links
    ]  # fmt: skip
    return structs.replace(equation, links=tuple(links))


def understood(
    document: Document, functions: set[str] | None = None, already: int = 0
) -> tuple[list[Line], Notation]:  # fmt: skip
    """Every formula that claims something, or that cannot be read, with its symbols bound, after `already` others."""
    document = marked(document)
    functions = function_names(document) if functions is None else functions
    parsed, names = renamed(with_samples_dropped(with_dropped(document, _parsed(document, functions))))
    every = [s for *_, found in parsed for s in found.statements]
    classes = class_letters(every) - {":"}
    given = {**letters_of_steps(every), **letters_of_samples(every), **names.roles, **roles(document.settings)}
    notation = survey([with_classes(s, classes) for s in every], given, classes)
    notation.chosen, notation.renamed = classes, names
    notation.called_values = called_values(bound(s, notation) for s in every)
    notation.over = over_marks(document, [bound(s, notation) for s in every])
    notation.summed = any(isinstance(piece, Prose) and CONVENTION.search(piece.text) for piece in document.pieces)
    prose = [piece.text for piece in document.pieces if isinstance(piece, Prose)]
    formulas = [piece.tex for piece in document.pieces if isinstance(piece, Formula)]
    notation.layouts = said_layouts(prose, formulas, _beside(document))
    notation.abbreviated = loss_of_names(document)
    notation.synonyms = synonyms((bound(s, notation) for s in every), document)
    notation.sample_losses = sample_losses(bound(s, notation) for s in every)
    notation.predicted = predictions_of(_bound(every, notation), notation)
    notation.general = general_inputs(_bound(every, notation))
    notation.others = speaks_of_others(_bound(every, notation), prose, classes)
    notation.labelled_losses = labelled_losses(_bound(every, notation))
    notation.sums_left_out = leaves_sums_out(_bound(every, notation))
    notation.totals = totals(_bound(every, notation))
    notation.starting = starting_at_zero(_bound(every, notation))
    notation.thresholds = thresholds(_bound(every, notation))
    notation.two_steps = two_steps(_bound(every, notation))
    notation.any_unit = any_unit(_bound(every, notation))
    notation.made_by = made_by_functions(_bound(every, notation))
    notation.samples_at = samples_at(s.body for s in _bound(every, notation))
    symbols = {k: _bound(found.statements, notation) for _, k, _, found in parsed}
    symbols = overwritten(symbols, {k: section for section, k, *_ in parsed})
    split, said = _conditioned(document, symbols, classes)
    telling = spoken(document)
    running = counted(s for own, _ in split.values() for s in own)
    lines: list[Line] = []
    before: Statement | None = None
    parts, unreal = Parts(), imagined(document)
    whole = [s for found, _ in split.values() for s in found]
    of: dict[int, int] = {}
    typed: list[tuple[int, Statement]] = []
    for section, place, formula, found in parsed:
        own, alone = split_off(split[place], running)
        if place in unreal and (other := only_imagined(own, whole)):
            own, alone = [s for s in own if s.body not in other], [*alone, *other]
        going_on = [_continued(under(s, said.get(place, ())), before) for s in own]
        lost = formula.display and bool(found.problems) and not found.statements
        before = next((s for s in reversed(going_on) if isinstance(s.body, Relation)), None if lost else before)
        statements = tuple(with_one_letter(in_pieces(s, whole)) for s in going_on)
        if _is_claim(formula, found.problems) or alone or any(isinstance(s.body, Relation) for s in statements):
            part = parts.of(section, statements)
            of[part] = section
            typed += [(part, s) for s in found.statements]
            number, told = already + len(lines) + 1, telling.get(place, ())
            lines.append(Line(number, part, formula, statements, found.problems, told, tuple(alone)))
    words = _words(document)
    notation.scalar = plain_sections(typed, ((line.section, s) for line in lines for s in line.statements))
    return _scalar_first(lines, notation, {part: words.get(section, "") for part, section in of.items()}), notation


def _beside(document: Document) -> list[tuple[str, str]]:
    """Every formula with the words right behind it."""
    pairs = pairwise(document.pieces)
    return [(a.tex, b.text) for a, b in pairs if isinstance(a, Formula) and isinstance(b, Prose)]


def _is_claim(formula: Formula, problems: tuple[Problem, ...]) -> bool:
    r"""Whether what cannot be read may claim something: \sum_k between words says nothing."""
    return bool(problems) and (formula.display or bool(SAYING.search(formula.tex)))


def _scalar_first(lines: list[Line], notation: Notation, words: Mapping[int, str]) -> list[Line]:
    """The lines of a lesson; in sections of numbers only, what has a number below has it in its name."""
    notation.depths = {section: int(found[1]) for section, text in words.items() if (found := DEPTH.search(text))}
    given = [(line.section, found) for line in lines if (found := GIVEN.fullmatch(line.formula.tex))]
    notation.depths |= {section: int(found[2]) for section, found in given if found[1] in {"L", *notation.tops}}
    notation.narrow = {part for part, said in words.items() if narrow(said)}
    notation.scalar |= scalar_sections([(line.section, s) for line in lines for s in line.statements], words)
    names = numbered(s for line in lines if line.section in notation.scalar for s in line.statements)
    return [
        replace(line, statements=tuple(with_names(s, names) for s in line.statements))
        if line.section in notation.scalar else line
        for line in lines
    ]  # fmt: skip


def _words(document: Document) -> dict[int, str]:
    """The prose of every section, with its bare numbers."""
    section, found = 0, dict[int, str]()
    for piece in document.pieces:
        if isinstance(piece, Prose):
            section += bool(piece.level)
            found[section] = f"{found.get(section, '')} {piece.text}"
        elif isinstance(piece, Formula) and piece.tex.strip().isdigit():
            found[section] = f"{found.get(section, '')} {piece.tex}"
    return found


def _parsed(document: Document, functions: set[str]) -> list[Placed]:
    """Every formula with its section and its place among the pieces."""
    section, found = 0, []
    for place, piece in enumerate(document.pieces):
        if isinstance(piece, Prose) and piece.level:
            section += 1
        elif isinstance(piece, Formula):
            found.append((section, place, piece, parse(piece.tex, document.macros, functions)))
    return shortened(found, document.pieces)


def _bound(statements: Iterable[Statement], notation: Notation) -> list[Statement]:
    """Statements with every symbol bound: classes pick entries, and predictions are quantities."""
    found = [at_places(bound(with_classes(s, notation.chosen), notation)) for s in statements]
    found = [with_synonyms(s, notation.synonyms) for s in found]
    found = [with_samples(with_samples_named(with_entries(s)), notation.sample_losses) for s in found]
    found = [without_labels(as_quantities(s, notation.predicted), notation.labelled_losses) for s in found]
    found = [with_convolutions(with_called_values(s, notation.called_values), notation.over) for s in found]
    found = [with_arguments(of_cases(told_apart(s, notation.totals), notation.general)) for s in found]
    found = [with_wrt(s, notation.made_by) for s in found]
    found = [written_out(apart(s, notation.thresholds), notation.two_steps) for s in found]
    return [in_layers(from_one(s, notation.starting), notation.any_unit) for s in found]


def _conditioned(
    document: Document, symbols: Mapping[int, list[Statement]], classes: set[str]
) -> tuple[dict[int, tuple[list[Statement], list[Relation]]], dict[int, tuple[Limit, ...]]]:
    """By place, the statements of formulas and what only sets conditions, and the conditions that the text sets."""
    indices = index_letters([s for found in symbols.values() for s in found]) | classes
    split = {place: limited(found, indices, classes) for place, found in symbols.items()}
    bare = {place: found for place, (rest, found) in split.items() if found and not rest}
    alone = {at: conditions_of(found, indices) for at, found in bare.items()}
    said = conditions(document, alone, indices)
    return split, {place: tuple(of_class(k, classes) for k in limits) for place, limits in said.items()}


def _continued(statement: Statement, before: Statement | None) -> Statement:
    """A formula that begins with `=` goes on with the chain before it, under the same conditions."""
    body = statement.body
    if before is None or not isinstance(body, Relation) or not isinstance(body.items[0], Before):
        return statement
    assert isinstance(before.body, Relation)
    head = replace(before.body.items[0], span=body.items[0].span)
    return under(replace(statement, body=replace(body, items=(head, *body.items[1:])), limits=()), before.limits)


def _again(lines: list[Line], reading: Reading, place: int, judges: Mapping[int, Nets]) -> Equation:
    """The formula at a place, judged in other nets."""
    return judged(lines[place], reading, judges)


def judged(line: Line, reading: Reading, judges: Mapping[int, Nets]) -> Equation:
    """All links of one formula, in the nets of its section; where these know nothing of it, in another's."""
    formula, defined = line.formula, reading.scopes[line.section].defined
    others = [nets for section, nets in judges.items() if section != line.section]
    nets = [judges[line.section], *others]
    claims = [(s.body, s.limits) for s in line.statements if isinstance(s.body, Relation)]
    links = [
        k for body, limits in claims for k in chain(formula, line.number, body, defined, nets, limits, line.spoken)
    ]
    links += [aside(formula, relation) for relation in line.alone]
    links += [unread(formula, problem) for problem in line.problems]
    if skip := next((d for d in formula.directives if d.startswith("skip")), None):
        links = [Link(k.left, k.relation, k.right, "skipped", skip.partition(":")[2].strip()) for k in links]
    if formula.deliberate:
        links = [structs.replace(link, deliberate=True) for link in links]
    return Equation(line.number, formula.tex, formula.place, formula.display, tuple(links), label=formula.label)
