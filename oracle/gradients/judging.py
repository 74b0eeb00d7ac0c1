"""The verdict on a function: the stages of `oracle.judge`, with a measure that knows no operator's kinks, and a word of
`confirm` in place of the arbiter's proof.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from msgspec.structs import replace

from oracle import compare
from oracle.compare import Difference, Pairs, Verdict
from oracle.composites import Call
from oracle.gradients.confirm import Witness, rule
from oracle.gradients.exact import Exact
from oracle.gradients.noise import Deep
from oracle.gradients.subject import Mine, needing
from oracle.judge import How, Trial, trial
from oracle.spec import Array, Case, CaseError
from oracle.twin import Truth, Twin

FEW, RUNS, MANY = 3, 12, 48
"""Noisy runs behind a tolerance: a few with a quarter of the room, then more, then many before anything is called
wrong.
"""
JUMP, FAR = 1e-3, 1e3
"""A noisy run has jumped where it is off by more than this share of the value, and by so many times what the calm runs
are off: rounding decided something.
"""
LOST = 8.0
"""Roundings of 1 that are no mistake, if nothing more is wrong."""
PRIORITY = ("mismatch", "torch deviates", "undecided", "convention", "match")
"""Of the rulings on a case, the first of these is its verdict."""


@dataclass(frozen=True)
class Judge:
    """Judges cases of one subject."""

    subject: Mine

    def twin(self, case: Case) -> Twin:
        """The twin that computes the function by calling `like`."""
        return Twin(case, {op.op: op.call for op in self.subject.operators})

    def trial(self, case: Case, twice: bool = True, subject: Mine | None = None, light: bool = False) -> Trial:
        """A case, judged; where that is `light`, as long as one looks for a smaller case."""
        case.check()
        measure = self._lightly if light else self._measure
        found = trial(case, subject or self.subject, self.twin(case), How(twice=twice, measure=measure))
        if found.verdict.outcome in ("match", "convention") and found.found is not None and _nothing(found.found):
            told = "like gives no finite number here, neither in its value nor in its gradient"
            return Trial(Verdict("skipped", told), found.truth, found.found)
        return found

    def _measure(self, case: Case, twin: Twin, truth: Truth, kept: Pairs, low: list[Truth], how: How) -> Verdict:
        """More and more noisy runs, until rounding explains the answer, or another slope at a kink, or nothing does."""
        double = case.dtype == "float64"
        low = [*low, *(lower(case, twin, truth, jitter) for jitter in (2, 3))]
        other = low if double else [noisy(case, twin, truth, seed, "float64") for seed in (0, 1, 3)]
        runs: list[Truth] = []
        verdict = Verdict("match", stage="measured")
        for count in (FEW, RUNS, MANY):
            runs += [noisy(case, twin, truth, seed) for seed in range(len(runs), count)]
            spread = Spread(case, kept, runs, low, other)
            left = spread.suspects(truth, compare.SAFE / (4 if count == FEW else 1))
            if not left:
                return Verdict("convention" if spread.note else "match", spread.note, stage="measured")
            far = min(d.error / d.tolerance if d.tolerance else np.inf for d in left) > FAR
            if count == FEW and not (far and double):
                continue
            verdict, smooth = self._rule(case, truth, kept, runs, spread, left)
            if not verdict.failed or (far and (smooth or count == RUNS)):
                return verdict
        return verdict

    def _lightly(self, case: Case, twin: Twin, truth: Truth, kept: Pairs, low: list[Truth], how: How) -> Verdict:
        """With few runs, and slopes that are not checked."""
        runs = [noisy(case, twin, truth, seed) for seed in range(FEW)]
        spread = Spread(case, kept, runs, low, low)
        left = spread.suspects(truth, compare.SAFE)
        return (
            self._rule(case, truth, kept, runs, spread, left, True)[0] if left else Verdict("match", stage="measured")
        )

    def _rule(
        self,
        case: Case,
        truth: Truth,
        kept: Pairs,
        runs: list[Truth],
        spread: "Spread",
        left: list[Difference],
        light: bool = False,
    ) -> tuple[Verdict, bool]:
        """The verdict, and whether the point is a smooth one."""
        names = tuple(d.tensor for d in left)
        got = {name: g for name, g, _ in kept}
        witness = Witness(needing(self.subject, case), truth, got, runs, spread.jumped, light)
        rulings = [(rule(d, witness), d) for d in (left[:1] if light else left)]
        ruling, d = min(rulings, key=lambda pair: PRIORITY.index(pair[0].word))
        if ruling.word != "mismatch":
            shown = () if ruling.word in ("match", "convention") else (d,)
            return Verdict(ruling.word, ruling.told, shown, "measured"), False
        if not light and (told := self._deviates(case, kept, spread)):
            return Verdict("torch deviates", f"{_sentence(d)}; {told}", (d,), "measured"), False
        if all(_digits_lost(case, each) for each in left):
            told = f"{_sentence(d)}: digits are lost, within {LOST:g} roundings of 1, as in exp(x) - 1 for expm1(x)"
            return Verdict("undecided", told, (d,), "measured"), False
        first = replace(d, low=ruling.low, high=ruling.high)
        rest = tuple(other for r, other in rulings if other is not d and r.word == "mismatch")
        told = f"{_sentence(d)} ({ruling.told})"
        return Verdict("mismatch", told, (first, *rest), "proved", suspects=names), ruling.smooth

    def _deviates(self, case: Case, kept: Pairs, spread: "Spread") -> str:
        """Whether the answer is right by the exact forms of torch's functions, and which these are."""
        mode = Exact()

        def exactly(call: Call) -> Call:
            def run(*x: Any) -> Any:
                with mode:
                    return call(*x)

            return run

        twin = Twin(case, {op.op: exactly(op.call) for op in self.subject.operators})
        try:
            beside = compare.as_pairs(kept, twin.run(case))
        except CaseError:
            return ""
        room = {name: spread.tolerance(name, expected, compare.SAFE) for name, _, expected in beside}
        if not mode.met or compare.suspects(beside, room):
            return ""
        return f"torch's {' and '.join(sorted(mode.met))} is not exact here, and mine is"


