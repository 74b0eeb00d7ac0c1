"""Formulas that only say where a counting letter stands, begins or ends: l = L - 1. They define nothing."""

from collections.abc import Collection, Iterable

from oracle.lesson.meaning.notation import Ref, letters
from oracle.lesson.syntax import Number, Plus, Relation, Statement

EQUAL = {"=", ":="}


def counted(statements: Iterable[Statement]) -> set[str]:
    """The letters that count layers, samples or steps, and are no quantities: the l of a^l, the k of h^{(k)}."""
    claims = (s for s in statements if isinstance(s.body, Relation) and not _alone(s))
    sides = [part for s in claims for part in s.body.walk() if isinstance(part, Ref)]
    return {x for ref in sides for _, slot in ref.slots for x in letters(slot)} - {ref.base for ref in sides}


def split_off(
    found: tuple[list[Statement], list[Relation]], running: Collection[str]
) -> tuple[list[Statement], list[Relation]]:
    """The statements of a formula, and its conditions, among them those that say where a letter runs."""
    statements, alone = found
    claims = [s for s in statements if _alone(s) not in running]
    return claims, [*alone, *(s.body for s in statements if s not in claims and isinstance(s.body, Relation))]


def _alone(statement: Statement) -> str:
    """The l of l = L - 1, whose other side has no quantities with scripts."""
    match statement.body:
        case Relation(items=(Ref(base=base, slots=(), subs=()), Ref(slots=(), subs=()) | Number() | Plus()), ops=(op,)):
            return base if op in EQUAL else ""
    return ""
