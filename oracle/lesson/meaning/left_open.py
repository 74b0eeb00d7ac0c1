r"""Products with dots: $\partial h_t/\partial h_{t-1} \cdots \partial h_{k+1}/\partial h_k$.

What the dots leave out goes on as the factors before them do, a layer or step on or back, until it meets those after.
"""

from collections.abc import Callable
from dataclasses import replace

from oracle.lesson.meaning.notation import Ref
from oracle.lesson.meaning.values import BeyondError
from oracle.lesson.syntax import Derivative, Dots, Name, Node, Number, Plus, Power, Tagged, Times, rebuilt

Place = Callable[[Node, str], int]
"""The number of a slot of some kind."""
MOST = 12
"""So many factors may be left out."""
MIDDLE, FAR = 50, 100


def leaves_out(node: Times) -> bool:
    """Whether factors are left out between others."""
    return any(isinstance(factor, Dots) for factor in node.factors[1:-1])


def filled(node: Times, place: Place) -> Times:
    """A product with all its factors, each of a layer or step with a number; a BeyondError where they never meet."""
    factors, ops = list(node.factors), list(node.ops)
    while (k := next((k for k, f in enumerate(factors) if isinstance(f, Dots)), 0)) and k + 1 < len(factors):
        steps = _steps(factors[:k], factors[k + 1 :])
        before, after = ([_numbered(f, place) for f in some] for some in (factors[:k], factors[k + 1 :]))
        if (there := _met(before, after[0])) is not None:
            factors[there : k + 1], ops[max(there - 1, 0) : max(there - 1, 0) + k + 1 - there] = [], []
            continue
        if (whole := _rest_of_chain(before[-1], after[0])) is not None:
            factors[k] = whole
            continue
        between, drop = _between(before, after, steps)
        factors[k : k + 1 + drop] = between
        ops[k - 1 : k + 1 + drop] = _ops(ops, k, len(between), drop)
        factors = [_numbered(f, place) for f in factors]
    return replace(node, factors=tuple(factors), ops=tuple(ops))


def _met(before: list[Node], next_one: Node) -> int | None:
    r"""Where a product has come already as far as its dots go: ∂s_t/∂z_t ∂z_t/∂s_{t-1} \cdots ∂s_t/∂z_t."""
    there = before.index(next_one) if next_one in before[:-1] else None
    if there is None or any(isinstance(factor, Number) for factor in before[there:]):
        return None
    return there if _moved(next_one, 1) != next_one else None


def _rest_of_chain(a: Node, b: Node) -> Node | None:
    r"""The ∂z^L/∂h^l of ∂h^L/∂z^L \cdots ∂h^l/∂z^l, of which every other factor is left out; None of other dots."""
    match a, b:
        case Derivative(of=Ref(subs=()) as p, wrt=(Ref(subs=()) as q,)), Derivative(
            of=Ref(subs=()) as r, wrt=(Ref(subs=()) as s,)
        ) if (p.base, q.base) == (r.base, s.base) and p.base != q.base and p.slots == q.slots and r.slots == s.slots:
            high, low = _first(p), _first(r)
            if high is not None and low is not None and high != low:
                return Derivative(q, (r,)) if high > low else Derivative(s, (p,))
    return None


def _ops(ops: list[str], k: int, count: int, drop: int) -> list[str]:
    """What stands between factors that were left out: what stands before the dots."""
    behind = ops[k + drop : k + 1 + drop]
    return [ops[k - 1]] * count + (behind or [])


def _between(before: list[Node], after: list[Node], steps: tuple[int, ...]) -> tuple[list[Node], int]:
    """What is left out, and how many factors after the dots are those before them once more."""
    for count in range(1, len(before) + 1):
        block = before[-count:]
        if after[:count] == block and any(_moved(block[0], step) != block[0] for step in steps):
            return [], count
        for step in steps:
            made = [_moved(f, step * k) for k in range(1, MOST // count + 2) for f in block]
            for at in range(len(made)):
                several = min(count, len(after), len(made) - at)
                if made[at : at + several] == after[:several] and _moved(made[at], 1) != made[at]:
                    return made[:at], 0
    raise BeyondError


def _steps(before: list[Node], after: list[Node]) -> tuple[int, ...]:
    """Whether the factors go on to higher numbers or to lower ones, as far as that can be seen."""
    for factor in (before[-1], after[0]):
        match factor:
            case Derivative(of=Ref(base=a, slots=((_, of),)), wrt=(Ref(base=b, slots=((_, wrt),)),)) if a == b:
                if (high := _shown(of, "")) != (low := _shown(wrt, "")):
                    return (-1,) if high > low else (1,)
    first, last = (_first(_numbered(part, _shown)) for part in (before[-1], after[-1] if len(after) == 1 else after[0]))
    if first is not None and last is not None and first != last:
        return (1,) if last > first else (-1,)
    return (1, -1)


def _first(node: Node) -> int | None:
    """The first number of a layer or step in a factor."""
    for part in node.walk():
        match part:
            case Ref(slots=((_, Number(text=text)), *_)) | Power(base=Name(), exponent=Number(text=text)):
                return int(text)
    return None


def _shown(slot: Node, kind: str) -> int:
    """A number for a slot by its looks: letters are far from 1, and capitals farther."""
    match slot:
        case Number(text=text) if text.isdigit():
            return int(text)
        case Name(base=base) | Ref(base=base):
            return FAR if base[:1].isupper() else MIDDLE
        case Plus(terms=terms, signs=signs):
            return sum(sign * _shown(term, kind) for term, sign in zip(terms, signs, strict=True))
    return MIDDLE


def _numbered(node: Node, place: Place) -> Node:
    """A factor with a number for each layer and step."""
    match node:
        case Ref():
            slots = tuple((kind, Number(str(place(slot, kind)))) for kind, slot in node.slots)
            return replace(node, slots=slots)
        case Power(base=Name(), exponent=Name() | Plus() | Ref() as layer):
            return replace(node, exponent=Number(str(place(layer, "layer"))))
        case Tagged(base=Name(), tag=Name() | Plus() | Ref() as layer):
            return replace(node, tag=Number(str(place(layer, "layer"))))
    return rebuilt(node, lambda child: _numbered(child, place))


def _moved(node: Node, by: int) -> Node:
    """A factor some layers or steps on."""

    def on(slot: Node) -> Node:
        return Number(str(int(slot.text) + by)) if isinstance(slot, Number) else slot

    match node:
        case Ref():
            return replace(
                node, slots=tuple((kind, slot if kind == "sample" else on(slot)) for kind, slot in node.slots)
            )
        case Power(base=Name(), exponent=Number() as layer):
            return replace(node, exponent=on(layer))
        case Tagged(base=Name(), tag=Number() as layer):
            return replace(node, tag=on(layer))
    return rebuilt(node, lambda child: _moved(child, by))
