"""The forms in which people write a backward pass, each asked the same three questions.

torch    a callable, an autograd.Function or a Module: autograd runs its backward
numpy    (forward, backward), or a callable that returns (out, vjp) or (loss, gradient)
jax      a callable: jax.vjp and jax.jvp
"""

import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch

from oracle.gradients.functions import Function
from oracle.spec import Array

FRAMEWORKS = ("torch", "numpy", "jax")
Found = tuple[dict[int, Any], dict[str, Any]]
"""Outputs by number, and gradients by input; what is missing is None."""


class Form(Protocol):
    """How to ask an implementation."""

    @property
    def function(self) -> Function:
        """What it should compute."""

    def first(self, x: dict[str, Array], needs: Sequence[str], c: dict[int, Array]) -> Found:
        """Its outputs, and the gradients of Σ c·y."""

    def second(self, x: dict[str, Array], c: dict[int, Array], e: Sequence[Array]) -> dict[int | str, Any]:
        """The gradients of Σ e · ∂(c·f)/∂x for every input wanted, and for every c by its number."""

    def forward(self, x: dict[str, Array], v: dict[str, Array]) -> dict[int, Any]:
        """J v, by the number of the output."""


def _picked(found: Any, function: Function) -> dict[int, Any]:
    """The outputs that have a gradient, by number. Raises `TypeError` where there are too few or too many."""
    many = tuple(found) if isinstance(found, tuple | list) else (found,)
    if len(many) == function.count:
        return {k: many[k] for k in function.picks}
    if len(many) == len(function.picks):
        return dict(zip(function.picks, many, strict=True))
    raise TypeError(f"mine returned {_outputs(len(many))}, but like returns {function.count}")


def _outputs(n: int) -> str:
    return f"{n} output{'' if n == 1 else 's'}"


def _named(found: Any, function: Function, names: Sequence[str]) -> dict[str, Any]:
    """Gradients by input: from a mapping, one for each input, or one for each that has a gradient."""
    if isinstance(found, Mapping):
        return {name: found.get(name) for name in names}
    many = tuple(found) if isinstance(found, tuple | list) else (found,)
    for of in (function.names, function.wanted):
        if len(many) == len(of):
            given = dict(zip(of, many, strict=True))
            return {name: given[name] for name in names}
    each = " or ".join(dict.fromkeys(f"for each of {', '.join(of)}" for of in (function.wanted, function.names)))
    raise TypeError(f"the backward returned {len(many)} gradient{'' if len(many) == 1 else 's'}, but should one {each}")


# ------------------------------------------------------------------------------------------------------------ torch


