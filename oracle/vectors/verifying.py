"""Answers held against a set of vectors: low ≤ got ≤ high, and what else the files can tell.

Nothing here computes a gradient: the files decide. An answer that another choice of slopes at a kink explains is
right too, and is told apart as a convention.
"""

import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec import Struct

from oracle.spec import CaseError
from oracle.vectors.records import Allowed, Answer, Bounds, Convention, Dtype, Vector

Status = Literal["ok", "convention", "wrong", "missing", "skipped"]
GOOD = ("ok", "convention", "skipped")
WORDS = ("NaN", "Infinity", "-Infinity")
NOTHING = "nothing"
"""What stands where there is no answer."""
CLOSE = 1e-6
"""How near, relatively, a number must be to that of a fault to suggest it; or within what rounding may do there."""


class Misfit(Struct, frozen=True):
    """One entry that is not allowed."""

    where: str
    """h1.weight[0, 1]."""
    got: Any
    """As it was answered."""
    low: Any
    high: Any


class Outcome(Struct, frozen=True, omit_defaults=True):
    """What became of one vector."""

    id: str
    status: Status
    about: str
    reason: str = ""
    misfits: tuple[Misfit, ...] = ()
    suggests: tuple[str, ...] = ()
    """Flags of the faults that give these very numbers, and show nowhere that this subject passes; likeliest first."""


# ------------------------------------------------------------------------------------------------------- one answer


def judge(vector: Vector, answer: Answer | None, dtype: Dtype = "float64", inputs: bool = True) -> Outcome:
    """Whether an answer (None: there is none) is right; without `inputs`, by the loss and the parameters alone."""
    if vector.expected.loss.float32 is None and dtype == "float32":
        return Outcome(vector.id, "skipped", vector.about, "float32 cannot hold the numbers of this question")
    if answer is None:
        return Outcome(vector.id, "missing", vector.about, "there is no answer", (Misfit("", NOTHING, None, None),))
    wanted = {n: a for n, a in vector.expected.gradients.items() if inputs or n in vector.parameters}
    if absent := [name for name in wanted if name not in answer.gradients]:
        found = [Misfit(name, NOTHING, None, None) for name in absent]
        return Outcome(vector.id, "missing", vector.about, f"no gradient of {', '.join(absent)}", tuple(found))
    found = [*misfits("loss", bounds(vector.expected.loss, dtype), answer.loss)]
    for name, allowed in wanted.items():
        found += misfits(name, bounds(allowed, dtype), answer.gradients[name])
    if found:
        return Outcome(vector.id, "wrong", vector.about, _told(found), tuple(found))
    return _convention(vector, answer, dtype, wanted)


def bounds(allowed: Allowed, dtype: Dtype) -> Bounds:
    """Where an answer of a dtype may lie."""
    found = allowed.float32 if dtype == "float32" else allowed.float64
    assert found is not None
    return found


def misfits(name: str, allowed: Bounds, got: Any) -> Iterator[Misfit]:
    """Every entry outside of its bounds; a tensor of another shape is one misfit."""
    yield from _misfits(name, (), allowed.low, allowed.high, got)


def _misfits(name: str, at: tuple[int, ...], low: Any, high: Any, got: Any) -> Iterator[Misfit]:
    where = f"{name}[{', '.join(map(str, at))}]" if at else name
    if isinstance(low, list) != isinstance(got, list) or (isinstance(low, list) and len(low) != len(got)):
        yield Misfit(where, _shown(got), _shown(low), _shown(high))
    elif isinstance(low, list):
        for k, row in enumerate(zip(low, high, got, strict=True)):
            yield from _misfits(name, (*at, k), *row)
    elif isinstance(got, bool) or not isinstance(got, int | float) or not low <= got <= high:
        yield Misfit(where, _shown(got), low, high)


def _shown(value: Any) -> Any:
    """A value for a person, and for JSON, which has no NaN: many writers make null of it, and of infinities."""
    if isinstance(value, list):
        return f"{len(value)} rows"
    if value is None or value in WORDS or (isinstance(value, float) and not math.isfinite(value)):
        return "not finite"
    return value if isinstance(value, int | float) else str(value)[:40]


def _told(found: list[Misfit]) -> str:
    first, more = found[0], f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    allowed = f"{first.low} to {first.high}" if first.low != first.high else f"{first.low}"
    return f"{first.where} is {first.got}, allowed is {allowed}{more}"


