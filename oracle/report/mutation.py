"""The oracle's own score: the same tables as Markdown, HTML and text, and a test for every planted fault."""

import base64
import hashlib
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from junitparser import Failure, JUnitXml, TestCase, TestSuite
from markupsafe import Markup
from rich.console import Console

from oracle import spec
from oracle.faults import FAULTS
from oracle.report.codec import indented
from oracle.report.numbers import short
from oracle.report.page import Page, Piece
from oracle.report.pages import _environment, _source
from oracle.report.text import one_line
from oracle.report.words import plural
from oracle.score import SOON, Figures, Mutant, Mutation, Share, confused, confusion, families, figures

Cell = str | int
NONE = "–"


class Table(NamedTuple):
    """A table with a line before it."""

    title: str
    note: str
    columns: tuple[str, ...]
    rows: list[tuple[Cell, ...]]


def write_mutation(report: Mutation, directory: Path) -> list[Path]:
    """Write every format; equal reports give equal bytes."""
    return [
        spec.write(directory / "mutation.json", encode(report)),
        spec.write(directory / "mutation.junit.xml", junit(report)),
        spec.write(directory / "mutation.md", markdown(report).encode()),
        spec.write(directory / "mutation.html", html(report).encode()),
    ]


def encode(report: Mutation) -> bytes:
    """The record, with the figures and the whole confusion matrix behind it."""
    derived = {"figures": figures(report.mutants), "families": families(report), "confusion": confusion(report)}
    return indented(msgspec.to_builtins(report) | msgspec.to_builtins(derived))


def markdown(report: Mutation) -> str:
    """The summary in Markdown."""
    return _environment(False).get_template("mutation.md.j2").render(_context(report, _summary(report)))


def html(report: Mutation) -> str:
    """The summary and every fault in one file that needs no other."""
    css = _source("report.css")
    digest = base64.b64encode(hashlib.sha256(f"\n{css}".encode()).digest()).decode()
    context = _context(report, [*_summary(report), _every(report)])
    return _environment(True).get_template("mutation.html.j2").render(context, css=Markup(css), digest=digest)


def print_mutation(console: Console, report: Mutation) -> None:
    """The summary on a console."""
    page = Page()
    page.line(
        (f"{verdict(report)}: ", "good" if report.exit_code == 0 else "bad"), (headline(report), "strong"), indent=0
    )
    page.line((run_line(report), "faint"))
    for table in _summary(report):
        page.heading(table.title)
        head: list[Piece] = [(column, "faint") for column in table.columns]
        page.table([head, *([str(cell) for cell in row] for row in table.rows)])
    page.print(console)


def junit(report: Mutation) -> bytes:
    """A test for every planted fault: found, and not called by another's name; and one for right code."""
    suite = TestSuite("oracle mutation")
    for name, value in (("seed", report.seed), ("cases", report.cases), *sorted(report.versions.items())):
        suite.add_property(name, str(value))
    for mutant in report.mutants:
        suite.add_testcase(
            _test(f"{mutant.seed}: {mutant.name}", mutant.family, "" if mutant.good else outcome(mutant))
        )
    for a in report.accusations:
        told = f"{a.accused} of {a.judged} cases of right code were called wrong" if a.by == "oracle" else ""
        suite.add_testcase(_test(f"right code and {a.by}", "right code", told if a.accused else ""))
    xml = JUnitXml("oracle mutation")
    xml.add_testsuite(suite)
    file = BytesIO()
    xml.write(file, pretty=True)
    return file.getvalue()


def _test(name: str, group: str, failure: str) -> Any:
    test = TestCase(one_line(name), classname=one_line(group))
    test.result = [Failure(one_line(failure), "mutation")] if failure else []
    return test


# ---------------------------------------------------------------------------------------------------------- sentences


def verdict(report: Mutation) -> str:
    """The word for the exit code."""
    return "FAILED" if report.exit_code else "PASSED"


def headline(report: Mutation) -> str:
    """The whole run in one sentence."""
    total = figures(report.mutants)
    faults = len({m.code for m in report.mutants})
    wrong = total.namings["other"]
    return (
        f"{total.found.n} of {plural(total.seeds, 'seed')} of {plural(faults, 'fault')} found, "
        f"{total.namings['first'] + total.namings['tied']} named, {wrong} called by another's name"
    )


def run_line(report: Mutation) -> str:
    """What was run: enough to run it again."""
    peers = f"; peers on {report.peer_cases} of them" if report.peer_cases else "; no peers"
    return (
        f"seed {report.seed}, up to {report.cases} cases of each of {', '.join(report.dtypes)} "
        f"or {report.enough} failures{peers}"
    )


