r"""Negative samples counted by one letter: -log σ(u_o^T v) - Σ_k log σ(-u_k^T v), where the words 1, …, K are not o.

The k of such a sum counts words that are drawn: u_k is u_{n_k} then, wherever it stands in that section.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from oracle.lesson.meaning.limits import free, put
from oracle.lesson.meaning.program import LOGARITHMS
from oracle.lesson.syntax import Call, Indexed, Name, Negative, Node, Plus, Relation, Statement, Sum, Times, rebuilt

LOGS = {Name(log) for log in LOGARITHMS}
WORD = Name("drawn")


def negative_letters(statements: Iterable[Statement]) -> set[str]:
    """The letters that count negative samples: in a sum of log σ(-x_k) beside log σ(x_o), and in no softmax."""
    bodies = [s.body for s in statements if isinstance(s.body, Relation)]
    found = {letter for body in bodies for member in body.items[1:] for letter in _negatives(member)}
    sums = [part for body in bodies for part in body.walk() if isinstance(part, Sum)]
    plain = {name.base for part in sums for name in part.indices if any(_is_exp(n) for n in part.walk())}
    return found - plain


def _is_exp(node: Node) -> bool:
    return isinstance(node, Name) and node.base in ("exp", "e", "softmax")


def _negatives(member: Node) -> Iterator[str]:
    if not isinstance(member, Plus):
        return
    for total in (part for part in member.walk() if isinstance(part, Sum) and len(part.indices) == 1):
        letter = total.indices[0].base
        inner = _argument(total.body)
        if isinstance(inner, Negative) and any(_true(inner.body, letter, term) for term in member.terms):
            yield letter


def _true(negative: Node, letter: str, term: Node) -> bool:
    """Whether a term says of the true word what a sum says of the negative ones."""
    other = _argument(term)
    words = free(other) - free(negative) if other is not None else set()
    return len(words) == 1 and put(negative, letter, Name(min(words))) == other


def _argument(term: Node) -> Node | None:
    """The x of log σ(x), whatever sign or number stands before it."""
    match term:
        case Negative(body=body):
            return _argument(body)
        case Times(factors=(*_, last)):
            return _argument(last)
        case Call(function=log, args=(Call(args=(x,)),)) if log in LOGS:
            return _signed(x)
    return None


def _signed(x: Node) -> Node:
    """-u^T v with its minus before everything."""
    match x:
        case Times(factors=(Negative(body=first), *rest)):
            return Negative(replace(x, factors=(first, *rest)))
    return x


def with_negatives(statement: Statement, letters: Iterable[str]) -> Statement:
    """A statement in which these letters count words that are drawn."""
    body = statement.body
    for letter in letters:
        body = _put(body, letter)
    return replace(statement, body=body)


def _put(node: Node, letter: str) -> Node:
    if isinstance(node, Indexed) and Name(letter) in node.subs:
        drawn = Indexed(WORD, (Name(letter),))
        subs = tuple(replace(drawn, span=sub.span) if sub == Name(letter) else sub for sub in node.subs)
        return replace(node, base=_put(node.base, letter), subs=subs)
    return rebuilt(node, lambda child: _put(child, letter))