def _digits_lost(case: Case, d: Difference) -> bool:
    """Whether an entry is off by no more than a few roundings of 1, in units of the largest cotangent: exp(x) − 1 is
    nobody's mistake, though expm1(x) has more digits.
    """
    cotangents = [case.inputs[node.inputs[1]] for node in case.nodes if node.op == "Dot"]
    largest = max(float(np.abs(c).max(initial=0)) for c in cotangents)
    scale = 1.0 if d.tensor.startswith("output ") else largest
    return bool(d.error <= LOST * float(np.finfo(case.dtype).eps) * scale)


def _nothing(found: Pairs) -> bool:
    """Whether there was nothing to compare: entries, and none of them finite."""
    sized = [expected for _, _, expected in found if expected.size]
    return bool(sized) and not any(np.isfinite(x).any() for x in sized)


def _sentence(d: Difference) -> str:
    got, expected = f"{d.got:.9g}", f"{d.expected:.9g}"
    if got == expected:
        got, expected = repr(float(d.got)), repr(float(d.expected))
    return f"{d.where} is {got}, but should be {expected}"


def lower(case: Case, twin: Twin, truth: Truth, jitter: int) -> Truth:
    """A run in float32 of inputs moved by a rounding; the truth, which says nothing, where there can be none."""
    try:
        return twin.run(case, real="float32", jitter=jitter)
    except CaseError:
        return truth


def noisy(case: Case, twin: Twin, truth: Truth, seed: int, dtype: str = "") -> Truth:
    """A run with rounding noise; the truth, which says nothing, where there can be none."""
    try:
        return twin.run(case, noise=Deep(dtype or case.dtype, seed))
    except CaseError:
        return truth


