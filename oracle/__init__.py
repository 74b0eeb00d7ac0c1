"""The oracle: judges any implementation of backpropagation, gradient for gradient, against torch.autograd.

The data that a subject needs is here, imported on first use, so that `import oracle` costs nothing:

    from oracle import Case, Unsupported        what a subject is given, and how it declines
    from oracle.judge import judge              one case, one subject: a verdict
    from oracle.check import check              many cases: a report
    from oracle.strategies import cases         hypothesis strategies
    from oracle import check_gradients, Input   one function, in place of torch.autograd.gradcheck
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from oracle.gradients import Input, check_gradients
    from oracle.spec import Answer, Case, CaseError, Node, Spec, Unsupported, UpdateAnswer, UpdateCase

__all__ = [
    "Answer",
    "Case",
    "CaseError",
    "Input",
    "Node",
    "Spec",
    "Unsupported",
    "UpdateAnswer",
    "UpdateCase",
    "check_gradients",
]
_ELSEWHERE = {"Input": "oracle.gradients", "check_gradients": "oracle.gradients"}


def __getattr__(name: str) -> Any:
    if name == "strategies":
        return import_module("oracle.strategies")
    if name in __all__:
        return getattr(import_module(_ELSEWHERE.get(name, "oracle.spec")), name)
    raise AttributeError(f"module 'oracle' has no attribute {name!r}")
