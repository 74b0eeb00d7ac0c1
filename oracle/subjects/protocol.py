"""The line protocol: how a subject in another process is asked, in any language.

One JSON object a line, UTF-8, on the subject's stdin and stdout; stderr is its own business. One line out for each
line in, in order:

    {"type": "hello", "protocol": 1}            {"type": "hello", "protocol": 1, "name": ..., "language": ...,
                                                 "supports": [...], "returns": [...], "update": false,
                                                 "conventions": {}, "tensors": "rows"}
    {"type": "run", "id": 7, "case": {...}}     {"type": "answer", "id": 7, "answer": {...}}
                                                {"type": "declined", "id": 7, "reason": ...}    not for this subject
                                                {"type": "error", "id": 7, "reason": ...}       it failed
                                                {"type": "breach", "id": 7, "reason": ...}      it broke a rule
    {"type": "bye"}                             (it ends)

A case and an answer are those of `oracle.spec`; tensors are rows of exact decimals, or base64 where the subject's
hello asks for it, and an answer may have either. All but the protocol's number is optional in a hello. A subject that
cannot start says {"type": "refused", "reason": ...} in place of its hello.
"""

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from msgspec import Struct
from msgspec.structs import asdict, replace

from oracle.spec import Answer, Case, UpdateAnswer, UpdateCase, from_json, schema, to_json
from oracle.tensors import decode_tensor, unspell

VERSION = 1


class _Message(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True, tag_field="type"):
    """One line."""


class Hello(_Message, frozen=True, tag="hello"):
    """The oracle's first line."""

    protocol: int


class Run(_Message, frozen=True, tag="run"):
    """A case, without its expected answer."""

    id: int
    case: Case | UpdateCase


class Bye(_Message, frozen=True, tag="bye"):
    """The oracle's last line."""


class Welcome(_Message, frozen=True, tag="hello"):
    """What a subject says of itself."""

    protocol: int
    name: str = ""
    language: str = ""
    supports: tuple[str, ...] | None = None
    """The operators it knows; every one if it does not say."""
    returns: tuple[str, ...] | None = None
    """Which gradients it returns; both if it does not say."""
    update: bool = False
    """Whether it does step 5."""
    conventions: dict[str, float | tuple[float, ...]] = {}
    """Its slopes at kinks, where they are not torch's."""
    tensors: Literal["rows", "base64"] = "rows"
    """How it wants to be given tensors."""
    remark: str = ""
    """What was assumed of it, in a sentence for its author."""


class Refused(_Message, frozen=True, tag="refused"):
    """The subject cannot start."""

    reason: str


class Answered(_Message, frozen=True, tag="answer"):
    """The answer to a case."""

    id: int
    answer: Answer | UpdateAnswer


class Declined(_Message, frozen=True, tag="declined"):
    """The case is not for this subject."""

    id: int
    reason: str


class Failed(_Message, frozen=True, tag="error"):
    """The subject failed; an exception and its place, say."""

    id: int
    reason: str


class Broken(_Message, frozen=True, tag="breach"):
    """The subject changed its input, or answered with what is no answer."""

    id: int
    reason: str


Question = Hello | Run | Bye
Line = Welcome | Refused | Answered | Declined | Failed | Broken


def encode(message: Question | Line, base64: bool = True) -> bytes:
    """A message as its line."""
    return to_json(message, base64) + b"\n"


def question(line: bytes) -> Question:
    """A line of the oracle. Raises `CaseError`."""
    found: Question = from_json(line, Question, "the line")
    return found


def reply(line: bytes) -> Line:
    """A line of the subject, its numbers decoded. Raises `CaseError`."""
    found: Line = from_json(line, Line, "the line")
    if isinstance(found, Answered) and isinstance(found.answer, Answer):
        loss = found.answer.loss
        found.answer.loss = decode_tensor(loss) if isinstance(loss, dict) else unspell(loss)
    return found


def arrays(answer: Any) -> Any:
    """The answer with an array for every number, so that none loses its dtype on its way."""

    def plain(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {name: np.asarray(x) for name, x in value.items()}
        if isinstance(value, tuple):
            return tuple(plain(v) for v in value)
        return value if value is None else np.asarray(value)

    return replace(answer, **{name: plain(value) for name, value in asdict(answer).items()})


def schemas() -> dict[str, dict[str, Any]]:
    """The JSON Schema of what the oracle writes, and of what a subject writes."""
    return {"question": schema(Question), "reply": schema(Line)}
