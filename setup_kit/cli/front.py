"""What `setup-kit --help` prints, without a command or Click being loaded: the quickest look at the kit there is."""

from __future__ import annotations

import os
import sys
import textwrap

# Each command: where it is, and the first sentence of its help.
COMMANDS = {
    "apply": (
        "setup_kit.cli.apply:apply",
        "Make the changes that `plan` shows, prove them, and see the first synchronization through.",
    ),
    "completion": (
        "setup_kit.cli.completion:completion",
        "Print the script that has a shell complete commands, options and names: of environments, runbooks, resources.",
    ),
    "database": ("setup_kit.cli.database:database", "The destination database by itself."),
    "demo": (
        "setup_kit.cli.demo:demo",
        "Do the whole job once on a local cloud: provision, replicate, prove.",
    ),
    "destroy": (
        "setup_kit.cli.destroy:destroy",
        "Take an environment down: what the kit made, and nothing else.",
    ),
    "doctor": ("setup_kit.cli.doctor:doctor", "Look for everything that would stop `apply`, all at once."),
    "failures": (
        "setup_kit.cli.failures:failures",
        "The failure log: which records could not be exported, and why.",
    ),
    "firewall": ("setup_kit.cli.firewall:firewall", "The logical server's firewall rules by themselves."),
    "help": (
        "setup_kit.cli.help:help_",
        "Look something up: each command, each key of the environment file, exit codes, errors, variables.",
    ),
    "import": (
        "setup_kit.cli.import_:import_",
        "Write the environment file of what is there already, made by hand, with Terraform or with az.",
    ),
    "init": ("setup_kit.cli.init:init", "Write a first environment file, environments/NAME.yaml."),
    "org": (
        "setup_kit.cli.org:org",
        "The Dynamics 365 organization: what of it the export service knows and can export.",
    ),
    "pipeline": (
        "setup_kit.cli.pipeline:pipeline",
        "Write a workflow that plans every pull request and applies what is merged, an environment a job.",
    ),
    "plan": ("setup_kit.cli.plan:plan", "Show what `apply` would do."),
    "profile": (
        "setup_kit.cli.profile:profile",
        "The export profile by itself: what is exported, where to, and how far it is.",
    ),
    "promote": (
        "setup_kit.cli.promote:promote",
        "Show what an environment has that the next one lacks, before it is promoted.",
    ),
    "rotate": (
        "setup_kit.cli.rotate:rotate",
        "Give the export service a new password, with no moment at which it holds a dead one.",
    ),
    "runbook": (
        "setup_kit.cli.runbook:runbook",
        "Procedures as Markdown that can be read, checked and run: onboard, rotate, recover, move, take down.",
    ),
    "sandbox": (
        "setup_kit.cli.sandbox_subscription:sandbox",
        "A local cloud to rehearse in: Entra, Resource Manager, Graph, Key Vault, SQL Server, Dataverse and the"
        " service.",
    ),
    "schema": (
        "setup_kit.cli.schema:schema",
        "Print the JSON Schema of the environment file, for editors, or of what --output json prints.",
    ),
    "secret": ("setup_kit.cli.secret:secret", "The secret with the connection string, by itself."),
    "server": ("setup_kit.cli.server:server", "The logical server by itself."),
    "status": (
        "setup_kit.cli.status:status",
        "Show where an environment stands: each resource against the file, and how far each entity's export is.",
    ),
    "user": ("setup_kit.cli.user:user", "The SQL user that the export service works as, by itself."),
    "vault": ("setup_kit.cli.vault:vault", "The key vault by itself."),
    "verify": (
        "setup_kit.cli.verify:verify",
        "Prove that everything is as the environment file says and that the export works.",
    ),
}

INTRODUCTION = """\
Provision and prove everything an organization needs to have its data exported into Azure SQL.

One environment file says what is wanted: a logical SQL server and database, firewall rules, a login and user with
exactly thirteen grants, a Key Vault secret that the Data Export Service may read, and an export profile. `plan` shows
what is to be done, `apply` does it, `verify` proves it.
"""

OPTIONS = {"--version": "Show the version and exit.", "-h, --help": "Show this message and exit."}

EPILOG = """\
First steps, with no account at all:
  setup-kit demo

With your own environment:
  setup-kit init dev
  setup-kit doctor -e dev
  setup-kit plan -e dev
  setup-kit apply -e dev
  setup-kit verify -e dev

Exit codes: 0 done, 1 failed, 2 usage, 3 changes pending, 4 verification
failed, 130 interrupted.

More of each command, key, file and variable: setup-kit help.
"""

WIDEST = 100
_NARROWEST = 50


def page(width: int) -> str:
    """The help of the kit as a whole, laid out as Click does that of each command; `width` in columns."""
    blocks = ["Usage: setup-kit [OPTIONS] COMMAND [ARGS]..."]
    blocks += [_filled(" ".join(block.split()), width, "  ", 2) for block in INTRODUCTION.split("\n\n")]
    blocks += ["Options:\n" + _columns(OPTIONS, width)]
    room = width - 6 - max(map(len, COMMANDS))
    shown = {name: textwrap.shorten(said, room, placeholder="...") for name, (_, said) in COMMANDS.items()}
    blocks += ["Commands:\n" + _columns(shown, width), textwrap.indent(EPILOG, "  ").rstrip()]
    return "\n\n".join(blocks)


def columns() -> int:
    """How wide a page is on this terminal: as `shutil` finds it, which takes longer to load than the page to print."""
    try:
        found = int(os.environ["COLUMNS"])
    except (KeyError, ValueError):
        found = 0
    if found <= 0:
        try:
            found = os.get_terminal_size(sys.__stdout__.fileno()).columns if sys.__stdout__ else 0
        except (ValueError, OSError):
            found = 0
    return max(min(found or 80, WIDEST) - 2, _NARROWEST)


def _columns(rows: dict[str, str], width: int) -> str:
    left = max(map(len, rows)) + 4
    return "\n".join(_filled(said, width, f"  {name}".ljust(left), left) for name, said in rows.items())


def _filled(text: str, width: int, first: str, indent: int) -> str:
    return textwrap.fill(text, width, initial_indent=first, subsequent_indent=" " * indent)
