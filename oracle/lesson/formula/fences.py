"""What stands between fences: norms, lists, rows, matrices, cases, indicators, values at a place."""

from dataclasses import replace
from typing import TypeGuard

from oracle.lesson.formula.cursor import Cursor, divided, nesting
from oracle.lesson.formula.symbols import LIMITING, PAIRS
from oracle.lesson.formula.token import Token, UnreadableError
from oracle.lesson.formula.wording import worded
from oracle.lesson.syntax import (
    At,
    Call,
    Cases,
    Dots,
    Indexed,
    Indicator,
    Items,
    Matrix,
    Name,
    Node,
    Norm,
    Number,
    Relation,
    Text,
    Times,
)

CLOSING = {"时", "時", "일 때", "のとき", "ise"}
"""What stands after a condition where other languages have a word before it."""
NORMS = (r"\|", r"\lVert", "|", r"\lvert")


class Fences(Cursor):
    """Everything that is closed again."""

    def fenced(self, start: int) -> Node:
        """A parenthesis, a list, a row; Iverson's brackets."""
        first = self.peek()
        found = self.group()
        if first.text == r"\{" and self.tokens[self.at - 1].text == r"\right." and (rows := _branches(found)):
            return self.branches(rows, start)
        inner = self.whole(found)
        if first.text == "[" and isinstance(inner, Items):
            return Matrix((inner.items,), span=self.span(start))
        if first.text == "[" and _is_row(inner):
            return Matrix((inner.factors,), span=self.span(start))
        if first.text == "[" and isinstance(inner, Relation):
            return Indicator(inner, span=self.span(start))
        if first.text == r"\langle" and isinstance(inner, Items):
            return Call(Name("inner", span=first.span), inner.items, span=self.span(start))
        return inner

    def norm(self, start: int) -> Node:
        r"""`\|x\|_F` and `|x|`."""
        first = self.take()
        close = PAIRS.get(first.text, first.text)
        end = next((k for k in range(self.at, len(self.tokens)) if self.tokens[k].text == close), None)
        if end is None:
            raise UnreadableError(first.span, f"{first.text} is never closed")
        body = self.whole(self.tokens[self.at : end])
        self.at = end + 1
        kind = "abs" if first.text in ("|", r"\lvert") else ""
        if not kind and self.text == "_":
            self.take()
            kind = "".join(t.text for t in self.group() if t.kind != "style").strip("{}").replace(r"\infty", "inf")
        return Norm(body, kind, span=self.span(start))

    def opens_bar(self) -> bool:
        """Whether a bar here has another one that closes it."""
        if self.text != "|" or self.peek(1).text in ("_", "^", ""):
            return False
        depth = 0
        for token in self.tokens[self.at + 1 :]:
            depth += nesting(token)
            if depth < 0 or (not depth and token.text == "|"):
                return depth == 0
        return False

    def open_left(self, start: int) -> Node:
        r"""`\left. body \right|_{x = a}`, and anything else that only closes."""
        first = self.take()
        end = self._closing(first)
        inside, close = self.tokens[self.at : end], self.tokens[end].text
        self.at = end + 1
        body = self.whole(inside)
        if close in (r"\rvert", "]", ")", "|") and self.text in ("_", "^"):
            return self._at(body, start)
        return body

    def evaluated(self, node: Node, start: int) -> Node:
        """`node`, or its value at a place if a bar with a subscript follows."""
        if self.text in ("|", r"\rvert") and self.peek(1).text == "_":
            self.take()
            return self._at(node, start)
        return node

    def _at(self, body: Node, start: int) -> Node:
        if self.text == "^":  # an upper limit, which no lesson on gradients needs
            raise UnreadableError(self.peek().span, "a value between limits is not read")
        self.take()
        return At(body, self.whole(self.group()), span=self.span(start))

    def indicator(self, node: Node, start: int) -> Node:
        r"""`1\{y = j\}`, `\mathbb{1}[y = j]` and `\mathbf{1}_{i=j}`; any other node as it is."""
        if isinstance(node, Indexed) and _is_one(node.base) and isinstance(node.subs[0], Relation | Indicator):
            found = node.subs[0]
            return Indicator(found.condition if isinstance(found, Indicator) else found, span=self.span(start))
        if isinstance(node, Call) and node.args and all(isinstance(arg, Relation) for arg in node.args):
            one = isinstance(node.function, Name) and node.function.base in ("1", "bb 1")  # 1(m = i, n = j)
            return Indicator(Items(node.args), span=node.span) if one else node
        if _is_one(node) and self.text in (r"\{", "[", "("):
            before, first = self.at, self.text
            inner = self.group()
            if any(token.text in ("=", r"\ne", r"\neq", "<", ">", r"\le", r"\ge", r"\in", "==") for token in inner):
                condition = self.whole(inner)
                if isinstance(condition, Relation):
                    return Indicator(condition, span=self.span(start))
            elif first == r"\{":
                return Indicator(self.whole(inner), span=self.span(start))
            self.at = before
        return node

    def matrix(self, start: int) -> Node:
        """An environment of rows and cells."""
        first = self.take()
        depth, begin = 1, self.at
        while depth:
            text = self.take().text
            depth += text.startswith(r"\begin ") - text.startswith(r"\end ")
        rows = [divided(row, {"&"}) for row in divided(self.tokens[begin : self.at - 1], {"\\\\"})]
        gap = first.text.endswith("cases")
        cells = [[cell for part in row if (cell := part if gap else _trimmed(part))] for row in rows]
        if first.text.endswith("cases"):
            return self.branches([row for row in cells if row], start)
        found = tuple(tuple(self.whole(cell) for cell in row) for row in cells if row)
        if [*map(len, found)] == [1] and first.text.endswith("pmatrix"):
            return replace(found[0][0], span=self.span(start))  # the entry ij of one matrix, in large brackets
        return Matrix(found, span=self.span(start))

    def branches(self, rows: list[list[list[Token]]], start: int) -> Node:
        """Values and their conditions, in cells of their own or with a word or a gap between them."""
        parts = [_divided_row(row) for row in rows]
        values = tuple(self.whole(_trimmed(value)) for value, _ in parts)
        return Cases(values, tuple(self._condition([[], condition]) for _, condition in parts), span=self.span(start))

    def _condition(self, row: list[list[Token]]) -> Node | None:
        tokens = _bare_words([token for cell in row[1:] for token in cell])
        if said := worded(tokens):
            return said
        while tokens and len(tokens) > 1 and tokens[0].text.lower().split()[0] in LIMITING:
            tokens = tokens[1:]
        if len(tokens) > 1 and tokens[-1].kind == "text" and tokens[-1].text.strip() in CLOSING:
            tokens = tokens[:-1]
        if not tokens:
            return None
        if len(tokens) == 1 and len(tokens[0].text) > 2:
            return Text(tokens[0].text, span=tokens[0].span)
        try:
            return self.whole(tokens)
        except UnreadableError:
            return Text(" ".join(token.text for token in tokens), span=(tokens[0].span[0], tokens[-1].span[1]))


