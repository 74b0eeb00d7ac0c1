r"""One name for many vectors: u_w is the vector of the word w, no entry of u.

A lesson says so by transposing it (u_o^T v_c), or by saying where it lies (x_c ∈ ℝ^V). If nothing counts through the
words (no sum), the letter is a label: v_c is the one vector of the center word.
"""

from collections.abc import Iterable, Iterator
from itertools import pairwise

from oracle.lesson.meaning.naming import flat, letter
from oracle.lesson.meaning.prime_names import PRIMED
from oracle.lesson.syntax import Indexed, Name, Node, Power, Relation, Statement, Sum, Times, Transpose

STEPS = {"t", "tau", "l", "L", "T"}
"""Letters below a vector that count steps or layers."""


def many_vectors(statements: Iterable[Statement]) -> tuple[set[str], set[tuple[str, str]]]:
    """The names of many vectors, and those of one each with the letter below it."""
    nodes = [node for s in statements for top in (s.body, *s.asides) for node in top.walk()]
    columns = {base for node in nodes for base in _columns(node)}
    said = columns | {base for node in nodes for base in _said(node)}
    entries = {node.base for node in nodes if isinstance(node, Indexed) and len(flat(node.subs)) > 1}
    names = said - {base.base for base in entries if isinstance(base, Name)} - set(map(_stepped, nodes))
    summed = {pair for node in nodes if isinstance(node, Sum) for pair in _summed(node)}
    below = [(base, sub) for node in nodes for base, sub in _below(node) if base in names]
    counted = columns | {base for base, sub in below if isinstance(sub, Name) and (base, sub.base) in summed}
    sampled = {base for base, sub in below if isinstance(sub, Indexed)}
    single = {(base, sub.base) for base, sub in below if isinstance(sub, Name) and base not in counted}
    return counted | sampled, single


def _stepped(node: Node) -> str:
    """The x of x_i^t, an entry of what x is at the step t; "" of anything else."""
    match node:
        case Power(base=Indexed(base=Name(base=base)), exponent=Name(base=letter)) if letter in STEPS - {"l", "L"}:
            return base
    return ""


def _summed(node: Sum) -> Iterator[tuple[str, str]]:
    """Symbols inside a sum with the letter that it goes over: the u and w of Σ_w u_w."""
    letters = {name.base for name in node.indices}
    for part in node.body.walk():
        for base, sub in _below(part):
            if isinstance(sub, Name) and sub.base in letters:
                yield base, sub.base


def numbered_matrices(statements: Iterable[Statement]) -> set[tuple[str, str]]:
    """The names of many matrices with the letter that counts them: the O, W and h of Y = Σ_h O_h W_{O,h}."""
    nodes = [node for s in statements for node in s.body.walk()]
    sums = [node for node in nodes if isinstance(node, Sum) and len(node.indices) == 1]
    found = {name for node in sums for part in node.body.walk() for name in _multiplied(part, node.indices[0].base)}
    letters = {letter for _, letter in found}
    return found | {name for node in nodes for letter in letters if (name := _counted(node, letter))}


def _multiplied(node: Node, letter: str) -> Iterator[tuple[str, str]]:
    if isinstance(node, Times):
        for a, b, op in zip(node.factors, node.factors[1:], node.ops, strict=False):
            names = [_counted(x.base if isinstance(x, Transpose) else x, letter) for x in (a, b)]
            yield from (name for name in names if name and all(names) and op == "")


def _counted(node: Node, letter: str) -> tuple[str, str] | None:
    """A capital with a letter as the last below it, and no other letter that may be an index."""
    match node:
        case Indexed(base=Name(base=base), subs=(*labels, Name(base=below))) if below == letter:
            plain = all(isinstance(label, Name) and label.base[:1].isupper() for label in labels)
            return (base, letter) if plain and base.split(" ")[-1].isupper() else None
    return None


def _said(node: Node) -> Iterator[str]:
    """The name of which a formula says that it is one of many vectors: it transposes it, has it behind a vector that
    is transposed, or says where it lies.
    """
    match node:
        case Transpose(base=inner):
            yield from (base for base, _ in _below(inner))
        case Times(factors=factors):
            for a, b in pairwise(factors):
                if isinstance(a, Transpose) and (isinstance(a.base, Name) or [*_below(a.base)]) and _small(a.base):
                    yield from (base for base, _ in _below(b))
        case Relation(items=items, ops=ops) if ops[-1] == "in" and _space(items[-1]):
            for item in items[:-1]:
                yield from (base for base, _ in _below(item))


def _columns(node: Node) -> Iterator[str]:
    """The name of the vectors of a matrix with a prime: w'_j of W'_{ij}."""
    match node:
        case Indexed(base=Name(base=base), subs=subs) if PRIMED in base and len(flat(subs)) == 2:
            yield base[:1].lower() + base[1:]


def _space(node: Node) -> bool:
    """Whether a set is one of vectors: ℝ^n, and not ℝ^{m×n}."""
    match node:
        case Power(base=Name(base="bb R"), exponent=Name()):
            return True
    return False


def _below(node: Node) -> Iterator[tuple[str, Node]]:
    """A symbol with one index that counts no steps: the index with its name."""
    match node:
        case Indexed(base=Name(base=base), subs=(Name(base=below) as sub,)) if below not in STEPS and len(below) == 1:
            yield from [(base, sub)] if _small(node) else []
        case Indexed(base=Name(base=base), subs=(Indexed(base=Name(), subs=(Name(),)) as sub,)) if _small(node):
            yield base, sub


def _small(node: Node) -> bool:
    """Whether a symbol is a vector by its letter."""
    name = node.base if isinstance(node, Indexed) else node
    return isinstance(name, Name) and letter(name.base)[:1].islower()
