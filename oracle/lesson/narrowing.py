"""A lesson that nowhere says what σ is says it by what holds: what fails is judged again with that activation.

So is what holds with another one alone, 1 - h² among many h (1 - h), where the lesson has one function and never names
the other.
"""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

from msgspec import structs

from oracle.lesson.judging import OTHERWISE, Nets
from oracle.lesson.meaning.calculus import NAMED as NAMED_FUNCTIONS
from oracle.lesson.meaning.program import called
from oracle.lesson.records import BAD, Equation, Link
from oracle.lesson.syntax import Call

ACTIVATIONS = {way.words: way.activations for way in OTHERWISE if way.activations}
"""By the words of the report, the activations of a reading."""


def narrowed(
    sections: Sequence[int],
    found: Sequence[Equation],
    judges: Mapping[int, Nets],
    judged: Callable[[int, Mapping[int, Nets]], Equation],
    named: Collection[str],
) -> list[Equation]:
    """The equations of a lesson, those that fail judged again with the activation under which others hold there.

    `sections` has the section of every equation; `judged` judges the one at a position in other nets; `named` are the
    activations that the lesson names.
    """
    used: dict[int, Counter[str]] = {}
    for section, equation in zip(sections, found, strict=True):
        used.setdefault(section, Counter()).update(k.under for k in equation.links if k.under in ACTIVATIONS)
    words = {section: met.most_common(1)[0][0] for section, met in used.items() if met}
    nets = {at: replace(judges[at], activations=ACTIVATIONS[said], worlds={}) for at, said in words.items()}
    sure = {at for at, said in words.items() if _is_sure(used[at], said, judges[at], named)}
    out: list[Equation] = []
    for k, (section, equation) in enumerate(zip(sections, found, strict=True)):
        odd = {*ACTIVATIONS} - {words[section]} if section in sure else set[str]()
        if section in nets and any(_accused(link) or link.under in odd for link in equation.links):
            again = judged(k, {section: nets[section]}).links
            links = _better(_stricter(equation.links, again, odd), again, words[section])
            equation = structs.replace(equation, links=links)
        out.append(equation)
    return out


def _is_sure(used: Counter[str], words: str, nets: Nets, named: Collection[str]) -> bool:
    """Whether an activation is the lesson's only one: most formulas hold with it, and none of the others is named."""
    functions = {called(part) for d in nets.program.definitions for part in d.body.walk() if isinstance(part, Call)}
    others = sum(count for said, count in used.items() if said != words)
    return (
        used[words] > 2 * others > 0
        and len(functions - NAMED_FUNCTIONS) == 1
        and not {*named} - {*ACTIVATIONS[words], "softmax"}
    )


def _stricter(links: Sequence[Link], again: Sequence[Link], odd: Collection[str]) -> tuple[Link, ...]:
    """What fails with the lesson's activation, where it held with another one alone."""
    pairs = zip(links, again, strict=True)
    return tuple(new if link.under in odd and new.verdict == "fails" else link for link, new in pairs)


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
