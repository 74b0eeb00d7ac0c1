r"""Of which loss the names of partials are, where the prose says it: "dA always stands for ∂L/∂A"."""

import re

from oracle.lesson.document import Document, Formula, Prose
from oracle.lesson.formula import parse
from oracle.lesson.syntax import Derivative, Name, Node, Times

BETWEEN = re.compile(
    r"(?i)\s*(?:[a-z]+\s+)?(?:stands? for|means?|denotes?|for|is (?:short|shorthand|written) for|as|by"
    r"|表示|代表|记为|就是|即)\s*"
)
"""What stands between a name and what it is short for."""


def loss_of_names(document: Document) -> str:
    r"""The L of `$dA$ stands for $\partial L/\partial A$`; "" where a lesson does not say so."""
    pieces = document.pieces
    for first, between, last in zip(pieces, pieces[1:], pieces[2:], strict=False):
        if not isinstance(between, Prose) or not BETWEEN.fullmatch(between.text):
            continue
        sides = [_read(piece, document) for piece in (first, last) if isinstance(piece, Formula)]
        for name, partial in (sides, sides[::-1]) if len(sides) == 2 else ():
            match partial:
                case Derivative(of=Name(base=loss), wrt=(Name(base=of),)) if _short(name) == of:
                    return loss
    return ""


def _read(formula: Formula, document: Document) -> Node | None:
    """The one thing that stands in an inline formula."""
    statements = parse(formula.tex, document.macros).statements
    return statements[0].body if len(statements) == 1 else None


def _short(name: Node | None) -> str:
    """The A of dA."""
    match name:
        case Times(factors=(Name(base="d"), Name(base=of)), ops=("",)):
            return of
        case Name(base=base) if base[:1] == "d":
            return base[1:]
    return ""
