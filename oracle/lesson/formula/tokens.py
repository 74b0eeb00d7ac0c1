r"""The tokens of a formula, each with its offsets into the TeX as the lesson has it.

What a macro made carries the offsets of its call. Spacing and alignment are gone; unicode is TeX.
"""

import re
import unicodedata
from collections.abc import Mapping
from itertools import pairwise

from oracle.lesson.formula.symbols import (
    ABROAD,
    ACCENTS,
    ALPHABETS,
    COMBINING,
    DROPPED,
    FRACTIONS,
    FUNCTIONS,
    GONE,
    GREEK,
    IMPLIES,
    LIMITING,
    LINKING,
    MACROS,
    MATRICES,
    OLD,
    OPERATIONS,
    PLAIN,
    QUANTITIES,
    RELATIONS,
    SAME,
    SCRIPTS,
    STRUCK,
    STYLES,
    TEXTS,
    UNICODE,
    WORDS,
)
from oracle.lesson.formula.token import COLUMN, Token, UnreadableError, summed
from oracle.lesson.syntax import Span

MOST = 20_000
"""Tokens of one formula, and macro calls: more are a macro that calls itself."""
DEEPEST = 50

_SIGNS = RELATIONS.keys() | OPERATIONS | IMPLIES | {r"\nabla", r"\partial", r"\sum", r"\prod"}

_TAKING = {"_", "^", r"\sqrt"} | FRACTIONS | ACCENTS.keys() | ALPHABETS.keys()
"""What a group may belong to, even an empty one."""
_ONCE = {"=", "\\\\"}
"""What says nothing more where it stands twice: an equals sign, the end of a row."""
_BARS = {"|", r"\lvert", r"\rvert"}

Macros = Mapping[str, tuple[int, str]]


_NUMBER = re.compile(r"\d+")
PLAINLY = r"(?<![A-Za-z\d\\])[A-Za-z]\d+[a-z](?![A-Za-z\d])"
_PLAINLY = re.compile(PLAINLY)
"""The w1o that a lesson may have as one name."""
EASTERN = "[가-힣一-鿿぀-ヿ]"
_LEXEME = re.compile(
    r"%[^\n]*|\{\{[a-z]{3,}:?\}\}\{[\w:.-]+\}|\\begin\s*\{[^}]*\}|\\end\s*\{[^}]*\}"
    r"|\\(?:left|right|middle|[bB]igg?[lrm]?)(?![A-Za-z])\s*(?:\\[A-Za-z]+|\\.|[^\\])"
    r"|\\arg(?:\\,|\s)*\\(?:max|min)|\\(?:operatorname|tag|[hv]space|(?:short)?intertext)\*"
    r"|\\[A-Za-z]+|\\\\\*?(?:\s*\[[^\]\n]*(?:pt|em|ex|mm|cm)\])?|\\."
    rf"|{PLAINLY}"
    r"|\d+(?:\.\d+)?[eE]-?\d+(?![A-Za-z])|\d+(?:\{,\}\d{3})*(?:\.\d+)?|\.\d+|\.\.\.|\.\*|\.T(?![A-Za-z])|\*\*|\.dot(?![A-Za-z])|(?:np|numpy|torch|tf)\.[a-z]+"
    + rf"|(?<![A-Za-z\\])(?:{'|'.join(PLAIN)})(?![A-Za-z])"
    + r"|(?<![A-Za-z\\])[a-z](?=(?:log|exp)\s*(?:\\left)?\()"
    + r"|(?<![A-Za-z\\])(?=[a-z]*[aeiou])[a-z]{4,}(?=\()"
    + r"|(?<![A-Za-z\\])(?=[A-Z]?[a-z]*[aeou])[A-Za-z][a-z]{4,}(?:[A-Z][a-z]+)*(?![A-Za-z])"
    + "".join("|" + word for word in WORDS)
    + r"|CE(?=\s*(?:\\left)?\s*\()|\./"
    + r"|(?<![A-Za-z\\])(?:[tT]r|ln)(?=\s*(?:\\(?:left|[bB]igg?l?)\s*)?[(\[])"
    + r"|\|\|"
    + rf"|{EASTERN}{{2,}}(?:\s?[A-Za-z](?=_)|(?=_))|[가-힣]+"
    + "|[" + "".join(SCRIPTS) + "]+"
    + r"|:\s*=|<->|==|=>|(?<!\^)[+\-*]=|\s+|.",
    re.DOTALL,
)  # fmt: skip
_BARE = re.compile(r"\\[A-Za-z]+|.", re.DOTALL)
r"""What a macro takes where no brace follows: `\vec\delta`, `\vec x`."""
_EASTERN = re.compile(EASTERN)
r"""A quantity in words: the 오차y_{o1} that is the error of y_{o1}."""
_CODED = re.compile(r"(?:np|numpy|torch|tf)\.([a-z]+)")
"""A function of a library, by its own name."""
_ROMAN = re.compile(r"\s+([A-Za-z]{2,}\d*)\s*(?=})")
r"""The word behind an old command: the in of a_{\rm in}."""
_WRAPPING = re.compile(r"(?:\s*\\(?:textcolor|color|colorbox|framebox|fbox|mbox)\s*(?:\{\w*\}\s*)?\{?)+\s*|\s*\}[\s}]*")
r"""Commands around a formula in a text: \text{\textcolor{red}{\framebox{$z$}}}."""
_COUNTING = re.compile(r"\s*(?:[a-z]\s*(?:=|\\in(?![A-Za-z]))|\\(?:text|mbox|forall)(?![A-Za-z]))")
r"""What is said beside a formula behind a gap: the k \in of h_k = f(z_k) \hspace{2cm} k \in \{1, 2\}."""
_BRACKETED = re.compile(r"([(\[]\s*)(#[1-9])(?=\s*(?:\\right)?\s*[)\]])")
r"""What a macro puts into brackets alone: \left( #1 \right)."""
_FACE = re.compile(r"^\s*\\(?:bf|rm|it|sf|tt)(?![A-Za-z])\s*")
r"""The old command for a face: \mbox{\bf f}."""
_FENCE = re.compile(r"\\(left|right|middle|[bB]igg?[lrm]?)\s*(\\[A-Za-z]+|\\.|[^\\])$", re.DOTALL)


