"""A subject in a process of its own: with limits, started again when it ends, and cleared away with all it started.

This contains accidents (a crash, a hang, a huge allocation, garbage on stdout, closed descriptors, children left
behind), not malice: code that wants to do harm belongs in a container.
"""

import contextlib
import os
import re
import secrets
import selectors
import signal
import subprocess
import sys
import time
import weakref
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from oracle.spec import LARGEST_FILE, AnyCase, CaseError
from oracle.subjects import protocol
from oracle.subjects.declare import declared
from oracle.subjects.protocol import Answered, Broken, Declined, Failed, Refused, Run, Welcome
from oracle.subjects.subject import Reply, Subject, SubjectError

MEMORY = 4 * 2**30
"""Bytes of data that a process may hold, unless another limit is said; kept where the system can (Linux)."""
START = 60.0
"""Seconds for a subject to say hello, at least: importing a framework takes some."""
ENDINGS = 20
"""Endings in the middle of a call after which a subject is not asked any more."""
GRACE = 1.0
"""Seconds for a process to end by itself when it is told to, or has closed its output."""
EVIDENCE = 2000
"""Characters of stderr that are shown."""
MARK = "BACKPROP_ORACLE_SUBJECT"
"""The variable of the environment by which what a subject started is known for its."""


class Lost(Exception):  # noqa: N818  (what happened, not what was done wrong)
    """The process gave no line: it ended, or its time was up."""

    def __init__(self, reason: str, late: bool = False) -> None:
        super().__init__(reason)
        self.late = late


