"""One case, one subject: the stages from the contract to the proof.

contract -> cheap acceptance -> tolerance from the case's own conditioning -> kinks -> proof by the arbiter.
No mismatch leaves this module that is not a breach of contract or proven.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from dataclasses import replace as replace_how
from typing import Any

import numpy as np
from msgspec.structs import replace

from oracle import compare
from oracle.arbiter import Ball, Undecided, buffer, loss, output, partial, updated
from oracle.compare import Difference, Pairs, Verdict
from oracle.conventions import at_kinks
from oracle.spec import AnyCase, Array, Case, CaseError, Tensors, UpdateAnswer, UpdateCase
from oracle.subjects import Reply, Subject, wrap
from oracle.twin import Noise, Truth, Twin, run_update

FEW, RUNS, MANY = 3, 12, 120
"""Noisy runs of the twin behind a tolerance: a few with a quarter of the room, then more; many before a mismatch is
believed where an entry is less than `FAR` tolerances off, for a rare event (a clamp) may be missing from a few.
"""
FAR = 1e3


@dataclass
class Trial:
    """A case judged, with what was found on the way."""

    verdict: Verdict
    truth: Truth | None = None
    found: Pairs | None = None
    """(tensor, got, expected) of everything judged."""


@dataclass(frozen=True)
class How:
    """How far to go with a case."""

    prove: bool = True
    """Ask the arbiter before calling anything a mismatch."""
    twice: bool = True
    """Ask the subject a second time, and want the same answer."""
    thorough: bool = True
    """Measure with many noisy runs before anything is called a mismatch."""
    declared: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    """The subject's slopes at kinks; `trial` fills it in."""
    measure: "Measure | None" = None
    """What judges an answer that was not accepted cheaply, where no operator of the graph is the arbiter's."""


Measure = Callable[[Case, Twin, Truth, Pairs, list[Truth], How], Verdict]


def judge(case: AnyCase, subject: Subject | Callable[..., Any], twin: Twin | None = None, how: How = How()) -> Verdict:
    """Whether the subject's answer to a case is right."""
    return trial(case, subject, twin, how).verdict


@np.errstate(all="ignore")
def trial(case: AnyCase, subject: Subject | Callable[..., Any], twin: Twin | None = None, how: How = How()) -> Trial:
    """`judge`, with the truth and the answer kept for what comes after."""
    subject = subject if isinstance(subject, Subject) else wrap(subject)
    if isinstance(case, UpdateCase):
        return _trial_update(case, subject, how.prove)
    how = replace_how(how, declared=subject.conventions) if subject.conventions else how
    try:
        twin = twin or Twin.of(case)
        reply = subject.answer(case)
        truth = twin.run(case, errors=reply.answer is not None and reply.answer.errors is not None)
    except CaseError as error:
        return Trial(Verdict("skipped", str(error)))
    if refusal := _no_answer(reply):
        return Trial(refusal, truth)
    shapes = {
        "gradients": truth.gradients,
        "buffers": truth.buffers,
        "outputs": truth.values,
        "errors": truth.errors,
    }
    breaches = [reply.breach] if reply.breach else compare.contract(case, reply.answer, subject.wanted(case), shapes)
    if breaches:
        return Trial(_breach(breaches), truth)
    found = compare.pairs(reply.answer, truth)
    if how.twice and (again := _again(case, subject, twin, found, truth)):
        return Trial(Verdict("mismatch", again, stage="contract"), truth, found)
    doubtful = compare.cheap(found, case.dtype)
    if not doubtful:
        return Trial(Verdict("match", stage="cheap"), truth, found)
    kept = [pair for pair in found if pair[0] in doubtful]
    low: list[Truth] = []
    try:
        if kept := _beyond_estimate(case, twin, truth, kept, low):
            return Trial((how.measure or _measure)(case, twin, truth, kept, low, how), truth, found)
    except CaseError as error:
        return Trial(Verdict("undecided", f"the twin cannot run the case with rounding errors: {error}"), truth, found)
    return Trial(Verdict("match", stage="estimated"), truth, found)


def _beyond_estimate(case: Case, twin: Twin, truth: Truth, kept: Pairs, low: list[Truth]) -> Pairs:
    """What one or two runs in float32, the second with its inputs moved by a rounding, do not explain.

    The runs are left in `low`.
    """
    largest = max((float(np.abs(g).max(initial=0)) for g in truth.gradients.values()), default=0.0)
    for jitter in (None, 1):
        low.append(_low(case, twin, truth, jitter))
        doubtful = compare.estimated(kept, [compare.as_pairs(kept, run) for run in low], case.dtype, largest)
        kept = [pair for pair in kept if pair[0] in doubtful]
        if not kept:
            break
    return kept


