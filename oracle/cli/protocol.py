"""`oracle protocol`."""

import click
import msgspec


@click.command()
@click.option("--schema", is_flag=True, help="The JSON Schema of what the oracle writes, and of what a subject writes.")
def protocol(schema: bool) -> None:
    """Print the line protocol that a `cmd:` subject speaks."""
    from oracle.subjects import protocol as lines

    if schema:
        click.echo(msgspec.json.format(msgspec.json.encode(lines.schemas())).decode())
    else:
        click.echo((lines.__doc__ or "").strip())