def tokens(tex: str, macros: Macros) -> list[Token]:
    """The tokens of a formula. Raises UnreadableError where a macro calls itself."""
    lexer = _Lexer(macros)
    lexer.read(tex, 0, len(tex), None)
    return summed(_rejoined(_accumulating(_bare_operations(_unlisted(_uncrossed(_tidied(lexer.found)))))))


def closing(tex: str, at: int) -> int:
    """Offset after the brace that closes the one at `at`; the end of the text where none does."""
    depth = 0
    for k in range(at, len(tex)):
        depth += (tex[k] == "{") - (tex[k] == "}")
        if not depth and tex[k] in "{}":
            return k + 1
    return len(tex)


def _leads(tex: str, start: int, end: int) -> bool:
    r"""Whether a word with a gap behind it only leads to a formula: \text{Proof } \sigma(-z) = 1 - \sigma(z)."""
    word = re.fullmatch(r"\s*([A-Z][a-z]{3,})[\s~]+", tex[start : end - 1])
    known = word is not None and (word[1] in {*WORDS, *ABROAD} or word[1].lower() in LINKING | LIMITING | FUNCTIONS)
    return word is not None and not known and bool(re.match(r"\s*&?\s*(?:[A-Za-z]|\\[A-Za-z])", tex[end : end + 9]))


def _after_space(tex: str, at: int) -> int:
    while at < len(tex) and tex[at].isspace():
        at += 1
    return at


def _tidied(found: list[Token]) -> list[Token]:
    r"""Without what says nothing: `{}`, one of two `=` or ends of a row, a last question mark; `{\Bigg|}` is a bar."""
    out: list[Token] = []
    for token in found:
        before = out[-1].text if out else ""
        if token.text == "}" and before == "{" and (len(out) < 2 or out[-2].text not in _TAKING):
            out.pop()
        elif token.text == "}" and before in _BARS and len(out) > 1 and out[-2].text == "{":
            del out[-2]
        elif not (token.text == before and before in _ONCE):
            out.append(token)
    while out and out[-1].text in ("?", "!"):
        out.pop()
    return out


