r"""Derivatives at a place: \frac{d\sigma}{dz} \Big|_{z_i} is σ'(z_i), \frac{dC}{dy} \Big|_{y_i} is ∂C/∂y_i."""

from dataclasses import replace

from oracle.lesson.meaning.losses import LOSSES
from oracle.lesson.meaning.naming import core
from oracle.lesson.meaning.notation import Ref
from oracle.lesson.meaning.usage import ACTIVATION_NAMES
from oracle.lesson.syntax import At, Call, Derivative, Gradient, Name, Node, Prime, Relation, Statement, rebuilt


def at_places(statement: Statement) -> Statement:
    """A statement in which every derivative is of what it is taken at."""
    if not any(isinstance(part, At) for part in statement.body.walk()):
        return statement
    return replace(statement, body=_taken(statement.body))


def _taken(node: Node) -> Node:
    node = rebuilt(node, _taken)
    match node:
        case At(body=Prime() as slope, condition=Ref() as place):
            return Call(slope, (place,), span=node.span)
        case At(body=Derivative(wrt=(by,)) as partial, condition=Ref() as place) if _alike(by, place):
            return _at(partial, place, node) or node
        case At(body=Derivative(wrt=(by,)) as partial, condition=Relation(items=(what, place), ops=("=",))):
            return (_at(partial, place, node) if what == by else None) or node
        case At(body=Call(function=Prime(), args=(by,)) as slope, condition=Relation(items=(what, place), ops=("=",))):
            return replace(slope, args=(place,)) if what == by else node
        case Gradient(of=At(body=Ref() as loss, condition=Ref() as place), wrt=None):  # ∇C|_y
            return replace(node, of=loss, wrt=place)
        case At(body=Gradient(of=Ref(), wrt=None) as gradient, condition=Ref() as place):
            return replace(gradient, wrt=place, span=node.span)
    return node


def _alike(by: Node, place: Ref) -> bool:
    """Whether a place is one of what is differentiated by: z_i of z."""
    return isinstance(by, Ref) and core(by.base) == core(place.base)


def _at(partial: Derivative, place: Node, whole: At) -> Node | None:
    """A partial at a place; None where it is none of a function, of a loss, or of a quantity by entries of another."""
    match partial.of:
        case Call(function=Name() as name, args=args) if args == partial.wrt:
            return Call(Prime(name), (place,), span=whole.span)
        case Ref(base=base, subs=(), slots=()) if base in ACTIVATION_NAMES and base not in LOSSES:
            return Call(Prime(Name(base)), (place,), span=whole.span)
        case Ref(base=base) as of if isinstance(place, Ref):
            of = of if of.subs or base in LOSSES else replace(of, subs=place.subs)
            return replace(partial, of=of, wrt=(place,), span=whole.span)
    return None
