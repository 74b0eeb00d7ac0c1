"""Functions and their arguments: what is a call, and what a product."""

from oracle.lesson.formula.cursor import divided
from oracle.lesson.formula.scripts import Scripts
from oracle.lesson.formula.symbols import BARE, DIFFERENTIALS, GREEK, LOSSES, NOUNS, SIGNS
from oracle.lesson.formula.token import Token, UnreadableError
from oracle.lesson.syntax import Call, Indexed, Items, Marked, Name, Node, Number, Power, Prime, Span, Tagged

LOOKUP = "lookup"
"""What W[w] is a call of."""


class Calls(Scripts):
    """A symbol, and the parenthesis after it."""

    def called(self, node: Node, start: int) -> Node:
        """`node` applied to what follows, if it is a function."""
        base, primed = _core(node)
        if base is None:
            return node
        if self.text in ("(", "[", r"\{"):
            before, bracket = self.at, self.text
            inner = self.group()
            known = primed or base in self.limits.functions or base == "bb E" or _word(base, inner)
            known = known or (self.text == "_" and bracket == "(" and _one_symbol(inner))  # f(z)_i
            known = known or (bracket == "(" and _loss(node, base) and self._symbol_alone(inner))  # L_t(h_t)
            known = known or (base.startswith("dot ") and bracket == "(" and self._symbol_alone(inner))
            known = known and not _of_itself(base, inner)
            if known and not inner:  # tanh() is element-wise
                return node
            if inner and (known or (bracket == "(" and _listed(inner))):
                return self._arguments(node, inner, start)
            if bracket == "[" and _one_symbol(inner) and isinstance(sub := self.whole(inner), Name):
                return _picked(node, base, sub, self.span(start))
            self.at = before
        if base in BARE and self.begins():
            return _applied(node, (self.product(bare=True),), self.span(start))
        return node

    def _symbol_alone(self, inner: list[Token]) -> bool:
        """Whether a parenthesis holds one symbol, with its scripts."""
        try:
            return _core(self.whole(inner))[0] is not None
        except UnreadableError:
            return False

    def _arguments(self, node: Node, inner: list[Token], start: int) -> Node:
        if len(parts := divided(inner, {"|"})) == 2 and all(parts):  # p(y | x)
            inner = [*parts[0], Token(";", parts[1][0].span), *parts[1]]
        found = self.whole(inner)
        args = found.items if isinstance(found, Items) and len(divided(inner, {",", ";"})) > 1 else (found,)
        return self.scripts(_applied(node, args, self.span(start)), start)


def _picked(node: Node, base: str, sub: Name, span: Span) -> Node:
    """x[i] is an entry, W[w] a row or a column that is looked up."""
    if base[:1].isupper() or base.startswith(("cal ", "bb ")):
        return Call(Name(LOOKUP), (node, sub), span=span)
    return Indexed(node, (sub,), span=span)


def _loss(node: Node, base: str) -> bool:
    """Whether a parenthesis after a symbol says what a loss is of: ℒ(y), L_t(h_t)."""
    return base in LOSSES and (len(base) > 1 or not isinstance(node, Name))


def _one_symbol(inner: list[Token]) -> bool:
    plain = [token for token in inner if token.kind != "style" and token.text not in ("{", "}")]
    return len(plain) == 1 and plain[0].kind == "word"


def _core(node: Node) -> tuple[str | None, bool]:
    """The symbol under the scripts, and whether a prime stands on it."""
    primed = False
    while isinstance(node, Indexed | Tagged | Power | Prime | Marked):
        primed = primed or isinstance(node, Prime)
        node = node.base
    return (node.base if isinstance(node, Name) else None), primed


def _word(base: str, inner: list[Token]) -> bool:
    """Whether a word that nobody knows is a function: not where 1 - something stands in the parenthesis."""
    plain = len(base) > 1 and base.isalpha() and base not in NOUNS | DIFFERENTIALS and base not in GREEK
    return plain and not _complement(inner)


def _complement(inner: list[Token]) -> bool:
    return len(inner) > 1 and inner[0].text == "1" and inner[1].text in ("-", "+")


def _of_itself(base: str, inner: list[Token]) -> bool:
    """h (1 - h) is a product even where h(x) is a function: there it stands without its argument."""
    after = [token.text for token in inner[1:]] + [""] * bool(inner)
    named = any(t.text.removeprefix("\\") == base and a != "(" for t, a in zip(inner, after, strict=True))
    return named and any(token.text in SIGNS for token in inner)


def _listed(inner: list[Token]) -> bool:
    r"""Whether a parenthesis holds several things, or a set of them: L(\{x_1, …, x_n\})."""
    whole = bool(inner) and inner[0].text == r"\{" and inner[-1].text == r"\}"
    return whole or len(divided(inner, {",", ";", "|"})) > 1


def _applied(node: Node, args: tuple[Node, ...], span: Span) -> Node:
    r"""A call; `\tanh^2 z` is a power of one."""
    if isinstance(node, Power) and isinstance(node.exponent, Number):
        return Power(Call(node.base, args, span=span), node.exponent, span=span)
    return Call(node, args, span=span)
