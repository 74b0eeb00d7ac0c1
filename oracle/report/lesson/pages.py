"""An audit as a page that needs no other, and as Markdown."""

import base64
import hashlib
from importlib.resources import files

from markupsafe import Markup

from oracle.lesson.document import Document
from oracle.lesson.records import Audit, Equation
from oracle.report.lesson import flow, words
from oracle.report.lesson.mathml import Macros, mathml
from oracle.report.pages import render_html, render_markdown
from oracle.report.text import fence, safe_text


def html(audit: Audit, document: Document | None = None, prose: bool = True) -> str:
    """The lesson's text, each equation coloured by its verdict, the evidence beside it; without its document,
    or without `prose`, the equations alone.

    The page makes no request and runs one script, its own, which copies a corrected formula.
    """
    macros, shown = document.macros if document else {}, document if prose else None
    script, style = _source("lesson.js"), _source("lesson.css")
    return render_html(
        "lesson.html.j2", audit=audit, blocks=flow.blocks(audit, shown), lw=words, math=Typesetter(macros),
        script=Markup(script), script_digest=_digest(script), style=Markup(style), style_digest=_digest(style),
        fixed=_fixed(audit), whole=shown is not None,
    )  # fmt: skip


def markdown(audit: Audit) -> str:
    """What is wrong and what to put instead, for a pull request or the summary of a step."""
    return render_markdown("lesson.md.j2", audit=audit, lw=words, tex=_tex)


class Typesetter:
    """A formula as MathML, or as its TeX where it has none."""

    def __init__(self, macros: Macros) -> None:
        self.macros = macros

    def __call__(self, tex: str, display: bool = False) -> Markup:
        """The formula, ready for the page."""
        made = mathml(words.one_line(tex), display, self.macros)
        return Markup('<code class="tex">{}</code>').format(safe_text(tex.strip())) if made is None else made


def _fixed(audit: Audit) -> dict[int, list[int]]:
    """Of every equation the numbers of others whose joint repair changes it, too."""
    found: dict[int, list[int]] = {}
    for equation in audit.equations:
        for other in _partners(equation):
            found.setdefault(other, []).append(equation.number)
    return {number: sorted(set(others)) for number, others in found.items()}


def _partners(equation: Equation) -> set[int]:
    return {number for suggestion in equation.suggestions for number, _ in suggestion.others} - {equation.number}


def _tex(tex: str) -> Markup:
    """TeX as a block of code in Markdown."""
    return Markup(str(fence(words.one_line(tex))).replace("```text", "```tex", 1))


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(f"\n{text}".encode()).digest()).decode()


def _source(name: str) -> str:
    return (files("oracle.report") / "templates" / name).read_text("utf-8")
