"""What runs in the process of a lesson's code: functions read as a student's would be, and judged on a few nets."""

import json
import os
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

from oracle.draws import Stream
from oracle.judge import How, trial
from oracle.spec import Case
from oracle.subjects.resolve import resolve
from oracle.subjects.subject import Subject, SubjectError

CASES = 10
"""Nets of each kind of number."""
QUICK = How(prove=False, twice=False, thorough=False)
SURE = How(twice=False, thorough=False)
"""Before accusing."""
REFUSED = ("socket.", "subprocess.", "os.system", "os.exec", "os.posix_spawn", "os.fork", "urllib.", "ftplib.",
           "os.remove", "os.rename", "os.rmdir", "os.mkdir", "shutil.", "webbrowser.", "os.chmod", "os.link",
           "os.symlink", "os.truncate", "os.putenv", "ctypes.dlopen")  # fmt: skip
"""Beginnings of the events of Python's audit that a lesson's code may not cause."""


def main() -> None:
    """Answer each line of stdin, a function or nothing yet, with a line: (verdict, words), or that all is loaded."""
    questions, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb", buffering=0)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    os.dup2(nothing, 2)
    with tempfile.TemporaryDirectory() as folder:
        sys.dont_write_bytecode = True
        fence = Fence()
        for k, line in enumerate(questions):
            asked = json.loads(line)
            if "module" not in asked:
                replies.write(b'"ready"\n')
                continue
            path = Path(folder) / f"lesson{k}.py"
            path.write_text(asked["module"], encoding="utf-8")
            replies.write(json.dumps(judged(path, asked["name"], asked["seed"], fence)).encode() + b"\n")


class Fence:
    """Keeps a lesson's code from files, the network and other programs: accidents, not malice."""

    def __init__(self) -> None:
        self.closed = False
        sys.addaudithook(self._heard)

    def __enter__(self) -> None:
        self.closed = True

    def __exit__(self, *_: object) -> None:
        self.closed = False

    def _heard(self, event: str, args: tuple[Any, ...]) -> None:
        if not self.closed:
            return
        if event.startswith(REFUSED) or (event == "open" and _writes(args)):
            raise PermissionError(f"a lesson's code may not do this: {event}")


def _writes(args: tuple[Any, ...]) -> bool:
    _, mode, flags = (*args, None, 0)[:3]
    return bool(mode and set(str(mode)) & set("wax+")) or bool(int(flags or 0) & (os.O_WRONLY | os.O_RDWR))


def judged(path: Path, name: str, seed: int, fence: Fence) -> tuple[str, str]:
    """match, mismatch or not judged, and a sentence."""
    try:
        with fence:
            subject = resolve(f"python:{path}:{name}", read_as="mlp", in_process=True)
            return _tried(subject, seed)
    except SubjectError as error:
        return "not judged", told(str(error), path)
    except Exception as error:
        return "not judged", f"{type(error).__name__}: {error}"


def _tried(subject: Subject, seed: int) -> tuple[str, str]:
    chain = subject.chain
    dtype = chain.dtypes[0] if chain else "float64"
    stream = Stream(seed, dtype, "chains", subject.supports, chain)
    found = [(case, trial(case, subject, how=QUICK).verdict) for case in (stream[k] for k in range(CASES))]
    outcomes = [verdict.outcome for _, verdict in found]
    wrong = [(case, verdict) for case, verdict in found if verdict.outcome == "mismatch"]
    read = re.sub(r"\. In the report .*", "", subject.remark)
    if wrong:
        smallest = trial(min(wrong, key=lambda pair: _size(pair[0]))[0], subject, how=SURE).verdict
        if smallest.outcome != "mismatch":
            return "not judged", smallest.reason
        return "mismatch", f"wrong in {len(wrong)} of {CASES} random nets ({read}); in the smallest, {smallest.reason}"
    if good := outcomes.count("match") + outcomes.count("convention"):
        return "match", f"right in {good} of {CASES} random nets ({read})"
    return "not judged", found[0][1].reason


def _size(case: Any) -> int:
    return sum(x.size for x in case.parameters.values()) if isinstance(case, Case) else 0


def told(words: str, path: Path) -> str:
    """A sentence without the file that the code was put in."""
    words = re.sub(r"; say what its parameters are.*|; if that is not how it is called, say.*", "", words)
    words = re.sub(r"\. Say what it should compute, then.*", "", words)
    words = re.sub(rf" ?\({path.stem}\.py, line \d+, in (\w+)\)", r" (in \1)", words)
    return words.replace(str(path), "the lesson's code").replace(f"{path.name}, ", "")
