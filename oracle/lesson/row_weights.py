r"""Weights of one unit as a row: after $\hat y = v \cdot a$, the $v^T$ of $(v^T \odot f'(z)) \cdot x^T$ is a column."""

from itertools import pairwise

from oracle.lesson.meaning.naming import letter
from oracle.lesson.meaning.notation import PARAMETER_LETTERS, Ref
from oracle.lesson.meaning.program import Program
from oracle.lesson.syntax import Node, Times, Transpose, rebuilt

ROW = "the weights of one unit are a row, as in the forward equations"


def with_rows(program: Program, node: Node) -> Node:
    """A formula with v for vᵀ, where a forward equation has v itself before a vector."""
    rows = {(pair[0].base, pair[0].slots) for d in program.definitions for pair in _products(d.body)}
    shapes = {base for base, slots in rows if not slots and program.rank(base, 0) == 1}
    named = {d.head for d in program.definitions if isinstance(d.body, Ref) and program.rank(d.body.base, 0) == 1}
    found = {(base, slots) for base, slots in rows if base in shapes or Ref(base, slots) in named}
    return _turned(node, found)


def _products(body: Node) -> list[tuple[Ref, Ref]]:
    """The v and a of v a."""
    products = (part for part in body.walk() if isinstance(part, Times) and {*part.ops} <= {"", "cdot"})
    pairs = [(a, b) for part in products for a, b in pairwise(part.factors)]
    return [(a, b) for a, b in pairs if isinstance(a, Ref) and isinstance(b, Ref) and not a.subs and not b.subs
            and letter(a.base) in PARAMETER_LETTERS]  # fmt: skip


def _turned(node: Node, rows: set[tuple[str, tuple[tuple[str, Node], ...]]]) -> Node:
    match node:
        case Transpose(base=Ref(subs=()) as v) if (v.base, v.slots) in rows:
            return v
    return rebuilt(node, lambda child: _turned(child, rows))
