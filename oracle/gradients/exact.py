"""What torch's own functions are where torch deviates from them: a second opinion, before `mine` is called wrong.

`like` may call a function of torch that is itself not what its name says: softplus is a line from 20 on, the tails of
gelu are 0. Who wrote the true one is not wrong.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from oracle.composites import FUNCTIONS, Call


def _softplus(x: torch.Tensor, beta: float = 1.0, threshold: float = 20.0) -> torch.Tensor:
    """ln(1 + e^(βx)) / β, on both sides of the threshold."""
    z = beta * x
    return (z.clamp(min=0) + torch.log1p(torch.exp(-z.abs()))) / beta if threshold >= 20 else _own(x, beta, threshold)


_own = torch.nn.functional.softplus


def _of(op: str) -> Call:
    def call(x: torch.Tensor, *args: Any, **kwargs: Any) -> Any:
        return FUNCTIONS[op]({"approximate": kwargs["approximate"]} if "approximate" in kwargs else {}, True)(x)

    return call


FORMS: Mapping[str, Call] = {
    "softplus": _softplus,
    **{name: _of(op) for name, op in {"gelu": "GELU", "silu": "SiLU", "mish": "Mish", "hardsigmoid": "Hardsigmoid",
                                      "sigmoid": "Sigmoid", "tanh": "Tanh"}.items()},
}  # fmt: skip
"""By the name of the function: the exact form."""


class Exact(TorchFunctionMode):
    """Calls the exact forms in place of torch's functions; `met` are those that were called."""

    def __init__(self) -> None:
        super().__init__()
        self.met: set[str] = set()

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """One call of torch."""
        name = getattr(func, "__name__", "")
        if name in FORMS and not kwargs.get("out") if kwargs else name in FORMS:
            self.met.add(name)
            return FORMS[name](*args, **(kwargs or {}))
        return func(*args, **(kwargs or {}))
