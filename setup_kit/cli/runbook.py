"""setup-kit runbook"""

from __future__ import annotations

import getpass
import os
import shlex
import sys
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from setup_kit.cli.options import EnvironmentName, Output, finish, output_options
from setup_kit.errors import ExitCode, UsageError

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


@runbook.command()
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
    variables = {**os.environ, **(handed_on(earlier[1]) if earlier else {}), **known, **_revealed(values)}
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

    who = f"{getpass.getuser()}@{os.uname().nodename}"
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
