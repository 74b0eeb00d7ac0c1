"""tinygrad as a subject: the methods of its `Tensor`, its `nn.BatchNorm` and its `nn.optim`.

It runs on the device that the variable DEV names; by default on tinygrad's own interpreter in Python, which needs no
compiler, with the approximations of exp2, log2 and sin that its CPU device uses.
"""

import os
from types import SimpleNamespace
from typing import Any

import numpy as np

from oracle.frameworks import missing
from oracle.frameworks.composed import composed, constant, reduced
from oracle.frameworks.graph import Layer, Table, answer, arguments, forward, leaves
from oracle.frameworks.script import Script
from oracle.spec import Array, Case, UpdateCase

try:
    from tinygrad import Tensor, dtypes
    from tinygrad import nn as tiny
    from tinygrad.helpers import Context
except ImportError as error:
    raise ImportError(missing("tinygrad") or str(error)) from error

DEVICE = os.environ.get("DEV", "PYTHON")


def _settings() -> Any:
    return Context(DEV=DEVICE, TRANSCENDENTAL=2, TRAINING=1)


def _tensor(x: Array) -> Any:
    return Tensor(np.ascontiguousarray(x).reshape(x.shape))


def _where(condition: Any, x: Any, y: Any) -> Any:
    return (_tensor(condition) if isinstance(condition, np.ndarray) else condition).where(x, y)


F = SimpleNamespace(
    tensor=_tensor, dtype=lambda x: np.float64 if x.dtype == dtypes.float64 else np.float32, where=_where,
    maximum=Tensor.maximum, minimum=Tensor.minimum, abs=Tensor.abs, exp=Tensor.exp, sqrt=Tensor.sqrt, tanh=Tensor.tanh,
    erf=Tensor.erf, sigmoid=Tensor.sigmoid, softplus=Tensor.softplus, log_softmax=Tensor.log_softmax,
)  # fmt: skip
COMPOSED = composed(F)


def _batch_norm(n: Layer, x: Any) -> Any:
    tracked, affine = "running_mean" in n.own, "weight" in n.own
    count = int(n.own.get("num_batches_tracked", 0)) + 1
    momentum = n.get("momentum", 0.1) if n.get("momentum", 0.1) is not None else 1 / count
    layer = tiny.BatchNorm(x.shape[1], n.get("eps", 1e-5), affine, tracked, momentum)
    if affine:
        layer.weight, layer.bias = n.own["weight"], n.own["bias"]
    for role in ("running_mean", "running_var") if tracked else ():
        setattr(layer, role, _tensor(n.own[role]).is_param_(False))
    with Context(TRAINING=int(n.training)):
        y = layer(x)
    if tracked and n.training:
        n.new.update(running_mean=layer.running_mean, running_var=layer.running_var)
        n.new["num_batches_tracked"] = np.asarray(count)
    return y


def _bce(n: Layer, p: Any, t: Any) -> Any:
    return reduced(n, p.binary_crossentropy(t, reduction="none") * constant(F, n, "weight", p))


def _bce_with_logits(n: Layer, x: Any, t: Any) -> Any:
    positive = None if n.get("pos_weight") is None else constant(F, n, "pos_weight", x)
    costs = x.binary_crossentropy_logits(t, reduction="none", pos_weight=positive)
    return reduced(n, costs * constant(F, n, "weight", x))


def _nll(n: Layer, x: Any, labels: Array) -> Any:
    weight = None if n.get("weight") is None else constant(F, n, "weight", x)
    return x.nll_loss(_tensor(labels), weight, n.get("ignore_index", -100), n.get("reduction", "mean"))


def _cross_entropy(n: Layer, x: Any, target: Any) -> Any:
    """tinygrad's two have no weights, and that of labels wants the classes last."""
    how = {"reduction": n.get("reduction", "mean"), "label_smoothing": n.get("label_smoothing", 0.0)}
    ignored, labels = n.get("ignore_index", -100), isinstance(target, np.ndarray)
    if n.get("weight") is not None or (labels and (x.ndim > 2 or ignored == -1)):
        return COMPOSED["CrossEntropyLoss"](n, x, target)
    if labels:
        return x.sparse_categorical_crossentropy(_tensor(target), ignored, **how)
    return x.cross_entropy(target, **how)


OWN: Table = {
    "Concatenate": lambda n, *x: Tensor.cat(*x, dim=n.get("dim", 1)),
    "Chunk": lambda n, x: x.chunk(n.get("chunks"), n.get("dim", 1)),
    "Flatten": lambda n, x: x.flatten(1),
    "Unflatten": lambda n, x: x.unflatten(n.get("dim"), tuple(n.get("unflattened_size"))),
    "Linear": lambda n, x: x.linear(n.own["weight"].T, n.own.get("bias")),
    "BatchNorm1d": _batch_norm,
    "CELU": lambda n, x: x.celu(n.get("alpha", 1.0)),
    "ELU": lambda n, x: x.elu(n.get("alpha", 1.0)),
    "GELU": lambda n, x: x.gelu(n.get("approximate", "none")),
    "Hardsigmoid": lambda n, x: x.hardsigmoid(),
    "Hardswish": lambda n, x: x.hardswish(),
    "Hardtanh": lambda n, x: x.hardtanh(n.get("min_val", -1.0), n.get("max_val", 1.0)),
    "LeakyReLU": lambda n, x: x.leaky_relu(n.get("negative_slope", 0.01)),
    "LogSigmoid": lambda n, x: x.logsigmoid(),
    "LogSoftmax": lambda n, x: x.log_softmax(n.get("dim")),
    "Mish": lambda n, x: x.mish(),
    "ReLU": lambda n, x: x.relu(),
    "ReLU6": lambda n, x: x.relu6(),
    "SELU": lambda n, x: x.selu(),
    "SiLU": lambda n, x: x.silu(),
    "Sigmoid": lambda n, x: x.sigmoid(),
    "Softmax": lambda n, x: x.softmax(n.get("dim")),
    "Softmin": lambda n, x: x.softmin(n.get("dim")),
    "Softsign": lambda n, x: x.softsign(),
    "Tanh": lambda n, x: x.tanh(),
    "BCELoss": _bce,
    "BCEWithLogitsLoss": _bce_with_logits,
    "NLLLoss": _nll,
    "CrossEntropyLoss": _cross_entropy,
}
TABLE: Table = {**COMPOSED, **OWN}


