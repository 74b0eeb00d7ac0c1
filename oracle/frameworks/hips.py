"""HIPS autograd as a subject: `autograd.numpy` and `autograd.scipy.special`. It has no layers: all are composed."""

import warnings
from types import SimpleNamespace
from typing import Any

from oracle.frameworks import missing
from oracle.frameworks.composed import composed
from oracle.frameworks.graph import answer, forward, leaves
from oracle.frameworks.script import Script
from oracle.spec import Array, Case

try:
    import autograd.numpy as np
    from autograd.core import make_vjp, vspace
    from autograd.scipy import special
    from autograd.tracer import getval
except ImportError as error:
    raise ImportError(missing("autograd") or str(error)) from error

F = SimpleNamespace(
    tensor=np.asarray, dtype=lambda x: x.dtype, where=np.where, maximum=np.maximum, minimum=np.minimum,
    abs=np.abs, exp=np.exp, expm1=np.expm1, sqrt=np.sqrt, tanh=np.tanh, erf=special.erf,
    concatenate=np.concatenate, sigmoid=special.expit, softplus=lambda x: np.logaddexp(x, 0.0),
    log_softmax=lambda x, axis: x - special.logsumexp(x, axis, keepdims=True),
)  # fmt: skip
OWN = {"Tanh": lambda n, x: np.tanh(x), "Sigmoid": lambda n, x: special.expit(x)}
TABLE = {**composed(F), **OWN}


def _array(x: Any) -> Array:
    while x is not getval(x):
        x = getval(x)
    return np.asarray(x)


def backprop(case: Case) -> Any:
    """autograd's answer, in the dtype of the case."""
    real, fixed = leaves(case, np.array)
    buffers: dict[str, Any] = {}

    def loss(wanted: Any) -> Any:
        value, new = forward(TABLE, case, {**fixed, **{name: wanted[name] for name in real}})
        buffers.update(new)
        return value

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of NumPy, about empty batches
        pullback, value = make_vjp(loss, real)
        return answer(case, _array, value, pullback(vspace(value).ones()), buffers)


backprop.supports = frozenset(TABLE)  # type: ignore[attr-defined]
backprop.conventions = dict.fromkeys(("Hardsigmoid", "Hardswish", "Hardtanh", "ReLU", "ReLU6"), 0.5)  # type: ignore[attr-defined]

SCRIPT = Script(
    "from autograd import grad, numpy as np\nfrom autograd.scipy import special",
    "np.array({data}, np.{dtype})",
    "print(grad(lambda {wrt}: {loss})({wrt}){index})",
    "print({loss})",
    {"GELU": "0.5 * x * (1 + special.erf(x * 0.5**0.5))", "Tanhshrink": "(x - np.tanh(x))"},
)
