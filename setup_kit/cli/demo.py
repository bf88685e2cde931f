"""setup-kit demo"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from setup_kit.cli.options import Output, finish
from setup_kit.errors import ExitCode, KitError

NAME = "demo"


@click.command()
@click.option(
    "--dir",
    "directory",
    type=click.Path(file_okay=False, path_type=Path),
    help="Work here; a new temporary folder else.",
)
@click.option("--keep", is_flag=True, help="Leave the sandbox running and the folder in place.")
@click.option("--no-color", is_flag=True, help="No colours; the variable NO_COLOR does the same.")
def demo(directory: Path | None, keep: bool, no_color: bool) -> None:
    """Do the whole job once on a local cloud: provision, replicate, prove. Needs no account.

    Starts a sandbox, writes an environment file, and runs doctor, plan, apply, verify and a second plan on it, over the
    same wires as in the cloud. Leaves nothing behind unless --keep is given.

    \b
    Examples:
      setup-kit demo
      setup-kit demo --dir rehearsal --keep
    """
    output = Output(json=False, color=not no_color, verbose=False)
    begun = time.monotonic()
    # A stopped pipeline sends SIGTERM: like Ctrl-C it must leave nothing behind.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    folder = _folder(directory)
    try:
        with _sandbox(folder / "sandbox", keep=keep) as document, contextlib.chdir(folder), _settings(document):
            _run(output, no_color)
            seconds = time.monotonic() - begun
            output.out.print(f"\n[green]The whole job took {seconds:.0f} seconds.[/]")
            _where_next(output, folder, keep)
    finally:
        if not keep:
            shutil.rmtree(folder)


def _folder(directory: Path | None) -> Path:
    """An empty folder to work in, which is the demonstration's to remove. One that holds something is refused."""
    if directory is None:
        return Path(tempfile.mkdtemp(prefix="setup-kit-demo-"))
    if directory.exists() and any(directory.iterdir()):
        raise KitError(f"{directory} is not empty", remedy="give an empty or a new folder, or none: setup-kit demo")
    directory.mkdir(parents=True, exist_ok=True)
    return directory.absolute()


@contextlib.contextmanager
def _sandbox(folder: Path, *, keep: bool) -> Iterator[dict[str, Any]]:
    from setup_kit.cli.sandbox import require_host, told
    from setup_kit.sandbox import process

    require_host()
    click.echo("Starting a local cloud ...", err=True)
    try:
        document = process.start_detached(folder)
    except process.SandboxError as error:
        raise told(error, folder) from error
    try:
        yield document
    finally:
        if not keep:
            try:
                process.stop(folder)
            except process.SandboxError as error:
                raise told(error, folder) from error


@contextlib.contextmanager
def _settings(document: dict[str, Any]) -> Iterator[None]:
    """What `sandbox env` prints, in this process's own environment for as long as the demonstration runs."""
    from setup_kit.cli.sandbox import settings

    before = dict(os.environ)
    os.environ.update(settings(document))
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _run(output: Output, no_color: bool) -> None:
    from setup_kit.cli.root import cli

    def step(line: str) -> None:
        output.out.print(f"\n[bold cyan]$ setup-kit {line}[/]")
        sys.stdout.flush()
        words = [*line.split(), *(["--no-color"] if no_color else [])]
        if code := cli.main(words, prog_name="setup-kit", standalone_mode=False):
            finish(ExitCode(code))

    step(f"init {NAME} --cloud sandbox")
    step(f"doctor -e {NAME}")
    step(f"plan -e {NAME}")
    step(f"apply -e {NAME} --yes")
    step(f"verify -e {NAME}")
    step(f"plan -e {NAME} --detailed-exitcode")
    _show_rows(output)


def _show_rows(output: Output) -> None:
    from setup_kit.cli.session import open_session
    from setup_kit.report.console import show_table

    with open_session(NAME) as session:
        counted = session.house.replicated()
    output.out.print()
    rows = [[item.name, item.table, f"{item.source:,}", f"{item.destination:,}"] for item in counted]
    show_table(
        output.out, "Rows at the source and at the destination", ["entity", "table", "source", "destination"], rows
    )
    wrong = [item.name for item in counted if item.source != item.destination]
    if wrong:
        raise KitError(f"rows are missing at the destination: {', '.join(wrong)}", remedy="setup-kit status -e demo")


def _where_next(output: Output, folder: Path, keep: bool) -> None:
    if not keep:
        output.out.print("Look around in it yourself: setup-kit demo --dir rehearsal --keep")
        return
    output.out.print(
        f"It is still running. Where to look:\n"
        f"  cd {folder}\n"
        f'  eval "$(setup-kit sandbox env --dir sandbox)"\n'
        f"  environments/{NAME}.yaml                 the environment file\n"
        f"  .setup-kit/{NAME}/journal.jsonl          what apply did\n"
        f"  setup-kit status -e {NAME}               how far each entity is\n"
        f"  setup-kit sandbox requests --dir sandbox  every request that came in\n"
        f"  setup-kit sandbox down --dir sandbox      stop it"
    )
