r"""Vectors put one after another: the [h_{t-1}, x_t] that the gates of a recurrent net take.

A dimension made of others is as large as they are together, and the same wherever the same are put together.
"""

import torch

from oracle.lesson.meaning.program import Program
from oracle.lesson.meaning.values import Dim, NotUnderstoodError, Value, one

JOINED = "joined"
"""The name of the function in formulas that are read."""


def joined(program: Program, parts: list[Value]) -> Value:
    """The vectors as one. Raises NotUnderstoodError for anything but vectors without free indices."""
    if any(part.rank != 1 or part.names for part in parts):
        raise NotUnderstoodError("something other than vectors is put one after another")
    dims = tuple(part.shape[0] for part in parts)
    data = [part.data for part in parts if part.data is not None]
    whole = torch.cat(data) if len(data) == len(parts) else None
    return Value(whole, shape=(_dimension(program, dims),))


def _dimension(program: Program, dims: tuple[Dim, ...]) -> Dim:
    for made in program.joins:
        if len(made.parts) == len(dims) and all(one(p, q) for p, q in zip(made.parts, dims, strict=True)):
            return made
    program.joins.append(Dim(" and ".join(dim.name for dim in dims), parts=dims))
    return program.joins[-1]
