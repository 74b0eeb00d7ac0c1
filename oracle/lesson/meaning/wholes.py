r"""Definitions of functions that make a vector of a vector: s(x)_i = …, softmax(z_i) = e^{z_i} / Σ_j e^{z_j}."""

from oracle.lesson.meaning.notation import Ref
from oracle.lesson.meaning.program import FunctionDefinition
from oracle.lesson.syntax import Call, Indexed, Name, Node, Norm, Sum, Times, Transpose


def whole_function(head: Node, body: Node, number: int) -> FunctionDefinition | None:
    """The function that a left side defines, if it is one of a whole vector."""
    match head:
        case Indexed(base=Call(function=Name(base=name), args=(Ref(subs=()) as of,)), subs=subs):
            pass
        case Call(function=Indexed(base=Name(base=name), subs=subs), args=(Ref(subs=()) as of,)):
            pass
        case Call(function=Name(base=name), args=(Ref(subs=(_,) as subs) as given,)) if _summed(given, body):
            of = Ref(given.base, given.slots, span=given.span)
        case _:
            return None
    named = all(isinstance(sub, Name) for sub in subs) and len(subs) == 1
    inside = named and any(isinstance(part, Ref) and part.base == of.base and part.subs for part in body.walk())
    return FunctionDefinition(name, (of,), body, number, subs) if inside else None


def is_form(given: Ref, body: Node) -> bool:
    """Whether a body makes a number of a whole vector: x^T A x, b^T x, the square of ‖A x - b‖."""
    if given.subs or given.slots:
        return False
    norms = any(isinstance(part, Norm) and part.kind != "abs" for part in body.walk())
    products = [part for part in body.walk() if isinstance(part, Times)]
    inner = any(isinstance(part.factors[0], Transpose) and part.factors[-1] == given for part in products)
    return norms or (inner and all(not isinstance(part, Call) for part in body.walk()))


def is_jacobian(head: Node) -> bool:
    """Whether a call is J_x(s), all partials of a vector by a vector."""
    match head:
        case Call(
            function=Indexed(base=Name(base="J" | "bb J" | "cal J", bold=bold), subs=(Name(bold=other),)), args=(Ref(),)
        ):
            return bold or other
    return False


def _summed(given: Ref, body: Node) -> bool:
    """Whether a sum goes over the other entries of an argument: then all of it is the argument."""
    sums = (part for part in body.walk() if isinstance(part, Sum))
    return any(
        isinstance(ref, Ref) and ref.base == given.base and ref.subs != given.subs
        for s in sums
        for ref in s.body.walk()
    )
