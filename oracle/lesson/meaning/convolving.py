r"""Arrays that go over each other as a whole: z = a * W + b, δ * rot180(W), ∂L/∂W = a * δ.

Of three dimensions that belong together, those of a, of W and of z, any two say the third: with a and one of the others
the result is smaller, with the two others it is a again ("full", zeros around). The lesson's * is a correlation, or
turns what goes over the other round; the reading under which more of the lesson holds is meant.
"""

from dataclasses import dataclass
from enum import Enum

import torch

from oracle.lesson.meaning.naming import core
from oracle.lesson.meaning.notation import Ref
from oracle.lesson.meaning.positions import STRIDE, Positions
from oracle.lesson.meaning.program import Env
from oracle.lesson.meaning.values import Dim, NotUnderstoodError, Tensor, Value, Window, one
from oracle.lesson.syntax import Call, Indexed, Name, Node, Times

ROTATIONS = {"rot180", "ROT180", "rot", "Rot", "flip", "Flip", "rotate", "rotate180"}
"""What turns an array round."""
PADS = {"pad", "Pad", "padding"}
"""What puts zeros around an array, which are there wherever it is needed."""
POOLS = {"pool", "Pool", "pooling", "downsample", "down", "subsample", "avgpool", "maxpool"}
"""What makes one number of every window of an array."""
SPREADS = {"upsample", "Upsample", "up", "unpool", "upsampling"}
"""What gives every number to a window again."""
CONVOLUTIONS = {"conv", "Conv", "conv2", "conv2d", "convolve", "Convolution", "convolution", "corr", "correlate"}
"""What one array is said to go over another by."""
RESHAPES = {"vec", "flatten", "Flatten", "flat", "reshape", "Reshape", "unvec", "unflatten", "mat"}
"""What writes an array in another shape."""
LINEAR = RESHAPES | PADS | SPREADS | ROTATIONS | CONVOLUTIONS
"""What keeps a partial one."""
GOES_OVER = {"conv", "corr"}
"""Operations by which one array goes over another."""
KERNELS = {"K", "k", "F", "W", "w", "H", "h", "theta", "Theta"}
"""What goes over an input is called."""


class Side(Enum):
    """Which of two arrays goes over the other, and whether zeros stand around it."""

    SECOND = 1
    FIRST = 2
    SECOND_FULL = 3
    FIRST_FULL = 4


