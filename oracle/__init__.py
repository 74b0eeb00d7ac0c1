"""The oracle: judges any implementation of backpropagation, gradient for gradient, against torch.autograd.

The data that a subject needs is here, imported on first use, so that `import oracle` costs nothing:

    from oracle import Case, Unsupported        what a subject is given, and how it declines
    from oracle.judge import judge              one case, one subject: a verdict
    from oracle.check import check              many cases: a report
    from oracle.strategies import cases         hypothesis strategies
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from oracle.spec import Answer, Case, CaseError, Node, Spec, Unsupported, UpdateAnswer, UpdateCase

__all__ = ["Answer", "Case", "CaseError", "Node", "Spec", "Unsupported", "UpdateAnswer", "UpdateCase"]


def __getattr__(name: str) -> Any:
    if name == "strategies":
        return import_module("oracle.strategies")
    if name in __all__:
        return getattr(import_module("oracle.spec"), name)
    raise AttributeError(f"module 'oracle' has no attribute {name!r}")
