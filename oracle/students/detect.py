"""How a student's function is to be read: of the ways that run, the one under which the most gradients are right."""

from collections.abc import Iterator
from dataclasses import replace as changed
from typing import Any

import numpy as np
from msgspec.structs import replace

from oracle.chains import Chain
from oracle.students.entry import silence
from oracle.students.meaning import LOSSES, REDUCTIONS, UNITS, Choice, Probe
from oracle.students.signature import Misfit
from oracle.students.student import Reading, Student
from oracle.students.trying import HELP, Failure, Tried, failed, net_of, readings, widths_to_try
from oracle.subjects import SubjectError

SAID: dict[str, tuple[str, ...]] = {
    "activation": tuple(u for u in UNITS if u != "softmax"), "output": tuple(UNITS), "loss": tuple(LOSSES),
    "reduction": REDUCTIONS, "layout": ("in_out", "out_in"), "samples": ("rows", "columns", "column", "vector"),
    "biases": ("vector", "row", "column", "none", "first"), "targets": ("like", "classes"),
    "args": (), "sizes": (),
}  # fmt: skip
"""What can be said of a function, and the values it may have; none where any will do."""


def detect(call: Any, said: dict[str, str]) -> Student:
    """The function as a subject. Raises `SubjectError` with what was tried."""
    name = getattr(call, "__qualname__", type(call).__name__)
    failures: list[Failure] = []
    try:
        with silence():
            for sizes in widths_to_try(call, said):
                found = list(readings(call, said, sizes, failures))
                if found:
                    return _student(found, said, sizes, name)
    except Misfit as error:
        raise SubjectError(f"{name}: {error}; {HELP}") from error
    raise SubjectError(f"{name}: {failed(failures)}")


# ------------------------------------------------------------------------------------------------------- the subject


def _student(found: list[Tried], said: dict[str, str], sizes: tuple[int, ...], name: str) -> Student:
    biased = [tried for tried in found if tried[0].biases is not None]
    found = biased or found  # a net that has biases is not to be judged without them
    exact = [_exact(reading, probes) for reading, probes, _, _ in found]
    named = [bool(activation[0]) for _, _, activation, _ in found]
    order = sorted(range(len(found)), key=lambda k: (*_merit(found[k][3]), exact[k], named[k], -k), reverse=True)
    reading, probes, activation, choice = found[order[0]]
    if not choice.sure and not {"activation", "loss", "reduction"} <= said.keys():
        raise SubjectError(f"{name}: {_unread(reading, choice)}")
    meanings = {activation[0]: (activation[1], choice.meaning)}
    alike = [(its, probes, theirs) for other, probes, its, theirs in (found[k] for k in order) if other == reading]
    for its, _, theirs in alike if activation[0] else ():
        if its[0] and theirs.sure:
            meanings.setdefault(its[0], (its[1], theirs.meaning))
    plain = choice.meaning.hidden != choice.meaning.output or "squared" in choice.meaning.loss
    for its, probes, theirs in alike if activation[0] and choice.sure and plain else ():
        if its[0] in CORE and its[0] not in meanings and not theirs.sure and _known(reading, its[1], probes):
            output = its[0] if choice.meaning.hidden == choice.meaning.output else choice.meaning.output
            meanings[its[0]] = (its[1], changed(choice.meaning, hidden=its[0], output=output))
    return _finished(reading, meanings, choice, sizes)


CORE = ("sigmoid", "tanh", "relu")
"""Activations whose names mean one thing."""


def _known(reading: Reading, value: Any, probes: list[Probe]) -> bool:
    """Whether a function knows an activation by name: it does something else for a name that there is not."""
    try:
        other, _ = reading.ask(
            probes[0].net.copy(), "no such activation" if isinstance(value, str) else None, strict=False
        )
    except BaseException:
        return True
    return not all(np.array_equal(g, probes[0].gradients[name]) for name, g in other.items())


def _merit(choice: Choice) -> tuple[bool, float]:
    return choice.sure, round(choice.right, 2)


def _exact(reading: Reading, probes: list[Probe]) -> int:
    """How many of the gradients have the parameters' own shapes."""
    shapes = {
        f"h{k}.{role}": x.shape
        for role, many in (("weight", probes[0].net.weights), ("bias", probes[0].net.biases))
        for k, x in enumerate(many, 1)
    }
    return sum(x.shape == shapes[name] for name, x in probes[0].gradients.items())


