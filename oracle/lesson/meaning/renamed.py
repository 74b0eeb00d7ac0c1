"""C = ½ Σ (y_i − t_i)² = ½ Σ (a_i^L − t_i)²: one formula twice, which says that y is a^L."""

from collections.abc import Iterable

from oracle.lesson.meaning.notation import Ref
from oracle.lesson.meaning.program import Definition, Program
from oracle.lesson.syntax import Name, Node, Relation, rebuilt

_HOLE = Name("")


def renamed(said: Iterable[tuple[int, Node]], program: Program) -> list[Definition]:
    """What two members of a chain say by being alike but for one symbol, which nothing else defines."""
    found: dict[str, Definition] = {}
    for number, body in said:
        if not isinstance(body, Relation) or {*body.ops} - {"=", ":="}:
            continue
        for one, other in zip(body.items[1:], body.items[2:], strict=False):
            pairs = renaming(one, other) or {}
            if len({(a.base, b.base) for a, b in pairs.items()}) != 1:
                continue
            a, b = next(iter(pairs.items()))
            for new, known in ((a, b), (b, a)):
                if _defined(known, program) and not _defined(new, program):
                    found.setdefault(new.base, Definition(new, known, number))
    return list(found.values())


def renaming(one: Node, other: Node) -> dict[Ref, Ref] | None:
    """The symbols of one formula and those that stand in their places in another; None where they are not alike."""
    if one == other:
        return {}
    if isinstance(one, Ref) and isinstance(other, Ref):
        return {one: other}
    ones, others = [*one.children()], [*other.children()]
    if len(ones) != len(others) or not ones or rebuilt(one, _hole) != rebuilt(other, _hole):
        return None
    pairs: dict[Ref, Ref] = {}
    for a, b in zip(ones, others, strict=True):
        found = renaming(a, b)
        if found is None or any(pairs.get(key, value) != value for key, value in found.items()):
            return None
        pairs |= found
    return pairs


def _hole(_: Node) -> Node:
    return _HOLE


def _defined(ref: Ref, program: Program) -> bool:
    return program.defines(ref.base, ref.kinds) or bool(program.functions.get(ref.base))
