r"""Gathering what a lesson says of numbers: from formulas, tables, words and bare code."""

import re
from collections.abc import Collection, Iterator
from dataclasses import replace

from oracle.lesson.document import CodeBlock, Document, Formula, Prose, Table
from oracle.lesson.formula import parse
from oracle.lesson.formula.symbols import FUNCTIONS
from oracle.lesson.numbers.evaluating import is_symbol
from oracle.lesson.numbers.events import (
    EQUAL,
    Event,
    Function,
    Told,
    entries,
    event,
    flat,
    named,
    readable,
    rows_of,
    shape,
    table_of_numbers,
)  # fmt: skip
from oracle.lesson.numbers.normal import key, normal, unprimed
from oracle.lesson.numbers.printed import printed
from oracle.lesson.syntax import Call, Derivative, Marked, Name, Node, Number, Plus, Prime, Relation

HEAD = re.compile(r"(?:^|[,;&]|\\\\)\s*\\?([A-Za-z]+)\s*\([a-z](?:_\w)?\)\s*&?\s*(?::?=|\\equiv)")
"""`f(x) =`: a symbol that is a function in this lesson."""
RATE = re.compile(r"learning rate[^.;$|]{0,30}?\b(0?\.\d+)")
SAID = re.compile(
    r"(?<![\w\\$^{.])([A-Za-zα-ω](?:_?\d{1,2}|[₀-₉]{1,2})?)(?:\s*\([^()\n]{0,30}\))?\s*[=＝]\s*([-−]?\d*\.?\d+)"
    r"(?![\w.^*/+(]|[ \t]*[-+*/^×·])"
)
"""A symbol with its number outside of formulas: `x_1 = 0.5`, w₁ = 0.5."""
LATER = re.compile(
    r"\b(?:after|iterations?|epochs?|rounds?|times|repeat\w*|next|new|now|second|steps?|updated?|again|instead|"
    r"suppose|would)\b|次|轮|之后|以后|更新",
    re.IGNORECASE,
)
"""Words beside a number which say that it may belong to another state of the net than the one given."""


def told(document: Document) -> Told:
    """Every chain of the lesson with a number or a formula in it, tables included."""
    from oracle.lesson.numbers.tables import rows

    formulas = [piece for piece in document.pieces if isinstance(piece, Formula)]
    known = FUNCTIONS | {name for formula in formulas for name in HEAD.findall(formula.tex)}
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
    for piece in document.pieces:
        if isinstance(piece, Prose) or (isinstance(piece, CodeBlock) and piece.language in ("", "text")):
            gathered.said(piece)
    words = " ".join(piece.text for piece in document.pieces if isinstance(piece, Prose))
    return Told(_updates_marked(gathered.events), gathered.functions, words.lower())


def _updates_marked(events: list[Event]) -> tuple[Event, ...]:
    """w_1' is w_1^+ in a lesson that has w_1' = w_1 - ..., and a derivative elsewhere; so is 0.3 - ... of w_1 = 0.3."""
    given: dict[str, float] = {}
    for k, each in enumerate(events):
        calculated = each.formulas or each.arithmetic
        if each.head is not None and not calculated and each.numbers:
            given[each.key] = each.numbers[0][0].value
        elif each.head is not None and not each.formulas and _starts(each, given.get(each.key)):
            events[k] = replace(each, head=Marked(each.head, "+"))
    if not any(isinstance(e.head, Prime) and any(_has(f, e.head.base) for f in e.formulas) for e in events):
        return tuple(events)
    return tuple(replace(e, head=unprimed(e.head)) if e.head is not None else e for e in events)


def _starts(event: Event, value: float | None) -> bool:
    """Whether the numbers inserted begin with the one that the symbol has."""
    first = event.arithmetic[0] if event.arithmetic else None
    if value is None or not isinstance(first, Plus) or isinstance(event.head, Marked | Derivative):
        return False
    start = printed(first.terms[0])
    return start is not None and start.value == value


def _has(node: Node, part: Node) -> bool:
    return any(each == part for each in node.walk())


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
            yield normal(statement.body)

    def formula(self, piece: Formula) -> None:
        """All chains of one formula."""
        if any(word.startswith(("skip", "wrong on purpose")) for word in piece.directives):
            return
        for body in self.parse(piece.tex):
            if isinstance(body, Relation) and not self._function(body):
                for event in self.chains(body, piece.tex, piece.place.line, self._later(piece)):
                    self.add(event)

    def add(self, event: Event | None) -> None:
        """Number it and keep it."""
        if event is not None:
            self.events.append(replace(event, at=len(self.events)))

    def rate(self, digits: str, line: int) -> None:
        r"""A learning rate in words binds \eta, unless a formula does."""
        found = printed(Number(digits))
        assert found is not None
        self.add(Event(0, line, r"\eta", Name("eta"), numbers=((found, line),)))

    def said(self, piece: Prose | CodeBlock) -> None:
        """Givens in words and in bare code, for symbols that no formula has given."""
        known = {event.key for event in self.events}
        for match in SAID.finditer(piece.text):
            line = piece.place.line + piece.text[: match.start()].count("\n")
            heads = [node for node in self.parse(match[1]) if is_symbol(node)]
            found = printed(Number(match[2])) if heads else None
            if found is not None and key(heads[0]) not in known:
                self.add(Event(0, line, match[1], heads[0], numbers=((found, line),)))

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

    def chains(self, body: Relation, tex: str, line: int, later: bool) -> Iterator[Event | None]:
        """One relation; of a vector of symbols that is one of numbers, a relation for each entry."""
        items = [body.items[0]]
        for op, item in zip(body.ops, body.items[1:], strict=True):
            if op not in EQUAL:
                break
            items.append(item)
        symbols = next((s for item in items if (s := entries(item)) and all(map(is_symbol, flat(s)))), [])
        numbers = next((item for item in items if table_of_numbers(item)), None)
        if symbols and numbers is not None and shape(symbols) == shape(found := rows_of(numbers)):
            at = line + tex[: numbers.span[0]].count("\n")
            for head, one in zip(flat(symbols), flat(found), strict=True):
                yield Event(0, at, key(head), head, numbers=((one, at),), later=later)
            if all(entries(item) or is_symbol(item) for item in items):
                return
        yield self.chain(body, tex, line, later)

    def chain(self, body: Relation, tex: str, line: int, later: bool) -> Event | None:
        """One relation with its members sorted."""
        members = [body.items[0]]
        for op, item in zip(body.ops, body.items[1:], strict=True):
            if op not in EQUAL:
                break
            members.append(item)
        if len(members) < 2 or not all(readable(member, tex) for member in members):
            return None
        head, name = members[0], named(members[0], tex)
        symbol = is_symbol(head)
        if symbol and self._updates(head, members[1], body.ops[0]):
            head = Marked(head, "+")
        rest = members[1:] if symbol else members
        lines = [line + tex[: member.span[0]].count("\n") for member in rest]
        return event(line, name, head if symbol else None, list(zip(rest, lines, strict=True)), later)

    def _updates(self, head: Node, member: Node, op: str) -> bool:
        return not isinstance(head, Marked) and (op == "<-" or any(part == head for part in member.walk()))
