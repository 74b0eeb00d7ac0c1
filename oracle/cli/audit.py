"""`oracle audit`: lessons in, verdicts out."""

import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

from oracle.cli.ci import Upkeep
from oracle.cli.common import guard, refuse
from oracle.cli.lessons import Run, Wanted, annotate, files, reports


def audit_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of a `Wanted`; the command gets it as `wanted`."""

    @wraps(command)
    def packed(lessons: tuple[Path, ...], github: bool | None, loss: str | None, activation: str | None,
               profile: str | None,
               **rest: Any) -> Any:  # fmt: skip
        named = {"loss": loss, "activation": activation, "profile": profile}
        settings = {key: value for key, value in named.items() if value}
        return command(lessons, github, Wanted(**rest, settings=settings))

    for option in reversed(OPTIONS):
        packed = option(packed)
    return packed


OPTIONS = (
    click.option("--report", type=click.Path(path_type=Path, file_okay=False),
                 help="Write NAME.html, .md, .json and .sarif there.  [default: no report]"),
    click.option("--name", default="", help="NAME of the report's files, for one lesson.  [default: the lesson's]"),
    click.option("--formulas-only", is_flag=True, help="Leave the lesson's words out of the report and the JSON."),
    click.option("--json", is_flag=True, help="Print one line of JSON for each lesson, and nothing else."),
    click.option("--fix", is_flag=True, help="Write a corrected copy, NAME.fixed.EXT, and audit it."),
    click.option("--in-place", is_flag=True, help="With --fix: write over the lesson itself."),
    click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="The same seed, the same nets."),
    click.option("--nets", type=click.IntRange(1), default=8, show_default=True, help="Random nets for every link."),
    click.option("--loss", type=click.Choice(["half_squared", "cross_entropy"]),
                 help="The loss, where the lesson does not write it down.  [default: what holds]"),
    click.option("--activation", type=click.Choice(["sigmoid", "tanh", "softplus"]),
                 help="The activation, where the lesson does not define it.  [default: all of them]"),
    click.option("--profile", type=click.Choice(["own", "layers", "indices"]),
                 help="The notation of what the lesson leaves unsaid.  [default: what holds]"),
    click.option("--code/--no-code", default=True, help="Judge blocks of code, too."),
    click.option("--github/--no-github", default=None, help="Annotations, step summary.  [default: in its CI]"),
    click.option("-q", "--quiet", is_flag=True, help="One line for each lesson only."),
    click.option("-v", "--verbose", is_flag=True, help="Every link and every number, also what holds."),
)  # fmt: skip


@click.command()
@click.argument("lessons", nargs=-1, required=True, metavar="LESSON...", type=click.Path(path_type=Path))
@audit_options
def audit(lessons: tuple[Path, ...], github: bool | None, wanted: Wanted) -> None:
    """Hold the formulas, numbers and code of each LESSON (a file, or a folder of them) against autograd.

    Every link of every chain of equalities is HOLDS, HOLDS UNDER a reading, FAILS, ILL-TYPED, VACUOUS, DEFINITION,
    UPDATE or NOT UNDERSTOOD, with the evidence, and a repair where it is wrong. Exit code 1 when something is wrong
    that is not wrong on purpose; 2 when a lesson cannot be read, or nothing in it can be understood.
    """
    wanted.check()
    guard()
    paths = list(files(lessons))
    if wanted.name and len(paths) > 1:
        refuse(f"--name is for one lesson, and there are {len(paths)}")
    run = Run(wanted, reports(paths, wanted.name))
    upkeep = Upkeep(None, False, None, None, github)
    with Upkeep(None, False, None, None, False if wanted.json else github).quoted(" ".join(map(str, lessons))):
        for path, named in paths:
            run.lesson(path, named)
    if upkeep.on_github:
        annotate(run.audits, wanted.json)
    sys.exit(run.exit_code)
