"""What there is to tell about each fault of the catalogue: the wrong line, and the smallest numbers that show it.

The worked example is found, not written: cases of an operator are drawn until the hypothesis foretells other numbers
than autograd, and shrunk while it does. For a fault without a hypothesis the bug is planted in the reference and
its answer taken. The same catalogue gives the same pages.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from random import Random

import numpy as np

from oracle.arbiter import FORMULAS
from oracle.architectures import LOSSES, PROFILES, UNITS, Profile, architecture
from oracle.compare import Difference, Verdict
from oracle.draws import Stream, update_case, values
from oracle.faults import FAULTS, Fault
from oracle.hypotheses import HYPOTHESES, Evidence
from oracle.hypotheses.hypothesis import SURE
from oracle.kinks import exactly_at
from oracle.probes import MOVES
from oracle.records import Finding, Line, Stop
from oracle.seeds import SEEDS
from oracle.shrink import finite, isolate, shrink, shrink_update
from oracle.spec import Answer, AnyCase, Array, Case, CaseError, Node, Tensors, UpdateCase
from oracle.twin import Twin, run_update

VISIBLE, LEAST = 1e-2, 1e-12
"""How far off an example should be, relative to the largest entry; and how far it has to be."""
DRAWN, BUDGET = 24, 250
"""Cases of one operator that are looked at, and trials of a shrinking."""

Numbers = Tensors | list[Tensors]
"""What an answer holds; for step 5, after each step."""
Wrong = Callable[[AnyCase], Iterator[Numbers]]
"""What the fault makes of a case, in every form that it has."""


@dataclass(frozen=True)
class Explanation:
    """All that a page says of a fault."""

    fault: Fault
    operators: tuple[str, ...]
    """The operators, or optimizers, that can have it; none if it is in no one of them."""
    example: Finding | None
    """The smallest case, with right and wrong numbers."""
    confused: tuple[Fault, ...]
    """Faults of the same family and part that give the same numbers on the example."""
    seeds: int
    """In how many forms `oracle mutation` plants it."""
    planted: bool = False
    """Whether the wrong numbers of the example are those of the planted bug, and not of the hypothesis."""


@lru_cache(None)
def explanation(code: str) -> Explanation:
    """The page of a fault; raises KeyError for a code that is none."""
    fault, h = FAULTS[code], HYPOTHESES.get(code)
    seeds = [s for s in SEEDS if s.code == code]
    if h is None:
        operators = _in_order({op for s in seeds for op in s.ops.split()})
        wrong, drawn = _planted(code), _streamed(code)
    elif h.rule is not None:
        operators, wrong, drawn = _in_order(h.ops), _ruled(code), [_updates(op) for op in _in_order(h.ops)]
    else:
        operators, wrong, drawn = _operators(code), _foretold(code), _cases(code)
    case = None if fault.part == "contract" else _smallest(drawn, wrong)
    example = None if case is None else _finding(fault, case, next(_off(case, wrong(case))))
    confused = () if case is None else tuple(_confused(fault, case, wrong))
    return Explanation(fault, operators, example, confused, len(seeds), h is None and case is not None)


# -------------------------------------------------------------------------------------------------- right and wrong


def _right(case: AnyCase) -> Numbers:
    return run_update(case) if isinstance(case, UpdateCase) else Evidence(case, {}, set()).right


def _foretold(code: str) -> Wrong:
    """Autograd's numbers with the fault at every node that can have it."""
    h = HYPOTHESES[code]

    def wrong(case: AnyCase) -> Iterator[Numbers]:
        assert isinstance(case, Case)
        e = Evidence(case, {}, set())
        nodes = [] if h.everywhere else [n for n in case.nodes if h.applies(n)]
        if nodes or h.everywhere:
            yield from h.predict(e, nodes)

    return wrong


def _ruled(code: str) -> Wrong:
    """The parameters after each step, by the wrong rule."""
    h = HYPOTHESES[code]

    def wrong(case: AnyCase) -> Iterator[Numbers]:
        if isinstance(case, UpdateCase) and h.rule is not None:
            yield h.rule(case)

    return wrong


def _planted(code: str) -> Wrong:
    """What the reference with the bug returns."""
    seeds = [s for s in SEEDS if s.code == code]

    def wrong(case: AnyCase) -> Iterator[Numbers]:
        for seed in seeds if isinstance(case, Case) else ():
            answer = seed.plant().call(case)
            if isinstance(answer, Answer):
                yield {name: np.asarray(x) for name, x in answer.gradients.items()} | {"loss": np.asarray(answer.loss)}

    return wrong


