"""In what circumstances an operator was met: the coverage statement, and the words in which a trigger is said.

A regime is a phrase that fits behind "only": "in evaluation", "with a batch of 1", "with alpha off its default".
"""

import inspect
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from random import Random
from typing import Any

import numpy as np
import torch
from torch import nn

from oracle.architectures import LOSSES, UNITS, reduction
from oracle.kinks import KINKS, exactly_at
from oracle.spec import Array, Case, Node, Spec, Tensors, UpdateCase

DEEP = 10
"""Nodes above which a net is deep."""
FORKED = "beside another reader of its input"
LARGE, SMALL = 50.0, 1e-3
"""What counts as large and as small numbers."""


def regimes(case: Case, values: Tensors) -> dict[str, set[str]]:
    """The regimes that each node is in, by its name; `values` are those of the forward pass."""
    case_wide = {f"in {case.dtype}", "in training" if case.training else "in evaluation"}
    of_tensor = {name: set(numbers(x)) for name, x in values.items() if x.dtype.kind == "f"}
    found = {}
    for node, static in zip(case.nodes, _graph(case.nodes), strict=True):
        x = values[node.inputs[0]]
        here = {*case_wide, *static, *_shape(x.shape), *of_tensor.get(node.inputs[0], ())}
        if node.op in KINKS and exactly_at(node, [values[name] for name in node.inputs]).any():
            here.add("exactly at a kink")
        if node.op in ("CrossEntropyLoss", "NLLLoss"):
            here.update(_labels(node, values[node.inputs[1]]))
        found[node.name] = here
    return found


_last: list[Any] = [None, ()]


def _graph(nodes: tuple[Node, ...]) -> tuple[frozenset[str], ...]:
    """What the graph alone says of each node; kept for the next case, which often has the same."""
    if _last[0] is not nodes:
        _last[:] = nodes, _described(nodes)
    return _last[1]


def _described(nodes: tuple[Node, ...]) -> tuple[frozenset[str], ...]:
    read: Counter[str] = Counter(name for node in nodes for name in node.inputs)
    spec, used = Spec(nodes), Counter(full for node in nodes for full in node.params.values())
    own = {f"{node.name}.{role}" for node in nodes for role in ("weight", "bias")}
    shared = used.keys() & own
    return tuple(frozenset(_node(node, read, shared, len(nodes), spec)) for node in nodes)


def _node(node: Node, read: Counter[str], shared: set[str], nodes: int, spec: Spec) -> Iterator[str]:
    off = [name for name in node.attrs if _off_default(node, name)]
    yield from (f"with {name} off its default" for name in off)
    yield "with some argument off its default" if off else "with all arguments at their defaults"
    if nodes > DEEP:
        yield f"in a net of more than {DEEP} nodes"
    if len(set(node.inputs)) < len(node.inputs):
        yield "reading a tensor twice"
    if any(read[name] > 1 for name in node.inputs):
        yield FORKED
    if read[node.name] > 1:
        yield "with several readers of its output"
    if any(full in shared or full != f"{node.name}.{role}" for role, full in node.params.items()) or any(
        f"{node.name}.{role}" in shared for role in ("weight", "bias")
    ):
        yield "with shared parameters"
    if node.op == "Linear":
        square = node.attrs["in_features"] == node.attrs["out_features"]
        yield "with a square weight" if square else "with a weight that is not square"
    if node.op in LOSSES and node.op != "Dot":
        yield f"with reduction {reduction(node)}"
        if node is not spec.loss:
            yield "with an upstream gradient other than 1"


@lru_cache(256)
def _defaults(op: str) -> dict[str, Any]:
    made = getattr(nn, op, None)
    known = inspect.signature(made).parameters if made else {}
    return {name: p.default for name, p in known.items() if p.default is not p.empty}


def _off_default(node: Node, name: str) -> bool:
    defaults = _defaults(node.op)
    if name == "reduction":
        return False
    return name in defaults and node.attrs[name] != defaults[name]


def _shape(shape: tuple[int, ...]) -> Iterator[str]:
    n = shape[0] if shape else 1
    yield f"with a batch of {n}" if n < 2 else "with a batch above 1"
    if len(shape) > 1:
        if shape[1] == n > 1:
            yield "with a batch equal to the width"
        elif n > 1 and shape[1] > 1:
            yield "with a batch other than the width"
        yield "with a width of 1" if shape[1] == 1 else "with a width above 1"
    if len(shape) > 2:
        yield "on three axes"


