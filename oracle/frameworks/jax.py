"""JAX as a subject: `jax.nn` and `jax.numpy`, differentiated by `jax.value_and_grad`.

A case is compiled whole, as JAX is used: that takes 0.2 s, and operator by operator it would take six times that.
"""

from types import SimpleNamespace
from typing import Any

import numpy as np

from oracle.frameworks import missing
from oracle.frameworks.composed import composed
from oracle.frameworks.graph import Layer, answer, arguments, forward, leaves
from oracle.frameworks.script import Script
from oracle.spec import Array, Case, UpdateCase

try:
    import jax
    from jax import nn
    from jax import numpy as jnp
    from jax.example_libraries import optimizers
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


def backprop(case: Case) -> Any:
    """JAX's answer, in the dtype of the case; float64 is switched on for the call alone."""
    with jax.enable_x64(True):
        real, fixed = leaves(case, jnp.asarray)
        graph = jax.value_and_grad(lambda wanted: forward(TABLE, case, fixed | wanted), has_aux=True)
        (value, buffers), gradients = jax.jit(graph)(real)
        return answer(case, np.asarray, value, gradients, buffers)


OPTIMIZERS: dict[str, dict[str, Any]] = {
    "SGD": {"lr": 1e-3, "momentum": 0.0},
    "Adam": {"lr": 1e-3, "betas": (0.9, 0.999), "eps": 1e-8},
}


def update(case: UpdateCase) -> list[dict[str, Array]]:
    """The parameters after each step of `jax.example_libraries.optimizers`; its others are not torch's."""
    given = arguments(case, OPTIMIZERS)
    if case.op == "Adam":
        start, step, now = optimizers.adam(given["lr"], *given["betas"], given["eps"])
    else:
        start, step, now = optimizers.momentum(given["lr"], given["momentum"])
    steps = []
    with jax.enable_x64(True):
        state = start({name: jnp.asarray(x) for name, x in case.parameters.items()})
        for k, gradients in enumerate(case.gradients):
            state = step(k, {name: jnp.asarray(g) for name, g in gradients.items()}, state)
            steps.append({name: np.asarray(x) for name, x in now(state).items()})
    return steps


backprop.supports = frozenset(TABLE)  # type: ignore[attr-defined]
backprop.update = update  # type: ignore[attr-defined]
backprop.conventions = {"Hardtanh": (1, 0), "L1Loss": 1, "LeakyReLU": 1, "SmoothL1Loss": 1}  # type: ignore[attr-defined]

SCRIPT = Script(
    "import jax\nfrom jax import nn, numpy as jnp",
    "jnp.array({data}, '{dtype}')",
    "print(jax.grad(lambda {wrt}: {loss})({wrt}){index})",
    "print({loss})",
    setting="JAX_ENABLE_X64=1",
    context=lambda: jax.enable_x64(True),
    calls={
        "CELU": "nn.celu(x, {alpha})",
        "ELU": "nn.elu(x, {alpha})",
        "GELU": "nn.gelu(x, approximate={approximate} == 'tanh')",
        "LeakyReLU": "nn.leaky_relu(x, {negative_slope})",
        "LogSigmoid": "nn.log_sigmoid(x)",
        "Mish": "nn.mish(x)",
        "SELU": "nn.selu(x)",
        "Softsign": "nn.soft_sign(x)",
        "Tanhshrink": "(x - jnp.tanh(x))",
    },
)
