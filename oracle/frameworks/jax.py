"""JAX as a subject: `jax.nn` and `jax.numpy`, differentiated by `jax.value_and_grad`, one operator at a time."""

from types import SimpleNamespace
from typing import Any

import numpy as np

from oracle.frameworks import missing
from oracle.frameworks.composed import composed
from oracle.frameworks.graph import Layer, answer, forward, leaves
from oracle.spec import Case

try:
    import jax
    from jax import nn
    from jax import numpy as jnp
except ImportError as error:
    raise ImportError(missing("jax") or str(error)) from error

F = SimpleNamespace(
    tensor=jnp.asarray, dtype=lambda x: x.dtype, where=jnp.where, maximum=jnp.maximum, minimum=jnp.minimum,
    abs=jnp.abs, exp=jnp.exp, expm1=jnp.expm1, sqrt=jnp.sqrt, tanh=jnp.tanh, erf=jax.scipy.special.erf,
    concatenate=jnp.concatenate, sigmoid=nn.sigmoid, softplus=nn.softplus, log_softmax=nn.log_softmax,
)  # fmt: skip
COMPOSED = composed(F)


def _hard_tanh(n: Layer, x: Any) -> Any:
    """`jax.nn.hard_tanh` has no bounds of its own; others are `jax.numpy.clip`."""
    low, high = n.get("min_val", -1.0), n.get("max_val", 1.0)
    return nn.hard_tanh(x) if (low, high) == (-1, 1) else jnp.clip(x, low, high)


OWN = {
    "CELU": lambda n, x: nn.celu(x, n.get("alpha", 1.0)),
    "ELU": lambda n, x: nn.elu(x, n.get("alpha", 1.0)),
    "GELU": lambda n, x: nn.gelu(x, approximate=n.get("approximate", "none") == "tanh"),
    "GLU": lambda n, x: nn.glu(x, n.get("dim", -1)),
    "Hardsigmoid": lambda n, x: nn.hard_sigmoid(x),
    "Hardswish": lambda n, x: nn.hard_swish(x),
    "Hardtanh": _hard_tanh,
    "LeakyReLU": lambda n, x: nn.leaky_relu(x, n.get("negative_slope", 0.01)),
    "LogSigmoid": lambda n, x: nn.log_sigmoid(x),
    "LogSoftmax": lambda n, x: nn.log_softmax(x, n.get("dim")),
    "Mish": lambda n, x: nn.mish(x),
    "ReLU": lambda n, x: nn.relu(x),
    "ReLU6": lambda n, x: nn.relu6(x),
    "SELU": lambda n, x: nn.selu(x),
    "SiLU": lambda n, x: nn.silu(x),
    "Sigmoid": lambda n, x: nn.sigmoid(x),
    "Softmax": lambda n, x: nn.softmax(x, n.get("dim")),
    "Softmin": lambda n, x: nn.softmax(-x, n.get("dim")),
    "Softsign": lambda n, x: nn.soft_sign(x),
    "Tanh": lambda n, x: jnp.tanh(x),
}
TABLE = {**COMPOSED, **OWN}


QUICK = {"xla_backend_optimization_level": 0}
"""A case is compiled, asked once and forgotten: no time is spent on its speed."""


def backprop(case: Case) -> Any:
    """JAX's answer, in the dtype of the case; float64 is switched on for the call alone."""
    with jax.enable_x64(True):
        real, fixed = leaves(case, jnp.asarray)
        graph = jax.value_and_grad(lambda wanted: forward(TABLE, case, fixed | wanted), has_aux=True)
        (value, buffers), gradients = jax.jit(graph, compiler_options=QUICK)(real)
        return answer(case, np.asarray, value, gradients, buffers)


backprop.supports = frozenset(TABLE)  # type: ignore[attr-defined]
