"""report.json and its schema. JSON has no NaN and no infinity: they are the words "NaN", "Infinity", "-Infinity"."""

import json
import math
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import numpy as np

from oracle import spec
from oracle.records import Report
from oracle.tensors import decode_tensor, encode_tensor

WORDS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
WIDTH = 100
"""Characters up to which a value stays on one line."""
NUMBERS = ("worst", "expected", "got", "tolerance", "low", "high")


def encode(report: Report) -> bytes:
    """report.json, indented; equal reports give equal bytes."""
    return indented(walk(msgspec.to_builtins(report, enc_hook=_leaf, order="deterministic"), spell))


def indented(value: Any) -> bytes:
    """Plain values as JSON for a reader: ASCII only, so that it is harmless in a terminal too."""
    return (_indent(value) + "\n").encode("ascii")


def _indent(value: Any, pad: str = "\n") -> str:
    """Short values and rows of numbers on one line; of others, each part on its own."""
    flat = json.dumps(value, allow_nan=False)
    nested = isinstance(value, list) and any(isinstance(v, dict | list) for v in value)
    if len(flat) <= WIDTH or not (nested or isinstance(value, dict)):
        return flat
    inner = pad + "  "
    if isinstance(value, list):
        return "[" + ",".join(inner + _indent(v, inner) for v in value) + pad + "]"
    return "{" + ",".join(f"{inner}{json.dumps(key)}: {_indent(v, inner)}" for key, v in value.items()) + pad + "}"


def decode(data: bytes, where: str = "report.json") -> Report:
    """The inverse of `encode`; raises `CaseError` with a sentence saying what is no report, and where."""
    try:
        raw = msgspec.json.decode(data)
        for holder, key in _floats(raw):
            if isinstance(holder[key], str):
                holder[key] = WORDS.get(holder[key], holder[key])
        report: Report = msgspec.convert(raw, Report, dec_hook=lambda _, value: decode_tensor(value))
    except (msgspec.DecodeError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise spec.CaseError(f"{where}: {error}") from None
    return report


def _floats(raw: Any) -> Iterator[tuple[dict[str, Any], str]]:
    """Every place of a plain report where a word means a number."""
    for finding in raw.get("findings", ()):
        verdict, case = finding.get("verdict", {}), finding.get("case", {})
        for holder in (verdict, *verdict.get("differences", ())):
            yield from ((holder, key) for key in NUMBERS if key in holder)
        for owner in (case, *case.get("nodes", ())):
            yield from ((owner["attrs"], key) for key in owner.get("attrs", {}))


def schema() -> dict[str, Any]:
    """The JSON Schema of report.json."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **walk(spec.schema(Report), _or_word)}


def _or_word(value: Any) -> Any:
    if not isinstance(value, dict) or value.get("type") != "number":
        return value
    rest = {key: v for key, v in value.items() if key != "type"}
    return {"anyOf": [{"type": "number"}, {"enum": list(WORDS)}], **rest}


def walk(value: Any, change: Callable[[Any], Any]) -> Any:
    """A tree of plain values with every value changed, from the leaves up."""
    if isinstance(value, dict):
        value = {key: walk(v, change) for key, v in value.items()}
    elif isinstance(value, list | tuple):
        value = [walk(v, change) for v in value]
    return change(value)


def _leaf(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else encode_tensor(value)


def spell(value: Any) -> Any:
    """A value as JSON can say it."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()  # half a surrogate pair is no JSON
    if not isinstance(value, float) or math.isfinite(value):
        return value
    return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"
