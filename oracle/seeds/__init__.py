"""Every fault planted in the reference: the bugs that `oracle mutation` looks for. See `planting`."""

from oracle.seeds import activations, graphs, layers, losses, optimizers, states
from oracle.seeds.planting import Seed

SEEDS: tuple[Seed, ...] = (
    *activations.SEEDS, *layers.SEEDS, *losses.SEEDS, *graphs.SEEDS, *optimizers.SEEDS, *states.SEEDS
)  # fmt: skip

__all__ = ["SEEDS", "Seed"]
