"""The secret that holds the connection string, and with it the one place where the export user's password is kept.

It is written before the login is made: however a run ends, the password that counts is the vault's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from setup_kit.azure.clients import AzureClients
from setup_kit.azure.errors import AzureRefusal
from setup_kit.azure.patience import PERMISSION
from setup_kit.azure.secrets import MAXIMUM_TAGS, NO_PERMISSION, Secrets, StoredSecret, Version
from setup_kit.engine.resource import Action, Change, Finding, Node, NotReadable, Removal, Resource, Value
from setup_kit.environment import export_names
from setup_kit.environment.models import Environment
from setup_kit.errors import KitError
from setup_kit.resources import tags
from setup_kit.resources.ownership import not_own
from setup_kit.resources.password import make_password
from setup_kit.resources.secret_audit import audit_end, audit_organizations
from setup_kit.resources.sql_server import SqlServer
from setup_kit.resources.vault import Vault
from setup_kit.resources.vault_access import OperatorVaultAccess
from setup_kit.resources.waiting import patience
from setup_kit.secret import Secret
from setup_kit.sqlserver.connection import ConnectionStringError, SqlAddress, parse_ado_net, to_ado_net

CONTENT_TYPE = "ADO.NET connection string"

ENABLED = "enabled"
EXPIRY = "expiry"
NOT_BEFORE = "not before"
PURGE = "purge"
VALUE = "connection string"
VERSION = "version"
SERVER, DATABASE, USER = "server", "database", "user"

# The tag that says how far a rotation is: the other user is being made, or has been replaced and is left over.
# Whoever comes after a killed run knows by it that the user of the other name is the kit's, and may go.
ROTATION = "setup-kit-rotation"
PREPARING, RETIRING = "preparing", "retiring"

# A permission that a run gave before it was killed may not hold yet; a plan does not wait for it as long as `apply`.
PLAN_PATIENCE = 60.0


@dataclass(frozen=True)
class SecretState:
    """What the secret says. `value` is None where it is disabled or deleted, `password` also where it holds none.

    `created`: when this version was written, None where the vault does not tell.
    `server`, `database` and `user` are the connection string's; None and empty where it is none, as `problem` says.
    With `recoverable` it is a deleted one that can be recovered.
    """

    uri_without_version: str
    value: Secret | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    enabled: bool = True
    not_before: datetime | None = None
    expires_on: datetime | None = None
    created: datetime | None = None
    password: Secret | None = None
    user: str = ""
    database: str = ""
    server: SqlAddress | None = None
    problem: str = ""
    recoverable: bool = False


class ConnectionSecret(Resource[SecretState]):
    kind = "secret"

    def __init__(
        self,
        environment: Environment,
        azure: AzureClients,
        vault: Vault,
        operator_access: OperatorVaultAccess,
        server: SqlServer,
        *,
        owner: str,
        needs: Iterable[Node] = (),
    ) -> None:
        super().__init__(environment.key_vault.secret, within=vault, needs=(operator_access, server, *needs))
        # Whoever may not read it is told so by the vault.
        self.reads_after = (vault, server)
        self._azure = azure
        self._vault = vault
        self._access = operator_access
        self._server = server
        self._owner = owner
        self._database = environment.sql.database.name
        self._name = environment.sql.export_user.name
        # One tag for each organization that may use the secret: its id, and the tenant it is in.
        self._tag = {str(environment.dynamics.organization_id): str(environment.tenant)}
        self._patience = PLAN_PATIENCE
        self.purge = False  # whether a removal deletes it for good
        # Whether a new version is wanted although nothing is wrong with the newest one.
        self.renew = False

    def read(self) -> SecretState | None:
        vault = self._vault.observed
        if vault is None or vault.soft_deleted or not vault.ready:
            raise NotReadable(f"the key vault {self._vault.name} does not answer yet")
        secrets = self._azure.secrets(vault.uri)

        def bound(refusal: AzureRefusal) -> float:
            return self._patience if refusal.is_any(*NO_PERMISSION) and self._access.granted else 0.0

        try:
            stored = self._azure.patience.out(
                lambda: secrets.get(self.name), bound, patience(self, "waiting for the permission to hold")
            )
        except AzureRefusal as refusal:
            if not refusal.is_any(*NO_PERMISSION):
                raise
            if self._access.granted:
                self._patience = PERMISSION
            raise NotReadable(f"you may not read the secret {self.name} yet", refusal.remedy) from refusal
        if stored is not None:
            return _state(stored)
        deleted = secrets.deleted(self.name)
        if deleted is None:
            return None
        return SecretState(secrets.uri(self.name), tags=deleted.tags, enabled=False, recoverable=True)

    def diff(self, observed: SecretState | None) -> list[Change]:
        if observed is None or observed.recoverable:
            return [self._creation(observed)]
        if not observed.enabled:
            why = "the service cannot read a disabled secret"
            return [Change(self.address, Action.UPDATE, ENABLED, False, True, why)]
        changes = self._value_changes(observed)
        now = datetime.now(UTC)
        version = "a new version with the password of this one" if observed.password else "a new version"
        if observed.expires_on is not None and observed.expires_on <= now:
            why = f"the service refuses an expired secret; {version} is written"
            changes.append(Change(self.address, Action.UPDATE, EXPIRY, f"{observed.expires_on:%Y-%m-%d}", "never", why))
        if observed.not_before is not None and observed.not_before > now:
            why = f"the service refuses the secret until then; {version} is written"
            before = f"{observed.not_before:%Y-%m-%d}"
            changes.append(Change(self.address, Action.UPDATE, NOT_BEFORE, before, "now", why))
        for name, value in tags.differing(observed.tags, self._tag).items():
            why = "names an organization that may use the secret, and its tenant"
            changes.append(Change(self.address, Action.UPDATE, f"tag {name}", observed.tags.get(name), value, why))
        if self.renew and all(change.target.startswith("tag ") for change in changes):
            why = "it was asked for; the password stays"
            changes.insert(0, Change(self.address, Action.UPDATE, VERSION, "the newest", "a new one", why))
        return changes

    def _creation(self, deleted: SecretState | None) -> Change:
        detail: dict[str, Value] = {DATABASE: self._database, USER: self._name, "tags": dict(self._tag)}
        if deleted is None:
            why = "keeps the connection string; the password is made now and is kept nowhere else"
            return Change(self.address, Action.CREATE, why=why, detail=detail)
        why = "the secret was deleted and still holds its name; it is recovered, and its password kept"
        return Change(self.address, Action.CREATE, before="deleted", after="recovered", why=why, detail=detail)

    def _value_changes(self, observed: SecretState) -> list[Change]:
        if observed.problem or observed.password is None:
            why = f"{observed.problem or 'the connection string holds no password'}; a new password is made"
            after = "a new connection string with a new password"
            return [Change(self.address, Action.UPDATE, VALUE, observed.value, after, why)]
        wanted = self._wanted_server()
        differences: list[tuple[str, Value, Value]] = []
        if wanted is not None and observed.server != wanted:
            differences.append((SERVER, str(observed.server), str(wanted)))
        if observed.database != self._database:
            differences.append((DATABASE, observed.database, self._database))
        if observed.user != self._user(observed):
            differences.append((USER, observed.user, self._user(observed)))
        why = "the connection string leads elsewhere; the password stays"
        return [
            Change(self.address, Action.UPDATE, target, before, after, why) for target, before, after in differences
        ]

    def _user(self, observed: SecretState | None) -> str:
        """The one of the export user's two names that the secret holds; the file's where it holds neither."""
        return export_names.current(self._name, None if observed is None else observed.user)

    def _wanted_server(self) -> SqlAddress | None:
        """None while the server is not there: its address is known when it is."""
        server = self._server.observed
        return SqlAddress.parse(server.fqdn) if server is not None else None

    def apply(self, change: Change) -> SecretState | None:
        secrets = self._secrets()
        if change.target == PURGE:
            secrets.purge(self.name)
            return None
        observed = self.observed
        if observed is None:
            return self._create(secrets)
        if observed.recoverable:
            return self._recover(secrets)
        if change not in self.diff(observed):
            # One write mends all that is wrong.
            return observed
        if not observed.enabled:
            secrets.update(self.name, enabled=True)
            return self._mend(secrets, self._reread(secrets))
        return self._mend(secrets, observed)

    def _create(self, secrets: Secrets) -> SecretState:
        try:
            return self._write(secrets, self._name, make_password(self._name), {tags.OWNER: self._owner, **self._tag})
        except AzureRefusal as refusal:
            if not refusal.is_any("ObjectIsDeletedButRecoverable"):
                raise
        return self._recover(secrets)

    def _recover(self, secrets: Secrets) -> SecretState:
        try:
            secrets.recover(self.name)
        except AzureRefusal as refusal:
            if not refusal.is_any(*NO_PERMISSION):
                raise
            raise self._not_allowed("recover", refusal) from refusal
        recovered = self._reread(secrets)
        if not recovered.enabled:
            secrets.update(self.name, enabled=True)
            recovered = self._reread(secrets)
        return self._mend(secrets, recovered)

    def _mend(self, secrets: Secrets, observed: SecretState) -> SecretState:
        """Makes the secret what it should be: by its tags alone where the value is right, else by a new version."""
        targets = {change.target for change in self.diff(observed)}
        if not targets:
            return observed
        merged = tags.merged(observed.tags, self._tag)
        if len(merged) > MAXIMUM_TAGS:
            raise KitError(
                f"The secret {self.name} cannot get the tag that allows the organization",
                why=f"it has {len(observed.tags)} tags already, and {MAXIMUM_TAGS} are the most",
                remedy="remove the tags of organizations that are gone, or name another secret in 'key_vault.secret'",
            )
        if all(target.startswith("tag ") for target in targets):
            updated = secrets.update(self.name, tags=merged)
            return replace(observed, tags=updated.tags)
        user = self._user(observed)
        return self._write(secrets, user, observed.password or make_password(user), merged)

    def connection_string(self, user: str, password: Secret) -> Secret:
        """What the secret holds for a user. Raises KitError while the server's address is not known."""
        server = self._wanted_server()
        if server is None:
            raise KitError(
                f"The logical server {self._server.name} is not there, so its address is not known",
                remedy="run: setup-kit apply",
            )
        return to_ado_net(server, self._database, user, password)

    def switch(self, user: str, password: Secret) -> SecretState:
        """Writes a new version for another user, marked so that the one before is known to be left over."""
        wanted = self._marked(RETIRING)
        self.observed = self._write(self._secrets(), user, password, wanted)
        return self.observed

    def mark(self, phase: str | None) -> None:
        """Notes on the newest version how far a rotation is; None when there is nothing left of it."""
        wanted = self._marked(phase)
        self._secrets().update(self.name, tags=wanted)
        if self.observed is not None:
            self.observed = replace(self.observed, tags=wanted)

    def _marked(self, phase: str | None) -> dict[str, str]:
        before = {} if self.observed is None else self.observed.tags
        marked = {name: value for name, value in before.items() if name != ROTATION}
        if phase is not None:
            marked[ROTATION] = phase
        if len(marked) > MAXIMUM_TAGS:
            raise KitError(
                f"The secret {self.name} cannot get the tag that marks a rotation",
                why=f"it has {len(before)} tags already, and {MAXIMUM_TAGS} are the most",
                remedy="remove the tags of organizations that are gone",
            )
        return marked

    def _write(self, secrets: Secrets, user: str, password: Secret, wanted: Mapping[str, str]) -> SecretState:
        value = self.connection_string(user, password)
        self.renew = False
        return _state(secrets.set(self.name, value, wanted, CONTENT_TYPE))

    def _reread(self, secrets: Secrets) -> SecretState:
        stored = secrets.get(self.name)
        if stored is None:
            raise KitError(
                f"The secret {self.name} went away while it was worked on", remedy="run the same command again"
            )
        return _state(stored)

    def _secrets(self) -> Secrets:
        vault = self._vault.observed
        if vault is None:
            raise KitError(f"The key vault {self._vault.name} is not there", remedy="run: setup-kit apply")
        return self._azure.secrets(vault.uri)

    def evidence(self, observed: SecretState) -> str:
        """The address, state, tags and end; never the value."""
        end = f"expires {observed.expires_on:%Y-%m-%d}" if observed.expires_on else "never expires"
        allowed = ", ".join(f"{name} → {value}" for name, value in observed.tags.items() if name in self._tag)
        return f"{observed.uri_without_version}; {'enabled' if observed.enabled else 'disabled'}; {end}; tag {allowed}"

    def versions(self) -> list[Version]:
        """The versions there are, the newest first. Raises KitError where there is no vault."""
        return self._secrets().versions(self.name)

    def audit(self, observed: SecretState) -> list[Finding]:
        attributes = ["az", "keyvault", "secret", "set-attributes", "--vault-name", self._vault.name, "-n", self.name]
        end = audit_end(self, observed.expires_on, attributes)
        return [*end, *audit_organizations(self, observed.tags, self._tag, attributes)]

    def lives(self, observed: SecretState) -> bool:
        return not observed.recoverable

    def removal(self, observed: SecretState) -> Removal:
        hidden = not observed.enabled and not observed.recoverable
        kept = "it is disabled, and tells nobody who made it" if hidden else not_own(observed.tags, self._owner)
        if kept:
            return Removal(kept=kept)
        purge = self.deletion("for good", PURGE)
        if observed.recoverable and not self.purge:
            return Removal(kept="is deleted, and can be recovered")
        deletion = () if observed.recoverable else (self.deletion("it can be recovered, which apply does"),)
        return Removal((*deletion, purge) if self.purge else deletion)

    def delete(self, observed: SecretState) -> None:
        """Deletes the secret, which stays recoverable."""
        try:
            self._secrets().delete(self.name)
        except AzureRefusal as refusal:
            if not refusal.is_any(*NO_PERMISSION):
                raise
            raise self._not_allowed("delete", refusal) from refusal

    def _not_allowed(self, verb: str, refusal: AzureRefusal) -> KitError:
        return KitError(
            f"You may not {verb} the secret {self.name}",
            why=f"it needs the secret permission {verb}, which setup-kit does not give itself",
            remedy="have somebody who holds it run:"
            f" az keyvault secret {verb} --vault-name {self._vault.name} --name {self.name}",
            original=refusal.original,
        )


def _state(stored: StoredSecret) -> SecretState:
    state = SecretState(
        uri_without_version=stored.uri,
        value=stored.value,
        tags=stored.tags,
        enabled=stored.enabled,
        not_before=stored.not_before,
        expires_on=stored.expires_on,
        created=stored.created,
    )
    if stored.value is None:
        return state
    try:
        given = parse_ado_net(stored.value)
    except ConnectionStringError as error:
        return replace(state, problem=str(error))
    return replace(state, password=given.password, user=given.user or "", database=given.database, server=given.address)
