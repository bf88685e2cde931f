"""The profile as the service has it, apart from all that it rests on: to switch it, test it, follow it, delete it."""

from __future__ import annotations

import difflib
import threading
from collections.abc import Iterable
from datetime import timedelta

from setup_kit.engine.graph import ordered
from setup_kit.engine.planner import make_plan
from setup_kit.engine.resource import Change, Finding, Status
from setup_kit.environment.models import Activate
from setup_kit.errors import KitError, UsageError
from setup_kit.export_service.models import Profile, State
from setup_kit.resources.activation import Activation
from setup_kit.resources.build import House
from setup_kit.resources.exported_objects import ExportedObjects
from setup_kit.resources.initial_sync import PATIENCE_SECONDS, InitialSync
from setup_kit.resources.profile import ExportProfile, wanted_description
from setup_kit.resources.replication import exported_tables
from setup_kit.resources.tables_made import TablesMade
from setup_kit.resources.validation import ProfileValidation


class ExistingProfile(ExportProfile):
    """Nothing about it is compared with the environment file, and it is never made or changed."""

    def __init__(self, house: House) -> None:
        super().__init__(house.environment, house.export_client, _NoSecret())

    def diff(self, observed: Profile | None) -> list[Change]:
        """Raises KitError when it is not there."""
        if observed is None:
            raise self.absent()
        return []

    def absent(self) -> KitError:
        return KitError(
            f"the organization has no export profile {self.name!r}",
            remedy="setup-kit profile create makes it, setup-kit profile list shows those that there are",
        )

    def found(self) -> Profile:
        """It as it is now. Raises KitError when it is not there."""
        self.observed = self.read()
        if self.observed is None:
            raise self.absent()
        return self.observed


class _NoSecret:
    observed = None


def found_profile(house: House, name: str | None, *, status: bool = False) -> Profile:
    """The profile of that name, the environment file's without one. Raises KitError when it is not there."""
    profile = ExistingProfile(house)
    profile.name = name or profile.name
    found = house.export_client.profiles.get(profile.found().id, status=status)
    if found is None:
        raise profile.absent()
    return found


def switching(house: House, wanted: Activate, *, again: bool) -> Activation:
    """What activates the profile that is there. `again`: although it is active, for what failed."""
    profile = ExistingProfile(house)
    return Activation(house.environment, house.export_client, profile, house.organization, wanted=wanted, again=again)


def removing(house: House) -> tuple[ExistingProfile, Activation]:
    """The profile and its activation, to be taken away."""
    profile = ExistingProfile(house)
    return profile, Activation(house.environment, house.export_client, profile, house.organization)


def left_behind(house: House, names: Iterable[str]) -> None:
    """Restricts a removal of the exported objects to those of these entities; a relationship's by its intersect entity.

    Raises UsageError where the profile that is there exports one of them.
    """
    wanted = frozenset(names)
    found = house.export_client.profiles.find(house.environment.profile.name)
    if found is not None:
        tables = {table.entity for table in exported_tables(found.description, house.export_client)}
        if still := sorted(wanted & tables):
            raise UsageError(
                f"the profile {found.description.name!r} exports {', '.join(still)}",
                why="the service goes on writing into the tables of what it exports",
                remedy="take it out of profile.entities, then run: setup-kit profile update",
            )
    for node in ordered(house.nodes):
        if isinstance(node, ExportedObjects):
            node.only = wanted


def leaving(house: House, removed: Iterable[Change]) -> str:
    """What to know before the next `apply` once these deletions are made; empty where they leave no table behind."""
    kinds = {change.resource.partition("/")[0] for change in removed if not change.target}
    if "profile" not in kinds or kinds & {"database", "sql_server", "resource_group"}:
        return ""
    try:
        tables = exported_tables(wanted_description(house.environment, ""), house.export_client)
        entities = " ".join(table.entity for table in tables)
    except KitError:
        entities = " ".join(house.environment.profile.entities)
    return (
        "What was exported stays, and the service refuses a profile whose tables are there. Before the next apply, when"
        f" the rows are not needed: setup-kit profile drop-objects {entities}; or set another profile.prefix and"
        " profile.name."
    )


def refuse_unknown(house: House, names: Iterable[str]) -> None:
    """Raises KitError for an entity of which nothing was found by `left_behind`, and which the organization lacks."""
    for node in ordered(house.nodes):
        if isinstance(node, ExportedObjects):
            unknown = [name for name in names if not node.serves(name) and house.organization.table(name) is None]
            if unknown:
                known = [table.logical_name for table in house.organization.tables()]
                near = difflib.get_close_matches(unknown[0], known, n=1)
                raise KitError(
                    f"there is no entity {', '.join(unknown)}",
                    why="the organization has none of this name, and the destination nothing that it left",
                    remedy=(f"did you mean {near[0]}? " if near else "")
                    + "see which there are: setup-kit org entities",
                )


def following(
    house: House, stop: threading.Event, patience: timedelta | None, *, tables_only: bool = False
) -> InitialSync:
    """What follows the profile that is there: its first synchronization, or the making of its tables only.

    Raises KitError when nothing is going on.
    """
    profile = ExistingProfile(house)
    found = profile.found()
    if found.state is not State.ACTIVE and not found.state.broken:
        raise KitError(
            f"the profile {profile.name!r} is not active, so nothing is synchronized",
            why=f"the service says that it is in state {found.state}",
            remedy="setup-kit profile activate",
        )
    if house.environment.profile.activate not in (Activate.ALL, Activate.DATA):
        active = Activation(house.environment, house.export_client, profile, house.organization).read()
        tables_only = tables_only or active is None or not active.data
    kind = TablesMade if tables_only else InitialSync
    return kind(
        house.environment,
        house.export_client,
        profile,
        house.organization,
        exports_data=True,
        patience=PATIENCE_SECONDS if patience is None else patience.total_seconds(),
        wait=stop.wait,
    )


def tried(house: House) -> list[Finding]:
    """What the service finds when it tries all that the profile that is there needs."""
    profile = ExistingProfile(house)
    trials = house.export_client.profiles.test(profile.found().id)
    return [
        Finding(
            "profile_test",
            Status.PASSED if trial.succeeded else Status.FAILED,
            profile.address,
            f"{trial.name}: {trial.message or 'as it should be'}",
            "" if trial.succeeded else "setup-kit apply, which mends what it made; setup-kit verify shows what differs",
        )
        for trial in trials
    ]


def validated(house: House) -> list[Finding]:
    """What the service finds when it tries all that the profile in the environment file needs, asked once."""
    validation = next(node for node in ordered(house.nodes) if isinstance(node, ProfileValidation))
    for failure in make_plan([house.secret], lambda event: None, threading.Event(), checks=False).failures.values():
        raise failure
    validation.patience = 0.0
    return validation.run()
