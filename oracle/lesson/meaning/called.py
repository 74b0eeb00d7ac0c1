r"""Names that a lesson gives to partials at the end of a chain: the g of ∂L/∂z = a - y = g."""

from collections.abc import Iterable

from oracle.lesson.meaning.losses import LOSSES
from oracle.lesson.meaning.naming import core
from oracle.lesson.meaning.notation import PARAMETER_LETTERS, Ref
from oracle.lesson.syntax import Call, Derivative, Indexed, Name, Node, Relation, Statement, Text

GIVEN = {*PARAMETER_LETTERS, *LOSSES, "x", "X", "t", "y", "Y", "T", "d"}
"""What stands at the end of a chain and has a meaning by custom."""
STEP = "Delta "
"""What the names of steps begin with."""
ERRORS = {"epsilon", "varepsilon", "delta"}
"""What may be a name at the end of a chain though equations are of it as well."""


def called_last(statements: Iterable[Statement]) -> dict[Ref, Derivative]:
    """Every such name with its partial: no equation is of it (but for δ and ε), it has the partial's scripts, and it is
    met there first, but for formulas of partials and steps: ∂E/∂v = -e x, Δθ = -η g.

    It is a name only if it is used later on.
    """
    bodies = [s.body for s in statements]
    heads = {core(n.base) for body in bodies if isinstance(body, Relation) for n in _refs(body.items[0])}
    found: dict[Ref, Derivative] = {}
    seen: set[str] = set()
    for k, body in enumerate(bodies):
        last = _last(body) if isinstance(body, Relation) else None
        others = seen | GIVEN | (heads - ERRORS)
        if last and not {last[0].base, core(last[0].base)} & (others - {ref.base for ref in found}):
            later = {ref.base for other in bodies[k + 1 :] for ref in _refs(other)}
            found |= {last[0]: last[1]} if last[0].base in later else {}
        seen |= {ref.base for ref in _refs(body)} if not _of_partials(body) else set()
    return found


def _of_partials(body: Node) -> bool:
    """Whether a formula is a partial's, or a step along one: what it has on its right may get its name later on."""
    match body:
        case Relation(items=(Derivative(), *_)):
            return True
        case Relation(items=(Ref(base=base), *_)):
            return base.startswith(STEP)
    return False


def called_by_word(call: Call) -> str:
    r"""The name of a loss with a word below it: the J_neg of J_{\text{neg}}(v_c, o, U); "" of any other call."""
    match call.function:
        case Indexed(base=Name(base=base), subs=(Name(base=word) | Text(text=word),)) if base in LOSSES:
            return f"{base}_{word}" if len(word) > 1 and word.isalpha() else ""
    return ""


def _last(body: Relation) -> tuple[Ref, Derivative] | None:
    equal = next((k for k, op in enumerate(body.ops) if op not in ("=", ":=")), len(body.ops))
    match body.items[0], body.items[equal]:
        case Derivative(of=Ref(base=loss, subs=()), wrt=(Ref() as wrt,)) as partial, Ref() as name if equal > 1:
            alike = (name.subs, name.slots) == (wrt.subs, wrt.slots) and not name.mark
            of_sample = isinstance(partial.of, Ref) and partial.of.kinds == ("sample",) and core(name.base) in ERRORS
            return (name, partial) if alike and (loss in LOSSES or of_sample) else None
    return None


def _refs(node: Node) -> list[Ref]:
    return [part for part in node.walk() if isinstance(part, Ref)]
