r"""Samples in bold: the vector \boldsymbol{x}_i of the sample i beside x_i, the entry i of any sample."""

from collections.abc import Collection, Iterable
from dataclasses import replace

from oracle.lesson.syntax import Indexed, Name, Node, Number, Plus, Statement, Tagged, rebuilt

PARAMETERS = {"w", "W", "b", "B", "theta", "Theta"}
"""What is no sample: the b_h that is bold here and plain there."""


def bold(statements: Iterable[Statement]) -> set[str]:
    r"""The letters with the same index in bold and in plain type; no k beside \mathbf{f}_{k-1}, which counts layers."""
    nodes = [node for s in statements for top in (s.body, *s.asides) for node in top.walk()]
    found = [(node.base, node.subs) for node in nodes if isinstance(node, Indexed) and _lettered(node)]
    met = {(name.base, name.bold, subs) for name, subs in found if isinstance(name, Name)}
    layered = {subs for node in nodes if isinstance(node, Indexed) and (subs := _stepped(node))}
    pairs = {base for base, thick, subs in met if thick and (base, False, subs) in met and subs not in layered}
    return pairs - PARAMETERS


def bold_rows(nodes: Iterable[Node], labels: Collection[str]) -> frozenset[str]:
    r"""The letters that are always bold with one index less than the entries have: \mathbf{y}_i beside y_{ik}.

    What stands first below them and is one of `labels` is no index.
    """
    given = [node for node in nodes if isinstance(node, Indexed) and all(isinstance(sub, Name) for sub in node.subs)]
    met = {(n.base.base, n.base.bold, _count(n.subs, labels)) for n in given if isinstance(n.base, Name)}
    thick = {(base, count) for base, is_bold, count in met if is_bold and count}
    return frozenset(base for base, n in thick if (base, False, n) not in met and (base, False, n + 1) in met)


def _count(subs: tuple[Node, ...], labels: Collection[str]) -> int:
    return len([sub for sub in subs if not (isinstance(sub, Name) and sub.base in labels)])


def _lettered(node: Indexed) -> bool:
    return _single(node) and isinstance(node.subs[0], Name)


def _stepped(node: Indexed) -> tuple[Node, ...]:
    r"""The k of \mathbf{f}_{k-1}."""
    match node:
        case Indexed(base=Name(bold=True), subs=(Plus(terms=(Name() as letter, Number())),)):
            return (letter,)
    return ()


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
