r"""Functions by two names: the ψ of ŷ = softmax(v) = ψ(v) is the softmax all over the lesson."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import pairwise

from oracle.lesson.document import Document, Formula, Prose
from oracle.lesson.formula.symbols import GREEK
from oracle.lesson.meaning.calculus import NAMED
from oracle.lesson.syntax import Call, Name, Node, Relation, Statement, rebuilt

LETTER = re.compile(r"\\?([A-Za-z]+)(?:\(\\?(?:cdot|bullet|[a-z])\))?$")
ARTICLE = r"(?:the|a|der|die|la|le)\s+"
VERB = r"(?:is|are|denotes|being|ist|est|es|为|是|表示)\s*"
AFTER = re.compile(rf"(?i)\s*,?\s*(?:{VERB}(?:{ARTICLE})?|{ARTICLE})softmax\b")
BEFORE = re.compile(r"(?i)\bsoftmax(?:[\s-]+(?:activation|function|Funktion|函数|関数|함수))*\s*(?:is|,)?\s*$")


def synonyms(statements: Iterable[Statement], document: Document | None = None) -> dict[str, str]:
    """By the name of a function that the lesson gives to a known one, that one.

    f(z) = tanh(z) defines f, which may be another function elsewhere: that is none.
    """
    found: dict[str, set[str]] = {}
    bodies = [s.body for s in statements if isinstance(s.body, Relation)]
    defined = {_called(body.items[0]) for body in bodies}
    for body in bodies:
        for a, b in pairwise(body.items[1:]):
            for known, other in ((a, b), (b, a)):
                match known, other:
                    case Call(function=Name(base=name), args=one), Call(function=Name(base=own), args=two):
                        if one == two and name in NAMED and own not in NAMED:
                            found.setdefault(own, set()).add(name)
    for own in _spoken(document) if document else ():
        found.setdefault(own, set()).add("softmax")
    return {own: min(names) for own, names in found.items() if len(names) == 1 and own not in defined}


def _spoken(document: Document) -> Iterable[str]:
    r"""The letters of which the text says that they are the softmax: "with $\varsigma$ the softmax function"."""
    words = [piece.text if isinstance(piece, Prose) else "" for piece in document.pieces]
    for piece, left, right in zip(document.pieces, ["", *words], [*words[1:], ""], strict=False):
        letter = LETTER.match(piece.tex.strip()) if isinstance(piece, Formula) else None
        if letter and (letter[1] in GREEK or len(letter[1]) == 1) and (AFTER.match(right) or BEFORE.search(left)):
            yield letter[1]


def _called(node: Node) -> str:
    """The name of the function of a call, whatever its scripts; "" of anything else."""
    names = (part.base for part in node.function.walk() if isinstance(part, Name)) if isinstance(node, Call) else ()
    return next(iter(names), "")


def with_synonyms(statement: Statement, names: Mapping[str, str]) -> Statement:
    """A statement in which every function goes by the name that is known."""
    return replace(statement, body=_named(statement.body, names)) if names else statement


def _named(node: Node, names: Mapping[str, str]) -> Node:
    if isinstance(node, Call):
        args = tuple(_named(arg, names) for arg in node.args)
        return replace(node, function=_function(node.function, names), args=args)
    return rebuilt(node, lambda child: _named(child, names))


def _function(node: Node, names: Mapping[str, str]) -> Node:
    if isinstance(node, Name):
        return replace(node, base=names.get(node.base, node.base))
    return rebuilt(node, lambda child: _function(child, names))
