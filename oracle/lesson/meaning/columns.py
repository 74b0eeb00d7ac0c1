"""One sample of a batch: a^{(i)} is a column of A, dz^{(i)} one of dZ, or a row where samples are rows."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from itertools import pairwise

from oracle.lesson.meaning.losses import LOSSES
from oracle.lesson.meaning.naming import core, letter
from oracle.lesson.meaning.notation import PARAMETER_LETTERS, Ref
from oracle.lesson.meaning.program import TARGETS, Definition, Program
from oracle.lesson.meaning.values import Dim, NotUnderstoodError, Value
from oracle.lesson.syntax import Derivative, Name, Node, Plus, Times, Transpose

GREEK = {"Delta", "Phi", "Psi"}


def columns(program: Program, kinds: Mapping[str, Iterable[tuple[str, ...]]]) -> dict[str, str]:
    """By name, the batch of which it is one sample, for names that a lesson has with a sample and never defines so."""
    heads = {d.head.base for d in program.definitions if "sample" in d.head.kinds}
    nodes = [node for d in program.definitions for node in (d.head, *d.body.walk())]
    nodes += [node for body in program.alternates.values() for node in body.walk()]
    whole = {node.base for node in nodes if isinstance(node, Ref) and "sample" not in node.kinds}
    whole |= {base for base, *_ in program.signals}
    if (
        samples_at(d.body for d in program.definitions) is not None
    ):  # what all targets are called need not stand in a forward equation
        whole |= {base for base, used in kinds.items() if letter(base) in TARGETS and () in used}
    found: dict[str, str] = {}
    for base, used in kinds.items():
        if base in heads or base in LOSSES or not any("sample" in slots for slots in used):
            continue
        names = (name for name in (capital(base), base) if name in whole)
        batch = next((name for name in names if is_batch(name) or of_batch(program, name.removeprefix("d"))), "")
        found |= {base: batch} if batch else {}
    return {**_singles(program, kinds, whole), **found} if found else {}


def without_columns(definitions: list[Definition], used: Collection[str]) -> list[Definition]:
    """Definitions without those of single samples, a^{(i)} = σ(z^{(i)}), in a section that has A = σ(Z)."""
    batches = {d.head.base for d in definitions if is_batch(d.head.base) and "sample" not in d.head.kinds}
    batches &= {base.removeprefix("d") for base in used} | {*used}
    return [d for d in definitions if "sample" not in d.head.kinds or capital(d.head.base) not in batches]


def _singles(program: Program, kinds: Mapping[str, Iterable[tuple[str, ...]]], whole: set[str]) -> dict[str, str]:
    """z, where the lesson has Z and z^{(i)} elsewhere: of any sample. The z of σ(z)_i = … is none of Z^{[l]}."""
    made = {d.head.base for d in program.definitions}
    named = [base for base in kinds if base not in made and letter(base) not in PARAMETER_LETTERS | LOSSES]
    layered = {base for base, used in kinds.items() if all("layer" in slots for slots in used)}
    pairs = [(base, capital(base)) for base in named if capital(base) not in layered or base in layered]
    return {base: batch for base, batch in pairs if batch in whole - {base} and is_batch(batch)}


def samples_at(bodies: Iterable[Node]) -> int | None:
    """The axis of a batch that counts its samples: the last where weights stand before it, the first where behind."""
    found = set[int]()
    for node in (part for body in bodies for part in body.walk()):
        for a, b in pairwise(node.factors) if isinstance(node, Times) else ():
            first, second = _weight(a), _weight(b)
            if first is not None and second is not None and first != second:
                found.add(1 if first else 0)
            elif _turned_batch(a) and _residuals(b):
                found.add(0)  # X^T (p - y) adds up rows
            elif _turned_batch(a) != _turned_batch(b) and False in (first, second):
                found.add(0 if _turned_batch(a) else 1)  # X^T E adds up rows, E X^T columns
    return found.pop() if len(found) == 1 else None


def _weight(node: Node) -> bool | None:
    """Whether a factor is a weight, or else a batch, or a partial by one; None of anything else."""
    match node:
        case Derivative(of=Ref(base=loss), wrt=(Ref() as by,)) if loss in LOSSES:
            node = by if letter(by.base) not in PARAMETER_LETTERS else node
    base = node.base if isinstance(node, Transpose) else node
    if not isinstance(base, Ref) or base.subs:
        return None
    if letter(base.base) in PARAMETER_LETTERS:
        return True
    return False if core(base.base)[-1:].isupper() and not isinstance(node, Transpose) else None


def _residuals(node: Node) -> bool:
    """Whether a factor is p - y, the difference of two vectors with an entry a sample."""
    return isinstance(node, Plus) and all(
        isinstance(term, Ref) and not term.subs and not term.slots and core(term.base)[-1:].islower()
        for term in node.terms
    )


def _turned_batch(node: Node) -> bool:
    """Whether a factor is X^T."""
    base = node.base if isinstance(node, Transpose) else None
    return (
        isinstance(base, Ref) and not base.subs and is_batch(base.base) and letter(base.base) not in PARAMETER_LETTERS
    )


def capital(base: str) -> str:
    """Z for z, dZ for dz, hat Y for hat y; the label as it is."""
    core, line, label = base.partition("_")
    whole = core.capitalize() if core.capitalize() in GREEK else core[:-1] + core[-1:].upper()
    return whole + line + label


def of_batch(program: Program, base: str) -> bool:
    """Whether a quantity is made of a batch, as the z of z = W A + b is."""
    bodies = (d.body for d in program.definitions if d.head.base == base and base not in LOSSES)
    refs = (part for body in bodies for part in body.walk() if isinstance(part, Ref) and "sample" not in part.kinds)
    return any(is_batch(ref.base) and letter(ref.base) not in {*PARAMETER_LETTERS, *TARGETS} for ref in refs)


def is_batch(name: str) -> bool:
    """Whether a name is a capital, and no loss's: the Z of all samples, and Δ."""
    return (core(name)[-1:].isupper() or name in GREEK) and name not in LOSSES


