r"""What a lesson says of numbers, in its order: chains such as `net = w x + b = 0.15 * 0.05 + 0.35 = 0.3575`."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from oracle.lesson.numbers.normal import key
from oracle.lesson.numbers.printed import Printed, printed
from oracle.lesson.syntax import (
    At,
    Call,
    Cases,
    Dots,
    Items,
    Matrix,
    Name,
    Node,
    Number,
    Power,
    Sum,
    Text,
    Times,
    Transpose,
)  # fmt: skip

T = TypeVar("T")
EQUAL = ("=", ":=", "~=", "<-")


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


def named(head: Node, tex: str) -> str:
    """TeX of a head as the lesson has it."""
    accented = any(isinstance(part, Name) and " " in part.base for part in head.walk())
    return key(head) if accented else tex[slice(*head.span)].strip()


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
        return node.base == "pi"
    if isinstance(node, Power) and node.base == Name("e"):
        return plain(node.exponent)
    return all(plain(child) for child in node.children())


def table_of_numbers(node: Node) -> bool:
    """Whether a node is a vector or matrix, its rows of one length, whose entries are all printed numbers."""
    rows = entries(node)
    return len(set(shape(rows))) == 1 and bool(rows[0]) and all(printed(cell) for row in rows for cell in row)


def readable(node: Node, tex: str) -> bool:
    """No words, dots, conditions; and no digits that stand side by side without a sign between them."""
    for part in node.walk():
        if isinstance(part, Text | Dots | Cases | At):
            return False
        if isinstance(part, Number) and re.match(r",\d", tex[part.span[1] :]):
            return False  # 0,5 or 1,000
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
    return [[one for cell in row if (one := printed(cell))] for row in entries(node)]


def entries(node: Node) -> list[list[Node]]:
    """The entries of a matrix or list, whatever they are."""
    match node:
        case Matrix(rows=rows):
            return [list(row) for row in rows]
        case Items(items=items):
            return [[item] for item in items]
        case Transpose(base=base):
            return [list(row) for row in zip(*entries(base), strict=False)]
    return []


def flat(rows: list[list[T]]) -> list[T]:
    """All entries, row by row."""
    return [entry for row in rows for entry in row]


def shape(rows: Sequence[Sequence[object]]) -> list[int]:
    """How many entries each row has."""
    return [len(row) for row in rows]
