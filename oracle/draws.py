"""What the oracle asks: an architecture filled with numbers, the cases of step 5, and the stream of both.

One architecture carries many values. To add an optimizer: a row in `OPTIMIZERS`.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any, Protocol

import numpy as np

from oracle.architectures import PROFILES, UNITS, Architecture, Attrs, Shape, Slot, architecture, pick, turns
from oracle.kinks import kinks
from oracle.spec import Array, Case, Node, Tensors, UpdateCase


def reals(rng: np.random.Generator, shape: Shape, regime: str, points: Array, info: Any) -> Array:
    """Real numbers of a regime."""
    if regime == "small":
        return rng.integers(-3, 4, shape).astype(float)
    if regime == "halves":
        return rng.integers(-6, 7, shape) / 2.0
    if regime == "kinks":
        return np.where(rng.random(shape) < 0.6, rng.choice(points, shape), rng.integers(-3, 4, shape))
    x = rng.standard_normal(shape)
    if regime == "large":
        return x * rng.choice([100.0, 1000.0])
    if regime == "tiny":
        return x * float(info.tiny) ** 0.5
    if regime == "denormal":
        return x * float(info.tiny) / 16
    if regime == "saturating":
        return x * 12
    if regime == "zeros":
        return x * (rng.random(shape) < 0.5)
    if regime == "rows":
        return x * 10.0 ** rng.integers(-10, 4, (*shape[:1], *(1 for _ in shape[1:])))
    if regime == "offset":
        return x + 10.0 ** rng.integers(1, 5)
    return x


def _fill(slot: Slot, rng: np.random.Generator, regime: str, points: Array, dtype: str) -> Array:
    """The numbers of one tensor."""
    shape, info = slot.shape, np.finfo(dtype)
    plain = regime in ("small", "halves", "kinks")
    if slot.kind == "mask":
        return rng.random(shape) >= slot.bounds[0]
    if slot.kind == "classes":
        labels = rng.integers(0, slot.classes, shape)
        return np.where(rng.random(shape) < 0.15, slot.ignore or 0, labels).astype(np.int64)
    if slot.kind == "binary":
        return rng.integers(0, 2, shape).astype(dtype)
    if slot.kind == "one_hot":
        return np.eye(shape[1], dtype=dtype)[rng.integers(0, shape[1], shape[0])]
    if slot.kind == "count":
        return np.array(rng.integers(0, 5), np.int64)
    if slot.kind == "probabilities":
        x = rng.dirichlet(np.ones(shape[1]), (shape[0], *shape[2:])) if shape[1] else np.zeros(shape)
        return np.moveaxis(x, -1, 1).astype(dtype)
    if slot.kind == "unit":
        return (rng.choice([0.0, 1.0, 0.5, 0.25], shape) if plain else rng.random(shape)).astype(dtype)
    if slot.kind == "slopes":
        low, high = slot.bounds
        return (low + (high - low) * (rng.integers(0, 3, shape) / 2 if plain else rng.random(shape))).astype(dtype)
    if slot.kind == "variance":
        return (rng.choice([0.25, 1.0, 4.0], shape) if plain else rng.random(shape) * 2 + 0.01).astype(dtype)
    if slot.kind in ("weight", "gain", "mean") and not plain:
        scale = 8.0 if regime == "saturating" else 1.0
        return (rng.standard_normal(shape) * scale / max(1, shape[-1]) ** 0.5).astype(dtype)
    if slot.kind == "weight":
        return rng.choice([0.0, 0.0, 1.0, 1.0, -1.0, 2.0, 0.5], shape).astype(dtype)
    return reals(rng, shape, regime, points, info).astype(dtype)


def _of_batch(slot: Slot, batch: int | None) -> Slot:
    return slot if batch is None or not slot.batched else replace(slot, shape=(batch, *slot.shape[1:]))


def kink_points(nodes: tuple[Node, ...]) -> Array:
    """Where the operators of a graph have kinks: values worth feeding them."""
    at = [kink.at for node in nodes for kink in kinks(node)]
    return np.array([0.0, -0.0, 1.0, -1.0, *at, *at])


def values(net: Architecture, seed: int, dtype: str, regimes: tuple[str, ...]) -> Case:
    """The architecture with numbers: everything of one regime, but for one tensor in four; the batch anew each time."""
    rng = np.random.default_rng(seed)
    points = kink_points(net.nodes)
    regime = regimes[int(rng.integers(len(regimes)))]
    batch = net.batches[int(rng.integers(len(net.batches)))] if net.batches else None

    def fill(slots: dict[str, Slot]) -> Tensors:
        return {
            name: np.asarray(
                _fill(_of_batch(slot, batch), rng, regime if rng.random() < 0.75 else "normal", points, dtype)
            )
            for name, slot in slots.items()
        }

    return Case(
        dtype="float32" if dtype == "float32" else "float64",
        training=net.training,
        nodes=net.nodes,
        inputs=fill(net.inputs),
        parameters=fill(net.parameters),
        buffers=fill(net.buffers),
    )


# ------------------------------------------------------------------------------------------------------------ step 5

OPTIMIZERS: dict[str, Callable[[Random], Attrs]] = {
    "SGD": lambda r: _momentum(r) | pick(r, weight_decay=(0.1, 0.01), maximize=(True,)),
    "Adagrad": lambda r: pick(
        r,
        lr_decay=(0.1,),
        weight_decay=(0.1,),
        initial_accumulator_value=(0.5,),
        eps=(1e-4, 1e-10),
        maximize=(True,),
    ),
    "RMSprop": lambda r: pick(
        r,
        alpha=(0.5, 0.9),
        eps=(1e-3,),
        weight_decay=(0.1,),
        momentum=(0.5, 0.9),
        centered=(True,),
        maximize=(True,),
    ),
    "Adam": lambda r: _adam(r),
    "AdamW": lambda r: _adam(r),
}


def _momentum(r: Random) -> Attrs:
    attrs = pick(r, momentum=(0.5, 0.9))
    if not attrs:
        return attrs
    return attrs | r.choice(({}, {"dampening": 0.5}, {"nesterov": True}))


def _adam(r: Random) -> Attrs:
    return pick(
        r, betas=([0.5, 0.75], [0.9, 0.99], [0.0, 0.5]), eps=(1e-3, 1e-6), weight_decay=(0.1, 0.0),
        amsgrad=(True,), maximize=(True,),
    )  # fmt: skip


def update_case(r: Random, dtype: str, op: str = "") -> UpdateCase:
    """An optimizer (or a random one), a few parameters (two of equal shape) and their gradients over some steps."""
    op = op or r.choice(sorted(OPTIMIZERS))
    attrs = {"lr": r.choice((0.1, 0.5, 0.01, 1.0))} | OPTIMIZERS[op](r)
    rng = np.random.default_rng(r.randrange(2**32))
    shape = (r.randint(1, 3), r.randint(1, 3))
    shapes = {"h1.weight": shape, "h1.bias": shape[:1], "h2.weight": shape}
    scale = r.choice((1.0, 1.0, 1.0, 1e-4, 1e3))
    plain = r.random() < 0.4

    def draw(size: float) -> Tensors:
        reals = {n: rng.integers(-3, 4, s) if plain else rng.standard_normal(s) * size for n, s in shapes.items()}
        return {name: (x * (rng.random(x.shape) < 0.9)).astype(dtype) for name, x in reals.items()}

    return UpdateCase(
        dtype="float32" if dtype == "float32" else "float64",
        op=op,
        attrs=attrs,
        parameters=draw(1.0),
        gradients=tuple(draw(scale) for _ in range(r.randint(1, 6))),
    )


# ------------------------------------------------------------------------------------------------- the stream of cases

FIRST, FEW, MANY = 512, 2, 16
"""The first cases have an architecture for every two of them; later ones, for the sake of speed, one for sixteen."""


def _group(k: int) -> int:
    """The number of the architecture of case k."""
    return k // FEW if k < FIRST else FIRST // FEW + (k - FIRST) // MANY


class Drawer(Protocol):
    """Draws the nets that a subject can run, and their numbers."""

    def draw(self, r: Random) -> Architecture:
        """A random net."""

    def case(self, net: Architecture, seed: int, dtype: str) -> Case:
        """A net with numbers."""


@dataclass
class Stream:
    """The cases of a seed: case k is the same on every machine, whatever was asked before."""

    seed: int
    dtype: str = "float64"
    profile: str = "standard"
    supports: frozenset[str] | None = None
    chain: Drawer | None = None
    """What draws nets and numbers in place of the profile; see `oracle.chains`."""
    _last: tuple[int, Architecture] | None = field(default=None, repr=False)

    def __getitem__(self, k: int) -> Case | UpdateCase:
        """Case k."""
        if self.chain is not None:
            return self._of_chain(self.chain, k)
        profile = PROFILES[self.profile]
        if profile.updates and k % profile.updates == profile.updates - 1:
            return update_case(self._random("update", k), self.dtype)
        group = _group(k)
        if self._last is None or self._last[0] != group:
            self._last = (
                group,
                architecture(self._random("net", group), self.profile, self._turn(group), self.supports),
            )
        seed = self._random("values", k).randrange(2**63)
        return values(self._last[1], seed, self.dtype, profile.regimes)

    def _of_chain(self, chain: Drawer, k: int) -> Case:
        group = _group(k)
        if self._last is None or self._last[0] != group:
            self._last = (group, chain.draw(self._random("net", group)))
        return chain.case(self._last[1], self._random("values", k).randrange(2**63), self.dtype)

    def _turn(self, group: int) -> int:
        """The two dtypes go through the operators half a round apart, so that one trains what the other evaluates."""
        units = PROFILES[self.profile].units or tuple(UNITS)
        return group + (len(turns(units)) // 2 if self.dtype == "float32" else 0)

    def _random(self, what: str, k: int) -> Random:
        text = f"{self.seed} {self.profile} {self.dtype} {what} {k}"
        return Random(int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]))
