"""Subjects in processes of their own: whatever they do is an outcome with its evidence, and the run goes on."""

import shlex
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from oracle.check import check
from oracle.report import render_finding
from oracle.spec import Case, UpdateCase
from oracle.subjects import Subject, SubjectError, resolve
from oracle.subjects.process import Process
from tests.fakes import MLP, chain, linear

HOSTILE = Path(__file__).parent / "hostile.py"
CASE = chain(*MLP)


@pytest.fixture
def hostile(request: pytest.FixtureRequest) -> Iterator[Subject]:
    subject = resolve(f"python:{HOSTILE}:{request.param}", seconds=0.5)
    yield subject
    subject.close()


OUTCOMES = {
    "leaves_with_0": ("errored", "the subject ended in the middle of a call: with exit code 0"),
    "exits": ("errored", "the subject raised SystemExit: 3 (hostile.py, line"),
    "segfaults": ("errored", "the subject ended in the middle of a call: by SIGSEGV"),
    "aborts": ("errored", "the subject ended in the middle of a call: by SIGABRT"),
    "kills_itself": ("errored", "the subject ended in the middle of a call: by SIGKILL"),
    "hangs": ("timeout", "the subject gave no answer within 0.5 seconds"),
    "hangs_in_c_with_signals_blocked": ("timeout", "the subject gave no answer within 0.5 seconds"),
    "stops_itself": ("timeout", "the subject gave no answer within 0.5 seconds"),
    "wants_all_memory": ("errored", "the subject raised MemoryError: Unable to allocate"),
    "closes_descriptors": ("errored", "the subject ended in the middle of a call"),
    "forks_and_both_come_back": ("errored", "the subject forked, and the child came back from the call too"),
    "dies_with_a_child_that_holds_its_output": ("errored", "the subject ended in the middle of a call: with exit code"),
    "recurses": ("errored", "the subject raised RecursionError: maximum recursion depth exceeded (hostile.py"),
    "changes_its_input": ("errored", "the subject changed its input"),
    "complex_numbers": ("errored", "has dtype complex128, but should be float64"),
    "objects": ("errored", "the loss has dtype object, but should be real"),
    "half_precision": ("errored", "has dtype float16, but should be float64"),
    "nothing": ("errored", "the subject returned None, but should return an Answer"),
    "strange_mapping": ("errored", "the subject raised RuntimeError: no items for you (hostile.py"),
    "raises_strangely": ("errored", "the subject raised Strange: (its message cannot be printed)"),
}


@pytest.mark.parametrize(("hostile", "outcome", "words"), [(n, *x) for n, x in OUTCOMES.items()], indirect=["hostile"])
def test_misbehaviour_is_an_outcome_and_the_run_goes_on(hostile: Subject, outcome: str, words: str) -> None:
    report = check(hostile, cases=5, dtypes=("float64",), profile="mlp", seed=1)
    assert (report.cases, report.exit_code, report.stopped) == (5, 1, "")
    assert report.tally["match"] + report.tally[outcome] == 5
    assert words in "".join(render_finding(f) for f in report.findings)


@pytest.mark.parametrize("hostile", ["prints", "floods_stderr", "reads_stdin"], indirect=True)
def test_what_is_the_subjects_own_business(hostile: Subject) -> None:
    report = check(hostile, cases=5, dtypes=("float64",), profile="mlp")
    assert (report.exit_code, report.tally["match"], report.remarks) == (0, 5, ())


@pytest.mark.parametrize("hostile", ["leaves_a_child_behind"], indirect=True)
def test_a_child_left_behind_is_killed_and_told(hostile: Subject) -> None:
    report = check(hostile, cases=5, dtypes=("float64",), profile="mlp")
    assert (report.exit_code, report.remarks) == (0, ("the subject left 1 process behind; killed",))


@pytest.mark.parametrize("hostile", ["aborts"], indirect=True)
def test_the_evidence_is_what_it_wrote_on_stderr_without_paths_and_addresses(hostile: Subject) -> None:
    (finding,) = check(hostile, cases=5, dtypes=("float64",), profile="mlp").findings
    assert finding.verdict.evidence.startswith("about to abort\nFatal Python error: Aborted")
    assert 'File "hostile.py", line' in finding.verdict.evidence
    assert str(HOSTILE.parent) not in finding.verdict.evidence
    assert "its stderr ends:\n    about to abort" in render_finding(finding)


