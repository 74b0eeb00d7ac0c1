"""The code of a lesson that defines a backward pass, judged by the oracle in a process of its own."""

from oracle.lesson.code.running import Answer, verdicts
from oracle.lesson.code.source import Candidate, candidates
from oracle.lesson.document import Document
from oracle.lesson.records import Code

__all__ = ["judged_code"]


def judged_code(document: Document, seed: int = 0, *, seconds: float = 10.0) -> tuple[Code, ...]:
    """Every function that looks like a backward pass, with what the oracle says of it.

    The lesson's definitions alone are carried over, never its loops and plots; they run in another process, which may
    neither open files nor the network and has `seconds` for each function.
    """
    found = candidates(document)
    said = verdicts([one for one in found if not one.refused], seed, seconds)
    return tuple(_code(one, said.get(one)) for one in found)


def _code(one: Candidate, said: Answer | None) -> Code:
    verdict, words = said or ("not judged", one.refused)
    return Code(one.line, one.language, one.name, verdict, words)
