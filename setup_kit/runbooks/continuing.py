"""Goes on with a run that did not come to its end."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping

from setup_kit.errors import UsageError
from setup_kit.runbooks.masking import MASK
from setup_kit.runbooks.record import Record
from setup_kit.runbooks.runbook import Command, Runbook, Step
from setup_kit.runbooks.script import read_script


def find_step(runbook: Runbook, wanted: str) -> Step:
    """By its number or its heading's anchor. Raises UsageError where there is none."""
    for step in runbook.steps:
        if wanted in (str(step.number), step.slug):
            return step
    near = difflib.get_close_matches(wanted, [step.slug for step in runbook.steps], n=1)
    every = ", ".join(f"{step.number} {step.slug}" for step in runbook.steps)
    raise UsageError(
        f"the runbook {runbook.name} has no step {wanted!r}",
        why=f"its steps: {every}",
        remedy=f"did you mean {near[0]}?" if near else "",
    )


def refuse_changed(runbook: Runbook, record: Record) -> None:
    """A run that was begun by one text is not finished by another."""
    if record.digest != runbook.digest:
        raise UsageError(
            f"the runbook {runbook.name} has changed since the run of {record.started} began",
            why=f"it was {record.digest[:12]}, it is {runbook.digest[:12]}",
            remedy="run it from its beginning, without --from; or add --changed to go on with the new text",
        )


def handed_on(record: Record) -> dict[str, str]:
    """The variables that its steps exported, without the secrets, which no record keeps."""
    return {name: value for name, value in record.exports.items() if value != MASK}


def refuse_missing(runbook: Runbook, first: Step, facts: Mapping[str, str], variables: Mapping[str, str]) -> None:
    """Raises UsageError where a step to come uses what an earlier one exports and nobody has kept."""
    before = list(_due(runbook.steps[: first.number - 1], facts))
    for step, command in _due(runbook.steps[first.number - 1 :], facts):
        script = read_script(command.script)
        for name in sorted(script.used - script.assigned - variables.keys()):
            setters = [earlier for earlier, each in before if name in read_script(each.script).exported]
            if setters:
                raise UsageError(
                    f"step {step.number} uses ${name}, which step {setters[-1].number} sets and no record keeps",
                    remedy=f"continue from there: --from {setters[-1].number}",
                )


def _due(steps: Iterable[Step], facts: Mapping[str, str]) -> Iterable[tuple[Step, Command]]:
    for step in steps:
        for command in step.commands:
            if command.condition is None or command.condition.holds(facts):
                yield step, command
