"""The example subjects in C and JavaScript: right, unshaken by bad lines, and diagnosed like Python when wrong."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from oracle import Unsupported
from oracle.check import check
from oracle.records import Report
from oracle.spec import Answer, from_json, to_json
from oracle.subjects import Subject

EXAMPLES = Path(__file__).parent / "examples"
STRICT = ["-std=c11", "-O2", "-Wall", "-Wextra", "-Werror"]
WORDS = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf"), "-0.0": -0.0}
LANGUAGES = ("c", "js")
Edit = tuple[str, str]


def talk(command: list[str], *lines: str | bytes) -> list[Any]:
    """What a program answers to these lines before it ends by itself."""
    said = b"".join((line.encode() if isinstance(line, str) else line) + b"\n" for line in lines)
    run = subprocess.run(command, input=said, capture_output=True, timeout=20, check=True)
    return [msgspec.json.decode(line) for line in run.stdout.splitlines()]


def subject(command: list[str]) -> Subject:
    """A program that speaks the line protocol, as a subject."""
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin
    assert process.stdout
    ask, told = process.stdin, process.stdout

    def call(case: Any) -> Any:
        ask.write(b'{"type":"run","id":7,"case":' + to_json(case) + b"}\n")
        ask.flush()
        reply = msgspec.json.decode(told.readline())
        if reply["type"] == "declined":
            raise Unsupported(reply["reason"])
        assert (reply["type"], reply["id"]) == ("answer", 7), reply
        answer = from_json(msgspec.json.encode(reply["answer"]), Answer)
        answer.loss = WORDS.get(answer.loss, answer.loss)
        return answer

    hello = talk(command, '{"type":"hello","protocol":1}')[0]
    return Subject(hello["name"], call, supports=frozenset(hello["supports"]))


Build = Callable[..., list[str]]


@pytest.fixture
def build(tmp_path: Path) -> Iterator[Build]:
    """The command that runs an example, with one line of it changed."""

    def make(language: str, edit: Edit | None = None) -> list[str]:
        source = (EXAMPLES / f"mlp.{language}").read_text()
        if edit:
            assert source.count(edit[0]) == 1
            source = source.replace(*edit)
        (path := tmp_path / f"mlp.{language}").write_text(source)
        return compiled(path) if language == "c" else [program("node"), str(path)]

    yield make


def program(*names: str) -> str:
    """The first of these programs that is here."""
    found = next(filter(None, map(shutil.which, names)), None)
    return found or pytest.skip(f"there is no {' and no '.join(names)} on this machine")


def compiled(path: Path) -> list[str]:
    """The command that runs a C file."""
    out = path.with_suffix("")
    subprocess.run([program("cc", "gcc", "clang"), *STRICT, f"-I{EXAMPLES}", path, "-o", out, "-lm"], check=True)
    return [str(out)]
