"""The command line: read, call, render."""

import math
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import click
import msgspec

OK, FAILED, USAGE, SELF_CHECK, INTERRUPTED = 0, 1, 2, 3, 130


def run() -> NoReturn:
    """The `oracle` script: `main`, with an interrupt told apart from a failure at every moment."""
    try:
        code = main(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        code = USAGE
    except (click.Abort, KeyboardInterrupt):
        click.echo("oracle: interrupted", err=True)
        code = INTERRUPTED
    sys.exit(code or OK)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="backprop-oracle", prog_name="oracle")
def main() -> None:
    r"""Judge any implementation of backpropagation, gradient for gradient, against torch.autograd.

    \b
    Exit codes: 0 no mismatch, 1 mismatch or error of the subject, 2 usage or a subject that cannot start,
    3 the oracle's own self-check failed, 130 interrupted.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


DTYPES = {"float64": ("float64",), "float32": ("float32",), "both": ("float64", "float32")}


@main.command()
@click.argument("subject", default="reference")
@click.option(
    "--cases", type=click.IntRange(0), help="Cases of each dtype.  [default: 1000, or no limit with --seconds]"
)
@click.option("--seconds", type=click.FloatRange(0), help="Stop after so many seconds.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="The same seed asks the same cases.")
@click.option("--dtype", type=click.Choice(list(DTYPES)), default="both", show_default=True)
@click.option(
    "--profile", default="standard", show_default=True, help="What is drawn: standard, mlp, deep, stress or updates."
)
@click.option(
    "--report", type=click.Path(path_type=Path, file_okay=False), help="Where to write.  [default: reports/NAME]"
)
@click.option("--timeout", type=click.FloatRange(0.01), default=20.0, show_default=True, help="Seconds for one answer.")
@click.option("-q", "--quiet", is_flag=True, help="One line only.")
@click.option("-v", "--verbose", is_flag=True, help="Progress in full, and the coverage.")
def check(subject: str, cases: int | None, seconds: float | None, seed: int, dtype: str, profile: str,
          report: Path | None, timeout: float, quiet: bool, verbose: bool) -> None:  # fmt: skip
    """Judge SUBJECT (default: the reference) on random cases, print what is wrong, and write a report.

    SUBJECT is python:package.module:callable or python:path/file.py:callable; the callable takes an oracle.Case and
    returns {"loss": ..., "gradients": {"h1.weight": ..., "x": ...}}.
    """
    _guard()
    import oracle.check as run
    from oracle.architectures import PROFILES, restricted

    if seconds is not None and not math.isfinite(seconds):
        _refuse(f"--seconds {seconds} is not a time")
    if profile not in PROFILES:
        _refuse(f"no profile is called {profile!r}; there are {', '.join(PROFILES)}")
    cases = 1000 if cases is None and seconds is None else cases
    judged = replace(_subject(subject), seconds=timeout)
    try:
        restricted(PROFILES[profile], judged.supports)
    except ValueError as error:
        _refuse(str(error))
    directory = report or Path("reports") / _slug(subject)
    start = time.perf_counter()
    total = None if cases is None else cases * len(DTYPES[dtype])
    with _progress(total, quiet) as progress:
        found = run.check(
            judged, cases=cases, seconds=seconds, seed=seed, dtypes=DTYPES[dtype], profile=profile,
            name=_slug(subject), progress=progress,
        )  # fmt: skip
    _finish(found, directory, quiet, verbose, time.perf_counter() - start)


@main.command()
@click.argument("paths", nargs=-1, required=True, metavar="CASE...", type=click.Path(path_type=Path))
@click.option("--subject", default="reference", show_default=True)
@click.option("--report", type=click.Path(path_type=Path, file_okay=False), help="Write a report there.")
@click.option("-q", "--quiet", is_flag=True, help="One line for each case only.")
def replay(paths: tuple[Path, ...], subject: str, report: Path | None, quiet: bool) -> None:
    """Judge saved cases (files, or folders of them) again: FIXED, FAILED, ERRORED or SKIPPED.

    A file that is no case, or one that cannot be judged, is skipped with the reason, and makes the exit code 2.
    """
    _guard()
    import oracle.check as run
    from oracle.report import print_finding, write_report

    judged, bad, cases = _subject(subject), 0, []
    for path, case in _cases(paths):
        if isinstance(case, str):
            bad += 1
            click.echo(_safe(f"SKIPPED  {path}: {case}"))
        else:
            cases.append((str(path), case))
    if not cases and not bad:
        _refuse(f"there are no cases in {', '.join(map(str, paths))}")
    found, verdicts = run.replay(judged, cases)
    for (where, _), verdict in zip(cases, verdicts, strict=True):
        word = {"mismatch": "FAILED", "errored": "ERRORED", "timeout": "ERRORED", "match": "FIXED"}
        told = word.get(verdict.outcome, verdict.outcome.upper())
        click.echo(_safe(f"{told:8} {where}{': ' + verdict.reason if verdict.reason else ''}"))
    if not quiet:
        for finding in found.findings:
            print_finding(_console(), finding)
    if report:
        write_report(found, report)
    sys.exit(found.exit_code or (USAGE if bad else OK))


@main.command()
@click.argument("path", metavar="CASE|CODE", type=click.Path(path_type=Path))
@click.option("--rate", default=0.1, show_default=True, help="The η of step 5.")
def explain(path: Path, rate: float) -> None:
    """Walk a saved case through the five steps, with every number; or show a fault, with its smallest example."""
    _guard()
    from oracle.explain import explain as told
    from oracle.faults import FAULTS
    from oracle.spec import CaseError, load

    if (code := str(path).upper()) in FAULTS and not path.exists():
        from oracle.explanations import explanation
        from oracle.report.explanations import print_explanation

        print_explanation(_console(), explanation(code))
        return
    if re.fullmatch(r"[A-Z]\d{3}", code) and not path.exists():
        _refuse(f"no fault has the code {code}; `oracle catalogue --faults` lists them")
    try:
        click.echo(_safe(told(load(path), rate)), nl=False)
    except CaseError as error:
        _refuse(str(error))


@main.command()
@click.option("--operators", "kinds", flag_value="operators", multiple=True, help="Only the operators.")
@click.option("--optimizers", "kinds", flag_value="optimizers", multiple=True, help="Only the optimizers.")
@click.option("--kinks", "kinds", flag_value="kinks", multiple=True, help="Only the kinks, and what is right there.")
@click.option("--faults", "kinds", flag_value="faults", multiple=True, help="Only the faults.")
@click.option("--json", "as_json", is_flag=True, help="For machines, with all that is known.")
@click.option("--pages", type=click.Path(path_type=Path, file_okay=False), help="Write a page about every fault there.")
def catalogue(kinds: tuple[str, ...], as_json: bool, pages: Path | None) -> None:
    """List every operator, optimizer, kink and fault that the oracle knows, or write pages about the faults."""
    _guard()
    from rich.table import Table

    from oracle.catalogue import plain, tables

    if pages is not None:
        from oracle.explanations import explanation
        from oracle.faults import FAULTS
        from oracle.report.explanations import write_pages

        try:
            written = write_pages([explanation(code) for code in sorted(FAULTS)], pages, index=True)
        except OSError as error:
            _refuse(f"the pages cannot be written to {pages}: {error.strerror or error}")
        click.echo(f"{len(written)} files: {(pages / 'index.html').as_posix()}")
        return
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(plain(*kinds))).decode())
        return
    for found in tables(*kinds):
        table = Table(*found.columns, title=found.title, title_justify="left", box=None)
        for row in found.rows:
            table.add_row(*(_safe(cell).replace("[", r"\[") for cell in row))
        _console().print(table)
        click.echo()


@main.command()
@click.argument("codes", nargs=-1, metavar="[CODE]...")
@click.option("--cases", type=click.IntRange(1), default=200, show_default=True, help="Cases of each dtype, at most.")
@click.option("--peer-cases", type=click.IntRange(1), default=30, show_default=True, help="For each peer, at most.")
@click.option("--no-peers", is_flag=True, help="Leave out gradcheck, finite differences and the like.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="The same seed asks the same cases.")
@click.option("--jobs", type=click.IntRange(1), default=2, show_default=True, help="Processes.")
@click.option(
    "--report",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where to write mutation.md and its like.  [default: reports, or nowhere if there are CODEs]",
)
@click.option("-q", "--quiet", is_flag=True, help="One line only.")
def mutation(codes: tuple[str, ...], cases: int, peer_cases: int, no_peers: bool, seed: int, jobs: int,
             report: Path | None, quiet: bool) -> None:  # fmt: skip
    """Measure the oracle itself: plant every fault of the catalogue in the reference, and look for it.

    CODE is a fault ("A104"), the beginning of some ("A1"), or nothing for all. Exit code 0 if every fault is found,
    none is called by another's name, and right code is not accused.
    """
    _guard()
    from oracle.mutation import Plan
    from oracle.mutation import mutation as run
    from oracle.report.mutation import headline, print_mutation, verdict, write_mutation
    from oracle.seeds import SEEDS
    from oracle.spec import write

    seeds = [s for s in SEEDS if not codes or s.code.startswith(codes)]
    for code in (c for c in codes if not any(s.code.startswith(c) for s in seeds)):
        _refuse(f"no fault that can be planted has the code {code}; `oracle catalogue` lists them")
    timing: dict[str, float] = {}

    def told(done: int, mutant: Any, seconds: float) -> None:
        timing[mutant.seed] = round(seconds, 3)
        if not quiet:
            after = f"case {mutant.first}, {seconds:.2f} s" if mutant.found else "never"
            click.echo(_safe(f"{done:3} of {len(seeds)}  {mutant.seed}: {after}; {mutant.naming}"), err=True)

    found = run(Plan(cases, 0 if no_peers else peer_cases, seed), seeds, jobs, told)
    directory = report or (None if codes else Path("reports"))
    if directory:
        try:
            write_mutation(found, directory)
            write(directory / "mutation.timing.json", msgspec.json.encode(timing) + b"\n")
        except OSError as error:
            _refuse(f"the report cannot be written to {directory}: {error.strerror or error}")
    if quiet:
        click.echo(_safe(f"{verdict(found)}: {headline(found)}"))
    else:
        print_mutation(_console(), found)
    sys.exit(found.exit_code)


@main.command("torch")
@click.option("--cases", type=click.IntRange(0), default=200, show_default=True, help="Random cases of each dtype.")
@click.option(
    "--report", type=click.Path(path_type=Path, dir_okay=False), default=Path("reports/torch.md"), show_default=True
)
def deviations(cases: int, report: Path) -> None:
    """Find where torch itself is wrong, and write it down with proofs and scripts; it takes about a minute."""
    _guard()
    import oracle.deviations as torch_itself
    from oracle.report.deviations import write_page

    found, contests = torch_itself.search(), torch_itself.contest(cases)
    try:
        write_page(report, found, contests, torch_itself.known())
    except OSError as error:
        _refuse(f"the report cannot be written to {report}: {error.strerror or error}")
    click.echo(f"{len(found)} deviations of torch: {report.as_posix()}")


# ------------------------------------------------------------------------------------------------------------ helpers


def _refuse(sentence: str, code: int = USAGE) -> NoReturn:
    click.echo(_safe(f"oracle: {sentence}"), err=True)
    sys.exit(code)


def _safe(text: str) -> str:
    from oracle.report import safe_text

    return "\n".join(safe_text(line) for line in text.split("\n"))


def _guard() -> None:
    """The two packages belong together, and the oracle itself works; else no verdict is worth anything."""
    from oracle.check import self_check, set_threads, shadowed

    if sentence := shadowed():
        _refuse(sentence)
    set_threads()
    if sentence := self_check():
        _refuse(f"the self-check failed: {sentence}", SELF_CHECK)


def _subject(text: str) -> Any:
    from oracle.subjects import SubjectError, resolve

    try:
        return resolve(text)
    except SubjectError as error:
        _refuse(str(error))


def _cases(paths: tuple[Path, ...]) -> Iterator[tuple[Path, Any]]:
    """Every case in the files and folders, checked whole, or the sentence of why there is none."""
    from oracle.spec import Case, CaseError, load
    from oracle.twin import Twin, run_update

    for path in paths:
        for file in sorted(path.glob("*.json")) if path.is_dir() else [path]:
            try:
                case = load(file)
                _ = Twin.of(case) if isinstance(case, Case) else run_update(case)
                yield file, case
            except CaseError as error:
                yield file, str(error).removeprefix(f"{file}: ")


def _slug(subject: str) -> str:
    """A folder's name for a subject."""
    words = "".join(c if c.isalnum() else " " for c in subject.removeprefix("python:")).split()
    return "-".join(words)[-60:].strip("-") or "subject"


