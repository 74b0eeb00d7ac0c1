"""An audit as text: what was assumed, what is wrong and why, what to put instead, and the counts."""

from rich.console import Console

from oracle.lesson.records import Audit, Code, Equation, Link, Remark, Suggestion, Verdict, Worked
from oracle.report.lesson import words
from oracle.report.page import Page

Repair = frozenset[tuple[int, str]]
"""A suggestion as what it makes of which equation."""
COLOURS = {"wrong": "bad", "doubtful": "follows", "right": "good", "plain": "faint"}


def print_audit(console: Console, audit: Audit, verbose: bool = False) -> None:
    """An audit on a console, in colour where it is a terminal."""
    audit_page(audit, verbose).print(console)


def audit_page(audit: Audit, verbose: bool = False) -> Page:
    """The audit; with `verbose` every link of every equation, else those that are no plain HOLDS."""
    page = Page()
    page.line((audit.lesson, "strong"), f": {audit.title}" if audit.title else "", indent=0)
    page.line((words.read_as(audit), "faint"))
    _assumed(page, audit)
    told: set[Repair] = set()
    for equation in audit.equations:
        if verbose or any(words.notable(link) for link in equation.links):
            _equation(page, audit, equation, verbose, told)
    for remark in audit.remarks:
        _remark(page, audit, remark, told)
    _numbers(page, audit, verbose)
    _code(page, audit)
    if audit.notes:
        page.heading("COULD NOT BE READ")
        page.table((f"{audit.lesson}:{note.line}", note.words) for note in audit.notes)
    _end(page, audit)
    return page


def _assumed(page: Page, audit: Audit) -> None:
    if audit.net:
        page.heading("THE NET", "% assumed: the lesson does not say it")
    for line in audit.net:
        page.line(words.one_line(line))
    if audit.readings:
        page.heading("READ AS")
    for reading in audit.readings:
        page.line(reading)


def colour(verdict: Verdict) -> str:
    """The colour of a verdict; it is always told in words, too."""
    return COLOURS[words.TONES[verdict]]


def _equation(page: Page, audit: Audit, equation: Equation, verbose: bool, told: set[Repair]) -> None:
    page.heading(words.title(equation).upper(), f"{audit.lesson}:{equation.place.line}")
    page.block(words.one_line(equation.tex))
    for link in equation.links:
        if verbose or words.notable(link):
            _link(page, audit, equation, link)
    for suggestion in equation.suggestions:
        _suggestion(page, suggestion, equation.number, told)


def _link(page: Page, audit: Audit, equation: Equation, link: Link) -> None:
    place = link.place or equation.place
    where = "" if place.line == equation.place.line else f"  {audit.lesson}:{place.line}"
    page.line((words.verdict(link), colour(link.verdict)), (where, "faint"))
    if len(equation.links) > 1 or link.verdict == "not understood":
        page.block(words.claim(link), indent=4)
    for sentence in words.evidence(link, audit.nets):
        page.block(sentence, indent=4)


def _suggestion(page: Page, suggestion: Suggestion, number: int, told: set[Repair]) -> None:
    """A repair; one of several equations is told once, whichever of them it comes with."""
    repair = frozenset([(number, suggestion.tex), *suggestion.others])
    if suggestion.others and repair in told:
        listed = " and ".join(str(n) for n, _ in sorted(suggestion.others))
        page.line(("instead", "strong"), f"  jointly with equation {listed}, as said above")
        return
    told.add(repair)
    page.line(("instead", "strong"), f"  {suggestion.words}" if suggestion.words else "")
    page.block(words.one_line(suggestion.tex), indent=6)
    for other, tex in suggestion.others:
        page.line((f"and equation {other}", "strong"), indent=4)
        page.block(words.one_line(tex), indent=6)
    if suggestion.others:
        page.line((words.joint(number, suggestion.others), "faint"), indent=4)


def _remark(page: Page, audit: Audit, remark: Remark, told: set[Repair]) -> None:
    where = ", ".join(filter(None, (words.concerns(remark), f"{audit.lesson}:{words.remark_line(audit, remark)}")))
    page.heading(words.KINDS[remark.kind], where)
    page.block(remark.words)
    if remark.suggestion:
        _suggestion(page, remark.suggestion, next(iter(remark.equations), 0), told)


def _numbers(page: Page, audit: Audit, verbose: bool) -> None:
    shown = [found for found in audit.numbers if verbose or found.verdict != "right"]
    if not audit.numbers:
        return
    page.heading("WORKED NUMBERS", f"{sum(n.verdict == 'right' for n in audit.numbers)} of {len(audit.numbers)} right")
    page.table(_number(audit, found) for found in shown)


def _number(audit: Audit, found: Worked) -> list[str | tuple[str, str]]:
    tone = {"wrong": "bad", "right": "good"}.get(found.verdict, "follows")
    word = (words.NUMBERS[found.verdict], tone)
    return [word, words.one_line(found.name), words.number(found), (f"{audit.lesson}:{found.line}", "faint")]


def _code(page: Page, audit: Audit) -> None:
    if audit.code:
        page.heading("CODE")
    for block in audit.code:
        tone = {"mismatch": "bad", "match": "good"}.get(block.verdict, "follows")
        page.line((words.CODE[block.verdict], tone), f"  {_name(block)}  ", (f"{audit.lesson}:{block.line}", "faint"))
        page.block(block.words, indent=4)


def _name(block: Code) -> str:
    return block.function or block.language or "code"


def _end(page: Page, audit: Audit) -> None:
    page.line()
    word, told = words.headline(audit)
    page.line((f"{word}: ", "good" if word == "PASSED" else "bad"), (told, "strong"), indent=0)
    page.line(words.counts_line(audit))
