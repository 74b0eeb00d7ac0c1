r"""Samples in bold: the vector \boldsymbol{x}_i of the sample i beside x_i, the entry i of any sample."""

from collections.abc import Collection, Iterable
from dataclasses import replace

from oracle.lesson.syntax import Indexed, Name, Node, Number, Statement, Tagged, rebuilt


def bold(statements: Iterable[Statement]) -> set[str]:
    """The letters that have an index both in bold and in plain type."""
    nodes = [node for s in statements for top in (s.body, *s.asides) for node in top.walk()]
    names = [node.base for node in nodes if isinstance(node, Indexed) and _single(node)]
    met = {(name.base, name.bold) for name in names if isinstance(name, Name)}
    return {base for base, thick in met if thick and (base, False) in met}


def _single(node: Indexed) -> bool:
    return isinstance(node.base, Name) and len(node.subs) == 1 and isinstance(node.subs[0], Name | Number)


def with_bold_samples(statement: Statement, letters: Collection[str]) -> Statement:
    r"""A statement in which \boldsymbol{x}_i is the sample x^{(i)}."""
    return replace(statement, body=_tagged(statement.body, letters)) if letters else statement


def _tagged(node: Node, letters: Collection[str]) -> Node:
    match node:
        case Indexed(base=Name(base=base, bold=True) as name, subs=(sub,)) if base in letters and _single(node):
            return Tagged(name, sub, "(", span=node.span)
    return rebuilt(node, lambda child: _tagged(child, letters))
