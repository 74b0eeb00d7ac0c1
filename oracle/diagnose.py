"""Which catalogued fault explains a mismatch: the one that, put into the twin, reproduces the subject's numbers.

Every hypothesis is tried on the smallest case; those that reproduce all of the subject's numbers there must then
reproduce the larger failing cases, and stand the test of fresh probes: numbers that the subject gets wrong, and
numbers that it gets right, where a fault that would have shown is contradicted. The fault with the most explained
and the fewest contradicted is named. With none left the cause is not recognised, and no guess is made.
"""

import re
from ast import literal_eval
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from oracle.compare import Verdict
from oracle.faults import FAULTS, Fault
from oracle.hypotheses import HYPOTHESES, Evidence, Hypothesis, Steps
from oracle.hypotheses.hypothesis import SURE, is_loss
from oracle.probes import Probe
from oracle.records import Diagnosis
from oracle.spec import Case, Node, Tensors

ENOUGH = 0.9
"""The share of failing cases that a fault must reproduce to be believed, and of passing ones it must not contradict."""
SIMPLE = 4
"""Readings up to which a fault that explains as much is worth a mention."""
BRANCH = 4
"""Explained probes from which the branch of a fault may be told."""
ROUNDS = 2
"""Rounds of fresh probes to tell tied faults apart."""

More = Callable[[int], list[Probe]]
"""A round of fresh probes."""


@dataclass
class Suspicion:
    """A fault at a node, and how it fared."""

    fault: Fault
    hypothesis: Hypothesis
    node: Node | None
    """None for a fault of no one node."""
    readings: int = 1
    """How many readings of its line were tried: of two that explain as much, the one of fewer is the simpler."""
    inner: bool = False
    """Whether it spares the last of the nodes that it could sit at: code often treats the output layer apart."""
    explained: int = 0
    failing: int = 0
    where: list[frozenset[str]] = field(default_factory=list)
    """The regimes of the probes that fail and are explained."""
    passing: list[tuple[bool, frozenset[str]]] = field(default_factory=list)
    """Of the cases that pass: whether it holds, and their regimes."""

    @property
    def branch(self) -> str:
        """The one regime in which the fault sits, if it would be contradicted elsewhere: code has branches."""
        if not self._contradicted("") > (1 - ENOUGH) * len(self.passing) or len(self.where) < BRANCH:
            return ""
        words = sorted(frozenset.intersection(*self.where))
        return min(words, key=lambda word: (self._contradicted(word), -self.met(word)), default="")

    @property
    def contradicted(self) -> int:
        """Passing cases, in its branch, in which it would have shown."""
        return self._contradicted(self.branch)

    @property
    def believed(self) -> bool:
        """Whether it reproduces nearly all failing cases, and contradicts hardly any that pass."""
        met = self.met(self.branch)
        return self.explained >= ENOUGH * self.failing and self.contradicted <= (1 - ENOUGH) * met

    @property
    def score(self) -> float:
        """Failing cases explained, minus passing cases contradicted; a branch is a longer description."""
        return self.explained - self.contradicted - 0.5 * bool(self.branch)

    def _contradicted(self, word: str) -> int:
        return sum(not holds and (not word or word in regimes) for holds, regimes in self.passing)

    def met(self, word: str) -> int:
        """Passing cases in a regime; in all, for an empty word."""
        return sum(not word or word in regimes for _, regimes in self.passing)

    def meets(self, e: Evidence | Steps, failed: bool, regimes: frozenset[str] = frozenset()) -> None:
        """Count one more case."""
        holds = explains(self.hypothesis, e, self.node, self.inner)
        if failed:
            self.failing += 1
            self.explained += holds is True
            if holds and regimes:
                self.where.append(regimes)
        elif holds is not None:
            self.passing.append((holds, regimes))


def explains(h: Hypothesis, e: Evidence | Steps, node: Node | None, inner: bool = False) -> bool | None:
    """Whether the fault, at this node, at nodes of its operator, or everywhere it can be, reproduces a case.

    None where it foretells nothing: a rate cannot be read from a gradient of zero.
    """
    told = [e.explained(p) for p in _foretold(h, e, node, inner)]
    return any(told) if told else None


