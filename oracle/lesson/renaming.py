"""Symbols renamed before anybody asks what they mean: primes that are part of a name, letters of negative samples."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from oracle.lesson.document import Formula
from oracle.lesson.meaning.bold_samples import bold, with_bold_samples
from oracle.lesson.meaning.dotted import dotted, with_slopes
from oracle.lesson.meaning.iterations import iterations, without_iterations
from oracle.lesson.meaning.layer_functions import numbered, with_numbers
from oracle.lesson.meaning.negatives import negative_letters, with_negatives
from oracle.lesson.meaning.numbered_losses import numbered_losses, with_numbered_losses
from oracle.lesson.meaning.numbered_units import numbered_units, of_every_unit
from oracle.lesson.meaning.of_everything import everything, without_everything
from oracle.lesson.meaning.old_and_new import with_old_and_new
from oracle.lesson.meaning.prime_names import prime_names, with_prime_names
from oracle.lesson.meaning.probabilities import with_probabilities, words_below
from oracle.lesson.meaning.upper_scripts import Sampled, sampled, with_samples_apart
from oracle.lesson.syntax import Parsed, Statement

Placed = tuple[int, int, Formula, Parsed]
"""A formula with its section and its place among the pieces of a lesson."""


@dataclass(frozen=True)
class Renamed:
    """How the symbols of a lesson are renamed wherever they stand, in corrections as well."""

    primes: frozenset[str] = frozenset()
    """Letters whose primes are names."""
    losses: frozenset[str] = frozenset()
    """Letters of losses whose numbers say which sample they are of."""
    bold: frozenset[str] = frozenset()
    """Letters that are bold where a sample is meant, and plain where an entry is."""
    samples: Sampled = field(default_factory=Sampled)
    """How samples and units stand one above the other."""

    @property
    def roles(self) -> dict[str, str]:
        """What letters are known to count."""
        return {self.samples.letter: "sample"} if self.samples.letter else {}

    def __call__(self, statement: Statement) -> Statement:
        statement = with_bold_samples(statement, self.bold)
        named = with_prime_names(with_old_and_new(statement), self.primes)
        return with_samples_apart(with_numbered_losses(named, self.losses), self.samples)


def renamed(parsed: Sequence[Placed]) -> tuple[list[Placed], Renamed]:
    """Every formula with such symbols renamed, and how."""
    given = _statements(parsed)
    names = Renamed(
        frozenset(prime_names(given)), frozenset(numbered_losses(given)), frozenset(bold(given)), sampled(given)
    )
    named = [_with(found, names) for found in parsed]
    words = words_below(_statements(named))
    named = [_with(found, lambda s: with_probabilities(s, words)) for found in named]
    counting, slopes = iterations(_statements(named)), dotted(_statements(named))
    named = [_with(found, lambda s: with_slopes(without_iterations(s, counting), slopes)) for found in named]
    layers = numbered(_statements(named))
    named = [_with(found, lambda s: with_numbers(s, layers)) for found in named]
    whole = everything(_statements(named))
    named = [_with(found, lambda s: without_everything(s, whole)) for found in named]
    sections = {section for section, *_ in named}
    drawn = {k: negative_letters(_statements([found for found in named if found[0] == k])) for k in sections}
    named = [_with(found, partial(with_negatives, letters=drawn[found[0]])) for found in named]
    units = numbered_units(_statements(named))
    return [_spelled(found, units) for found in named], names


def _statements(parsed: Sequence[Placed]) -> list[Statement]:
    return [statement for *_, found in parsed for statement in found.statements]


def _spelled(placed: Placed, units: Mapping[str, tuple[str, ...]]) -> Placed:
    section, place, formula, found = placed
    statements = tuple(one for s in found.statements for one in of_every_unit(s, units))
    return section, place, formula, replace(found, statements=statements)


def _with(placed: Placed, change: Callable[[Statement], Statement]) -> Placed:
    section, place, formula, found = placed
    return section, place, formula, replace(found, statements=tuple(map(change, found.statements)))
