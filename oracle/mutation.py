"""The oracle measured by itself: every catalogued fault is planted in the reference, and looked for.

For each seed the cases are judged as they come until enough of them failed; then the run behind `oracle check` is
made over the same cases, and its first findings are held against what was planted. The peers are asked about the
same cases, as far as the planted fault changes the answer there; an alarm counts only where the same peer leaves
right code alone.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import islice
from multiprocessing import get_context
from typing import Any

from oracle.check import TWICE, check, set_threads, versions
from oracle.draws import Stream
from oracle.faults import FAULTS
from oracle.judge import How, trial
from oracle.peers import PEERS, Peer, Question, Say, asking, numbers
from oracle.records import Finding
from oracle.score import Accusation, Mutant, Mutation, Naming
from oracle.seeds import SEEDS, Seed
from oracle.spec import AnyCase, Case, Tensors, UpdateCase
from oracle.subjects import Subject, resolve
from oracle.twin import Twin

ENOUGH = 12
"""Failing cases after which a fault has shown what it does."""


@dataclass(frozen=True)
class Plan:
    """How much is done for each fault."""

    cases: int = 200
    """At most, of each dtype."""
    peer_cases: int = 30
    """Cases on which a peer is asked about one fault, at most; and about right code. 0: no peers."""
    seed: int = 0
    dtypes: tuple[str, ...] = ("float64", "float32")

    def sheets(self, profile: str) -> "Iterator[Sheet]":
        """The cases, in the order in which `check` takes them."""
        for k in range(self.cases):
            for dtype in self.dtypes:
                yield _sheet(self.seed, profile, dtype, k)


@dataclass
class Sheet(Question):
    """A case, and what is known of it whatever the fault."""

    k: int = 0
    accused: dict[str, Say] = field(default_factory=dict)

    @cached_property
    def right(self) -> Tensors | None:
        """The reference's answer."""
        return asking(resolve("reference"))(self.case)

    @cached_property
    def judged(self) -> Tensors | None:
        """The reference's answer to the oracle, which lays out the arrays in memory in its own ways."""
        return numbers(resolve("reference").answer(self.case).answer)

    @cached_property
    def twin(self) -> Twin | None:
        """The twin of the case."""
        return Twin(self.case) if isinstance(self.case, Case) else None

    def of_right_code(self, peer: Peer) -> Say:
        """What a peer says of the reference."""
        if peer.name not in self.accused:
            self.accused[peer.name] = peer.judge(self, asking(resolve("reference")))
        return self.accused[peer.name]


def _same(a: Tensors | None, b: Tensors | None) -> bool:
    """Whether two answers are the same in every bit, and in their dtypes."""
    return a is not None and b is not None and a.keys() == b.keys() and all(_bits(a[n]) == _bits(b[n]) for n in a)


def _bits(x: Any) -> tuple[Any, ...]:
    return x.shape, x.dtype, x.tobytes()


@lru_cache(64)
def _stream(seed: int, profile: str, dtype: str) -> Stream:
    return Stream(seed, dtype, profile)


@lru_cache(8192)
def _sheet(seed: int, profile: str, dtype: str, k: int) -> Sheet:
    return Sheet(f"case {k} of seed {seed}, {dtype}", _stream(seed, profile, dtype)[k], k=k)


# ----------------------------------------------------------------------------------------------------------- the run

Told = Callable[[int, Mutant, float], None]
"""(how many are done, the last of them, seconds up to its first failing case)"""


