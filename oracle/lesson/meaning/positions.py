r"""Indices that are added up: x_{i+m} where z_i = Σ_m w_m x_{i+m} says how far the positions of x reach.

The forward equation that has x_{i+m} makes the positions of x those of z and of w together, |x| = |z| + |w| - 1 (for
x_{i-m} those of z are of x and w); nothing stands outside. Where each counts from (0, or 1), the sums of the lesson
say; of x it follows. In any other formula such an index then picks what it says, and zero outside.

A letter may be counted in strides: in x_{si+u}, of a pooling layer, every i has its own s of the positions.
"""

from dataclasses import dataclass, field, replace

import torch

from oracle.lesson.meaning.naming import core
from oracle.lesson.meaning.notation import PARAMETER_LETTERS, Ref
from oracle.lesson.meaning.program import Env
from oracle.lesson.meaning.values import REFUSED, Dim, NotUnderstoodError, Tensor, Value, Window, one
from oracle.lesson.meaning.vectorial import Vectorial
from oracle.lesson.syntax import Derivative, Name, Negative, Node, Number, Plus, Sum, Times

MOST = 2_000_000
"""Entries that an index may make."""
STRIDE = 2
"""What s is in x_{si+u}."""
STRIDES = {"s", "S", "stride", "r", "d"}
"""What strides are called, the likeliest first."""


@dataclass(frozen=True)
class Place:
    """Letters with their signs, and a number: i - m + 1."""

    signs: dict[str, int]
    number: int
    strides: dict[str, int] = field(default_factory=dict)
    """By letter, how many positions each of it has."""
    called: str = ""
    """The name of the stride."""


def place(sub: Node) -> Place | None:
    """A sum of several letters that stands as an index; None of anything else."""
    if not isinstance(sub, Plus):
        return None
    signs, number, strides, called = dict[str, int](), 0, dict[str, int](), ""
    for term, sign in zip(sub.terms, sub.signs, strict=True):
        match term:
            case Name(base=base) if base not in signs:
                signs[base] = sign
            case Number(text=text) if text.isdigit():
                number += sign * int(text)
            case Times(factors=(a, b)) if (wide := _stride(a, b) or _stride(b, a)) and wide[1] not in signs:
                stride, letter, off, called = wide
                signs[letter], strides[letter], number = sign, stride, number + sign * stride * off
            case _:
                return None
    return Place(signs, number, strides, called) if signs else None


def _stride(a: Node, b: Node) -> tuple[int, str, int, str] | None:
    """The stride of s i, 2 i or s (i - 1), its letter, the number beside that, and what the stride is called."""
    letter, off = (b, 0)
    if isinstance(b, Plus) and len(b.terms) == 2 and isinstance(one := b.terms[1], Number) and one.text.isdigit():
        letter, off = b.terms[0], b.signs[1] * int(one.text)
    match a, letter:
        case Number(text=text), Name(base=base) if text.isdigit():
            return int(text), base, off, ""
        case Name(base=s), Name(base=base) if s in STRIDES and base not in STRIDES:
            return STRIDE, base, off, s
    return None