def numbers(x: Array) -> Iterator[str]:
    if not x.size:
        return
    size = np.abs(x)
    top = float(size.max())
    if top > LARGE:
        yield f"on numbers above {LARGE:g}"
    if 0 < top < SMALL:
        yield f"on numbers below {SMALL:g}"
    if not size.all():
        yield "on zeros"
    if x.size > 1:
        flat = np.sort(x, None)
        spread = float(flat[-1] - flat[0])
        if (flat[1:] == flat[:-1]).any():
            yield "on equal numbers"
        if 0 < spread < abs(float(flat[0])) / 4:
            yield "on a mean far above the spread"
    if (x == np.rint(x)).all():
        yield "on whole numbers"
    if float(x.max()) < 0:
        yield "on negative numbers only"


def _labels(node: Node, target: Array) -> Iterator[str]:
    if target.dtype.kind == "f":
        yield "with targets of probabilities"
        return
    ignored = target == node.attrs.get("ignore_index", -100)
    if ignored.size and ignored.all():
        yield "with all labels ignored"
    if ignored.any():
        yield "with ignored labels"


def update_regimes(case: UpdateCase) -> set[str]:
    """The regimes of a case of step 5."""
    defaults = inspect.signature(getattr(torch.optim, case.op)).parameters
    off = {name for name, value in case.attrs.items() if name != "lr" and _differs(value, defaults[name].default)}
    found = {f"in {case.dtype}", *(f"with {name} off its default" for name in off)}
    found.add("at all defaults" if not off else "with some argument off its default")
    found.add("with one step" if len(case.gradients) == 1 else "with several steps")
    top = max((float(np.abs(g).max(initial=0)) for each in case.gradients for g in each.values()), default=0.0)
    if top > LARGE or top < SMALL:
        found.add(f"on numbers above {LARGE:g}" if top > LARGE else f"on numbers below {SMALL:g}")
    return found


def _differs(value: Any, default: Any) -> bool:
    return (tuple(value) if isinstance(value, list | tuple) else value) != default


# ---------------------------------------------------------------------------------------------------------- coverage

ALWAYS = (
    "in float32", "in float64", "in training", "in evaluation", "with a batch of 1", "with a batch above 1",
    "with a batch equal to the width", "with a batch other than the width", "with a width of 1", "on three axes",
    f"on numbers above {LARGE:g}", f"on numbers below {SMALL:g}", "on zeros", "on equal numbers", "on whole numbers",
    "on a mean far above the spread", "on negative numbers only",
    f"in a net of more than {DEEP} nodes",
)  # fmt: skip
"""What every operator should meet, but for `NEVER`."""
NEVER: dict[str, tuple[str, ...]] = {
    "BCELoss": (f"on numbers above {LARGE:g}", "on negative numbers only"),
    "GLU": ("with a width of 1",),
    "Unflatten": ("on three axes", "with a width of 1"),
    "Chunk": ("with a width of 1",),
}
"""What cannot be, or is not drawn: probabilities are in [0, 1]; an axis of 1 does not unfold."""
SPECIAL: dict[str, tuple[str, ...]] = {
    "Linear": (
        "with a square weight", "with a weight that is not square", "with shared parameters",
        "with bias off its default",
    ),
    "Multiply": ("reading a tensor twice",),
    "CrossEntropyLoss": ("with targets of probabilities", "with ignored labels", "with all labels ignored"),
    "NLLLoss": ("with ignored labels", "with all labels ignored"),
}  # fmt: skip


def expected(op: str) -> list[str]:
    """The regimes that a long run should have met an operator in."""
    found = [r for r in ALWAYS if r not in NEVER.get(op, ())]
    if op in UNITS or op in ("Linear", "Add", "Multiply", "Concatenate"):
        found.append(FORKED)
    if op != "BatchNorm1d":
        found.append("with a batch of 0")
    found += [f"with {name} off its default" for name in _drawn_off(op)]
    if op in KINKS:
        found.append("exactly at a kink")
    if op in LOSSES and op != "Dot":
        found += [f"with reduction {r}" for r in ("mean", "sum", "none")]
        found.append("with an upstream gradient other than 1")
    return found + list(SPECIAL.get(op, ()))


@lru_cache(256)
def _drawn_off(op: str) -> tuple[str, ...]:
    """The arguments that the generator draws off their defaults."""
    draw = {**UNITS, **LOSSES}.get(op)
    drawn = (Node("n", op, (), draw(Random(k), (2, 4))) for k in range(100)) if draw else ()
    return tuple(dict.fromkeys(name for node in drawn for name in node.attrs if _off_default(node, name)))
