r"""Repairs that hold under a reading: as the lesson's own formulas are read, f'(x) = f(x) (1 - f(x)) of a sigmoid."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from oracle.lesson.judging import OTHERWISE, Nets, Way, apart_by
from oracle.lesson.meaning.notation import Ref
from oracle.lesson.pointwise import at_any_number
from oracle.lesson.records import Equation
from oracle.lesson.syntax import Before, Limit, Node, Relation, Statement, rebuilt


def ways_of(equations: Iterable[Equation]) -> tuple[Way, ...]:
    """The readings under which formulas of a lesson hold, and those of an activation that is known by its slope."""
    used = {link.under for equation in equations for link in equation.links}
    return tuple(way for way in OTHERWISE if way.words in used or way.activations)


def under_limits(limits: Iterable[Limit]) -> tuple[Way, ...]:
    """The readings under conditions of the text: of i ≠ j."""
    return tuple(apart_by(limit) for limit in limits if limit.op == "!=")


@dataclass(frozen=True)
class Judge:
    """What holds in some nets, as it stands or under one of some readings."""

    nets: Nets
    ways: tuple[Way, ...] = ()

    def holds(self, head: Node, member: Node, line: int) -> bool:
        """Whether two sides agree, and are not zero."""
        verdict, zero = self.outcome(head, member, line)
        return verdict and not zero

    def outcome(self, head: Node, member: Node, line: int) -> tuple[bool, bool]:
        """Whether two sides agree, and whether both are zero."""
        pairs = [(head, member)]
        if other := at_any_number(head, member):
            pairs.append(other)
        for left, right in pairs:
            found = self.nets.judge(left, right, line)
            if found.verdict == "holds":
                return True, found.zero
        return bool(self.ways) and bool(self.nets.under(head, member, line, self.ways)), False


def respelled(read: Sequence[Statement], meant: Sequence[Statement]) -> Iterator[tuple[Node, Node]]:
    """Symbols that mean more where they stand than in their TeX alone: w_1 is a name in a section of numbers."""
    for one, other in zip(read, meant, strict=False):
        yield from _unlike(one.body, other.body)


def _unlike(read: Node, meant: Node) -> Iterator[tuple[Node, Node]]:
    if isinstance(read, Ref) and isinstance(meant, Ref):
        if read != meant:
            yield read, meant
        return
    parts, others = list(read.children()), list(meant.children())
    if type(read) is type(meant) and len(parts) == len(others):
        for part, other in zip(parts, others, strict=True):
            yield from _unlike(part, other)


def longer(read: Node, meant: Node) -> bool:
    """Whether indices were left out of a symbol: x_n for x_{nd}."""
    return isinstance(read, Ref) and isinstance(meant, Ref) and len(read.subs) < len(meant.subs)


def as_meant(body: Relation, meant: Relation, other: dict[Node, Node]) -> Relation:
    """A chain read from its TeX, with symbols as they are meant there and with the head that it goes on from."""
    made = _put(body, other) if other else body
    assert isinstance(made, Relation)
    if isinstance(made.items[0], Before):
        return Relation((meant.items[0], *made.items[1:]), made.ops, span=made.span)
    return made


def _put(node: Node, other: dict[Node, Node]) -> Node:
    if node in other:
        return other[node]
    return rebuilt(node, lambda part: _put(part, other))
