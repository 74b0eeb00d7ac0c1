"""What the oracle finds in a framework: its slopes at kinks, and every operator that disagrees when it stands alone.

    survey(name, cases)   the first cases of a seed, judged; what fails is taken apart, operator by operator, and of
                          each disagreement the smallest case is kept, shrunk, and written as a script

Equal versions give equal surveys.
"""

import importlib
import math
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from multiprocessing import get_context
from typing import Any, Literal

import numpy as np

from oracle.analysis import pattern, size
from oracle.catalogue import Subgradients, subgradients
from oracle.check import set_threads
from oracle.compare import Difference, Verdict
from oracle.draws import Stream
from oracle.frameworks import NAMES
from oracle.frameworks.known import CAUSES, UPSTREAM, told
from oracle.judge import How, judge
from oracle.kinks import RESIDUAL
from oracle.shrink import finite, isolate, shrink, shrink_update
from oracle.spec import AnyCase, Case, CaseError, Node, UpdateCase
from oracle.subjects import Subject, wrap
from oracle.twin import Twin

Kind = Literal["NaN or infinity", "wrong value", "digits lost", "raises"]
KINDS: tuple[Kind, ...] = ("NaN or infinity", "wrong value", "digits lost", "raises")
"""What matters first. Digits are lost where `DIGITS` or more are right, or the error is within `ROUNDINGS` of 1."""
DIGITS, ROUNDINGS = 3.0, 4.0
DTYPES = ("float64", "float32")
QUICK = How(prove=False, twice=False, thorough=False)


@dataclass(frozen=True)
class Slope:
    """What a framework takes for the slope at a kink, where it is not torch's."""

    at: Subgradients
    got: float

    @property
    def valid(self) -> bool:
        """Whether it is a subgradient."""
        low, high = self.at.valid
        room = 1e-9 * max(abs(low), abs(high))
        return low - room <= self.got <= high + room


@dataclass(frozen=True)
class Disagreement:
    """One operator's answer that is not the true one, in the smallest case that shows it."""

    op: str
    kind: Kind
    tensor: str
    """"value", or that whose gradient, statistic or step it is, as torch.nn calls it."""
    dtype: str
    count: int
    """In how many cases it was found."""
    case: AnyCase
    verdict: Verdict
    digits: float
    """How many digits are right, of the largest entry."""
    script: str
    printed: str
    cause: str = ""
    upstream: str = ""

    @property
    def difference(self) -> Difference | None:
        """The entry that is shown."""
        return _worst(self.verdict)

    @property
    def got(self) -> float:
        """The framework's number."""
        return self.difference.got if self.difference else math.nan

    @property
    def true(self) -> float:
        """The true one, proven where it could be."""
        return _true(self.difference) if self.difference else math.nan


@dataclass(frozen=True)
class Survey:
    """What was found in one framework."""

    name: str
    versions: dict[str, str]
    own: tuple[str, ...]
    """Operators that it has; `composed` are written in its primitives."""
    composed: tuple[str, ...]
    tally: dict[str, dict[str, int]]
    """dtype -> outcome -> cases."""
    slopes: tuple[Slope, ...]
    disagreements: tuple[Disagreement, ...]
    together: dict[str, str] = field(default_factory=dict)
    """Cases that fail though no operator in them fails alone: where -> reason."""
    declined: dict[str, int] = field(default_factory=dict)
    """Reasons why cases were skipped."""
    setting: str = ""
    """The environment that the scripts want."""


@dataclass(frozen=True)
class _Witness:
    op: str
    tensor: str
    finite: bool
    case: AnyCase
    verdict: Verdict


PLAN = {"tinygrad": (64, 12), "jax": (100, 40), "mygrad": (1500, 150), "autograd": (1500, 150)}
"""How many cases of each dtype, and how many trials to make a finding smaller, by the speed of the framework."""


def surveys(names: Sequence[str], cases: int | None = None, jobs: int = 1) -> list[Survey]:
    """The survey of each framework in a process of its own, the slow ones first."""
    with ProcessPoolExecutor(jobs, get_context("spawn"), set_threads, max_tasks_per_child=1) as pool:
        waiting = {
            name: pool.submit(survey, name, cases or PLAN[name][0], PLAN[name][1]) for name in PLAN if name in names
        }
        return [waiting[name].result() for name in names]


