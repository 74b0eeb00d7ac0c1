"""What has steps because all that it is made of has: the z of z_k = U x_k + W s_{k-1}, beside s_t."""

from collections.abc import Collection, Iterable

from oracle.lesson.syntax import Indexed, Name, Node, Plus, Relation, Statement


def step_heads(statements: Iterable[Statement], stepped: Collection[str]) -> set[str]:
    """The names of what an equation makes of such symbols at one step, and of nothing else that this letter counts."""
    found: set[str] = set()
    for body in (s.body for s in statements):
        match body:
            case Relation(items=(Indexed(base=Name(base=z), subs=(Name(base=k),)), member, *_), ops=("=" | ":=", *_)):
                used = _with(member, k)
                if used and used <= {*stepped}:
                    found.add(z)
    return found


def _with(node: Node, letter: str) -> set[str]:
    """The symbols that have a letter below them, alone or as k - 1; "" for any other place of it."""
    match node:
        case Indexed(base=Name(base=base), subs=(Name(base=k) | Plus(terms=(Name(base=k), *_)),)) if k == letter:
            return {base}
        case Name(base=base) if base == letter:
            return {""}
    return {base for child in node.children() for base in _with(child, letter)}
