"""setup-kit sandbox fault"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from setup_kit.cli.options import Output, output_options
from setup_kit.cli.sandbox import directory_option, known_folder, sandbox
from setup_kit.errors import KitError, UsageError

KINDS = (
    "status", "reset-before", "reset-after", "drip", "truncate", "expired-token", "failed-operation", "late",
    "sql-error",
)  # fmt: skip
PARTS = ("entra", "resource-manager", "graph", "key-vault", "dataverse", "export-service", "sql")


@sandbox.group()
def fault() -> None:
    """Make requests and SQL statements of a sandbox fail, to see what then happens.

    Rules hold from the next request on, in a running sandbox too, and stay until they are removed.

    \b
    Examples:
      setup-kit sandbox fault add status --status 429 --header 'Retry-After: 2'
      setup-kit sandbox fault list
      setup-kit sandbox fault clear
    """


@fault.command()
@click.argument("kind", type=click.Choice(KINDS), metavar="KIND")
@directory_option
@click.option("--part", type=click.Choice(PARTS), help="The part that fails; every part that can when not given.")
@click.option(
    "--method", default="*", metavar="GLOB", help="GET, PUT, …; of SQL the first words: LOGIN, 'CREATE USER'."
)
@click.option("--path", default="*", metavar="GLOB", help="The path without its query; of SQL /SERVER/DATABASE.")
@click.option("--caller", default="*", metavar="GLOB", help="The application's id; of SQL the login.")
@click.option("--nth", type=click.IntRange(1), help="Only the N-th match: as --after N-1 --times 1.")
@click.option("--after", type=click.IntRange(0), help="Leave so many matches alone first.")
@click.option("--times", type=click.IntRange(1), help="Fail so many matches, then no more; all when not given.")
@click.option(
    "--share", type=click.FloatRange(0, 1, min_open=True), default=1.0, help="Fail this share of the matches."
)
@click.option(
    "--seed", type=int, default=0, show_default=True, help="Which ones --share picks: alike for the same seed."
)
@click.option("--status", type=click.IntRange(400, 599), help="status: the HTTP status.")
@click.option("--header", "headers", multiple=True, metavar="'NAME: VALUE'", help="status: a header; may be repeated.")
@click.option("--code", default="", help="status, failed-operation: the error code in the body.")
@click.option("--seconds", type=click.FloatRange(0, min_open=True), help="drip, late: how long.")
@click.option("--number", type=click.IntRange(1), help="sql-error: the error's number.")
@click.option("--severity", type=click.IntRange(1, 25), help="sql-error: its class; from 20 on it disconnects.")
@click.option("--state", type=click.IntRange(1, 255), help="sql-error: its state.")
@output_options
def add(
    kind: str,
    directory: Path,
    part: str | None,
    nth: int | None,
    after: int | None,
    times: int | None,
    headers: tuple[str, ...],
    output: Output,
    **values: Any,
) -> None:
    """Add a fault: requests that match --part, --method, --path and --caller meet it. Prints its id.

    \b
    Kinds:
      status            HTTP --status, --header and --code, in the part's own form
      reset-before      the connection is reset and nothing has happened
      reset-after       it has happened, the answer is lost
      drip              the answer takes --seconds, in small pieces
      truncate          half of the answer's body, then the end
      expired-token     401, as if the caller's token had expired
      failed-operation  the operation is accepted, then Failed with --code
      late              a firewall rule, role or policy holds only after --seconds
      sql-error         SQL error --number, with --severity and --state

    A glob's * takes slashes too, and case does not matter. Of several faults that a request matches it meets the first
    that strikes. Counting begins with the sandbox's process.

    \b
    Examples:
      setup-kit sandbox fault add status --status 503 --part graph --nth 2
      setup-kit sandbox fault add reset-after --method PUT --path '*/servers/*'
      setup-kit sandbox fault add late --seconds 20 --path '*/roleAssignments/*'
      setup-kit sandbox fault add sql-error --number 40613 --method LOGIN
      setup-kit sandbox fault add reset-before --part sql --share 0.5 --seed 7
    """
    from setup_kit.sandbox import faults

    if nth is not None and (after is not None or times is not None):
        raise click.UsageError("--nth stands for --after and --times; give one or the other")
    if nth is not None:
        after, times = nth - 1, 1
    folder = known_folder(directory)
    try:
        made = faults.add(
            folder,
            faults.Fault(
                kind=kind,
                part=part or "*",
                after=after or 0,
                times=times or 0,
                headers=dict(_header(each) for each in headers),
                **{name: value for name, value in values.items() if value is not None},
            ),
        )
    except faults.FaultError as error:
        raise UsageError(f"this fault cannot be added: {error}", remedy="setup-kit sandbox fault add --help") from error
    if output.json:
        output.document({"fault": made.document()})
    else:
        click.echo(made.id)


@fault.command("list")
@directory_option
@output_options
def list_(directory: Path, output: Output) -> None:
    """List the faults, with how many requests have met each.

    \b
    Example:
      setup-kit sandbox fault list --output json
    """
    from setup_kit.sandbox import faults
    from setup_kit.sandbox.requests import read_requests

    folder = known_folder(directory)
    entries = read_requests(folder)
    found = [
        {**each.document(), "met": sum(entry.get("fault") == each.id for entry in entries)}
        for each in faults.listed(folder)
    ]
    if output.json:
        output.document({"faults": found})
        return
    if not found:
        click.echo("There are no faults.")
    for each in found:
        said = " ".join(f"{key}={value}" for key, value in each.items() if key not in ("id", "kind", "met"))
        click.echo(f"{each['id']:<5} {each['kind']:<17} met {each['met']:<4} {said}".rstrip())


@fault.command()
@click.argument("identifier", metavar="ID")
@directory_option
@output_options
def remove(identifier: str, directory: Path, output: Output) -> None:
    """Remove a fault by its id.

    \b
    Example:
      setup-kit sandbox fault remove f1
    """
    from setup_kit.sandbox import faults

    if not faults.remove(known_folder(directory), identifier):
        raise KitError(f"there is no fault {identifier}", remedy="setup-kit sandbox fault list")
    if output.json:
        output.document({"removed": identifier})


@fault.command()
@directory_option
@output_options
def clear(directory: Path, output: Output) -> None:
    """Remove every fault.

    \b
    Example:
      setup-kit sandbox fault clear --dir box
    """
    from setup_kit.sandbox import faults

    count = faults.clear(known_folder(directory))
    if output.json:
        output.document({"removed": count})
    else:
        click.echo(f"{count} removed")


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not name.strip():
        raise click.BadParameter(f"{text!r} is not NAME: VALUE", param_hint="--header")
    return name.strip(), value.strip()
