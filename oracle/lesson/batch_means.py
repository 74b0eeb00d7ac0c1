r"""A mean over a batch that only the text speaks of: after ∂L/∂z = ŷ - y of one example, ∂L/∂z = (1/N)(ŷ - y)."""

from oracle.lesson.judging import Nets
from oracle.lesson.meaning.notation import Ref, mentions
from oracle.lesson.meaning.stacks import COUNTS
from oracle.lesson.syntax import Name, Node, Number, Quotient, Times

MEAN = "the loss is a mean over a batch, of which this is one example"


def of_a_mean(nets: Nets, head: Node, member: Node, number: int) -> str:
    """The words under which two sides agree but for a number of examples that no net has; "" if under none."""
    program = nets.program
    sides = [side for d in program.definitions for side in (d.head, d.body)]
    for count in COUNTS:
        if not mentions(member, count) or mentions(head, count) or any(mentions(side, count) for side in sides):
            continue
        whole = _times(member, count)
        if not mentions(whole, count) and nets.judge(head, whole, number).right:
            return MEAN
    return ""


def _times(node: Node, count: str) -> Node:
    """A formula without the 1/N in front of it, or below it."""
    match node:
        case Quotient(over=over, under=Ref(base=base, slots=(), subs=()) | Name(base=base)) if base == count:
            return over
        case Times(factors=(first, *rest), ops=ops) if (whole := _times(first, count)) is not first:
            if whole == Number("1") and len(rest) == 1:
                return rest[0]
            return Times((whole, *rest), ops, span=node.span)
    return node
