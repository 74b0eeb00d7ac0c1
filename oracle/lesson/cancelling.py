r"""What a lesson says to be zero: Σ_n (x_n - μ) = 0 says something, for the terms are not zero."""

from oracle.lesson.meaning.program import Env
from oracle.lesson.meaning.values import REFUSED, Value
from oracle.lesson.meaning.world import World
from oracle.lesson.syntax import Node, Number, Plus, Sum, Times


def is_zero(member: Node) -> bool:
    """Whether a formula is the number 0."""
    return isinstance(member, Number) and member.text == "0"


def size_of_terms(world: World, head: Node, env: Env) -> float:
    """How large what cancels is: the terms of a sum, the factors of a product together."""
    match head:
        case Sum(body=body, product=False):
            return size_of_terms(world, body, env)
        case Plus(terms=terms):
            return max(size_of_terms(world, term, env) for term in terms)
        case Times(factors=factors):
            whole = 1.0
            for factor in factors:
                whole *= size_of_terms(world, factor, env)
            return whole
    try:
        return _size(world.value(head, env))
    except REFUSED:
        return 0.0


def _size(value: Value) -> float:
    if value.data is None or not value.data.numel():
        return 0.0
    return float(value.data.detach().abs().max())
