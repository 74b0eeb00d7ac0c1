r"""Matrices of many vectors: the columns of U are the u_w, or its rows are, where a lesson has both and says neither.

Where u_w stands in the forward pass, u is made of U, and else U of u: one can differentiate by both.
"""

from oracle.lesson.meaning.naming import core
from oracle.lesson.meaning.notation import Ref
from oracle.lesson.meaning.prime_names import PRIMED
from oracle.lesson.meaning.program import Definition, Program
from oracle.lesson.meaning.usage import Usage
from oracle.lesson.syntax import Name, Transpose


def stacked(usage: Usage, own: Program) -> list[tuple[Definition, ...]]:
    """Every choice of columns or rows, columns first; one choice of none where no such pair of names is met."""
    pairs = [(matrix, vector) for vector in sorted(usage.kinds) if (matrix := _matrix(vector, usage, own))]
    if not pairs:
        return [()]
    said = [_column(matrix, vector, usage) for matrix, vector in pairs]
    if None not in said:
        return [tuple(_stack(*pair, own, bool(column)) for pair, column in zip(pairs, said, strict=True))]
    return [tuple(_stack(*pair, own, column) for pair in pairs) for column in (True, False)]


def _matrix(vector: str, usage: Usage, own: Program) -> str:
    """The matrix of such vectors by its name: U of u, W' of w'."""
    matrix = vector[:1].upper() + vector[1:]
    many = vector in usage.notation.many or PRIMED in vector
    made = {d.head.base for d in own.definitions}
    known = matrix in usage.kinds and matrix != vector and core(vector).islower() and not {matrix, vector} & made
    return matrix if many and known and usage.kinds[matrix] == usage.kinds[vector] == {()} else ""


def _column(matrix: str, vector: str, usage: Usage) -> bool | None:
    """Whether w_j is a column of W, as W = [w_1, …, w_n] says, or by which of the indices of W_{ij} its letter is.

    None where nothing says so.
    """
    if matrix in usage.lined_up:
        return usage.lined_up[matrix]
    letters = {sub for ref in usage.refs if ref.base == vector and len(ref.subs) == 1 for sub in ref.subs}
    entries = [ref.subs for ref in usage.refs if ref.base == matrix and len(ref.subs) == 2]
    first, second = ({subs[k] for subs in entries if isinstance(subs[k], Name)} for k in (0, 1))
    if bool(letters & first) == bool(letters & second):
        return None
    return bool(letters & second)


def _stack(matrix: str, vector: str, own: Program, column: bool) -> Definition:
    used = any(isinstance(part, Ref) and part.base == vector for d in own.definitions for part in d.body.walk())
    head, body = (vector, matrix) if used else (matrix, vector)
    return Definition(Ref(head), Transpose(Ref(body)) if column else Ref(body))
