"""What a run found, as plain data: the only thing that reports see."""

from typing import Literal

import numpy as np
from msgspec import Struct

from oracle.compare import Outcome, Verdict
from oracle.spec import Case, UpdateCase


class Birthplace(Struct, frozen=True):
    """Where a difference is born."""

    node: str
    op: str
    part: str
    """"forward", "backward" (the error signal it hands down) or "partials" (of its own parameters)."""
    sentence: str
    """One sentence for a person, with the evidence."""


class Diagnosis(Struct, frozen=True):
    """The catalogued fault that reproduces the subject's numbers."""

    code: str
    name: str
    story: str
    wrong: str
    right: str
    """The wrong line and the right one."""
    node: str
    evidence: str
    """Why it is believed."""
    also: tuple[str, ...] = ()
    """Other faults that reproduce the same numbers on every case tried."""


class Line(Struct, frozen=True):
    """One tensor of the backward pass, as the truth and the subject have it."""

    tensor: str
    """"h1.weight", "x", "error h1", "loss"."""
    status: Literal["right", "wrong", "follows", "not returned"]
    expected: np.ndarray
    got: np.ndarray | None = None


class Stop(Struct, frozen=True):
    """One node of the backward pass."""

    node: str
    op: str
    inputs: tuple[str, ...]
    status: Literal["right", "wrong", "follows", "unknown"]
    """`wrong` where the difference is born; `follows` where it is only inherited."""
    lines: tuple[Line, ...]


class Finding(Struct, frozen=True):
    """One cause of failure, with the smallest case that shows it."""

    sentence: str
    """What is wrong, in one sentence."""
    verdict: Verdict
    """Of the smallest case."""
    case: Case | UpdateCase
    """The smallest case."""
    case_id: str
    found_in: str
    """The number of the case that it was shrunk from ("case 17 of seed 0"), or a file."""
    backward: tuple[Stop, ...] = ()
    """The backward pass, last layer first."""
    born: Birthplace | None = None
    diagnosis: Diagnosis | None = None
    trigger: str = ""
    """When it shows, from probes that were run: "only in evaluation: in 21 of 21 probes …"."""
    reading: str = ""
    """What the subject computes in place of the right terms, read from its numbers."""
    count: int = 1
    """Cases with this cause."""
    reproduce: str = ""
    """The command that judges the smallest case again."""


class Note(Struct, frozen=True):
    """Cases that are no failure but worth a line: a convention, a deviation of torch, a skip, an open question."""

    outcome: Outcome
    reason: str
    count: int
    example: str
    """Which case shows it ("case 17 of seed 0")."""
    saved: str = ""
    """Where the example was saved, relative to the report."""


class Report(Struct, frozen=True, kw_only=True):
    """A whole run. The same seed and versions give the same bytes: no clock, no path of a machine."""

    format: int = 1
    name: str
    subject: str
    seed: int
    dtypes: tuple[str, ...]
    profile: str
    cases: int
    """Cases judged, of `asked`."""
    asked: int | None
    tally: dict[str, int]
    """Cases by outcome; every outcome has an entry."""
    stages: dict[str, int]
    """Cases by the stage that decided them."""
    coverage: dict[str, int]
    """How many cases met each operator and optimizer."""
    regimes: dict[str, dict[str, int]] = {}
    """Of a sample of the cases: how often each operator was met in each regime."""
    unmet: dict[str, tuple[str, ...]] = {}
    """The regimes that an operator should be met in, and was not."""
    findings: tuple[Finding, ...]
    notes: tuple[Note, ...]
    versions: dict[str, str]
    exit_code: int
    stopped: str = ""
    """Why the run ended before all cases were judged; empty if it did not."""
    remarks: tuple[str, ...] = ()
    """What else there is to say of the subject: how it was read, what it left behind."""
