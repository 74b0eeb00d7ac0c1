r"""Equations of lists: (i, f, g)^T = (σ(\hat i), σ(\hat f), \tanh(\hat g))^T says i = σ(\hat i) and so on."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from oracle.lesson.meaning.above import symbol_of
from oracle.lesson.meaning.one_step import cells
from oracle.lesson.syntax import Call, Indexed, Matrix, Name, Node, Number, Plus, Relation, Statement, Text, Times


def told_gates(statements: Iterable[Statement]) -> dict[str, Node]:
    r"""By its name, the σ(\hat i) that a lesson says a gate is, where what goes into it has a name."""
    found = dict[str, Node]()
    for statement in statements:
        for one in of_components(statement, {}):
            match one.body:
                case Relation(items=(Name(base=name), body), ops=("=" | ":=",)) if not _column(body):
                    if len([*_applied(body)]) == 1:
                        found.setdefault(name, body)
    return found


def _applied(node: Node) -> Iterable[Node]:
    """What σ(z) and σ z are made of, but for the function."""
    match node:
        case Call(args=(Name() | Indexed() as arg,)) | Times(factors=(Name() | Indexed(), arg), ops=("",)):
            yield arg


def of_components(statement: Statement, told: Mapping[str, Node]) -> tuple[Statement, ...]:
    """An equation for every name of a list, and what is laid out as one on the right: z = (x, h) for (x, h) = z."""
    match statement.body:
        case Relation(items=(left, right), ops=("=" | ":=",)) if _names(names := cells(left)):
            parts = _gates(names, right, told) or cells(right)
            if len(parts) == len(names):
                bodies = (replace(statement.body, items=pair) for pair in zip(names, parts, strict=True))
                return tuple(replace(statement, body=body) for body in bodies)
            if len(parts) == 1 and isinstance(right, Name | Indexed):
                return (replace(statement, body=replace(statement.body, items=(right, left))),)
    return (statement,)


def _names(nodes: tuple[Node, ...]) -> bool:
    """Whether a list is of names that differ by their letters, and not by numbers."""
    bases = [symbol_of(node) for node in nodes if isinstance(node, Name | Indexed)]
    numbers = any(isinstance(part, Number) for node in nodes if isinstance(node, Indexed) for part in node.subs)
    return len(nodes) > 1 and len({*bases} - {""}) == len(nodes) and not numbers


def _column(node: Node) -> bool:
    return any(isinstance(part, Matrix) for part in node.walk())


def _gates(names: tuple[Node, ...], right: Node, told: Mapping[str, Node]) -> tuple[Node, ...]:
    r"""The σ(W_{fx} x + W_{fh} h) of f where (i; f; g) is (σ; σ; \tanh) W (x; h): W has a part for every two."""
    match right:
        case Times(factors=(Matrix() as column, weights, *rest)) if symbol_of(weights).isupper():
            functions = cells(column)
            if len(functions) == len(names) and all(map(symbol_of, functions)):
                pairs = zip(names, functions, strict=True)
                gates = (told.get(symbol_of(n)) or _gate(symbol_of(n), f, weights, rest) for n, f in pairs)
                return tuple(replace(gate, span=right.span) for gate in gates)
    return ()


def _gate(name: str, function: Node, weights: Node, rest: list[Node]) -> Node:
    inputs = cells(rest[0]) if len(rest) == 1 else ()
    terms = tuple(_weighed(weights, f"{name}{symbol_of(x)}", (x,)) for x in inputs)
    total = Plus(terms, (1,) * len(terms)) if len(terms) > 1 else _weighed(weights, name, tuple(rest))
    return Call(function, (total,))


def _weighed(weights: Node, label: str, rest: tuple[Node, ...]) -> Node:
    part = Indexed(weights, (Text(label, span=weights.span),), span=weights.span)
    return Times((part, *rest), ("",) * len(rest), span=(weights.span[0], rest[-1].span[1]))