@dataclass(frozen=True)
class Torch:
    """A callable of torch tensors, whose backward autograd runs."""

    function: Function
    call: Callable[..., Any]
    device: str = "cpu"

    def _given(self, x: Mapping[str, Array], needs: Sequence[str]) -> dict[str, torch.Tensor]:
        """Tensors that share the arrays' memory, strides and all."""
        given = {name: torch.from_numpy(a).to(self.device) for name, a in x.items()}
        return {name: t.requires_grad_() if name in needs else t for name, t in given.items()}

    def _back(self, x: Mapping[str, Array], given: Mapping[str, torch.Tensor]) -> None:
        """Where they do not share it, what the callable did to them."""
        for name, t in given.items() if self.device != "cpu" else ():
            x[name][...] = array(t)

    def _grown(self, found: dict[int, Any]) -> dict[int, torch.Tensor]:
        """The outputs that autograd can go back from. Raises `TypeError` where there are none."""
        for k, y in found.items():
            if not isinstance(y, torch.Tensor):
                raise TypeError(f"mine returned {type(y).__name__} as output {k}, but should return a tensor")
        grown = {k: y for k, y in found.items() if y.requires_grad}
        if not grown and found:
            raise TypeError("mine's output does not require grad, though its input does: autograd has no backward")
        return grown

    def first(self, x: dict[str, Array], needs: Sequence[str], c: dict[int, Array]) -> Found:
        """By torch.autograd.grad."""
        torch.set_grad_enabled(True)
        given = self._given(x, needs)
        found = _picked(self.call(*given.values()), self.function)
        outs = {k: array(y) for k, y in found.items()}
        grown = self._grown(found) if needs else {}
        if not grown or any(outs[k].shape != c[k].shape for k in grown):
            return outs, {}
        told = [self._cotangent(c[k]).to(y.dtype) for k, y in grown.items()]
        wanted = [given[name] for name in needs]
        grads = torch.autograd.grad(list(grown.values()), wanted, told, allow_unused=True)
        self._back(x, given)
        return outs, {name: None if g is None else array(g) for name, g in zip(needs, grads, strict=True)}

    def _cotangent(self, c: Array) -> torch.Tensor:
        """Where all its entries are equal, expanded from one, as the backward of a sum hands it over."""
        given = torch.from_numpy(c)
        if c.size > 1 and (c == c.flat[0]).all():
            given = given.flatten()[:1].reshape([1] * c.ndim).expand(c.shape)
        return given.to(self.device)

    def second(self, x: dict[str, Array], c: dict[int, Array], e: Sequence[Array]) -> dict[int | str, Any]:
        """By differentiating what a backward pass with create_graph=True returns."""
        torch.set_grad_enabled(True)
        wanted = self.function.wanted
        given = self._given(x, wanted)
        upstream = {k: torch.from_numpy(d).to(self.device).requires_grad_() for k, d in c.items()}
        grown = self._grown(_picked(self.call(*given.values()), self.function))
        leaves = [given[name] for name in wanted]
        first = torch.autograd.grad(
            list(grown.values()), leaves, [upstream[k] for k in grown], create_graph=True, allow_unused=True
        )
        pairs = [(g, torch.from_numpy(d).to(self.device)) for g, d in zip(first, e, strict=True) if g is not None]
        if stuck := [name for name, g in zip(wanted, first, strict=True) if g is not None and not g.requires_grad]:
            raise TypeError(
                f"the gradient of {stuck[0]} that mine's backward returns is cut off from its inputs: "
                "it cannot be differentiated again, as order=2 asks"
            )
        keys: list[int | str] = [*wanted, *upstream]
        found = torch.autograd.grad(
            [g for g, _ in pairs], [*leaves, *upstream.values()], [d for _, d in pairs], allow_unused=True
        )
        if all(g is None for g in found[len(leaves) :]):
            raise TypeError(
                "the gradient that mine's backward returns does not depend on the upstream gradient by autograd: "
                "it cannot be differentiated again, as order=2 asks (is it marked once_differentiable?)"
            )
        return {key: None if g is None else array(g) for key, g in zip(keys, found, strict=True)}

    def forward(self, x: dict[str, Array], v: dict[str, Array]) -> dict[int, Any]:
        """By dual numbers: the `jvp` of an autograd.Function, and torch's own rules."""
        import torch.autograd.forward_ad as fwd

        given = self._given(x, ())
        with fwd.dual_level():
            dual = [
                fwd.make_dual(t, torch.from_numpy(v[name]).to(self.device)) if name in v else t
                for name, t in given.items()
            ]
            found = _picked(self.call(*dual), self.function)
            tangents = {k: fwd.unpack_dual(y).tangent for k, y in found.items()}
            return {k: None if t is None else array(t) for k, t in tangents.items()}


def array(t: Any) -> Array:
    """A tensor of any framework as an array of its own."""
    if isinstance(t, torch.Tensor):
        t = t.detach().cpu()
        t = t.float() if t.dtype in (torch.bfloat16, torch.float16) else t
        return t.resolve_conj().resolve_neg().numpy().copy()
    return np.array(t)


# ------------------------------------------------------------------------------------------------------------ pairs


