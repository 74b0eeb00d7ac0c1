"""A place in the tokens of a formula: what every part of the grammar stands on."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from oracle.lesson.formula.symbols import ACCENTS, ALPHABETS, CLOSING, OPENING, PAIRS
from oracle.lesson.formula.token import Token, UnreadableError
from oracle.lesson.syntax import Name, Node, Span

END = Token("", (0, 0), "end")
DEEPEST = 60


@dataclass
class Limits:
    """What one formula may cost: a part may be read twice, and nested parts again and again, but not for ever."""

    functions: frozenset[str]
    steps: int = 200_000


def nesting(token: Token) -> int:
    """1 where a token opens something, -1 where it closes something."""
    if token.text in OPENING or token.text.startswith(r"\begin ") or token.fence == "left":
        return 1
    return -1 if token.text in CLOSING or token.text.startswith(r"\end ") or token.fence == "right" else 0


class Cursor(ABC):
    """Tokens, and how many of them are read."""

    def __init__(self, found: Sequence[Token], limits: Limits, depth: int = 0):
        self.tokens, self.limits, self.depth, self.at = list(found), limits, depth, 0
        if depth > DEEPEST:
            raise UnreadableError(found[0].span if found else (0, 0), "nested too deeply; write it in parts")

    @abstractmethod
    def items(self) -> Node:
        """Relations between commas."""

    @abstractmethod
    def term(self) -> Node:
        """What stands between + and -."""

    @abstractmethod
    def product(self, bare: bool = False) -> Node:
        """Factors side by side."""

    @abstractmethod
    def factor(self) -> Node:
        """A symbol with its scripts and arguments, a fraction, a parenthesis."""

    @abstractmethod
    def begins(self) -> bool:
        """Whether a factor may begin here."""

    @property
    def text(self) -> str:
        """The next token's text, "" at the end."""
        return self.peek().text

    def peek(self, ahead: int = 0) -> Token:
        """A token further on; none is taken."""
        return self.tokens[self.at + ahead] if self.at + ahead < len(self.tokens) else END

    def take(self) -> Token:
        """The next token. Raises UnreadableError at the end."""
        token = self.peek()
        self.limits.steps -= 1
        if token is END or self.limits.steps < 0:
            where = self.tokens[-1].span if self.tokens else (0, 0)
            short = "the formula ends where something should follow" if token is END else "too much to read at once"
            raise UnreadableError(where, short)
        self.at += 1
        return token

    def span(self, start: int) -> Span:
        """From the token numbered `start` to the last one taken."""
        if not self.tokens:
            return (0, 0)
        first, last = self.tokens[min(start, len(self.tokens) - 1)].span, self.tokens[max(self.at - 1, 0)].span
        return (min(first[0], last[0]), max(first[1], last[1]))

    def finish(self) -> None:
        """Raise UnreadableError unless everything was read."""
        if self.at < len(self.tokens):
            raise UnreadableError(self.peek().span, f"{self.text} was not expected here")

    def inside(self, found: Sequence[Token]) -> Self:
        """A cursor over some of the tokens."""
        return type(self)(found, self.limits, self.depth + 1)

    def whole(self, found: Sequence[Token]) -> Node:
        """What some of the tokens say, all of them."""
        if not found:
            raise UnreadableError(self.span(self.at - 1), "nothing stands here")
        if len(found) == 1 and found[0].text in (r"\cdot", r"\bullet"):  # f(\cdot): of anything
            return Name(":", span=found[0].span)
        reader = self.inside(found)
        node = reader.items()
        reader.finish()
        return node

    def group(self) -> list[Token]:
        """The tokens of the next argument, braces or brackets off; one token where there are none."""
        first = self.take()
        if first.text in ACCENTS or first.text in ALPHABETS or first.kind == "style":
            start = self.at - 1
            self.group()
            return self.tokens[start : self.at]
        if first.text not in OPENING:
            return self._digit(first) if first.kind == "number" and len(first.text) > 1 else [first]
        end = self._closing(first)
        found = self.tokens[self.at : end]
        self.limits.steps -= len(found)
        self.at = end + 1
        return found

    def _closing(self, first: Token) -> int:
        """The number of the token that closes one just taken."""
        close = "}" if first.text == "{" else PAIRS.get(first.text)
        depth = 1
        for k in range(self.at, len(self.tokens)):
            token = self.tokens[k]
            if first.fence:
                depth += (token.fence == "left") - (token.fence == "right")
            else:
                depth += (token.text == first.text) - (token.text == close)
            if not depth:
                return k
        raise UnreadableError(first.span, f"{first.text} is never closed")

    def _digit(self, first: Token) -> list[Token]:
        r"""One digit of a number, as TeX takes it: `\frac12`."""
        self.at -= 1
        a, b = first.span
        self.tokens[self.at] = Token(first.text[1:], (min(a + 1, b), b), "number")
        return [Token(first.text[0], (a, min(a + 1, b)), "number")]


def divided(found: Sequence[Token], marks: set[str]) -> list[list[Token]]:
    """Tokens between marks that stand in no parenthesis."""
    parts: list[list[Token]] = [[]]
    depth = 0
    for token in found:
        depth += nesting(token)
        if not depth and token.text in marks:
            parts.append([])
        else:
            parts[-1].append(token)
    return parts
