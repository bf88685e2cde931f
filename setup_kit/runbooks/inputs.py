"""Answers to a runbook's inputs: checked before anything runs."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping

from setup_kit.environment.loading import load
from setup_kit.environment.models import Environment
from setup_kit.errors import UsageError
from setup_kit.runbooks.masking import SHORTEST
from setup_kit.runbooks.runbook import Input, Kind, Runbook
from setup_kit.secret import Secret

# What an environment's file says, by the word that is added to the input's name: `environment_cloud`.
FACTS: dict[str, Callable[[Environment], object]] = {
    "cloud": lambda of: of.cloud if isinstance(of.cloud, str) else "own",
    "tenant": lambda of: of.tenant,
    "subscription": lambda of: of.subscription,
    "location": lambda of: of.location,
    "resource_group": lambda of: of.resource_group,
    "server": lambda of: of.sql.server or "",
    "database": lambda of: of.sql.database.name,
    "schema": lambda of: of.profile.schema_name,
    "prefix": lambda of: of.profile.prefix,
    "profile": lambda of: of.profile.name,
    "organization_url": lambda of: of.dynamics.organization_url.rstrip("/"),
    "organization_id": lambda of: of.dynamics.organization_id,
    "discovery": lambda of: of.export_service.discovery or "",
    "vault": lambda of: of.key_vault.name,
    "secret": lambda of: of.key_vault.secret,
}


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


def given_by_environment(declared: Input) -> set[str]:
    """The variables that commands and conditions find beside an input that is an environment."""
    return {f"{declared.name}_{word}" for word in FACTS} if declared.kind is Kind.ENVIRONMENT else set()


def facts(runbook: Runbook, values: Mapping[str, str | Secret]) -> dict[str, str]:
    """What conditions may ask for: the inputs that are no secrets, and what each environment's file says."""
    found = {name: value for name, value in values.items() if isinstance(value, str)}
    for name, declared in runbook.inputs.items():
        if declared.kind is Kind.ENVIRONMENT and found.get(name):
            environment = load(found[name]).environment
            found |= {f"{name}_{word}": str(read(environment)) for word, read in FACTS.items()}
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
    """Whether an input is asked, by the answers to those above it."""
    if declared.condition is None:
        return True
    return declared.condition.holds(facts(runbook, values))
