r"""Derivatives in all their spellings, and fractions that are none."""

from dataclasses import replace

from oracle.lesson.formula.cursor import END, Cursor, divided
from oracle.lesson.formula.symbols import CLOSING, OPERATIONS, RELATIONS
from oracle.lesson.formula.token import Token, UnreadableError
from oracle.lesson.syntax import Call, Derivative, Gradient, Name, Node, Number, Power, Quotient

_SIGNS = {r"\partial": "∂", "d": "d", r"\delta": "δ"}


class Derivatives(Cursor):
    """Fractions of ∂ or d, `dL/dw`, gradients."""

    def fraction(self, start: int) -> Node:
        r"""`\frac{a}{b}`, after its command: one derivative, or a quotient."""
        return self.divided(self.group(), self.group(), start)

    def divided(self, over: list[Token], under: list[Token], start: int) -> Node:
        """The tokens of a numerator and a denominator."""
        above, below = (_apart(_signed(_unbraced(side))) for side in (over, under))
        sign = above[0].text if above else ""
        if sign in _SIGNS and below and (below[0].text == sign or _mixed(sign, below)):
            rest = self.inside(above[1:])
            order, immediate = rest.order()
            if wrt := self._wrt(below, below[0].text, order):
                return self._derivative(rest, wrt, _SIGNS[sign], immediate, start)
        if sign in _SIGNS and (parts := _factored(below, sign)) is not None:  # \frac{\partial L}{T \cdot \partial o}
            node = self.divided(over, parts[1], start)
            if isinstance(node, Derivative) and not node.operator:
                return Quotient(node, self.whole(parts[0]), span=self.span(start))
        if sign == r"\partial" and len(above) > 1:  # \frac{\partial C}{z}: nothing else can be meant
            rest = self.inside(above[1:])
            order, immediate = rest.order()
            found = self._derivative(rest, (self.whole(under),) * order, "∂", immediate, start)
            return replace(found, torn="below")
        if [token.text for token in above] == [r"\partial"]:  # `\frac{\partial}{w}`: nothing else can be meant
            return Derivative(self._operand(), (self.whole(under),), "∂", True, torn="below", span=self.span(start))
        named = len(below) > 1 and below[0].text == r"\partial" and any(token.kind == "word" for token in above)
        if named and (wrt := self._wrt(below, below[0].text, 1)):  # \frac{E}{\partial w}: nothing else can be meant
            return Derivative(self.whole(over), wrt, "∂", torn="above", span=self.span(start))
        return Quotient(self.whole(over), self.whole(under), span=self.span(start))

    def order(self) -> tuple[int, bool]:
        """What stands above the sign of a derivative: its order, and whether a + says that it is immediate."""
        order, immediate = 1, False
        while self.text == "^":
            self.take()
            above = [token.text for token in self.group()]
            immediate = immediate or "+" in above
            order = next((int(text) for text in above if text.isdigit()), order)
        return min(order, 9), immediate

    def _wrt(self, under: list[Token], sign: str, order: int) -> tuple[Node, ...]:
        """The variables of `∂x ∂y`; none where it is no such thing."""
        reader = self.inside(under)
        found: tuple[Node, ...] = ()
        while reader.text == sign and reader.at + 1 < len(reader.tokens):
            reader.take()
            found += reader.variable(order)
            if reader.text == "(" and len(found) == 1 and reader.tokens[-1].text == ")":  # ∂w_{ji}(n), ∂h(t-1)
                start = reader.at
                found = (Call(found[0], (reader.whole(reader.group()),), span=reader.span(start)),)
        if reader.at == len(reader.tokens):
            return found
        product = found and sign == r"\partial" and sum(token.text == sign for token in under) == 1
        return (self.whole(under[1:]),) if product else ()  # the w^T x of ∂σ(w^T x)/∂w^T x

    def variable(self, order: int) -> tuple[Node, ...]:
        """What one differentiates by, as often as its power says (`∂w^2` under `∂^2`)."""
        found = self.factor()
        if order > 1 and isinstance(found, Power) and found.exponent == Number(str(order)):
            return (found.base,) * order
        return (found,)

    def _derivative(
        self, rest: "Derivatives", wrt: tuple[Node, ...], sign: str, immediate: bool, start: int
    ) -> Derivative:
        if of := rest.tokens[rest.at :]:
            self._skip_arguments(wrt)
            return Derivative(self.whole(of), wrt, sign, False, immediate, span=self.span(start))
        return Derivative(self._operand(), wrt, sign, True, immediate, span=self.span(start))

    def _operand(self) -> Node:
        r"""What an operator is applied to, a dot before it or none: \frac{\partial}{\partial w} \cdot z."""
        if self.text == r"\cdot":
            self.take()
        return self.term()

    def _skip_arguments(self, wrt: tuple[Node, ...]) -> None:
        r"""Go on behind what a partial is of: the a of \frac{\partial p_i}{\partial a_j}(a)."""
        before = self.at
        inside = self.group() if self.text == "(" else []
        parts = [[t for t in part if t.kind != "style" and t.text not in ("{", "}")] for part in divided(inside, {","})]
        words = {part[0].text.removeprefix("\\") for part in parts if len(part) == 1 and part[0].kind == "word"}
        by = {part.base for node in wrt for part in node.walk() if isinstance(part, Name)}
        if len(words) < len(parts) or not by & words or self.text in ("^", "_"):
            self.at = before

    def inline(self) -> Node | None:
        r"""`\partial L / \partial w`, `dL/dw`, `\partial_w L`; None (and nothing taken) where it is none of them."""
        start = self.at
        sign = self.take().text
        if sign == r"\partial" and self.text == "_":
            self.take()
            wrt = (self.whole(self.group()),)
            return Derivative(self.factor(), wrt, _SIGNS[sign], span=self.span(start))
        if any(token.text == "/" for token in self.tokens[start:]):
            try:
                if found := self._slashed(sign, start):
                    return found
            except UnreadableError:  # `d` may be a letter like any other
                pass
        self.at = start
        return None

    def _slashed(self, sign: str, start: int) -> Node | None:
        order, immediate = self.order()
        of = None if self.text == "/" else self.factor()
        if self.text != "/" or self.peek(1).text != sign:
            return None
        self.at += 2
        wrt = self.variable(order)
        while self.text == sign and order > len(wrt):
            self.take()
            wrt += self.variable(order)
        if of is None:
            return Derivative(self.term(), wrt, _SIGNS[sign], True, immediate, span=self.span(start))
        return Derivative(of, wrt, _SIGNS[sign], False, immediate, span=self.span(start))

    def gradient(self) -> Node:
        r"""`\nabla_W J`; `\nabla_W` alone is the loss's."""
        start = self.at
        self.take()
        wrt = None
        if self.text == "_":
            self.take()
            wrt = self.whole(self.group())
        alone = wrt is not None and (self.peek() is END or self.text in RELATIONS.keys() | OPERATIONS | CLOSING)
        of = Name("loss", span=self.span(start)) if alone else self.factor()
        return Gradient(of, wrt, span=self.span(start))


