"""setup-kit sandbox"""

from __future__ import annotations

import json
import shlex
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from setup_kit.cli.options import Output, finish, output_options
from setup_kit.errors import ExitCode, KitError

F = TypeVar("F", bound=Callable[..., Any])

# Where a sandbox lives when nothing else is said.
DEFAULT = Path(".setup-kit") / "sandbox"


def directory_option(function: F) -> F:
    return click.option(
        "--dir",
        "directory",
        type=click.Path(file_okay=True, path_type=Path),
        envvar="SETUP_KIT_SANDBOX",
        default=DEFAULT,
        show_default=True,
        help="The sandbox's directory: its certificates, state and log. SETUP_KIT_SANDBOX says the same.",
    )(function)


@click.group()
def sandbox() -> None:
    """A local cloud to rehearse in: Entra, Resource Manager, Graph, Key Vault, SQL Server, Dataverse and the service.

    Everything listens on 127.0.0.1 with TLS, needs no account, and checks access as the cloud does. It is a rehearsal:
    what it does not know it refuses by name.

    \b
    Examples:
      setup-kit sandbox up --dir box --detach
      eval "$(setup-kit sandbox env --dir box)"
      setup-kit init dev --cloud sandbox
      setup-kit apply -e dev --yes
      setup-kit sandbox down --dir box
    """


@sandbox.command()
@directory_option
@click.option("--detach", is_flag=True, help="Return when it answers, and leave it running.")
@click.option("--port-base", type=click.IntRange(1024, 65000), help="First port to use; free ones when not given.")
@click.option(
    "--latency",
    type=click.FloatRange(0, 10),
    default=0.0,
    help="Delay each operation as the cloud does, times this factor: 0.05 makes 60 seconds 3.",
)
@click.option(
    "--records",
    type=click.FloatRange(0.01, 100),
    default=1.0,
    help="Begin a new organization with the usual 5,000 records times this factor: 10 for a longer synchronization; "
    "users and the like stay as many as they are.",
)
def up(directory: Path, detach: bool, port_base: int | None, latency: float, records: float) -> None:
    """Start a sandbox; its state is kept across restarts, so that --records is for a new one alone.

    \b
    Examples:
      setup-kit sandbox up --detach
      setup-kit sandbox up --dir box --latency 0.1
    """
    directory = _folder(directory)
    process = _process()
    if _given("records") and process.has_organization(directory):
        click.echo(
            f"The organization in {directory} has its records already: --records {records:g} changes nothing.", err=True
        )
    if detach:
        try:
            document = process.start_detached(directory, port_base, latency, records)
        except process.SandboxError as error:
            raise told(error, directory) from error
        click.echo(f"The sandbox is up: {directory}")
        click.echo(f'Load its settings: eval "$(setup-kit sandbox env --dir {shlex.quote(str(directory))})"')
        click.echo(f"Organization: {document['organization']['name']} at {document['organization']['url']}")
        return
    import asyncio

    host = require_host()

    def ready() -> None:
        click.echo(f"The sandbox is up: {directory}. Ctrl-C stops it.", err=True)

    try:
        asyncio.run(host.run(directory.absolute(), port_base, latency, ready, records))
    except process.SandboxError as error:
        raise told(error, directory) from error


@sandbox.command()
@directory_option
def down(directory: Path) -> None:
    """Stop the sandbox; its state stays for the next start.

    \b
    Example:
      setup-kit sandbox down --dir box
    """
    process = _process()
    directory = _folder(directory)
    try:
        stopped = process.stop(directory)
    except process.SandboxError as error:
        raise told(error, directory) from error
    click.echo("The sandbox is stopped." if stopped else f"No sandbox is running in {directory}.")


@sandbox.command()
@directory_option
@output_options
def status(directory: Path, output: Output) -> None:
    """Say whether the sandbox runs, and where its parts answer. Exits with 1 when it does not run.

    \b
    Example:
      setup-kit sandbox status --dir box
    """
    document, running = _current(directory), _process().is_running(_folder(directory))
    shown = {key: value for key, value in document.items() if key != "client_secret"} | {"running": running}
    shown["sql_machine"] = {key: value for key, value in document["sql_machine"].items() if key != "password"}
    if not running:
        shown["next"] = start_of(_folder(directory))
    if output.json:
        output.document(shown)
    elif running:
        click.echo("running")
        for key, value in shown.items():
            if key != "running":
                click.echo(f"  {key}: {json.dumps(value) if isinstance(value, dict) else value}")
    else:
        click.echo(f"not running\nStart it: {shown['next']}")
    if not running:
        finish(ExitCode.FAILED)


