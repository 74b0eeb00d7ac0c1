"""`oracle smoke`: every hint is said of the subject that has just this trouble, and of no other."""

import re
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from oracle.cli import main
from oracle.report.smoke import smoke_lines
from oracle.smoke import Smoke, smoke
from oracle.spec import Case, Unsupported
from oracle.students import adapt
from oracle.subjects import reference, reference_update, wrap
from tests import coursework

FEW = {"Linear", "Tanh", "MSELoss"}

Change = Callable[[Case, dict[str, Any]], Any]


def subject(change: Change, **declared: Any) -> Any:
    """The reference with what it returns changed: (case, {"loss", "gradients"}) -> another answer."""

    def backprop(case: Case) -> Any:
        found = reference(case)
        return change(case, {"loss": found.loss, "gradients": dict(found.gradients)})

    for name, value in ({"supports": FEW} | declared).items():
        setattr(backprop, name, value)
    return wrap(backprop, "mine")


def gradients(change: Callable[[str, Any], Any]) -> Change:
    """Every gradient changed: (name, gradient) -> another."""
    return lambda case, answer: answer | {"gradients": {n: change(n, g) for n, g in answer["gradients"].items()}}


def weights(change: Callable[[Any], Any]) -> Change:
    """Only those of weights."""
    return gradients(lambda name, g: change(g) if name.endswith("weight") else g)


def renamed(case: Case, answer: dict[str, Any]) -> Any:
    """h1.weight is called W1."""
    g = answer["gradients"]
    return {"gradients": {n.replace("h1.weight", "W1"): x for n, x in g.items()}}


def misspelt(case: Case, answer: dict[str, Any]) -> Any:
    """h1.weights for h1.weight, and the wrong numbers."""
    return {"gradients": {n.replace("weight", "weights"): x * 3 for n, x in answer["gradients"].items()}}


def inner(case: Case, answer: dict[str, Any]) -> Any:
    """Without the gradients of the inputs."""
    return {"gradients": {n: g for n, g in answer["gradients"].items() if n in case.parameters}}


def changing(case: Case, answer: dict[str, Any]) -> Any:
    """Works in place."""
    case.inputs["x"] += 1
    return answer


def raising(case: Case, answer: dict[str, Any]) -> Any:
    """Knows no Linear."""
    raise KeyError("Linear")


class Tensor:
    """Like torch's."""

    __module__ = "torch"

    def __init__(self, x: Any) -> None:
        self.x = x

    def detach(self) -> Any:
        """Itself."""
        return self

    cpu = detach

    def numpy(self) -> Any:
        """Its numbers."""
        return self.x


def size(case: Case) -> int:
    """N."""
    return len(case.inputs["x"])


HINTS: dict[str, tuple[Change, str]] = {
    "another name": (renamed, "'W1' is the gradient of h1.weight: return it by that name, 'h1.weight'"),
    "a name like another": (misspelt, "did you mean 'h1.weight'? The names are h1.weight, h1.bias, x, target"),
    "no inputs": (inner, 'the gradients of the inputs, x and target, are missing: return them, or declare\n'
                         'backprop.returns = {"parameters"}'),
    "transposed": (weights(lambda g: g.T), "shape (2, 3), but should be (3, 2): it is right but for being"),
    "an axis too many": (gradients(lambda n, g: g[None] if "bias" in n else g), ".reshape((3,)) of it is right"),
    "a list": (gradients(lambda n, g: g.tolist()), "is a list (its numbers are right): return np.asarray(it"),
    "tensors": (gradients(lambda n, g: Tensor(g)), "is a torch tensor (its numbers are right): return it as .numpy("),
    "a float": (gradients(lambda n, g: 1.0), "the gradient of h1.weight is a float: return np.asarray"),
    "None": (lambda case, answer: None, "the subject returned None, but should return an Answer or a mapping of"),
    "twice": (gradients(lambda n, g: 2 * g), "all 4 wrong tensors: 2 times what is right, in two nets of different"),
    "sign": (gradients(lambda n, g: -g), "all 4 wrong tensors: −1 times what is right"),
    "sum for mean": (lambda case, answer: gradients(lambda n, g: size(case) * g)(case, answer),
                     "N times what is right, where N is the batch, in two nets of different sizes: they are summed"),
    "weights over N": (lambda case, answer: weights(lambda g: g / size(case))(case, answer),
                       "h1.weight: 1/N times what is right, where N is the batch"),
    "in place": (changing, "the subject changed its input tensor x: work on copies, x = x + 1 and not x += 1"),
    "raises": (raising, "it raised KeyError: 'Linear' (test_smoke.py, line"),
    "random": (gradients(lambda n, g: g + np.random.default_rng().normal(size=g.shape)), "the second call with"),
    "a formula": (weights(lambda g: g + 1), "The wiring is right, a formula is not: oracle check says where and why"),
}  # fmt: skip
"""What is wrong, and what must be said of it."""


