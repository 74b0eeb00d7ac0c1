"""Cases of a function: its inputs, and a drawn cotangent for every output."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from msgspec.structs import replace

from oracle.gradients.functions import Operator, Reading, cotangent_names, graph
from oracle.gradients.source import Source
from oracle.spec import Array, Case, CaseError, Tensors

WAYS = ("normal",) * 8 + ("ones", "ones", "constant", "holes", "holes", "whole", "whole", "tiny", "large")
"""What the entries of a cotangent are like."""


def _cotangent(rng: np.random.Generator, shape: tuple[int, ...], dtype: str) -> Array:
    way = WAYS[int(rng.integers(len(WAYS)))]
    x = rng.standard_normal(shape)
    if way in ("ones", "constant"):
        x = np.full(shape, 1.0 if way == "ones" else float(rng.standard_normal()))
    elif way == "holes":
        x = x * (rng.random(shape) < 0.5)
    elif way == "whole":
        x = rng.integers(-3, 4, shape).astype(float)
    elif way in ("tiny", "large"):
        x = x * (1e-6 if way == "tiny" else 1e4)
    return np.asarray(x, dtype)


def case_of(op: Operator, x: Tensors, dtype: str, seed: Any) -> Case:
    """A case of an operator. Raises `CaseError` where `like` has no answer."""
    rng = np.random.default_rng(seed)
    needs = _needs(op, rng)
    try:
        if op.phase == "order 2":
            shapes = [y.shape for y in op.function.real(*_tensors(op, x))]
            x = {**x, **{name: _cotangent(rng, tuple(s), dtype) for name, s in zip(op.extra, shapes, strict=True)}}
        elif op.phase == "forward":
            pairs = zip(op.extra, op.function.wanted, strict=True)
            x = {**x, **{t: _cotangent(rng, x[name].shape, dtype) for t, name in pairs}}
        made = op.evaluate(x)
    except (ValueError, RuntimeError) as error:
        raise CaseError(f"{error}") from None
    names = cotangent_names(op, made)
    inputs = {**x, **{name: _cotangent(rng, made[k].shape, dtype) for k, name in names.items()}}
    nodes = graph(op, len(made), names, needs)
    return Case(dtype=dtype, nodes=nodes, inputs=inputs)  # type: ignore[arg-type]


def _tensors(op: Operator, x: Tensors) -> Iterator[Any]:
    from oracle.gradients.functions import tensor

    return (tensor(x[name]) for name in op.function.names)


def _needs(op: Operator, rng: np.random.Generator) -> tuple[str, ...]:
    """The inputs whose gradient is asked for: all of them, but for one case in eight."""
    if op.phase != "order 1" or len(op.wanted) < 2 or rng.random() > 1 / 8:
        return ()
    some = [name for name in op.wanted if rng.random() < 0.5]
    return tuple(some) if some else (op.wanted[int(rng.integers(len(op.wanted)))],)


def read(case: Case, operators: Mapping[str, Operator]) -> Reading:
    """A saved case. Raises `CaseError` for one of another function."""
    case.check()
    node = case.nodes[0]
    if node.op not in operators:
        raise CaseError(f"the case is of {node.op}, but this check is of {', '.join(operators)}")
    if node.inputs != operators[node.op].inputs:
        raise CaseError(f"the case has the inputs {node.inputs}, but should have {operators[node.op].inputs}")
    return Reading(case, operators[node.op])


# -------------------------------------------------------------------------------------------------------- shrinking


def shorter(asked: Reading, source: Source) -> Iterator[Case]:
    """The case with fewer indices along one named length; cotangents are cut alike."""
    case, op = asked.case, asked.op
    own = {name: case.inputs[name] for name in op.function.names}
    for name, keep, x in source.narrowed(own):
        try:
            yield _cut(asked, x, keep)
        except (ValueError, RuntimeError, IndexError, CaseError):
            continue
        del name


def _cut(asked: Reading, x: Tensors, keep: list[int]) -> Case:
    case, op = asked.case, asked.op
    extra: Tensors = {}
    if op.phase == "order 2":
        shapes = [tuple(y.shape) for y in op.function.real(*_tensors(op, x))]
        extra = {name: _fitted(case.inputs[name], s, keep) for name, s in zip(op.extra, shapes, strict=True)}
    elif op.phase == "forward":
        pairs = zip(op.extra, op.function.wanted, strict=True)
        extra = {t: _fitted(case.inputs[t], x[name].shape, keep) for t, name in pairs}
    made = op.evaluate({**x, **extra})
    cotangents = {c: _fitted(case.inputs[c], made[k].shape, keep) for k, _, c in asked.dots}
    return replace(case, inputs={**x, **extra, **cotangents})


def _fitted(c: Array, shape: tuple[int, ...], keep: list[int]) -> Array:
    """An array cut to a shape: along each axis that became shorter, these indices."""
    if c.ndim != len(shape):
        return np.resize(c if c.size else np.ones(1, c.dtype), shape).astype(c.dtype)
    for axis, length in enumerate(shape):
        if c.shape[axis] != length:
            of = keep if len(keep) == length and max(keep) < c.shape[axis] else list(range(length))
            c = np.take(c, of, axis)
    return c
