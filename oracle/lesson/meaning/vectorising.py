r"""Matrices written as one vector: f = vec(A), flatten(A), and back again: reshape(∂L/∂f).

The dimension of such a vector is as large as rows times columns, and the same wherever the same two meet.
"""

from dataclasses import dataclass, replace
from math import prod

from oracle.lesson.meaning.convolving import Convolving
from oracle.lesson.meaning.program import Env
from oracle.lesson.meaning.values import Area, Dim, NotUnderstoodError, Value, one, unite
from oracle.lesson.syntax import Call, Name

FLATTENS = {"vec", "flatten", "Flatten", "flat"}
"""What writes a matrix column by column."""
SHAPES = {"reshape", "Reshape", "unvec", "unflatten", "mat"}
"""What makes the matrix again."""


@dataclass
class Vectorising(Convolving):
    """A net whose matrices can be written as vectors."""

    def call(self, node: Call, env: Env) -> Value:
        match node:
            case Call(function=Name(base=base), args=(arg, *_)) if base in FLATTENS | SHAPES and self.is_bare(base):
                value = self.value(arg, env)
                return self.flattened(value) if base in FLATTENS else self.reshaped(value)
        return super().call(node, env)

    def flattened(self, value: Value) -> Value:
        """A matrix as a vector, column by column."""
        if value.rank < 2:
            return replace(value.plain(), row=False)
        shape = value.shape[::-1]
        area = next((known for known in self.program.areas if _alike(known.shape, shape)), None)
        if area is None:
            area = Area(Dim(" by ".join(dim.name for dim in shape), met=2), shape)
            self.program.areas.append(area)
        for other in self.program.areas:
            if other is not area and _alike(other.shape, shape):
                unite(area.made, other.made)
        first, count = len(value.names), value.rank
        data = value.data
        if data is not None:
            data = data.permute((*range(first), *reversed(range(first, first + count)))).flatten(first)
        return Value(data, value.names, value.dims, (area.made,))

    def reshaped(self, value: Value) -> Value:
        """A vector as the matrix that it was made of."""
        area = self.area(value.shape[0]) if value.rank == 1 else None
        if area is None:
            raise NotUnderstoodError("a vector that was made of no matrix")
        first, count = len(value.names), len(area.shape)
        data = value.data
        if data is not None:
            data = data.unflatten(first, tuple(map(self.size, area.shape)))
            data = data.permute((*range(first), *reversed(range(first, first + count))))
        return Value(data, value.names, value.dims, area.shape[::-1])

    def area(self, dim: Dim) -> Area | None:
        """Of which places a dimension is."""
        return next((known for known in self.program.areas if one(known.made, dim)), None)

    def size(self, dim: Dim) -> int:
        """How large a dimension is; of all places of a matrix as many as there are."""
        area = self.area(dim)
        return prod(map(self.size, area.shape)) if area else super().size(dim)


def _alike(shape: tuple[Dim, ...], other: tuple[Dim, ...]) -> bool:
    return len(shape) == len(other) and all(one(p, q) for p, q in zip(shape, other, strict=True))
