"""Subscripts and superscripts: indices, layers, powers, transposes, primes, marks."""

from dataclasses import replace
from itertools import accumulate

from oracle.lesson.formula.cursor import Cursor, divided, nesting
from oracle.lesson.formula.symbols import BOLD, LOOSE, PAIRS
from oracle.lesson.formula.token import Token, UnreadableError
from oracle.lesson.syntax import (
    Indexed,
    Items,
    Marked,
    Name,
    Node,
    Number,
    Plus,
    Power,
    Prime,
    Relation,
    Span,
    Tagged,
    Times,
    Transpose,
)

_MARKS = {"*", "+", "-", r"\ast", r"\star", r"\dagger", r"\ddagger", r"\sharp", r"\flat"}
_INDICES = {"'", r"\prime", r"\cdot", ":"}


class Scripts(Cursor):
    """What stands above and below a symbol."""

    def scripts(self, node: Node, start: int) -> Node:
        """`node` with the scripts that follow, subscripts innermost."""
        subs: tuple[Node, ...] = ()
        supers: list[list[Token]] = []
        while self.text in ("_", "^", "'", r"\prime") or self._untied(node):
            if self.text in ("{", "["):
                supers.append(self._layer())
                continue
            mark = self.take()
            if mark.text == "_":
                below = self.group()
                if [token.text for token in (*below[:1], *below[-1:])] == ["<", ">"]:  # a_{<t>} is written for a^{<t>}
                    supers.append(below)
                else:
                    subs += self.subscripts(below)
            else:
                supers.append(self.group() if mark.text == "^" else [mark])
        span = self.span(start)
        node = Indexed(node, subs, span=span) if subs else node
        for found in supers:
            texts = {token.text for token in found}
            if node == Name("e") and len(found) > 3 and texts & BOLD and "T" not in texts:
                node = Power(node, self.whole(found), span=span)  # the x of e^{\mathbf{x}_i} stays bold
                continue
            label = _upright(found)
            node = Marked(node, label, span=span) if label else self._super(node, _unstyled(found), span)
        return node

    def _untied(self, node: Node) -> bool:
        """Whether a layer follows whose ^ was forgotten: b{[l]}, g[1]'(z)."""
        if not isinstance(node, Name) or self.text not in ("{", "["):
            return False
        before = self.at
        found = self._layer()
        after, self.at = self.text, before
        inside = found[1:-1]
        plain = bool(inside) and all(t.kind in ("word", "number") or t.text in ("+", "-") for t in inside)
        bracketed = plain and (found[0].text, found[-1].text) == ("[", "]")
        return bracketed and (self.text == "{" or after in ("^", "'", r"\prime"))

    def _layer(self) -> list[Token]:
        """What stands in a brace, or in a bracket with the bracket itself."""
        start, braced = self.at, self.text == "{"
        found = self.group()
        return found if braced else list(self.tokens[start : self.at])

    def subscripts(self, found: list[Token]) -> tuple[Node, ...]:
        """`kj` and `k,j` are two indices, `11` is a number, `o1` a name."""
        if len(parts := divided(found, {",", "\\\\"})) > 1:
            return tuple(sub for part in parts if part for sub in self.subscripts(part))
        plain = _unstyled(found)
        if all(token.kind in ("word", "number") or token.text in _INDICES for token in plain):
            if _units(plain):
                return tuple(_joined(plain[k : k + 2]) for k in range(0, len(plain), 2))
            return (_joined(plain),) if _spelled(plain) else tuple(_one_by_one(plain))
        if any(token.text == ":" for token in plain):
            return (_joined(plain),)
        try:
            return tuple(self._indices(self.whole(found)))
        except UnreadableError:  # `1:n`, `\cdot`, `+`: a label, whatever it says
            return (_joined(plain),)

    def _indices(self, node: Node) -> list[Node]:
        if isinstance(node, Items):
            return [index for item in node.items for index in self._indices(item)]
        if isinstance(node, Times) and not any(node.ops) and all(isinstance(x, Name | Indexed) for x in node.factors):
            return [primed(factor) for factor in node.factors]  # P_{i y_i}
        return [primed(node)]

    def _super(self, node: Node, sup: list[Token], span: Span) -> Node:
        texts = [token.text for token in sup]
        close = texts.index("}") if texts[:1] == ["{"] and "}" in texts else 0
        if close and "{" not in texts[1:close] and texts[close + 1 : close + 2] == ["^"]:  # a^{{[L-1]}^{T}}
            return self._super(node, [*sup[1:close], *sup[close + 1 :]], span)
        if not texts:
            return node
        if texts[-1] in ("T", r"\top") and (len(sup) == 1 or _ends_with_transpose(sup)):
            return Transpose(self._super(node, sup[:-1], span), span=span)
        if texts[-1] in ("'", r"\prime"):
            inner = self._super(node, sup[:-1], span)
            return replace(inner, order=inner.order + 1) if isinstance(inner, Prime) else Prime(inner, 1, span=span)
        if texts[0].isdigit() and texts[1:2] == ["<"]:  # a^{2<t>}
            return Power(self._tagged(node, sup[1:], span), Number(texts[0], span=sup[0].span), span=span)
        if texts[0] in ("(", "[", r"\langle", "<") and ")_" not in "".join(texts):  # e^{(Z_3)_{ik}}
            return self._tagged(node, sup, span)
        if mark := _variant(sup):
            return Marked(node, mark, span=span)
        if texts[0] in LOOSE and len(texts) > 1:
            sup = sup[1:]
        return Power(node, self.whole(sup), span=span)

    def _tagged(self, node: Node, sup: list[Token], span: Span) -> Node:
        close = ">" if sup[0].text == "<" else PAIRS[sup[0].text]
        depths = accumulate(nesting(token) for token in sup)
        end = next((k for k, depth in enumerate(depths) if sup[k].text == close and depth < 1), None)
        if end is None:
            raise UnreadableError(sup[0].span, f"{sup[0].text} is never closed")
        if [token.text for token in sup[end + 1 : end + 2]] == ["_"]:  # e^{(x)_k}
            return Power(node, self.whole(sup), span=span)
        inside, bracket = _column(sup[1:end]), {"(": "(", "[": "["}.get(sup[0].text, "<")
        after = _unbraced(sup[end + 2 :]) if sup[end + 1 : end + 2] and sup[end + 1].text == "^" else sup[end + 1 :]
        if mark := _variant(inside):
            return self._super(Marked(node, mark, span=span), after, span)
        tag = self.whole(inside)
        if bracket == "<" and isinstance(tag, Indexed):  # y^{<t_k>} is an entry of y^{<t>}
            node, tag = Indexed(node, tag.subs, span=span), tag.base
        return self._super(Tagged(node, tag, bracket, span=span), after, span)


