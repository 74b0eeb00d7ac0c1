"""What the commands share: exit codes, refusals, progress, and the end of a run."""

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from functools import wraps
from pathlib import Path
from typing import Any, NoReturn

import click
import msgspec

OK, FAILED, USAGE, SELF_CHECK, INTERRUPTED = 0, 1, 2, 3, 130


def refuse(sentence: str, code: int = USAGE) -> NoReturn:
    click.echo(safe(f"oracle: {sentence}"), err=True)
    sys.exit(code)


def safe(text: str) -> str:
    from oracle.report import safe_text

    return "\n".join(safe_text(line) for line in text.split("\n"))


def guard() -> None:
    """The two packages belong together, and the oracle itself works; else no verdict is worth anything."""
    from oracle.check import self_check, set_threads, shadowed

    if sentence := shadowed():
        refuse(sentence)
    set_threads()
    if sentence := self_check():
        refuse(f"the self-check failed: {sentence}", SELF_CHECK)


def subject_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say how a subject is run; the command gets them as one dictionary, `how`."""

    @wraps(command)
    def packed(*args: Any, read_as: str, in_process: bool, timeout: float, memory: float, **rest: Any) -> Any:
        how = {"read_as": read_as, "in_process": in_process, "seconds": timeout, "memory": int(memory * 2**30)}
        return command(*args, how=how, **rest)

    for option in (
        click.option(
            "--memory", type=click.FloatRange(0.0625), default=4.0, show_default=True, help="GiB it may hold."
        ),
        click.option("--timeout", type=click.FloatRange(0.01), default=20.0, show_default=True, help="Seconds a call."),
        click.option("--in-process", is_flag=True, help="Run a Python subject here, unguarded against its crashes."),
        click.option("--as", "read_as", default="", metavar="KIND", help="What kind of function it is: mlp."),
    ):
        packed = option(packed)
    return packed


def subject_of(text: str, **how: Any) -> Any:
    """The subject a text stands for; it is ended with the command."""
    from oracle.subjects import SubjectError, resolve

    try:
        subject = resolve(text, **how)
    except SubjectError as error:
        refuse(str(error))
    click.get_current_context().call_on_close(subject.close)
    return subject


def cases_in(paths: tuple[Path, ...]) -> Iterator[tuple[Path, Any]]:
    """Every case in the files and folders, checked whole, or the sentence of why there is none."""
    from oracle.check import saved

    yield from saved(paths)


def slug(subject: str) -> str:
    """A folder's name for a subject."""
    words = "".join(c if c.isalnum() else " " for c in subject.removeprefix("python:")).split()
    return "-".join(words)[-60:].strip("-") or "subject"


def console() -> Any:
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else 120, highlight=False, soft_wrap=not sys.stdout.isatty())


class Progress:
    """A bar on a terminal, a line every tenth elsewhere, nothing when quiet."""

    def __init__(self, total: int | None, quiet: bool) -> None:
        self.total, self.quiet, self.said = total, quiet, 0
        self.bar: Any = None

    def __enter__(self) -> Any:
        """Start, and hand out what is called after every case."""
        if self.quiet:
            return None
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

            columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
            self.bar = Progress(*columns, console=Console(stderr=True), transient=True)
            self.bar.start()
            self.task = self.bar.add_task("judging", total=self.total)
        return self.step

    def step(self, done: int, outcomes: Counter[str]) -> None:
        """After one case."""
        from oracle.compare import FAILURES

        if self.bar is not None:
            if done % 16 == 0 or done == self.total:
                failed = sum(outcomes[o] for o in FAILURES)
                self.bar.update(
                    self.task, completed=done, description=f"judging, {failed} failed" if failed else "judging"
                )
        elif self.total and done * 10 // self.total > self.said:
            self.said = done * 10 // self.total
            told = ", ".join(f"{n} {outcome}" for outcome, n in sorted(outcomes.items()))
            click.echo(f"{done} of {self.total} cases: {told}", err=True)

    def __exit__(self, *_: object) -> None:
        """Take the bar away."""
        if self.bar is not None:
            self.bar.stop()


def found_in(directory: Path, found: Any) -> Any:
    """The report, with commands for a reader who is not in its folder."""

    def here(finding: Any) -> Any:
        command = finding.reproduce.replace("corpus/", f"{directory.as_posix()}/corpus/", 1)
        return msgspec.structs.replace(finding, reproduce=command)

    return msgspec.structs.replace(found, findings=tuple(map(here, found.findings)))


def tell(found: Any, directory: Path, quiet: bool, verbose: bool, seconds: float) -> None:
    """Write the report, and say what was found: what is new in full."""
    from oracle.report import print_finding, print_summary, write_report
    from oracle.report.words import verdict_line
    from oracle.spec import write

    try:
        write_report(found, directory)
        timing = {"seconds": round(seconds, 3), "cases_per_second": round(found.cases / seconds, 1)}
        write(directory / "timing.json", msgspec.json.encode(timing) + b"\n")
    except OSError as error:
        refuse(f"the report cannot be written to {directory}: {error.strerror or error}")
    if quiet:
        click.echo(safe(verdict_line(found)))
        return
    for finding in (f for f in found_in(directory, found).findings if not f.known):
        print_finding(console(), finding)
        click.echo()
    print_summary(console(), found)
    if verbose:
        click.echo("coverage: " + ", ".join(f"{op} {n}" for op, n in found.coverage.items()))
    click.echo(f"report: {(directory / 'report.html').as_posix()}")
