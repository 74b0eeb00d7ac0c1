r"""Functions by two names: the ψ of ŷ = softmax(v) = ψ(v) is the softmax all over the lesson."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import pairwise

from oracle.lesson.meaning.calculus import NAMED
from oracle.lesson.syntax import Call, Name, Node, Relation, Statement, rebuilt


def synonyms(statements: Iterable[Statement]) -> dict[str, str]:
    """By the name of a function that the lesson gives to a known one, that one.

    f(z) = tanh(z) defines f, which may be another function elsewhere: that is none.
    """
    found: dict[str, set[str]] = {}
    bodies = [s.body for s in statements if isinstance(s.body, Relation)]
    defined = {_called(body.items[0]) for body in bodies}
    for body in bodies:
        for a, b in pairwise(body.items[1:]):
            for known, other in ((a, b), (b, a)):
                match known, other:
                    case Call(function=Name(base=name), args=one), Call(function=Name(base=own), args=two):
                        if one == two and name in NAMED and own not in NAMED:
                            found.setdefault(own, set()).add(name)
    return {own: min(names) for own, names in found.items() if len(names) == 1 and own not in defined}


def _called(node: Node) -> str:
    """The name of the function of a call, whatever its scripts; "" of anything else."""
    names = (part.base for part in node.function.walk() if isinstance(part, Name)) if isinstance(node, Call) else ()
    return next(iter(names), "")


def with_synonyms(statement: Statement, names: Mapping[str, str]) -> Statement:
    """A statement in which every function goes by the name that is known."""
    return replace(statement, body=_named(statement.body, names)) if names else statement


def _named(node: Node, names: Mapping[str, str]) -> Node:
    if isinstance(node, Call):
        args = tuple(_named(arg, names) for arg in node.args)
        return replace(node, function=_function(node.function, names), args=args)
    return rebuilt(node, lambda child: _named(child, names))


def _function(node: Node, names: Mapping[str, str]) -> Node:
    if isinstance(node, Name):
        return replace(node, base=names.get(node.base, node.base))
    return rebuilt(node, lambda child: _function(child, names))
