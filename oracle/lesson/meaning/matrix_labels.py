r"""Letters that tell matrices apart and have the entry behind them: the h of w_{h11} and w_{hij} beside W_h."""

import re
from collections.abc import Iterable

from oracle.lesson.syntax import Indexed, Name, Node, Number, Statement, rebuilt

LABELLED = re.compile(r"([a-z])(\d{1,2}|[i-n]{2})")
"""The label and the indices of `h11` and `oij`, which may be read as one word."""


def matrix_labels(statements: Iterable[Statement]) -> frozenset[str]:
    """The letters that stand alone below a matrix, and before the two indices of its entries."""
    below = [(node.base, node.subs) for s in statements for node in s.body.walk() if isinstance(node, Indexed)]
    return frozenset(map(_alone, below)) & frozenset(_before(subs) for _, subs in below) - {""}


def _alone(below: tuple[Node, tuple[Node, ...]]) -> str:
    """The h of W_h."""
    match below:
        case Name(base=base), (Name(base=letter),) if len(base) == 1 and base.isupper():
            return letter
    return ""


def _before(subs: tuple[Node, ...]) -> str:
    """The h of w_{hij}."""
    match subs:
        case (Name(base=letter), Name() | Number(), Name() | Number()):
            return letter
        case (Name(base=word),) if (found := LABELLED.fullmatch(word)) and len(found[2]) == 2:
            return found[1]
    return ""


def with_labels_split(node: Node, labels: frozenset[str]) -> Node:
    """A formula in which w_{h12} has the label h and the indices 1 and 2."""
    match node:
        case Indexed(base=Name(), subs=(Name(base=word) as sub,)) if found := LABELLED.fullmatch(word):
            if found[1] in labels:
                return Indexed(node.base, (Name(found[1], span=sub.span), *map(_index, found[2])), span=node.span)
    return rebuilt(node, lambda child: with_labels_split(child, labels))


def _index(letter: str) -> Node:
    return Number(letter) if letter.isdigit() else Name(letter)