class Process:
    """A command that is asked a line and answers a line."""

    def __init__(self, command: list[str], memory: int = MEMORY) -> None:
        self.command, self.memory = command, memory
        self.asked = self.endings = self.left = 0
        self.child: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the command. Raises OSError."""
        mark = secrets.token_hex(8)
        pipe = subprocess.PIPE
        self.child = subprocess.Popen(
            self.command, stdin=pipe, stdout=pipe, stderr=pipe, bufsize=0, start_new_session=True,
            env={**os.environ, "PYTHONPATH": _path(), MARK: mark},
        )  # fmt: skip
        self.out, self.err = bytearray(), bytearray()
        self.select = selectors.DefaultSelector()
        for stream in (self.child.stdout, self.child.stderr):
            assert stream is not None
            self.select.register(stream, selectors.EVENT_READ)
        assert self.child.stdin is not None
        os.set_blocking(self.child.stdin.fileno(), False)
        self.clear = weakref.finalize(self, _clear, self.child, mark)
        _limit(self.child.pid, self.memory)

    @property
    def evidence(self) -> str:
        """What the process wrote on stderr since it was last asked: its beginning and its end, without what differs
        from run to run or machine to machine.
        """
        text = re.sub(r"0x[0-9a-f]{6,}", "0x…", self.err.decode(errors="replace").strip())
        text = re.sub(r"(?<![\w.:/])(/[^/\s\"']+)+/(?=[^/\s\"'])", "", text)
        return text if len(text) <= EVIDENCE else f"{text[: EVIDENCE // 2]}\n…\n{text[-EVIDENCE // 2 :]}"

    def exchange(self, message: bytes, seconds: float) -> bytes:
        """The line that answers a line, within so many seconds. Raises `Lost`, and then the process is gone."""
        assert self.child is not None
        self.err.clear()
        try:
            return self._exchange(self.child, message, time.monotonic() + seconds, seconds)
        except BaseException:
            self._read(self.child, 0)
            self.kill()
            raise

    def _exchange(self, child: subprocess.Popen[bytes], message: bytes, end: float, seconds: float) -> bytes:
        self._read(child, 0)
        if self.out:
            raise Lost(f"the subject wrote {_quoted(self.out)} before it was asked")
        waiting = memoryview(message)
        while (at := self.out.find(b"\n")) < 0:
            waiting = self._write(child, waiting)
            if len(self.out) > LARGEST_FILE:
                raise Lost(f"the subject wrote a line of more than {LARGEST_FILE} bytes")
            left = end - time.monotonic()
            if left <= 0:
                raise Lost(f"the subject gave no answer within {seconds:g} seconds", late=True)
            if not self._read(child, 0.001 if waiting else min(left, 0.1)) and (how := _ended(child)):
                raise Lost(f"the subject ended in the middle of a call: {how}")
        line = bytes(self.out[:at])
        del self.out[: at + 1]
        return line

    def _write(self, child: subprocess.Popen[bytes], waiting: memoryview) -> memoryview:
        """What is still to be written; a reader that is gone will be noticed as an end."""
        assert child.stdin is not None
        if not waiting:
            return waiting
        try:
            return waiting[os.write(child.stdin.fileno(), waiting) :]
        except BlockingIOError:
            return waiting
        except OSError:
            return waiting[:0]

    def _read(self, child: subprocess.Popen[bytes], seconds: float) -> bool:
        """Take in what the process wrote; whether there was anything."""
        some = False
        for key, _ in self.select.select(seconds):
            data = os.read(key.fd, 1 << 16)
            if not data:
                self.select.unregister(key.fileobj)
            elif key.fileobj is child.stdout:
                self.out += data
            else:
                self.err += data
                del self.err[2 * EVIDENCE : -2 * EVIDENCE]
            some = some or bool(data)
        return some

    def kill(self) -> None:
        """End the process and all that it started, now."""
        if self.child is not None:
            self.select.close()
            self.left += self.clear() or 0
            self.child = None

    def close(self) -> None:
        """Tell the process to end, and end what does not."""
        if self.child is not None:
            self._write(self.child, memoryview(protocol.encode(protocol.Bye())))
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.child.communicate(timeout=GRACE)
            self.kill()


def _ended(child: subprocess.Popen[bytes]) -> str:
    """How the process ended, or that it closed its output and lives; an empty string if neither."""
    assert child.stdout is not None
    code = child.poll()
    if code is None:
        return ""
    return f"by {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"


def _path() -> str:
    """PYTHONPATH with this package first, wherever it lies, so that a worker runs the same code."""
    return os.pathsep.join([str(Path(__file__).parents[2]), *filter(None, [os.environ.get("PYTHONPATH")])])


def _limit(pid: int, memory: int) -> None:
    """No more data than this, and no dump of its core. Address space is not limited: JavaScript and GPUs reserve it."""
    try:
        import resource

        resource.prlimit(pid, resource.RLIMIT_DATA, (memory, memory))
        resource.prlimit(pid, resource.RLIMIT_CORE, (0, 0))
    except (ImportError, AttributeError, ProcessLookupError):
        pass  # not on this system, or it has ended already


def _clear(child: subprocess.Popen[bytes], mark: str) -> int:
    """Kill the process, its group and whatever else carries its mark; how many others there were."""
    others = [pid for pid in _marked(mark) if pid != child.pid]
    for kill, number in ((os.killpg, child.pid), *((os.kill, pid) for pid in others)):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            kill(number, signal.SIGKILL)
    child.wait()
    for stream in (child.stdin, child.stdout, child.stderr):
        if stream is not None:
            stream.close()
    return len(others)


def _marked(mark: str) -> list[int]:
    """The processes whose environment has the mark, where there is a /proc to tell."""
    found, wanted = [], f"{MARK}={mark}".encode()
    for path in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            if wanted in path.read_bytes().split(b"\0"):
                found.append(int(path.parent.name))
    return found


def _quoted(text: bytes | bytearray) -> str:
    shown = bytes(text[:60]).decode(errors="replace").split("\n")[0]
    return repr(shown + ("…" if len(text) > 60 else ""))


def worker(text: str, read_as: str) -> list[str]:
    """The command of a worker for a Python subject. `-P`: what lies in the current folder shadows nothing."""
    return [sys.executable, "-P", "-c", "from oracle.subjects.worker import main; main()", text, read_as]


# ------------------------------------------------------------------------------------------------------- the subject


def _elsewhere(case: AnyCase) -> Any:
    raise AssertionError("a remote subject is asked by its process")


@dataclass(frozen=True)
class Remote(Subject):
    """A subject in a process."""

    process: Process = field(default_factory=lambda: Process([]))
    base64: bool = False

    @classmethod
    def start(cls, name: str, command: list[str], seconds: float, memory: int, options: str = "") -> "Remote":
        """Start it, and hear what it says of itself. Raises `SubjectError`."""
        process = Process(command, memory)
        welcome = _hello(process, name, seconds)
        return cls(
            name, _elsewhere, _elsewhere if welcome.update else None, seconds=seconds, options=options,
            process=process, base64=welcome.tensors == "base64", remark=welcome.remark, **declared(welcome, name),
        )  # fmt: skip

    @property
    def fragile(self) -> bool:
        """Whether it has ended in the middle of a call."""
        return self.process.endings > 0

    @property
    def lost(self) -> str:
        """Why it is no use to ask any further."""
        return f"the subject ended {ENDINGS} times in the middle of a call" if self.process.endings >= ENDINGS else ""

    def ask(self, case: AnyCase) -> Reply:
        """The answer of the process, which is started if it does not run."""
        number = self.process.asked = self.process.asked + 1
        try:
            if self.process.child is None:
                _hello(self.process, self.name, self.seconds)
            line = self.process.exchange(protocol.encode(Run(id=number, case=case), self.base64), self.seconds)
        except SubjectError as error:
            return Reply(crash=f"the subject did not start again: {error}")
        except Lost as lost:
            self.process.endings += not lost.late
            told = {"timeout" if lost.late else "crash": str(lost)}
            return Reply(evidence=self.process.evidence, **told)
        return self._reply(line, number)

    def _reply(self, line: bytes, number: int) -> Reply:
        try:
            found = protocol.reply(line)
        except CaseError as error:
            return self._out_of_step(f"the subject answered {_quoted(line)}, which is no line of the protocol: {error}")
        if not isinstance(found, Answered | Declined | Failed | Broken) or found.id != number:
            return self._out_of_step(f"the subject answered {_quoted(line)} when it was asked case {number}")
        match found:
            case Answered():
                return Reply(found.answer)
            case Declined():
                return Reply(skipped=f"the subject declines: {found.reason}")
            case Failed():
                return Reply(error=found.reason)
            case Broken():
                return Reply(breach=found.reason)

    def _out_of_step(self, sentence: str) -> Reply:
        """Garbage: nothing that comes after it can be trusted."""
        evidence = self.process.evidence
        self.process.kill()
        self.process.endings += 1
        return Reply(crash=sentence, evidence=evidence)

    def close(self) -> tuple[str, ...]:
        """End the process; what it left behind is worth a remark."""
        self.process.close()
        left, self.process.left = self.process.left, 0
        return (f"the subject left {left} process{'es' * (left > 1)} behind; killed",) if left else ()


def _hello(process: Process, name: str, seconds: float) -> Welcome:
    """Start a process and hear its hello. Raises `SubjectError`."""
    try:
        process.start()
        line = process.exchange(protocol.encode(protocol.Hello(protocol=protocol.VERSION)), max(seconds, START))
        found = protocol.reply(line)
    except OSError as error:
        raise SubjectError(f"{name}: {process.command[0]} cannot be started: {error.strerror or error}") from None
    except Lost as lost:
        told = f"; its stderr ends: {process.evidence}" if process.evidence else ""
        raise SubjectError(f"{name}: no hello: {lost}{told}") from None
    except CaseError as error:
        process.kill()
        raise SubjectError(f"{name} said {_quoted(line)} in place of hello: {error}") from None
    if isinstance(found, Refused):
        process.kill()
        raise SubjectError(found.reason)
    if not isinstance(found, Welcome) or found.protocol != protocol.VERSION:
        process.kill()
        raise SubjectError(f"{name} said {_quoted(line)}, but this oracle speaks protocol {protocol.VERSION}")
    return found
