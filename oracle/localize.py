"""Where a difference is born: the node whose own formula is wrong, told apart from those that only inherit.

A node is guilty beyond doubt if it fails alone, on its true inputs and its true error signal. Where no node fails
alone (the fault needs its surroundings, or the subject cannot run a layer alone) the wrong tensors themselves say
between which nodes it lies.
"""

from collections.abc import Callable, Collection, Iterable
from typing import Literal

import numpy as np

from oracle.compare import Verdict
from oracle.faults import FAULTS
from oracle.records import Birthplace, Diagnosis, Line, Stop
from oracle.shrink import finite, isolate
from oracle.spec import Array, Case, CaseError, Node
from oracle.stage import SHOWN, control, fed
from oracle.twin import Truth, Twin

Judge = Callable[[Case], Verdict]
Stage = Callable[[Case], Iterable[Case]]


def isolated(
    case: Case, truth: Truth, judge: Judge, stage: Stage = lambda case: [case]
) -> list[tuple[Node, Case, Verdict]]:
    """The nodes that fail alone, last layer first, with the case and the verdict of each. `truth` has errors.

    `stage` makes of a layer alone the cases that the subject can run.
    """
    found: list[tuple[Node, Case, Verdict]] = []
    dots, others = ([n for n in case.nodes if (n.op == "Dot") == is_dot] for is_dot in (True, False))
    for node in (*reversed(others), *dots):  # a Dot is tried last: it ends every other case
        if found and node.op == "Dot":
            break
        try:
            for alone in filter(finite, stage(isolate(case, truth, node))):
                verdict = judge(alone)
                if verdict.outcome != "mismatch":
                    continue
                if node.op != "Dot" and _only_of_the_end(alone, verdict) and judge(_end(alone)).failed:
                    continue
                if not _only_shown(verdict) or _believable(alone, judge, stage):
                    found.append((node, alone, verdict))
                    break
        except CaseError:
            continue
    return found


def _believable(case: Case, judge: Judge, stage: Stage) -> bool:
    """Whether the Linear that shows an error signal is itself seen to be right."""
    return judge(next(iter(stage(control(case))))).outcome == "match"


def _only_of_the_end(case: Case, verdict: Verdict) -> bool:
    """Whether only the gradient of the cotangent is wrong: that is the doing of the Dot behind the layer."""
    return case.nodes[-1].op == "Dot" and set(verdict.suspects) == {case.nodes[-1].inputs[1]}


def _end(case: Case) -> Case:
    """The Dot that ends a layer alone, on the layer's true value."""
    dot = case.nodes[-1]
    values = Twin(case).run(case).values
    names = {name: f"{name.replace(':', '_')}_value" for name in dot.inputs}
    return Case(
        dtype=case.dtype,
        training=case.training,
        nodes=(Node(dot.name, dot.op, tuple(names.values())),),
        inputs={new: values[name].astype(case.dtype) for name, new in names.items()},
    )


def _only_shown(verdict: Verdict) -> bool:
    return bool(verdict.suspects) and all(name.partition(".")[0].endswith(SHOWN) for name in verdict.suspects)


def birthplace(
    case: Case, verdict: Verdict, guilty: str = "", judged: Collection[str] = (), diagnosis: Diagnosis | None = None
) -> Birthplace | None:
    """Where the difference in a case is born.

    `guilty` is the node that fails alone, if there is one; else a diagnosis, which reproduces the numbers, knows the
    node; else the tensors tell, of which `judged` were returned.
    """
    wrong = set(verdict.suspects)
    if not wrong:
        return None
    forward = [name.partition(" ")[2] for name in wrong if name.startswith(("output ", "buffer "))]
    if "loss" in wrong or forward:
        return _forward(case, forward)
    if _only_of_the_end(case, verdict) and guilty != case.nodes[-1].name and len(case.nodes) > 1:
        return _forward(case, [case.nodes[-1].inputs[0].partition(":")[0]])
    if diagnosis and diagnosis.node and not guilty:
        return _diagnosed(case, diagnosis, wrong)
    for node in reversed(case.nodes):
        own = _own_wrong(case, node, wrong)
        handed = fed(case, node, wrong)
        if node.name == guilty:
            return _partials(node, own) if own and not handed else _backward(case, node, handed)
        if guilty or not (own or handed):
            continue
        if own and _hears_right(case, node, wrong, judged):
            return _partials(node, own)
        above = [n for n in case.spec.consumers(node.name) if n.op != "Dot"]
        if handed and (not above or _hears_right(case, node, wrong, judged)):
            return _backward(case, node, handed)
        return _backward(case, above[0], [node.name]) if above else _partials(node, own)
    return None


