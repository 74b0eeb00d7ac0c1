r"""Steps counted from 0: $\sum_{k=0}^n \partial E/\partial s_k\, x_k$ is over all steps, the first of which is 0."""

from dataclasses import replace

from oracle.lesson.meaning.notation import Ref
from oracle.lesson.meaning.program import Program
from oracle.lesson.meaning.world import World
from oracle.lesson.syntax import Name, Node, Number, Sum, rebuilt

FROM_ZERO = "the steps are counted from 0"


def from_the_first(program: Program, node: Node) -> Node:
    """A formula in which sums over all steps begin with the first one of a net."""
    match node:
        case Sum(indices=(Name(base=letter),), lower=Number(text="0"), upper=Name(base=n) | Ref(base=n), body=body):
            if n in program.last("time") and World.counts(letter, body) == "time":
                return replace(node, lower=Number("1", span=node.span))
    return rebuilt(node, lambda child: from_the_first(program, child))
