r"""Indices that are added up: x_{i+m} where z_i = Σ_m w_m x_{i+m} says how far the positions of x reach.

The forward equation that has x_{i+m} makes the positions of x those of z and of w together, |x| = |z| + |w| - 1 (for
x_{i-m} those of z are of x and w); nothing stands outside. Where each counts from (0, or 1), the sums of the lesson
say; of x it follows. In any other formula such an index then picks what it says, and zero outside.
"""

from dataclasses import dataclass, field

import torch

from oracle.lesson.meaning.naming import core
from oracle.lesson.meaning.notation import PARAMETER_LETTERS, Ref
from oracle.lesson.meaning.program import Env
from oracle.lesson.meaning.values import REFUSED, Dim, NotUnderstoodError, Tensor, Value, Window, one
from oracle.lesson.meaning.vectorial import Vectorial
from oracle.lesson.syntax import Name, Negative, Node, Number, Plus, Sum

MOST = 400_000
"""Entries that an index may make."""


@dataclass(frozen=True)
class Place:
    """Letters with their signs, and a number: i - m + 1."""

    signs: dict[str, int]
    number: int


def place(sub: Node) -> Place | None:
    """A sum of several letters that stands as an index; None of anything else."""
    if not isinstance(sub, Plus):
        return None
    signs, number = dict[str, int](), 0
    for term, sign in zip(sub.terms, sub.signs, strict=True):
        match term:
            case Name(base=base) if base not in signs:
                signs[base] = sign
            case Number(text=text) if text.isdigit():
                number += sign * int(text)
            case _:
                return None
    return Place(signs, number) if signs else None


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
        if {*at.signs} & {*value.names}:
            raise NotUnderstoodError("one letter in two indices of a symbol, one of them a sum")
        whole = value.shape[0]
        dims = {letter: self.axis_of(letter, whole, at, env) for letter in at.signs}
        if self.infer:
            self.related(whole, at, dims)
        elif not any(one(w.of, d) for w in self.program.windows for d in (whole, *dims.values())):
            raise NotUnderstoodError("positions that no forward equation adds up")
        names, shape = (*at.signs, *value.names), value.shape[1:]
        data = None if value.data is None else self.gathered_at(value, at, dims)
        return Value(data, names, (*dims.values(), *value.dims), shape)

    def gathered_at(self, value: Value, at: Place, dims: dict[str, Dim]) -> Tensor:
        """The entries, each axis of `dims` first."""
        assert value.data is not None
        index = torch.tensor(at.number - self.first(value.shape[0]))
        for letter, sign in at.signs.items():
            index = index.unsqueeze(-1) + sign * (torch.arange(self.size(dims[letter])) + self.first(dims[letter]))
        if index.numel() * value.data.numel() > MOST * len(value.data.movedim(len(value.names), 0)):
            raise NotUnderstoodError("more positions than are worth the time")
        data = value.data.movedim(len(value.names), 0)
        inside = (index >= 0) & (index < len(data))
        mask = inside.double().reshape((*inside.shape, *[1] * (data.dim() - 1)))
        return data[index.clamp(0, len(data) - 1)] * mask

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
        made = Window(up[0], (whole, *down), -at.number) if down else Window(whole, tuple(up), at.number)
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
            return super().size(dim)
        self.measuring.add(dim.root())
        try:
            return sum(self.size(part) for part in known.parts) - len(known.parts) + 1
        finally:
            self.measuring.discard(dim.root())

    def first(self, dim: Dim) -> int:
        """From where a dimension is counted."""
        known = self.window(dim)
        if known is not None and dim.root() not in self.measuring:
            self.measuring.add(dim.root())
            try:
                return sum(self.first(part) for part in known.parts) + known.number
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
