r"""A layer that is left out: the a_j of ∂z^l_k/∂w^l_{kj} = a_j, which is a^{l-1}_j."""

from dataclasses import replace

from oracle.lesson.meaning.notation import Ref, counted_on
from oracle.lesson.meaning.program import Program
from oracle.lesson.syntax import Name, Node, rebuilt

BELOW = "what stands without a layer is of the layer below"


def one_layer_below(program: Program, head: Node, member: Node) -> Node | None:
    """`member` with what has no layer in it one layer below the only one of `head`; None where nothing is left out."""
    slots = {at for part in head.walk() if isinstance(part, Ref) for kind, at in part.slots if kind == "layer"}
    if len(slots) != 1 or not isinstance(at := slots.pop(), Name):
        return None
    bare = {d.head.base for d in program.definitions if d.head.kinds == ("layer",)}
    bare -= {d.head.base for d in program.definitions if not d.head.kinds}
    placed = _placed(member, bare, (("layer", counted_on(at, -1)),))
    return placed if placed != member else None


def _placed(node: Node, bare: set[str], slots: tuple[tuple[str, Node], ...]) -> Node:
    if isinstance(node, Ref):
        return replace(node, slots=slots) if node.base in bare and not node.slots else node
    return rebuilt(node, lambda child: _placed(child, bare, slots))
