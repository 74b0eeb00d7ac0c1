r"""A function told piece by piece: `y = x \quad (x > 0) \\ y = 0 \quad (x \le 0)` is one equation with two cases."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby

from oracle.lesson.syntax import Cases, Node, Relation, Statement

ORDERS = {"<", ">", "<=", ">="}


def together(statements: Sequence[Statement]) -> list[Statement]:
    """Statements with what is said of one left side under several conditions, x > 0 and x ≤ 0, made one."""
    found: list[Statement] = []
    for _, group in groupby(_conditioned(statements), key=lambda piece: _left(piece[0]) if piece[1] else id(piece[0])):
        pieces = list(group)
        if len(pieces) < 2:
            found += [statement for statement, _, after in pieces for statement in (statement, *after)]
            continue
        first, last = pieces[0][0], pieces[-1][0]
        span = (first.span[0], last.span[1])
        values = tuple(piece.body.items[1] for piece, _, _ in pieces if isinstance(piece.body, Relation))
        cases = Cases(values, tuple(condition for _, condition, _ in pieces), span=(values[0].span[0], span[1]))
        left = _left(first)
        assert left is not None
        found.append(replace(first, body=Relation((left, cases), ("=",), span=span), asides=(), span=span))
    return found


def _conditioned(
    statements: Sequence[Statement],
) -> list[tuple[Statement, Node | None, tuple[Statement, ...]]]:
    """Every statement with its condition, which may be the statement after it."""
    found: list[tuple[Statement, Node | None, tuple[Statement, ...]]] = []
    for statement in statements:
        if found and not found[-1][1] and _ordered(statement.body) and _left(found[-1][0]):
            found[-1] = (found[-1][0], statement.body, (statement,))
        else:
            aside = statement.asides[0] if len(statement.asides) == 1 and _ordered(statement.asides[0]) else None
            found.append((statement, aside if _left(statement) else None, ()))
    return found


def _left(statement: Statement) -> Node | None:
    """The left side of an equation of two members."""
    body = statement.body
    return body.items[0] if isinstance(body, Relation) and body.ops == ("=",) else None


def _ordered(node: Node) -> bool:
    return isinstance(node, Relation) and {*node.ops} <= ORDERS
