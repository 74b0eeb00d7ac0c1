"""summary.md and report.html, from the templates beside this file."""

import base64
import hashlib
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from oracle.records import Report
from oracle.report import drawing, numbers, tables, terminal, text, words

DETAILED = 20
"""Findings that summary.md shows in full; GitHub drops a step summary above 1 MiB whole."""


def html(report: Report) -> str:
    """One file that needs no other: no script, no request, nothing allowed but its own style sheet."""
    return render_html("report.html.j2", report=report)


def summary(report: Report, detailed: int = DETAILED) -> str:
    """Tables in Markdown, for a pull request or a CI summary, with some of the findings in full."""
    return render_markdown("summary.md.j2", report=report, detailed=detailed)


def render_html(template: str, **context: Any) -> str:
    """A template of a whole page, which may use `css` and the `digest` that allows it."""
    css = _source("report.css")
    digest = base64.b64encode(hashlib.sha256(f"\n{css}".encode()).digest()).decode()
    return _environment(True).get_template(template).render(context, css=Markup(css), digest=digest)


def render_markdown(template: str, **context: Any) -> str:
    """A template of Markdown."""
    return _environment(False).get_template(template).render(context)


@cache
def _environment(for_html: bool) -> Environment:
    """Templates in which every value is made safe and then quoted for its format, unasked."""
    environment = Environment(
        loader=FunctionLoader(_source),
        autoescape=for_html,
        finalize=text.finalize_html if for_html else text.finalize_markdown,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(
        code=text.code, fence=text.fence, in_html=text.in_html, short=numbers.short, exact=numbers.exact
    )
    environment.filters.update(shape=tables.shape, one_line=text.one_line)
    helpers: dict[str, Any] = {"w": words, "t": tables, "draw": drawing.draw, "plain": terminal.render_finding}
    environment.globals.update(helpers)
    return environment


def _source(name: str) -> str:
    return (files("oracle.report") / "templates" / name).read_text("utf-8")
