"""Experiments on a subject that failed: many small cases of the guilty operator, and what told apart those that fail.

A probe is a case with a known outcome. Fresh ones are drawn for the operator alone, in all its shapes, arguments,
modes and numbers, so that a diagnosis must hold where the subject fails *and* where it does not, and so that the
trigger of a fault ("only in evaluation") is a statement about runs that were made.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from random import Random

import numpy as np

from oracle import chains
from oracle.architectures import LOSSES, PROFILES, UNITS, Profile, architecture
from oracle.draws import update_case, values
from oracle.hypotheses.evidence import Evidence, Steps
from oracle.judge import How, Trial, trial
from oracle.regimes import regimes, update_regimes
from oracle.shrink import finite, isolate
from oracle.spec import AnyCase, Case, CaseError, UpdateCase
from oracle.stage import stages
from oracle.subjects import Subject
from oracle.twin import Twin

QUICK = How(prove=False, twice=False, thorough=False)
"""While searching: suspicion is enough."""
PROBES = 48
"""Fresh probes of one round."""
DTYPES = ("float64", "float32")
"""They take turns."""


@dataclass
class Probe:
    """A case, whether the subject failed on it, and in which regimes it was."""

    failed: bool
    regimes: frozenset[str]
    evidence: Evidence | Steps | None
    """None where nothing comparable came back."""


def evidence(case: Case, found: Trial) -> Evidence | None:
    """What a trial found, as evidence."""
    if found.found is None or found.truth is None:
        return None
    got = {name: x for name, x, _ in found.found if not name.startswith(("output ", "error "))}
    try:
        return Evidence(case, got, set(found.verdict.suspects))
    except CaseError:
        return None


def _clear(case: AnyCase, subject: Subject) -> Trial | None:
    """A trial that says right or wrong, and nothing between."""
    found = trial(case, subject, how=QUICK)
    return found if found.verdict.outcome in ("match", "mismatch") else None


def of_operator(op: str, subject: Subject, seed: int, count: int = PROBES) -> Iterator[Probe]:
    """The operator alone, on fresh numbers."""
    for case in _alone(op, subject, seed, count):
        if found := _clear(case, subject):
            yield _probe(case, found, op)


def of_nets(subject: Subject, seed: int, count: int = PROBES) -> Iterator[Probe]:
    """Whole nets, for faults of the walk over the graph."""
    random, chain = Random(f"nets {seed}"), subject.chain
    for k in range(count):
        case = _of_chain(chain, random, k) if chain else _net(random, k, subject)
        if found := _clear(case, subject):
            yield _probe(case, found, "")


def _net(random: Random, k: int, subject: Subject) -> Case:
    net = architecture(random, "standard" if k % 4 else "deep", None, subject.supports)
    return values(net, random.randrange(2**32), DTYPES[k % 2], PLAIN)


def _of_chain(chain: chains.Chain, random: Random, k: int) -> Case:
    return chain.case(chain.draw(random), random.randrange(2**32), chain.dtypes[k % len(chain.dtypes)])


PLAIN = ("small", "halves", "normal", "normal")


def of_updates(op: str, subject: Subject, seed: int, count: int = PROBES) -> Iterator[Probe]:
    """Step 5 with this optimizer."""
    random = Random(f"{op} {seed}")
    for k in range(count):
        case = update_case(random, DTYPES[k % 2], op)
        if found := _clear(case, subject):
            yield Probe(found.verdict.failed, frozenset(update_regimes(case)), steps(case, found))


def steps(case: UpdateCase, found: Trial) -> Steps | None:
    """What a trial of step 5 found, as evidence."""
    if found.found is None:
        return None
    got: list[dict[str, object]] = [{} for _ in case.gradients]
    for name, x, _ in found.found:
        step, _, parameter = name.partition(": ")
        got[int(step.split()[1]) - 1][parameter] = x
    return Steps(case, got, found.verdict.failed)  # type: ignore[arg-type]


def _probe(case: Case, found: Trial, op: str) -> Probe:
    e = evidence(case, found)
    met: set[str] = set()
    if found.truth is not None:
        of_node = regimes(case, found.truth.values)
        met = set().union(*(of_node[n.name] for n in case.nodes if not op or n.op == op))
    return Probe(found.verdict.failed, frozenset(met), e)


MOVES: dict[str, tuple[str, ...]] = {
    "Linear": ("linear",), "Add": ("residual", "fork", "fork", "split"), "Multiply": ("gate", "fork", "fork", "split"),
    "Concatenate": ("fork", "split"), "Chunk": ("split",), "Flatten": ("shape",), "Unflatten": ("shape",),
    "GLU": ("gate",),
}  # fmt: skip
"""The moves of the generator that make an operator."""


def focused(op: str) -> Profile:
    """The profile that draws small nets with an operator."""
    base = PROFILES["standard"]
    moves = MOVES.get(op, ("unit",) if op in UNITS else ("linear",))
    return replace(
        base,
        depth=(1, 2),
        moves=moves,
        units=(op,) if op in UNITS else (),
        losses=(op,) if op in LOSSES else (),
    )


def _alone(op: str, subject: Subject, seed: int, count: int) -> Iterator[Case]:
    """Cases of the operator alone, cut out of small nets that have it."""
    random, made = Random(f"{op} {seed}"), 0
    chain = subject.chain
    for k in range(8 * count):
        try:
            net = chain.draw(random) if chain else architecture(random, focused(op), None, subject.supports)
        except ValueError:
            return
        nodes = [n for n in net.nodes if n.op == op]
        if not nodes:
            continue
        drawn, dtypes = (chains.REGIMES, chain.dtypes) if chain else (PROFILES["standard"].regimes, DTYPES)
        case = values(net, random.randrange(2**32), dtypes[k % len(dtypes)], drawn)
        try:
            truth = Twin(case).run(case, errors=True)
            *_, alone = stages(isolate(case, truth, random.choice(nodes)), subject)
        except CaseError:
            continue
        if finite(alone):
            yield alone
            made += 1
        if made == count:
            return


# ------------------------------------------------------------------------------------------------------- the trigger


TELLING = 0.4
"""The share of the passing probes that a trigger must exclude to be worth saying."""


def trigger(probes: Iterable[Probe], what: str) -> str:
    """When the fault shows, from what the probes did: the regime, or the two, in which all failing ones are."""
    probes = [p for p in probes if p.failed or _could_show(p)]
    failed = [p.regimes for p in probes if p.failed]
    passed = [p.regimes for p in probes if not p.failed]
    if len(failed) < 3:
        return ""
    if not passed:
        return f"in every one of {len(failed)} probes of {what}"
    words = sorted(set.intersection(*(set(r) for r in failed)))
    singles = [(w,) for w in words]
    pairs = [(a, b) for i, a in enumerate(words) for b in words[i + 1 :]]
    best: tuple[str, ...] = max(singles, key=lambda c: _excluded(c, passed), default=())
    both: tuple[str, ...] = max(pairs, key=lambda c: _excluded(c, passed), default=())
    if both and _excluded(both, passed) >= _excluded(best, passed) + TELLING / 2:
        best = both
    inside = sum(set(best) <= r for r in passed)
    if not best or _excluded(best, passed) < TELLING or len(passed) < 3 or len(failed) < inside / 2:
        return f"in {len(failed)} of {len(probes)} probes of {what}"
    others = round(_excluded(best, passed) * len(passed))
    said = " and ".join(best)
    return (
        f"only {said}: in {len(failed)} of {len(probes) - others} probes of {what} {said}, "
        f"and in none of the {others} others"
    )


def _excluded(words: tuple[str, ...], passed: list[frozenset[str]]) -> float:
    """The share of the passing probes that are not in these regimes."""
    return sum(not set(words) <= r for r in passed) / len(passed)


def _could_show(probe: Probe) -> bool:
    """Whether there is anything to be wrong: an empty batch, or an error signal of zero, hides every fault."""
    e = probe.evidence
    return not isinstance(e, Evidence) or any(np.any(g) for g in e.truth.gradients.values())
