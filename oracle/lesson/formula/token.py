"""One token of a formula, and what a token is by those beside it."""

from dataclasses import dataclass, replace

from oracle.lesson.formula.symbols import OPERATIONS, RELATIONS
from oracle.lesson.syntax import Span

_ENDS = RELATIONS.keys() | OPERATIONS | {")", "]", "}", ",", ".", "\\\\", "&", "'", "/", r"\top"}
COLUMN = "column"
"""The kind of a `&` outside of matrices."""


@dataclass(frozen=True)
class Token:
    r"""A command with its backslash, a letter, a word, a number or a mark.

    `kind` is command, word, text, style, number or mark; `fence` is left or right after \left and \right.
    """

    text: str
    span: Span
    kind: str = "mark"
    fence: str = ""
    upright: bool = False
    r"""Whether it stood in a \text or \mathrm of its own."""


class UnreadableError(Exception):
    """Where a formula could not be read, and why."""

    def __init__(self, span: Span, reason: str):
        super().__init__(reason)
        self.span, self.reason = span, reason


def summed(found: list[Token]) -> list[Token]:
    r"""`\Sigma dZ` and `\Sigma_{i=1}^m x_i` are sums; a matrix of that name stands before a sign, a power, an end."""
    if any(_matrix(found, k) for k, token in enumerate(found) if token.text == r"\Sigma"):
        return found
    return [replace(token, text=r"\sum", kind="command") if token.text == r"\Sigma" else token for token in found]


def _scripted(found: list[Token], k: int) -> int:
    """The end of the scripts that may begin at k."""
    while k < len(found) - 1 and found[k].text in ("_", "^"):
        braced = found[k + 1].text == "{"
        k = next((n + 1 for n in range(k, len(found)) if found[n].text == "}"), len(found)) if braced else k + 2
    return k


def _matrix(found: list[Token], k: int) -> bool:
    """Whether the Σ at k is a quantity: nothing follows that can be summed, or a power of it does."""
    after = [token.text for token in found[k + 1 : k + 4]]
    end = _scripted(found, k + 1)
    if end == len(found) or found[end].text in _ENDS:
        return True
    power = "".join(after[1:]).lstrip("{")
    return after[0] == "^" and (power[:2] in ("-1", "T}", "T") or power[:1] in ("T", "-", "\\", "(", "["))
