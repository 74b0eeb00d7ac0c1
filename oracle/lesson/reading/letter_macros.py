r"""Macros of which a lesson only shows the use: \Vh and \MW of a book whose preamble is elsewhere are letters.

So are the names of plain text by which a lesson differentiates: the w1o of \frac{\partial E}{\partial w1o}.
"""

import re
from dataclasses import replace

from oracle.lesson.document import Document, Formula
from oracle.lesson.formula import parse
from oracle.lesson.formula.symbols import GREEK

COMMAND = re.compile(r"\\([A-Za-z]+)")
STYLES = {
    **dict.fromkeys(("V", "M", "v", "m", "b", "bf", "bm", "bs", "vec", "vect", "mat", "rv", "rm", "T", "t"), "mathbf"),
    **dict.fromkeys(("Cal", "cal", "c", "g"), "mathcal"),
    **dict.fromkeys(("ev", "em", "er"), "mathrm"),
}
"""How letters look, by what authors put before them in the names of macros."""
NAMED = re.compile(r"\\partial\s*\{?\s*([A-Za-z])(\d+[a-z])\s*\}")
FEW = 2
"""So many letters in one style are no accident."""


def with_letter_macros(document: Document) -> Document:
    """The lesson with macros for its letters in bold and script, where it uses several that nobody defines."""
    texts = [piece.tex for piece in document.pieces if isinstance(piece, Formula)]
    used = {name for tex in texts for name in COMMAND.findall(tex)} - document.macros.keys()
    letters = {name: found for name in used if (found := _letter(name)) and not _known(name)}
    styles = [style for style, _ in letters.values()]
    made = {
        name: (0, rf"\{STYLES[style]}{{{letter}}}")
        for name, (style, letter) in letters.items()
        if styles.count(style) >= FEW or (STYLES[style] == "mathcal" and len(styles) > FEW)
    }
    made |= {f"{a}{b}": (0, rf"{a}_{{\text{{{b}}}}}") for tex in texts for a, b in NAMED.findall(tex)}
    return replace(document, macros={**made, **document.macros}) if made else document


def _letter(name: str) -> tuple[str, str] | None:
    r"""The V and h of \Vh, the V and \theta of \Vtheta."""
    for style in sorted(STYLES, key=len, reverse=True):
        rest = name.removeprefix(style)
        if rest != name and (len(rest) == 1 or rest in GREEK):
            return style, rest if len(rest) == 1 else rf"\{rest}"
    return None


def _known(name: str) -> bool:
    """Whether a command means something by itself."""
    return not any("not known" in problem.reason for problem in parse(rf"x = \{name}").problems)