def _array(x: Any) -> Array:
    if not isinstance(x, Tensor):
        return np.asarray(x)
    return (x if x.device else x.clone(DEVICE)).numpy()  # a constant has no device, and would be made on CPU


def backprop(case: Case) -> Any:
    """tinygrad's answer, in the dtype of the case."""
    with _settings():
        real, fixed = leaves(case, _tensor)
        value, buffers = forward(TABLE, case, fixed | real)
        gradients = dict(zip(real, value.gradient(*real.values()), strict=True))
        Tensor.realize(*(x for x in (value, *gradients.values(), *buffers.values()) if isinstance(x, Tensor)))
        return answer(case, _array, value, gradients, buffers)


ADAM = {"lr": 1e-3, "betas": (0.9, 0.999), "eps": 1e-8}
OPTIMIZERS: dict[str, dict[str, Any]] = {
    "SGD": {"lr": 1e-3, "momentum": 0.0, "weight_decay": 0.0, "nesterov": False},
    "Adam": ADAM,
    "AdamW": {**ADAM, "weight_decay": 0.01},
}


def update(case: UpdateCase) -> list[dict[str, Array]]:
    """The parameters after each step of `tinygrad.nn.optim`."""
    given = arguments(case, OPTIMIZERS)
    if "betas" in given:
        given["b1"], given["b2"] = given.pop("betas")
    steps = []
    with _settings():
        theta = {name: _tensor(x).is_param_(True) for name, x in case.parameters.items()}
        optimizer = getattr(tiny.optim, case.op)(list(theta.values()), **given)
        for gradients in case.gradients:
            for name, x in theta.items():
                x.grad = _tensor(gradients[name])
            optimizer.step()
            steps.append({name: x.numpy() for name, x in theta.items()})
    return steps


backprop.supports = frozenset(TABLE)  # type: ignore[attr-defined]
backprop.update = update  # type: ignore[attr-defined]
backprop.conventions = {  # type: ignore[attr-defined]
    "Hardsigmoid": 0, "Hardswish": 0, "Hardtanh": (1, 0), "LeakyReLU": 1, "ReLU6": 0,
}  # fmt: skip

SCRIPT = Script(
    "import numpy as np\nfrom tinygrad import Tensor",
    "Tensor(np.array({data}, np.{dtype}))",
    "print(({loss}).gradient({wrt})[0].numpy(){index})",
    "print(({loss}).numpy())",
    setting=f"DEV={DEVICE} TRANSCENDENTAL=2 TRAINING=1",
    context=_settings,
    step="from tinygrad.nn import optim\nw = {w}.is_param_(True)\no = optim.{op}([w], {arguments})\n"
    "for g in {gradients}:\n    w.grad = Tensor(np.array(g, np.{dtype}))\n    o.step()\nprint(w.numpy(){index})",
    calls={
        "BCELoss": "x.binary_crossentropy(t, reduction={reduction})",
        "BCEWithLogitsLoss": "x.binary_crossentropy_logits(t, reduction={reduction})",
        "CELU": "x.celu({alpha})",
        "CrossEntropyLoss": "x.cross_entropy(t, reduction={reduction}, label_smoothing={label_smoothing})",
        "ELU": "x.elu({alpha})",
        "GELU": "x.gelu({approximate})",
        "Hardsigmoid": "x.hardsigmoid()",
        "Hardswish": "x.hardswish()",
        "Hardtanh": "x.hardtanh({min_val}, {max_val})",
        "LeakyReLU": "x.leaky_relu({negative_slope})",
        "Linear": "x.linear(weight.T, bias)",
        "LogSigmoid": "x.logsigmoid()",
        "LogSoftmax": "x.log_softmax({dim})",
        "Mish": "x.mish()",
        "ReLU6": "x.relu6()",
        "SELU": "x.selu()",
        "SiLU": "x.silu()",
        "Sigmoid": "x.sigmoid()",
        "SmoothL1Loss": "((x - t).abs() < {beta}).where((x - t) ** 2 / 2 / {beta}, (x - t).abs() - {beta} / 2).mean()",
        "Softmax": "x.softmax({dim})",
        "Softmin": "x.softmin({dim})",
        "Softplus": "x.softplus({beta})",
        "Softsign": "x.softsign()",
        "Tanh": "x.tanh()",
        "Tanhshrink": "(x - x.tanh())",
    },
)
