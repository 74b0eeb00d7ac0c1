r"""Total differentials: dL = \mathrm{tr}(G^T dZ), dz = W dx, in lessons that read off gradients from them.

A d before a quantity on the right is any small change of it. Before the quantity on the left it is the change that
follows from those, all else held: the sum of ∂y/∂x dx over every x that changes on the right.
"""

import re
from collections.abc import Iterable
from dataclasses import replace

from oracle.lesson.meaning.gradients import PARAMETERS, named
from oracle.lesson.meaning.losses import LOSS
from oracle.lesson.syntax import Call, Derivative, Name, Node, Relation, Statement, Times, rebuilt

PREFIX = "d "
"""What stands before a quantity's name in that of its change."""
WORD = re.compile(r"d(?=[A-Za-z]$|theta$|Theta$)")
"""`dW`, which is read as one word."""
NUMBERS = {*LOSS, "l", "f"}


def total(statements: Iterable[Statement]) -> bool:
    """Whether a lesson's dL, dW, dz are changes: dL stands for itself, and no dW is said to be anything."""
    bodies = [with_changes(s.body) for s in statements if isinstance(s.body, Relation) and s.body.ops[0] in ("=", ":=")]
    heads = [(head, body) for body in bodies if isinstance(body, Relation) and (head := _changing(body.items[0]))]
    weights = any(head in PARAMETERS for head, _ in heads)
    losses = (body for head, body in heads if head in NUMBERS and (head != "f" or _traced(body)))
    return not weights and any(any(map(_changes, body.items[1:])) for body in losses)


def _traced(body: Node) -> bool:
    """Whether df is a trace: else f may be a gate, and df what the loss is differentiated to."""
    return any(isinstance(part, Call) and part.function in (Name("tr"), Name("Tr")) for part in body.walk())


def with_changes(node: Node) -> Node:
    """A formula in which every d before a symbol is part of its name."""
    return _of_formulas(named(_words(node), frozenset({"d"})))


def _of_formulas(node: Node) -> Node:
    """A formula in which d(AB) and dφ(Z) are calls of what makes changes."""
    match node:
        case Derivative():
            return node
        case Call(function=Name(base="d")):
            node = replace(node, function=Name(PREFIX, span=node.function.span))
        case Times(factors=factors, ops=ops):
            made, left = [factors[0]], list[str]()
            for op, factor in zip(ops, factors[1:], strict=True):
                if made[-1] == Name("d") and not op and isinstance(factor, Call):
                    made[-1] = Call(Name(PREFIX), (factor,), span=(made[-1].span[0], factor.span[1]))
                else:
                    made.append(factor)
                    left.append(op)
            node = replace(node, factors=tuple(made), ops=tuple(left)) if left else made[0]
    return rebuilt(node, _of_formulas)


def _words(node: Node) -> Node:
    if isinstance(node, Derivative):
        return node
    if isinstance(node, Name):
        return replace(node, base=WORD.sub(PREFIX, node.base))
    return rebuilt(node, _words)


def _changing(node: Node) -> str:
    """The letter of the quantity whose change a symbol is; "" of any other."""
    core = node
    while not isinstance(core, Name) and isinstance(base := getattr(core, "base", None), Node):
        core = base
    return core.base.removeprefix(PREFIX) if isinstance(core, Name) and core.base.startswith(PREFIX) else ""


def _changes(node: Node) -> bool:
    return any(isinstance(part, Name) and part.base.startswith(PREFIX) for part in node.walk())
