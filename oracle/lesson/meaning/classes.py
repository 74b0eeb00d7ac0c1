r"""The true class as an index: the c of L = -\log p_c, the y of -\log p_y. In each net it is one of the classes.

Such a letter gets a mark wherever it is free, so that it picks an entry (`notation.is_class`); in the equations that
define p_c for every c it goes on counting, and below a sum too.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from oracle.lesson.formula.wording import CLASS
from oracle.lesson.meaning.limits import free, put
from oracle.lesson.meaning.losses import LOSSES
from oracle.lesson.meaning.many import many_vectors
from oracle.lesson.meaning.notation import PARAMETER_LETTERS, Ref, chosen, is_class, letters, taken_apart
from oracle.lesson.meaning.program import LOGARITHMS, TARGETS
from oracle.lesson.syntax import (
    Call,
    Cases,
    Derivative,
    Indexed,
    Indicator,
    Limit,
    Name,
    Node,
    Relation,
    Statement,
    Sum,
    rebuilt,
)  # fmt: skip

LOGS = {Name(log) for log in LOGARITHMS}


def class_letters(statements: Iterable[Statement]) -> set[str]:
    """Letters below a prediction in the logarithm of a loss that has no such index, and over which no sum goes."""
    found: set[str] = set()
    statements = list(statements)
    labels = {letter for _, letter in many_vectors(statements)[1]}
    for body in (s.body for s in statements if isinstance(s.body, Relation)):
        head = body.items[0]
        if body.ops[0] in ("=", ":=") and _name(head) in LOSSES:
            for member in body.items[1:]:
                single = {
                    k for k in free(member) - free(head) if len(k) == 1 and k not in PARAMETER_LETTERS | labels | {"x"}
                }
                if len(single) == 1 and _logs(member) and not _weighed(member, single):
                    found |= single
    return found if len(found) == 1 else set()


def labelled_losses(statements: Iterable[Statement]) -> set[Ref]:
    """L_i = -log p_{y_i}: losses whose index nothing but the class has, so that it only says which sample is meant."""
    found: set[Ref] = set()
    bodies = [s.body for s in statements if isinstance(s.body, Relation)]
    added = {ref for body in bodies for part in body.walk() if isinstance(part, Sum) for ref in part.body.walk()}
    for body in bodies:
        match body.items[0]:
            case Ref(base=base, slots=(), subs=(Name(base=letter),)) as head if base in LOSSES:
                refs = [part for part in body.items[1].walk() if isinstance(part, Ref)]
                classes = [sub for ref in refs for sub in ref.subs if is_class(sub)]
                if any(Name(letter) in sub.children() for sub in classes) and letter not in free(body.items[1]):
                    found.add(head)
    return found - added


def without_labels(statement: Statement, losses: set[Ref]) -> Statement:
    """A statement in which the index of such a loss is part of its name."""
    return replace(statement, body=_labelled(statement.body, losses)) if losses else statement


def _labelled(node: Node, losses: set[Ref]) -> Node:
    if isinstance(node, Ref):
        return replace(node, base=f"{node.base}_{min(letters(node.subs[0]))}", subs=()) if node in losses else node
    return rebuilt(node, lambda child: _labelled(child, losses))


def _name(head: Node) -> str:
    if isinstance(head, Ref):
        return head.base
    scripts = taken_apart(head.function if isinstance(head, Call) else head)
    return scripts.name.base if scripts else ""


def _logs(member: Node) -> bool:
    partials = any(isinstance(part, Derivative) for part in member.walk())
    return not partials and any(isinstance(part, Call) and part.function in LOGS for part in member.walk())


def _weighed(member: Node, single: set[str]) -> bool:
    """Whether a target with the same index stands in a formula: -y_k log p_k may be one term of a sum."""
    entries = (part for part in _outside_logs(member) if isinstance(part, Indexed) and free(part) & single)
    return any(isinstance(part.base, Name) and part.base.base in TARGETS for part in entries)


def _outside_logs(node: Node) -> Iterator[Node]:
    """The parts of a formula but for what a logarithm is of: the y of -log y_o is a prediction."""
    yield node
    if not (isinstance(node, Call) and node.function in LOGS):
        for child in node.children():
            yield from _outside_logs(child)


def with_classes(statement: Statement, classes: Iterable[str]) -> Statement:
    """A statement in which class letters pick an entry, but for what it defines for every class."""
    body = statement.body
    for letter in classes:
        if not _defines(body, letter):
            body = _compared(put(body, letter, chosen(letter)), letter)
    return replace(statement, body=body)


def _defines(body: Node, letter: str) -> bool:
    """Whether p_c = e^{z_c} / Σ_k e^{z_k} is said of every class c; u_c = U y, without c there, is of the true one."""
    match body:
        case Relation(items=(Indexed() as head, *members)):
            return letter in free(head) and any(letter in free(member) for member in members)
    return False


OTHERS = re.compile(
    r"(?i)\b(other|incorrect|wrong|remaining|false)\s+(class|classes|word|words|label|labels|entries|logits|scores|ones)\b"
    r"|\\neq?\b|≠|\bnot (the|its) (true|correct|right|target)\b|其他类|其它类|其他词|错误类"
)
"""How a lesson speaks of the classes that are not the true one."""


def speaks_of_others(statements: Iterable[Statement], texts: Iterable[str], classes: Iterable[str]) -> bool:
    """Whether a lesson tells its classes apart: in words, or by what ∂L/∂z_c is of the true class c alone."""
    heads = [s.body.items[0] for s in statements if isinstance(s.body, Relation)]
    partials = [head for head in heads if isinstance(head, Derivative) and _name(head.of) in LOSSES]
    subs = {sub for head in partials for ref in head.walk() if isinstance(ref, Ref) for sub in ref.subs}
    return bool(subs & {chosen(letter) for letter in classes}) or any(OTHERS.search(text) for text in texts)


def other_classes(head: Node, classes: Iterable[str]) -> tuple[Limit, ...]:
    """Beside a true class another letter may count the others: ∂L/∂z_j = p_j, which words often say."""
    letters = free(head)
    if len(letters) != 1 or not isinstance(head, Derivative):
        return ()
    return tuple(Limit(min(letters), "!=", letter, of_class=True, sure=False) for letter in classes)


def _compared(node: Node, letter: str) -> Node:
    """The letter in conditions: 1[j = c]."""
    if isinstance(node, Indicator) and isinstance(node.condition, Relation):
        return replace(node, condition=_told(node.condition, letter))
    if isinstance(node, Cases):
        told = tuple(_told(c, letter) if isinstance(c, Relation) else c for c in node.conditions)
        return replace(node, conditions=told)
    return rebuilt(node, lambda child: _compared(child, letter))


def _told(relation: Relation, letter: str) -> Relation:
    called = (Name(letter), Name(CLASS))
    return replace(relation, items=tuple(chosen(letter) if item in called else item for item in relation.items))
