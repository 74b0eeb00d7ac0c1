r"""Sums over samples of a loss that names none: J = \frac1m Σ_i L(ŷ, y) is of L(ŷ^{(i)}, y^{(i)})."""

from dataclasses import replace

from oracle.lesson.meaning.losses import LOSSES
from oracle.lesson.meaning.notation import Ref, letters
from oracle.lesson.syntax import Call, Indexed, Name, Node, Statement, Sum, rebuilt

COUNTED = {"m", "N", "n"}
"""Where sums over samples end."""


def with_samples_named(statement: Statement) -> Statement:
    """A statement in which the arguments of such a loss are of the sample that the sum counts."""
    body = _with(statement.body)
    return replace(statement, body=body) if body != statement.body else statement


def _with(node: Node) -> Node:
    match node:
        case Sum(indices=(Name(base=index),), upper=Ref(base=count), body=Call() as call) if count in COUNTED:
            named = isinstance(call.function, Name) and call.function.base in LOSSES
            if named and index not in letters(call) and all(isinstance(arg, Ref) for arg in call.args):
                return replace(node, body=replace(call, args=tuple(_of(arg, index) for arg in call.args)))
    return node if isinstance(node, Ref | Indexed) else rebuilt(node, _with)


def _of(arg: Node, index: str) -> Node:
    assert isinstance(arg, Ref)
    return replace(arg, slots=tuple(sorted((*arg.slots, ("sample", Name(index))), key=lambda slot: slot[0])))
