"""What a function is asked: shapes with names for their lengths, ordinary numbers, and the ones that break things."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from oracle.draws import reals
from oracle.spec import Array, Tensors

Kind = Literal["real", "int64", "bool"]
Length = int | str


@dataclass(frozen=True)
class Input:
    """One input: its shape, what it holds and within which bounds, and whether its gradient is asked for.

    An entry of `shape` is a length or the name of one: equal names are equal lengths. `low` and `high` are included
    for real numbers; for integers `high` is excluded, as in `torch.randint`, and may be the name of a length (the
    labels of "C" classes).
    """

    shape: tuple[Length, ...]
    dtype: Kind = "real"
    low: float | None = None
    high: float | str | None = None
    grad: bool = True

    def __post_init__(self) -> None:
        if not isinstance(self.shape, tuple) or not all(
            isinstance(n, str) or (isinstance(n, int) and n >= 0) for n in self.shape
        ):
            raise ValueError(f"shape is {self.shape!r}, but should be a tuple of lengths and names: ('N', 3)")
        if self.dtype not in ("real", "int64", "bool"):
            raise ValueError(f"dtype is {self.dtype!r}, but should be 'real', 'int64' or 'bool'")
        if isinstance(self.high, str) and self.dtype != "int64":
            raise ValueError(f"high is {self.high!r}, but only integers are bounded by the name of a length")
        if self.low is not None and isinstance(self.high, int | float) and not self.low <= self.high:
            raise ValueError(f"low is {self.low} and high is {self.high}: nothing lies between")

    def bounds(self, sizes: Mapping[str, int]) -> tuple[float, float]:
        """The least and the largest value."""
        high = sizes[self.high] if isinstance(self.high, str) else self.high
        if self.dtype == "int64":
            low = 0 if self.low is None else int(self.low)
            return low, (low + 3 if high is None else int(high)) - 1
        return -np.inf if self.low is None else self.low, np.inf if high is None else high

    def allows(self, x: Array, sizes: Mapping[str, int]) -> bool:
        """Whether the numbers are within the bounds."""
        if x.dtype.kind == "b" or not x.size:
            return True
        low, high = self.bounds(sizes)
        return bool(np.isfinite(x).all()) and bool(low <= x.min()) and bool(x.max() <= high)


REGIMES = (
    *("normal",) * 7, "small", "small", "halves", "kinks", "zeros", "ties", "ties", "twins", "large", "saturating",
    "offset", "rows", "unit", "unit", "tiny", "denormal", "huge",
)  # fmt: skip
"""What the numbers of a case are like; most are ordinary."""
POINTS = np.array([0.0, -0.0, 1.0, -1.0, 0.5])
"""Where functions like to have kinks."""
SIZES = (2, 3, 4, 5)
LONG = (1, 1, 7, 8, 17, 33)
LARGEST = 4096
"""Entries of an input above which no length is long."""


def _of_regime(rng: np.random.Generator, shape: tuple[int, ...], regime: str, dtype: str) -> Array:
    if regime == "ties":
        return rng.choice(rng.integers(-2, 3, 2) / 2 + rng.choice([0.0, 0.1]), shape)
    if regime == "twins":
        x = rng.standard_normal(shape)
        return x if not shape else np.broadcast_to(x[:1], shape).copy()
    if regime == "unit":
        return rng.uniform(0.05, 0.95, shape)
    if regime == "huge":
        return rng.standard_normal(shape) * 10.0 ** rng.integers(8, 16)
    return np.asarray(reals(rng, shape, regime, POINTS, np.finfo(dtype)), float)


def fill(spec: Input, rng: np.random.Generator, sizes: Mapping[str, int], regime: str, dtype: str) -> Array:
    """The numbers of one input."""
    shape = tuple(sizes[n] if isinstance(n, str) else n for n in spec.shape)
    low, high = spec.bounds(sizes)
    if spec.dtype == "bool":
        return np.asarray(rng.random(shape) < rng.choice([0.5, 0.5, 0.8, 0.0, 1.0]))
    if spec.dtype == "int64":
        last = int(rng.integers(int(low), int(high) + 1)) if regime in ("ties", "twins") and low <= high else int(high)
        return np.asarray(rng.integers(int(low), max(last, int(low)) + 1, shape), np.int64)
    x = _of_regime(rng, shape, regime, dtype)
    if np.isfinite(low) and np.isfinite(high):
        x = low + (high - low) * (rng.random(shape) if regime != "kinks" else rng.integers(0, 3, shape) / 2)
    elif np.isfinite(low):
        x = low + np.abs(x)
    elif np.isfinite(high):
        x = high - np.abs(x)
    return np.asarray(np.clip(x, low, high), dtype)


@dataclass(frozen=True)
class Template:
    """Every input of a function, and the lengths that names may have."""

    inputs: dict[str, Input]
    sizes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    """Given by the user; other names have small lengths."""

    def __post_init__(self) -> None:
        if unknown := [n for n in self.sizes if n not in self.names]:
            raise ValueError(f"sizes has {unknown[0]!r}; the names in the shapes are {', '.join(self.names) or 'none'}")

    @property
    def names(self) -> list[str]:
        """The names of lengths."""
        return list(dict.fromkeys(n for i in self.inputs.values() for n in (*i.shape, i.high) if isinstance(n, str)))

    def may_be_empty(self, name: str) -> bool:
        """Whether a length may be 0: where the user says so; else that of a batch, the first axis everywhere."""
        if name in self.sizes:
            return 0 in self.sizes[name]
        shapes = [i.shape for i in self.inputs.values()]
        return all(name not in s[1:] for s in shapes) and any(len(s) > 1 and s[0] == name for s in shapes)

    def lengths(self, rng: np.random.Generator) -> dict[str, int]:
        """A length for every name: mostly different ones, sometimes all equal, one of 1, 0 or long."""
        free = [n for n in self.names if n not in self.sizes]
        sizes = dict(zip(free, rng.permutation(np.resize(SIZES, max(len(free), 4))).tolist(), strict=False))
        way = rng.random()
        if way < 0.1:
            sizes = dict.fromkeys(free, sizes[free[0]]) if free else {}
        elif free and way < 0.35:
            name = free[int(rng.integers(len(free)))]
            sizes[name] = int(rng.choice(LONG))
        elif way < 0.4:
            sizes |= {n: 0 for n in free if self.may_be_empty(n)}
        sizes |= {n: int(rng.choice(allowed)) for n, allowed in self.sizes.items()}
        shapes = ([sizes[n] if isinstance(n, str) else n for n in i.shape] for i in self.inputs.values())
        large = any(np.prod(shape, dtype=np.float64) > LARGEST for shape in shapes)
        return {n: min(length, 5) if n in free and large else length for n, length in sizes.items()}

    def draw(self, rng: np.random.Generator, dtype: str) -> Tensors:
        """Numbers for every input: of one regime, but for one input in four."""
        sizes, regime = self.lengths(rng), REGIMES[int(rng.integers(len(REGIMES)))]
        return {
            name: fill(spec, rng, sizes, regime if rng.random() < 0.75 else "normal", dtype)
            for name, spec in self.inputs.items()
        }

    def lengths_of(self, x: Tensors) -> dict[str, int]:
        """The lengths that the names have in these inputs. Raises `ValueError` for inputs that do not fit."""
        sizes: dict[str, int] = {}
        for name, spec in self.inputs.items():
            if name not in x or x[name].ndim != len(spec.shape):
                raise ValueError(f"{name} should have the axes {spec.shape}")
            for n, length in zip(spec.shape, x[name].shape, strict=True):
                if sizes.setdefault(n, length) != length if isinstance(n, str) else n != length:
                    raise ValueError(f"{name} has shape {x[name].shape}, but should be {spec.shape}")
        return sizes

    def allows(self, x: Tensors) -> bool:
        """Whether inputs are ones that might have been drawn."""
        try:
            sizes = self.lengths_of(x)
        except ValueError:
            return False
        return all(spec.allows(x[name], sizes) for name, spec in self.inputs.items())

    def narrowed(self, x: Tensors) -> Iterator[tuple[str, list[int], Tensors]]:
        """The inputs with fewer indices along a named length: one, half of them, all but one."""
        sizes = self.lengths_of(x)
        for name, length in sizes.items():
            least = 1 if name not in self.sizes else max(1, min(self.sizes[name]))
            keeps = [[0], [length - 1], list(range(length // 2)), list(range(length - 1)), list(range(1, length))]
            for keep in keeps if length > 1 else ():
                if least <= len(keep) < length and (name not in self.sizes or len(keep) in self.sizes[name]):
                    yield name, keep, self._narrow(x, name, keep, sizes | {name: len(keep)})

    def _narrow(self, x: Tensors, name: str, keep: list[int], sizes: Mapping[str, int]) -> Tensors:
        cut = {}
        for key, spec in self.inputs.items():
            y = x[key]
            for axis in (axis for axis, n in enumerate(spec.shape) if n == name):
                y = np.take(y, keep, axis)
            cut[key] = np.minimum(y, int(spec.bounds(sizes)[1])) if spec.dtype == "int64" else y
        return cut


# ---------------------------------------------------------------------------------------------------- what was given


def template(given: Mapping[str, Any], sizes: Mapping[str, Sequence[int]]) -> Template:
    """Shapes, `Input`s and example arrays as one template. Raises `ValueError` with what is none of them."""
    known = {name: _input(name, value) for name, value in given.items()}
    return Template(known, {name: tuple(lengths) for name, lengths in sizes.items()})


def _input(name: str, value: Any) -> Input:
    if isinstance(value, Input):
        return value
    if isinstance(value, tuple):
        return Input(value)
    if (x := example(value)) is not None:
        kind: Kind = {"f": "real", "b": "bool"}.get(x.dtype.kind, "int64")  # type: ignore[assignment]
        ints = kind == "int64" and x.size
        return Input(x.shape, kind, int(x.min()) if ints else None, int(x.max()) + 1 if ints else None)
    raise ValueError(
        f"input {name} is {type(value).__name__}; give a shape as a tuple, an oracle.Input, an example array, "
        "or a hypothesis strategy"
    )


def example(value: Any) -> Array | None:
    """An example as an array; None for what is no array."""
    if hasattr(value, "detach"):
        value = value.detach().cpu().numpy()
    is_array = isinstance(value, np.ndarray | np.generic | float) or type(value).__module__.startswith(("jax", "numpy"))
    return np.asarray(value) if is_array else None


def named(inputs: Any, names: Sequence[str] | None) -> dict[str, Any]:
    """The inputs by name, in the order of the arguments. Raises `ValueError` for a shape where inputs should be."""
    if isinstance(inputs, Mapping):
        given = dict(inputs)
    elif isinstance(inputs, tuple | list):
        if any(isinstance(i, int | str) for i in inputs):
            raise ValueError(f"inputs is {inputs!r}, a single shape; give one for each argument: [{tuple(inputs)!r}]")
        given = dict(zip(names or (), inputs, strict=True))
    else:
        raise ValueError(f"inputs is {type(inputs).__name__}, but should be a mapping or a sequence, one per argument")
    if not given:
        raise ValueError("inputs is empty; a function without inputs has no gradient")
    for name in given:
        if not isinstance(name, str) or not name.isidentifier():
            raise ValueError(f"{name!r} cannot name an input; use letters, digits and _")
    return given