def _foretold(h: Hypothesis, e: Evidence | Steps, node: Node | None, inner: bool) -> Iterator[Any]:
    try:
        if isinstance(e, Steps):
            yield from (rule(e.case) for rule in h.rules if e.case.op in h.ops)
        elif node is None:
            yield from h.predict(e, [])
        elif places := list(_places(h, e.case, node, inner)):
            if inner and not any(len(nodes) > 1 for nodes in places):
                yield e.right  # there is but the last one
            for nodes in places:
                for predicted in h.predict(e, nodes):
                    yield predicted
                    yield from _halves(e, nodes, predicted)
        else:
            yield e.right  # it cannot show here
    except SURE:
        return


def _halves(e: Evidence, nodes: list[Node], predicted: Tensors) -> Iterator[Tensors]:
    """Of a wrong loss: the fault in what the prediction hears only, or in what the target hears only."""
    targets = {node.inputs[1] for node in nodes if is_loss(node)} & e.truth.gradients.keys()
    if targets and any(name in e.got for name in targets):
        yield {name: e.right[name] if name in targets else x for name, x in predicted.items()}
        yield {name: x if name in targets else e.right[name] for name, x in predicted.items()}


def _places(h: Hypothesis, case: Case, node: Node, inner: bool) -> Iterator[list[Node]]:
    """The sets of nodes at which the fault may sit in a case: each one once."""
    able = [n for n in case.nodes if h.applies(n)]
    alike = [n for n in able if n.op == node.op]
    options = [alike, *([able] if able != alike else []), *([[n] for n in alike] if len(alike) > 1 else [])]
    if inner:
        options = [able[:-1], *options]
    yield from (nodes for nodes in options if nodes)


def diagnose(smallest: Evidence | Steps, larger: list[Evidence] | list[Steps], more: More) -> Diagnosis | None:
    """The fault that explains the smallest case, the larger ones, and fresh probes. None: not recognised.

    A fault that shows in float64 is judged there, where sixteen digits agree or do not.
    """
    suspects = list(_explaining(smallest))
    double = any(e.case.dtype == "float64" for e in (smallest, *larger))
    for e in larger:
        for s in suspects if e.case.dtype == "float64" or not double else ():
            s.meets(e, failed=True)
    suspects = [s for s in suspects if s.explained >= s.failing / 2]
    for k in range(ROUNDS if suspects else 0):
        for probe in more(k):
            if probe.evidence is not None and (probe.evidence.case.dtype == "float64" or not double):
                for s in suspects:
                    s.meets(probe.evidence, probe.failed, probe.regimes)
        suspects = [s for s in suspects if s.believed]
        if len(suspects) < 2:
            break
    if not suspects:
        return None
    best = max(suspects, key=lambda s: (s.score, s.node is not None, -s.readings))
    simple = max(SIMPLE, best.readings)
    tied = [s for s in suspects if s.score == best.score and s.fault is not best.fault and s.readings <= simple]
    return _believed(best, tuple(dict.fromkeys(f"{s.fault.code} {s.fault.name}" for s in tied)))


def _explaining(e: Evidence | Steps) -> Iterator[Suspicion]:
    """Every fault, with a node, that reproduces all of the subject's numbers."""
    for code, h in HYPOTHESES.items():
        if isinstance(e, Steps):
            if e.case.op in h.ops and explains(h, e, None):
                yield Suspicion(FAULTS[code], h, None, len(h.rules))
            continue
        able = [n for n in e.case.nodes if h.applies(n)]
        for node in [None] if h.everywhere else reversed(able):
            for nodes in _together(able, node):
                try:
                    predicted = list(h.predict(e, nodes))
                except SURE:
                    continue
                halves = (half for p in predicted for half in _halves(e, nodes, p))
                if any(e.explained(p) for p in (*predicted, *halves)):
                    yield Suspicion(FAULTS[code], h, node, len(predicted), node is not None and node is not able[-1])
                    break


def _together(able: list[Node], node: Node | None) -> Iterator[list[Node]]:
    """A node alone; and all of its operator, for the last of them: where no layer runs alone, each is wrong."""
    yield [node] if node else []
    alike = [n for n in able if node and n.op == node.op]
    if len(alike) > 1 and node is alike[-1]:
        yield alike


