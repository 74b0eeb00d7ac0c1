r"""A loss that is never written, in a lesson with several examples: in one L is made of Y_1, in another of Y_2 alone.

∂L/∂X = ∂L/∂Y_2 Wᵀ says of which it is made here: of what stands in it, if X is in Y_1 too.
"""

from dataclasses import replace

from oracle.lesson.judging import Nets
from oracle.lesson.meaning.notation import Ref
from oracle.lesson.meaning.program import Definition
from oracle.lesson.meaning.unsaid import Unsaid
from oracle.lesson.syntax import Derivative, Node


def of_these_alone(nets: Nets, head: Node, member: Node, number: int) -> str:
    """What a loss that nobody wrote down is made of here, if the two sides agree then; "" where they do not."""
    if not isinstance(head, Derivative) or not isinstance(loss := head.of, Ref):
        return ""
    written = next((d for d in nets.program.definitions if d.head == loss and isinstance(d.body, Unsaid)), None)
    by = [w for part in member.walk() if isinstance(part, Derivative) and part.of == loss for w in part.wrt]
    if written is None or not by or not isinstance(written.body, Unsaid):
        return ""
    kept = tuple(arg for arg in written.body.args if any(_alike(arg, wrt) for wrt in by))
    everything = all(any(_alike(arg, wrt) for arg in kept) for wrt in by)
    if not everything or len(kept) == len(written.body.args):
        return ""
    found = _narrowed(nets, written, kept).judge(head, member, number)
    names = ", ".join(arg.base for arg in kept)
    return f"{loss.base} is made of {names} alone" if found.verdict == "holds" and not found.zero else ""


def _narrowed(nets: Nets, written: Definition, kept: tuple[Ref, ...]) -> Nets:
    """The same nets, the loss a function of some of its arguments."""
    made = replace(written, body=Unsaid(kept))
    program = replace(nets.program, definitions=[made if d is written else d for d in nets.program.definitions])
    return Nets(program, nets.count, nets.seed, nets.activations)


def _alike(arg: Ref, wrt: Node) -> bool:
    return isinstance(wrt, Ref) and (arg.base, arg.kinds) == (wrt.base, wrt.kinds)
