"""setup-kit runbook"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import click

from setup_kit.cli.columns import rows
from setup_kit.cli.options import Output, finish, output_options
from setup_kit.cli.runbook_run import NAME, run
from setup_kit.errors import ExitCode

if TYPE_CHECKING:
    from setup_kit.runbooks.runbook import Runbook


@click.group()
def runbook() -> None:
    """Procedures as Markdown that can be read, checked and run: onboard, rotate, recover, move, take down.

    A runbook is run as it is written: each step's command, with the answer that is expected of it beside it. A run
    stops at the first answer that is another, and leaves a record for the change ticket in .setup-kit/runs.

    \b
    Examples:
      setup-kit runbook list
      setup-kit runbook show onboard-an-environment
      setup-kit runbook run onboard-an-environment
    """


@runbook.command("list")
@output_options
def list_(output: Output) -> None:
    """List the runbooks that the kit brings.

    \b
    Example:
      setup-kit runbook list
    """
    from setup_kit.runbooks.folder import available
    from setup_kit.runbooks.reading import read_runbook

    found = [read_runbook(path) for path in available()]
    if output.json:
        output.document({"runbooks": [summary(each) for each in found]})
        return
    if sys.stdout.isatty() or "COLUMNS" in os.environ:
        click.echo(rows((each.name, each.summary) for each in found))
        return
    width = max(len(each.name) for each in found)
    for each in found:
        click.echo(f"{each.name:<{width}}  {each.summary}")


@runbook.command()
@click.argument("name", type=NAME, metavar="NAME|FILE")
@output_options
def show(name: str, output: Output) -> None:
    """Show a runbook: what it asks for, and its text.

    \b
    Example:
      setup-kit runbook show rotate-credentials
    """
    from setup_kit.cli.runbook_front import show_text
    from setup_kit.runbooks.folder import locate
    from setup_kit.runbooks.reading import read_runbook

    found = read_runbook(locate(name))
    if output.json:
        output.document(summary(found) | {"text": found.text})
        return
    click.echo(f"{found.title}: {found.summary}")
    for line in described(found):
        click.echo(line)
    click.echo()
    body = found.text.split("\n---\n", 1)[-1].strip("\n")
    if output.out.is_terminal:
        show_text(output.out, body)
    else:
        click.echo(body)


@runbook.command()
@click.argument("names", nargs=-1, type=NAME, metavar="[NAME|FILE]...")
@output_options
def check(names: tuple[str, ...], output: Output) -> None:
    """Check runbooks without running them; all that the kit brings when none is named. Exits with 4 when one is wrong.

    Every input is declared and used, every command line of setup-kit exists with its options, every expectation and
    condition can be read, and what destroys something asks first.

    \b
    Examples:
      setup-kit runbook check
      setup-kit runbook check ops/my-own.md
    """
    from setup_kit.cli.command_lines import resolve
    from setup_kit.runbooks.checking import check_runbook
    from setup_kit.runbooks.folder import available, locate
    from setup_kit.runbooks.problems import RunbookError
    from setup_kit.runbooks.reading import read_runbook

    paths = [locate(name) for name in names] or available()
    problems: list[dict[str, Any]] = []
    for path in paths:
        try:
            found = check_runbook(read_runbook(path), resolve)
        except RunbookError as error:
            found = list(error.problems)
        problems += [{"file": str(path), "line": each.line, "message": each.message} for each in found]
    if output.json:
        output.document({"checked": [str(path) for path in paths], "problems": problems})
    else:
        for problem in problems:
            click.echo(f"{problem['file']}:{problem['line']}: {problem['message']}")
        click.echo(f"{len(paths)} checked, {len(problems)} problems.")
    if problems:
        finish(ExitCode.VERIFICATION_FAILED)


runbook.add_command(run)


def summary(found: Runbook) -> dict[str, Any]:
    return {
        "name": found.name,
        "file": str(found.path),
        "title": found.title,
        "summary": found.summary,
        "time": found.time,
        "roles": list(found.roles),
        "digest": found.digest,
        "inputs": [
            {
                "name": each.name,
                "type": str(each.kind),
                "description": each.description,
                "default": each.default,
                "choices": list(each.choices),
                "pattern": each.pattern,
                "secret": each.secret,
                "when": str(each.condition or ""),
            }
            for each in found.inputs.values()
        ],
        "steps": [{"number": step.number, "title": step.title, "anchor": step.slug} for step in found.steps],
    }


def described(found: Runbook) -> list[str]:
    lines = [f"Time: {found.time}"] if found.time else []
    lines += [f"Needs: {role}" for role in found.roles]
    for each in found.inputs.values():
        words = f" ({', '.join(each.choices)})" if each.choices else ""
        default = f" [{each.default}]" if each.default else ""
        lines.append(f"Input {each.name}{words}{default}: {each.description}")
    return lines
