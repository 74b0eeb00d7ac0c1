"""Einstein's convention: an index that stands twice in a product, and is not on the left side, is summed."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from oracle.lesson.meaning.notation import Ref
from oracle.lesson.syntax import Derivative, Indexed, Name, Negative, Node, Plus, Sum, Times, rebuilt


def contracted(member: Node, head: Node, every: bool = False) -> Node | None:
    """`member` with every sum written that the convention leaves out; None where it leaves none out.

    With `every`, what is left of an index in one of several terms is summed there too: y_a δ_{ab} - y_a ŷ_b, where
    nothing but b is on the left.
    """
    kept = frozenset(free(head))
    found = _summed(member, kept)
    if every and found != member:
        found = _rest(found, kept)
    return None if found == member else found


def _rest(node: Node, kept: frozenset[str]) -> Node:
    """A sum of terms in which only the letters `kept` are free."""
    match node:
        case Plus(terms=terms):
            return replace(node, terms=tuple(_rest(term, kept) for term in terms))
        case Negative(body=body):
            return replace(node, body=_rest(body, kept))
    for letter in sorted(set(_letters(node)) - kept):
        node = Sum((Name(letter),), None, None, None, node, span=node.span)
    return node


def free(node: Node) -> set[str]:
    """The indices of a left side: those that stand in it once and that no sum in it goes over."""
    return {letter for letter, count in Counter(_letters(node)).items() if count == 1}


def _letters(node: Node) -> Iterator[str]:
    """Every index, as often as it stands there."""
    match node:
        case Ref(subs=subs):
            yield from (sub.base for sub in subs if isinstance(sub, Name))
        case Indexed(base=base, subs=subs):
            yield from _letters(base)
            yield from (sub.base for sub in subs if isinstance(sub, Name))
        case Sum(indices=indices, body=body):
            bound = {name.base for name in indices}
            yield from (letter for letter in _letters(body) if letter not in bound)
        case Plus(terms=terms):
            yield from set().union(*(set(_letters(term)) for term in terms))
        case _:
            for child in node.children():
                yield from _letters(child)


def _summed(node: Node, kept: frozenset[str]) -> Node:
    """`node` with its sums; `kept` are the letters that are free, or summed further out."""
    match node:
        case Times(factors=factors):
            counts = Counter(letter for factor in factors for letter in set(_letters(factor)))
            here = [letter for letter, count in counts.items() if count > 1 and letter not in kept]
            inner = kept | set(here)
            out: Node = replace(node, factors=tuple(_summed(factor, inner) for factor in factors))
            for letter in here:
                out = Sum((Name(letter),), None, None, None, out, span=node.span)
            return out
        case Sum(indices=indices):
            return replace(node, body=_summed(node.body, kept | {name.base for name in indices}))
        case Derivative() if node.operator:
            return replace(node, of=_summed(node.of, kept | set(_letters(node.wrt[0]))))
        case Ref() | Derivative():
            return node
    return rebuilt(node, lambda child: _summed(child, kept))
