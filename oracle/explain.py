"""One case, walked through the five steps with every number.

The numbers are autograd's; the formulas are the docstrings of `reference`, so that a reader sees the line of the
lesson beside the number it gives.
"""

from collections.abc import Iterator

import numpy as np

from oracle.report.numbers import short
from oracle.spec import AnyCase, Array, Case, Node, UpdateCase
from oracle.twin import Truth, Twin, run_update
from reference.layer import LAYERS
from reference.optimizers import OPTIMIZERS

LARGEST = 60
"""Entries of a tensor that are printed; of a larger one the shape and the corner are."""


def explain(case: AnyCase, rate: float = 0.1) -> str:
    """The five steps of a case; raises `CaseError` for a case that cannot be judged."""
    case.check()
    lines = _update(case) if isinstance(case, UpdateCase) else _five_steps(case, rate)
    return "\n".join(lines) + "\n"


def _five_steps(case: Case, rate: float) -> Iterator[str]:
    truth = Twin.of(case).run(case, errors=True)
    mode = "training" if case.training else "evaluation"
    yield f"Case {case.id}: {len(case.nodes)} nodes, {case.dtype}, {mode}. δ(t) is ∂L/∂t, the error signal of t."
    yield from _forward(case, truth)
    last = case.nodes[-1]
    yield from _title(f"Step 1: the error signal that the loss {last.name} hands to what feeds it")
    yield from _hands(case, truth, last)
    hidden = [n for n in reversed(case.nodes[:-1]) if n.name not in _dead(case)]
    yield from _title("Steps 2 and 3: the error signals of the hidden layers, last layer first")
    for node in hidden:
        yield from _hands(case, truth, node)
    for tensor in truth.values:
        if len(uses := [n.name for n in case.nodes for i in n.inputs if i == tensor]) > 1:
            yield f"  {tensor} feeds {' and '.join(uses)}: the error signals of all its uses add."
    yield from _title("Step 4: the partials of weights and biases")
    for node in case.nodes:
        yield from _partials(case, truth, node)
    yield from _title(f"Step 5: update, θ ← θ − η ∂L/∂θ with η = {rate:g}")
    for name, theta in case.parameters.items():
        yield from _tensor(f"{name} ← ", theta - rate * truth.gradients[name])


def _dead(case: Case) -> set[str]:
    """Nodes off the loss's path."""
    return {n.name for n in case.nodes} - case.spec.ancestors(case.nodes[-1])


def _forward(case: Case, truth: Truth) -> Iterator[str]:
    yield from _title("Forward")
    for name in case.inputs:
        yield from _tensor(f"{name} = ", case.inputs[name])
    for node in case.nodes:
        dead = "   (off the loss's path: its error signal is 0)" if node.name in _dead(case) else ""
        yield f"  {node.name} = {node.op}({', '.join(node.inputs)})    {_formula(node, 'forward')}{dead}"
        for name, x in case.state().items():
            if name.rpartition(".")[0] == node.name or name in node.params.values():
                yield from _tensor(f"    {name} = ", x)
        for name in (t for t in truth.values if t.partition(":")[0] == node.name):
            yield from _tensor(f"    {name} = ", truth.values[name])


def _hands(case: Case, truth: Truth, node: Node) -> Iterator[str]:
    yield f"  {node.name} ({node.op}) hands down:    {_formula(node, 'backward')}"
    for name in dict.fromkeys(node.inputs):
        delta = truth.errors.get(name, truth.gradients.get(name))
        if delta is not None:
            yield from _tensor(f"    δ({name}) = ", delta)


def _partials(case: Case, truth: Truth, node: Node) -> Iterator[str]:
    own = [n for n in case.parameters if n.rpartition(".")[0] == node.name or n in node.params.values()]
    if own:
        yield f"  {node.name} ({node.op}):    {_formula(node, 'partials')}"
    for name in own:
        yield from _tensor(f"    ∂L/∂{name} = ", truth.gradients[name])


def _formula(node: Node, part: str) -> str:
    """The first sentence of the reference's own docstring for this part of the operator."""
    cls = LAYERS.get(node.op)
    text = (cls.__doc__ if part == "forward" else getattr(cls, part).__doc__) if cls else ""
    return (text or "").strip().splitlines()[0].rstrip(".") if text else ""


def _update(case: UpdateCase) -> Iterator[str]:
    attrs = ", ".join(f"{k}={v}" for k, v in case.attrs.items())
    text = (OPTIMIZERS[case.op].__doc__ or "").strip().splitlines()[0] if case.op in OPTIMIZERS else ""
    yield f"Case {case.id}: step 5 alone, {case.op}({attrs}), {case.dtype}.    {text}"
    for name, x in case.parameters.items():
        yield from _tensor(f"{name} = ", x)
    for k, (gradients, after) in enumerate(zip(case.gradients, run_update(case), strict=True), 1):
        yield from _title(f"Update {k}")
        for name in case.parameters:
            yield from _tensor(f"∂L/∂{name} = ", gradients[name])
            yield from _tensor(f"{name} ← ", after[name])


def _title(text: str) -> Iterator[str]:
    yield ""
    yield text


def _tensor(label: str, x: Array) -> Iterator[str]:
    """A tensor, its rows under each other."""
    if x.size > LARGEST:
        corner = x[tuple(slice(0, 3) for _ in x.shape)]
        yield f"  {label}{_shape(x)}, of which the corner:"
        x, label = corner, " " * len(label)
    rows = _rows(x)
    yield f"  {label}{rows[0]}"
    for row in rows[1:]:
        yield f"  {' ' * len(label)}{row}"


def _shape(x: Array) -> str:
    return " × ".join(map(str, x.shape))


def _rows(x: Array) -> list[str]:
    cells = np.vectorize(lambda v: short(v.item() if hasattr(v, "item") else v), otypes=[object])(x) if x.size else x
    if not x.size:
        return [f"empty, {_shape(x)}"]
    width = max(len(str(c)) for c in np.ravel(cells))
    if x.ndim == 0:
        return [str(cells)]
    flat = cells.reshape(-1, x.shape[-1])
    return ["[" + "  ".join(str(c).rjust(width) for c in row) + "]" for row in flat]
