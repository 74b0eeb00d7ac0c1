"""Cases and answers: plain data, JSON in and out, every number exact.

A *spec* is a graph: nodes named after `torch.nn` in topological order, the last one the scalar loss. A *case* is
a spec with every number: inputs, parameters, buffers, mode and dtype. An *answer* is what a subject returns for
it. Cases of step 5 are parameters, a sequence of gradients and an optimizer.

This module needs neither torch nor hypothesis: a shim around a foreign subject can import it alone.
"""

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np
from msgspec import Struct

from oracle.tensors import TENSOR_SCHEMA, decode_tensor, encode_tensor, spell, unspell
from oracle.tensors import Array as Array

Tensors = dict[str, Array]

FORMAT = 1
LARGEST_FILE = 64 * 2**20
"""Bytes of a case file above which it is refused unread."""


class CaseError(ValueError):
    """A case that cannot be judged; the sentence says what is wrong, where, and what to do."""


class Unsupported(Exception):  # noqa: N818  (raised by a subject to decline, not to fail)
    """Raised by a subject to say that it does not support a case: the outcome is `skipped`, with this reason."""


class Node(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One operator of the graph."""

    name: str
    op: str
    """A class name of `torch.nn`; or Add, Multiply, Concatenate, Chunk, HalfSquaredError, Dot."""
    inputs: tuple[str, ...]
    """Input tensors or earlier nodes; "c:0" is the first of several outputs of c."""
    attrs: dict[str, Any] = {}
    """Keyword arguments of the constructor."""
    params: dict[str, str] = {}
    """Parameters under another name than `node.role`: {"weight": "encoder.weight"} shares the encoder's."""

    def parameter(self, role: str) -> str:
        """The full name of a parameter or buffer."""
        return self.params.get(role, f"{self.name}.{role}")


class Spec(Struct, frozen=True, forbid_unknown_fields=True):
    """A graph: nodes in topological order, the last one the scalar loss."""

    nodes: tuple[Node, ...]

    @property
    def loss(self) -> Node:
        """The last node."""
        return self.nodes[-1]

    def consumers(self, tensor: str) -> list[Node]:
        """The nodes that read a tensor."""
        return [node for node in self.nodes if tensor in node.inputs]

    def sources(self, node: Node) -> list[Node]:
        """The nodes that feed a node."""
        names = {name.partition(":")[0] for name in node.inputs}
        return [other for other in self.nodes if other.name in names]

    def ancestors(self, node: Node) -> set[str]:
        """Names of every node on a path into `node`, itself included."""
        found, waiting = {node.name}, [node]
        while waiting:
            for source in self.sources(waiting.pop()):
                if source.name not in found:
                    found.add(source.name)
                    waiting.append(source)
        return found

    def input_names(self) -> list[str]:
        """Tensors that no node makes, in order of use."""
        made = {node.name for node in self.nodes}
        names = [name for node in self.nodes for name in node.inputs if name.partition(":")[0] not in made]
        return list(dict.fromkeys(names))

    def check(self) -> None:
        """Raise `CaseError` unless names are unique and every node comes after what feeds it."""
        if not self.nodes:
            raise CaseError("the spec has no nodes; the last one must be the loss")
        names = [node.name for node in self.nodes]
        for name in names:
            if names.count(name) > 1:
                raise CaseError(f"two nodes are called {name!r}; names must be unique")
            if not name or "." in name or ":" in name:
                raise CaseError(f"{name!r} cannot name a node; use letters, digits and _")
        seen: set[str] = set()
        for node in self.nodes:
            if not node.inputs:
                raise CaseError(f"{node.name} ({node.op}) has no inputs")
            for source in node.inputs:
                base = source.partition(":")[0]
                if base in names and base not in seen:
                    raise CaseError(
                        f"{node.name} reads {source!r}, which is {'itself' if base == node.name else 'made later'}: "
                        "a cycle, or nodes out of topological order"
                    )
            seen.add(node.name)


class Case(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="gradient", kw_only=True):
    """A spec with every number: one JSON file."""

    format: int = FORMAT
    dtype: Literal["float32", "float64"] = "float64"
    training: bool = True
    nodes: tuple[Node, ...]
    inputs: dict[str, np.ndarray]
    parameters: dict[str, np.ndarray] = {}
    buffers: dict[str, np.ndarray] = {}
    """Running statistics and other tensors of a `state_dict` that are not differentiated."""

    @property
    def spec(self) -> Spec:
        """The graph."""
        return Spec(self.nodes)

    @property
    def id(self) -> str:
        """A digest of the whole content."""
        return digest(self)

    def wanted(self) -> list[str]:
        """The tensors whose gradient is asked for: every parameter and every real input, in that order."""
        return [*self.parameters, *(name for name, x in self.inputs.items() if x.dtype.kind == "f")]

    def state(self) -> Tensors:
        """Parameters and buffers together, as a `state_dict`."""
        return {**self.parameters, **self.buffers}

    def check(self) -> None:
        """Raise `CaseError` for a broken graph, missing or superfluous inputs, wrong dtypes or NaN."""
        if self.format != FORMAT:
            raise CaseError(f"format is {self.format}, but this oracle reads format {FORMAT}")
        self.spec.check()
        names = self.spec.input_names()
        for missing in (name for name in names if name not in self.inputs):
            raise CaseError(f"input {missing!r} is read but not given; inputs are {sorted(self.inputs)}")
        for unused in (name for name in self.inputs if name not in names):
            raise CaseError(f"input {unused!r} is given but no node reads it")
        for kind, tensors in (
            ("input", self.inputs),
            ("parameter", self.parameters),
            ("buffer", self.buffers),
        ):
            for name, x in tensors.items():
                _check_tensor(f"{kind} {name}", x, self.dtype)
        for name in (name for name, x in self.parameters.items() if x.dtype.kind != "f"):
            raise CaseError(f"parameter {name} is {self.parameters[name].dtype}, but the case is {self.dtype}")


class UpdateCase(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="update", kw_only=True):
    """Step 5 alone: parameters, the gradient of each at every step, and an optimizer of `torch.optim`."""

    format: int = FORMAT
    dtype: Literal["float32", "float64"] = "float64"
    op: str
    attrs: dict[str, Any] = {}
    parameters: dict[str, np.ndarray]
    gradients: tuple[dict[str, np.ndarray], ...]

    @property
    def id(self) -> str:
        """A digest of the whole content."""
        return digest(self)

    def check(self) -> None:
        """Raise `CaseError` for gradients that do not fit the parameters, wrong dtypes or NaN."""
        if self.format != FORMAT:
            raise CaseError(f"format is {self.format}, but this oracle reads format {FORMAT}")
        for name, x in self.parameters.items():
            _check_tensor(f"parameter {name}", x, self.dtype)
        for step, gradients in enumerate(self.gradients, 1):
            if gradients.keys() != self.parameters.keys():
                raise CaseError(f"step {step}: gradients of {sorted(gradients)}, parameters {sorted(self.parameters)}")
            for name, g in gradients.items():
                _check_tensor(f"step {step}: gradient {name}", g, self.dtype)
                if g.shape != (shape := self.parameters[name].shape):
                    raise CaseError(f"step {step}: gradient of {name} has shape {g.shape}, but should be {shape}")


AnyCase = Case | UpdateCase


class Answer(Struct, forbid_unknown_fields=True, kw_only=True, tag_field="kind", tag="gradient"):
    """What a subject returns for a `Case`. What is None was not returned and is not judged."""

    loss: Any = None
    gradients: dict[str, np.ndarray]
    """∂L/∂ every parameter ("h1.weight") and every real input ("x")."""
    buffers: dict[str, np.ndarray] | None = None
    """Running statistics after the pass, by full name."""
    outputs: dict[str, np.ndarray] | None = None
    """The output of nodes, by name."""
    errors: dict[str, np.ndarray] | None = None
    """Error signals: the gradient at the output of nodes, by name."""


class UpdateAnswer(Struct, forbid_unknown_fields=True, kw_only=True, tag_field="kind", tag="update"):
    """What a subject returns for an `UpdateCase`: the parameters after each step."""

    steps: tuple[dict[str, np.ndarray], ...]


def _check_tensor(where: str, x: Any, dtype: str) -> None:
    if x.dtype.kind == "f" and x.dtype != dtype:
        raise CaseError(f"{where} is {x.dtype}, but the case is {dtype}")
    if x.dtype.kind not in "fib":
        raise CaseError(f"{where} has dtype {x.dtype}; a case holds {dtype}, int64 and bool")
    if x.dtype.kind == "f" and np.isnan(x).any():
        at = np.argwhere(np.isnan(x))[0].tolist()
        raise CaseError(f"{where} is NaN at {at}: no gradient is defined there, so none can be judged")


# ---------------------------------------------------------------------------------------------------------- JSON


def _enc_hook(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return encode_tensor(value)
    if isinstance(value, np.generic):
        return value.item()
    raise NotImplementedError(f"{type(value).__name__} is not plain data")


def _enc_base64(value: Any) -> Any:
    return encode_tensor(value, base64=True) if isinstance(value, np.ndarray) else _enc_hook(value)


def _dec_hook(kind: type, value: Any) -> Any:
    if kind is np.ndarray:
        return decode_tensor(value)
    raise NotImplementedError(kind)


def schema(kind: Any) -> dict[str, Any]:
    """The JSON Schema of a record type (`Case`, `Answer`, a report)."""

    def hook(t: type) -> dict[str, Any]:
        if t is np.ndarray:
            return TENSOR_SCHEMA
        raise NotImplementedError(t)

    return msgspec.json.schema(kind, schema_hook=hook)


def to_json(record: Any, base64: bool = False) -> bytes:
    """One line of JSON; the same record always gives the same bytes. Infinite attributes are spelled as in tensors."""
    hook = _enc_base64 if base64 else _enc_hook
    return msgspec.json.encode(_with_attrs(record, spell), enc_hook=hook, order="deterministic")


DEEPEST = 200
"""How deep an attribute may be nested."""


def _with_attrs(record: Any, each: Callable[[Any], Any]) -> Any:
    """The record with every attribute of its case's nodes spelled, or read."""
    if isinstance(record, Case) and any(node.attrs for node in record.nodes):
        nodes = tuple(msgspec.structs.replace(n, attrs=_respell(n.attrs, each)) for n in record.nodes)
        return msgspec.structs.replace(record, nodes=nodes)
    if isinstance(case := getattr(record, "case", None), Case):
        return msgspec.structs.replace(record, case=_with_attrs(case, each))
    return record


def _respell(value: Any, each: Callable[[Any], Any], depth: int = 0) -> Any:
    if depth > DEEPEST:  # the interpreter's own limit is not to be relied on: libraries raise it at import
        raise RecursionError
    if isinstance(value, dict):
        return {key: _respell(v, each, depth + 1) for key, v in value.items()}
    return [_respell(v, each, depth + 1) for v in value] if isinstance(value, list | tuple) else each(value)


def digest(record: Any) -> str:
    """Sixteen hexadecimal digits of a SHA-256 of the content: an id that is never a path."""
    return hashlib.sha256(to_json(record)).hexdigest()[:16]


def from_json(data: bytes, kind: Any, where: str = "JSON") -> Any:
    """Decode and validate; raises `CaseError` with a sentence that names the path of what is wrong."""
    try:
        return _with_attrs(msgspec.json.decode(data, type=kind, dec_hook=_dec_hook), unspell)
    except RecursionError:
        raise CaseError(f"{where}: nested too deeply to be a case") from None
    except (msgspec.DecodeError, ValueError) as error:
        raise CaseError(f"{where}: not what it should be: {error}") from None


def save(record: Any, path: Path) -> Path:
    """Write a record as indented JSON, whole or not at all."""
    text = _indent(msgspec.json.decode(to_json(record)))
    return write(path, (text + "\n").encode())


def write(path: Path, data: bytes) -> Path:
    """Write a file through a temporary one beside it, so that a reader never sees half of it."""
    import os

    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    return path


def load(path: Path) -> AnyCase:
    """Read a case file. Raises `CaseError` when it is missing, too large, not JSON or not a case."""
    try:
        if (size := path.stat().st_size) > LARGEST_FILE:
            raise CaseError(f"{path}: {size} bytes is too large for a case (limit {LARGEST_FILE})")
        data = path.read_bytes()
    except OSError as error:
        raise CaseError(f"{path}: {error.strerror or error}") from None
    case: AnyCase = from_json(data, AnyCase, str(path))
    return case


def _indent(value: Any, level: int = 0) -> str:
    """JSON a person can read in a diff: objects one key a line, rows of numbers on one line."""
    pad = "  " * (level + 1)
    if isinstance(value, Mapping) and value and len(msgspec.json.encode(value)) > 100:
        rows = (f"{pad}{msgspec.json.encode(k).decode()}: {_indent(v, level + 1)}" for k, v in value.items())
        return "{\n" + ",\n".join(rows) + "\n" + "  " * level + "}"
    if isinstance(value, list) and any(isinstance(v, list | dict) for v in value):
        return "[\n" + ",\n".join(f"{pad}{_indent(v, level + 1)}" for v in value) + "\n" + "  " * level + "]"
    return msgspec.json.encode(value).decode()
