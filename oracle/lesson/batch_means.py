r"""A mean over a batch that only the text speaks of: after ∂L/∂z = ŷ - y of one example, ∂L/∂z = (1/N)(ŷ - y)."""

from dataclasses import replace

from oracle.lesson.judging import Nets
from oracle.lesson.meaning.naming import letter
from oracle.lesson.meaning.notation import PARAMETER_LETTERS, Ref, mentions
from oracle.lesson.meaning.program import called
from oracle.lesson.meaning.stacks import COUNTS
from oracle.lesson.syntax import Call, Derivative, Name, Node, Number, Quotient, Sum, Times

MEAN = "the loss is a mean over a batch, of which this is one example"
ALL_IN_ALL = "{} is the mean over the samples in this formula"


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


def of_all_in_all(nets: Nets, head: Node, member: Node, number: int) -> str:
    r"""The words under which a gradient is the mean over the samples, by the letter of one's loss: ∂L/∂W = 1/m ∂L/∂Z Aᵀ
    after J = 1/m Σ_i L^{(i)}; "" where that is not what the sides say.
    """
    match head:
        case Derivative(of=Ref(base=loss, slots=(), subs=()) as of, wrt=(Ref() as by,)):
            parameter = letter(by.base) in PARAMETER_LETTERS and "sample" not in by.kinds
        case _:
            return ""
    sums = [(d.head, part) for d in nets.program.definitions for part in d.body.walk() if isinstance(part, Sum)]
    for whole in {whole for whole, part in sums if parameter and _adds_up(part, loss)} - {of}:
        if nets.judge(replace(head, of=whole), member, number).right:
            return ALL_IN_ALL.format(loss)
    return ""


def _adds_up(total: Sum, loss: str) -> bool:
    """Whether a sum is of the loss of every sample, L^{(i)} or L(a^{(i)}, y^{(i)})."""
    each = {("sample", name) for name in total.indices}
    losses = (
        part
        for part in total.body.walk()
        if loss == (called(part) if isinstance(part, Call) else getattr(part, "base", ""))
    )
    return any(isinstance(part, Ref) and each & {*part.slots} for one in losses for part in one.walk())


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
