"""Hand-written backwards as people write them: right ones, and ones that are wrong in one known way."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch.nn import functional as F  # noqa: N812  (the name that everybody gives it)

from oracle import Input


@dataclass(frozen=True)
class Made:
    """A backward, what it should compute, and on what."""

    name: str
    mine: Any
    like: Callable[..., Any]
    inputs: Any
    options: dict[str, Any] = field(default_factory=dict)


def function(name, forward, backward, **methods):
    """An autograd.Function: forward(ctx, *x), backward(ctx, g)."""
    return type(name, (torch.autograd.Function,), {k: staticmethod(f) for k, f in
                dict(forward=forward, backward=backward, **methods).items()})  # fmt: skip


def saving(f):
    """A forward that saves its inputs."""

    def forward(ctx, *x):
        ctx.save_for_backward(*x)
        return f(*x)

    return forward


ND, N = ("N", "D"), ("N",)
RIGHT: list[Made] = []
WRONG: list[Made] = []


def right(name, mine, like, inputs, **options):
    """Note a right one."""
    RIGHT.append(Made(name, mine, like, inputs, options))


def wrong(name, mine, like, inputs, **options):
    """Note a wrong one."""
    WRONG.append(Made(name, mine, like, inputs, options))


# ------------------------------------------------------------------------------------------- autograd.Function, right

Square = function("Square", saving(lambda x: x * x), lambda ctx, g: 2 * ctx.saved_tensors[0] * g)
right("square", Square, lambda x: x * x, [ND], order=2)
Exp = function("Exp", lambda ctx, x: _save(ctx, x.exp()), lambda ctx, g: ctx.saved_tensors[0] * g)


def _save(ctx, y):
    ctx.save_for_backward(y)
    return y


right("exp", Exp, torch.exp, [("N", "D", 2)], order=2)
ReLU = function("ReLU1", saving(lambda x: x.clamp(min=0)), lambda ctx, g: g * (ctx.saved_tensors[0] > 0))
right("relu", ReLU, torch.relu, [ND], order=2)
ReLUOne = function("ReLUOne", saving(lambda x: x.clamp(min=0)), lambda ctx, g: g * (ctx.saved_tensors[0] >= 0))
right("relu with slope 1 at 0", ReLUOne, torch.relu, [ND])
Abs = function("Abs", saving(torch.abs), lambda ctx, g: g * ctx.saved_tensors[0].sign())
right("abs", Abs, torch.abs, [N])
Matmul = function("Matmul", saving(torch.matmul),
                  lambda ctx, g: (g @ ctx.saved_tensors[1].T, ctx.saved_tensors[0].T @ g))  # fmt: skip
right("matmul", Matmul, torch.matmul, {"a": ("N", "K"), "b": ("K", "M")}, order=2)
Sigmoid = function("Sigmoid1", lambda ctx, x: _save(ctx, 1 / (1 + torch.exp(-x))),
                   lambda ctx, g: g * ctx.saved_tensors[0] * (1 - ctx.saved_tensors[0]))  # fmt: skip
right("sigmoid", Sigmoid, torch.sigmoid, [ND], order=2)
Tanh = function("Tanh1", lambda ctx, x: _save(ctx, torch.tanh(x)), lambda ctx, g: g * (1 - ctx.saved_tensors[0] ** 2))
right("tanh", Tanh, torch.tanh, [ND], order=2)
Sum = function("Sum", lambda ctx, x: (setattr(ctx, "shape", x.shape), x.sum())[1], lambda ctx, g: g.expand(ctx.shape))
right("sum to a scalar", Sum, torch.sum, [("N", "D", "E")], order=2)


def _two(ctx, x, y):
    ctx.save_for_backward(x, y)
    ctx.mark_non_differentiable(places := x > y)
    return x * y, x.sin() + y, places


Two = function("Two", _two, lambda ctx, a, b, _: (a * ctx.saved_tensors[1] + b * ctx.saved_tensors[0].cos(),
                                                  a * ctx.saved_tensors[0] + b))  # fmt: skip
right("two outputs and a mask", Two, lambda x, y: (x * y, x.sin() + y, x > y), [ND, ND], order=2)
Cube = function("Cube", lambda x: x**3, lambda ctx, g: 3 * ctx.saved_tensors[0] ** 2 * g,
                setup_context=lambda ctx, x, y: (ctx.save_for_backward(*x), ctx.save_for_forward(*x)),
                jvp=lambda ctx, t: 3 * ctx.saved_tensors[0] ** 2 * t)  # fmt: skip
right("cube with jvp", Cube, lambda x: x**3, [ND], order=2, forward=True)
right("a function without a backward", lambda x, w: torch.sin(x @ w), lambda x, w: torch.sin(x @ w),
      {"x": ("N", "D"), "w": ("D", "H")}, order=2, forward=True)  # fmt: skip
right("a scalar and an empty axis", lambda x, s: x * s, lambda x, s: x * s, [("N", "D"), ()], sizes={"N": [0, 1, 3]})


# ------------------------------------------------------------------------------------------------ the course's idiom


def affine_forward(x, w, b):
    """x w + b over flattened samples."""
    return x.reshape(x.shape[0], -1) @ w + b, (x, w)


def affine_backward(dout, cache):
    """dx, dw, db."""
    x, w = cache
    return (dout @ w.T).reshape(x.shape), x.reshape(x.shape[0], -1).T @ dout, dout.sum(0)


def affine(x, w, b):
    """The same in torch."""
    return x.reshape(len(x), w.shape[0]) @ w + b


AFFINE = {"x": ("N", 2, 3), "w": (6, "M"), "b": ("M",)}
right("affine", (affine_forward, affine_backward), affine, AFFINE)


def softmax_forward(x):
    """Row by row."""
    e = np.exp(x - x.max(1, keepdims=True))
    y = e / e.sum(1, keepdims=True)
    return y, y


def softmax_backward(dout, y):
    """y (dout − Σ dout y)."""
    return y * (dout - (dout * y).sum(1, keepdims=True))


right("softmax", (softmax_forward, softmax_backward), lambda x: F.softmax(x, 1), {"x": ND})


def layernorm_forward(x, gamma, beta):
    """Over the last axis, eps 1e-5."""
    mu, var = x.mean(1, keepdims=True), x.var(1, keepdims=True)
    std = np.sqrt(var + 1e-5)
    hat = (x - mu) / std
    return gamma * hat + beta, (hat, std, gamma)


def layernorm_backward(dout, cache):
    """dx, dgamma, dbeta."""
    hat, std, gamma = cache
    d = dout * gamma
    dx = (d - d.mean(1, keepdims=True) - hat * (d * hat).mean(1, keepdims=True)) / std
    return dx, (dout * hat).sum(0), dout.sum(0)


NORM = {"x": ND, "gamma": ("D",), "beta": ("D",)}


def layernorm(x, gamma, beta):
    """The same in torch."""
    return F.layer_norm(x, x.shape[1:], gamma, beta, 1e-5)


right("layernorm", (layernorm_forward, layernorm_backward), layernorm, NORM)


def batchnorm_forward(x, gamma, beta):
    """Over the batch."""
    mu, var = x.mean(0), x.var(0)
    hat = (x - mu) / np.sqrt(var + 1e-5)
    return gamma * hat + beta, (hat, var, gamma)


def batchnorm_backward(dout, cache):
    """dx, dgamma, dbeta."""
    hat, var, gamma = cache
    n = len(dout)
    d = dout * gamma
    dx = (n * d - d.sum(0) - hat * (d * hat).sum(0)) / (n * np.sqrt(var + 1e-5))
    return dx, (dout * hat).sum(0), dout.sum(0)


def batchnorm(x, gamma, beta):
    """The same in torch, also for a batch of 1."""
    mu, var = x.mean(0), x.var(0, correction=0)
    return gamma * (x - mu) / (var + 1e-5).sqrt() + beta


right("batchnorm", (batchnorm_forward, batchnorm_backward), batchnorm, NORM)


def attention_forward(q, k, v):
    """softmax(q kᵀ/√d) v."""
    s = q @ k.T / q.shape[1] ** 0.5
    p = np.exp(s - s.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    return p @ v, (q, k, v, p)


def attention_backward(dout, cache):
    """dq, dk, dv."""
    q, k, v, p = cache
    dp = dout @ v.T
    ds = p * (dp - (dp * p).sum(1, keepdims=True)) / q.shape[1] ** 0.5
    return ds @ k, ds.T @ q, p.T @ dout


right("attention", (attention_forward, attention_backward),
      lambda q, k, v: F.scaled_dot_product_attention(q[None], k[None], v[None])[0],
      {"q": ("T", "d"), "k": ("S", "d"), "v": ("S", "e")})  # fmt: skip


def logsumexp(x):
    """(out, vjp)."""
    m = x.max(1)
    out = m + np.log(np.exp(x - m[:, None]).sum(1))
    return out, lambda d: np.exp(x - out[:, None]) * d[:, None]


right("logsumexp", logsumexp, lambda x: torch.logsumexp(x, 1), {"x": ND}, framework="numpy")


def softmax_loss(x, y):
    """(loss, dx), the mean over the batch."""
    p = np.exp(x - x.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    n = len(x)
    loss = -np.log(p[np.arange(n), y]).sum() / n
    dx = p.copy()
    dx[np.arange(n), y] -= 1
    return loss, dx / n


def softmax_loss_stable(x, y):
    """(loss, dx), from log-probabilities."""
    z = x - x.max(1, keepdims=True)
    logp = z - np.log(np.exp(z).sum(1, keepdims=True))
    n = len(x)
    dx = np.exp(logp)
    dx[np.arange(n), y] -= 1
    return -logp[np.arange(n), y].mean(), dx / n


LABELS = {"x": ("N", "C"), "y": Input(("N",), "int64", high="C")}
right("softmax loss", softmax_loss_stable, F.cross_entropy, LABELS, framework="numpy")


def conv_forward(x, w):
    """A convolution along one axis, no padding, by windows."""
    windows = np.lib.stride_tricks.sliding_window_view(x, w.shape[2], axis=2)  # N C L' K
    return np.einsum("nclk,fck->nfl", windows, w).astype(x.dtype), (x, w, windows)


def conv_backward(dout, cache):
    """dx, dw."""
    x, w, windows = cache
    dx = np.zeros_like(x)
    for t in range(dout.shape[2]):
        dx[:, :, t : t + w.shape[2]] += np.einsum("nf,fck->nck", dout[:, :, t], w)
    return dx, np.einsum("nfl,nclk->fck", dout, windows).astype(w.dtype)


CONV = {"x": ("N", "C", 6), "w": ("F", "C", 3)}
right("convolution", (conv_forward, conv_backward), F.conv1d, CONV)


def max_forward(x):
    """The largest of each row, and the first place of it."""
    at = x.argmax(1)
    return x[np.arange(len(x)), at], (x.shape, at)


def max_backward(dout, cache):
    """To the first place alone."""
    shape, at = cache
    dx = np.zeros(shape, dout.dtype)
    dx[np.arange(shape[0]), at] = dout
    return dx


right("max with ties", (max_forward, max_backward), lambda x: x.amax(1), {"x": ND})


def sort_forward(x):
    """Each row in order."""
    order = np.argsort(x, 1, kind="stable")
    return np.take_along_axis(x, order, 1), order


def sort_backward(dout, order):
    """Back to where they were."""
    dx = np.empty_like(dout)
    np.put_along_axis(dx, order, dout, 1)
    return dx


right("sort with ties", (sort_forward, sort_backward), lambda x: x.sort(1).values, {"x": ND})
right("cumsum", (lambda x: np.cumsum(x, 1), lambda d, x: np.flip(np.cumsum(np.flip(d, 1), 1), 1)),
      lambda x: x.cumsum(1), {"x": ND})  # fmt: skip
right("broadcast product", (lambda a, b: a * b, lambda d, a, b: (d * b, (d * a).sum(0))), torch.mul,
      {"a": ND, "b": ("D",)})  # fmt: skip
right("masked", (lambda x, m: np.where(m, x, 0).astype(x.dtype), lambda d, x, m: np.where(m, d, 0).astype(x.dtype)),
      lambda x, m: torch.where(m, x, 0.0), {"x": ND, "m": Input(ND, "bool")})  # fmt: skip
right("log", (np.log, lambda d, x: d / x), torch.log, {"x": Input(ND, low=1e-3)})
right("log without bounds", (np.log, lambda d, x: d / x), torch.log, {"x": ND})
right("norm", (lambda x: np.sqrt((x * x).sum(1)), lambda d, x: (
    d[:, None] * x / np.where((n := np.sqrt((x * x).sum(1))) > 0, n, 1)[:, None]).astype(x.dtype)),
      lambda x: torch.linalg.vector_norm(x, dim=1), {"x": Input(ND, low=-1e6, high=1e6)})  # fmt: skip
right("embedding", (lambda w, i: (w[i], (w.shape, i)), lambda d, c: _scatter(d, *c)), lambda w, i: w[i],
      {"w": ("V", "D"), "i": Input(("N",), "int64", high="V")})  # fmt: skip


def _scatter(d, shape, i):
    dw = np.zeros(shape, d.dtype)
    np.add.at(dw, i, d)
    return dw


right("softplus, the exact one", (lambda x: np.logaddexp(x, 0).astype(x.dtype), lambda d, x: (
    d * np.where(x > 0, 1 / (1 + np.exp(-np.abs(x))), np.exp(-np.abs(x)) / (1 + np.exp(-np.abs(x))))).astype(x.dtype)),
      F.softplus, {"x": ND})  # fmt: skip
right("hardsigmoid", (lambda x: (np.clip(x + 3, 0, 6) / 6).astype(x.dtype), lambda d, x: (
    d * (np.abs(x) < 3) / 6).astype(x.dtype)), F.hardsigmoid, {"x": ND})  # fmt: skip
right("gelu", function("Gelu", saving(lambda x: 0.5 * x * (1 + torch.erf(x / 2**0.5))), lambda ctx, g: g * (
    0.5 * (1 + torch.erf((x := ctx.saved_tensors[0]) / 2**0.5)) + x * torch.exp(-x * x / 2) / (2 * torch.pi) ** 0.5)),
      F.gelu, [ND], order=2)  # fmt: skip
right("hinge loss", (lambda s, y: _hinge(s, y)[0], lambda d, s, y: d * _hinge(s, y)[1]),
      lambda s, y: F.multi_margin_loss(s, y), {"s": ("N", "C"), "y": Input(("N",), "int64", high="C")})  # fmt: skip


def _hinge(s, y):
    n, c = s.shape
    own = s[np.arange(n), y][:, None]
    margin = np.maximum(0, s - own + 1)
    margin[np.arange(n), y] = 0
    on = (margin > 0).astype(s.dtype)
    on[np.arange(n), y] = -on.sum(1)
    return margin.sum() / (n * c), on / (n * c)


# -------------------------------------------------------------------------------------------------------------- wrong

X2 = {"x": ND}


def pointwise(name, f, slope, like, inputs=X2, **options):
    """A wrong slope of an elementwise function, in NumPy."""
    wrong(name, (f, lambda d, x: (d * slope(x)).astype(x.dtype)), like, inputs, **options)


pointwise("sign of small entries", np.square, lambda x: np.where(np.abs(x) < 0.1, -2 * x, 2 * x), torch.square)
pointwise("relative error 1e-6", np.sin, lambda x: np.cos(x) * (1 + 1e-6), torch.sin)
pointwise("relative error 1e-9", np.sin, lambda x: np.cos(x) * (1 + 1e-9), torch.sin)
pointwise("slope 5 at the kink", lambda x: np.maximum(x, 0), lambda x: np.where(x == 0, 5, x > 0), torch.relu)
pointwise("slope 3 of abs at 0", np.abs, lambda x: np.where(x == 0, 3, np.sign(x)), torch.abs)
pointwise("wrong at large inputs", np.tanh, lambda x: np.where(np.abs(x) > 30, 0.5, 1 - np.tanh(x) ** 2), torch.tanh)
pointwise("NaN at large inputs", lambda x: np.logaddexp(x, 0).astype(x.dtype), lambda x: np.exp(x) / (1 + np.exp(x)),
          F.softplus)  # fmt: skip
pointwise("no slope at all", np.tanh, np.ones_like, torch.tanh)
pointwise("slope of the output", np.tanh, lambda x: 1 - np.tanh(np.tanh(x)) ** 2, torch.tanh)
wrong("missing sum over a broadcast axis", (np.multiply, lambda d, a, b: (d * b, d * a)), torch.mul,
      {"a": ND, "b": ("D",)})  # fmt: skip
wrong("sum over the wrong axis", (np.multiply, lambda d, a, b: (
    d * b, (d * a).sum(0) if a.shape[0] != a.shape[1] else (d * a).sum(1))), torch.mul,
      {"a": ND, "b": ("D",)})  # fmt: skip
wrong("ties doubled", (lambda x: x.max(1), lambda d, x: (x == x.max(1, keepdims=True)) * d[:, None]),
      lambda x: x.amax(1), X2)  # fmt: skip
wrong("transposed weights", (np.matmul, lambda d, a, b: (
    d @ (b if b.shape[0] == b.shape[1] else b.T), a.T @ d)), torch.matmul,
      {"a": ("N", "K"), "b": ("K", "M")})  # fmt: skip


def _flat_memory(ctx, g):
    (x,) = ctx.saved_tensors
    n = x.numel()
    memory = x.as_strided((n,), (1,), x.storage_offset()) if n else x.reshape(-1)
    return g * 2 * memory.reshape(x.shape)


wrong(
    "only for inputs that are not contiguous", function("Flat", saving(torch.square), _flat_memory), torch.square, [ND]
)


def _flat_upstream(ctx, g):
    (x,) = ctx.saved_tensors
    return 2 * x * (g if g.is_contiguous() or g.numel() < 2 else torch.zeros_like(g))


wrong("only for an expanded upstream gradient", function("Expanded", saving(torch.square), _flat_upstream),
      torch.square, [ND])  # fmt: skip
wrong("only for a batch of 1", (np.square, lambda d, x: d * 2 * x * (2 if len(x) == 1 else 1)), torch.square, X2)
wrong("forgets the upstream gradient", (np.square, lambda d, x: 2 * x), torch.square, X2)
wrong("returns float64", (np.square, lambda d, x: (d * 2 * x).astype(np.float64)), torch.square, X2)
wrong("float32 inside", (np.sin, lambda d, x: (d * np.cos(x.astype(np.float32))).astype(x.dtype)), torch.sin, X2)


def _greedy(d, x):
    d *= 2 * x
    return d


wrong("changes the upstream gradient", (np.square, _greedy), torch.square, X2)


def _shifted(x):
    y = np.exp(x)
    x += 1
    return y, y


wrong("changes its input", (_shifted, lambda d, y: d * y), torch.exp, X2)


class Accumulating:
    """Adds to the gradient of the call before."""

    def __init__(self) -> None:
        self.grad = None

    def backward(self, d, x):
        """2 x d, and what was there."""
        g = 2 * x * d
        self.grad = g if self.grad is None or self.grad.shape != g.shape else self.grad + g
        return self.grad


wrong("stateful", (np.square, Accumulating().backward), torch.square, X2)
wrong("a None", (np.multiply, lambda d, a, b: (d * b, None)), torch.mul, [ND, ND])
wrong("one gradient too few", (np.multiply, lambda d, a, b: d * b), torch.mul, [ND, ND])
wrong("wrong value", (lambda x: np.sin(x) * (1 + 1e-7), lambda d, x: d * np.cos(x)), torch.sin, X2, dtypes=["float64"])


class _Second(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, g):
        ctx.save_for_backward(x, g)
        return 3 * x**2 * g

    @staticmethod
    def backward(ctx, h):
        x, g = ctx.saved_tensors
        return 3 * x * g * h, 3 * x**2 * h  # 6 x


wrong("only the second derivative", function("CubeTwice", saving(lambda x: x**3),
      lambda ctx, g: _Second.apply(ctx.saved_tensors[0], g)), lambda x: x**3, [ND], order=2)  # fmt: skip
wrong("only the jvp", function("CubeForward", lambda x: x**3, lambda ctx, g: 3 * ctx.saved_tensors[0] ** 2 * g,
      setup_context=lambda ctx, inputs, output: (ctx.save_for_backward(*inputs), ctx.save_for_forward(*inputs)),
      jvp=lambda ctx, t: 2 * ctx.saved_tensors[0] ** 2 * t), lambda x: x**3, [ND], forward=True)  # fmt: skip
wrong("once differentiable", function("Once", saving(torch.square),
      torch.autograd.function.once_differentiable(lambda ctx, g: 2 * ctx.saved_tensors[0] * g)), torch.square, [ND],
      order=2)  # fmt: skip
wrong("layernorm without the mean term", (layernorm_forward, lambda d, c: (
    (d * c[2] - c[0] * (d * c[2] * c[0]).mean(1, keepdims=True)) / c[1], (d * c[0]).sum(0), d.sum(0))),
      layernorm, NORM)  # fmt: skip
wrong("softmax loss that overflows", softmax_loss, F.cross_entropy, LABELS, framework="numpy")
wrong("embedding without repeats", (lambda w, i: (w[i], (w, i)), lambda d, c: _set(d, *c)), lambda w, i: w[i],
      {"w": ("V", "D"), "i": Input(("N",), "int64", high="V")})  # fmt: skip


def _set(d, w, i):
    dw = np.zeros_like(w)
    dw[i] = d
    return dw
