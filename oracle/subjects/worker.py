"""What runs in the process of a Python subject: the line protocol around one callable.

The protocol has descriptors of its own: stdin is empty, and what the subject prints goes to stderr.
"""

import faulthandler
import os
import select
import sys
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from oracle.compare import unsendable
from oracle.spec import AnyCase
from oracle.subjects import protocol
from oracle.subjects.resolve import resolve
from oracle.subjects.subject import Subject, SubjectError, where

FORKED = 0.2
"""Seconds in which a forked child that comes back from the call too would show itself."""


class _Forks:
    """Notices a subject that forks, and whose child comes back from the call as well: it would answer a second time."""

    def __init__(self) -> None:
        self.pid, self.forks = os.getpid(), 0
        self.read, self.write = os.pipe()
        os.register_at_fork(after_in_parent=self._forked)

    def _forked(self) -> None:
        self.forks += 1

    def check(self) -> str:
        """After a call: a sentence if two processes came back from it. The child does not get past here."""
        if os.getpid() != self.pid:
            os.write(self.write, b"1")
            os._exit(0)
        forks, self.forks = self.forks, 0
        if not forks or not select.select([self.read], [], [], FORKED)[0]:
            return ""
        os.read(self.read, 1)
        return "the subject forked, and the child came back from the call too"


def main() -> None:
    """Serve until bye, or the end of the questions."""
    questions, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    faulthandler.enable()
    text, read_as = sys.argv[1:3]
    if text.startswith("python:") and (path := text.split(":")[1]).endswith(".py"):
        sys.path.append(str(Path(path).parent.resolve()))  # what it imports later, inside a function
    questions.readline()
    try:
        subject = resolve(text, read_as=read_as, in_process=True, seconds=float("inf"))
        subject = replace(subject, prints=sys.stderr)
    except (SubjectError, KeyboardInterrupt) as error:
        told = str(error) if isinstance(error, SubjectError) else f"{text} cannot be started: {where(error)}"
        _say(replies, protocol.Refused(reason=told))
        return
    _say(replies, _welcome(subject))
    _serve(subject, questions, replies)


def _serve(subject: Subject, questions: BinaryIO, replies: BinaryIO) -> None:
    forks = _Forks()
    for line in questions:
        question = protocol.question(line)
        if isinstance(question, protocol.Run):
            reply = _answered(subject, question.case, question.id)
            if told := forks.check():
                reply = protocol.Broken(id=question.id, reason=told)
            _say(replies, reply)
        else:
            return


def _welcome(subject: Subject) -> protocol.Welcome:
    return protocol.Welcome(
        protocol=protocol.VERSION,
        name=subject.name,
        language="Python",
        supports=None if subject.supports is None else tuple(sorted(subject.supports)),
        returns=tuple(sorted(subject.returns)),
        update=subject.update is not None,
        conventions=dict(subject.conventions),
        tensors="base64",
        remark=subject.remark,
        chain=subject.chain,
    )


def _answered(subject: Subject, case: AnyCase, number: int) -> protocol.Line:
    try:
        reply = subject.answer(case)
    except KeyboardInterrupt as error:  # no terminal reaches this process: it is the subject's own
        return protocol.Failed(id=number, reason=where(error))
    if reply.skipped:
        return protocol.Declined(id=number, reason=reply.skipped.removeprefix("the subject declines: "))
    if reply.error:
        return protocol.Failed(id=number, reason=reply.error)
    if told := reply.breach or unsendable(reply.answer, case.dtype):
        return protocol.Broken(id=number, reason=told)
    return protocol.Answered(id=number, answer=protocol.arrays(reply.answer))


def _say(replies: BinaryIO, message: protocol.Line) -> None:
    replies.write(protocol.encode(message))
    replies.flush()
