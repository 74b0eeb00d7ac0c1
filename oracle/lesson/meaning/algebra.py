r"""What is done with values: sums, products, transposes, entries, and the dimensions that these make one.

The same operations infer (no `data`, dimensions are united) and evaluate (with `data`, dimensions must be equal).
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

import torch

from oracle.lesson.meaning.layouts import turned
from oracle.lesson.meaning.repeating import repeated
from oracle.lesson.meaning.values import (
    Dim,
    IllTypedError,
    NotUnderstoodError,
    Route,
    Tensor,
    Value,
    one,
    unite,
)  # fmt: skip
from oracle.lesson.syntax import Node


@dataclass
class Algebra:
    """The operations. `infer` unites dimensions where the notation demands it, else a difference is `IllTypedError`."""

    infer: bool = False
    pairs: str = "strict"
    """Two column vectors side by side: "strict" (no product), "elementwise" or "dot"."""
    rows: bool = False
    """Whether a forward equation has a vector before a matrix: then samples are rows, and xᵀ δ is an outer product."""

    flat: bool = False
    """Whether a vector as it stands is a row, and xᵀ a column."""
    across: bool = False
    """Whether the samples of a batch may be columns: what has one entry for each of them is a row."""
    layout: str = ""
    """How partials are laid out: `layouts`."""

    # -- dimensions

    def same(self, a: Dim, b: Dim, what: str) -> Dim:
        if one(a, b) or b.open:
            return a
        if a.open:
            return b
        if not self.infer and not (a.known and b.known):
            raise NotUnderstoodError(f"{what}: no forward equation relates {a.name} and {b.name}")
        if not self.infer:
            raise IllTypedError(f"{what}: {a.name} against {b.name}")
        unite(a, b)
        return a

    def union(self, values: Iterable[Value], what: str) -> tuple[tuple[str, ...], tuple[Dim, ...]]:
        """All free indices of some values, in order."""
        found: dict[str, Dim] = {}
        for value in values:
            for name, dim in zip(value.names, value.dims, strict=True):
                if name in found:
                    self.same(found[name], dim, f"index {name} in {what}")
                found.setdefault(name, dim)
        return tuple(found), tuple(found.values())

    # -- alignment

    @staticmethod
    def spread(value: Value, names: tuple[str, ...]) -> Tensor | None:
        """Data with an axis for each of `names` (of size 1 where the value has none), then the places."""
        if value.data is None:
            return None
        order = [value.names.index(n) for n in names if n in value.names]
        data = value.data.permute((*order, *range(len(value.names), value.data.dim())))
        at = iter(range(len(order)))
        shape = [data.shape[next(at)] if n in value.names else 1 for n in names]
        return data.reshape((*shape, *data.shape[len(order) :]))

    def elementwise(self, f: Callable[..., Tensor], a: Value, b: Value, what: str) -> Value:
        """f(a, b) entry by entry; a vector beside a matrix is repeated along the samples."""
        ones, a, b = a.ones and b.ones, replace(a, ones=False), replace(b, ones=False)
        a, b = self.laid_out(a, b), self.laid_out(b, a)
        names, dims = self.union((a, b), what)
        left, right = self.spread(a, names), self.spread(b, names)
        if a.rank and b.rank and a.rank != b.rank:
            if max(a.rank, b.rank) > 3:
                raise NotUnderstoodError(f"{what} with partials of a matrix by a matrix, which have four axes")
            if a.rank > 2 or b.rank > 2:
                raise IllTypedError(f"{what} of {a.rank} and {b.rank} axes")
            matrix, vector = (a, b) if a.rank > b.rank else (b, a)
            along = self._along(matrix, vector, what)
            if vector is a:
                left = _place(left, along)
            else:
                right = _place(right, along)
            shape = matrix.shape
        elif a.rank and b.rank:
            shape = tuple(self.same(p, q, what) for p, q in zip(a.shape, b.shape, strict=True))
        else:
            shape = a.shape or b.shape
            left, right = _grow(left, len(shape) - a.rank), _grow(right, len(shape) - b.rank)
        data = None if left is None or right is None else f(left, right)
        row = (a.row or not a.rank) and (b.row or not b.rank) and (len(shape) == 1 or ones)
        return Value(data, names, dims, shape, row, ones=ones, eye=(a.eye or b.eye) and not shape)

    def laid_out(self, value: Value, beside: Value) -> Value:
        """An identity as the matrix that stands beside it needs it."""
        if not value.eye or beside.rank != 2:
            return value
        self.same(beside.shape[0], beside.shape[1], "an identity")
        eye = None if beside.data is None else torch.eye(beside.data.shape[-1], dtype=torch.float64)
        data = None if value.data is None or eye is None else value.data[..., None, None] * eye
        return Value(data, value.names, value.dims, beside.shape)

    def _along(self, matrix: Value, vector: Value, what: str) -> int:
        (n,) = vector.shape
        rows, columns = matrix.shape
        if one(n, columns) or one(n, rows):
            return 1 if one(n, columns) else 0
        if not self.infer:
            raise IllTypedError(f"{what}: {n.name} fits neither axis of a matrix of {rows.name} by {columns.name}")
        along = 0 if rows.root().of_parameter and not columns.root().of_parameter else 1
        unite(matrix.shape[along], n)
        return along

    def add(self, a: Value, b: Value, sign: int) -> Value:
        """a + b or a - b; a vector beside one entry (W a + b_j) is meant entry by entry."""
        if a.eye != b.eye and not (a.rank and b.rank) and {a.rank, b.rank} != {0, 2}:
            raise NotUnderstoodError("an identity matrix beside what is no matrix")
        if a.rank == 1 and not b.rank:
            a = self._entries(a, b)
        elif b.rank == 1 and not a.rank:
            b = self._entries(b, a)
        return self.elementwise(torch.add if sign > 0 else torch.sub, a, b, "a sum" if sign > 0 else "a difference")

    def _entries(self, vector: Value, entry: Value) -> Value:
        fits = [n for n, d in zip(entry.names, entry.dims, strict=True) if one(d, vector.shape[0])]
        return self.named(vector, (fits[0],)) if len(fits) == 1 and fits[0] not in vector.names else vector

    # -- products

    def multiply(self, a: Value, b: Value, op: str) -> Value:
        """a op b: scalars scale; juxtaposed matrices and vectors are a matrix product, with ⊙ elementwise."""
        if a.ones or b.ones:
            return self._with_ones(a, b)
        if not a.rank or not b.rank:
            if op != "odot":  # I x is x
                a, b = (replace(v, eye=v.eye and not o.rank) for v, o in ((a, b), (b, a)))
            out = self.elementwise(torch.mul, a, b, "a product")
            return replace(
                out,
                row=a.row or b.row,
                way=(a.way if not b.rank and not b.names else None) or (b.way if not a.rank and not a.names else None),
            )
        if op == "odot":
            return self.elementwise(torch.mul, a, b, "an elementwise product")
        if (
            op in ("*", "times", "cdot")
            and a.rank == b.rank == 2
            and self._fit(a, b)
            and not one(a.shape[1], b.shape[0])
        ):
            return self.elementwise(torch.mul, a, b, "an elementwise product")
        vectors = self.infer and a.rank == b.rank == 1
        if op == "*" and a.rank == b.rank and (vectors or self._fit(a, b)) and not (a.row or b.row):
            return self.elementwise(torch.mul, a, b, "an elementwise product")
        if op == "@" and a.rank == b.rank == 1 and not b.row:
            self.same(a.shape[0], b.shape[0], "an inner product")
            return self._matrix(replace(a, row=True), b)
        if op == "otimes" and a.rank == b.rank == 1:
            return self._matrix(a, replace(b, row=True))
        return self._matrix(a, b)

    def times(self, a: Value, b: Value, op: str) -> Value:
        """a op b, two partials in whichever order they make a chain."""
        return self.joined(a, b) or self.multiply(a, b, op)

    def joined(self, a: Value, b: Value) -> Value | None:
        """∂A/∂B ∂B/∂C: contracted over all of B, whichever stands first; so too what stands for ∂A/∂B before ∂B/∂C."""
        if not (a.rank or b.rank):
            return None
        for first, second in ((a, b), (b, a)):
            one_way, other = first.way, second.way
            if one_way and other and one_way.wrt == other.of:
                first, second = turned(first, self.layout), turned(second, self.layout)
                chain = self._contracted(first, second, one_way.rank, Route(one_way.of, other.wrt, other.rank))
                return chain and turned(chain, self.layout)
            if (
                other
                and (not one_way or isinstance(other.of, Node))
                and second.rank > 2
                and self._leads(first, second, second.rank - other.rank)
            ):
                return self._contracted(first, second, first.rank, None)
        return None

    @staticmethod
    def _leads(a: Value, b: Value, k: int) -> bool:
        """Whether all places of a are the first k of b."""
        return a.rank == k and all(one(p, q) for p, q in zip(a.shape, b.shape, strict=False))

    def _contracted(self, a: Value, b: Value, k: int, way: Route | None) -> Value | None:
        """The sum over the last k places of a and the first k of b."""
        if k == 0 or a.rank < k or b.rank < k:
            return None
        names, dims = self.union((a, b), "a chain of partials")
        left, right = self.spread(a, names), self.spread(b, names)
        data = None
        if left is not None and right is not None:
            n = len(names)
            lead = [max(p, q) for p, q in zip(left.shape[:n], right.shape[:n], strict=True)]
            left, right = left.expand(*lead, *left.shape[n:]), right.expand(*lead, *right.shape[n:])
            inner = left.shape[left.dim() - k :].numel()
            rows, columns = left.shape[n : left.dim() - k], right.shape[n + k :]
            data = left.reshape((*lead, rows.numel(), inner)) @ right.reshape((*lead, inner, columns.numel()))
            data = data.reshape((*lead, *rows, *columns))
        return Value(data, names, dims, a.shape[: a.rank - k] + b.shape[k:], way=way)

    def repeated(self, a: Value, times: int) -> Value:
        """A square matrix to a power, or its inverse: diag(y)^{-1}."""
        if times < -1:
            raise NotUnderstoodError("a negative power of a matrix")
        if times < 0 and not self.infer and not one(a.shape[0], a.shape[1]):
            raise NotUnderstoodError(f"the inverse of a matrix of {a.shape[0].name} by {a.shape[1].name}")
        self.same(a.shape[0], a.shape[1], "a power of a matrix")
        data = None if a.data is None else torch.linalg.matrix_power(a.data, times)
        return replace(a.plain(), data=data)

    def _with_ones(self, a: Value, b: Value) -> Value:
        """A 1 sums the rows of A, 1ᵀ A its columns, 1ᵀ v all of v; c 1 is c everywhere, v 1ᵀ and 1 b repeat v and b."""
        ones, value = (b, a) if b.ones else (a, b)
        if not value.rank and not value.ones:
            return replace(self.elementwise(torch.mul, ones, value, "a product"), ones=True, row=ones.row)
        column = a.row == self.flat and (b.row != self.flat or (a.ones and b.rank == 1))
        if column and max(a.rank, b.rank) < 2:
            return repeated(self.elementwise(torch.mul, a, b, "a product"), a, b)
        along = -1 if b.ones else -min(b.rank, 2)
        if not value.rank:
            raise NotUnderstoodError("a product of ones whose number nothing says")
        shape = value.shape[:-1] if along == -1 else value.shape[:-2] + value.shape[-1:]
        data = None if value.data is None else value.data.sum(along)
        row = a.ones and a.row and not self.flat and len(shape) == 1
        scale = replace(ones, ones=False, row=False)
        return replace(
            self.elementwise(torch.mul, Value(data, value.names, value.dims, shape), scale, "a product"), row=row
        )

    @staticmethod
    def _fit(a: Value, b: Value) -> bool:
        return all(one(p, q) for p, q in zip(a.shape, b.shape, strict=True))

    def _matrix(self, a: Value, b: Value) -> Value:
        if a.rank > 2 or b.rank > 2:
            three = "a product with the partials of a vector by a matrix, which has three axes"
            raise NotUnderstoodError(three) if a.names or b.names else IllTypedError(three)
        names, dims = self.union((a, b), "a product")
        left, right = self.spread(a, names), self.spread(b, names)
        what = "a matrix product"
        if a.rank == b.rank == 1:
            return self._vectors(a, b, names, dims, left, right)
        if a.rank == 2 and b.rank == 2:
            self.same(a.shape[1], b.shape[0], what)
            return Value(_mm(left, right), names, dims, (a.shape[0], b.shape[1]))
        if a.rank == 2:
            if b.row != self.flat and not self.infer and not one(a.shape[1], b.shape[0]):
                raise IllTypedError(f"{what}: a matrix of {a.shape[0].name} by {a.shape[1].name} before a row")
            self.same(a.shape[1], b.shape[0], what)
            return Value(_mm(left, _grow(right, 1), 1), names, dims, (a.shape[0],), row=self.flat)
        self.same(a.shape[0], b.shape[0], what)
        self.rows |= self.infer and not a.row
        return Value(_mm(_place(left, 1), right, 2), names, dims, (b.shape[1],), row=a.row)

    def _vectors(self, a: Value, b: Value, names: Any, dims: Any, left: Any, right: Any) -> Value:
        (p,), (q,) = a.shape, b.shape
        if self.flat:
            a, b = replace(a, row=not a.row), replace(b, row=not b.row)
        inner = self.pairs == "rows" and one(p, q)
        outer = (b.row and not a.row and not inner) or (
            a.row and not b.row and not one(p, q) and self.rows and not self.infer
        )
        outer |= self.across and not (a.row or b.row or self.infer) and p.root().of_parameter > q.root().of_parameter
        if outer:
            data = None if left is None else left.unsqueeze(-1) * right.unsqueeze(-2)
            return Value(data, names, dims, (p, q))
        if b.row and not a.row and inner:
            return Value(None if left is None else (left * right).sum(-1), names, dims)
        if a.row and not b.row:
            self.same(p, q, "an inner product")
            return Value(None if left is None else (left * right).sum(-1), names, dims)
        if one(p, q) and (self.pairs == "elementwise" or _single(left, right)):
            return Value(None if left is None else left * right, names, dims, (p,))
        if (one(p, q) or self.infer) and self.pairs == "dot":
            self.same(p, q, "an inner product")
            return Value(None if left is None else (left * right).sum(-1), names, dims)
        raise IllTypedError(f"two vectors side by side, of {p.name} and of {q.name}, make no product without ⊙ or ᵀ")

    @staticmethod
    def diagonal(a: Value) -> Value | None:
        """The diagonal of what has every axis twice, and nothing beside it: of ∂a/∂z, ∂A/∂Z; None of other values."""
        half = a.rank // 2
        if a.rank not in (2, 4) or a.names or a.data is None or not all(map(one, a.shape[:half], a.shape[half:])):
            return None
        size = a.data[(0,) * half].numel()
        square = a.data.reshape(size, size)
        alone = torch.diagonal(square)
        if float((square - torch.diag(alone)).abs().max()) > 0:
            return None
        return Value(alone.reshape(a.data.shape[:half]), shape=a.shape[:half])

    def transpose(self, a: Value) -> Value:
        if a.rank == 2:
            return replace(a.plain(), data=None if a.data is None else a.data.mT, shape=a.shape[::-1])
        if a.rank == 1 or a.ones:
            return replace(a.plain(), row=not a.row)
        return a

    # -- sums and entries

    def total(self, a: Value, name: str) -> Value:
        """Σ over a free index."""
        at = a.names.index(name)
        return Value(
            None if a.data is None else a.data.sum(at),
            a.names[:at] + a.names[at + 1 :], a.dims[:at] + a.dims[at + 1 :], a.shape, a.row,
        )  # fmt: skip

    def named(self, a: Value, names: tuple[str, ...]) -> Value:
        """The places of a vector or matrix as free indices: z, (j,) -> z_j. An index twice is the diagonal."""
        out = Value(a.data, a.names, a.dims, a.shape)
        for name in names:
            out = self._name_first(out, name)
        return out

    def _name_first(self, a: Value, name: str) -> Value:
        k, dim = len(a.names), a.shape[0]
        if name in a.names:
            at = a.names.index(name)
            self.same(a.dims[at], dim, f"index {name}")
            data = None
            if a.data is not None:
                data = torch.movedim(torch.diagonal(a.data, dim1=at, dim2=k), -1, at)
            return Value(data, a.names, a.dims, a.shape[1:])
        return Value(a.data, (*a.names, name), (*a.dims, dim), a.shape[1:])

    def entry(self, a: Value, at: int) -> Value:
        """The entry `at` (from 0) along the first place."""
        size = None if a.data is None else a.data.shape[len(a.names)]
        if size is not None and not -size <= at < size:
            raise NotUnderstoodError(f"entry {at + 1} of {a.shape[0].name}, which are fewer in the nets drawn")
        data = None if a.data is None else a.data.select(len(a.names), at)
        return Value(data, a.names, a.dims, a.shape[1:])

    @staticmethod
    def along(a: Value, k: int) -> Value:
        """The sum over place k."""
        data = None if a.data is None else a.data.sum(len(a.names) + k)
        return Value(data, a.names, a.dims, a.shape[:k] + a.shape[k + 1 :])

    @staticmethod
    def everything(a: Value) -> Value:
        """The sum over all places; of partials, over those of what is differentiated."""
        own = a.rank - (a.way.rank if a.way else 0)
        places = tuple(range(len(a.names), len(a.names) + own))
        data = None if a.data is None else a.data.sum(places) if places else a.data
        return Value(data, a.names, a.dims, a.shape[own:])

    @staticmethod
    def length(a: Value) -> Value:
        """The root of the sum of all squares."""
        places = tuple(range(len(a.names), len(a.names) + a.rank))
        data = None if a.data is None else (a.data**2).sum(places).sqrt() if places else a.data.abs()
        return Value(data, a.names, a.dims)

    def placed(self, a: Value, names: tuple[str, ...]) -> Value:
        """Free indices as places, in this order: the inverse of `named`."""
        rest = tuple(n for n in a.names if n not in names)
        data = self.spread(a, rest + names)
        by = dict(zip(a.names, a.dims, strict=True))
        return Value(data, rest, tuple(by[n] for n in rest), tuple(by[n] for n in names) + a.shape)


def _single(*data: Tensor | None) -> bool:
    """Whether vectors have one entry: a^2 (1 - a^2) where the layer has one unit."""
    return all(known is not None and known.shape[-1] == 1 for known in data)


def _grow(data: Tensor | None, times: int) -> Tensor | None:
    for _ in range(times):
        data = None if data is None else data.unsqueeze(-1)
    return data


def _place(data: Tensor | None, along: int) -> Tensor | None:
    """A vector as the rows' (along = 1) or the columns' (0) repeated entry."""
    return None if data is None else data.unsqueeze(-2) if along else data.unsqueeze(-1)


def _mm(a: Tensor | None, b: Tensor | None, squeeze: int = 0) -> Tensor | None:
    if a is None or b is None:
        return None
    out = a @ b
    return out.squeeze(-1) if squeeze == 1 else out.squeeze(-2) if squeeze == 2 else out
