"""Options that several commands share, and where their output goes."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import update_wrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.shell_completion import CompletionItem

from setup_kit.errors import ExitCode, KitError

if TYPE_CHECKING:
    from rich.console import Console

    from setup_kit.report.progress import ProgressView

F = TypeVar("F", bound=Callable[..., Any])


class EnvironmentName(click.ParamType[str]):
    """A name in `environments/`, or a path; completes to both."""

    name = "environment"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        folder = Path("environments")
        names = sorted(path.stem for path in folder.glob("*.y*ml") if path.stem.startswith(incomplete))
        if not names or "/" in incomplete:
            return [CompletionItem(incomplete, type="file")]
        return [CompletionItem(name) for name in names]


class Span(click.ParamType[timedelta]):
    """A span of time: 90m, 24h, 7d."""

    name = "span"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        found = re.fullmatch(r"([1-9][0-9]{0,4})([smhd])", str(value).strip())
        if found is None:
            self.fail(f"{value!r} is no span of time: write 90m, 24h or 7d", param, ctx)
        unit = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}[found[2]]
        return timedelta(**{unit: int(found[1])})


def _environment_option(*, required: bool) -> Callable[[F], F]:
    return click.option(
        "-e",
        "--environment",
        required=required,
        type=EnvironmentName(),
        metavar="NAME|FILE",
        envvar="SETUP_KIT_ENVIRONMENT",
        help="The environment: the name of a file in environments/, or a path.",
    )


def environment_option(function: F) -> F:
    return _environment_option(required=True)(function)


def optional_environment_option(function: F) -> F:
    """For a command that may learn it otherwise."""
    return _environment_option(required=False)(function)


class Address(click.ParamType[str]):
    """A pattern of resources' addresses; completes to the addresses of the environment that is named before it."""

    name = "address"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        from setup_kit.cli.session import open_session
        from setup_kit.engine.graph import ordered

        try:
            with open_session(ctx.params.get("environment") or "") as session:
                addresses = [node.address for node in ordered(session.house.nodes)]
        except KitError:
            return []
        return [CompletionItem(address) for address in sorted(addresses) if address.startswith(incomplete)]


def target_option(function: F) -> F:
    return click.option(
        "--target",
        "targets",
        type=Address(),
        multiple=True,
        metavar="ADDRESS",
        help="Only resources with this address, or like this pattern, and what they need: 'grants/*'. Repeatable.",
    )(function)


def open_firewall_option(function: F) -> F:
    return click.option(
        "--open-firewall",
        is_flag=True,
        help="Let this machine reach the database through a temporary firewall rule, removed at the end.",
    )(function)


@dataclass(frozen=True)
class Output:
    """How a command speaks: text or JSON on standard output, everything else on standard error."""

    json: bool
    color: bool
    verbose: bool

    @property
    def out(self) -> Console:
        from setup_kit.report.console import make_console

        return make_console(sys.stdout, color=self.color)

    @property
    def err(self) -> Console:
        from setup_kit.report.console import make_console

        return make_console(sys.stderr, color=self.color)

    def progress(self, journal: Path | None = None) -> ProgressView:
        """What goes on, on standard error. With the `journal` of earlier runs it says how long each step will take."""
        from setup_kit.engine.durations import learn
        from setup_kit.report.progress import ProgressView

        console = self.err
        durations = learn(journal) if journal is not None and console.is_terminal else None
        return ProgressView(console, verbose=self.verbose, durations=durations)

    def document(self, document: Mapping[str, Any]) -> None:
        import json

        click.echo(json.dumps(document, indent=2, ensure_ascii=False))


def output_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Adds --output, --no-color and -v, handed to the command as one `output: Output`.

    With `--output json` a failure is a JSON document on standard output as well.
    """

    @click.option("--output", "format_", type=click.Choice(["text", "json"]), default="text", help="How to print.")
    @click.option("--no-color", is_flag=True, help="No colours; the variable NO_COLOR does the same.")
    @click.option(
        "-v", "--verbose", is_flag=True, help="Say more: what stays as it is, what every check found, the log."
    )
    def wrapped(*arguments: Any, format_: str, no_color: bool, verbose: bool, **options: Any) -> Any:
        output = Output(json=format_ == "json", color=not no_color, verbose=verbose)
        if verbose:
            _log_to_standard_error()
        try:
            return function(*arguments, output=output, **options)
        except KitError as error:
            from setup_kit.report.console import show_error
            from setup_kit.report.documents import error_document

            if output.json:
                output.document(error_document(error))
            else:
                show_error(output.err, error)
            raise click.exceptions.Exit(error.exit_code) from error

    return update_wrapper(wrapped, function)


def finish(code: ExitCode) -> None:
    """Ends the command with an exit code."""
    raise click.exceptions.Exit(int(code))


def _log_to_standard_error() -> None:
    import logging

    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")
    # Warnings of the layer below HTTP name whole URLs, signatures included.
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    # Only the kit's own log: the SDKs' debug logs name headers and bodies.
    logging.getLogger("setup_kit").setLevel(logging.DEBUG)
