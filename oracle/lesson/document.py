"""What a lesson's file holds, whatever its format: formulas, code, tables and prose, each at its place in the file."""

from collections.abc import Callable
from dataclasses import dataclass, field

from oracle.lesson.records import Note, Place


@dataclass(frozen=True)
class Formula:
    """A formula as the lesson has it."""

    tex: str
    """Plain TeX without delimiters, unescaped (a notebook's JSON, HTML entities, doubled backslashes undone)."""
    place: Place
    """Of the TeX in the file, without delimiters; `text[place.start:place.end]` is its escaped form."""
    display: bool
    escape: Callable[[str], str] = field(repr=False, compare=False, default=str)
    """From plain TeX to the form that the file wants at this place (for `--fix`)."""
    label: str = ""
    r"""`\label`, `\tag`, `:label:`."""
    directives: tuple[str, ...] = ()
    """What `audit:` comments say of it: "skip: reason", "wrong on purpose", or "loss: cross_entropy" …"""

    @property
    def deliberate(self) -> bool:
        """Whether the lesson says that it is wrong on purpose."""
        return "wrong on purpose" in self.directives


@dataclass(frozen=True)
class Prose:
    """Words between formulas, markup left in; `level` is 1 to 6 for a heading, 0 else."""

    text: str
    place: Place
    level: int = 0


@dataclass(frozen=True)
class CodeBlock:
    """A block of code; `language` in lower case, "" where none is said."""

    text: str
    language: str
    place: Place
    directives: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    """Rows of cells, each its source text (formulas inside are Formula pieces of their own, too), the head first."""

    rows: tuple[tuple[str, ...], ...]
    lines: tuple[int, ...]
    """The line of each row."""
    place: Place


Piece = Formula | Prose | CodeBlock | Table


@dataclass(frozen=True)
class Document:
    """A lesson as it was read."""

    path: str
    format: str
    text: str
    """The whole file."""
    title: str
    pieces: tuple[Piece, ...]
    """In the order of the file."""
    macros: dict[str, tuple[int, str]]
    r"""`\newcommand`, `\def`, `\DeclareMathOperator`: name without backslash -> (number of arguments, body)."""
    settings: dict[str, str]
    """`audit:` keys of the front matter and of comments that concern the whole lesson ("loss", "activation", …)."""
    notes: tuple[Note, ...]
    """What could not be read: an unclosed `$$`, a broken cell, bytes that are no text."""
