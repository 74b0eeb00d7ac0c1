"""The lessons of `oracle audit`: which files, and what is done with each."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from oracle.cli.common import FAILED, OK, USAGE, console, refuse, safe


@dataclass(frozen=True)
class Wanted:
    """What the command line asks for."""

    report: Path | None
    name: str
    json: bool
    formulas_only: bool
    quiet: bool
    verbose: bool
    fix: bool
    in_place: bool
    seed: int
    nets: int
    code: bool
    settings: dict[str, str]

    def check(self) -> None:
        """Refuse what makes no sense before a long run."""
        if self.in_place and not self.fix:
            refuse("--in-place says where --fix writes; give --fix, too")
        if (self.name or self.formulas_only) and not self.report and not self.json:
            refuse("--name and --formulas-only are of the report; say where it goes with --report DIR")
        if self.name and Path(self.name).name != self.name:
            refuse(f"--name {self.name!r} is no name of a file: it goes into the folder that --report says")


# ------------------------------------------------------------------------------------------------------------- a lesson


@dataclass
class Run:
    """The audits so far, and what became of the lessons."""

    wanted: Wanted
    names: dict[Path, str]
    audits: list[tuple[Any, str]] = field(default_factory=list)
    codes: list[int] = field(default_factory=list)
    skipped: list[Path] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        """1 where something is wrong, else 2 where something could not be audited, or nothing was there to audit."""
        if not self.codes:
            refuse(f"none of {len(self.skipped)} files has an equation that was understood")
        return FAILED if FAILED in self.codes else max(self.codes)

    def lesson(self, path: Path, named: bool) -> None:
        """Audit one file; one from a folder that has no formula at all is no lesson, and is passed over."""
        from oracle.report.lesson.words import understood

        try:
            document, found = audited(path, self.wanted)
        except UnreadableError as error:
            click.echo(safe(f"oracle: {error}"), err=True)
            self.codes.append(USAGE)
            return
        if not named and not (found.equations or found.code or found.numbers):
            self.skipped.append(path)
            return
        self.tell(path, document, found)
        self.audits.append((found, where(path)))
        if not understood(found):
            click.echo(safe(f"oracle: {path}: no equation of it was understood, so nothing was judged"), err=True)
            self.codes.append(USAGE)
            return
        self.codes.append(self.after(path, document, found))

    def shown(self, found: Any) -> Any:
        """The audit as it may be shown."""
        from oracle.report.lesson import formulas_only

        return formulas_only(found) if self.wanted.formulas_only else found

    def tell(self, path: Path, document: Any, found: Any) -> None:
        """Print the audit, and write the report."""
        from oracle.report.lesson import write_audit

        shown = self.shown(found)
        say(shown, self.wanted)
        if directory := self.wanted.report:
            uri = shown.lesson if self.wanted.formulas_only else where(path)
            try:
                write_audit(shown, document, directory, self.names[path], uri, not self.wanted.formulas_only)
            except OSError as error:
                refuse(f"the report cannot be written to {directory}: {error.strerror or error}")
            if not (self.wanted.json or self.wanted.quiet):
                click.echo(safe(f"report: {(directory / self.names[path]).as_posix()}.html"))

    def after(self, path: Path, document: Any, found: Any) -> int:
        """The exit code of a lesson that was judged; with --fix, the copy is written and audited."""
        code = FAILED if found.failed else OK
        if not self.wanted.fix:
            return code
        copy = self.fixed(path, document, found)
        if copy is None:
            click.echo(safe(f"{path}: there is nothing to repair"), err=self.wanted.json)
            return code
        click.echo(safe(f"\n{path}: repaired in {copy}; its audit:\n"), err=self.wanted.json)
        try:
            _, again = audited(copy, self.wanted)
        except UnreadableError as error:
            refuse(f"the corrected copy cannot be audited: {error}")
        say(self.shown(again), self.wanted)
        return (FAILED if again.failed else OK) if self.wanted.in_place else code

    def fixed(self, path: Path, document: Any, found: Any) -> Path | None:
        """Where the corrected copy is, or None where nothing was repaired."""
        from oracle.lesson.fixing import FixError, write_fixed

        try:
            return write_fixed(found, document, path, in_place=self.wanted.in_place)
        except FixError as error:
            refuse(str(error))
        except OSError as error:
            refuse(f"the corrected copy of {path} cannot be written: {error.strerror or error}")


class UnreadableError(Exception):
    """Why a lesson cannot be read, in a sentence."""


def audited(path: Path, wanted: Wanted) -> tuple[Any, Any]:
    """The lesson as it was read, and its audit."""
    from oracle.lesson.audit import audit as judge
    from oracle.lesson.reading import ReadError, read

    try:
        document = read(path)
    except ReadError as error:
        raise UnreadableError(str(error)) from None
    except OSError as error:
        raise UnreadableError(f"{path} cannot be read: {error.strerror or error}") from None
    settings = {**document.settings, **wanted.settings}
    return document, judge(document, seed=wanted.seed, nets=wanted.nets, settings=settings, code=wanted.code)


def say(found: Any, wanted: Wanted) -> None:
    """An audit on the terminal: as JSON, in one line, or in full."""
    from oracle.report.lesson import encode_line, print_audit
    from oracle.report.lesson.words import line

    if wanted.json:
        click.echo(encode_line(found), nl=False)
    elif wanted.quiet:
        click.echo(safe(line(found)))
    else:
        print_audit(console(), found, wanted.verbose)


# ---------------------------------------------------------------------------------------------------- files and places


def files(lessons: tuple[Path, ...]) -> Iterator[tuple[Path, bool]]:
    """Every lesson once, in order, and whether it was named itself; of a folder all that looks like one."""
    seen: set[Path] = set()
    for given in lessons:
        if not given.exists():
            refuse(f"{given} is neither a file nor a folder")
        inside = _inside(given) if given.is_dir() else [given]
        if not inside:
            from oracle.lesson.reading import LESSONS

            refuse(f"{given} has no lesson in it; read are {', '.join(sorted(LESSONS))}")
        for path in inside:
            if path.resolve() not in seen:
                seen.add(path.resolve())
                yield path, path == given


def _inside(folder: Path) -> list[Path]:
    """The lessons in a folder and below; hidden folders and corrected copies of lessons beside them are left out."""
    from oracle.lesson.reading import LESSONS

    found = [p for p in sorted(folder.rglob("*")) if p.suffix.lower() in LESSONS and p.is_file()]
    shown = [p for p in found if not any(part.startswith(".") for part in p.relative_to(folder).parts)]
    return [p for p in shown if not (p.stem.endswith(".fixed") and _original(p) in shown)]


def _original(path: Path) -> Path:
    return path.with_name(f"{path.stem.removesuffix('.fixed')}{path.suffix}")


def reports(paths: list[tuple[Path, bool]], name: str) -> dict[Path, str]:
    """The name of each lesson's report: its own, and more of its path where two are alike."""
    stems = [path.stem for path, _ in paths]
    names: dict[Path, str] = {}
    for path, _ in paths:
        own = name or (path.stem if stems.count(path.stem) == 1 else "-".join(path.parts).replace("..", "").strip("-/"))
        while own in names.values():
            own += "-"
        names[path] = own
    return names


def where(path: Path) -> str:
    """The file as a code host names it: from the root of the repository."""
    root = Path(os.environ.get("GITHUB_WORKSPACE", ".")).resolve()
    full = path.resolve()
    return full.relative_to(root).as_posix() if full.is_relative_to(root) else path.as_posix()


def annotate(audits: list[tuple[Any, str]], aside: bool) -> None:
    """On GitHub, annotations and the summary of the step."""
    from oracle.report.github import ROOM
    from oracle.report.lesson import annotations, markdown

    click.echo(annotations(audits), nl=False, err=aside)
    if path := os.environ.get("GITHUB_STEP_SUMMARY"):
        try:
            with Path(path).open("a", encoding="utf-8") as file:
                for found, _ in audits:
                    page = markdown(found)
                    file.write(page if len(page.encode()) < ROOM - file.tell() else "\nThe rest is in the report.\n")
        except OSError as error:
            click.echo(f"oracle: the summary of the step cannot be written: {error.strerror or error}", err=True)
