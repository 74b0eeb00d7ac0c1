"""A set of vectors as files, its README among them; and what is said of answers to it."""

import hashlib
import math
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import msgspec
from msgspec.structs import replace

from oracle import spec
from oracle.report.pages import render_markdown
from oracle.vectors.records import INDEX, SCHEMA, Index, Vector, schema
from oracle.vectors.verifying import GOOD, Outcome

README = "README.md"


def write_set(index: Index, vectors: Sequence[Vector], directory: Path) -> list[Path]:
    """Write a set; equal sets give equal bytes. Files of the set that was there before go, and no others."""
    for name in _before(directory) - {entry.file for entry in index.vectors}:
        (directory / name).unlink(missing_ok=True)
    paths = [spec.save(vector, directory / entry.file) for entry, vector in zip(index.vectors, vectors, strict=True)]
    entries = (replace(entry, sha256=_sha256(path)) for entry, path in zip(index.vectors, paths, strict=True))
    return [
        *paths,
        spec.save(replace(index, vectors=tuple(entries)), directory / INDEX),
        spec.save(schema(), directory / SCHEMA),
        spec.write(directory / README, readme(index, vectors).encode()),
    ]


def _before(directory: Path) -> set[str]:
    """The files of the set that lies there, of whatever format it is."""
    try:
        entries = msgspec.json.decode((directory / INDEX).read_bytes())["vectors"]
        names = {str(entry["file"]) for entry in entries}
    except (OSError, msgspec.DecodeError, LookupError, TypeError):
        return set()
    return {name for name in names if re.fullmatch(r"[a-z0-9-]+-[0-9a-f]{8}\.json", name)}


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


FORMULAS = {
    "Linear": "y = x Wᵀ + b over the last axis; W is (out_features, in_features); no b with bias = false",
    "Sigmoid": "1 / (1 + e^(−z))",
    "Tanh": "tanh z",
    "ReLU": "max(z, 0)",
    "LeakyReLU": "z for z > 0, else negative_slope z (0.01 unless given)",
    "Identity": "z",
    "HalfSquaredError": "½ Σ (y − t)²; reduction sum unless given: mean divides by n, none by nothing and sums nothing",
    "MSELoss": "Σ (y − t)² / n; reduction mean unless given",
    "BCEWithLogitsLoss": "Σ w (a t log(1 + e^(−z)) + (1 − t) log(1 + e^z)) / n; w = weight and a = pos_weight are "
    "along the last axis, 1 unless given; reduction mean unless given",
    "CrossEntropyLoss": "−Σ w q log softmax(z) over the classes, axis 1, for each sample; w = weight, 1 unless given; "
    "q = (1 − s) p + s/classes, s = label_smoothing; p is 1 at an integer target and else 0, or the target itself; a "
    "sample whose target is ignore_index costs nothing; reduction mean unless given: over Σ w at the targets of the "
    "samples that count, or over the number of samples if targets are probabilities",
    "Dot": "Σ c y of its two inputs",
}
"""What a reader without torch's documentation needs."""


def readme(index: Index, vectors: Sequence[Vector]) -> str:
    """How to use a set, on one page, for somebody who knows nothing of this project."""
    ops = sorted({node.op for vector in vectors for node in vector.nodes})
    return render_markdown(
        "vectors.md.j2",
        index=index,
        vectors=vectors,
        rows=[(entry, vector, _numbers(vector)) for entry, vector in zip(index.vectors, vectors, strict=True)],
        formulas=[(op, FORMULAS.get(op, "as torch.nn documents it")) for op in ops],
    )


def _numbers(vector: Vector) -> int:
    """How many numbers of a question a person has to read."""
    return sum(math.prod(x.shape) for group in (vector.inputs, vector.parameters) for x in group.values())


# ------------------------------------------------------------------------------------------------------------ answers


def verdict(outcomes: Sequence[Outcome]) -> str:
    """All outcomes in one line."""
    counts = Counter(o.status for o in outcomes)
    word = "FAILED" if any(o.status not in GOOD for o in outcomes) else "PASSED"
    return f"{word}: " + ", ".join(f"{n} {status}" for status, n in sorted(counts.items()))


def lines(outcome: Outcome, index: Index) -> list[str]:
    """What is said of one vector."""
    told = [f"{outcome.status:10}  {outcome.id}  {outcome.about}"]
    if outcome.reason:
        told.append(f"            {outcome.reason}")
    told += [f"            perhaps {flag}: {index.faults[flag.split()[0]].bugType}" for flag in outcome.suggests]
    return told


def as_json(outcomes: Sequence[Outcome]) -> bytes:
    """The outcomes for machines, one line."""
    return msgspec.json.encode({"verdict": verdict(outcomes), "outcomes": outcomes})
