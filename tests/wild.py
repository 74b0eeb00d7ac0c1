"""Kernels as strangers write them, right ones: fused, in place, with views, with buffers of their own."""

import math

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812  (the name that everybody gives it)

from oracle import Input


class SwiGLU(torch.autograd.Function):
    """A fused gate: silu(a) b."""

    @staticmethod
    def forward(ctx, a, b):
        """Saves the sigmoid, not the silu."""
        s = torch.sigmoid(a)
        ctx.save_for_backward(a, b, s)
        return a * s * b

    @staticmethod
    def backward(ctx, dy):
        """In the order of the inputs."""
        a, b, s = ctx.saved_tensors
        return dy * b * s * (1 + a * (1 - s)), dy * a * s


class RMSNorm(torch.autograd.Function):
    """x γ / √(mean x² + ε), with needs_input_grad looked at."""

    @staticmethod
    def forward(ctx, x, gamma):
        """Saves the reciprocal root."""
        r = torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6)
        ctx.save_for_backward(x, gamma, r)
        return x * r * gamma

    @staticmethod
    def backward(ctx, dy):
        """None for what is not wanted."""
        x, gamma, r = ctx.saved_tensors
        dx = dg = None
        if ctx.needs_input_grad[0]:
            d = dy * gamma
            dx = r * (d - x * r * r * (d * x).mean(-1, keepdim=True))
        if ctx.needs_input_grad[1]:
            dg = (dy * x * r).reshape(-1, x.shape[-1]).sum(0)
        return dx, dg


class CrossEntropy(torch.autograd.Function):
    """Softmax and loss in one, the gradient made in the forward pass, as memory-saving kernels do."""

    @staticmethod
    def forward(ctx, logits, target):
        """Writes over its own copy."""
        z = logits - logits.max(1, keepdim=True).values
        lse = z.exp().sum(1, keepdim=True).log()
        loss = (lse.squeeze(1) - z.gather(1, target[:, None]).squeeze(1)).mean()
        grad = z.sub_(lse).exp_()
        grad[torch.arange(len(target)), target] -= 1
        ctx.save_for_backward(grad.div_(len(target)))
        return loss

    @staticmethod
    def backward(ctx, dy):
        """One gradient; labels have none."""
        return ctx.saved_tensors[0] * dy, None


class RoPE(torch.autograd.Function):
    """Rotary embedding of pairs: a rotation, whose backward is the rotation back."""

    @staticmethod
    def _turn(x, angle):
        a, b = x[..., ::2], x[..., 1::2]
        return torch.stack((a * angle.cos() - b * angle.sin(), a * angle.sin() + b * angle.cos()), -1).flatten(-2)

    @staticmethod
    def forward(ctx, x):
        """The angles depend on the position alone."""
        t, d = x.shape
        rate = 100.0 ** -(torch.arange(0, d, 2, dtype=x.dtype) / d)
        ctx.angle = torch.arange(t, dtype=x.dtype)[:, None] * rate
        return RoPE._turn(x, ctx.angle)

    @staticmethod
    def backward(ctx, dy):
        """Turned back."""
        return RoPE._turn(dy, -ctx.angle)


