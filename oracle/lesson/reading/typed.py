r"""Formulas that are typed as plain text: δ_j = h_j (1 − h_j) Σ_k w_jk δ_k on a line of its own, or in a sentence.

A text without TeX that has signs of mathematics is read so: every indented line with a relation is a formula, which
the next line goes on with where that begins with a relation or a sign; a number in parentheses at its end is a label.
"""

import re

from oracle.lesson.document import Prose
from oracle.lesson.formula.symbols import GREEK
from oracle.lesson.reading.source import Source

SIGNS = re.compile(r"[∂∇∑Σ⊙½←α-ωϑϕΔ]")
TEX = re.compile(r"\\[A-Za-z(\[]|\$[^$\n]+\$|`")
FEWEST = 5
"""Signs of mathematics in such a text."""
RELATION = re.compile(r"(?<![<>!])=(?!=)|[←≈≔]|<-|:=")
GOING_ON = re.compile(r"\s+(?:=|\+ |− |- |·)")
ENDING = re.compile(r"(?:\s{2,}\([^()=]*\s[^()=]*\)[.,;]?)?(?:\s{2,}\((?:eq\.?\s*)?([\w.]+)\))?\s*$")
"""A remark behind a formula, and its number: (no sum over i)   (8.2)."""
UNDERLINED = re.compile(r"^(?P<words>\S[^\n]*)\n(?P<rule>=|-|~)(?P=rule){2,}[ \t]*$", re.MULTILINE)
FUNCTIONS = {"exp", "ln", "log", "tanh", "sin", "cos", "max", "min", "softmax", "sigmoid", "relu", "ReLU", "sum"}
WORD = re.compile(r"(?<![A-Za-z_\\])[A-Za-z]{3,}(?![A-Za-z_(′'])")
IDENTIFIER = re.compile(r"(?<![A-Za-z\\_^{])([A-Za-z]{2,})(?![A-Za-z])")
INLINE = re.compile(
    r"(?<![\w.])[∂∇]?[A-Za-zα-ωΔ]\w*(?:[′']?\([^()\n]*\))?(?:[ \n]?/[ \n]?∂\w+)?"
    r"(?: ?[=←] ?[^,;:.\n]*?(?=[,;:.]?(?:\s+[A-Za-z]{2,}\b(?![_(])|$|[,;:.](?:\s|$))))",
    re.MULTILINE,
)


def is_typed(text: str) -> bool:
    """Whether a text has formulas, and none of them in TeX."""
    return not TEX.search(text) and len(SIGNS.findall(text)) >= FEWEST


def typed(source: Source) -> None:
    """All headings and formulas of such a text."""
    lines = source.text.split("\n")
    at = 0
    headings = {source.line(match.start()): match for match in UNDERLINED.finditer(source.text)}
    while at < len(lines):
        if match := headings.get(at + 1):
            _heading(source, match)
            at += 2
        elif _displayed(lines[at]):
            end = at + 1
            while end < len(lines) and GOING_ON.match(lines[end]):
                end += 1
            _display(source, at, end)
            at = end
        else:
            _inline(source, at)
            at += 1


def _heading(source: Source, match: re.Match[str]) -> None:
    words = match["words"].strip()
    source.title = source.title or words
    source.taken.append(match.span())
    place = source.place(match.start(), match.start() + len(match["words"]))
    source.pieces.append(Prose(words, place, 1 if match["rule"] == "=" else 2))


def _displayed(line: str) -> bool:
    """Whether a line is indented, and says that something is something without words around it."""
    indented = line.startswith(("   ", "\t")) and bool(RELATION.search(line))
    return indented and not {*WORD.findall(ENDING.sub("", line))} - FUNCTIONS - {*GREEK}


def _display(source: Source, first: int, last: int) -> None:
    start, end = source.starts[first], source.starts[last - 1] + len(source.text.split("\n")[last - 1])
    raw = source.text[start:end]
    ending = ENDING.search(raw)
    stop = start + ending.start() if ending else end
    source.formula((start, stop), (start, end), display=True, unescape=tex, label=(ending and ending[1]) or "")


def _inline(source: Source, at: int) -> None:
    """Equations with signs of mathematics in a line of prose."""
    start = source.starts[at]
    line = source.text[start : source.starts[at + 1] - 1 if at + 1 < len(source.starts) else len(source.text)]
    for match in INLINE.finditer(line):
        found = match[0].rstrip(" ,.;:")
        told = SIGNS.search(found) and re.search(r"\(.*\)$|= ?[\d.]+$", found)  # g(h) = tanh(βh), β = 1
        signs = told or re.search(r"[∂Σ′_]", found)
        if RELATION.search(found) and signs and not {*WORD.findall(found)} - FUNCTIONS:
            span = (start + match.start(), start + match.start() + len(found))
            source.formula(span, span, display=False, unescape=tex)


def tex(raw: str) -> str:
    """What is typed, as TeX: w_jk is w_{jk}, e^(-u) is e^{-u}, delta is a Greek letter."""
    out = re.sub(r"<-", "←", raw)
    out = IDENTIFIER.sub(_named, out)
    out = re.sub(r"_([A-Za-z0-9]{2,})", r"_{\1}", out)
    out = re.sub(r"(?<![A-Za-z])(e|exp|2)\^\(([^()]*)\)", r"\1^{\2}", out)
    out = re.sub(r"\^(\([^()]*\)|\[[^\[\]]*\])", r"^{\1}", out)
    return re.sub(r"\^([A-Za-z0-9]{2,})", r"^{\1}", out)


def _named(match: re.Match[str]) -> str:
    word = match[1]
    if word in GREEK or word == "partial":
        return f"\\{word}"
    if word in FUNCTIONS:
        return f"\\operatorname{{{word}}}" if word in ("softmax", "sigmoid", "relu", "ReLU") else f"\\{word}"
    return f"\\text{{{word}}}" if len(word) > 2 else word
