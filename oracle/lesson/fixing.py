"""A corrected copy of a lesson: the equations that are repaired, and every other byte as it was."""

from collections.abc import Iterator
from pathlib import Path

from oracle.lesson.document import Document, Formula
from oracle.lesson.records import BAD, Audit, Equation, Place, Suggestion
from oracle.spec import write

ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "gb18030", "cp1252", "latin-1")
"""Tried in turn; a lesson's file is in the first one that gives the text that was audited."""
Changes = dict[int, str]
"""The number of an equation, and its TeX repaired."""


class FixError(ValueError):
    """Why no corrected copy can be written, in a sentence."""


def chosen(audit: Audit) -> Changes:
    """The repairs to make, never two of the same equation.

    Errors that cancel are repaired together first; then every bad equation gets the first of its suggestions that
    touches no equation already repaired, a joint one with all its partners or not at all.
    """
    changes: Changes = {}
    for own, suggestion in _offered(audit):
        repair = dict([(own, suggestion.tex), *suggestion.others])
        if not repair.keys() & changes.keys():
            changes |= repair
    return dict(sorted(changes.items()))


def _offered(audit: Audit) -> Iterator[tuple[int, Suggestion]]:
    """The suggestions in the order in which they are tried."""
    for remark in audit.remarks:
        if remark.suggestion and remark.equations:
            yield remark.equations[0], remark.suggestion
    for equation in audit.equations:
        if _bad(equation):
            yield from ((equation.number, suggestion) for suggestion in equation.suggestions)


def _bad(equation: Equation) -> bool:
    return any(link.verdict in BAD and not link.deliberate for link in equation.links)


def replacements(audit: Audit, document: Document, changes: Changes) -> list[tuple[int, int, str]]:
    """(start, end, new text) in the lesson's text, in its order, for every change whose formula the document has."""
    places = {equation.number: equation.place for equation in audit.equations}
    found = []
    for number, tex in changes.items():
        place = places.get(number)
        if place and (formula := _formula(document, place)):
            found.append((place.start, place.end, formula.escape(tex)))
    return sorted(found)


def _formula(document: Document, place: Place) -> Formula | None:
    """The formula in which a place lies."""
    formulas = (piece for piece in document.pieces if isinstance(piece, Formula))
    return next((f for f in formulas if f.place.start <= place.start and place.end <= f.place.end), None)


def fixed(audit: Audit, document: Document, raw: bytes) -> bytes:
    """The lesson's bytes with the `chosen` repairs put in. Raises FixError where `raw` is not what was audited."""
    parts, encoding, newline = _decoded(document, raw)
    out, at = [raw[: parts[0]]], 0
    for start, end, new in replacements(audit, document, chosen(audit)):
        if start < at:
            continue  # an equation inside another one that is repaired
        out += [raw[parts[at] : parts[start]], _encoded(document, new.replace("\n", newline), encoding)]
        at = end
    return b"".join([*out, raw[parts[at] :]])


def _encoded(document: Document, new: str, encoding: str) -> bytes:
    try:
        return new.encode(encoding)
    except UnicodeEncodeError as error:
        sign = error.object[error.start : error.end]
        raise FixError(f"{document.path} is in {encoding}, which has no {sign!r}; save it as UTF-8") from None


def _decoded(document: Document, raw: bytes) -> tuple[list[int], str, str]:
    """At which byte each character of the text begins, the encoding without its mark, and the line's end."""
    for name in ENCODINGS:
        try:
            text = raw.decode(name)
        except UnicodeDecodeError:
            continue
        if text.replace("\r\n", "\n") == document.text.replace("\r\n", "\n").removeprefix("\ufeff"):
            return _offsets(document.text, text, raw, name)
    raise FixError(f"{document.path} is no longer what was audited; audit it again")


def _offsets(audited: str, text: str, raw: bytes, name: str) -> tuple[list[int], str, str]:
    """The file's bytes may have a mark in front, and two characters for the end of a line."""
    little = raw.startswith(b"\xff\xfe")
    plain = {"utf-8-sig": "utf-8", "utf-16": "utf-16-le" if little else "utf-16-be"}.get(name, name)
    at = len(raw) - len(text.encode(plain))
    kept = "\r\n" in audited
    starts = [0] if audited.startswith("\ufeff") and not text.startswith("\ufeff") else []
    for before, sign in zip(" " + text, text, strict=False):
        if sign == "\n" and before == "\r" and not kept:
            at += len(sign.encode(plain))
            continue
        starts.append(at)
        at += len(sign.encode(plain))
    return [*starts, at], plain, "\r\n" if "\r\n" in text else "\n"


def copy_of(path: Path) -> Path:
    """lesson.md's corrected copy is lesson.fixed.md."""
    return path.with_name(f"{path.stem}.fixed{path.suffix}")


def write_fixed(audit: Audit, document: Document, path: Path, *, in_place: bool = False) -> Path | None:
    """Write the corrected copy beside the lesson, or over it when told so; None where there is nothing to repair."""
    raw = path.read_bytes()
    new = fixed(audit, document, raw)
    return None if new == raw else write(path if in_place else copy_of(path), new)
