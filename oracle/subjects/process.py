"""A process with limits that is asked a line and answers a line, and is cleared away with all that it started.

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
import time
import weakref
from pathlib import Path

from oracle.spec import LARGEST_FILE
from oracle.subjects import protocol

MEMORY = 4 * 2**30
"""Bytes of data that a process may hold, unless another limit is said; kept where the system can (Linux)."""
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
            env={**os.environ, MARK: mark},
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
            raise Lost(f"the subject wrote {quoted(self.out)} before it was asked")
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


def quoted(text: bytes | bytearray) -> str:
    """The beginning of what was written, for a sentence."""
    shown = bytes(text[:60]).decode(errors="replace").split("\n")[0]
    return repr(shown + ("…" if len(text) > 60 else ""))
