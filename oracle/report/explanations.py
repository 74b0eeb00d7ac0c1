"""Pages that explain faults: the same content as text, Markdown and HTML, one page a fault and an index of all."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup
from rich.console import Console

from oracle import spec
from oracle.faults import FAMILIES, Fault
from oracle.records import Finding
from oracle.report import terminal
from oracle.report.page import Page
from oracle.report.pages import render_html, render_markdown
from oracle.report.words import plural

if TYPE_CHECKING:
    from oracle.explanations import Explanation

HEADS = ("right", "wrong", "ratio")
PARTS = {
    "forward": "the forward pass",
    "backward": "the backward pass: an error signal, steps 1 to 3",
    "partials": "the partials of weights and biases, step 4",
    "update": "the update, step 5",
    "contract": "the contract: what is returned, and when",
}


def print_explanation(console: Console, x: "Explanation") -> None:
    """A page on a console, in colour where it is a terminal."""
    explanation_page(x).print(console)


def explanation_page(x: "Explanation") -> Page:
    """A page as text."""
    page, fault = Page(), x.fault
    page.line((f"{fault.code}  ", "faint"), (fault.name, "strong"), indent=0)
    page.block(fault.story)
    page.block(fault.wrong, first=("wrong  ", "bad"), indent=4)
    page.block(fault.right, first=("right  ", "good"), indent=4)
    page.heading("WHAT IS KNOWN OF IT")
    page.table([(f"{label}:", "faint"), text] for label, text in facts(x))
    if x.example is None:
        page.heading("NO EXAMPLE")
        page.line(without_example(x))
    else:
        terminal.smallest_case(page, x.example)
        _numbers(page, x.example, x)
    if x.confused:
        page.heading("EASILY CONFUSED WITH", "the same numbers on this example")
        page.table([(other.code, "faint"), other.name, (other.wrong, "faint")] for other in x.confused)
    page.heading("TO SEE IT YOURSELF")
    page.line(command(x) or to_see(x))
    page.line((to_see(x) if x.seeds else "", "faint"))
    return page


def _numbers(page: Page, example: Finding, x: "Explanation") -> None:
    page.heading("RIGHT AND WRONG", "wrong entries are marked *")
    page.line((made_by(x), "faint"))
    terminal.comparisons(page, example, ("wrong", "right"), HEADS)


def explanation_html(x: "Explanation", linked: Iterable[str] = ()) -> str:
    """A page as one file; `linked` are the codes whose pages lie beside it."""
    return render_html("fault.html.j2", **_context(x, linked))


def explanation_markdown(x: "Explanation", linked: Iterable[str] = ()) -> str:
    """A page in Markdown."""
    return render_markdown("fault.md.j2", **_context(x, linked))


def write_pages(pages: Sequence["Explanation"], directory: Path, index: bool = False) -> list[Path]:
    """A page of each fault in both formats, and an index of them; equal pages give equal bytes."""
    linked = {x.fault.code for x in pages}
    written = []
    for x in pages:
        written.append(spec.write(directory / f"{x.fault.code}.html", explanation_html(x, linked).encode()))
        written.append(spec.write(directory / f"{x.fault.code}.md", explanation_markdown(x, linked).encode()))
    if index:
        families = {FAMILIES[k]: list(its) for k, its in groupby(sorted(pages, key=_code), lambda x: x.fault.code[0])}
        written.append(spec.write(directory / "index.html", render_html("faults.html.j2", families=families).encode()))
        written.append(spec.write(directory / "index.md", render_markdown("faults.md.j2", families=families).encode()))
    return written


def _code(x: "Explanation") -> str:
    return x.fault.code


# ---------------------------------------------------------------------------------------------------------- sentences


def facts(x: "Explanation") -> list[tuple[str, str]]:
    """(label, text) of what the catalogue says, without where it was met."""
    fault = x.fault
    return [
        ("kind", fault.family),
        ("made in", PARTS[fault.part]),
        ("shows", fault.effect),
        ("can be in", ", ".join(x.operators) or "no one operator, but the walk over the graph, or the whole answer"),
        *([("met in", f"{fault.source}, {link(fault)}")] if fault.source else []),
    ]


def link(fault: Fault) -> str:
    """Where a fault was met: the address of the issue, or pull request."""
    repository, _, number = fault.source.partition("#")
    return f"https://github.com/{repository}/issues/{number}"


def made_by(x: "Explanation") -> str:
    """Where the wrong numbers come from."""
    source = "those of the reference with the bug planted" if x.planted else "what autograd gives with the wrong line"
    return f"The wrong numbers are {source}."


def without_example(x: "Explanation") -> str:
    """Why there are no numbers."""
    if x.fault.part == "contract":
        return "What is broken is the contract of the answer, and not its numbers."
    return "No small case was found on which the wrong line gives other numbers."


def command(x: "Explanation") -> str:
    """What shows the fault at work; nothing for one that cannot be planted."""
    return f"oracle mutation {x.fault.code} --no-peers" if x.seeds else ""


def to_see(x: "Explanation") -> str:
    """What that command does."""
    if not x.seeds:
        return "It cannot be planted in the reference."
    forms = "" if x.seeds == 1 else f", in {plural(x.seeds, 'form')}"
    return f"It plants the bug in the reference{forms}, and looks for it."


def _context(x: "Explanation", linked: Iterable[str]) -> dict[str, Any]:
    text = Page()
    if x.example is not None:
        terminal.smallest_case(text, x.example)
        _numbers(text, x.example, x)
    return {
        "x": x,
        "facts": [fact for fact in facts(x) if fact[0] != "met in"],
        "link": Markup(link(x.fault)) if x.fault.source else "",
        "linked": frozenset(linked),
        "heads": HEADS,
        "plain_example": text.plain,
        "made_by": made_by(x),
        "command": command(x),
        "none": without_example(x),
        "to_see": to_see(x),
    }