def _column(found: list[Token]) -> list[Token]:
    r"""The sample of which all units are meant: the i of A^{(\cdot, i)}."""
    free = len(found) == 3 and found[0].text in (r"\cdot", ":") and found[1].text == ","
    return found[2:] if free else found


def _unbraced(found: list[Token]) -> list[Token]:
    """What stands above what stands above: the `T` of `W^{[1]^{T}}`."""
    return found[1:-1] if len(found) > 2 and found[0].text == "{" and found[-1].text == "}" else found


def _one_by_one(found: list[Token]) -> list[Node]:
    """`kj'` is k and j'; a dot or a colon is an index that runs free."""
    out: list[Node] = []
    for token in found:
        if token.text in ("'", r"\prime") and out and isinstance(before := out[-1], Name):
            out[-1] = Name(before.base + "'", span=(before.span[0], token.span[1]))
        elif token.kind == "number":
            out.append(Number(token.text, span=token.span))
        else:
            out.append(Name(":" if token.text == r"\cdot" else token.text.removeprefix("\\"), span=token.span))
    return out


def _units(found: list[Token]) -> bool:
    """Units by name: `o1`, `h1o2`."""
    return not len(found) % 2 and all(
        letter.text in ("o", "h") and number.kind == "number"
        for letter, number in zip(found[::2], found[1::2], strict=True)
    )


def _spelled(found: list[Token]) -> bool:
    """Whether letters are a word (`total`) rather than indices: three or more, with a vowel that counts nothing."""
    texts = [token.text for token in found]
    return len(texts) > 2 and all(len(x) == 1 and x.isalpha() for x in texts) and bool(set(texts) & set("aeou"))


def primed(node: Node) -> Node:
    """An index `i'` is one letter."""
    if isinstance(node, Prime) and isinstance(node.base, Name):
        return Name(node.base.base + "'" * node.order, span=node.span)
    if isinstance(node, Relation):
        return replace(node, items=tuple(primed(item) for item in node.items))
    if isinstance(node, Plus):
        return replace(node, terms=tuple(primed(term) for term in node.terms))
    return node


def _upright(found: list[Token]) -> str:
    r"""The h of `\delta^{\mathrm{h}}`: an upright letter that is no transpose, layer or step; "" of anything else."""
    *styles, last = found or [Token("", (0, 0))]
    letter = last.kind == "word" and len(last.text) == 1 and last.text not in "TLlt"
    spelled = last.upright and not styles
    return last.text if letter and (spelled or [token.text for token in styles] == [r"\rm"]) else ""


def _unstyled(found: list[Token]) -> list[Token]:
    """Tokens without styles, and without the braces around all of them or around one."""
    plain = [token for token in found if token.kind != "style"]
    out: list[Token] = []
    for token in plain:
        out.append(token)
        if token.text == "}" and len(out) > 2 and out[-3].text == "{" and (len(out) < 4 or out[-4].text not in "_^"):
            out[-3:] = [out[-2]]
    return out


def _joined(found: list[Token]) -> Node:
    text = "".join(token.text.removeprefix("\\") for token in found)
    span = (found[0].span[0], found[-1].span[1]) if found else (0, 0)
    return Number(text, span=span) if text.isdigit() else Name(text, span=span)


def _ends_with_transpose(sup: list[Token]) -> bool:
    return sup[-1].text == r"\top" or not (sup[-2].text in ("+", "-", "*", "_", "^") or sup[-2].kind == "command")


def _variant(sup: list[Token]) -> str:
    """`new`, `*`, a word above: what they say; "" for any other superscript."""
    text = "".join(token.text for token in sup).replace(r"\circledast", r"\star")
    if len(sup) == 1 and (text in _MARKS or (sup[0].kind == "text") or (text.isalpha() and len(text) > 1)):
        return text.removeprefix("\\")
    return text if _spelled(sup) else ""