def outcome(mutant: Mutant) -> str:
    """How it went, in a few words."""
    if mutant.error:
        return mutant.error
    other = f", as {mutant.told}" if mutant.told and mutant.told != mutant.code else ""
    return {"other": "named otherwise", "first": "named"}.get(mutant.naming, mutant.naming) + other


# ------------------------------------------------------------------------------------------------------------- tables


def _context(report: Mutation, tables: list[Table]) -> dict[str, Any]:
    return {"verdict": verdict(report), "headline": headline(report), "run": run_line(report), "tables": tables}


def _summary(report: Mutation) -> list[Table]:
    tables = [_total(report), _beside(report), _families(report), _confused(report), _open(report)]
    return [table for table in tables if table.rows]


def _of(share: Share) -> str:
    return f"{share.n} of {share.of}" if share.of else NONE


def _total(report: Mutation) -> Table:
    f = figures(report.mutants)
    size = f"{short(f.median_numbers)} and {f.largest_numbers}" if f.median_numbers is not None else NONE
    rows: list[tuple[Cell, ...]] = [
        ("found", _of(f.found)),
        (f"found within {SOON} cases", _of(f.soon)),
        ("located: the operator and the part", _of(f.located)),
        *((f"diagnosis: {naming}", n) for naming, n in f.namings.items()),
        ("numbers in the shrunk case, median and most", size),
        ("nodes in it besides the last, most", NONE if f.largest_nodes is None else f.largest_nodes),
    ]
    return Table("In short", "One seed is one fault in one operator, or in several that share a line.", ("", ""), rows)


def _beside(report: Mutation) -> Table:
    f = figures(report.mutants)
    found = {"oracle": f.found} | f.peers
    rows: list[tuple[Cell, ...]] = [
        (a.by, _of(found.get(a.by, Share(0, 0))), f"{a.accused} of {a.judged}", a.example or NONE, a.rule)
        for a in report.accusations
    ]
    note = (
        f"The same cases; each peer is asked about at most {report.peer_cases} cases that a fault changes, and about "
        f"the first {report.peer_cases} with right code. An alarm counts only where the peer leaves right code alone; "
        "out of how many, is how many seeds it can judge at all."
    )
    columns = ("", "faults found", "right code accused, cases", "the first", "what it calls wrong")
    return Table("Beside others", note, columns, rows)


def _families(report: Mutation) -> Table:
    columns = ("family", "seeds", "found", "soon", "located", "first", "tied", "top three", "other", "not recognised")
    rows: list[tuple[Cell, ...]] = []
    groups: list[tuple[str, Figures]] = [*families(report).items(), ("all", figures(report.mutants))]
    for name, f in groups if len(groups) > 2 else ():
        named = (f.namings[n] for n in ("first", "tied", "top three", "other", "not recognised"))
        rows.append((name, f.seeds, f.found.n, f.soon.n, _of(f.located), *named))
    return Table("By family", f"Soon: within {SOON} cases.", columns, rows)


def _confused(report: Mutation) -> Table:
    rows: list[tuple[Cell, ...]] = [(_called(code), _called(told), n) for code, told, n in confused(report)]
    note = "Off the diagonal of the confusion matrix; the whole matrix is in mutation.json."
    return Table("Named otherwise, or not at all", note, ("planted", "named", "seeds"), rows)


def _called(code: str) -> str:
    return f"{code} {FAULTS[code].name}" if code in FAULTS else code


def _open(report: Mutation) -> Table:
    columns = ("seed", "fault", "diagnosis", "place", "what is said")
    rows = [_row(m) for m in report.mutants if not m.good or m.located is False or m.naming == "not recognised"]
    return Table("Open", "Not found, not located, not recognised, or called by another's name.", columns, rows)


def _row(m: Mutant) -> tuple[Cell, ...]:
    place = f"{'' if m.located is not False else 'not located: '}{m.born or NONE}"
    return m.seed, m.name, outcome(m), place, m.sentence or m.reason or NONE


def _every(report: Mutation) -> Table:
    names = list(figures(report.mutants).peers)
    columns = ("seed", "fault", "first failure, case", "place", "diagnosis", "also", "nodes", "numbers", *names)
    rows: list[tuple[Cell, ...]] = [tuple(_cells(m, names)) for m in report.mutants]
    return Table("Every seed", "Peers: the first case with a true alarm.", columns, rows)


def _cells(m: Mutant, names: list[str]) -> Iterator[Cell]:
    yield from (m.seed, m.name, NONE if m.first is None else m.first, _row(m)[3], outcome(m))
    yield from (", ".join(m.also), *(NONE if n is None else n for n in (m.nodes, m.numbers)))
    for name in names:
        n = m.peers.get(name)
        yield n if n is not None else "missed" if name in m.peers else NONE
