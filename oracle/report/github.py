"""What GitHub Actions shows of a run: annotations, and the summary of a step.

GitHub keeps ten annotations of each kind of a step, and drops a summary above 1 MiB whole. Workflow commands are
lines of the output ("Workflow commands for GitHub Actions", docs.github.com): what a subject says must not pass for
one, so it stands between `::stop-commands::TOKEN` and `::TOKEN::`.
"""

from collections.abc import Callable, Iterator
from typing import TypeVar

from oracle.records import Finding, Report
from oracle.report import words
from oracle.report.pages import DETAILED, summary
from oracle.report.text import one_line, safe_text

MOST = 10
"""Annotations of one kind."""
LONGEST = 2000
"""Characters of one annotation."""
ROOM = 2**20 - 1024
"""Bytes of a step's summary."""


def annotations(report: Report, file: str = "", line: int | None = None) -> str:
    """One error for each new finding, at the subject's own line, warnings, and one notice of what is known."""
    at = {"file": file, "line": str(line or "")} if file else {}
    kinds = {"error": _errors(report), "warning": _warnings(report), "notice": _notices(report)}
    told = [
        command(kind, text, title=title, **at) for kind, rows in kinds.items() for title, text in few([*rows], _rest)
    ]
    return "".join(f"{line}\n" for line in told)


def command(kind: str, message: str, **properties: str) -> str:
    """One workflow command, escaped as the runner asks for."""
    listed = ",".join(f"{key}={_property(value)}" for key, value in properties.items() if value)
    return f"::{kind} {listed}::{_data(message)}"


def _data(text: str) -> str:
    return safe_text(text, LONGEST).replace("%", "%25").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(one_line(text)).replace(":", "%3A").replace(",", "%2C")


Row = tuple[str, str]
"""(title, text)"""


AnyRow = TypeVar("AnyRow")


def few(rows: list[AnyRow], rest: Callable[[str, AnyRow], AnyRow]) -> list[AnyRow]:
    """As many as GitHub keeps, the last of them made of how many more there are ("3 more") and the first of those."""
    if len(rows) <= MOST:
        return rows
    return [*rows[: MOST - 1], rest(f"{len(rows) - MOST + 1} more", rows[MOST - 1])]


def _rest(more: str, _: Row) -> Row:
    return more, "They are in the summary of this step and the report."


def _errors(report: Report) -> Iterator[Row]:
    yield from (_error(finding) for finding in report.findings if not finding.known)
    if report.exit_code and (all(f.known for f in report.findings) or report.exit_code != 1):
        yield words.verdict(report)


def _error(finding: Finding) -> Row:
    again = finding.reproduce or words.default_command(finding)
    told = (finding.sentence, words.seen(finding), f"to reproduce: {again}")
    return f"{finding.verdict.outcome}: {words.title(finding)}", "\n".join(told)


def _warnings(report: Report) -> Iterator[Row]:
    if report.stopped:
        yield "stopped early", report.stopped
    yield from (("broken case", f"{r.file}: {r.reason}") for r in report.replayed if r.outcome == "broken")
    yield from (("stale entry of the baseline", sentence) for sentence in report.stale)


def _notices(report: Report) -> Iterator[Row]:
    known = [f"{finding.sentence} ({finding.known})" for finding in report.findings if finding.known]
    if known:
        yield f"{words.plural(len(known), 'known cause')} of failure", "\n".join(known)


def step_summary(report: Report, room: int = ROOM) -> str:
    """The summary in Markdown, with as many findings in full as there is room for; cut where even none fits."""
    for detailed in (DETAILED, 10, 5, 2, 1, 0):
        page = summary(report, detailed)
        if len(page.encode()) <= room:
            return page
    kept = page.encode()[: max(0, room - len(_CUT.encode()))].decode("utf-8", "ignore")
    return (kept[: kept.rfind("\n") + 1] + _CUT) if room > len(_CUT.encode()) else ""


_CUT = "\nThe rest is left out: GitHub shows no more than 1 MiB of a step. It is in the report.\n"
