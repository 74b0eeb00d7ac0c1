r"""Tables of a worked example: a row names a quantity, and has its formula and its number in other cells."""

import html
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from oracle.lesson.document import Table
from oracle.lesson.numbers.evaluating import is_symbol
from oracle.lesson.numbers.events import Event, event, readable
from oracle.lesson.numbers.gathering import Gathering
from oracle.lesson.numbers.normal import key
from oracle.lesson.numbers.printed import Printed, number
from oracle.lesson.syntax import Derivative, Indexed, Marked, Name, Node, Number, Relation, rebuilt

if TYPE_CHECKING:
    from collections.abc import Sequence

ROLES = {
    "before": r"before|initial|old|start|given|current|原|前|初始|旧",
    "gradient": r"partial|gradient|grad\b|derivative|∂|梯度|导数?",
    "after": r"after|new|updated|后|更新|新",
}
PLAIN = re.compile(r"([A-Za-z]{1,3}|[α-ωΔ]|[A-Za-z]+(?=_))_?\{?((?<=_)\w+|(?<=\{)\w+|\d{1,2})\}?")
"""A symbol in a cell without dollars: w14, θ4, Err_6, I_j."""
MATH = re.compile(r"\$+([^$]+)\$+|\\\((.+?)\\\)|:math:`([^`]+)`|`([^`]+)`")

Cell = Printed | Node | None


def rows(table: Table, gathered: Gathering) -> Iterator[Event]:
    """The chains that a table's rows stand for."""
    head, *body = table.rows
    if len(body) == 1 and (found := _givens(head, body[0], table.lines[1], gathered)):
        yield from found
        return
    for cells, line in zip(body, table.lines[1:], strict=False):
        yield from _row(head, cells, line, gathered)


def _givens(head: "Sequence[str]", cells: "Sequence[str]", line: int, gathered: Gathering) -> list[Event]:
    """A head of symbols over one row of numbers."""
    found = []
    for title, text in zip(head, cells, strict=False):
        name, value = cell(title, gathered), cell(text, gathered)
        if isinstance(name, Node) and is_symbol(name) and isinstance(value, Printed):
            found.append(Event(0, line, plain(title), name, numbers=((value, line),)))
    return found if len(found) == len(head) else []


def _row(head: "Sequence[str]", cells: "Sequence[str]", line: int, gathered: Gathering) -> Iterator[Event]:
    values = [cell(text, gathered) for text in cells]
    for k, value in enumerate(values):
        if isinstance(value, Relation):
            found = gathered.chain(value, plain(cells[k]), line, False)
            yield from [_titled(found, head[k] if k < len(head) else "", values, line, gathered)] if found else []
    named = next((k for k, v in enumerate(values) if isinstance(v, Node) and is_symbol(v)), None)
    if named is not None:
        subject = values[named]
        assert isinstance(subject, Node)
        yield from _columns(subject, plain(cells[named]), head, values, named, line)


def _titled(found: Event, title: str, values: list[Cell], line: int, gathered: Gathering) -> Event:
    """Arithmetic under the title I_j, in the row of unit 4, is what I_4 is; in the row of w_{46}, its new value."""
    if found.head is not None:
        return found
    inside = MATH.search(title)
    name, first = cell(inside[0] if inside else title, gathered), values[0]
    if isinstance(name, Indexed) and is_symbol(name) and isinstance(first, Printed) and len(name.subs) == 1:
        head: Node = rebuilt(name, lambda part: Number(first.text) if part == name.subs[0] else part)
    elif isinstance(first, Node) and is_symbol(first) and _role(title) == "after":
        head = Marked(first, "+")
    else:
        return found
    return replace(found, head=head, name=key(head))


def _columns(
    subject: Node, name: str, head: "Sequence[str]", values: list[Cell], named: int, line: int
) -> Iterator[Event]:
    """A symbol with its numbers by column: before, partial, after, or its only value."""
    others = [(k, v) for k, v in enumerate(values) if k != named and not isinstance(v, Relation)]
    formulas = tuple(v for _, v in others if isinstance(v, Node) and readable(v, ""))
    numbers = [(_role(head[k]) if k < len(head) else "", v) for k, v in others if isinstance(v, Printed) and k > named]
    roles = [role for role, _ in numbers]
    for role, value in numbers:
        if roles.count(role) > 1:
            continue
        marked: Node = {"after": Marked(subject, "+"), "gradient": Derivative(Name("?"), (subject,))}.get(role, subject)
        own = formulas if role == "gradient" or (role == "" and "gradient" not in roles) else ()
        found = event(line, name if marked is subject else key(marked), marked, [(f, line) for f in own])
        yield replace(found, numbers=((value, line),))


def _role(title: str) -> str:
    return next((role for role, words in ROLES.items() if re.search(words, title, re.IGNORECASE)), "")


def plain(text: str) -> str:
    """A cell's formula without dollars and tags."""
    bare = html.unescape(re.sub(r"<[^>]+>", "", text)).strip().strip("*").strip()
    found = MATH.fullmatch(bare)
    return next(filter(None, found.groups()), "").strip() if found else bare


def cell(text: str, gathered: Gathering) -> Cell:
    """A number, a formula, or None for words."""
    bare = plain(text)
    if found := number(bare):
        return found
    if one := PLAIN.fullmatch(bare):
        bare = (
            f"{one[1] if len(one[1]) == 1 or one[1][0] == chr(92) else chr(92) + 'text{' + one[1] + '}'}_{{{one[2]}}}"
        )
    elif not MATH.search(text) and not re.search(r"[\\_^=+*/]", bare) and not re.fullmatch(r"\w", bare):
        return None
    found_nodes = list(gathered.parse(bare))
    return found_nodes[0] if len(found_nodes) == 1 else None
