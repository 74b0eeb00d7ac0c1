"""Other nets that a sentence only imagines: "With a shortcut, $Y = X + O W$, there would be a fourth term"."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from oracle.lesson.document import Document, Formula, Prose
from oracle.lesson.meaning.notation import Ref
from oracle.lesson.syntax import Name, Node, Relation, Statement

IMAGINED = re.compile(r"(?i)\b(would|had (we|it|there|one)|were (we|it|there|one))\b")
GENERAL = re.compile(r"(?i)\b(general rule|in general|for (an?|any)|of the form|such as|like)\b[^.$]{0,25}$")
"""How words go on to a formula that is an example of many."""
UNLESS = re.compile(
    r"(?:若|如果|假如|倘若)[^。；]*(?:没有|不|无)[^。；]*(?:则|那么)[^。；]{0,4}$"
    r"|(?i:\bif\b[^.;]*\b(?:no|not|without|linear|identity)\b[^.;]*$)"
)
"""How words go on to a formula of a net without something: "if the output layer has no activation, then"."""
STOP = re.compile(r"[.!?]\s|\n\s*\n")


def imagined(document: Document) -> set[int]:
    """The places among the pieces of formulas in the midst of a sentence that says what would be."""
    pieces = document.pieces
    inline = [k for k, piece in enumerate(pieces) if isinstance(piece, Formula) and not piece.display]
    before = {k: _before(pieces, k) for k in inline}
    told = {k for k in inline if GENERAL.search(before[k]) or UNLESS.search(before[k])}
    return told | {k for k in inline if IMAGINED.search(_after(pieces[k + 1 : k + 6]))}


def _before(pieces: Sequence[object], place: int) -> str:
    """The words right before a formula."""
    piece = pieces[place - 1] if place else None
    return piece.text if isinstance(piece, Prose) and not piece.level else ""


def _after(pieces: Iterable[object]) -> str:
    """The rest of the sentence that a formula stands in."""
    words = ""
    for piece in pieces:
        if isinstance(piece, Formula) and piece.display:
            break
        if isinstance(piece, Prose):
            text = piece.text if not piece.level else ". "
            if stop := STOP.search(text):
                return words + text[: stop.start()]
            words += text
    return words


def only_imagined(statements: list[Statement], every: Iterable[Statement]) -> list[Relation]:
    """Those that say otherwise of a quantity what another statement of the lesson says it is made of."""
    others = [s.body for s in every if isinstance(s.body, Relation) and isinstance(s.body.items[0], Ref)]
    found = [s.body for s in statements if isinstance(s.body, Relation) and isinstance(s.body.items[0], Ref)]
    return [
        body for body in found
        if any(_alike(o.items[0], body.items[0]) and o.items[1] != body.items[1] for o in others)
    ]  # fmt: skip


def _alike(one: Node, other: Node) -> bool:
    """Whether two quantities are the same, or one is that of any layer: the a^l and a^L."""
    match one, other:
        case Ref(slots=(("layer", Name()),)), Ref(slots=(("layer", Name()),)):
            return replace(one, slots=other.slots) == other
    return one == other
