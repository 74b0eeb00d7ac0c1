"""A subject that lives in a process of its own, and is started again when it ends."""

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from oracle.spec import AnyCase, CaseError
from oracle.subjects import protocol
from oracle.subjects.declare import declared
from oracle.subjects.process import Lost, Process, quoted
from oracle.subjects.protocol import Answered, Broken, Declined, Failed, Refused, Run, Welcome
from oracle.subjects.subject import Reply, Subject, SubjectError

START = 60.0
"""Seconds for a subject to say hello, at least: importing a framework takes some."""
ENDINGS = 20
"""Endings in the middle of a call after which a subject is not asked any more."""


WORKER = (
    "import sys; root = sys.argv.pop(1); root in sys.path or sys.path.insert(0, root); "
    "from oracle.subjects.worker import main; main()"
)
"""The same package as this one, wherever it lies."""


def worker(text: str, read_as: str) -> list[str]:
    """The command of a worker for a Python subject. `-P`: what lies in the current folder shadows nothing."""
    return [sys.executable, "-P", "-c", WORKER, str(Path(__file__).parents[2]), text, read_as]


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
            process=process, base64=welcome.tensors == "base64", remark=welcome.remark, chain=welcome.chain,
            **declared(welcome, name),
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
            return self._out_of_step(f"the subject answered {quoted(line)}, which is no line of the protocol: {error}")
        if not isinstance(found, Answered | Declined | Failed | Broken) or found.id != number:
            return self._out_of_step(f"the subject answered {quoted(line)} when it was asked case {number}")
        match found:
            case Answered():
                return Reply(found.answer, evidence=self.process.evidence)
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
        raise SubjectError(f"{name} said {quoted(line)} in place of hello: {error}") from None
    if isinstance(found, Refused):
        process.kill()
        raise SubjectError(found.reason)
    if not isinstance(found, Welcome) or found.protocol != protocol.VERSION:
        process.kill()
        raise SubjectError(f"{name} said {quoted(line)}, but this oracle speaks protocol {protocol.VERSION}")
    return found