@dataclass
class Positions(Vectorial):
    """A net whose quantities have positions."""

    measuring: set[Dim] = field(default_factory=set)
    """Dimensions whose size is being found."""

    def pick(self, value: Value, sub: Node, env: Env) -> Value:
        """What one index picks of the first place of a value."""
        at = place(sub)
        return super().pick(value, sub, env) if at is None else self.shifted(value, at, env)

    def shifted(self, value: Value, at: Place, env: Env) -> Value:
        """x_{i+m}: an axis for each letter, zero where x ends.

        Raises NotUnderstoodError where nothing says what a letter counts.
        """
        whole = value.shape[0]
        dims = {letter: self.axis_of(letter, whole, at, env) for letter in at.signs}
        if self.infer:
            self.related(whole, at, dims)
        elif not any(one(w.of, d) for w in self.program.windows for d in (whole, *dims.values())):
            raise NotUnderstoodError("positions that no forward equation adds up")
        data = None if value.data is None else self.gathered_at(value, at, dims)
        shape = (*dims.values(), *value.shape[1:])
        return self.algebra.named(Value(data, value.names, value.dims, shape), tuple(at.signs))

    def inside(self, head: Node, env: Env) -> Value | None:
        """1 where what a left side is of exists, as x_{i-m} does not for i < m; None where it always does."""
        found: Value | None = None
        for of in (head.of, *head.wrt) if isinstance(head, Derivative) else (head,):
            places = (at for sub in of.subs if (at := place(sub))) if isinstance(of, Ref) else ()
            if isinstance(of, Ref) and any(len(at.signs) > 1 for at in places):
                whole = self.value(replace(of, subs=()), env)
                data = None if whole.data is None else torch.ones_like(whole.data)
                there = self.entries(Value(data, whole.names, whole.dims, whole.shape), of.subs, env)
                found = there if found is None else self.algebra.elementwise(torch.mul, found, there, "")
        return found

    def gathered_at(self, value: Value, at: Place, dims: dict[str, Dim]) -> Tensor:
        """The entries, the axes of `dims` before the other places."""
        assert value.data is not None
        index = torch.tensor(at.number - self.first(value.shape[0]))
        for letter, sign in at.signs.items():
            counted = torch.arange(self.size(dims[letter])) + self.first(dims[letter])
            index = index.unsqueeze(-1) + sign * at.strides.get(letter, 1) * counted
        if index.numel() * value.data.numel() > MOST * len(value.data.movedim(len(value.names), 0)):
            raise NotUnderstoodError("more positions than are worth the time")
        data = value.data.movedim(len(value.names), 0)
        inside = (index >= 0) & (index < len(data))
        mask = inside.double().reshape((*inside.shape, *[1] * (data.dim() - 1)))
        found = data[index.clamp(0, len(data) - 1)] * mask
        axes = range(len(dims))
        return found.movedim((*axes,), tuple(len(value.names) + k for k in axes))

    def axis_of(self, letter: str, whole: Dim, at: Place, env: Env) -> Dim:
        """What a letter counts: as the formula at hand has it elsewhere, alone; else as in the forward equation."""
        if letter in self.typed:
            return self.typed[letter]
        found = whole if len(at.signs) == 1 else self.met(letter, env) or self.likewise(letter, whole, at)
        if found is None and not self.infer:
            raise NotUnderstoodError(f"what {letter} counts is not known")
        self.typed[letter] = found or Dim(f"positions {letter}")
        return self.typed[letter]

    def likewise(self, letter: str, whole: Dim, at: Place) -> Dim | None:
        """What a letter counts where the forward equation has the same sum of letters."""
        up, down = ([x for x, sign in at.signs.items() if sign == which] for which in (1, -1))
        for known in self.program.windows:
            if not down and one(known.of, whole) and len(known.parts) == len(up):
                return known.parts[up.index(letter)]
            if len(up) == 1 and one(known.parts[0], whole) and len(known.parts) == len(down) + 1:
                return known.of if letter in up else known.parts[down.index(letter) + 1]
        return None

    def met(self, letter: str, env: Env) -> Dim | None:
        """The axis of a symbol that a letter counts alone."""
        for ref in (n for formula in self.formulas for n in formula.walk() if isinstance(n, Ref)):
            if Name(letter) not in ref.subs or (self.infer and core(ref.base) not in PARAMETER_LETTERS):
                continue
            signal = self.program.signal(ref)
            try:
                shape = self.whole(Ref(signal.of if signal else ref.base, ref.slots, ref.subs), env).shape
            except REFUSED:
                continue
            if len(shape) == len(ref.subs):
                return shape[ref.subs.index(Name(letter))]
        return None

    def related(self, whole: Dim, at: Place, dims: dict[str, Dim]) -> None:
        """Note which positions are made of which, where a forward equation says so."""
        up = [dims[letter] for letter, sign in at.signs.items() if sign > 0]
        down = [dims[letter] for letter, sign in at.signs.items() if sign < 0]
        if len(at.signs) == 1 or (down and len(up) != 1):
            raise NotUnderstoodError("positions that are no sum of two others")
        if down and at.strides:
            raise NotUnderstoodError("strides backwards")
        strides = tuple(at.strides.get(letter, 1) for letter in at.signs)
        made = Window(up[0], (whole, *down), -at.number) if down else Window(whole, tuple(up), at.number, strides)
        if at.called:
            self.program.counts.setdefault(at.called, made.parts[strides.index(1)])
        if not any(one(known.of, made.of) for known in self.program.windows):
            self.program.windows.append(made)
            for dim in (made.of, *made.parts):
                dim.root().met += 1

    def window(self, dim: Dim) -> Window | None:
        return next((known for known in self.program.windows if one(known.of, dim)), None)

    def size(self, dim: Dim) -> int:
        """How large a dimension is; of positions that are made of others as large as those say."""
        known = self.window(dim)
        if known is None or dim.root() in self.measuring:
            return self.few(dim) or super().size(dim)
        self.measuring.add(dim.root())
        try:
            return 1 + sum(step * (self.size(part) - 1) for part, step in known.stepped())
        finally:
            self.measuring.discard(dim.root())

    def few(self, dim: Dim) -> int:
        """The size of a kernel, or of what a last layer makes: 2 and 3 in turn; 0 of anything else."""
        for k, known in enumerate(self.program.windows):
            for part, step in known.stepped():
                if one(part, dim):
                    return STRIDE if known.wide and step == 1 else 2 + k % 2
        return 0

    def first(self, dim: Dim) -> int:
        """From where a dimension is counted."""
        known = self.window(dim)
        if known is not None and dim.root() not in self.measuring:
            self.measuring.add(dim.root())
            try:
                return sum(step * self.first(part) for part, step in known.stepped()) + known.number
            finally:
                self.measuring.discard(dim.root())
        said = [number for other, number in self.program.firsts if one(other, dim)]
        return (said or [number for _, number in self.program.firsts] or [0])[0]

    def began(self, node: Sum, dim: Dim) -> None:
        """Note where a sum of a forward equation begins."""
        if not self.infer or node.lower is None:
            return
        match node.lower:
            case Number(text=text) if text.isdigit():
                self.program.firsts.append((dim, int(text)))
            case Negative():  # from -k to k: around the middle
                self.program.firsts.append((dim, -1))
