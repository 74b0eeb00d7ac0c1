"""LaTeX: environments and delimiters, macros, code, and `% audit:` comments; other comments are not read."""

import re

from oracle.lesson.document import Document, Prose
from oracle.lesson.reading.delimiters import ENVIRONMENTS, OPENING, Delimited
from oracle.lesson.reading.source import Source, braced, macros

LISTING = r"\\begin\{(?P<listing>verbatim\*?|Verbatim|lstlisting|minted|alltt)\}(?P<options>[^\n]*)"
SECTION = r"\\(?P<section>title|chapter|section|subsection|subsubsection|paragraph)\*?\s*(?:\[[^\]\n]*\])?\{"
INLINE = r"(?P<verb>\\(?:verb|lstinline)\*?(?P<bar>[|!+@/]))"
TOKEN = re.compile(
    rf"(?P<comment>(?<!\\)%[^\n]*)|{LISTING}|{SECTION}|{INLINE}|(?P<math>{OPENING.pattern})", re.MULTILINE | re.DOTALL
)
OPENED = re.compile(rf"\\begin\{{({ENVIRONMENTS})\}}")
CLOSED = re.compile(rf"\\end\{{({ENVIRONMENTS})\}}")
WRAPPED = re.compile(rf"\\begin\{{({ENVIRONMENTS})\}}\s*#1\s*\\end\{{\1\}}|\\\[\s*#1\s*\\\]|\$\$\s*#1\s*\$\$")
LEVELS = {"title": 1, "chapter": 1, "section": 1, "subsection": 2, "subsubsection": 3, "paragraph": 4}


def read(path: str, text: str) -> Document:
    """The document of a LaTeX file."""
    source = Source(path, "latex", text)
    found, spans = macros(text)
    source.macros.update(found)
    source.taken += spans
    maths, at = Delimited(source, jekyll=False), 0
    inside = dict(spans)
    own = _displays(found)
    token = re.compile(rf"\\(?P<own>{'|'.join(own) or '(?!)'})(?![A-Za-z])|{TOKEN.pattern}", TOKEN.flags)
    while match := token.search(text, at):
        skip = next((end for start, end in inside.items() if start <= match.start() < end), 0)
        at = skip or max(_own(source, match, own) if match["own"] else _token(source, maths, match), at + 1)
    return source.document()


def _displays(macros: dict[str, tuple[int, str]]) -> dict[str, str]:
    r"""The author's own macros that open a display, and what closes it: \be .. \ee, or "" for \eqs{..}."""
    bodies = {name: (count, body.strip()) for name, (count, body) in macros.items()}
    ends = {match[1]: name for name, (_, body) in bodies.items() if (match := CLOSED.fullmatch(body))}
    found = {name: "" for name, (count, body) in bodies.items() if count == 1 and WRAPPED.fullmatch(body)}
    opened = {name: match[1] for name, (_, body) in bodies.items() if (match := OPENED.fullmatch(body))}
    return found | {name: rf"\{ends[kind]}" for name, kind in opened.items() if kind in ends}


def _own(source: Source, match: re.Match[str], own: dict[str, str]) -> int:
    """A display between an author's own macros."""
    text, closing = source.text, own[match["own"]]
    if closing:
        ended = re.compile(rf"{re.escape(closing)}(?![A-Za-z])").search(text, match.end())
        span, end = ((match.end(), ended.start()), ended.end()) if ended else ((0, 0), -1)
    else:
        start = text.find("{", match.end())
        end = braced(text, start) if start >= 0 and not text[match.end() : start].strip() else -1
        span = (start + 1, end - 1)
    if end < 0:
        source.note(match.start(), f"`{match[0]}` opens a formula that is never closed")
        return match.end()
    source.formula(span, (match.start(), end), display=True)
    return end


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
