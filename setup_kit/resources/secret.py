"""The secret that holds the connection string, and with it the one place where the export user's password is kept.

It is written before the login is made: however a run ends, the password that counts is the vault's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime

from setup_kit.azure.clients import AzureClients
from setup_kit.azure.errors import AzureRefusal
from setup_kit.azure.patience import PERMISSION
from setup_kit.azure.secrets import NO_PERMISSION, Version
from setup_kit.azure.vault_secrets import VaultSecrets
from setup_kit.engine.resource import Change, Finding, Node, NotReadable, Removal, Resource
from setup_kit.environment.models import Environment
from setup_kit.errors import KitError
from setup_kit.resources import tags
from setup_kit.resources.operator_vault_access import OperatorVaultAccess
from setup_kit.resources.ownership import not_own, of_another
from setup_kit.resources.password import make_password
from setup_kit.resources.secret_audit import audit_end, audit_organizations, unread
from setup_kit.resources.secret_changes import EXPIRY, FAR, NOT_BEFORE, Wanted
from setup_kit.resources.secret_refusals import kept_in, lies_deleted, lying, not_allowed, not_listed
from setup_kit.resources.secret_state import (
    NAMED,
    RETIRING,
    SecretState,
    as_written,
    check_room,
    marked,
    naming,
    state_of,
)
from setup_kit.resources.sql_machine import SqlMachine
from setup_kit.resources.sql_server import SqlServer
from setup_kit.resources.vault import Vault
from setup_kit.resources.waiting import patience
from setup_kit.secret import Secret
from setup_kit.sqlserver.connection import SqlAddress, to_ado_net

CONTENT_TYPE = "ADO.NET connection string"

PURGE = "purge"

# A permission that a run gave before it was killed may not hold yet; a plan does not wait for it as long as `apply`.
PLAN_PATIENCE = 60.0


class ConnectionSecret(Resource[SecretState]):
    kind = "secret"

    def __init__(
        self,
        environment: Environment,
        azure: AzureClients,
        vault: Vault,
        operator_access: OperatorVaultAccess,
        server: SqlServer | SqlMachine,
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
        # The version that this run wrote last: what it holds is known though the vault may not tell it.
        self._written: SecretState | None = None

    def check_answers(self) -> None:
        """Raises NotReadable while there is a vault that does not answer yet."""
        vault = self._vault.observed
        if vault is not None and (vault.soft_deleted or not vault.ready):
            raise NotReadable(f"the key vault {self._vault.name} does not answer yet")

    def read(self) -> SecretState | None:
        self.check_answers()
        secrets = self._secrets()

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
            return as_written(state_of(stored), self._written)
        deleted = secrets.deleted(self.name)
        if deleted is None:
            return None
        return SecretState(deleted.uri, tags=deleted.tags, enabled=False, recoverable=True)

    def diff(self, observed: SecretState | None) -> list[Change]:
        if observed is None or observed.recoverable:
            return [self._wanted.creation(observed)]
        return self._wanted.changes(observed, renew=self.renew)

    @property
    def _wanted(self) -> Wanted:
        return Wanted(self.address, self._name, self._database, self._wanted_server(), self._tag)

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
        if change.target not in {each.target for each in self.diff(observed)}:
            # One write mends all that is wrong.
            return observed
        if observed.unreadable is not None:
            return self._mend_unread(secrets, observed)
        if not observed.enabled:
            secrets.update(self.name, enabled=True)
            return self._mend(secrets, self._reread(secrets))
        return self._mend(secrets, observed)

    def _create(self, secrets: VaultSecrets) -> SecretState:
        try:
            return self._write(secrets, self._name, make_password(self._name), {tags.OWNER: self._owner, **self._tag})
        except AzureRefusal as refusal:
            if secrets.kept_out is not None and lies_deleted(refusal):
                raise lying(self._vault.name, self.name, secrets.kept_out, refusal) from refusal
            if not refusal.is_any("ObjectIsDeletedButRecoverable"):
                raise
        return self._recover(secrets)

    def _recover(self, secrets: VaultSecrets) -> SecretState:
        try:
            secrets.recover(self.name)
        except AzureRefusal as refusal:
            if not refusal.is_any(*NO_PERMISSION):
                raise
            raise not_allowed("recover", self._vault.name, self.name, refusal) from refusal
        recovered = self._reread(secrets)
        if not recovered.enabled:
            secrets.update(self.name, enabled=True)
            recovered = self._reread(secrets)
        return self._mend(secrets, recovered)

    def _mend(self, secrets: VaultSecrets, observed: SecretState) -> SecretState:
        """Makes the secret what it should be: by its tags alone where the value is right, else by a new version."""
        targets = {change.target for change in self.diff(observed)}
        if not targets:
            return observed
        merged = self._merged(observed)
        if all(target.startswith("tag ") for target in targets):
            updated = secrets.update(self.name, tags=merged)
            return replace(observed, tags=updated.tags)
        user = self._wanted.user(observed)
        return self._write(secrets, user, observed.password or make_password(user), merged)

    def _mend_unread(self, secrets: VaultSecrets, observed: SecretState) -> SecretState:
        """The same where the value is not known, and stays: by what can be changed beside it."""
        targets = {change.target for change in self.diff(observed)}
        now = datetime.now(UTC).replace(microsecond=0)
        updated = secrets.update(
            self.name,
            tags=self._merged(observed),
            enabled=True,
            not_before=now if NOT_BEFORE in targets else None,
            expires_on=now + FAR if EXPIRY in targets else None,
        )
        return as_written(state_of(updated), self._written)

    def _merged(self, observed: SecretState) -> dict[str, str]:
        merged = tags.merged(observed.tags, self._tag)
        check_room(self.name, observed.tags, merged, "that allows the organization")
        return merged

    def renew_password(self) -> None:
        """Writes a new version for the same user with a new password, where that of the newest one is not known."""
        observed = self.observed
        if observed is None:
            raise KitError(f"The secret {self.name} is not there", remedy="run: setup-kit apply")
        user = self._wanted.user(observed)
        merged = self._merged(observed)
        check_room(self.name, observed.tags, {**merged, NAMED: user}, "that names its user")
        self.observed = self._write(self._secrets(), user, make_password(user), merged)

    def connection_string(self, user: str, password: Secret) -> Secret:
        """What the secret holds for a user. Raises KitError while the server's address is not known."""
        server = self._wanted_server()
        if server is None:
            raise KitError(
                f"{self._server.address} is not there, so its address is not known", remedy="run: setup-kit apply"
            )
        return to_ado_net(server, self._database, user, password)

    def switch(self, user: str, password: Secret) -> SecretState:
        """Writes a new version for another user, marked so that the one before is known to be left over."""
        self.observed = self._write(self._secrets(), user, password, self._marked(RETIRING))
        return self.observed

    def mark(self, phase: str | None) -> None:
        """Notes on the newest version how far a rotation is; None when there is nothing left of it."""
        wanted = self._marked(phase)
        self._secrets().update(self.name, tags=wanted)
        if self.observed is not None:
            self.observed = replace(self.observed, tags=wanted)

    def _marked(self, phase: str | None) -> dict[str, str]:
        return marked(self.name, {} if self.observed is None else self.observed.tags, phase)

    def _write(self, secrets: VaultSecrets, user: str, password: Secret, wanted: Mapping[str, str]) -> SecretState:
        value = self.connection_string(user, password)
        self.renew = False
        stored = secrets.set(self.name, value, naming(wanted, user), CONTENT_TYPE)
        self._written = state_of(replace(stored, value=value))
        return self._written

    def _reread(self, secrets: VaultSecrets) -> SecretState:
        stored = secrets.get(self.name)
        if stored is None:
            raise KitError(
                f"The secret {self.name} went away while it was worked on", remedy="run the same command again"
            )
        return as_written(state_of(stored), self._written)

    def _secrets(self) -> VaultSecrets:
        vault = self._vault.observed
        if vault is None:
            raise KitError(f"The key vault {self._vault.name} is not there", remedy="run: setup-kit apply")
        return self._azure.vault_secrets(vault.id, vault.uri, restricted=not vault.network.open)

    def unseen(self, observed: SecretState) -> Finding | None:
        return unread(self, observed, self.evidence(observed))

    def evidence(self, observed: SecretState) -> str:
        """The address, state, tags and end; never the value."""
        end = f"expires {observed.expires_on:%Y-%m-%d}" if observed.expires_on else "never expires"
        allowed = ", ".join(f"{name} → {value}" for name, value in observed.tags.items() if name in self._tag)
        return f"{observed.uri_without_version}; {'enabled' if observed.enabled else 'disabled'}; {end}; tag {allowed}"

    def versions(self) -> list[Version]:
        """The versions there are, the newest first. Raises KitError where they may not be listed."""
        try:
            return self._secrets().versions(self.name)
        except AzureRefusal as refusal:
            if not refusal.is_any(*NO_PERMISSION) or not self._access.granted or self._access.by_role:
                raise
            raise not_listed(self._vault.name, self.name, self._access.giving("list"), refusal) from refusal

    def audit(self, observed: SecretState) -> list[Finding]:
        attributes = ["az", "keyvault", "secret", "set-attributes", "--vault-name", self._vault.name, "-n", self.name]
        end = audit_end(self, observed.expires_on, attributes)
        return [*end, *audit_organizations(self, observed.tags, self._tag, attributes)]

    def lives(self, observed: SecretState) -> bool:
        return not observed.recoverable

    @property
    def made_for_another(self) -> str:
        if self.observed is None or not of_another(self.observed.tags, self._owner):
            return ""
        return not_own(self.observed.tags, self._owner)

    def removal(self, observed: SecretState) -> Removal:
        hidden = not observed.enabled and not observed.recoverable
        kept = "it is disabled, and tells nobody who made it" if hidden else not_own(observed.tags, self._owner)
        if kept:
            return Removal(kept=kept)
        if observed.kept_out is not None:
            return Removal(kept=kept_in(self._vault.name, self.name, observed.kept_out))
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
            raise not_allowed("delete", self._vault.name, self.name, refusal) from refusal
