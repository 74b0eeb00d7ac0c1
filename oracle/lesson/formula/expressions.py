"""Recursive descent: relations, sums, products, factors."""

from dataclasses import replace

from oracle.lesson.formula.calls import Calls
from oracle.lesson.formula.cursor import END, nesting
from oracle.lesson.formula.derivatives import Derivatives
from oracle.lesson.formula.fences import NORMS, Fences
from oracle.lesson.formula.scripts import primed
from oracle.lesson.formula.symbols import (
    ACCENTS,
    ALPHABETS,
    BARE,
    BOLD,
    BRACES,
    DIFFERENTIALS,
    DIVIDING,
    DOTS,
    FRACTIONS,
    LOOSE,
    OPENING,
    OPERATIONS,
    RELATIONS,
    SIGNS,
    TIGHT,
)
from oracle.lesson.formula.token import Token, UnreadableError
from oracle.lesson.syntax import (
    Before,
    Call,
    Derivative,
    Dots,
    Gradient,
    Indexed,
    Items,
    Name,
    Negative,
    Node,
    Number,
    Plus,
    Power,
    Prime,
    Quotient,
    Relation,
    Span,
    Sum,
    Tagged,
    Text,
    Times,
    Transpose,
    rebuilt,
)

_HATS = {r"\hat", r"\widehat"}
"""Accents of outputs."""
_BEGIN = OPENING | DOTS | ACCENTS.keys() | ALPHABETS.keys() | FRACTIONS | BRACES | set(NORMS) - {"|", r"\|"}
_BEGIN |= {r"\sum", r"\prod", r"\partial", r"\nabla", r"\sqrt", r"\infty", r"\emptyset", r"\|"}


