"""What a subject says of itself: the attributes of a callable, or the fields of a hello."""

from collections.abc import Mapping
from typing import Any

from oracle.kinks import KINKS
from oracle.subjects.subject import SubjectError


def declared(source: Any, name: str) -> dict[str, Any]:
    """`returns`, `supports` and `conventions` of a source, as fields of a `Subject`. Raises `SubjectError`."""
    returns = getattr(source, "returns", None)
    returns = {returns} if isinstance(returns, str) else returns
    if returns is not None and (unknown := set(returns) - {"parameters", "inputs"}):
        raise SubjectError(f"{name}: returns has {sorted(unknown)[0]!r}; it may have 'parameters' and 'inputs'")
    supports = getattr(source, "supports", None)
    return {
        "returns": frozenset({"parameters", "inputs"} if returns is None else returns),
        "supports": None if supports is None else frozenset(supports),
        "conventions": _conventions(getattr(source, "conventions", None), name),
    }


def _conventions(declared: Any, name: str) -> dict[str, tuple[float, ...]]:
    """What a subject says of its slopes at kinks. Raises `SubjectError` for what is no kink or no valid slope."""
    if declared is not None and not isinstance(declared, Mapping):
        raise SubjectError(f"{name}: conventions is {type(declared).__name__}, but should be like {{'ReLU': 1.0}}")
    found = {}
    for op, weights in (declared or {}).items():
        many = tuple(weights) if isinstance(weights, list | tuple) else (weights,)
        if op not in KINKS:
            raise SubjectError(f"{name}: conventions has {op!r}, which has no kink; see `oracle catalogue --kinks`")
        if not many or not all(isinstance(w, int | float) and 0 <= w <= 1 for w in many):
            raise SubjectError(f"{name}: conventions of {op} are {weights!r}, but should be numbers from 0 to 1")
        found[op] = tuple(float(w) for w in many)
    return found
