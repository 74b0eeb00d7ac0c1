"""A layer alone, as a subject can run and show it.

A layer cut out of a net ends in a `Dot`, whose cotangent is the true error signal, and its gradients are those of its
inputs. Two kinds of subject need another stage: one that has no `Dot` gets a squared error whose target makes the
same error signal; one that returns the gradients of parameters only gets every input as the weights of a `Linear`
that reads the identity, x = I (xᵀ)ᵀ, whose partial is then the error signal δᵀ, number for number.
"""

from collections.abc import Iterator

import numpy as np
from msgspec.structs import replace

from oracle.spec import Case, Node
from oracle.subjects import Subject
from oracle.twin import Twin

SHOWN = "_shown"
"""The ending of the name of a Linear that shows the error signal of an input."""


def stages(case: Case, subject: Subject) -> Iterator[Case]:
    """The case, as this subject can run it; then, where that hides an error signal, as it can show it."""
    if subject.supports is not None and "Dot" not in subject.supports and case.nodes[-1].op == "Dot":
        case = _squared(case, subject.supports)
    yield case
    if "inputs" not in subject.returns and (subject.supports is None or "Linear" in subject.supports):
        yield shown(case)


def _squared(case: Case, supports: frozenset[str]) -> Case:
    """½ Σ (y − t)², or Σ (y − t)², with t = y − c, or y − c/2, for Σ c y: the error signal is c."""
    op, half = ("HalfSquaredError", 1.0) if "HalfSquaredError" in supports else ("MSELoss", 0.5)
    if op not in supports or len(case.nodes) < 2:
        return case
    dot = case.nodes[-1]
    y, cotangent = dot.inputs
    made = Twin(case).run(case).values[y]
    inputs = {name: x for name, x in case.inputs.items() if name != cotangent}
    inputs[cotangent] = (made - half * case.inputs[cotangent]).astype(case.dtype)
    loss = Node(dot.name, op, (y, cotangent), {"reduction": "sum"})
    return replace(case, nodes=(*case.nodes[:-1], loss), inputs=inputs)


def shown(case: Case) -> Case:
    """Every real input of two axes, but for targets and cotangents, as the weights of a Linear on the identity."""
    inputs, parameters, nodes, names = dict(case.inputs), dict(case.parameters), [], {}
    last = case.nodes[-1]
    for name, x in case.inputs.items():
        if x.dtype.kind != "f" or x.ndim != 2 or not x.size or name in last.inputs[1:]:
            continue
        node = name + SHOWN
        n, width = x.shape
        inputs[name] = np.eye(n, dtype=case.dtype)
        parameters[f"{node}.weight"], parameters[f"{node}.bias"] = x.T.copy(), np.zeros(width, case.dtype)
        nodes.append(Node(node, "Linear", (name,), {"in_features": n, "out_features": width}))
        names[name] = node
    own = [replace(n, inputs=tuple(names.get(i, i) for i in n.inputs)) for n in case.nodes]
    return replace(case, nodes=(*nodes, *own), inputs=inputs, parameters=parameters)


def control(case: Case) -> Case:
    """Only the first showing Linear and a cotangent: whether it can be believed."""
    node = next(n for n in case.nodes if n.name.endswith(SHOWN))
    width = node.attrs["out_features"]
    n = node.attrs["in_features"]
    cotangent = np.cos(np.arange(n * width)).reshape(n, width).astype(case.dtype)
    own = {name: x for name, x in case.parameters.items() if name.partition(".")[0] == node.name}
    inputs = {node.inputs[0]: case.inputs[node.inputs[0]], "cotangent": cotangent}
    nodes = (node, Node("dot", "Dot", (node.name, "cotangent")))
    return replace(case, nodes=nodes, inputs=inputs, parameters=own, buffers={})


def fed(case: Case, node: Node, wrong: set[str]) -> list[str]:
    """The inputs of a node whose error signal is wrong, however it was shown."""
    return [
        name
        for name in node.inputs
        if name in wrong or f"error {name}" in wrong or (name.endswith(SHOWN) and f"{name}.weight" in wrong)
    ]
