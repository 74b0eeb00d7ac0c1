"""`oracle smoke`."""

import sys
from typing import Any

import click

from oracle.cli.common import guard, safe, subject_of, subject_options


@click.command()
@click.argument("subject", default="reference")
@subject_options
def smoke(subject: str, how: dict[str, Any]) -> None:
    """Say in a few seconds whether SUBJECT is wired right, in sentences, on a handful of tiny cases.

    Exit code 0 if it is, 1 if something is wrong, 2 if it cannot start or declines every case.
    """
    guard()
    from oracle.report.smoke import smoke_lines
    from oracle.smoke import smoke as run

    found = run(subject_of(subject, **how))
    for line in smoke_lines(found):
        click.echo(safe(line))
    sys.exit(found.exit_code)
