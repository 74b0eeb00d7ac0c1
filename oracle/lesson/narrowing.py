"""A lesson that nowhere says what σ is says it by what holds: what fails is judged again with that activation."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from msgspec import structs

from oracle.lesson.judging import OTHERWISE, Nets
from oracle.lesson.records import BAD, Equation, Link

ACTIVATIONS = {way.words: way.activations for way in OTHERWISE if way.activations}
"""By the words of the report, the activations of a reading."""


def narrowed(
    sections: Sequence[int],
    found: Sequence[Equation],
    judges: Mapping[int, Nets],
    judged: Callable[[int, Mapping[int, Nets]], Equation],
) -> list[Equation]:
    """The equations of a lesson, those that fail judged again with the activation under which others hold there.

    `sections` has the section of every equation; `judged` judges the one at a position in other nets.
    """
    used: dict[int, Counter[str]] = {}
    for section, equation in zip(sections, found, strict=True):
        used.setdefault(section, Counter()).update(k.under for k in equation.links if k.under in ACTIVATIONS)
    words = {section: met.most_common(1)[0][0] for section, met in used.items() if met}
    nets = {at: replace(judges[at], activations=ACTIVATIONS[said], worlds={}) for at, said in words.items()}
    out: list[Equation] = []
    for k, (section, equation) in enumerate(zip(sections, found, strict=True)):
        if section in nets and any(_accused(link) for link in equation.links):
            links = _better(equation.links, judged(k, {section: nets[section]}).links, words[section])
            equation = structs.replace(equation, links=links)
        out.append(equation)
    return out


def _accused(link: Link) -> bool:
    return link.verdict in BAD and not link.deliberate


def _better(links: Sequence[Link], again: Sequence[Link], words: str) -> tuple[Link, ...]:
    """What fails in some nets and holds in all with one activation holds under that."""
    return tuple(
        structs.replace(new, verdict="holds under", under="; ".join(filter(None, (words, new.under))))
        if _accused(link) and new.verdict in ("holds", "holds under")
        else link
        for link, new in zip(links, again, strict=True)
    )