def mutation(plan: Plan = Plan(), seeds: Iterable[Seed] = SEEDS, jobs: int = 1, told: Told | None = None) -> Mutation:
    """Look for every seed (default: all), in so many processes; the result does not depend on their number."""
    chosen = tuple(seeds)
    mutants = []
    for k, (mutant, seconds) in enumerate(_each(plan, chosen, jobs), 1):
        mutants.append(mutant)
        if told:
            told(k, mutant, seconds)
    profiles = dict.fromkeys(seed.profile for seed in chosen)
    return Mutation(
        seed=plan.seed,
        dtypes=plan.dtypes,
        cases=plan.cases,
        enough=ENOUGH,
        peer_cases=plan.peer_cases,
        mutants=tuple(mutants),
        accusations=tuple(_accusations(plan, tuple(profiles))),
        versions=versions(),
    )


def _each(plan: Plan, seeds: tuple[Seed, ...], jobs: int) -> Iterator[tuple[Mutant, float]]:
    places = {id(seed): k for k, seed in enumerate(SEEDS)}
    if jobs < 2 or any(id(seed) not in places for seed in seeds):
        yield from (mutate(seed, plan) for seed in seeds)
        return
    with ProcessPoolExecutor(jobs, get_context("spawn"), set_threads) as pool:
        yield from pool.map(_mutate_numbered, (places[id(seed)] for seed in seeds), (plan for _ in seeds))


def _mutate_numbered(k: int, plan: Plan) -> tuple[Mutant, float]:
    """A seed cannot travel between processes, but its place in the catalogue can."""
    return mutate(SEEDS[k], plan)


def mutate(seed: Seed, plan: Plan = Plan()) -> tuple[Mutant, float]:
    """One fault, planted and looked for; and the seconds up to the first failing case."""
    fault = FAULTS.get(seed.code)
    name, family, part = (fault.name, fault.family, fault.part) if fault else ("", "not in the catalogue", "")
    known: dict[str, Any] = {
        "seed": seed.name,
        "code": seed.code,
        "ops": seed.ops,
        "profile": seed.profile,
        "name": name,
        "family": family,
        "part": part,
    }
    try:
        found, seconds = _campaign(seed, plan)
        if found["first"] is not None:
            found |= _findings(seed, part, plan, found["cases"])
        return Mutant(**known, **found, peers=_peers(seed, plan)), seconds
    except Exception as error:  # one seed that cannot be planted must not cost the run
        return Mutant(**known, cases=0, error=f"{type(error).__name__}: {error}"), 0.0


def _campaign(seed: Seed, plan: Plan) -> tuple[dict[str, Any], float]:
    """The cases in order, until enough of them failed."""
    subject, clock, seconds = seed.plant(), time.perf_counter(), 0.0
    found: dict[str, Any] = {"cases": 0, "failures": 0, "first": None}
    for n, sheet in enumerate(plan.sheets(seed.profile), 1):
        found["cases"] = n
        twice = sheet.k % TWICE == 0
        if not twice and _same(numbers(subject.answer(sheet.case).answer), sheet.judged):
            continue  # the reference's answer, bit for bit: see `_accusations` for what that is worth
        verdict = trial(sheet.case, subject, sheet.twin, How(twice=twice, thorough=False)).verdict
        if verdict.failed and found["first"] is None:
            verdict = trial(sheet.case, subject).verdict
        if not verdict.failed:
            continue
        if found["first"] is None:
            found |= {"first": n, "reason": verdict.reason}
            seconds = time.perf_counter() - clock
        found["failures"] += 1
        if found["failures"] == ENOUGH:
            break
    return found, seconds