class Spread:
    """How far rounding moves every entry of a case, apart from what it decides.

    A decision is told from noise by the other precision: noise grows and shrinks with the roundings, a jump does not.
    """

    def __init__(self, case: Case, kept: Pairs, runs: list[Truth], low: list[Truth], other: list[Truth]) -> None:
        self.case, self.kept, self.runs, self.low = case, kept, runs, low
        self.eps, self.tiny = (float(getattr(np.finfo(case.dtype), name)) for name in ("eps", "tiny"))
        self.note = ""
        self.jumped: dict[str, Array] = {}
        self.mean: dict[str, Array] = {}
        moved = [compare.as_pairs(kept, run) for run in runs]
        rough = [compare.as_pairs(kept, run) for run in low]
        scaled = [compare.as_pairs(kept, run) for run in other]
        with np.errstate(all="ignore"):
            for k, (name, _, expected) in enumerate(kept):
                self._tensor(name, expected, *([run[k][2] for run in many] for many in (moved, rough, scaled)))

    def _tensor(self, name: str, expected: Array, moved: list[Array], rough: list[Array], scaled: list[Array]) -> None:
        values = np.nan_to_num(np.stack(moved), nan=np.inf)
        off = np.abs(values - expected)
        awake = off[[seed % 3 != 2 for seed in range(len(moved))]]
        calm = np.sort(awake, axis=0)[len(awake) // 4] + self.eps * np.abs(expected) + self.tiny
        theirs = float(np.finfo("float32" if self.case.dtype == "float64" else "float64").eps)
        elsewhere = np.nan_to_num(np.abs(np.stack(scaled) - expected), nan=0, posinf=0).max(0)
        calm = np.maximum(calm, elsewhere * (self.eps / theirs))
        jumps = (off > JUMP * np.maximum(np.abs(values), np.abs(expected))) & (off > FAR * calm)
        self.jumped[name] = jumps.any(0) & (~jumps).any(0)
        counted = np.where(jumps & self.jumped[name], 0.0, off)
        lost = np.nan_to_num(np.abs(np.stack(rough) - expected), nan=0, posinf=0)
        ratio = self.eps / float(np.finfo(np.float32).eps)
        if ratio == 1:
            lost = np.where(self.jumped[name] & (lost > FAR * calm), 0.0, lost)
        self.mean[name] = counted.mean(0) + ratio * lost.mean(0)

    def tolerance(self, name: str, expected: Array, safe: float) -> Array:
        """`safe` mean deviations, and a few units in the last place."""
        room = safe * (self.mean[name] + self.tiny) + 4 * self.eps * np.abs(expected)
        return np.where(np.isnan(room), np.inf, room)

    def suspects(self, truth: Truth, safe: float) -> list[Difference]:
        """The worst entry of every tensor that rounding does not explain, worst first."""
        tolerance = {name: self.tolerance(name, expected, safe) for name, _, expected in self.kept}
        beside = [(name, *self._set_aside(k, name, got, want, truth)) for k, (name, got, want) in enumerate(self.kept)]
        return compare.suspects(beside, tolerance)

    def _set_aside(self, k: int, name: str, got: Array, expected: Array, truth: Truth) -> tuple[Array, Array]:
        """Without the entries that are no mismatch: where torch has no number, or float32 has none for torch either."""
        with np.errstate(all="ignore"):
            none = ~np.isfinite(expected) | ~(np.isfinite(got) | np.isfinite(truth.loss))
            apart = none & ~((got == expected) | (np.isnan(got) & np.isnan(expected)))
            if apart.any():
                at = tuple(int(i) for i in np.argwhere(apart)[0])
                where = Difference(name, at, 0.0, 0.0, 0.0).where
                self.note = f"{where} is {got[at]:.9g} where torch gives {expected[at]}: no true value exists"
            if self.case.dtype == "float32":
                none = none | self._as_in_float32(k, got)
        return np.where(none, 0.0, got), np.where(none, 0.0, expected)

    def _as_in_float32(self, k: int, got: Array) -> Array:
        """Where torch's own answer in float32 is what was returned, or overflows too."""
        native = compare.as_pairs(self.kept, self.low[0])[k][2].astype(float)
        unit = compare.SAFE * float(np.finfo(np.float32).eps)
        alike: Any = np.abs(got - native) <= unit * np.abs(native)
        over = any(x.dtype.kind == "f" and not np.isfinite(x).all() for x in self._everything(self.low[0]))
        return np.where(np.isfinite(got), alike, ~np.isfinite(native) | over)

    def _everything(self, run: Truth) -> list[Array]:
        return [*run.values.values(), *run.gradients.values()]
