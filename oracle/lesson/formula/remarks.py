"""Remarks in brackets behind a formula: of which shape it is, why it is so. They claim nothing of it.

What is in brackets and begins with an equals sign goes on with the chain: a (= b).
"""

from collections.abc import Sequence

from oracle.lesson.formula.cursor import nesting
from oracle.lesson.formula.token import Token

REMARKS = {r"\in", r"\because", r"\subset"}
"""What a remark begins with: (∈ ℝ^{1×m}), (∵ b = 0)."""


def without_remarks(found: Sequence[Token]) -> list[Token]:
    """The tokens without brackets that begin like a remark; all of them where such a bracket is never closed."""
    out: list[Token] = []
    found = _going_on(found)
    at = 0
    while at < len(found):
        begins = found[at].text in ("(", "[") and at + 1 < len(found) and found[at + 1].text in REMARKS
        end = _closing(found, at) if begins and out else None
        if end is None:
            out.append(found[at])
        at = at + 1 if end is None else end + 1
    return out


def _going_on(found: Sequence[Token]) -> Sequence[Token]:
    """The tokens without the brackets of what begins with an equals sign behind a formula."""
    gone: set[int] = set()
    for at, token in enumerate(found[:-1]):
        if at and token.text == "(" and found[at + 1].text == "=" and (end := _closing(found, at)) is not None:
            gone |= {at, end}
    return [token for at, token in enumerate(found) if at not in gone]


def _closing(found: Sequence[Token], at: int) -> int | None:
    depth = 0
    for k in range(at, len(found)):
        depth += nesting(found[k])
        if not depth:
            return k
    return None
