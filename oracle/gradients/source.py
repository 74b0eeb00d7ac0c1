"""Where the inputs of a function come from: a template with numbers of our own, or the user's hypothesis strategies."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from oracle.gradients.inputs import Input, Template, example, fill
from oracle.spec import Array, Tensors

DTYPES = ("float64", "float32")
CHUNK = 100
"""Examples that hypothesis draws at a time."""


class Source(Protocol):
    """Inputs without end, the same ones for the same seed."""

    def stream(self, seed: int, dtype: str) -> Iterator[Tensors]:
        """Inputs of a dtype."""

    def allows(self, x: Tensors) -> bool:
        """Whether a simpler version of inputs is still an input."""

    def narrowed(self, x: Tensors) -> Iterator[tuple[str, list[int], Tensors]]:
        """Shorter inputs: the name of the length, the indices that are left, the inputs."""


@dataclass(frozen=True)
class Drawn:
    """A template, and the examples that it was read from: they are asked first."""

    template: Template
    examples: Tensors
    """Of inputs that were given as arrays."""

    def stream(self, seed: int, dtype: str) -> Iterator[Tensors]:
        """The examples, then random inputs."""
        k = 0
        while True:
            x = self.template.draw(np.random.default_rng([seed, k, DTYPES.index(dtype)]), dtype)
            given = {name: _cast(e, dtype) for name, e in self.examples.items()} if k == 0 else {}
            yield {**x, **given}
            k += 1

    def allows(self, x: Tensors) -> bool:
        """Whether they fit the template."""
        return self.template.allows(x)

    def narrowed(self, x: Tensors) -> Iterator[tuple[str, list[int], Tensors]]:
        """Along one name at a time."""
        return self.template.narrowed(x)


def _cast(x: Array, dtype: str) -> Array:
    return np.asarray(x, (dtype or x.dtype) if x.dtype.kind == "f" else bool if x.dtype.kind == "b" else np.int64)


@dataclass(frozen=True)
class Strategic:
    """Strategies: their domain is the user's, and hypothesis alone draws and shrinks."""

    strategy: Any
    """Of mappings from names to arrays."""

    def stream(self, seed: int, dtype: str) -> Iterator[Tensors]:
        """Examples, a chunk of them at a time."""
        k = 0
        while True:
            chunk: list[Tensors] = []
            self._run(chunk.append, seed + k, CHUNK)
            yield from ({name: _cast(x, dtype) for name, x in one.items()} for one in chunk)
            k += 1
            if not chunk:
                return

    def _run(self, test: Callable[[Tensors], None], seed: int, count: int, shrink: bool = False) -> None:
        import hypothesis as h

        phases = [h.Phase.generate, *([h.Phase.shrink] if shrink else [])]
        settings = h.settings(
            max_examples=count, database=None, deadline=None, phases=phases, print_blob=False,
            suppress_health_check=list(h.HealthCheck), verbosity=h.Verbosity.quiet, report_multiple_bugs=False,
        )  # fmt: skip
        h.seed(seed)(settings(h.given(self.strategy)(lambda x: test(x))))()

    def smallest(self, fails: Callable[[Tensors], bool], seed: int, dtype: str, place: int) -> Tensors | None:
        """The simplest inputs that fail, as hypothesis shrinks those at a place of the stream; None if none do."""
        found: list[Tensors] = []

        def test(x: Tensors) -> None:
            x = {name: _cast(a, dtype) for name, a in x.items()}
            if fails(x):
                found.append(x)
                raise _FoundError

        try:
            self._run(test, seed + place // CHUNK, CHUNK, shrink=True)
        except _FoundError:
            return found[-1]
        except Exception:  # hypothesis calls it flaky where the subject is not the same function twice
            return found[-1] if found else None
        return None

    def allows(self, x: Tensors) -> bool:
        """Nothing but what the strategy itself draws."""
        return False

    def narrowed(self, x: Tensors) -> Iterator[tuple[str, list[int], Tensors]]:
        """Nothing: hypothesis shrinks."""
        return iter(())


class _FoundError(Exception):
    """Inputs that fail: how hypothesis is told."""


def is_strategy(value: Any) -> bool:
    """Whether a value is a hypothesis strategy, without importing hypothesis for those who have none."""
    return any(c.__module__.startswith("hypothesis.") and c.__name__ == "SearchStrategy" for c in type(value).__mro__)


def of_strategy(strategy: Any, names: Sequence[str]) -> Strategic:
    """A strategy of all the inputs at once: a tuple in the order of the arguments, or a mapping."""

    def named(x: Any) -> Tensors:
        many = (
            x if isinstance(x, Mapping) else dict(zip(names, x if isinstance(x, tuple | list) else (x,), strict=True))
        )
        return {name: _array(name, value) for name, value in many.items()}

    return Strategic(strategy.map(named))


def _array(name: str, value: Any) -> Array:
    x = np.asarray(value) if isinstance(value, bool | int) else example(value)
    if x is None or x.dtype.kind not in "fib":
        raise ValueError(f"the strategy of {name} draws {type(value).__name__}, but should draw arrays of real numbers")
    return x


def of_inputs(given: Mapping[str, Any], template: Callable[[Mapping[str, Any]], Template]) -> Source:
    """The inputs that a user names, whatever each of them is."""
    strategies = {name: value for name, value in given.items() if is_strategy(value)}
    if not strategies:
        arrays = {name: x for name, value in given.items() if (x := example(value)) is not None}
        return Drawn(template(given), arrays)
    rest = template({name: value for name, value in given.items() if name not in strategies})
    return Strategic(_joined(given, strategies, rest))


def _joined(given: Mapping[str, Any], strategies: Mapping[str, Any], rest: Template) -> Any:
    """Strategies for some inputs; the others are drawn from a seed of hypothesis's."""
    from hypothesis import strategies as st

    def filled(seed: int, drawn: Mapping[str, Any]) -> Tensors:
        rng = np.random.default_rng(seed)
        sizes = rest.lengths(rng)
        own: dict[str, Input] = rest.inputs
        return {
            name: _array(name, drawn[name]) if name in drawn else fill(own[name], rng, sizes, "normal", "float64")
            for name in given
        }

    return st.builds(filled, st.integers(0, 2**32), st.fixed_dictionaries(dict(strategies)))
