"""A lesson's functions in another process, which is ended when its time is up."""

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from oracle.lesson.code.source import Candidate

START = 60.0
"""Seconds for the process to load what it judges with."""
WORKER = (
    "import sys; root = sys.argv.pop(1); root in sys.path or sys.path.insert(0, root); "
    "from oracle.lesson.code.worker import main; main()"
)
"""The same package as this one, wherever it lies."""

Answer = tuple[Literal["match", "mismatch", "not judged"], str]
"""The verdict, and what there is to say of it."""
Said = dict[Candidate, Answer]


def verdicts(found: list[Candidate], seed: int, seconds: float) -> Said:
    """(verdict, words) of each function; a process that dies or hangs costs its function, and the rest go on."""
    said: Said = {}
    while left := [one for one in found if one not in said]:
        for answer in _answers(left, seed, seconds):
            said[left[sum(one in said for one in left)]] = answer
    return said


def _answers(left: list[Candidate], seed: int, seconds: float) -> Iterator[Answer]:
    """What one process says, function by function; the last is why it says no more, where it ended early."""
    questions = json.dumps({"seed": seed, "code": [[one.module, one.name] for one in left]}).encode()
    child = subprocess.Popen(
        [sys.executable, "-P", "-c", WORKER, str(Path(__file__).parents[3])], stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        with contextlib.suppress(BrokenPipeError):
            child.stdin.write(questions)
            child.stdin.close()
        _line(child.stdout.fileno(), START)
        for _ in left:
            line = _line(child.stdout.fileno(), seconds)
            if line is None:
                yield "not judged", f"it did not come back within {seconds:g} seconds"
                return
            if not line:
                yield "not judged", "it ended the process that it was run in"
                return
            verdict, words = json.loads(line)
            yield verdict, words
    finally:
        _end(child)


def _line(descriptor: int, seconds: float) -> bytes | None:
    """The next line of a process; b"" when it has ended, None when its time is up."""
    end, line = time.monotonic() + seconds, b""
    while not line.endswith(b"\n"):
        if not select.select([descriptor], [], [], max(0.0, end - time.monotonic()))[0]:
            return None
        more = os.read(descriptor, 1)
        if not more:
            return b""
        line += more
    return line


def _end(child: subprocess.Popen[bytes]) -> None:
    """With all that it started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()
    for stream in (child.stdin, child.stdout):
        if stream is not None:
            stream.close()
