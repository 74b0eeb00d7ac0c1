"""Functions of tensors and their derivatives, as autograd has them."""

from collections.abc import Callable

import torch

from oracle.lesson.meaning.values import Tensor

ELEMENTWISE: dict[str, Callable[[Tensor], Tensor]] = {
    "log": torch.log, "ln": torch.log, "exp": torch.exp, "tanh": torch.tanh, "sinh": torch.sinh, "cosh": torch.cosh,
    "sigmoid": torch.sigmoid, "relu": torch.relu, "ReLU": torch.relu, "sin": torch.sin, "cos": torch.cos,
    "sqrt": torch.sqrt, "sech": lambda x: 1 / torch.cosh(x), "sign": torch.sign, "sgn": torch.sign,
}  # fmt: skip
ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "sigmoid": torch.sigmoid, "tanh": torch.tanh, "softplus": torch.nn.functional.softplus,
}  # fmt: skip
NAMED = {*ELEMENTWISE, "softmax"}


MANY = 4
"""So many entries are differentiated together."""


def anything(name: str, args: list[Tensor]) -> Tensor:
    """A function of which nothing is said, l(o, y): smooth, of all entries, for one name always the same."""
    out = torch.zeros((), dtype=torch.float64)
    for k, arg in enumerate(args, sum(map(ord, name)) % 5):
        entries = arg.reshape(-1)
        weights = torch.linspace(0.4 + 0.2 * k, 1.3, len(entries), dtype=torch.float64)
        out = (
            out * (1 + 0.3 * (entries * weights).sum())
            + torch.tanh(entries * weights).sum()
            + (weights * entries**2).sum()
        )
    return out


def slope(f: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    """f′, entry by entry."""

    def prime(x: Tensor) -> Tensor:
        inner = x.detach().requires_grad_(True) if not x.requires_grad else x * 1
        made = f(inner).sum()
        out = torch.autograd.grad(made, inner, create_graph=True, allow_unused=True)[0] if made.requires_grad else None
        return torch.zeros_like(inner) if out is None else out

    return prime


def connected(of: Tensor, wrt: Tensor) -> bool:
    """Whether a tensor is made of another at all."""
    if not of.requires_grad:
        return False
    (found,) = torch.autograd.grad(of.sum(), wrt, retain_graph=True, allow_unused=True)
    return found is not None


def jacobian(of: Tensor, wrt: Tensor) -> Tensor:
    """∂of/∂wrt, of shape of.shape + wrt.shape; zeros where one does not depend on the other."""
    shape = (*of.shape, *wrt.shape)
    if not of.requires_grad or not of.numel():
        return torch.zeros(shape, dtype=torch.float64)
    entries = of.reshape(-1)
    if len(entries) < MANY:
        rows = [torch.autograd.grad(entry, wrt, retain_graph=True, allow_unused=True)[0] for entry in entries]
        found = [torch.zeros_like(wrt) if row is None else row for row in rows]
        return torch.stack(found).reshape(shape)
    every = torch.eye(len(entries), dtype=torch.float64)
    (row,) = torch.autograd.grad(entries, wrt, every, retain_graph=True, allow_unused=True, is_grads_batched=True)
    return torch.zeros(shape, dtype=torch.float64) if row is None else row.reshape(shape)
