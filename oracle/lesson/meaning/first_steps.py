r"""Lessons whose steps begin at 0: a^0 = w x^0 + b beside a^t = w x^t + v h^{t-1} + b.

Here step 1 is the first, and 0 what was before: such numbers are counted from 1.
"""

from collections.abc import Collection, Iterable
from dataclasses import replace

from oracle.lesson.meaning.notation import Ref, letters
from oracle.lesson.syntax import Node, Number, Power, Relation, Statement, Sum, rebuilt

ZERO = Number("0")


def starting_at_zero(statements: Iterable[Statement]) -> frozenset[str]:
    """What has steps, where a first one, numbered 0, is computed beside all others; nothing elsewhere."""
    bodies = [s.body for s in statements]
    refs = [part for body in bodies for part in body.walk() if isinstance(part, Ref) and part.slots]
    stepping = frozenset(ref.base for ref in refs if letters(_step(ref) or ZERO))
    general = {head.base for body in bodies if (head := _head(body)) and letters(_step(head) or ZERO)}
    begins = any(_begins(_stepped(body, stepping), general) for body in bodies)
    return stepping if begins else frozenset()


def from_one(statement: Statement, starting: Collection[str]) -> Statement:
    """A statement with its steps counted from 1, in a lesson where they begin at 0."""
    return replace(statement, body=_shifted(_stepped(statement.body, starting))) if starting else statement


def _stepped(node: Node, stepping: Collection[str]) -> Node:
    """The a of step 0 for a^0, which is no power in a lesson of a^t."""
    match node:
        case Power(base=Ref(base=base, slots=(), subs=()) as ref, exponent=Number(text="0")) if base in stepping:
            return replace(ref, slots=(("time", ZERO),), span=node.span)
    return rebuilt(node, lambda child: _stepped(child, stepping))


def _head(body: Node) -> Ref | None:
    match body:
        case Relation(items=(Ref() as head, *_), ops=("=" | ":=", *_)):
            return head
    return None


def _step(ref: Ref) -> Node | None:
    return dict(ref.slots).get("time")


def _begins(body: Node, general: set[str]) -> bool:
    """Whether a first step is computed from inputs of its own, by what other steps have in general."""
    head = _head(body)
    if head is None or _step(head) != ZERO or head.base not in general or not isinstance(body, Relation):
        return False
    made = [part for part in body.items[1].walk() if isinstance(part, Ref) and _step(part) is not None]
    return any(part.base not in general for part in made) and all(_step(part) == ZERO for part in made)


def _shifted(node: Node) -> Node:
    """1 for step 0, and sums over steps from there."""
    if isinstance(node, Ref):
        slots = tuple((kind, _on(slot) if kind == "time" else slot) for kind, slot in node.slots)
        return replace(node, slots=slots)
    made = rebuilt(node, _shifted)
    if isinstance(made, Sum) and made.lower == ZERO and _over_steps(made):
        return replace(made, lower=Number("1", span=made.lower.span))
    return made


def _over_steps(node: Sum) -> bool:
    steps = (_step(part) for part in node.body.walk() if isinstance(part, Ref))
    return any(name.base in letters(step) for step in steps if step is not None for name in node.indices)


def _on(slot: Node) -> Node:
    whole = isinstance(slot, Number) and slot.text.isdigit()
    return Number(str(int(slot.text) + 1), span=slot.span) if isinstance(slot, Number) and whole else slot
