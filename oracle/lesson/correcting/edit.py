r"""One edit: what it makes of a part of a formula, where, at what price, and in which words."""

from collections.abc import Iterator
from dataclasses import dataclass

from oracle.lesson.correcting.vocabulary import Vocabulary
from oracle.lesson.correcting.writing import text
from oracle.lesson.syntax import Node, Times, rebuilt


@dataclass(frozen=True)
class Edit:
    """A changed formula. `what` names the change without its place: the same slip, made again, has the same one."""

    node: Node
    cost: float
    words: str
    """What to do, with {} for each of `named`: their TeX is made only for what is offered."""
    named: tuple[Node, ...] = ()
    what: tuple[object, ...] = ()
    path: tuple[int, ...] = ()
    """Where `node` goes: which child, and which of its children. Most edits are never made, only priced."""

    def made(self, side: Node) -> "Edit":
        """The edit with the whole side as its node."""
        return Edit(_with(side, self.path, self.node), self.cost, self.words, self.named, self.what)

    def said(self, words: Vocabulary) -> str:
        """What to do, in words."""
        return self.words.format(*(f"${text(node, words)}$" for node in self.named))

    def then(self, other: "Edit") -> "Edit":
        """Both edits, `other` made after this one."""
        return Edit(
            other.node, self.cost + other.cost, f"{self.words}, and {other.words}",
            self.named + other.named, self.what + other.what,
        )  # fmt: skip


Edits = Iterator[Edit]


def _with(node: Node, path: tuple[int, ...], new: Node) -> Node:
    """A node with another one at the path; products in products are one, as the parser makes them."""
    if not path:
        return new
    at, *below = path
    children = list(node.children())
    changed = children[at] = _with(children[at], tuple(below), new)
    if isinstance(node, Times) and isinstance(changed, Times) and not {"odot", "otimes"} & {*node.ops, *changed.ops}:
        ops = (*node.ops[:at], *changed.ops, *node.ops[at:])
        return Times((*children[:at], *changed.factors, *children[at + 1 :]), ops, span=node.span)
    rest = iter(children)
    return rebuilt(node, lambda _: next(rest))


def put(old: Node, new: Node, cost: float) -> Edit:
    return Edit(new, cost, "put {} for {}", (new, old), ("put", old, new))
