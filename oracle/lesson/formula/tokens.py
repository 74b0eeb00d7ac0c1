r"""The tokens of a formula, each with its offsets into the TeX as the lesson has it.

What a macro made carries the offsets of its call. Spacing, styles and alignment are gone; unicode is TeX.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from oracle.lesson.syntax import Span

MOST = 20_000
"""Tokens and macro calls of one formula; more are a macro that calls itself."""

Macros = Mapping[str, tuple[int, str]]


@dataclass(frozen=True)
class Token:
    """A command with its backslash, a letter, a word, a number or a mark. `kind` is command, word, number or mark."""

    text: str
    span: Span
    kind: str = "mark"


class Unreadable(Exception):  # noqa: N818 - it says what a formula is, like the others'
    """Where a formula could not be read, and why."""

    def __init__(self, span: Span, reason: str):
        super().__init__(reason)
        self.span, self.reason = span, reason


def _split(text: str) -> list[str]:
    return text.split()


GREEK = _split(
    "alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi pi rho sigma tau "
    "upsilon phi varphi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Phi Psi Omega ell"
)
WORDS = (
    "softmax",
    "sigmoid",
    "target",
    "argmax",
    "ReLU",
    "relu",
    "tanh",
    "Err",
    "total",
    "net",
    "out",
    "log",
    "exp",
    "max",
)
DIFFERENTIALS = ("dW", "db", "dz", "da", "dA", "dZ", "dx")

_LETTERS = _split(
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon phi chi psi "
    "omega Gamma Delta Theta Lambda Xi Pi Sigma Phi Psi Omega"
)
_SIGNS = _split(
    "partial sum prod odot circ cdot times leftarrow to nabla in approx ne le ge equiv top prime ell ldots cdots "
    "otimes infty phi"
)
_UNICODE = dict(zip("αβγδεζηθικλμνξπρστυφχψωΓΔΘΛΞΠΣΦΨΩ", _LETTERS, strict=True)) | dict(
    zip("∂∑∏⊙∘·×←→∇∈≈≠≤≥≡⊤′ℓ…⋯⊗∞ϕ", _SIGNS, strict=True)
)
_SCRIPTS = {c: ("_", d) for c, d in zip("₀₁₂₃₄₅₆₇₈₉ᵢⱼₖₗₘₙₜ", "0123456789ijklmnt", strict=True)} | {
    c: ("^", d) for c, d in zip("⁰¹²³⁴⁵⁶⁷⁸⁹ᵀⁿˡ⁺", "0123456789Tnl+", strict=True)
}
_GONE = {"\\ "} | set(
    _split(
        r"\left \right \middle \big \Big \bigg \Bigg \bigl \bigr \Bigl \Bigr \biggl \biggr \Biggl \Biggr \displaystyle "
        r"\textstyle \scriptstyle \limits \nolimits \nonumber \notag \mathbf \boldsymbol \bm \mathit \vec \mathsf \bf "
        r"\pmb \, \: \; \! \> \qquad \quad \hfill \boxed \textbf \mathop \underline"
    )
)
_TEXTS = {r"\text", r"\textrm", r"\mathrm", r"\operatorname", r"\textit", r"\mbox", r"\texttt", r"\textsf", r"\rm"}
_WITH_ARGUMENT = {r"\tag", r"\label", r"\color", r"\hspace", r"\vspace", r"\phantom"}
_MATRICES = {"bmatrix", "pmatrix", "matrix", "array", "smallmatrix", "vmatrix", "cases"}

_NO_FENCE = re.compile(r"\\(left|right)\s*\.")
_LEXEME = re.compile(
    r"%[^\n]*|\\(?:left|right)\s*\.|(?:np\.)[a-z]+|keepdims|axis|True|\\begin\s*\{[^}]*\}|\\end\s*\{[^}]*\}|\\[A-Za-z]+\*?|\\.|\d+(?:\{,\}\d{3})*(?:\.\d+)?|\.\d+|"
    + "|".join(WORDS) + r"|[:+\-*]=|\s+|.",
    re.DOTALL,
)  # fmt: skip


def tokens(tex: str, macros: Macros) -> list[Token]:
    """The tokens of a formula. Raises Unreadable where a macro calls itself."""
    return _Reader(macros).read(tex)


def closing(tex: str, at: int) -> int:
    """Offset after the brace that closes the one at `at`; the end of the text where none does."""
    depth = 0
    for k in range(at, len(tex)):
        depth += (tex[k] == "{") - (tex[k] == "}")
        if not depth and tex[k] in "{}":
            return k + 1
    return len(tex)


class _Reader:
    def __init__(self, macros: Macros):
        self.macros = {name if name.startswith("\\") else "\\" + name: what for name, what in macros.items()}
        self.found: list[Token] = []
        self.environments: list[str] = []
        self.calls = 0

    def read(self, tex: str, call: Span | None = None) -> list[Token]:
        at = 0
        while at < len(tex):
            match = _LEXEME.match(tex, at)
            assert match
            at = self._lexeme(tex, match.group(), match.end(), call or match.span(), call)
        return self.found

    def _add(self, text: str, span: Span, kind: str = "mark") -> None:
        if len(self.found) > MOST:
            raise Unreadable(span, "the formula is too long, or a macro in it calls itself")
        self.found.append(Token(text, span, kind))

    def _lexeme(self, tex: str, text: str, at: int, span: Span, call: Span | None) -> int:
        if text in self.macros:
            return self._expand(tex, text, at, span)
        if (
            text.isspace()
            or text[0] == "%"
            or text in _GONE
            or text == "~"
            or re.fullmatch(r"\\(left|right)\s*\.", text)
        ):
            if text in (r"\quad", r"\qquad"):
                self._add(r"\quad", span)
            return at
        if text in _WITH_ARGUMENT:
            opened = tex.find("{", at)
            return closing(tex, opened) if opened >= 0 else at
        if text.startswith((r"\begin", r"\end")):
            return self._environment(tex, text, at, span)
        if text in _TEXTS:
            return self._text(tex, text, at, span, call)
        self._plain(text, span)
        return at

    def _expand(self, tex: str, name: str, at: int, span: Span) -> int:
        self.calls += 1
        count, body = self.macros[name]
        if self.calls > 500:
            raise Unreadable(span, f"the macro {name} calls itself; define it without itself")
        for k in range(1, count + 1):
            while at < len(tex) and tex[at].isspace():
                at += 1
            end = closing(tex, at) if tex[at : at + 1] == "{" else at + 1
            body = body.replace(f"#{k}", tex[at:end])
            at = end
        if len(body) > MOST:
            raise Unreadable(span, f"the macro {name} becomes too long")
        self.read(body, (span[0], max(span[1], at) if span[1] <= at else span[1]))
        return at

    def _environment(self, tex: str, text: str, at: int, span: Span) -> int:
        name = text[text.index("{") + 1 : -1].strip("* ")
        if name not in _MATRICES:
            return at
        if text.startswith(r"\begin"):
            self.environments.append(name)
            if name == "array" and tex[at : at + 1] == "{":
                at = closing(tex, at)
        elif self.environments:
            self.environments.pop()
        self._add(text.split("{")[0].strip() + " " + name, span, "command")
        return at

    def _text(self, tex: str, name: str, at: int, span: Span, call: Span | None) -> int:
        start = at + len(tex[at:]) - len(tex[at:].lstrip())
        if tex[start : start + 1] != "{":
            return at
        end = closing(tex, start)
        inside = tex[start + 1 : end - 1].strip().replace(r"\_", "_")
        whole = call or (span[0], end)
        if re.fullmatch(r"[A-Za-z]+", inside):
            self._add(inside, whole, "word")
        elif name in (r"\mathrm", r"\rm"):
            return at
        elif inside:
            self._add(inside, whole, "text")
        return end

    def _plain(self, text: str, span: Span) -> None:
        if text in _UNICODE:
            text = "\\" + _UNICODE[text]
        if text in _SCRIPTS:
            mark, of = _SCRIPTS[text]
            for piece, kind in (
                (mark, "mark"),
                ("{", "mark"),
                (of, "number" if of.isdigit() else "word"),
                ("}", "mark"),
            ):
                self._add(piece, span, kind)
            return
        if text == "&" and not self.environments:
            return
        text = {"−": "-", r"\lbrace": r"\{", r"\rbrace": r"\}", "²": "2", "⊤": r"\top"}.get(text, text)
        self._add(text, span, _kind(text))


def _kind(text: str) -> str:
    if text[0].isdigit() or (text[0] == "." and len(text) > 1):
        return "number"
    if text[0] == "\\":
        return "word" if text[1:] in GREEK else "command"
    return "word" if text[0].isalpha() else "mark"
