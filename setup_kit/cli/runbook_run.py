"""setup-kit runbook run"""

from __future__ import annotations

import getpass
import os
import platform
import shlex
import sys
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from setup_kit.cli.options import EnvironmentName, Output, output_options
from setup_kit.errors import UsageError

if TYPE_CHECKING:
    from setup_kit.runbooks.record import Record
    from setup_kit.runbooks.runbook import Runbook
    from setup_kit.secret import Secret


class RunbookName(click.ParamType[str]):
    """A runbook that the kit brings, or a path; completes to both."""

    name = "runbook"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        from setup_kit.runbooks.folder import available

        names = [path.stem for path in available() if path.stem.startswith(incomplete)]
        return [CompletionItem(name) for name in names] or [CompletionItem(incomplete, type="file")]


NAME = RunbookName()


@click.command()
@click.argument("name", type=NAME, metavar="NAME|FILE")
@click.option("-i", "--input", "inputs", multiple=True, metavar="NAME=VALUE", help="An input's value; repeat for more.")
@click.option("-e", "--environment", type=EnvironmentName(), help="The input that is an environment.")
@click.option("--from", "first", metavar="STEP", help="Continue at this step, by number or heading's anchor.")
@click.option("--changed", is_flag=True, help="Continue although the runbook has changed since the run began.")
@click.option("--auto", is_flag=True, help="Ask nothing: defaults are taken, destructive steps are confirmed.")
@click.option("--dry-run", is_flag=True, help="Show what would be run and what would be skipped; run nothing.")
@output_options
def run(
    name: str,
    inputs: tuple[str, ...],
    environment: str | None,
    first: str | None,
    changed: bool,
    auto: bool,
    dry_run: bool,
    output: Output,
) -> None:
    """Run a runbook's steps, and stop at the first answer that is not the expected one.

    Asks for the inputs that are not given, and before each step. Secret inputs come from a prompt or from the variable
    SETUP_KIT_INPUT_NAME. The record of the run, as JSON and Markdown, is in .setup-kit/runs.

    `--from` continues the newest run of this runbook, with these inputs, that has not come to its end: its answers and
    what its steps exported are taken from its record.

    \b
    Examples:
      setup-kit runbook run onboard-an-environment
      setup-kit runbook run rotate-credentials -e dev --auto
      setup-kit runbook run onboard-an-environment --from 4
    """
    from setup_kit.cli.runbook_front import RunbookFront, ask_input
    from setup_kit.runbooks.continuing import find_step, handed_on, refuse_changed, refuse_missing
    from setup_kit.runbooks.folder import locate
    from setup_kit.runbooks.inputs import facts, take
    from setup_kit.runbooks.masking import MASK, Mask
    from setup_kit.runbooks.reading import read_runbook
    from setup_kit.runbooks.record import RecordFile, new_folder, now, unfinished
    from setup_kit.runbooks.runner import Runner
    from setup_kit.runbooks.shell import Shell

    found = read_runbook(locate(name))
    step = find_step(found, first) if first else found.steps[0]
    person = sys.stdin.isatty() and not auto
    if not (person or auto or dry_run):
        raise UsageError("nobody is there to be asked before each step", remedy="pass --auto to run it without asking")
    given = _given(found, inputs, environment)
    earlier = unfinished(found.name, {key: value for key, value in given.items() if isinstance(value, str)})
    if not first:
        earlier = None
    if earlier and not changed:
        refuse_changed(found, earlier[1])
    answered = {key: value for key, value in earlier[1].inputs.items() if value and value != MASK} if earlier else {}
    values = take(found, {**answered, **given}, ask_input if person else None)
    known = facts(found, values)
    # What a step is to print was written down for lines that nobody wraps.
    around = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    variables = {**around, **(handed_on(earlier[1]) if earlier else {}), **known, **_revealed(values)}
    refuse_missing(found, step, known, variables)
    if dry_run:
        _show_dry(found, step.number, known, output)
        return
    mask = Mask()
    mask.learn(value for key, value in _revealed(values).items() if found.inputs[key].secret)
    folder, record = earlier or (new_folder(found.name), _new_record(found, values))
    if earlier:
        record.continued.append(now())
        record.digest, record.ended = found.digest, ""
    file = RecordFile(folder, record, mask)
    console = output.err if output.json else output.out
    again = f"setup-kit runbook run {shlex.quote(name)}" + _again(found, values)
    by = "by --auto" if auto else "at the terminal"
    with Shell(variables, mask) as shell:
        file.save()
        Runner(found, shell, file, RunbookFront(console, found, auto), known, again, by).run(step.number)
    if output.json:
        output.document(file.document() | {"folder": str(folder)})
    else:
        console.print(f"\n[green]Done.[/] The record of this run: {file.markdown}")


