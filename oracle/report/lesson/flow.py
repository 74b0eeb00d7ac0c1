"""A lesson's file as blocks of a page: headings, paragraphs, formulas, code and tables, each with its equations."""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from html import unescape
from typing import Literal

from oracle.lesson.document import CodeBlock, Document, Formula, Piece, Prose, Table
from oracle.lesson.records import Audit, Code, Equation


@dataclass(frozen=True)
class Span:
    """A stretch of words, or a formula with the equations that are in it."""

    text: str = ""
    formula: str = ""
    equations: tuple[Equation, ...] = ()


@dataclass(frozen=True)
class Block:
    """A part of the page, as high as the evidence beside it."""

    kind: Literal["heading", "text", "formula", "code", "table"]
    spans: tuple[Span, ...] = ()
    level: int = 0
    line: int = 0
    rows: tuple[tuple[str, ...], ...] = ()
    code: tuple[Code, ...] = ()

    @property
    def equations(self) -> tuple[Equation, ...]:
        """Those whose evidence stands beside this block."""
        return tuple(equation for span in self.spans for equation in span.equations)


@dataclass
class _Flow:
    """The blocks so far, and the paragraph that is being written."""

    blocks: list[Block] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    line: int = 0

    def close(self) -> None:
        """End the paragraph."""
        if any(span.text.strip() or span.formula for span in self.spans):
            self.blocks.append(Block("text", tuple(self.spans), line=self.line))
        self.spans = []

    def add(self, block: Block) -> None:
        """A block of its own."""
        self.close()
        self.blocks.append(block)

    def span(self, span: Span, line: int) -> None:
        """Go on with the paragraph, or begin one."""
        self.line = self.line if self.spans else line
        self.spans.append(span)


def blocks(audit: Audit, document: Document | None) -> list[Block]:
    """The whole lesson, or, without its document, its equations alone."""
    if document is None:
        return [_alone(equation) for equation in audit.equations]
    flow = _Flow()
    found = _Found(audit.equations)
    tables = [piece.place for piece in document.pieces if isinstance(piece, Table)]
    codes = {code.line: code for code in audit.code}
    for piece in document.pieces:
        inside = isinstance(piece, Formula) and any(t.start <= piece.place.start < t.end for t in tables)
        _piece(flow, piece, found, document.format, codes, inside)
    flow.close()
    return flow.blocks + [_alone(equation) for equation in found.left()]


def _alone(equation: Equation) -> Block:
    return Block("formula", (Span(formula=equation.tex, equations=(equation,)),), line=equation.place.line)


class _Found:
    """The equations by where they begin; each is shown once."""

    def __init__(self, equations: Sequence[Equation]) -> None:
        self.equations = sorted(equations, key=lambda equation: equation.place.start)
        self.starts = [equation.place.start for equation in self.equations]
        self.shown: set[int] = set()

    def within(self, piece: Formula) -> tuple[Equation, ...]:
        """The equations of a formula."""
        low = bisect_right(self.starts, piece.place.start - 1)
        high = bisect_right(self.starts, piece.place.end)
        inside = tuple(e for e in self.equations[low:high] if e.number not in self.shown)
        self.shown.update(equation.number for equation in inside)
        return inside

    def left(self) -> list[Equation]:
        """What no formula of the document had."""
        return [equation for equation in self.equations if equation.number not in self.shown]


def _piece(flow: _Flow, piece: Piece, found: _Found, kind: str, codes: dict[int, Code], inside: bool) -> None:
    line = piece.place.line
    if isinstance(piece, Formula):
        span = Span(formula=piece.tex, equations=found.within(piece))
        if inside and not span.equations:
            return  # the table's cell shows it
        if piece.display or inside:
            flow.add(Block("formula", (span,), line=line))
        else:
            flow.span(span, line)
    elif isinstance(piece, Prose):
        _prose(flow, piece, kind)
    elif isinstance(piece, CodeBlock):
        lines = range(line, piece.place.end_line + 1)
        flow.add(Block("code", (Span(piece.text),), line=line, code=tuple(codes[n] for n in lines if n in codes)))
    else:
        rows = tuple(tuple(cleaned(cell, kind).strip() for cell in row) for row in piece.rows)
        flow.add(Block("table", line=line, rows=rows))


def _prose(flow: _Flow, piece: Prose, kind: str) -> None:
    if piece.level:
        text = cleaned(piece.text, kind).strip()
        flow.add(Block("heading", (Span(text),), level=piece.level, line=piece.place.line))
        return
    for k, (text, line) in enumerate(_paragraphs(piece)):
        if k:
            flow.close()
        if shown := cleaned(text, kind):
            flow.span(Span(shown), line)


def _paragraphs(piece: Prose) -> Iterator[tuple[str, int]]:
    """What blank lines part, each with its line."""
    line = piece.place.line
    for part in re.split(r"(\n[ \t]*\n\s*)", piece.text):
        if part.strip() or not part.startswith("\n"):
            yield part, line
        line += part.count("\n")


# ------------------------------------------------------------------------------------------------------------- markup

JOINED = (r"[ \t]*\n(?![ \t]*(?:•|\d+[.)]\s))", " ")
"""Lines of one paragraph; the points of a list keep theirs."""
TIDY: dict[str, tuple[tuple[str, str], ...]] = {
    "html": (
        (r"\s+", " "),
        (r"(?s)<!--.*?-->|<(script|style)\b.*?</\1\s*>", ""), (r"(?i)<(br|/p|/div|/li|/tr|/h\d)\b[^>]*>", "\n"),
        (r"<[^<>]*>", ""),
    ),
    "markdown": (
        (r"(?s)<!--.*?-->", ""), (r"!?\[([^\]\n]*)\]\([^)\n]*\)", r"\1"), (r"(?m)^\s{0,3}#{1,6}\s+|\s+#+\s*$", ""),
        (r"(\*\*|__)(?=\S)(.+?)(?<=\S)\1", r"\2"), (r"\*(?=\S)([^*\n]+)(?<=\S)\*", r"\1"), (r"(?m)^\s*[-*+]\s+", "• "),
        JOINED,
    ),
    "latex": (
        (r"(?m)(?<!\\)%.*$", ""), (r"\\(begin|end)\{[^}]*\}(\[[^\]]*\])?", ""), (r"\\item\b", "• "),
        (r"\\(label|ref|eqref|cite\w*)\{[^}]*\}", ""), (r"\\\w+\*?\{([^{}]*)\}", r"\1"), (r"~", " "), JOINED,
    ),
    "restructuredtext": ((r"(?m)^[=\-~^\"'`#*+]{3,}\s*$", ""), (r"\*\*([^*\n]+)\*\*", r"\1"), JOINED),
}  # fmt: skip
"""What is not words in each format; a notebook's cells are Markdown."""


def cleaned(text: str, kind: str) -> str:
    """The words of a piece of prose, most of its markup left out."""
    for pattern, instead in TIDY.get("markdown" if kind == "notebook" else kind, ()):
        text = re.sub(pattern, instead, text)
    return unescape(text) if kind in ("html", "markdown", "notebook") else text
