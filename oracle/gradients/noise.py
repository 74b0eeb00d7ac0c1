"""Rounding noise that also reaches into torch's fused kernels: each is taken apart by torch's own decomposition."""

from typing import Any

import torch
from torch._decomp import decomposition_table

from oracle.twin import Noise, _perturbed

KEPT = {"mul", "add", "sub", "div", "sum", "mm", "addmm", "bmm", "exp", "log", "neg", "copy", "clone", "full", "zeros_like"}
"""One rounding each: nothing to take apart."""


class Deep(Noise):
    """`Noise`, of every step inside a kernel."""


def _deep(self: Deep, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
    """Run one operator in small steps, each of them perturbed; as it is, where it has none."""
    apart = decomposition_table.get(func)
    if apart is not None and not self.resting and func._schema.name.partition("::")[2] not in KEPT:
        try:
            with self:
                out = apart(*args, **(kwargs or {}))
        except Exception:  # decompositions are written for compilers, and some refuse what the kernel takes
            out = NotImplemented
        if out is not NotImplemented:
            return out
    return _perturbed(self, func, types, args, kwargs)


Deep.__torch_dispatch__ = _deep  # type: ignore[method-assign, assignment]
