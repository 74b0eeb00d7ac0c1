"""Recursive descent over the tokens of a formula: statements, relations, sums, products, factors."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from oracle.lesson.formula.symbols import (
    ACCENTS,
    BARE,
    DOTS,
    FUNCTIONS,
    LOOSE,
    PAIRS,
    RELATIONS,
    STYLES,
    TIGHT,
)  # fmt: skip
from oracle.lesson.formula.tokens import DIFFERENTIALS, Token, Unreadable, tokens
from oracle.lesson.syntax import (
    At,
    Call,
    Cases,
    Derivative,
    Dots,
    Gradient,
    Indexed,
    Indicator,
    Items,
    Marked,
    Matrix,
    Name,
    Negative,
    Node,
    Norm,
    Number,
    Parsed,
    Plus,
    Power,
    Prime,
    Problem,
    Quotient,
    Relation,
    Span,
    Statement,
    Sum,
    Tagged,
    Text,
    Times,
    Transpose,
)  # fmt: skip

_END = Token("", (0, 0), "end")
_SIGNS = {"+": 1, "-": -1}
_FRACTIONS = {r"\frac", r"\dfrac", r"\tfrac", r"\cfrac"}
_SEPARATORS = {",", ";", "\\\\", r"\quad", ".", "and", "where"}
_MATRICES = ("bmatrix", "pmatrix", "matrix", "array", "smallmatrix", "vmatrix")


def parse(tex: str, macros: Mapping[str, tuple[int, str]] = {}, functions: Collection[str] = ()) -> Parsed:
    """What a formula says; what cannot be read is a Problem. `functions` are bases that take a parenthesis."""
    try:
        found = tokens(tex, macros)
    except (Unreadable, RecursionError) as error:
        return Parsed((), (_problem(error, (0, len(tex))),))
    statements: list[Statement] = []
    problems: list[Problem] = []
    for part in _parts(found):
        try:
            _add(statements, part, frozenset(functions))
        except (Unreadable, RecursionError) as error:
            problems.append(_problem(error, (part[0].span[0], part[-1].span[1])))
    return Parsed(tuple(statements), tuple(problems))


def _problem(error: Exception, span: Span) -> Problem:
    if isinstance(error, Unreadable):
        return Problem(error.span if error.span != (0, 0) else span, error.reason)
    return Problem(span, "the formula is nested too deeply; write it in parts")


def _add(statements: list[Statement], part: list[Token], functions: frozenset[str]) -> None:
    """One statement more; what begins with a word of conditions, or relates nothing, stands beside the one before."""
    limits = part[0].text in ("if", "for", "when") and len(part) > 1
    found = _statement(part[1:] if limits else part, functions)
    if statements and (limits or not isinstance(found.body, Relation)):
        statements[-1] = replace(statements[-1], asides=(*statements[-1].asides, found.body))
    else:
        statements.append(found)


def _statement(part: list[Token], functions: frozenset[str]) -> Statement:
    reader = Reader(part, functions)
    body = reader.relation()
    reader.finish()
    return Statement(body, span=body.span)


def _parts(found: list[Token]) -> list[list[Token]]:
    """The statements' tokens. A row that begins with a relation or an operation goes on with the row before."""
    parts: list[list[Token]] = [[]]
    depth = 0
    for k, token in enumerate(found):
        depth += (token.text in PAIRS or token.text == "{" or token.text.startswith(r"\begin ")) - (
            token.text in PAIRS.values() or token.text == "}" or token.text.startswith(r"\end ")
        )
        if depth > 0 or token.text not in _SEPARATORS:
            parts[-1].append(token)
        elif token.text != "\\\\" or not _continues(found[k + 1 :]):
            parts.append([])
    return [part for part in parts if part]


def _continues(after: Sequence[Token]) -> bool:
    return bool(after) and (after[0].text in RELATIONS or after[0].text in _SIGNS or after[0].text in (TIGHT | LOOSE))


