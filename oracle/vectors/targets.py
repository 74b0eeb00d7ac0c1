"""The faults that a set is to catch, and which of them an answer to a question shows.

A fault of the vocabulary is a planted bug (`oracle.seeds`) all of whose operators are in it, or that sits in no
operator: in the walk over the graph, in the finished answer, in state between two calls. Step 5 is no part of a vector.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from msgspec.structs import replace

from oracle.seeds import SEEDS, Seed
from oracle.spec import Array, Case, Tensors
from oracle.subjects import Subject, resolve
from oracle.vectors.certifying import held
from oracle.vectors.drawing import features
from oracle.vectors.records import Dtype

NOT_SHOWN = {
    "G112": "Writing into an error signal does harm where two tensors share its memory: below an Add, which is not in "
    "the vocabulary.",
    "P105": "The numbers are right and only their type in memory is wrong, which JSON does not carry.",
}
"""Why no answer in this vocabulary shows a fault; for the seeds that no vector catches."""


def targets(operators: frozenset[str]) -> tuple[Seed, ...]:
    """The planted bugs of a vocabulary."""
    return tuple(s for s in SEEDS if s.profile != "updates" and set(s.ops.split()) <= operators)


def touches(seed: Seed, case: Case) -> bool:
    """Whether a case has an operator that the bug sits in."""
    return not seed.ops or any(node.op in seed.ops.split() for node in case.nodes)


def ask(subject: Subject, case: Case) -> Tensors | None:
    """The loss (called "") and the gradients that a subject answers to a copy of a case; None if it raises."""
    try:
        with np.errstate(all="ignore"):
            answer = subject.call(copied(case))
    except Exception:  # a planted bug may raise what it likes; that is its answer
        return None
    return {"": np.asarray(answer.loss), **{name: np.asarray(g) for name, g in answer.gradients.items()}}


def copied(case: Case) -> Case:
    """A case whose arrays a subject may overwrite."""
    groups = {
        part: {n: x.copy() for n, x in getattr(case, part).items()} for part in ("inputs", "parameters", "buffers")
    }
    return replace(case, **groups)


def spelled(answer: Tensors) -> dict[str, Any]:
    """An answer as plain JSON values."""
    return {"loss": answer[""].tolist(), "gradients": {name: g.tolist() for name, g in answer.items() if name}}


FAR: dict[Dtype, tuple[float, float]] = {"float64": (1e-9, 1e-14), "float32": (1e-3, 1e-5)}
"""Beyond this, relative to an entry and to the largest number about, an answer is surely another one. It is a rule for
choosing alone: what is chosen is held against proven bounds, and the rounding of its own case, in the end.
"""


@dataclass(frozen=True)
class Right:
    """A question with the reference's answer, to choose by."""

    case: Case
    answer: Tensors

    @classmethod
    def of(cls, case: Case) -> "Right | None":
        """The reference's answer, if it is finite."""
        answer = ask(resolve("reference"), case)
        return cls(case, answer) if answer and all(np.isfinite(x).all() for x in answer.values()) else None

    @cached_property
    def largest(self) -> float:
        """The largest number about."""
        tensors = (*self.case.inputs.values(), *self.case.parameters.values(), *self.answer.values())
        return max(float(np.abs(x).max(initial=0)) for x in tensors)

    @cached_property
    def dtypes(self) -> list[Dtype]:
        """The dtypes that hold the question."""
        return held(self.case)

    def differs(self, answer: Tensors | None, dtype: Dtype = "float64") -> bool:
        """Whether an answer is surely another one."""
        if answer is None or answer.keys() != self.answer.keys():
            return True
        return any(self._apart(answer[name], y, *FAR[dtype]) for name, y in self.answer.items())

    def _apart(self, x: Array, y: Array, of_entry: float, of_largest: float) -> bool:
        if x.shape != y.shape:
            return True
        with np.errstate(all="ignore"):
            return not bool((np.abs(x - y) <= of_entry * np.abs(y) + of_largest * self.largest).all())


Worth = tuple[str, int | str]
"""What a set is to have: ("float32", 3) is bug 3, shown in float32; ("meets", "Tanh") an operator or an option."""


def worth(seeds: Sequence[Seed], right: Right, only: Iterable[int] | None = None) -> Iterator[Worth]:
    """What a question, asked alone, meets and shows: of all the bugs, or of some."""
    yield from (("meets", feature) for feature in features(right.case))
    for k in range(len(seeds)) if only is None else only:
        if touches(seeds[k], right.case) and right.differs(answer := ask(seeds[k].plant(), right.case)):
            yield from ((dtype, k) for dtype in right.dtypes if right.differs(answer, dtype))
