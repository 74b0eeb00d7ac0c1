r"""Likelihoods of a model whose output is a softmax: p_{model}(y^{(t)} | x^{(t)}) is the entry y^{(t)} of ŷ^{(t)}."""

from collections.abc import Iterable
from dataclasses import replace

from oracle.lesson.meaning.above import symbol_of
from oracle.lesson.meaning.probabilities import NAMES
from oracle.lesson.syntax import Call, Indexed, Name, Node, Relation, Statement, Tagged, Text, rebuilt

MODEL = {"model", "theta"}
"""Labels of what a model says."""


def outputs(statements: Iterable[Statement]) -> dict[str, Node]:
    r"""By the letter of its target, the output \hat y^{(t)} that a lesson has from a softmax, if that is one."""
    found = dict[str, Node]()
    for statement in statements:
        match statement.body:
            case Relation(items=(head, Call(function=Name(base="softmax")), *_), ops=("=" | ":=", *_)):
                found.setdefault(symbol_of(head).removeprefix("hat "), head)
    return found if len(found) == 1 and all(symbol_of(head) != y for y, head in found.items()) else {}


def with_likelihoods(statement: Statement, made: dict[str, Node]) -> Statement:
    """A statement in which likelihoods of the target are entries of the output."""
    return replace(statement, body=_entries(statement.body, made)) if made else statement


def _entries(node: Node, made: dict[str, Node]) -> Node:
    match node:
        case Call(function=Indexed(base=Name(base=p), subs=(label,)), args=(target, _, *_)) if p in NAMES:
            output = made.get(symbol_of(target))
            if output is not None and _word(label) in MODEL and _tag(output) == _tag(target):
                return Indexed(output, (target,), span=node.span)
    return rebuilt(node, lambda child: _entries(child, made))


def _word(label: Node) -> str:
    return label.text if isinstance(label, Text) else label.base if isinstance(label, Name) else ""


def _tag(node: Node) -> Node | None:
    return node.tag if isinstance(node, Tagged) else None
