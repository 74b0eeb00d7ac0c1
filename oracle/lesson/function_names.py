"""Letters that are functions in a lesson, found before its formulas are read: f(x) is a product elsewhere."""

import re
from collections.abc import Iterator

from oracle.lesson.document import Document, Formula, Prose
from oracle.lesson.formula.symbols import FUNCTIONS, LOSSES

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
GREEK = re.compile(r"\\([a-z]+)\s*(?:_\s*(?:\w|\{\w+\})\s*)?(?:'|\^\s*\{?\\prime\}?)\s*(?:\\left|\\[bB]igg?l?)?\s*\(")
r"""`\rho'(z)`, and `\zeta_1'(z)`, one of several activations."""
SLOPED = re.compile(
    r"(?<![A-Za-z\\])([A-Za-z])\s*(?:'|\^\s*\{?\\prime\}?)\s*"
    r"(?:\\left)?\(\s*\\?[A-Za-z]+(?:[_^](?:\{[^{}]*\}|\w))*\s*(?:\\right)?\)"
)
"""`h'(a_j)`: the slope of what is a function where `h(a_j)` stands as well."""
NESTED = re.compile(r"(?<![A-Za-z\\])([A-Za-z]+)(?=\s*\(\s*(?:[A-Za-z]+\s*\(|[A-Za-z]+(?:\s*[A-Za-z]+)?\s*\)+))")
"""`C(R(Z(x)))` in a lesson that also writes C'(R): functions of functions."""
PARTIAL = re.compile(
    r"(?<![A-Za-z\\])([A-Za-z])\}?(?:\s*[_^]\s*(?:\{[^{}]*\}|\w|\\ell))*\s*&?\s*(?::?=|\\equiv)\s*&?\s*(?:\\nabla|\\[dt]?frac\s*\{\s*\\partial)"
)
r"""`g_k = \frac{\partial L}{\partial z_k}`: a name of a partial, which takes no argument."""
MADE = re.compile(r"(?:^|\\\\|[,;&]|\\quad)\s*([A-Za-z])\s*&?\s*:?=\s*&?\s*\\?[A-Za-z{][^=]*[(+]")
r"""`g = \tanh(s)`, `f = W x + b`: a quantity."""
CALLED = (
    re.compile(
        r"(?<![A-Za-z\\])([A-Za-z])\s*(?:\\left)?\(\s*(?:\\\w+\s*\{)?"
        r"\\?[A-Za-z]+\}?(?:[_^](?:\{[^{}]*\}|\w))*\s*(?:\\right)?[),;]"
    ),
    re.compile(r"=\s*&?\s*([A-Za-z])\s*(?:\\left)?\("),
)
"""`g(z)`, `f(x, w)`: of symbols; `h = f(W x + b)`."""
SYNONYM = re.compile(
    r"(?:softmax|sigmoid|tanh|ReLU|relu)\}?\s*\(([^()]+)\)\s*&?\s*(?::?=|\\equiv)\s*\\?([A-Za-z]+)\s*\(\1\)"
)
r"""`\text{softmax}(v) = \psi(v)`: another name of a function that is known."""

BRACKETS = re.compile(
    r"(?:\\(?:sin|cos|tan|tanh|exp|log|ln|max|min)|\\(?:mbox|text|mathrm)\s*\{[^{}]+\})\s*(?:\\[bB]igg?l\s*)?\["
)
r"""`\exp[z]`, `\mbox{f}[x, w]`: a lesson that calls functions with brackets."""
BRACKETED = re.compile(
    r"(?<![A-Za-z\\{])(?:\\(?:math\w+|boldsymbol|mbox|text)\s*\{\s*(?:\\bf\s+)?)?([A-Za-z])\}?\s*(?:\\[bB]igg?l\s*)?\["
)
r"""`\mathbf{a}[z]` in such a lesson."""

LETTER = re.compile(r"\\?(?:math\w+\s*\{)?([A-Za-z]+)\}?(?:\(\\?(?:cdot|bullet|[a-z])\))?$")
FUNCTION = r"(?:activation|transfer|squashing|sigmoid\w*|logistic|tanh|hyperbolic|relu|non-?linear\w*|激活|传递|非线性)"
"""What an activation is called."""
SAID_AFTER = re.compile(
    rf"(?i)\s*(?:,?\s*(?:will\s+)?(?:is|are|be|denotes?|stands? for|being)\s|为|是|表示)[^.;。；$]{{0,40}}?\b{FUNCTION}"
)
SAID_BEFORE = re.compile(rf"(?i){FUNCTION}(?:\s+functions?|函数)?\s*(?:is|为|是)?\s*$")


def _said(document: Document) -> Iterator[str]:
    """`where $s$ is the logistic sigmoid`, `with the transfer function $s$`."""
    before, after = ("", *_prose(document)), (*_prose(document)[1:], "")
    for piece, left, right in zip(document.pieces, before, after, strict=False):
        letter = LETTER.match(piece.tex.strip()) if isinstance(piece, Formula) else None
        if letter and (SAID_AFTER.match(right) or SAID_BEFORE.search(left)):
            yield letter[1]


def _prose(document: Document) -> tuple[str, ...]:
    return tuple(piece.text if isinstance(piece, Prose) else "" for piece in document.pieces)


def function_names(document: Document) -> set[str]:
    """Letters that are functions in this lesson: the usual ones, unless they stand for partials, and its own."""
    texts = [piece.tex for piece in document.pieces if isinstance(piece, Formula)]
    primed = {name for tex in texts for name in PRIMED.findall(tex)}
    nested = {name for tex in texts for name in NESTED.findall(tex) if name in primed}
    applied = {name for tex in texts for name in CALLED[0].findall(tex)}
    nested |= {name for tex in texts for name in SLOPED.findall(tex)} & applied
    nested |= {name for name, arg in _slopes(texts) if any(f"{name}({arg})" in "".join(tex.split()) for tex in texts)}
    nested |= {name for tex in texts for name in GREEK.findall(tex)} - {"delta"}
    nested |= {name for tex in texts for _, name in SYNONYM.findall(" ".join(tex.split()))}
    partials = {name for tex in texts for name in PARTIAL.findall(tex)} - primed
    partials |= {name for tex in texts for name in MADE.findall(tex)} - primed - _called(texts) - LOSSES
    own = (
        nested
        | set(_said(document))
        | {name for tex in texts for pattern in (HEAD, MODEL, SLOPE) for name in pattern.findall(tex)}
    )
    return (FUNCTIONS - partials) | own | _with_brackets(texts)


def _with_brackets(texts: list[str]) -> set[str]:
    """The letters before brackets, in a lesson that calls functions with these more than once."""
    several = sum(len(BRACKETS.findall(tex)) for tex in texts) > 1
    return {name for tex in texts for name in BRACKETED.findall(tex) if several}


def _called(texts: list[str]) -> set[str]:
    return {name for tex in texts for pattern in CALLED for name in pattern.findall(tex)}


def _slopes(texts: list[str]) -> set[tuple[str, str]]:
    return {(name, "".join(arg.split())) for tex in texts for name, arg in APPLIED.findall(tex)}
