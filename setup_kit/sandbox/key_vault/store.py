"""Secrets of vaults and their versions, in the state. Values are there in clear: the one place that has to."""

from __future__ import annotations

import re
import secrets
import time
from typing import Any

from setup_kit.sandbox.state import Document, State

SECRETS = "secrets"  # key: vault/name in lower case; name, versions (oldest first)
DELETED = "deleted-secrets"  # the same, with deleted, purged and settled (seconds since 1970)
NAME = re.compile(r"[0-9A-Za-z-]{1,127}")
LARGEST = 25 * 1024  # bytes of a value
MOST_TAGS = 15
DAY = 86400


class SecretError(Exception):
    """A request about a secret that cannot be met; `inner` is the innererror's code, "" for none."""

    def __init__(self, status: int, code: str, message: str, inner: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.inner = inner


class Secrets:
    """The secrets of one vault."""

    def __init__(self, state: State, vault: str) -> None:
        self._state = state
        self._vault = vault.lower()

    def _key(self, name: str) -> str:
        return f"{self._vault}/{name.lower()}"

    def set(
        self, name: str, value: object, content_type: str | None, tags: dict[str, Any], attributes: dict[str, Any]
    ) -> tuple[str, Document]:
        """Add a version and return the secret's name and that version. Raises SecretError."""
        if not NAME.fullmatch(name):
            raise SecretError(400, "BadParameter", f"The request URI contains an invalid name: {name}")
        if not isinstance(value, str):
            raise SecretError(400, "BadParameter", "Property  has invalid value\r\n")
        if len(value.encode()) > LARGEST:
            raise SecretError(400, "BadParameter", "The secret value is too long; it has at most 25600 bytes.")
        deleted = self._state.get(DELETED, self._key(name))
        if deleted is not None:
            if time.time() < deleted["settled"]:
                raise SecretError(409, "Conflict", f"Secret {name} is currently being deleted.", "ObjectIsBeingDeleted")
            raise SecretError(
                409,
                "Conflict",
                f"Secret {name} is currently in a deleted but recoverable state, and its name cannot be reused; in this"
                " state, the secret can only be recovered or purged.",
                "ObjectIsDeletedButRecoverable",
            )
        now = int(time.time())
        version: Document = {
            "id": secrets.token_hex(16),
            "value": value,
            "content_type": content_type,
            "tags": _tags(tags),
            "created": now,
            "updated": now,
            **_attributes(attributes),
        }
        kept = self._state.get(SECRETS, self._key(name)) or {"name": name, "versions": []}
        kept["versions"].append(version)
        self._state.put(SECRETS, self._key(name), kept)
        return kept["name"], version

    def find(self, name: str, version: str = "") -> tuple[str, Document]:
        """A secret's name as it was first written, and its version, the newest by default. Raises SecretError."""
        kept = self._state.get(SECRETS, self._key(name))
        if kept is not None:
            if not version:
                return kept["name"], kept["versions"][-1]
            for each in kept["versions"]:
                if each["id"] == version.lower():
                    return kept["name"], each
        which = f"{name}/{version}" if version else name
        raise SecretError(
            404,
            "SecretNotFound",
            f"A secret with (name/id) {which} was not found in this key vault. If you recently deleted this secret you"
            " may be able to recover it using the correct recovery command. For help resolving this issue, please see"
            " https://go.microsoft.com/fwlink/?linkid=2125182",
        )

    def update(
        self,
        name: str,
        version: str,
        content_type: str | None,
        tags: dict[str, Any] | None,
        attributes: dict[str, Any],
    ) -> tuple[str, Document]:
        """Change a version's attributes, content type and tags; what is None stays. Raises SecretError."""
        name, found = self.find(name, version)
        kept = self._state.get(SECRETS, self._key(name)) or {}
        changed = {**found, **_attributes(attributes, found), "updated": int(time.time())}
        if content_type is not None:
            changed["content_type"] = content_type
        if tags is not None:
            changed["tags"] = _tags(tags)
        kept["versions"] = [changed if each["id"] == found["id"] else each for each in kept["versions"]]
        self._state.put(SECRETS, self._key(name), kept)
        return name, changed

    def all(self) -> list[tuple[str, Document]]:
        """Each secret's name and newest version."""
        return [(body["name"], body["versions"][-1]) for _, body in self._state.list(SECRETS, self._vault + "/")]

    def versions(self, name: str) -> tuple[str, list[Document]]:
        """A secret's name and versions, oldest first. Raises SecretError."""
        self.find(name)
        kept = self._state.get(SECRETS, self._key(name)) or {}
        return kept["name"], kept["versions"]

    def delete(self, name: str, days: int, settling: float = 0.0) -> Document:
        """Soft-delete a secret, to be purged in so many days; it can be seen as such after `settling` seconds.

        Raises SecretError.
        """
        self.find(name)
        now = int(time.time())
        deleted: Document = {
            **(self._state.get(SECRETS, self._key(name)) or {}),
            "deleted": now,
            "purged": now + days * DAY,
            "settled": time.time() + settling,
        }
        self._state.put(DELETED, self._key(name), deleted)
        self._state.delete(SECRETS, self._key(name))
        return deleted

    def deleted(self, name: str) -> Document:
        """A soft-deleted secret. Raises SecretError."""
        kept = self._state.get(DELETED, self._key(name))
        if kept is None or time.time() < kept["settled"]:
            raise SecretError(404, "SecretNotFound", f"Deleted Secret not found: {name}")
        return kept

    def all_deleted(self) -> list[Document]:
        return [body for _, body in self._state.list(DELETED, self._vault + "/")]

    def recover(self, name: str) -> tuple[str, Document]:
        """Bring a soft-deleted secret back. Raises SecretError."""
        kept = self.deleted(name)
        self._state.put(SECRETS, self._key(name), {"name": kept["name"], "versions": kept["versions"]})
        self._state.delete(DELETED, self._key(name))
        return kept["name"], kept["versions"][-1]

    def purge(self, name: str) -> None:
        """Destroy a soft-deleted secret. Raises SecretError."""
        self.deleted(name)
        self._state.delete(DELETED, self._key(name))

    def clear(self) -> None:
        """Destroy all that the vault holds, as purging the vault does."""
        for kind in (SECRETS, DELETED):
            for key, _ in self._state.list(kind, self._vault + "/"):
                self._state.delete(kind, key)


def _attributes(given: dict[str, Any], kept: Document | None = None) -> Document:
    enabled = given.get("enabled")
    merged: Document = {"enabled": enabled if enabled is not None else (kept["enabled"] if kept else True)}
    for name in ("nbf", "exp"):
        value = given.get(name)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
            raise SecretError(400, "BadParameter", f"The attribute {name} is not a number of seconds.")
        merged[name] = value if value is not None else (kept[name] if kept else None)
    if merged["nbf"] is not None and merged["exp"] is not None and merged["exp"] <= merged["nbf"]:
        raise SecretError(400, "BadParameter", "The expiry date must be after the not-before date.")
    return merged


def _tags(tags: dict[str, Any]) -> dict[str, str]:
    if len(tags) > MOST_TAGS:
        raise SecretError(400, "BadParameter", f"The number of tags must not exceed {MOST_TAGS}.")
    for key, value in tags.items():
        if not isinstance(value, str) or len(key) > 256 or len(value) > 256:
            raise SecretError(400, "BadParameter", "Names and values of tags have at most 256 characters.")
    return dict(tags)
