r"""Conditions in words: `\text{if $i$ equals $j$}`, `k \text{ is the correct class}`, `\text{for all other } k`."""

import re

from oracle.lesson.formula.token import Token
from oracle.lesson.syntax import Name, Node, Relation, Text

CLASS = "class"
"""What the true class is called until the lesson's letter for it is known."""
LETTER = r"\\?([A-Za-z])"
EQUAL = re.compile(
    rf"{LETTER}(?: and {LETTER})?,? (?:equals|is equal to|is the same as|are equal|are the same)(?: {LETTER})?"
)
APART = re.compile(
    rf"{LETTER}(?: and {LETTER})?,? (?:differs from|is different from|does not equal|is not equal to|is unequal to"
    rf"|are different|differ|are not equal|is other than)(?: {LETTER})?"
)
TRUE = re.compile(
    rf"{LETTER} is (not )?(?:the |an? )?(?:index of the )?"
    r"(?:true|correct|right|target|actual|ground[ -]truth|gold|real|labell?ed)"
    r"(?: (?:class|label|word|category|index|one|answer))?"
)
OTHERS = re.compile(r"(?:(?:for|in|if|with) )?(?:(?:all|any|the|every|each) )*(?:others?|remaining)\b.*|if not|not so")


def worded(tokens: list[Token]) -> Node | None:
    """What words and letters say of two indices; None where they say nothing that is known here."""
    words = " ".join(" ".join(token.text for token in tokens if token.text not in ("{", "}", ",", ".")).split())
    span = (tokens[0].span[0], tokens[-1].span[1]) if tokens else (0, 0)
    plain = re.sub(r"^(?:if|when|for|where|whenever) ", "", words)
    if OTHERS.fullmatch(words.lower()):
        return Text("otherwise", span=span)
    if true := TRUE.fullmatch(plain):
        return Relation((Name(true[1]), Name(CLASS)), ("!=" if true[2] else "=",), span=span)
    for pattern, op in ((EQUAL, "="), (APART, "!=")):
        if (found := pattern.fullmatch(plain)) and bool(found[2]) != bool(found[3]):
            return Relation((Name(found[1]), Name(found[2] or found[3])), (op,), span=span)
    return None
