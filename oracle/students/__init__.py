"""A student's backpropagation, judged as it is: `oracle check python:homework.py:backprop --as mlp`.

The usual signatures of course homework are read: lists of weights and biases, dictionaries, pairs, W1, b1, W2, b2,
or an object that holds them; samples in rows or columns, or one at a time; (in, out) or (out, in). How a function
is called is told from the names of its parameters, and tried on small nets whose sizes are all different; what it
computes (activation, loss, reduction) is the usual meaning under which the most gradients are right. The reading is
said in a sentence; whatever is read wrong can be said: `--as mlp:activation=tanh,loss=half_squared,reduction=sum`.
"""

from collections.abc import Callable
from typing import Any

from oracle.spec import Case
from oracle.students.detect import SAID, detect
from oracle.subjects import SubjectError

__all__ = ["adapt", "spoken"]


def adapt(call: Any, kind: str = "mlp", **said: str) -> Callable[[Case], Any]:
    """A subject of a student's function, method or class. Raises `SubjectError` where it cannot be read."""
    if kind != "mlp":
        raise SubjectError(f"--as {kind}: the only kind is mlp")
    for key, value in said.items():
        if key not in SAID:
            raise SubjectError(f"--as mlp: {key!r} is nothing that can be said; there are {', '.join(SAID)}")
        if (known := SAID[key]) and value not in known:
            raise SubjectError(f"--as mlp: {key} is {value!r}, but should be one of {', '.join(known)}")
    return detect(call, said)


def spoken(text: str) -> tuple[str, dict[str, str]]:
    """What follows `--as`: "mlp", or "mlp:KEY=VALUE,KEY=VALUE". Raises `SubjectError`."""
    kind, _, rest = text.partition(":")
    said = {}
    for part in filter(None, rest.split(",")):
        key, equals, value = part.partition("=")
        if key.strip() in said:
            raise SubjectError(f"--as {text}: {key.strip()} is said twice")
        if not equals:
            raise SubjectError(f"--as {text}: {part!r} should be KEY=VALUE, like activation=tanh")
        said[key.strip()] = value.strip()
    return kind, said