def test_a_run_ends_with_a_subject_that_ends_every_time() -> None:
    subject = resolve(program("import os; os._exit(1)"))
    report = check(subject, cases=100, dtypes=("float64",), profile="mlp")
    assert (report.cases, report.stopped) == (20, "the subject ended 20 times in the middle of a call")


def test_a_process_gets_what_the_oracle_gets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "helper.py").write_text("from oracle.subjects import reference\n")
    (tmp_path / "mine.py").write_text("def call(case):\n    import helper\n    return helper.reference(case)\n")
    monkeypatch.chdir(tmp_path)
    for text in ("python:mine.py:call", "python:mine:call"):
        subject = resolve(text)
        assert subject.answer(CASE).answer.loss == resolve("reference").answer(CASE).answer.loss
        assert subject.close() == ()


def test_declarations_and_step_5_in_another_process(tmp_path: Path) -> None:
    (path := tmp_path / "mine.py").write_text("""
from oracle.subjects import reference as call, reference_update
call.update = reference_update
call.supports, call.returns, call.conventions = {"Linear", "Dot"}, "parameters", {"ReLU": 1}
""")
    subject = resolve(f"python:{path}:call")
    assert (subject.supports, subject.returns) == ({"Linear", "Dot"}, {"parameters"})
    assert subject.conventions == {"ReLU": (1.0,)}
    case = UpdateCase(op="SGD", attrs={"lr": 0.5}, parameters={"w": CASE.inputs["x"]}, gradients=(CASE.inputs,))
    case = UpdateCase(op="SGD", attrs={"lr": 0.5}, parameters=case.parameters, gradients=({"w": CASE.inputs["x"]},))
    answer = subject.answer(case).answer
    assert (answer.steps[0]["w"] == CASE.inputs["x"] / 2).all()
    subject.close()


# -------------------------------------------------------------------------------------------------- the line protocol

HELLO = '{"type": "hello", "protocol": 1}'
PROGRAM = """
import json, os, sys, time
sys.stdin.readline()
print('{hello}', flush=True)
for line in sys.stdin:
    id = json.loads(line).get("id")
    {answer}
"""


def program(answer: str, hello: str = HELLO) -> str:
    """A subject that speaks the protocol by itself, and answers with what a line of Python does."""
    return shlex.join(["cmd:" + sys.executable, "-c", PROGRAM.format(hello=hello, answer=answer)])


def say(line: str) -> str:
    return f"print('{line}' % id, flush=True)"


LINES = {
    "garbage": (say("epoch %d"), "the subject answered 'epoch 1', which is no line of the protocol"),
    "no object": (say("[%d]"), "the subject answered '[1]', which is no line of the protocol"),
    "another id": (say('{"type": "error", "id": 9%d, "reason": ""}'), "when it was asked case 1"),
    "another type": (say('{"type": "hello", "protocol": %d}'), "when it was asked case 1"),
    "unknown fields": (say('{"type": "error", "id": %d, "reason": "", "x": 1}'), "contains unknown field `x`"),
    "no gradients": (say('{"type": "answer", "id": %d, "answer": {"kind": "gradient"}}'), "`gradients`"),
    "a ragged tensor": (
        say('{"type": "answer", "id": %d, "answer": {"kind": "gradient", "gradients": {"x": '
            '{"dtype": "float64", "shape": [2], "data": [1]}}}}'),
        "data has 1 rows where the shape says 2",
    ),
    "too few bytes": (
        say('{"type": "answer", "id": %d, "answer": {"kind": "gradient", "gradients": {"x": '
            '{"dtype": "float64", "shape": [2], "base64": "AAAA"}}}}'),
        "base64 has 3 bytes where shape and dtype say 16",
    ),
    "a silent end": ("sys.exit(5)", "ended in the middle of a call: with exit code 5"),
}  # fmt: skip


@pytest.mark.parametrize(("answer", "words"), LINES.values(), ids=LINES)
def test_what_is_no_answer(answer: str, words: str) -> None:
    subject = resolve(program(answer))
    for _ in range(2):  # it is started again
        reply = subject.answer(CASE)
        assert words in reply.crash.replace("case 2", "case 1").replace("'epoch 2'", "'epoch 1'").replace("[2]", "[1]")
    subject.close()


