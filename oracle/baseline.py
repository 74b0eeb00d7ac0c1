"""A baseline: findings that are known and accepted for now, so that a run fails for new ones only.

What makes a finding known must not depend on the seed or on how far a case was shrunk, and must not be shared by
another fault of the same operator. It is the outcome, the fault's code, the operator and its part (of a breach: its
pattern), and beside these the *behaviour*: how far off the subject is on probes of that operator which are the same
in every run. A second fault in the operator, or another one in place of the first, answers some probe otherwise.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from oracle import probes, spec
from oracle.analysis import breach
from oracle.faults import FAULTS
from oracle.hypotheses import Evidence, Steps
from oracle.hypotheses.evidence import UNIT
from oracle.probes import Probe
from oracle.records import Finding, Report
from oracle.spec import CaseError, Tensors, UpdateCase
from oracle.subjects import Subject

PROBES = 96
"""Probes behind a behaviour; it is read from those in float64."""


class Entry(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A finding that is known."""

    sentence: str
    """What is wrong, for the reader; it identifies nothing."""
    reason: str = ""
    """Why it is accepted: yours to write, and kept when the file is written again."""
    outcome: str
    code: str = ""
    also: tuple[str, ...] = ()
    """Faults that gave the same numbers on every case tried."""
    op: str = ""
    part: str = ""
    pattern: str = ""
    """Of a breach of contract or an exception: its sentence without numbers and names."""
    behaviour: tuple[str, ...] = ()
    """For each probe of the operator how far off the answer is, relative to the right one; "0" where it is right."""


class Baseline(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The file."""

    format: int = 1
    entries: tuple[Entry, ...]


def load(path: Path) -> Baseline:
    """Read a baseline. Raises `CaseError` with a sentence saying what is wrong with the file."""
    try:
        found: Baseline = spec.from_json(path.read_bytes(), Baseline, str(path))
    except OSError as error:
        raise CaseError(f"{path}: {error.strerror or error}") from None
    if found.format != 1:
        raise CaseError(f"{path}: format is {found.format}, but this oracle reads format 1")
    return found


def save(baseline: Baseline, path: Path) -> Path:
    """Write a baseline as JSON that reads well in a diff."""
    return spec.save(baseline, path)


def schema() -> dict[str, Any]:
    """The JSON Schema of the file."""
    return spec.schema(Baseline)


# --------------------------------------------------------------------------------------------------- what is compared


def identify(finding: Finding, subject: Subject) -> Entry:
    """A finding as an entry."""
    d, verdict = finding.diagnosis, finding.verdict
    return Entry(
        sentence=finding.sentence,
        outcome=verdict.outcome,
        code=d.code if d else "",
        also=tuple(sorted(told.partition(" ")[0] for told in d.also)) if d else (),
        op=finding.op,
        part=finding.born.part if finding.born else "",
        pattern="" if verdict.differences else breach(finding.case, verdict),
        behaviour=behaviour(finding, subject),
    )


def behaviour(finding: Finding, subject: Subject) -> tuple[str, ...]:
    """How far off the subject is on the probes of the finding's operator; of nothing comparable, nothing."""
    d = finding.diagnosis
    if not finding.verdict.differences or (d and FAULTS[d.code].part == "contract"):
        return ()  # an exception has no numbers, and what depends on earlier calls has others every time
    if isinstance(finding.case, UpdateCase):
        found = probes.of_updates(finding.op, subject, 0, PROBES)
    elif finding.op:
        found = probes.of_operator(finding.op, subject, 0, PROBES)
    else:
        found = probes.of_nets(subject, 0, PROBES)
    return tuple(_spelled(probe) for probe in found if probe.evidence and probe.evidence.case.dtype == "float64")


def _spelled(probe: Probe) -> str:
    if not probe.failed or probe.evidence is None:
        return "0"
    return f"{sum(_off(*pair) for pair in _pairs(probe.evidence)):.6g}"


def _pairs(e: Evidence | Steps) -> Iterator[tuple[Any, Any]]:
    if isinstance(e, Evidence):
        yield from ((e.got[name], e.right[name]) for name in sorted(e.wrong) if name in e.got)
        return
    steps: Iterable[tuple[Tensors, Tensors]] = zip(e.got, e.right, strict=True)
    yield from ((got[name], right[name]) for got, right in steps for name in sorted(right))


def _off(got: Any, right: Any) -> float:
    """The sum of the errors relative to the largest entry: of a wrong sign it is not what it is of a wrong factor."""
    got, right = np.asarray(got, float), np.asarray(right, float)
    with np.errstate(all="ignore"):
        scale = np.abs(right).max(initial=0) or 1.0
        return float(np.sum(np.abs(got - right)) / scale)


def _alike(a: tuple[str, ...], b: tuple[str, ...]) -> bool:
    return len(a) == len(b) and all(x == y or _near(float(x), float(y)) for x, y in zip(a, b, strict=True))


def _near(x: float, y: float) -> bool:
    """To the digits in which two machines agree, however badly conditioned the probe is."""
    return abs(x - y) <= UNIT["float32"] * max(abs(x), abs(y)) + UNIT["float64"]


def _same(known: Entry, found: Entry) -> bool:
    """All but the behaviour: of tied faults either may be named first."""
    codes = {known.code, *known.also} & {found.code, *found.also}
    return bool(codes) and all(getattr(known, f) == getattr(found, f) for f in ("outcome", "op", "part", "pattern"))


# ------------------------------------------------------------------------------------------------------------- the run


def apply(report: Report, known: Baseline, found: Iterable[Entry]) -> Report:
    """The report with its known findings marked, after the new ones; only new ones fail it.

    `found` are the findings, identified. A finding that is like an entry in all but its behaviour stays new.
    """
    findings, met = [], set[int]()
    for finding, entry in zip(report.findings, found, strict=True):
        like = [k for k, other in enumerate(known.entries) if _same(other, entry)]
        same = [k for k in like if _alike(known.entries[k].behaviour, entry.behaviour)]
        met.update(same or like)
        findings.append(_marked(finding, [known.entries[k] for k in same], bool(like)))
    stale = tuple(other.sentence for k, other in enumerate(known.entries) if k not in met)
    findings.sort(key=lambda f: bool(f.known))
    return replace(report, findings=tuple(findings), stale=stale, exit_code=_exit_code(report, findings))


def _marked(finding: Finding, same: list[Entry], like: bool) -> Finding:
    if same:
        return replace(finding, known=same[0].reason or "it stands in the baseline")
    if like:
        told = "The baseline has such a fault here, but the answers are no longer those: there is another one."
        return replace(finding, sentence=f"{finding.sentence} ({told})")
    return finding


def _exit_code(report: Report, findings: list[Finding]) -> int:
    """0 where every failure is known, and the run went on to its end and compared numbers at all."""
    if report.exit_code != 1 or report.stopped or not all(f.known for f in findings):
        return report.exit_code
    compared = sum(report.tally.get(outcome, 0) for outcome in ("match", "convention", "mismatch"))
    return 0 if compared and all(r.outcome != "broken" for r in report.replayed) else 2


def renewed(found: Iterable[Entry], before: Baseline) -> Baseline:
    """What was found as a baseline, with the reasons that an earlier one gave for the same findings."""

    def reason(entry: Entry) -> str:
        same = (e.reason for e in before.entries if _same(e, entry) and _alike(e.behaviour, entry.behaviour))
        return next(same, "")

    entries = {msgspec.json.encode(replace(e, sentence="")): replace(e, reason=reason(e)) for e in found}
    return Baseline(entries=tuple(entries.values()))