def _console() -> Any:
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else 120, highlight=False, soft_wrap=not sys.stdout.isatty())


class _progress:  # noqa: N801  (a context manager, read like a function)
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


def _finish(found: Any, directory: Path, quiet: bool, verbose: bool, seconds: float) -> NoReturn:
    """Write the report, say what was found, and leave with the exit code."""
    from oracle.report import print_finding, print_summary, write_report
    from oracle.report.words import verdict_line
    from oracle.spec import write

    try:
        write_report(found, directory)
        timing = {"seconds": round(seconds, 3), "cases_per_second": round(found.cases / seconds, 1)}
        write(directory / "timing.json", msgspec.json.encode(timing) + b"\n")
    except OSError as error:
        _refuse(f"the report cannot be written to {directory}: {error.strerror or error}")
    if quiet:
        click.echo(_safe(verdict_line(found)))
        sys.exit(found.exit_code)
    for finding in found.findings:
        here = finding.reproduce.replace("corpus/", f"{directory.as_posix()}/corpus/", 1)
        print_finding(_console(), msgspec.structs.replace(finding, reproduce=here))
        click.echo()
    print_summary(_console(), found)
    if verbose:
        click.echo("coverage: " + ", ".join(f"{op} {n}" for op, n in found.coverage.items()))
    click.echo(f"report: {(directory / 'report.html').as_posix()}")
    sys.exit(found.exit_code)
