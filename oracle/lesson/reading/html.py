"""HTML: TeX in the annotations of KaTeX and MathML, scripts of MathJax, `alttext`, and between delimiters; code."""

import re
from dataclasses import dataclass, field, replace
from html import escape as entities
from html import unescape
from html.parser import HTMLParser

from oracle.lesson.document import CodeBlock, Document, Formula, Piece, Prose, Table
from oracle.lesson.reading.delimiters import OPENING, Delimited
from oracle.lesson.reading.source import Source, same
from oracle.lesson.records import Note, Place

VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
UNREAD = {"script", "style", "pre", "code", "math", "svg", "textarea", "title", "mjx-container"}
RENDERED = re.compile(r"(?:^|\s)(?:katex\S*|MathJax\S*|mwe-math\S*|ltx_Math)(?:\s|$)")
FORMULA_IMAGE = re.compile(r"tex|math|equation", re.IGNORECASE)
BLOCK = re.compile(r"h[1-6]|p|div|li|ul|ol|table|tr|td|th|blockquote|section|article|body|br|dd|dt|figure")
ALTTEXT = re.compile(r"""\balt(?:text)?\s*=\s*(?:"([^"]*)"|'([^']*)')""", re.IGNORECASE)
TEX = re.compile(r"application/x-tex|^(?:la)?tex$|text/x-tex", re.IGNORECASE)


def read(path: str, text: str) -> Document:
    """The document of a page."""
    page = Page(Source(path, "html", text))
    page.feed(text[: _end(page.source)])
    page.close()
    return page.finish()


def _end(source: Source) -> int:
    """Where the page ends for a browser: at a comment that is never closed."""
    start = source.text.find("<!--", source.text.rfind("-->") + 1)
    if start < 0:
        return len(source.text)
    source.note(start, "the comment that `<!--` opens is never closed; nothing after it is read")
    return start


def quoted(tex: str) -> str:
    """TeX as the text of an element."""
    return entities(tex, quote=False)


@dataclass(frozen=True)
class Open:
    """An element that is open: its tag, where its content begins, its attributes, and whether it shows its TeX."""

    tag: str
    start: int
    begin: int
    attributes: dict[str, str]
    words: int
    formulas: int = 0


@dataclass
class Words:
    """The text that a reader sees, each character with where it begins and ends in the file."""

    text: list[str] = field(default_factory=list)
    begins: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)

    def add(self, signs: str, begin: int, end: int | None = None) -> None:
        """Characters that stand one by one from `begin` on, or that are one entity up to `end`."""
        for number, sign in enumerate(signs):
            self.text.append(sign)
            self.begins.append(begin if end else begin + number)
            self.ends.append(end or begin + number + 1)


