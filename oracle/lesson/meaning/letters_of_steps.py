r"""Steps that have another letter than t: the k of $s_k = f(s_{k-1} W + x_k V)$.

What a symbol is made of is itself one step before, and of weights that are the same in all steps.
"""

from collections.abc import Iterable

from oracle.lesson.meaning.naming import core, flat
from oracle.lesson.meaning.notation import PARAMETER_LETTERS, TIME_LETTERS, letters, stepped, taken_apart
from oracle.lesson.syntax import Indexed, Name, Node, Power, Relation, Statement, Sum, Tagged


def letters_of_steps(statements: Iterable[Statement]) -> dict[str, str]:
    """Every such letter, with what it counts, where no weight has it and nothing has it as one of several indices."""
    bodies = [s.body for s in statements]
    nodes = [part for body in bodies for part in body.walk()]
    found = {letter for body in bodies if (letter := _recursive(body))} - TIME_LETTERS
    scripted = {x for part in nodes for x in _foreign(part)}
    return dict.fromkeys(found - scripted, "step")


def _recursive(body: Node) -> str:
    """The k of s_k = f(s_{k-1} W + x_k V); "" of any other formula."""
    match body:
        case Relation(items=(Indexed(base=Name(base=s), subs=(Name(base=k),)), *members), ops=("=" | ":=", *_)):
            parts = [part for member in members for part in member.walk()]
            met = [part for part in parts if isinstance(part, Indexed) and isinstance(part.base, Name)]
            before = any(part.base == Name(s) and len(part.subs) == 1 and _is_before(part.subs[0], k) for part in met)
            given = any(part.base != Name(s) and part.subs == (Name(k),) for part in met)
            weights = {
                x.name.base for part in parts if (x := taken_apart(part)) and core(x.name.base) in PARAMETER_LETTERS
            }
            summed = any(isinstance(part, Sum) for part in parts)
            return k if before and given and weights - {s} and s not in PARAMETER_LETTERS and not summed else ""
    return ""


def _is_before(sub: Node, letter: str) -> bool:
    """Whether an index is k - 1."""
    signs = getattr(sub, "signs", ())
    return stepped(sub) == letter and signs == (1, -1)


def _foreign(node: Node) -> set[str]:
    """Letters below and above weights, and those of symbols with several indices."""
    parts = taken_apart(node) if isinstance(node, Indexed | Power | Tagged) else None
    if parts is None:
        return set()
    subs = [*flat(parts.subs)]
    below = (
        set[str]().union(*map(letters, subs)) if core(parts.name.base) in PARAMETER_LETTERS or len(subs) > 1 else set()
    )
    return below.union(*(letters(tag) for tag, _ in parts.tags), *map(letters, parts.powers))
