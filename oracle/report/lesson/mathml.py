r"""TeX to MathML that a page may hold: shown offline by every browser, and nothing in it but mathematics.

The conversion is latex2mathml's; before it, what it does not know is put in words that it does (`aligned`, `\label`,
the lesson's own macros); after it, only known elements and attributes are kept and every text is quoted. Where it
fails, or leaves a command or an & behind, there is no formula, and the page shows the TeX.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from html import unescape
from xml.etree.ElementTree import Element

from latex2mathml.converter import convert_to_element
from markupsafe import Markup, escape

Macros = Mapping[str, tuple[int, str]]
LONGEST = 8000
"""Characters of a formula, macros expanded, that is converted."""
TAGS = frozenset((
    "math", "mrow", "mi", "mn", "mo", "mtext", "mspace", "mfrac", "msqrt", "mroot", "msub", "msup", "msubsup",
    "munder", "mover", "munderover", "mtable", "mtr", "mtd", "mstyle", "mpadded", "mphantom", "menclose",
))  # fmt: skip
ATTRIBUTES = frozenset((
    "display", "displaystyle", "scriptlevel", "mathvariant", "stretchy", "fence", "form", "separator", "accent",
    "accentunder", "minsize", "maxsize", "linethickness", "columnalign", "rowspacing", "columnspacing", "columnlines",
    "rowlines", "width", "height", "depth", "lspace", "voffset", "notation", "linebreak", "movablelimits",
))  # fmt: skip
LETTERS = frozenset("∂∇∞∅ℏ∀∃…⋮⋯⋱′″‴%")
"""Signs that are no operators."""


def mathml(tex: str, display: bool = False, macros: Macros | None = None) -> Markup | None:
    """A formula as MathML, its TeX in an annotation; None where it cannot be converted faithfully."""
    try:
        plain = prepared(expanded(tex, macros or {}))
        root = convert_to_element(plain, display="block" if display else "inline")
        body = Markup("").join(_part(child) for child in _joined(root))
    except Exception:  # latex2mathml raises what it likes: IndexError, StopIteration, its own; the TeX is shown then
        return None
    kind = "block" if display else "inline"
    note = Markup('<annotation encoding="application/x-tex">{}</annotation>').format(harmless(" ".join(tex.split())))
    return Markup('<math display="{}"><semantics><mrow>{}</mrow>{}</semantics></math>').format(kind, body, note)


class _UnfaithfulError(ValueError):
    """Something was left over that is not mathematics."""


# ---------------------------------------------------------------------------------------------------------- before it


def expanded(tex: str, macros: Macros) -> str:
    """`tex` with the lesson's macros put in; raises ValueError where they have no end."""
    used = [name for name in macros if name in tex]
    if not used:
        return tex
    names = "|".join(re.escape(name) for name in sorted(used, key=len, reverse=True))
    call = re.compile(rf"\\({names})(?![A-Za-z])")
    for _ in range(200):
        if not (found := call.search(tex)):
            return tex
        arguments, body = macros[found[1]]
        values, end = _arguments(tex, found.end(), arguments)
        tex = f"{tex[: found.start()]}{{{_filled(body, values)}}}{tex[end:]}"
        if len(tex) > LONGEST:
            break
    raise ValueError("macros without end")


def _filled(body: str, values: list[str]) -> str:
    return re.sub(r"#(\d)", lambda m: values[int(m[1]) - 1] if int(m[1]) <= len(values) else m[0], body)


def _arguments(tex: str, at: int, count: int) -> tuple[list[str], int]:
    """What a macro is given: so many groups or single signs after it, and where they end."""
    values = []
    for _ in range(count):
        at += len(tex[at:]) - len(tex[at:].lstrip())
        end = _group(tex, at)
        values.append(tex[at:end])
        at = end
    return [value[1:-1] if value.startswith("{") else value for value in values], at


def _group(tex: str, at: int) -> int:
    """Where the group, command or sign that begins at `at` ends."""
    if tex[at : at + 1] != "{":
        return at + len(re.match(r"\\[A-Za-z]+|\\.|.|$", tex[at:], re.S)[0])  # type: ignore[index]  # it always matches
    depth = 0
    for sign in re.finditer(r"\\.|[{}]", tex[at:], re.S):
        depth += {"{": 1, "}": -1}.get(sign[0], 0)
        if not depth:
            return at + sign.end()
    raise ValueError("a group that never ends")


