"""setup-kit help"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from setup_kit.cli.columns import paragraph, rows, width
from setup_kit.cli.command_reference import described, find, page, walk
from setup_kit.cli.options import Output, output_options
from setup_kit.errors import EXIT_CODES, WORST_FIRST, UsageError

if TYPE_CHECKING:
    from setup_kit.environment.reference import Key


class HelpGroup(click.Group):
    """Its commands are topics; the words of any other command stand for `help commands` with them."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in self.commands and args[0] in _root(ctx).commands:
            return "commands", self.commands["commands"], args
        return super().resolve_command(ctx, args)


@click.group("help", cls=HelpGroup, invoke_without_command=True)
@click.pass_context
def help_(context: click.Context) -> None:
    """Look something up: each command, each key of the environment file, exit codes, errors, variables.

    All of it is read from the kit itself, so that it is that of this version. Without a topic the topics are listed.

    \b
    Examples:
      setup-kit help
      setup-kit help environment sql.database
      setup-kit help commands sandbox fault add
    """
    if context.invoked_subcommand is None:
        click.echo("Topics:\n")
        click.echo(rows((f"help {name}", topic.get_short_help_str(200)) for name, topic in help_.commands.items()))
        click.echo(
            "\nOf one command: setup-kit COMMAND --help. Step by step: setup-kit runbook list.\n"
            "What the sandbox's SQL Server does not carry out: setup-kit sandbox sql."
        )


class Words(click.ParamType[str]):
    """A command's word; completes to those that may follow."""

    name = "command"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        above = find(_root(ctx), tuple(ctx.params.get(param.name or "") or ()))
        names = above.commands if isinstance(above, click.Group) else {}
        return [CompletionItem(name) for name in names if name.startswith(incomplete)]


@help_.command()
@click.argument("words", nargs=-1, type=Words(), metavar="[COMMAND]...")
@output_options
@click.pass_context
def commands(context: click.Context, words: tuple[str, ...], output: Output) -> None:
    """List every command, or show one with its options and examples.

    \b
    Examples:
      setup-kit help commands
      setup-kit help commands sandbox fault
      setup-kit help commands --output json
    """
    root = _root(context)
    command = find(root, words)
    if command is None:
        raise _unknown(root, words)
    if output.json:
        below = walk(command, words) if isinstance(command, click.Group) else [(words, command)]
        output.document({"commands": [described(each, found) for each, found in below]})
    elif words:
        click.echo(page(root, words, width()))
    else:
        click.echo(rows((" ".join(each), found.get_short_help_str(200)) for each, found in walk(root)))


class KeyName(click.ParamType[str]):
    """A key of the environment file; completes to the next step of it."""

    name = "key"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        from setup_kit.environment.reference import keys

        depth = incomplete.count(".") + 1
        found = {".".join(each.name.split(".")[:depth]) for each in keys() if each.name.startswith(incomplete)}
        return [CompletionItem(name) for name in sorted(found)]


@help_.command()
@click.argument("key", required=False, type=KeyName())
@output_options
def environment(key: str | None, output: Output) -> None:
    """List every key of the environment file, or show one with its type, default, rules and example.

    \b
    Examples:
      setup-kit help environment
      setup-kit help environment sql.database.sku
      setup-kit help environment profile --output json
    """
    from dataclasses import asdict

    from setup_kit.environment.reference import keys

    every = keys()
    listed = tuple(each for each in every if key is None or is_within(each.name, key))
    if not listed:
        raise _no_key(key or "", every)
    if output.json:
        output.document({"keys": [asdict(each) for each in listed]})
        return
    if key is None:
        click.echo(rows((each.name, f"{each.description} [{_in_short(each)}]") for each in listed))
        click.echo("\nMore of one: setup-kit help environment KEY. For editors: setup-kit schema.")
        return
    for line in _told(listed[0]):
        click.echo(line)
    if listed[1:]:
        click.echo("\nKeys")
        click.echo(rows((each.name, f"{each.description} [{_in_short(each)}]") for each in listed[1:]))


