r"""Iterations that are counted above: the r of β^{(r+1)} = β^{(r)} - γ_r ∂R/∂β^{(r)}."""

from oracle.lesson.syntax import Indexed, Name, Node, Number, Plus, Relation, Tagged

LAYERS = {"l", "ell", "L"}
"""Letters of layers, which no update counts."""


def iterated(body: Node) -> tuple[str, str] | None:
    """The name that a statement renews, and the letter that counts; None where it renews nothing."""
    match body:
        case Relation(items=(head, Plus(terms=(before, *_)), *_), ops=("=" | ":=" | "<-", *_)):
            new, old = _tagged(head), _tagged(before)
        case _:
            return None
    match new, old:
        case (name, Plus(terms=(Name(base=letter), Number(text="1")), signs=(1, 1))), (other, Name(base=at)):
            return (name, letter) if name == other and letter == at and letter not in LAYERS else None
    return None


def _tagged(node: Node) -> tuple[str, Node] | None:
    """The β and r + 1 of β_{km}^{(r+1)}."""
    tag: Node | None = None
    while isinstance(node, Tagged | Indexed):
        if isinstance(node, Tagged):
            tag = node.tag
        node = node.base
    return (node.base, tag) if isinstance(node, Name) and tag is not None else None
