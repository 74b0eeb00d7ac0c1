"""Subjects that misbehave, each in one way; every one answers rightly otherwise, or never."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from oracle.spec import Answer, Case
from oracle.subjects import reference

asked = 0


def now_and_then(misbehave: Callable[[Case], Any]) -> Callable[[Case], Any]:
    """Right twice, and then wrong in this way."""

    def subject(case: Case) -> Any:
        global asked
        asked += 1
        return misbehave(case) if asked % 3 == 0 else reference(case)

    return subject


@now_and_then
def leaves_with_0(case: Case) -> Answer:
    os._exit(0)


@now_and_then
def exits(case: Case) -> Answer:
    sys.exit(3)


@now_and_then
def segfaults(case: Case) -> Answer:
    ctypes.string_at(0)
    return reference(case)


@now_and_then
def aborts(case: Case) -> Answer:
    print("about to abort", file=sys.stderr, flush=True)
    os.abort()


@now_and_then
def kills_itself(case: Case) -> Answer:
    os.kill(os.getpid(), signal.SIGKILL)
    return reference(case)


@now_and_then
def hangs(case: Case) -> Answer:
    while True:
        time.sleep(1)


@now_and_then
def hangs_in_c_with_signals_blocked(case: Case) -> Answer:
    signal.pthread_sigmask(signal.SIG_BLOCK, range(1, signal.NSIG))
    ctypes.CDLL(None).pause()
    return reference(case)


@now_and_then
def wants_all_memory(case: Case) -> Answer:
    np.ones(2**36)
    return reference(case)


def prints(case: Case) -> Answer:
    print("epoch 1")
    os.write(1, b'{"type": "answer", "id": 1}\n')
    return reference(case)


def floods_stderr(case: Case) -> Answer:
    for _ in range(100):
        os.write(2, b"x" * 10_000)
    return reference(case)


def reads_stdin(case: Case) -> Answer:
    assert sys.stdin.read() == ""
    return reference(case)


@now_and_then
def closes_descriptors(case: Case) -> Answer:
    os.closerange(0, 256)
    return reference(case)


@now_and_then
def forks_and_both_come_back(case: Case) -> Answer:
    os.fork()
    return reference(case)


def leaves_a_child_behind(case: Case) -> Answer:
    global asked
    asked += 1
    if asked == 1:
        subprocess.Popen(["sleep", "600"], start_new_session=True)
    return reference(case)


@now_and_then
def recurses(case: Case) -> Answer:
    def deeper() -> Answer:
        return deeper()

    return deeper()


@now_and_then
def recurses_in_c(case: Case) -> Answer:
    sys.setrecursionlimit(10**9)
    deep: Any = []
    for _ in range(10**6):
        deep = [deep]
    return repr(deep)  # type: ignore[return-value]


def changes_its_input(case: Case) -> Answer:
    answer = reference(case)
    next(iter(case.inputs.values()))[...] = 0
    return answer


def complex_numbers(case: Case) -> Any:
    answer = reference(case)
    return {"loss": answer.loss, "gradients": {n: g + 0j for n, g in answer.gradients.items()}}


def objects(case: Case) -> Any:
    return {"loss": object(), "gradients": {n: np.array(None) for n in case.wanted()}}


def half_precision(case: Case) -> Any:
    return {"gradients": {n: g.astype(np.float16) for n, g in reference(case).gradients.items()}}


def not_a_number(case: Case) -> Any:
    answer = reference(case)
    return {"loss": answer.loss, "gradients": {n: g * np.nan for n, g in answer.gradients.items()}}


def nothing(case: Case) -> None:
    pass


class Strange(dict[str, Any]):
    """A mapping that fails when it is read."""

    def items(self) -> Any:
        raise RuntimeError("no items for you")


def strange_mapping(case: Case) -> Any:
    return Strange(gradients={})


@now_and_then
def raises_strangely(case: Case) -> Answer:
    class Strange(BaseException):
        def __str__(self) -> str:
            raise ValueError

    raise Strange


@now_and_then
def stops_itself(case: Case) -> Answer:
    os.kill(os.getpid(), signal.SIGSTOP)
    return reference(case)


@now_and_then
def dies_with_a_child_that_holds_its_output(case: Case) -> Answer:
    if os.fork() == 0:
        time.sleep(600)
    os._exit(7)


@now_and_then
def huge_answer(case: Case) -> Any:
    return {"gradients": {n: np.zeros(10**8, bool) for n in case.wanted()}}
