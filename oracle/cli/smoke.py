"""`oracle smoke`."""

import sys

import click

from oracle.cli.common import AS, guard, safe, subject_of


@click.command()
@click.argument("subject", default="reference")
@AS
def smoke(subject: str, kind: str) -> None:
    """Say in a few seconds whether SUBJECT is wired right, in sentences, on a handful of tiny cases.

    Exit code 0 if it is, 1 if something is wrong, 2 if it cannot start or declines every case.
    """
    guard()
    from oracle.report.smoke import smoke_lines
    from oracle.smoke import smoke as run

    found = run(subject_of(subject, kind))
    for line in smoke_lines(found):
        click.echo(safe(line))
    sys.exit(found.exit_code)
