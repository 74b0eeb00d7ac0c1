r"""Units in general: $a_j = \sum_i w_{ji} z_i$ and $z_j = h(a_j)$ are said of every unit, so $a_k = \sum_j w_{kj} z_j$.

A lesson that writes so takes ∂a_k/∂a_j, where unit j sends to the units k.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from oracle.lesson.meaning.models import weighed
from oracle.lesson.meaning.notation import Ref
from oracle.lesson.meaning.program import Definition
from oracle.lesson.syntax import Call, Derivative, Name, Node, Sum, rebuilt

INPUT = "input "


def fed(definitions: list[Definition], bodies: Iterable[Node], inputs: bool) -> list[Definition]:
    """What the units k are fed with, that a lesson only writes of the units j before them.

    `bodies` are the formulas of a section; with `inputs`, the lesson calls its inputs x.
    """
    partials = [pair for body in bodies for part in body.walk() for pair in _partial(part)]
    pairs = {(of.base, *_letters(of), *_letters(wrt)) for of, wrt in partials if of.base == wrt.base}
    heads = {(d.head.base, *_letters(d.head)) for d in definitions}
    found: list[Definition] = []
    for d, j, x in _general(definitions):
        (i,) = _letters(x)
        letters = [
            k for base, k, to in sorted(pair for pair in pairs if len(pair) == 3) if (base, to) == (d.head.base, j)
        ]
        above = [k for k in letters if k not in (i, j) and (d.head.base, k) not in heads]
        found += [
            Definition(replace(d.head, subs=(Name(k),)), _lettered(d.body, {i: j, j: k}), d.number) for k in above
        ]
        if (x.base, i) not in heads:  # at the bottom the units i are inputs
            given = inputs and all(d.head.base != "x" for d in definitions)
            found.append(Definition(x, replace(x, base="x" if given else INPUT + x.base)))
    return found


def unfed(definitions: list[Definition]) -> set[Ref]:
    """The a_k of y_k = a_k beside a_j = Σ_i w_{ji} z_i and a_l = Σ_j w_{lj} z_j: of which units it is, nothing says."""
    heads = {(d.head.base, *_letters(d.head)) for d in definitions}
    several = {base for base, *_ in heads if sum(base == other for other, *_ in heads) > 1}
    bare = [d.body for d in definitions if isinstance(d.body, Ref) and len(_letters(d.body)) == 1 and not d.body.slots]
    return {ref for ref in bare if ref.base in several and (ref.base, *_letters(ref)) not in heads}


def _partial(node: Node) -> Iterator[tuple[Ref, Ref]]:
    """The a_k and a_j of ∂a_k/∂a_j."""
    match node:
        case Derivative(of=Ref() as of, wrt=(Ref() as wrt,)):
            yield of, wrt


def _general(definitions: list[Definition]) -> Iterator[tuple[Definition, str, Ref]]:
    """The equations a_j = Σ_i w_{ji} z_i beside z_j = h(a_j), with the letter j and the z_i."""
    made = {(d.head.base, arg.base) for d in definitions if (arg := _argument(d))}
    for d in definitions:
        for x in weighed(d.body).values():
            if (x.base, d.head.base) in made and len(letters := _letters(d.head)) == 1 and not d.head.slots:
                yield d, letters[0], x


def _argument(definition: Definition) -> Ref | None:
    """The a_j of z_j = h(a_j)."""
    match definition.body:
        case Call(args=(Ref(subs=subs, slots=()) as arg,)) if subs == definition.head.subs and len(subs) == 1:
            return arg
    return None


def _letters(ref: Ref) -> tuple[str, ...]:
    return tuple(sub.base for sub in ref.subs if isinstance(sub, Name))


def _lettered(node: Node, letters: Mapping[str, str]) -> Node:
    """A formula with other letters for its indices."""

    def other(name: Name) -> Name:
        return replace(name, base=letters.get(name.base, name.base))

    node = rebuilt(node, lambda child: _lettered(child, letters))
    if isinstance(node, Ref):
        return replace(node, subs=tuple(other(sub) if isinstance(sub, Name) else sub for sub in node.subs))
    return replace(node, indices=tuple(map(other, node.indices))) if isinstance(node, Sum) else node
