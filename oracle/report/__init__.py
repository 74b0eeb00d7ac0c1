"""Reports: records in, files and text out. Nothing here judges, and nothing here knows the time or the machine."""

from pathlib import Path

from oracle import spec
from oracle.records import Report
from oracle.report.codec import decode, encode, indented, schema
from oracle.report.junit import junit
from oracle.report.pages import html, summary
from oracle.report.terminal import print_finding, print_summary, render_finding
from oracle.report.text import safe_text
from oracle.report.words import corpus_name, explained

__all__ = [
    "decode",
    "encode",
    "html",
    "junit",
    "print_finding",
    "print_summary",
    "render_finding",
    "safe_text",
    "schema",
    "summary",
    "write_report",
]


def write_report(report: Report, directory: Path) -> list[Path]:
    """Write every format, each finding's smallest case and the pages of its faults; equal reports give equal bytes.

    Files that an earlier run left in `directory` are replaced where the name is the same, and never deleted.
    """
    return [
        spec.write(directory / "report.json", encode(report)),
        spec.write(directory / "report.schema.json", indented(schema())),
        spec.write(directory / "junit.xml", junit(report)),
        spec.write(directory / "summary.md", summary(report).encode()),
        spec.write(directory / "report.html", html(report).encode()),
        *_pages(report, directory / "faults"),
        *(spec.save(f.case, directory / name) for name, f in {corpus_name(f): f for f in report.findings}.items()),
    ]


def _pages(report: Report, directory: Path) -> list[Path]:
    """The pages of the faults that were diagnosed."""
    codes = sorted({f.diagnosis.code for f in report.findings if f.diagnosis and explained(f.diagnosis.code)})
    if not codes:
        return []
    from oracle.explanations import explanation  # needs torch, which reports else do not
    from oracle.report.explanations import write_pages

    return write_pages([explanation(code) for code in codes], directory)
