"""The names of what units of any layer have: the w, o and net of net_j = Σ_i w_{ij} o_i."""

from dataclasses import dataclass


@dataclass(frozen=True)
class AnyUnit:
    """The names of what every unit has; no names where the lesson has no such units."""

    out: str = ""
    """The o of o_j = f(net_j)."""
    net: str = ""
    weights: str = ""
    from_first: bool = False
    """Whether w_{ij} leads from i to j."""
    owned: frozenset[str] = frozenset()
    """What else each unit has: biases, error signals."""
    ended: frozenset[str] = frozenset()
    """What only outputs have: the e of e_j = t_j - o_j."""
    single: str = ""
    """The y of the one output unit, for which o_j = y."""
    along: str = ""
    """The x of x_{ji}, which unit j gets from unit i."""
    relabelled: frozenset[str] = frozenset()
    """What has layers of its own elsewhere in the lesson, and is something else there."""
    count: str = "l"
    """The letter that counts layers."""

    @property
    def values(self) -> set[str]:
        """What is computed of each unit."""
        return {self.out, self.net} - {""}

    @property
    def weighing(self) -> set[str]:
        """What leads from unit to unit."""
        return {self.weights, f"Delta {self.weights}", self.along} - {""}
