r"""The cost of one sample by its number: C_0 = (a - y)^2, where ∂C/∂w = \frac1n Σ_k ∂C_k/∂w adds up those of all.

C_0 is any sample's cost then, and C_k that of the sample k; both are written as samples are, C^{(k)}.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace

from oracle.lesson.meaning.above import STEPS
from oracle.lesson.meaning.losses import LOSS
from oracle.lesson.meaning.naming import flat
from oracle.lesson.syntax import (
    Derivative,
    Gradient,
    Indexed,
    Name,
    Node,
    Number,
    Plus,
    Relation,
    Statement,
    Sum,
    Tagged,
    rebuilt,
)

ANY = Name("s")
"""The letter of any sample."""


def numbered_losses(statements: Iterable[Statement]) -> set[str]:
    """The C of C_0, if the lesson adds up C_k over k."""
    given = list(statements)
    numbered = {base for node in _differentiated(given) if (base := _loss(node, Number))}
    sums = [node for s in given if numbered for node in s.body.walk() if isinstance(node, Sum)]
    return numbered & {base for node in sums for base in _added(node)}


def with_numbered_losses(statement: Statement, bases: Collection[str]) -> Statement:
    """A statement in which C_0 and C_k say which sample they are of."""
    return replace(statement, body=_tagged(statement.body, bases)) if bases else statement


def _differentiated(statements: Iterable[Statement]) -> Iterator[Node]:
    """What is defined or differentiated."""
    for s in statements:
        if isinstance(s.body, Relation):
            yield s.body.items[0]
        yield from (node.of for node in s.body.walk() if isinstance(node, Derivative | Gradient))


def _loss(node: Node, kind: type[Node]) -> str:
    """The C of C_0, or of C_k; "" of anything else."""
    match node:
        case Indexed(base=Name(base=base), subs=subs) if base in LOSS and len(flat(subs)) == 1:
            return base if isinstance(flat(subs)[0], kind) else ""
    return ""


def _added(node: Sum) -> Iterator[str]:
    """The C of Σ_k C_k and of Σ_k ∂C_k/∂w, which is of no k itself."""
    body = node.body.of if isinstance(node.body, Derivative | Gradient) else node.body
    steps = {name.base for name in node.indices} & STEPS
    if isinstance(body, Indexed) and body.subs == node.indices and not steps and (base := _loss(body, Name)):
        yield base


def _tagged(node: Node, bases: Collection[str]) -> Node:
    if isinstance(node, Indexed) and (base := _loss(node, Number) or _loss(node, Name)) in bases:
        (sub,) = flat(node.subs)
        return Tagged(Name(base, span=node.span), ANY if isinstance(sub, Number) else sub, "(", span=node.span)
    if isinstance(node, Sum) and any(base in bases for base in _added(node)):
        node = _from_one(node)
    return rebuilt(node, lambda child: _tagged(child, bases))


def _from_one(node: Sum) -> Sum:
    """Σ_{k=0}^{n-1} as Σ_{k=1}^n."""
    match node:
        case Sum(lower=Number(text="0"), upper=Plus(terms=(end, Number(text="1")), signs=(1, -1))):
            return replace(node, lower=Number("1"), upper=end)
    return node