def _mixed(sign: str, below: list[Token]) -> bool:
    r"""Whether ∂ stands above and d below, or d above and ∂ below: \frac{dE}{\partial w}."""
    return {sign, below[0].text} == {"d", r"\partial"} and len(below) > 1


def _factored(below: list[Token], sign: str) -> tuple[list[Token], list[Token]] | None:
    r"""A denominator `T \cdot \partial o` as T and ∂o; None where it is no such product."""
    at = next((k for k, token in enumerate(below) if token.text == sign), 0)
    before = below[:at]
    if before and before[-1].text in (r"\cdot", r"\times", "*"):
        before = before[:-1]
    plain = all(token.kind in ("word", "number") for token in before)
    return (before, below[at:]) if before and plain and at + 1 < len(below) else None


def _unbraced(found: list[Token]) -> list[Token]:
    r"""`{\partial L}` without its braces, `\bar\partial` without its bar's."""
    while len(found) > 1 and found[0].text == "{" and found[-1].text == "}" and _one_group(found):
        found = found[1:-1]
    return found[1:] if len(found) > 1 and found[0].kind == "style" and found[1].text in _SIGNS else found


def _signed(found: list[Token]) -> list[Token]:
    r"""The ∂ or d of `{{\rm d}} f`, which a macro left in braces, without these."""
    depth, inside = 0, list[Token]()
    for at, token in enumerate(found):
        depth += (token.text == "{") - (token.text == "}")
        inside += [token] if token.text not in ("{", "}") and token.kind != "style" else []
        if not depth or len(inside) > 1:
            return [inside[0], *found[at + 1 :]] if at and len(inside) == 1 and inside[0].text in _SIGNS else found
    return found


def _one_group(found: list[Token]) -> bool:
    depth = 0
    for token in found[:-1]:
        depth += (token.text == "{") - (token.text == "}")
        if not depth:
            return False
    return True


def _apart(found: list[Token]) -> list[Token]:
    """`dW` written as one word: d and W."""
    if found and found[0].kind == "word" and len(found[0].text) == 2 and found[0].text[0] == "d":
        first = found[0]
        return [Token("d", first.span, "word"), Token(first.text[1], first.span, "word"), *found[1:]]
    return found
