r"""Steps in parentheses behind symbols: $h(t) = \tanh(W x(t) + U h(t-1))$ is of $h_t$, $x_t$ and $h_{t-1}$.

A letter behind three symbols at least, that stands there with a step before or after it as well, counts steps, unless
weights have it too or it stands below something; that says nothing of what is renewed, as in
U_{t+1} = U_t - η Σ_z e(t-z) x(t-z)ᵀ, nor where it stands behind `MANY` others.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace

from oracle.lesson.meaning.above import PARAMETERS, symbol_of
from oracle.lesson.meaning.iterations import applied
from oracle.lesson.meaning.naming import flat
from oracle.lesson.syntax import (
    Call,
    Indexed,
    Name,
    Node,
    Number,
    Plus,
    Power,
    Relation,
    Statement,
    Sum,
    Tagged,
    Times,
    Transpose,
    rebuilt,
)

COUNTERS = {"t", "tau", "k", "n"}
MANY = 5
"""So many symbols have their steps behind them where others have them below: S(t) beside s_t."""
SYMBOLS = (Name, Indexed)
Stepped = Collection[tuple[str, str]]
"""Symbols with the letter that counts the steps behind them."""


def steps_behind(statements: Collection[Statement]) -> set[tuple[str, str]]:
    """What has steps in parentheses behind it, and by which letter; nothing where that is no step of anything."""
    nodes = [node for s in statements for node in s.body.walk()]
    met = [found for node in nodes for found in _behind(node)]
    others = {name for name, letter, _ in met if not letter}
    renewed = {name for s in statements for name in _renewed(s.body)}
    below = {
        (symbol, x.base)
        for node in nodes if isinstance(node, Indexed) and (symbol := symbol_of(node)) not in renewed
        for x in flat(node.subs) if isinstance(x, Name)
    }  # fmt: skip
    found = set[tuple[str, str]]()
    for counter in COUNTERS:
        names = {name for name, letter, _ in met if letter == counter}
        others_below = {symbol for symbol, letter in below if letter == counter}
        if others_below and len(names - others_below) < MANY:
            continue
        shifted = {name for name, letter, by in met if letter == counter and by}
        if len(names) > 2 and shifted & {name for name, letter, by in met if letter == counter and not by}:
            found |= {(name, counter) for name in names - others} if not names & PARAMETERS - {"b", "u"} else set()
    stepped = {name for name, _ in found}
    others = {letter for name, letter, by in met if name in stepped and by}  # the k of S(k-1)
    sums = [node for node in nodes if isinstance(node, Sum) and node.upper in {Name(letter) for _, letter in found}]
    others |= {name.base for total in sums for name in total.indices}  # and of Σ_{k=1}^t
    return found | {(name, letter) for name, letter, _ in met if name in stepped and letter in others}


def _renewed(body: Node) -> Iterator[str]:
    """The U of U_{t+1} = U_t - …"""
    match body:
        case Relation(
            items=(Indexed(subs=(Plus(terms=(Name() as letter, Number("1")), signs=(1, 1)),)) as head, *others)
        ):
            before = replace(head, subs=(letter,))
            if any(part == before for member in others for part in member.walk()):
                yield symbol_of(head)


def with_steps(statement: Statement, stepped: Stepped) -> Statement:
    """A statement in which such steps stand above, as in h^{<t>}."""
    return replace(statement, body=_above(statement.body, stepped)) if stepped else statement


def _behind(node: Node) -> Iterator[tuple[str, str, int]]:
    """The symbols of a call or product with the letter of the step behind each, and how far from it that is.

    What has something else behind it, as the f of f(z), has no letter.
    """
    for symbol, argument in _pairs(node):
        letter, by = _step(argument)
        if isinstance(symbol, SYMBOLS) and (letter or isinstance(node, Call)):
            yield symbol_of(symbol), letter, by


def _pairs(node: Node) -> Iterator[tuple[Node, Node]]:
    if isinstance(node, Call) and (found := applied(node)):
        yield found
    elif isinstance(node, Times):
        pairs = zip(node.factors, node.factors[1:], node.ops, strict=False)
        yield from ((a, b) for a, b, op in pairs if op == "")


def _step(node: Node) -> tuple[str, int]:
    """The t and -1 of t - 1 and of t - z, whatever stands above it: (t-1)^T."""
    match node:
        case Name(base=base) if base in COUNTERS:
            return base, 0
        case Plus(terms=(Name(base=base), Number(text=text)), signs=(1, sign)) if base in COUNTERS and text.isdigit():
            return base, sign * int(text)
        case Plus(terms=(Name(base=base), *back), signs=(1, *signs)) if base in COUNTERS and _back(back, signs):
            return base, -1
        case Power(base=base) | Transpose(base=base):
            return _step(base)
    return "", 0


def _back(terms: Collection[Node], signs: Iterable[int]) -> bool:
    """Whether steps are counted back by a letter, as in t - z - 1."""
    names = [term for term in terms if isinstance(term, Name)]
    plain = all(isinstance(term, Number | Name) for term in terms)
    return plain and len(names) == 1 and all(sign < 0 for sign in signs)


def _above(node: Node, stepped: Stepped) -> Node:
    match node:
        case Call(function=function, args=(argument,)) if _counts(function, argument, stepped):
            return _put(function, argument)
        case Times(factors=factors, ops=ops):
            made, kept = [factors[0]], list[str]()
            for op, factor in zip(ops, factors[1:], strict=True):
                if op == "" and _counts(made[-1], factor, stepped):
                    made[-1] = _put(made[-1], factor)
                else:
                    made, kept = [*made, factor], [*kept, op]
            done = tuple(x if isinstance(x, Tagged) else _above(x, stepped) for x in made)
            return replace(node, factors=done, ops=tuple(kept)) if kept else replace(done[0], span=node.span)
    return rebuilt(node, lambda child: _above(child, stepped))


def _counts(symbol: Node, argument: Node, stepped: Stepped) -> bool:
    return isinstance(symbol, SYMBOLS) and (symbol_of(symbol), _step(argument)[0]) in stepped


def _put(symbol: Node, argument: Node) -> Node:
    """The step on its symbol, and what stands above the step around both."""
    if isinstance(argument, Power | Transpose):
        return replace(argument, base=_put(symbol, argument.base))
    return Tagged(symbol, argument, "<", span=(symbol.span[0], argument.span[1] + 1))  # with its bracket