def _low(case: Case, twin: Twin, truth: Truth, jitter: int | None) -> Truth:
    """The twin in float32; the truth itself, which says nothing, where float32 cannot run the case at all."""
    try:
        pins = None if jitter is None else truth.values
        return twin.run(case, real="float32", errors=bool(truth.errors), jitter=jitter, pins=pins)
    except CaseError:
        return truth


def _no_answer(reply: Reply) -> Verdict | None:
    """The verdict on a subject that declined, raised, or did not come to an end."""
    if reply.skipped:
        return Verdict("skipped", reply.skipped)
    if reply.timeout:
        return Verdict("timeout", reply.timeout, stage="contract", evidence=reply.evidence)
    if reply.crash:
        return Verdict("errored", reply.crash, stage="contract", evidence=reply.evidence)
    if reply.error:
        return Verdict("errored", f"the subject raised {reply.error}", stage="contract")
    return None


def _breach(breaches: list[str]) -> Verdict:
    more = f" (and {len(breaches) - 1} more)" if len(breaches) > 1 else ""
    return Verdict("errored", f"{breaches[0]}{more}", stage="contract")


def _again(case: Case, subject: Subject, twin: Twin, found: Pairs, truth: Truth) -> str:
    """What a second call with the same case returns differently."""
    reply = subject.answer(case)
    if reply.answer is None:
        reason = reply.error or reply.breach or reply.skipped or reply.timeout or reply.crash
        return f"the second call with the same case failed: {reason}"
    try:
        second = compare.pairs(reply.answer, truth)
    except KeyError as missing:
        return f"the second call with the same case returned another set of tensors: {missing}"
    apart = _apart(case, twin, truth, found, second)
    for (name, first, expected), (other, then, _) in zip(found, second, strict=False):
        if name != other or name in apart:
            shown = f"the second call with the same case returned another {name}"
            with np.errstate(all="ignore"):
                more = np.asarray(then) - first if np.shape(first) == np.shape(then) else np.nan
                added = np.allclose(more, expected, rtol=1e-3, atol=1e-6 * float(np.abs(expected).max(initial=0)))
            return shown + (": more by the gradient itself, as if it were added to the first" if added else "")
    return ""


def _apart(case: Case, twin: Twin, truth: Truth, found: Pairs, second: Pairs) -> set[str]:
    """The tensors in which two answers differ by more than rounding: sums need not be taken in the same order twice."""
    both = [(name, then, first) for (name, first, _), (_, then, _) in zip(found, second, strict=False)]
    same_shape = [pair for pair in both if np.shape(pair[1]) == np.shape(pair[2])]
    moved = {name for name, then, first in both if np.shape(then) != np.shape(first)}
    doubtful = set(compare.cheap(same_shape, case.dtype))
    if not doubtful:
        return moved
    runs = [_noisy(case, twin, truth, seed) for seed in range(RUNS)]
    kept = [(name, then, expected) for (name, then, _), (_, _, expected) in zip(both, found, strict=False)]
    kept = [pair for pair in kept if pair[0] in doubtful]
    room = compare.tolerances(kept, [compare.as_pairs(kept, run) for run in runs], case.dtype, 2 * compare.SAFE)
    return moved | {d.tensor for d in compare.suspects([p for p in same_shape if p[0] in doubtful], room)}


def _measure(case: Case, twin: Twin, truth: Truth, kept: Pairs, low: list[Truth], how: How) -> Verdict:
    """The answer against the tolerance that the case's conditioning asks for."""
    runs: list[Truth] = []
    low = [*low, _low(case, twin, truth, 2), _low(case, twin, truth, 3)]
    rough = [compare.as_pairs(kept, run) for run in low]
    for count, safe in ((FEW, compare.SAFE / 4), (RUNS, compare.SAFE)):
        runs += [_noisy(case, twin, truth, seed) for seed in range(len(runs), count)]
        tolerance = compare.tolerances(kept, [compare.as_pairs(kept, run) for run in runs], case.dtype, safe, rough)
        if not compare.suspects(kept, tolerance):
            return Verdict("match", stage="measured", worst=_worst(kept, tolerance))
        if not how.thorough and _worst(kept, tolerance) > FAR:
            break
    verdict = _decide(case, twin, truth, kept, runs, low, how)
    if how.prove and verdict.outcome in ("mismatch", "undecided") and (how.thorough or _worst(kept, tolerance) < FAR):
        runs += [_noisy(case, twin, truth, seed) for seed in range(len(runs), MANY)]
        verdict = _decide(case, twin, truth, kept, runs, low, how)
    return verdict


