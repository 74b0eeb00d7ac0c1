"""ReStructuredText: `:math:` roles, `.. math::` and `.. code-block::` directives, headings, `.. audit:` comments."""

import re

from oracle.lesson.document import Document, Prose
from oracle.lesson.reading.source import Source

TOKEN = re.compile(
    r"^(?P<indent>[ \t]*)\.\. (?P<name>math|code-block|code|sourcecode)::[ \t]*(?P<argument>[^\n]*)$"
    r"|^[ \t]*\.\. audit:(?P<audit>[^\n]*)$"
    r"|^(?P<heading>[^\s.:][^\n]*)\n(?P<rule>(?P<sign>[=\-~^\"'`#*+.])(?P=sign){2,})[ \t]*$"
    r"|:math:`(?P<role>[^`]*)`"
    r"|``(?P<literal>[^`\n]+)``",
    re.MULTILINE,
)
OPTION = re.compile(r"[ \t]*:([\w-]+):[ \t]*([^\n]*)\n?")


def read(path: str, text: str) -> Document:
    """The document of a reStructuredText file."""
    source, at, rules = Source(path, "restructuredtext", text), 0, list[str]()
    while match := TOKEN.search(text, at):
        at = max(_token(source, match, rules), at + 1)
    return source.document()


def _token(source: Source, match: re.Match[str], rules: list[str]) -> int:
    if match["name"]:
        return _directive(source, match)
    if match["audit"] is not None:
        source.taken.append(match.span())
        source.audit(match["audit"], match.start())
    elif match["heading"]:
        _heading(source, match, rules)
    elif match["role"]:
        source.formula(match.span("role"), match.span(), display=False)
    return match.end()


def _heading(source: Source, match: re.Match[str], rules: list[str]) -> None:
    """The levels of headings are in the order in which their rules appear."""
    sign, words = match["rule"][0], match["heading"].strip()
    if sign not in rules:
        rules.append(sign)
    source.title = source.title or words
    source.taken.append(match.span())
    place = source.place(match.start("heading"), match.start("heading") + len(words))
    source.pieces.append(Prose(words, place, min(6, rules.index(sign) + 1)))


def _directive(source: Source, match: re.Match[str]) -> int:
    """A directive's options and its body, which is indented deeper than the directive; or its argument alone."""
    body = re.compile(rf"(?:\n[ \t]*(?=\n|\Z)|\n{match['indent']}[ \t]+\S[^\n]*)*").match(source.text, match.end())
    end = body.end() if body else match.end()
    at = min(match.end() + 1, end)
    label = ""
    while option := OPTION.match(source.text, at, end):
        label = option[2].strip() if option[1] == "label" else label
        at = option.end()
    maths = match["name"] == "math"
    start = match.start("argument") if maths and match["argument"].strip() else at
    _add(source, (start, end), (match.start(), end), "" if maths else match["argument"].strip() or "text", label)
    return end


def _add(source: Source, span: tuple[int, int], whole: tuple[int, int], language: str, label: str) -> None:
    raw = source.text[slice(*span)]
    if not raw.strip():
        source.note(whole[0], "this directive has no body; indent what belongs to it")
        return
    inner = [line for line in raw.split("\n")[1 if raw[0].strip() else 0 :] if line.strip()]
    margin = min((len(line) - len(line.lstrip()) for line in inner), default=0)
    lines = [line[margin:] if not line[:margin].strip() else line for line in raw.split("\n")]
    if language:
        source.code(span, whole, language, "\n".join(lines).strip("\n") + "\n")
        return
    source.formula(
        span,
        whole,
        display=True,
        label=label,
        unescape=lambda text: text.replace("\n" + " " * margin, "\n"),
        escape=lambda tex: tex.replace("\n", "\n" + " " * margin),
    )
