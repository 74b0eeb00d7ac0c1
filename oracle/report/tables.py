"""Tensors laid out for the eye: expected beside got beside their ratio, with wrong entries marked."""

import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np

from oracle.records import Finding, Line
from oracle.report import numbers
from oracle.spec import Array

T = TypeVar("T")
ENTRIES = 40
"""Entries of a tensor that are shown."""
COLUMNS = 8
"""Columns up to which a tensor is drawn as a matrix."""
ULPS = 8
"""Units in the last place of the largest entry that no mark is worth: it only decorates, the verdict is `compare`'s."""


class Cell(NamedTuple):
    """One entry of a comparison."""

    at: str
    expected: str
    got: str
    ratio: str
    wrong: bool


class Comparison(NamedTuple):
    """One tensor as it should be and as the subject has it."""

    tensor: str
    shape: str
    status: str
    rows: list[tuple[str, list[Cell]]]
    """Labelled rows of a matrix; or, of a tensor too large for that, rows of one entry each."""
    matrix: bool
    more: str
    """What is left out, in words."""
    pattern: str
    """What all wrong entries have in common, in words."""


def compared(finding: Finding, *statuses: str) -> list[Comparison]:
    """The tensors of the backward pass that have one of the statuses and that the subject returned."""
    lines = [line for stop in finding.backward for line in stop.lines if line.status in statuses]
    found = [comparison(finding, line) for line in lines if line.got is not None]
    return found if found or "wrong" not in statuses else _worst_only(finding)


def comparison(finding: Finding, line: Line) -> Comparison:
    """One tensor, entry by entry."""
    cells = list(_cells(finding, line))
    columns = line.expected.shape[-1] if line.expected.ndim > 1 else 1
    if len(cells) <= ENTRIES and columns <= COLUMNS:
        shown, matrix = rows(cells, line.expected.shape), True
    else:
        shown, matrix = [("", [cell]) for cell in _first(cells)], False
    count = sum(len(row) for _, row in shown)
    return Comparison(
        line.tensor, shape(line.expected), line.status, shown, matrix, _more(cells, count), _pattern(line, cells)
    )


def _worst_only(finding: Finding) -> list[Comparison]:
    """Where no tensor is at hand: the worst entry of each, from the verdict."""
    found = []
    for d in finding.verdict.differences:
        cell = Cell(_at(d.index), *numbers.contrast(d.expected, d.got), numbers.ratio(d.expected, d.got), True)
        found.append(Comparison(d.tensor, "", "wrong", [("", [cell])], False, "its worst entry", ""))
    return found


def _cells(finding: Finding, line: Line) -> Iterator[Cell]:
    got = np.asarray(line.got)
    if got.shape != line.expected.shape:
        return
    wrong = _wrong(finding, line.tensor, line.expected, got).reshape(-1).tolist()
    flat = zip(np.ndindex(got.shape), line.expected.reshape(-1).tolist(), got.reshape(-1).tolist(), strict=True)
    for (index, e, g), bad in zip(flat, wrong, strict=True):
        yield Cell(_at(index), *numbers.contrast(e, g), numbers.ratio(e, g), bad)


def _wrong(finding: Finding, tensor: str, expected: Array, got: Array) -> Array:
    """Which entries to mark: those further off than the worst entry's tolerance, and than a few last places."""
    eps = float(np.finfo(finding.case.dtype).eps)
    room = [d.tolerance for d in finding.verdict.differences if d.tensor == tensor and math.isfinite(d.tolerance)]
    with np.errstate(all="ignore"):
        size = np.abs(expected[np.isfinite(expected)]).max(initial=0.0)
        far = ~(np.abs(got - expected) <= max([ULPS * eps * float(size), *room]))
        same = (got == expected) | (np.isnan(got) & np.isnan(expected))
    marked: Array = far & ~same
    return marked


def _first(cells: list[Cell]) -> list[Cell]:
    """Of a tensor too large for a matrix: the wrong entries, as many as are shown."""
    return [cell for cell in cells if cell.wrong][:ENTRIES] or cells[:ENTRIES]


def _more(cells: list[Cell], shown: int) -> str:
    if not cells:
        return "its shape is not the one expected, or it is empty"
    wrong = sum(cell.wrong for cell in cells)
    return f"{wrong} of {len(cells)} entries are wrong; shown: {shown}" if shown < len(cells) else ""


def _pattern(line: Line, cells: list[Cell]) -> str:
    """The one ratio that all wrong entries share, if there are several."""
    got, expected = np.asarray(line.got, float).reshape(-1), np.asarray(line.expected, float).reshape(-1)
    wrong = [k for k, cell in enumerate(cells) if cell.wrong and cell.ratio != "–"]
    ratios = [numbers.quotient(expected[k], got[k]) for k in wrong]
    if len(wrong) < 2 or len(wrong) < sum(cell.wrong for cell in cells) or not np.allclose(ratios, ratios[0], 1e-6):
        return ""
    return f"every wrong entry is {numbers.short(round(ratios[0], 6))} times what it should be"


# ------------------------------------------------------------------------------------------------------------- plain


def plain_rows(x: Array) -> tuple[list[tuple[str, list[str]]], int]:
    """The numbers of a tensor as labelled rows, and how many are left out."""
    whole = rows(x.reshape(-1).tolist(), x.shape)
    width = max((len(row) for _, row in whole), default=1)
    shown = [(at, [numbers.short(v) for v in row[:ENTRIES]]) for at, row in whole[: max(1, ENTRIES // max(1, width))]]
    return shown, x.size - sum(len(row) for _, row in shown)


def rows(flat: Sequence[T], of: tuple[int, ...]) -> list[tuple[str, list[T]]]:
    """A flat list as rows of the last axis; with three axes or more each is labelled with its place: "[0, 1]"."""
    if len(of) == 1:
        return [("", list(flat[k : k + COLUMNS])) for k in range(0, len(flat), COLUMNS)]
    width = of[-1] if of else 1
    labels = [_at(index) if len(of) > 2 else "" for index in np.ndindex(of[:-1])]
    return [(label, list(flat[k * width : (k + 1) * width])) for k, label in enumerate(labels)]


def shape(x: Array) -> str:
    """(2, 3); nothing for a scalar."""
    return _at(x.shape, "()") if x.shape else "scalar"


def _at(index: Sequence[Any], brackets: str = "[]") -> str:
    return f"{brackets[0]}{', '.join(map(str, index))}{brackets[1]}" if index else ""
