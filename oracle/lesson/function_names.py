"""Letters that are functions in a lesson, found before its formulas are read: f(x) is a product elsewhere."""

import re

from oracle.lesson.document import Document, Formula

HEAD = re.compile(
    r"(?:^|\\\\|[,;&]|\\quad)\s*\\?(?:math\w+[{\s])?([A-Za-z]+)\}?(?:_\{?[^{}()=]*\}?)?\s*\([^()=]*\)(?:_\{?\w+\}?)?\s*&?\s*(?::?=|\\equiv)"
)
"""`f(x) =`: a symbol that is a function in this lesson."""
MODEL = re.compile(r"([A-Za-z]+)_\{?\\?(?:theta|Theta|W|w)(?:,\s*b)?\}?\s*(?:\\left)?\(")
"""`h_{W,b}(x)`: a model with its parameters below."""

SLOPE = re.compile(
    r"\\[dtc]?frac\s*\{\s*(?:d|\\partial|\\mathrm\{d\})\s*\\?([A-Za-z]+)(?:\s*[_^]\s*(?:\{[^{}]*\}|\w))*\s*(?:\\left)?\([^(){}]*\)\s*\}"
)
r"""`\frac{d\chi(z)}{dz}`: what is differentiated with its argument."""
APPLIED = re.compile(r"(?<![A-Za-z\\])([A-Z])\s*(?:'|\^\s*\{?\\prime\}?)\s*\(([^()]+)\)")
"""`R'(Z_o)` beside `R(Z_o)`."""
PRIMED = re.compile(r"([A-Za-z]+)\s*(?:'|\^\s*\{?\\prime\}?)\s*\(")
NESTED = re.compile(r"(?<![A-Za-z\\])([A-Za-z]+)(?=\s*\(\s*(?:[A-Za-z]+\s*\(|[A-Za-z]+(?:\s*[A-Za-z]+)?\s*\)+))")
"""`C(R(Z(x)))` in a lesson that also writes C'(R): functions of functions."""


def function_names(document: Document) -> set[str]:
    """Letters that are functions in this lesson."""
    texts = [piece.tex for piece in document.pieces if isinstance(piece, Formula)]
    primed = {name for tex in texts for name in PRIMED.findall(tex)}
    nested = {name for tex in texts for name in NESTED.findall(tex) if name in primed}
    nested |= {name for name, arg in _slopes(texts) if any(f"{name}({arg})" in "".join(tex.split()) for tex in texts)}
    return nested | {name for tex in texts for pattern in (HEAD, MODEL, SLOPE) for name in pattern.findall(tex)}


def _slopes(texts: list[str]) -> set[tuple[str, str]]:
    return {(name, "".join(arg.split())) for tex in texts for name, arg in APPLIED.findall(tex)}
