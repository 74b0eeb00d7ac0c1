r"""What a lesson says of numbers, in its order: chains such as `net = w x + b = 0.15 * 0.05 + 0.35 = 0.3575`."""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

from oracle.lesson.document import Document, Formula, Prose, Table
from oracle.lesson.formula import parse
from oracle.lesson.numbers.evaluating import is_symbol, key
from oracle.lesson.numbers.printed import Printed, printed
from oracle.lesson.syntax import (
    At,
    Call,
    Cases,
    Dots,
    Items,
    Marked,
    Matrix,
    Name,
    Node,
    Number,
    Relation,
    Sum,
    Text,
    Times,
    Transpose,
)  # fmt: skip

EQUAL = ("=", ":=", "~=", "<-")
HEAD = re.compile(r"(?:^|[,;&]|\\\\)\s*\\?([A-Za-z]+)\s*\([a-z](?:_\w)?\)\s*&?\s*(?::?=|\\equiv)")
"""`f(x) =`: a symbol that is a function in this lesson."""
RATE = re.compile(r"learning rate[^.;$|]{0,30}?\b(0?\.\d+)")
LATER = re.compile(
    r"\b(?:after|iterations?|epochs?|rounds?|times|repeat\w*|next|new|now|second|steps?|updated?|again|instead|"
    r"suppose|would)\b|次|轮|之后|以后|更新",
    re.IGNORECASE,
)
"""Words beside a number which say that it may belong to another state of the net than the one given."""


@dataclass(frozen=True)
class Event:
    """One chain: what is named, by which formulas, with which numbers inserted, and what comes out."""

    at: int
    """Counts through the lesson."""
    line: int
    name: str
    """TeX of the head."""
    head: Node | None
    """The symbol; None where the chain begins with arithmetic."""
    formulas: tuple[Node, ...] = ()
    """Members with symbols."""
    arithmetic: tuple[Node, ...] = ()
    """Members of numbers alone."""
    numbers: tuple[tuple[Printed, int], ...] = ()
    """Each published number with its line."""
    matrix: tuple[tuple[Node, int], ...] = ()
    """Vectors and matrices of numbers."""
    later: bool = False
    """The words around say that this is another state."""

    @property
    def key(self) -> str:
        """The head's normal form."""
        return key(self.head) if self.head else ""


@dataclass(frozen=True)
class Function:
    r"""`\sigma(z) = \frac{1}{1 + e^{-z}}`."""

    arguments: tuple[str, ...]
    body: Node


@dataclass(frozen=True)
class Told:
    """All that a lesson says of numbers."""

    events: tuple[Event, ...]
    functions: dict[str, Function]
    words: str


def told(document: Document) -> Told:
    """Every chain of the lesson with a number or a formula in it, tables included."""
    from oracle.lesson.numbers.tables import rows

    formulas = [piece for piece in document.pieces if isinstance(piece, Formula)]
    known = {name for formula in formulas for name in HEAD.findall(formula.tex)}
    tables = [piece for piece in document.pieces if isinstance(piece, Table)]
    spans = [(t.place.start, t.place.end) for t in tables]
    gathered = Gathering(document, known)
    for piece in document.pieces:
        if isinstance(piece, Table):
            for event in rows(piece, gathered):
                gathered.add(event)
        elif isinstance(piece, Formula) and not any(a <= piece.place.start < b for a, b in spans):
            gathered.formula(piece)
        elif isinstance(piece, Prose) and (found := RATE.search(piece.text)):
            gathered.rate(found[1], piece.place.line + piece.text[: found.start(1)].count("\n"))
    words = " ".join(piece.text for piece in document.pieces if isinstance(piece, Prose))
    return Told(tuple(gathered.events), gathered.functions, words.lower())


