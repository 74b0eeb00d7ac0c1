"""What a lesson means in general, and how it marks a single case of that."""

from dataclasses import dataclass

from oracle.lesson.syntax import Node

Slots = tuple[tuple[str, Node], ...]


@dataclass(frozen=True)
class General:
    """What is meant in general, and how a case is marked."""

    inputs: frozenset[str] = frozenset()
    """The X of α_m^T X beside α_m^T x_i."""
    made: frozenset[str] = frozenset()
    """The Z and T that are made of it."""
    functions: frozenset[str] = frozenset()
    """The f and g of f_k(X) and g_k(T), which are quantities."""
    case: Slots = ()
