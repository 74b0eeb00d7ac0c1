"""Numbers that the text of a section gives to what stands in its functions: "with tanh units and β = 1"."""

from dataclasses import replace

from oracle.lesson.formula import to_tex
from oracle.lesson.judging import Nets
from oracle.lesson.meaning.notation import mentions, unbound
from oracle.lesson.syntax import Node, Relation


def by_told_numbers(nets: Nets, head: Node, member: Node, number: int) -> str:
    """The numbers with which two sides agree, as the section gives them before an equation; "" where there are none."""
    program = nets.program
    given = [d for d in program.given if d.number < number and not program.defines(d.head.base, ())]
    bodies = [f.body for found in program.functions.values() for f in found]
    told = {d.head: d for d in given if any(mentions(body, d.head.base) for body in bodies)}
    known = nets.of(replace(program, definitions=[*told.values(), *program.definitions])) if told else nets
    if not told or not known.judge(head, member, number).right:
        return ""
    return ", ".join(to_tex(unbound(Relation((d.head, d.body), ("=",)))) for d in told.values())
