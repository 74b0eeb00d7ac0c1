"""What the files of a set hold, as plain data, and their JSON Schema.

Numbers are JSON numbers in decimal: the shortest that give the float64 back, which every correct reader does. Of the
published set every input but a few has at most two decimals and is exact in float32 too. No -0, NaN or infinity is in
a set. A tensor is nested rows; a scalar is the number itself.
"""

import hashlib
import json
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec import Struct

from oracle.spec import CaseError, Node

FORMAT = 1
INDEX = "index.json"
SCHEMA = "schema.json"
Dtype = Literal["float64", "float32"]
DTYPES: tuple[Dtype, ...] = ("float64", "float32")


class Tensor(Struct, frozen=True, forbid_unknown_fields=True):
    """A tensor of the question."""

    type: Literal["real", "integer", "boolean"]
    shape: tuple[int, ...]
    data: Any
    """Nested rows; of a scalar the number itself."""


class Bounds(Struct, frozen=True, forbid_unknown_fields=True):
    """low ≤ number ≤ high, entry by entry."""

    low: Any
    high: Any


class Allowed(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What one tensor of an answer may be."""

    shape: tuple[int, ...]
    proven: Bounds
    """The true numbers lie here; at a kink, those of every choice of slopes."""
    float64: Bounds
    """Right is what lies here: with the room that rounding needs in this very case."""
    float32: Bounds | None = None
    """The same for an implementation in float32; absent where it cannot hold the numbers of the question."""


class Expected(Struct, frozen=True, forbid_unknown_fields=True):
    """The whole of a right answer."""

    loss: Allowed
    gradients: dict[str, Allowed]
    """∂L/∂ every parameter and every real input."""


class Kink(Struct, frozen=True, forbid_unknown_fields=True):
    """An entry of a node's input that lies exactly where the slope jumps."""

    node: str
    index: tuple[int, ...]
    at: float
    torch: float
    """torch's choice, as the weight of the right slope: 0 the left one, 1 the right one."""


class Convention(Struct, frozen=True, forbid_unknown_fields=True):
    """The answer for one choice of slopes, the same at all kinks of an operator."""

    slopes: dict[str, float]
    """The weight of the right slope by operator: {"ReLU": 1}."""
    gradients: dict[str, Bounds]
    """Proven."""


class Flag(Struct, frozen=True, forbid_unknown_fields=True):
    """A fault that a vector shows, with the first number that it gets wrong; the index says more."""

    bugType: str  # noqa: N815  (the name that readers of Wycheproof's vectors know)
    effect: str
    """When it shows."""
    where: str
    """h1.weight[0, 1]; "" where there is no answer at all."""
    gives: Any
    """What stands there with this fault: a number, or in words what is none."""


class Vector(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One question with its proven answer: one file."""

    format: int = FORMAT
    id: str
    """Of the question alone: it never changes, whatever else is learned of its answer."""
    about: str
    training: bool = True
    nodes: tuple[Node, ...]
    """In topological order, the last one the loss; named after torch.nn."""
    inputs: dict[str, Tensor]
    parameters: dict[str, Tensor]
    buffers: dict[str, Tensor] = {}
    expected: Expected
    kinks: tuple[Kink, ...] = ()
    conventions: tuple[Convention, ...] = ()
    """torch's first."""
    flags: dict[str, Flag] = {}
    """The faults that a float64 answer shows here, by their code in the index and the operators they sit in."""


class Entry(Struct, frozen=True, forbid_unknown_fields=True):
    """A vector in the index."""

    id: str
    file: str
    sha256: str
    """Of the file."""
    about: str
    flags: int
    """How many faults it shows."""


class Note(Struct, frozen=True, forbid_unknown_fields=True):
    """What a code means."""

    bugType: str  # noqa: N815
    effect: str
    description: str
    wrong: str
    right: str


class Unshown(Struct, frozen=True, forbid_unknown_fields=True):
    """A fault that no vector shows."""

    flag: str
    why: str


class Index(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The set: read this first, and ask the vectors in this order, in one process."""

    format: int = FORMAT
    recipe: str
    """The command that makes the set."""
    vectors: tuple[Entry, ...]
    faults: dict[str, Note]
    """By code, the first word of a flag."""
    shown: int
    """Faults (code and place) that the set shows."""
    only_float64: tuple[str, ...]
    """Of these, those that answers in float32 do not show."""
    not_shown: tuple[Unshown, ...]


class Answer(Struct, frozen=True, forbid_unknown_fields=True):
    """An answer; NaN and infinities may be the strings "NaN", "Infinity", "-Infinity", or null."""

    loss: Any
    gradients: dict[str, Any]


# --------------------------------------------------------------------------------------------------------------- ids


def identify(question: dict[str, Any]) -> str:
    """Sixteen hexadecimal digits of a SHA-256 of what is asked."""
    return hashlib.sha256(json.dumps(question, sort_keys=True, separators=(",", ":")).encode()).hexdigest()[:16]


def question(vector: Vector) -> dict[str, Any]:
    """What is asked, without what is known of the answer."""
    parts = ("training", "nodes", "inputs", "parameters", "buffers")
    return {part: msgspec.to_builtins(getattr(vector, part)) for part in parts}


# ------------------------------------------------------------------------------------------------------------ reading


def load(directory: Path) -> tuple[Index, list[Vector]]:
    """A whole set, in order. Raises `CaseError` for what is missing, changed, or no set."""
    index: Index = _read(directory / INDEX, Index)
    return index, [_vector(directory, entry) for entry in index.vectors]


def _vector(directory: Path, entry: Entry) -> Vector:
    path = directory / entry.file
    if path.parent != directory:
        raise CaseError(f"{directory / INDEX}: {entry.file!r} is not the name of a file beside it")
    vector: Vector = _read(path, Vector, entry.sha256)
    if not vector.id == entry.id == identify(question(vector)):
        raise CaseError(f"{path}: its id is not the digest of its question: {identify(question(vector))}")
    return vector


def _read(path: Path, kind: Any, sha256: str = "") -> Any:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise CaseError(f"{path}: {error.strerror or error}") from None
    if sha256 and hashlib.sha256(data).hexdigest() != sha256:
        raise CaseError(f"{path}: not the file that {INDEX} was made with; export the set again")
    try:
        found = msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, RecursionError) as error:
        raise CaseError(f"{path}: not what it should be: {error}") from None
    if found.format != FORMAT:
        raise CaseError(f"{path}: format is {found.format}, but this oracle reads format {FORMAT}")
    return found


# ------------------------------------------------------------------------------------------------------------- schema

_ROWS = {
    "description": "nested rows of numbers; of a scalar the number itself",
    "anyOf": [{"type": "number"}, {"type": "boolean"}, {"type": "array", "items": {"$ref": "#/$defs/Rows"}}],
}
_SAID = {
    "description": "nested rows of numbers, as they were computed: NaN and infinities are words, or null",
    "anyOf": [
        {"type": "number"},
        {"enum": ["NaN", "Infinity", "-Infinity", None]},
        {"type": "array", "items": {"$ref": "#/$defs/Said"}},
    ],
}


def schema() -> dict[str, Any]:
    """The JSON Schema of every file: `Index`, `Vector`, and `Answers` for what is to be verified."""
    _, parts = msgspec.json.schema_components((Index, Vector, Answer), ref_template="#/$defs/{name}")
    for name, field in (("Tensor", "data"), ("Bounds", "low"), ("Bounds", "high")):
        parts[name]["properties"][field] = {"$ref": "#/$defs/Rows"}
    said = {"$ref": "#/$defs/Said"}
    parts["Answer"]["properties"] = {
        "loss": said, "gradients": {"type": "object", "additionalProperties": said},
    }  # fmt: skip
    answers = {
        "description": "answers by the id of their vector; a file may hold several such objects, one a line",
        "type": "object",
        "additionalProperties": {"$ref": "#/$defs/Answer"},
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "anyOf": [{"$ref": f"#/$defs/{name}"} for name in ("Index", "Vector", "Answers")],
        "$defs": {**parts, "Answers": answers, "Rows": _ROWS, "Said": _SAID},
    }
