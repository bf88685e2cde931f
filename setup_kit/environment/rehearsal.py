"""A first environment file for a running sandbox: what the sandbox dictates, and what one may choose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from setup_kit.environment.starter import Starter, machine_of, on_machine, sandbox_answers
from setup_kit.errors import UsageError

# A sandbox has one of each.
DICTATED = ("tenant", "subscription", "organization_url", "organization_id")
_OF_A_SERVER = ("administrator_group", "administrator_group_id", "service_region", "server")
_WHO = ("administrator_group", "administrator_group_id", "administrator_login")


def rehearsal(
    document: Mapping[str, Any], name: str, entities: tuple[str, ...], given: Mapping[str, str | None]
) -> Starter:
    """The answers for environment `name` on the sandbox whose file says `document`; `given` are the options of `init`.

    Raises UsageError naming every option that the sandbox leaves no choice about.
    """
    answers = sandbox_answers(document, name)
    if given["machine"] is not None:
        answers = on_machine(answers, document)
    _refuse(answers, given)
    if any(given[key] for key in _WHO):
        answers = replace(
            answers,
            group_name=given["administrator_group"] or "",
            group_object_id=given["administrator_group_id"] or "",
            sql_login=given["administrator_login"] or "",
        )
    return replace(
        answers,
        location=given["location"] or answers.location,
        service_region=given["service_region"] or answers.service_region,
        authorization=given["authorization"] or answers.authorization,
        prefix=answers.prefix if given["prefix"] is None else given["prefix"],
        entities=entities or answers.entities,
        relationships=() if entities else answers.relationships,
    ).named(given)


def _refuse(answers: Starter, given: Mapping[str, str | None]) -> None:
    wrong = [(key, "it is the sandbox's own") for key in DICTATED if given[key]]
    if answers.machine is not None:
        wrong += [(key, "a machine knows none") for key in _OF_A_SERVER if given[key]]
        if given["machine"] and machine_of(given["machine"]) != answers.machine:
            host, port = answers.machine
            wrong.append(("machine", f"the sandbox's own is {host},{port}, which --machine alone means"))
    if wrong:
        options = ["--" + key.replace("_", "-") for key, _ in wrong]
        raise UsageError(
            f"with --cloud sandbox there is no choice of {', '.join(options)}",
            why="\n".join(f"{option}: {why}" for option, (_, why) in zip(options, wrong, strict=True)),
            remedy=f"leave {'it' if len(wrong) == 1 else 'them'} out",
        )
