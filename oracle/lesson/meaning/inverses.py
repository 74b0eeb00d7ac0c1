"""∂b/∂z where z = W a + b: lessons mean one over ∂z/∂b, and write it to say that the two errors are one."""

from oracle.lesson.meaning.notation import Ref
from oracle.lesson.meaning.program import Program
from oracle.lesson.syntax import Derivative, Node, Number, Quotient, rebuilt


def inverted(node: Node, program: Program) -> Node:
    """The formula with one over ∂z/∂b for every partial of a parameter by what the net computes."""
    match node:
        case Derivative(of=Ref() as of, wrt=(Ref() as wrt,)) if _given(of, program) and not _given(wrt, program):
            return Quotient(Number("1"), Derivative(wrt, (of,), node.sign, span=node.span), span=node.span)
    return rebuilt(node, lambda child: inverted(child, program))


def _given(ref: Ref, program: Program) -> bool:
    return any(base == ref.base for base, *_ in program.shapes) and not program.defines(ref.base, ref.kinds)
