"""The example subjects in other languages: right, and seeded with a bug located and named like a Python one."""

import json
import shutil
import subprocess
import sys
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


def subject(command: list[str]) -> Subject:
    """A program that speaks the line protocol."""
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(message: bytes) -> Any:
        process.stdin.write(message + b"\n")
        process.stdin.flush()
        return msgspec.json.decode(process.stdout.readline())

    def call(case: Any) -> Any:
        reply = ask(b'{"type":"run","id":7,"case":' + to_json(case) + b"}")
        assert reply["id"] == 7
        if reply["type"] == "declined":
            raise Unsupported(reply["reason"])
        if reply["type"] == "error":
            raise RuntimeError(reply["reason"])
        answer = from_json(msgspec.json.encode(reply["answer"]), Answer)
        answer.loss = WORDS.get(answer.loss, answer.loss)
        return answer

    hello = ask(b'{"type":"hello","protocol":1}')
    return Subject(hello["name"], call, supports=frozenset(hello["supports"]))
