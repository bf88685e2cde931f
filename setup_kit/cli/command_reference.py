"""Every command of the kit as the reference lists it, read from the commands themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import click

# In a docstring's block of examples: the command line, also inside `eval "$(…)"`.
_EXAMPLE = re.compile(r"^\s*(?:eval \"\$\()?(setup-kit .*?)(?:\)\")?$")


def walk(group: click.Group, above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Each command with the words that call it, groups before what is in them."""
    for name, command in group.commands.items():
        if command.hidden:
            continue
        yield (*above, name), command
        if isinstance(command, click.Group):
            yield from walk(command, (*above, name))


def find(group: click.Group, words: tuple[str, ...]) -> click.Command | None:
    """The command that the words call; None where they call none."""
    found: click.Command | None = group
    for word in words:
        found = found.commands.get(word) if isinstance(found, click.Group) else None
    return found


def examples(command: click.Command) -> list[str]:
    """The command lines that the help of a command shows as examples."""
    lines: list[str] = []
    shown = False
    for line in (command.help or "").splitlines():
        if line.strip() in ("Example:", "Examples:"):
            shown = True
        elif not line.strip():
            shown = False
        elif shown and (found := _EXAMPLE.match(line)):
            lines.append(found[1])
    return lines


def page(group: click.Group, words: tuple[str, ...], width: int) -> str:
    """What `--help` prints of the command that the words call, `width` columns wide at most."""
    command: click.Command = group
    context = click.Context(group, info_name="setup-kit", terminal_width=width, help_option_names=["-h", "--help"])
    for word in words:
        assert isinstance(command, click.Group)  # noqa: S101 - the words were found
        command = command.commands[word]
        context = click.Context(command, info_name=word, parent=context)
    return command.get_help(context)


def described(words: tuple[str, ...], command: click.Command) -> dict[str, Any]:
    """A command as JSON: its words, help, examples, arguments and options."""
    context = click.Context(command, info_name=" ".join(words))
    return {
        "command": " ".join(words),
        "summary": command.get_short_help_str(limit=1000),
        "help": re.sub(r"^\b\n?", "", (command.help or "").replace("\b\n", "")).strip(),
        "examples": examples(command),
        "arguments": [each.make_metavar(context) for each in command.params if isinstance(each, click.Argument)],
        "options": [
            {
                "names": [*each.opts, *each.secondary_opts],
                "value": None if each.is_flag else each.make_metavar(context),
                "required": each.required,
                "variable": each.envvar,
                "help": each.help or "",
            }
            for each in command.params
            if isinstance(each, click.Option)
        ],
    }
