r"""Every formula that is one small edit away, with what the edit costs: the less, the likelier to be meant."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from oracle.lesson.correcting import products, symbols
from oracle.lesson.correcting.edit import Edit, Edits
from oracle.lesson.correcting.vocabulary import Vocabulary
from oracle.lesson.meaning.notation import Ref
from oracle.lesson.syntax import (
    Call,
    Cases,
    Derivative,
    Name,
    Negative,
    Node,
    Number,
    Plus,
    Power,
    Prime,
    Quotient,
    Sum,
    Times,
    Transpose,
    rebuilt,
)


def neighbours(node: Node, words: Vocabulary) -> Edits:
    """Every side one edit away: `edits`, and a letter or symbol renamed all through."""
    yield from _symbols_renamed(node, words)
    yield from renamings(node, words)
    yield from edits(node, words)


def renamings(node: Node, words: Vocabulary) -> Edits:
    """A letter that stands in several places replaced in all of them."""
    counted = Counter(
        part.base
        for top in node.walk()
        if isinstance(top, Ref)
        for part in top.walk()
        if part is not top and isinstance(part, Name)
    )
    for letter, times in counted.items():
        for other in (*words.letters, *words.numbers):
            if times > 1 and other != letter:
                new = renamed(node, Name(letter), Name(other))
                yield Edit(
                    new, 1.3, "put {} for {} all through", (Name(other), Name(letter)), ("rename", letter, other)
                )


def _symbols_renamed(node: Node, words: Vocabulary) -> Edits:
    """A symbol that stands in several places replaced in all of them: h (1 - h) for u (1 - u)."""
    counted = Counter(part for part in node.walk() if isinstance(part, Ref))
    for old, times in counted.items():
        for other, far in words.symbols.items():
            if times > 1 and other != old:
                cost = symbols.unlike(old, other) + far + 0.15
                yield Edit(
                    renamed(node, old, other), cost, "put {} for {} all through", (other, old), ("rename", old, other)
                )


def renamed(node: Node, old: Node, new: Node) -> Node:
    """A formula with one symbol or letter replaced all through; functions and their names are left alone."""
    if node == old:
        return replace(new, span=node.span)
    if isinstance(node, Prime):
        return node
    return rebuilt(node, lambda part: renamed(part, old, new))


def edits(node: Node, words: Vocabulary, term: bool = True, inner: bool = False, path: tuple[int, ...] = ()) -> Edits:
    """Every edit of a part of a formula; `term` says that a further factor can stand beside the node,

    `inner` that a number or a sign there could as well stand further out.
    """
    if term and not isinstance(node, Negative):
        yield from (_at(edit, path) for edit in products.beside(node, words))
    if term and not inner:
        yield from (_at(edit, path) for edit in products.scaled(node, words))
    yield from (_at(edit, path) for edit in _AT.get(type(node), _nothing)(node, words))
    for k, child in enumerate(node.children()):
        if not _fixed(node, child):
            for edit in edits(child, words, _is_term(node, child), not isinstance(node, Plus | Cases), (*path, k)):
                if edit.path != (*path, k) or (type(node), edit.what) not in _OWN:
                    yield edit


_OWN = {(Plus, ("minus",)), (Transpose, ("transpose",))}
"""What is never done to a child: a term of a sum has its own sign, and what is transposed is not transposed again."""


def _at(edit: Edit, path: tuple[int, ...]) -> Edit:
    return Edit(edit.node, edit.cost, edit.words, edit.named, edit.what, path)


def _fixed(node: Node, child: Node) -> bool:
    """Parts that edits at their parent take care of."""
    if isinstance(node, Ref) or (isinstance(node, Sum) and child is not node.body):
        return True
    if isinstance(node, Cases):
        return not any(child is value for value in node.values)
    return isinstance(node, Call) and child is node.function


def _is_term(node: Node, child: Node) -> bool:
    return isinstance(node, Plus | Negative | Sum | Quotient | Cases)


def _nothing(node: Any, words: Vocabulary) -> Edits:
    yield from ()


_AT: dict[type, Callable[[Any, Vocabulary], Edits]] = {
    Ref: symbols.symbol,
    Times: products.product,
    Plus: products.terms,
    Sum: products.total,
    Call: symbols.call,
    Derivative: symbols.derivative,
    Quotient: symbols.quotient,
    Power: symbols.power,
    Cases: symbols.cases,
    Number: symbols.number,
    Transpose: symbols.transpose,
    Negative: symbols.negative,
}
