"""Reports of an audit: records in, files and text out; the page shows the lesson's own text, from its document."""

import posixpath
from pathlib import Path

from msgspec.structs import replace

from oracle.lesson.document import Document
from oracle.lesson.records import Audit
from oracle.report.codec import indented
from oracle.report.lesson.codec import decode, encode, encode_line, schema
from oracle.report.lesson.github import annotations
from oracle.report.lesson.pages import html, markdown
from oracle.report.lesson.sarif import sarif
from oracle.report.lesson.terminal import audit_page, print_audit
from oracle.spec import write

__all__ = [
    "annotations",
    "audit_page",
    "decode",
    "encode",
    "encode_line",
    "formulas_only",
    "html",
    "markdown",
    "print_audit",
    "sarif",
    "schema",
    "write_audit",
]


def write_audit(
    audit: Audit, document: Document | None, directory: Path, name: str, uri: str = "", prose: bool = True
) -> list[Path]:
    """NAME.html, .md, .json and .sarif, and the schema; equal audits give equal bytes.

    `uri` is the lesson's path for the SARIF file; without `prose` the page has the lesson's formulas alone.
    """
    return [
        write(directory / f"{name}.html", html(audit, document, prose).encode("utf-8", "replace")),
        write(directory / f"{name}.md", markdown(audit).encode("utf-8", "replace")),
        write(directory / f"{name}.json", encode(audit)),
        write(directory / f"{name}.sarif", sarif(audit, document, uri)),
        write(directory / "audit.schema.json", indented(schema())),
    ]


def formulas_only(audit: Audit) -> Audit:
    """The audit without the lesson's words: no title, the file by its name alone; its page is to go without `prose`."""
    return replace(audit, lesson=posixpath.basename(audit.lesson.replace("\\", "/")), title="")
