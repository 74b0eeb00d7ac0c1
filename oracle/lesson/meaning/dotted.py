r"""Dots for slopes, as engineers write them: $\dot f^m(n) = d f^m(n) / dn$, and $\dot F(n)$ is the diagonal of them.

A dot is a slope's only where the letter under it is a function of the lesson: $\dot W$ may be a change in time. So is
$\Sigma'(z)$ the diagonal of the slopes $\sigma'(z_j)$, where nothing else is said of $\Sigma$.
"""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import replace

from oracle.lesson.meaning.losses import LOSSES
from oracle.lesson.syntax import Call, Indexed, Name, Node, Power, Prime, Statement, Tagged, Times, rebuilt

DOT = "dot "


def dotted(statements: Iterable[Statement]) -> set[str]:
    r"""The names with a dot that are slopes here: `dot f` where f is applied to something, and `dot F` beside it."""
    calls = [node for s in statements for node in s.body.walk() if isinstance(node, Call)]
    names = {_name(call.function) for call in calls}
    slopes = {name for name in names if name.startswith(DOT) and name.removeprefix(DOT) in names}
    found = {name for name in names if name.startswith(DOT) and DOT + _small(name) in slopes}
    return found | {name for name in _capitals(statements) if _small(name) in names}


def _capitals(statements: Iterable[Statement]) -> set[str]:
    """Capitals that stand with a prime alone, before what is applied to it, and in no product entry by entry."""
    nodes = [node for s in statements for node in s.body.walk()]
    primed = [node.base for node in nodes if isinstance(node, Prime) and isinstance(node.base, Name)]
    beside = {part for node in nodes if isinstance(node, Times) and "odot" in node.ops for part in node.walk()}
    plain = Counter(node.base for node in nodes if isinstance(node, Name))
    times = Counter(name.base for name in primed)
    alone = {name.base for name in primed if plain[name.base] == times[name.base] and Prime(name) not in beside}
    return {name for name in alone if name[:1].isupper() and name not in LOSSES}


def with_slopes(statement: Statement, names: Collection[str]) -> Statement:
    """A statement in which such dots are primes, and the capitals diagonal matrices of them."""
    return replace(statement, body=_primed(statement.body, names)) if names else statement


def _primed(node: Node, names: Collection[str]) -> Node:
    node = rebuilt(node, lambda child: _primed(child, names))
    match node:
        case Call(function=function, args=args) if (name := _name(function)) in names:
            inner = function.base if isinstance(function, Prime) else function
            small = Call(Prime(_renamed(inner, _small(name))), args, span=node.span)
            return small if DOT + _small(name) == name else Call(Name("diag"), (small,), span=node.span)
    return node


def _small(name: str) -> str:
    """The f of a dotted F, and of a dotted f where that is the function."""
    return name.removeprefix(DOT).lower()


def _name(function: Node) -> str:
    """The name of a function, whatever its scripts."""
    while isinstance(function, Power | Tagged | Indexed | Prime):
        function = function.base
    return function.base if isinstance(function, Name) else ""


def _renamed(function: Node, name: str) -> Node:
    if isinstance(function, Name):
        return replace(function, base=name)
    assert isinstance(function, Power | Tagged | Indexed)
    return replace(function, base=_renamed(function.base, name))