def rope(x):
    """By complex numbers."""
    t, d = x.shape
    rate = 100.0 ** -(torch.arange(0, d, 2, dtype=x.dtype) / d)
    angle = torch.arange(t, dtype=x.dtype)[:, None] * rate
    z = torch.view_as_complex(x.reshape(t, d // 2, 2).contiguous()) * torch.polar(torch.ones_like(angle), angle)
    return torch.view_as_real(z).flatten(-2)


class Straight(torch.autograd.Function):
    """Clamp with the gradient of clamp."""

    @staticmethod
    def forward(ctx, x):
        """Saves the mask."""
        ctx.save_for_backward((x >= -1) & (x <= 1))
        return x.clamp(-1, 1)

    @staticmethod
    def backward(ctx, dy):
        """Inclusive bounds, as torch."""
        return dy.masked_fill(~ctx.saved_tensors[0], 0)


class Attention(torch.autograd.Function):
    """Causal, two outputs: the values, and the logarithm of each row's sum."""

    @staticmethod
    def forward(ctx, q, k, v):
        """In the way of flash attention: probabilities from the log-sum-exp."""
        s = q @ k.T / math.sqrt(q.shape[1])
        s = s.masked_fill(torch.ones_like(s, dtype=torch.bool).triu(1), -torch.inf)
        lse = torch.logsumexp(s, 1)
        p = torch.exp(s - lse[:, None])
        o = p @ v
        ctx.save_for_backward(q, k, v, p, o)
        return o, lse

    @staticmethod
    def backward(ctx, do, dlse):
        """δ = Σ do o, less what the second output hands back."""
        q, k, v, p, o = ctx.saved_tensors
        delta = (do * o).sum(1, keepdim=True) - dlse[:, None]
        ds = p * (do @ v.T - delta) / math.sqrt(q.shape[1])
        return ds @ k, ds.T @ q, p.T @ do


def attention(q, k, v):
    """The same in torch."""
    s = q @ k.T / math.sqrt(q.shape[1])
    s = s.masked_fill(torch.ones_like(s, dtype=torch.bool).triu(1), -torch.inf)
    return s.softmax(1) @ v, s.logsumexp(1)


class Scan:
    """h_t = a_t h_{t−1} + x_t, with a buffer that is used again in every call."""

    def __init__(self):
        self.h = np.zeros((0, 0))

    def forward(self, a, x):
        """Keeps the states."""
        self.h = np.zeros((len(x) + 1, x.shape[1]), x.dtype)
        for t in range(len(x)):
            self.h[t + 1] = a[t] * self.h[t] + x[t]
        return self.h[1:].copy(), (a, self.h)

    def backward(self, dout, cache):
        """Back through time."""
        a, h = cache
        da, dx, d = np.zeros_like(a), np.zeros_like(dout), np.zeros_like(dout[:1].sum(0))
        for t in reversed(range(len(dout))):
            d = d + dout[t]
            dx[t], da[t] = d, d * h[t]
            d = d * a[t]
        return da, dx


def scan(a, x):
    """The same in torch."""
    h, out = torch.zeros_like(x[:1].sum(0)), []
    for t in range(len(x)):
        h = a[t] * h + x[t]
        out.append(h)
    return torch.stack(out) if out else x * a


def pool(x):
    """(out, vjp): the mean of windows of 2, what is left over dropped."""
    n, c, t = x.shape
    even = x[:, :, : t // 2 * 2].reshape(n, c, t // 2, 2)

    def vjp(d):
        dx = np.zeros_like(x)
        dx[:, :, : t // 2 * 2] = np.repeat(d / 2, 2, 2)
        return dx

    return even.mean(3), vjp


class Huber(nn.Module):
    """A Module without parameters, in plain torch."""

    def forward(self, x, y):
        """By where."""
        r = x - y
        return torch.where(r.abs() < 1, r * r / 2, r.abs() - 0.5).sum()


def distances(x, y):
    """Pairwise, squared, by the expansion."""
    return (x * x).sum(1)[:, None] + (y * y).sum(1)[None] - 2 * x @ y.T


def distances_backward(d, x, y):
    """dx, dy."""
    return 2 * (d.sum(1)[:, None] * x - d @ y), 2 * (d.sum(0)[:, None] * y - d.T @ x)


ND = ("N", "D")
WILD = {
    "SwiGLU": (SwiGLU, lambda a, b: F.silu(a) * b, [ND, ND], {}),
    "RMSNorm": (RMSNorm, lambda x, g: F.rms_norm(x, x.shape[-1:], g, 1e-6), {"x": ("N", "T", "D"), "g": ("D",)}, {}),
    "CrossEntropy": (CrossEntropy, F.cross_entropy, {"x": ("N", "C"), "t": Input(("N",), "int64", high="C")}, {}),
    "RoPE": (RoPE, rope, [ND], {"sizes": {"D": (2, 4, 6)}, "order": 2}),
    "clamp": (Straight, lambda x: x.clamp(-1, 1), [ND], {}),
    "attention": (Attention, attention, {"q": ("T", "d"), "k": ("T", "d"), "v": ("T", "e")}, {}),
    "scan": ((Scan().forward, Scan().backward), scan, [("T", "D"), ("T", "D")], {}),
    "pool": (pool, lambda x: F.avg_pool1d(x, 2), {"x": ("N", "C", "T")}, {"sizes": {"T": (2, 3, 5, 6)}}),
    "Huber": (Huber(), lambda x, y: F.huber_loss(x, y, reduction="sum"), [ND, ND], {"forward": True}),
    "distances": ((distances, distances_backward), distances, [("N", "D"), ("M", "D")], {"framework": "torch"}),
}
"""Name -> mine, like, inputs, options. SwiGLU, RMSNorm and attention are right to first order alone: what they save
from inside the forward pass is a constant to autograd, so their second derivatives are wrong.
"""
