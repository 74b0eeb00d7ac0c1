"""The line protocol: every line fits its published schema, and what does not fit is refused in a sentence."""

import json
from itertools import islice
from typing import Any

import numpy as np
import pytest
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from oracle.draws import Stream
from oracle.spec import Case, CaseError, Node, UpdateCase
from oracle.subjects import protocol, reference, reference_update

CASES = [case for dtype in ("float64", "float32") for case in islice((Stream(0, dtype)[k] for k in range(30)), 30)]
QUESTION, REPLY = (Draft202012Validator(schema) for schema in protocol.schemas().values())


def answered(case: Case | UpdateCase) -> protocol.Line:
    answer = reference_update(case) if isinstance(case, UpdateCase) else reference(case)
    return protocol.Answered(id=7, answer=protocol.arrays(answer))


@pytest.mark.parametrize("base64", [False, True])
def test_every_line_fits_its_schema_and_comes_back(base64: bool) -> None:
    for case in CASES:
        line = protocol.encode(protocol.Run(id=7, case=case), base64)
        QUESTION.validate(json.loads(line))
        found = protocol.question(line)
        assert isinstance(found, protocol.Run)
        assert found.case.id == case.id
        reply = protocol.encode(answered(case), base64)
        REPLY.validate(json.loads(reply))
        assert protocol.encode(protocol.reply(reply), base64) == reply


def test_infinite_attributes_are_words_on_the_line() -> None:
    case = Case(nodes=(Node("t", "Hardtanh", ("x",), {"max_val": float("inf")}),), inputs={"x": np.ones(1)})
    line = protocol.encode(protocol.Run(id=1, case=case), base64=False)
    assert b'"max_val":"Infinity"' in line
    found = protocol.question(line)
    assert isinstance(found, protocol.Run)
    assert found.case.nodes[0].attrs == {"max_val": float("inf")}  # type: ignore[union-attr]


BAD: list[Any] = [
    {"type": "hello"},
    {"type": "hello", "protocol": "1"},
    {"type": "hello", "protocol": 1, "supports": "Linear"},
    {"type": "hello", "protocol": 1, "colour": "blue"},
    {"type": "good day", "protocol": 1},
    {"type": "answer", "id": 1},
    {"type": "answer", "id": 1, "answer": {"kind": "gradient"}},
    {"type": "answer", "id": 1, "answer": {"kind": "gradient", "gradients": {"x": [1.0]}}},
    {"type": "answer", "id": 1, "answer": {"kind": "gradient", "gradients": {"x": {"dtype": "float64", "shape": []}}}},
    {"type": "error", "id": 1.5, "reason": ""},
    {"type": "error", "id": 1},
    [],
    7,
]


@pytest.mark.parametrize("line", BAD, ids=str)
def test_what_the_schema_refuses_is_refused_and_the_other_way_round(line: Any) -> None:
    with pytest.raises(ValidationError):
        REPLY.validate(line)
    with pytest.raises(CaseError, match="the line: not what it should be"):
        protocol.reply(json.dumps(line).encode())
