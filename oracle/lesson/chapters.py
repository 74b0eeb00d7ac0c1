"""Chapters that are lessons of their own: logistic regression first, then softmax regression with the same letters."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import pairwise

from oracle.lesson.document import Document, Formula, Prose
from oracle.lesson.records import BAD, Equation, Remark

FEWEST = 3
"""How many formulas of a chapter that nobody understands, or that are wrong, are a reason to read it by itself."""
GAIN = 2
"""How much more must hold then, what fails counted against it."""
OWN = "the lesson's own equations"
"""The profile of a chapter that says all of its net itself."""


@dataclass(frozen=True)
class Held:
    """What was found of the formulas of a lesson, or of a chapter."""

    profile: str
    net: tuple[str, ...]
    words: tuple[str, ...]
    equations: tuple[Equation, ...]
    remarks: tuple[Remark, ...]

    def with_chapter(self, alone: "Held") -> "Held":
        """The same with what was found of a chapter by itself."""
        theirs = {equation.number: equation for equation in alone.equations}
        kept = [r for r in self.remarks if not {*r.equations} & theirs.keys() and r.kind != "undefined"]
        return Held(
            ", ".join(dict.fromkeys([*self.profile.split(", "), *alone.profile.split(", ")])),
            tuple(dict.fromkeys((*self.net, *alone.net))),
            tuple(dict.fromkeys((*self.words, *alone.words))),
            tuple(theirs.get(equation.number, equation) for equation in self.equations),
            (*kept, *alone.remarks),
        )


def chapters(document: Document) -> list[Document]:
    """The chapters of a document, each under a heading of the highest level of which there are several."""
    levels = Counter(piece.level for piece in document.pieces if isinstance(piece, Prose) and piece.level)
    top = min((level for level, count in levels.items() if count > 1), default=0)
    pieces = document.pieces
    starts = [k for k, piece in enumerate(pieces) if isinstance(piece, Prose) and 0 < piece.level <= top]
    cuts = [0, *starts, len(pieces)]
    parts = [pieces[a:b] for a, b in pairwise(cuts)]
    told = [part for part in parts if any(isinstance(piece, Formula) and piece.display for piece in part)]
    return [replace(document, pieces=part) for part in told] if len(told) > 1 else []


def inside(document: Document, equations: Iterable[Equation]) -> list[Equation]:
    """The equations of a chapter."""
    places = {piece.place for piece in document.pieces if isinstance(piece, Formula)}
    return [equation for equation in equations if equation.place in places]


def is_hard(equations: Iterable[Equation]) -> bool:
    """Whether a chapter is hardly understood as a part of the whole lesson."""
    verdicts = _verdicts(equations)
    lost = verdicts["not understood"] + sum(verdicts[bad] for bad in BAD)
    return lost >= FEWEST and lost > verdicts["holds"]


def is_better(alone: Held, within: list[Equation]) -> bool:
    """Whether more of a chapter holds by itself than within the lesson; what fails more then, fails by its own net."""
    if [equation.place for equation in alone.equations] != [equation.place for equation in within]:
        return False
    ours, theirs = _verdicts(alone.equations), _verdicts(within)
    bad, worse = (sum(verdicts[name] for name in BAD) for verdicts in (theirs, ours))
    more = ours["holds"] - theirs["holds"]
    believed = worse <= bad or (alone.profile == OWN and worse <= bad + more // 3)
    return more > 0 and more - worse + bad >= GAIN and believed


def _verdicts(equations: Iterable[Equation]) -> Counter[str]:
    links = [link for equation in equations for link in equation.links if not link.deliberate]
    return Counter("holds" if link.verdict == "holds under" else link.verdict for link in links)
