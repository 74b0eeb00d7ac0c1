"""`reference` as a subject: the only one that needs no process of its own."""

from typing import Any

from oracle.spec import Answer, Case, UpdateAnswer, UpdateCase


def reference(case: Case) -> Answer:
    """`reference.backprop` as a subject."""
    from reference import Network, backprop

    net = _network(Network, case)
    state = case.state()
    found = backprop(net, state, case.inputs)
    return Answer(
        loss=found.loss,
        gradients=found.gradients,
        buffers=found.trace.buffers(net, state) if case.buffers else None,
    )


_nets: dict[Any, Any] = {}


def _network(network: Any, case: Case) -> Any:
    """The net of the last case again, if the graph is the same: one architecture carries many values."""
    key = (case.nodes, case.training)
    if _nets.get("key") != key:
        _nets.update(key=key, net=network(case.nodes, case.training))
    return _nets["net"]


def reference_update(case: UpdateCase) -> UpdateAnswer:
    """`reference.update` as a subject."""
    from reference import update
    from reference.optimizers import build_optimizer

    optimizer, theta, state, steps = build_optimizer(case.op, case.attrs), case.parameters, None, []
    for gradients in case.gradients:
        theta, state = update(optimizer, theta, gradients, state)
        steps.append(theta)
    return UpdateAnswer(steps=tuple(steps))
