r"""Values with two kinds of axes: free indices (the k of y_k) and the places of a vector or matrix (the rows of W).

A dimension is a `Dim`; dimensions are one when a lesson's forward equations make them one, and all others have
different sizes in every net, so that a product which conforms does so for a reason.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import torch

Tensor = torch.Tensor


class IllTypedError(Exception):
    """The formula cannot mean anything: its indices or shapes disagree. The text says which."""

    culprit: object = None
    """The definition in which it was met."""


class FreeIndexError(IllTypedError):
    """An index that the left side does not have: wrong whatever the symbols are."""


class NotUnderstoodError(Exception):
    """The formula may mean something, but nobody here knows what. The text says why."""

    culprit: object = None
    """The definition in which it was met."""


class UndefinedError(NotUnderstoodError):
    """A symbol that nothing defines."""

    def __init__(self, base: str) -> None:
        super().__init__(f"{base} is never defined, and no forward equation uses it")
        self.base = base


class BeyondError(Exception):
    """A layer, sample or step that the net does not have."""


REFUSED = (BeyondError, IllTypedError, NotUnderstoodError)
"""Why a net has no value for a formula."""


@dataclass(eq=False)
class Dim:
    """A dimension: union-find, so that two become one."""

    name: str
    of_parameter: bool = False
    up: "Dim | None" = None
    parts: "tuple[Dim, ...]" = ()
    """Those that it is made of, where vectors are put one after another."""
    met: int = 1
    """How many dimensions have become this one: one that never met another is not known well."""
    mate: "Dim | None" = None
    """The other axis of a matrix: where that is known, both are."""
    open: bool = False
    """Whether it is as large as what it meets: the columns of v 1ᵀ, all of them v."""

    @property
    def known(self) -> bool:
        """Whether the forward equations say which dimension this is."""
        root = self.root()
        return root.met > 1 or (root.mate is not None and root.mate.root().met > 1)

    def root(self) -> "Dim":
        """The dimension that this one is by now."""
        while self.up is not None:
            self = self.up
        return self


@dataclass(frozen=True)
class Window:
    """Positions that are those of several others together, counted from the sum of their firsts and a number."""

    of: Dim
    parts: tuple[Dim, ...]
    number: int
    strides: tuple[int, ...] = ()
    """How many positions each of a part has, where that is not one."""

    def stepped(self) -> "Iterator[tuple[Dim, int]]":
        """The parts, with the positions that each of them has."""
        yield from zip(self.parts, self.strides or (1,) * len(self.parts), strict=True)

    @property
    def wide(self) -> bool:
        """Whether there are strides."""
        return any(step > 1 for step in self.strides)


@dataclass(frozen=True)
class Area:
    """A dimension that is all places of a matrix, those of its last axis the outermost."""

    made: Dim
    shape: tuple[Dim, ...]


def unite(a: Dim, b: Dim) -> None:
    """Make two dimensions one."""
    a, b = a.root(), b.root()
    if a is not b:
        b.up = a
        a.of_parameter |= b.of_parameter
        a.parts = a.parts or b.parts
        for part, other in zip(a.parts, b.parts, strict=False):
            unite(part, other)
        a.met += b.met


def one(a: Dim, b: Dim) -> bool:
    """Whether two dimensions are one."""
    return a.root() is b.root()


def units(shape: tuple[Dim, ...]) -> int:
    """Along which of the last axes a batch has its units: the one that a parameter has too; else the last."""
    samples = [k for k, dim in enumerate(shape) if not dim.root().of_parameter]
    return -2 if len(shape) == 2 and samples == [1] else -1


@dataclass(frozen=True)
class Route:
    """From which quantity to which a partial leads: what a chain of partials is joined by."""

    of: object
    wrt: object
    rank: int
    """How many of the last places are those of `wrt`."""


@dataclass(frozen=True)
class Value:
    """`data` has the axes of `names`, then those of `shape`; None while dimensions are inferred."""

    data: Tensor | None
    names: tuple[str, ...] = ()
    dims: tuple[Dim, ...] = ()
    """Of `names`."""
    shape: tuple[Dim, ...] = ()
    row: bool = False
    """A vector that was transposed."""
    way: Route | None = None
    ones: bool = False
    """A vector of ones, of the length that its neighbour wants, `data` times."""
    eye: bool = False
    """A number of times the identity, which is as large as its neighbour wants."""

    @property
    def rank(self) -> int:
        return len(self.shape)

    def plain(self) -> "Value":
        """Without its history."""
        return replace(self, way=None, row=False)


def mapped(f: Callable[[Tensor], Tensor], a: Value) -> Value:
    """f of every entry."""
    return replace(a.plain(), data=None if a.data is None else f(a.data), row=a.row)
