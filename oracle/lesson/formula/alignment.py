r"""Columns of aligned rows: `a &= b && c = d` and `a &= b & c &= d` are two equations beside each other."""

from collections.abc import Sequence
from dataclasses import replace

from oracle.lesson.formula.cursor import nesting
from oracle.lesson.formula.symbols import OPERATIONS, RELATIONS
from oracle.lesson.formula.token import COLUMN, Token

JOINING = RELATIONS.keys() | OPERATIONS


def without_columns(found: Sequence[Token]) -> list[Token]:
    r"""The tokens without `&`; where the next equation of a row begins, a `\quad` stands in its place."""
    out: list[Token] = []
    start, columns, depth = 0, 0, 0
    for k, token in enumerate(found):
        depth += nesting(token)
        if token.kind != COLUMN:
            out.append(token)
            start, columns = (k + 1, 0) if token.text == "\\\\" and not depth else (start, columns)
            continue
        columns += 1
        if columns % 2 == 0 and not depth and _is_between(found, start, k):
            out.append(replace(token, text=r"\quad", kind="command"))
    return out


def _is_between(found: Sequence[Token], start: int, at: int) -> bool:
    """Whether both sides of a place in a row are equations, or words stand behind it."""
    end = next((k for k in range(at, len(found)) if found[k].text == "\\\\"), len(found))
    before = [token.text for token in found[start:at] if token.kind != COLUMN]
    after = [token.text for token in found[at:end] if token.kind != COLUMN]
    if not before or not after or {before[-1], after[0]} & JOINING:
        return False
    if (first := found[at + 1]).upright or first.kind == "text":
        return True
    return bool(RELATIONS.keys() & before) and bool(RELATIONS.keys() & after)