def _unread(reading: Reading, choice: Choice) -> str:
    nearest = f"nearest came {choice.meaning}, with {choice.right:.0%} of the gradients right"
    if choice.ratios:
        times = " and ".join(f"{k:.6g}" for k in dict.fromkeys(round(k, 9) for k in choice.ratios))
        nets = "" if len(set(choice.ratios)) == 1 or choice.ratio else " in nets of other sizes"
        nearest = f"under {choice.meaning}, every gradient is {times} times the right one{nets}"
    m = choice.meaning
    if not choice.right and not choice.ratios:
        nearest = "none of them makes any gradient right"
    if choice.loss == "right":
        nearest = f"the loss it returns is that of {m}, but its gradients are not"
    return (
        f"it runs ({reading.layout}), but what it computes is not known: under no usual activation, loss and reduction "
        f"is half of its gradients right; {nearest}. Say what it should compute, then it is judged by that, for "
        f"example --as mlp:activation={m.hidden},output={m.output},loss={m.loss},reduction={m.reduction}"
    )


def _finished(
    reading: Reading, meanings: dict[str, tuple[Any, Any]], choice: Choice, sizes: tuple[int, ...]
) -> Student:
    meaning = choice.meaning
    target = {"cross_entropy": "classes", "binary_cross_entropy": "binary"}.get(meaning.loss, "real")
    if target != "classes" and reading.layout.targets == "classes":
        target = "one_hot"
    chain = Chain(
        tuple(m.units for _, m in meanings.values()),
        LOSSES[meaning.loss],
        meaning.plain,
        target,
        sizes=sizes if any(sizes) else (),
        bias=reading.layout.biases != "none",
    )
    chain = replace(chain, batches=(1,)) if reading.layout.single else chain
    chain = replace(chain, dtypes=("float32",)) if reading.single else chain
    student = Student(
        reading, meanings, chain, _told(reading, meanings, choice), choice.loss in ("right", "negative", "none")
    )
    if not chain.sizes:
        depths = (len(sizes) - 1,) if reading.entry.signature.depth else tuple(_depths(reading, meanings, sizes))
        student = changed(student, chain=_with(chain, depths))
    return student


def _with(chain: Chain, depths: tuple[int, ...]) -> Chain:
    often = tuple(d for d in (1, 2, 2, 3, 4) if d in depths)
    return replace(chain, depths=often or depths)


def _depths(reading: Reading, meanings: dict[str, tuple[Any, Any]], sizes: tuple[int, ...]) -> Iterator[int]:
    """The numbers of layers that it runs and answers for."""
    value = next(iter(meanings.values()))[0]
    for depth in (1, 2, 3, 4):
        net = net_of((*(0,) * depth, sizes[-1]), 0, reading.layout)
        try:
            gradients, _ = reading.ask(net.copy(), value, strict=False)
        except KeyboardInterrupt:
            raise
        except BaseException:
            continue
        if depth == len(sizes) - 1 or all(
            g.size == w.size
            for g, w in zip((gradients[f"h{k}.weight"] for k in range(1, depth + 1)), net.weights, strict=True)
        ):
            yield depth


def _told(reading: Reading, meanings: dict[str, tuple[Any, Any]], choice: Choice) -> str:
    """The reading in a sentence."""
    form = f", given as {reading.form}" if reading.form else ""
    units = choice.meaning.activations
    if len(meanings) > 1:
        whole = choice.meaning.hidden == choice.meaning.output
        units = f"the activation by name ({', '.join(meanings)}), "
        units += "everywhere" if whole else f"{choice.meaning.output} at the output"
    units += f"; {choice.meaning.error}"
    loss = {
        "near": "; the loss it returns is nearly that, as with an ε in a logarithm, and is not judged",
        "unknown": "; what it returns as a loss is none that is known, and is not judged",
    }.get(choice.loss, "")
    loss += "; it calculates in float32, and is judged as that" if reading.single else ""
    return f"read as: {reading.layout}{form}; {units}{loss}. In the report {reading.mapping}"
