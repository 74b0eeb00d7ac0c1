"""Plain text, as it comes from a page that KaTeX rendered: each formula as MathML's text, its TeX, and HTML's text."""

import re
from dataclasses import dataclass

from oracle.lesson.document import Document
from oracle.lesson.reading.markdown import scan
from oracle.lesson.reading.source import Source, same
from oracle.lesson.reading.typed import is_typed, typed

COMMAND = re.compile(r"\\+(?:[A-Za-z]+|.)|.", re.DOTALL)
GREEK = """
alpha α beta β gamma γ delta δ epsilon ϵ varepsilon ε zeta ζ eta η theta θ vartheta ϑ kappa κ lambda λ mu μ nu ν
xi ξ pi π rho ρ sigma σ tau τ phi ϕ varphi φ chi χ psi ψ omega ω Gamma Γ Delta Δ Theta Θ Lambda Λ Xi Ξ Pi Π
Sigma Σ Phi Φ Psi Ψ Omega Ω partial ∂ nabla ∇ sum ∑ prod ∏ ell ℓ infty ∞
"""
SIGNS = dict(re.findall(r"(\w+) (\S)", GREEK))
NAMES = {"log", "exp", "ln", "sin", "cos", "tan", "tanh", "sinh", "cosh", "max", "min", "arg", "det", "lim", "sup"}
WORDS = re.compile(r"[\u2e80-\u9fff\uac00-\ud7af\uff00-\uffef]")
LONGEST = 120
"""Words of TeX in one formula."""


def key(words: str) -> str:
    """The letters, digits and operators with a name, in order: the same for TeX and for what it looks like."""
    return "".join(_seen(match[0]) for match in COMMAND.finditer(words))


def _seen(token: str) -> str:
    if token.startswith("\\"):
        name = token.lstrip("\\")
        return SIGNS.get(name, name if name in NAMES else "")
    return token if token.isalnum() or token in "∂∇∑∏ℓ∞" else ""


@dataclass(frozen=True)
class Triple:
    """Offsets of one formula: where MathML's text begins, its TeX, and where HTML's text ends."""

    begin: int
    start: int
    end: int
    stop: int


def read(path: str, text: str) -> Document:
    """The document of a text file."""
    source = Source(path, "text", text)
    single = re.search(r"(?<!\\)\\[A-Za-z]", text)
    doubled = bool(re.search(r"\\\\[A-Za-z]", text)) and not single
    lines = [(start, line) for start, line in zip(source.starts, text.split("\n"), strict=True)]
    if is_typed(text):
        typed(source)
        return source.document()
    found = [triple for start, line in lines for triple in triples(line, start)]
    for triple in found:
        _add(source, triple, doubled=doubled)
    if not found:
        scan(source)
    first = next((line for line in text.split("\n") if line.strip()), "")
    source.title = source.title or first.rpartition(" > ")[2].strip("# \t")
    return source.document()


def _add(source: Source, triple: Triple, *, doubled: bool) -> None:
    line = source.starts[source.line(triple.start) - 1]
    stop = source.text.find("\n", triple.end)
    rest = source.text[triple.stop : stop if stop >= 0 else len(source.text)]
    display = not source.text[line : triple.begin].strip() and not rest.strip()
    source.formula(
        (triple.start, triple.end),
        (triple.begin, triple.stop),
        display=display,
        unescape=_halved if doubled else same,
        escape=_twice if doubled else same,
    )


def _halved(raw: str) -> str:
    return raw.replace("\\\\", "\\")


def _twice(tex: str) -> str:
    return tex.replace("\\", "\\\\")


def triples(line: str, offset: int = 0) -> list[Triple]:
    """Every formula of a line: TeX whose letters are the letters of the words just before it."""
    words = [(match.start(), match.end()) for match in re.finditer(r"\S+", line)]
    keys = [key(line[start:end]) for start, end in words]
    out: list[Triple] = []
    at, free = 1, 0
    while at < len(words):
        opens = keys[at] or line[words[at][0]] == "\\"
        if opens and (found := _longest(line, words, keys, at, free)):
            begin, end = found
            begin -= begin > free and _sign(line, words[begin - 1]) == line[words[at][0]]
            stop = _rendered(line, words[end - 1][1], line[words[begin][0] : words[at][0]])
            spans = (words[begin][0], words[at][0], words[end - 1][1], stop)
            out.append(Triple(*(offset + place for place in spans)))
            free = end
            at = end
        at += 1
    return out


def _longest(line: str, words: list[tuple[int, int]], keys: list[str], at: int, free: int) -> tuple[int, int] | None:
    """The word where the MathML begins, and the word after the TeX, for TeX that begins with the word `at`."""
    best, seen = None, ""
    for end in range(at + 1, min(len(words), at + LONGEST) + 1):
        tex = line[words[at][0] : words[end - 1][1]]
        if WORDS.search(line, *words[end - 1]) and "\\text" not in tex:
            break
        seen += keys[end - 1]
        begin = _before(keys, at, free, seen)
        if begin is not None and tex.count("{") == tex.count("}") and _sure(line, words, tex, end):
            best = (begin, end)
    return best


def _sign(line: str, word: tuple[int, int]) -> str:
    """An operator as TeX would write it."""
    return line[slice(*word)].replace("−", "-")


def _before(keys: list[str], at: int, free: int, wanted: str) -> int | None:
    """From which word on the words before `at` have these letters; sub- and superscripts in either order."""
    begin, length = at, 0
    while begin > free and length < len(wanted):
        begin -= 1
        length += len(keys[begin])
    if not wanted or length != len(wanted):
        return None
    before = "".join(keys[begin:at])
    return begin if before == wanted or (len(wanted) > 2 and sorted(before) == sorted(wanted)) else None


def _sure(line: str, words: list[tuple[int, int]], tex: str, end: int) -> bool:
    """TeX shows itself by its signs; what has none must come a third time, as HTML's text."""
    if re.search(r"[\\_^{]", tex):
        return True
    short = len(tex) <= 3 or bool(re.search(r"[=()+-]", tex))
    return short and end < len(words) and line.startswith(re.sub(r"\s", "", tex), words[end][0])


def _rendered(line: str, end: int, seen: str) -> int:
    """Where HTML's text ends, which has the signs of MathML's and no others."""
    signs = {*seen, "\u200b", "\u2061", "\ufeff"} - {" "}
    start = end + len(line[end:]) - len(line[end:].lstrip())
    stop = start
    while stop < len(line) and line[stop] in signs and stop - start < len(seen):
        stop += 1
    return stop
