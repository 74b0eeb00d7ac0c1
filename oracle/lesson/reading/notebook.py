"""Jupyter notebooks: their Markdown cells, read as Markdown, and their cells of code, at their places in the JSON."""

import json
import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace

from oracle.lesson.document import Document, Formula, Piece
from oracle.lesson.reading.markdown import front, scan
from oracle.lesson.reading.source import Source
from oracle.lesson.records import Note, Place

STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')
UNIT = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\.|[^\\]", re.DOTALL)


@dataclass(frozen=True)
class Cell:
    """The text of a cell, and where in the file each of its characters begins and ends."""

    kind: str
    text: str
    begins: tuple[int, ...]
    ends: tuple[int, ...]


def read(path: str, text: str) -> Document:
    """The document of a notebook."""
    whole = Source(path, "notebook", text)
    try:
        data = json.loads(text)
        language = data.get("metadata", {}).get("kernelspec", {}).get("language", "python")
        cells = list(_cells(text, [(c["cell_type"], c["source"]) for c in data["cells"]]))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        whole.note(0, f"the notebook cannot be read: {error or type(error).__name__}")
        return whole.document()
    for cell in cells:
        _read(whole, cell, language)
    whole.taken = [(0, len(text))]
    return whole.document()


def _read(whole: Source, cell: Cell, language: str) -> None:
    if not cell.text.strip():
        return
    if cell.kind == "code":
        whole.code((cell.begins[0], cell.ends[-1]), (0, 0), language, cell.text)
        return
    source = Source(whole.path, whole.format, cell.text, pending=whole.pending)
    source.macros, source.settings, source.title = whole.macros, whole.settings, whole.title
    scan(source, front(source))
    whole.title = source.title
    pending, source.pending = source.pending, []
    document = source.document()
    whole.pending = pending
    whole.pieces += [_moved(whole, cell, piece) for piece in document.pieces]
    for note in document.notes:
        at = min(source.starts[note.line - 1], len(cell.text) - 1)
        whole.notes.append(Note(whole.line(cell.begins[at]), note.words))


def _moved(whole: Source, cell: Cell, piece: Piece) -> Piece:
    """A piece of a cell at its place in the file; put back, its TeX is escaped once more, for JSON."""
    place = _place(whole, cell, piece.place)
    if not isinstance(piece, Formula):
        return replace(piece, place=place)
    raw = whole.text[place.start : place.end]
    lines = re.search(r'\\n"(\s*,\s*)"', raw)
    joint = lines[1] if lines else ""
    inner = piece.escape
    return replace(piece, place=place, escape=lambda tex: _escaped(inner(tex), joint))


def _escaped(tex: str, joint: str) -> str:
    """As a string in JSON, broken into a list of lines where the cell is one."""
    body = json.dumps(tex, ensure_ascii=False)[1:-1]
    return re.sub(r"(?<!\\)((?:\\\\)*\\n)(?=.)", rf'\1"{joint}"', body) if joint else body


def _place(whole: Source, cell: Cell, place: Place) -> Place:
    if place.start >= place.end:
        at = cell.begins[min(place.start, len(cell.begins) - 1)]
        return whole.place(at, at)
    return whole.place(cell.begins[place.start], cell.ends[place.end - 1])


def _cells(text: str, wanted: list[tuple[str, str | list[str]]]) -> Iterator[Cell]:
    """The cells, each found in the file by its strings, which follow each other in the order of the cells."""
    strings = list(_sources(text))
    if len(strings) != len(wanted):
        raise ValueError(f"{len(wanted)} cells, but {len(strings)} `source` keys")
    for (kind, _), spans in zip(wanted, strings, strict=True):
        begins, ends, out = [], [], []
        for start, end in spans:
            for unit in UNIT.finditer(text, start, end):
                sign = json.loads(f'"{unit[0]}"', strict=False)
                out.append(sign)
                begins += [unit.start()] * len(sign)
                ends += [unit.end()] * len(sign)
        yield Cell(kind, "".join(out), tuple(begins), tuple(ends))


def _sources(text: str) -> Iterator[list[tuple[int, int]]]:
    """The spans of the strings of each cell's `source`, told from strings that only say so by their depth."""
    depths, at = _depths(text), [match.span(1) for match in STRING.finditer(text)]
    starts = [start for start, _ in at]
    for index, (start, end) in enumerate(at):
        if text[start:end] != "source" or depths[index] != 3:
            continue
        opening = re.compile(r'"\s*:\s*(\[?)\s*').match(text, end)
        if not opening:
            continue
        stop = text.index("]", at[index][1]) if opening[1] and text[opening.end()] == "]" else 0
        if stop:
            yield []
            continue
        first, spans = bisect_right(starts, opening.end()), []
        for begin, close in at[first:]:
            spans.append((begin, close))
            if not opening[1] or not re.compile(r'"\s*,').match(text, close):
                break
        yield spans


def _depths(text: str) -> list[int]:
    """How deep in brackets each string stands."""
    out, depth = [], 0
    for token in re.compile(rf"{STRING.pattern}|[\[\]{{}}]", re.DOTALL).finditer(text):
        if token[0][0] == '"':
            out.append(depth)
        else:
            depth += 1 if token[0] in "[{" else -1
    return out
