"""What an audit found, as plain data: the only thing that its reports see."""

from typing import Literal

from msgspec import Struct

Verdict = Literal[
    "holds",
    "holds under",
    "fails",
    "ill-typed",
    "vacuous",
    "definition",
    "update",
    "not understood",
    "aside",
    "skipped",
]
"""`aside` is a relation that claims nothing about values (x ∈ ℝⁿ, i = 1, …, n); `skipped`: the lesson says so."""

BAD: frozenset[str] = frozenset({"fails", "ill-typed"})
"""What makes the audit fail."""


class Place(Struct, frozen=True):
    """Where in the file; lines and columns count from 1, `start` and `end` are offsets into the file's text."""

    line: int
    column: int
    end_line: int
    start: int
    end: int


class Sample(Struct, frozen=True):
    """One symbol or partial of the counterexample, with its number."""

    tex: str
    value: str


class Counterexample(Struct, frozen=True):
    """A net of one unit in each layer, with small numbers, in which the two sides differ."""

    net: tuple[Sample, ...]
    left: Sample
    right: Sample


class Suggestion(Struct, frozen=True):
    """A repair that was verified on fresh nets."""

    kind: Literal["edit", "relabel", "exchange", "joint"]
    tex: str
    """The equation repaired, as TeX to copy."""
    words: str
    """What changes, in a sentence: "put z_k for y_k on the left"."""
    others: tuple[tuple[int, str], ...] = ()
    """Of a joint repair: the other equations by number, and their repaired TeX."""


class Link(Struct, frozen=True):
    """One relation of a chain: the member right of it, held against the head of the chain (or the member before)."""

    left: str
    """TeX of the side that is taken for the truth."""
    relation: str
    right: str
    verdict: Verdict
    reason: str = ""
    """Why, in a sentence: what is wrong, what the right side is in truth, where parsing stopped."""
    under: str = ""
    """Of `holds under`: the reading under which it holds."""
    difference: tuple[float, float] | None = None
    """Smallest and largest relative difference over the nets."""
    counterexample: Counterexample | None = None
    place: Place | None = None
    """Of the right side."""
    deliberate: bool = False
    """The lesson says that it is wrong on purpose (`<!-- audit: wrong on purpose -->`)."""


class Equation(Struct, frozen=True):
    """One formula of the lesson."""

    number: int
    """Counts from 1 through the whole lesson."""
    tex: str
    """As the lesson has it, macros not expanded."""
    place: Place
    display: bool
    links: tuple[Link, ...]
    suggestions: tuple[Suggestion, ...] = ()
    label: str = ""
    """The lesson's own number or label, if it has one."""

    @property
    def verdict(self) -> Verdict:
        """The worst of its links."""
        order: tuple[Verdict, ...] = (
            "fails", "ill-typed", "not understood", "vacuous", "holds under", "holds", "update", "definition",
            "aside", "skipped",
        )  # fmt: skip
        found = {link.verdict for link in self.links if not (link.deliberate and link.verdict in BAD)}
        return next((verdict for verdict in order if verdict in found), "skipped")


class Remark(Struct, frozen=True):
    """What concerns the lesson as a whole, or several equations at once."""

    kind: Literal["cancelling", "contradiction", "undefined", "two quantities", "deliberate"]
    words: str
    equations: tuple[int, ...] = ()
    """Numbers of equations, the place of the first one is the remark's."""
    suggestion: Suggestion | None = None
    line: int = 0


class Worked(Struct, frozen=True):
    """One number of a worked example."""

    name: str
    """TeX of what it is the value of."""
    line: int
    published: str
    recomputed: str
    explanation: str
    """"" where it is right to its printed digits; else what explains it, or that nothing does."""
    verdict: Literal["right", "rounded", "variant", "wrong", "not recomputed"]
    """`rounded` comes from rounded intermediate values, `variant` from a named variant (the order of update)."""


class Code(Struct, frozen=True):
    """A block of code that defines a backward pass."""

    line: int
    language: str
    function: str
    verdict: Literal["match", "mismatch", "not judged"]
    words: str
    """What `oracle check` says of it, or why it was not judged."""


class Note(Struct, frozen=True):
    """Something in the file that could not be read at all: a sentence, never skipped in silence."""

    line: int
    words: str


class Audit(Struct, frozen=True):
    """All that was found in one lesson."""

    lesson: str
    """The file's name, as it was given."""
    title: str
    format: str
    """"markdown", "latex", "html", "restructuredtext", "notebook" or "text"."""
    profile: str
    """The notation under which the lesson was read."""
    net: tuple[str, ...]
    """The net assumed, a TeX equation a line, those that were supplied ending in "% assumed"."""
    readings: tuple[str, ...]
    """What else was assumed, a sentence each: the loss, the activation, what δ means."""
    equations: tuple[Equation, ...]
    remarks: tuple[Remark, ...] = ()
    numbers: tuple[Worked, ...] = ()
    code: tuple[Code, ...] = ()
    notes: tuple[Note, ...] = ()
    nets: int = 0
    """On how many random nets each link was tried."""

    @property
    def failed(self) -> bool:
        """Whether something is wrong that is not wrong on purpose."""
        links = [link for equation in self.equations for link in equation.links]
        return (
            any(link.verdict in BAD and not link.deliberate for link in links)
            or any(number.verdict == "wrong" for number in self.numbers)
            or any(code.verdict == "mismatch" for code in self.code)
            or any(remark.kind in ("contradiction", "deliberate") for remark in self.remarks)
        )
