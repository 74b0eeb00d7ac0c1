"""Letters that are functions in a lesson, found before its formulas are read: f(x) is a product elsewhere."""

import re

from oracle.lesson.document import Document, Formula
from oracle.lesson.formula.symbols import FUNCTIONS

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
PARTIAL = re.compile(
    r"(?<![A-Za-z\\])([A-Za-z])\}?(?:\s*[_^]\s*(?:\{[^{}]*\}|\w|\\ell))*\s*&?\s*(?::?=|\\equiv)\s*&?\s*(?:\\nabla|\\[dt]?frac\s*\{\s*\\partial)"
)
r"""`g_k = \frac{\partial L}{\partial z_k}`: a name of a partial, which takes no argument."""


def function_names(document: Document) -> set[str]:
    """Letters that are functions in this lesson: the usual ones, unless they stand for partials, and its own."""
    texts = [piece.tex for piece in document.pieces if isinstance(piece, Formula)]
    primed = {name for tex in texts for name in PRIMED.findall(tex)}
    nested = {name for tex in texts for name in NESTED.findall(tex) if name in primed}
    nested |= {name for name, arg in _slopes(texts) if any(f"{name}({arg})" in "".join(tex.split()) for tex in texts)}
    partials = {name for tex in texts for name in PARTIAL.findall(tex)} - primed
    own = nested | {name for tex in texts for pattern in (HEAD, MODEL, SLOPE) for name in pattern.findall(tex)}
    return (FUNCTIONS - partials) | own


def _slopes(texts: list[str]) -> set[tuple[str, str]]:
    return {(name, "".join(arg.split())) for tex in texts for name, arg in APPLIED.findall(tex)}
