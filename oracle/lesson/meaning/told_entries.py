r"""Entries that are told, and not computed: x_0 = 1 beside Σ_{i=0}^n w_{ji} x_i, whose w_{j0} are biases.

Where vectors are counted from 0, the entry 0 stands last in the nets.
"""

from dataclasses import replace

import torch

from oracle.lesson.meaning.notation import Notation, Ref
from oracle.lesson.meaning.values import Dim, Value
from oracle.lesson.syntax import Negative, Node, Number, Relation


def told_entry(body: Relation, notation: Notation) -> tuple[str, float] | None:
    """The name of a vector and its entry 0, of x_0 = 1 and of u_0 = x_0 = -1; None of any other statement."""
    if not notation.from_zero or {*body.ops} - {"=", ":="}:
        return None
    match body.items[0]:
        case Ref(base=base, subs=(Number(text="0"),)) if (base, 1) in notation.indexed:
            number = _number(body.items[-1])
            return None if number is None else (base, number)
    return None


def _number(node: Node) -> float | None:
    match node:
        case Number(text=text):
            return float(text.replace(",", ""))
        case Negative(body=Number(text=text)):
            return -float(text.replace(",", ""))
    return None


def with_entry(value: Value, number: float) -> Value:
    """A vector whose entry 0 is a number that is told."""
    if value.data is None or value.rank != 1 or value.names:
        return value
    told = torch.full((1,), number, dtype=torch.float64)
    return replace(value, data=torch.cat([value.data[:-1], told]))


def beside_entries(difference: Value, told: set[Dim]) -> Value:
    """A difference without what it is at entries that no equation computes: ∂E/∂v_{i0}, where h_0 = 1."""
    if difference.data is None:
        return difference
    data = difference.data
    for at, dim in enumerate((*difference.dims, *difference.shape)):
        if dim.root() in told:
            kept = (torch.arange(data.shape[at]) < data.shape[at] - 1).double()
            data = data * kept.reshape([-1 if k == at else 1 for k in range(data.dim())])
    return replace(difference, data=data)
