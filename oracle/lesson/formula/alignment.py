r"""Columns of aligned rows: `a &= b && c = d` and `a &= b & c &= d` are two equations beside each other."""

from collections.abc import Sequence
from dataclasses import replace

from oracle.lesson.formula.cursor import nesting
from oracle.lesson.formula.symbols import LIMITING, OPERATIONS, RELATIONS
from oracle.lesson.formula.token import COLUMN, Token

JOINING = RELATIONS.keys() | OPERATIONS
LONGEST_NAME = 6
"""A word with more letters is no quantity's name where it stands alone in a column."""


def without_columns(found: Sequence[Token]) -> list[Token]:
    r"""The tokens without `&`; where the next equation of a row begins, a `\quad` stands in its place."""
    out: list[Token] = []
    start, columns, depth, skipped = 0, 0, 0, 0
    for k, token in enumerate(found):
        depth += nesting(token)
        if k < skipped:
            continue
        if token.kind != COLUMN:
            out.append(token)
            start, columns = (k + 1, 0) if token.text == "\\\\" and not depth else (start, columns)
            continue
        columns += 1
        if columns % 2 == 0 and not depth and (remark := _remark(found, k)):
            skipped = remark
        elif columns % 2 == 0 and not depth and _is_between(found, start, k):
            out.append(replace(token, text=r"\quad", kind="command"))
    return out


def _end(found: Sequence[Token], at: int) -> int:
    """Where a row ends."""
    return next((k for k in range(at, len(found)) if found[k].text == "\\\\"), len(found))


def _remark(found: Sequence[Token], at: int) -> int:
    r"""Where a remark in a column of its own ends, as in `= W a & & W \text{ is kept}`; 0 where there is none."""
    end = _end(found, at)
    cell = [token for token in found[at:end] if token.kind != COLUMN]
    words = next((k for k, token in enumerate(cell) if token.kind == "text"), 0)
    symbols = all(token.text not in RELATIONS for token in cell[:words]) and cell[:1] and not cell[0].upright
    one_word = len(cell) == 1 and cell[0].upright and len(cell[0].text) > LONGEST_NAME
    said = bool(words and symbols and not _first(cell[words]) & LIMITING) or one_word
    after = next((token.text for token in found[end + 1 :] if token.kind != COLUMN), "=")
    return end if said and after in RELATIONS else 0


def _first(token: Token) -> set[str]:
    return {*token.text.lower().split()[:1]}


def _is_between(found: Sequence[Token], start: int, at: int) -> bool:
    """Whether both sides of a place in a row are equations, or words stand behind it."""
    end = _end(found, at)
    before = [token.text for token in found[start:at] if token.kind != COLUMN]
    after = [token.text for token in found[at:end] if token.kind != COLUMN]
    if not before or not after or {before[-1], after[0]} & JOINING:
        return False
    if (first := found[at + 1]).upright or first.kind == "text":
        return True
    return bool(RELATIONS.keys() & before) and bool(RELATIONS.keys() & after)
