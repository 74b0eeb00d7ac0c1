r"""Samples that go by their input: $C = \frac{1}{2n} \sum_x \|y(x) - a^L(x)\|^2$, and then $\delta^{x,l}$."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from itertools import pairwise

from oracle.lesson.meaning.iterations import SYMBOLS
from oracle.lesson.syntax import Items, Name, Node, Power, Statement, Sum, Tagged, Times, rebuilt


def named_samples(statements: Iterable[Statement]) -> set[str]:
    """The letters that a sum goes over, and that stand in it as the argument of a quantity: the x of Σ_x y(x)."""
    sums = [part for s in statements for part in s.body.walk() if isinstance(part, Sum) and len(part.indices) == 1]
    return {total.indices[0].base for total in sums if any(_of(total.body, total.indices[0]))}


def with_samples_above(statement: Statement, letters: Collection[str]) -> Statement:
    """A statement in which such letters stand above in parentheses, as the i of y^{(i)} does."""
    return replace(statement, body=_tagged(statement.body, letters)) if letters else statement


def _of(body: Node, letter: Name) -> Iterator[bool]:
    """For every product in a formula, whether the letter stands behind a symbol in it, and no sign between."""
    for part in body.walk():
        if isinstance(part, Times):
            for (a, b), op in zip(pairwise(part.factors), part.ops, strict=True):
                yield op == "" and b == letter and isinstance(a, SYMBOLS) and a != letter


def _tagged(node: Node, letters: Collection[str]) -> Node:
    node = rebuilt(node, lambda child: _tagged(child, letters))
    match node:
        case Power(base=base, exponent=Items(items=(Name(base=x) as tag, other))) if x in letters:
            return Tagged(Power(base, other, span=node.span), tag, "(", span=node.span)
        case Times(factors=factors, ops=ops):
            made, kept = [factors[0]], list[str]()
            for op, factor in zip(ops, factors[1:], strict=True):
                if op == "" and isinstance(factor, Name) and factor.base in letters and isinstance(made[-1], SYMBOLS):
                    made[-1] = Tagged(made[-1], factor, "(", span=(made[-1].span[0], factor.span[1]))
                else:
                    made, kept = [*made, factor], [*kept, op]
            return replace(node, factors=tuple(made), ops=tuple(kept)) if kept else replace(made[0], span=node.span)
    return node
