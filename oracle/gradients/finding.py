"""From failing cases of one cause to a finding: the smallest case, when it shows, and what is computed in its place."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
from msgspec.structs import replace

from oracle import localize
from oracle.analysis import Failure, finding_of, pattern, size
from oracle.compare import Verdict
from oracle.diagnose import breach_diagnosis
from oracle.gradients.cases import shorter
from oracle.gradients.confirm import gradients
from oracle.gradients.functions import Reading
from oracle.gradients.judging import Judge
from oracle.gradients.source import Drawn, Source, Strategic
from oracle.gradients.subject import as_contiguous
from oracle.judge import Trial
from oracle.probes import Probe, trigger
from oracle.records import Birthplace, Finding, Stop
from oracle.regimes import numbers as words_of
from oracle.shrink import Moves, descend, numbers
from oracle.spec import AnyCase, Array, Case, CaseError, Tensors

BUDGET, PASSING = 150, 8
"""Cases tried in search of a smaller one; and cases that pass, without which none can tell when others fail."""


@dataclass
class Cause:
    """Failing cases that look alike, the smallest first, and where they were found."""

    failures: list[Failure] = field(default_factory=list)
    places: list[int] = field(default_factory=list)
    count: int = 0
    suspects: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Scene:
    """What a finding is made from."""

    judge: Judge
    source: Source
    seed: int
    probes: list[Probe]
    """Every case of this phase, with what it was like."""
    reproduce: Callable[[Case], str]


def kind(verdict: Verdict) -> str:
    """Like kinds are of one cause: a wrong value, wrong gradients, or a breach in the same words."""
    if not verdict.differences:
        return pattern(verdict.reason)
    return "value" if any(name.startswith("output ") for name in verdict.suspects) else "gradient"


def alike(a: Verdict, suspects: set[str], b: Verdict) -> bool:
    """Whether a verdict fails as another did: in the same kind, and in some of the same tensors."""
    return kind(a) == kind(b) and (not b.differences or bool(suspects & set(b.suspects)))


def analyse(cause: Cause, scene: Scene) -> Finding:
    """One cause of failure as a finding."""
    first = cause.failures[0]
    assert isinstance(first.case, Case)
    small = _smallest(cause, scene)
    found = scene.judge.trial(small)
    if not found.verdict.failed:
        small, found = first.case, Trial(first.verdict)
    asked = Reading(small, next(o for o in scene.judge.subject.operators if o.op == small.nodes[0].op))
    born = _birthplace(asked, found.verdict)
    got = {name: x for name, x, _ in found.found or () if not name.startswith("output ")}
    stops: tuple[Stop, ...] = ()
    if found.truth is not None and found.verdict.differences:
        stops = _judged(localize.narrate(small, found.truth, got, found.verdict, born))
    named = not found.verdict.differences and "has shape" not in found.verdict.reason  # shapes tell of layers alone
    diagnosis = breach_diagnosis(small, found.verdict) if named else None
    subject = scene.judge.subject
    made = finding_of(first, small, found.verdict, subject, cause.count, born, diagnosis, stops)
    return replace(
        made,
        trigger=_layout(small, scene) or _trigger(scene.probes, small.nodes[0].op),
        reading=_reading([*_trials(cause, scene), (asked, found)]),
        reproduce=scene.reproduce(small),
    )


def _judged(stops: tuple[Stop, ...]) -> tuple[Stop, ...]:
    """Without the tensors that are not asked for: the loss and the cotangents are ours."""
    kept = (replace(stop, lines=tuple(line for line in stop.lines if line.status != "not returned")) for stop in stops)
    return tuple(stop for stop in kept if stop.lines)


def _birthplace(asked: Reading, verdict: Verdict) -> Birthplace | None:
    if not verdict.differences:
        return None
    node, op = asked.node.name, asked.node.op
    if kind(verdict) == "value":
        what = "the value that it returns" if asked.op.phase == "order 1" else "its forward mode, J v,"
        return Birthplace(node, op, "forward", f"{what} is wrong")
    wrong = " and ".join(name for name in asked.op.wanted if name in verdict.suspects)
    of = "second derivative with respect to" if asked.op.phase == "order 2" else "gradient of"
    return Birthplace(node, op, "backward", f"its value is right, and the {of} {wrong} is wrong")


# -------------------------------------------------------------------------------------------------------- shrinking


def _smallest(cause: Cause, scene: Scene) -> Case:
    first = cause.failures[0]
    assert isinstance(first.case, Case)
    suspects = set(first.verdict.suspects)

    def fails(candidate: Case) -> bool:
        asked = Reading(candidate, op)
        own = {name: candidate.inputs[name] for name in op.function.names}
        if own_changed(own) and not scene.source.allows(own):
            return False
        del asked
        found = scene.judge.trial(candidate, twice=twice, light=True).verdict
        return found.failed and alike(first.verdict, suspects, found)

    def own_changed(own: Tensors) -> bool:
        return any(not _same(x, start.inputs[name]) for name, x in own.items())

    op = next(o for o in scene.judge.subject.operators if o.op == first.case.nodes[0].op)
    twice = first.verdict.outcome == "mismatch" and not first.verdict.differences
    start = first.case
    if first.verdict.outcome == "timeout":
        return start
    if isinstance(scene.source, Strategic):
        start = _by_hypothesis(cause, scene, fails) or start
    moves: list[Moves] = [lambda case: shorter(Reading(case, op), scene.source), _arguments, *numbers, _rounded]
    return descend(start, fails, moves, BUDGET)


def _same(a: Array, b: Array) -> bool:
    return a.shape == b.shape and a.tobytes() == b.tobytes()


def _arguments(case: Case) -> Iterator[Case]:
    """Every gradient asked for."""
    if case.nodes[0].attrs:
        yield replace(case, nodes=(replace(case.nodes[0], attrs={}), *case.nodes[1:]))


def _rounded(case: Case) -> Iterator[Case]:
    """Entries of one digit, where small whole numbers do not fail."""
    for name, x in case.inputs.items():
        for at in np.ndindex(x.shape) if x.dtype.kind == "f" and x.size <= 64 else ():
            for digits in (1, 2):
                y = x.copy()
                y[at] = float(f"{float(x[at]):.{digits}g}")
                if len(repr(y[at].item())) < len(repr(x[at].item())):
                    yield replace(case, inputs={**case.inputs, name: y})


def plainness(case: AnyCase) -> tuple[bool, int, int]:
    """Cases with entries are read first, ordinary numbers before huge and tiny ones, small cases before large ones."""
    assert isinstance(case, Case)
    empty = not all(x.size for x in case.inputs.values())
    sizes = [np.abs(x[x != 0]) for x in case.inputs.values() if x.dtype.kind == "f"]
    return empty, sum(int(((s < 1e-4) | (s > 1e4)).sum()) for s in sizes), size(case)


def _by_hypothesis(cause: Cause, scene: Scene, fails: Callable[[Case], bool]) -> Case | None:
    """The simplest inputs, as the user's strategies shrink; cotangents are drawn anew for them."""
    from oracle.gradients.cases import case_of

    assert isinstance(scene.source, Strategic)
    first = cause.failures[0].case
    assert isinstance(first, Case)
    op = next(o for o in scene.judge.subject.operators if o.op == first.nodes[0].op)
    made: dict[str, Case] = {}

    def still(x: Tensors) -> bool:
        try:
            case = case_of(op, x, first.dtype, 0)
            found = scene.judge.trial(case, twice=False, light=True).verdict
        except CaseError:
            return False
        if found.failed and kind(found) == kind(cause.failures[0].verdict):
            made["last"] = case
            return True
        return False

    del fails
    scene.source.smallest(still, scene.seed, first.dtype, cause.places[0])
    return made.get("last")


