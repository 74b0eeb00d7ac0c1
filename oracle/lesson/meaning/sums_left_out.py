r"""Lessons that leave sums out, and do not say so: ∂L/∂A_{ij} = ∂L/∂Z_{km} W_{ki} δ_{mj} in one that never writes a Σ.

In the same formulas the letter of the layers may be an index as well, as the l of W^{[l]}_{kl} A^{[l-1]}_{lm} is.
"""

from collections.abc import Iterable
from dataclasses import replace

from oracle.lesson.meaning.einstein import contracted
from oracle.lesson.meaning.naming import flat
from oracle.lesson.meaning.notation import LAYER_LETTERS, Ref, letters
from oracle.lesson.syntax import Derivative, Indexed, Name, Node, Relation, Statement, Sum, Tagged, rebuilt

FRESH = "pqrsuv"
"""Letters for indices, the likeliest first."""


def leaves_sums_out(statements: Iterable[Statement]) -> bool:
    """Whether no sum is written, but indices stand twice on the right of two claims of entries, and not on the left."""
    given = [s.body for s in statements]
    if any(isinstance(part, Sum) and part.indices for body in given for part in body.walk()):
        return False
    claims = [(body.items[0], member) for body in given if isinstance(body, Relation) for member in body.items[1:]]
    return sum(_of_entries(head) and contracted(member, head) is not None for head, member in claims) > 1


def _of_entries(head: Node) -> bool:
    """Whether a left side is an entry, or a partial of one or by one."""
    ends = (head.of, *head.wrt) if isinstance(head, Derivative) else (head,)
    return any(isinstance(end, Ref) and any(isinstance(sub, Name) for sub in end.subs) for end in ends)


def with_own_indices(statement: Statement) -> Statement:
    """A statement in which no letter counts layers here and is an index there."""
    nodes = list(statement.body.walk())
    layers = {x for node in nodes if isinstance(node, Tagged) and node.bracket == "[" for x in letters(node.tag)}
    below = {x for node in nodes if isinstance(node, Indexed) for x in _pair(node)} & layers & LAYER_LETTERS
    below -= {name.base for node in nodes if isinstance(node, Sum) for name in node.indices}
    used = set().union(*map(letters, nodes)) if below else set()
    fresh = dict(zip(sorted(below), (x for x in FRESH if x not in used), strict=False))
    return replace(statement, body=_with(statement.body, fresh)) if fresh else statement


def _pair(node: Indexed) -> set[str]:
    """The letters of two indices or more."""
    subs = flat(node.subs)
    return {sub.base for sub in subs if isinstance(sub, Name)} if len(subs) > 1 else set()


def _with(node: Node, fresh: dict[str, str]) -> Node:
    """The same with other letters for indices below, wherever there are two of them."""
    node = rebuilt(node, lambda child: _with(child, fresh))
    if not isinstance(node, Indexed) or not _pair(node) & fresh.keys():
        return node
    subs = (
        replace(sub, base=fresh.get(sub.base, sub.base)) if isinstance(sub, Name) else sub for sub in flat(node.subs)
    )
    return replace(node, subs=tuple(subs))
