r"""Every formula that is one slip away from a right one: what an author who is tired writes, in one place."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from oracle.lesson.meaning.notation import Ref, counted_on
from oracle.lesson.syntax import (
    Call,
    Derivative,
    Name,
    Negative,
    Node,
    Number,
    Plus,
    Prime,
    Quotient,
    Sum,
    Times,
    Transpose,
    rebuilt,
)  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """A changed right side, and the name of the slip."""

    slip: str
    node: Node


@dataclass(frozen=True)
class Words:
    """What a slip may put in: the letters of the formula, the symbols around it, and how many axes a factor has."""

    letters: tuple[str, ...]
    symbols: tuple[Ref, ...]
    rank: Callable[[Node], int]


def mutants(side: Node, words: Words) -> Iterator[Mutant]:
    """Every mutant of a right side, each once."""
    seen = {side}
    for mutant in _everywhere(side, words):
        if mutant.node not in seen:
            seen.add(mutant.node)
            yield mutant


def _everywhere(node: Node, words: Words, term: bool = True) -> Iterator[Mutant]:
    if term:
        yield from _term(node)
    yield from _here(node, words)
    children = list(node.children())
    for k, child in enumerate(children):
        if not _left_alone(node, child):
            for mutant in _everywhere(child, words, isinstance(node, Sum) and child is node.body):
                yield Mutant(mutant.slip, _with(node, children, k, mutant.node))


def _with(node: Node, children: list[Node], at: int, new: Node) -> Node:
    rest = iter([*children[:at], new, *children[at + 1 :]])
    return rebuilt(node, lambda _: next(rest))


def _left_alone(node: Node, child: Node) -> bool:
    """Scripts are changed with their symbol, indices with their sum, functions with their call."""
    return (
        isinstance(node, Ref)
        or (isinstance(node, Sum) and child is not node.body)
        or (isinstance(node, Call) and child is node.function)
    )


def _term(node: Node) -> Iterator[Mutant]:
    """The sign of a whole term, and it twice."""
    if isinstance(node, Negative):
        yield Mutant("sign", node.body)
    elif not isinstance(node, Plus):
        yield Mutant("sign", Negative(node))
    if not isinstance(node, Times | Plus | Negative | Sum | Number):
        yield Mutant("factor twice", Times((node, node), ("",)))


def _here(node: Node, words: Words) -> Iterator[Mutant]:
    match node:
        case Plus():
            yield from _plus(node)
        case Times():
            yield from _times(node, words)
        case Quotient(over=over, under=under):
            yield Mutant("no divisor", over)
            yield Mutant("upside down", Quotient(under, over))
        case Transpose(base=base):
            yield Mutant("no transpose", base)
        case Sum(indices=(Name() as index,), body=body):
            yield Mutant("no sum", body)
            for letter in words.letters:
                if letter != index.base:
                    yield Mutant("another index", replace(node, indices=(Name(letter),)))
        case Sum(body=body):
            yield Mutant("no sum", body)
        case Call(function=Prime(base=plain), args=args):
            yield Mutant("no prime", Call(plain, args))
        case Derivative(of=Ref() as of, wrt=(Ref() as wrt,)):
            yield Mutant("upside down", replace(node, of=wrt, wrt=(of,)))
        case Ref():
            yield from _ref(node, words)


def _plus(node: Plus) -> Iterator[Mutant]:
    for k in range(len(node.terms)):
        signs = (*node.signs[:k], -node.signs[k], *node.signs[k + 1 :])
        yield Mutant("sign", replace(node, signs=signs))
        terms, left = node.terms[:k] + node.terms[k + 1 :], node.signs[:k] + node.signs[k + 1 :]
        alone = terms[0] if left[0] > 0 else Negative(terms[0])
        yield Mutant("no term", Plus(terms, left) if len(terms) > 1 else alone)
    if node.signs == (1, -1):
        yield Mutant("difference reversed", replace(node, terms=node.terms[::-1]))


def _times(node: Times, words: Words) -> Iterator[Mutant]:
    factors, ops = node.factors, node.ops
    for k in range(len(factors)):
        rest, joints = factors[:k] + factors[k + 1 :], ops[: max(k - 1, 0)] + ops[max(k, 1) :]
        yield Mutant("no factor", rest[0] if len(rest) == 1 else Times(rest, joints))
        again = Times((*factors[: k + 1], *factors[k:]), (*ops[:k], ops[min(k, len(ops) - 1)], *ops[k:]))
        yield Mutant("factor twice", again)
    for k, op in enumerate(ops):
        if op == "odot":
            yield Mutant("· for ⊙", Times(factors, (*ops[:k], "", *ops[k + 1 :])))
        elif words.rank(factors[k]) and words.rank(factors[k + 1]):
            yield Mutant("⊙ for ·", Times(factors, (*ops[:k], "odot", *ops[k + 1 :])))
            turned = (*factors[:k], factors[k + 1], factors[k], *factors[k + 2 :])
            yield Mutant("order", Times(turned, ops))


def _ref(node: Ref, words: Words) -> Iterator[Mutant]:
    if len(node.subs) == 2 and node.subs[0] != node.subs[1]:
        yield Mutant("indices swapped", replace(node, subs=node.subs[::-1]))
    for k, sub in enumerate(node.subs):
        for letter in words.letters if isinstance(sub, Name) else ():
            yield Mutant("another index", replace(node, subs=(*node.subs[:k], Name(letter), *node.subs[k + 1 :])))
    for k, (kind, at) in enumerate(node.slots):
        for step in (1, -1):
            slot = (kind, shifted(at, step))
            if isinstance(at, Number) and int(at.text) + step < 0:
                continue
            yield Mutant(f"{kind} ± 1", replace(node, slots=(*node.slots[:k], slot, *node.slots[k + 1 :])))
    for other in words.symbols:
        if other.base != node.base and other.kinds == node.kinds and len(other.subs) == len(node.subs):
            yield Mutant("another symbol", replace(node, base=other.base))


def shifted(at: Node, step: int) -> Node:
    """The next layer or step, or the one before."""
    if isinstance(at, Number) and at.text.isdigit():
        return Number(str(int(at.text) + step))
    if isinstance(at, Plus) and len(at.terms) == 2 and isinstance(number := at.terms[1], Number):
        return counted_on(at.terms[0], at.signs[1] * int(number.text) + step)
    return counted_on(at, step)
