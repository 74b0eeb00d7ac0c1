"""The command line: read, call, render. A file for each family of commands."""

import sys
from typing import NoReturn

import click

from oracle.cli.audit import audit
from oracle.cli.check import check, replay
from oracle.cli.common import INTERRUPTED, OK, USAGE
from oracle.cli.explain import catalogue, explain
from oracle.cli.frameworks import frameworks
from oracle.cli.measure import deviations, mutation
from oracle.cli.protocol import protocol
from oracle.cli.smoke import smoke
from oracle.cli.vectors import vectors


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


for command in (audit, check, replay, explain, catalogue, mutation, deviations, protocol, vectors, smoke, frameworks):
    main.add_command(command)