class Reader(Derivatives, Fences, Calls):
    """A method for each level of the grammar."""

    def items(self) -> Node:
        """Relations between commas: one, or Items."""
        start, found = self.at, [self.relation()]
        while self.text in (",", ";"):
            self.take()
            if self.peek() is END:  # (n,)
                break
            found.append(self.relation())
        return found[0] if len(found) == 1 else Items(tuple(found), span=self.span(start))

    def relation(self) -> Node:
        """A chain `a = b = c`, or what stands alone."""
        start, ops = self.at, []
        found = [self._before() if self.text in RELATIONS and not self.depth + self.at else self.sum()]
        while self.text in RELATIONS:
            ops.append(RELATIONS[self.take().text])
            while self.text == "=" and ops[-1] == "=":  # twice, at the end of a row and the begin of the next
                self.take()
            named = ops[-1] == "=" and self.text == ":" and bool(self.take())  # a = b =: c gives a name to a
            found.append(self.sum())
            if named and not isinstance(found[0], Before):
                return Relation((found[-1], *found[:-1]), (":=", *ops[:-1]), span=self.span(start))
        return Relation(tuple(found), tuple(ops), span=self.span(start)) if ops else found[0]

    def _before(self) -> Node:
        start = self.peek().span[0]
        return Before(span=(start, start))

    def sum(self) -> Node:
        """Terms between + and -."""
        start, found, signs = self.at, [*self._printed()], [1]
        signs += [1] * (len(found) - 1)
        while self.text in SIGNS:
            sign = SIGNS[self.take().text]
            found += self._printed() if sign > 0 else (self.term(),)
            signs += [sign] * (len(found) - len(signs))
        return Plus(tuple(found), tuple(signs), span=self.span(start)) if found[1:] else found[0]

    def _printed(self) -> tuple[Node, ...]:
        r"""A term as it is printed: of \sum_k{w_k a_k + b}, whose braces nobody sees, the b is a term of its own."""
        braced = self.text == r"\sum"
        node = self.term()
        if not braced or not isinstance(node, Sum) or not node.indices or not isinstance(node.body, Plus):
            return (node,)
        if not self._in_braces():
            return (node,)
        first, *rest = node.body.terms
        letters = {name.base for name in node.indices}
        if min(node.body.signs) < 0 or any(letters & {n.base for n in x.walk() if isinstance(n, Name)} for x in rest):
            return (node,)
        return replace(node, body=first), *rest

    def _in_braces(self) -> bool:
        """Whether what was read last is a sum between braces, and between nothing else."""
        depth = 0
        for token in reversed(self.tokens[: self.at]):
            depth -= nesting(token)
            if depth <= 0:
                return False
            if depth == 1 and token.text in SIGNS:
                return self.tokens[self.at - 1].text == "}"
        return False

    def term(self) -> Node:
        """Products between elementwise signs, after a sign of their own."""
        start, sign = self.at, 1
        while self.text in SIGNS:
            sign *= SIGNS[self.take().text]
        node = self._elementwise()
        return node if sign > 0 else Negative(node, span=self.span(start))

    def _elementwise(self) -> Node:
        start, found, ops = self.at, [self.product()], []
        while self.text in LOOSE.keys() | DIVIDING:
            if self.text in DIVIDING:
                self.take()
                found[-1] = Quotient(found[-1], self.product(), span=self.span(start))
                continue
            ops.append(LOOSE[self.take().text])
            found.append(self.product())
        return Times(tuple(found), tuple(ops), span=self.span(start)) if ops else found[0]

    def product(self, bare: bool = False) -> Node:
        """Factors side by side, or between dots and crosses; `bare` is the argument of a function without any."""
        start, found, ops = self.at, [self.factor()], []
        last = start
        while True:
            if self.text == "/" and not bare:
                self.take()
                found[-1] = Quotient(found[-1], self.factor(), span=self.span(last))
                continue
            if self.text in TIGHT and not bare:
                ops.append(TIGHT[self.take().text])
            elif self.begins() and not (bare and self._ends_bare()):
                ops.append("")
            else:
                break
            last = self.at
            own = isinstance(found[-1], Prime) and ops[-1] in ("*", "cdot") and self._in_parenthesis()
            found.append(self._signed())
            if own:  # g' * (z), in braces of their own: nobody multiplies by one symbol in a parenthesis
                found[-2:], ops = [Call(found[-2], (found[-1],), span=self.span(start))], ops[:-1]
                continue
            if isinstance(found[-2], Derivative | Gradient) and isinstance(found[-1], Items) and not ops[-1]:
                found, ops = found[:-1], ops[:-1]  # ∂e/∂w (w, x): at that place
                continue
            if found[-1] == Number("1") and not ops[-1] and _capital(found[-2]):  # E 1: ones, without their bold face
                found[-1] = Name("1", bold=True, span=found[-1].span)
        return Times(tuple(found), tuple(ops), span=self.span(start)) if ops else found[0]

    def _in_parenthesis(self) -> bool:
        """Whether one symbol in a parenthesis follows, with a brace below it or without."""
        reader = self.inside(self.tokens[self.at :])
        if reader.text in BRACES:
            reader.take()
            reader = self.inside(reader.group())
        return reader.text == "(" and reader._symbol_alone(reader.group())

    def _signed(self) -> Node:
        """A factor; a minus may stand before it after a dot."""
        start = self.at
        if self.text == "-":
            self.take()
            return Negative(self.factor(), span=self.span(start))
        return self.factor()

    def begins(self) -> bool:
        token = self.peek()
        if token.kind in ("word", "number", "text", "style"):
            return True
        named = token.text in _BEGIN or token.text[1:] in BARE or token.text.startswith(r"\begin ")
        return (named and token.text != "") or self.opens_bar()

    def _ends_bare(self) -> bool:
        named = self.text.removeprefix("\\") in BARE and self.peek().kind != "style"
        return named or self.text in (r"\sum", r"\prod")

    # ------------------------------------------------------------------------------------------------ factors

    def factor(self) -> Node:
        """A primary with its scripts, and its arguments where it is a function."""
        start, token = self.at, self.peek()
        if token.text in (r"\sum", r"\prod"):
            return self._big()
        if token.text in (r"\partial", "d") and (found := self.inline()):
            return found
        if token.text == r"\nabla":
            return self.gradient()
        node = self.called(self.scripts(self.primary(), start), start)
        return self.evaluated(self.indicator(node, start), start)

    def primary(self) -> Node:
        """What scripts may stand on."""
        start, token = self.at, self.peek()
        if token.text == r"\left.":
            return self.open_left(start)
        if token.text in NORMS:
            return self.norm(start)
        if token.text in OPENING:
            return self._over(start) or self.fenced(start)
        if token.text.startswith(r"\begin "):
            return self.matrix(start)
        if token.text == "^" and (self.peek(1).kind == "word" or self.peek(1).text == "{"):
            return self._led(start)
        return self._symbol(self.take(), start)

    def _led(self, start: int) -> Node:
        """The {}^p E of a sample p, written before its symbol, as E^{(p)}."""
        self.take()
        tag = self.whole(self.group())
        return Tagged(self.primary(), tag, "(", span=self.span(start))

    def _symbol(self, token: Token, start: int) -> Node:
        if token.kind == "number":
            return self._number(token)
        if token.text in DOTS:
            return Dots(span=token.span)
        if token.kind == "text":
            alone = len(self.tokens) == 1
            return Text(token.text, span=token.span) if alone else Name(_underlined(token.text), span=token.span)
        if token.kind == "word":
            return self._word(token, start)
        if token.kind == "style":
            return self._styled(token, start)
        if token.text[1:] in BARE or token.text in (r"\infty", r"\emptyset"):
            return Name(token.text[1:], span=token.span)
        if token.text in ACCENTS or token.text in ALPHABETS:
            return self._accented(token, start)
        if token.text in FRACTIONS:
            return self.fraction(start)
        if token.text == r"\sqrt":
            return self._root(start)
        if token.text in BRACES:
            return self._braced()
        if token.text in RELATIONS or token.text in OPERATIONS:
            raise UnreadableError(token.span, f"{token.text} stands where a symbol should, with nothing on its left")
        if token.text == r"\partial":
            raise UnreadableError(token.span, "\\partial stands alone: a derivative has it above and below the line")
        raise UnreadableError(token.span, f"{token.text} is not known to this reader of formulas")

    def _number(self, token: Token) -> Node:
        return Number(token.text.replace("{,}", ","), span=token.span)

    def _word(self, token: Token, start: int) -> Node:
        r"""A letter or a word; `dW`, `\Delta w` and `W1` are one symbol each."""
        after = self.peek()
        close = after.span[0] == token.span[1] and after.kind == "word"
        if close and token.text == "d" and "d" + after.text.removeprefix("\\") in DIFFERENTIALS:
            self.take()
            return self._numbered(Name("d" + after.text.removeprefix("\\"), span=self.span(start)), start)
        if token.text == "d" and after.text in _HATS and isinstance(found := self._hatted(), Name):
            return Name(f"d{found.base}", found.bold, span=self.span(start))
        if token.text == r"\Delta" and after.kind == "word":
            return Name("Delta " + self.take().text.removeprefix("\\"), span=self.span(start))
        node = Name(token.text.removeprefix("\\"), span=token.span)
        return self._numbered(node, start) if len(token.text) == 1 else node

    def _hatted(self) -> Node | None:
        r"""The symbol with an accent that follows: the \hat y of d\hat y; None where there is more than that."""
        start = self.at
        found = self._accented(self.take(), start)
        if not isinstance(found, Name):
            self.at = start
        return found

    def _numbered(self, node: Name, start: int) -> Node:
        """`w1` and `dW1` in a lesson typed plainly: the number is an index."""
        after = self.peek()
        if after.span[0] != node.span[1] or not after.text.isdigit():
            return node
        self.take()
        return Indexed(node, (Number(after.text, span=after.span),), span=self.span(start))

    def _styled(self, token: Token, start: int) -> Node:
        inner = self.whole(self.group())
        if isinstance(inner, Name):
            return replace(inner, bold=inner.bold or token.text in BOLD, span=self.span(start))
        return _bold(inner) if token.text in BOLD else inner

    def _accented(self, token: Token, start: int) -> Node:
        found = self.group()
        inner = self.whole(found)
        mark = (ACCENTS | ALPHABETS)[token.text]
        match inner if found[-1].text == ")" else None:
            case Times(factors=(symbol, argument), ops=("",)):  # \hat{y(t)} is \hat{y}(t)
                made = _with_mark(symbol, mark, self.span(start)) or symbol
                return Times((made, argument), ("",), span=self.span(start))
            case Call(function=function, args=args):
                made = _with_mark(function, mark, self.span(start)) or function
                return Call(made, args, span=self.span(start))
        if (whole := _with_mark(inner, mark, self.span(start))) is not None:
            return whole
        if mark in ("cal", "bb", "bar"):
            return inner
        raise UnreadableError(token.span, f"{token.text} stands over more than a symbol")

    def _root(self, start: int) -> Node:
        degree = self.whole(self.group()) if self.text == "[" else Number("2")
        return Power(self.whole(self.group()), Quotient(Number("1"), degree), span=self.span(start))

    def _braced(self) -> Node:
        inner = self.whole(self.group())
        while self.text in ("_", "^"):
            self.take()
            self.group()
        return inner

    def _over(self, start: int) -> Node | None:
        r"""`{a \over b}` and `{\partial a} / {\partial b}`."""
        if self.text != "{":
            return None
        inner = self.group()
        depth = 0
        for k, token in enumerate(inner):
            depth += (token.text == "{") - (token.text == "}")
            if not depth and token.text == r"\over":
                return self.divided(inner[:k], inner[k + 1 :], start)
        if self.text == "/" and self.peek(1).text == "{" and inner and inner[0].text in (r"\partial", "d"):
            self.take()
            return self.divided(inner, self.group(), start)
        self.at = start
        return None

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
        while self.text == "{" and self.peek(1).text == "}":  # \sum_{t}{}
            self.at += 2
        if self.peek() is END:
            raise UnreadableError(self.span(start), "nothing follows the sign of a sum")
        begun = self.at
        body = self.term()
        made = Sum(*_bounds(lower, upper), body, product, span=self.span(start))
        return _ended(made) if product and not self._in_brackets(begun) else made

    def _in_brackets(self, start: int) -> bool:
        """Whether what was read from a place on is all in one pair of brackets."""
        depth = 0
        for k in range(start, self.at):
            depth += nesting(self.tokens[k])
            if depth <= 0:
                return k == self.at - 1 and k > start
        return False

    def _bound(self, found: list[Token]) -> Node:
        subs = self.subscripts(found)
        return subs[0] if len(subs) == 1 else Items(subs)