def _findings(seed: Seed, part: str, plan: Plan, cases: int) -> dict[str, Any]:
    """What `check` says over the same cases, against what was planted."""
    each = -(-cases // len(plan.dtypes))
    report = check(seed.plant(), cases=each, seed=plan.seed, dtypes=plan.dtypes, profile=seed.profile)
    if not report.findings:
        return {"naming": "not recognised", "error": "the cases that failed did not fail a second time"}
    first = report.findings[0]
    case, born, diagnosis = first.case, first.born, first.diagnosis
    return {
        "sentence": first.sentence,
        "born": f"{born.op} {born.part}" if born else "",
        "located": None if part == "contract" else _located(seed, part, first),
        "naming": _naming(seed.code, report.findings),
        "told": diagnosis.code if diagnosis else "",
        "also": tuple(entry.split()[0] for entry in diagnosis.also) if diagnosis else (),
        "case_id": first.case_id,
        "nodes": len(case.nodes) - 1 if isinstance(case, Case) else 0,
        "numbers": _numbers(case),
    }


def _located(seed: Seed, part: str, finding: Finding) -> bool:
    """Whether the finding blames an operator in which the fault was planted, for the part that is wrong.

    A fault of the walk over the graph is in no operator: there, any place that is named will do.
    """
    born = finding.born
    if not seed.ops:
        return born is not None or bool(finding.diagnosis and finding.diagnosis.code == seed.code)
    return born is not None and born.op in seed.ops.split() and born.part == part


def _naming(code: str, findings: tuple[Finding, ...]) -> Naming:
    said = [f.diagnosis for f in findings[:3]]
    first = said[0]
    if first and first.code == code:
        return "first"
    if first and code in (entry.split()[0] for entry in first.also):
        return "tied"
    if any(d and code in (d.code, *(entry.split()[0] for entry in d.also)) for d in said[1:]):
        return "top three"
    return "other" if first else "not recognised"


def _numbers(case: AnyCase) -> int:
    """How many numbers a person has to read."""
    groups = [case.parameters, *(case.gradients if isinstance(case, UpdateCase) else (case.inputs, case.buffers))]
    return sum(x.size for group in groups for x in group.values())


# --------------------------------------------------------------------------------------------------------- the peers


def _peers(seed: Seed, plan: Plan) -> dict[str, int | None]:
    """For each peer that can judge, the number of cases up to its first true alarm."""
    if not plan.peer_cases:
        return {}
    ask = asking(seed.plant())
    changed = [(n, s) for n, s in enumerate(plan.sheets(seed.profile), 1) if not _same(ask(s.case), s.right)]
    said = (
        (peer, _alarm(peer, seed, [(n, s) for n, s in changed if _can(peer, s)][: plan.peer_cases])) for peer in PEERS
    )
    return {peer.name: n for peer, heard in said for n in heard}


def _alarm(peer: Peer, seed: Seed, changed: list[tuple[int, Sheet]]) -> list[int | None]:
    """When a peer first calls the fault wrong where right code is right to it; nothing if it can say nothing at all."""
    ask, heard = asking(seed.plant()), False
    for n, sheet in changed:
        says = peer.judge(sheet, ask)
        if says == "wrong" and sheet.of_right_code(peer) == "right":
            return [n]
        heard = heard or says != "cannot say"
    return [None] if heard else []


def _can(peer: Peer, sheet: Sheet) -> bool:
    return peer.everywhere or (isinstance(sheet.case, Case) and sheet.case.dtype == "float64")


def _accusations(plan: Plan, profiles: tuple[str, ...]) -> Iterator[Accusation]:
    """What is said of right code, by the oracle on all cases and by each peer on the first ones."""
    right: Subject = resolve("reference")
    accused = [s.where for p in profiles for s in plan.sheets(p) if trial(s.case, right, s.twin).verdict.failed]
    judged = len(profiles) * plan.cases * len(plan.dtypes)
    yield Accusation(
        "oracle", "what cannot be explained by rounding, and is proved", len(accused), judged, next(iter(accused), "")
    )
    for peer in PEERS if plan.peer_cases else ():
        sheets = [s for p in profiles for s in islice((s for s in plan.sheets(p) if _can(peer, s)), plan.peer_cases)]
        said = [(sheet.of_right_code(peer), sheet.where) for sheet in sheets]
        wrong = [where for says, where in said if says == "wrong"]
        count = sum(says != "cannot say" for says, _ in said)
        yield Accusation(peer.name, peer.rule, len(wrong), count, next(iter(wrong), ""))
