"""Reading a lesson as it is published: its format by the file's name, else by what it holds."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from oracle.lesson.document import Document
from oracle.lesson.reading import html, latex, markdown, notebook, plain, rst
from oracle.lesson.reading.letter_macros import with_letter_macros
from oracle.lesson.records import Note

Reader = Callable[[str, str], Document]
READERS: dict[str, Reader] = {
    "markdown": markdown.read,
    "html": html.read,
    "latex": latex.read,
    "notebook": notebook.read,
    "restructuredtext": rst.read,
    "text": plain.read,
}
SUFFIXES = {
    ".md": "markdown",
    ".markdown": "markdown",
    ".tex": "latex",
    ".ipynb": "notebook",
    ".html": "html",
    ".htm": "html",
    ".rst": "restructuredtext",
    ".txt": "text",
}
LESSONS = {*SUFFIXES, ".mdx", ".rmd", ".qmd", ".latex", ".xhtml", ".rest"}
"""What is taken for a lesson in a folder; of the last, the content says what they are."""
SIGNATURES = (b"%PDF", b"PK\x03\x04", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"\x1f\x8b")


class ReadError(ValueError):
    """Why a file cannot be read at all, in a sentence."""


def read(path: Path, text: str | None = None) -> Document:
    """The lesson in a file, or in a text that is said to be that file's. Raises ReadError, never skips in silence."""
    notes: list[Note] = []
    if text is None:
        text, notes = _text(path)
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    if not text.strip():
        return Document(str(path), "text", text, "", (), {}, {}, (*notes, Note(1, "the file is empty")))
    document = with_letter_macros(READERS[kind(path, text)](str(path), text))
    return replace(document, notes=(*notes, *document.notes))


def kind(path: Path, text: str) -> str:
    """The format: by the file's extension, else by its content."""
    known = SUFFIXES.get(path.suffix.lower())
    if known in READERS:
        return known
    head = text[:20_000]
    signs = {
        "notebook": re.match(r'\s*\{[\s\S]*"cells"', head),
        "html": re.match(r"\s*(?:<!doctype html|<html|<\?xml)", head, re.IGNORECASE),
        "latex": re.search(r"\\documentclass|\\begin\{document\}|\\section\*?\{", head),
        "restructuredtext": re.search(r"^\.\. [\w-]+::|:math:`", head, re.MULTILINE),
        "markdown": re.search(r"^#{1,6} |^```|\$\$|\\\\?[(\[]|\$[^$\n]+\$", head, re.MULTILINE),
    }
    return next((name for name, sign in signs.items() if sign and name in READERS), "text")


def _text(path: Path) -> tuple[str, list[Note]]:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise ReadError(f"{path} cannot be read: {(error.strerror or str(error)).lower()}") from None
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return raw.decode("utf-16", errors="replace"), []
    if b"\0" in raw or raw.startswith(SIGNATURES):
        raise ReadError(f"{path} is no text; give the lesson's source (Markdown, LaTeX, HTML or a notebook)")
    try:
        return raw.decode("utf-8"), []
    except UnicodeDecodeError as error:
        return _broken(raw, raw.count(b"\n", 0, error.start) + 1)


def _broken(raw: bytes, line: int) -> tuple[str, list[Note]]:
    """Few bad bytes are marked in the text; a file with many is in another encoding."""
    text = raw.decode("utf-8", errors="replace")
    if text.count("\ufffd") * 20 <= sum(byte > 127 for byte in raw):
        return text, [Note(line, "some bytes are not UTF-8 and are shown as \ufffd; save the file as UTF-8")]
    pairs = len(re.findall(rb"(?:[\x81-\xfe][\x80-\xfe]){2,}", raw))
    for name in ("gb18030", "cp1252", "latin-1") if pairs else ("cp1252", "latin-1"):
        try:
            return raw.decode(name), [Note(line, f"the file is not UTF-8, it was read as {name}; save it as UTF-8")]
        except UnicodeDecodeError:
            continue
    return text, []  # latin-1 has a letter for every byte
