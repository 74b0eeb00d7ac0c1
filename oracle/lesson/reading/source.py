"""A lesson's text with its lines, and what a reader has found in it so far."""

import re
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field

from oracle.lesson.document import CodeBlock, Document, Formula, Piece, Prose
from oracle.lesson.records import Note, Place

DEFINITION = re.compile(
    r"\\(?:re|provide)?newcommand\*?\s*(?:\{\s*\\([A-Za-z]+)\s*\}|\\([A-Za-z]+))\s*(?:\[(\d)\])?\s*(?=\{)"
    r"|\\[gex]?def\s*\\([A-Za-z]+)\s*((?:#\d)*)\s*(?=\{)"
    r"|\\DeclareMathOperator(\*?)\s*\{\s*\\([A-Za-z]+)\s*\}\s*(?=\{)"
)
CONFIGURED = re.compile(
    r"""["']?\\{0,2}([A-Za-z]+)["']?\s*:\s*(?:\[\s*)?(["'])((?:(?!\2)[^\n\\]|\\.)*)\2(?:\s*,\s*(\d)\s*\])?"""
)
r"""`pd: ["\\frac{\\partial #1}{\\partial #2}", 2]` among the macros of a page's script."""
LABEL = re.compile(r"\\(?:label|tag\*?)\s*\{([^{}]*)\}")
ASIDE = re.compile(r"skip\b|wrong on purpose\b", re.IGNORECASE)
"""What concerns the next formula or block of code only."""
SETTING = re.compile(r"([\w -]+?)\s*[:=]\s*(.+)")

UNCLOSED = 20
"""So many macros without an end are tried; a file with more is broken, and would take long."""


def braced(text: str, start: int) -> int:
    r"""Where the group that opens at `start` ends (after its brace), -1 where it never does; `\{` is no brace."""
    depth = 0
    for sign in re.compile(r"\\.|[{}]", re.DOTALL).finditer(text, start, start + 20_000):
        depth += {"{": 1, "}": -1}.get(sign[0], 0)
        if not depth and sign[0] == "}":
            return sign.end()
    return -1


def macros(text: str) -> tuple[dict[str, tuple[int, str]], list[tuple[int, int]]]:
    r"""The macros that a text defines, name -> (number of arguments, body), and where the definitions stand."""
    found, spans, broken = {}, [], 0
    for match in DEFINITION.finditer(text):
        end = braced(text, match.end()) if broken < UNCLOSED else -1
        if end < 0:
            broken += 1
            continue
        body = text[match.end() + 1 : end - 1]
        name = match[1] or match[2] or match[4] or match[7]
        count = int(match[3] or 0) or (match[5] or "").count("#")
        found[name] = (count, rf"\operatorname{{{body}}}" if match[7] else body.replace(r"\\\\", r"\\"))
        spans.append((match.start(), end))
    return configured(text) | found, spans


def configured(text: str) -> dict[str, tuple[int, str]]:
    """The macros that a page gives to MathJax or KaTeX in a script."""
    found = {}
    for match in re.finditer(r"\bmacros\b[\"']?\s*:\s*(?=\{)", text, re.IGNORECASE):
        end = braced(text, match.end())
        for name, _, body, count in CONFIGURED.findall(text[match.end() : max(end, 0)]):
            found[name] = (
                int(count or (body.count("#") and max(map(int, re.findall(r"#(\d)", body))))),
                body.replace(r"\\", "\\"),
            )
    return found


def same(tex: str) -> str:
    """The form of TeX in a file that escapes nothing."""
    return tex


@dataclass
class Source:
    """The text, and what was found; `taken` are the parts that are neither prose nor anything else."""

    path: str
    format: str
    text: str
    pieces: list[Piece] = field(default_factory=list)
    macros: dict[str, tuple[int, str]] = field(default_factory=dict)
    settings: dict[str, str] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)
    taken: list[tuple[int, int]] = field(default_factory=list)
    title: str = ""
    pending: list[str] = field(default_factory=list)
    table: int = 0
    """Where the last table ends."""

    def __post_init__(self) -> None:
        self.starts = [0, *(match.end() for match in re.finditer("\n", self.text))]

    def line(self, at: int) -> int:
        """Counts from 1."""
        return bisect_right(self.starts, at)

    def place(self, start: int, end: int) -> Place:
        """Of text[start:end]."""
        line = self.line(start)
        return Place(line, start - self.starts[line - 1] + 1, self.line(max(start, end - 1)), start, end)

    def note(self, at: int, words: str) -> None:
        """Say what could not be read, with its line."""
        self.notes.append(Note(self.line(at), words))

    def formula(
        self,
        span: tuple[int, int],
        whole: tuple[int, int],
        *,
        display: bool,
        unescape: Callable[[str], str] = same,
        escape: Callable[[str], str] = same,
        label: str = "",
    ) -> None:
        """Add the formula at `span`, `whole` with its delimiters; one that only defines macros is none."""
        raw = self.text[slice(*span)]
        start = span[0] + len(raw) - len(raw.lstrip())
        raw = raw.strip()
        self.taken.append(whole)
        tex = unescape(raw)
        found, spans = macros(tex)
        self.macros.update(found)
        rest = "".join(
            tex[a:b] for a, b in zip([0, *(s[1] for s in spans)], [*(s[0] for s in spans), len(tex)], strict=True)
        )
        if not rest.strip():
            return
        label = label or next(iter(LABEL.findall(tex)), "")
        self.pieces.append(Formula(tex, self.place(start, start + len(raw)), display, escape, label, self.directives()))

    def code(self, span: tuple[int, int], whole: tuple[int, int], language: str, text: str | None = None) -> None:
        """Add a block of code."""
        self.taken.append(whole)
        text = self.text[slice(*span)] if text is None else text
        self.pieces.append(CodeBlock(text, language.lower(), self.place(*span), self.directives()))

    def directives(self) -> tuple[str, ...]:
        """What was said of the piece that comes next; it is said once."""
        said = tuple(self.pending)
        self.pending.clear()
        return said

    def audit(self, words: str, at: int) -> None:
        """An `audit:` comment's lines: of the next formula or block of code, or settings of the whole lesson."""
        for line in filter(None, (part.strip() for part in re.split(r"[\n;]", words))):
            if ASIDE.match(line):
                self.pending.append(line)
            elif match := SETTING.fullmatch(line):
                self.settings[match[1].strip()] = match[2].strip().strip("\"'")
            else:
                self.note(at, f"`audit: {line}` is neither `skip: reason`, `wrong on purpose` nor `key: value`")

    def document(self) -> Document:
        """All of it, in the order of the file, the words in between as prose."""
        if self.pending:
            self.notes.append(Note(self.line(len(self.text)), f"no formula follows `audit: {self.pending[0]}`"))
        pieces = sorted([*self.pieces, *self._prose()], key=lambda piece: (piece.place.start, -piece.place.end))
        notes = sorted(self.notes, key=lambda note: note.line)
        return Document(
            self.path, self.format, self.text, self.title, tuple(pieces), self.macros, self.settings, tuple(notes)
        )

    def _prose(self) -> list[Prose]:
        out, at = [], 0
        for start, end in [*sorted(self.taken), (len(self.text), len(self.text))]:
            words = self.text[at:start]
            if words.strip():
                begin = at + len(words) - len(words.lstrip())
                out.append(Prose(words.strip(), self.place(begin, begin + len(words.strip()))))
            at = max(at, end)
        return out
