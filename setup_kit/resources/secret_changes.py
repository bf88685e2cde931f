"""What must change for the secret to say what it should."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from setup_kit.engine.resource import Action, Change, Value
from setup_kit.environment import export_names
from setup_kit.errors import KitError
from setup_kit.resources import tags
from setup_kit.resources.secret_state import SecretState
from setup_kit.sqlserver.connection import SqlAddress

ENABLED = "enabled"
EXPIRY = "expiry"
NOT_BEFORE = "not before"
VALUE = "connection string"
VERSION = "version"
SERVER, DATABASE, USER = "server", "database", "user"

# The end of a version whose value cannot be written again can be moved, and not taken away: ten years.
FAR = timedelta(days=3650)


@dataclass(frozen=True)
class Wanted:
    """`name`: the export user's in the environment file. `server` is None while it is not there."""

    address: str
    name: str
    database: str
    server: SqlAddress | None
    tags: Mapping[str, str]

    def creation(self, deleted: SecretState | None) -> Change:
        detail: dict[str, Value] = {DATABASE: self.database, USER: self.name, "tags": dict(self.tags)}
        if deleted is None:
            why = "keeps the connection string; the password is made now and is kept nowhere else"
            return Change(self.address, Action.CREATE, why=why, detail=detail)
        why = "the secret was deleted and still holds its name; it is recovered, and its password kept"
        return Change(self.address, Action.CREATE, before="deleted", after="recovered", why=why, detail=detail)

    def changes(self, observed: SecretState, *, renew: bool) -> list[Change]:
        """Of a secret that is there. `renew`: a new version is wanted although nothing is wrong with the newest one.

        Raises KitError where that takes a value which cannot be read.
        """
        if observed.unreadable is not None:
            return self._of_unreadable(observed, renew=renew)
        if not observed.enabled:
            return [self._enabling()]
        version = "a new version with the password of this one" if observed.password else "a new version"
        changes = [
            *self._value_changes(observed),
            *self._of_dates(observed, f"; {version} is written", "never"),
            *self._of_tags(observed),
        ]
        if renew and all(change.target.startswith("tag ") for change in changes):
            why = "it was asked for; the password stays"
            changes.insert(0, Change(self.address, Action.UPDATE, VERSION, "the newest", "a new one", why))
        return changes

    def user(self, observed: SecretState | None) -> str:
        """The one of the export user's two names that the secret holds; the file's where it holds neither."""
        return export_names.current(self.name, None if observed is None else observed.user)

    def _of_unreadable(self, observed: SecretState, *, renew: bool) -> list[Change]:
        """What the value says is taken as it is; the rest is seen and changed through Resource Manager."""
        if renew and observed.unreadable is not None:
            raise KitError(
                "A new version cannot be written with the password of the newest one",
                why=f"its value cannot be read: {observed.unreadable.why}",
                remedy=f"setup-kit rotate gives it a new password; or, to see the value: {observed.unreadable.remedy}",
            )
        enabling = [] if observed.enabled else [self._enabling()]
        dates = self._of_dates(observed, "; its value cannot be read, and stays", "in ten years")
        return [*enabling, *dates, *self._of_tags(observed)]

    def _enabling(self) -> Change:
        return Change(self.address, Action.UPDATE, ENABLED, False, True, "the service cannot read a disabled secret")

    def _of_dates(self, observed: SecretState, how: str, end: str) -> list[Change]:
        now = datetime.now(UTC)
        changes = []
        if observed.expires_on is not None and observed.expires_on <= now:
            why = f"the service refuses an expired secret{how}"
            changes.append(Change(self.address, Action.UPDATE, EXPIRY, f"{observed.expires_on:%Y-%m-%d}", end, why))
        if observed.not_before is not None and observed.not_before > now:
            why = f"the service refuses the secret until then{how}"
            before = f"{observed.not_before:%Y-%m-%d}"
            changes.append(Change(self.address, Action.UPDATE, NOT_BEFORE, before, "now", why))
        return changes

    def _of_tags(self, observed: SecretState) -> list[Change]:
        why = "names an organization that may use the secret, and its tenant"
        return [
            Change(self.address, Action.UPDATE, f"tag {name}", observed.tags.get(name), value, why)
            for name, value in tags.differing(observed.tags, self.tags).items()
        ]

    def _value_changes(self, observed: SecretState) -> list[Change]:
        if observed.problem or observed.password is None:
            why = f"{observed.problem or 'the connection string holds no password'}; a new password is made"
            after = "a new connection string with a new password"
            return [Change(self.address, Action.UPDATE, VALUE, observed.value, after, why)]
        differences: list[tuple[str, Value, Value]] = []
        if self.server is not None and observed.server != self.server:
            differences.append((SERVER, str(observed.server), str(self.server)))
        if observed.database != self.database:
            differences.append((DATABASE, observed.database, self.database))
        if observed.user != self.user(observed):
            differences.append((USER, observed.user, self.user(observed)))
        why = "the connection string leads elsewhere; the password stays"
        return [
            Change(self.address, Action.UPDATE, target, before, after, why) for target, before, after in differences
        ]
