"""The smallest set of cases that catches every fault: greedy cover many times over, then shrinking, then dropping.

Finding the smallest cover is hard in general; greedy cover is never worse than it by more than a factor of
ln(faults) + 1 (V. Chvátal, A greedy heuristic for the set-covering problem, 1979). Here the greedy choice is made
many times, each time with the gains blurred a little, and the smallest cover is kept.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from itertools import islice
from operator import or_
from random import Random

import numpy as np
from msgspec.structs import replace

from oracle.arbiter import partial
from oracle.kinks import exactly_at, kinks
from oracle.seeds import Seed
from oracle.shrink import shrink
from oracle.spec import Array, Case, Node, Tensors
from oracle.twin import Truth, Twin
from oracle.vectors.drawing import ACTIVATIONS, size
from oracle.vectors.targets import Right, Worth, ask, worth

RESTARTS = 400
"""Greedy covers that are tried."""
BLUR = 0.3
"""How much of a gain chance may take away."""
BUDGET = 250
"""Trials for shrinking a case."""

Worths = frozenset[Worth]


@dataclass(frozen=True)
class Candidate:
    """A case, and what it is worth when asked alone."""

    case: Case
    worth: Worths

    @cached_property
    def size(self) -> int:
        """The numbers to read."""
        return size(self.case)


def candidates(cases: Iterable[Case], seeds: Sequence[Seed]) -> Iterator[Candidate]:
    """The cases off every kink whose answer is finite."""
    for case in cases:
        if (right := Right.of(case)) is not None and not on_kinks(case):
            yield Candidate(case, frozenset(worth(seeds, right)))


def on_kinks(case: Case) -> dict[str, int]:
    """How many entries lie exactly on the kinks of each operator."""
    if not any(kinks(node) for node in case.nodes):
        return {}
    values, found = _truth(case).values, dict[str, int]()
    for node in case.nodes:
        if count := int(exactly_at(node, [values[n] for n in node.inputs]).sum()):
            found[node.op] = found.get(node.op, 0) + count
    return found


def _truth(case: Case) -> Truth:
    return Twin(case).run(case)


# -------------------------------------------------------------------------------------------------------------- cover


def cover(pool: Sequence[Candidate], wanted: Worths, seed: int) -> list[Candidate]:
    """Few candidates that together are worth all that is wanted; of equally few, those with the fewest numbers."""
    r = Random(seed)
    bits = {one: 1 << k for k, one in enumerate(sorted(wanted))}
    masks = [sum(bits[one] for one in c.worth & wanted) for c in pool]
    found = (dropped([pool[k] for k in _greedy(pool, masks, r, BLUR if n else 0.0)], wanted) for n in range(RESTARTS))
    return min(found, key=lambda chosen: (len(chosen), sum(c.size for c in chosen)))


def _greedy(pool: Sequence[Candidate], masks: list[int], r: Random, blur: float) -> list[int]:
    """Always the one that shows the most of what is left; of equals, the smallest. Worths are bits."""
    left, chosen = reduce(or_, masks, 0), list[int]()
    while left:
        gains = [
            ((mask & left).bit_count() * (1 - blur * r.random()), -c.size) for mask, c in zip(masks, pool, strict=True)
        ]
        best = max(range(len(pool)), key=gains.__getitem__)
        chosen.append(best)
        left &= ~masks[best]
    return chosen


def dropped(chosen: list[Candidate], wanted: Worths) -> list[Candidate]:
    """Without those that the others make needless; the largest are tried first."""
    for one in sorted(chosen, key=lambda c: -c.size):
        rest = [c for c in chosen if c is not one]
        if wanted & one.worth <= frozenset().union(*(c.worth for c in rest)):
            chosen = rest
    return chosen


# ------------------------------------------------------------------------------------------------------------- smaller


def smaller(chosen: list[Candidate], seeds: Sequence[Seed], wanted: Worths) -> list[Candidate]:
    """Each as small as its duties allow: what none before it is worth. The first, which are worth most, stay rich."""
    done: list[Candidate] = []
    for one in chosen:
        known = frozenset().union(*(c.worth for c in done))
        done.append(_shrunk(one, seeds, (one.worth & wanted) - known))
    return dropped(done, wanted)


def _shrunk(one: Candidate, seeds: Sequence[Seed], duties: Worths) -> Candidate:
    places = sorted({k for _, k in duties if isinstance(k, int)})

    def still(case: Case) -> bool:
        Twin.of(case)  # a broken case is no answer
        right = Right.of(case) if readable(case) else None
        return right is not None and duties <= set(worth(seeds, right, places)) and not on_kinks(case)

    small = renamed(shrink(one.case, still, BUDGET))
    return next(candidates([small if still(small) else one.case], seeds))


def readable(case: Case) -> bool:
    """Whether no number has more than two decimals or three digits before them, and targets are what they should be."""
    tensors = (*case.inputs.values(), *case.parameters.values())
    plain = all(bool((np.round(x, 2) == x).all() and (np.abs(x) <= 1000).all()) for x in tensors)
    return plain and all(
        _proper(node.op, case.inputs[n]) for node in case.nodes for n in node.inputs[1:] if n in case.inputs
    )


def _proper(op: str, target: Array) -> bool:
    """Probabilities lie in [0, 1]; those of classes add up to 1: y − t is right only then."""
    if op not in ("CrossEntropyLoss", "BCEWithLogitsLoss") or target.dtype.kind != "f":
        return True
    inside = bool(((target >= 0) & (target <= 1)).all())
    return inside and (op == "BCEWithLogitsLoss" or bool((target.sum(min(1, target.ndim - 1)) == 1).all()))


def renamed(case: Case) -> Case:
    """Inputs x, t, c in the order of their use; layers h1, h2, … and activations a1, a2, …, unless they share."""
    inputs = {name: "xtcuvw"[k] if k < 6 else name for k, name in enumerate(case.spec.input_names())}
    names = {node.name: node.name for node in case.nodes}
    if not any(node.params for node in case.nodes):
        names = _numbered(case.nodes)
    if len({*names.values(), *inputs.values()}) < len(names) + len(inputs):
        return case
    called = names | inputs
    nodes = (replace(n, name=names[n.name], inputs=tuple(called[i] for i in n.inputs)) for n in case.nodes)
    return replace(
        case,
        nodes=tuple(nodes),
        inputs={inputs[name]: x for name, x in case.inputs.items()},
        parameters=_owned(case.parameters, names),
    )


def _numbered(nodes: Iterable[Node]) -> dict[str, str]:
    """A name for each node by its kind and number."""
    names: dict[str, str] = {}
    for node in nodes:
        kind = "h" if node.op == "Linear" else "a" if node.op in ACTIVATIONS else "cost"
        names[node.name] = f"{kind}{1 + sum(n.startswith(kind) for n in names.values())}"
    return names | {node.name: "loss"}


def _owned(tensors: Tensors, names: dict[str, str]) -> Tensors:
    split = {full: full.rpartition(".") for full in tensors}
    return {f"{names.get(owner, owner)}.{role}": tensors[full] for full, (owner, _, role) in split.items()}


# -------------------------------------------------------------------------------------------------------- in sequence


def in_order(questions: Sequence[Right], seed: Seed) -> bool:
    """Whether a bug shows when one subject is asked all this, one after another."""
    subject = seed.plant()
    return any([right.differs(ask(subject, right.case)) for right in questions])  # noqa: C419  (each has to be asked)


def companions(chosen: list[Case], seeds: Sequence[Seed]) -> list[Case]:
    """A second question of the same graph, at the end, for the faults that only a second call shows."""
    asked = _rights(chosen)
    while missed := [seed for seed in seeds if not in_order(asked, seed)]:
        options = [r for r in _rights(map(other_numbers, chosen)) if not on_kinks(r.case)]
        gains = [(sum(in_order([*asked, r], seed) for seed in missed), -size(r.case)) for r in options]
        if not max(gains)[0]:
            break
        asked.append(options[gains.index(max(gains))])
    return [right.case for right in asked]


def _rights(cases: Iterable[Case]) -> list[Right]:
    return [right for right in map(Right.of, cases) if right is not None]


def other_numbers(case: Case) -> Case:
    """The same graph with another first input."""
    first = case.nodes[0].inputs[0]
    return replace(case, inputs={**case.inputs, first: np.asarray(np.roll(case.inputs[first], 1) + 1)})


# --------------------------------------------------------------------------------------------------------------- kinks


def at_kink(cases: Iterable[Case], op: str) -> list[Case]:
    """The smallest case with one entry on a kink of an operator that makes a difference, if there is any."""
    met = [case for case in cases if on_kinks(case) == {op: 1}]
    return list(islice((c for c in sorted(met, key=_reading) if _matters(c, op)), 1))


def _reading(case: Case) -> tuple[int, int, float]:
    """What it takes to read a case: nodes, numbers, and how large they are."""
    tensors = (*case.inputs.values(), *case.parameters.values())
    return len(case.nodes), size(case), float(sum(np.abs(x).sum() for x in tensors))


def _matters(case: Case, op: str) -> bool:
    """Whether the slope at the kink changes a gradient."""
    tensors = {**case.parameters, **case.inputs}
    places = [(name, at) for name in case.wanted() for at in np.ndindex(tensors[name].shape)]
    return any(partial(case, *place, slopes={op: 0.0}) != partial(case, *place, slopes={op: 1.0}) for place in places)
