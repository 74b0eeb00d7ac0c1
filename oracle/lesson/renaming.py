"""Symbols renamed before anybody asks what they mean: primes that are part of a name, letters of negative samples."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from oracle.lesson.document import Formula
from oracle.lesson.meaning.bold_samples import bold, with_bold_samples
from oracle.lesson.meaning.cells import as_cells, told_cells
from oracle.lesson.meaning.componentwise import of_components, told_gates
from oracle.lesson.meaning.deltas_apart import deltas_apart, with_deltas_apart
from oracle.lesson.meaning.dotted import dotted, with_slopes
from oracle.lesson.meaning.entries_above import entries_above, with_entries_below
from oracle.lesson.meaning.example_layers import examples, of_all_layers
from oracle.lesson.meaning.iterations import iterations, without_iterations
from oracle.lesson.meaning.labelled_functions import labelled, with_labels_in_names
from oracle.lesson.meaning.last_steps import stepping_above, with_last_steps
from oracle.lesson.meaning.layer_functions import numbered, with_numbers
from oracle.lesson.meaning.likelihoods import outputs, with_likelihoods
from oracle.lesson.meaning.log_bases import base_of_logarithms, with_base
from oracle.lesson.meaning.named_samples import named_samples, with_samples_above
from oracle.lesson.meaning.named_signals import told_below, with_names_apart
from oracle.lesson.meaning.negatives import negative_letters, with_negatives
from oracle.lesson.meaning.numbered_losses import numbered_losses, with_numbered_losses
from oracle.lesson.meaning.numbered_units import numbered_units, of_every_unit
from oracle.lesson.meaning.of_everything import everything, without_everything
from oracle.lesson.meaning.old_and_new import with_old_and_new
from oracle.lesson.meaning.one_step import of_one_step, single_step
from oracle.lesson.meaning.prime_names import prime_names, with_prime_names
from oracle.lesson.meaning.probabilities import with_probabilities, words_below
from oracle.lesson.meaning.remarks_beside import without_remarks
from oracle.lesson.meaning.roman_layers import counts_in_numerals, with_numerals
from oracle.lesson.meaning.sizes_below import without_sizes
from oracle.lesson.meaning.sizes_said import with_sizes_said
from oracle.lesson.meaning.steps_behind import steps_behind, with_steps
from oracle.lesson.meaning.sums_left_out import with_own_indices
from oracle.lesson.meaning.sums_with_dots import index_letters, with_sums
from oracle.lesson.meaning.unit_values import unit_values, with_unit_values
from oracle.lesson.meaning.upper_scripts import Sampled, sampled, with_samples_apart
from oracle.lesson.syntax import Node, Parsed, Statement

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
    inputs: frozenset[str] = frozenset()
    """Letters of inputs that count samples: the x of Σ_x y(x)."""
    steps: tuple[Callable[[Statement], Statement], ...] = ()
    """What is done then, one after the other."""

    @property
    def roles(self) -> dict[str, str]:
        """What letters are known to count."""
        return dict.fromkeys({self.samples.letter, *self.inputs} - {""}, "sample")

    def __call__(self, statement: Statement) -> Statement:
        statement = with_bold_samples(statement, self.bold)
        named = with_prime_names(with_old_and_new(statement), self.primes)
        statement = with_samples_apart(with_numbered_losses(named, self.losses), self.samples)
        for step in self.steps:
            statement = step(statement)
        return statement


def renamed(parsed: Sequence[Placed]) -> tuple[list[Placed], Renamed]:
    """Every formula with such symbols renamed, and how."""
    gates, now = told_gates(_statements(parsed)), single_step(_statements(parsed))
    parsed = [_listed(found, gates) for found in parsed]
    given = _statements(parsed)
    names = Renamed(
        frozenset(prime_names(given)), frozenset(numbered_losses(given)), frozenset(bold(given)), sampled(given)
    )
    named = [changed(found, names) for found in parsed]
    renewed = iterations(given)
    named, names = _further(named, names, lambda found: partial(with_numerals, meant=counts_in_numerals(found)))
    named, names = _further(named, names, lambda found: partial(with_unit_values, known=unit_values(found)))
    named, names = _further(named, names, lambda found: partial(with_sums, letters=index_letters(found)))
    named, names = _further(named, names, lambda found: partial(with_deltas_apart, names=deltas_apart(found)))
    named, names = _further(named, names, lambda _: with_own_indices)
    named, names = _further(named, names, lambda found: partial(with_names_apart, names=told_below(found)))
    named, names = _further(named, names, lambda found: partial(with_last_steps, bases=stepping_above(found)))
    named, names = _further(named, names, lambda found: partial(with_entries_below, letters=entries_above(found)))
    named, names = _further(named, names, lambda found: partial(with_probabilities, letters=words_below(found)))
    named, names = _further(named, names, lambda found: partial(with_likelihoods, made=outputs(found)))
    named, names = _further(named, names, lambda _: partial(without_iterations, renewed=renewed))
    named, names = _further(named, names, lambda found: partial(with_steps, stepped=steps_behind(found)))
    named, names = _further(named, names, lambda found: partial(with_slopes, names=dotted(found)))
    named, names = _further(named, names, lambda found: partial(with_base, base=base_of_logarithms(found)))
    named, names = _further(named, names, lambda _: without_sizes)
    named, names = _further(named, names, lambda _: with_sizes_said)
    named, names = _further(named, names, lambda found: partial(with_labels_in_names, letters=labelled(found)))
    named, names = _further(named, names, lambda found: partial(as_cells, letters=told_cells(found)))
    named, names = _further(named, names, lambda _: without_remarks)
    named, names = _further(named, names, lambda found: partial(of_all_layers, said=examples(found)))
    named, names = _further(named, names, lambda _: partial(of_one_step, letter=now))
    names = replace(names, inputs=frozenset(named_samples(_statements(named))))
    named, names = _further(named, names, lambda _: partial(with_samples_above, letters=names.inputs))
    named, names = _further(named, names, lambda found: partial(with_numbers, names=numbered(found)))
    named, names = _further(named, names, lambda found: partial(without_everything, letters=everything(found)))
    sections = {section for section, *_ in named}
    drawn = {k: negative_letters(_statements([found for found in named if found[0] == k])) for k in sections}
    named = [changed(found, partial(with_negatives, letters=drawn[found[0]])) for found in named]
    units = numbered_units(_statements(named))
    return [_spelled(found, units) for found in named], names


def _further(
    parsed: list[Placed], names: Renamed, step: Callable[[list[Statement]], Callable[[Statement], Statement]]
) -> tuple[list[Placed], Renamed]:
    """The formulas after one more step, which is made from all of them, and how they are renamed by then."""
    change = step(_statements(parsed))
    return [changed(found, change) for found in parsed], replace(names, steps=(*names.steps, change))


def _statements(parsed: Sequence[Placed]) -> list[Statement]:
    return [statement for *_, found in parsed for statement in found.statements]


def _listed(placed: Placed, gates: Mapping[str, Node]) -> Placed:
    section, place, formula, found = placed
    statements = tuple(one for s in found.statements for one in of_components(s, gates))
    return section, place, formula, replace(found, statements=statements)


def _spelled(placed: Placed, units: Mapping[str, tuple[str, ...]]) -> Placed:
    section, place, formula, found = placed
    statements = tuple(one for s in found.statements for one in of_every_unit(s, units))
    return section, place, formula, replace(found, statements=statements)


def changed(placed: Placed, change: Callable[[Statement], Statement]) -> Placed:
    """A formula with its statements changed."""
    section, place, formula, found = placed
    return section, place, formula, replace(found, statements=tuple(map(change, found.statements)))
