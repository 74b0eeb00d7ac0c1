"""Our own lesson, in both its languages: the code prints what it says, links lead somewhere, numbers are right."""

import contextlib
import importlib
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import reference
from oracle.draws import Stream
from oracle.judge import How, judge
from oracle.students import adapt, spoken
from oracle.subjects import wrap

steps = importlib.import_module("reference.backprop")  # the package has the function by this name
FOLDER = Path(reference.__file__).parent / "lesson"
LESSONS = sorted(FOLDER.glob("*.md"))
ROW = re.compile(r"^\|(.+)\|$", re.M)


def blocks(text: str) -> list[tuple[str, str]]:
    """Fenced blocks: (language, text)."""
    return re.findall(r"^```(\w+)\n(.*?)^```$", text, re.M | re.S)


def formulas(text: str) -> list[str]:
    """Displayed formulas, each with the comment above it, if it is wrong on purpose."""
    return re.findall(r"^(?:<!-- audit: [^\n]* -->\n)?\$\$\n.*?^\$\$$", text, re.M | re.S)


def numbers(text: str) -> list[str]:
    """The table cells that are a formula or a number, in reading order."""
    found = [cell for row in ROW.findall(text) for cell in cells(row)]
    return [cell for cell in found if cell.startswith("$") or re.fullmatch(r"-?[\d.]+", cell)]


def targets(text: str) -> list[str]:
    """What the lesson links to, in order, without its links to other languages."""
    found = re.findall(r"\]\(([^)]+)\)", text)
    return [target for target in found if not target.endswith(".md")]


def cells(row: str) -> list[str]:
    return [cell.strip() for cell in row.split("|")]


@pytest.fixture(params=LESSONS, ids=lambda path: path.stem)
def lesson(request: pytest.FixtureRequest) -> str:
    return request.param.read_text(encoding="utf-8")


def test_the_code_prints_what_the_lesson_says(lesson: str) -> None:
    space: dict[str, object] = {}
    printed, compared = "", 0
    for language, text in blocks(lesson):
        if language == "python":
            with contextlib.redirect_stdout(out := io.StringIO()):
                exec(compile(text, "lesson", "exec"), space)
            printed = out.getvalue()
        elif language == "text":
            assert printed == text
            compared += 1
    assert compared > 4


def test_links_lead_to_files_and_to_steps(lesson: str) -> None:
    links = re.findall(r"!?\[([^\]]*)\]\(([^)]+)\)", lesson)
    assert len(links) > 10
    for words, target in links:
        assert (FOLDER / target).is_file(), target
        name = words.strip("`")
        if target.endswith("backprop.py") and name.isidentifier():
            assert callable(getattr(steps, name)), words


