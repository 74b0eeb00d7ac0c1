r"""Iterations in parentheses: $w(k+1) = w(k) - \alpha \partial F / \partial w$ renews w as w ← w - … does."""

from collections.abc import Collection, Iterable
from dataclasses import replace

from oracle.lesson.syntax import Call, Indexed, Name, Node, Number, Plus, Power, Relation, Statement, Times, rebuilt

SYMBOLS = (Name, Indexed, Power)


def iterations(statements: Iterable[Statement]) -> set[str]:
    """The letters that count iterations: the k of w(k+1) = w(k) - …"""
    return {letter for s in statements if isinstance(s.body, Relation) and (letter := _renewing(s.body))}


def without_iterations(statement: Statement, letters: Collection[str]) -> Statement:
    """A statement in which nothing says of which iteration a symbol is."""
    return replace(statement, body=_bare(statement.body, letters)) if letters else statement


def _renewing(body: Relation) -> str:
    head, *members = body.items
    match _argument(head):
        case symbol, Plus(terms=(Name(base=letter), Number(text="1")), signs=(1, 1)):
            before = [_argument(part) for member in members for part in _products(member)]
            return letter if (symbol, Name(letter)) in before else ""
    return ""


def _products(node: Node) -> Iterable[Node]:
    """All parts of a formula, and the beginnings of its products."""
    for part in node.walk():
        yield part
        if isinstance(part, Times) and len(part.factors) > 2:
            yield Times(part.factors[:2], part.ops[:1])


def _argument(node: Node) -> tuple[Node, Node] | None:
    """The w and k of w(k), which looks like a product where w is no function."""
    match node:
        case Times(factors=(symbol, argument), ops=("",)) | Call(function=symbol, args=(argument,)):
            return (symbol, argument) if isinstance(symbol, SYMBOLS) else None
    return None


def _bare(node: Node, letters: Collection[str]) -> Node:
    match node:
        case Call(function=function, args=(argument,)) if _counts(argument, letters):
            return replace(_bare(function, letters), span=node.span)
        case Times(factors=(first, *others), ops=ops) if any(_counts(factor, letters) for factor in others):
            kept = [(op, x) for op, x in zip(ops, others, strict=True) if op or not _counts(x, letters)]
            factors = tuple(_bare(x, letters) for x in (first, *(x for _, x in kept)))
            whole = replace(node, factors=factors, ops=tuple(op for op, _ in kept))
            return whole if kept else replace(factors[0], span=node.span)
    return rebuilt(node, lambda child: _bare(child, letters))


def _counts(node: Node, letters: Collection[str]) -> bool:
    """Whether a node is k or k + 1."""
    match node:
        case Name(base=base) | Plus(terms=(Name(base=base), Number(text="1"))):
            return base in letters
    return False
