r"""The ∇C of δ^L = ∇C ⊙ σ'(z^L): a gradient by what σ makes of z^L, as the chain rule has it."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from oracle.lesson.meaning.notation import Ref
from oracle.lesson.syntax import Call, Gradient, Name, Node, Prime, Relation, Statement, Times, rebuilt

Made = Mapping[tuple[str, str], str]
"""What a function makes of a quantity: the a of a^l = σ(z^l) by σ and z."""


def made_by_functions(statements: Iterable[Statement]) -> Made:
    """The activations of a lesson, by their functions and what these are given."""
    found = dict[tuple[str, str], str]()
    for statement in statements:
        match statement.body:
            case Relation(items=(Ref() as a, Call(function=Name(base=f), args=(Ref() as z,)), *_)) if (
                a.kinds == z.kinds
            ):
                found.setdefault((f, z.base), a.base)
    return found


def with_wrt(statement: Statement, made: Made) -> Statement:
    """A statement in which such gradients say by what they are."""
    return replace(statement, body=_with_wrt(statement.body, made)) if made else statement


def _with_wrt(node: Node, made: Made) -> Node:
    node = rebuilt(node, lambda child: _with_wrt(child, made))
    if not isinstance(node, Times):
        return node
    slopes = [a for factor in node.factors if (a := _activation(factor, made))]
    bare = [k for k, factor in enumerate(node.factors) if isinstance(factor, Gradient) and factor.wrt is None]
    if len(slopes) != 1 or len(bare) != 1:
        return node
    factors = [replace(f, wrt=slopes[0]) if isinstance(f, Gradient) else f for f in node.factors]
    return replace(node, factors=tuple(factors))


def _activation(node: Node, made: Made) -> Ref | None:
    """The a^L of σ'(z^L)."""
    match node:
        case Call(function=Prime(base=Name(base=f)), args=(Ref() as z,)) if (f, z.base) in made:
            return replace(z, base=made[f, z.base])
    return None
