r"""Marks of products as a lesson says that they are meant: "$\otimes$ denotes the Hadamard product"."""

import re
from dataclasses import replace
from itertools import pairwise

from oracle.lesson.document import Document, Formula, Prose

HADAMARD = re.compile(r"(?i)^[^.;$]{0,60}?(hadamard|element[- ]?wise|entry[- ]?wise|component[- ]?wise|逐元素|按元素)")
"""What is said right behind a mark of what it means."""


def with_marks_said(document: Document) -> Document:
    r"""The same lesson, in which \otimes is \odot if it says so."""
    pairs = pairwise(document.pieces)
    said = any(
        isinstance(a, Formula) and a.tex.strip() == r"\otimes" and isinstance(b, Prose) and HADAMARD.search(b.text)
        for a, b in pairs
    )
    return replace(document, macros={**document.macros, r"\otimes": (0, r"\odot ")}) if said else document
