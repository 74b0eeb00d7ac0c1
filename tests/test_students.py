"""Students' functions: read as they are meant, right ones not accused, wrong ones found and named."""

import inspect
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from oracle.check import check
from oracle.draws import Stream
from oracle.judge import judge
from oracle.spec import Case, Node, Unsupported
from oracle.students import adapt, spoken
from oracle.subjects import SubjectError, wrap
from tests import coursework as course

ROWS, COLUMNS, ALONE = "samples in rows", "samples in columns", "one sample at a time"
IN_OUT, OUT_IN = "weights (in, out)", "weights (out, in)"
EVERY = "the activation by name (sigmoid, tanh, relu)"
READ: dict[str, tuple[str, ...]] = {
    "lists": (IN_OUT, ROWS, f"{EVERY}, everywhere", "half squared error, summed"),
    "loss_first": (OUT_IN, ROWS, f"{EVERY}, none at the output", "squared error, mean over all entries"),
    "named_lists": (IN_OUT, "(1, out)", "relu in hidden layers and softmax at the output", "mean over the batch"),
    "interleaved": (IN_OUT, "[W1, b1, W2, b2, ...]", "tanh in hidden layers and no activation at the output"),
    "pairs": (IN_OUT, "a list of (W, b)", "sigmoid in hidden layers", "; squared error, summed"),
    "flat": (IN_OUT, "targets as classes", "cross-entropy of a softmax", "mean over the batch"),
    "three": (OUT_IN, ROWS, "relu in hidden layers", "half squared error, summed over the outputs, mean over the"),
    "with_functions": (IN_OUT, f"{EVERY}, everywhere"),
    "first_column": (OUT_IN, "the bias as the first column", "binary cross-entropy of sigmoids"),
    "no_bias": (IN_OUT, "no biases", "sigmoid everywhere", "half squared error, summed"),
    "one_sample": (OUT_IN, ALONE, "tanh everywhere"),
    "backward_propagation": (OUT_IN, COLUMNS, "tanh in hidden layers and sigmoid at the output", "answer['dW1']"),
    "L_model_backward": (OUT_IN, COLUMNS, "relu in hidden layers and sigmoid at the output"),
    "Network": (OUT_IN, ALONE, "sigmoid everywhere", "h1.weight is answer[1][0], h1.bias is answer[0][0]"),
    "Network.backprop": (OUT_IN, ALONE),
    "TwoLayerNet": (IN_OUT, ROWS, "targets as classes", "relu in hidden layers", "answer[1]['W1'] transposed"),
    "Stack": (IN_OUT, "(1, out)", "sigmoid everywhere", "net.layers[0].dW transposed"),
    "Classifier": (IN_OUT, f"{EVERY}, softmax at the output", "ε in a logarithm, and is not judged"),
    "Held": (IN_OUT, ROWS, "tanh in hidden layers and no activation at the output", "half squared error, summed"),
    "flat_rows": (IN_OUT, ROWS, "half squared error"),
    "scalars": (OUT_IN, ROWS, "tanh everywhere", "; squared error, summed"),
}
"""What must be said of each signature."""


def named(path: str, module: Any = course) -> Any:
    """What a dotted name stands for."""
    for part in path.split("."):
        module = getattr(module, part)
    return module


@pytest.mark.parametrize("name", READ)
def test_a_right_function_is_read_as_it_is_meant_and_not_accused(name: str) -> None:
    student = adapt(named(name))
    assert not [words for words in READ[name] if words not in student.told], student.told
    found = check(wrap(student, name), cases=12)
    assert found.tally["match"] == found.cases == 24, found.findings or found.notes
    assert found.remarks[0] == student.told


# ---------------------------------------------------------------------------------------------------- wrong ones


def outcome(student: Any) -> str:
    """Of one case of its own."""
    return judge(Stream(0, chain=student.chain)[1], wrap(student)).outcome


def mutant(old: str, new: str) -> ModuleType:
    """The course with one line changed."""
    source = inspect.getsource(course)
    assert source.count(old) >= 1, old
    module = ModuleType("mutant")
    sys.modules["mutant"] = module
    exec(compile(source.replace(old, new, 1), "mutant.py", "exec"), vars(module))
    return module


BUGS = {
    "lists hidden slope": ("lists", "        delta = (delta @ weights[k].T) * slope(acts[k])",
                           "        delta = (delta @ weights[k].T)", "A101", "backward"),
    "lists transposed": ("lists", "acts[k].T @ delta, delta.sum", "delta.T @ acts[k], delta.sum", "P103", ""),
    "lists decayed": ("lists", "acts[k].T @ delta, delta.sum", "acts[k].T @ delta + 0.01 * weights[k], delta.sum",
                      "W121", "partials"),
    "lists bias summed over all": ("lists", "delta.sum(axis=0)", "delta.sum()", "B106", ""),
    "course slope at z": ("backward_propagation", 'power(cache["A1"], 2)', 'power(cache["Z1"], 2)', "A103", "backward"),
    "course not summed": ("backward_propagation", "db1 = 1 / m * np.sum(dZ1, axis=1, keepdims=True)",
                          "db1 = 1 / m * dZ1", "P102", ""),
    "network hidden bias": ("Network", "            nabla_b[-k], nabla_w[-k] = delta",
                            "            _, nabla_w[-k] = delta", "B104", "partials"),
    "network changes itself": ("Network", "        return nabla_b, nabla_w",
                               "        self.weights[0] -= nabla_w[0]\n        return nabla_b, nabla_w", "P104", ""),
    "net sum for mean": ("TwoLayerNet", "        d /= n\n", "", "R103", "backward"),
}  # fmt: skip
"""name, the right line, the wrong one, the fault, and the part in which it is born."""


