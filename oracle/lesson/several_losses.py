r"""Lessons with two losses: "for classification J = …, for regression J = …", or C first and C_{CE} in a later section.

The net of a section has one of them; what is so by another one that stands beside it is no mistake.
"""

from collections.abc import Iterator
from dataclasses import replace

from oracle.lesson.formula import to_tex
from oracle.lesson.judging import OTHERWISE, Nets
from oracle.lesson.meaning.losses import LOSSES
from oracle.lesson.meaning.notation import unbound
from oracle.lesson.meaning.program import Definition, Program
from oracle.lesson.syntax import Node

ACTIVATED = tuple(way for way in OTHERWISE if way.activations and not way.backwards)
NEAR = 3
"""So many equations further the other loss may stand."""


def losses_beside(own: Program) -> Iterator[tuple[Definition, Definition]]:
    """The loss of a section that has none of its own, with what the lesson says of it beside that, or here."""
    for d in own.definitions:
        known = d.head.base in LOSSES and not d.head.subs and d.number and d.number not in own.here
        for other in own.again if known else ():
            if other.head == d.head and other.body != d.body and 0 < abs(other.number - d.number) <= NEAR:
                yield d, other
        for other in own.definitions if known else ():
            label = other.head.base.startswith(f"{d.head.base}_") and other.head.slots == d.head.slots
            if label and not other.head.subs and other.number in own.here:
                yield d, replace(other, head=d.head)


def with_loss(own: Program, loss: Definition, other: Definition) -> Program:
    """The lesson's own program with another loss."""
    return replace(own, definitions=[other if d is loss else d for d in own.definitions])


def by_another(nets: Nets, head: Node, member: Node, number: int) -> str:
    """By which of the lesson's other losses two sides agree, and for which activation; "" where by none."""
    for loss, others in nets.beside:
        right = others.judge(head, member, number).right
        further = "" if right else others.under(head, member, number, ACTIVATED)
        if right or further:
            said = f"the loss is the lesson's other one, {to_tex(unbound(loss.head))} = {to_tex(unbound(loss.body))}"
            return f"{further}, and {said}" if further else said
    return ""