@sandbox.command()
@directory_option
def env(directory: Path) -> None:
    """Print the settings of the sandbox's administrator as export lines, for `eval`.

    \b
    Example:
      eval "$(setup-kit sandbox env --dir box)"
    """
    for name, value in settings(_current(directory)).items():
        click.echo(f"export {name}={shlex.quote(value)}")


@sandbox.command()
@directory_option
@click.option("--writes", is_flag=True, help="Only what changes something: no reads, no sign-in.")
@click.option("--part", help="Only of one part: entra, resource-manager, graph, key-vault, dataverse, sql, …")
@click.option("--since", type=click.FloatRange(0), metavar="SECONDS", help="Only of the last so many seconds.")
@click.option("--faulty", is_flag=True, help="Only what met a fault.")
@output_options
def requests(
    directory: Path, writes: bool, part: str | None, since: float | None, faulty: bool, output: Output
) -> None:
    """List what came in: time, part, method, path, status, duration, caller, fault; no bodies, no SQL text.

    \b
    Examples:
      setup-kit sandbox requests --writes --part resource-manager
      setup-kit sandbox requests --faulty --since 60 --output json
    """
    from datetime import UTC, datetime, timedelta

    from setup_kit.sandbox.requests import is_write, read_requests

    folder = known_folder(directory)
    # All lines have the same form and zone, so that their texts sort as their times do.
    start = (datetime.now(UTC) - timedelta(seconds=since)).isoformat(timespec="milliseconds") if since else ""
    found = [
        entry
        for entry in read_requests(folder)
        if (not writes or is_write(entry))
        and (part is None or entry["part"] == part)
        and entry["time"] >= start
        and (not faulty or "fault" in entry)
    ]
    if output.json:
        output.document({"count": len(found), "requests": found})
        return
    if not found:
        click.echo("There are no such requests.")
    for entry in found:
        click.echo(
            f"{entry['time']}  {entry['part']:<17} {entry['method']:<14} {entry['path']}  "
            f"{entry['status']}  {entry['milliseconds']:.0f} ms  {entry['caller']}"
            + (f"  fault {entry['fault']}" if "fault" in entry else "")
        )


@sandbox.command()
@click.argument("model", required=False, type=click.Choice(["none", "cloud", "busy"]), metavar="[MODEL]")
@click.option("--scale", type=click.FloatRange(0, 10), help="Times this factor; 1 when not given.")
@directory_option
@output_options
def latency(model: str | None, scale: float | None, directory: Path, output: Output) -> None:
    """Set how long operations take, in a running sandbox too; shows it without MODEL. `sandbox up` sets it anew.

    \b
    Models:
      none   no delay at all
      cloud  each operation as long as in the cloud: a server 75 seconds,
             a database 45, a firewall rule 2
      busy   provisioning three times as long, as in a region under load

    \b
    Examples:
      setup-kit sandbox latency
      setup-kit sandbox latency cloud --scale 0.05
      setup-kit sandbox latency none
    """
    from setup_kit.sandbox import latency as latencies

    folder = known_folder(directory)
    if model is not None:
        latencies.set_pace(folder, latencies.Pace(model, 1.0 if scale is None else scale))
    elif scale is not None:
        raise click.UsageError("--scale goes with a MODEL: none, cloud or busy")
    pace = latencies.pace_of(folder)
    if output.json:
        seconds = {operation: round(pace.seconds(operation), 3) for operation in latencies.SECONDS}
        output.document({"model": pace.model, "scale": pace.scale, "seconds": seconds})
        return
    click.echo(f"{pace.model}, times {pace.scale:g}")
    if model is None:
        for operation in latencies.SECONDS:
            click.echo(f"  {operation:<26} {pace.seconds(operation):g} s")