@pytest.mark.parametrize(("name", "old", "new", "code", "part"), BUGS.values(), ids=BUGS)
def test_one_wrong_line_is_read_right_found_and_named(name: str, old: str, new: str, code: str, part: str) -> None:
    found = check(wrap(adapt(named(name, mutant(old, new)))), cases=10)
    first = found.findings[0]
    assert found.exit_code == 1
    assert first.diagnosis is not None
    assert first.diagnosis.code == code
    assert not part or (first.born is not None and first.born.part == part)


def test_a_forgotten_keepdims_is_an_error_of_the_subject() -> None:
    module = mutant("np.sum(dZ1, axis=1, keepdims=True)", "np.sum(dZ1, axis=1)")
    found = check(wrap(adapt(module.backward_propagation)), cases=5)
    assert "answer['db1'] has shape" in found.findings[0].verdict.reason


def test_a_loss_says_what_its_gradients_should_be() -> None:
    halved = mutant("delta, dW, db = 2 * (acts[-1] - y) / y.size", "delta, dW, db = (acts[-1] - y) / y.size")
    student = adapt(halved.loss_first)
    assert "squared error, mean over all entries" in student.told
    assert outcome(student) == "mismatch"


# ------------------------------------------------------------------------------------------------------- refusals


def turned(weights: Any, biases: Any, x: Any, y: Any) -> Any:
    """Every gradient is minus the right one."""
    dW, db = course.lists(weights, biases, x, y, "tanh")
    return [-g for g in dW], [-g for g in db]


def test_what_no_meaning_explains_is_not_accused_until_it_is_said() -> None:
    with pytest.raises(SubjectError, match=r"every gradient is -1 times the right one. Say what it should compute"):
        adapt(turned)
    said = {"activation": "tanh", "output": "tanh", "loss": "half_squared", "reduction": "sum"}
    assert outcome(adapt(turned, **said)) == "mismatch"


def odd(p: Any, q: Any, r: Any, s: Any) -> Any:
    """Parameters whose names say nothing."""
    return course.lists(p, q, r, s, "tanh")


def nothing(weights: Any, biases: Any, x: Any, y: Any) -> None:
    """No answer."""


def square(weights: Any, biases: Any, x: Any, y: Any) -> Any:
    """Only for layers of one size."""
    dW, db = course.lists(weights, biases, x, y, "tanh")
    return [w @ g for w, g in zip(weights, dW, strict=True)], db


@pytest.mark.parametrize(("call", "said", "words"), [
    (odd, {}, "its parameter 'q' is not understood; say what its parameters are, in their order"),
    (nothing, {}, "an answer without gradients of the weights: it has arrays of the shapes nothing"),
    (square, {}, r"ValueError: matmul.*test_students.py, line \d+, in"),
    (course.sigmoid, {}, "none is called like weights"),
    (course.lists, {"activation": "sin"}, "activation is 'sin', but should be one of sigmoid, tanh"),
    (course.lists, {"acitvation": "tanh"}, "'acitvation' is nothing that can be said; there are activation"),
    (course.lists, {"sizes": "a-b"}, "sizes are 'a-b', but should be like 784-30-10"),
])  # fmt: skip
def test_refusals_say_what_was_tried(call: Any, said: dict[str, str], words: str) -> None:
    with pytest.raises(SubjectError, match=words):
        adapt(call, **said)


def test_what_is_said() -> None:
    assert "tanh everywhere" in adapt(odd, args="weights+biases+x+y").told
    assert spoken("mlp") == ("mlp", {})
    assert spoken("mlp:activation=tanh, loss=squared") == ("mlp", {"activation": "tanh", "loss": "squared"})
    with pytest.raises(SubjectError, match="'tanh' should be KEY=VALUE, like activation=tanh"):
        spoken("mlp:tanh")
    with pytest.raises(SubjectError, match="--as cnn: the only kind is mlp"):
        adapt(course.lists, "cnn")
    assert adapt(course.lists, sizes="3-2-2").chain.sizes == (3, 2, 2)


def test_a_student_declines_what_it_cannot_run() -> None:
    student = adapt(course.flat)
    linear = Node("h1", "Linear", ("x",), {"in_features": 2, "out_features": 2})
    x, weight = np.ones((1, 2)), {"h1.weight": np.ones((2, 2)), "h1.bias": np.ones(2)}
    for nodes in ((linear, Node("l", "MSELoss", ("h1", "t"))), (linear, Node("l", "CrossEntropyLoss", ("h1", "t")))):
        with pytest.raises(Unsupported):
            student(Case(nodes=nodes, inputs={"x": x, "t": x}, parameters=weight))


def test_neither_torch_nor_the_generator_of_hypothesis_is_needed() -> None:
    import subprocess

    code = "import sys; from oracle.students import adapt; from tests.coursework import lists; adapt(lists); "
    code += "print(sorted({'torch', 'hypothesis', 'flint'} & set(sys.modules)))"
    root = Path(__file__).parents[1]
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root)
    assert run.stdout.strip() == "[]"