class Reader:
    """A place in a list of tokens, and a method for each level of the grammar."""

    def __init__(self, found: Sequence[Token], functions: frozenset[str]):
        self.tokens, self.functions, self.at = list(found), functions, 0

    @property
    def text(self) -> str:
        """The next token's text, "" at the end."""
        return self.peek().text

    def peek(self, ahead: int = 0) -> Token:
        """A token further on, none of it taken."""
        return self.tokens[self.at + ahead] if self.at + ahead < len(self.tokens) else _END

    def take(self) -> Token:
        """The next token."""
        token = self.peek()
        if token is _END:
            where = self.tokens[-1].span if self.tokens else (0, 0)
            raise Unreadable(where, "the formula ends where something should follow")
        self.at += 1
        return token

    def span(self, start: int) -> Span:
        """From the token numbered `start` to the last one taken."""
        if not self.tokens:
            return (0, 0)
        return (self.tokens[min(start, len(self.tokens) - 1)].span[0], self.tokens[max(self.at - 1, 0)].span[1])

    def finish(self) -> None:
        """Raise unless everything was read."""
        if self.at < len(self.tokens):
            raise Unreadable(self.peek().span, f"{self.text} was not expected here")

    def inside(self, found: Sequence[Token]) -> "Reader":
        """A reader of some of the tokens."""
        return Reader(found, self.functions)

    def whole(self, found: Sequence[Token]) -> Node:
        """What some of the tokens say, all of them."""
        reader = self.inside(found)
        node = reader.items()
        reader.finish()
        return node

    # ------------------------------------------------------------------------------------------------ levels

    def items(self) -> Node:
        """Relations between commas: one, or Items."""
        start, found = self.at, [self.relation()]
        while self.text in (",", ";"):
            self.take()
            found.append(self.relation())
        return found[0] if len(found) == 1 else Items(tuple(found), span=self.span(start))

    def relation(self) -> Node:
        """A chain `a = b = c`, or what stands alone."""
        start, found, ops = self.at, [self.sum()], []
        while self.text in RELATIONS:
            ops.append(RELATIONS[self.take().text])
            found.append(self.sum())
        return Relation(tuple(found), tuple(ops), span=self.span(start)) if ops else found[0]

    def sum(self) -> Node:
        """Terms between + and -."""
        start, found, signs = self.at, [self.term()], [1]
        while self.text in _SIGNS:
            signs.append(_SIGNS[self.take().text])
            found.append(self.term())
        return Plus(tuple(found), tuple(signs), span=self.span(start)) if found[1:] else found[0]

    def term(self) -> Node:
        """Products between elementwise signs."""
        start = self.at
        if self.text in _SIGNS:
            negative = self.take().text == "-"
            body = self.term()
            return Negative(body, span=self.span(start)) if negative else body
        found, ops = [self.product()], []
        while self.text in LOOSE:
            ops.append(LOOSE[self.take().text])
            found.append(self.product())
        return Times(tuple(found), tuple(ops), span=self.span(start)) if ops else found[0]

    def product(self, bare: bool = False) -> Node:
        """Factors side by side, or between dots and crosses (unless `bare`)."""
        start, found, ops = self.at, [self.factor()], []
        while True:
            if self.text == "/":
                self.take()
                under = self.factor()
                found[-1] = Quotient(found[-1], under, span=(found[-1].span[0], under.span[1]))
            elif self.text in TIGHT and not bare:
                ops.append(TIGHT[self.take().text])
                sign = self.text == "-" and self.take()
                factor = self.factor()
                found.append(Negative(factor, span=factor.span) if sign else factor)
            elif self._begins():
                ops.append("")
                found.append(self.factor())
            else:
                break
        return Times(tuple(found), tuple(ops), span=self.span(start)) if ops else found[0]

    def _begins(self) -> bool:
        token = self.peek()
        if token.kind in ("word", "number", "text"):
            return True
        known = PAIRS.keys() | DOTS | ACCENTS.keys() | STYLES.keys() | _FRACTIONS | {"{"}
        more = {
            r"\sum",
            r"\prod",
            r"\partial",
            r"\nabla",
            r"\sqrt",
            r"\|",
            r"\infty",
            r"\Vert",
            r"\underbrace",
            r"\overbrace",
        }
        return token.text in known | more or token.text[1:] in BARE or token.text.startswith(r"\begin ")

    # ------------------------------------------------------------------------------------------------ factors

    def factor(self) -> Node:
        """A primary with its scripts, and its arguments where it is a function."""
        start = self.at
        token = self.peek()
        if token.text in (r"\sum", r"\prod"):
            return self._big()
        if (token.text in (r"\partial", "d") or token.text in DIFFERENTIALS) and (found := self._inline()):
            return found
        if token.text == r"\nabla":
            return self._gradient()
        primary = self._primary()
        node = self._indicator(self._called(self._scripts(primary, start), start), start)
        if self.text == "|" and self.peek(1).text == "_":
            self.at += 2
            return At(node, self.whole(self.group()), span=self.span(start))
        return node

    def _indicator(self, node: Node, start: int) -> Node:
        r"""`1\{y = j\}`, `\mathbb{1}[y = j]` and `\mathbf{1}_{i=j}`, or the node as it is."""
        if isinstance(node, Indexed) and _is_one(node.base) and isinstance(node.subs[0], Relation):
            return Indicator(node.subs[0], span=self.span(start))
        if _is_one(node) and self.text in (r"\{", "[", "("):
            before = self.at
            condition = self.whole(self.group())
            if isinstance(condition, Relation):
                return Indicator(condition, span=self.span(start))
            self.at = before
        return node

    def _primary(self) -> Node:
        start = self.at
        token = self.take()
        if token.kind == "number":
            return Number(token.text.replace("{,}", ""), span=token.span)
        if token.text in DOTS:
            return Dots(span=token.span)
        if token.kind == "text":
            return Text(token.text, span=token.span)
        if token.kind == "word":
            return self._word(token)
        if token.text[1:] in BARE or token.text == r"\infty":
            return Name(token.text[1:], span=token.span)
        if token.text in ACCENTS or token.text in STYLES:
            return self._accented(token)
        if token.text in _FRACTIONS:
            return self._fraction(start)
        if token.text in (r"\underbrace", r"\overbrace"):
            inner = self.whole(self.group())
            if self.text in ("_", "^"):
                self.take()
                self.group()
            return inner
        if token.text == r"\sqrt":
            return Power(self.whole(self.group()), Quotient(Number("1"), Number("2")), span=self.span(start))
        if token.text.startswith(r"\begin "):
            return self._matrix(token, start)
        if token.text in (r"\|", r"\Vert", r"\lVert", "|", r"\lvert"):
            return self._norm(token, start)
        if token.text in PAIRS or token.text == "{":
            self.at -= 1
            return self.whole(self.group())
        raise Unreadable(token.span, f"{token.text} is not known to this reader of formulas")

    def _word(self, token: Token) -> Node:
        if token.text == "d" and self.peek().kind == "word" and "d" + self.text in DIFFERENTIALS:
            after = self.take()
            return Name("d" + after.text, span=(token.span[0], after.span[1]))
        return Name(token.text.removeprefix("\\"), span=token.span)

    def _accented(self, token: Token) -> Node:
        inner = self.whole(self.group())
        mark = (ACCENTS | STYLES)[token.text]
        if isinstance(inner, Name):
            return Name(f"{mark} {inner.base}", span=(token.span[0], inner.span[1]))
        if isinstance(inner, Number):
            return Name(f"{mark} {inner.text}", span=(token.span[0], inner.span[1]))
        return inner

    def group(self) -> list[Token]:
        """The tokens of the next argument, braces or brackets off; one token where there are none."""
        first = self.take()
        close = "}" if first.text == "{" else PAIRS.get(first.text)
        if close is None:
            if first.text in ACCENTS or first.text in STYLES:
                return [first, *self.group()]
            if first.kind == "number" and len(first.text) > 1:
                return self._digit(first)
            return [first]
        depth, start = 1, self.at
        while depth:
            if self.peek() is _END:
                raise Unreadable(first.span, f"{first.text} is never closed")
            text = self.take().text
            depth += (text == first.text) - (text == close)
        return self.tokens[start : self.at - 1]

    def _digit(self, first: Token) -> list[Token]:
        r"""One digit of a number, as TeX takes it: `\frac12`."""
        self.at -= 1
        self.tokens[self.at] = Token(first.text[1:], (first.span[0] + 1, first.span[1]), "number")
        return [Token(first.text[0], (first.span[0], first.span[0] + 1), "number")]

    # ------------------------------------------------------------------------------------------------ scripts

    def _scripts(self, node: Node, start: int) -> Node:
        subs: tuple[Node, ...] = ()
        supers: list[list[Token]] = []
        while self.text in ("_", "^", "'", r"\prime"):
            mark = self.take()
            if mark.text == "_":
                subs += self._subs(self.group())
            else:
                supers.append(self.group() if mark.text == "^" else [mark])
        if subs:
            node = Indexed(node, subs, span=self.span(start))
        for sup in supers:
            node = self._super(node, sup, self.span(start))
        return node

    def _subs(self, found: list[Token]) -> tuple[Node, ...]:
        if all(token.kind in ("word", "number") for token in found):
            texts = [token.text for token in found]
            if len(found) > 1 and len(texts[0]) == 1 and texts[0] in "oh" and texts[1].isdigit():
                return (Name("".join(texts), span=(found[0].span[0], found[-1].span[1])),)
            return tuple(self.whole([token]) for token in found)
        node = self.whole(found)
        return node.items if isinstance(node, Items) else (node,)

    def _super(self, node: Node, sup: list[Token], span: Span) -> Node:
        texts = [token.text for token in sup]
        if not texts:
            return node
        if texts[-1] in ("T", r"\top", r"\intercal") and not set(texts[-2:-1]) & {"+", "-"}:
            return Transpose(self._super(node, sup[:-1], span), span=span)
        if set(texts) <= {"'", r"\prime"}:
            inner = node if isinstance(node, Prime) else Prime(node, 0)
            return Prime(inner.base, inner.order + len(texts), span=span)
        if texts[0] in ("(", "[", r"\langle", "<"):
            return self._tagged(node, sup, span)
        if len(texts) == 1 and texts[0] in ("*", "+", "-", "new", "old", r"\ast", r"\star"):
            return Marked(node, texts[0].removeprefix("\\"), span=span)
        return Power(node, self.whole(sup), span=span)

    def _tagged(self, node: Node, sup: list[Token], span: Span) -> Node:
        opened = "<" if sup[0].text in ("<", r"\langle") else sup[0].text
        close = ">" if sup[0].text == "<" else PAIRS[sup[0].text]
        end = next((k for k, token in enumerate(sup) if token.text == close), None)
        if end is None:
            raise Unreadable(sup[0].span, f"{sup[0].text} is never closed")
        inside = sup[1:end]
        if len(inside) == 1 and inside[0].text in ("new", "old"):
            return self._super(Marked(node, inside[0].text, span=span), sup[end + 1 :], span)
        return self._super(Tagged(node, self.whole(inside), opened, span=span), sup[end + 1 :], span)

    # ------------------------------------------------------------------------------------------------ calls

    def _called(self, node: Node, start: int) -> Node:
        base, primed = _base(node)
        if self.text in ("(", "[", r"\{") and base is not None:
            before = self.at
            inner = self.group()
            known = primed or base in FUNCTIONS or base in self.functions
            if inner and (known or (self.tokens[before].text == "(" and _listed(inner))):
                return self._arguments(node, inner, start)
            self.at = before
        if base in BARE and self._begins():
            argument = self.product(bare=True)
            return _powered(node, (argument,), self.span(start))
        return node

    def _arguments(self, node: Node, inner: list[Token], start: int) -> Node:
        found = self.whole(inner)
        args = found.items if isinstance(found, Items) else (found,)
        call = _powered(node, args, self.span(start))
        return self._scripts(call, start) if self.text in ("^", "_") else call

    # ------------------------------------------------------------------------------------------------ big signs

    def _big(self) -> Node:
        start = self.at
        product = self.take().text == r"\prod"
        lower: Node | None = None
        upper: Node | None = None
        while self.text in ("_", "^"):
            if self.take().text == "_":
                lower = self._bound(self.group())
            else:
                upper = self.whole(self.group())
        body = self.term()
        indices, low, condition = _bounds(lower)
        return Sum(indices, low, upper, condition, body, product, span=self.span(start))

    def _bound(self, found: list[Token]) -> Node:
        if len(found) > 1 and all(token.kind == "word" for token in found):
            return Items(tuple(self.whole([token]) for token in found))
        return self.whole(found)

    def _gradient(self) -> Node:
        start = self.at
        self.take()
        wrt = None
        if self.text == "_":
            self.take()
            wrt = self.whole(self.group())
        return Gradient(self.factor(), wrt, span=self.span(start))

    def _fraction(self, start: int) -> Node:
        over, under = self.group(), self.group()
        sign = over[0].text if over else ""
        if sign in (r"\partial", "d", r"\delta", *DIFFERENTIALS) and (wrt := self._wrt(under, sign)):
            return self._derivative(over, wrt, start)
        return Quotient(self.whole(over), self.whole(under), span=self.span(start))

    def _wrt(self, under: list[Token], sign: str) -> tuple[Node, ...]:
        """The variables of `∂x ∂y`; none where it is no such thing."""
        sign = "d" if sign in DIFFERENTIALS else sign
        reader = self.inside(under)
        found: tuple[Node, ...] = ()
        while reader.text == sign and len(reader.tokens) > reader.at + 1:
            reader.take()
            variable = reader.factor()
            if isinstance(variable, Power) and isinstance(variable.exponent, Number) and variable.exponent.text == "2":
                found += (variable.base, variable.base)
            else:
                found += (variable,)
        return found if reader.at == len(reader.tokens) else ()

    def _derivative(self, over: list[Token], wrt: tuple[Node, ...], start: int) -> Node:
        sign = {r"\partial": "∂", r"\delta": "δ"}.get(over[0].text, "d")
        rest = self.inside(over[1:])
        immediate = False
        if rest.text == "^":
            rest.take()
            immediate = any(token.text == "+" for token in rest.group())
        of = rest.tokens[rest.at :]
        if of:
            return Derivative(self.whole(of), wrt, sign, False, immediate, span=self.span(start))
        return Derivative(self.term(), wrt, sign, True, immediate, span=self.span(start))

    def _inline(self) -> Node | None:
        r"""`\partial L / \partial w`, `dL/dw`, `\partial_w L`; None (and nothing taken) where it is none of them."""
        start = self.at
        sign = self.take().text
        name = {r"\partial": "∂"}.get(sign, "d")
        try:
            if sign == r"\partial" and self.text == "_":
                self.take()
                wrt = (self.whole(self.group()),)
                return Derivative(self.factor(), wrt, name, span=self.span(start))
            of = self.factor()
            if self.text == "/" and self.peek(1).text == sign:
                self.at += 2
                return Derivative(of, (self.factor(),), name, span=self.span(start))
        except Unreadable:
            pass
        self.at = start
        return None

    # ------------------------------------------------------------------------------------------------ fences

    def _norm(self, token: Token, start: int) -> Node:
        close = {r"\lVert": r"\rVert", r"\lvert": r"\rvert"}.get(token.text, token.text)
        end = next((k for k in range(self.at, len(self.tokens)) if self.tokens[k].text == close), None)
        if end is None:
            raise Unreadable(token.span, f"{token.text} is never closed")
        body = self.whole(self.tokens[self.at : end])
        self.at = end + 1
        if token.text in ("|", r"\lvert"):
            return Norm(body, "abs", span=self.span(start))
        kind = ""
        if self.text == "_":
            self.take()
            kind = "".join(token.text for token in self.group()).replace(r"\infty", "inf")
        return Norm(body, kind, span=self.span(start))

    def _matrix(self, token: Token, start: int) -> Node:
        rows: list[list[list[Token]]] = [[[]]]
        depth = 1
        while True:
            now = self.take()
            depth += now.text.startswith(r"\begin ") - now.text.startswith(r"\end ")
            if not depth:
                break
            if depth == 1 and now.text == "&":
                rows[-1].append([])
            elif depth == 1 and now.text == "\\\\":
                rows.append([[]])
            else:
                rows[-1][-1].append(now)
        cells = [[self.whole(_untrailed(cell)) for cell in row if _untrailed(cell)] for row in rows]
        if token.text.endswith("cases"):
            values = [row for row in cells if row]
            conditions = tuple(row[1] if row[1:] else None for row in values)
            return Cases(tuple(row[0] for row in values), conditions, span=self.span(start))
        return Matrix(tuple(tuple(row) for row in cells if row), span=self.span(start))


