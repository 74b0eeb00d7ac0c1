"""Which catalogued fault explains a mismatch: the one that, put into the twin, reproduces the subject's numbers.

Every hypothesis is tried at every node it applies to, on the smallest case; those that reproduce all of the
subject's numbers there are then tried on the larger cases that failed. With none left the cause is not recognised,
and no guess is made.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import torch

from oracle.compare import Verdict
from oracle.composites import Call, Tensor
from oracle.faults import FAULTS, PROTOCOL, Fault
from oracle.records import Diagnosis
from oracle.spec import Array, Case, CaseError, Node, Tensors
from oracle.twin import Truth, Twin

Got = dict[str, Array]


@dataclass
class Evidence:
    """A failing case, the subject's gradients for it, and autograd's."""

    case: Case
    got: Got
    wrong: set[str]
    loss: Array | None = None
    twin: Twin = field(init=False)
    truth: Truth = field(init=False)

    def __post_init__(self) -> None:
        self.twin = Twin(self.case)
        self.truth = self.twin.run(self.case, errors=True)

    @property
    def returned(self) -> Got:
        """The gradients, and the loss if there is one."""
        return self.got if self.loss is None else {**self.got, "loss": self.loss}

    def explained(self, predicted: Tensors) -> bool:
        """Whether a prediction is what the subject returned, in every tensor, and unlike the truth."""
        unit = 1e-9 if self.case.dtype == "float64" else 2e-4
        for name, got in self.got.items():
            p, t = predicted[name], self.truth.gradients[name]
            if p.shape != got.shape or not np.isfinite(p).all() or not np.isfinite(got).all():
                return False
            if name not in self.wrong and np.abs(p - t).max(initial=0) <= np.abs(got - t).max(initial=0):
                continue  # both are right, up to the noise around a zero
            scale = np.abs(p).max(initial=0)
            if np.abs(got - p).max(initial=0) > unit * scale + 1e-300:
                return False
            if name in self.wrong and np.abs(got - p).max(initial=0) > 0.1 * np.abs(got - t).max(initial=0):
                return False  # nearer to the truth than the prediction explains
        return True


Scope = Callable[[Node], bool]


ENOUGH = 0.9
"""The share of the larger failing cases that a fault must reproduce to be believed."""


def diagnose(smallest: Evidence, larger: list[Evidence]) -> Diagnosis | None:
    """The fault that explains the smallest case, and the most of the larger ones. None: not recognised."""
    if not smallest.wrong & smallest.got.keys() or "loss" in smallest.wrong:
        return None  # every fault of the catalogue is one of the backward pass
    believed: list[tuple[int, int, Fault, Node]] = []
    for rank, (fault, node) in enumerate(_explaining(smallest)):
        confirmed = _confirmed(fault, node, larger)
        if confirmed >= ENOUGH * len(larger):
            believed.append((-confirmed, rank, fault, node))
    if not believed:
        return None
    score, _, fault, node = min(believed, key=lambda b: b[:2])
    tied = tuple(dict.fromkeys(f"{f.code} {f.name}" for s, _, f, _ in believed if s == score and f is not fault))
    wrong = len(smallest.wrong)
    seen = f"it reproduces {'the wrong tensor' if wrong == 1 else f'all {wrong} wrong tensors'} of the smallest case"
    if larger:
        seen += f", and {-score} of the {len(larger)} larger failing cases tried"
    return _believed(fault, node, f"put into the twin at {node.name} ({node.op}), {seen}", tied)


def _believed(fault: Fault, node: Node, evidence: str, also: tuple[str, ...] = ()) -> Diagnosis:
    return Diagnosis(fault.code, fault.name, fault.story, fault.wrong, fault.right, node.name, f"{evidence}.", also)


def _explaining(e: Evidence) -> Iterator[tuple[Fault, Node]]:
    """Every fault and node that reproduce all of the subject's numbers."""
    for tensor in e.truth.values:
        if any(e.explained(p) for p in _forgotten(e, tensor)):
            yield PROTOCOL["G104"], _uses(e.case, tensor)[0][0]
    for fault in FAULTS:
        for node in reversed(e.case.nodes):
            predicted = predict(e, fault, _named(node.name)) if fault.applies(node) else None
            if predicted is not None and e.explained(predicted):
                yield fault, node
    for node in reversed(e.case.nodes):
        if node.op == "Linear" and _explains_stale(e, node):
            yield PROTOCOL["W107"], node


def _named(name: str) -> Scope:
    return lambda node: node.name == name


def predict(e: Evidence, fault: Fault, at: Scope) -> Tensors | None:
    """What the twin says with the fault at these nodes; None where it cannot be put there."""
    nodes = [n for n in e.case.nodes if at(n) and fault.applies(n)]
    try:
        if fault.kind == "backward":
            return e.twin.run(e.case, faults={n.name: fault.hypothesis(n) for n in nodes}).gradients
        predicted = dict(e.truth.gradients)
        for node in nodes:
            wrong = fault.hypothesis(e.case, e.truth, node)
            predicted.update({name: g for name, g in wrong.items() if name in predicted})
        return predicted
    except (CaseError, RuntimeError, ValueError, IndexError, KeyError, TypeError):
        return None


