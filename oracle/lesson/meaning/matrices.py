r"""Matrices that are written out, and functions of whole vectors and matrices: diag, Tr, Jacobians.

A matrix with dots is known where an entry is written: its first rows and columns count from 1 (or 0), the last ones
from the end, and what the dots stand for is left open (NaN), so that every written entry is judged by itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import torch

from oracle.lesson.meaning.masks import Masks
from oracle.lesson.meaning.matrices_whole import whole
from oracle.lesson.meaning.notation import CHOSEN, Ref
from oracle.lesson.meaning.program import Env
from oracle.lesson.meaning.quantities import indices
from oracle.lesson.meaning.repeating import settled
from oracle.lesson.meaning.values import BeyondError, Dim, IllTypedError, NotUnderstoodError, Value, one
from oracle.lesson.syntax import Dots, Matrix, Name, Node, Number, Sum, Times, Transpose, rebuilt

Grid = tuple[tuple[Node, ...], ...]
LAST = set("nmNMKCDkcd")
"""Letters that are the last index of a row or column."""


@dataclass
class Matrices(Masks):
    """A net whose values may be written as matrices."""

    frame: tuple[Dim, ...] = ()
    """The places of what a matrix is compared with."""
    open: bool = field(default=False)
    """Whether a matrix of the formula at hand has entries that are not written."""

    def matrix(self, node: Matrix, env: Env) -> Value:
        """A matrix or vector, entry by entry. Raises NotUnderstoodError where its size or all its entries are open."""
        product = any(isinstance(part, Times) and _multiplies(part, node) for f in self.formulas for part in f.walk())
        if product and (one_quantity := whole(node)) is not None:
            return self.value(self.spelled(one_quantity), env)
        grid = _grid(node)
        if self.infer or len(self.frame) not in (1, 2):
            raise NotUnderstoodError("a matrix whose size nothing says")
        if product:
            raise NotUnderstoodError("a product of matrices that are written out")
        sizes = [self.size(dim) for dim in self.frame]
        if len(sizes) == 1:
            grid = _column(grid)
        if (alone := _alone(grid)) is not None and len(sizes) == 1:
            return self.at_one_place(alone, env)
        entries = self.written(grid, sizes, env)
        data = torch.full((sizes[0], sizes[1] if len(sizes) == 2 else 1), torch.nan, dtype=torch.float64)
        for place, value in entries.items():
            data = data.index_put(tuple(torch.tensor(k) for k in place), value)
        self.open |= bool(data.isnan().any())
        return Value(data if len(sizes) == 2 else data[:, 0], (), (), self.frame)

    def spelled(self, node: Node) -> Node:
        """The quantity whose entries are written out; W for w, where forward equations have that alone."""
        if isinstance(node, Transpose):
            return replace(node, base=self.spelled(node.base))
        other = node.base.upper() if isinstance(node, Ref) else ""
        capital = isinstance(node, Ref) and not self.program.knows(node.base) and self.program.knows(other)
        return replace(node, base=other) if capital and isinstance(node, Ref) else node

    def written(self, grid: Grid, sizes: Sequence[int], env: Env) -> dict[tuple[int, int], torch.Tensor]:
        """The entries that are written, by their places."""
        rows = _places([all(isinstance(x, Dots) for x in row) for row in grid])
        columns = _places([all(isinstance(row[k], Dots) for row in grid) for k in range(len(grid[0]))])
        self.fits(rows, sizes[0])
        self.fits(columns, sizes[1] if len(sizes) == 2 else 1)
        base = 0 if any(_zero(cell) for row in grid for cell in row) else 1
        found: dict[tuple[int, int], torch.Tensor] = {}
        problem: NotUnderstoodError | None = None
        for cells, r in zip(grid, rows, strict=True):
            for cell, c in zip(cells, columns, strict=True):
                if r is None or c is None or isinstance(cell, Dots):
                    continue
                try:
                    found[_at(r, sizes[0]), _at(c, sizes[1] if len(sizes) == 2 else 1)] = self.cell(cell, base, env)
                except NotUnderstoodError as error:
                    problem = error
        if not found:
            raise problem or NotUnderstoodError("a matrix of which no entry is written")
        return found

    def at_one_place(self, entry: Node, env: Env) -> Value:
        """A vector of zeros but for one entry, at the place that an index of the left side counts, or of the class."""
        (dim,) = self.frame
        if entry == Number("1") and self.program.notation.chosen and not indices(*self.formulas[:1]):
            at = self.class_of(CHOSEN, dim, env)
            return Value((torch.arange(self.size(dim)) == at).double(), (), (), (dim,))
        outer = indices(*self.formulas[:1])
        there = [x for x in sorted(outer) if x in self.typed and one(self.typed[x], dim)]
        there = there if len(there) < 2 else [x for x in there if x not in indices(entry)]
        if len(there) != 1:
            raise NotUnderstoodError("zeros but for one entry, whose place nothing says")
        eye = Value(torch.eye(self.size(dim), dtype=torch.float64), (there[0],), (dim,), self.frame)
        return self.algebra.elementwise(torch.mul, eye, self.value(entry, env), "an entry")

    @staticmethod
    def fits(places: list[int | None], size: int) -> None:
        """Raise BeyondError where the entries before and after dots would meet."""
        if None in places and sum(place is not None for place in places) > size:
            raise BeyondError

    def cell(self, node: Node, base: int, env: Env) -> torch.Tensor:
        """One entry: its numbers count from `base`, and the letters of `LAST` stand for the last place."""
        counted = {name.base for part in node.walk() if isinstance(part, Sum) for name in part.indices}
        ends = {letter: -1 for letter in LAST - counted if letter not in env}
        value = self.value(_entries(node, base), {**ends, **env})
        if value.rank or value.names or value.data is None:
            raise NotUnderstoodError("an entry of a matrix that is no number")
        return value.data

    def listed(self, cells: tuple[Node, ...], env: Env) -> Value:
        """The vector whose entries are listed in diag(a_1, …, a_n)."""
        before, self.frame = self.frame, self.frame[:1]
        try:
            return self.matrix(Matrix((cells,)), env)
        finally:
            self.frame = before

    def diagonal(self, value: Value) -> Value:
        """diag(v), or the diagonal of a matrix."""
        if value.rank == 1:
            data = None if value.data is None else torch.diag_embed(value.data)
            return Value(data, value.names, value.dims, (value.shape[0], value.shape[0]))
        return self.entries_of(value, "diag")

    def trace(self, value: Value) -> Value:
        """The sum of a diagonal; a number is its own trace."""
        if not value.rank:
            return value
        return self.algebra.along(self.entries_of(value, "Tr"), 0)

    def entries_of(self, value: Value, what: str) -> Value:
        """The entries of the diagonal of a square matrix."""
        if value.rank != 2:
            raise NotUnderstoodError(f"{what} of what is no matrix")
        value = self.filled(value)
        self.algebra.same(value.shape[0], value.shape[1], what)
        data = None if value.data is None else torch.diagonal(value.data, dim1=-2, dim2=-1)
        return Value(data, value.names, value.dims, value.shape[:1])

    def filled(self, value: Value) -> Value:
        """A square matrix of which ones repeat a column or a row: the diagonal of v 1ᵀ is v."""
        closed = [dim for dim in value.shape if not dim.open]
        if len(closed) != 1:
            return value
        return settled(value, (closed[0],), () if self.infer else (self.size(closed[0]),))


def _grid(node: Matrix) -> Grid:
    """Rows of one length; what stands side by side in a single cell with dots is a row."""
    rows = node.rows
    match rows:
        case ((Times(factors=factors, ops=ops),),) if not any(ops) and any(isinstance(x, Dots) for x in factors):
            rows = (factors,)
    width = max(map(len, rows))
    rows = tuple((Dots(),) * width if all(isinstance(x, Dots) for x in row) else row for row in rows)
    if len({len(row) for row in rows}) != 1:
        raise NotUnderstoodError("a matrix whose rows are of different lengths")
    return rows


def _alone(grid: Grid) -> Node | None:
    r"""The entry of (0, \cdots, a_j, \cdots, 0) that is no zero; None of any other row or column."""
    cells = [cell for row in grid for cell in row]
    rest = [k for k, cell in enumerate(cells) if not isinstance(cell, Dots) and cell != Number("0")]
    between = len(rest) == 1 and all(Dots() in part and Number("0") in part for part in _around(cells, rest[0]))
    return cells[rest[0]] if between and 1 in (len(grid), len(grid[0])) else None


def _around(cells: list[Node], k: int) -> tuple[list[Node], list[Node]]:
    return cells[:k], cells[k + 1 :]


def _multiplies(product: Times, matrix: Matrix) -> bool:
    """Whether a product has a matrix and another one that is written out as well."""
    found = [x.base if isinstance(x, Transpose) else x for x in product.factors]
    return any(x is matrix for x in found) and sum(isinstance(x, Matrix) for x in found) > 1


def _column(grid: Grid) -> Grid:
    """A vector as a column."""
    if len(grid) == 1:
        return tuple((cell,) for cell in grid[0])
    if len(grid[0]) != 1:
        raise IllTypedError("a matrix where a vector should be")
    return grid


def _places(dots: list[bool]) -> list[int | None]:
    """Places from the beginning before the first dots, from the end after the last, None between."""
    if True not in dots:
        return list(range(len(dots)))
    first, last = dots.index(True), len(dots) - 1 - dots[::-1].index(True)
    return [k if k < first else k - len(dots) if k > last else None for k in range(len(dots))]


def _at(place: int, size: int) -> int:
    if not -size <= place < size:
        raise NotUnderstoodError("a matrix larger than in the nets drawn")
    return place % size


def _zero(cell: Node) -> bool:
    refs = (part for part in cell.walk() if isinstance(part, Ref))
    return any(isinstance(sub, Number) and sub.text == "0" for ref in refs for sub in ref.subs) or any(
        isinstance(part, Ref) and part.base.endswith("_0") for part in cell.walk()
    )


def _entries(node: Node, base: int) -> Node:
    """s_1, s_N as entries of s, numbered from 1."""
    if not isinstance(node, Ref):
        return rebuilt(node, lambda child: _entries(child, base))
    core, _, label = node.base.rpartition("_")
    subs = node.subs
    if core and not subs and (label.isdigit() or label in LAST):
        node, subs = replace(node, base=core), (Number(label) if label.isdigit() else Name(label),)
    counted = tuple(
        Number(str(int(sub.text) + 1 - base)) if isinstance(sub, Number) and sub.text.isdigit() else sub for sub in subs
    )
    return replace(node, subs=counted)
