r"""A loss that is never written, in a lesson with several examples: in one L is made of Y_1, in another of Y_2 alone.

∂L/∂X = ∂L/∂Y_2 Wᵀ says of which it is made here: of what stands in it, if X is in Y_1 too. In a lesson of one step,
∂L/∂h_{t-1} is what comes back through h_t: L is made of the last h then.
"""

from dataclasses import replace

from oracle.lesson.judging import Nets
from oracle.lesson.meaning.notation import Ref
from oracle.lesson.meaning.program import Definition
from oracle.lesson.meaning.unsaid import Unsaid
from oracle.lesson.syntax import Derivative, Name, Node, Plus


def of_these_alone(nets: Nets, head: Node, member: Node, number: int) -> str:
    """What a loss that nobody wrote down is made of here, if the two sides agree then; "" where they do not."""
    if not isinstance(head, Derivative) or not isinstance(loss := head.of, Ref):
        return ""
    written = next((d for d in nets.program.definitions if d.head == loss and isinstance(d.body, Unsaid)), None)
    if written is None or not isinstance(written.body, Unsaid):
        return ""
    args = written.body.args
    by = [w for part in member.walk() if isinstance(part, Derivative) and part.of == loss for w in part.wrt]
    kept = tuple(arg for arg in args if any(_alike(arg, wrt) for wrt in by))
    if by and len(kept) < len(args) and all(any(_alike(arg, wrt) for arg in kept) for wrt in by):
        names = ", ".join(arg.base for arg in kept)
        return f"{loss.base} is made of {names} alone" if _agree(nets, written, kept, head, member, number) else ""
    earlier = any(isinstance(slot, Plus) for wrt in head.wrt if isinstance(wrt, Ref) for _, slot in wrt.slots)
    if earlier and not loss.slots and (last := tuple(map(_last, args))) != args:
        return "the loss is of the last step alone" if _agree(nets, written, last, head, member, number) else ""
    return ""


def _agree(nets: Nets, loss: Definition, args: tuple[Ref, ...], head: Node, member: Node, number: int) -> bool:
    """Whether two sides are the same in nets in which a loss is a function of other arguments."""
    made = replace(loss, body=Unsaid(args))
    program = replace(nets.program, definitions=[made if d is loss else d for d in nets.program.definitions])
    return nets.of(program).judge(head, member, number).right


def _last(arg: Ref) -> Ref:
    """A quantity in the last step."""
    return replace(arg, slots=tuple((kind, Name("T") if kind == "time" else slot) for kind, slot in arg.slots))


def _alike(arg: Ref, wrt: Node) -> bool:
    return isinstance(wrt, Ref) and (arg.base, arg.kinds) == (wrt.base, wrt.kinds)
