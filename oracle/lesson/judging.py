r"""Links held against autograd: the head of a chain is the truth, every member is compared with it in many nets."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product

import torch

from oracle.lesson.meaning.notation import Ref, letters
from oracle.lesson.meaning.program import Program
from oracle.lesson.meaning.values import BeyondError, IllTypedError, NotUnderstoodError, UndefinedError, Value
from oracle.lesson.meaning.world import ACTIVATIONS, ENDS, Env, World
from oracle.lesson.syntax import Node, Number, Sum

CONSTANTS = {"L", "T", "n", "N", "D", "n_l", "m"}
"""Letters that are ends, never counted through."""
CLOSE = 1e-9
"""Relative differences up to here are rounding in float64."""


@dataclass
class Outcome:
    """What the nets say of one link."""

    verdict: str
    reason: str = ""
    least: float = 0.0
    most: float = 0.0
    zero: bool = False
    """Both sides vanish in every net."""


@dataclass
class Nets:
    """The random nets of a lesson, made once and used for every link."""

    program: Program
    count: int = 8
    seed: int = 0
    activations: tuple[str, ...] = tuple(ACTIVATIONS)
    worlds: list[World] = field(default_factory=list)

    def __iter__(self) -> Iterator[World]:
        for k in range(self.count):
            if k == len(self.worlds):
                activation = self.activations[k % len(self.activations)]
                self.worlds.append(World(self.program, self.seed + k, activation=activation))
            yield self.worlds[k]

    def judge(self, head: Node, member: Node, line: int = 0) -> Outcome:
        """Whether two formulas agree in every net, for every layer, sample and step.

        A symbol that nothing defines may be anything where it stands on both sides: σ′(z) = σ(z) (1 − σ(z)).
        """
        free: set[str] = set()
        while True:
            try:
                return self._judge(head, member, line, free)
            except UndefinedError as error:
                if error.base in free or not all(_uses(side, error.base) for side in (head, member)):
                    return Outcome("not understood", str(error))
                free.add(error.base)

    def _judge(self, head: Node, member: Node, line: int, free: set[str]) -> Outcome:
        least, most, seen, zero = float("inf"), 0.0, False, True
        for world in self:
            world.line, world.loose = line, free
            for env in assignments(self.program, (head, member)):
                try:
                    found = compared(world, head, member, env)
                except IllTypedError as error:
                    return Outcome("ill-typed", str(error))
                except BeyondError:
                    continue
                except UndefinedError:
                    raise
                except NotUnderstoodError as error:
                    return Outcome("not understood", str(error))
                if found is None:
                    continue
                difference, nothing = found
                seen, zero = True, zero and nothing
                least, most = min(least, difference), max(most, difference)
        if not seen:
            return Outcome("not understood", "in no net drawn do both sides exist")
        return Outcome("holds" if most < CLOSE else "fails", "", least, most, zero)


def _uses(node: Node, base: str) -> bool:
    return any(isinstance(part, Ref) and part.base == base for part in node.walk())


def assignments(program: Program, nodes: tuple[Node, ...]) -> Iterator[Env]:
    """Every value of the letters that count layers, samples or steps and are not bound by a sum."""
    kinds: dict[str, str] = {}
    for node in nodes:
        _slot_letters(node, frozenset(), kinds)
    ends = [range(1, int(getattr(program, ENDS[kind])) + 1) for kind in kinds.values()]
    for values in product(*ends):
        yield dict(zip(kinds, values, strict=True))


def _slot_letters(node: Node, bound: frozenset[str], kinds: dict[str, str]) -> None:
    if isinstance(node, Sum):
        bound |= {name.base for name in node.indices}
    if isinstance(node, Ref):
        for kind, expr in node.slots:
            for letter in letters(expr) - bound - CONSTANTS:
                kinds.setdefault(letter, kind)
    for child in node.children():
        _slot_letters(child, bound, kinds)


def compared(world: World, head: Node, member: Node, env: Env) -> tuple[float, bool] | None:
    """The relative difference of two formulas in one net, and whether both are zero."""
    with world.fresh():
        left = world.value(head, env)
        right = world.value(member, env)
    if isinstance(member, Number) and not right.rank:
        right = Value(right.data)
    extra = set(right.names) - set(left.names)
    if extra:
        raise IllTypedError(f"index {', '.join(sorted(extra))} is free on the right and not on the left")
    if right.rank and left.rank != right.rank:
        raise IllTypedError(f"{_shape(world, left)} on the left, {_shape(world, right)} on the right")
    difference = world.algebra.elementwise(torch.sub, left, right, "the two sides")
    scale = max(_size(left), _size(right))
    assert difference.data is not None
    gap = float(difference.data.detach().abs().max()) if difference.data.numel() else 0.0
    return (gap / scale if scale > 0 else 0.0), scale == 0.0


def _size(value: Value) -> float:
    assert value.data is not None
    return float(value.data.detach().abs().max()) if value.data.numel() else 0.0


def _shape(world: World, value: Value) -> str:
    kinds = ("a number", "a vector", "a matrix")
    return kinds[value.rank] if value.rank < 3 else f"{value.rank} axes"
