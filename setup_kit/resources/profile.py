"""The export profile: what is exported, and where to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Protocol

from setup_kit.engine.resource import Action, Change, Finding, Node, Removal, Resource, Severity, Status, Value
from setup_kit.environment.models import Environment
from setup_kit.errors import KitError
from setup_kit.export_service.client import ExportServiceClient
from setup_kit.export_service.models import Description, Profile

ENTITIES = "entities"
RELATIONSHIPS = "relationships"
KEY_VAULT_URI = "key_vault_uri"
RETRY_COUNT = "retry.count"
RETRY_INTERVAL = "retry.interval_seconds"
DELETE_LOG = "delete_log"

_GRADES = {RETRY_COUNT: Severity.LOW, RETRY_INTERVAL: Severity.LOW, DELETE_LOG: Severity.MEDIUM}


class SecretState(Protocol):
    """What is used here of the connection secret's state."""

    @property
    def uri_without_version(self) -> str: ...


class ConnectionSecret(Protocol):
    """The resource of the connection secret, as far as it is used here."""

    @property
    def observed(self) -> SecretState | None: ...


def secret_uri(secret: ConnectionSecret) -> str:
    """The secret's URI without a version, written as the vault writes it; empty while the secret is not known."""
    return secret.observed.uri_without_version if secret.observed is not None else ""


def wanted_description(environment: Environment, key_vault_uri: str) -> Description:
    """What the environment file says of the profile."""
    profile = environment.profile
    return Description(
        name=profile.name,
        organization_id=str(environment.dynamics.organization_id),
        organization_url=environment.dynamics.organization_url.rstrip("/"),
        entities=profile.entities,
        relationships=profile.relationships,
        key_vault_uri=key_vault_uri,
        prefix=profile.prefix,
        schema=profile.schema_name,
        retry_count=profile.retry.count,
        interval_seconds=profile.retry.interval_seconds,
        delete_log=profile.delete_log,
    )


