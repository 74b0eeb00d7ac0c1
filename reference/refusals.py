"""Refusals in a sentence: what, where, and what to do."""

from reference.layer import Array, GraphError, Layer


def require(ok: bool, sentence: str) -> None:
    """Raise `GraphError(sentence)` unless `ok`."""
    if not ok:
        raise GraphError(sentence)


def same_shape(layer: Layer, role: str, x: Array, other: Array) -> None:
    """Refuse to broadcast `other`: (N,) against (N, 1) silently makes N × N pairs."""
    if x.shape != other.shape:
        raise GraphError(
            f"{type(layer).__name__}: {role} has shape {other.shape}, but should be {x.shape}, "
            "the shape of the first input; reshape one of them, it would be broadcast"
        )