def _decide(
    case: Case, twin: Twin, truth: Truth, kept: Pairs, runs: list[Truth], low: list[Truth], how: How
) -> Verdict:
    """What lies beyond the spread of the noisy runs: the end of the numbers, a choice at a kink, or proof."""
    spreads = ([compare.as_pairs(kept, run) for run in many] for many in (runs, low))
    tolerance = compare.tolerances(kept, next(spreads), case.dtype, low=next(spreads))
    differences, notes = _set_aside(truth, low if case.dtype == "float32" else [], compare.suspects(kept, tolerance))
    if not differences:
        return Verdict("convention" if notes else "match", notes, stage="measured")
    if choice := at_kinks(case, twin, truth, runs, kept, tolerance, how.declared):
        return choice
    names = tuple(d.tensor for d in differences)
    verdict = Verdict("mismatch", _sentence(differences[0]), tuple(differences), "measured", suspects=names)
    return _prove(case, verdict) if how.prove else verdict


def _noisy(case: Case, twin: Twin, truth: Truth, seed: int) -> Truth:
    """A noisy run; the truth itself, which says nothing, where the noise leads out of an operator's domain."""
    try:
        return twin.run(case, noise=Noise(case.dtype, seed), pins=truth.values, errors=bool(truth.errors))
    except CaseError:
        return truth


def _worst(kept: Pairs, tolerance: dict[str, Array]) -> float:
    with np.errstate(all="ignore"):
        ratios = [np.nan_to_num(np.abs(g - t) / tolerance[name]).max(initial=0) for name, g, t in kept]
    return float(max(ratios, default=0.0))


def _sentence(d: Difference) -> str:
    got, expected = f"{d.got:.9g}", f"{d.expected:.9g}"
    if got == expected:
        got, expected = repr(float(d.got)), repr(float(d.expected))
    return f"{d.where} is {got}, but should be {expected}"


def _set_aside(truth: Truth, low: list[Truth], differences: list[Difference]) -> tuple[list[Difference], str]:
    """Without what is no mismatch: where torch itself has no number, here or for the loss, and what float32 makes of
    torch too.
    """
    left, notes = [], ""
    native = low[0] if low else None
    overflown = native is not None and any(
        x.dtype.kind == "f" and not np.isfinite(x).all() for x in (*native.values.values(), *native.gradients.values())
    )
    for d in differences:
        if overflown and not np.isfinite(d.got):
            continue  # intermediate results of this case are beyond float32, in torch too
        if not np.isfinite(d.expected) or not (np.isfinite(d.got) or np.isfinite(truth.loss)):
            notes = f"{d.where} is {d.got:.9g} where torch gives {d.expected}: a convention, no true value exists"
        elif native is None or not _alike(d.got, _entry(native, d)):
            left.append(d)
    return left, notes


def _entry(run: Truth, d: Difference) -> float:
    _, _, value = compare.as_pairs([(d.tensor, np.zeros(()), np.zeros(()))], run)[0]
    return float(value[d.index])


def _alike(got: float, native: float) -> bool:
    """Whether a float32 number is what torch computes in float32, where both may be far from the truth."""
    if np.isfinite(got) and np.isfinite(native):
        return abs(got - native) <= compare.SAFE * float(np.finfo(np.float32).eps) * abs(native)
    return not np.isfinite(got) and not np.isfinite(native)


# ---------------------------------------------------------------------------------------------------------- proof


def _prove(case: Case, verdict: Verdict) -> Verdict:
    """Ask the arbiter for the true value of the suspect entries, until one is decided."""
    reasons = []
    proven: list[Difference] = []
    for d in verdict.differences[:4]:
        try:
            ball = _true_value(case, d)
        except (Undecided, ValueError, ArithmeticError) as reason:
            reasons.append(f"{reason}")
            if not np.isfinite(d.got):  # a finite answer is part of the contract
                rest = tuple(other for other in verdict.differences if other is not d)
                return replace(verdict, reason=_sentence(d), differences=(d, *rest), stage="contract")
            continue
        d = replace(d, low=ball.low, high=ball.high)
        off, torch_off = ball.distance(d.got), ball.distance(d.expected)
        if not np.isfinite(d.got) or off > _room(d, ball, torch_off):
            proven.append(d)
            break
        if torch_off > max(d.tolerance, off):
            sentence = f"{d.where}: the true value lies in [{ball.low!r}, {ball.high!r}]; torch gives {d.expected!r}"
            return replace(verdict, outcome="torch deviates", reason=sentence, differences=(d,), stage="proved")
        reasons.append(f"{d.where}: the true value lies between the subject's and torch's")
    if proven and (told := _without_threshold(case, proven[0])):
        return replace(verdict, outcome="torch deviates", reason=told, differences=tuple(proven), stage="proved")
    if proven:
        rest = tuple(d for d in verdict.differences if d.where != proven[0].where)
        return replace(verdict, reason=_sentence(proven[0]), differences=(proven[0], *rest), stage="proved")
    return replace(verdict, outcome="undecided", reason=f"{verdict.reason}; not proven: {reasons[0]}")