def test_the_worked_numbers_are_those_of_the_reference(lesson: str) -> None:
    """Net, inputs and weights are read from the lesson's tables, and every number of them is found again."""
    rows = [cells(row) for row in ROW.findall(lesson)]
    given = {row[0]: float(row[1]) for row in rows if len(row) == 2 and row[0].startswith("$")}
    after = {row[0]: row for row in rows if len(row) == 5 and row[0].startswith("$")}

    def table(names: str, column: int) -> np.ndarray:
        return np.array([float(after[f"${name}$"][column]) for name in names.split()])

    layers = ("w_{31} w_{32} w_{41} w_{42}", "b_3 b_4", "w_{53} w_{54} w_{63} w_{64}", "b_5 b_6")
    w1, b1, w2, b2 = (table(names, 1) for names in layers)
    two = {"in_features": 2, "out_features": 2}
    net = steps.Network(
        [
            {"name": "z", "op": "Linear", "inputs": ["x"], "attrs": two},
            {"name": "a", "op": "Sigmoid", "inputs": ["z"]},
            {"name": "o", "op": "Linear", "inputs": ["a"], "attrs": two},
            {"name": "y", "op": "Sigmoid", "inputs": ["o"]},
            {"name": "L", "op": "HalfSquaredError", "inputs": ["y", "t"]},
        ]
    )
    theta = {"z.weight": w1.reshape(2, 2), "z.bias": b1, "o.weight": w2.reshape(2, 2), "o.bias": b2}
    inputs = {"x": np.array([[given["$x_1$"], given["$x_2$"]]]), "t": np.array([[given["$t_5$"], given["$t_6$"]]])}
    found = steps.backprop(net, theta, inputs)
    for names, parameter in zip(layers, theta, strict=True):
        gradient = found.gradients[parameter].ravel()
        np.testing.assert_allclose(table(names, 2), gradient, atol=6e-7)
        np.testing.assert_allclose(table(names, 4), theta[parameter].ravel() - 0.5 * gradient, atol=6e-7)

    values = {"z": (3, found.trace.values["z"]), "a": (3, found.trace.values["a"]), "y": (5, found.trace.values["y"])}
    told = {row[1]: float(row[3]) for row in rows if len(row) == 4 and row[1].startswith("$")}
    for letter, (first, tensor) in values.items():
        for k, number in enumerate(tensor.ravel()):
            assert told[f"${letter}_{first + k}$"] == pytest.approx(number, abs=6e-7)
    for letter, first, node in (("delta", 3, "z"), ("delta", 5, "o")):
        for k, number in enumerate(found.deltas[node].ravel()):
            assert told[f"$\\{letter}_{first + k}$"] == pytest.approx(number, abs=6e-7)
    for letter, first, node in (("a", 3, "a"), ("y", 5, "y")):
        for k, number in enumerate(found.deltas[node].ravel()):
            assert told[rf"$\frac{{\partial L}}{{\partial {letter}_{first + k}}}$"] == pytest.approx(number, abs=6e-7)
    assert told["$L$"] == pytest.approx(float(found.loss), abs=6e-7)
    assert {len(row) for row in rows} == {2, 4, 5}

    too_late = table(layers[2], 4).reshape(2, 2)  # what step 2 must not use: the weights after the update
    a = found.trace.values["a"]
    wrong = (found.deltas["o"] @ too_late * a * (1 - a))[0, 0]
    assert f"{wrong:.6f}" in lesson, "δ_3 from updated weights"


MISTAKES = {
    "nothing": ("", ""),
    "no slope at the output": (" * Y * (1 - Y)", ""),
    "slope at a": ("* A * (1 - A)", "* sigmoid(A) * (1 - sigmoid(A))"),
    "activity taken twice": ("D2.T @ A,", "D2.T @ (A * A),"),
    "a mean too much": ("D1.T @ X,", "D1.T @ X / len(X),"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_the_oracle_judges_the_readers_function_as_promised(lesson: str, mistake: str) -> None:
    """With what the lesson's command says after `--as`; a mistake that the reader plants is found."""
    (asked,) = re.findall(r"^oracle check python:homework.py:my_backprop --as (\S+)$", lesson, re.M)
    (code,) = [text for language, text in blocks(lesson) if language == "python" and "def my_backprop" in text]
    right, wrong = MISTAKES[mistake]
    assert right in code
    space: dict[str, Any] = {"np": np}
    defined = code.partition("\n\n\ndW1")[0]
    exec(defined.replace(right, wrong) if right else defined, space)
    kind, said = spoken(asked)
    subject = wrap(adapt(space["my_backprop"], kind, **said))
    drawn = Stream(0, "float64", "chains", subject.supports, subject.chain)
    outcomes = {judge(drawn[k], subject, how=How(thorough=False)).outcome for k in range(8)}
    assert outcomes <= {"match", "mismatch"}
    assert ("mismatch" in outcomes) == bool(right)


@pytest.mark.parametrize("what", [formulas, blocks, numbers, targets], ids=lambda what: what.__name__)
def test_every_language_has_the_same_in_the_same_order(what: Callable[[str], list[object]]) -> None:
    assert {path.name for path in LESSONS} == {"backpropagation.md", "backpropagation.zh.md"}
    english, chinese = (what(path.read_text(encoding="utf-8")) for path in LESSONS)
    assert len(english) > 5
    assert english == chinese
