"""What there is to tell about each fault of the catalogue: the wrong line, and the smallest numbers that show it.

The worked example is found, not written: cases of an operator are drawn until the hypothesis foretells other numbers
than autograd, and shrunk while it does. For a fault without a hypothesis the bug is planted in the reference and
its answer taken. The same catalogue gives the same pages.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from itertools import islice
from random import Random

import numpy as np

from oracle.arbiter import FORMULAS
from oracle.architectures import LOSSES, PROFILES, UNITS, Profile, architecture
from oracle.compare import Verdict
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
"""How far off an example should be, relative to the largest entry, or to 0.1; and how far it has to be."""
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
    fault, seeds = FAULTS[code], [s for s in SEEDS if s.code == code]
    found = None if fault.part == "contract" else next(_examples(code), None)
    if found is None:
        return Explanation(fault, operators(code), None, (), len(seeds))
    case, wrong, planted = found
    numbers = next(_off(case, wrong(case)))
    confused = tuple(_confused(fault, case, numbers))
    return Explanation(fault, operators(code), _finding(fault, case, numbers), confused, len(seeds), planted)


def _examples(code: str) -> Iterator[tuple[AnyCase, Wrong, bool]]:
    """The smallest case by the hypothesis; else by the planted bug; and what makes the wrong numbers."""
    h = HYPOTHESES.get(code)
    if h is not None:
        wrong = _ruled(code) if h.rules else _foretold(code)
        if (case := _smallest(code, _drawn, wrong)) is not None:
            yield case, wrong, False
    if (case := _smallest(code, _streamed, _planted(code))) is not None:
        yield case, _planted(code), True


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
        if isinstance(case, UpdateCase):
            yield from (rule(case) for rule in h.rules)

    return wrong


def _planted(code: str) -> Wrong:
    """What the reference with the bug returns."""
    seeds = [s for s in SEEDS if s.code == code]

    def wrong(case: AnyCase) -> Iterator[Numbers]:
        for seed in seeds if isinstance(case, Case) else ():
            assert isinstance(case, Case)
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
    scale = max(float(np.abs(right).max()), float(np.abs(wrong).max()), 0.1)
    return float(np.abs(right - wrong).max()) / scale


def _parts(numbers: Numbers) -> Tensors:
    """Every tensor by its name in a report."""
    if isinstance(numbers, dict):
        return numbers
    return {f"step {k}: {name}": x for k, tensors in enumerate(numbers, 1) for name, x in tensors.items()}


# ------------------------------------------------------------------------------------------------------ the example


def _smallest(code: str, drawn: Callable[[str], Iterator[Sequence[AnyCase]]], wrong: Wrong) -> AnyCase | None:
    """The smallest case of the first group in which any shows the fault, shrunk; visibly, if any does.

    A wrong line can be read in several ways, of which the first comes first.
    """

    def shows(case: AnyCase, least: float, forms: int | None) -> bool:
        try:
            with np.errstate(all="ignore"):
                return _sensible(case) and next(_off(case, islice(wrong(case), forms), least), None) is not None
        except SURE:
            return False

    tries = ((least, group, forms) for least in (VISIBLE, LEAST) for group in drawn(code) for forms in (1, None))
    for least, group, forms in tries:
        if showing := [case for case in group if shows(case, least, forms)]:
            case, fails = min(showing, key=_size), partial(shows, least=least, forms=forms)
            return shrink_update(case, fails, BUDGET) if isinstance(case, UpdateCase) else shrink(case, fails, BUDGET)
    return None


def _size(case: AnyCase) -> float:
    if isinstance(case, UpdateCase):
        return len(case.gradients)
    tensors = [*case.inputs.values(), *case.parameters.values()]
    top = max((float(np.abs(x).max(initial=0)) for x in tensors if x.dtype.kind == "f"), default=0.0)
    mixed = any(node.op == "CrossEntropyLoss" and case.inputs[node.inputs[1]].dtype.kind == "f" for node in case.nodes)
    return 4 * len(case.nodes) + sum(x.size for x in tensors) + top + 50 * mixed


def _sensible(case: AnyCase) -> bool:
    """No number where there is no derivative, no constant to normalize, and no probability that is none."""
    if isinstance(case, UpdateCase):
        return True
    found = Twin(case).run(case).values
    for node in case.nodes:
        inputs = [found[name] for name in node.inputs]
        if exactly_at(node, inputs).any():
            return False
        if node.op == "BatchNorm1d" and (inputs[0].std(axis=(0, *range(2, inputs[0].ndim))) < 0.1).any():
            return False
        if node.op in PROBABLE and inputs[1].dtype.kind == "f":
            whole = node.op != "CrossEntropyLoss" or np.allclose(inputs[1].sum(1), 1)
            if not whole or ((inputs[1] < 0) | (inputs[1] > 1)).any():
                return False
    return True


PROBABLE = ("BCELoss", "BCEWithLogitsLoss", "CrossEntropyLoss")
"""Losses whose targets are probabilities, or labels."""


PLAIN = replace(
    PROFILES["standard"], depth=(1, 1), widths=(1, 2, 2, 3, 4), batches=(1, 2, 2, 3),
    regimes=("small", "small", "halves", "saturating", "large"),
)  # fmt: skip
"""Small nets with small numbers."""


@lru_cache(None)
def _alone(op: str, count: int = DRAWN) -> tuple[Case, ...]:
    """Cases of an operator alone."""
    random, found = Random(f"explain {op}"), []
    for _ in range(4 * count):
        case = _filled(random, _focused(op))
        nodes = [n for n in case.nodes if n.op == op]
        if nodes:
            try:
                alone = isolate(case, Twin(case).run(case, errors=True), nodes[0])
            except CaseError:
                continue
            found += [alone] if finite(alone) else []
        if len(found) == count:
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
    return tuple(_filled(random, replace(PLAIN, depth=(1, 2 + k // 30))) for k in range(120))


def _filled(random: Random, profile: Profile) -> Case:
    return values(architecture(random, profile), random.randrange(2**32), "float64", profile.regimes)


@lru_cache(None)
def operators(code: str) -> tuple[str, ...]:
    """The operators, or optimizers, that can have a fault: none for one of the walk over the graph."""
    h = HYPOTHESES.get(code)
    if h is None:
        return _in_order({op for s in SEEDS if s.code == code for op in s.ops.split()})
    if h.rules:
        return _in_order(h.ops)
    return () if h.everywhere else _in_order(op for op in FORMULAS if any(h.applies(n) for n in _nodes(op)))


FAMILIAR = (
    "Sigmoid", "Tanh", "ReLU", "LeakyReLU", "Linear", "Softmax", "HalfSquaredError", "MSELoss", "CrossEntropyLoss",
    "Add", "Multiply", "SGD", "Adam",
)  # fmt: skip
"""The operators that a student has met: examples are looked for in these first."""


def _in_order(ops: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(ops, key=lambda op: (FAMILIAR.index(op) if op in FAMILIAR else len(FAMILIAR), op)))


@lru_cache(None)
def _nodes(op: str) -> tuple[Node, ...]:
    """The operator with many arguments."""
    random, profile = Random(f"explain {op}"), _focused(op)
    nets = (architecture(random, profile) for _ in range(2 * DRAWN))
    return tuple(node for net in nets for node in net.nodes if node.op == op)


def _drawn(code: str) -> Iterator[Sequence[AnyCase]]:
    """The optimizers; or the operators, each alone, then whole nets, then more of what hardly ever shows it."""
    ops = operators(code)
    if HYPOTHESES[code].rules:
        yield from map(_updates, ops)
        return
    yield from map(_alone, ops)
    yield _nets()
    if len(ops) == 1:
        yield _alone(ops[0], 8 * DRAWN)


@lru_cache(None)
def _updates(op: str) -> tuple[UpdateCase, ...]:
    random = Random(f"explain {op}")
    return tuple(update_case(random, "float64", op) for _ in range(DRAWN))


def _streamed(code: str) -> Iterator[Sequence[AnyCase]]:
    """The operators that are planted, each alone; then the nets in which the planted bug is looked for."""
    yield from (_alone(op) for op in operators(code) if op in FORMULAS)
    for profile in dict.fromkeys(s.profile for s in SEEDS if s.code == code and s.profile != "updates"):
        yield from (_stream(profile, dtype) for dtype in ("float64", "float32"))


@lru_cache(None)
def _stream(profile: str, dtype: str) -> tuple[AnyCase, ...]:
    stream = Stream(0, dtype, profile)
    return tuple(stream[k] for k in range(60))


def _finding(fault: Fault, case: AnyCase, wrong: Numbers) -> Finding:
    """The example as a finding, for the tables and the drawing of a report."""
    lines = [_line(name, x, _parts(wrong).get(name)) for name, x in _parts(_right(case)).items()]
    lines.sort(key=lambda line: isinstance(case, Case) and line.status != "wrong")
    return Finding(
        sentence=fault.name,
        verdict=Verdict("mismatch", fault.name),
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


def _confused(fault: Fault, case: AnyCase, numbers: Numbers) -> Iterator[Fault]:
    """Faults of the same family and part that foretell the same numbers."""
    mine = _parts(numbers)
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
