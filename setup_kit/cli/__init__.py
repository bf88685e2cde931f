"""The command line: parses, calls, prints.

Modules here import only Click and the standard library until a command runs, so that help and completion are quick.
"""

from __future__ import annotations

import io
import logging
import os
import sys

import click

from setup_kit import __version__
from setup_kit.cli.apply import apply
from setup_kit.cli.completion import completion
from setup_kit.cli.database import database
from setup_kit.cli.demo import demo
from setup_kit.cli.destroy import destroy
from setup_kit.cli.doctor import doctor
from setup_kit.cli.failures import failures
from setup_kit.cli.firewall import firewall
from setup_kit.cli.help import help_
from setup_kit.cli.import_ import import_
from setup_kit.cli.init import init
from setup_kit.cli.org import org
from setup_kit.cli.pipeline import pipeline
from setup_kit.cli.plan import plan
from setup_kit.cli.profile import profile
from setup_kit.cli.promote import promote
from setup_kit.cli.rotate import rotate
from setup_kit.cli.runbook import runbook
from setup_kit.cli.sandbox import sandbox
from setup_kit.cli.sandbox_faults import fault
from setup_kit.cli.schema import schema
from setup_kit.cli.secret import secret
from setup_kit.cli.server import server
from setup_kit.cli.status import status
from setup_kit.cli.user import user
from setup_kit.cli.vault import vault
from setup_kit.cli.verify import verify
from setup_kit.errors import ExitCode, KitError

EPILOG = """
\b
First steps, with no account at all:
  setup-kit demo
\b
With your own environment:
  setup-kit init dev
  setup-kit doctor -e dev
  setup-kit plan -e dev
  setup-kit apply -e dev
  setup-kit verify -e dev
\b
Exit codes: 0 done, 1 failed, 2 usage, 3 changes pending, 4 verification
failed, 130 interrupted.
\b
More of each command, key, file and variable: setup-kit help.
"""


@click.group(epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="setup-kit")
def cli() -> None:
    """Provision and prove everything an organization needs to have its data exported into Azure SQL.

    One environment file says what is wanted: a logical SQL server and database, firewall rules, a login and user
    with exactly thirteen grants, a Key Vault secret that the Data Export Service may read, and an export profile.
    `plan` shows what is to be done, `apply` does it, `verify` proves it.
    """


for command in (
    init, import_, schema, doctor, plan, apply, verify, status, rotate, destroy, promote, runbook, demo,
    sandbox, pipeline, help_, completion,
):  # fmt: skip
    cli.add_command(command)
for step in (server, database, firewall, user, vault, secret, org, profile, failures):
    cli.add_command(step)
sandbox.add_command(fault)


def main() -> None:
    """The console script. Every failure ends as a message with a next step and an exit code, never as a traceback."""
    _prepare()
    try:
        code = cli.main(standalone_mode=False)
    except click.exceptions.Exit as ended:
        code = ended.exit_code
    except click.ClickException as error:
        error.show()
        code = ExitCode.USAGE
    except (click.Abort, KeyboardInterrupt):
        click.echo("Interrupted.", err=True)
        code = ExitCode.INTERRUPTED
    except KitError as error:
        code = error.exit_code
        _show(error)
    except BrokenPipeError:
        # The reader of a pipe has gone (`| head`): end quietly, as other tools do.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = ExitCode.FAILED
    except Exception as error:  # the last resort: nobody is left with a bare traceback
        code = ExitCode.FAILED
        logging.getLogger(__name__).debug("where it happened", exc_info=True)
        remedy = "this is a defect of setup-kit; run the same command with -v and report what it says"
        _show(KitError(f"unexpected {type(error).__name__}: {error}", remedy=remedy))
    sys.exit(code if isinstance(code, int) else ExitCode.DONE)


def _prepare() -> None:
    """Text that a stream's encoding lacks is shown as an escape; libraries' own log lines are not shown at all."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    logging.lastResort = logging.NullHandler()  # none at all is complained of


def _show(error: KitError) -> None:
    from setup_kit.report.console import make_console, show_error

    show_error(make_console(sys.stderr), error)
