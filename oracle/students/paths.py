"""Where the numbers of a layer lie in whatever a student's code takes or returns: lists, dictionaries, objects.

A path leads from a value to one array: `answer[1][0]`, `grads["dW1"]`, `net.layers[0].W`. The paths of the same
quantity in the first and the second layer make a pattern, which says where that of any layer lies.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from oracle.spec import Array

DEEPEST = 5
"""Steps into a nested value."""


@dataclass(frozen=True)
class Step:
    """One step of a path."""

    kind: Literal["index", "key", "attribute"]
    at: Any
    last: int = 0
    """Of an index: the same, counted from the end."""

    def __str__(self) -> str:
        return f".{self.at}" if self.kind == "attribute" else f"[{self.at!r}]"


Path = tuple[Step, ...]


def spelled(path: Path, root: str = "answer") -> str:
    """A path as Python writes it."""
    return root + "".join(map(str, path))


def array(value: Any) -> Array | None:
    """A value as an array of numbers, if it is one: NumPy's, torch's, a number, or nested lists of numbers."""
    if hasattr(value, "detach") and hasattr(value, "numpy"):
        value = value.detach().cpu().numpy()
    if isinstance(value, np.ndarray | np.generic | int | float):
        found = np.asarray(value)
        return found if found.dtype.kind in "fiub" else None
    if isinstance(value, list | tuple) and value and _plain(value):
        try:
            return np.array(value, float)
        except ValueError:  # ragged
            return None
    return None


def _plain(value: Any) -> bool:
    """Whether lists hold Python numbers at their bottom, so that they are meant as one array; a pair is no vector."""
    if isinstance(value, list | tuple):
        return all(map(_plain, value)) and isinstance(value, list)
    return isinstance(value, int | float)


def leaves(value: Any, before: Path = ()) -> Iterator[tuple[Path, Array]]:
    """Every array in a value, with its path."""
    found = array(value)
    if found is not None:
        yield before, found
    elif len(before) < DEEPEST:
        for step, inner in _inside(value):
            yield from leaves(inner, (*before, step))


def _inside(value: Any) -> Iterator[tuple[Step, Any]]:
    if isinstance(value, Mapping):
        yield from ((Step("key", key), inner) for key, inner in value.items())
    elif isinstance(value, list | tuple) or (isinstance(value, np.ndarray) and value.dtype == object and value.ndim):
        yield from ((Step("index", k, k - len(value)), inner) for k, inner in enumerate(value))
    elif hasattr(value, "__dict__") and not isinstance(value, type) and not callable(getattr(value, "__get__", None)):
        yield from ((Step("attribute", name), inner) for name, inner in vars(value).items())


def get(value: Any, path: Path) -> Any:
    """What lies at the end of a path. Raises LookupError or AttributeError where there is nothing."""
    for step in path:
        value = getattr(value, step.at) if step.kind == "attribute" else value[step.at]
    return value


def put(value: Any, path: Path, new: Any) -> None:
    """Put an array at the end of a path: into the one that lies there, which others may hold too, if it fits."""
    owner, step = get(value, path[:-1]), path[-1]
    old = get(value, path)
    if isinstance(old, np.ndarray) and (old.shape, old.dtype) == (new.shape, new.dtype) and old.flags.writeable:
        old[...] = new
        return
    if step.kind == "attribute":
        setattr(owner, step.at, new)
    else:
        owner[step.at] = new


# ---------------------------------------------------------------------------------------------------------- patterns


@dataclass(frozen=True)
class Pattern:
    """Where the same quantity lies in every layer."""

    first: Path
    second: Path
    """Of the second layer; the same as the first's where there is but one layer."""

    def at(self, layer: int) -> Path:
        """The path in a layer, counted from 1."""
        return tuple(_between(a, b, layer - 1) for a, b in zip(self.first, self.second, strict=True))


def pattern(first: Path, second: Path) -> Pattern | None:
    """The pattern of two paths, if they have one."""
    if len(first) != len(second) or first == second:
        return None
    steps = zip(first, second, strict=True)
    alike = all(a.kind == b.kind and (a.kind == "index" or _numbered(a.at, b.at)) for a, b in steps)
    return Pattern(first, second) if alike else None


