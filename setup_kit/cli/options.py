"""Options that several commands share, and where their output goes."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import update_wrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource
from click.shell_completion import CompletionItem

from setup_kit.errors import ExitCode, KitError, of_place

if TYPE_CHECKING:
    from rich.console import Console

    from setup_kit.report.progress import ProgressView

ENVIRONMENT_VARIABLE = "SETUP_KIT_ENVIRONMENT"
# Each has some ten connections and threads of its own.
MOST_AT_ONCE = 50

F = TypeVar("F", bound=Callable[..., Any])


class EnvironmentName(click.ParamType[str]):
    """A name in `environments/`, or a path; completes to both."""

    name = "environment"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        folder = Path("environments")
        names = sorted(path.stem for path in folder.glob("*.y*ml") if path.stem.startswith(incomplete))
        if not names or "/" in incomplete:
            return [CompletionItem(incomplete, type="file")]
        already = ctx.params.get("environments") or ()
        return [CompletionItem(name) for name in names if name not in already]

    def split_envvar_value(self, rv: str) -> list[str]:
        """The variable holds one name, path or pattern, blanks included."""
        return [rv]


class FileName(click.Path):
    """A file by its path: no empty text, which a variable is that was not set, and not -, as pipes are called."""

    def __init__(self, **options: Any) -> None:
        super().__init__(dir_okay=False, path_type=Path, **options)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not str(value):
            self.fail("an empty text names no file: write the path of one", param, ctx)
        if str(value) == "-":
            self.fail(
                "- names no file, and nothing is read from or written to a pipe: write the path of one", param, ctx
            )
        return super().convert(value, param, ctx)


class Span(click.ParamType[timedelta]):
    """A span of time: 90m, 24h, 7d."""

    name = "span"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        found = re.fullmatch(r"([1-9][0-9]{0,4})([smhd])", str(value).strip())
        if found is None:
            self.fail(f"{value!r} is no span of time: write 90m, 24h or 7d", param, ctx)
        unit = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}[found[2]]
        return timedelta(**{unit: int(found[1])})


def _alone(context: click.Context, parameter: click.Parameter, given: tuple[str, ...]) -> str | None:
    """The one environment of a command that takes no more. Raises click.UsageError."""
    from setup_kit.environment.patterns import is_pattern

    name = context.command.name
    if len(given) > 1:
        raise click.UsageError(f"{name} takes one environment, and {len(given)} are named: {', '.join(given)}.")
    if given and is_pattern(given[0]):
        raise click.UsageError(f"{name} takes one environment, and {given[0]} is a pattern: name it.")
    return given[0] if given else None


def environment_option(function: F) -> F:
    return click.option(
        "-e",
        "--environment",
        required=True,
        multiple=True,
        callback=_alone,
        type=EnvironmentName(),
        metavar="NAME|FILE",
        envvar=ENVIRONMENT_VARIABLE,
        help="The environment: the name of a file in environments/, or a path.",
    )(function)


def environments_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Adds -e that may be repeated, --all and --parallel, handed to the command as one `chosen: Chosen`."""

    def wrapped(*arguments: Any, environments: tuple[str, ...], all_: bool, parallel: int, **options: Any) -> Any:
        typed = click.get_current_context().get_parameter_source("environments") is ParameterSource.COMMANDLINE
        if all_ and typed:
            raise click.UsageError("--all means every environment: leave out '-e' / '--environment', or --all.")
        return function(*arguments, chosen=Chosen(() if all_ else environments, all_, parallel), **options)

    return _ENVIRONMENTS(_ALL(_PARALLEL(update_wrapper(wrapped, function))))


_ENVIRONMENTS = click.option(
    "-e",
    "--environment",
    "environments",
    multiple=True,
    type=EnvironmentName(),
    metavar="NAME|FILE|PATTERN",
    envvar=ENVIRONMENT_VARIABLE,
    help="The environment: the name of a file in environments/, a path, or a pattern in quotes, 'prod-*'. Repeatable.",
)
_ALL = click.option("--all", "all_", is_flag=True, help="Every environment in environments/.")
_PARALLEL = click.option(
    "--parallel",
    type=click.IntRange(1, MOST_AT_ONCE),
    default=4,
    show_default=True,
    metavar="N",
    help="How many of several environments are worked on at once.",
)


@dataclass(frozen=True)
class Chosen:
    """The environments that a command was given: names, paths and patterns, or every one there is.

    `parallel` is how many of them may be worked on at once.
    """

    given: tuple[str, ...]
    every: bool
    parallel: int

    @property
    def one(self) -> str | None:
        """The environment where one is named; None where several are, or a pattern, whatever it matches.

        Raises click.UsageError where none is.
        """
        from setup_kit.environment.patterns import is_pattern

        if not self.given and not self.every:
            raise click.UsageError("Missing option '-e' / '--environment', or --all.")
        return self.given[0] if len(self.given) == 1 and not is_pattern(self.given[0]) else None

    def one_for(self, what: str) -> str:
        """The environment, for what can be of one alone. Raises click.UsageError where several are chosen."""
        if self.one is None:
            raise click.UsageError(f"{what} is of one environment: name it with -e, without a pattern.")
        return self.one

    @property
    def words(self) -> str:
        """As they are typed."""
        return "--all" if self.every else " ".join(f"-e {shlex.quote(each)}" for each in self.given)


class Address(click.ParamType[str]):
    """A pattern of resources' addresses; completes to the addresses of the environment that is named before it."""

    name = "address"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        from setup_kit.cli.session import open_session
        from setup_kit.engine.graph import ordered

        try:
            named = ctx.params.get("environment") or next(iter(ctx.params.get("environments") or ()), "")
            with open_session(named) as session:
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
        except (KitError, OSError) as error:
            from setup_kit.report.console import show_error
            from setup_kit.report.documents import addressed, error_document

            told = of_place(error) if isinstance(error, OSError) else error
            if told is None:
                raise
            named = _environment()
            if named:
                addressed(told, named)
            if output.json:
                output.document(error_document(told))
            else:
                show_error(output.err, told)
            raise click.exceptions.Exit(told.exit_code) from error

    return update_wrapper(wrapped, function)


def _environment() -> str:
    """The one environment that the command was given; empty where there is none, or several."""
    parameters = click.get_current_context().params
    several: list[str] = list(parameters.get("environments") or ())
    return str(parameters.get("environment") or (several[0] if len(several) == 1 else ""))


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
