"""`oracle check` and `oracle replay`."""

import math
import sys
import time
from pathlib import Path
from typing import Any

import click

from oracle.cli.common import (
    OK,
    USAGE,
    Progress,
    cases_in,
    console,
    finish,
    guard,
    refuse,
    safe,
    slug,
    subject_of,
    subject_options,
)

DTYPES = {"float64": ("float64",), "float32": ("float32",), "both": ("float64", "float32")}


@click.command()
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
@subject_options
@click.option("-q", "--quiet", is_flag=True, help="One line only.")
@click.option("-v", "--verbose", is_flag=True, help="Progress in full, and the coverage.")
def check(subject: str, cases: int | None, seconds: float | None, seed: int, dtype: str, profile: str,
          report: Path | None, quiet: bool, verbose: bool, how: dict[str, Any]) -> None:  # fmt: skip
    """Judge SUBJECT (default: the reference) on random cases, print what is wrong, and write a report.

    SUBJECT is python:package.module:callable or python:path/file.py:callable, a callable that takes an oracle.Case and
    returns {"loss": ..., "gradients": {"h1.weight": ..., "x": ...}}; or cmd:program args, any program that speaks the
    line protocol. It runs in a process of its own.
    """
    guard()
    import oracle.check as run
    from oracle.architectures import PROFILES, restricted

    if seconds is not None and not math.isfinite(seconds):
        refuse(f"--seconds {seconds} is not a time")
    if profile not in PROFILES:
        refuse(f"no profile is called {profile!r}; there are {', '.join(PROFILES)}")
    cases = 1000 if cases is None and seconds is None else cases
    judged = subject_of(subject, **how)
    try:
        restricted(PROFILES[profile], judged.supports)
    except ValueError as error:
        refuse(str(error))
    directory = report or Path("reports") / slug(subject)
    start = time.perf_counter()
    total = None if cases is None else cases * len(DTYPES[dtype])
    with Progress(total, quiet) as progress:
        found = run.check(
            judged, cases=cases, seconds=seconds, seed=seed, dtypes=DTYPES[dtype], profile=profile,
            name=slug(subject), progress=progress,
        )  # fmt: skip
    finish(found, directory, quiet, verbose, time.perf_counter() - start)


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="CASE...", type=click.Path(path_type=Path))
@click.option("--subject", default="reference", show_default=True)
@click.option("--report", type=click.Path(path_type=Path, file_okay=False), help="Write a report there.")
@click.option("-q", "--quiet", is_flag=True, help="One line for each case only.")
@subject_options
def replay(paths: tuple[Path, ...], subject: str, report: Path | None, quiet: bool, how: dict[str, Any]) -> None:
    """Judge saved cases (files, or folders of them) again: FIXED, FAILED, ERRORED or SKIPPED.

    A file that is no case, or one that cannot be judged, is skipped with the reason, and makes the exit code 2.
    """
    guard()
    import oracle.check as run
    from oracle.report import print_finding, write_report

    judged, bad, cases = subject_of(subject, **how), 0, []
    for path, case in cases_in(paths):
        if isinstance(case, str):
            bad += 1
            click.echo(safe(f"SKIPPED  {path}: {case}"))
        else:
            cases.append((str(path), case))
    if not cases and not bad:
        refuse(f"there are no cases in {', '.join(map(str, paths))}")
    found, verdicts = run.replay(judged, cases)
    for (where, _), verdict in zip(cases, verdicts, strict=True):
        word = {"mismatch": "FAILED", "errored": "ERRORED", "timeout": "ERRORED", "match": "FIXED"}
        told = word.get(verdict.outcome, verdict.outcome.upper())
        click.echo(safe(f"{told:8} {where}{': ' + verdict.reason if verdict.reason else ''}"))
    if not quiet:
        for finding in found.findings:
            print_finding(console(), finding)
    if report:
        write_report(found, report)
    sys.exit(found.exit_code or (USAGE if bad else OK))
