"""Rounding noise that also reaches into torch's fused kernels: each is taken apart by torch's own decomposition."""

from typing import Any

import torch
from torch._decomp import decomposition_table

from oracle.composites import Call
from oracle.twin import Noise, _perturbed

aten = torch.ops.aten
Tensor = torch.Tensor


def _shifted(x: Tensor, dim: int) -> Tensor:
    """x − log Σ exp x: it loses what a shift by the largest entry would keep, and is what fused kernels do."""
    return x - torch.logsumexp(x, dim, keepdim=True)


PLAIN: dict[Any, Call] = {
    aten._softmax.default: lambda x, dim, half: _shifted(x, dim).exp(),
    aten._log_softmax.default: lambda x, dim, half: _shifted(x, dim),
}
"""Other forms that people write, for every other seed."""
KEPT = {"mul", "add", "sub", "div", "sum", "mm", "addmm", "bmm", "exp", "log", "neg", "copy", "clone", "full", "where"}
"""One rounding each: nothing to take apart."""


class Deep(Noise):
    """`Noise`, of every step inside a kernel."""


def _deep(self: Deep, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
    """Run one operator in small steps, each of them perturbed; as it is, where it has none."""
    apart = (PLAIN.get(func) if self.seed % 2 else None) or decomposition_table.get(func)
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
