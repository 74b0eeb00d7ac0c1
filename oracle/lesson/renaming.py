"""Symbols renamed before anybody asks what they mean: primes that are part of a name, letters of negative samples."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from oracle.lesson.document import Formula
from oracle.lesson.meaning.dotted import dotted, with_slopes
from oracle.lesson.meaning.iterations import iterations, without_iterations
from oracle.lesson.meaning.layer_functions import numbered, with_numbers
from oracle.lesson.meaning.named_samples import named_samples, with_samples_above
from oracle.lesson.meaning.negatives import negative_letters, with_negatives
from oracle.lesson.meaning.of_everything import everything, without_everything
from oracle.lesson.meaning.prime_names import prime_names, with_prime_names
from oracle.lesson.meaning.probabilities import with_probabilities, words_below
from oracle.lesson.syntax import Parsed, Statement

Placed = tuple[int, int, Formula, Parsed]
"""A formula with its section and its place among the pieces of a lesson."""


@dataclass
class Renaming:
    """What goes by another name in a lesson."""

    primes: set[str] = field(default_factory=set)
    """Letters whose primes are names."""
    samples: set[str] = field(default_factory=set)
    """Letters that count samples: the x of Σ_x y(x)."""
    steps: list[Callable[[Statement], Statement]] = field(default_factory=list)

    def of(self, statement: Statement) -> Statement:
        """A statement with such symbols renamed."""
        for step in self.steps:
            statement = step(statement)
        return statement

    def add(self, parsed: list[Placed], step: Callable[[Statement], Statement]) -> list[Placed]:
        """The formulas after one more step."""
        self.steps.append(step)
        return [_with(found, step) for found in parsed]


def renamed(parsed: Sequence[Placed]) -> tuple[list[Placed], Renaming]:
    """Every formula with such symbols renamed."""
    found = Renaming(prime_names(_statements(parsed)))
    named = found.add([*parsed], partial(with_prime_names, letters=found.primes))
    named = found.add(named, partial(with_probabilities, letters=words_below(_statements(named))))
    named = found.add(named, partial(without_iterations, renewed=iterations(_statements(named))))
    named = found.add(named, partial(with_slopes, names=dotted(_statements(named))))
    found.samples = named_samples(_statements(named))
    named = found.add(named, partial(with_samples_above, letters=found.samples))
    named = found.add(named, partial(with_numbers, names=numbered(_statements(named))))
    named = found.add(named, partial(without_everything, letters=everything(_statements(named))))
    sections = {section for section, *_ in named}
    drawn = {k: negative_letters(_statements([placed for placed in named if placed[0] == k])) for k in sections}
    return [_with(placed, partial(with_negatives, letters=drawn[placed[0]])) for placed in named], found


def _statements(parsed: Sequence[Placed]) -> list[Statement]:
    return [statement for *_, found in parsed for statement in found.statements]


def _with(placed: Placed, change: Callable[[Statement], Statement]) -> Placed:
    section, place, formula, found = placed
    return section, place, formula, replace(found, statements=tuple(map(change, found.statements)))
