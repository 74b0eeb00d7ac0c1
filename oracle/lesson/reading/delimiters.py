r"""Formulas between delimiters: `$..$`, `$$..$$`, `\(..\)`, `\[..\]`, doubled for Jekyll, and bare environments."""

import re
from bisect import bisect_left
from dataclasses import dataclass

from oracle.lesson.reading.source import Source, same

ENVIRONMENTS = r"(?:equation|align|gather|multline|eqnarray|displaymath|math|flalign|alignat|dmath)\*?"
OPENING = re.compile(rf"\\\\[\[(]|\\\$\$|\\begin\{{({ENVIRONMENTS})\}}|\\[\[(]|\\.|\$\$|\$", re.DOTALL)
CLOSING = {"\\\\[": "\\\\]", "\\\\(": "\\\\)", "\\[": "\\]", "\\(": "\\)", "$$": "$$", "\\$$": "\\$$"}
MATHS = re.compile(r"[\\^_=<>+]|^\W*\w{1,3}\W*$")
TWICE = re.compile(r"\s*(\$\$?)(?P<tex>[^$]+)\1\s*")
r"""What stands between two pairs of signs: `\( $z$ \)`."""
PUNCTUATION = r"!-/:-@\[-`{-~"


def undouble(raw: str) -> str:
    r"""Markdown's own escapes undone: a backslash before punctuation goes, but for a space that was meant, `a\,b`."""
    return re.sub(rf"\\([{PUNCTUATION}])", lambda found: found[found[1] not in ",;:!"], raw)


def double(tex: str) -> str:
    """The same escapes made."""
    return re.sub(rf"\\(?=[{PUNCTUATION}])", r"\\\\", tex)


def unquote(raw: str) -> str:
    """The marks of a block quote at the beginnings of lines taken away."""
    return re.sub(r"\n[ \t]*>[ \t]?", "\n", raw)


def quote(tex: str) -> str:
    """The marks of a block quote put back."""
    return tex.replace("\n", "\n> ")


@dataclass
class Delimited:
    """Reads the formulas of a source; remembers which closing signs are nowhere, so that no search is made twice."""

    source: Source
    jekyll: bool = True
    r"""Whether two backslashes may open a formula; in LaTeX they end a line, and a `$` is never money."""

    def __post_init__(self) -> None:
        self.text = self.source.text
        self.blank = [match.start() for match in re.finditer(r"\n(?=[ \t>]*\n)", self.text)]
        self.missing: set[tuple[str, int]] = set()

    def paragraph(self, at: int) -> int:
        """Where the paragraph around an offset ends."""
        index = bisect_left(self.blank, at)
        return self.blank[index] if index < len(self.blank) else len(self.text)

    def read(self, match: re.Match[str]) -> int:
        """The formula that opens at a match of OPENING; where to read on."""
        sign = match[0]
        if sign == "$":
            return self.dollar(match.start())
        if match[1]:
            return self.environment(match)
        if not self.jekyll and len(sign) == 3:
            return match.start() + 2
        if sign in CLOSING:
            return self.pair(match.start(), sign)
        return match.end()

    def dollar(self, at: int) -> int:
        """`$..$` within a paragraph, and not money: no space inside, no digit after it."""
        text, end = self.text, self.paragraph(at)
        close = next(
            (m.start() for m in re.compile(r"\\.|\$", re.DOTALL).finditer(text, at + 1, end) if m[0] == "$"), -1
        )
        inside = text[at + 1 : close]
        if close < 0 or not inside.strip():
            if close < 0 and re.match(r"\$[A-Za-z\\]", text[at : at + 2]):
                self.source.note(at, "a `$` opens a formula that is never closed in its paragraph")
            return at + 1
        if self.jekyll and self.money(inside, close):
            return at + 1
        tick = 1 if inside[0] == inside[-1] == "`" and len(inside) > 2 else 0
        self.add((at + 1 + tick, close - tick), (at, close + 1), display=False)
        return close + 1

    def money(self, inside: str, close: int) -> bool:
        """Whether the signs before and after these words are of prices."""
        spaced = inside[0].isspace() or inside[-1].isspace()
        formula = not spaced or (MATHS.search(inside) and not inside[0].isdigit())
        return not formula or self.text[close + 1 : close + 2].isdigit()

    def pair(self, at: int, sign: str) -> int:
        """A formula between two signs that differ from text."""
        start = at + len(sign)
        close = self.find(CLOSING[sign], start, at if "(" in sign else None)
        inside = self.text[start:close]
        if close < 0:
            self.source.note(at, f"`{sign}` opens a formula that is never closed: `{CLOSING[sign]}` is missing")
            return start
        if self.jekyll and "$" not in sign and not MATHS.search(inside):
            return start
        end = close + len(sign)
        alone = sign == "$$" and not self.alone(at, end)
        if nested := TWICE.fullmatch(inside):
            start, close = start + nested.start("tex"), start + nested.end("tex")
        self.add((start, close), (at, end), display="(" not in sign and not alone, doubled=sign[:2] == "\\\\")
        return end

    def environment(self, match: re.Match[str]) -> int:
        r"""`\begin{align} .. \end{align}` outside of other delimiters; `{align}{2}`'s number is left out."""
        closing = rf"\end{{{match[1]}}}"
        close = self.find(closing, match.end(), None)
        if close < 0:
            self.source.note(match.start(), rf"`{match[0]}` is never closed: `{closing}` is missing")
            return match.end()
        inner = match[1].rstrip("*") in ("equation", "displaymath", "math", "dmath", "multline", "gather")
        end = close + len(closing)
        self.add(
            (match.end(), close) if inner else (match.start(), end), (match.start(), end), display=match[1] != "math"
        )
        return end

    def find(self, closing: str, start: int, inline: int | None) -> int:
        """The closing sign, within the paragraph for an inline formula; -1 where there is none."""
        end = len(self.text) if inline is None else self.paragraph(inline)
        if (closing, end) in self.missing:
            return -1
        close = self.text.find(closing, start, end)
        if close < 0:
            self.missing.add((closing, end))
        return close

    def alone(self, start: int, end: int) -> bool:
        """Whether no words stand beside a formula on its lines."""
        before = self.text[self.source.starts[self.source.line(start) - 1] : start]
        stop = self.text.find("\n", end)
        after = self.text[end : stop if stop >= 0 else len(self.text)]
        return not before.strip(" \t>*-") and not after.strip(" \t.,;")

    def add(self, span: tuple[int, int], whole: tuple[int, int], *, display: bool, doubled: bool = False) -> None:
        """A formula, its escapes undone."""
        line = self.source.starts[self.source.line(whole[0]) - 1]
        quoted = self.text[line : line + 4].lstrip().startswith(">") and "\n" in self.text[slice(*span)]
        if quoted:
            raw = self.text[slice(*span)]
            span = (span[0] + len(raw) - len(raw.lstrip(" \t\n>")), span[1] - len(raw) + len(raw.rstrip(" \t\n>")))
        unescape, escape = (undouble, double) if doubled else (unquote, quote) if quoted else (same, same)
        self.source.formula(span, whole, display=display, unescape=unescape, escape=escape)
