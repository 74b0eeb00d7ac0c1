"""The tiny cases of `oracle smoke`, the simplest first; each in two sizes, so that a factor shows what it is of."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from itertools import islice
from random import Random
from typing import Any

import numpy as np
from msgspec.structs import replace as changed

from oracle.architectures import LOSSES, PROFILES, UNITS, Slot, architecture
from oracle.chains import Chain
from oracle.draws import values
from oracle.probes import MOVES
from oracle.spec import AnyCase, Case, Node, UpdateCase
from oracle.subjects import Subject

SIZES = ((5, (2, 3, 4)), (3, (4, 5, 2)))
"""The batch and the widths of the two sizes, no two of one the same."""
SMOOTH = ("Tanh", "Sigmoid", "SiLU", "Softplus", "ReLU", "LeakyReLU")
PLAIN = ("HalfSquaredError", "MSELoss", "BCEWithLogitsLoss", "Dot")

Rung = tuple[str, Callable[[int], AnyCase]]
"""What is tried, and the case in either size."""


def ladder(subject: Subject) -> Iterator[Rung]:
    """The cases for a subject of graphs, of the operators that it supports."""
    knows = subject.supports or frozenset({*SMOOTH, *PLAIN, *LOSSES, "Linear", "Add"})
    loss = next((op for op in PLAIN if op in knows), next((op for op in LOSSES if op in knows), "Dot"))
    unit = next((op for op in SMOOTH if op in knows), "")
    if "Linear" in knows:
        yield f"one Linear and {loss}", lambda k: net(k, ["Linear"], loss)
        yield "a Linear without a bias", lambda k: net(k, ["Linear"], loss, bias=False)
    for other in ("mean", "sum") if loss in ("HalfSquaredError", "MSELoss") else ():
        yield f"{loss} with reduction {other}", partial(net, ops=["Linear"], loss=loss, reduction=other)
    if unit:
        yield f"an activation, {unit}", lambda k: net(k, ["Linear", unit], loss)
        yield "two layers", lambda k: net(k, ["Linear", unit, "Linear"], loss)
        yield "a batch of one", lambda k: net(k, ["Linear", unit, "Linear"], loss, batch=1)
        yield "float32", lambda k: net(k, ["Linear", unit, "Linear"], loss, dtype="float32")
        yield "evaluation mode", lambda k: changed(net(k, ["Linear", unit, "Linear"], loss), training=False)
    if "CrossEntropyLoss" in knows:
        yield "classes as targets, CrossEntropyLoss", lambda k: net(k, ["Linear"], "CrossEntropyLoss")
    if {"Add", "Linear"} <= knows:
        yield "an input that two layers read", lambda k: shared(k, loss)
    if subject.update:
        yield "step 5, plain SGD", update


def net(
    k: int, ops: list[str], loss: str, *, bias: bool = True, reduction: str = "", batch: int = 0, dtype: str = "float64"
) -> Case:
    """A chain, with ordinary numbers."""
    n, widths = SIZES[k]
    width, at, nodes, parameters = iter(widths), "x", list[Node](), dict[str, Slot]()
    inner = next(width)
    for number, op in enumerate(ops, 1):
        name, attrs = (f"h{number}", dict[str, Any]()) if op == "Linear" else (f"a{number}", {})
        if op == "Linear":
            outer = next(width)
            attrs = {"in_features": inner, "out_features": outer} | ({} if bias else {"bias": False})
            parameters |= {f"{name}.weight": Slot((outer, inner))} | ({f"{name}.bias": Slot((outer,))} if bias else {})
            inner = outer
        nodes.append(Node(name, op, (at,), attrs))
        at = name
    target = (
        Slot((batch or n,), "classes", inner) if loss in ("CrossEntropyLoss", "NLLLoss") else Slot((batch or n, inner))
    )
    return _ended(nodes, loss, at, {"x": Slot((batch or n, widths[0])), "target": target}, parameters, reduction, dtype)


def _ended(
    nodes: list[Node],
    loss: str,
    at: str,
    inputs: dict[str, Slot],
    parameters: dict[str, Slot],
    reduction: str,
    dtype: str,
) -> Case:
    """The nodes with a loss, and ordinary numbers, reproducible and off every kink."""
    rng = np.random.default_rng(len(nodes))
    attrs = {"reduction": reduction} if reduction else {}

    def fill(slot: Slot) -> Any:
        if slot.kind == "classes":
            return np.arange(slot.shape[0]) % slot.classes
        x = rng.normal(size=slot.shape)
        return (1 / (1 + np.exp(-x)) if loss.startswith("BCE") and slot is inputs["target"] else x).astype(dtype)

    return Case(
        dtype="float32" if dtype == "float32" else "float64",
        nodes=(*nodes, Node("loss", loss, (at, "target"), attrs)),
        inputs={name: fill(slot) for name, slot in inputs.items()},
        parameters={name: fill(slot) for name, slot in parameters.items()},
    )


def shared(k: int, loss: str) -> Case:
    """x -> h1, x -> h2, h1 + h2: the error signals of the two uses add."""
    n, (inner, outer, _) = SIZES[k]
    attrs = {"in_features": inner, "out_features": outer}
    nodes = [Node("h1", "Linear", ("x",), attrs), Node("h2", "Linear", ("x",), attrs), Node("sum", "Add", ("h1", "h2"))]
    own = {"weight": Slot((outer, inner)), "bias": Slot((outer,))}
    parameters = {f"h{i}.{role}": slot for i in (1, 2) for role, slot in own.items()}
    return _ended(nodes, loss, "sum", {"x": Slot((n, inner)), "target": Slot((n, outer))}, parameters, "", "float64")


def update(k: int) -> UpdateCase:
    """Two steps downhill."""
    rng = np.random.default_rng(k)
    tensors = [{"h1.weight": rng.normal(size=(2, 3)), "h1.bias": rng.normal(size=2)} for _ in range(3)]
    return UpdateCase(op="SGD", attrs={"lr": 0.1}, parameters=tensors[0], gradients=tuple(tensors[1:]))


def of_chain(chain: Chain) -> Iterator[Rung]:
    """The cases for a subject that runs chains only."""

    def case(k: int, depth: int, batch: int = 0, pair: int = 0) -> Case:
        n, widths = SIZES[k]
        free = (*widths, 6, 7)[: depth + 1]
        sizes = [fixed or free[i] for i, fixed in enumerate(chain.sizes or (0,) * (depth + 1))]
        drawn = chain.net(sizes, batch or n, chain.units[pair])
        return chain.case(replace(drawn, batches=(batch or n,)), k, chain.dtypes[0], ("normal",))

    depths = sorted({len(chain.sizes) - 1} if chain.sizes else set(chain.depths))
    alone, batch = 1 if max(chain.batches) == 1 else 0, depths[-1] if len(depths) < 2 else depths[1]
    words = {1: "one layer", 2: "two layers", 3: "three layers", 4: "four layers"}
    for depth in depths:
        yield words.get(depth, f"{depth} layers"), partial(case, depth=depth, batch=alone)
    if not alone:
        yield "a batch of one", lambda k: case(k, batch, 1)
    for pair, (hidden, _) in enumerate(chain.units[1:] if len(chain.units) > 1 else (), 1):
        yield f"the activation {hidden.op}", partial(case, depth=batch, batch=alone, pair=pair)


# --------------------------------------------------------------------------------------------------- every operator


def operators(loss: str, safe: set[str]) -> Iterator[tuple[str, list[Case]]]:
    """Small cases of every operator, among operators that are known to work: who is to blame must be certain."""
    unit = next((op for op in SMOOTH if op in safe), "Identity")
    for op in dict.fromkeys((*UNITS, *(op for op in MOVES if op != "Linear"), *LOSSES)):
        moves, units = MOVES.get(op, ("unit",)), (op,) if op in UNITS else (unit,)
        profile = replace(PROFILES["standard"], depth=(1, 1), batches=(3,), widths=(2, 4), moves=moves, units=units)
        drawn = _drawn(op, replace(profile, losses=(op,) if op in LOSSES else (loss,)), safe)
        if cases := list(islice(drawn, 2)):
            yield op, cases


def _drawn(op: str, profile: Any, safe: set[str]) -> Iterator[Case]:
    random = Random(op)
    for _ in range(30):
        net = architecture(random, profile)
        ops = {node.op for node in net.nodes}
        if op in ops <= safe | {op}:
            yield values(net, random.randrange(2**32), "float64", ("normal",))
