"""Tags of resources: those that the environment file names, and the one that says who made the resource."""

from __future__ import annotations

from collections.abc import Mapping

from setup_kit.engine.resource import Action, Change
from setup_kit.environment.models import Environment

# On everything the kit makes; its value is the environment's name.
OWNER = "setup-kit"

TARGET = "tags"


def of_new(environment: Environment, owner: str) -> dict[str, str]:
    """The tags of a resource that is made: the file's and the owner's."""
    return {OWNER: owner, **environment.tags}


def merged(observed: Mapping[str, str], wanted: Mapping[str, str]) -> dict[str, str]:
    """All tags there are, with the wanted ones set. Tag names are the same in upper and lower case."""
    spelled = {name.lower(): name for name in observed}
    return {**observed, **{spelled.get(name.lower(), name): value for name, value in wanted.items()}}


def differing(observed: Mapping[str, str], wanted: Mapping[str, str]) -> dict[str, str]:
    """Those of the wanted tags that are missing or have another value."""
    there = {name.lower(): value for name, value in observed.items()}
    return {name: value for name, value in wanted.items() if there.get(name.lower()) != value}


def change(address: str, observed: Mapping[str, str], wanted: Mapping[str, str]) -> list[Change]:
    """The change that sets the wanted tags beside all others; none when they are set."""
    differ = differing(observed, wanted)
    if not differ:
        return []
    names = {name.lower() for name in differ}
    before = {name: value for name, value in observed.items() if name.lower() in names}
    return [
        Change(
            address,
            Action.UPDATE,
            TARGET,
            before=before or None,
            after=differ,
            why="the environment file names these tags; others stay",
        )
    ]


def owner_of(observed: Mapping[str, str]) -> str | None:
    """The environment for which the kit made this; None when it was made by other means."""
    return next((value for name, value in observed.items() if name.lower() == OWNER), None)
