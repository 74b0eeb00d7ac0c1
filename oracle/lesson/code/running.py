"""A lesson's functions in another process, which is ended when its time is up or its memory full."""

import json
import sys
from pathlib import Path
from typing import Literal

from oracle.lesson.code.source import Candidate
from oracle.subjects.process import Lost, Process

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
    child, running = Process([sys.executable, "-P", "-c", WORKER, str(Path(__file__).parents[3])]), False
    said: Said = {}
    try:
        for one in found:
            try:
                if not running:
                    child.start()
                    child.exchange(b"{}\n", START)
                running = True
                question = json.dumps({"seed": seed, "module": one.module, "name": one.name}).encode()
                verdict, words = json.loads(child.exchange(question + b"\n", seconds))
                said[one] = verdict, words
            except Lost as lost:
                running = False
                late = f"it did not come back within {seconds:g} seconds"
                said[one] = "not judged", late if lost.late else "it ended the process that it was run in"
    finally:
        child.kill()
    return said