def _bare_words(found: list[Token]) -> list[Token]:
    r"""Words without braces around them: {\mbox{if}}."""
    braces = {k for k, token in enumerate(found) if {token.text.strip()} & LIMITING and _braced(found, k)}
    return [token for k, token in enumerate(found) if not {k - 1, k + 1} & braces]


def _braced(found: list[Token], k: int) -> bool:
    return 0 < k < len(found) - 1 and (found[k - 1].text, found[k + 1].text) == ("{", "}")


def _branches(found: list[Token]) -> list[list[list[Token]]]:
    """The rows of an array, or of what stands after one brace; [] for a single row."""
    while found and found[-1].text in (".", ","):
        found = found[:-1]
    while found and (found[0].text, found[-1].text) == ("{", "}"):
        found = found[1:-1]
    if found and found[0].text.startswith(r"\begin ") and found[-1].text.startswith(r"\end "):
        found = found[1:-1]
    rows = [divided(row, {"&"}) for row in divided(found, {"\\\\"}) if row]
    return [[cell for cell in row if cell] for row in rows] if len(rows) > 1 else []


def _divided_row(row: list[list[Token]]) -> tuple[list[Token], list[Token]]:
    """The value and the condition of a branch."""
    if len(row) > 1:
        return row[0], [token for cell in row[1:] for token in _trimmed(cell)]
    for k, token in enumerate(row[0]):
        word = token.text.lower().split()
        limits = token.kind in ("text", "word") and bool(word) and word[0] in LIMITING
        if k and (limits or token.text == r"\quad"):
            return row[0][:k], _trimmed(row[0][k:])
    return row[0], []


def _is_row(node: Node) -> TypeGuard[Times]:
    r"""Whether a bracket holds entries side by side, some left out: [s_1 \; \cdots \; s_n]."""
    return isinstance(node, Times) and not any(node.ops) and any(isinstance(x, Dots) for x in node.factors)


def _is_one(node: Node) -> bool:
    return node in (Number("1"), Name("1"), Name("bb 1"), Name("bb I"), Name("I"))


def _trimmed(cell: list[Token]) -> list[Token]:
    while cell and cell[-1].text in (",", ".", ";", r"\quad"):
        cell = cell[:-1]
    return [token for token in cell if token.text != r"\quad"]
