r"""Two models that share a letter for their weights: $y_k = \sum_i w_{ki} x_i$, and later $a_j = \sum_i w_{ji} z_i$."""

from collections.abc import Callable, Iterable
from typing import TypeVar

from oracle.lesson.meaning.notation import PARAMETER_LETTERS, Ref
from oracle.lesson.syntax import Name, Node, Relation, Statement, Sum, Times

T = TypeVar("T")
Weighed = dict[tuple[str, str], Ref]
"""By weights and the letter that is summed over, what they weigh."""


def clash(one: Node, other: Node) -> bool:
    """Whether the same weights weigh two things by the same letter: they cannot be those of one net."""
    first, second = weighed(one), weighed(other)
    return any(first[key].base != second[key].base for key in first.keys() & second.keys())


def weighed(body: Node) -> Weighed:
    """The w, i and x_i of Σ_i w_{ki} x_i, where nothing of it has a layer."""
    found: Weighed = {}
    for part in body.walk():
        match part:
            case Sum(indices=(Name(base=letter),), body=Times(factors=(Ref() as w, Ref() as x))):
                plain = not w.slots and not x.slots and len(w.subs) == 2 and x.subs == (Name(letter),)
                if plain and w.base in PARAMETER_LETTERS and Name(letter) == w.subs[1]:
                    found[w.base, letter] = x
    return found


def alike_first(here: list[T], others: list[T], formula: Callable[[T], Node]) -> list[T]:
    """What other sections say, last what writes its weights otherwise than this one does: w^{(1)}_{ji} for w_{ji}."""
    ours = _written(map(formula, here))
    alike = {base: {kinds for b, kinds in ours if b == base} for base, _ in ours}
    strange = [
        k
        for k, x in enumerate(others)
        if any(b in alike and kinds not in alike[b] for b, kinds in _written([formula(x)]))
    ]
    return [x for k, x in enumerate(others) if k not in strange] + [others[k] for k in strange]


def of_special_layers(statement: Statement, own: Iterable[Node]) -> bool:
    """Whether a statement of another section has numbers at weights, y_k = Σ_j w^{(2)}_{kj} z_j, where this section
    speaks of any unit, a_j = Σ_i w_{ji} z_i, and of weights without numbers only.
    """
    ours = _written(own)
    general = {base for base, kinds in ours if not kinds} - {base for base, kinds in ours if kinds}
    body = statement.body
    return isinstance(body, Relation) and any(kinds and base in general for base, kinds in _written(body.items[1:]))


def _written(formulas: Iterable[Node]) -> set[tuple[str, tuple[str, ...]]]:
    """The weights with two indices, and what else they carry."""
    refs = (part for formula in formulas for part in formula.walk() if isinstance(part, Ref) and len(part.subs) == 2)
    return {(ref.base, ref.kinds) for ref in refs if ref.base in PARAMETER_LETTERS}


def other_model(statement: Statement, own: Iterable[Node]) -> bool:
    """Whether a statement of another section defines something of another model than this section's equations."""
    body = statement.body
    return isinstance(body, Relation) and any(clash(body.items[1], mine) for mine in own)
