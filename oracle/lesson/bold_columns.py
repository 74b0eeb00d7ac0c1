r"""Bold symbols that are rows here and columns there: \mathbf{y}_i of Y, and the \mathbf{w}_d of H \mathbf{w}_d."""

from dataclasses import replace

from oracle.lesson.meaning.naming import core
from oracle.lesson.meaning.notation import Ref
from oracle.lesson.meaning.program import Program
from oracle.lesson.meaning.quantities import FREE
from oracle.lesson.syntax import Node, rebuilt

COLUMN = "a bold symbol with one index is a column"


def with_columns(program: Program, node: Node) -> Node:
    r"""A formula in which \mathbf{w}_d is the column d of W; the same one where it has no such symbol."""
    if isinstance(node, Ref):
        bold = core(node.base) in program.notation.rows and node.base in program.aliases and len(node.subs) == 1
        return replace(node, subs=(FREE, *node.subs)) if bold else node
    return rebuilt(node, lambda child: with_columns(program, child))
