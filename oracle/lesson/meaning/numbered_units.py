r"""What is said of every unit where units have numbers: h_i = \max(0, z_i) beside z_1 = w_1 x_1 + b_1 and z_2 = …."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from oracle.lesson.syntax import Derivative, Indexed, Name, Node, Number, Plus, Relation, Statement, Sum, rebuilt


def numbered_units(statements: Iterable[Statement]) -> dict[str, tuple[str, ...]]:
    """By name, the numbers of quantities that have an equation each, and are no entries of what sums go over."""
    bodies = [s.body for s in statements]
    sums = [part for body in bodies for part in body.walk() if isinstance(part, Sum)]
    added = {_base(part) for total in sums for part in total.body.walk()}
    found: dict[str, set[str]] = {}
    for body in bodies:
        match body:
            case Relation(items=(Indexed(base=Name(base=base), subs=(Number(text=text),)), member, *_), ops=("=", *_)):
                if any(isinstance(part, Indexed) for part in member.walk()):
                    found.setdefault(base, set()).add(text)
    return {base: tuple(sorted(texts)) for base, texts in found.items() if len(texts) > 1 and base not in added}


def _base(node: Node) -> str:
    return node.base.base if isinstance(node, Indexed) and isinstance(node.base, Name) else ""


def of_every_unit(statement: Statement, units: Mapping[str, tuple[str, ...]]) -> tuple[Statement, ...]:
    """A forward equation once for every unit; any other statement as it is."""
    match statement.body:
        case Relation(items=(Indexed(base=Name(base=head), subs=(Name() as letter,)), *_), ops=("=",)):
            parts = [part for part in statement.body.walk() if isinstance(part, Indexed) and letter in part.subs]
            partial = any(isinstance(part, Derivative) for part in statement.body.walk())
            bases = [base for part in parts if (base := _base(part)) in units]
            counts = any(isinstance(part, Plus) and letter in part.terms for part in statement.body.walk())  # f_{k-1}
            if bases and not partial and not counts and {_base(part) for part in parts} <= {head, *units}:
                numbers = (Number(text, span=letter.span) for text in units[bases[0]])
                return tuple(replace(statement, body=_put(statement.body, letter, number)) for number in numbers)
    return (statement,)


def _put(node: Node, letter: Name, number: Number) -> Node:
    if isinstance(node, Indexed) and node.subs == (letter,):
        return replace(node, subs=(number,))
    return rebuilt(node, lambda child: _put(child, letter, number))
