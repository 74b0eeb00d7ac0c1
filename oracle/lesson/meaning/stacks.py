r"""Batches of what is computed one by one: the columns or rows of X are the x^{(i)}, those of Y y^{(i)}."""

from collections.abc import Iterable, Mapping

import torch

from oracle.lesson.meaning.columns import is_batch
from oracle.lesson.meaning.losses import LOSSES
from oracle.lesson.meaning.naming import letter
from oracle.lesson.meaning.notation import PARAMETER_LETTERS, Ref
from oracle.lesson.meaning.program import Definition, Program
from oracle.lesson.meaning.values import Dim, NotUnderstoodError, Value
from oracle.lesson.syntax import Node, Quotient, Sum

COUNTS = ("m", "N", "n")
"""Names of the number of samples."""


def stacks(program: Program, kinds: Mapping[str, Iterable[tuple[str, ...]]]) -> dict[str, str]:
    """By batch, the sample that it is made of: where only that is computed, and something is of all samples."""
    heads = {d.head.base for d in program.definitions}
    forward = heads | {ref.base for d in program.definitions for ref in _refs(d.body)}
    signals = {base for base, *_ in program.signals}
    found: dict[str, str] = {}
    for base in kinds if program.notation.samples_at is not None else ():
        one, known = small(base), letter(base) not in PARAMETER_LETTERS
        partial = base not in signals and one in signals
        if known and is_batch(base) and base not in heads and (partial or one in forward - program.shared - LOSSES):
            found[base] = one
    twice = any(is_batch(base) and small(base) in heads for base in heads)
    return found if found and not twice and any(_of_all(d, found) for d in program.definitions) else {}


def small(base: str) -> str:
    """z for Z, hat y for hat Y; the label as it is."""
    core, line, label = base.partition("_")
    return core[:-1] + core[-1:].lower() + line + label


def _refs(body: Node) -> Iterable[Ref]:
    return (part for part in body.walk() if isinstance(part, Ref))


def _of_all(d: Definition, found: Mapping[str, str]) -> bool:
    """Whether a definition adds up samples, or has a batch of them."""
    sums = [part for part in d.body.walk() if isinstance(part, Sum)]
    slots = [slot for total in sums for ref in _refs(total.body) for slot in ref.slots]
    added = any(kind == "sample" and at in total.indices for total in sums for kind, at in slots)
    return added or any(ref.base in found for ref in _refs(d.body))


def unstacked(program: Program) -> set[Ref]:
    r"""What is made of a \hat X of which nobody knows that it is all \hat x, and only \hat x is computed."""
    heads = {d.head.base for d in program.definitions}
    open_to = {base for base in (ref.base for d in program.definitions for ref in _refs(d.body)) if base not in heads}
    open_to = {base for base in open_to if is_batch(base) and small(base) in heads and base not in program.aliases}
    return {d.head for d in program.definitions if any(ref.base in open_to for ref in _refs(d.body))}


def divisors(program: Program) -> set[str]:
    """The n of a mean over samples, by which their sum is divided."""
    means = [d.body for d in program.definitions if _of_all(d, {})]
    quotients = [part.under for body in means for part in body.walk() if isinstance(part, Quotient)]
    return {ref.base for under in quotients for ref in _refs(under) if ref.base in COUNTS and not ref.slots}


def numbers(program: Program, kinds: Iterable[str]) -> set[str]:
    """What the number of samples is called in a lesson of batches."""
    used = {ref.base for d in program.definitions for ref in _refs(d.body)}
    heads = {d.head.base for d in program.definitions if d.number}
    named = [base for base in COUNTS if base in used] or [base for base in COUNTS if base in kinds]
    return {*named[:1]} - heads


def stacked(samples: list[Value], batch: Dim, at: int) -> Value:
    """Samples side by side, along a new axis `at`. Raises NotUnderstoodError where a sample is a matrix."""
    first = samples[0]
    if first.rank > 1 or first.names:
        raise NotUnderstoodError("a batch of what is no vector")
    at = min(at, first.rank)
    shape = (*first.shape[:at], batch, *first.shape[at:])
    data = [value.data for value in samples if value.data is not None]
    return Value(torch.stack(data, at) if data else None, (), (), shape)