WEIGHTS = {"w", "u", "v", "theta"}
"""What every step has alike, whatever label stands below it."""


def _ended(product: Sum) -> Node:
    r"""A product without what is of one place at its end: \prod_j W_j \delta_t is (\prod_j W_j) \delta_t.

    A whole matrix stays, as in \prod_j \mathrm{diag}(h_j) W.
    """
    body, names = product.body, {name.base for name in product.indices}
    if not isinstance(body, Times) or not names:
        return product
    count = len(body.factors)
    while count > 1 and _of_one_place(body.factors[count - 1], names):
        count -= 1
    if count == len(body.factors):
        return product
    first = Times(body.factors[:count], body.ops[: count - 1], span=body.span) if count > 1 else body.factors[0]
    return Times((replace(product, body=first), *body.factors[count:]), body.ops[count - 1 :], span=product.span)


def _of_one_place(factor: Node, names: set[str]) -> bool:
    """Whether a factor is a partial or a vector with scripts, and has none of the letters that a product goes over."""
    core = factor.base if isinstance(factor, Transpose) else factor
    own = any(isinstance(part, Name) and part.base in names for part in factor.walk())
    if isinstance(core, Indexed | Tagged):
        return not own and isinstance(core.base, Name) and core.base.base.islower() and core.base.base not in WEIGHTS
    return isinstance(core, Derivative) and not own


