"""`setup-kit` itself: its commands, each loaded when it is called, and how it ends."""

from __future__ import annotations

import gc
import importlib
import io
import logging
import sys
from collections.abc import Iterator, MutableMapping
from itertools import pairwise

import click

from setup_kit import __version__
from setup_kit.cli import forget_output, front
from setup_kit.errors import ExitCode, KitError, OutputError, UsageError, unforeseen


class Commands(MutableMapping[str, click.Command]):
    """The commands by name, from the table of the front page; each one's module is imported when it is looked up."""

    def __init__(self) -> None:
        self._places = {name: place for name, (place, _) in front.COMMANDS.items()}
        self._loaded: dict[str, click.Command] = {}

    def __getitem__(self, name: str) -> click.Command:
        if name not in self._loaded:
            module, _, attribute = self._places[name].partition(":")
            self._loaded[name] = getattr(importlib.import_module(module), attribute)
        return self._loaded[name]

    def __contains__(self, name: object) -> bool:
        return name in self._places

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def __setitem__(self, name: str, command: click.Command) -> None:
        self._places[name], self._loaded[name] = "", command

    def __delitem__(self, name: str) -> None:
        del self._places[name]
        self._loaded.pop(name, None)


class Root(click.Group):
    """Says of itself what the front page says, for which no command need be loaded."""

    def get_help(self, ctx: click.Context) -> str:
        return front.page(ctx.terminal_width or front.columns())


@click.group(
    cls=Root,
    commands=Commands(),
    help=front.INTRODUCTION,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": front.WIDEST},
)
@click.version_option(__version__, prog_name="setup-kit")
def cli() -> None:
    pass


def run() -> int:
    """Carries out the command line; the exit code.

    Every failure ends as a message with a next step and an exit code, never as a traceback.
    """
    _prepare()
    try:
        code = cli.main(standalone_mode=False)
    except click.exceptions.Exit as ended:
        code = ended.exit_code
    except click.ClickException as error:
        code = ExitCode.USAGE
        _show_usage(error)
    except (click.Abort, KeyboardInterrupt):
        click.echo("Interrupted.", err=True)
        code = ExitCode.INTERRUPTED
    except KitError as error:
        code = error.exit_code
        _show(error)
    except BrokenPipeError:
        forget_output()
        code = ExitCode.FAILED
    except Exception as error:  # the last resort: nobody is left with a bare traceback
        code = ExitCode.FAILED
        logging.getLogger(__name__).debug("where it happened", exc_info=True)
        _show(unforeseen(error))
    return int(code) if isinstance(code, int) else ExitCode.DONE


def _prepare() -> None:
    """Text that a stream's encoding lacks is shown as an escape; libraries' own log lines are not shown at all.

    Garbage is looked for less often than usual: most of what a command makes are the modules that it loads, which stay,
    and looking through them again and again takes a fifth of a short command's time.
    """
    gc.set_threshold(50_000)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    logging.lastResort = logging.NullHandler()  # none at all is complained of


def _show_usage(error: click.ClickException) -> None:
    """In Click's own words; as a document where that was asked for, since the options were not read so far."""
    if not _json_is_wanted():
        error.show()
        return
    context = error.ctx if isinstance(error, click.UsageError) else None
    command = context.command_path if context is not None else "setup-kit"
    _show(UsageError(error.format_message(), remedy=f"see {command} --help"))


def _json_is_wanted() -> bool:
    words = sys.argv[1:]
    return "--output=json" in words or ("--output", "json") in pairwise(words)


def _show(error: KitError) -> None:
    if _json_is_wanted() and not isinstance(error, OutputError):
        import json

        from setup_kit.report.documents import error_document

        click.echo(json.dumps(error_document(error), indent=2, ensure_ascii=False))
        return
    from setup_kit.report.console import make_console, show_error

    show_error(make_console(sys.stderr), error)
