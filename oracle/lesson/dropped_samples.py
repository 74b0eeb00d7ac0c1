r"""Samples that a lesson leaves out without a word: E_n = -Σ_k t_{nk} \log y_{nk}, and ∂E_n/∂a_k = y_k - t_k later."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial

from oracle.lesson.meaning.losses import LOSSES
from oracle.lesson.renaming import Placed, changed
from oracle.lesson.syntax import Call, Indexed, Name, Node, Relation, Statement, Sum, rebuilt


def with_samples_dropped(parsed: Sequence[Placed]) -> list[Placed]:
    """Every formula without such a sample, where most of the lesson leaves it out: the loss says which is meant."""
    given = list(parsed)
    statements = [s for *_, found in given for s in found.statements]
    for letter in sorted({letter for s in statements if (letter := _sample(s))}):
        whole = {base for s in statements for base in _with_sample(s.body, letter)}
        bare = {base for s in statements for base in _without_sample(s.body, whole, letter)}
        if whole and whole == bare and _only_told(statements, letter, whole):
            given = [changed(found, partial(_dropped, letter=letter, bases=whole)) for found in given]
    return given


def _sample(statement: Statement) -> str:
    """The n of E_n = …, with whatever arguments."""
    head = statement.body.items[0] if isinstance(statement.body, Relation) else statement.body
    head = head.function if isinstance(head, Call) else head
    match head:
        case Indexed(base=Name(base=base), subs=(Name(base=letter),)) if base in LOSSES:
            return letter if isinstance(statement.body, Relation) else ""
    return ""


def _with_sample(node: Node, letter: str) -> Iterable[str]:
    """The y of y_{nk}."""
    for part in node.walk():
        match part:
            case Indexed(base=Name(base=base), subs=(Name(base=first), Name())) if first == letter:
                yield base


def _without_sample(node: Node, bases: set[str], letter: str) -> Iterable[str]:
    """The y of y_k."""
    for part in node.walk():
        match part:
            case Indexed(base=Name(base=base), subs=(Name(base=only),)) if base in bases and only != letter:
                yield base


def _only_told(statements: Iterable[Statement], letter: str, bases: set[str]) -> bool:
    """Whether nothing but the definition of the loss has the sample: no sum goes over it there."""
    having = [s for s in statements if bases & {*_with_sample(s.body, letter)}]
    over = any(Name(letter) in part.indices for s in having for part in s.body.walk() if isinstance(part, Sum))
    return not over and all(_sample(s) == letter for s in having)


def _dropped(statement: Statement, letter: str, bases: set[str]) -> Statement:
    return replace(statement, body=_drop(statement.body, letter, bases))


def _drop(node: Node, letter: str, bases: set[str]) -> Node:
    match node:
        case Indexed(base=Name(base=base), subs=(Name(base=first), Name() as entry)) if (base in bases, first) == (
            True, letter,
        ):  # fmt: skip
            return replace(node, subs=(entry,))
    return rebuilt(node, lambda child: _drop(child, letter, bases))