def _hears_right(case: Case, node: Node, wrong: set[str], judged: Collection[str]) -> bool:
    """Whether some tensor that depends on the error signal of the node is right, so that the signal must be."""
    own = [name for name in case.parameters if _owns(node, name)]
    return any(name in judged and name not in wrong for name in (*own, *node.inputs))


def _diagnosed(case: Case, diagnosis: Diagnosis, wrong: set[str]) -> Birthplace:
    node = next(n for n in case.nodes if n.name == diagnosis.node)
    own = _own_wrong(case, node, wrong)
    return _partials(node, own) if FAULTS[diagnosis.code].part == "partials" else _backward(case, node, [])


def _own_wrong(case: Case, node: Node, wrong: set[str]) -> list[str]:
    return [name for name in case.parameters if name in wrong and _owns(node, name)]


def _owns(node: Node, parameter: str) -> bool:
    return parameter.rpartition(".")[0] == node.name or parameter in node.params.values()


def _forward(case: Case, forward: list[str]) -> Birthplace:
    names = {name.rpartition(".")[0] or name for name in forward}
    node = next((n for n in case.nodes if n.name in names), None)
    if node is None:
        inner = [n for n in case.nodes if n.op != "Dot"]
        node = inner[-1] if len(inner) == 1 else case.nodes[-1]
    return Birthplace(
        node.name, node.op, "forward", f"the value that {node.name} ({node.op}) computes is wrong already"
    )


def _backward(case: Case, node: Node, fed: list[str]) -> Birthplace:
    to = " and ".join(fed or [s.name for s in case.spec.sources(node)])
    return Birthplace(
        node.name,
        node.op,
        "backward",
        f"what {node.name} ({node.op}) receives is right, and the error signal it hands to {to} is wrong",
    )


def _partials(node: Node, own: list[str]) -> Birthplace:
    return Birthplace(
        node.name,
        node.op,
        "partials",
        f"the error signal at {node.name} ({node.op}) is right, and its partial of {' and '.join(own)} is wrong",
    )


def narrate(
    case: Case, truth: Truth, got: dict[str, Array], verdict: Verdict, born: Birthplace | None
) -> tuple[Stop, ...]:
    """The backward pass, last layer first: what is wrong and what merely follows."""
    wrong = set(verdict.suspects)
    upstream: set[str] = set()
    if born is not None:
        node = next(n for n in case.nodes if n.name == born.node)
        upstream = case.spec.ancestors(node) - ({node.name} if born.part != "forward" else set())
    stops = []
    for node in reversed(case.nodes):
        own = [name for name in case.parameters if _owns(node, name)]
        reads = [name for name in node.inputs if name in truth.gradients]
        lines = [_line(t, truth, got, wrong, born, node) for t in dict.fromkeys([*own, *reads])]
        if node.name == case.nodes[-1].name:
            lines.insert(0, _line("loss", truth, got, wrong, born, node))
        status = _status(node, born, upstream, lines)
        stops.append(Stop(node.name, node.op, node.inputs, status, tuple(lines)))
    return tuple(stops)


Status = Literal["right", "wrong", "follows", "unknown"]


def _status(node: Node, born: Birthplace | None, upstream: set[str], lines: list[Line]) -> Status:
    if born is not None and node.name == born.node:
        return "wrong"
    bad = any(line.status in ("wrong", "follows") for line in lines)
    if born is None:
        return "unknown" if bad else "right"
    return "follows" if bad or (node.name in upstream and born.part == "backward") else "right"


def _line(
    tensor: str, truth: Truth, got: dict[str, Array], wrong: set[str], born: Birthplace | None, node: Node
) -> Line:
    expected = truth.loss if tensor == "loss" else truth.gradients[tensor]
    if tensor not in got:
        return Line(tensor, "not returned", expected)
    here = born is not None and born.node == node.name
    status: Literal["right", "wrong", "follows"] = "right" if tensor not in wrong else "wrong" if here else "follows"
    return Line(tensor, status, expected, np.asarray(got[tensor]))
