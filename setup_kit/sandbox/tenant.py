"""Who there is in the sandbox's tenant: applications, service principals, groups. All of it lives in the state."""

from __future__ import annotations

import hmac
import secrets
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

from setup_kit.sandbox.state import Document, State

SERVICE_APP_ID = "b861dbcc-a7ef-4219-a005-0e4de4ea7dcf"
SERVICE_NAME = "Data Export Service for Microsoft Dynamics 365"
SERVICE_AUDIENCE = "https://dataexportserviceformicrosoftdynamics365.com/"
ADMINISTRATOR_NAME = "setup-kit sandbox administrator"
SQL_ADMINISTRATORS = "SQL Administrators"

RESOURCE_MANAGER_AUDIENCE = "https://management.azure.com/"
GRAPH_AUDIENCE = "https://graph.microsoft.com"
VAULT_AUDIENCE = "https://vault.azure.net"
SQL_AUDIENCE = "https://database.windows.net/"

# Directory roles: the one may read Graph, the other may write too.
READERS = "Directory Readers"
APPLICATION_ADMINISTRATOR = "Application Administrator"

# Document kinds. An application is registered by its owner; a service principal is its presence in this tenant.
APPLICATIONS = "applications"  # key: application id; display_name, secret, audiences
PRINCIPALS = "service-principals"  # key: object id; app_id, display_name, roles (of the directory)
GROUPS = "groups"  # key: object id; display_name, members (object ids)


@dataclass(frozen=True)
class Principal:
    object_id: str
    app_id: str
    name: str
    roles: tuple[str, ...] = ()


class Tenant:
    """One Entra tenant, read afresh from the state on every question."""

    def __init__(self, state: State, tenant_id: str) -> None:
        self._state = state
        self.id = tenant_id

    def add_application(self, app_id: str, name: str, audiences: tuple[str, ...] = ()) -> str:
        """Register an application (no principal yet) and return its new client secret; a known one keeps its own."""
        known = self.application(app_id)
        if known is not None:
            return str(known["secret"])
        secret = secrets.token_urlsafe(30)
        self._state.put(
            APPLICATIONS, app_id.lower(), {"display_name": name, "secret": secret, "audiences": list(audiences)}
        )
        return secret

    def application(self, app_id: str) -> Document | None:
        return self._state.get(APPLICATIONS, app_id.lower())

    def has_secret(self, app_id: str, secret: str) -> bool:
        application = self.application(app_id)
        expected = str(application["secret"]) if application else ""
        return hmac.compare_digest(expected.encode(), secret.encode()) and bool(expected)

    def add_principal(self, app_id: str, name: str, roles: tuple[str, ...] = ()) -> Principal:
        """Make the application's service principal in this tenant; one that is there already is returned.

        `roles` are directory roles, see READERS and APPLICATION_ADMINISTRATOR.
        """
        known = self.principal_of(app_id)
        if known is not None:
            return known
        principal = Principal(str(uuid.uuid4()), app_id.lower(), name, roles)
        body = {"app_id": principal.app_id, "display_name": name, "roles": list(roles)}
        self._state.put(PRINCIPALS, principal.object_id, body)
        return principal

    def principals(self) -> Iterator[Principal]:
        for object_id, body in self._state.list(PRINCIPALS):
            yield _principal(object_id, body)

    def principal(self, object_id: str) -> Principal | None:
        body = self._state.get(PRINCIPALS, object_id.lower())
        return None if body is None else _principal(object_id.lower(), body)

    def principal_of(self, app_id: str) -> Principal | None:
        return next((each for each in self.principals() if each.app_id == app_id.lower()), None)

    def remove_principal(self, app_id: str) -> None:
        principal = self.principal_of(app_id)
        if principal is not None:
            self._state.delete(PRINCIPALS, principal.object_id)

    def add_group(self, name: str, members: list[str]) -> str:
        """Make a group of principals' object ids and return its object id."""
        object_id = str(uuid.uuid4())
        self._state.put(GROUPS, object_id, {"display_name": name, "members": members})
        return object_id

    def groups(self) -> list[tuple[str, Document]]:
        return self._state.list(GROUPS)

    def group(self, object_id: str) -> Document | None:
        return self._state.get(GROUPS, object_id.lower())

    def groups_of(self, object_id: str) -> frozenset[str]:
        return frozenset(group for group, body in self.groups() if object_id in body["members"])

    def kind_of(self, object_id: str) -> str | None:
        """`ServicePrincipal`, `Group`, or None for an object id that nobody here has."""
        if self.principal(object_id) is not None:
            return "ServicePrincipal"
        return "Group" if self.group(object_id) is not None else None


def _principal(object_id: str, body: Document) -> Principal:
    return Principal(object_id, body["app_id"], body["display_name"], tuple(body.get("roles", ())))