class Gathering:
    """The chains met so far."""

    def __init__(self, document: Document, known: Collection[str]):
        self.document, self.known = document, known
        self.events: list[Event] = []
        self.functions: dict[str, Function] = {}
        self.ends = [piece.place for piece in document.pieces if isinstance(piece, Formula)]

    def parse(self, tex: str) -> Iterator[Node]:
        """The statements of a formula that can be read."""
        for statement in parse(tex, self.document.macros, self.known).statements:
            yield statement.body

    def formula(self, piece: Formula) -> None:
        """All chains of one formula."""
        if any(word.startswith(("skip", "wrong on purpose")) for word in piece.directives):
            return
        for body in self.parse(piece.tex):
            if isinstance(body, Relation) and not self._function(body):
                self.add(self.chain(body, piece.tex, piece.place.line, self._later(piece)))

    def add(self, event: Event | None) -> None:
        """Number it and keep it."""
        if event is not None:
            self.events.append(replace(event, at=len(self.events)))

    def rate(self, digits: str, line: int) -> None:
        r"""A learning rate in words binds \eta, unless a formula does."""
        found = printed(Number(digits))
        assert found is not None
        self.add(Event(0, line, r"\eta", Name("eta"), numbers=((found, line),)))

    def _later(self, piece: Formula) -> bool:
        """Whether the sentence around a formula says that time has passed."""
        start, end = piece.place.start, piece.place.end
        around = self.document.text[max(0, start - 160) : end + 60]
        before = around[: start - max(0, start - 160)]
        cut = max(before.rfind(sign) for sign in (". ", "\n\n", "。", "|"))
        return bool(LATER.search(around[cut + 1 :]))

    def _function(self, body: Relation) -> bool:
        head = body.items[0]
        if not isinstance(head, Call) or not all(isinstance(arg, Name) for arg in head.args):
            return False
        if not isinstance(head.function, Name) or body.ops[0] not in EQUAL:
            return False
        names = tuple(arg.base for arg in head.args if isinstance(arg, Name))
        self.functions.setdefault(key(head.function), Function(names, body.items[1]))
        return True

    def chain(self, body: Relation, tex: str, line: int, later: bool) -> Event | None:
        """One relation with its members sorted."""
        members = [body.items[0]]
        for op, item in zip(body.ops, body.items[1:], strict=True):
            if op not in EQUAL:
                break
            members.append(item)
        if len(members) < 2 or not all(readable(member, tex) for member in members):
            return None
        head, name = members[0], tex[slice(*members[0].span)].strip()
        symbol = is_symbol(head)
        if symbol and self._updates(head, members[1], body.ops[0]):
            head = Marked(head, "+")
        rest = members[1:] if symbol else members
        lines = [line + tex[: member.span[0]].count("\n") for member in rest]
        return event(line, name, head if symbol else None, list(zip(rest, lines, strict=True)), later)

    def _updates(self, head: Node, member: Node, op: str) -> bool:
        return not isinstance(head, Marked) and (op == "<-" or any(part == head for part in member.walk()))


def event(line: int, name: str, head: Node | None, members: list[tuple[Node, int]], later: bool = False) -> Event:
    """Members sorted into formulas, arithmetic, numbers and matrices of numbers."""
    formulas = tuple(node for node, _ in members if not plain(node))
    numbers = tuple((found, at) for node, at in members if (found := printed(node)))
    matrix = tuple((node, at) for node, at in members if table_of_numbers(node))
    known = [node for node, _ in members if printed(node) or table_of_numbers(node)]
    arithmetic = tuple(node for node, _ in members if plain(node) and node not in known)
    return Event(0, line, name, head, formulas, arithmetic, numbers, matrix, later)


def plain(node: Node) -> bool:
    """Whether a node has numbers alone, and functions of them; e and π are numbers."""
    if isinstance(node, Call):
        return all(plain(arg) for arg in node.args)
    if isinstance(node, Name):
        return node.base in ("e", "pi")
    return all(plain(child) for child in node.children())


def table_of_numbers(node: Node) -> bool:
    """Whether a node is a vector or matrix whose entries are all printed numbers."""
    match node:
        case Transpose(base=base):
            return table_of_numbers(base)
        case Matrix(rows=rows):
            return all(printed(cell) for row in rows for cell in row)
        case Items(items=items):
            return all(printed(item) for item in items)
    return False


def readable(node: Node, tex: str) -> bool:
    """No words, dots, conditions; and no digits that stand side by side without a sign between them."""
    for part in node.walk():
        if isinstance(part, Text | Dots | Cases | At):
            return False
        if isinstance(part, Sum) and not part.indices:
            return False
        if isinstance(part, Times) and _ambiguous(part, tex):
            return False
    return True


def _ambiguous(node: Times, tex: str) -> bool:
    r"""`1 000` is no product, `(0.4)(0.6)` is one."""
    for op, one, two in zip(node.ops, node.factors, node.factors[1:], strict=False):
        if not op and isinstance(two, Number) and isinstance(one, Number):
            between = tex[one.span[1] : two.span[0]]
            if "(" not in between and ")" not in between:
                return True
    return False


def rows_of(node: Node) -> list[list[Printed]]:
    """The entries of a matrix of printed numbers; a list is a column."""
    match node:
        case Transpose(base=base):
            return [list(row) for row in zip(*rows_of(base), strict=True)]
        case Matrix(rows=rows):
            return [[one for cell in row if (one := printed(cell))] for row in rows]
        case Items(items=items):
            return [[one] for item in items if (one := printed(item))]
    return []
