"""`oracle frameworks`."""

from pathlib import Path

import click

from oracle.cli.common import guard, refuse, safe


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option(
    "--cases", type=click.IntRange(1), help="Random cases of each dtype.  [default: 64 to 1500, by its speed]"
)
@click.option("--jobs", type=click.IntRange(1), default=2, show_default=True, help="Processes.")
@click.option(
    "--report",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("reports/frameworks.md"),
    show_default=True,
)
def frameworks(names: tuple[str, ...], cases: int | None, jobs: int, report: Path) -> None:
    """Find where other frameworks disagree, and write it down with scripts; it takes a few minutes.

    NAME is jax, autograd, mygrad or tinygrad; without one, all four.
    """
    guard()
    from oracle.frameworks import NAMES, missing
    from oracle.frameworks.survey import surveys
    from oracle.report.frameworks import write_page

    for name in names or NAMES:
        if name not in NAMES:
            refuse(f"no framework is called {name!r}; there are {', '.join(NAMES)}")
        if sentence := missing(name):
            refuse(sentence)
    found = surveys([name for name in NAMES if name in (names or NAMES)], cases, jobs)
    try:
        write_page(report, found)
    except OSError as error:
        refuse(f"the report cannot be written to {report}: {error.strerror or error}")
    for survey in found:
        click.echo(safe(f"{survey.name}: {len(survey.slopes)} other slopes, {len(survey.disagreements)} disagreements"))
    click.echo(safe(f"report: {report.as_posix()}"))