@dataclass(frozen=True)
class Pair:
    """(forward, backward), and J v if there is a third: of arrays, or of torch tensors."""

    function: Function
    ahead: Callable[..., Any]
    back: Callable[..., Any] | None = None
    tangent: Callable[..., Any] | None = None
    of_torch: bool = False
    device: str = "cpu"

    def _given(self, arrays: Sequence[Array]) -> list[Any]:
        return [torch.from_numpy(a).to(self.device) for a in arrays] if self.of_torch else list(arrays)

    def first(self, x: dict[str, Array], needs: Sequence[str], c: dict[int, Array]) -> Found:
        """By calling backward(dout, cache); without a cache, backward(dout, *inputs); else what forward returned."""
        given = self._given(list(x.values()))
        out, rest, has = self._split(self.ahead(*given))
        found = _picked(out, self.function)
        outs = {k: _shown(y) for k, y in found.items()}
        if any(np.shape(outs[k]) != c[k].shape for k in outs):
            return outs, {}
        told = self._given(list(c.values()))
        dout = told[0] if len(told) == 1 else tuple(told)
        if self.back is None:
            grads = rest(dout) if callable(rest) else _times(rest, dout)
        else:
            grads = self.back(dout, rest) if has else self.back(dout, *given)
        return outs, {name: _shown(g) for name, g in _named(grads, self.function, needs).items()}

    def _split(self, found: Any) -> tuple[Any, Any, bool]:
        """(outputs, cache, whether there is one)."""
        many = found if isinstance(found, tuple) else (found,)
        counts = {self.function.count, len(self.function.picks)}
        if self.back is None and len(many) != 2:
            raise TypeError(
                "mine should return (out, vjp): the output, and a function from its gradient to the inputs'"
            )
        if len(many) == 2 and (1 in counts or isinstance(many[0], tuple | list)):
            return many[0], many[1], True
        if len(many) - 1 in counts and len(many) not in counts:
            return many[:-1], many[-1], True
        return found, None, False

    def second(self, x: dict[str, Array], c: dict[int, Array], e: Sequence[Array]) -> dict[int | str, Any]:
        """Not to be had: see `refusal`."""
        raise TypeError("a backward of arrays cannot be differentiated again")

    def forward(self, x: dict[str, Array], v: dict[str, Array]) -> dict[int, Any]:
        """By calling jvp(inputs, tangents), both tuples; integers and booleans have the tangent None."""
        assert self.tangent is not None
        given = tuple(self._given(list(x.values())))
        tangents = tuple(self._given([v[name]])[0] if name in v else None for name in x)
        return {k: _shown(t) for k, t in _picked(self.tangent(given, tangents), self.function).items()}


def _times(gradients: Any, dout: Any) -> Any:
    """(loss, gradient), as courses have it: the gradient of a scalar, times its cotangent."""
    if isinstance(gradients, Mapping):
        return {name: g * dout for name, g in gradients.items()}
    if isinstance(gradients, tuple | list):
        return tuple(None if g is None else g * dout for g in gradients)
    return gradients * dout


def _shown(value: Any) -> Any:
    """An array; what is none is left for the contract to name."""
    if isinstance(value, torch.Tensor):
        return array(value)
    return np.array(value) if isinstance(value, np.ndarray | np.generic | float) else value


# -------------------------------------------------------------------------------------------------------------- jax


@dataclass(frozen=True)
class Jax:
    """A callable of JAX arrays."""

    function: Function
    call: Callable[..., Any]

    def _wide(self, x: Mapping[str, Array]) -> AbstractContextManager[Any]:
        """float64 where the case is."""
        import jax

        double = any(a.dtype == np.float64 for a in x.values())
        return jax.enable_x64(True) if double else nullcontext()

    def _of(self, x: Mapping[str, Array], names: Sequence[str]) -> tuple[Callable[..., Any], list[Any]]:
        """The function of these inputs alone: a list of its real outputs."""
        import jax.numpy as jnp

        given = {name: jnp.asarray(np.ascontiguousarray(a).reshape(a.shape)) for name, a in x.items()}

        def call(*some: Any) -> list[Any]:
            return list(
                _picked(self.call(*(given | dict(zip(names, some, strict=True))).values()), self.function).values()
            )

        return call, [given[name] for name in names]

    def first(self, x: dict[str, Array], needs: Sequence[str], c: dict[int, Array]) -> Found:
        """By jax.vjp."""
        import jax

        with self._wide(x):
            call, given = self._of(x, needs)
            found, vjp = jax.vjp(call, *given)
            outs = dict(zip(self.function.picks, map(array, found), strict=True))
            if any(outs[k].shape != c[k].shape for k in outs):
                return outs, {}
            grads = vjp([jax.numpy.asarray(c[k], y.dtype) for k, y in zip(outs, found, strict=True)])
            return outs, dict(zip(needs, map(array, grads), strict=True))

    def second(self, x: dict[str, Array], c: dict[int, Array], e: Sequence[Array]) -> dict[int | str, Any]:
        """By jax.vjp of jax.vjp."""
        import jax

        wanted = self.function.wanted
        with self._wide(x):
            call, given = self._of(x, wanted)

            def gradient(some: Any, upstream: Any) -> Any:
                return jax.vjp(call, *some)[1](upstream)

            _, vjp = jax.vjp(gradient, given, [jax.numpy.asarray(d) for d in c.values()])
            of_x, of_c = vjp(tuple(jax.numpy.asarray(d) for d in e))
            return dict(zip([*wanted, *c], map(array, (*of_x, *of_c)), strict=True))

    def forward(self, x: dict[str, Array], v: dict[str, Array]) -> dict[int, Any]:
        """By jax.jvp."""
        import jax

        with self._wide(x):
            call, given = self._of(x, tuple(v))
            _, found = jax.jvp(call, tuple(given), tuple(jax.numpy.asarray(t) for t in v.values()))
            return dict(zip(self.function.picks, map(array, found), strict=True))