def _off(case: AnyCase, forms: Iterable[Numbers], least: float = LEAST) -> Iterator[Numbers]:
    """The forms that are off by at least so much, relative to the largest entry of each tensor."""
    right = _parts(_right(case))
    for form in forms:
        wrong = _parts(form) if form is not None else {}
        if all(x.shape == right[name].shape for name, x in wrong.items()) and any(
            _far(right[name], x) >= least for name, x in wrong.items()
        ):
            yield form


def _far(right: Array, wrong: Array) -> float:
    right, wrong = np.asarray(right, float), np.asarray(wrong, float)
    if not np.isfinite(right).all() or not right.size:
        return 0.0
    if not np.isfinite(wrong).all():
        return np.inf
    scale = max(float(np.abs(right).max()), float(np.abs(wrong).max()))
    return float(np.abs(right - wrong).max()) / scale if scale else 0.0


def _parts(numbers: Numbers) -> Tensors:
    """Every tensor by its name in a report."""
    if isinstance(numbers, dict):
        return numbers
    return {f"step {k}: {name}": x for k, tensors in enumerate(numbers, 1) for name, x in tensors.items()}


# ------------------------------------------------------------------------------------------------------ the example


def _smallest(drawn: Iterable[Sequence[AnyCase]], wrong: Wrong) -> AnyCase | None:
    """The smallest case of the first group in which any shows the fault, shrunk; one that shows it well, if any does."""

    def shows(case: AnyCase, least: float) -> bool:
        try:
            with np.errstate(all="ignore"):
                return not _on_a_kink(case) and next(_off(case, wrong(case), least), None) is not None
        except SURE:
            return False

    groups = list(drawn)
    for least, group in ((least, group) for least in (VISIBLE, LEAST) for group in groups):
        if showing := [case for case in group if shows(case, least)]:
            case = min(showing, key=_size)
            if isinstance(case, UpdateCase):
                return shrink_update(case, lambda c: shows(c, least), BUDGET)  # noqa: B023  (called at once)
            return shrink(case, lambda c: shows(c, least), BUDGET)  # noqa: B023
    return None


def _size(case: AnyCase) -> int:
    if isinstance(case, UpdateCase):
        return len(case.gradients)
    return 4 * len(case.nodes) + sum(x.size for x in (*case.inputs.values(), *case.parameters.values()))


def _on_a_kink(case: AnyCase) -> bool:
    """Whether some number lies where there is no derivative: no place for a lesson."""
    if isinstance(case, UpdateCase):
        return False
    found = Twin(case).run(case).values
    return any(exactly_at(node, [found[name] for name in node.inputs]).any() for node in case.nodes)


PLAIN = replace(
    PROFILES["standard"], depth=(1, 1), widths=(1, 2, 2, 3, 4), batches=(1, 2, 2, 3),
    regimes=("small", "small", "halves", "saturating"),
)  # fmt: skip
"""Small nets with small numbers."""


@lru_cache(None)
def _alone(op: str) -> tuple[Case, ...]:
    """Cases of an operator alone."""
    random, found = Random(f"explain {op}"), []
    for _ in range(4 * DRAWN):
        case = _drawn(random, _focused(op))
        nodes = [n for n in case.nodes if n.op == op]
        if nodes:
            try:
                alone = isolate(case, Twin(case).run(case, errors=True), nodes[0])
            except CaseError:
                continue
            found += [alone] if finite(alone) else []
        if len(found) == DRAWN:
            break
    return tuple(found)


def _focused(op: str) -> Profile:
    moves = MOVES.get(op, ("unit",) if op in UNITS else ("linear",))
    units, losses = (op,) if op in UNITS else (), (op,) if op in LOSSES else ()
    return replace(PLAIN, moves=moves, units=units, losses=losses)


