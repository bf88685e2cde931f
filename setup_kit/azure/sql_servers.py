"""Logical servers of Azure SQL Database, their names and their Microsoft Entra administrators."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeVar

from setup_kit.azure.errors import AzureRefusal, translating
from setup_kit.azure.patience import Patience, busy
from setup_kit.azure.pipeline import REPEATABLE
from setup_kit.azure.polling import Elapsed, finish, quiet
from setup_kit.azure.words import group_of, plain
from setup_kit.secret import Secret

if TYPE_CHECKING:
    from azure.mgmt.sql import SqlManagementClient, models

T = TypeVar("T")

logger = logging.getLogger(__name__)

MINIMAL_TLS = "1.2"


@dataclass(frozen=True)
class EntraAdministrator:
    """The name and object id of a user, group or application in the tenant."""

    name: str
    object_id: str
    tenant_id: str


@dataclass(frozen=True)
class Server:
    """`fqdn` is where it listens. `login` is the SQL administrator's, which every server was made with."""

    name: str
    fqdn: str
    location: str
    login: str = ""
    entra: EntraAdministrator | None = None
    entra_only: bool = False
    minimal_tls: str = ""
    public_access: bool = True
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Located:
    """A server and the resource group it is in."""

    name: str
    group: str
    server: Server


class SqlServers:
    def __init__(self, client: SqlManagementClient, patience: Patience) -> None:
        self._patience = patience
        self._client = client

    def get(self, group: str, name: str) -> Server | None:
        try:
            with translating(f"Reading the logical server {name} failed"):
                return _server(self._client.servers.get(group, name, expand="administrators/activedirectory"))
        except AzureRefusal as refusal:
            if refusal.not_found and refusal.is_any("ResourceNotFound", "ResourceGroupNotFound"):
                return None
            raise

    def listed(self) -> tuple[Located, ...]:
        """All of the subscription that the caller may see, without their Microsoft Entra administrators."""
        with translating("Listing the logical servers failed"):
            found = list(self._client.servers.list())
        return tuple(Located(str(each.name), group_of(each.id or ""), _server(each)) for each in found)

    def unavailable(self, name: str) -> str | None:
        """Azure's own sentence why no server of this name can be made.

        None when one can, and for who may not ask: it takes a role in the subscription, not in a resource group alone.
        """
        from azure.mgmt.sql import models

        # The type is filled in by the model; the service knows only this one here.
        request = models.CheckNameAvailabilityRequest(name=name, type="Microsoft.Sql/servers")
        try:
            with translating(f"Asking whether the server name {name} is free failed"):
                answer = self._client.servers.check_name_availability(request, **REPEATABLE)
        except AzureRefusal as refusal:
            if not refusal.is_any("AuthorizationFailed"):
                raise
            logger.info("not known whether the server name %s is free: %s", name, refusal.original)
            return None
        if answer.available:
            return None
        return answer.message or f"the name is not available ({plain(answer.reason)})"

    def create(
        self,
        group: str,
        name: str,
        *,
        location: str,
        login: str,
        password: Secret,
        entra: EntraAdministrator | None,
        tags: Mapping[str, str],
        elapsed: Elapsed = quiet,
    ) -> Server:
        """Makes the server, with a SQL administrator (Azure insists) and maybe one of Microsoft Entra's."""
        from azure.mgmt.sql import models

        external = None
        if entra is not None:
            external = models.ServerExternalAdministrator(
                administrator_type="ActiveDirectory",
                login=entra.name,
                sid=entra.object_id,
                tenant_id=entra.tenant_id,
                azure_ad_only_authentication=False,
            )
        properties = models.ServerProperties(
            administrator_login=login,
            administrator_login_password=password.reveal(),
            administrators=external,
            minimal_tls_version=MINIMAL_TLS,
            public_network_access="Enabled",
            version="12.0",
        )
        body = models.Server(location=location, tags=dict(tags), properties=properties)
        made = self._finish(
            f"Creating the logical server {name} failed",
            lambda: finish(self._client.servers.begin_create_or_update(group, name, body), elapsed),
        )
        # Who its Entra administrator is stands in an answer only where that was asked for.
        return replace(_server(made), entra=entra)

    def update(
        self,
        group: str,
        name: str,
        *,
        tags: Mapping[str, str] | None = None,
        public_access: bool | None = None,
        elapsed: Elapsed = quiet,
    ) -> None:
        """Changes what is given and nothing else; `tags` are replaced as a whole."""
        from azure.mgmt.sql import models

        body = models.ServerUpdate()
        if tags is not None:
            body.tags = dict(tags)
        if public_access is not None:
            access = "Enabled" if public_access else "Disabled"
            body.properties = models.ServerProperties(public_network_access=access)
        self._finish(
            f"Changing the logical server {name} failed",
            lambda: finish(self._client.servers.begin_update(group, name, body), elapsed),
        )

    def set_entra_administrator(
        self, group: str, name: str, entra: EntraAdministrator, elapsed: Elapsed = quiet
    ) -> None:
        from azure.mgmt.sql import models

        properties = models.AdministratorProperties(
            administrator_type="ActiveDirectory", login=entra.name, sid=entra.object_id, tenant_id=entra.tenant_id
        )
        body = models.ServerAzureADAdministrator(properties=properties)
        administrators = self._client.server_azure_ad_administrators
        self._finish(
            f"Setting the Microsoft Entra administrator of {name} failed",
            lambda: finish(administrators.begin_create_or_update(group, name, "ActiveDirectory", body), elapsed),
        )

    def delete(self, group: str, name: str, elapsed: Elapsed = quiet) -> None:
        """Removes the server with its databases."""
        self._finish(
            f"Deleting the logical server {name} failed",
            lambda: finish(self._client.servers.begin_delete(group, name), elapsed),
        )

    def _finish(self, what: str, operate: Callable[[], T]) -> T:
        def attempt() -> T:
            with translating(what):
                return operate()

        return self._patience.out(attempt, busy)


def _server(server: models.Server) -> Server:
    properties = server.properties
    entra = None
    entra_only = False
    external = properties.administrators if properties else None
    if external is not None and external.sid:
        entra = EntraAdministrator(
            external.login or "", str(external.sid).lower(), str(external.tenant_id or "").lower()
        )
        entra_only = bool(external.azure_ad_only_authentication)
    return Server(
        name=str(server.name),
        fqdn=(properties.fully_qualified_domain_name if properties else None) or "",
        location=server.location,
        login=(properties.administrator_login if properties else None) or "",
        entra=entra,
        entra_only=entra_only,
        minimal_tls=plain(properties.minimal_tls_version if properties else None),
        public_access=(plain(properties.public_network_access if properties else None) or "Enabled") == "Enabled",
        tags=dict(server.tags or {}),
    )