def _convention(vector: Vector, answer: Answer, dtype: Dtype, wanted: Iterable[str]) -> Outcome:
    """Right; by which choice of slopes, if there is a choice."""
    slopes = [c for c in vector.conventions if _fits(c, vector, answer, dtype, wanted)]
    if not vector.conventions or slopes[:1] == [vector.conventions[0]]:
        return Outcome(vector.id, "ok", vector.about)
    chosen = ", ".join(f"{op}: {w:g} of the right slope" for op, w in slopes[0].slopes.items()) if slopes else ""
    return Outcome(
        vector.id, "convention", vector.about, chosen or "a mixture of slopes, none of them outside its kink"
    )


def _fits(convention: Convention, vector: Vector, answer: Answer, dtype: Dtype, wanted: Iterable[str]) -> bool:
    """Whether an answer is that of a convention, with the room that the vector allows around the whole set."""
    return all(
        _within(convention.gradients[name], vector.expected.gradients[name], dtype, answer.gradients[name])
        for name in wanted
    )


def _within(exact: Bounds, allowed: Allowed, dtype: Dtype, got: Any) -> bool:
    wide, proven = bounds(allowed, dtype), allowed.proven
    rows = (flat(x) for x in (exact.low, exact.high, proven.low, proven.high, wide.low, wide.high, got))
    return all(
        low - (from_low - w_low) <= x <= high + (w_high - to_high)
        for low, high, from_low, to_high, w_low, w_high, x in zip(*rows, strict=True)
    )


def flat(rows: Any) -> list[Any]:
    """The numbers of nested rows."""
    return [x for row in rows for x in flat(row)] if isinstance(rows, list) else [rows]


# ------------------------------------------------------------------------------------------------------ all answers


def verify(
    vectors: Iterable[Vector], answers: Mapping[str, Answer], dtype: Dtype = "float64", inputs: bool = True
) -> list[Outcome]:
    """Judge the answers to a set, and say what the wrong ones suggest."""
    vectors = list(vectors)
    found = [judge(vector, answers.get(vector.id), dtype, inputs) for vector in vectors]
    alike = [_alike(vector, outcome) for vector, outcome in zip(vectors, found, strict=True)]
    cleared = {flag for v, o in zip(vectors, found, strict=True) if o.status == "ok" for flag in v.flags}
    common = Counter(flag for flags in alike for flag in flags)
    shown = Counter(flag for vector in vectors for flag in vector.flags)

    def likely(flag: str) -> tuple[int, int, str]:
        """What explains the most first; of equals, what would show in fewer places."""
        return -common[flag], shown[flag], flag

    return [
        msgspec.structs.replace(outcome, suggests=tuple(sorted(flags - cleared, key=likely)[:3]))
        for outcome, flags in zip(found, alike, strict=True)
    ]


def _alike(vector: Vector, outcome: Outcome) -> set[str]:
    """The flags of the faults that give what this subject gave."""
    got = {misfit.where: misfit for misfit in outcome.misfits}
    return {name for name, flag in vector.flags.items() if flag.where in got and _same(flag.gives, got[flag.where])}


def _same(gives: Any, got: Misfit) -> bool:
    if any(isinstance(x, str) for x in (gives, got.got, got.low)):
        return bool(gives == got.got)
    return bool(abs(gives - got.got) <= max(CLOSE * abs(gives), got.high - got.low))


def read_answers(path: Path) -> dict[str, Answer]:
    """The answers in a file: {id: {"loss", "gradients"}}, or several such objects, one a line. Raises `CaseError`."""
    try:
        text = path.read_text("utf-8")
        found: dict[str, Any] = {}
        for part in _objects(text):
            if twice := found.keys() & part.keys():
                raise CaseError(f"{path}: {min(twice)} is answered twice")
            found |= part
        return msgspec.convert(found, dict[str, Answer])
    except OSError as error:
        raise CaseError(f"{path}: {error.strerror or error}") from None
    except (msgspec.ValidationError, ValueError, RecursionError) as error:
        told = error if isinstance(error, CaseError) else f"{path}: not answers: {error}"
        raise CaseError(str(told)) from None


def _objects(text: str) -> Iterator[dict[str, Any]]:
    """The object that a text is, or the one on each of its lines."""
    try:
        parts = [_decoded(text)]
    except json.JSONDecodeError as error:
        if error.msg != "Extra data":
            raise
        parts = [_decoded(line) for line in text.splitlines() if line.strip()]
    for part in parts:
        if not isinstance(part, dict):
            raise ValueError(f"{str(part)[:40]!r} is no object of answers by id")
        yield part


def _decoded(text: str) -> Any:
    """JSON, by Python's own reader, which takes the bare NaN that Python's writer makes."""
    return json.loads(text, object_pairs_hook=_once)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose every key stands in it once; readers differ in which of two they keep."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"{next(n for n in names if names.count(n) > 1)!r} stands twice in an object")
    return found
