r"""Thresholds that a lesson numbers as weights: the w_0 of $w_0 + \sum_{i=1}^n w_i x_i$ is no entry of that w.

Where an x_0 = 1 stands beside it, all weights are one vector, and nothing is changed.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from oracle.lesson.meaning.notation import Ref
from oracle.lesson.syntax import Node, Number, Plus, Relation, Statement, Sum, rebuilt

ZERO = Number("0")
Threshold = tuple[str, int]
"""A name, and which of its indices is 0."""


def thresholds(statements: Iterable[Statement]) -> frozenset[Threshold]:
    """The weights whose entry 0 is added to a sum over all others."""
    bodies = [s.body for s in statements if isinstance(s.body, Relation)]
    parts = [part for body in bodies for part in body.walk()]
    zeros = {part.base for part in parts if isinstance(part, Ref) and ZERO in part.subs}
    found = (pair for part in parts if isinstance(part, Plus) for pair in _added(part))
    return frozenset(threshold for threshold, others in found if not others & zeros)


def _added(node: Plus) -> Iterator[tuple[Threshold, set[str]]]:
    """The w of w_0 + Σ_{i=1} w_i x_i, and what it is multiplied by."""
    sums = [term for term in node.terms if isinstance(term, Sum) and len(term.indices) == 1]
    for term in node.terms:
        if not isinstance(term, Ref) or ZERO not in term.subs:
            continue
        at = term.subs.index(ZERO)
        for total in sums:
            running = replace(term, subs=tuple(total.indices[0] if k == at else sub for k, sub in enumerate(term.subs)))
            used = [part for part in total.body.walk() if isinstance(part, Ref)]
            if running in used and total.lower in (None, Number("1")):
                yield (term.base, at), {part.base for part in used} - {term.base}


def apart(statement: Statement, known: frozenset[Threshold]) -> Statement:
    """A statement in which a threshold has a name of its own."""

    def through(node: Node) -> Node:
        match node:
            case Ref(base=base, subs=subs):
                for at, sub in enumerate(subs):
                    if sub == ZERO and (base, at) in known:
                        return replace(node, base=f"{base}_0", subs=(*subs[:at], *subs[at + 1 :]))
        return rebuilt(node, through)

    if not known:
        return statement
    body: Any = through(statement.body)
    return replace(statement, body=body)
