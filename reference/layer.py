"""What a layer is: a forward pass and, apart from each other, the two halves of its backward pass.

A layer has no hidden state. Its hyper-parameters are the fields of a frozen dataclass, named and defaulted as
the constructor arguments of the `torch.nn` module of the same name; its parameters `p` and the values `saved`
by the forward pass are arguments.

    forward(p, *x)             -> y, saved       y = f(x; p)
    backward(p, saved, delta)  -> (δx, ...)      δx = (∂y/∂x)ᵀ δy, one for each input; None where it is not real
    partials(p, saved, delta)  -> {role: ∂L/∂p}  ∂L/∂p = (∂y/∂p)ᵀ δy, one for each parameter

where δy = ∂L/∂y is the error signal at the layer's output. `backward` and `partials` are two methods because
a lesson has two formulas: a wrong partial never spoils an error signal.

To add an operator: write its class in the file of its family, decorated with `@layer`; give the oracle a
generator entry (`oracle/architectures.py`) and, for the proof, its forward formula (`oracle/arbiter.py`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar, TypeVar

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Params = Mapping[str, Array]
Saved = Any

LAYERS: dict[str, type["Layer"]] = {}
"""Every operator by its `torch.nn` name (and the few joins that `torch` has as functions)."""

L = TypeVar("L", bound="Layer")


def layer(cls: type[L]) -> type[L]:
    """Enter a layer in `LAYERS` under its class name."""
    cls = dataclass(frozen=True)(cls)
    LAYERS[cls.__name__] = cls
    return cls


class Layer:
    """One operator. Subclasses say what is special about them; the defaults here are a layer without parameters."""

    arity: ClassVar[tuple[int, int]] = (1, 1)
    """The least and the greatest number of inputs."""
    parameters: ClassVar[tuple[str, ...]] = ()
    """Roles of the parameters, as in the `state_dict` of the `torch.nn` module."""

    @property
    def outputs(self) -> int:
        """How many tensors the layer yields; with more than one, `forward` returns and `backward` takes a tuple."""
        return 1

    def shapes(self) -> dict[str, tuple[str, tuple[int, ...]]]:
        """The shape of each parameter and buffer: role -> ("(out_features, in_features)", (3, 4))."""
        return {}

    def forward(self, p: Params, *x: Array) -> tuple[Any, Saved]:
        """y = f(x; p), and whatever the backward pass wants to see again."""
        raise NotImplementedError(f"{type(self).__name__}.forward")

    def backward(self, p: Params, saved: Saved, delta: Any) -> tuple[Array | None, ...]:
        """The error signal at each input: (∂y/∂x)ᵀ δ."""
        raise NotImplementedError(f"{type(self).__name__}.backward")

    def partials(self, p: Params, saved: Saved, delta: Any) -> dict[str, Array]:
        """The partials of each parameter: (∂y/∂p)ᵀ δ."""
        return {}

    def buffers(self, p: Params, saved: Saved) -> dict[str, Array]:
        """The running statistics after this forward pass; not parameters, never differentiated."""
        return {}


class GraphError(ValueError):
    """Something handed to `reference` cannot be right; the sentence says what, where, and what to do."""


def build(op: str, attrs: Mapping[str, Any], training: bool, where: str) -> Layer:
    """The layer `op(**attrs)`; `training` goes to the layers that behave differently in evaluation."""
    if op not in LAYERS:
        raise GraphError(f"{where}: no operator is called {op!r}; there are {', '.join(sorted(LAYERS))}")
    cls = LAYERS[op]
    names = {f.name for f in fields(cls)}  # type: ignore[arg-type]
    if unknown := sorted(set(attrs) - names):
        raise GraphError(f"{where}: {op} has no argument {unknown[0]!r}; it takes {sorted(names - {'training'})}")
    mode = {"training": training} if "training" in names else {}
    try:
        return cls(**attrs, **mode)
    except TypeError as error:
        raise GraphError(f"{where}: {op}({dict(attrs)}): {error}") from error


def scalar(value: float, like: Array) -> Array:
    """A 0-d array of the dtype of `like`: float32 must stay float32."""
    return np.asarray(value, like.dtype)
