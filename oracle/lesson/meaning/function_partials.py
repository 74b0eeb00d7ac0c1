r"""Derivatives of functions without their argument: dσ/dz = σ(z) (1 - σ(z)) is of σ(z)."""

from dataclasses import replace

from oracle.lesson.meaning.losses import LOSSES
from oracle.lesson.meaning.notation import Ref
from oracle.lesson.syntax import Call, Derivative, Name, Relation, Statement


def with_arguments(statement: Statement) -> Statement:
    """A statement in which the function that is differentiated has the argument that it has beside."""
    match statement.body:
        case Relation(items=(Derivative(of=Ref(slots=(), subs=()) as f, wrt=(Ref() as z,)) as head, *members)) as body:
            nodes = (part for member in members for part in member.walk())
            args = {node.args for node in nodes if isinstance(node, Call) and node.function == Name(f.base)}
            if args == {(z,)} and f.base not in LOSSES:
                call = Call(Name(f.base, span=f.span), (z,), span=f.span)
                return replace(statement, body=replace(body, items=(replace(head, of=call), *members)))
    return statement