# ----------------------------------------------------------------------------------------------------- what is said


def _layout(case: Case, scene: Scene) -> str:
    """Whether the same case is answered right where its arrays lie in the order of C."""
    subject = scene.judge.subject
    if subject.contiguous:
        return ""
    calm = scene.judge.trial(case, subject=as_contiguous(subject)).verdict
    if calm.outcome != "match":
        return ""
    return "only where inputs do not lie in memory in the order of C: contiguous, the same case is answered right"


def _trigger(probes: list[Probe], op: str) -> str:
    """When it shows; of few cases that pass, nothing can be said but how many there are."""
    failed = sum(p.failed for p in probes)
    few = 0 < len(probes) - failed < PASSING
    return f"in {failed} of {len(probes)} cases of {op}" if few else trigger(probes, op)


def tags(case: Case, lengths: dict[str, int]) -> frozenset[str]:
    """What a case is like, in words that fit behind "only"."""
    found = {f"in {case.dtype}"}
    for name, n in lengths.items():
        found.add(f"with {name} = {n}" if n < 2 else f"with {name} above 1")
    found |= {f"with {a} = {b}" for a in lengths for b in lengths if a < b and lengths[a] == lengths[b] > 1}
    node = case.nodes[0]
    for name in node.inputs:
        if case.inputs[name].dtype.kind == "f":
            found.update(words_of(case.inputs[name]))
    cotangents = [case.inputs[n.inputs[1]] for n in case.nodes if n.op == "Dot"]
    if all(c.size and (c == c.flat[0]).all() for c in cotangents):
        found.add("with an upstream gradient of equal entries")
    if node.attrs:
        found.add("where not every gradient is asked for")
    return frozenset(found)


