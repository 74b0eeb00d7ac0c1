r"""How a lesson writes that one array goes over another: a * W, X \star K, X ⊗ W."""

from dataclasses import dataclass


@dataclass(frozen=True)
class OverMarks:
    """What the marks of a lesson mean."""

    convolves: bool = False
    """Whether * is a convolution of whole arrays."""
    crosses: bool = False
    """Whether ⊗ is one, too."""
    starred: bool = False
    r"""Whether \star is the only mark for it, which seldom turns round what goes over the other."""
    turning: bool = False
    """Whether * turns round what goes over the other."""
    told: str = ""
    """What * does, where the lesson says so: (X * K)_{ij} = Σ_m Σ_n X_{i+m,j+n} K_{mn} turns nothing round."""
    averages: bool = False
    """Whether the lesson speaks of pooling by averages."""

    @property
    def operations(self) -> dict[str, str]:
        """By mark, what it does."""
        if not self.convolves:
            return {}
        star = "corr" if self.turning else "conv"
        return {"*": self.told or "conv", "star": star, **({"otimes": "conv"} if self.crosses else {})}
