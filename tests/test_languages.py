"""The example subjects in C and JavaScript: right, unshaken by bad lines, and diagnosed like Python when wrong."""

import json
import shlex
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from oracle.check import check
from oracle.draws import Stream
from oracle.seeds import SEEDS
from oracle.spec import Case
from oracle.subjects import Subject, protocol, resolve

EXAMPLES = Path(__file__).parent / "examples"
STRICT = ["-std=c11", "-O2", "-Wall", "-Wextra", "-Werror"]
LANGUAGES = ("c", "js")
Build = Callable[..., list[str]]


def program(*names: str) -> str:
    """The first of these programs that is here."""
    found = next(filter(None, map(shutil.which, names)), None)
    return found or pytest.skip(f"there is no {' and no '.join(names)} on this machine")


@pytest.fixture
def build(tmp_path: Path) -> Build:
    """What runs the example in a language, after a piece of its text is replaced by another."""

    def command(language: str, right: str = "", wrong: str = "") -> list[str]:
        source = (EXAMPLES / f"mlp.{language}").read_text()
        assert not right or source.count(right) == 1
        (path := tmp_path / f"mlp.{language}").write_text(source.replace(right, wrong) if right else source)
        if language == "js":
            return [program("node"), str(path)]
        compiler = [program("cc", "gcc", "clang"), *STRICT, f"-I{EXAMPLES}"]
        subprocess.run([*compiler, path, "-o", tmp_path / "mlp", "-lm"], check=True)
        return [str(tmp_path / "mlp")]

    return command


def subject(command: list[str]) -> Subject:
    """A program that speaks the line protocol."""
    return resolve(f"cmd:{shlex.join(command)}")


# ----------------------------------------------------------------------------------------------------------- right


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("profile", ["mlp", "standard"])
def test_every_case_of_the_vocabulary_is_right(build: Build, language: str, profile: str) -> None:
    report = check(subject(build(language)), cases=150, profile=profile)
    assert report.findings == ()
    assert report.tally["match"] + report.tally["skipped"] == 300
    assert report.tally["skipped"] <= {"mlp": 0, "standard": 60}[profile]
    assert set(report.coverage) >= {"Linear", "CrossEntropyLoss", "BCEWithLogitsLoss", "LeakyReLU", "Dot"}


@pytest.mark.parametrize("name", ["mlp.c", "protocol.h", "mlp.js"])
def test_they_are_short(name: str) -> None:
    lines = (EXAMPLES / name).read_text().splitlines()
    assert len(lines) < 150
    assert max(map(len, lines)) <= 110


# ----------------------------------------------------------------------------------------------------------- wrong

BUGS = {
    "c": {
        "A104 Tanh": ("1 / (cosh(z) * cosh(z))", "1 - tanh(z)"),
        "C101 CrossEntropyLoss": ("exp(log_y) * total - t", "exp(log_y) * total"),
    },
    "js": {
        "A104 Tanh": ("1 / Math.cosh(z) ** 2", "1 - Math.tanh(z)"),
        "C101 CrossEntropyLoss": ("* sum(goal) - goal[c])", "* sum(goal))"),
    },
}
"""One line each: tanh′ without its square; a label that is not subtracted."""


def named(subject: Subject) -> set[tuple[str, str, str]]:
    """The findings of a run: fault, and the kind of node and the part of it where it is born."""
    report = check(subject, cases=40, dtypes=("float64",), profile="mlp")
    return {(f.diagnosis.code, f.born.op, f.born.part) for f in report.findings if f.diagnosis and f.born}


@pytest.mark.parametrize("bug", BUGS["c"])
def test_a_bug_is_located_and_named_as_in_python(build: Build, bug: str) -> None:
    code, op = bug.split()
    planted = next(seed for seed in SEEDS if seed.code == code and op in seed.ops.split())
    assert named(planted.plant()) == {(code, op, "backward")}
    for language in LANGUAGES:
        assert named(subject(build(language, *BUGS[language][bug]))) == {(code, op, "backward")}


# ------------------------------------------------------------------------------------------------------- bad lines


def talk(command: list[str], *lines: bytes) -> list[Any]:
    """What a program answers to these lines, until it ends by itself."""
    told = subprocess.run(command, input=b"\n".join((*lines, b'{"type":"bye"}', b"")), capture_output=True, timeout=30)
    assert (told.returncode, told.stderr) == (0, b"")
    return [json.loads(line) for line in told.stdout.splitlines()]


def asked(case: Case, **changed: Any) -> bytes:
    """The question of a case, with parts of it changed."""
    line = json.loads(protocol.encode(protocol.Run(id=7, case=case), base64=False))
    return json.dumps(line | {"case": line["case"] | changed}).encode()


@pytest.mark.parametrize("language", LANGUAGES)
def test_bad_lines_are_errors_and_the_next_is_answered(build: Build, language: str) -> None:
    good = asked(case := Stream(0, "float64", "mlp")[3])
    x = {"dtype": "float64", "shape": [2], "data": [1, 2]}
    node = {"name": "d", "op": "Dot", "inputs": ["x", "x"]}
    bad = [
        b"", b"nonsense", b"null", b"7", b'"', good[:-1], good[: len(good) // 2], b"[" * 100_000, b'{"a":' * 100_000,
        b'{"type":"run","id":7}', b'{"type":"run","id":7,"case":[]}', b'{"type":"good day","id":7}',
        asked(case, nodes=[]), asked(case, nodes=7), asked(case, inputs={}), asked(case, parameters={}),
        *(asked(case, nodes=[node], inputs={"x": x | wrong}) for wrong in (
            {"data": [1]}, {"data": "no"}, {"shape": [10**30]}, {"shape": [2**62, 2**62], "data": []}, {"shape": "no"},
        )),
    ]  # fmt: skip
    answers = talk(build(language), *(line for line in bad for line in (line, good)))
    assert [answer["type"] for answer in answers[::2]] == ["error"] * len(bad)
    assert [answer["type"] for answer in answers[1::2]] == ["answer"] * len(bad)
    assert all(answer == answers[1] for answer in answers[1::2])
    assert all(isinstance(protocol.reply(json.dumps(line).encode()), protocol.Line) for line in answers)


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_not_in_the_vocabulary_is_declined(build: Build, language: str) -> None:
    command = build(language)
    updates, standard = Stream(0, "float32", "updates"), (Stream(0, "float32")[k] for k in range(40))
    known = set(talk(command, b'{"type":"hello","protocol":1}')[0]["supports"])
    foreign = [c for c in standard if isinstance(c, Case) and not {n.op for n in c.nodes} <= known]
    answers = talk(command, *(asked(c) for c in (updates[0], *foreign)))
    assert [(a["type"], a["id"]) for a in answers] == [("declined", 7)] * (1 + len(foreign))
    assert len(foreign) > 20