def lengths_of(source: Source, x: Tensors) -> dict[str, int]:
    """The named lengths of inputs."""
    return source.template.lengths_of(x) if isinstance(source, Drawn) else {}


def _trials(cause: Cause, scene: Scene) -> Iterator[tuple[Reading, Trial]]:
    """The failing cases with the most entries, which say the most."""
    for failure in cause.failures[-2:]:
        assert isinstance(failure.case, Case)
        op = next(o for o in scene.judge.subject.operators if o.op == failure.case.nodes[0].op)
        yield Reading(failure.case, op), scene.judge.trial(failure.case, twice=False, light=True)


def _reading(trials: list[tuple[Reading, Trial]]) -> str:
    """What is returned in place of the gradient, where it is the same simple thing in every case."""
    told = [set(_readings(asked, found)) for asked, found in trials if found.found and found.verdict.differences]
    common = set.intersection(*told) if told else set()
    return min(common, default="")


def _readings(asked: Reading, found: Trial) -> Iterator[str]:
    assert found.found is not None
    wrong = {n: (np.asarray(g, float), t) for n, g, t in found.found if n in found.verdict.suspects and g.size}
    if any(name.startswith("output ") for name in wrong):
        return
    if all(g.size > 1 for g, _ in wrong.values()) and (factor := _factor(list(wrong.values()))):
        yield f"every entry of {' and '.join(sorted(wrong))} is {factor} times the right one"
    ones = {c: np.ones_like(asked.case.inputs[c]) for _, _, c in asked.dots}
    bare = gradients(asked, ones)
    if all(_near(g, bare[name]) for name, (g, _) in wrong.items() if name in bare):
        yield "it is the gradient of Σ f: the upstream gradient is forgotten"
    for name, (g, t) in wrong.items():
        if t.ndim == 2 and t.shape[0] == t.shape[1] > 1 and _near(g, t.T):
            yield f"{name} is transposed"
        for other, _, s in found.found:
            if other != name and other in asked.op.wanted and s.shape == g.shape and _near(g, s):
                yield f"what is returned for {name} is the gradient of {other}"


def _near(a: Array, b: Array) -> bool:
    if a.shape != b.shape or not np.any(b):
        return False
    with np.errstate(all="ignore"):
        return bool(np.abs(a - b).max() <= 1e-5 * np.abs(b).max())


def _factor(pairs: list[tuple[Array, Array]]) -> str:
    got, right = (np.concatenate([np.ravel(p[k]) for p in pairs]) for k in (0, 1))
    use = right != 0
    if use.sum() < 2 or not np.isfinite(got).all() or not np.isfinite(right).all():
        return ""
    ratio = float(got[use] @ right[use] / (right[use] @ right[use]))
    simple = abs(ratio) > 1e-3 and _near(got, ratio * right) and abs(ratio - 1) > 1e-3
    return f"{ratio:.4g}" if simple else ""
