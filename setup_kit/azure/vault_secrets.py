"""Secrets of one vault by the way that is open: its own address, or Resource Manager where its network rules keep out.

Once the vault has refused this machine, all that Resource Manager can do goes through it for the rest of the run.
Nothing here changes a network rule.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from setup_kit.azure.errors import AzureRefusal
from setup_kit.azure.managed_secrets import ManagedSecrets
from setup_kit.azure.secrets import NO_PERMISSION, KeptOut, Secrets, StoredSecret, Version
from setup_kit.secret import Secret

T = TypeVar("T")

# Key Vault's words for an address that no rule admits, and for a vault that is reached by its private endpoint alone.
_ADDRESS, _CONNECTION = "ForbiddenByFirewall", "ForbiddenByConnection"
_CLIENT = re.compile(r"Client address: ([0-9A-Fa-f.:]+)")


class VaultSecrets:
    def __init__(self, vault: str, direct: Secrets, managed: ManagedSecrets, *, restricted: bool) -> None:
        """`restricted`: the vault does not admit every network, so that one it does not answer may be kept out."""
        self._vault = vault
        self._direct = direct
        self._managed = managed
        self._restricted = restricted
        # Set once the vault has refused this machine.
        self.kept_out: KeptOut | None = None

    def find_way(self, name: str) -> KeptOut | None:
        """Tries to read the secret at the vault's own address, and returns why this machine may not; None if it may."""
        if self.kept_out is None:
            try:
                self._direct.get(name)
            except AzureRefusal as refusal:
                self.kept_out = self._reason(refusal)
                if self.kept_out is None and not refusal.is_any(*NO_PERMISSION):
                    raise
        return self.kept_out

    def get(self, name: str) -> StoredSecret | None:
        """The newest version, or None when there is none. Its value is None where the vault keeps this machine out."""
        return self._either(lambda: self._direct.get(name), lambda: self._told(self._managed.get(name)))

    def names(self) -> set[str]:
        return self._either(self._direct.names, self._managed.names)

    def set(self, name: str, value: Secret, tags: Mapping[str, str], content_type: str) -> StoredSecret:
        """Writes a new version, enabled and without an end."""
        return self._either(
            lambda: self._direct.set(name, value, tags, content_type),
            lambda: self._marked(self._managed.set(name, value, tags, content_type)),
        )

    def update(
        self,
        name: str,
        *,
        tags: Mapping[str, str] | None = None,
        enabled: bool | None = None,
        not_before: datetime | None = None,
        expires_on: datetime | None = None,
    ) -> StoredSecret:
        """Changes properties of the newest version; `tags` are replaced as a whole. The answer has no value."""

        def change(way: Secrets | ManagedSecrets) -> StoredSecret:
            return way.update(name, tags=tags, enabled=enabled, not_before=not_before, expires_on=expires_on)

        return self._either(lambda: change(self._direct), lambda: self._marked(change(self._managed)))

    def deleted(self, name: str) -> StoredSecret | None:
        """The deleted secret of this name; None where there is none, or where the vault keeps this machine out."""
        return self._either(lambda: self._direct.deleted(name), lambda: None)

    def versions(self, name: str) -> list[Version]:
        """All versions, the newest first, over the vault's own address; so are the three that follow."""
        return self._direct.versions(name)

    def recover(self, name: str) -> None:
        self._direct.recover(name)

    def delete(self, name: str) -> None:
        self._direct.delete(name)

    def purge(self, name: str) -> None:
        self._direct.purge(name)

    def _either(self, direct: Callable[[], T], managed: Callable[[], T]) -> T:
        if self.kept_out is None:
            try:
                return direct()
            except AzureRefusal as refusal:
                self.kept_out = self._reason(refusal)
                if self.kept_out is None:
                    raise
        return managed()

    def _reason(self, refusal: AzureRefusal) -> KeptOut | None:
        if refusal.is_any(_ADDRESS):
            seen = _CLIENT.search(refusal.message)
            address = seen[1] if seen else ""
            return KeptOut(
                f"the network rules of the key vault {self._vault} do not admit this machine"
                + (f" ({address})" if address else ""),
                f"az keyvault network-rule add --name {self._vault} --ip-address {address or '<address>'}",
            )
        if refusal.is_any(_CONNECTION) or (refusal.unreached and self._restricted and not refusal.broken_off):
            return KeptOut(
                f"the key vault {self._vault} does not answer this machine's network",
                "run setup-kit from a network that reaches the vault's private endpoint",
            )
        return None

    def _told(self, stored: StoredSecret | None) -> StoredSecret | None:
        return None if stored is None else self._marked(stored)

    def _marked(self, stored: StoredSecret) -> StoredSecret:
        # Written as the vault itself writes it, whichever way it was read.
        return replace(stored, uri=self._direct.uri(stored.name), kept_out=self.kept_out)
