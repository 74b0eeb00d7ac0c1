"""What the oracle knows: every operator and optimizer, every kink with its valid set, every fault."""

from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

from oracle.arbiter import FORMULAS
from oracle.arbiter.update import RULES
from oracle.architectures import LOSSES, UNITS
from oracle.composites import FUNCTIONS
from oracle.draws import OPTIMIZERS
from oracle.faults import FAMILIES, FAULTS
from oracle.hypotheses import HYPOTHESES
from oracle.kinks import KINKS, RESIDUAL
from oracle.report.numbers import contrast, short
from oracle.seeds import SEEDS

KINDS = ("operators", "optimizers", "kinks", "faults")


@dataclass(frozen=True)
class Table:
    """One table of the catalogue."""

    kind: str
    title: str
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]]


def tables(*kinds: str) -> list[Table]:
    """The tables of these kinds, or all: one for each, and of faults one for each family."""
    found = [_operators(), _optimizers(), _kinks(), *_faults()]
    return [table for table in found if not kinds or table.kind in kinds]


def plain(*kinds: str) -> dict[str, list[dict[str, Any]]]:
    """The same as plain data, for JSON: of faults and kinks everything that is known."""
    found = {t.kind: [dict(zip(t.columns, row, strict=True)) for row in t.rows] for t in tables(*kinds)}
    seeds = Counter(seed.code for seed in SEEDS)
    rich: dict[str, list[dict[str, Any]]] = {
        "kinks": [{**asdict(s), "where": s.where, "valid": s.valid} for s in subgradients()],
        "faults": [
            {**asdict(f), "family": f.family, "hypothesis": f.code in HYPOTHESES, "seeds": seeds[f.code]}
            for f in sorted(FAULTS.values(), key=lambda f: f.code)
        ],
    }
    return {kind: rich.get(kind, rows) for kind, rows in found.items()}


def _operators() -> Table:
    rows: list[tuple[str, ...]] = []
    for op in sorted(FORMULAS):
        twin = "spelled out" if op in FUNCTIONS else f"torch.nn.{op}"
        drawn = "unit" if op in UNITS else "loss" if op in LOSSES else "joins and layers"
        rows.append((op, twin, drawn, "yes", "yes" if op in KINKS else ""))
    return Table("operators", "Operators", ("operator", "twin", "generator", "proof", "has kinks"), rows)


def _optimizers() -> Table:
    rows: list[tuple[str, ...]] = [
        (op, f"torch.optim.{op}", "yes", "yes" if op in RULES else "") for op in sorted(OPTIMIZERS)
    ]
    return Table("optimizers", "Optimizers", ("optimizer", "twin", "generator", "proof"), rows)


def _faults() -> list[Table]:
    """By family. A fault without a hypothesis is told from the breach of contract, or not at all."""
    seeds = Counter(seed.code for seed in SEEDS)
    columns = ("code", "name", "shows", "hypothesis", "seeds")
    found = []
    for letter, family in FAMILIES.items():
        rows: list[tuple[str, ...]] = [
            (f.code, f.name, f.effect, "yes" if f.code in HYPOTHESES else "", str(seeds[f.code] or ""))
            for f in sorted(FAULTS.values(), key=lambda f: f.code)
            if f.code[0] == letter
        ]
        found.append(Table("faults", f"Faults: {family}", columns, rows))
    return found


# ------------------------------------------------------------------------------------------------------------- kinks


@dataclass(frozen=True)
class Subgradients:
    """The slopes of an operator at a kink: every one between the left and the right is a `convention`."""

    op: str
    attrs: dict[str, Any]
    at: float
    left: float
    right: float
    torch: float
    """What torch takes."""

    @property
    def valid(self) -> tuple[float, float]:
        """The whole set: a closed interval."""
        return min(self.left, self.right), max(self.left, self.right)

    @property
    def where(self) -> str:
        """The point, as one writes it."""
        return f"{'prediction − target' if self.op in RESIDUAL else 'input'} = {short(self.at)}"


SELU_ALPHA, SELU_SCALE = 1.6732632423543772, 1.0507009873554805
CHOSEN: dict[str, dict[str, Any]] = {
    "LeakyReLU": {"negative_slope": 0.01},
    "PReLU": {"init": 0.25},
    "RReLU": {"lower": 0.125, "upper": 1 / 3},
    "ELU": {"alpha": 1.0},
    "Hardtanh": {"min_val": -1.0, "max_val": 1.0},
    "Hardshrink": {"lambd": 0.5},
    "Softshrink": {"lambd": 0.5},
    "Softplus": {"beta": 1.0, "threshold": 20.0},
    "Threshold": {"threshold": 1.0, "value": 0.0},
    "SmoothL1Loss": {"beta": 0.0},
}
"""The arguments that the slopes depend on: torch's defaults, but for Threshold, which has none, and for SmoothL1Loss,
which has a kink with beta 0 only. PReLU has its first slope; RReLU in evaluation has the middle of its bounds."""
SLOPES: dict[str, tuple[tuple[float, float], ...]] = {
    "ReLU": ((0, 1),),
    "ReLU6": ((0, 1), (1, 0)),
    "LeakyReLU": ((0.01, 1),),
    "PReLU": ((0.25, 1),),
    "RReLU": ((11 / 48, 1),),
    "ELU": ((1, 1),),
    "SELU": ((SELU_SCALE * SELU_ALPHA, SELU_SCALE),),
    "Hardsigmoid": ((0, 1 / 6), (1 / 6, 0)),
    "Hardswish": ((0, -0.5), (1.5, 1)),
    "Hardtanh": ((0, 1), (1, 0)),
    "Hardshrink": ((1, 0), (0, 1)),
    "Softshrink": ((1, 0), (0, 1)),
    "Threshold": ((0, 1),),
    "Softplus": ((0.9999999979388463, 1),),
    "L1Loss": ((-1, 1),),
    "SmoothL1Loss": ((-1, 1),),
}
"""(left, right) at each kink of `KINKS`, with these arguments."""


def subgradients() -> list[Subgradients]:
    """Every kink of every operator, with the arguments of `CHOSEN`."""
    found = []
    for op, points in sorted(KINKS.items()):
        attrs = CHOSEN.get(op, {})
        for kink, (left, right) in zip(points(attrs), SLOPES[op], strict=True):
            mixed = (1 - kink.torch) * left + kink.torch * right
            took = left if kink.torch == 0 else right if kink.torch == 1 else mixed  # mixing would round
            found.append(Subgradients(op, attrs, kink.at, left, right, took))
    return found


def _kinks() -> Table:
    rows: list[tuple[str, ...]] = []
    for s in subgradients():
        left, right = contrast(float(s.left), float(s.right))
        takes = left if s.torch == s.left else right if s.torch == s.right else short(s.torch)
        low, high = (left, right) if s.left <= s.right else (right, left)
        arguments = ", ".join(f"{name}={short(x)}" for name, x in s.attrs.items())
        rows.append((f"{s.op}({arguments})" if arguments else s.op, s.where, left, right, takes, f"[{low}, {high}]"))
    columns = ("operator", "where", "left slope", "right slope", "torch takes", "valid")
    return Table("kinks", "Kinks: every slope of the valid set is right", columns, rows)
