r"""Words that are drawn: the u_{n_s} of negative samples n_1, …, n_S, entries of u that are others than the true one's.

In every net there are two of each kind, at different places; u has more entries than that.
"""

from dataclasses import dataclass

import torch

from oracle.lesson.meaning.notation import is_class
from oracle.lesson.meaning.program import Env
from oracle.lesson.meaning.quantities import Quantities
from oracle.lesson.meaning.values import Dim, NotUnderstoodError, Value
from oracle.lesson.syntax import Indexed, Name, Node, Sum

DRAWN = 2
"""How many are drawn."""


@dataclass
class Sampling(Quantities):
    """A net in which indices may be words that are drawn."""

    def pick(self, value: Value, sub: Node, env: Env) -> Value:
        """What one index picks of the first place of a value."""
        match sub:
            case Indexed(base=Name(base=word), subs=(Name(base=letter),)) if self.is_drawn(sub, letter, value, env):
                return self.drawn_from(value, word, letter)
        return super().pick(value, sub, env)

    def is_drawn(self, sub: Node, letter: str, value: Value, env: Env) -> bool:
        """Whether the s of n_s counts words here: of y_i only where a sum goes over i and nothing else has it."""
        if letter in env or letter in value.names:
            return False
        sums = (part for formula in self.formulas for part in formula.walk() if isinstance(part, Sum))
        return not is_class(sub) or any(Name(letter) in part.indices for part in sums)

    def drawn_from(self, value: Value, word: str, letter: str) -> Value:
        """The entries at the places of the words, which `letter` counts. Raises NotUnderstoodError for too few."""
        whole = value.shape[0]
        dim, _ = self.program.drawn.setdefault(word, (Dim(f"words {word}"), whole))
        self.algebra.same(self.typed.setdefault(letter, dim), dim, f"index {letter}")
        names, dims = (*value.names, letter), (*value.dims, dim)
        if value.data is None:
            return Value(None, names, dims, value.shape[1:])
        if (size := self.size(whole)) <= DRAWN:
            raise NotUnderstoodError(f"{word} counts more than there is in the nets drawn")
        at = (torch.arange(DRAWN) + 1 + self.seed) % size
        return Value(value.data.index_select(len(value.names), at), names, dims, value.shape[1:])

    def size(self, dim: Dim) -> int:
        """How large a dimension is."""
        root = dim.root()
        for words, whole in self.program.drawn.values():
            if words.root() is root:
                return DRAWN
            if whole.root() is root and root not in self.sizes and not self.single:
                taken = {*self.sizes.values()}
                self.sizes[root] = next(n for n in range(DRAWN + 2, 100) if n not in taken)
        return super().size(dim)
