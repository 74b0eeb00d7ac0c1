r"""Sections of rules, in letters of their own: "if C = AB, then G_A = G_C B^T" before a net whose A is another."""

from collections.abc import Iterable, Mapping
from typing import Protocol

from oracle.lesson.meaning.differentials import PREFIX
from oracle.lesson.meaning.notation import Ref
from oracle.lesson.syntax import Derivative, Gradient, Node, Relation, Statement


class Spoken(Protocol):
    """A statement of a section."""

    @property
    def section(self) -> int: ...

    @property
    def statement(self) -> Statement: ...


def has_own_letters(said: Iterable[Spoken], section: int) -> bool:
    """Whether a section defines what no other speaks of, by what no other speaks of, or defines before it."""
    given = list(said)
    bodies = [s.statement.body for s in given if s.section == section]
    elsewhere = {base for s in given if s.section != section for base in _symbols(s.statement.body)}
    defined = {base: s.section for s in given[::-1] if s.section != section and (base := _made(s.statement.body))}
    return any(
        (head := _made(body)) and head not in elsewhere and isinstance(body, Relation)
        and _of_its_own(body.items[1], section, elsewhere, defined)
        for body in bodies
    )  # fmt: skip


def _of_its_own(body: Node, section: int, elsewhere: set[str], defined: Mapping[str, int]) -> bool:
    used = _symbols(body)
    known = used & elsewhere
    return known != used and all(defined.get(base, section) > section for base in known)


def _made(body: Node) -> str:
    """The C of C = AB; "" of anything that is no such definition."""
    match body:
        case Relation(items=(Ref(base=base, slots=(), subs=()), member, *_), ops=("=" | ":=", *_)):
            partials = any(isinstance(part, Derivative | Gradient) for part in member.walk())
            return base if " " not in base and not partials and _symbols(member) else ""
    return ""


def _symbols(body: Node) -> set[str]:
    """The quantities of a formula, and those of which it has changes or gradients."""
    refs = (part.base for part in body.walk() if isinstance(part, Ref))
    return {base.removeprefix(PREFIX) if base.startswith(PREFIX) else base.removeprefix("G ") for base in refs}
