"""MyGrad as a subject: `mygrad.nnet` where it has an operator, else `mygrad`'s functions of NumPy."""

import warnings
from types import SimpleNamespace
from typing import Any

import numpy as np

from oracle.frameworks import missing
from oracle.frameworks.composed import composed, track
from oracle.frameworks.graph import Layer, Table, answer, forward, leaves
from oracle.frameworks.script import Script
from oracle.spec import Array, Case

try:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import mygrad as mg
        from mygrad import nnet
except ImportError as error:
    raise ImportError(missing("mygrad") or str(error)) from error


def _constant(x: Array) -> Any:
    return mg.tensor(x, constant=True)


F = SimpleNamespace(
    tensor=_constant, dtype=lambda x: x.dtype, where=mg.where, maximum=mg.maximum, minimum=mg.minimum,
    abs=mg.abs, exp=mg.exp, expm1=mg.expm1, sqrt=mg.sqrt, tanh=mg.tanh, erf=None, concatenate=mg.concatenate,
    sigmoid=nnet.sigmoid, softplus=lambda x: mg.logaddexp(x, 0.0), log_softmax=nnet.logsoftmax,
)  # fmt: skip
COMPOSED = composed(F)


def _batch_norm(n: Layer, x: Any) -> Any:
    """`mygrad.nnet.batchnorm` is that of training alone."""
    if not n.training and "running_mean" in n.own:
        return COMPOSED["BatchNorm1d"](n, x)
    axes = tuple(axis for axis in range(x.ndim) if axis != 1)
    real = n.own["running_mean"].dtype if "running_mean" in n.own else x.dtype
    track(n, x, x.data.mean(axes).astype(real), x.data.var(axes).astype(real))
    return nnet.batchnorm(x, gamma=n.own.get("weight"), beta=n.own.get("bias"), eps=n.get("eps", 1e-5))


def _plain(n: Layer, x: Any, labels: Any) -> bool:
    """Whether MyGrad's own losses of classes mean what the case asks for: a mean over labels that all count."""
    plain = n.get("reduction", "mean") == "mean" and not n.get("weight") and not n.get("label_smoothing")
    return plain and x.ndim == 2 and isinstance(labels, np.ndarray) and n.get("ignore_index", -100) not in labels


def _nll(n: Layer, x: Any, labels: Any) -> Any:
    return nnet.negative_log_likelihood(x, labels) if _plain(n, x, labels) else COMPOSED["NLLLoss"](n, x, labels)


def _cross_entropy(n: Layer, x: Any, target: Any) -> Any:
    own = _plain(n, x, target)
    return nnet.softmax_crossentropy(x, target) if own else COMPOSED["CrossEntropyLoss"](n, x, target)


def _hard_tanh(n: Layer, x: Any) -> Any:
    return nnet.hard_tanh(x, lower_bound=n.get("min_val", -1.0), upper_bound=n.get("max_val", 1.0))


OWN: Table = {
    "BatchNorm1d": _batch_norm,
    "CrossEntropyLoss": _cross_entropy,
    "ELU": lambda n, x: nnet.elu(x, n.get("alpha", 1.0)),
    "GLU": lambda n, x: nnet.glu(x, n.get("dim", -1)),
    "Hardtanh": _hard_tanh,
    "LeakyReLU": lambda n, x: nnet.leaky_relu(x, n.get("negative_slope", 0.01)),
    "LogSoftmax": lambda n, x: nnet.logsoftmax(x, n.get("dim")),
    "NLLLoss": _nll,
    "ReLU": lambda n, x: nnet.relu(x),
    "SELU": lambda n, x: nnet.selu(x),
    "Sigmoid": lambda n, x: nnet.sigmoid(x),
    "Softmax": lambda n, x: nnet.softmax(x, n.get("dim")),
    "Softmin": lambda n, x: nnet.softmax(-x, n.get("dim")),
    "Softsign": lambda n, x: nnet.soft_sign(x),
    "Tanh": lambda n, x: nnet.tanh(x),
}
TABLE: Table = {**COMPOSED, **OWN}


def _array(x: Any) -> Array:
    return np.asarray(x.data if isinstance(x, mg.Tensor) else x)


def backprop(case: Case) -> Any:
    """MyGrad's answer, in the dtype of the case."""
    real, fixed = leaves(case, _constant)
    real = {name: mg.tensor(x.data, constant=False) for name, x in real.items()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of NumPy, about overflow and empty batches
        value, buffers = forward(TABLE, case, {**fixed, **real})
        value.backward()
    zero = {name: np.zeros_like(x.data) for name, x in real.items()}
    gradients = {name: zero[name] if x.grad is None else x.grad for name, x in real.items()}
    return answer(case, _array, value, gradients, buffers)


backprop.supports = frozenset(TABLE)  # type: ignore[attr-defined]
backprop.conventions = {"ELU": 1, "SELU": 1}  # type: ignore[attr-defined]

SCRIPT = Script(
    "import mygrad as mg\nfrom mygrad import nnet",
    "mg.tensor({data}, dtype='{dtype}')",
    "({loss}).backward()\nprint({wrt}.grad{index})",
    "print(({loss}).item())",
    {
        "BatchNorm1d": "nnet.batchnorm(x, gamma=weight, beta=bias, eps={eps})",
        "CrossEntropyLoss": "nnet.softmax_crossentropy(x, t)",
        "ELU": "nnet.elu(x, {alpha})",
        "GLU": "nnet.glu(x, {dim})",
        "Hardtanh": "nnet.hard_tanh(x, lower_bound={min_val}, upper_bound={max_val})",
        "LeakyReLU": "nnet.leaky_relu(x, {negative_slope})",
        "LogSoftmax": "nnet.logsoftmax(x, {dim})",
        "NLLLoss": "nnet.negative_log_likelihood(x, t)",
        "SELU": "nnet.selu(x)",
        "Sigmoid": "nnet.sigmoid(x)",
        "Softmax": "nnet.softmax(x, {dim})",
        "Softmin": "nnet.softmax(-x, {dim})",
        "Softsign": "nnet.soft_sign(x)",
    },
)
