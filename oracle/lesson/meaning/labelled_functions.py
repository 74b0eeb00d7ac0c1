r"""Functions that words below them tell apart: the h_{out} of $z^L = h(a^L) = h_{out}(a^L)$ beside $z^k = h(a^k)$."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace

from oracle.lesson.meaning.losses import LOSSES
from oracle.lesson.syntax import Call, Indexed, Name, Node, Prime, Relation, Statement, rebuilt


def labelled(statements: Iterable[Statement]) -> set[str]:
    """The letters of functions that stand both with a word below them and without."""
    calls = [part for s in statements for part in s.body.walk() if isinstance(part, Call) and len(part.args) == 1]
    found = {letter for call in calls for letter, _ in _labelled(call.function)}
    return found & {call.function.base for call in calls if isinstance(call.function, Name)} - LOSSES


def with_labels_in_names(statement: Statement, letters: Collection[str]) -> Statement:
    """A statement in which the word is part of the function's name."""
    return replace(statement, body=_named(statement.body, letters)) if letters else statement


def in_this_layer(body: Relation) -> Relation:
    """z^L = h_{out}(a^L) for z^L = h(a^L) = h_{out}(a^L): which h it is in this layer."""
    match body:
        case Relation(
            items=(_, Call(function=Name(base=f), args=args), Call(function=Name(base=own), args=same), *_),
            ops=("=", "=", *_),
        ) if args == same and own.startswith(f"{f}_"):
            return replace(body, items=(body.items[0], *body.items[2:]), ops=body.ops[1:])
    return body


def _labelled(function: Node) -> Iterator[tuple[str, str]]:
    """The h and out of h_{out} and of h_{out}'."""
    match function.base if isinstance(function, Prime) else function:
        case Indexed(base=Name(base=letter), subs=(Name(base=word),)) if len(word) > 1 and word.isalpha():
            yield letter, word


def _named(node: Node, letters: Collection[str]) -> Node:
    if isinstance(node, Call):
        for letter, word in _labelled(node.function):
            if letter in letters:
                name: Node = Name(f"{letter}_{word}", span=node.function.span)
                name = replace(node.function, base=name) if isinstance(node.function, Prime) else name
                return replace(node, function=name, args=tuple(_named(arg, letters) for arg in node.args))
    return rebuilt(node, lambda child: _named(child, letters))