def hints(found: Smoke) -> str:
    """All that is said."""
    return "\n".join(step.told for step in found.steps)


@pytest.mark.parametrize(("change", "words"), HINTS.values(), ids=HINTS)
def test_what_is_wrong_is_said_with_what_to_do(change: Change, words: str) -> None:
    found = smoke(subject(change))
    assert found.exit_code == 1
    assert words in hints(found), hints(found)
    others = [other for _, other in HINTS.values() if other != words and other in hints(found)]
    assert not others


def test_not_summed_is_verified() -> None:
    def bias(case: Case, answer: dict[str, Any]) -> Any:
        g = answer["gradients"]
        parts = np.arange(1.0, size(case) + 1)[:, None] / (size(case) * (size(case) + 1) / 2)
        return {"gradients": {n: parts * x if n == "h1.bias" else x for n, x in g.items()}}

    assert "it is not summed over the batch; .sum(0) of it is right" in hints(smoke(subject(bias)))


def test_a_factor_of_one_net_only_is_not_told() -> None:
    def twice(case: Case, answer: dict[str, Any]) -> Any:
        return gradients(lambda n, g: 2 * g if size(case) == 5 else 3 * g)(case, answer)

    assert "times what is right" not in hints(smoke(subject(twice)))


def test_the_reference_is_wired_right_in_little_time() -> None:
    start = time.perf_counter()
    found = smoke(wrap(with_update(), "mine"))
    assert time.perf_counter() - start < 10
    assert (found.exit_code, {step.status for step in found.steps}) == (0, {"ok"}), hints(found)
    assert {"step 5, plain SGD", "every operator", "float32", "a batch of one"} <= {step.what for step in found.steps}
    assert found.next == "oracle check mine"


def with_update() -> Any:
    """The reference, step 5 included, under declarations of its own."""

    def backprop(case: Case) -> Any:
        return reference(case)

    backprop.update = reference_update  # type: ignore[attr-defined]
    return backprop


def test_operators_that_are_not_known_become_a_declaration_to_paste() -> None:
    known = {"Linear", "Tanh", "ReLU", "HalfSquaredError"}

    def backprop(case: Case) -> Any:
        for node in case.nodes:
            if node.op not in known:
                raise KeyError(node.op)
        return reference(case)

    found = smoke(wrap(backprop, "mine"))
    assert 'declare what it knows:\nbackprop.supports = {"HalfSquaredError", "Linear", "ReLU", "Tanh"}' in hints(found)


def test_what_does_no_harm_is_a_note() -> None:
    def prints(case: Case, answer: dict[str, Any]) -> Any:
        print("epoch 1")
        time.sleep(0.06)
        return {"gradients": answer["gradients"]}

    found = smoke(subject(prints, supports={"Linear", "MSELoss"}))
    assert found.exit_code == 0
    told = "\n".join(found.notes)
    assert "it prints ('epoch 1')" in told
    assert re.search(r"one case takes \d+\.\d\d s", told)
    assert "the loss is not returned" in told
    assert found.next == "oracle check mine --profile mlp"


def test_a_subject_that_declines_everything_cannot_be_tried() -> None:
    def declines(case: Case, answer: dict[str, Any]) -> Any:
        raise Unsupported("nothing")

    assert smoke(subject(declines)).exit_code == 2


def test_a_slow_subject_is_not_asked_on_and_on() -> None:
    found = smoke(subject(lambda case, answer: answer), seconds=0)
    assert {step.told for step in found.steps} == {"not asked: time is up"}


def test_a_student_is_tried_on_its_own_nets() -> None:
    student = adapt(coursework.lists)
    found = smoke(wrap(student, "lists"))
    assert (found.exit_code, found.reading, found.next) == (0, student.told, "oracle check lists")
    assert [s.what for s in found.steps[:2]] == ["one layer", "two layers"]


def test_the_command() -> None:
    run = CliRunner().invoke(main, ["smoke", "python:tests/coursework.py:lists", "--as", "mlp"])
    assert run.exit_code == 0, run.output
    assert run.output.startswith("read as: weights (in, out)")
    assert run.output.endswith("wired right; next: oracle check python:tests/coursework.py:lists --as mlp\n")
    refused = CliRunner().invoke(main, ["smoke", "python:tests/coursework.py:sigmoid", "--as", "mlp"])
    assert refused.exit_code == 2


def test_lines_keep_what_is_to_be_pasted_whole() -> None:
    lines = list(smoke_lines(smoke(subject(inner))))
    assert " " * 9 + 'backprop.returns = {"parameters"}' in lines
