r"""What a section takes from the others: not the z_{nk} of a softmax where it has a z_n of its own."""

from collections.abc import Collection, Iterable, Iterator

from oracle.lesson.meaning.gradients import gradient_of
from oracle.lesson.meaning.notation import Notation, Ref, mentions
from oracle.lesson.meaning.program import TARGETS, Definition
from oracle.lesson.meaning.usage import Usage
from oracle.lesson.syntax import Call, Cases, Indicator, Matrix, Name, Node, Number, Plus, Relation, Times, Transpose


def in_sight(definitions: list[Definition], here: Collection[int], bodies: Iterable[Node]) -> list[Definition]:
    """Definitions without those of other sections for a name that this one defines with another number of indices, or
    without the layers that it has there.

    `here` are the numbers of the equations of this section, `bodies` its formulas: what has these indices in one of
    them is meant there too, as the E_n of E = Σ_n E_n is.
    """
    own = {(d.head.base, d.head.slots) for d in definitions if d.number in here}
    refs = [ref for body in bodies for ref in body.walk() if isinstance(ref, Ref)]
    met = {(ref.base, len(ref.subs)) for ref in refs}
    flat = {d.head.base for d in definitions if d.head.kinds == ("sample",)}
    flat &= {ref.base for ref in refs if "sample" in ref.kinds} - {ref.base for ref in refs if "layer" in ref.kinds}
    return [
        d for d in definitions
        if d.number in here
        or (not ("layer" in d.head.kinds and d.head.base in flat) and (
            (d.head.base, len(d.head.subs)) in met
            or ((d.head.base, d.head.slots) not in own and not _of_labels(d))
        ))
    ]  # fmt: skip


def _of_labels(d: Definition) -> bool:
    """Whether y_{ik} = 1[y_i = k] is made of another quantity by its own name."""
    refs = (part for part in d.body.walk() if isinstance(part, Ref) and part.base == d.head.base)
    return any(ref.slots == d.head.slots and len(ref.subs) < len(d.head.subs) for ref in refs)


def ranks(here: Usage, notation: Notation) -> dict[str, int]:
    """The axes of names that carry so many indices in this section, and another number (or none) in another.

    Where a section has all of its vectors with indices, what has none there is a number; but dS_{ik} is of a matrix S,
    and the w of ∂C/∂w beside w^l_{jk} is a weight.
    """
    elsewhere: dict[str, set[int]] = {}
    for base, count in notation.indexed:
        elsewhere.setdefault(base, set()).add(count)
    local: dict[str, set[int]] = {}
    for ref in here.refs:
        if not ref.slots and (ref.subs or ref.base not in here.formal):
            local.setdefault(ref.base, set()).add(len(ref.subs))
    single = {base: min(found) for base, found in local.items() if len(found) == 1}
    whole = any(not single.get(gradient_of(base, notation.markers), 1) for base, count in single.items() if count)
    by_indices = not (here.vectors or here.picked or whole) and any(single.values()) and len(single) == len(local)
    entries = {ref.base for ref in here.refs if ref.slots and ref.subs}
    return {
        base: count for base, count in single.items()
        if (count or base not in entries) and elsewhere.get(base, {count}) != {count} and (count or by_indices)
    }  # fmt: skip


def without_given(
    definitions: list[Definition], here: Collection[int], bodies: Iterable[Node], earlier: Iterable[Node]
) -> list[Definition]:
    """Definitions without those of other sections for what is given in this one: its inputs and targets.

    x ∈ ℝ^n says so, and h^{(0)} = x; and the y of L(ŷ, y), of ŷ - y and of y log p is a target. What `earlier` sections
    give is given until another defines it.
    """
    found = {base for body in bodies for base in (*_declared(body), *_targets(body))}
    before = {base for body in earlier for base in _declared(body)}
    weighed = {base for body in bodies for base in weights(body)}
    own, last = {d.head.base for d in definitions if d.number in here}, max(here, default=0)
    return [
        d for d in definitions if d.number in here or d.head.slots
        or not (
            d.head.base in weighed - own and not isinstance(d.body, Indicator | Cases) if d.head.subs
            else d.head.base in found - own or (d.head.base in before and d.number > last)
        )
    ]  # fmt: skip


def without_made_of_targets(
    definitions: list[Definition], here: Collection[int], bodies: Iterable[Node]
) -> list[Definition]:
    """Definitions without the x = A y of another section: y is a target here, and x no input that is made of it."""
    targets = {base for body in bodies for base in _targets(body)}
    return [
        d for d in definitions
        if d.number in here or d.head.base.lower() != "x" or not any(mentions(d.body, y) for y in targets)
    ]  # fmt: skip


def _declared(body: Node) -> Iterator[str]:
    """The x of x ∈ ℝ^n, and of h^{(0)} = x; the X of X = [x_1, …, x_N]."""
    match body:
        case Relation(items=(Ref(base=base, slots=(), subs=()), Matrix(rows=((Ref(base=first), *_),)), *_)):
            if first.lower() == base.lower():
                yield base
        case Relation(items=items, ops=("in", *_)):
            yield from (item.base for item in items[:1] if isinstance(item, Ref) and not item.slots + item.subs)
        case Relation(items=(Ref(slots=(("layer", Number()),)), Ref(base=base, slots=(), subs=())), ops=("=" | ":=",)):
            yield base


def weights(body: Node) -> Iterator[str]:
    """The y_i of y_i log p_i: no y_i = γ x_i + β of another section."""
    for part in body.walk():
        match part:
            case Times(factors=(Ref(base=base), Call(function=Name(base="log" | "ln")))) if base in TARGETS:
                yield base


def _targets(body: Node) -> Iterator[str]:
    """The y of L(ŷ, y), of ŷ - y and of y log p."""
    for part in body.walk():
        match part:
            case Call(args=(Ref(base=a), Ref(base=b))):
                yield from (x for x, other in ((a, b), (b, a)) if f"hat {x}" == other)
            case Plus(terms=(Ref(base=a), Ref(base=b)), signs=(1, -1)):
                yield from (x for x, other in ((a, b), (b, a)) if f"hat {x}" == other)
            case Times(
                factors=(Ref(base=base) | Transpose(base=Ref(base=base)), Call(function=Name(base="log" | "ln")))
            ):
                yield base