ROWS = r"aligned|alignedat|alignat\*?|flalign\*?|align|eqnarray\*?|gathered|gather\*?|multline\*?"
REWRITES = (
    (r"(?<!\\)%[^\n]*\n?", ""),
    (r"\\(label|eqref|ref|cite|require|index|tag\*?)\s*\{[^{}]*\}", ""),
    (r"\\(nonumber|notag|displaylimits|allowbreak|nolimits|hfill|break|noindent|protect)(?![A-Za-z])", ""),
    (r"\\\\\s*\[[^\]]*\]|\\\\\*", r"\\\\"),
    (rf"\\begin\{{({ROWS})\}}(\s*\[[tbc]\])?(?(2)|(\s*\{{\d+\}})?)", r"\\begin{align*}"),
    (rf"\\end\{{({ROWS})\}}", r"\\end{align*}"),
    (r"\\begin\{(equation|displaymath|math|subequations)\*?\}", "{"),
    (r"\\end\{(equation|displaymath|math|subequations)\*?\}", "}"),
    (r"\\(bm|boldsymbol|pmb)(?![A-Za-z])", r"\\mathbf"),
    (r"\\operatorname\*", r"\\operatorname"),
    (r"\\(argmin|argmax)(?![A-Za-z])", r"\\operatorname{\1}"),
    (r"\\arg(?![A-Za-z])", r"\\operatorname{arg}"),
    (r"\\(cssId|class|htmlClass|htmlId|htmlStyle|style|href|hyperref|url)\s*\{[^{}]*\}", ""),
    (r"\{\\cal\s+([A-Z])\s*\}", r"\\mathcal{\1}"),
    (r"\\middle\s*(\\?[|/.]|\\vert|\\Vert)", r"\1"),
)  # fmt: skip


def prepared(tex: str) -> str:
    """TeX in words that latex2mathml knows, with the same look."""
    if len(tex) > LONGEST:
        raise ValueError("too long a formula")
    for pattern, instead in REWRITES:
        tex = re.sub(pattern, instead, tex)
    if _group(f"{{{tex}}}", 0) != len(tex) + 2:
        raise ValueError("braces that do not match")
    tex = re.sub(r"&\s*=\s*&", "&=", tex)  # eqnarray
    tex = tex.strip().removesuffix(r"\\")
    return rf"\begin{{align*}}{tex}\end{{align*}}" if _loose(tex) else tex


def _loose(tex: str) -> bool:
    r"""Whether there are rows, & or \\, outside of every environment and group."""
    depth = 0
    for sign in re.finditer(r"\\begin\b|\\end\b|\\\\|\\.|[{}&]", tex, re.S):
        depth += {r"\begin": 1, r"\end": -1, "{": 1, "}": -1}.get(sign[0], 0)
        if not depth and sign[0] in ("&", r"\\"):
            return True
    return False


# ----------------------------------------------------------------------------------------------------------- after it


def _part(element: Element) -> Markup:
    """An element with what is allowed in it."""
    if element.tag not in TAGS:
        raise _UnfaithfulError(element.tag)
    text = unescape(element.text or "")
    tag = _leaf(element.tag, text)
    listed = Markup("").join(
        Markup(' {}="{}"').format(name, value) for name, value in element.items() if name in ATTRIBUTES
    )
    inner = escape(harmless(text)) + Markup("").join(_part(child) for child in _joined(element))
    return Markup("<{0}{1}>{2}</{0}>").format(Markup(tag), listed, inner)


def harmless(text: str) -> str:
    """`text` with a sign in place of what is neither printed nor a space: marks that turn the direction of text."""
    return "".join(c if c.isprintable() or unicodedata.category(c) == "Zs" else "\ufffd" for c in text)


def _leaf(tag: str, text: str) -> str:
    """The tag of a token: signs that came as identifiers are operators; what is no mathematics is refused."""
    if tag in ("mi", "mo", "mn") and (text == "&" or re.match(r"\\[A-Za-z]", text)):
        raise _UnfaithfulError(text)
    sign = tag == "mi" and len(text) == 1 and text not in LETTERS and unicodedata.category(text)[0] in "SP"
    return "mo" if sign else tag


def _joined(element: Element) -> Iterator[Element]:
    r"""The children, the upright letters of \mathrm{diag} as one word."""
    word: list[str] = []
    for child in [*element, None]:
        if child is not None and element.tag == "mrow" and _upright(child):
            word.append(child.text or "")
            continue
        if word:
            yield _word("".join(word))
            word = []
        if child is not None:
            yield child


def _upright(child: Element) -> bool:
    letter = unescape(child.text or "")
    return child.tag == "mi" and child.get("mathvariant") == "normal" and len(letter) == 1 and letter.isalpha()


def _word(text: str) -> Element:
    made = Element("mi", {"mathvariant": "normal"} if len(text) == 1 else {})
    made.text = text
    return made
