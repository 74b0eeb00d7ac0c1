"""Symbols renamed before anybody asks what they mean: primes that are part of a name, letters of negative samples."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from oracle.lesson.document import Formula
from oracle.lesson.meaning.dotted import dotted, with_slopes
from oracle.lesson.meaning.iterations import iterations, without_iterations
from oracle.lesson.meaning.layer_functions import numbered, with_numbers
from oracle.lesson.meaning.negatives import negative_letters, with_negatives
from oracle.lesson.meaning.of_everything import everything, without_everything
from oracle.lesson.meaning.prime_names import prime_names, with_prime_names
from oracle.lesson.meaning.probabilities import with_probabilities, words_below
from oracle.lesson.syntax import Parsed, Statement

Placed = tuple[int, int, Formula, Parsed]
"""A formula with its section and its place among the pieces of a lesson."""


def renamed(parsed: Sequence[Placed]) -> tuple[list[Placed], set[str]]:
    """Every formula with such symbols renamed, and the letters whose primes are names."""
    primes = prime_names(_statements(parsed))
    named = [_with(found, lambda s: with_prime_names(s, primes)) for found in parsed]
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
    return [_with(found, partial(with_negatives, letters=drawn[found[0]])) for found in named], primes


def _statements(parsed: Sequence[Placed]) -> list[Statement]:
    return [statement for *_, found in parsed for statement in found.statements]


def _with(placed: Placed, change: Callable[[Statement], Statement]) -> Placed:
    section, place, formula, found = placed
    return section, place, formula, replace(found, statements=tuple(map(change, found.statements)))
