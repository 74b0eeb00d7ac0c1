"""A finding as text, always in the same order.

What is wrong; the smallest case; the backward pass, last layer first; expected, got and their ratio; why the
diagnosis is believed; the proof; how to reproduce.
"""

from collections.abc import Iterator

from rich.console import Console

from oracle.records import Finding, Note, Report, Stop
from oracle.report import tables, words
from oracle.report.page import Page, Piece
from oracle.report.tables import Cell, Comparison
from oracle.spec import Array

COLOUR = {"right": "good", "wrong": "bad", "follows": "follows", "unknown": "faint", "not returned": "faint"}
HEADS = ("expected", "got", "ratio")


def render_finding(finding: Finding) -> str:
    """A finding as plain text."""
    return finding_page(finding).plain


def print_finding(console: Console, finding: Finding) -> None:
    """A finding on a console, in colour where it is a terminal."""
    finding_page(finding).print(console)


def print_summary(console: Console, report: Report) -> None:
    """A whole run in a few lines, on a console."""
    summary_page(report).print(console)


def finding_page(finding: Finding) -> Page:
    """The seven parts of a finding; for a crash or a hang, those that need no numbers."""
    page = Page()
    page.line((f"{words.outcome(finding).upper()}  ", "bad"), (finding.sentence, "strong"), indent=0)
    if finding.known:
        page.line(f"known: {finding.known}")
    page.line((words.seen(finding), "faint"))
    smallest_case(page, finding)
    if words.numbers_compared(finding):
        _backward(page, finding)
        _compared(page, finding)
        _belief(page, finding)
        _proof(page, finding)
    else:
        page.heading("NO NUMBERS TO COMPARE")
        page.block(finding.verdict.reason or finding.sentence)
        if finding.verdict.evidence:
            page.line(("its stderr ends:", "strong"))
            page.block(finding.verdict.evidence, indent=4)
        if finding.diagnosis or finding.trigger or finding.reading:
            _belief(page, finding)
    page.heading("TO REPRODUCE")
    page.line(finding.reproduce or words.default_command(finding))
    return page


def smallest_case(page: Page, finding: Finding) -> None:
    """The graph and every number."""
    page.heading("THE SMALLEST CASE", f"{finding.case_id}, {words.mode(finding.case)}")
    for line in words.graph(finding.case):
        page.line(line)
    page.line()
    found = list(words.tensors(finding.case))
    if words.numbers_compared(finding):
        page.table(row for kind, name, x in found for row in _numbers(kind, name, x))
    else:
        page.table((name, tables.shape(x), (kind, "faint")) for kind, name, x in found)


def _numbers(kind: str, name: str, x: Array) -> Iterator[list[Piece]]:
    rows, more = tables.plain_rows(x)
    width = max((len(value) for _, row in rows for value in row), default=0)
    head: list[Piece] = [name, (tables.shape(x), "faint"), (kind, "faint")]
    for label, row in rows:
        yield [*head, "  ".join([*filter(None, [label]), *(value.rjust(width) for value in row)])]
        head = ["", "", ""]
    if more or not rows:
        yield [*head, (f"… {more} more in the case's file" if more else "empty", "faint")]


# --------------------------------------------------------------------------------------------------- the backward pass


def _backward(page: Page, finding: Finding) -> None:
    update = words.is_update(finding.case)
    page.heading(*("THE UPDATE", "step by step") if update else ("THE BACKWARD PASS", "last layer first"))
    page.table(row for stop in finding.backward for row in _stop(stop))
    if not finding.backward:
        for tensor in finding.verdict.suspects or [d.tensor for d in finding.verdict.differences]:
            page.line(tensor, ("  WRONG", "bad"))
    if finding.born:
        page.line(("born in ", "strong"), (words.born_in(finding), "strong"))
        page.block(finding.born.sentence)
    else:
        page.line((words.not_localised(finding), "strong"))


def _stop(stop: Stop) -> Iterator[list[Piece]]:
    inputs = f"({', '.join(stop.inputs)})" if stop.inputs else ""
    yield [(stop.node, "strong"), f"{stop.op}{inputs}", status(stop.status)]
    for line in stop.lines:
        yield ["", line.tensor, status(line.status)]


def status(word: str) -> tuple[str, str]:
    """A status as a word, never as a colour alone."""
    return words.status(word), COLOUR[word]


def _compared(page: Page, finding: Finding) -> None:
    page.heading("EXPECTED, GOT AND RATIO", "wrong entries are marked *")
    comparisons(page, finding, ("wrong",), HEADS)


