r"""The symbols of a lesson with their formulas and numbers, and the net that they make when they are put together."""

import re
from collections import Counter
from dataclasses import dataclass, field, replace
from functools import cached_property

from oracle.lesson.numbers.evaluating import numbered
from oracle.lesson.numbers.events import Event, Told
from oracle.lesson.numbers.normal import key
from oracle.lesson.numbers.printed import Printed
from oracle.lesson.syntax import Derivative, Indexed, Marked, Name, Node, Number, rebuilt

Stepped = tuple[dict[str, float], dict[str, float]]
"""Updated parameters, and partials."""


@dataclass
class Bench:
    """All events by the symbols that they are about."""

    told: Told
    by_key: dict[str, list[Event]] = field(default_factory=dict)
    steps: dict[tuple[bool, bool, float], Stepped | None] = field(default_factory=dict)
    """One step of the net in every variant that was asked for."""
    conflicts: dict[str, bool] = field(default_factory=dict)
    """Whether a symbol has formulas that give different values, where that was asked."""
    confirmed: set[str] = field(default_factory=set)
    """Doubts that the lesson's own numbers have settled: that σ is the sigmoid, that log is the natural one."""

    def __post_init__(self) -> None:
        """Index the events."""
        for event in self.events:
            if event.head is not None:
                self.by_key.setdefault(event.key, []).append(event)

    @cached_property
    def events(self) -> tuple[Event, ...]:
        """In their order; a column of partials is by the loss."""
        return tuple(replace(e, head=self._of_loss(e.head), name=self._named(e)) for e in self.told.events)

    def _of_loss(self, head: Node | None) -> Node | None:
        if isinstance(head, Derivative) and head.of == Name("?"):
            return replace(head, of=self.loss or Name("?"))
        return head

    def _named(self, event: Event) -> str:
        return key(self._of_loss(event.head) or Name("?")) if "?" in event.name else event.name

    @cached_property
    def loss(self) -> Node | None:
        """What is differentiated most often."""
        found: Counter[str] = Counter()
        nodes: dict[str, Node] = {}
        for event in self.told.events:
            for part in [p for node in (event.head, *event.formulas) if node for p in node.walk()]:
                if isinstance(part, Derivative) and part.of != Name("?"):
                    found[key(part.of)] += 1
                    nodes.setdefault(key(part.of), part.of)
        return nodes[found.most_common(1)[0][0]] if found else None

    def ordered(self, name: str, at: int) -> list[Event]:
        """The events of a symbol, the latest before `at` first, then those that follow."""
        found = self.by_key.get(name, [])
        return [e for e in reversed(found) if e.at <= at] + [e for e in found if e.at > at]

    def general(self, node: Node) -> list[Node]:
        """Formulas for a symbol with numbers as indices, from those that the lesson has for letters."""
        if not isinstance(node, Indexed) or not all(isinstance(sub, Number) for sub in node.subs):
            return []
        found = []
        for event in self.events:
            head = event.head
            if isinstance(head, Indexed) and head.base == node.base and _lettered(head, len(node.subs)):
                found += [_for_numbers(formula, head.subs, node.subs) for formula in event.formulas]
        return found

    def is_given(self, name: str) -> bool:
        """Whether a symbol has a number, and nothing to calculate it from."""
        found = self.by_key.get(name, [])
        return bool(found) and not any(e.formulas or e.arithmetic for e in found)

    def is_suspect(self, name: str) -> bool:
        """Whether a number without a formula is a result: a symbol that differs in its index alone has a formula."""
        return self.family(name) in self._calculated

    @cached_property
    def _calculated(self) -> frozenset[str]:
        return frozenset(self.family(name) for name in self.by_key if not self.is_given(name))

    @staticmethod
    def family(name: str) -> str:
        """A symbol without its subscripts."""
        return re.sub(r"_(\{(?:[^{}]|\{[^{}]*\})*\}|\w)", "", name)

    @cached_property
    def results(self) -> dict[float, list[tuple[str, Printed]]]:
        """Every published result, and every given number, by its size."""
        found: dict[float, list[tuple[str, Printed]]] = {}
        for name, events in self.by_key.items():
            for event in events:
                for one, _ in event.numbers:
                    found.setdefault(abs(one.value), []).append((name, one))
        return found

    def several(self, name: str) -> bool:
        """Whether a symbol is given several values."""
        values = [one.value for e in self.by_key.get(name, []) for one, _ in e.numbers[:1]]
        return self.is_given(name) and len(set(values)) > 1


def _lettered(head: Indexed, count: int) -> bool:
    return len(head.subs) == count and all(isinstance(sub, Name) and len(sub.base) == 1 for sub in head.subs)


def _for_numbers(formula: Node, letters: tuple[Node, ...], numbers: tuple[Node, ...]) -> Node:
    for letter, number in zip(letters, numbers, strict=True):
        assert isinstance(number, Number)
        formula = numbered(formula, letter, int(number.text)) if number.text.isdigit() else formula
    return formula


def exchanged(node: Node, old: Node, new: Node) -> Node:
    """A formula with one symbol in place of another."""
    return new if node == old else rebuilt(node, lambda part: exchanged(part, old, new))


def bare(head: Node) -> Node | None:
    """w_5 of w_5^+."""
    return head.base if isinstance(head, Marked) else None
