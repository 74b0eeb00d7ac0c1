"""Reports: pure functions of records, harmless whatever a subject says, the same bytes for the same run."""

import io
import math
import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

import msgspec
import numpy as np
import pytest
from msgspec.structs import replace
from rich.console import Console

from oracle import spec
from oracle.compare import Difference, Verdict
from oracle.records import Birthplace, Diagnosis, Finding, Line, Note, Report, Stop
from oracle.report import decode, print_finding, print_summary, render_finding, safe_text, write_report
from oracle.report.numbers import contrast, ratio, short
from oracle.report.text import code, fence, markdown
from oracle.spec import Case, CaseError, Node, UpdateCase

HOSTILE = "[/oops] <script>alert(1)</script> \x1b[31m \x00 \u202e ]]> & \"' | \\` ``` \r\n# PROOF\n\tend"


def tensor(*rows: object) -> np.ndarray:
    return np.array(rows, float)


def mismatch() -> Finding:
    """A Linear whose partial of the weight is twice too large, with a skip connection around it."""
    nodes = (
        Node("h1", "Linear", ("x",), {"in_features": 2, "out_features": 2}),
        Node("a1", "ReLU", ("h1",)),
        Node("s1", "Add", ("a1", "x")),
        Node("loss", "MSELoss", ("s1", "target"), {"reduction": "mean"}),
    )
    case = Case(
        nodes=nodes,
        inputs={"target": tensor([0, 0]), "x": tensor([1, 2])},
        parameters={"h1.weight": tensor([1, 0], [0, 1]), "h1.bias": tensor(0, -1)},
    )
    dw, x = tensor([2, 4], [3, 6]), tensor([4, 6])
    backward = (
        Stop("loss", "MSELoss", ("s1", "target"), "right", (Line("error s1", "right", tensor([2, 3]), tensor([2, 3])),)),
        Stop("s1", "Add", ("a1", "x"), "right", (Line("error a1", "not returned", tensor([2, 3])),)),
        Stop("a1", "ReLU", ("h1",), "unknown", ()),
        Stop(
            "h1",
            "Linear",
            ("x",),
            "wrong",
            (
                Line("h1.weight", "wrong", dw, 2 * dw),
                Line("h1.bias", "right", tensor(2, 3), tensor(2, 3)),
                Line("x", "follows", x, x + tensor([0, 1])),
            ),
        ),
    )
    d = Difference("h1.weight", (1, 1), 6.0, 12.0, 1e-13, 6 - 1e-15, 6 + 1e-15)
    return Finding(
        sentence="h1.weight[1, 1] is 12, but should be 6",
        verdict=Verdict("mismatch", "h1.weight[1, 1] is 12, but should be 6", (d,), "proved", 6e13, ("h1.weight",)),
        case=case,
        case_id=case.id,
        found_in="case 17 of seed 0",
        backward=backward,
        born=Birthplace("h1", "Linear", "partials", "its error signal is right, and its partial is not"),
        diagnosis=Diagnosis(
            code="partial-doubled",
            name="partial counted twice",
            story="The partial is added once in the loop and once after it.",
            wrong="dW += delta.T @ x\ndW += delta.T @ x",
            right="dW += delta.T @ x",
            node="h1",
            evidence="put into the twin it gives the subject's numbers in 8 of 8 cases",
            also=("learning-rate-doubled",),
        ),
        count=12,
        reproduce=f"oracle replay corpus/{case.id}.json --subject python:student.py:backprop",
    )


def errored() -> Finding:
    """A subject that raises an exception with a text made to hurt."""
    case = replace(mismatch().case, dtype="float64", training=False)
    verdict = Verdict("errored", f"the subject raised {HOSTILE}", stage="contract")
    return Finding(HOSTILE, verdict, case, "../../etc/passwd", HOSTILE, reproduce=HOSTILE)


def update() -> Finding:
    """A momentum that is forgotten at the second step."""
    case = UpdateCase(
        op="SGD",
        attrs={"lr": 0.5, "momentum": 0.9},
        parameters={"w": tensor(1, 2)},
        gradients=({"w": tensor(1, 0)}, {"w": tensor(1, 0)}),
    )
    d = Difference("step 2: w", (0,), -0.45, 0.0, 1e-15, -0.45, -0.45)
    sentence = "step 2: w[0] is 0, but should be -0.45"
    steps = (
        Stop("step 1", "SGD", (), "right", (Line("step 1: w", "right", tensor(0.5, 2), tensor(0.5, 2)),)),
        Stop("step 2", "SGD", (), "wrong", (Line("step 2: w", "wrong", tensor(-0.45, 2), tensor(0, 2)),)),
    )
    return Finding(sentence, Verdict("mismatch", sentence, (d,), "proved"), case, case.id, "case 3 of seed 0", steps)


def not_finite() -> Finding:
    """NaN and infinities, wherever a record has room for them."""
    worse = (
        Difference("h1.weight", (0, 0), 1.0, math.nan, 1e-15, 1.0, 1.0),
        Difference("x", (0, 0), -0.0, math.inf, math.inf, -math.inf, math.inf),
    )
    got = tensor([math.nan, math.inf], [-math.inf, 6])
    line = Line("h1.weight", "wrong", tensor([1, 2], [3, 6]), got)
    stop = Stop("h1", "Linear", ("x",), "wrong", (line,))
    verdict = Verdict("mismatch", "NaN", worse, "proved", math.inf)
    case = replace(mismatch().case, nodes=(Node("h", "Hardtanh", ("x",), {"max_val": math.inf}), *mismatch().case.nodes))
    return replace(mismatch(), sentence="NaN", verdict=verdict, case=case, case_id=case.id, backward=(stop,), diagnosis=None)


def report(*findings: Finding, **changes: object) -> Report:
    full = Report(
        name="check",
        subject="python:student.py:backprop",
        seed=0,
        dtypes=("float64", "float32"),
        profile="quick",
        cases=1000,
        asked=2000,
        tally={"skipped": 3, "match": 985, "mismatch": 12},
        stages={"cheap": 900, "proved": 12},
        coverage={"ReLU": 40, "Linear": 400, "GRU": 0},
        findings=findings,
        notes=(
            Note("convention", "another slope at a kink: ReLU at 0", 2, "case 4 of seed 0", "corpus/ab.json"),
            Note("skipped", HOSTILE, 3, "case 9 of seed 0"),
            Note("undecided", "not proven", 1, "case 11 of seed 0"),
        ),
        versions={"torch": "2.13.0", "numpy": "2.3.0"},
        exit_code=1 if findings else 0,
        stopped="the time was over",
    )
    return replace(full, **changes)


def everything() -> Report:
    return report(mismatch(), errored(), update(), not_finite(), subject=HOSTILE, name=HOSTILE)


def empty() -> Report:
    return report(cases=0, asked=None, tally={}, stages={}, coverage={}, notes=(), versions={}, dtypes=(), stopped="")