@help_.command("exit-codes")
@output_options
def exit_codes(output: Output) -> None:
    """List the exit codes, for scripts and pipelines.

    \b
    Example:
      setup-kit help exit-codes
    """
    if output.json:
        codes = [{"code": int(code), "meaning": text} for code, text in EXIT_CODES.items()]
        output.document({"exit_codes": codes, "worst_first": list(map(int, WORST_FIRST))})
    else:
        click.echo(rows((str(int(code)), text) for code, text in EXIT_CODES.items()))
        first, *others = map(str, map(int, WORST_FIRST))
        click.echo(f"\nOf several environments the worst counts: {first}, then {', '.join(others)}.")


@help_.command()
@output_options
def variables(output: Output) -> None:
    """List the variables of the process's environment that the kit looks at.

    \b
    Example:
      setup-kit help variables
    """
    from setup_kit.cli.help_topics import VARIABLES

    if output.json:
        output.document({"variables": [{"name": name, "meaning": text} for name, text in VARIABLES.items()]})
    else:
        click.echo(rows(VARIABLES.items()))


@help_.command()
@output_options
def files(output: Output) -> None:
    """List the files that the kit reads and writes.

    \b
    Example:
      setup-kit help files
    """
    from setup_kit.cli.help_topics import FILES, FILES_NOTE

    if output.json:
        output.document({"files": [{"path": path, "meaning": text} for path, text in FILES.items()]})
    else:
        click.echo(f"{rows(FILES.items())}\n\n{click.wrap_text(FILES_NOTE, width())}")


@help_.command()
def errors() -> None:
    """Explain how failures are said, and what to do about one.

    \b
    Example:
      setup-kit help errors
    """
    from setup_kit.cli.help_topics import ERRORS

    click.echo(ERRORS)


def is_within(name: str, key: str) -> bool:
    plain, wanted = name.replace("[]", "").lower(), key.replace("[]", "").lower()
    return plain == wanted or plain.startswith(f"{wanted}.")


def _told(key: Key) -> list[str]:
    """Everything about a key, in lines."""
    lines = [key.name, "", click.wrap_text(key.description, width()), "", paragraph("Type", key.type, 10)]
    lines.append(paragraph("Default", "required" if key.required else key.default or "that of its keys", 10))
    lines += [paragraph("" if number else "Rules", rule, 10) for number, rule in enumerate(key.rules)]
    if key.source:
        lines.append(paragraph("Source", key.source, 10))
    return [*lines, "", "Example", *(f"  {line}" for line in key.example.splitlines())]


def _in_short(key: Key) -> str:
    if key.required:
        return f"{key.type}; required"
    if key.default is None:
        return key.type
    return f"{key.type}; optional" if key.default == "none" else f"{key.type}; default {key.default}"


def _root(context: click.Context) -> click.Group:
    root = context.find_root().command
    assert isinstance(root, click.Group)  # noqa: S101 - the kit's own
    return root


def _unknown(root: click.Group, words: tuple[str, ...]) -> UsageError:
    known = [" ".join(each) for each, _ in walk(root)]
    near = difflib.get_close_matches(" ".join(words), known, n=1)
    remedy = f"did you mean: setup-kit help commands {near[0]}" if near else "list them: setup-kit help commands"
    return UsageError(f"there is no command {' '.join(words)}", remedy=remedy)


def _no_key(key: str, every: tuple[Key, ...]) -> UsageError:
    """The nearest key, by its last word where that is the only one that was given."""
    names = [each.name for each in every]
    by_last = [name for name in names if name.rpartition(".")[2] == key.rpartition(".")[2].lower()]
    near = by_last or difflib.get_close_matches(key, names, n=1) or _by_last_word(key, names)
    remedy = f"did you mean: setup-kit help environment {near[0]}" if near else "list them: setup-kit help environment"
    return UsageError(f"the environment file has no key {key}", remedy=remedy)


def _by_last_word(key: str, names: list[str]) -> list[str]:
    last = {name.rpartition(".")[2]: name for name in names}
    return [last[word] for word in difflib.get_close_matches(key.rpartition(".")[2], last, n=1)]
