"""Says whether a command line of setup-kit is one, without running it: its commands, options and values exist."""

from __future__ import annotations

import difflib

import click


def resolve(words: list[str], whole: bool) -> str | None:
    """What is wrong with the words after `setup-kit`; None where nothing is.

    Words with an expansion (`$name`) stand for any value. Where it is not `whole`, as in a sentence, values may be
    placeholders and what is required may be left out.
    """
    from setup_kit.cli.root import cli

    command: click.Command = cli
    context = click.Context(command, info_name="setup-kit")
    while True:
        try:
            values, rest, _ = command.make_parser(context).parse_args(list(words))
        except click.UsageError as error:
            return error.format_message()
        if not isinstance(command, click.Group):
            break
        if not rest:
            alone = not whole or command.invoke_without_command or {"version", "help"} & values.keys()
            return None if alone else "names no command"
        if rest[0] not in command.commands:
            near = difflib.get_close_matches(rest[0], command.commands, n=1)
            return f"there is no command {rest[0]}" + (f"; did you mean {near[0]}?" if near else "")
        command, words = command.commands[rest[0]], rest[1:]
        context = click.Context(command, info_name=command.name, parent=context)
    if not whole or "help" in values:
        return None
    if any(_expanded(word) and word.startswith("$@") for word in words):
        return None
    if rest:
        return f"takes no further word {rest[0]}"
    return _values_fault(command, context, values)


def _values_fault(command: click.Command, context: click.Context, values: dict[str, object]) -> str | None:
    for parameter in command.params:
        given = values.get(parameter.name or "")
        # --all stands for every environment, a saved plan for its own.
        environment = parameter.name == "environments" and not {"all_", "plan_file"} & {
            k for k, v in values.items() if v
        }
        if given in (None, ()) and (parameter.required or environment):
            return f"lacks {parameter.get_error_hint(context)}"
        for value in given if isinstance(given, list | tuple) else [given]:
            if isinstance(value, str) and not _expanded(value) and isinstance(parameter.type, _CHECKED):
                try:
                    parameter.type(value, parameter, context)
                except click.UsageError as error:
                    return error.format_message()
    return None


_CHECKED = (click.Choice, click.types.IntParamType, click.types.FloatParamType)


def _expanded(word: str) -> bool:
    return "$" in word or "`" in word
