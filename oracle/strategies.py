"""Hypothesis strategies for architectures and cases; public, composable, shrinking."""

from hypothesis import strategies as st

from oracle import architectures as net
from oracle import draws
from oracle.spec import Case, UpdateCase


def architectures(profile: str = "standard") -> st.SearchStrategy[net.Architecture]:
    """Random graphs, drawn by hypothesis through the generator that `oracle check` uses."""
    return st.randoms(use_true_random=False).map(lambda r: net.architecture(r, profile))


@st.composite
def cases(draw: st.DrawFn, profile: str = "standard", dtype: str | None = None) -> Case:
    """Random cases. The numbers come from a drawn seed: shrink them further with `oracle.shrink`."""
    dtype = draw(st.sampled_from(("float64", "float32"))) if dtype is None else dtype
    graph = draw(architectures(profile))
    return draws.values(graph, draw(st.integers(0, 2**32)), dtype, net.PROFILES[profile].regimes)


def update_cases(dtype: str = "float64") -> st.SearchStrategy[UpdateCase]:
    """Random cases of step 5."""
    return st.randoms(use_true_random=False).map(lambda r: draws.update_case(r, dtype))