class Page(HTMLParser):
    """Walks through a page; what it finds goes to the source, the words are searched for delimiters at the end."""

    def __init__(self, source: Source) -> None:
        super().__init__(convert_charrefs=False)
        self.source, self.words, self.stack = source, Words(), list[Open]()
        self.said: list[tuple[int, str]] = []
        self.hidden: list[tuple[int, int]] = []
        self.rows: list[list[tuple[str, int]]] = []

    @property
    def at(self) -> int:
        """The offset of the token that is read now."""
        line, column = self.getpos()
        return self.source.starts[line - 1] + column

    @property
    def unread(self) -> bool:
        """Whether the words here are of a formula, or of code."""
        return any(one.tag in UNREAD or RENDERED.search(one.attributes.get("class", "")) for one in self.stack)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element opens."""
        given = {name: value or "" for name, value in attrs}
        raw = self.get_starttag_text() or ""
        self._break(tag)
        if tag == "img" and FORMULA_IMAGE.search(given.get("class", "")) and not self.unread:
            self._alttext(raw, self.at, (self.at, self.at + len(raw)), display=False)
        if tag == "tr":
            self.rows.append([])
        if tag not in VOID:
            self.stack.append(
                Open(tag, self.at + len(raw), self.at, given, len(self.words.text), len(self.source.pieces))
            )

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element without content."""
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.stack.pop()

    def handle_endtag(self, tag: str) -> None:
        """An element closes, and with it all that its author forgot to close."""
        self._break(tag)
        if not any(one.tag == tag for one in self.stack):
            return
        while (one := self.stack.pop()).tag != tag:
            continue
        self._closed(one, self.at)

    def handle_data(self, data: str) -> None:
        """Words."""
        if not self.unread:
            self.words.add(data, self.at)

    def handle_entityref(self, name: str) -> None:
        """`&lt;` and its like; an ampersand of TeX that looks like one is two words."""
        self._entity(f"&{name}")

    def handle_charref(self, name: str) -> None:
        """`&#60;`."""
        self._entity(f"&#{name}")

    def handle_comment(self, data: str) -> None:
        """`<!-- audit: ... -->`."""
        if match := re.match(r"\s*audit:(.*)", data, re.DOTALL):
            self.source.audit(match[1], self.at)
            self.said += [(self.at, words) for words in self.source.directives()]

    def _entity(self, raw: str) -> None:
        end = self.at + len(raw)
        end += self.source.text.startswith(";", end)
        raw = self.source.text[self.at : end]
        if self.unread:
            return
        shown = unescape(raw)
        self.words.add(shown, self.at, None if shown == raw else end)

    def _break(self, tag: str) -> None:
        """Formulas do not go from one block to the next; a broken line is a line."""
        if BLOCK.fullmatch(tag) and not self.unread:
            self.words.add("\n" if tag == "br" else "\n\n", self.at, self.at + 1)

    def _closed(self, one: Open, end: int) -> None:
        kind = one.attributes.get("type", "") + one.attributes.get("encoding", "")
        if one.tag == "annotation" and TEX.search(kind):
            self._formula((one.start, end), display=self._display())
        elif one.tag == "script" and kind.startswith("math/tex"):
            self._formula((one.start, end), display="display" in kind, script=True)
        elif one.tag == "math" and len(self.source.pieces) == one.formulas:
            raw = self.source.text[one.begin : one.start]
            self._alttext(raw, one.begin, (one.begin, end), display=one.attributes.get("display") == "block")
        elif one.tag == "pre" and not self.unread:
            self._code(one, end)
        elif re.fullmatch("h[1-6]|title", one.tag):
            self._heading(one, end)
        elif one.tag in ("td", "th") and self.rows:
            self.rows[-1].append((self.source.text[one.start : end].strip(), one.begin))
        elif one.tag == "table":
            self._table(one, end)

    def _display(self) -> bool:
        return any(
            "katex-display" in one.attributes.get("class", "") or one.attributes.get("display") == "block"
            for one in self.stack
        )

    def _formula(self, span: tuple[int, int], *, display: bool, script: bool = False) -> None:
        """A script is the one element in which an ampersand stands for itself."""
        change = (same, same) if script else (unescape, quoted)
        self.source.formula(span, span, display=display, unescape=change[0], escape=change[1])
        self.words.add("\ufffc", span[0], span[1])

    def _alttext(self, raw: str, begin: int, whole: tuple[int, int], *, display: bool) -> None:
        match = ALTTEXT.search(raw)
        if not match or not (match[1] or match[2]):
            self.source.note(begin, "a formula is shown here without its TeX (no annotation, no `alttext`)")
            return
        start, end = match.span(1 if match[1] else 2)
        span = (begin + start, begin + end)
        self.source.formula(span, whole, display=display, unescape=unescape, escape=entities)
        self.words.add("\ufffc", begin, whole[1])

    def _code(self, one: Open, end: int) -> None:
        raw = self.source.text[one.start : end]
        said = re.search(r"(?:language|lang|highlight-source|brush:)[-\s:]*([\w+#]+)", self._classes(one, raw))
        words = unescape(re.sub(r"<[^>]*>", "", raw))
        self.source.code((one.start, end), (one.begin, end), said[1] if said else "", words)

    def _classes(self, one: Open, raw: str) -> str:
        around = [*self.stack[-2:], one]
        return " ".join([*(each.attributes.get("class", "") for each in around), *re.findall(r'class="([^"]*)"', raw)])

    def _heading(self, one: Open, end: int) -> None:
        raw = self.source.text[one.start : end]
        words = " ".join(unescape(re.sub(r"<[^>]*>", "", raw)).split())
        if one.tag in ("h1", "title") and not (self.source.title and one.tag == "title"):
            self.source.title = words
        if one.tag != "title" and words:
            self.source.pieces.append(Prose(words, self.source.place(one.start, end), int(one.tag[1])))
            self.hidden.append((one.words, len(self.words.text)))

    def _table(self, one: Open, end: int) -> None:
        rows, self.rows = [row for row in self.rows if row], []
        if rows:
            cells = tuple(tuple(cell for cell, _ in row) for row in rows)
            lines = tuple(self.source.line(row[0][1]) for row in rows)
            self.source.pieces.append(Table(cells, lines, self.source.place(one.begin, end)))

    def finish(self) -> Document:
        """Formulas between delimiters, too, and what comments said of them."""
        source, text = self.source, "".join(self.words.text)
        seen = Source(source.path, source.format, text)
        maths, at = Delimited(seen), 0
        while match := OPENING.search(text, at):
            at = max(maths.read(match), at + 1)
        seen.taken += self.hidden
        seen.taken += [match.span() for match in re.finditer("\ufffc", text)]
        document = seen.document()
        source.macros.update(document.macros)
        source.pieces += [self._moved(piece) for piece in document.pieces]
        source.notes += [Note(self._line(seen, note.line), note.words) for note in document.notes]
        self._attach()
        source.taken = [(0, len(source.text))]
        return source.document()

    def _moved(self, piece: Piece) -> Piece:
        """A piece of the words at its place in the file."""
        start, end = self.words.begins[piece.place.start], self.words.ends[piece.place.end - 1]
        place: Place = self.source.place(start, end)
        if isinstance(piece, Formula):
            inner = piece.escape
            return replace(piece, place=place, escape=lambda tex: quoted(inner(tex)))
        return replace(piece, place=place)

    def _line(self, seen: Source, line: int) -> int:
        return self.source.line(self.words.begins[min(seen.starts[line - 1], len(self.words.begins) - 1)])

    def _attach(self) -> None:
        """What a comment says is said of the formula or the block of code that comes next."""
        pieces = self.source.pieces
        pieces.sort(key=lambda piece: piece.place.start)
        for at, words in self.said:
            for number, piece in enumerate(pieces):
                if piece.place.start > at and isinstance(piece, Formula | CodeBlock):
                    pieces[number] = replace(piece, directives=(*piece.directives, words))
                    break
            else:
                self.source.note(at, f"no formula follows `audit: {words}`")
