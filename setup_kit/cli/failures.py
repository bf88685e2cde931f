"""setup-kit failures"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from setup_kit.cli.options import Output, Span, environment_option, output_options

if TYPE_CHECKING:
    from setup_kit.export_service.failures import Failure

since_option = click.option(
    "--since", type=Span(), metavar="SPAN", help="Only of so long ago, in whole hours: 90m, 24h, 7d."
)
entity_option = click.option("--entity", metavar="NAME", help="Only of the entity with this logical name.")


@click.group()
def failures() -> None:
    """The failure log: which records could not be exported, and why. The service keeps it for thirty days.

    An entry stays when its record is exported later on.

    \b
    Examples:
      setup-kit failures summary -e dev
      setup-kit failures explain -e dev
      setup-kit failures download -e dev failures
    """


@failures.command("list")
@click.option("--limit", type=click.IntRange(1), default=200, show_default=True, help="So many, the newest.")
@since_option
@entity_option
@environment_option
@output_options
def list_(limit: int, since: timedelta | None, entity: str | None, environment: str, output: Output) -> None:
    """List the entries of the failure log, the newest last.

    \b
    Examples:
      setup-kit failures list -e dev
      setup-kit failures list -e dev --entity account --since 24h --output json
    """
    from setup_kit.report.failures import failures_list, show_failures_list

    name, found = _entries(environment, since, entity, output)
    left_out = max(0, len(found) - limit)
    if output.json:
        output.document(failures_list(name, found[left_out:], left_out))
    else:
        show_failures_list(output.out, found[left_out:], left_out)


@failures.command()
@since_option
@entity_option
@environment_option
@output_options
def summary(since: timedelta | None, entity: str | None, environment: str, output: Output) -> None:
    """Count the entries of the failure log by entity and reason, the most first.

    \b
    Example:
      setup-kit failures summary -e dev --since 7d
    """
    from setup_kit.export_service.failure_reasons import counted
    from setup_kit.report.failures import failures_summary, show_failures_summary

    name, found = _entries(environment, since, entity, output)
    counts = counted(found)
    if output.json:
        output.document(failures_summary(name, counts))
    else:
        show_failures_summary(output.out, counts)


@failures.command()
@since_option
@entity_option
@environment_option
@output_options
def explain(since: timedelta | None, entity: str | None, environment: str, output: Output) -> None:
    """Say of each reason in the failure log what it means, what to do about it, and the next command.

    \b
    Example:
      setup-kit failures explain -e dev
    """
    from setup_kit.export_service.failure_reasons import counted, explained
    from setup_kit.report.failures import failures_explained, show_failures_explained

    name, found = _entries(environment, since, entity, output)
    explanations = explained(counted(found))
    if output.json:
        output.document(failures_explained(name, environment, explanations))
    else:
        show_failures_explained(output.out, environment, explanations)


@failures.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@since_option
@environment_option
@output_options
def download(folder: Path, since: timedelta | None, environment: str, output: Output) -> None:
    """Copy the failure log, and the records that failed, into FOLDER, readable for you only.

    The files hold the values of records: treat them as you treat the database.

    \b
    Example:
      setup-kit failures download -e dev failures
    """
    from setup_kit.cli.session import open_session
    from setup_kit.engine.events import Event, Happening
    from setup_kit.report.console import counted
    from setup_kit.report.states import plain
    from setup_kit.resources import failure_log

    with open_session(environment) as session, output.progress() as progress, failure_log.opened(session.house) as log:
        files = failure_log.download(
            log, folder, _moment(since), lambda step: progress(Event(Happening.PROGRESS, step.resource, progress=step))
        )
    if output.json:
        output.document({"environment": session.name, "folder": str(folder), "files": plain(files)})
    else:
        size = sum(file.size for file in files)
        output.out.print(f"{counted(len(files), 'file')}, {size:,} bytes, in {folder}", markup=False)


def _entries(
    environment: str, since: timedelta | None, entity: str | None, output: Output
) -> tuple[str, list[Failure]]:
    """The environment's name, and the entries that were asked for."""
    from setup_kit.cli.session import open_session
    from setup_kit.engine.events import Event, Happening
    from setup_kit.resources import failure_log

    with open_session(environment) as session, output.progress() as progress, failure_log.opened(session.house) as log:
        found = failure_log.entries(
            log, _moment(since), entity, lambda step: progress(Event(Happening.PROGRESS, step.resource, progress=step))
        )
    return session.name, found


def _moment(since: timedelta | None) -> datetime | None:
    return None if since is None else datetime.now(UTC) - since
