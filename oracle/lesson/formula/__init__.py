"""Formulas read and written: TeX to the trees of `oracle.lesson.syntax`, and back."""

from oracle.lesson.formula.grammar import parse
from oracle.lesson.formula.printing import to_tex

__all__ = ["parse", "to_tex"]
