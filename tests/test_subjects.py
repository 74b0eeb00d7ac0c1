"""Subjects: found by name, run on copies, and whatever they do is an outcome in a sentence."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

import oracle
from oracle.spec import Answer, Case, UpdateAnswer, UpdateCase
from oracle.subjects import SubjectError, resolve, wrap
from tests.fakes import MLP, chain, linear

CASE = chain(*MLP)
UPDATE = UpdateCase(op="SGD", attrs={"lr": 0.5}, parameters={"w": np.ones(2)}, gradients=({"w": np.ones(2)},))
GRADIENTS = {"n1.weight": np.zeros((3, 2))}
STUDENT = """
import helper

class Net:
    def backprop(self, case):
        return {"n1.weight": helper.zeros}

net = Net()
number = 7
def _hidden(case): ...
"""


# -------------------------------------------------------------------------------------------------------- by name


@pytest.fixture
def student(tmp_path: Path) -> Path:
    (tmp_path / "helper.py").write_text("zeros = 0\n")
    (path := tmp_path / "student.py").write_text(STUDENT)
    return path


def test_a_file_beside_its_own_modules(student: Path) -> None:
    before = list(sys.path)
    subject = resolve(f"python:{student}:net.backprop", in_process=True)
    assert subject.name == f"python:{student}:net.backprop"
    assert subject.answer(CASE).answer.gradients == {"n1.weight": 0}
    assert sys.path == before


def test_a_module_and_the_reference() -> None:
    assert resolve("python:oracle.subjects:reference").answer(CASE).answer.loss.shape == ()
    assert resolve("reference").answer(UPDATE).answer.steps[0]["w"].tolist() == [0.5, 0.5]


@pytest.mark.parametrize(("text", "words"), [
    ("nonsense", "'nonsense' is no subject; write python:package.module:callable, python:"),
    ("python:student.py", "is no subject"),
    ("python::f", "is no subject"),
    ("ruby:a:b", "is no subject"),
    ("python:no.such.module:f", "no.such.module cannot be imported: ModuleNotFoundError"),
    ("python:/no/such/file.py:f", "/no/such/file.py is not a file"),
    ("python:{}:forward", "has no 'forward'; its callables are Net"),
    ("python:{}:net.forward", "has no 'forward'; its callables are backprop"),
    ("python:{}:number", "number is int, not a callable"),
])  # fmt: skip
@pytest.mark.parametrize("in_process", [True, False])
def test_what_cannot_be_found_is_refused_in_a_sentence(text: str, words: str, in_process: bool, student: Path) -> None:
    with pytest.raises(SubjectError, match=words):
        resolve(text.format(student), in_process=in_process)


@pytest.mark.parametrize(("source", "words"), [
    ("def f(:", "SyntaxError"), ("1 / 0", "ZeroDivisionError: division by zero .bad.py, line 1"),
    ("exit()", "SystemExit"),
])  # fmt: skip
def test_a_file_that_cannot_be_imported(source: str, words: str, tmp_path: Path) -> None:
    (path := tmp_path / "bad.py").write_text(source)
    with pytest.raises(SubjectError, match=f"bad.py cannot be imported: {words}"):
        resolve(f"python:{path}:f")


# --------------------------------------------------------------------------------------------------- declarations


def declared(**attributes: Any) -> Callable[[Case], Any]:
    def call(case: Case) -> Any:
        return GRADIENTS

    for name, value in attributes.items():
        setattr(call, name, value)
    return call


def test_declarations() -> None:
    assert wrap(declared()).wanted(CASE) == CASE.wanted()
    assert wrap(declared(returns="parameters")).wanted(CASE) == list(CASE.parameters)
    assert wrap(declared(returns={"inputs"})).wanted(CASE) == ["x", "t"]
    few = wrap(declared(supports=["Linear", "MSELoss"]))
    assert few.answer(CASE).skipped == "the subject does not support Tanh"
    assert few.answer(chain(linear(2, 2))).answer.gradients == GRADIENTS
    assert few.answer(UPDATE).skipped == "the subject does not do step 5"
    assert wrap(declared(update=lambda case: [{"w": 1}])).answer(UPDATE).answer.steps == ({"w": 1},)
    assert wrap(declared(), "n").name == "n"
    assert wrap(declared()).name == "call"
    with pytest.raises(SubjectError, match="returns has 'outputs'; it may have 'parameters' and 'inputs'"):
        wrap(declared(returns={"outputs"}))


# --------------------------------------------------------------------------------------------------------- outcomes


def raises(error: BaseException) -> Callable[[Case], Any]:
    def call(case: Case) -> Any:
        raise error

    return call


def test_a_subject_may_decline() -> None:
    reply = wrap(raises(oracle.Unsupported("no Tanh"))).answer(CASE)
    assert (reply.skipped, reply.error, reply.answer) == ("the subject declines: no Tanh", "", None)


@pytest.mark.parametrize("error", [ValueError("bad"), SystemExit("bad"), RecursionError("bad"), MemoryError("bad")])
def test_what_is_raised_is_an_outcome_with_its_line(error: BaseException) -> None:
    reply = wrap(raises(error)).answer(CASE)
    assert reply.error.startswith(f"{type(error).__name__}: bad (test_subjects.py, line ")
    assert reply.error.endswith(", in call)")


def test_an_endless_message_is_cut() -> None:
    assert len(wrap(raises(ValueError("x" * 10**6))).answer(CASE).error) < 700


def test_an_interrupt_gets_through() -> None:
    with pytest.raises(KeyboardInterrupt):
        wrap(raises(KeyboardInterrupt())).answer(CASE)


CHANGES: dict[str, tuple[Callable[[Any], Any], str]] = {
    "an input in place": (lambda c: c.inputs["x"].__imul__(2), "tensor x"),
    "another array": (lambda c: c.inputs.update(x=np.zeros((3, 2))), "tensor x"),
    "a parameter gone": (lambda c: c.parameters.pop("n1.bias"), "parameter n1.bias"),
    "a sign of zero": (lambda c: c.parameters["n1.bias"].__setitem__(0, -0.0), "parameter n1.bias"),
    "another dtype": (lambda c: c.inputs.update(t=c.inputs["t"].astype("f4")), "tensor t"),
    "a shape": (lambda c: c.inputs.update(t=c.inputs["t"].T), "tensor t"),
    "an argument": (lambda c: c.nodes[0].attrs.update(bias=False), "graph"),
    "a buffer": (lambda c: c.buffers["n2.running_mean"].fill(0), "buffer n2.running_mean"),
}


@pytest.mark.parametrize(("change", "words"), CHANGES.values(), ids=CHANGES)
def test_what_a_subject_changes_is_named_and_is_a_copy(change: Callable[[Any], Any], words: str) -> None:
    case = chain(linear(2, 3), ("BatchNorm1d", {"num_features": 3}))
    case.parameters["n1.bias"][0] = 0.0
    before = case.id
    reply = wrap(lambda c: (change(c), GRADIENTS)[1]).answer(case)
    assert reply.breach == f"the subject changed its input {words}"
    assert case.id == before


def test_a_changed_update_is_named() -> None:
    for change, words in (
        (lambda c: c.parameters["w"].fill(0), "parameter w"),
        (lambda c: c.gradients[0]["w"].fill(0), "gradient w"),
    ):
        update = declared(update=lambda c, change=change: (change(c), [{"w": np.ones(2)}])[1])
        assert wrap(update).answer(UPDATE).breach == f"the subject changed its input {words}"


def test_additions_to_the_copy_do_no_harm() -> None:
    reply = wrap(lambda c: (c.inputs.update(note=np.ones(1)), GRADIENTS)[1]).answer(CASE)
    assert reply.answer is not None
    assert "note" not in CASE.inputs


def test_prints_and_warnings_of_numpy_are_the_subjects_own_business(capsys: pytest.CaptureFixture[str]) -> None:
    def noisy(case: Case) -> Any:
        print("epoch 1")
        return {"n1.weight": np.zeros(1) / np.zeros(1)}

    assert wrap(noisy).answer(CASE).answer is not None
    assert capsys.readouterr().out == ""


def test_the_kinds_of_answer() -> None:
    answer = Answer(gradients=GRADIENTS)
    for raw in (answer, GRADIENTS, {"gradients": GRADIENTS}, {"gradients": GRADIENTS, "buffers": None}):
        assert wrap(lambda c, raw=raw: raw).answer(CASE).answer == answer
    assert wrap(lambda c: (2.0, GRADIENTS)).answer(CASE).answer == Answer(loss=2.0, gradients=GRADIENTS)
    steps = UpdateAnswer(steps=({"w": np.ones(2)},))
    for raw in (steps, list(steps.steps), steps.steps):
        assert wrap(declared(update=lambda c, raw=raw: raw)).answer(UPDATE).answer == steps


@pytest.mark.parametrize(("raw", "words"), [
    (None, "the subject returned None, but should return an Answer or a mapping"),
    (3, "the subject returned an int"),
    ([1], "the subject returned a list"),
    ((1, 2), "the subject returned a tuple"),
    ({"gradients": {}, "grads": {}}, "the answer has 'grads'; it may have loss, gradients"),
    ({"gradients": [1]}, "gradients is a list, but should be a mapping"),
    ({"gradients": {}, "outputs": 3}, "outputs is an int, but should be a mapping"),
    ({"gradients": None}, "gradients is None, but should be a mapping"),
    (Answer(gradients=[1]), "gradients is a list, but should be a mapping"),  # type: ignore[arg-type]
])  # fmt: skip
def test_what_is_no_answer_is_said_in_a_sentence(raw: Any, words: str) -> None:
    assert wrap(lambda c: raw).answer(CASE).breach.startswith(words)


def test_what_is_no_answer_to_step_5() -> None:
    for raw in ({"w": 1}, UpdateAnswer(steps={"w": 1})):  # type: ignore[arg-type]
        reply = wrap(declared(update=lambda c, raw=raw: raw)).answer(UPDATE)
        assert reply.breach.startswith("the update returned dict, but should return the parameters after each step")


def test_the_reference_follows_a_change_of_graph_or_mode() -> None:
    reference = resolve("reference")
    kept, masked = ({"x": np.ones((1, 2)), "m": np.array([[m, True]]), "c": np.ones((1, 2))} for m in (True, False))
    nodes = (oracle.Node("d", "Dropout", ("x", "m"), {"p": 0.5}), oracle.Node("l", "Dot", ("d", "c")))
    for inputs, training, expected in ((kept, True, 4), (masked, True, 2), (masked, False, 2), (kept, True, 4)):
        case = Case(nodes=nodes, inputs=inputs, training=training)
        assert reference.answer(case).answer.loss == expected
    again = replace(case, nodes=(nodes[0], oracle.Node("l", "Dot", ("x", "d"))), inputs={n: kept[n] for n in "xm"})
    assert reference.answer(again).answer.gradients["x"].tolist() == [[4, 4]]