def _confirmed(fault: Fault, node: Node, larger: list[Evidence]) -> int:
    """On how many of the larger cases the fault reproduces everything: there, at all nodes of its operator or kind."""
    return sum(any(_reproduces(e, fault, scope) for scope in _scopes(fault, node, e.case)) for e in larger)


def _scopes(fault: Fault, node: Node, case: Case) -> Iterator[Scope]:
    yield lambda n: n.op == node.op
    yield lambda n: True
    yield from (_named(n.name) for n in case.nodes if n.op == node.op)


def _reproduces(e: Evidence, fault: Fault, scope: Scope) -> bool:
    if fault.code == "W107":
        return any(_explains_stale(e, n) for n in e.case.nodes if n.op == "Linear")
    if fault.code == "G104":
        everywhere = (_everywhere_forgotten(e, kept) for kept in (0, -1))
        one = (p for t in e.truth.values for p in _forgotten(e, t))
        return any(e.explained(p) for p in (*everywhere, *one))
    predicted = predict(e, fault, scope)
    return predicted is not None and e.explained(predicted)


# ------------------------------------------------------------------------------------- faults that span several nodes


def _uses(case: Case, tensor: str) -> list[tuple[Node, int]]:
    """The uses of a tensor that the loss hears of: (node, which of its inputs)."""
    live = case.spec.ancestors(case.spec.loss)
    users = [node for node in case.nodes if node.name in live]
    return [(node, k) for node in users for k, name in enumerate(node.inputs) if name == tensor]


def _forgotten(e: Evidence, tensor: str) -> Iterator[Tensors]:
    """The gradients when all uses of a tensor but one are forgotten, and when one is."""
    uses = _uses(e.case, tensor)
    if len(uses) < 2:
        return
    for kept in uses:
        yield _without_uses(e, [use for use in uses if use is not kept])
    if len(uses) > 2:
        for dropped in uses:
            yield _without_uses(e, [dropped])


def _everywhere_forgotten(e: Evidence, kept: int) -> Tensors:
    """The gradients when of every tensor only the first, or the last, use counts."""
    uses = [_uses(e.case, tensor) for tensor in e.truth.values]
    return _without_uses(e, [use for many in uses if many for use in many if use is not many[kept]])


def _without_uses(e: Evidence, dropped: list[tuple[Node, int]]) -> Tensors:
    places: dict[str, set[int]] = {}
    for node, k in dropped:
        places.setdefault(node.name, set()).add(k)
    faults = {
        name: lambda call, p, *x, gone=ks: call(*[t.detach() if i in gone else t for i, t in enumerate(x)])
        for name, ks in places.items()
    }
    return e.twin.run(e.case, faults=faults).gradients


def _explains_stale(e: Evidence, node: Node) -> bool:
    """Whether error signals that passed W − η ∂L/∂W explain the answer, for some rate η read from the answer."""
    name = node.parameter("weight")
    if name not in e.got:
        return False
    step = e.truth.gradients[name]

    def passed(eta: float) -> Tensors:
        def wrong(call: Call, p: Mapping[str, Tensor], x: Tensor) -> Tensor:
            stale = p["weight"].detach() - eta * torch.from_numpy(step)
            through = x @ stale.T
            return call(x.detach()) + (through - through.detach())

        return e.twin.run(e.case, faults={node.name: wrong}).gradients

    unit = passed(1.0)
    top, bottom = 0.0, 0.0
    for tensor, got in e.got.items():
        change = unit[tensor] - e.truth.gradients[tensor]
        top += float((change * (got - e.truth.gradients[tensor])).sum())
        bottom += float((change * change).sum())
    return bottom > 0 and bool(np.isfinite(top / bottom)) and e.explained(passed(top / bottom))


def breach_diagnosis(case: Case, verdict: Verdict) -> Diagnosis | None:
    """The fault behind a breach of contract, where it has a name."""
    if "as if it were added" in verdict.reason:
        return _believed(
            PROTOCOL["P101"], case.nodes[-1], "the second of two equal calls returned more, by the gradient itself"
        )
    batch = {x.shape[0] for x in case.inputs.values() if x.ndim}
    for node in case.nodes:
        bias = case.parameters.get(node.parameter("bias"))
        if (
            node.op == "Linear"
            and bias is not None
            and f"gradient of {node.parameter('bias')} has shape (" in verdict.reason
        ):
            for n in batch:
                if f"has shape {(n, *bias.shape)}" in verdict.reason:
                    return _believed(PROTOCOL["P102"], node, f"its shape has the batch ({n}) in front")
    return None
