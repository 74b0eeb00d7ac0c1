r"""Letters that count though they are no usual ones: the a and b of ∂y_a/∂v_b = y_a (δ_{ab} - y_b).

A bias may be called b beside them: what δ_{ab} compares, and what picks an entry of [y - t]_b, counts.
"""

from oracle.lesson.syntax import Indexed, Name, Node, Plus, Times, Transpose

EQUAL = {"delta", "1", "bb 1", "I", "bb I"}
"""What is 1 where two indices are one."""
MADE = (Plus, Times, Transpose)
"""Formulas of which an index picks an entry."""


def compared(formula: Node) -> set[str]:
    """The letters of every δ_{ab} whose letters stand below something else of the formula, each, too."""
    found = [node for node in formula.walk() if isinstance(node, Indexed)]
    pairs = [pair for node in found if (pair := _pair(node))]
    below = {letter for node in found if not _pair(node) for letter in _letters(node)}
    picked = {letter for node in found if isinstance(node.base, MADE) for letter in _letters(node)}
    counted = picked | {letter for pair in pairs if pair <= below for letter in pair}
    return counted | {letter for node in found if not _pair(node) for letter in _beside(node, counted, found)}


def _beside(node: Indexed, counted: set[str], others: list[Indexed]) -> set[str]:
    """The f of W_{fg}, where g counts and f alone stands below something else, as in x_f δ_{dg}."""
    letters = _letters(node)
    if len(node.subs) != 2 or len(letters) != 2 or not letters & counted:
        return set()
    return {letter for letter in letters if any(_letters(other) == {letter} for other in others)}


def _pair(node: Indexed) -> set[str]:
    """The a and b of δ_{ab}."""
    letters = _letters(node)
    known = isinstance(node.base, Name) and node.base.base in EQUAL
    return letters if known and len(node.subs) == len(letters) == 2 else set()


def _letters(node: Indexed) -> set[str]:
    return {sub.base for sub in node.subs if isinstance(sub, Name) and len(sub.base) == 1}
