"""Other frameworks as subjects: `oracle check jax`. Each is an optional extra, imported only when it is asked for."""

from importlib.util import find_spec

NAMES = {
    "jax": "python:oracle.frameworks.jax:backprop",
    "autograd": "python:oracle.frameworks.hips:backprop",
    "mygrad": "python:oracle.frameworks.mygrad:backprop",
    "tinygrad": "python:oracle.frameworks.tinygrad:backprop",
}
"""A short name of each, which is also that of its package and of its extra, and the subject it stands for."""


def missing(name: str) -> str:
    """A sentence, if the framework is not installed; else an empty string. Nothing is imported to find out."""
    return "" if find_spec(name) else f'{name} is not installed; pip install "backprop-oracle[{name}]"'
