r"""Forward equations that only derivations tell: ∂y_i/∂a_j = ∂/∂a_j e^{a_i}/u says what y_i is.

So does a factor of a chain: where one member has ∂b_j/∂w_{ji} and the next one ∂/∂w_{ji} Σ_i w_{ji} x_i, the two are
the same.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import pairwise

from oracle.lesson.defining import Said
from oracle.lesson.meaning.limits import free
from oracle.lesson.meaning.losses import LOSSES
from oracle.lesson.meaning.notation import Ref, mentions
from oracle.lesson.syntax import Call, Derivative, Gradient, Matrix, Name, Node, Number, Relation, Statement, Times


def told_in_chains(said: Iterable[Said]) -> list[Said]:
    """What the derivations of a lesson say of quantities that no equation of its own defines, the general first."""
    given = list(said)
    known = {base for s in given if (base := _head(s.statement.body))}
    found: dict[str, Said] = {}
    for s in given:
        for one, other in pairwise(s.statement.body.items) if isinstance(s.statement.body, Relation) else ():
            for head, body in _pairs(one, other):
                if head.base in known or (head.base in found and not _more_general(head, found[head.base])):
                    continue
                told = Statement(Relation((head, body), ("=",), span=head.span))
                found[head.base] = replace(s, statement=told, meant=False)
    return list(found.values())


def _head(body: Node) -> str:
    """What a formula defines, by its looks; how its entries are laid out says nothing, nor z^2 = … of any z^l."""
    match body:
        case Relation(items=(_, Matrix(), *_)) | Relation(items=(Ref(slots=((_, Number()), *_)), *_)):
            return ""
        case Relation(items=(Ref(base=base) | Call(function=Name(base=base)), *_), ops=("=" | ":=", *_)):
            return base
    return ""


def _pairs(one: Node, other: Node) -> Iterator[tuple[Ref, Node]]:
    """Quantities of a formula and what stands for them, differentiated by the same, in another one."""
    written = [part for part in other.walk() if isinstance(part, Derivative) and not isinstance(part.of, Ref)]
    named = [part for part in one.walk() if isinstance(part, Derivative) and isinstance(part.of, Ref)]
    there = {part for part in other.walk() if isinstance(part, Derivative)}
    for partial in written:
        alike = {part.of for part in named if part.wrt == partial.wrt and part not in there}
        body = _differentiated(partial)
        slopes = any(isinstance(part, Derivative | Gradient) for part in body.walk())
        for head in alike if len(alike) == 1 and not slopes else ():
            told = isinstance(head, Ref) and head.base not in LOSSES and free(body) <= free(head)  # no sum is left out
            if isinstance(head, Ref) and told and mentions(body) and not mentions(body, head.base):
                yield head, body


def _differentiated(partial: Derivative) -> Node:
    """What a partial is of: the h(b_j) alone of ∂/∂b_j h(b_j) · x_i."""
    match partial:
        case Derivative(of=Times(factors=factors, ops=ops), wrt=(wrt,), operator=True) if wrt in factors[0].walk():
            apart = ops[0] == "cdot" or (ops[0] == "" and isinstance(factors[0], Call))
            if apart and not any(wrt in factor.walk() for factor in factors[1:]):
                return factors[0]
    return partial.of


def _more_general(head: Ref, other: Said) -> bool:
    """Whether y_i is said where another formula says y_0."""
    match other.statement.body:
        case Relation(items=(Ref(subs=subs), _)):
            return all(isinstance(sub, Name) for sub in head.subs) and not all(isinstance(sub, Name) for sub in subs)
    return False
