r"""Corrections of what fails: small edits of the right side, of the left, of both, the least change first.

An edit is tried in two nets, where all candidates share what is the same in them. What is offered is then read again
from its TeX, and held against autograd in fresh nets: what the author copies is what was verified.
"""

from collections.abc import Mapping, Sequence
from itertools import islice

from oracle.lesson.correcting.chains import Chain, Offer, Reread, Understood, written
from oracle.lesson.correcting.corrector import Corrector
from oracle.lesson.correcting.readings import ways_of
from oracle.lesson.judging import Nets
from oracle.lesson.records import BAD, Equation, Suggestion
from oracle.lesson.syntax import Relation


def suggest(
    lines: Sequence[Understood], equations: Sequence[Equation], nets: Nets, reread: Reread, *,
    lesson: Sequence[Understood] = (), doubled: int = 1500,
) -> dict[int, tuple[Suggestion, ...]]:  # fmt: skip
    """By the number of a bad equation, its repairs, the least change first.

    `equations` are the `lines` judged; `lesson` holds all lines where these are those of a section: repairs are made of
    the symbols of the whole lesson, the nearest first. `doubled`: how many pairs of edits are tried.
    """
    correctors = [
        Corrector(lesson or lines, each, reread, doubled, ways=ways_of(equations))
        for each in (nets, *(others for _, others in nets.beside))
    ]
    found = {}
    for line, equation in zip(lines, equations, strict=True):
        if any(link.verdict in BAD and not link.deliberate for link in equation.links):
            tried = (corrector.suggestions(line, verdicts(line, equation)) for corrector in correctors)
            found[line.number] = next(filter(None, tried), ())
    return found


def verdicts(line: Understood, equation: Equation) -> Mapping[int, tuple[str, ...]]:
    """The verdicts of each statement's members, by the statement's place in its formula."""
    links = iter(equation.links)
    found = {}
    for at, statement in enumerate(line.statements):
        if isinstance(statement.body, Relation):
            found[at] = tuple(link.verdict for link in islice(links, len(statement.body.ops)))
    return found


__all__ = ["Chain", "Corrector", "Offer", "Reread", "Understood", "suggest", "verdicts", "written"]
