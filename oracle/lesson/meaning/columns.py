"""One sample of a batch: a^{(i)} is a column of A, dz^{(i)} one of dZ, or a row where samples are rows."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from oracle.lesson.meaning.naming import core
from oracle.lesson.meaning.notation import Ref
from oracle.lesson.meaning.program import Program
from oracle.lesson.meaning.values import Dim, NotUnderstoodError, Value
from oracle.lesson.syntax import Name, Node, Plus, Transpose


def columns(program: Program, kinds: Mapping[str, Iterable[tuple[str, ...]]]) -> dict[str, str]:
    """By name, the batch of which it is one sample, for names that a lesson has with a sample and never defines so."""
    heads = {d.head.base for d in program.definitions if "sample" in d.head.kinds}
    nodes = [node for d in program.definitions for node in (d.head, *d.body.walk())]
    nodes += [node for body in program.alternates.values() for node in body.walk()]
    whole = {node.base for node in nodes if isinstance(node, Ref) and "sample" not in node.kinds}
    whole |= {base for base, *_ in program.signals}
    found: dict[str, str] = {}
    for base, used in kinds.items():
        if base in heads or not any("sample" in slots for slots in used):
            continue
        batch = next((name for name in (_capital(base), base) if name in whole and _batch(name)), "")
        found |= {base: batch} if batch else {}
    return found


def _capital(base: str) -> str:
    """Z for z, dZ for dz, hat Y for hat y; the label as it is."""
    core, line, label = base.partition("_")
    return core[:-1] + core[-1:].upper() + line + label


def _batch(name: str) -> bool:
    return core(name)[-1:].isupper()


def turns_entries(*formulas: Node) -> bool:
    """Whether x_i^T is written: then x_i is no entry of a vector, but one of many vectors."""
    turned = [part.base for formula in formulas for part in formula.walk() if isinstance(part, Transpose)]
    return any(_counted(base) or (isinstance(base, Plus) and any(map(_counted, base.terms))) for base in turned)


def _counted(node: Node) -> bool:
    ones = isinstance(node, Ref) and core(node.base) in ("1", "bb 1")
    return isinstance(node, Ref) and len(node.subs) == 1 and isinstance(node.subs[0], Name) and not ones


def bare(ref: Ref, batch: str) -> Ref:
    """The whole batch."""
    return replace(ref, base=batch, slots=tuple(slot for slot in ref.slots if slot[0] != "sample"), subs=())


def axis(shape: tuple[Dim, ...]) -> int:
    """The place that counts samples: the one that no parameter has. Raises NotUnderstoodError where that is not one."""
    free = [k for k, dim in enumerate(shape) if not dim.root().of_parameter]
    if len(free) != 1:
        raise NotUnderstoodError("which axis counts the samples, nothing says")
    return free[0]


def sample(value: Value, number: int, places: int = 0) -> Value:
    """One sample of a value, or of the last `places` of its places (0: of all)."""
    first = value.rank - places if places else 0
    at = first + axis(value.shape[first:])
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
    }
    return found.pop() if len(found) == 1 else None
