r"""Iterations in parentheses: $w(k+1) = w(k) - \alpha \partial F / \partial w$ renews w as w ← w - … does."""

from collections.abc import Collection, Iterable
from dataclasses import replace

from oracle.lesson.meaning.above import PARAMETERS
from oracle.lesson.syntax import (
    Call,
    Derivative,
    Indexed,
    Name,
    Node,
    Number,
    Plus,
    Power,
    Relation,
    Statement,
    Times,
    rebuilt,
)

SYMBOLS = (Name, Indexed, Power)
"""What a symbol is that has nothing above it but a power."""
COUNTERS = {"n", "t", "k", "p"}
"""Letters in parentheses that may count iterations or examples."""
MANY = 3
"""So many symbols at least have a letter in parentheses that stands behind all of them."""


Renewed = Collection[tuple[str, str]]
"""Letters that count iterations, each with a name that is renewed."""


def iterations(statements: Iterable[Statement]) -> set[tuple[str, str]]:
    """The letters that count iterations, and what they renew: the k and w of w(k+1) = w(k) - …"""
    bodies = [s.body for s in statements if isinstance(s.body, Relation)]
    return {found for body in bodies if (found := _renewing(body))} | _everywhere(bodies)


def _everywhere(bodies: list[Relation]) -> set[tuple[str, str]]:
    """The n of v_j(n) = Σ_i w_{ji}(n) y_i(n), which stands behind all symbols of a lesson, weights among them."""
    pairs = [found for body in bodies for part in body.walk() if (found := _argument(part))]
    met = {
        (x.base, _core(symbol)) for symbol, x in pairs if isinstance(x, Name) and isinstance(symbol, Indexed | Power)
    }
    below = {
        sub.base for body in bodies for part in body.walk() if isinstance(part, Indexed)
        for sub in part.subs if isinstance(sub, Name)
    }  # fmt: skip
    letters = {letter for letter, core in met if letter in COUNTERS - below and core in PARAMETERS}
    return {(letter, core) for letter, core in met if letter in letters and sum(x == letter for x, _ in met) > MANY}


def without_iterations(statement: Statement, renewed: Renewed) -> Statement:
    """A statement in which nothing says of which iteration a symbol is."""
    body = _renewed_below(statement.body)
    return replace(statement, body=_bare(body, renewed) if renewed else body)


def _renewed_below(body: Node) -> Node:
    """An update without the iterations below its parameter: W_{(i+1)}^l = W_{(i)}^l - η ∂C/∂W_{(i)}^l."""
    head = body.items[0] if isinstance(body, Relation) else body
    named = [part for part in head.walk() if isinstance(part, Indexed)] if isinstance(head, Indexed | Power) else []
    match named:
        case [Indexed(base=Name(base=base), subs=(Plus(terms=(Name() as letter, Number("1")), signs=(1, 1)) as new,))]:
            old = {part for part in body.walk() if isinstance(part, Indexed) and part.subs == (letter,)}
            differentiated = (part.wrt for part in body.walk() if isinstance(part, Derivative))
            if base in PARAMETERS and any(old & {*wrt.walk()} for by in differentiated for wrt in by):
                return _put_bare(body, base, (letter, new))
    return body


def _put_bare(node: Node, base: str, numbers: tuple[Node, ...]) -> Node:
    match node:
        case Indexed(base=Name(base=name), subs=(sub,)) if name == base and sub in numbers:
            return replace(node.base, span=node.span)
    return rebuilt(node, lambda child: _put_bare(child, base, numbers))


def _renewing(body: Relation) -> tuple[str, str] | None:
    head, *members = body.items
    match _argument(head):
        case symbol, Plus(terms=(Name(base=letter), Number(text="1")), signs=(1, 1)):
            before = [_argument(part) for member in members for part in _products(member)]
            return (letter, _core(symbol)) if (symbol, Name(letter)) in before else None
    return None


def _core(node: Node) -> str:
    while isinstance(node, Indexed | Power):
        node = node.base
    return node.base if isinstance(node, Name) else ""


def _products(node: Node) -> Iterable[Node]:
    """All parts of a formula, and what stands side by side in its products."""
    for part in node.walk():
        yield part
        if isinstance(part, Times) and len(part.factors) > 2:
            yield from (Times(part.factors[k : k + 2], part.ops[k : k + 1]) for k in range(len(part.ops)))


def applied(node: Node) -> tuple[Node, Node] | None:
    """The w and k of w(k), which looks like a product where w is no function."""
    match node:
        case Times(factors=(symbol, argument), ops=("",)) | Call(function=symbol, args=(argument,)):
            return symbol, argument
    return None


def _argument(node: Node) -> tuple[Node, Node] | None:
    """The same, of a symbol with nothing above it but a power."""
    found = applied(node)
    return found if found and isinstance(found[0], SYMBOLS) else None


def _bare(node: Node, renewed: Renewed) -> Node:
    match node:
        case Call(function=function, args=(argument,)) if _counts(function, argument, renewed):
            return replace(_bare(function, renewed), span=node.span)
        case Times(factors=factors, ops=ops):
            pairs = zip(ops, factors, factors[1:], strict=False)
            kept = [(op, x) for op, before, x in pairs if op or not _counts(before, x, renewed)]
            if len(kept) < len(ops):
                made = tuple(_bare(x, renewed) for x in (factors[0], *(x for _, x in kept)))
                whole = replace(node, factors=made, ops=tuple(op for op, _ in kept))
                return whole if kept else replace(made[0], span=node.span)
    return rebuilt(node, lambda child: _bare(child, renewed))


def _counts(before: Node, node: Node, renewed: Renewed) -> bool:
    """Whether a node behind another is k or k + 1, or the number of an iteration behind what is renewed."""
    match node:
        case Name(base=base) | Plus(terms=(Name(base=base), Number(text="1"))):
            return any(base == letter for letter, _ in renewed)
        case Number(text=text):
            return text.isdigit() and any(_core(before) == name for _, name in renewed)
    return False