def _believed(s: Suspicion, also: tuple[str, ...]) -> Diagnosis:
    where = f" at {s.node.name} ({s.node.op})" if s.node else ""
    told = f"put into the twin{where}, it reproduces every number of the smallest case"
    if s.failing:
        told += f", {s.explained} of {s.failing} other failing cases"
    if s.passing:
        branch = f" {s.branch}" if s.branch else ""
        told += f", and is contradicted by {s.contradicted or 'none'} of {s.met(s.branch)} cases that pass{branch}"
    return named(s.fault, s.node.name if s.node else "", told, also)


def named(fault: Fault, node: str, evidence: str, also: tuple[str, ...] = ()) -> Diagnosis:
    """A diagnosis."""
    return Diagnosis(fault.code, fault.name, fault.story, fault.wrong, fault.right, node, f"{evidence}.", also)


# ------------------------------------------------------------------------------------------------ breaches of contract

_SHAPE = re.compile(r"gradient of (\S+) has shape (\([^)]*\)), but should be (\([^)]*\))")


def breach_diagnosis(case: Case, verdict: Verdict) -> Diagnosis | None:
    """The fault behind a breach of contract, where it has a name."""
    reason = verdict.reason
    if "as if it were added" in reason:
        return named(FAULTS["P101"], "", "the second of two equal calls returned more, by the gradient itself")
    if "second call with the same case returned another" in reason:
        return named(FAULTS["P112"], "", "two calls with the same case returned two answers")
    if changed := re.search(r"changed its input (.*)", reason):
        return named(FAULTS["P104"], "", f"{changed[1]} was not what was handed in, after the call")
    if missing := re.search(r"gradient of (\S+) is missing", reason):
        return named(FAULTS["P110"], _owner(case, missing[1]), f"the answer has no gradient of {missing[1]}")
    if dtype := re.search(r"gradient of (\S+) has dtype (u?int\w+|float\w+), but should be (\w+)", reason):
        code = "P114" if "int" in dtype[2] else "P105"
        return named(FAULTS[code], _owner(case, dtype[1]), f"{dtype[2]} was returned for {dtype[3]}")
    if shape := _SHAPE.search(reason):
        return _shape_diagnosis(case, shape[1], literal_eval(shape[2]), literal_eval(shape[3]))
    if "the subject raised" in reason and any(x.ndim and not x.shape[0] for x in case.inputs.values()):
        return named(FAULTS["P111"], "", "with a batch of 0 it raised")
    return None


def _shape_diagnosis(case: Case, name: str, got: tuple[int, ...], right: tuple[int, ...]) -> Diagnosis | None:
    node = _owner(case, name)
    if name in case.parameters and len(got) == 2 and got == right[::-1]:
        return named(FAULTS["P103"], node, f"its shape {got} is that of the transposed")
    if name.endswith("bias") and got == () and len(right) == 1:
        return named(FAULTS["B106"], node, "it is one number: the sum ran over the units too")
    if name.endswith("bias") and len(got) > len(right) and got[-len(right) :] == right:
        return named(FAULTS["P102"], node, f"its shape has {got[: -len(right)]} in front: it was not summed")
    readers = [n for n in case.nodes if name in n.inputs and n.op in ("Add", "Multiply")]
    if readers and np.prod(got) > np.prod(right):
        known = [case.inputs[i].shape for i in readers[0].inputs if i in case.inputs]
        result = np.broadcast_shapes(*known) if len(known) == len(readers[0].inputs) else got
        if got != result:
            told = f"its shape is {got}: it was summed along one of the axes along which the operand is repeated"
            return named(FAULTS["J103"], readers[0].name, told)
        return named(FAULTS["J104"], readers[0].name, f"its shape {got} is that of the result, not of the operand")
    if cut := [n for n in case.nodes if name in n.inputs and n.op == "Concatenate"]:
        return named(FAULTS["J108"], cut[0].name, f"its shape is {got}: the parts were cut elsewhere")
    if got == tuple(n for n in right if n != 1) or np.prod(got) == np.prod(right):
        return named(FAULTS["P106"], node, f"its shape {got} lacks an axis of length 1")
    return None


def _owner(case: Case, name: str) -> str:
    """The node that has a parameter, or that reads an input first."""
    for node in case.nodes:
        if name.rpartition(".")[0] == node.name or name in node.params.values() or name in node.inputs:
            return node.name
    return case.nodes[-1].name