@sandbox.command()
@output_options
def sql(output: Output) -> None:
    """List what the sandbox's SQL Server does not carry out, with the error number that refuses it.

    Everything else of T-SQL that the kit, the export service and its clean-up scripts use is carried out.

    Any driver of SQL Server may look in, at the fqdn (address and port) that `setup-kit server show` prints. The
    certificate is sql_certificate of `setup-kit sandbox status`, signed by its ca_file. Sign in as the SQL login that
    administers the server (`setup-kit init --administrator-login`; its password is SETUP_KIT_SQL_ADMIN_PASSWORD), or
    with a token of the sandbox's authority for its sql_audience. Microsoft's drivers take:

    \b
      Server=127.0.0.1,PORT;Database=NAME;Encrypt=strict;ServerCertificate=FILE

    \b
    Example:
      setup-kit sandbox sql --output json
    """
    from setup_kit.sandbox.sql import unsupported

    entries = unsupported.ENTRIES.values()
    if output.json:
        output.document({"unsupported": [{"name": entry.name, "number": entry.number} for entry in entries]})
        return
    for error, group in unsupported.GROUPS.items():
        names = sorted((entry.name for entry in entries if entry.number == error), key=str.lower)
        click.echo(f"{group} (error {error}):")
        # Spaces that do not break keep a name on one line.
        listed = ", ".join(name.replace(" ", "\N{NO-BREAK SPACE}") for name in names)
        for line in textwrap.wrap(listed, 78, break_long_words=False, break_on_hyphens=False):
            click.echo("  " + line.replace("\N{NO-BREAK SPACE}", " "))
        click.echo()


def _given(option: str) -> bool:
    return click.get_current_context().get_parameter_source(option) is ParameterSource.COMMANDLINE


def settings(document: dict[str, Any]) -> dict[str, str]:
    """The variables that make a sandbox's administrator of whoever holds them."""
    return {
        "AZURE_TENANT_ID": document["tenant_id"],
        "AZURE_CLIENT_ID": document["client_id"],
        "AZURE_CLIENT_SECRET": document["client_secret"],
        "AZURE_AUTHORITY_HOST": document["authority"],
        "REQUESTS_CA_BUNDLE": document["ca_file"],
        # The administrator's of the machine; that of a logical server that is made is what one likes.
        "SETUP_KIT_SQL_ADMIN_PASSWORD": document["sql_machine"]["password"],
        "SETUP_KIT_SANDBOX": str(Path(document["directory"]) / "sandbox.json"),
    }


def _folder(directory: Path) -> Path:
    """SETUP_KIT_SANDBOX may name the file in the directory."""
    return directory.parent if directory.name == "sandbox.json" else directory


def known_folder(directory: Path) -> Path:
    """The folder of a sandbox that has been started at least once, running or not."""
    _document(directory)
    return _folder(directory)


def _document(directory: Path) -> dict[str, Any]:
    process = _process()
    folder = _folder(directory)
    try:
        document: dict[str, Any] = process.read_document(folder)
    except process.SandboxError as error:
        raise told(error, folder) from error
    return document


def _current(directory: Path) -> dict[str, Any]:
    """What the file of a sandbox says that this version started. Raises KitError where another one did."""
    process = _process()
    document, folder = _document(directory), _folder(directory)
    if document.get("version") != process.VERSION:
        stop = f"setup-kit sandbox down --dir {shlex.quote(str(folder))}, then " if process.is_running(folder) else ""
        raise KitError(
            f"the sandbox in {folder} was started by another version of setup-kit",
            why=f"its sandbox.json is of version {document.get('version')}, and this setup-kit reads {process.VERSION}",
            remedy=f"start it anew, its state is kept: {stop}{start_of(folder)}",
        )
    return document


def start_of(directory: Path) -> str:
    return f"setup-kit sandbox up --dir {shlex.quote(str(directory))} --detach"


def told(error: Exception, directory: Path) -> KitError:
    what, _, log = str(error).partition("\n")
    if isinstance(error, _process().AlreadyRunning):
        place = shlex.quote(str(directory))
        remedy = (
            f'use it: eval "$(setup-kit sandbox env --dir {place})"; or stop it: setup-kit sandbox down --dir {place}'
        )
        return KitError(what, remedy=remedy)
    return KitError(what, remedy=f"see {directory / 'sandbox.log'}, or start it: {start_of(directory)}", original=log)


def _process() -> Any:
    try:
        from setup_kit.sandbox import process
    except ModuleNotFoundError as error:
        raise KitError(
            "the sandbox does not run on this system",
            why=f"it is made for Linux and macOS: {error}",
            remedy="run it in WSL, the Windows Subsystem for Linux; the kit itself runs on Windows",
        ) from error
    return process


def require_host() -> Any:
    """The host, which needs the extra; says how to install it when it is missing."""
    try:
        from setup_kit.sandbox import host
    except ModuleNotFoundError as error:
        if error.name and error.name.startswith("setup_kit"):
            raise
        raise KitError(
            f"the sandbox needs the package {error.name}, which is not installed",
            why="the sandbox is an extra, to keep the kit itself lean",
            remedy="pip install 'setup-kit[sandbox]'",
        ) from error
    return host
