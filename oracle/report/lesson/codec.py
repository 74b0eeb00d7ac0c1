"""The JSON of an audit and its schema. JSON has no NaN and no infinity: they are the words "NaN", "Infinity"."""

from typing import Any

import msgspec
from msgspec import Struct

from oracle import spec
from oracle.lesson.records import Audit
from oracle.report.codec import WORDS, indented, spell, walk
from oracle.report.lesson import words

VERSION = 1


class Published(Struct, frozen=True):
    """What stands in the file: the audit, and what follows from it."""

    version: int
    failed: bool
    """Whether something is wrong that is not wrong on purpose."""
    links: dict[str, int]
    """How many links have which verdict."""
    equations: dict[str, int]
    """How many equations have which verdict, that of the worst of their links."""
    audit: Audit


def published(audit: Audit) -> Published:
    """The audit with what follows from it."""
    links, equations = words.tally(audit), words.equations_tally(audit)
    return Published(VERSION, audit.failed, dict[str, int](links), dict[str, int](equations), audit)


def encode(audit: Audit) -> bytes:
    """An audit as JSON for a reader; equal audits give equal bytes."""
    return indented(_plain(audit))


def encode_line(audit: Audit) -> bytes:
    """An audit as one line of JSON."""
    return msgspec.json.encode(_plain(audit)) + b"\n"


def decode(data: bytes, where: str = "audit.json") -> Audit:
    """The inverse of `encode`; raises `CaseError` with a sentence saying what is no audit, and where."""
    try:
        raw = msgspec.json.decode(data)
        for equation in raw["audit"]["equations"]:
            for link in equation["links"]:
                link["difference"] = link["difference"] and [WORDS.get(x, x) for x in link["difference"]]
        return msgspec.convert(raw, Published).audit
    except (msgspec.DecodeError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise spec.CaseError(f"{where}: {error}") from None


def schema() -> dict[str, Any]:
    """The JSON Schema of the file."""
    found = spec.schema(Published)
    word = {"anyOf": [{"type": "number"}, {"enum": list(WORDS)}]}
    for shape in found["$defs"]["Link"]["properties"]["difference"]["anyOf"]:
        if shape.get("type") == "array":
            shape["prefixItems"] = [word, word]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **found}


def _plain(audit: Audit) -> Any:
    return walk(msgspec.to_builtins(published(audit), order="deterministic"), spell)
