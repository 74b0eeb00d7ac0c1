r"""Rules without scripts: $\partial C/\partial b = \delta$, and $\partial C/\partial w = a_{in} \delta_{out}$.

What has layers in the net, and none in the formula, is of one and the same layer; what is labelled *in*, of that below.
"""

from dataclasses import replace

from oracle.lesson.judging import Nets
from oracle.lesson.meaning.notation import Ref, counted_on
from oracle.lesson.meaning.program import Program
from oracle.lesson.syntax import Derivative, Items, Name, Node, rebuilt

ANY_UNIT = "everything is of the same neuron, or of the two that a weight joins"
INTO, OUT_OF = "_in", "_out"
LAYER, TO, FROM = Name("l"), Name("j"), Name("k")


def of_any_unit(nets: Nets, head: Node, member: Node, number: int) -> bool:
    """Whether two sides without any scripts agree for the neurons of every layer."""
    if not isinstance(head, Derivative):
        return False
    refs = [part for side in (head, member) for part in side.walk() if isinstance(part, Ref)]
    bare = [ref for ref in refs if ref != head.of]
    if any(ref.slots or ref.subs for ref in refs) or not all(_axes(nets.program, ref) for ref in bare):
        return False
    joined = any(ref.base.endswith((INTO, OUT_OF)) for ref in bare)
    placed = _placed(nets.program, Items((head, member)), joined)
    left, right = placed.children()
    return nets.judge(left, right, number).right


def _axes(program: Program, ref: Ref) -> int:
    """How many axes a quantity has that layers have in this net; 0 where they have none such."""
    base = ref.base.removesuffix(INTO).removesuffix(OUT_OF)
    ranks = [len(shape) for (name, _, numbers), shape in program.shapes.items() if name == base and len(numbers) == 1]
    made = any(d.head.base == base and d.head.kinds == ("layer",) for d in program.definitions)
    told = any(name == base and kinds == ("layer",) for name, kinds, _ in program.signals)
    return max(ranks, default=1 if made or told else 0)


def _placed(program: Program, node: Node, joined: bool) -> Node:
    """A formula with a layer for everything, and with indices where it tells apart what two neurons have."""
    if not isinstance(node, Ref):
        return rebuilt(node, lambda child: _placed(program, child, joined))
    axes = _axes(program, node)
    below = node.base.endswith(INTO)
    subs = {1: (FROM,) if below else (TO,), 2: (TO, FROM)}.get(axes, ()) if joined else ()
    base = node.base.removesuffix(INTO).removesuffix(OUT_OF)
    slots = (("layer", counted_on(LAYER, -1) if below else LAYER),)
    return replace(node, base=base, slots=slots, subs=subs) if axes else node
