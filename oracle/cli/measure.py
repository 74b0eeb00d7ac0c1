"""`oracle mutation` and `oracle torch`."""

import sys
from pathlib import Path
from typing import Any

import click
import msgspec

from oracle.cli.common import console, guard, refuse, safe


@click.command()
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
    guard()
    from oracle.mutation import Plan
    from oracle.mutation import mutation as run
    from oracle.report.mutation import headline, print_mutation, verdict, write_mutation
    from oracle.seeds import SEEDS
    from oracle.spec import write

    seeds = [s for s in SEEDS if not codes or s.code.startswith(codes)]
    for code in (c for c in codes if not any(s.code.startswith(c) for s in seeds)):
        refuse(f"no fault that can be planted has the code {code}; `oracle catalogue` lists them")
    timing: dict[str, float] = {}

    def told(done: int, mutant: Any, seconds: float) -> None:
        timing[mutant.seed] = round(seconds, 3)
        if not quiet:
            after = f"case {mutant.first}, {seconds:.2f} s" if mutant.found else "never"
            click.echo(safe(f"{done:3} of {len(seeds)}  {mutant.seed}: {after}; {mutant.naming}"), err=True)

    found = run(Plan(cases, 0 if no_peers else peer_cases, seed), seeds, jobs, told)
    directory = report or (None if codes else Path("reports"))
    if directory:
        try:
            write_mutation(found, directory)
            write(directory / "mutation.timing.json", msgspec.json.encode(timing) + b"\n")
        except OSError as error:
            refuse(f"the report cannot be written to {directory}: {error.strerror or error}")
    if quiet:
        click.echo(safe(f"{verdict(found)}: {headline(found)}"))
    else:
        print_mutation(console(), found)
    sys.exit(found.exit_code)


@click.command("torch")
@click.option("--cases", type=click.IntRange(0), default=200, show_default=True, help="Random cases of each dtype.")
@click.option(
    "--report", type=click.Path(path_type=Path, dir_okay=False), default=Path("reports/torch.md"), show_default=True
)
def deviations(cases: int, report: Path) -> None:
    """Find where torch itself is wrong, and write it down with proofs and scripts; it takes about a minute."""
    guard()
    import oracle.deviations as torch_itself
    from oracle.report.deviations import write_page

    found, contests = torch_itself.search(), torch_itself.contest(cases)
    try:
        write_page(report, found, contests, torch_itself.known())
    except OSError as error:
        refuse(f"the report cannot be written to {report}: {error.strerror or error}")
    click.echo(f"{len(found)} deviations of torch: {report.as_posix()}")
