"""junit.xml: one test for the cases that match, one for each finding, one for each note."""

from collections.abc import Iterator
from io import BytesIO
from typing import Any

from junitparser import Error, Failure, JUnitXml, Skipped, TestCase, TestSuite

from oracle.records import Finding, Note, Replayed, Report
from oracle.report import words
from oracle.report.terminal import render_finding
from oracle.report.text import one_line, safe_text

PASSING = ("convention", "torch deviates", "match")
"""Outcomes of a note that are no reason to look at the subject."""


def junit(report: Report) -> bytes:
    """The whole file. It has no times: the same report gives the same bytes."""
    suite = TestSuite(one_line(report.subject))
    for name, value in _properties(report):
        suite.add_property(one_line(name), one_line(value))
    suite.add_testcases(list(_tests(report)))
    xml = JUnitXml(one_line(report.name))
    xml.add_testsuite(suite)
    file = BytesIO()
    xml.write(file, pretty=True)
    return file.getvalue()


def _properties(report: Report) -> Iterator[tuple[str, str]]:
    yield from (("seed", str(report.seed)), ("dtypes", ", ".join(report.dtypes)), ("profile", report.profile))
    yield from ((f"cases {outcome}", str(n)) for outcome, n in words.in_order(report.tally))
    yield from ((f"version {name}", report.versions[name]) for name in sorted(report.versions))


def _tests(report: Report) -> Iterator[Any]:
    matched = report.tally.get("match", 0)
    yield _test(report, f"{words.plural(matched, 'case')} match", None if matched else Skipped("no case matched"))
    yield from (_test(report, f"{words.title(f)} [{f.case_id}]", _failure(f)) for f in report.findings)
    yield from (_broken(report, r) for r in report.replayed if r.outcome == "broken")
    for note in report.notes:
        passing = note.outcome in PASSING
        name = f"{note.outcome}: {note.reason}"
        test = _test(report, name, None if passing else Skipped(one_line(_counted(note))))
        if passing:
            test.system_out = one_line(_counted(note))
        yield test


def _test(report: Report, name: str, result: Any) -> Any:
    test = TestCase(one_line(name), classname=one_line(report.subject))
    test.result = [result] if result else []
    return test


def _failure(finding: Finding) -> Any:
    if finding.known:
        return Skipped(one_line(f"known: {finding.known}: {finding.sentence}"))
    kind = Failure if finding.verdict.outcome == "mismatch" else Error
    result = kind(one_line(finding.sentence), finding.verdict.outcome)
    result.text = safe_text(render_finding(finding), longest=None)
    return result


def _broken(report: Report, replayed: Replayed) -> Any:
    return _test(report, f"corpus: {replayed.file}", Error(one_line(replayed.reason), "broken"))


def _counted(note: Note) -> str:
    return f"{words.plural(note.count, 'case')}, for example {note.example}: {note.reason}"
