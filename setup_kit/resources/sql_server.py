"""The logical server."""

from __future__ import annotations

import secrets
import string
import uuid
from collections.abc import Callable, Iterable
from dataclasses import replace

from setup_kit.azure.clients import AzureClients
from setup_kit.azure.errors import AzureRefusal
from setup_kit.azure.sql_servers import MINIMAL_TLS, EntraAdministrator, Server
from setup_kit.engine.resource import (
    Action,
    Change,
    Finding,
    Node,
    NotReadable,
    Removal,
    Resource,
    Severity,
    Status,
    Value,
)
from setup_kit.environment.models import Environment
from setup_kit.errors import KitError
from setup_kit.resources import tags
from setup_kit.resources.location import audit_location
from setup_kit.resources.ownership import audit_owner, check_made_by_kit, check_owner, not_own, of_another
from setup_kit.resources.resource_group import ResourceGroup
from setup_kit.resources.waiting import elapsed
from setup_kit.secret import Secret

ADMINISTRATOR = "administrator"
PUBLIC_ACCESS = "public network access"

_NAMESPACE = uuid.UUID("0a4b9c76-7f4d-4f0b-8a2c-6d4f7f1f8f0e")


class SqlServer(Resource[Server]):
    """Read even while the resource group is not there, so that a name which somebody else has shows in the plan.

    `password()` is that of the SQL administrator whom the file names; not called where a Microsoft Entra group is the
    administrator, because then nobody ever signs in as the SQL administrator that Azure insists on.
    """

    kind = "sql_server"
    holds_data = True

    def __init__(
        self,
        environment: Environment,
        azure: AzureClients,
        group: ResourceGroup,
        password: Callable[[], Secret],
        *,
        owner: str,
        needs: Iterable[Node] = (),
    ) -> None:
        super().__init__(environment.sql.address, needs=(group, *needs))
        self.reads_after = group.needs  # the group's state is not looked at, nor any registration
        self._environment = environment
        self._azure = azure
        self._password = password
        self._owner = owner
        self._login = environment.sql.administrator.sql_login
        entra = environment.sql.administrator.entra_group
        self._entra = (
            EntraAdministrator(entra.name, str(entra.object_id), str(environment.tenant)) if entra is not None else None
        )

    @property
    def group(self) -> str:
        return self._environment.resource_group

    def read(self) -> Server | None:
        server = self._azure.sql_servers.get(self.group, self.name)
        if server is None:
            self._check_free()
        return server

    def _check_free(self) -> None:
        try:
            problem = self._azure.sql_servers.unavailable(self.name)
        except AzureRefusal as refusal:
            if refusal.is_any("MissingSubscriptionRegistration"):
                raise NotReadable(refusal.why, refusal.remedy) from refusal
            raise
        if problem is not None:
            raise KitError(
                f"No logical server can be called {self.name}",
                why="it is not in this environment's resource group, and elsewhere the name is taken",
                remedy="set another 'sql.server', or 'resource_group' to the one it is in; after an interrupted run,"
                " wait two minutes: its server may still be in the making",
                original=problem,
            )

    def diff(self, observed: Server | None) -> list[Change]:
        if observed is None:
            return [Change(self.address, Action.CREATE, detail=self._detail())]
        self._check_usable(observed)
        changes = tags.change(self.address, observed.tags, self._environment.tags)
        if self._entra is not None and (observed.entra is None or observed.entra.object_id != self._entra.object_id):
            changes.append(self._new_administrator(observed.entra, self._entra))
        if not observed.public_access:
            why = "neither the export service nor this machine reaches the server otherwise; its firewall still decides"
            changes.append(Change(self.address, Action.UPDATE, PUBLIC_ACCESS, "disabled", "enabled", why))
        check_owner(self, observed.tags, self._owner, changes)
        return changes

    def _detail(self) -> dict[str, Value]:
        who = f"Microsoft Entra group {self._entra.name}" if self._entra else f"SQL login {self._login}"
        return {
            "location": self._environment.location,
            "administrator": who,
            "minimal TLS": MINIMAL_TLS,
            PUBLIC_ACCESS: "enabled",
            "tags": tags.of_new(self._environment, self._owner),
        }

    def _new_administrator(self, before: EntraAdministrator | None, after: EntraAdministrator) -> Change:
        why = "the environment file names this group"
        if before is not None:
            why += f"; {before.name} loses its rights on the server"
        return Change(
            self.address,
            Action.UPDATE,
            ADMINISTRATOR,
            before=f"{before.name} ({before.object_id})" if before else None,
            after=f"{after.name} ({after.object_id})",
            why=why,
            destructive=before is not None,
        )

    def _check_usable(self, observed: Server) -> None:
        if observed.entra_only:
            raise KitError(
                f"The logical server {self.name} takes Microsoft Entra sign-ins only",
                why="the export user signs in with a name and a password, which such a server refuses",
                remedy="allow both: az sql server ad-only-auth disable"
                f" --resource-group {self.group} --name {self.name}; or set another 'sql.server'",
            )
        if self._login is not None and observed.login.lower() != self._login.lower():
            raise KitError(
                f"The administrator of the logical server {self.name} is the SQL login {observed.login}",
                why=f"the environment file says {self._login}, and a server keeps the name of its administrator",
                remedy=f"set 'sql.administrator.sql_login' to {observed.login}",
            )

    def severity(self, change: Change) -> Severity:
        return Severity.LOW if change.target == tags.TARGET else Severity.HIGH

    def evidence(self, observed: Server) -> str:
        who = observed.entra.name if observed.entra else observed.login
        tls = observed.minimal_tls or "of any version"
        return f"{observed.fqdn}, in {observed.location}, TLS {tls}, administrator {who}"

    def apply(self, change: Change) -> Server:
        servers = self._azure.sql_servers
        if change.action is Action.CREATE or self.observed is None:
            return self._create()
        if change.target == tags.TARGET:
            wanted = tags.merged(self.observed.tags, self._environment.tags)
            servers.update(self.group, self.name, tags=wanted, elapsed=elapsed(self, change.target))
            return replace(self.observed, tags=wanted)
        if change.target == ADMINISTRATOR and self._entra is not None:
            servers.set_entra_administrator(self.group, self.name, self._entra, elapsed(self, change.target))
            return replace(self.observed, entra=self._entra)
        if change.target == PUBLIC_ACCESS:
            servers.update(self.group, self.name, public_access=True, elapsed=elapsed(self, change.target))
            return replace(self.observed, public_access=True)
        raise ValueError(f"{self.address} has no part {change.target!r}")

    def _create(self) -> Server:
        return self._azure.sql_servers.create(
            self.group,
            self.name,
            location=self._environment.location,
            login=self._login or self._unused_login(),
            password=self._password() if self._login else unused_password(),
            entra=self._entra,
            tags=tags.of_new(self._environment, self._owner),
            elapsed=elapsed(self, "creating"),
        )

    def _unused_login(self) -> str:
        """The same each time, because a repeated request must not give a server's administrator another name."""
        name = f"{self._environment.subscription}/{self.group}/{self.name}".lower()
        return f"unused{uuid.uuid5(_NAMESPACE, name).hex[:12]}"

    def audit(self, observed: Server) -> list[Finding]:
        findings = []
        if observed.minimal_tls not in (MINIMAL_TLS, "1.3"):
            findings.append(
                Finding(
                    "sql_server.minimal_tls",
                    Status.WARNING,
                    self.address,
                    f"the server takes connections with TLS {observed.minimal_tls or 'of any version'}",
                    f"az sql server update --resource-group {self.group} --name {self.name} --minimal-tls-version 1.2",
                    f"minimalTlsVersion: {observed.minimal_tls or 'none'}; wanted: {MINIMAL_TLS} or later",
                )
            )
        findings += audit_location(self, observed.location, self._environment.location)
        findings += audit_owner(self, observed.tags, self._owner)
        return findings

    @property
    def own(self) -> bool:
        return self.observed is not None and not not_own(self.observed.tags, self._owner)

    @property
    def of_another(self) -> bool:
        return self.observed is not None and of_another(self.observed.tags, self._owner)

    def find(self) -> Server | None:
        return self._azure.sql_servers.get(self.group, self.name)

    def removal(self, observed: Server) -> Removal:
        kept = not_own(observed.tags, self._owner)
        if kept:
            return Removal(kept=kept)
        databases = self._azure.databases.list(self.group, self.name)
        foreign = sorted(each.name for each in databases if not_own(each.tags, self._owner))
        if foreign:
            return Removal(kept=f"there is more on it: {', '.join(foreign)}")
        return Removal((self.deletion("with everything on it"),))

    def delete(self, observed: Server) -> None:
        check_made_by_kit(self, observed.tags)
        self._azure.sql_servers.delete(self.group, self.name, elapsed(self, "deleting"))


def unused_password() -> Secret:
    """For an administrator as whom nobody will sign in: it is sent once and kept nowhere."""
    letters = string.ascii_letters + string.digits
    return Secret("Aa1-" + "".join(secrets.choice(letters) for _ in range(48)))