def _capital(node: Node) -> bool:
    core = node.base if isinstance(node, Transpose) else node
    return isinstance(core, Name) and core.base.isupper()


def _underlined(words: str) -> str:
    return "_".join(words.split())


def _bold(node: Node) -> Node:
    """Every symbol in bold; what stands above and below it is as it was."""
    if isinstance(node, Name):
        return replace(node, bold=True)
    if node == Number("1"):
        return Name("1", bold=True, span=node.span)
    if isinstance(base := getattr(node, "base", None), Node):
        return rebuilt(node, lambda child: _bold(child) if child is base else child)
    return rebuilt(node, _bold)


def _with_mark(node: Node, mark: str, span: Span) -> Node | None:
    """A symbol with a mark over it, whatever its scripts; None of what is no symbol."""
    core = node
    while hasattr(core, "base") and isinstance(core.base, Node):
        core = core.base
    if not isinstance(core, Name | Number):
        return None
    text = core.base if isinstance(core, Name) else core.text
    if mark == "cal" and text.islower() and text != "l":  # there are no small letters of this kind
        return node
    return _recored(node, core, Name(f"{mark} {text}", bold=isinstance(core, Name) and core.bold, span=span))


def _recored(node: Node, core: Node, new: Name) -> Node:
    """Scripts as they were, on another symbol."""
    if node is core:
        return new
    base = getattr(node, "base", core)
    return rebuilt(node, lambda child: _recored(child, core, new) if child is base else child)


def _bounds(lower: Node | None, upper: Node | None) -> tuple[tuple[Name, ...], Node | None, Node | None, Node | None]:
    """Indices, bounds and condition, from what stands under a sum; of k_2, …, k_L no index is named."""
    items: tuple[Node | None, ...] = lower.items if isinstance(lower, Items) else (lower,)
    if len(items) > 1 and Dots in map(type, items):
        return (), None, upper, lower
    first = items[0]
    names = tuple(dict.fromkeys(item for item in map(_index, items) if item))
    if isinstance(first, Relation) and first.ops == ("=",) and isinstance(_letter(first.items[0]), Name):
        return names, first.items[1], upper, next((item for item in items[1:] if isinstance(item, Relation)), None)
    condition: Node | None = next((item for item in items if isinstance(item, Relation)), None)
    if condition is None and lower is not None and not names:
        condition = lower
    return names, None, upper, condition


def _index(item: Node | None) -> Name | None:
    found = item.items if isinstance(item, Relation) else (item,)
    return next((part for part in map(_letter, filter(None, found)) if isinstance(part, Name)), None)


def _letter(node: Node) -> Node:
    """The h1 of Σ_{h_1}, a letter of its own."""
    match node:
        case Indexed(base=Name(base=base), subs=(Number(text=text),)):
            return Name(base + text, span=node.span)
    return primed(node)
