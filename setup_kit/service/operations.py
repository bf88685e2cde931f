"""The service's operations, each a blocking call that a thread of the service makes."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from setup_kit.service import description as descriptions
from setup_kit.service import http, shared_access
from setup_kit.service.blobs import Containers
from setup_kit.service.callers import Administrators, Caller, Tokens
from setup_kit.service.dataverse import Organization
from setup_kit.service.description import Description
from setup_kit.service.errors import OutsideError, Problem, ServiceError, bad_request, not_found
from setup_kit.service.failure_log import FailureLog
from setup_kit.service.profile import MetadataState, Profile, ProfileState, SyncState
from setup_kit.service.replicator import Replicator
from setup_kit.service.settings import Settings
from setup_kit.service.store import Store
from setup_kit.service.validation import Validator
from setup_kit.service.vault import Vaults

Query = Mapping[str, str]  # names in lower case


class Operations:
    """Everything the wire can ask for. `start` and `stop` are the host's."""

    def __init__(self, settings: Settings) -> None:
        settings.state_directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.settings = settings
        self.tokens = Tokens(settings)
        self._identity = http.credential(settings)
        self._store = Store(settings.state_directory / "service.db")
        self._failure_log = FailureLog(settings.state_directory / "failures", self._exists)
        key = shared_access.account_key(settings.state_directory / "failures.key")
        self.containers = Containers(settings.connector_url, key, self._failure_log, self._exists)
        self._vaults = Vaults(settings, self._identity)
        self._administrators = Administrators()
        self._lock = threading.Lock()
        self._organizations: dict[str, Organization] = {}
        self._urls = {key.lower(): url.rstrip("/") for key, url in settings.organizations.items()}
        self._validator = Validator(settings, self._store, self._vaults)
        self.replicator = Replicator(settings, self._store, self._failure_log, self._vaults, self._organization)

    def start(self) -> None:
        self._failure_log.purge()
        self.replicator.start()

    def stop(self) -> None:
        self.replicator.stop()
        for organization in self._organizations.values():
            organization.close()
        self.tokens.close()
        self._identity.close()
        self._store.close()

    # Metadata

    def organizations(self, caller: Caller, query: Query) -> list[dict[str, Any]]:
        """Of the served organizations those that the caller is an enabled user of."""
        found = []
        for key in self._urls:
            user = self._organization(key).caller(object_id=caller.object_id, application_id=caller.application_id)
            if user is not None and user.enabled:
                found.append(self._describe(key))
        return found

    def discover(self, caller: Caller, query: Query) -> dict[str, Any]:
        return self._describe(self._admitted(caller, query))

    def connector(self, caller: Caller, query: Query) -> dict[str, Any]:
        self._admitted(caller, query)
        return {"ConnectorUrl": self.settings.connector_url}

    def entities(self, caller: Caller, query: Query) -> list[dict[str, Any]]:
        entities = self._organization(self._admitted(caller, query)).entities()
        return [
            {"LogicalName": entity.logical_name, "DisplayName": entity.display_name}
            for entity in sorted(entities.values(), key=lambda entity: entity.logical_name)
            if entity.exportable
        ]

    def relationships(self, caller: Caller, query: Query) -> list[dict[str, Any]]:
        organization = self._organization(self._admitted(caller, query))
        entities = organization.entities()
        exportable = {name for name, entity in entities.items() if entity.exportable}
        return [
            {
                "SchemaName": found.schema_name,
                "Entity1LogicalName": found.entity1,
                "Entity2LogicalName": found.entity2,
                "IntersectEntityName": found.intersect,
            }
            for found in organization.relationships().values()
            if {found.entity1, found.entity2} <= exportable
        ]

    def has_accepted_privacy_terms(self, caller: Caller, query: Query) -> bool:
        return self._store.accepted_privacy_terms(self._admitted(caller, query))

    def accept_privacy_terms(self, caller: Caller, query: Query) -> None:
        self._store.accept_privacy_terms(self._admitted(caller, query), caller.object_id)

    # Profiles

    def profiles(self, caller: Caller, query: Query) -> list[dict[str, Any]]:
        organization = self._admitted(caller, query)
        names = self._names(organization)
        return [self._wire(profile, query, names) for profile in self._store.profiles(organization)]

    def create(self, caller: Caller, body: Any) -> dict[str, Any]:
        description = self._described(caller, body)
        self._validated(replace(description, id=None))
        profile_id = str(uuid.uuid4())
        profile = Profile(profile_id, 1, ProfileState.INACTIVE, replace(description, id=profile_id))
        with self._lock:
            self._name_is_free(profile)
            self._store.save(profile)
        return self._wire(profile, {})

    def profile(self, caller: Caller, profile_id: str, query: Query) -> dict[str, Any]:
        return self._wire(self._found(caller, profile_id), query)

    def update(self, caller: Caller, profile_id: str, body: Any) -> dict[str, Any]:
        old = self._found(caller, profile_id)
        description = replace(self._described(caller, body), id=old.id)
        before = old.description
        moved = (description.prefix, description.schema) != (before.prefix, before.schema)
        if description.organization_id != before.organization_id:
            raise bad_request("A profile cannot move to another organization.")
        if moved and self._store.tables(old.id):
            # *Assumed*: the tables that were made would be left behind without anybody's saying so.
            raise bad_request("The prefix and schema of a profile that has made tables cannot be changed.")
        kept = {choice.name for choice in (*description.entities, *description.relationships)}
        gone = [choice.name for choice in old.choices if choice.name not in kept]
        self._validated(description)
        self.replicator.cancel(old.id)
        with self._lock:
            current = self._store.profile(old.id)
            if current is None:
                raise not_found(f"There is no profile {profile_id}.")
            profile = replace(current, version=current.version + 1, description=description)
            self._name_is_free(profile)
            self._store.forget(old.id, gone)
            self._store.save(profile)
        self.replicator.schedule(profile.id)
        return self._wire(profile, {})

    def delete(self, caller: Caller, profile_id: str) -> None:
        profile = self._found(caller, profile_id)
        self.replicator.cancel(profile.id)
        self._store.delete(profile.id)
        self._failure_log.forget(profile.id)

    def activate(self, caller: Caller, profile_id: str, *, metadata: bool, data: bool) -> dict[str, Any]:
        """Starts replication and returns at once. Entities that had failures are loaded anew (*assumed*)."""
        profile = self._found(caller, profile_id)
        with self._lock:
            profile = (self._store.profile(profile.id) or profile).activated(metadata=metadata, data=data)
            for status in self._store.statuses(profile.id).values():
                if status.metadata is MetadataState.FAILURE or status.initial is SyncState.WITH_FAILURES:
                    made = status.metadata is MetadataState.CREATED
                    self._store.save_status(
                        profile.id,
                        replace(
                            status,
                            metadata=status.metadata if made else MetadataState.NOT_CREATED,
                            initial=SyncState.NOT_STARTED,
                        ),
                    )
            self._store.save(profile)
        self.replicator.schedule(profile.id)
        return self._wire(profile, {})

    def deactivate(self, caller: Caller, profile_id: str) -> dict[str, Any]:
        profile = self._found(caller, profile_id)
        with self._lock:
            profile = (self._store.profile(profile.id) or profile).deactivated()
            self._store.save(profile)
        self.replicator.cancel(profile.id)
        return self._wire(profile, {})

    def test(self, caller: Caller, profile_id: str) -> list[dict[str, Any]]:
        """The checks of an existing profile; the shape is *assumed*."""
        description = self._found(caller, profile_id).description
        organization_id = description.organization_id or ""
        checks = self._validator.checks(description, self._organization(organization_id), organization_id)
        return [
            {
                "Name": check.name,
                "Succeeded": not check.problems,
                "Message": " ".join(problem.message for problem in check.problems),
            }
            for check in checks
        ]

    def validate(self, caller: Caller, body: Any) -> None:
        self._validated(self._described(caller, body))

    def failures(self, caller: Caller, profile_id: str) -> str:
        """The address of the profile's failure log, with a signature: who has it may read the log for a day."""
        return self.containers.uri(self._found(caller, profile_id).id)

    # What they share

    def _exists(self, profile_id: str) -> bool:
        return self._store.profile(profile_id) is not None

    def _organization(self, key: str) -> Organization:
        with self._lock:
            if key not in self._organizations:
                self._organizations[key] = Organization(self._urls[key], self._identity, self.settings.ca_file)
            return self._organizations[key]

    def _key(self, organization_id: str | None, organization_url: str | None) -> str:
        """The id of a served organization, given by id, URL or both."""
        if not (organization_id or organization_url):
            raise bad_request("Name the organization: organizationUrl or organizationId.")
        by_url = (organization_url or "").strip().rstrip("/").lower()
        for key, url in self._urls.items():
            if (not organization_id or organization_id.strip("{} ").lower() == key) and by_url in {"", url.lower()}:
                return key
        named = organization_url or organization_id
        raise not_found(f"The organization {named} is not served here, or its id and its URL do not belong together.")

    def _admitted(self, caller: Caller, query: Query) -> str:
        key = self._key(query.get("organizationid"), query.get("organizationurl"))
        self._admit(caller, key)
        return key

    def _admit(self, caller: Caller, key: str) -> None:
        def ask() -> bool:
            user = self._organization(key).caller(object_id=caller.object_id, application_id=caller.application_id)
            return user is not None and user.enabled and user.administrator

        self._administrators.admit(key, caller, ask)

    def _describe(self, key: str) -> dict[str, Any]:
        described = {
            "OrganizationName": "",
            "OrganizationUrl": self._urls[key],
            "OrganizationId": key,
            "ConnectorUrl": self.settings.connector_url,
            "ErrorCategory": 0,
            "ErrorCode": 0,
        }
        try:
            return {**described, "OrganizationName": self._organization(key).facts().name}
        except OutsideError as error:
            # Numbers *assumed*: only their defaults are recorded.
            return {**described, "ErrorCategory": 1, "ErrorCode": error.status, "ErrorMessage": error.why}

    def _described(self, caller: Caller, body: Any) -> Description:
        """A description that is right by itself, for an organization whose administrator the caller is."""
        description, problems = descriptions.read(body)
        if description.organization_id or description.organization_url:
            key = self._key(description.organization_id, description.organization_url)
            self._admit(caller, key)
            description = replace(description, organization_id=key, organization_url=self._urls[key])
        if problems:
            raise ServiceError.of(problems)
        return description

    def _validated(self, description: Description) -> None:
        organization_id = description.organization_id or ""
        checks = self._validator.checks(description, self._organization(organization_id), organization_id)
        problems = [problem for check in checks for problem in check.problems]
        if problems:
            raise ServiceError.of(problems)

    def _name_is_free(self, profile: Profile) -> None:
        """Two creations at once may both have passed validation."""
        for other in self._store.profiles(profile.description.organization_id):
            if other.id != profile.id and other.description.name.casefold() == profile.description.name.casefold():
                message = f"The organization has another profile named '{profile.description.name}'; names are unique."
                raise ServiceError.of([Problem("NameTaken", profile.description.name, message)])

    def _found(self, caller: Caller, profile_id: str) -> Profile:
        profile = self._store.profile(profile_id)
        if profile is None:
            raise not_found(f"There is no profile {profile_id}.")
        self._admit(caller, profile.description.organization_id or "")
        return profile

    def _names(self, organization: str) -> dict[str, str]:
        """Display names; the profile is readable without them, so an organization that is silent does no harm."""
        try:
            entities = self._organization(organization).entities()
        except OutsideError:
            return {}
        return {name: entity.display_name for name, entity in entities.items()}

    def _wire(self, profile: Profile, query: Query, names: Mapping[str, str] | None = None) -> dict[str, Any]:
        statuses = self._store.statuses(profile.id) if query.get("status", "").lower() == "true" else None
        return profile.to_wire(names, statuses)
