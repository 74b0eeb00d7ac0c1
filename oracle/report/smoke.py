"""What `oracle smoke` found, as lines."""

from collections.abc import Iterator
from textwrap import wrap
from typing import Any

WIDTH = 110
WORDS = {"ok": "ok", "wrong": "WRONG", "skipped": "skipped"}


def smoke_lines(found: Any) -> Iterator[str]:
    """What works, what does not and what to do, what is worth knowing, and the command to run next."""
    if found.reading:
        yield from _block("", found.reading)
    for step in found.steps:
        yield f"{WORDS[step.status]:8} {step.what}"
        yield from _block(" " * 9, step.told)
    for note in found.notes:
        yield from _block("note     ", note)
    right = {0: "wired right; next: ", 1: "next, when that is put right: ", 2: "nothing could be tried; once it can: "}
    yield right[found.exit_code] + found.next


def _block(head: str, text: str) -> Iterator[str]:
    """Lines under a hanging indent; a line to be pasted stands alone, and is not broken."""
    for line in text.split("\n"):
        if " = {" in line:
            yield " " * len(head) + line
        else:
            yield from wrap(line, WIDTH, initial_indent=head, subsequent_indent=" " * len(head), break_long_words=False)
