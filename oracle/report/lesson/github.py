"""What GitHub Actions shows of audits: an annotation at the line of each equation."""

from collections.abc import Iterator, Sequence

from oracle.lesson.records import BAD, Audit, Equation
from oracle.report.github import command, few
from oracle.report.lesson import words

Row = tuple[str, str, str, int]
"""(title, text, file, line)"""


def annotations(audits: Sequence[tuple[Audit, str]]) -> str:
    """Errors for what is wrong, warnings for what was not understood or is vacuous, each at its file and line.

    GitHub keeps ten of a kind of a step: the last one says how many more there are.
    """
    told = []
    for kind, rows in (("error", _errors), ("warning", _warnings)):
        found = [row for audit, file in audits for row in rows(audit, file)]
        told += [_command(kind, row) for row in few(found, _rest)]
    return "".join(f"{line}\n" for line in told)


def _command(kind: str, row: Row) -> str:
    title, text, file, line = row
    return command(kind, text, title=title, file=file, line=str(line or 1))


def _rest(more: str, first: Row) -> Row:
    return more, "They are in the output and the report.", first[2], first[3]


def _errors(audit: Audit, file: str) -> Iterator[Row]:
    for equation in audit.equations:
        for link in equation.links:
            if link.verdict in BAD and not link.deliberate:
                place = link.place or equation.place
                told = [words.claim(link), *words.evidence(link, audit.nets), *_instead(equation)]
                yield f"{words.verdict(link)}: {words.title(equation)}", "\n".join(told), file, place.line
    for remark in audit.remarks:
        if remark.kind in ("contradiction", "deliberate"):
            yield words.KINDS[remark.kind], remark.words, file, words.remark_line(audit, remark)
    for number in audit.numbers:
        if number.verdict == "wrong":
            yield f"WRONG: {words.one_line(number.name)}", words.number(number), file, number.line
    for code in audit.code:
        if code.verdict == "mismatch":
            yield f"MISMATCH: {code.function or 'code'}", code.words, file, code.line


def _instead(equation: Equation) -> Iterator[str]:
    for suggestion in equation.suggestions[:1]:
        yield f"instead: {words.one_line(suggestion.tex)}"
        yield from (f"and equation {n}: {words.one_line(tex)}" for n, tex in suggestion.others)


def _warnings(audit: Audit, file: str) -> Iterator[Row]:
    for equation in audit.equations:
        for link in equation.links:
            if link.verdict in ("not understood", "vacuous"):
                title = f"{words.verdict(link)}: {words.title(equation)}"
                yield title, link.reason or words.claim(link), file, (link.place or equation.place).line
    for note in audit.notes:
        yield "could not be read", note.words, file, note.line
    for remark in audit.remarks:
        if remark.kind not in ("contradiction", "deliberate"):
            yield words.KINDS[remark.kind], remark.words, file, words.remark_line(audit, remark)
