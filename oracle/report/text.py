"""Text from elsewhere (a subject's exception, a name in a case) made harmless, in one place.

`safe_text` is what every report applies first: nothing is left that a terminal, an XML parser, a browser or a
reader's eye would take for a command. Each format then quotes its own few characters: HTML by jinja2, XML by its
writer, rich by `Text`, Markdown by `markdown`.
"""

import re
from typing import Any

from markupsafe import Markup, escape

LONGEST = 4000
"""Characters of one text that are shown."""
LONGEST_BLOCK = 20_000
"""Characters of a block of code in Markdown."""


def safe_text(text: object, longest: int | None = LONGEST) -> str:
    r"""Text whose only unprintable characters are line feeds; others are spelled: ESC becomes the letters \x1b."""
    raw = str(text)
    kept = raw[:longest].replace("\r\n", "\n").replace("\t", "    ")
    if len(raw) > (longest or len(raw)):
        kept += f"… ({len(raw) - len(raw[:longest])} more characters)"
    return kept if kept.isprintable() else "".join(map(_spell, kept))


def one_line(text: object) -> str:
    """`safe_text` on a single line, so that it cannot pass for a line of ours."""
    return " ⏎ ".join(part.strip() for part in safe_text(text).strip().split("\n") if part.strip())


def _spell(c: str) -> str:
    return c if c == "\n" or c.isprintable() else c.encode("unicode_escape").decode()


def markdown(text: object) -> Markup:
    """One line of Markdown that reads as the text, in a table too."""
    quoted = re.sub(r"([\\`*_\[\]|~#!])", r"\\\1", one_line(text))
    return Markup(quoted.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"))


def in_html(text: object) -> Markup:
    """One line inside a tag of HTML in Markdown, where Markdown itself is not read."""
    return escape(one_line(text))


def code(text: object) -> Markup:
    """One line of code in Markdown."""
    line = one_line(text)
    if line and not re.search(r"[`|]", line):
        return Markup(f"`{line}`")
    return Markup("<code>{}</code>").format(markdown(line))


def fence(text: object) -> Markup:
    """A block of code in Markdown, behind a fence longer than any in the text."""
    block = safe_text(text, longest=LONGEST_BLOCK).rstrip("\n")
    longest = max((len(run) for run in re.findall(r"`+", block)), default=0)
    bar = "`" * max(3, longest + 1)
    return Markup(f"{bar}text\n{block}\n{bar}")


def finalize_html(value: Any) -> Any:
    """What jinja2 does with every value before it quotes it for HTML."""
    return value if isinstance(value, Markup) else escape(safe_text(value))


def finalize_markdown(value: Any) -> Any:
    """What jinja2 does with every value that goes into Markdown."""
    return value if isinstance(value, Markup) else markdown(value)