def survey(name: str, cases: int, budget: int = 150, seed: int = 0) -> Survey:
    """The survey of one framework: `cases` of each dtype, and so many trials to make each finding smaller."""
    module = importlib.import_module(NAMES[name].split(":")[1])
    subject = replace(wrap(module.backprop, name), conventions={})
    tally: dict[str, dict[str, int]] = {}
    groups: dict[tuple[str, ...], list[_Witness]] = {}
    together: dict[str, str] = {}
    declined: Counter[str] = Counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for dtype in DTYPES:
            found: Counter[str] = Counter()
            for where, case in _cases(seed, dtype, cases, subject):
                verdict = judge(case, subject, how=How(prove=True, twice=False))
                found[verdict.outcome] += 1
                if verdict.outcome == "skipped":
                    declined[verdict.reason] += 1
                if verdict.failed:
                    alone = list(_alone(case, verdict, subject))
                    for w in alone:
                        groups.setdefault((w.op, w.tensor, dtype, str(w.finite)), []).append(w)
                    if not alone:
                        together[where] = verdict.reason
            tally[dtype] = dict(sorted(found.items()))
        disagreements = [_disagreement(its, subject, module, budget) for its in groups.values()]
        slopes = tuple(_slopes(subject))
    return Survey(
        name, _versions(name), tuple(sorted(module.OWN)), tuple(sorted(set(module.TABLE) - set(module.OWN))), tally,
        slopes, tuple(sorted(_merged(disagreements), key=_importance)), together, dict(sorted(declined.items())),
        module.SCRIPT.setting,
    )  # fmt: skip


def _cases(seed: int, dtype: str, cases: int, subject: Subject) -> Iterator[tuple[str, AnyCase]]:
    stream = Stream(seed, dtype, supports=subject.supports)
    for k in range(cases):
        case = stream[k]
        if isinstance(case, Case) or subject.update:
            yield f"case {k} of seed {seed}, {dtype}", case


def _versions(name: str) -> dict[str, str]:
    return {package: version(package) for package in (name, "numpy", "torch")}


def _importance(d: Disagreement) -> tuple[Any, ...]:
    return (KINDS.index(d.kind), d.digits if math.isfinite(d.digits) else 0.0, d.op, d.tensor, d.dtype)


def _merged(found: Sequence[Disagreement]) -> list[Disagreement]:
    """One for each operator, kind, tensor and dtype, the smallest."""
    groups: dict[tuple[str, ...], list[Disagreement]] = {}
    for d in found:
        groups.setdefault((d.op, d.kind, d.tensor, d.dtype), []).append(d)
    return [replace(min(its, key=lambda d: size(d.case)), count=sum(d.count for d in its)) for its in groups.values()]


# ---------------------------------------------------------------------------------------------------- what fails alone


def _alone(case: AnyCase, verdict: Verdict, subject: Subject) -> Iterator[_Witness]:
    """The operators that fail alone, each on its true inputs and error signal."""
    if isinstance(case, UpdateCase):
        yield _witness(case.op, case, verdict)
        return
    truth = Twin.of(case).run(case, errors=True)
    for node in case.nodes:
        try:
            alone = isolate(case, truth, node)
            found = judge(alone, subject, how=QUICK) if finite(alone) else Verdict("match")
        except CaseError:
            continue
        if found.failed:
            yield _witness(node.op, alone, found)


def _witness(op: str, case: AnyCase, verdict: Verdict) -> _Witness:
    d = _worst(verdict)
    return _Witness(op, _role(case, d, verdict.suspects), d is None or math.isfinite(d.got), case, verdict)


def _worst(verdict: Verdict) -> Difference | None:
    """What is not finite first."""
    return min(verdict.differences, key=lambda d: math.isfinite(d.got), default=None)


def _role(case: AnyCase, d: Difference | None, suspects: Sequence[str]) -> str:
    """What the tensor is to its operator; the gradient of a cotangent c is the value again."""
    wrong_value = "loss" in suspects
    if d is None or isinstance(case, UpdateCase):
        return "step" if d else ""
    end = case.nodes[-1]
    multiplied = end.op == "Dot" and len(case.nodes) > 1 and d.tensor == end.inputs[1]
    if d.tensor == "loss" or (multiplied and (wrong_value or case.inputs[d.tensor].ndim)):
        return "value"
    if multiplied:
        return "c"
    inputs = dict(zip(case.nodes[0].inputs, ("x", "t"), strict=False))
    return inputs.get(d.tensor, d.tensor.rpartition(".")[2])


# ------------------------------------------------------------------------------------------------------ made smaller


