"""`oracle explain` and `oracle catalogue`."""

import re
from pathlib import Path

import click
import msgspec

from oracle.cli.common import console, guard, refuse, safe


@click.command()
@click.argument("path", metavar="CASE|CODE", type=click.Path(path_type=Path))
@click.option("--rate", default=0.1, show_default=True, help="The η of step 5.")
def explain(path: Path, rate: float) -> None:
    """Walk a saved case through the five steps, with every number; or show a fault, with its smallest example."""
    guard()
    from oracle.explain import explain as told
    from oracle.faults import FAULTS
    from oracle.spec import CaseError, load

    if (code := str(path).upper()) in FAULTS and not path.exists():
        from oracle.explanations import explanation
        from oracle.report.explanations import print_explanation

        print_explanation(console(), explanation(code))
        return
    if re.fullmatch(r"[A-Z]\d{3}", code) and not path.exists():
        refuse(f"no fault has the code {code}; `oracle catalogue --faults` lists them")
    try:
        click.echo(safe(told(load(path), rate)), nl=False)
    except CaseError as error:
        refuse(str(error))


@click.command()
@click.option("--operators", "kinds", flag_value="operators", multiple=True, help="Only the operators.")
@click.option("--optimizers", "kinds", flag_value="optimizers", multiple=True, help="Only the optimizers.")
@click.option("--kinks", "kinds", flag_value="kinks", multiple=True, help="Only the kinks, and what is right there.")
@click.option("--faults", "kinds", flag_value="faults", multiple=True, help="Only the faults.")
@click.option("--json", "as_json", is_flag=True, help="For machines, with all that is known.")
@click.option("--pages", type=click.Path(path_type=Path, file_okay=False), help="Write a page about every fault there.")
def catalogue(kinds: tuple[str, ...], as_json: bool, pages: Path | None) -> None:
    """List every operator, optimizer, kink and fault that the oracle knows, or write pages about the faults."""
    guard()
    from rich.table import Table

    from oracle.catalogue import plain, tables

    if pages is not None:
        from oracle.explanations import explanation
        from oracle.faults import FAULTS
        from oracle.report.explanations import write_pages

        try:
            written = write_pages([explanation(code) for code in sorted(FAULTS)], pages, index=True)
        except OSError as error:
            refuse(f"the pages cannot be written to {pages}: {error.strerror or error}")
        click.echo(f"{len(written)} files: {(pages / 'index.html').as_posix()}")
        return
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(plain(*kinds))).decode())
        return
    for found in tables(*kinds):
        table = Table(*found.columns, title=found.title, title_justify="left", box=None)
        for row in found.rows:
            table.add_row(*(safe(cell).replace("[", r"\[") for cell in row))
        console().print(table)
        click.echo()
