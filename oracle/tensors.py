"""Tensors as JSON: every number exact, NaN, infinities and −0 included.

Rows of decimals, for a person and a diff; or base64 of the little-endian bytes in C order, for a program. Either is
read; case files have rows.
"""

import math
from collections.abc import Iterator
from typing import Any, Literal

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

Array = NDArray[Any]

WORDS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf, "-0.0": -0.0}
"""Numbers that JSON does not have, or loses."""
DTYPES = ("float32", "float64", "int64", "bool")
TENSOR_SCHEMA = {
    "type": "object",
    "required": ["dtype", "shape"],
    "additionalProperties": False,
    "properties": {
        "dtype": {"enum": list(DTYPES)},
        "shape": {"type": "array", "items": {"type": "integer", "minimum": 0}, "maxItems": 8},
        "data": {"description": "nested rows; NaN, Infinity, -Infinity and -0.0 are strings"},
        "base64": {"type": "string", "description": "little-endian bytes in C order"},
    },
    "oneOf": [{"required": ["data"]}, {"required": ["base64"]}],
}


class _Tensor(Struct, forbid_unknown_fields=True):
    """A tensor on its way in; a shape is given where rows cannot tell it."""

    dtype: Literal["float32", "float64", "int64", "bool"]
    shape: tuple[int, ...]
    data: Any = msgspec.UNSET
    base64: bytes | msgspec.UnsetType = msgspec.UNSET


def encode_tensor(x: Array, base64: bool = False) -> dict[str, Any]:
    """A tensor as plain JSON values: {"dtype", "shape", "data": nested rows}, or with "base64" in place of rows."""
    name = x.dtype.name if x.dtype.kind == "f" else "bool" if x.dtype.kind == "b" else "int64"
    head = {"dtype": name, "shape": list(x.shape)}
    if base64:
        return {**head, "base64": np.asarray(x, np.dtype(name).newbyteorder("<")).tobytes()}
    data = x.tolist()
    special = x.dtype.kind == "f" and bool((~np.isfinite(x) | ((x == 0) & np.signbit(x))).any())
    return {**head, "data": _spelled(data) if special else data}


def _spelled(value: Any) -> Any:
    return [_spelled(v) for v in value] if isinstance(value, list) else spell(value)


def spell(value: Any) -> Any:
    """A number that JSON does not have, as its word; anything else as it is."""
    if not isinstance(value, float):
        return value
    if value != value:
        return "NaN"
    if value in (math.inf, -math.inf):
        return "Infinity" if value > 0 else "-Infinity"
    return "-0.0" if value == 0 and math.copysign(1, value) < 0 else value


def unspell(value: Any) -> Any:
    """The inverse of `spell`."""
    return WORDS[value] if isinstance(value, str) and value in WORDS else value


def decode_tensor(raw: Any) -> Array:
    """The inverse of `encode_tensor`; refuses data that does not fit the shape before allocating anything.

    Raises ValueError.
    """
    tensor = msgspec.convert(raw, _Tensor)
    if len(tensor.shape) > 8 or any(n < 0 for n in tensor.shape) or math.prod(n or 1 for n in tensor.shape) > 2**31:
        raise ValueError(f"shape {list(tensor.shape)} is not a shape")
    if (tensor.data is msgspec.UNSET) == (tensor.base64 is msgspec.UNSET):
        raise ValueError("a tensor has either data or base64")
    return _of_rows(tensor) if isinstance(tensor.base64, msgspec.UnsetType) else _of_bytes(tensor, tensor.base64)


def _of_bytes(tensor: _Tensor, data: bytes) -> Array:
    dtype = np.dtype(tensor.dtype).newbyteorder("<")
    if len(data) != (size := math.prod(tensor.shape) * dtype.itemsize):
        raise ValueError(f"base64 has {len(data)} bytes where shape and dtype say {size}")
    if tensor.dtype == "bool" and data.strip(b"\0\1"):
        raise ValueError("a bool is the byte 0 or 1")
    return np.frombuffer(data, dtype).reshape(tensor.shape).astype(tensor.dtype)


def _of_rows(tensor: _Tensor) -> Array:
    try:
        flat = list(_flatten(tensor.data, tensor.shape, tensor.dtype))
        with np.errstate(over="ignore"):
            exact = np.array(flat, tensor.dtype).reshape(tensor.shape)
    except OverflowError as error:
        raise ValueError(f"a number does not fit {tensor.dtype}") from error
    if tensor.dtype == "float32" and not np.array_equal(exact.reshape(-1), np.array(flat), equal_nan=True):
        raise ValueError("a number is not exactly a float32")
    return exact


def _flatten(value: Any, shape: tuple[int, ...], dtype: str) -> Iterator[Any]:
    if not shape:
        yield _number(value, dtype)
        return
    if not isinstance(value, list) or len(value) != shape[0]:
        got = f"{len(value)} rows" if isinstance(value, list) else repr(value)[:40]
        raise ValueError(f"data has {got} where the shape says {shape[0]}")
    for row in value:
        yield from _flatten(row, shape[1:], dtype)


def _number(value: Any, dtype: str) -> Any:
    if dtype == "bool":
        if isinstance(value, bool):
            return value
    elif dtype == "int64":
        if isinstance(value, int) and not isinstance(value, bool):
            return value
    elif isinstance(value, str) and value in WORDS:
        return WORDS[value]
    elif isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    raise ValueError(f"{value!r:.40} is not a {dtype}")
