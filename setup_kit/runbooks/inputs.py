"""Answers to a runbook's inputs: checked before anything runs."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping

from setup_kit.environment.loading import load
from setup_kit.errors import UsageError
from setup_kit.runbooks.masking import SHORTEST
from setup_kit.runbooks.runbook import Input, Kind, Runbook
from setup_kit.secret import Secret


class InputError(UsageError):
    """An answer that an input does not take."""


def check_value(declared: Input, text: str) -> None:
    """Raises InputError where the text is no answer, without the text of a secret."""
    name, shown = declared.name, "the value" if declared.secret else repr(text)
    if not text and declared.default == "":
        return
    if not text:
        raise InputError(f"the input {name} is empty", remedy=f"give one: {declared.description}")
    if not text.isprintable():
        raise InputError(f"the input {name} is more than a line of printable text")
    if declared.secret and len(text) < SHORTEST:
        raise InputError(
            f"the input {name} is shorter than {SHORTEST} characters", why="so short a secret cannot be masked"
        )
    match declared.kind:
        case Kind.INTEGER:
            _check_integer(declared, text, shown)
        case Kind.CHOICE if text not in declared.choices:
            near = difflib.get_close_matches(text, declared.choices, n=1)
            raise InputError(
                f"the input {name} is none of {', '.join(declared.choices)}: {shown}",
                remedy=f"did you mean {near[0]}?" if near else "",
            )
        case Kind.STRING if declared.pattern and not re.fullmatch(declared.pattern, text):
            raise InputError(
                f"the input {name} does not match {declared.pattern}: {shown}", why=f"it is: {declared.description}"
            )
        case Kind.ENVIRONMENT:
            load(text)


def _check_integer(declared: Input, text: str, shown: str) -> None:
    if not re.fullmatch(r"-?[0-9]{1,18}", text):
        raise InputError(f"the input {declared.name} is no whole number: {shown}")
    low, high, number = declared.minimum, declared.maximum, int(text)
    if (low is not None and number < low) or (high is not None and number > high):
        bounds = [f"at least {low}"] * (low is not None) + [f"at most {high}"] * (high is not None)
        raise InputError(f"the input {declared.name} is not {' and '.join(bounds)}: {shown}")


def conditions(values: Mapping[str, str | Secret], runbook: Runbook) -> dict[str, str]:
    """What conditions may ask for: the inputs that are no secrets, and `NAME.cloud` of each environment."""
    found = {name: value for name, value in values.items() if isinstance(value, str)}
    for name, declared in runbook.inputs.items():
        if declared.kind is Kind.ENVIRONMENT and found.get(name):
            cloud = load(found[name]).environment.cloud
            found[f"{name}.cloud"] = cloud if isinstance(cloud, str) else "own"
    return found


def take(
    runbook: Runbook, given: Mapping[str, str | Secret], ask: Callable[[Input], str] | None = None
) -> dict[str, str | Secret]:
    """The value of every input, checked, in the runbook's order; what does not apply is empty.

    What is not given is asked for, or is the default where nobody can be asked. Raises InputError for what is given
    but not known, not applicable or refused, and for all that is missing.
    """
    for name in given:
        if name not in runbook.inputs:
            near = difflib.get_close_matches(name, runbook.inputs, n=1)
            raise InputError(
                f"the runbook {runbook.name} has no input {name}",
                remedy=f"did you mean {near[0]}?" if near else f"see: setup-kit runbook show {runbook.name}",
            )
    values: dict[str, str | Secret] = {}
    missing: list[Input] = []
    for name, declared in runbook.inputs.items():
        if not applies(declared, values, runbook):
            if given.get(name):
                raise InputError(f"the input {name} is only for {declared.condition}")
            values[name] = ""
            continue
        value = given.get(name, ask(declared) if ask and name not in given else declared.default)
        if value is None:
            missing.append(declared)
            continue
        text = value.reveal() if isinstance(value, Secret) else value
        check_value(declared, text)
        values[name] = Secret(text) if declared.secret and text else text
    if missing:
        raise InputError(
            f"nobody is there to be asked for the inputs {', '.join(declared.name for declared in missing)}",
            why="\n".join(f"{declared.name}: {declared.description}" for declared in missing),
            remedy="give them: " + " ".join(how_to_give(declared) for declared in missing),
        )
    return values


def how_to_give(declared: Input) -> str:
    return f"{variable(declared)}=… (a variable)" if declared.secret else f"--input {declared.name}=…"


def variable(declared: Input) -> str:
    """The variable that a secret input is taken from: the command line of a process is there for all to see."""
    return f"SETUP_KIT_INPUT_{declared.name.upper()}"


def applies(declared: Input, values: Mapping[str, str | Secret], runbook: Runbook) -> bool:
    """Whether an input is asked, by the answers to those above it. True as well while they are not known."""
    if declared.condition is None:
        return True
    if declared.condition.name.split(".")[0] not in values:
        return True
    return declared.condition.holds(conditions(values, runbook))