def _disagreement(group: list[_Witness], subject: Subject, module: Any, budget: int) -> Disagreement:
    """The smallest case of a group, shrunk and proven."""
    first = min(group, key=lambda w: size(w.case))
    fails = _alike(first, subject)
    small: Any = first.case
    small = shrink_update(small, fails, budget) if isinstance(small, UpdateCase) else shrink(small, fails, budget)
    verdict = judge(small, subject, how=How(twice=False))
    if not verdict.failed:
        small, verdict = first.case, judge(first.case, subject, how=How(twice=False))
    d = _worst(verdict)
    digits = _digits(small, d) if d else math.nan
    shown = isinstance(small, UpdateCase) or d is not None
    text = module.SCRIPT.of(small, d.tensor if d else "", d.index if d else ()) if shown else ""
    kind, tensor = _kind(d, digits, small.dtype), _role(small, d, verdict.suspects)
    why, upstream = (told(about, subject.name, first.op, kind, tensor) for about in (CAUSES, UPSTREAM))
    return Disagreement(
        first.op, kind, tensor, small.dtype, len(group), small, verdict, digits,
        text, module.SCRIPT.printed(text) if text else "", why, upstream,
    )  # fmt: skip


def _alike(first: _Witness, subject: Subject) -> Callable[[Any], bool]:
    """Whether a candidate fails as the first case did, in the same operator."""

    def fails(candidate: AnyCase) -> bool:
        if isinstance(candidate, Case) and candidate.nodes[0].op != first.op:
            return False
        found = judge(candidate, subject, how=QUICK)
        w = _witness(first.op, candidate, found)
        same = found.outcome == first.verdict.outcome and (w.tensor, w.finite) == (first.tensor, first.finite)
        return same and (bool(found.differences) or pattern(found.reason) == pattern(first.verdict.reason))

    return fails


def _scale(case: AnyCase, d: Difference) -> float:
    """The largest entry of the true tensor; of a value or a step, the entry itself."""
    true = abs(_true(d))
    if isinstance(case, Case) and d.tensor in case.wanted():
        true = max(true, float(np.abs(Twin.of(case).run(case).gradients[d.tensor]).max(initial=0)))
    return true


def _true(d: Difference) -> float:
    return d.expected if d.low is None or d.high is None else (d.low + d.high) / 2


def _digits(case: AnyCase, d: Difference) -> float:
    """How many digits are right, of the largest entry."""
    error, scale = abs(d.got - _true(d)), _scale(case, d)
    return 0.0 if not error < scale else -math.log10(error / scale) if error else math.inf


def _kind(d: Difference | None, digits: float, dtype: str) -> Kind:
    if d is None:
        return "raises"
    if not math.isfinite(d.got):
        return "NaN or infinity"
    harmless = abs(d.got - _true(d)) <= ROUNDINGS * float(np.finfo(dtype).eps)
    return "digits lost" if harmless or digits >= DIGITS else "wrong value"


# ------------------------------------------------------------------------------------------------- slopes at kinks


def _slopes(subject: Subject) -> Iterator[Slope]:
    """Every kink of an operator that the framework does otherwise than torch."""
    for at in subgradients():
        case = _at_kink(at)
        if at.op not in (subject.supports or ()) or case is None:
            continue
        reply = subject.answer(case).answer
        got = math.nan if reply is None else float(reply.gradients["x"][0, 0])
        if not abs(got - at.torch) <= 1e-6 * max(map(abs, at.valid)):
            yield Slope(at, got)


def _at_kink(at: Subgradients) -> Case | None:
    """One entry on a kink; None for an operator whose case needs more than an input."""
    x, one = np.array([[float(at.at)]]), np.array([[1.0]])
    inputs = {"x": x}
    attrs = dict(at.attrs)
    parameters = {}
    if at.op in RESIDUAL:
        node = Node("n", at.op, ("x", "t"), attrs | {"reduction": "none"})
        inputs["t"] = x * 0
    elif at.op == "RReLU":
        node = Node("n", at.op, ("x", "slopes"), attrs)
        inputs["slopes"] = one * 0.25
    elif at.op == "PReLU":
        node, parameters = Node("n", at.op, ("x",), {}), {"n.weight": np.array([attrs["init"]])}
    else:
        node = Node("n", at.op, ("x",), attrs)
    return Case(
        nodes=(node, Node("loss", "Dot", ("n", "c"))), inputs=inputs | {"c": one}, parameters=parameters, training=False
    )
