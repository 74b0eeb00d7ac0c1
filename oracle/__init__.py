"""The oracle: judges any implementation of backpropagation, gradient for gradient, against torch.autograd.

The public names are imported on first use, so that `import oracle` costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from oracle.check import check, judge
    from oracle.spec import Answer, Case, CaseError, Node, Spec, Unsupported, UpdateAnswer, UpdateCase

_HOME = {
    "oracle.spec": ("Answer", "Case", "CaseError", "Node", "Spec", "Unsupported", "UpdateAnswer", "UpdateCase"),
    "oracle.check": ("check", "judge"),
}
__all__ = [
    "Answer",
    "Case",
    "CaseError",
    "Node",
    "Spec",
    "Unsupported",
    "UpdateAnswer",
    "UpdateCase",
    "check",
    "judge",
]


def __getattr__(name: str) -> Any:
    for module, names in _HOME.items():
        if name in names:
            return getattr(import_module(module), name)
    raise AttributeError(f"module 'oracle' has no attribute {name!r}")
