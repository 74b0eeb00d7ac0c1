r"""Units that stand for what comes out of them: the h1 of $net_o = h1 * w5$ beside $out_{h1} = f(net_{h1})$.

Where such a lesson says what $\delta h1$ is, that is no product: it is δ_{h1}.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from oracle.lesson.meaning.naming import UNIT, flat
from oracle.lesson.syntax import Indexed, Name, Node, Number, Relation, Statement, Times, rebuilt

OUT = Name("out")


@dataclass(frozen=True)
class Values:
    """What stands beside quantities with its name below them."""

    outputs: frozenset[str] = frozenset()
    """The h1 of h1 and out_{h1}."""
    errors: frozenset[str] = frozenset()
    """The h1 of δh1 on a left side."""


def unit_values(statements: Iterable[Statement]) -> Values:
    """The units of a lesson that stand both below out and alone, and those whose δ stands before them."""
    bodies = [s.body for s in statements]
    nodes = [node for body in bodies for node in body.walk()]
    below = {_label(node) for node in nodes if isinstance(node, Indexed) and node.base == OUT}
    alone = {name for node in nodes if (name := _unit(node))}
    heads = {name for body in bodies if isinstance(body, Relation) and (name := _after_delta(body.items[0]))}
    return Values(frozenset(below & alone), frozenset(heads & below))


def with_unit_values(statement: Statement, known: Values) -> Statement:
    """A statement with out_{h1} for h1, and δ_{h1} for δh1."""
    return replace(statement, body=_named(statement.body, known)) if known.outputs | known.errors else statement


def _label(node: Indexed) -> str:
    """The h1 of out_{h1}, and the i1 of out_{i1}."""
    match flat(node.subs):
        case (Name(base=name),):
            return name
        case (Name(base=letter), Number(text=text)):
            return letter + text
    return ""


def _unit(node: Node) -> str:
    """The h1 of h_1; "" of anything else."""
    match node:
        case Indexed(base=Name(base=letter), subs=(Number(text=text),)) if UNIT.fullmatch(letter + text):
            return letter + text
    return ""


def _after_delta(node: Node) -> str:
    """The h1 of δ h1; "" of anything else."""
    match node:
        case Times(factors=(Name(base="delta"), unit), ops=("",)):
            return _unit(unit) or (unit.base if isinstance(unit, Name) else "")
    return ""


def _named(node: Node, known: Values) -> Node:
    if isinstance(node, Times) and known.errors:
        node = _with_errors(node, known)
    if (name := _unit(node)) in known.outputs:
        return Indexed(OUT, (Name(name),), span=node.span)
    if isinstance(node, Indexed) and node.base == OUT and (name := _label(node)) in known.outputs:
        return replace(node, subs=(Name(name),))
    if isinstance(node, Indexed):
        return replace(node, base=_named(node.base, known))
    return rebuilt(node, lambda child: _named(child, known))


def _with_errors(node: Times, known: Values) -> Node:
    """δ_o w_{1o} for δ o w_{1o}: each δ with what stands right behind it."""
    factors, ops = [node.factors[0]], list[str]()
    for op, factor in zip(node.ops, node.factors[1:], strict=True):
        name = _after_delta(Times((factors[-1], factor), (op,)))
        if name and (name in known.errors or isinstance(factor, Name)):
            factors[-1] = Indexed(factors[-1], (Name(name),), span=factor.span)
        else:
            factors, ops = [*factors, factor], [*ops, op]
    whole = Times(tuple(factors), tuple(ops)) if ops else factors[0]
    return replace(whole, span=node.span)
