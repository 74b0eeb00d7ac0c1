r"""Candidates tried in one net: sub-formulas are evaluated once, however many candidates share them."""

from dataclasses import dataclass, field, replace
from math import isfinite

import torch

from oracle.lesson.judging import CLOSE, Nets, assignments, different, relative, sample_of, size
from oracle.lesson.meaning.notation import Ref
from oracle.lesson.meaning.program import Env
from oracle.lesson.meaning.values import BeyondError, Dim, IllTypedError, NotUnderstoodError, Value
from oracle.lesson.meaning.world import World
from oracle.lesson.syntax import (
    Call,
    Derivative,
    Gradient,
    Name,
    Negative,
    Node,
    Plus,
    Power,
    Quotient,
    Sum,
    Times,
    Transpose,
    rebuilt,
)

Store = dict[tuple[object, ...], dict[Node, Value | None]]
"""By net and choice of layers, the derivatives found there."""
REFUSED = (IllTypedError, NotUnderstoodError, BeyondError, KeyError, IndexError, RuntimeError, TypeError)
"""What a candidate that means nothing may raise in a net."""


@dataclass
class Trial:
    """One net, one choice of layers and samples, and what the left side is worth there."""

    world: World
    env: Env
    target: Value
    typed: dict[str, Dim]
    line: int = 0
    formulas: tuple[Node, ...] = ()
    """The chain."""
    partials: dict[Node, Value | None] = field(default_factory=dict)
    """Derivatives, kept for all trials in the same net."""
    sample: int | None = None
    """The one sample that the formulas are of."""
    apart: bool = False
    """Whether different indices are different numbers, as the text says."""
    kept: dict[Node, Value | None] = field(default_factory=dict)

    def value(self, node: Node) -> Value | None:
        """What a formula is worth; None where it means nothing."""
        kept = self.partials if isinstance(node, Derivative | Gradient) else self.kept
        if node not in kept:
            try:
                kept[node] = self._computed(node)
            except REFUSED:
                kept[node] = None
        return kept[node]

    def _computed(self, node: Node) -> Value | None:
        if not self._open(node):
            return self._plain(node)
        parts: dict[str, Value] = {}
        for child in node.children():
            if isinstance(node, Sum) and child is not node.body:
                continue
            if isinstance(node, Call) and not any(child is arg for arg in node.args):
                continue
            value = self.value(child)
            if value is None:
                return None
            parts[f"part {len(parts)}"] = value
        names = iter(parts)
        if isinstance(node, Sum):
            shell: Node = replace(node, body=Ref(next(names)))
        elif isinstance(node, Call):
            shell = replace(node, args=tuple(Ref(name) for name in names))
        else:
            shell = rebuilt(node, lambda _: Ref(next(names)))
        self.world.bindings.append(parts)
        try:
            return self._plain(shell)
        finally:
            self.world.bindings.pop()

    def _plain(self, node: Node) -> Value:
        self.world.line = self.line
        with self.world.fresh(*self.formulas), self.world.of_sample(self.sample):
            self.world.typed.update(self.typed)
            if isinstance(node, Sum):
                for name in node.indices:
                    self.world.typed.pop(name.base, None)
            return self.world.value(node, self.env)

    def _open(self, node: Node) -> bool:
        """Whether a node's value is a function of its parts' values."""
        match node:
            case Times() | Plus() | Negative() | Quotient() | Transpose() | Call():
                return True
            case Power(base=base):
                return not (isinstance(base, Name) and base.base == "e")
            case Sum(indices=indices, body=body) if len(indices) == 1:
                return not self.world.counts(indices[0].base, body)
        return False

    def agrees(self, node: Node) -> bool:
        """Whether a formula is worth what the left side is."""
        value = self.value(node)
        return value is not None and self.same(value)

    def same(self, value: Value) -> bool:
        target = self.target
        if set(value.names) - set(target.names) or (value.rank and value.rank != target.rank):
            return False
        try:
            gap = self.world.algebra.elementwise(torch.sub, target, replace(value, way=None), "the two sides")
        except REFUSED:
            return False
        if self.apart:
            mask = different(gap)
            multiply = self.world.algebra.elementwise
            target, value, gap = (multiply(torch.mul, v, mask, "") for v in (target, value, gap))
        difference, nothing = relative(target, value, gap)
        return not nothing and difference < CLOSE


def trials(
    nets: Nets, store: Store, head: Node, members: tuple[Node, ...], line: int = 0, count: int = 2, *,
    apart: bool = False,
) -> list[Trial]:  # fmt: skip
    """The left side in `count` nets, each with a choice of layers that exist; [] where it means nothing."""
    found: list[Trial] = []
    for world in nets:
        if len(found) == count:
            break
        world.begin(line, set())
        envs = list(assignments(nets.program, (head, *members)))
        # the first layer has inputs for activations, the last no layer after it: look between them first
        for env in sorted(envs, key=lambda env: sum(abs(n - 2) for n in env.values())):
            trial = _trial(world, env, head, members, store)
            if trial is not None and isfinite(size(trial.target)):
                found.append(replace(trial, apart=apart))
                break
    return found


def _trial(world: World, env: Env, head: Node, members: tuple[Node, ...], store: Store) -> Trial | None:
    sample, sound = sample_of(world.program, env, head, *members), list[Node]()
    partials = store.setdefault((id(world), world.line, sample, *sorted(env.items())), {})
    try:
        with world.fresh(head, *members), world.of_sample(sample):
            target = partials.get(head) or world.value(head, env)
            if isinstance(head, Derivative):
                partials[head] = target
            typed = dict(world.typed) | dict(zip(target.names, target.dims, strict=True))
            for member in members:
                try:
                    world.value(member, env)
                    sound.append(member)
                except BeyondError:
                    return None
                except REFUSED:
                    continue
    except REFUSED:
        return None
    return Trial(world, env, target, typed, world.line, (head, *sound), partials, sample=sample)
