r"""The step that a loss without one is of: E = ½ (y_t - d_t)² is the loss of a step t, which is the last one then."""

from oracle.lesson.meaning.losses import LOSSES
from oracle.lesson.meaning.naming import core
from oracle.lesson.meaning.notation import Ref, letters
from oracle.lesson.meaning.program import Definition
from oracle.lesson.syntax import Node, Sum


def step_meant(definitions: list[Definition], ends: set[str]) -> str:
    """The t of E = ½ (y_t - d_t)², which is none of the `ends`; "" where losses have steps, or add them up."""
    losses = [d for d in definitions if core(d.head.base) in LOSSES and "time" not in d.head.kinds]
    found = {letter for d in losses for letter in _free(d.body, frozenset())} - ends
    return found.pop() if len(found) == 1 else ""


def _free(node: Node, bound: frozenset[str]) -> set[str]:
    """The letters that count steps in a formula that adds up none of them."""
    bound |= {name.base for name in node.indices} if isinstance(node, Sum) else set()
    slots = node.slots if isinstance(node, Ref) else ()
    own = {letter for kind, slot in slots if kind == "time" for letter in letters(slot)} - bound
    return own.union(*(_free(child, bound) for child in node.children()))
