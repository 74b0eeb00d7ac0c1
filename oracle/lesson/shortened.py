r"""Symbols that the prose gives to what stands before them: "$q = \sum_k e^{o_k}$, which I'll shorten to $\Sigma$"."""

import re
from collections.abc import Sequence
from dataclasses import replace

from oracle.lesson.document import Prose
from oracle.lesson.renaming import Placed
from oracle.lesson.syntax import Derivative, Gradient, Indexed, Name, Node, Parsed, Relation

CALLED = re.compile(
    r"(?i)[\s,;(]*(?:which|that|and|this|it)?[\s,]*(?:we|i|let us|let's)?\s*(?:['’]ll|will|shall|can|may)?\s*"
    r"(?:also\s+|simply\s+|just\s+)?(?:be\s+|is\s+)?"
    r"(?:shorten(?:ed)?|abbreviated?|denoted?|call(?:ed)?|named?|write|written|记作|记为|简记为|简写为)"
    r"\s*(?:to|as|by|it|this|sum)?\s*(?:by|as)?\s*"
)
"""What stands between a formula and the symbol that it gets."""


def shortened(found: list[Placed], pieces: Sequence[object]) -> list[Placed]:
    """The formulas of a document; one that is a symbol for what stands before it says so."""
    out: list[Placed] = []
    for section, place, formula, parsed in found:
        between = pieces[place - 1] if place else None
        if out and out[-1][1] == place - 2 and isinstance(between, Prose) and CALLED.fullmatch(between.text):
            parsed = _said(_last(out[-1][3]), parsed)
        out.append((section, place, formula, parsed))
    return out


def _said(meant: Node | None, parsed: Parsed) -> Parsed:
    """A symbol alone as the definition that it is there."""
    symbol = parsed.statements[0].body if len(parsed.statements) == 1 and not parsed.problems else None
    if meant is None or not isinstance(symbol, Name | Indexed):
        return parsed
    body = Relation((symbol, replace(meant, span=symbol.span)), ("=",), span=symbol.span)
    return replace(parsed, statements=(replace(parsed.statements[0], body=body),))


def _last(parsed: Parsed) -> Node | None:
    """What a formula ends with: the sum of q = Σ_k e^{o_k}; of ∂E/∂r = r - x it is the partial that is meant."""
    if parsed.problems or not parsed.statements:
        return None
    body = parsed.statements[-1].body
    last = body.items[-1] if isinstance(body, Relation) else body
    if isinstance(body, Relation) and isinstance(body.items[0], Derivative | Gradient):
        return body.items[0]
    return None if isinstance(last, Name | Indexed) else last
