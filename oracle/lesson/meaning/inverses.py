"""∂C/∂b ∂b/∂z where z = W a + b: lessons mean one over ∂z/∂b, and write it to say that the two errors are one."""

from oracle.lesson.meaning.notation import Ref
from oracle.lesson.meaning.program import Program
from oracle.lesson.syntax import Derivative, Node, Number, Quotient, Times, rebuilt


def inverted(node: Node, program: Program) -> Node:
    """The formula with one over ∂z/∂b for every ∂b/∂z in a chain through a parameter, ∂C/∂b ∂b/∂z."""
    if not isinstance(node, Times):
        return rebuilt(node, lambda child: inverted(child, program))
    through = {by for factor in node.factors if isinstance(factor, Derivative) for by in factor.wrt}
    return rebuilt(node, lambda child: _turned(child, through, program))


def _turned(node: Node, through: set[Node], program: Program) -> Node:
    match node:
        case Derivative(of=Ref() as of, wrt=(Ref() as wrt,)) if of in through and _given(of, program):
            if not _given(wrt, program):
                return Quotient(Number("1"), Derivative(wrt, (of,), node.sign, span=node.span), span=node.span)
    return inverted(node, program)


def _given(ref: Ref, program: Program) -> bool:
    return any(base == ref.base for base, *_ in program.shapes) and not program.defines(ref.base, ref.kinds)
