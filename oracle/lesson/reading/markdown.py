"""Markdown: formulas between delimiters, fences, headings, tables, front matter and `audit:` comments."""

import re

from oracle.lesson.document import Document, Prose, Table
from oracle.lesson.reading.delimiters import OPENING, Delimited
from oracle.lesson.reading.source import Source

FENCE = r"^[ \t>]*(?P<fence>`{3,}|~{3,})(?P<info>[^\n`]*)$"
IN_LINE = r"^[ \t>]*```math[ \t]+(?P<inline>[^\s`](?:(?!\n[ \t]*\n|```).)*?)`{2,}[ \t]*$"
"""A fence whose formula begins on its line: "```math z = w x```"; one of the last ticks may be missing."""
HEADING = r"^ {0,3}(?P<level>#{1,6})[ \t]+(?P<heading>[^\n]*)$"
BOLD = r"^(?P<bold>\*\*)(?=[^*\n]{1,120}\*\*[ \t]*$)(?P<boldly>[^*\n]*[^*\n:.])\*\*[ \t]*$"
"""A line in bold that is no sentence, and begins no list."""
SCRIPT = r"<script[^>]*type=[\"']math/tex(?P<mode>[^\"'>]*)[\"'][^>]*>(?P<script>.*?)</script>"
SHORTCODE = (
    r"\{\{[<%]\s*(?P<code>displaymath|equation|math|katex|latex|tex|mathjax)\b(?P<how>[^>%]*)[>%]\}\}"
    r"(?P<coded>(?:(?!\{\{|\$|\\\[|\\\().)*?)\{\{[<%]\s*/\s*(?P=code)\s*[>%]\}\}"
)
"""Hugo's `{{< katex >}} .. {{< /katex >}}` around a formula without delimiters."""
DIRECTIVE = re.compile(
    r"\{(?:note|tip|hint|important|warning|caution|attention|danger|seealso|admonition|dropdown|example|proof|exercise|"
    r"solution|topic|sidebar|margin|prf:\w+|card|grid-item|tab-item|theorem|definition|remark|toggle)\}.*"
)
"""MyST's blocks of text: ```{note}."""
OPTIONS = re.compile(r"(?:[ \t>]*:[\w-]+:[^\n]*\n)+")
"""What MyST says of a block of mathematics in its first lines: `:label: eq1`."""
RULE = r"^(?=[^\n]*-)(?=[^\n]*\|)[ \t|:-]+$"
MARKED = r"<su(?P<%s>[bp])>[^<>\n]{1,9}</su(?P=%s)>"
PLAIN = (
    rf"[A-Za-z](?:{MARKED % ('a', 'a')})?[ \t]*=[ \t]*(?=[^\n$]*?<su)"
    rf"(?:[A-Za-z\d+\-*/().,^ ]|{MARKED % ('b', 'b')})+"
)
"""`u=exp(a<sub>0</sub>)+exp(a<sub>1</sub>)` in a sentence."""
MATHS = re.compile(
    r"(?:<su[bp]>[^<>]*</su[bp]>|[=+\-*/().,^ ]|\b(?:exp|log|ln|tanh)\b|[A-Za-z](?![A-Za-z])|\d)*", re.ASCII
)
TOKEN = re.compile(
    rf"{IN_LINE}|{FENCE}|{HEADING}|{BOLD}|(?P<rule>{RULE})|(?:{SCRIPT})|(?:{SHORTCODE})|(?P<comment><!--)|(?P<ticks>`+)|(?P<math>{OPENING.pattern})"
    rf"|(?P<plain>{PLAIN})",
    re.MULTILINE | re.DOTALL,
)
FRONT = re.compile(r"---[ \t]*\n(.*?)^(?:---|\.\.\.)[ \t]*$", re.DOTALL | re.MULTILINE)


def read(path: str, text: str, format: str = "markdown") -> Document:  # noqa: A002 - the field's name
    """The document of a Markdown file."""
    source = Source(path, format, text)
    scan(source, front(source))
    return source.document()


def scan(source: Source, at: int = 0, stop: int | None = None) -> None:
    """Everything from an offset on, or up to another."""
    maths = Delimited(source)
    while match := TOKEN.search(source.text, at, len(source.text) if stop is None else stop):
        at = max(_token(source, maths, match), at + 1)


def _token(source: Source, maths: Delimited, match: re.Match[str]) -> int:
    if match["inline"]:
        source.formula(match.span("inline"), match.span(), display=True)
        return match.end()
    if match["fence"]:
        return _fence(source, match)
    if match["level"] or match["bold"]:
        return _heading(source, match)
    if match["rule"]:
        return _table(source, match)
    if match["script"] is not None:
        source.formula(match.span("script"), match.span(), display="display" in match["mode"])
        return match.end()
    if match["code"]:
        display = "\n" in match["coded"] or match["code"] == "displaymath" or "display" in match["how"]
        source.formula(match.span("coded"), match.span(), display=display)
        return match.end()
    if match["comment"]:
        return _comment(source, maths, match.start())
    if match["ticks"]:
        return _span(source, maths, match)
    if match["plain"]:
        return _plain(source, match)
    opening = OPENING.match(source.text, match.start())
    return maths.read(opening) if opening else match.end()


