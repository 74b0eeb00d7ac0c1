"""Hypothesis strategies for what the oracle asks: public, made to be built upon, and shrinking.

    architectures(...)   graphs without numbers; their `nodes`, or `specs(...)`
    values(graph)        the cases of one graph
    cases(...)           both: any case
    layers("Tanh")       one operator alone, with its true error signal
    update_cases(...)    step 5

A failing case shrinks to few nodes, one sample, narrow layers, default arguments, and then small integers.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import Any

from hypothesis import reject
from hypothesis import strategies as st

from oracle import draws, probes
from oracle.architectures import PROFILES, Architecture, Builder, Profile, restricted
from oracle.shrink import finite, isolate
from oracle.spec import Case, CaseError, Spec, UpdateCase
from oracle.twin import Twin

DTYPES = ("float64", "float32")


class _Plain:
    """A source of randomness that shrinks to what is plain: the generator asks `random() < p` before it adds something,
    so that must shrink to 1, and not to 0.
    """

    def __init__(self, source: Any) -> None:
        self._source = source

    def random(self) -> float:
        """In (0, 1]."""
        return 1.0 - float(self._source.random())

    def __getattr__(self, name: str) -> Any:
        return getattr(self._source, name)


class _Growing(Builder):
    """A graph of which a move can be taken away without a word about those behind it."""

    def steps(self) -> Iterator[int]:
        """One more, and one more."""
        low, high = self.profile.depth
        for k in range(high):
            if k < low or self.r.random() < 1 - 1 / (1 + high - low):
                yield k
            else:
                return


def architectures(
    profile: str = "standard",
    *,
    supports: Collection[str] | None = None,
    depth: int | tuple[int, int] | None = None,
    widths: Sequence[int] | None = None,
    batches: Sequence[int] | None = None,
) -> st.SearchStrategy[Architecture]:
    """Random graphs, drawn through the generator that `oracle check` uses.

    supports: the operators that may be there; with no loss among them a graph ends in `Dot`, the random cotangent.
    depth: how many moves, or from how many to how many. widths, batches: the sizes that a layer and a batch may have.
    """
    allowed = None if supports is None else frozenset(supports)
    drawn = _profile(PROFILES[profile], allowed)
    if depth is not None:
        drawn = replace(drawn, depth=(depth, depth) if isinstance(depth, int) else depth)
    drawn = replace(drawn, widths=_plain(widths or drawn.widths), batches=_plain(batches or drawn.batches))
    return _graphs(drawn, allowed and allowed | set(drawn.losses))


def _profile(profile: Profile, allowed: frozenset[str] | None) -> Profile:
    """The profile with only these operators."""
    if allowed is None:
        return profile
    try:
        found = restricted(profile, allowed)
    except ValueError:
        found = restricted(replace(profile, losses=("Dot",)), allowed | {"Dot"})
    if not set(found.units) <= allowed:  # a move that needs an activation has none to take
        moves = tuple(move for move in found.moves if move == "linear")
        found = replace(found, moves=moves or found.moves, depth=found.depth if moves else (0, 0))
    return found


def _plain(sizes: Sequence[int]) -> tuple[int, ...]:
    """The plainest size first: 1, then the next, and 0 last."""
    return tuple(sorted(sizes, key=lambda n: (n == 0, n)))


def _graphs(profile: Profile, allowed: frozenset[str] | None = None) -> st.SearchStrategy[Architecture]:
    drawn = st.randoms(use_true_random=False).map(lambda r: _Growing(_Plain(r), profile, None).build())  # type: ignore[arg-type]
    return drawn if allowed is None else drawn.filter(lambda net: allowed >= {node.op for node in net.nodes})


def specs(profile: str = "standard", **options: Any) -> st.SearchStrategy[Spec]:
    """The graphs alone; the options are those of `architectures`."""
    return architectures(profile, **options).map(lambda net: Spec(net.nodes))


@st.composite
def values(
    draw: st.DrawFn,
    graph: Architecture,
    dtype: str | None = None,
    regimes: Sequence[str] = PROFILES["standard"].regimes,
) -> Case:
    """The cases of one graph: of a regime ("small", "kinks", ...), a batch that it can have, and a drawn seed."""
    dtype = draw(st.sampled_from(DTYPES)) if dtype is None else dtype
    regime = draw(st.sampled_from(regimes))
    batches = (draw(st.sampled_from(_plain(graph.batches))),) if graph.batches else ()
    return draws.values(replace(graph, batches=batches), draw(st.integers(0, 2**32)), dtype, (regime,))


def cases(profile: str = "standard", dtype: str | None = None, **options: Any) -> st.SearchStrategy[Case]:
    """Random cases; the options are those of `architectures`. To shrink the numbers further: `oracle.shrink`."""
    regimes = PROFILES[profile].regimes
    return architectures(profile, **options).flatmap(lambda graph: values(graph, dtype, regimes))


@st.composite
def layers(draw: st.DrawFn, op: str, dtype: str | None = None) -> Case:
    """One operator (or loss) alone, cut out of a small net: its true inputs, and a `Dot` with its true error signal."""
    focused = probes.focused(op)
    graph = draw(_graphs(replace(focused, batches=_plain(focused.batches), widths=_plain(focused.widths))))
    nodes = [node for node in graph.nodes if node.op == op]
    case = draw(values(graph, dtype)) if nodes else reject()
    try:
        alone = isolate(case, Twin(case).run(case, errors=True), nodes[0])
    except CaseError:
        reject()
    return alone if finite(alone) else reject()


def update_cases(
    dtype: str | None = "float64", ops: Sequence[str] = tuple(draws.OPTIMIZERS)
) -> st.SearchStrategy[UpdateCase]:
    """Random cases of step 5, with these optimizers."""

    def of(op: str, dtype: str) -> st.SearchStrategy[UpdateCase]:
        return st.randoms(use_true_random=False).map(lambda r: draws.update_case(_Plain(r), dtype, op))  # type: ignore[arg-type]

    kinds = st.sampled_from(DTYPES) if dtype is None else st.just(dtype)
    return st.tuples(st.sampled_from(ops), kinds).flatmap(lambda drawn: of(*drawn))
