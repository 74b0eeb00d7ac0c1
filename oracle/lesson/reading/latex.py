"""LaTeX: environments and delimiters, macros, code, and `% audit:` comments; other comments are not read."""

import re

from oracle.lesson.document import Document, Prose
from oracle.lesson.reading.delimiters import OPENING, Delimited
from oracle.lesson.reading.source import Source, braced, macros

LISTING = r"\\begin\{(?P<listing>verbatim\*?|Verbatim|lstlisting|minted|alltt)\}(?P<options>[^\n]*)"
SECTION = r"\\(?P<section>title|chapter|section|subsection|subsubsection|paragraph)\*?\s*(?:\[[^\]\n]*\])?\{"
INLINE = r"(?P<verb>\\(?:verb|lstinline)\*?(?P<bar>[|!+@/]))"
TOKEN = re.compile(
    rf"(?P<comment>(?<!\\)%[^\n]*)|{LISTING}|{SECTION}|{INLINE}|(?P<math>{OPENING.pattern})", re.MULTILINE | re.DOTALL
)
LEVELS = {"title": 1, "chapter": 1, "section": 1, "subsection": 2, "subsubsection": 3, "paragraph": 4}


def read(path: str, text: str) -> Document:
    """The document of a LaTeX file."""
    source = Source(path, "latex", text)
    found, spans = macros(text)
    source.macros.update(found)
    source.taken += spans
    maths, at = Delimited(source, jekyll=False), 0
    inside = dict(spans)
    while match := TOKEN.search(text, at):
        skip = next((end for start, end in inside.items() if start <= match.start() < end), 0)
        at = skip or max(_token(source, maths, match), at + 1)
    return source.document()


def _token(source: Source, maths: Delimited, match: re.Match[str]) -> int:
    if match["comment"]:
        return _comment(source, match)
    if match["listing"]:
        return _listing(source, match)
    if match["section"]:
        return _section(source, match)
    if match["verb"]:
        return max(source.text.find(match["bar"], match.end()) + 1, match.end())
    opening = OPENING.match(source.text, match.start())
    return maths.read(opening) if opening else match.end()


def _comment(source: Source, match: re.Match[str]) -> int:
    source.taken.append(match.span())
    if said := re.match(r"%+\s*audit:(.*)", match[0]):
        source.audit(said[1], match.start())
    return match.end()


def _listing(source: Source, match: re.Match[str]) -> int:
    """A block of code, its language where the options say one."""
    closing = rf"\end{{{match['listing']}}}"
    close = source.text.find(closing, match.end())
    if close < 0:
        source.note(match.start(), f"`{match[0].strip()}` is never closed: `{closing}` is missing")
        return match.end()
    language = re.search(r"language=\{?(?:\[\w+\])?(\w+)|\{(\w+)\}", match["options"])
    start = min(match.end() + 1, close)
    name = (language[1] or language[2]) if language else ""
    source.code((start, close), (match.start(), close + len(closing)), name)
    return close + len(closing)


def _section(source: Source, match: re.Match[str]) -> int:
    end = braced(source.text, match.end() - 1)
    if end < 0:
        return match.end()
    span = (match.end(), end - 1)
    words = source.text[slice(*span)].strip()
    source.title = source.title or words
    source.taken.append((match.start(), end))
    source.pieces.append(Prose(words, source.place(*span), LEVELS[match["section"]]))
    return end
