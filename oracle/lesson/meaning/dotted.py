r"""Dots for slopes, as engineers write them: $\dot f^m(n) = d f^m(n) / dn$, and $\dot F(n)$ is the diagonal of them.

A dot is a slope's only where the letter under it is a function of the lesson: $\dot W$ may be a change in time.
"""

from collections.abc import Collection, Iterable
from dataclasses import replace

from oracle.lesson.syntax import Call, Indexed, Name, Node, Power, Prime, Statement, Tagged, rebuilt

DOT = "dot "


def dotted(statements: Iterable[Statement]) -> set[str]:
    r"""The names with a dot that are slopes here: `dot f` where f is applied to something, and `dot F` beside it."""
    calls = [node for s in statements for node in s.body.walk() if isinstance(node, Call)]
    names = {_name(call.function) for call in calls}
    slopes = {name for name in names if name.startswith(DOT) and name.removeprefix(DOT) in names}
    return {name for name in names if name.startswith(DOT) and DOT + _small(name) in slopes}


def with_slopes(statement: Statement, names: Collection[str]) -> Statement:
    """A statement in which such dots are primes, and the capitals diagonal matrices of them."""
    return replace(statement, body=_primed(statement.body, names)) if names else statement


def _primed(node: Node, names: Collection[str]) -> Node:
    node = rebuilt(node, lambda child: _primed(child, names))
    match node:
        case Call(function=function, args=args) if (name := _name(function)) in names:
            small = Call(Prime(_renamed(function, _small(name))), args, span=node.span)
            return small if DOT + _small(name) == name else Call(Name("diag"), (small,), span=node.span)
    return node


def _small(name: str) -> str:
    """The f of a dotted F, and of a dotted f where that is the function."""
    return name.removeprefix(DOT).lower()


def _name(function: Node) -> str:
    """The name of a function, whatever its scripts."""
    while isinstance(function, Power | Tagged | Indexed):
        function = function.base
    return function.base if isinstance(function, Name) else ""


def _renamed(function: Node, name: str) -> Node:
    if isinstance(function, Name):
        return replace(function, base=name)
    assert isinstance(function, Power | Tagged | Indexed)
    return replace(function, base=_renamed(function.base, name))
