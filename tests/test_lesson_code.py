"""Code blocks of a lesson: backward passes are found, run in a process of their own, and judged."""

import time
from pathlib import Path

import pytest

import reference
from oracle.lesson.code import judged_code
from oracle.lesson.code.source import candidates, clean, looks_backward
from oracle.lesson.reading import read
from oracle.lesson.records import Code

HELPERS = """
import numpy as np
import matplotlib.pyplot as plt

def sigmoid(z):
    return 1 / (1 + np.exp(-z))

data = np.load("nowhere.npz")
plt.plot(data["x"])
"""
RIGHT = """
def backprop(W1, b1, W2, b2, X, T):
    A = sigmoid(X @ W1.T + b1)
    Y = sigmoid(A @ W2.T + b2)
    D2 = (Y - T) * Y * (1 - Y)
    D1 = (D2 @ W2) * A * (1 - A)
    return D1.T @ X, D1.sum(0), D2.T @ A, D2.sum(0)
"""
WRONG = RIGHT.replace("A * (1 - A)", "A").replace("def backprop", "def compute_gradients")


def lesson(*blocks: str, language: str = "python") -> str:
    return "# A lesson\n" + "".join(f"\nWords.\n\n```{language}\n{block.strip()}\n```\n" for block in blocks)


def judged(text: str, **options: float) -> list[Code]:
    return list(judged_code(read(Path("lesson.md"), text), **options))  # type: ignore[arg-type]


def test_right_and_wrong_functions_with_helpers_from_earlier_blocks() -> None:
    text = lesson(HELPERS, RIGHT, WRONG, "def backward():\n    pass")
    right, wrong, empty = judged(text)
    assert (right.verdict, right.function, right.language) == ("match", "backprop", "python")
    assert "sigmoid everywhere; half squared error" in right.words
    assert wrong.verdict == "mismatch"
    assert "random nets" in wrong.words
    assert empty.verdict == "not judged"
    lines = text.split("\n")
    assert [lines[one.line - 1].split("(")[0] for one in (right, wrong, empty)] == [
        "def backprop",
        "def compute_gradients",
        "def backward",
    ]


def test_what_hangs_or_dies_or_reaches_out_is_not_judged_and_the_rest_is() -> None:
    hangs = "def grads(W1, b1, W2, b2, X, T):\n    while True:\n        pass"
    dies = "def gradient(W1, b1, W2, b2, X, T):\n    import ctypes\n    return X"
    opens = "def backward(W1, b1, W2, b2, X, T):\n    return open('/etc/hostname').read()"
    sneaks = "def gradients(W1, b1, W2, b2, X, T):\n    f = getattr(np, 'sa' + 've')\n    f('x.npy', X)\n    return X"
    start = time.monotonic()
    found = judged(lesson(HELPERS, hangs, dies, opens, sneaks, RIGHT), seconds=4.0)
    assert [one.verdict for one in found] == ["not judged"] * 4 + ["match"]
    assert "within 4 seconds" in found[0].words
    assert "imports ctypes" in found[1].words
    assert "calls open" in found[2].words
    assert not Path("x.npy").exists()
    assert time.monotonic() - start < 40


def test_a_block_that_is_no_python_is_told() -> None:
    (found,) = judged(lesson("def backprop(W1, x:\n    return"))
    assert found.verdict == "not judged"
    assert "no Python" in found.words


def test_methods_outside_of_their_class_go_into_it() -> None:
    net = "class Net:\n    def __init__(self, sizes):\n        self.sizes = sizes"
    found = candidates(read(Path("lesson.md"), lesson(net, "def backprop(self, x, y):\n    return x")))
    assert [one.name for one in found] == ["Net.backprop"]


def test_our_own_lesson_matches() -> None:
    path = Path(reference.__file__).parent / "lesson" / "backpropagation.md"
    (found,) = judged_code(read(path))
    assert (found.function, found.verdict) == ("my_backprop", "match")


@pytest.mark.parametrize("name", ["backprop", "back_propagation", "backward", "compute_gradients", "costFunctionPrime"])
def test_names_of_backward_passes(name: str) -> None:
    assert looks_backward(name)


@pytest.mark.parametrize("name", ["forward", "numerical_gradient", "gradient_check", "train", "gradient_descent"])
def test_names_of_others(name: str) -> None:
    assert not looks_backward(name)


def test_prompts_magics_and_old_prints_are_left_out() -> None:
    assert clean("%matplotlib inline\n!ls\nprint 'x'\nx = 1") == "pass\npass\npass\nx = 1"
    assert clean(">>> x = 1\n... y = 2\n1") == "x = 1\ny = 2\n"


def test_no_code_costs_no_process() -> None:
    start = time.monotonic()
    assert judged("# A lesson\n\n```python\nx = 1\n```\n") == []
    assert time.monotonic() - start < 0.5
