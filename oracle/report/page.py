"""A page of text with colours: built once, printed plain or in colour."""

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.text import Text

from oracle.report.text import one_line, safe_text

COLOURS = {
    "heading": "bold cyan",
    "bad": "bold red",
    "good": "green",
    "follows": "yellow",
    "faint": "dim",
    "strong": "bold",
    "": "",
}
Piece = str | tuple[str, str]
"""Text, or (text, one of the `COLOURS`)."""


class Page:
    """Lines of text. Whatever is added is made safe, indented below its heading, and never read as markup."""

    def __init__(self) -> None:
        self.text = Text()

    def line(self, *pieces: Piece, indent: int = 2) -> None:
        """One line; a line feed inside a piece becomes a sign."""
        line = Text(" " * indent)
        for piece in pieces:
            line.append(*_styled(piece))
        line.rstrip()
        self.text.append_text(line).append("\n")

    def heading(self, text: str, after: str = "") -> None:
        """A heading at the left edge, a blank line before it."""
        if self.text.plain:
            self.text.append("\n")
        self.line((text, "heading"), (f" ({after})" if after else "", "faint"), indent=0)

    def block(self, text: str, *, first: Piece = "", indent: int = 2) -> None:
        """Text of several lines, each indented; `first` goes before the first, and room for it before the others."""
        for part in safe_text(text).strip("\n").split("\n"):
            self.line(first, part, indent=indent)
            first = " " * len(_parts(first)[0])

    def table(self, table: Iterable[Sequence[Piece]], indent: int = 2, gap: int = 2) -> None:
        """Rows of pieces in columns, flush left."""
        rows = [[_parts(piece) for piece in row] for row in table]
        widths = [max(len(row[k][0]) for row in rows if k < len(row)) for k in range(max(map(len, rows), default=0))]
        for row in rows:
            self.line(*((text.ljust(widths[k] + gap), colour) for k, (text, colour) in enumerate(row)), indent=indent)

    @property
    def plain(self) -> str:
        """The page without colours."""
        return self.text.plain

    def print(self, console: Console) -> None:
        """The page on a console: in colour on a terminal, plain elsewhere."""
        console.print(self.text, end="", soft_wrap=True, highlight=False)


def _parts(piece: Piece) -> tuple[str, str]:
    text, colour = (piece, "") if isinstance(piece, str) else piece
    return _padded(text), colour


def _styled(piece: Piece) -> tuple[str, str]:
    text, colour = _parts(piece)
    return text, COLOURS[colour]


def _padded(text: str) -> str:
    """`one_line`, with the spaces around the text kept: they are ours, for columns."""
    bare = text.strip(" ")
    left = len(text) - len(text.lstrip(" "))
    return " " * left + one_line(bare) + " " * (len(text) - left - len(bare)) if bare else text