def _uncrossed(found: list[Token]) -> list[Token]:
    """Without braces that group nothing, because a parenthesis closes among them that opened before: ({a + b)}."""
    gone: set[int] = set()
    opened: list[tuple[int, int, bool]] = []
    depth = 0
    for k, token in enumerate(found):
        depth += (token.text == "(") - (token.text == ")")
        if token.text == "{":
            opened.append((k, depth, bool(k) and found[k - 1].text in {*_TAKING, "}", "]"}))
        elif token.text == "}" and opened:
            at, before, taken = opened.pop()
            gone |= {at, k} if depth != before and not taken and found[at - 1].kind != "style" else set()
    return [token for k, token in enumerate(found) if k not in gone]


def _unlisted(found: list[Token]) -> list[Token]:
    r"""`\mathbf{W, b}` as `\mathbf{W}, \mathbf{b}`."""
    out: list[Token] = []
    ends: dict[int, Token] = {}
    for k, token in enumerate(found):
        if k in ends and token.text == ",":
            out += [Token("}", token.span, "mark"), token, ends[k], Token("{", token.span, "mark")]
            continue
        scripted = k > 0 and found[k - 1].text in "_^"
        if token.kind == "style" and not scripted and k + 1 < len(found) and found[k + 1].text == "{":
            ends |= dict.fromkeys(_commas(found, k + 1), token)
        out.append(token)
    return out


def _commas(found: list[Token], at: int) -> list[int]:
    """Where the commas stand in a group, and in no group or parenthesis inside it."""
    commas, depth = list[int](), 0
    for k in range(at, len(found)):
        depth += (found[k].text in "{([") - (found[k].text in "})]")
        if not depth:
            return commas
        commas += [k] if depth == 1 and found[k].text == "," else []
    return []


def _bare_operations(found: list[Token]) -> list[Token]:
    r"""`{=}` and `{\odot}` without their braces."""
    out: list[Token] = []
    for token in found:
        out.append(token)
        if (
            token.text == "}"
            and len(out) > 2
            and out[-3].text == "{"
            and out[-2].text in _SIGNS
            and (len(out) == 3 or out[-4].text not in "^_")
        ):
            out[-3:] = [out[-2]]
            if len(out) > 1 and out[-2].kind == "style":
                del out[-2]
    return out


def _accumulating(found: list[Token]) -> list[Token]:
    r"""`\mathrel{+}=`, a sign and an equals sign side by side, as one relation."""
    out: list[Token] = []
    for token in found:
        signed = token.text == "=" and out and out[-1].text in ("+", "-") and (len(out) < 2 or out[-2].text not in "_^")
        if signed:
            sign = out.pop()
            token = Token(sign.text + "=", (sign.span[0], token.span[1]))
        out.append(token)
    return out


def _rejoined(found: list[Token]) -> list[Token]:
    r"""`\left( a \right. \\ \left. + b \right)` is one parenthesis over two rows."""
    out: list[Token] = []
    for token in found:
        if token.text == r"\left.":
            rows = [before for before in out[-3:] if before.text not in ("\\\\", r"\quad")]
            if rows and rows[-1].text == r"\right.":
                while out.pop().text != r"\right.":
                    pass
                continue
        out.append(token)
    return out