class ExportProfile(Resource[Profile]):
    """Found by its name within the organization."""

    kind = "profile"

    def __init__(
        self,
        environment: Environment,
        export_client: ExportServiceClient,
        secret: ConnectionSecret,
        *,
        needs: Iterable[Node] = (),
    ) -> None:
        own = (secret,) if isinstance(secret, Node) else ()
        super().__init__(environment.profile.name, needs=(*own, *needs))
        # What the service will try before it takes a profile says nothing of one that it has.
        self.reads_after = own or None
        self.rests_on = secret if isinstance(secret, Resource) else None
        self._environment = environment
        self._client = export_client
        self._secret = secret
        self.seen: tuple[Profile | None] | None = None  # what this run found, once it has looked

    def read(self) -> Profile | None:
        """With the status of its entities, from which it shows whether it is active and what is still to come."""
        found = self._client.profiles.find(self.name, status=True)
        self.seen = (found,)
        return found

    def diff(self, observed: Profile | None) -> list[Change]:
        """Raises KitError where the profile would have to be another one: its tables cannot be moved."""
        wanted = wanted_description(self._environment, secret_uri(self._secret))
        if observed is None:
            return [self._creation(wanted)]
        there = observed.description
        self._refuse_moving(there, wanted)
        changes = [
            self._list_change(ENTITIES, there.entities, wanted.entities, there),
            self._list_change(RELATIONSHIPS, there.relationships, wanted.relationships, there),
            self._change(RETRY_COUNT, there.retry_count, wanted.retry_count, "tries of a record that failed"),
            self._change(
                RETRY_INTERVAL, there.interval_seconds, wanted.interval_seconds, "seconds between two of these tries"
            ),
            self._change(
                DELETE_LOG, there.delete_log, wanted.delete_log, "whether deleted records are listed in a table"
            ),
        ]
        if wanted.key_vault_uri and _without_default_port(there.key_vault_uri) != wanted.key_vault_uri:
            pinned = there.key_vault_uri.startswith(wanted.key_vault_uri + "/")
            why = (
                "it names one version of the secret, so a rotation would not reach the service"
                if pinned
                else "where the service reads the connection string; without a version it follows rotations"
            )
            changes.append(self._change(KEY_VAULT_URI, there.key_vault_uri, wanted.key_vault_uri, why))
        return [change for change in changes if change is not None]

    def severity(self, change: Change) -> Severity:
        return _GRADES.get(change.target, Severity.HIGH)

    def evidence(self, observed: Profile) -> str:
        entities = f"{len(observed.description.entities)} entities"
        return f"{observed.state}, {entities}, {observed.description.key_vault_uri}"

    def apply(self, change: Change) -> Profile:
        wanted = wanted_description(self._environment, secret_uri(self._secret))
        if not wanted.key_vault_uri:
            raise KitError(
                f"the profile {self.name!r} cannot be written",
                why="the URI of the secret with its connection string is not known",
                remedy="run: setup-kit apply, which makes the secret first",
            )
        if self.observed is None:
            return self._client.profiles.create(wanted)
        fields = {
            ENTITIES: {"entities": wanted.entities},
            RELATIONSHIPS: {"relationships": wanted.relationships},
            RETRY_COUNT: {"retry_count": wanted.retry_count},
            RETRY_INTERVAL: {"interval_seconds": wanted.interval_seconds},
            DELETE_LOG: {"delete_log": wanted.delete_log},
            KEY_VAULT_URI: {"key_vault_uri": wanted.key_vault_uri},
        }
        description = replace(self.observed.description, **fields[change.target])  # type: ignore[arg-type]
        return self._client.profiles.update(self.observed.id, description)

    def removal(self, observed: Profile) -> Removal:
        """One that exports elsewhere than the environment file says is somebody else's."""
        there, wanted = observed.description, self._environment.profile
        if (there.prefix, there.schema) != (wanted.prefix, wanted.schema_name):
            return Removal(kept=f"it exports to {there.schema}.{there.prefix}*, not to what the environment file says")
        return Removal((self.deletion("what was exported stays"),))

    def delete(self, observed: Profile) -> None:
        """Ends the export; the tables stay."""
        self._client.profiles.delete(observed.id)

    def audit(self, observed: Profile) -> list[Finding]:
        if not observed.state.broken:
            return []
        return [
            Finding(
                "profile.state",
                Status.FAILED,
                self.address,
                f"the service says that the profile is in state {observed.state}: nothing is exported",
                remedy="setup-kit status, which shows where it failed; mend the cause, then run: setup-kit apply",
                evidence=f"state {observed.state}",
            )
        ]

    def _creation(self, wanted: Description) -> Change:
        detail: dict[str, Value] = {
            ENTITIES: list(wanted.entities),
            "prefix": wanted.prefix,
            "schema": wanted.schema,
            RETRY_COUNT: wanted.retry_count,
            RETRY_INTERVAL: wanted.interval_seconds,
            DELETE_LOG: wanted.delete_log,
            KEY_VAULT_URI: wanted.key_vault_uri or "known when the secret is made",
        }
        if wanted.relationships:
            detail[RELATIONSHIPS] = list(wanted.relationships)
        return Change(self.address, Action.CREATE, after=self.name, detail=detail)

    def _refuse_moving(self, there: Description, wanted: Description) -> None:
        for what, is_there, is_wanted in (
            ("prefix", there.prefix, wanted.prefix),
            ("schema", there.schema, wanted.schema),
        ):
            if is_there != is_wanted:
                raise KitError(
                    f"the {what} of the profile {self.name!r} is {is_there!r} and cannot become {is_wanted!r}",
                    why="the service names its tables by prefix and schema once and for all; it does not move them",
                    remedy=f"set profile.{what} back to {is_there!r}, or give profile.name another name to make a new"
                    " profile beside this one; this one's tables stay until they are dropped by hand",
                )

    def _list_change(
        self, target: str, there: tuple[str, ...], wanted: tuple[str, ...], description: Description
    ) -> Change | None:
        """None when both name the same things, in whatever order."""
        before = {name.lower(): name for name in there}
        after = {name.lower(): name for name in wanted}
        added = [after[name] for name in sorted(after.keys() - before.keys())]
        removed = [before[name] for name in sorted(before.keys() - after.keys())]
        if not added and not removed:
            return None
        why = []
        if added:
            why.append(f"adds {', '.join(added)}")
        if removed:
            tables = ", ".join(f"{description.schema}.{table_name(description.prefix, name)}" for name in removed)
            why.append(
                f"removes {', '.join(removed)}; what was exported stays ({tables}) and must be dropped by hand"
                " before it can be exported again"
            )
        return Change(
            self.address, Action.UPDATE, target, sorted(before.values()), sorted(after.values()), "; ".join(why)
        )

    def _change(self, target: str, there: Value, wanted: Value, why: str) -> Change | None:
        return None if there == wanted else Change(self.address, Action.UPDATE, target, there, wanted, why)


def table_name(prefix: str, name: str) -> str:
    """The table of an entity or a relationship: no underscore where there is no prefix."""
    return f"{prefix}_{name}" if prefix else name


def _without_default_port(uri: str) -> str:
    # Older tools printed a vault's address with its port.
    return uri.replace(":443/", "/", 1)