def _plain(source: Source, match: re.Match[str]) -> int:
    """An equation with the marks of HTML for what stands above and below, up to the first word behind it."""
    text = MATHS.match(match["plain"])
    found = (text[0] if text else "").rstrip(" .,")
    if "<su" in found and found.count("(") == found.count(")"):
        span = (match.start(), match.start() + len(found))
        source.formula(span, span, display=False, unescape=_unmarked)
        return span[1]
    return match.start() + 1


def _unmarked(raw: str) -> str:
    """`exp(a<sub>0</sub>)` as TeX."""
    tex = re.sub(r"<sub>([^<>]*)</sub>", r"_{\1}", re.sub(r"<sup>([^<>]*)</sup>", r"^{\1}", raw))
    return re.sub(r"\b(exp|log|ln|tanh)\b", r"\\\1", tex)


def front(source: Source) -> int:
    """The front matter's title and `audit:` block; where the lesson begins."""
    match = FRONT.match(source.text)
    if not match:
        return 0
    source.taken.append(match.span())
    inside = False
    for line in match[1].splitlines():
        key, colon, value = (part.strip().strip("\"'") for part in line.partition(":"))
        inside = (line[:1] in (" ", "\t") and inside) or key == "audit"
        if inside and colon and value:
            source.settings[key] = value
        elif key == "title" and not source.title:
            source.title = value
    return match.end()


def _fence(source: Source, match: re.Match[str]) -> int:
    """A block of code, or a formula in a fence that says `math`."""
    sign = match["fence"]
    close = re.compile(rf"^[ \t>]*{sign[0]}{{{len(sign)},}}[ \t]*$", re.MULTILINE).search(source.text, match.end())
    if not close:
        source.note(match.start(), f"the block of code that `{sign}` opens is never closed")
    start = min(match.end() + 1, len(source.text))
    stop, end = (max(start, close.start()), close.end()) if close else (len(source.text), len(source.text))
    language = next(iter(re.findall(r"[\w+#-]+", match["info"])), "")
    if DIRECTIVE.fullmatch(match["info"].strip()):
        scan(source, start, stop)
        source.taken += [(match.start(), start), (stop, end)]
    elif language in ("math", "latex-math"):
        options = OPTIONS.match(source.text, start, stop)
        source.formula((options.end() if options else start, stop), (match.start(), end), display=True)
    else:
        source.code((start, stop), (match.start(), end), language)
    return end


def _heading(source: Source, match: re.Match[str]) -> int:
    words = (match["heading"] or match["boldly"]).rstrip("# \t")
    source.title = source.title or words
    start = match.start("heading" if match["level"] else "boldly")
    source.taken.append(match.span())
    source.pieces.append(Prose(words, source.place(start, start + len(words)), len(match["level"] or "######")))
    return start


def _comment(source: Source, maths: Delimited, at: int) -> int:
    end = maths.find("-->", at, None)
    if end < 0:
        source.note(at, "the comment that `<!--` opens is never closed; it is read as text")
        return at + 4
    source.taken.append((at, end + 3))
    if match := re.match(r"<!--\s*audit:(.*)", source.text[at:end], re.DOTALL):
        source.audit(match[1], at)
    return end + 3


def _span(source: Source, maths: Delimited, match: re.Match[str]) -> int:
    """A code span ends at as many ticks as it began with, within its paragraph; else its ticks are text."""
    end = maths.paragraph(match.start())
    close = re.compile(rf"(?<!`){match[0]}(?!`)").search(source.text, match.end(), end)
    if close and source.text.endswith("{math}", 0, match.start()):
        source.formula((match.end(), close.start()), (match.start() - len("{math}"), close.end()), display=False)
    return close.end() if close else match.end()


def _table(source: Source, match: re.Match[str]) -> int:
    """The head is the line before the rule; rows go on while they have bars. Its formulas are read as well."""
    line = source.line(match.start())
    if line < 2 or match.start() < source.table:
        return match.end()
    starts = [*source.starts, len(source.text) + 1]
    last = line
    while last + 1 < len(starts) and "|" in source.text[starts[last] : starts[last + 1] - 1]:
        last += 1
    source.table = starts[last] - 1
    lines = [line - 1, *range(line + 1, last + 1)]
    rows = tuple(_cells(source.text[starts[n - 1] : starts[n] - 1]) for n in lines)
    if "|" in source.text[starts[line - 2] : starts[line - 1]]:
        source.pieces.append(Table(rows, tuple(lines), source.place(starts[line - 2], starts[last] - 1)))
    return match.end()


def _cells(line: str) -> tuple[str, ...]:
    r"""Split at bars that are not escaped and not in a formula."""
    parts = re.findall(r"(?:\\.|\$[^$]*\$|[^|\\])+|\|", line.strip().strip("|"))
    cells = [""]
    for part in parts:
        if part == "|":
            cells.append("")
        else:
            cells[-1] += part
    return tuple(cell.strip() for cell in cells)