def test_words_of_a_program() -> None:
    subject = resolve(program(say('{"type": "error", "id": %d, "reason": "ValueError: bad"}')))
    assert subject.answer(CASE).error == "ValueError: bad"
    subject = resolve(program(say('{"type": "declined", "id": %d, "reason": "no Tanh"}')))
    assert subject.answer(CASE).skipped == "the subject declines: no Tanh"
    subject = resolve(program(say('{"type": "breach", "id": %d, "reason": "it is broken"}')))
    assert subject.answer(CASE).breach == "it is broken"


def test_a_loss_may_be_a_number_a_word_or_a_tensor() -> None:
    for loss in ("0.5", '"NaN"', '{"dtype": "float32", "shape": [], "data": 0.5}', "null"):
        line = '{"type": "answer", "id": %d, "answer": {"kind": "gradient", "loss": LOSS, "gradients": {}}}'
        subject = resolve(program(say(line.replace("LOSS", loss))))
        found = subject.answer(CASE).answer.loss
        assert {"null": found is None, '"NaN"': found != found}.get(loss, found == 0.5)
        subject.close()


def test_a_line_before_it_was_asked() -> None:
    subject = resolve(program(say('{"type": "error", "id": %d, "reason": ""}') + "; print('more', flush=True)"))
    subject.answer(CASE)
    time.sleep(0.1)
    assert "the subject wrote 'more' before it was asked" in subject.answer(CASE).crash


HELLOS = {
    "nothing": ("cmd:true", "no hello: the subject ended in the middle of a call: with exit code 0"),
    "no program": ("cmd:no-such-program --now", "no-such-program cannot be started: No such file or directory"),
    "no words": ("cmd:   ", "is no subject; write python:"),
    "quotes": ("cmd:a 'b", "No closing quotation"),
    "a refusal": (program("", '{"type": "refused", "reason": "no licence"}'), "no licence"),
    "another protocol": (program("", '{"type": "hello", "protocol": 2}'), "but this oracle speaks protocol 1"),
    "no JSON": (program("", "Hello!"), "said 'Hello!' in place of hello"),
    "a convention of nothing": (program("", '{"type": "hello", "protocol": 1, "conventions": {"Tanh": 1}}'), "no kink"),
    "loading": ("python:no.such.module:f", "no.such.module cannot be imported: ModuleNotFoundError"),
    "stderr": (shlex.join(["cmd:" + sys.executable, "-c", "exit('bad day')"]), "its stderr ends: bad day"),
}


@pytest.mark.parametrize(("text", "words"), HELLOS.values(), ids=HELLOS)
def test_what_cannot_start_is_refused_in_a_sentence(text: str, words: str) -> None:
    with pytest.raises(SubjectError) as refused:
        resolve(text)
    assert words in str(refused.value)


def test_rows_and_base64(tmp_path: Path) -> None:
    for tensors, key in (("rows", "data"), ("base64", "base64")):
        heard = tmp_path / tensors
        hello = f'{{"type": "hello", "protocol": 1, "tensors": "{tensors}"}}'
        write = f"open('{heard}', 'a').write(line); " + say('{"type": "declined", "id": %d, "reason": ""}')
        subject = resolve(program(write, hello))
        subject.answer(CASE)
        subject.close()
        assert f'"{key}":' in heard.read_text()


def test_an_interrupt_ends_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    subject = resolve(f"python:{HOSTILE}:prints")

    def interrupted(*_: object) -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr(Process, "_write", interrupted)
    with pytest.raises(KeyboardInterrupt):
        subject.answer(CASE)
    monkeypatch.undo()
    assert subject.answer(CASE).answer is not None
    subject.close()


def test_large_cases_go_through(tmp_path: Path) -> None:
    wide = chain(linear(2, 500), linear(500, 600))
    assert sum(x.nbytes for x in wide.parameters.values()) > 2**21
    subject = resolve("python:oracle.subjects:reference")
    assert isinstance(wide, Case)
    assert subject.answer(wide).answer.gradients.keys() == set(wide.wanted())
    subject.close()