class _Lexer:
    def __init__(self, macros: Macros):
        own = {name if _PLAINLY.fullmatch(name) or name[0] == "\\" else "\\" + name: what
               for name, what in macros.items()}  # fmt: skip
        self.macros = MACROS | own
        self.found: list[Token] = []
        self.environments: list[str] = []
        self.calls = 0

    def read(self, tex: str, at: int, stop: int, call: Span | None, depth: int = 0) -> None:
        """Add the tokens of `tex[at:stop]`; `call` is the span of the macro that made it."""
        while at < stop:
            match = _LEXEME.match(tex, at, stop)
            assert match  # the last alternative takes any character
            at = self._lexeme(tex, match, call or match.span(), call, depth)

    def add(self, text: str, span: Span, kind: str = "", fence: str = "", upright: bool = False) -> None:
        if len(self.found) > MOST:
            raise UnreadableError(span, "the formula is too long, or a macro in it calls itself")
        self.found.append(Token(text, span, kind or _kind(text), fence, upright))

    def _lexeme(self, tex: str, match: re.Match[str], span: Span, call: Span | None, depth: int) -> int:
        text, at = match.group(), match.end()
        if text in self.macros:
            return self._expand(tex, text, match, call, depth)
        text = text.removesuffix("*") if text[0] == "\\" and text[1:2].isalpha() else text
        if text.isspace() or text[0] == "%" or text[:2] == "{{" or text in GONE:
            return at
        if called := _CODED.fullmatch(text):
            self.add(called[1], span, "word")
            return at
        if _PLAINLY.fullmatch(text):
            parts = (text[0], text[1:-1], text[-1])
            ends = (match.start(), match.start() + 1, match.end() - 1, match.end())
            for part, own in zip(parts, pairwise(ends), strict=True):
                self.add(part, call or own)
            return at
        if _EASTERN.match(text) and len(text) > 1:
            self.add(_named(text), span, "word", upright=True)
            return at
        if text == r"\bbox":  # a box, of this colour
            opened = _after_space(tex, at)
            return tex.find("]", opened) + 1 or at if tex[opened : opened + 1] == "[" else at
        if text in DROPPED:
            opened = _after_space(tex, at)
            if text == r"\tag" and (number := _NUMBER.match(tex, opened)):  # \tag4
                return number.end()
            end = closing(tex, opened) if tex[opened : opened + 1] == "{" else at
            if text.endswith("intertext"):  # words between two rows
                self.add("\\\\", span)
            if text == r"\hspace" and _COUNTING.match(tex, end):
                self.add(r"\quad", span)
            return end
        if text in STRUCK and tex[(opened := _after_space(tex, at)) : opened + 1] == "{":
            end = closing(tex, opened)
            self.read(tex, opened + 1, end - 1, call, depth + 1)
            return end
        if text.startswith((r"\begin", r"\end")) and "{" in text:
            return self._environment(tex, text, at, span)
        if text in TEXTS or text in (r"\mathit", r"\mathsf", r"\mathbf"):
            return self._text(tex, text, at, span, call, depth)
        if text in OLD and (word := _ROMAN.match(tex, at)):
            self.add(word[1], (span[0], word.end(1)) if call is None else span, "word")
            return word.end()
        if fence := _FENCE.match(text):
            self._fence(fence[1], fence[2], span)
        else:
            self._plain(text, span)
        return at

    def _expand(self, tex: str, name: str, match: re.Match[str], call: Span | None, depth: int) -> int:
        self.calls += 1
        count, body = self.macros[name]
        at = match.end()
        if self.calls > MOST or depth > DEEPEST:
            raise UnreadableError(call or match.span(), f"the macro {name} calls itself; define it without itself")
        arguments: list[str] = []
        for _ in range(count):
            at = _after_space(tex, at)
            bare = _BARE.match(tex, at)
            end = closing(tex, at) if tex[at : at + 1] == "{" or not bare else bare.end()
            arguments.append(tex[at:end])
            at = end
        bare_ones = {f"#{k + 1}": one[1:-1] if one[:1] == "{" else one for k, one in enumerate(arguments)}
        body = _BRACKETED.sub(lambda m: m[1] + bare_ones.get(m[2], ""), body)
        body = re.sub(r"#([1-9])", lambda m: "".join(arguments[int(m[1]) - 1 : int(m[1])]), body)
        if len(body) > MOST:
            raise UnreadableError(call or match.span(), f"the macro {name} becomes too long")
        self.read(body, 0, len(body), call or (match.start(), at), depth + 1)
        return at

    def _environment(self, tex: str, text: str, at: int, span: Span) -> int:
        name = text[text.index("{") + 1 : -1].strip("* ")
        begins = text.startswith(r"\begin")
        if name not in MATRICES:
            if begins and name in ("alignat", "alignedat") and tex[at : at + 1] == "{":
                return closing(tex, at)
            return at
        if begins:
            self.environments.append(name)
            if name == "array" and tex[at : at + 1] == "{":
                at = closing(tex, at)
        elif self.environments:
            self.environments.pop()
        self.add((r"\begin " if begins else r"\end ") + name, span, "command")
        return at

    def _text(self, tex: str, name: str, at: int, span: Span, call: Span | None, depth: int) -> int:
        start = _after_space(tex, at)
        if tex[start : start + 1] != "{":
            self.add(name, span, "style")
            return at
        end = closing(tex, start)
        inside = _FACE.sub("", tex[start + 1 : end - 1])
        inside = inside.replace("~", " ").replace("\\ ", " ").replace(r"\_", "_").strip()
        whole = call or (span[0], end)
        if called := _CODED.fullmatch(inside):
            self.add(called[1], whole, "word")
        elif name in TEXTS and _leads(tex, start + 1, end) and (not self.found or self.found[-1].text == "\\\\"):
            self.add(inside, whole, "text")
        elif re.fullmatch(r"[A-Za-z]+\d*", inside) and (name in TEXTS or len(inside) > 2):
            self.add(ABROAD.get(inside, inside), whole, "word", upright=True)
        elif name in (r"\mathrm", r"\mathit", r"\mathsf", r"\mathbf") or not inside:
            self.add(name, span, "style")
            return at
        else:
            self._words(tex, start + 1, end - 1, call, depth)
        return end

    def _words(self, tex: str, at: int, stop: int, call: Span | None, depth: int) -> None:
        """`if $i = j$`: words, and formulas among them."""
        for k, piece in enumerate(tex[at:stop].split("$")):
            if k % 2:
                self.read(tex, at, at + len(piece), call, depth + 1)
            elif _WRAPPING.fullmatch(piece):
                pass
            elif words := piece.replace("~", " ").strip(" ,.;:\\\n"):
                named = piece.rstrip()[-1] != ":" and re.fullmatch(r"[A-Za-z]+\d*", words)  # "input: " names nothing
                kind = "word" if named else "text"
                self.add(words, call or (at, min(at + len(piece), stop)), kind, upright=piece.rstrip()[-1] == ":")
            elif piece.strip():
                self.add(",", call or (at, at + len(piece)))
            at += len(piece) + 1

    def _fence(self, side: str, mark: str, span: Span) -> None:
        opens = side == "left" or side.endswith("l")
        closes = side == "right" or side.endswith("r")
        mark = SAME.get(mark, UNICODE.get(mark, mark))
        if opens or closes:
            mark = {
                "|": r"\lvert" if opens else r"\rvert",
                r"\|": r"\lVert" if opens else r"\rVert",
                "<": r"\langle", ">": r"\rangle", ".": r"\left." if opens else r"\right.",
            }.get(mark, mark)  # fmt: skip
        self.add(mark, span, "mark" if mark[0] != "\\" else "command", side if side in ("left", "right") else "")

    def _plain(self, text: str, span: Span) -> None:
        if text in COMBINING and self.found:  # x and a hat over it: two characters, the mark last
            before = self.found.pop()
            return self._all([COMBINING[text], "{", before.text, "}"], (before.span[0], span[1]))
        if text[0] in SCRIPTS:
            return self._all([SCRIPTS[text[0]][0], "{", *(SCRIPTS[c][1] for c in text), "}"], span)
        if power := re.fullmatch(r"([\d.]+)[eE](-?\d+)", text):
            return self._all([power[1], r"\times", "10", "^", "{", *re.findall(r"-|\d+", power[2]), "}"], span)
        if text in (".T", "½", "ℝ", "″"):
            parts = {".T": "^{T}", "½": ("\\frac", "1", "2"), "ℝ": (r"\mathbb", "R"), "″": "''"}[text]
            return self._all(list(parts), span)
        if text == ".dot":
            return self.add("@", span)
        if text == "&" and not self.environments:
            return self.add(text, span, COLUMN)
        if len(text) == 1 and ord(text) > 127 and text not in UNICODE:
            decomposed = unicodedata.normalize("NFKD", text)
            if decomposed != text and len(decomposed) <= 2:
                return self._each(decomposed, span)
        if re.fullmatch(r":\s+=", text):
            text = ":="
        if text.startswith(r"\arg") and text[-3:] in ("max", "min"):
            text = r"\arg" + text[-3:]
        text = ABROAD.get(text, text) if len(text) > 2 else text
        text = "^" if text == "**" else UNICODE.get(text, SAME.get(text, text))
        self.add("\\\\" if text.startswith("\\\\") else text, span)
        return None

    def _each(self, characters: str, span: Span) -> None:
        for c in characters:
            self._plain(c, span)

    def _all(self, parts: list[str], span: Span) -> None:
        for part in parts:
            self.add(part, span)


def _named(words: str) -> str:
    """The quantity that is named in words: 오차y, the error of y, is a loss."""
    meant = (name for word, name in QUANTITIES.items() if words.startswith(word))
    return next(meant, "".join(words.split()))


def _kind(text: str) -> str:
    if text[0].isdigit() or (text[0] == "." and text[1:2].isdigit()):
        return "number"
    if text in STYLES:
        return "style"
    if text[0] == "\\":
        return "word" if text[1:] in GREEK else "command"
    return "word" if text[0].isalpha() else "mark"