def _room(d: Difference, ball: Ball, torch_off: float) -> float:
    """How far from the truth an entry must be to be wrong: beyond rounding, and beyond what torch itself is off."""
    return d.tolerance + 4 * torch_off + 1e-14 * max(abs(ball.low), abs(ball.high))


def _true_value(case: Case, d: Difference) -> Ball:
    kind, _, name = d.tensor.partition(" ")
    if d.tensor == "loss":
        return loss(case)
    if kind == "buffer":
        return buffer(case, name, d.index)
    if kind == "output":
        return output(case, name, d.index)
    if kind == "error":
        raise Undecided(f"the error signal of {name} is not a partial of an input or a parameter")
    return partial(case, d.tensor, d.index)


def _without_threshold(case: Case, d: Difference) -> str:
    """Whether the subject has the true softplus where torch switches to a line at its default threshold."""
    softplus = [n for n in case.nodes if n.op == "Softplus" and n.attrs.get("threshold", 20.0) >= 20]
    if not softplus or " " in d.tensor:
        return ""
    try:
        ball = (
            loss(case, exact_softplus=True)
            if d.tensor == "loss"
            else partial(case, d.tensor, d.index, exact_softplus=True)
        )
    except Undecided:
        return ""
    if ball.distance(d.got) > d.tolerance:
        return ""
    return (
        f"{d.where}: the subject has the true softplus; torch switches to a line above {softplus[0].name}'s threshold"
    )


# ---------------------------------------------------------------------------------------------------------- step 5


def _trial_update(case: UpdateCase, subject: Subject, prove: bool) -> Trial:
    try:
        truth = run_update(case)
    except CaseError as error:
        return Trial(Verdict("skipped", str(error)))
    reply = subject.answer(case)
    if refusal := _no_answer(reply):
        return Trial(refusal)
    answer = reply.answer
    breaches = [reply.breach] if reply.breach else compare.update_contract(case, answer)
    if breaches:
        return Trial(_breach(breaches))
    found = compare.update_pairs(answer, truth)
    if not compare.cheap(found, case.dtype):
        return Trial(Verdict("match", stage="cheap"), found=found)
    return Trial(_measure_update(case, answer, truth, found, prove), found=found)


def _measure_update(case: UpdateCase, answer: UpdateAnswer, truth: list[Tensors], found: Pairs, prove: bool) -> Verdict:
    runs = [compare.update_pairs(answer, run_update(case, Noise(case.dtype, seed))) for seed in range(RUNS)]
    tolerance = compare.tolerances(found, runs, case.dtype)
    differences = compare.suspects(found, tolerance)
    if not differences:
        return Verdict("match", stage="measured", worst=_worst(found, tolerance))
    differences.sort(key=lambda d: int(d.tensor.split()[1].rstrip(":")))  # the first wrong step is the cause
    first = differences[0]
    names = tuple(d.tensor for d in differences)
    verdict = Verdict("mismatch", _sentence(first), tuple(differences), "measured", suspects=names)
    if not prove:
        return verdict
    step, _, name = first.tensor.partition(": ")
    try:
        ball = updated(case, int(step.split()[1]) - 1, name, first.index)
    except Undecided as reason:
        return replace(verdict, outcome="undecided", reason=f"{verdict.reason}; not proven: {reason}")
    d = replace(first, low=ball.low, high=ball.high)
    if np.isfinite(d.got) and ball.distance(d.got) <= d.tolerance:
        outcome = "torch deviates" if ball.distance(d.expected) > d.tolerance else "undecided"
        return replace(verdict, outcome=outcome, differences=(d,), stage="proved")
    return replace(verdict, differences=(d, *differences[1:]), stage="proved")
