r"""Sums that are written out, with dots for most of their terms: $w_1 x_1 + w_2 x_2 + \cdots + w_n x_n$ is Σ_i w_i x_i.

So is $x_0 w_0 + \cdots + x_d w_d + \cdots + x_{D-1} w_{D-1}$; and $0 + \cdots + x_d + \cdots + 0$ is x_d.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from oracle.lesson.syntax import Dots, Indexed, Name, Node, Number, Plus, Statement, Sum, Tagged, Times, rebuilt

Letters = Mapping[tuple[str, int], Counter[str]]
"""By symbol and place below it (-1 above it), the letters that stand there."""
OTHERS = ("i", "j", "k", "r", "q")
"""What such an index is called where the lesson has no letter for it."""


def index_letters(statements: Iterable[Statement]) -> Letters:
    """The letters of a lesson's indices; of none where no sum has dots."""
    nodes = [node for s in statements for node in s.body.walk()]
    found: dict[tuple[str, int], Counter[str]] = {}
    if any(isinstance(node, Dots) for node in nodes):
        found["", 0] = Counter()
        for node in nodes:
            for base, place, sub in _scripts(node):
                if isinstance(sub, Name) and len(sub.base) == 1:
                    found.setdefault((base, place), Counter()).update(sub.base)
    return found


def with_sums(statement: Statement, letters: Letters) -> Statement:
    """A statement in which such sums are short."""
    return (
        replace(statement, body=_Short(letters, _names(statement.body)).short(statement.body)) if letters else statement
    )


def _scripts(node: Node) -> Iterator[tuple[str, int, Node]]:
    match node:
        case Indexed(base=Name(base=base), subs=subs):
            yield from ((base, place, sub) for place, sub in enumerate(subs))
        case Tagged(base=Name(base=base), tag=tag):
            yield base, -1, tag


def _names(node: Node) -> set[str]:
    return {part.base for part in node.walk() if isinstance(part, Name)}


@dataclass
class _Short:
    letters: Letters
    used: set[str]
    """The names of the statement."""

    def short(self, node: Node) -> Node:
        """A formula in which sums with dots are short."""
        node = rebuilt(node, self.short)
        if not isinstance(node, Plus) or len({*node.signs}) > 1 + (node.signs[0] < 0):
            return node
        terms = [part for term in node.terms for part in _apart(term)]
        dots = [k for k, term in enumerate(terms) if term == Dots()]
        if not dots or not dots[0] or dots[-1] + 1 == len(terms):
            return node
        said = [term for term in terms if term not in (Dots(), Number("0"))]
        if len(said) < 2 and Number("0") in terms:
            return replace(said[0], span=node.span) if said else Number("0", span=node.span)
        return self._total(node, terms, dots[0], dots[-1])

    def _total(self, node: Plus, terms: list[Node], first: int, last: int) -> Node:
        """The sum of the terms around dots, with what stands before and behind them."""
        top = terms[last + 1]
        start, lowest = first, ""
        while start and (met := _compared(terms[start - 1], top)) and _is_before(met.one, lowest):
            start, lowest = start - 1, met.one.text if isinstance(met.one, Number) else ""
        between = [met for term in terms[first + 1 : last] if term != Dots() and (met := _compared(term, top))]
        whole = _compared(terms[start], top) if start < first else None
        if whole is None or whole.other is None or len(between) + last - first < len(terms[first:last]):
            return node
        general = [met.one.base for met in between if isinstance(met.one, Name)]
        letter = general[0] if general else self._letter(whole)
        body = _merged(terms[start], top, _Met(letter))
        assert body is not None
        total = Sum((Name(letter),), Number(lowest), whole.other, None, body, span=node.span)
        rest = [*terms[:start], total, *terms[last + 2 :]]
        return (
            Plus(tuple(rest), (node.signs[0],) * len(rest), span=node.span) if rest[1:] or node.signs[0] < 0 else total
        )

    def _letter(self, met: "_Met") -> str:
        """A letter for the index: what the lesson has there."""
        taken = self.used | (_names(met.other) if met.other else set())
        counts = sum((self.letters.get(place, Counter()) for place in met.places), Counter[str]())
        return next(x for x in (*(x for x, _ in counts.most_common()), *OTHERS, "s") if x not in taken or x == "s")


@dataclass
class _Met:
    """What two terms differ in: the 1 and the n of w_1 x_1 and w_n x_n."""

    letter: str = ""
    one: Node | None = None
    other: Node | None = None
    places: list[tuple[str, int]] = field(default_factory=list)

    def differ(self, one: Node, other: Node, place: tuple[str, int]) -> bool:
        """Note a place where they differ; whether it is as at the others."""
        same = self.one in (None, one) and self.other in (None, other)
        self.one, self.other = one, other
        self.places.append(place)
        return same


def _is_before(one: Node | None, lowest: str) -> bool:
    """Whether a number is the one before the lowest so far."""
    number = isinstance(one, Number) and one.text.isdigit()
    return isinstance(one, Number) and number and (not lowest or int(one.text) == int(lowest) - 1)


def _apart(term: Node) -> list[Node]:
    r"""The dots of \dots w_n x_n, and what follows them."""
    match term:
        case Times(factors=(Dots(), first, *others), ops=("", *ops)):
            return [Dots(), Times((first, *others), tuple(ops), span=term.span) if others else first]
    return [term]


def _compared(one: Node, other: Node) -> _Met | None:
    """What two terms differ in, if it is one index alone."""
    met = _Met("#")
    return met if _merged(one, other, met) is not None and met.one is not None else None


def _merged(one: Node, other: Node, met: _Met) -> Node | None:
    """The second term with a letter where the first has another index; None where they differ in more."""
    if isinstance(one, Indexed) and isinstance(other, Indexed):
        base, subs = _merged(one.base, other.base, met), _digits(one.subs, len(other.subs))
        if base is None or len(subs) != len(other.subs):
            return None
        name = base.base if isinstance(base, Name) else ""
        made = [_index(a, b, met, (name, k)) for k, (a, b) in enumerate(zip(subs, other.subs, strict=True))]
        return None if None in made else replace(other, base=base, subs=tuple(sub for sub in made if sub))
    if isinstance(one, Tagged) and isinstance(other, Tagged) and one.bracket == other.bracket:
        base = _merged(one.base, other.base, met)
        tag = _index(one.tag, other.tag, met, (base.base if isinstance(base, Name) else "", -1))
        return None if base is None or tag is None else replace(other, base=base, tag=tag)
    shells = [rebuilt(side, lambda _: Dots()) for side in (one, other)]
    inner, parts = [*one.children()], [*other.children()]
    if shells[0] != shells[1] or len(inner) != len(parts):
        return None
    merged = [_merged(a, b, met) for a, b in zip(inner, parts, strict=True)]
    at = iter(merged)
    return None if None in merged else rebuilt(other, lambda child: next(at) or child)


def _index(one: Node, other: Node, met: _Met, place: tuple[str, int]) -> Node | None:
    if one == other:
        return other
    return Name(met.letter, span=other.span) if met.differ(one, other, place) else None


def _digits(subs: tuple[Node, ...], count: int) -> tuple[Node, ...]:
    """The 1 and 2 of w_{12}, where w_{1n} has two indices."""
    match subs:
        case (Number(text=text),) if count > 1 and len(text) == count and text.isdigit():
            return tuple(Number(digit) for digit in text)
    return subs
