r"""A formula written in one piece, and again step by step: softmax(Q Kᵀ / √d) V, then S = …, P = softmax(S), O = P V.

Where the two differ, one of them has a slip: what the piece says of a step is another definition of that step.
"""

from collections.abc import Mapping, Set
from dataclasses import replace

from oracle.lesson.meaning.losses import LOSSES
from oracle.lesson.meaning.naming import core
from oracle.lesson.meaning.notation import Ref, letters, mentions
from oracle.lesson.meaning.program import Definition
from oracle.lesson.syntax import Call, Name, Node, Number, Quotient, Times, rebuilt, replaced


def said_in_one_piece(definitions: list[Definition]) -> list[Definition]:
    """What formulas in one piece say of steps that have definitions of their own, where that is not the same."""
    used = {part for d in definitions for part in d.body.walk() if isinstance(part, Ref)}
    ends = [d for d in definitions if d.head not in used and not d.head.subs and not d.head.slots]
    found: list[Definition] = []
    for whole in ends:
        for other in ends:
            differing = None if other is whole else _differing(whole.body, other.body, definitions)
            for step, body in differing or ():
                found.append(Definition(step.head, body, whole.number))
    return found


def with_one_end(definitions: list[Definition]) -> list[Definition]:
    """The word and the letter for one output as one quantity: Attention = O, where both are P V."""
    letters = {d.body: d.head for d in definitions if len(core(d.head.base)) == 1 and not d.head.subs + d.head.slots}
    ends = {d.head for d in definitions if d.body in letters and len(core(d.head.base)) > 1 and d.head.base.isalpha()}
    used = {part for d in definitions for part in d.body.walk()}
    return [replace(d, body=letters[d.body]) if d.head in ends - used else d for d in definitions]


def with_outputs_named(definitions: list[Definition], last: Set[str]) -> list[Definition]:
    """y = h^L for h^L = y, which names the output where h^l is made for every layer; `last` are the letters of L.

    Where the two are compared, y is a target.
    """
    made = {d.head.base for d in definitions}
    general = {d.head.base for d in definitions if any(letters(at) - last for _, at in d.head.slots)}

    def named(d: Definition, name: Node) -> Definition:
        at_end = d.head.slots and all(isinstance(at, Name) and at.base in last for _, at in d.head.slots)
        if at_end and d.head.base in general and isinstance(name, Ref) and not name.slots and name.base not in made:
            compared = any(
                mentions(other.body, name.base) and mentions(other.body, d.head.base) for other in definitions
            )
            return d if compared else replace(d, head=name, body=d.head)
        return d

    return [named(d, d.body) for d in definitions]


def with_last_layers(definitions: list[Definition], kinds: Mapping[str, Set[tuple[str, ...]]]) -> list[Definition]:
    """C = Σ_i (a^L_i - y_i)^2 for C = Σ_i (a_i - y_i)^2, where a is of some layer in all that the lesson says else.

    `kinds` are those of every symbol, wherever it stands.
    """
    made = {(d.head.base, d.head.kinds) for d in definitions}
    layered = {base for base, found in kinds.items() if ("layer",) in found and (base, ()) not in made}
    outputs = {base for base in layered if (base, ("layer",)) in made}

    def at_the_end(node: Node) -> Node:
        if isinstance(node, Ref) and node.base in layered and not node.slots:
            return replace(node, slots=(("layer", Name("L")),))
        return rebuilt(node, at_the_end)

    return [
        replace(d, body=at_the_end(d.body)) if d.head.base in LOSSES and not d.head.slots
        and any(isinstance(part, Ref) and part.base in outputs and not part.slots for part in d.body.walk()) else d
        for d in definitions
    ]  # fmt: skip


def _differing(whole: Node, stepwise: Node, definitions: list[Definition]) -> list[tuple[Definition, Node]] | None:
    """The steps of which `whole` says something else; None where the two are not the same formula otherwise."""
    if whole == stepwise:
        return []
    if isinstance(stepwise, Ref):
        step = next((d for d in definitions if d.head == stepwise and d.number), None)
        if step is None or isinstance(whole, Ref):
            return None
        inside = [_differing(whole, body, definitions) for body in (step.body, *step.others)]
        alike = not any(found is not None for found in inside) and _alike(whole, step.body)
        return [(step, whole)] if alike else next((found for found in inside if found is not None), None)
    if type(whole) is not type(stepwise) or not isinstance(whole, Call | Times | Quotient):
        return None
    parts = list(zip(whole.children(), stepwise.children(), strict=False))
    if len(parts) != len([*whole.children()]) or len(parts) != len([*stepwise.children()]):
        return None
    found = [_differing(a, b, definitions) for a, b in parts]
    return [step for part in found if part for step in part] if None not in found else None


def _alike(a: Node, b: Node) -> bool:
    """Whether two formulas are of the same kind, and of the same symbols."""
    symbols = [{part for part in node.walk() if isinstance(part, Ref)} for node in (a, b)]
    return type(a) is type(b) and symbols[0] == symbols[1] and len(symbols[0]) > 1


def with_named_inputs(definitions: list[Definition]) -> list[Definition]:
    """Definitions of A^{(0)} where they are of X, and A^{(0)} = X says that the two are one."""
    made = {d.head for d in definitions}
    names: dict[Node, Ref] = {
        d.body: d.head for d in definitions
        if isinstance(d.body, Ref) and d.body not in made and d.head.slots == (("layer", Number("0")),)
    }  # fmt: skip
    return [d if d.body in names or not names else replace(d, body=replaced(d.body, names)) for d in definitions]
