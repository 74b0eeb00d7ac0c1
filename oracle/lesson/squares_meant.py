r"""Squares of vectors differentiated: $\frac{\partial}{\partial a} (a - y)^2 \odot \sigma'(z)$ is of their sum."""

from dataclasses import replace

from oracle.lesson.meaning.notation import Ref
from oracle.lesson.syntax import Derivative, Node, Norm, Number, Power, Times, rebuilt

SQUARES = "the squares of a vector's entries are added up before they are differentiated"


def with_squares(node: Node) -> Node:
    """A formula with ‖a - y‖² for an (a - y)² that is differentiated by a, and by nothing behind it."""
    match node:
        case Derivative(of=Power(base=base, exponent=Number(text="2")) as square, wrt=(Ref(subs=()) as wrt,)):
            if wrt in base.walk():
                return replace(node, of=replace(square, base=Norm(base)))
        case Derivative(of=Times(factors=(Power() as first, *rest), ops=ops) as product, operator=True):
            partial = replace(node, of=first)
            if (whole := with_squares(partial)) != partial:
                return replace(product, factors=(whole, *rest), ops=ops)
    return rebuilt(node, with_squares)
