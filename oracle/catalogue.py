"""What the oracle knows: every operator, optimizer and fault, and which parts cover it."""

from oracle.arbiter import FORMULAS
from oracle.arbiter.update import RULES
from oracle.architectures import LOSSES, UNITS
from oracle.composites import FUNCTIONS
from oracle.draws import OPTIMIZERS
from oracle.faults import FAULTS, PROTOCOL
from oracle.kinks import KINKS, RESIDUAL

Table = tuple[str, tuple[str, ...], list[tuple[str, ...]]]


def rows() -> list[Table]:
    """(title, columns, rows) of each part."""
    return [_operators(), _optimizers(), _kinks(), _faults()]


def _operators() -> Table:
    entries: list[tuple[str, ...]] = []
    for op in sorted(FORMULAS):
        twin = "spelled out" if op in FUNCTIONS else f"torch.nn.{op}"
        drawn = "unit" if op in UNITS else "loss" if op in LOSSES else "joins and layers"
        entries.append((op, twin, drawn, "yes", "yes" if op in KINKS else ""))
    return "Operators", ("operator", "twin", "generator", "proof", "has kinks"), entries


def _optimizers() -> Table:
    entries: list[tuple[str, ...]] = [
        (op, f"torch.optim.{op}", "yes", "yes" if op in RULES else "") for op in sorted(OPTIMIZERS)
    ]
    return "Optimizers", ("optimizer", "twin", "generator", "proof"), entries


def _kinks() -> Table:
    """Where torch's choice is one of several valid ones; every slope between the two is a `convention`."""
    took = {0: "the left slope", 0.5: "half way", 1: "the right slope"}
    entries: list[tuple[str, ...]] = []
    for op, points in sorted(KINKS.items()):
        own = {"threshold": 20.0} if op == "Threshold" else {"beta": 0.0} if op == "SmoothL1Loss" else {}
        where = "prediction − target" if op in RESIDUAL else "input"
        entries += [(op, f"{where} = {k.at:g}", took[k.torch]) for k in points(own)]
    title = "Kinks, at the default arguments (Threshold at 20, SmoothL1Loss with beta 0)"
    return title, ("operator", "where", "torch takes"), entries


def _faults() -> Table:
    faults = sorted((*FAULTS, *PROTOCOL.values()), key=lambda f: f.code)
    return "Faults", ("code", "name", "wrong", "right"), [(f.code, f.name, f.wrong, f.right) for f in faults]
