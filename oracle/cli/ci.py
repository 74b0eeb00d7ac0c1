"""What `oracle check` does for continuous integration: a corpus, a baseline, and what GitHub Actions shows."""

import ast
import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any

import click

from oracle.cli.common import cases_in, refuse

SAVED = click.Path(path_type=Path, file_okay=False)
FILE = click.Path(path_type=Path, dir_okay=False)


@dataclass(frozen=True)
class Upkeep:
    """What is kept from run to run, as the command line says it."""

    corpus: Path | None
    save: bool
    baseline: Path | None
    write_baseline: Path | None
    github: bool | None

    @property
    def on_github(self) -> bool:
        """As said; else whether GitHub Actions runs this."""
        return os.environ.get("GITHUB_ACTIONS") == "true" if self.github is None else self.github

    @property
    def apart(self) -> bool:
        """Whether causes must be told apart."""
        return bool(self.baseline or self.write_baseline)

    def check(self) -> None:
        """Refuse what makes no sense before a long run."""
        if self.save and self.corpus is None:
            refuse("--save adds cases to a corpus; say which with --corpus DIR")
        if self.corpus is not None and not self.save and not self.corpus.is_dir():
            refuse(f"{self.corpus} is not a folder; --save makes it when there is something to save")

    def cases(self) -> list[tuple[str, Any]]:
        """The corpus, by the names of its files."""
        return [(path.name, case) for path, case in cases_in((self.corpus,))] if self.corpus else []

    def known(self) -> Any:
        """The baseline to judge by, or None."""
        return None if self.baseline is None else _baseline(self.baseline)

    def after(self, found: Any, known: Any, subject: Any) -> Any:
        """The report, its findings held against the baseline; what is to be kept is written."""
        from oracle import baseline

        if self.save and self.corpus:
            _add(found, self.corpus)
        if not self.apart:
            return found
        entries = [baseline.identify(finding, subject) for finding in found.findings]
        if self.write_baseline:
            if found.stopped:
                refuse(f"no baseline is written of a run that stopped early: {found.stopped}")
            before = _baseline(self.write_baseline) if self.write_baseline.exists() else baseline.Baseline(entries=())
            known = baseline.renewed(entries, before)
            _written(baseline.save, known, self.write_baseline)
        return baseline.apply(found, known, entries)

    @contextmanager
    def quoted(self, subject: str) -> Iterator[None]:
        """On GitHub nothing that is printed inside is read as a command."""
        if not self.on_github:
            yield
            return
        run = [os.environ.get(f"GITHUB_RUN_{name}", "") for name in ("ID", "ATTEMPT")]
        token = hashlib.sha256(" ".join(("oracle", subject, *run)).encode()).hexdigest()
        click.echo(f"::stop-commands::{token}")
        try:
            yield
        finally:
            click.echo(f"::{token}::")

    def annotate(self, found: Any, subject: str) -> None:
        """On GitHub, annotations and the summary of the step."""
        if not self.on_github:
            return
        from oracle.report.github import ROOM, annotations, step_summary

        click.echo(annotations(found, *place(subject)), nl=False)
        if path := os.environ.get("GITHUB_STEP_SUMMARY"):
            try:
                with Path(path).open("a", encoding="utf-8") as file:
                    file.write(step_summary(found, ROOM - file.tell()))
            except OSError as error:
                click.echo(f"oracle: the summary of the step cannot be written: {error.strerror or error}", err=True)


def ci_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of an `Upkeep`; the command gets it as `upkeep`."""

    @wraps(command)
    def packed(*args: Any, corpus: Path | None, save: bool, baseline: Path | None, write_baseline: Path | None,
               github: bool | None, **rest: Any) -> Any:  # fmt: skip
        return command(*args, upkeep=Upkeep(corpus, save, baseline, write_baseline, github), **rest)

    for option in (
        click.option("--github/--no-github", default=None, help="Annotations, step summary.  [default: in its CI]"),
        click.option("--write-baseline", type=FILE, help="Write what is found there, as known from now on."),
        click.option("--baseline", type=FILE, help="Findings in this file are known, and fail no run."),
        click.option("--save", is_flag=True, help="Add the smallest case of every finding to the corpus."),
        click.option("--corpus", type=SAVED, help="Judge the cases of this folder first; nothing there is changed."),
    ):
        packed = option(packed)
    return packed


def _baseline(path: Path) -> Any:
    from oracle import baseline
    from oracle.spec import CaseError

    try:
        return baseline.load(path)
    except CaseError as error:
        refuse(f"{error}; --write-baseline writes one")


def _add(found: Any, corpus: Path) -> None:
    """Save the smallest cases that are not there yet; a file that is there stays as it is."""
    from oracle.spec import save

    for finding in found.findings:
        path = corpus / f"{finding.case_id}.json"
        if not path.exists():
            _written(save, finding.case, path)


def _written(write: Callable[[Any, Path], Path], record: Any, path: Path) -> None:
    try:
        write(record, path)
    except OSError as error:
        refuse(f"{path} cannot be written: {error.strerror or error}")


# ------------------------------------------------------------------------------------------- where a subject is written


def place(subject: str) -> tuple[str, int | None]:
    """The file of a Python subject and the line that defines it, read without importing; else ("", None)."""
    kind, _, rest = subject.partition(":")
    target, _, attribute = rest.rpartition(":")
    if kind != "python" or not target:
        return "", None
    stem = Path(target) if target.endswith(".py") else Path(*target.split("."))
    path = next((p for p in (stem, stem.with_suffix(".py"), stem / "__init__.py") if p.is_file()), None)
    if path is None:
        return "", None
    root = Path(os.environ.get("GITHUB_WORKSPACE", "."))
    inside = path.resolve().is_relative_to(root.resolve())
    return (path.resolve().relative_to(root.resolve()) if inside else path).as_posix(), _line(path, attribute)


def _line(path: Path, attribute: str) -> int | None:
    """The line of a function, a class, a method or an assignment."""
    try:
        body: list[ast.stmt] = ast.parse(path.read_bytes()).body
    except (OSError, SyntaxError, ValueError):
        return None
    line = None
    for name in attribute.split("."):
        node = next((n for n in reversed(body) if name in _names(n)), None)
        if node is None:
            return line
        line, body = node.lineno, getattr(node, "body", [])
    return line


def _names(node: ast.stmt) -> list[str]:
    """The names that a statement gives."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return [target.id for target in targets if isinstance(target, ast.Name)]