def _is_one(node: Node) -> bool:
    return node in (Number("1"), Name("bb 1"), Name("bb I"))


def _untrailed(cell: list[Token]) -> list[Token]:
    while cell and cell[-1].text in (",", ".", ";", r"\quad"):
        cell = cell[:-1]
    return [token for token in cell if token.text != r"\quad"]


def _base(node: Node) -> tuple[str | None, bool]:
    """The base of a name under its scripts, and whether a prime stands on it."""
    primed = False
    while isinstance(node, Indexed | Tagged | Power | Prime | Marked):
        primed = primed or isinstance(node, Prime)
        node = node.base
    return (node.base, primed) if isinstance(node, Name) else (None, primed)


def _listed(inner: list[Token]) -> bool:
    depth = 0
    for token in inner:
        depth += (token.text in PAIRS or token.text == "{") - (token.text in PAIRS.values() or token.text == "}")
        if not depth and token.text in (",", ";"):
            return True
    return False


def _powered(node: Node, args: tuple[Node, ...], span: Span) -> Node:
    r"""A call; `\tanh^2 z` and `\log^2 x` are powers of calls."""
    if isinstance(node, Power) and isinstance(node.exponent, Number):
        return Power(Call(node.base, args, span=span), node.exponent, span=span)
    return Call(node, args, span=span)


def _bounds(lower: Node | None) -> tuple[tuple[Name, ...], Node | None, Node | None]:
    """Indices, lower bound and condition from what stands under a sum."""
    if isinstance(lower, Relation) and lower.ops == ("=",) and isinstance(lower.items[0], Name):
        return (lower.items[0],), lower.items[1], None
    if isinstance(lower, Relation) and isinstance(lower.items[0], Name):
        return (lower.items[0],), None, lower
    if isinstance(lower, Items):
        return tuple(item for item in lower.items if isinstance(item, Name)), None, None
    return ((lower,), None, None) if isinstance(lower, Name) else ((), None, lower)
