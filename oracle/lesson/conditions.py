r"""Conditions in the prose of a lesson: "If $i = j$: $$…$$", "$$…$$ for $i \neq j$", "当 $i = j$ 时".

A condition that stands right before a formula, or right after it, is said of that formula. The formulas that follow may
be meant under it too, until a heading or another condition: for those it is a reading, and no more.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from oracle.lesson.document import Document, Formula, Prose
from oracle.lesson.meaning.limits import spoken
from oracle.lesson.syntax import Limit

LEADING = re.compile(
    r"(?i)(\b(if|when(ever)?|for|where|in case|case|cases|suppose|assum\w+|consider\w*|given|with|provided|let|"
    r"diagonal|equal|index|indices|class|si|se|cuando|quando|lorsque|pour|caso?|falls|wenn|für|fall|если|при|когда|"
    r"eğer)\b|当|當|若|如果|对于?|假设|设|情况|时|만약|もし)"
)
"""Words that begin a condition."""
TRAILING = re.compile(
    r"[\s.,;:(]*(if|when(ever)?|for|where|provided( that)?|as long as|in case|si|se|cuando|pour|"
    r"para|falls|wenn|für|если|при|当|若)?[\s(]*(all|any|every)?\s*"
)
"""What stands between a formula and a condition that is said of it afterwards."""
AGAINST = re.compile(
    r"(?i)\b(otherwise|else|unless|other|others|off|not|differ\w*|remaining|rest|elsewhere|both|combin\w+|together|"
    r"general|all|sinon|sino|finalement|sonst|andernfalls|иначе)\b|否则|其他|其它|其余|不|反之|除|综上|合并|综合"
)
"""Words after which a condition may be over, or turned round."""
ELSE = re.compile(r"(?i)\b(otherwise|else|sinon|sino|sonst|andernfalls|иначе)\b|否则|反之")
AND = ("", "and", "&", "且", "和", "并且")
NEAR = 120
"""So many characters may stand between a condition and its formula."""


@dataclass
class _Said:
    """Conditions, and how far the text has gone since."""

    limits: tuple[Limit, ...] = ()
    led: bool = False
    """Whether a word like "if" stands before it."""
    since: str = ""
    """The words after it."""
    used: bool = False
    """Whether a formula has followed that they were said of."""
    trailing: bool = False
    """Whether they were said of the formula before them."""
    before: tuple[int, tuple[Limit, ...]] = (-1, ())
    """The place of that formula, and what it had until then."""


def conditions(
    document: Document, alone: Mapping[int, tuple[Limit, ...]], letters: Collection[str]
) -> dict[int, tuple[Limit, ...]]:
    """By the place of a formula among the pieces, the conditions that the text sets it; `alone` are formulas that are
    conditions and nothing more.
    """
    return _Walk(document, alone, letters).found


@dataclass
class _Walk:
    document: Document
    alone: Mapping[int, tuple[Limit, ...]]
    letters: Collection[str]
    found: dict[int, tuple[Limit, ...]] = field(default_factory=dict)
    said: _Said = field(default_factory=_Said)
    words: str = ""
    """The prose since the last formula that is no condition."""
    last: int = -1
    """The place of that formula."""

    def __post_init__(self) -> None:
        for k, piece in enumerate(self.document.pieces):
            if isinstance(piece, Prose):
                self._prose(piece)
            elif isinstance(piece, Formula) and k in self.alone:
                self._condition(self.alone[k], self.words, self._same_paragraph(k))
            elif isinstance(piece, Formula):
                self._formula(k, piece)

    def _prose(self, piece: Prose) -> None:
        if piece.level:
            self.said, self.words, self.last = _Said(), "", -1
        at = 0
        for limit, start, end in spoken(piece.text, self.letters):
            before = piece.text[at:start]
            self.words += before
            self._condition((limit,), self.words, "\n\n" not in self.words)
            at = end
        self.words += piece.text[at:] + " "
        self.said.since += piece.text[at:] + " "

    def _condition(self, limits: tuple[Limit, ...], before: str, near: bool) -> None:
        """Conditions are met, after some words; `near`: in the paragraph of the formula before."""
        again = limits == self.said.limits and not self.said.used
        if again and not ELSE.search(self.said.since):  # a heading's formulas are in its text too
            return
        joined = bool(self.said.limits) and self.said.since.strip(" ,;\n") in AND
        if self.last >= 0 and near and (self._after(before, limits) or (joined and self.said.trailing)):
            had = self.found.get(self.last, ())
            self._give(self.last, limits)
            self.said = _Said(limits, used=True, trailing=True, before=(self.last, had))
        elif joined and not self.said.used:
            self.said = replace(self.said, limits=(*self.said.limits, *limits), since="")
        else:
            self.said = _Said(limits, bool(LEADING.search(before[-40:])))
        self.words = ""
        self.last = self.last if self.said.trailing else -1

    def _after(self, before: str, limits: tuple[Limit, ...]) -> bool:
        """Whether a condition is said of the formula before it, which has none yet."""
        sure = [{old.a, old.b} for old in self.found.get(self.last, ()) if old.sure]
        free = all({new.a, new.b} not in sure for new in limits)
        return free and bool(TRAILING.fullmatch(before) and before.strip(" .,;:("))

    def _formula(self, k: int, piece: Formula) -> None:
        """A formula under the conditions before it, or, after the word otherwise, under their opposite."""
        said = self.said
        if said.trailing and said.since.strip() in (":", "："):  # "…$$ if $i = j$: $$…": of the next one
            last, had = said.before
            self.found[last], said.led, said.used, said.trailing = had, True, False, False
        near = len(said.since) < NEAR
        sure = said.led and not said.used and near and not AGAINST.search(said.since)
        goes_on = said.led and not said.since.strip(" \n.,;")
        limits = tuple(replace(limit, sure=sure or (bool(limit.where) and goes_on)) for limit in said.limits)
        if near and len(limits) == 1 and ELSE.search(said.since):
            limits = (limits[0].otherwise,)
        self._give(k, limits)
        if piece.display or (sure and not said.since.strip(" ,:;，：时则\n").replace("then", "")):
            said.used, said.since = True, ""
        self.words, self.last = "", k

    def _give(self, k: int, limits: tuple[Limit, ...]) -> None:
        kept = [old for old in self.found.get(k, ()) if {old.a, old.b} not in [{new.a, new.b} for new in limits]]
        self.found[k] = (*kept, *limits)

    def _same_paragraph(self, k: int) -> bool:
        """Whether no empty line stands between a condition and the formula before it."""
        if self.last < 0:
            return False
        before, here = (self.document.pieces[n].place for n in (self.last, k))
        return "\n\n" not in self.document.text[before.end : here.start]
