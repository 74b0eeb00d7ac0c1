r"""Matrices of ones that are called I: $\delta \odot (I - S \odot S)$, the slope of tanh for every entry."""

from dataclasses import replace

from oracle.lesson.meaning.naming import core
from oracle.lesson.meaning.notation import Ref
from oracle.lesson.meaning.program import Program
from oracle.lesson.meaning.quantities import EYES
from oracle.lesson.syntax import Node, Number, Plus, Times, rebuilt

ONES = "I is a matrix of ones"


def with_ones(program: Program, node: Node) -> Node:
    """A formula with 1 for the I of I - S ⊙ S, where nothing says what I is."""
    node = rebuilt(node, lambda child: with_ones(program, child))
    match node:
        case Plus(terms=(Ref(slots=(), subs=()) as one, Times(ops=ops)), signs=(1, -1)) if {*ops} == {"odot"}:
            if core(one.base) in EYES and not program.knows(core(one.base)):
                return replace(node, terms=(Number("1", span=one.span), node.terms[1]))
    return node
