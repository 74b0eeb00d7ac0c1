r"""Samples that have the letter of layers: the l of $E = \frac{1}{2N} \sum_{l=1}^N (y^{(l)} - \hat y^{(l)})^2$.

A loss adds up what is of all its targets; no weight has that letter above it, and nothing is of l - 1.
"""

from collections.abc import Iterable

from oracle.lesson.meaning.losses import LOSSES
from oracle.lesson.meaning.notation import LAYER_LETTERS, PARAMETER_LETTERS, letters, stepped, taken_apart
from oracle.lesson.syntax import Call, Name, Node, Plus, Relation, Statement, Sum

COMPARED = {"y", "t", "d", "hat y"}
"""What stands in a loss for every sample."""


def letters_of_samples(statements: Iterable[Statement]) -> dict[str, str]:
    """Every such letter, with what it counts."""
    bodies = [s.body for s in statements]
    nodes = [part for body in bodies for part in body.walk()]
    found = {letter for body in bodies for letter in _added_up(body)} & LAYER_LETTERS
    steps = {stepped(part) for part in nodes if isinstance(part, Plus)}
    weighed = {letter for part in nodes for base, letter in _above(part) if base in PARAMETER_LETTERS}
    return dict.fromkeys(found - steps - weighed, "sample")


def _added_up(body: Node) -> set[str]:
    """The letters of sums of a loss that its targets have above them in parentheses."""
    match body:
        case Relation(items=(head, *members), ops=("=" | ":=", *_)):
            name = head.function if isinstance(head, Call) else head
            sums = [part for member in members for part in member.walk() if isinstance(part, Sum)]
            met = [(total, pair) for total in sums for part in total.body.walk() for pair in _above(part)]
            of_loss = isinstance(name, Name) and name.base in LOSSES
            return {x for total, (base, x) in met if of_loss and base in COMPARED and Name(x) in total.indices}
    return set()


def _above(node: Node) -> set[tuple[str, str]]:
    """A symbol with each letter that it has above it in parentheses."""
    parts = taken_apart(node)
    tags = [tag for tag, bracket in parts.tags if bracket == "("] if parts else []
    return {(parts.name.base, x) for tag in tags for x in letters(tag)} if parts else set()