def _between(a: Step, b: Step, k: int) -> Step:
    """The step k layers after the first."""
    if a.at == b.at:
        return a
    if a.kind == "index":
        return Step("index", a.at + k * (b.at - a.at)) if b.at > a.at else Step("index", a.last + k * (b.at - a.at))
    if isinstance(a.at, int):
        return Step(a.kind, a.at + k * (b.at - a.at))
    (start,), (end,) = ([int(n) for n in re.findall(r"\d+", step.at)] for step in (a, b))
    return Step(a.kind, re.sub(r"\d+", str(start + k * (end - start)), a.at))


def _numbered(a: Any, b: Any) -> bool:
    """Whether two keys are the same, or differ in their one number only."""
    if a == b or (isinstance(a, int) and isinstance(b, int)):
        return True
    if not isinstance(a, str) or not isinstance(b, str):
        return False
    once = all(len(re.findall(r"\d+", text)) == 1 for text in (a, b))
    return once and re.sub(r"\d+", "#", a) == re.sub(r"\d+", "#", b)


WEIGHT = re.compile(
    r"(?i)^_?(d|grad_?|nabla_?|delta_?|g)?_?(w|ws|theta|weights?|kernel|syn)(_?grads?)?_?\d*$|dl?_?d?w|grad_?w"
)
BIAS = re.compile(r"(?i)^_?(d|grad_?|nabla_?|delta_?|g)?_?(b|bs|bias|biases)(_?grads?)?_?\d*$|dl?_?d?b|grad_?b")


def fits(x: Array, shape: tuple[int, ...]) -> int:
    """How well an array would do as a gradient of this shape: 4 exactly, 3 but for axes of 1, 2 transposed, 0 not."""
    if x.shape == shape:
        return 4
    mine, its = (tuple(n for n in s if n != 1) for s in (x.shape, shape))
    return 3 if mine == its else 2 if mine == its[::-1] else 0


def find(found: Mapping[Path, Array], shapes: list[tuple[int, ...]], bias: bool) -> tuple[int, Pattern] | None:
    """The pattern under which arrays of these shapes (of one for each layer) lie, and how well they fit."""
    best: tuple[int, Pattern] | None = None
    many = {path: [_rank(path, x, shape, bias) for shape in shapes] for path, x in found.items()}
    for first in (path for path, ranks in many.items() if ranks[0]):
        if len(shapes) == 1:
            if found[first].ndim == 0 and many[first][0] < 11:
                continue  # a loss, for all that is known
            best = max(filter(None, (best, (many[first][0], Pattern(first, first)))), key=lambda b: b[0])
            continue
        for second in (path for path, ranks in many.items() if ranks[1]):
            this = pattern(first, second)
            if this is None:
                continue
            ranks = [many.get(_plain_path(found, this.at(k + 1)), [0] * len(shapes))[k] for k in range(len(shapes))]
            if all(ranks) and (best is None or sum(ranks) > best[0]):
                best = sum(ranks), this
    return best


def _plain_path(found: Mapping[Path, Array], path: Path) -> Path:
    """The path as it is written in `found`: an index from the end is one from the beginning."""
    return next((p for p in found if same(p, path)), path)


def same(a: Path, b: Path) -> bool:
    """Whether two paths lead to one place."""
    return len(a) == len(b) and all(
        x.kind == y.kind and y.at in (x.at, x.last or x.at) for x, y in zip(a, b, strict=True)
    )


def _rank(path: Path, x: Array, shape: tuple[int, ...], bias: bool) -> int:
    """Ten times how well an array fits, and what its name adds. A bias may be summed too little, or too much."""
    names = [step.at for step in path if isinstance(step.at, str)]
    mine, other = (BIAS, WEIGHT) if bias else (WEIGHT, BIAS)
    hint = any(map(mine.search, names)) - any(map(other.search, names))
    fit = fits(x, shape)
    if not fit and bias and hint >= 0 and ((x.ndim == 2 and max(shape) in x.shape) or x.ndim == 0):
        fit = 1
    return 10 * fit + hint if fit else 0
