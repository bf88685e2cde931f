"""Finds what there is of an environment that no file describes: made by hand, by other tools, or by a lost file.

One thing leads to the next: the organization's profile names the secret, the secret's connection string the server, the
database and the user.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar
from urllib.parse import urlsplit

from setup_kit.azure.clients import AzureClients
from setup_kit.azure.databases import Database
from setup_kit.azure.firewall_rules import Rule
from setup_kit.azure.key_vaults import Vault
from setup_kit.azure.sql_servers import Server
from setup_kit.azure.vault_secrets import VaultSecrets
from setup_kit.clouds import Cloud
from setup_kit.errors import KitError, UsageError
from setup_kit.export_service.client import ExportServiceClient
from setup_kit.export_service.models import Profile, State
from setup_kit.export_service.organization import CurrentOrganization, OrganizationClient
from setup_kit.identity import Identity
from setup_kit.sqlserver.connection import ConnectionString, ConnectionStringError, SqlAddress, parse_ado_net

T = TypeVar("T")

# Asks which of several is meant: what they are, the option that says it, their names.
Choose = Callable[[str, str, Sequence[str]], str]


@dataclass(frozen=True)
class Named:
    """What the person says beforehand; what is empty is found, or asked for."""

    resource_group: str = ""
    server: str = ""
    machine: tuple[str, int] | None = None
    database: str = ""
    vault: str = ""
    secret: str = ""
    profile: str = ""


@dataclass(frozen=True)
class Found:
    """`secret` is a name; `user` the connection string's, empty where it could not be read. `notes` are sentences.

    `server` and `database` are those of Azure SQL Database; with a `machine` there are its host and port.
    """

    organization: CurrentOrganization
    profile: Profile | None
    group: str
    group_tags: Mapping[str, str]
    vault: Vault
    secret: str
    user: str
    server: Server | None
    database: Database | None
    rules: tuple[Rule, ...]
    notes: tuple[str, ...]
    machine: tuple[str, int] | None = None
    on_machine: str = ""  # the database's name there


def discover(
    cloud: Cloud, *, tenant: str, subscription: str, organization_url: str, named: Named, choose: Choose
) -> Found:
    """Looks for all of one organization's environment. Reads only.

    Raises UsageError where something is not there or it is not known which is meant, KitError where it cannot be read.
    """
    identity = Identity(cloud, tenant)
    azure = AzureClients(identity, cloud, subscription)
    organization = OrganizationClient(identity, cloud, organization_url)
    try:
        current = organization.current()
        client = ExportServiceClient(identity, cloud, organization_url=organization_url, organization_id=current.id)
        try:
            return _Discovery(azure, client, named, choose).run(current)
        finally:
            client.close()
    finally:
        organization.close()
        azure.close()


@dataclass
class _Discovery:
    azure: AzureClients
    export_client: ExportServiceClient
    named: Named
    choose: Choose
    notes: list[str] = field(default_factory=list)

    def run(self, organization: CurrentOrganization) -> Found:
        profile = self._profile()
        vault = self._vault(profile)
        secret = self._secret(vault, profile)
        connection = self._connection(vault, secret)
        group = self.azure.resource_groups.get(vault.group)
        server, database, on_machine = None, None, ""
        if self.named.machine is not None:
            on_machine = self._database_on_machine(self.named.machine, connection)
        else:
            server = self._server(vault.group, connection)
            database = self._database(vault.group, server, connection)
        return Found(
            organization=organization,
            profile=profile,
            group=group.name if group is not None else vault.group,
            group_tags=group.tags if group is not None else {},
            vault=vault,
            secret=secret,
            user=(connection.user or "") if connection is not None else "",
            server=server,
            database=database,
            rules=self.azure.firewall_rules.list(vault.group, server.name) if server is not None else (),
            notes=tuple(self.notes),
            machine=self.named.machine,
            on_machine=on_machine,
        )

    def _profile(self) -> Profile | None:
        """None where the organization has none, or the service does not answer."""
        try:
            listed = self.export_client.profiles.listed()
        except KitError as error:
            if self.named.profile:
                raise
            self.notes.append(f"no profile was looked for: {error.what}")
            return None
        there = {each.description.name: each for each in listed if each.state is not State.DELETED}
        if not there and not self.named.profile:
            self.notes.append("the organization has no export profile yet: see what the file says of it")
            return None
        return self._pick("export profile of the organization", "--profile", there, self.named.profile)

    def _vault(self, profile: Profile | None) -> Vault:
        listed = [each for each in self.azure.key_vaults.listed() if self._in_group(each.group)]
        if profile is not None and not self.named.vault:
            origin = _origin(profile.description.key_vault_uri)
            used = [each for each in listed if _origin(each.uri) == origin]
            if used:
                return used[0]
            self.notes.append(f"the profile's key vault, {origin}, is not in this subscription and resource group")
        return self._pick("key vault", "--vault", {each.name: each for each in listed}, self.named.vault)

    def _secret(self, vault: Vault, profile: Profile | None) -> str:
        if self.named.secret:
            return self.named.secret
        if profile is not None and _origin(profile.description.key_vault_uri) == _origin(vault.uri):
            return urlsplit(profile.description.key_vault_uri).path.split("/")[2]
        names = sorted(self._secrets(vault).names())
        return self._pick(f"secret in {vault.name}", "--secret", {name: name for name in names}, "")

    def _connection(self, vault: Vault, secret: str) -> ConnectionString | None:
        """What the secret says but for its password; None where it cannot be read, or is no connection string."""
        try:
            stored = self._secrets(vault).get(secret)
            if stored is not None and stored.kept_out is not None:
                self.notes.append(f"what the secret {secret} says is not known: {stored.kept_out.why}")
                return None
            if stored is not None and stored.value is not None:
                return parse_ado_net(stored.value)
            self.notes.append(f"the secret {secret} is {'disabled' if stored else 'not there'}: apply will mend it")
        except KitError as error:
            self.notes.append(f"the secret {secret} could not be read: {error.why or error.what}")
        except ConnectionStringError as error:
            self.notes.append(f"the secret {secret} is of no use as it is: {error}; apply will write it anew")
        return None

    def _secrets(self, vault: Vault) -> VaultSecrets:
        return self.azure.vault_secrets(vault.id, vault.uri, restricted=not vault.network.open)

    def _server(self, group: str, connection: ConnectionString | None) -> Server:
        located = [each for each in self.azure.sql_servers.listed() if self._in_group(each.group)]
        if connection is not None and not self.named.server:
            named = [each for each in located if SqlAddress.parse(each.server.fqdn) == connection.address]
            if not named:
                where = connection.address
                self.notes.append(
                    f"the secret's server, {where.host}, is not in this subscription; if it is SQL Server on a virtual"
                    f" machine, import it with --machine {where.host},{where.port}"
                )
            located = named or located
        found = self._pick("logical server", "--server", {each.name: each for each in located}, self.named.server)
        if found.group.lower() != group.lower():
            raise UsageError(
                f"the server {found.name} is in the resource group {found.group}, the key vault in {group}",
                why="an environment has its server and its vault in one resource group",
                remedy="move one of them to the other's group (az resource move), or name others: --server, --vault",
            )
        # The list does not tell the Microsoft Entra administrator.
        server = self.azure.sql_servers.get(group, found.name)
        return server if server is not None else found.server

    def _database_on_machine(self, machine: tuple[str, int], connection: ConnectionString | None) -> str:
        """The name that was given, or the secret's where its server is this machine."""
        if self.named.database:
            return self.named.database
        if connection is not None and (connection.address.host.lower(), connection.address.port) == machine:
            return connection.database
        raise UsageError(
            f"the name of the database on {machine[0]} is not known",
            why="the secret does not lead to this machine, or could not be read",
            remedy="say which one: --database NAME",
        )

    def _database(self, group: str, server: Server, connection: ConnectionString | None) -> Database:
        there = {each.name: each for each in self.azure.databases.list(group, server.name)}
        said = connection.database if connection is not None and connection.database in there else ""
        return self._pick(f"database of {server.name}", "--database", there, self.named.database or said)

    def _in_group(self, group: str) -> bool:
        return not self.named.resource_group or group.lower() == self.named.resource_group.lower()

    def _pick(self, what: str, option: str, there: Mapping[str, T], named: str) -> T:
        by_case = {name.lower(): name for name in there}
        if named:
            if named.lower() not in by_case:
                raise UsageError(f"there is no {what} named {named!r}", why=_listed(there), remedy=f"see {option}")
            return there[by_case[named.lower()]]
        if not there:
            where = f" in the resource group {self.named.resource_group}" if self.named.resource_group else ""
            raise UsageError(
                f"no {what} was found{where}",
                why="there is none, or you may not see it",
                remedy="see --subscription and --resource-group; an environment that is to be made starts with"
                " setup-kit init",
            )
        if len(there) == 1:
            return next(iter(there.values()))
        return there[self.choose(what, option, sorted(there))]


def _origin(uri: str) -> tuple[str, int]:
    parts = urlsplit(uri)
    return (parts.hostname or "").lower(), parts.port or 443


def _listed(there: Iterable[str]) -> str:
    names = ", ".join(sorted(there))
    return f"there are: {names}" if names else "there is none that you may see"
