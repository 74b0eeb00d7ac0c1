r"""Indices that a lesson leaves out from some place on: "I drop the index $d$" makes x_n of x_{nd} and μ of μ_d.

They are put back in every formula behind such a sentence that has no such letter.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from oracle.lesson.document import Document, Formula, Prose
from oracle.lesson.renaming import Placed, changed
from oracle.lesson.syntax import Indexed, Name, Node, Statement, rebuilt

Whole = dict[str, tuple[int, int]]
"""By symbol, how many indices it has, and which of them is left out."""
INDEX = r"((the|this|its|our)\s+)?((\w+\s+)?(index|indices|subscripts?|letter)\s*)?"
LEAVING = r"\b(drop|omit|suppress|leav(e|ing) (out|away))\w*\s+"
BEFORE = re.compile(rf"(?i)({LEAVING}{INDEX}|(省略|略去|去掉|不写)(下标|指标)?\s*)$")
AFTER = re.compile(r"(?i)\s*(is|will be|are|can be)?\s*\b(dropped|omitted|suppressed|left (out|away))\b")


def with_dropped(document: Document, parsed: Sequence[Placed]) -> list[Placed]:
    """Every formula with the index that the lesson says to leave out."""
    given = list(parsed)
    for place, letter in _dropped(document):
        whole = _indexed((s for *_, found in given for s in found.statements), letter)
        given = [_with(found, letter, whole) if found[1] > place else found for found in given]
    return given


def _dropped(document: Document) -> list[tuple[int, str]]:
    """Where a sentence says so, and of which letter."""
    pieces, found = document.pieces, list[tuple[int, str]]()
    for k, piece in enumerate(pieces):
        if isinstance(piece, Formula) and len(letter := piece.tex.strip()) == 1 and letter.isalpha():
            before, after = (_text(pieces[j]) if 0 <= j < len(pieces) else "" for j in (k - 1, k + 1))
            if BEFORE.search(before) or AFTER.match(after):
                found.append((k, letter))
    return found


def _text(piece: object) -> str:
    return re.sub(r"<[^>]*>|[$*_]|\\\(", "", piece.text) if isinstance(piece, Prose) else ""


def _indexed(statements: Iterable[Statement], letter: str) -> Whole:
    found: Whole = {}
    for statement in statements:
        for node in statement.body.walk():
            match node:
                case Indexed(base=Name(base=base), subs=subs) if Name(letter) in subs:
                    found.setdefault(base, (len(subs), subs.index(Name(letter))))
    return found


def _with(placed: Placed, letter: str, whole: Whole) -> Placed:
    if any(node == Name(letter) for s in placed[-1].statements for node in s.body.walk()):
        return placed
    return changed(placed, lambda s: replace(s, body=_put(s.body, letter, whole)))


def _put(node: Node, letter: str, whole: Whole) -> Node:
    match node:
        case Name(base=base) if whole.get(base) == (1, 0):
            return Indexed(node, (Name(letter),), span=node.span)
        case Indexed(base=Name(base=base), subs=subs) if base in whole:
            count, at = whole[base]
            if len(subs) == count - 1:
                return replace(node, subs=(*subs[:at], Name(letter), *subs[at:]))
            return node
    return rebuilt(node, lambda child: _put(child, letter, whole))
