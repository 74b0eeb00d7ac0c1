"""`oracle vectors export` and `oracle vectors verify`."""

import sys
from pathlib import Path
from typing import Any

import click

from oracle.cli.common import FAILED, OK, guard, refuse, safe


@click.group()
def vectors() -> None:
    """Test vectors with proven answers, for any language: make a set of them, or verify answers to one."""


@vectors.command()
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False))
@click.option("--ops", help="Only these operators: Linear,Tanh,MSELoss.")
@click.option("--profile", help="Random cases of this profile, in place of the published recipe.")
@click.option("--cases", type=click.IntRange(1), help="How many of them.  [default: 20]")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="The same seed, the same bytes.")
def export(directory: Path, ops: str | None, profile: str | None, cases: int | None, seed: int) -> None:
    """Write a set of vectors to DIRECTORY.

    Without --profile and --cases: the smallest set found that catches every fault of the vocabulary of a first lesson
    (or of the operators in it that --ops names), in about two minutes. With them: so many random cases, and the faults
    that they catch.
    """
    operators = None if ops is None else _operators(ops)
    guard()
    from oracle.architectures import PROFILES
    from oracle.report.vectors import write_set
    from oracle.vectors import exporting
    from oracle.vectors.drawing import OPERATORS

    own = profile is not None or cases is not None
    profile = profile or ("standard" if operators and not operators <= OPERATORS else "mlp")
    if profile not in PROFILES or PROFILES[profile].updates == 1:
        refuse(
            f"no profile of gradients is called {profile!r}; "
            f"there are {', '.join(p for p in PROFILES if PROFILES[p].updates != 1)}"
        )
    if not own and operators and (others := operators - OPERATORS):
        refuse(f"the published recipe has no {min(others)}; say --cases to draw random cases with it")
    try:
        if own:
            made = exporting.drawn(cases or 20, seed, profile, operators, told=_told, recipe=_recipe())
        else:
            made = exporting.published(seed, operators=operators or OPERATORS, told=_told, recipe=_recipe())
        written = write_set(*made, directory)
    except OSError as error:
        refuse(f"the vectors cannot be written to {directory}: {error.strerror or error}")
    except ValueError as error:
        refuse(str(error))
    size = sum(path.stat().st_size for path in written)
    click.echo(f"{len(made[1])} vectors, {size} bytes: {(directory / 'README.md').as_posix()}")


def _operators(text: str) -> frozenset[str]:
    from oracle.twin import known_op

    found = frozenset(text.replace(",", " ").split())
    for op in sorted(found):
        if not known_op(op):
            refuse(f"no operator is called {op!r}; `oracle catalogue --operators` lists them")
    return found


def _recipe() -> str:
    """The options of this run, without the folder."""
    given = {n: v for n, v in click.get_current_context().params.items() if n != "directory" and v not in (None, 0)}
    return " ".join(["oracle vectors export DIR", *(f"--{name} {given[name]}" for name in sorted(given))])


def _told(sentence: str) -> None:
    click.echo(safe(sentence), err=True)


@vectors.command()
@click.argument("directory", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.argument("answers", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--dtype", type=click.Choice(["float64", "float32"]), default="float64", show_default=True,
              help="What the answers were computed in.")  # fmt: skip
@click.option("--parameters-only", is_flag=True, help="Judge by the loss and the parameters; inputs need no gradient.")
@click.option("--json", "as_json", is_flag=True, help="One line for machines.")
@click.option("-q", "--quiet", is_flag=True, help="Only what is not right, and the last line.")
def verify(directory: Path, answers: Path, dtype: Any, parameters_only: bool, as_json: bool, quiet: bool) -> None:
    """Judge ANSWERS to the vectors in DIRECTORY.

    ANSWERS is a JSON object {id: {"loss": ..., "gradients": {name: rows}}}, or several such objects, one a line.
    Exit code 0 if all are right, 1 if one is wrong or missing, 2 if the files are not what they should be.
    """
    from oracle.report import vectors as page
    from oracle.spec import CaseError
    from oracle.vectors.records import load
    from oracle.vectors.verifying import GOOD, read_answers, verify

    try:
        index, every = load(directory)
        given = read_answers(answers)
    except CaseError as error:
        refuse(str(error))
    if unknown := sorted(given.keys() - {vector.id for vector in every}):
        refuse(f"{answers}: {unknown[0]} is no vector of {directory}; answers are by the id of their vector")
    found = verify(every, given, dtype, inputs=not parameters_only)
    if as_json:
        click.echo(page.as_json(found))
    else:
        for outcome in (o for o in found if not quiet or o.status != "ok"):
            click.echo("\n".join(map(safe, page.lines(outcome, index))))
        click.echo(page.verdict(found))
    sys.exit(FAILED if any(o.status not in GOOD for o in found) else OK)