@lru_cache(None)
def _nets() -> tuple[Case, ...]:
    """Small nets, for faults of more than one operator; later ones are deeper."""
    random = Random("explain nets")
    return tuple(_drawn(random, replace(PLAIN, depth=(1, 2 + k // 30))) for k in range(120))


def _drawn(random: Random, profile: Profile) -> Case:
    return values(architecture(random, profile), random.randrange(2**32), "float64", profile.regimes)


@lru_cache(None)
def _operators(code: str) -> tuple[str, ...]:
    """The operators at which a fault can be."""
    h = HYPOTHESES[code]
    if h.everywhere:
        return ()
    return _in_order(op for op in FORMULAS if any(h.applies(n) for n in _nodes(op)))


FAMILIAR = (
    "Sigmoid", "Tanh", "ReLU", "LeakyReLU", "Linear", "Softmax", "HalfSquaredError", "MSELoss", "CrossEntropyLoss",
    "Add", "Multiply", "SGD", "Adam",
)  # fmt: skip
"""The operators that a student has met: examples are looked for in these first."""


def _in_order(ops: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(ops, key=lambda op: (FAMILIAR.index(op) if op in FAMILIAR else len(FAMILIAR), op)))


@lru_cache(None)
def _nodes(op: str) -> tuple[Node, ...]:
    return tuple(n for case in _alone(op) for n in case.nodes if n.op == op)


def _cases(code: str) -> list[Sequence[Case]]:
    """Its operators, each alone; then whole nets, for a fault of several nodes."""
    return [*(_alone(op) for op in _operators(code)), _nets()]


@lru_cache(None)
def _updates(op: str) -> tuple[UpdateCase, ...]:
    random = Random(f"explain {op}")
    return tuple(update_case(random, "float64", op) for _ in range(DRAWN))


def _streamed(code: str) -> list[Sequence[AnyCase]]:
    """What the seeds of a fault are looked for with."""
    profiles = dict.fromkeys(s.profile for s in SEEDS if s.code == code)
    streams = [Stream(0, dtype, profile) for profile in profiles for dtype in ("float64", "float32")]
    return [[stream[k] for k in range(60)] for stream in streams]


def _finding(fault: Fault, case: AnyCase, wrong: Numbers) -> Finding:
    """The example as a finding, for the tables and the drawing of a report."""
    lines = [_line(name, x, _parts(wrong).get(name)) for name, x in _parts(_right(case)).items()]
    worst = max((line for line in lines if line.got is not None), key=lambda line: _far(line.expected, line.got))
    with np.errstate(all="ignore"):
        off = np.nan_to_num(np.abs(worst.got - worst.expected), nan=np.inf)
    at = tuple(int(k) for k in np.unravel_index(int(np.argmax(off)), off.shape))
    d = Difference(worst.tensor, at, float(worst.expected[at]), float(np.asarray(worst.got)[at]), 0.0)
    return Finding(
        sentence=fault.name,
        verdict=Verdict("mismatch", fault.name, (d,)),
        case=case,
        case_id=case.id,
        found_in="the catalogue",
        backward=tuple(_stops(fault, case, lines)),
    )


def _line(name: str, right: Array, wrong: Array | None) -> Line:
    if wrong is None:
        return Line(name, "not returned", right)
    off = _far(right, wrong) >= LEAST
    return Line(name, "wrong" if off else "right", right, np.asarray(wrong) if off else right)


def _stops(fault: Fault, case: AnyCase, lines: list[Line]) -> Iterator[Stop]:
    if isinstance(case, UpdateCase):
        for k in range(1, len(case.gradients) + 1):
            own = tuple(line for line in lines if line.tensor.startswith(f"step {k}: "))
            bad = any(line.status == "wrong" for line in own)
            yield Stop(f"step {k}", case.op, (), "wrong" if bad else "right", own)
        return
    h = HYPOTHESES.get(fault.code)
    for node in reversed(case.nodes):
        guilty = h is not None and not h.everywhere and h.applies(node)
        shown = tuple(lines) if node is case.nodes[-1] else ()
        yield Stop(node.name, node.op, node.inputs, "wrong" if guilty else "right", shown)


def _confused(fault: Fault, case: AnyCase, wrong: Wrong) -> Iterator[Fault]:
    """Faults of the same family and part that foretell the same numbers."""
    mine = _parts(next(_off(case, wrong(case))))
    for other in FAULTS.values():
        if other.family != fault.family or other.part != fault.part or other is fault or other.code not in HYPOTHESES:
            continue
        theirs = _ruled(other.code) if isinstance(case, UpdateCase) else _foretold(other.code)
        if isinstance(case, UpdateCase) and case.op not in HYPOTHESES[other.code].ops:
            continue
        try:
            if any(_same(mine, _parts(form)) for form in _off(case, theirs(case))):
                yield other
        except SURE:
            continue


def _same(mine: Tensors, theirs: Tensors) -> bool:
    return all(_far(x, theirs[name]) < LEAST for name, x in mine.items() if name in theirs)