# -------------------------------------------------------------------------------------------------------- detecting


def form(mine: Any, framework: str | None, function: Function, example: Sequence[Array], device: str) -> Form:
    """How to ask `mine`. Raises `ValueError` with what cannot be asked, and what to give instead."""
    if framework is not None and framework not in FRAMEWORKS:
        raise ValueError(f"framework is {framework!r}, but should be one of {', '.join(FRAMEWORKS)}")
    if isinstance(mine, tuple | list):
        if not 2 <= len(mine) <= 3 or not all(map(callable, mine)):
            raise ValueError(
                "mine is a tuple, but should be (forward, backward) or (forward, backward, jvp), callables"
            )
        ahead, back, *tangent = mine
        return Pair(function, ahead, back, tangent[0] if tangent else None, framework == "torch", device)
    if not callable(mine):
        raise ValueError(f"mine is {type(mine).__name__}, but should be a callable or (forward, backward)")
    if inspect.isclass(mine) and issubclass(mine, torch.autograd.Function):
        return Torch(function, mine.apply, device)
    if isinstance(mine, torch.nn.Module) and list(mine.parameters()):
        raise ValueError("mine is a Module with parameters; make them inputs, through torch.func.functional_call")
    framework = framework or _framework(mine, example)
    if framework == "jax":
        return Jax(function, mine)
    return Pair(function, mine) if framework == "numpy" else Torch(function, mine, device)


def _framework(mine: Any, example: Sequence[Array]) -> str:
    """What a callable is made for, by its type, or else by what it returns."""
    if isinstance(mine, torch.nn.Module):
        return "torch"
    if type(mine).__module__.split(".")[0] in ("jax", "jaxlib"):
        return "jax"
    for framework in ("torch", "numpy"):
        try:
            found = mine(*(_leaf(x) if framework == "torch" else np.array(x) for x in example))
        except Exception:  # what it cannot take, it was not made for
            continue
        if isinstance(found, tuple) and len(found) == 2 and callable(found[1]):
            return "numpy"
        first = found[0] if isinstance(found, tuple | list) and found else found
        if isinstance(first, torch.Tensor):
            return "torch"
        if "jax" in sys.modules and isinstance(first, sys.modules["jax"].Array):
            return "jax"
        if isinstance(found, tuple) and len(found) == 2 and np.ndim(first) == 0:
            return "numpy"
    return "torch"


def _leaf(x: Array) -> torch.Tensor:
    """A tensor that requires grad, which a function of NumPy refuses."""
    t = torch.from_numpy(np.array(x))
    return t.requires_grad_() if t.is_floating_point() else t


def refusal(asked: Form, order: int, forward: bool) -> str:
    """Why this form cannot be asked that, and what to give instead; or an empty string."""
    if order == 2 and isinstance(asked, Pair):
        return (
            "order=2 needs a backward that can itself be differentiated, and that of (forward, backward) is a function "
            "of arrays; check it as a function of its own: like=a torch function that returns the gradient"
        )
    if forward and isinstance(asked, Pair) and asked.tangent is None:
        return "forward=True needs a third callable: (forward, backward, jvp), with jvp(inputs, tangents)"
    return ""