def turns_entries(*formulas: Node) -> bool:
    """Whether x_i^T is written: then x_i is no entry of a vector, but one of many vectors."""
    turned = [part.base for formula in formulas for part in formula.walk() if isinstance(part, Transpose)]
    return any(_counted(base) or (isinstance(base, Plus) and any(map(_counted, base.terms))) for base in turned)


def _counted(node: Node) -> bool:
    single = isinstance(node, Ref) and len(node.subs) == 1 and isinstance(node.subs[0], Name)
    return single and isinstance(node, Ref) and core(node.base) not in {*PARAMETER_LETTERS, "1", "bb 1"}


def bare(ref: Ref, batch: str) -> Ref:
    """The whole batch."""
    return replace(ref, base=batch, slots=tuple(slot for slot in ref.slots if slot[0] != "sample"), subs=())


def axis(shape: tuple[Dim, ...], at: int | None = None) -> int:
    """The place that counts samples: the one that no parameter has. Raises NotUnderstoodError where that is not one.

    `at` is the place in the lesson's other batches.
    """
    free = [k for k, dim in enumerate(shape) if not dim.root().of_parameter]
    if len(free) > 1 and at is not None and at < len(shape):
        return at
    if len(free) != 1:
        raise NotUnderstoodError("which axis counts the samples, nothing says")
    return free[0]


def sample(value: Value, number: int, at: int) -> Value:
    """One sample of a value whose place `at` counts samples."""
    data = value.data
    if data is not None:
        data = data.select(len(value.names) + at, min(number, data.shape[len(value.names) + at]) - 1)
    return Value(data, value.names, value.dims, value.shape[:at] + value.shape[at + 1 :])


def batch_of(program: Program) -> Dim | None:
    """The dimension of the samples; None where batches have none in common."""
    found = {
        dim.root()
        for shape in program.shapes.values()
        if len(shape) == 2
        for dim in shape
        if not dim.root().of_parameter and dim.root().met > 1
    } or _by_place(program)
    return found.pop() if len(found) == 1 else None


def _by_place(program: Program) -> set[Dim]:
    """The axes that count samples by where they stand, in a lesson without a loss: the second of A in W A."""
    at = program.samples_at
    batches = [shape for (base, *_), shape in program.shapes.items() if len(shape) == 2 and is_batch(base)]
    dims = {shape[at].root() for shape in batches} if at is not None else set()
    return {dim for dim in dims if not dim.of_parameter}