@dataclass
class Convolving(Positions):
    """A net whose arrays can be convolved."""

    def call(self, node: Call, env: Env) -> Value:
        match node:
            case Call(function=Name(base=base) | Indexed(base=Name(base=base)), args=(arg, *_)) if base in ROTATIONS:
                return self.turned_round(self.value(arg, env))
            case Call(function=Name(base=base) | Indexed(base=Name(base=base)), args=(arg, *_)) if base in PADS:
                return self.value(arg, env)
            case Call(function=Name(base=base), args=(arg,)) if base in POOLS | SPREADS and self.is_bare(base):
                return self.pooled(self.value(arg, env)) if base in POOLS else self.spread_out(self.value(arg, env))
            case Call(function=Name(base=base), args=(a, b, *_)) if base in CONVOLUTIONS:
                return self.convolved(self.value(a, env), self.value(b, env), (a, b))
        return super().call(node, env)

    @staticmethod
    def turned_round(value: Value) -> Value:
        """An array turned by 180°."""
        if not value.rank:
            raise NotUnderstoodError("what is turned round has no axes")
        axes = tuple(range(len(value.names), len(value.names) + value.rank))
        return Value(None if value.data is None else value.data.flip(axes), value.names, value.dims, value.shape)

    def is_bare(self, name: str) -> bool:
        """Whether the lesson does not say itself what a function is."""
        return not self.program.functions.get(name)

    def pooled(self, value: Value) -> Value:
        """An array of which every window is made one number: their sum, where nothing says which."""
        if not value.rank:
            raise NotUnderstoodError("a number that is pooled")
        made, out, first = [], value.data, len(value.names)
        for k, dim in enumerate(value.shape):
            known = self.pool(dim, 0)
            if known is None and self.infer:
                self.program.windows.append(Window(dim, (Dim(f"windows of {dim.name}"), Dim("window")), 0, (STRIDE, 1)))
                known = self.pool(dim, 0)
            if known is None:
                raise NotUnderstoodError("an array that no forward equation pools")
            made.append(known.parts[0])
            out = None if out is None else out.unfold(first + k, STRIDE, STRIDE).sum(-1)
        return Value(out, value.names, value.dims, tuple(made))

    def spread_out(self, value: Value) -> Value:
        """What comes back through `pooled`: every number at all places of its window."""
        known = [self.pool(dim, 1) for dim in value.shape]
        if not known or None in known:
            raise NotUnderstoodError("an array that is made of no windows")
        out = value.data
        for k in range(value.rank):
            out = None if out is None else out.repeat_interleave(STRIDE, len(value.names) + k)
        return Value(out, value.names, value.dims, tuple(window.of for window in filter(None, known)))

    def pool(self, dim: Dim, part: int) -> Window | None:
        """The windows of a dimension, or those that a dimension counts."""
        wide = (known for known in self.program.windows if known.wide)
        return next((known for known in wide if one(known.parts[0] if part else known.of, dim)), None)

    def convolved(self, a: Value, b: Value, written: tuple[Node, Node], plain: bool = False) -> Value:
        r"""a * b; `plain` is a \star b, which never turns the kernel round."""
        if not a.rank or not b.rank:
            if a.names and {*a.names} == {*b.names}:  # w_{xy} * z_{xy} says of which place the result is
                raise NotUnderstoodError("entries of arrays that are convolved")
            return self.algebra.multiply(a, b, "")
        if a.rank != b.rank:
            raise NotUnderstoodError("arrays that are convolved, and have not as many axes")
        if self.infer and any(self.third(p, q) is None for p, q in zip(a.shape, b.shape, strict=True)):
            self.belong_together(a, b, written)
        found = [self.third(p, q) for p, q in zip(a.shape, b.shape, strict=True)]
        sides = {side for side, _ in filter(None, found)}
        if None in found or len(sides) != 1:
            if all(one(p, q) for p, q in zip(a.shape, b.shape, strict=True)):
                return self.algebra.multiply(a, b, "odot")
            raise NotUnderstoodError("arrays that no forward equation convolves")
        names, dims = self.algebra.union((a, b), "a convolution")
        left, right = self.algebra.spread(a, names), self.algebra.spread(b, names)
        shape = tuple(dim for _, dim in filter(None, found))
        turning = self.program.turning and not plain
        data = None if left is None or right is None else over(left, right, a.rank, sides.pop(), turning)
        return Value(data, names, dims, shape)

    def third(self, p: Dim, q: Dim) -> tuple[Side, Dim] | None:
        """The dimension that belongs to two others, and what goes over what."""
        for known in self.program.windows:
            if len(known.parts) == 2 and not known.wide:
                made, kernel = known.parts
                for a, b, side, full in ((p, q, Side.SECOND, Side.SECOND_FULL), (q, p, Side.FIRST, Side.FIRST_FULL)):
                    if one(known.of, a) and (one(kernel, b) or one(made, b)):
                        return side, made if one(kernel, b) else kernel
                    if one(made, a) and one(kernel, b):
                        return full, known.of
        return None

    def belong_together(self, a: Value, b: Value, written: tuple[Node, Node]) -> None:
        """Note what a forward equation convolves: an input and a kernel."""
        kernels = [isinstance(node, Ref) and core(node.base) in KERNELS for node in written]
        whole, kernel = (b, a) if kernels == [True, False] else (a, b)
        for p, q in zip(whole.shape, kernel.shape, strict=True):
            made = Window(p, (Dim(f"places of {q.name}"), q), 0)
            self.program.windows.append(made)
            for dim in (made.of, *made.parts):
                dim.root().met += 1

    def gone_over(self, node: Times, env: Env) -> Value:
        """A product in which one array goes over another."""
        at = next(k for k, op in enumerate(node.ops) if op in GOES_OVER)
        before, after = (
            Times(node.factors[: at + 1], node.ops[:at]),
            Times(node.factors[at + 1 :], node.ops[at + 1 :]),
        )
        sides = tuple(part.factors[0] if len(part.factors) == 1 else part for part in (before, after))
        return self.convolved(
            self.value(sides[0], env), self.value(sides[1], env), (sides[0], sides[1]), node.ops[at] == "corr"
        )


def over(left: Tensor, right: Tensor, rank: int, side: Side, turning: bool) -> Tensor:
    """One array over the other, in the last `rank` axes."""
    whole, kernel = (left, right) if side in (Side.SECOND, Side.SECOND_FULL) else (right, left)
    places = tuple(range(-rank, 0))
    size = kernel.shape[-rank:]
    if side in (Side.SECOND_FULL, Side.FIRST_FULL):
        whole = torch.nn.functional.pad(whole, [n - 1 for n in reversed(size) for _ in range(2)])
    if turning:
        kernel = kernel.flip(places)
    first = whole.dim() - rank
    for k, n in enumerate(size):
        whole = whole.unfold(first + k, n, 1)
    return (whole * kernel.reshape((*kernel.shape[:-rank], *[1] * rank, *size))).sum(places)