def comparisons(page: Page, finding: Finding, statuses: tuple[str, ...], heads: tuple[str, str, str]) -> None:
    """The tensors of these statuses, as they should be and as they are."""
    for table in tables.compared(finding, *statuses):
        page.line((table.tensor, "strong"), (f"  {table.shape}", "faint"))
        _matrix(page, table, heads) if table.matrix else _list(page, table, heads)
        for told in filter(None, (table.more, table.pattern)):
            page.line((told, "faint"), indent=4)


def _matrix(page: Page, table: Comparison, titles: tuple[str, str, str]) -> None:
    """Three matrices side by side."""
    cells = [cell for _, row in table.rows for cell in row]
    widths = [max((len(_face(cell)[k]) for cell in cells), default=0) for k in range(3)]
    columns = max((len(row) for _, row in table.rows), default=0)
    spans = [max(len(head), columns * (width + 2)) + 3 for head, width in zip(titles, widths, strict=True)]
    labels = max((len(label) for label, _ in table.rows), default=0)
    heads = (head.ljust(span) for head, span in zip(titles, spans, strict=True))
    page.line((" " * (labels + 2) + "".join(heads), "faint"))
    for label, row in table.rows:
        strips = (_strip(row, k, widths[k], spans[k]) for k in range(3))
        page.line(label.ljust(labels), *(piece for strip in strips for piece in strip))


def _strip(row: list[Cell], k: int, width: int, span: int) -> Iterator[Piece]:
    """One row of the k-th of the three matrices."""
    yield from ((_face(cell)[k].rjust(width + 2), "bad" if k and cell.wrong else "") for cell in row)
    yield " " * (span - len(row) * (width + 2))


def _list(page: Page, table: Comparison, titles: tuple[str, str, str]) -> None:
    """One entry a line."""
    lines: list[list[Piece]] = [[(text, "faint") for text in ("entry", *titles)]]
    for cell in (cell for _, row in table.rows for cell in row):
        lines.append([cell.at, *((text, "bad" if cell.wrong else "") for text in _face(cell))])
    page.table(lines if table.rows else [], indent=4)


def _face(cell: Cell) -> tuple[str, str, str]:
    return cell.expected, cell.got + ("*" if cell.wrong else " "), cell.ratio


# -------------------------------------------------------------------------------------------------------- the evidence


def _belief(page: Page, finding: Finding) -> None:
    page.heading("WHY")
    if d := finding.diagnosis:
        page.line((d.name, "strong"), (f"  {d.code}{f', in {d.node}' if d.node else ''}", "faint"))
        page.block(d.story)
        page.block(d.wrong, first=("wrong  ", "bad"), indent=4)
        page.block(d.right, first=("right  ", "good"), indent=4)
        page.block(d.evidence, first="believed because: ")
        if d.also:
            page.line(f"the same numbers would come from: {', '.join(d.also)}")
    elif words.numbers_compared(finding):
        page.line(words.not_recognised(finding))
    for label, told in words.observed(finding):
        page.block(told, first=(f"{label.upper()}: ", "strong"))
    if d and words.explained(d.code):
        page.line((f"more of it: oracle explain {d.code}", "faint"))


def _proof(page: Page, finding: Finding) -> None:
    page.heading("PROOF")
    for sentence in words.proofs(finding):
        page.line(sentence)


# --------------------------------------------------------------------------------------------------------- the summary


def summary_page(report: Report) -> Page:
    """The verdict, what was counted, and one line for every finding and note."""
    page = Page()
    word, told = words.verdict(report)
    page.line((f"{word}: ", "good" if word == "PASSED" else "bad"), (told, "strong"), indent=0)
    page.line((words.run_line(report), "faint"))
    page.line(words.tally_line(report))
    if report.stopped:
        page.line("stopped early: ", report.stopped)
    for remark in words.remarks(report):
        page.line(remark)
    for k, finding in enumerate(report.findings, 1):
        colour = "follows" if finding.known else "bad"
        page.line((f"{k}. {words.outcome(finding)}  ", colour), (words.title(finding), "strong"))
        if finding.known:
            page.line(f"known: {finding.known}", indent=5)
        page.line(f"{finding.sentence} ({words.plural(finding.count, 'case')})", indent=5)
    page.table(_note(note) for note in report.notes)
    return page


def _note(note: Note) -> list[Piece]:
    saved = f", saved as {note.saved}" if note.saved else ""
    return [(note.outcome, "follows"), words.plural(note.count, "case"), f"{note.reason} ({note.example}{saved})"]
