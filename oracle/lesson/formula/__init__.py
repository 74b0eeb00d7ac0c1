"""Formulas read: from TeX to the trees of `oracle.lesson.syntax`."""

from oracle.lesson.formula.grammar import parse

__all__ = ["parse"]