def _given(found: Runbook, inputs: tuple[str, ...], environment: str | None) -> dict[str, str | Secret]:
    from setup_kit.runbooks.inputs import variable
    from setup_kit.runbooks.runbook import Kind
    from setup_kit.secret import Secret

    given: dict[str, str | Secret] = {}
    for text in inputs:
        key, sign, value = text.partition("=")
        if not sign:
            raise UsageError(f"--input {key} has no value", remedy=f"write --input {key}=VALUE")
        if key in found.inputs and found.inputs[key].secret:
            raise UsageError(
                f"the input {key} is a secret, and a command line is there for all to see",
                remedy=f"set the variable {variable(found.inputs[key])}, or be asked for it",
            )
        given[key] = value
    if environment is not None:
        names = [key for key, declared in found.inputs.items() if declared.kind is Kind.ENVIRONMENT]
        given[names[0] if names else "environment"] = environment
    for declared in found.inputs.values():
        if declared.secret and (hidden := os.environ.get(variable(declared))):
            given[declared.name] = Secret(hidden)
    return given


def _revealed(values: dict[str, str | Secret]) -> dict[str, str]:
    return {key: value if isinstance(value, str) else value.reveal() for key, value in values.items()}


def _again(found: Runbook, values: dict[str, str | Secret]) -> str:
    from setup_kit.runbooks.runbook import Kind

    for key, declared in found.inputs.items():
        if declared.kind is Kind.ENVIRONMENT:
            return f" -e {shlex.quote(str(values[key]))}"
    return ""


def _new_record(found: Runbook, values: dict[str, str | Secret]) -> Record:
    from setup_kit import __version__
    from setup_kit.runbooks.masking import shown
    from setup_kit.runbooks.record import Record, now

    try:
        who = getpass.getuser()
    except (OSError, KeyError):  # a container's user may have a number and no name
        who = f"user {os.getuid()}"
    who += f"@{platform.node()}"
    inputs = {key: shown(value) for key, value in values.items()}
    return Record(found.name, found.title, found.digest, __version__, who, inputs, now())


def _show_dry(found: Runbook, first: int, known: dict[str, str], output: Output) -> None:
    steps: list[dict[str, Any]] = []
    for step in found.steps[first - 1 :]:
        commands = [
            {
                "command": command.script,
                "runs": command.condition is None or command.condition.holds(known),
                "when": str(command.condition or ""),
                "expected": str(command.expectation),
            }
            for command in step.commands
        ]
        steps.append({"step": step.number, "title": step.title, "caution": step.caution, "commands": commands})
    if output.json:
        output.document({"runbook": found.name, "digest": found.digest, "steps": steps})
        return
    from setup_kit.cli.runbook_front import indented

    for shown in steps:
        click.echo(f"\nStep {shown['step']}: {shown['title']}")
        if shown["caution"]:
            click.echo(f"  asks first: {shown['caution']}")
        for command in shown["commands"]:
            click.echo(indented(str(command["command"])))
            click.echo(
                f"    → {command['expected']}" if command["runs"] else f"    → skipped: only when {command['when']}"
            )
    click.echo("\nNothing was run.")
