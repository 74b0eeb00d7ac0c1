"""What an audit says of a lesson that is written in a test."""

from pathlib import Path

from oracle.lesson.audit import audit
from oracle.lesson.reading import read


def claimed(text: str) -> list[str]:
    """The verdicts on all that is no definition."""
    found = audit(read(Path("lesson.md"), text))
    return [link.verdict for e in found.equations for link in e.links if link.verdict != "definition"]


def of_the_last(text: str) -> list[str]:
    """The verdicts on the last formula."""
    return [link.verdict for link in audit(read(Path("lesson.md"), text)).equations[-1].links]


def of_partials(text: str) -> list[str]:
    """The verdicts on all that is said of a partial."""
    found = audit(read(Path("lesson.md"), text))
    return [link.verdict for e in found.equations for link in e.links if r"\partial" in link.left]
