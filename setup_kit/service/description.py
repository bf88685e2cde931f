"""Profile descriptions as clients send them, and the limits on them.

Field names, defaults and limits: the service's documentation and the clients that Microsoft published.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from setup_kit.service.errors import Problem

RETRY_COUNT_LIMIT = 20
RETRY_INTERVAL_LIMIT = 3600
PREFIX_LIMIT = 14
NAME_LIMIT = 256  # *assumed*
SQL_NAME_LIMIT = 128

_ALPHANUMERIC = re.compile(r"[A-Za-z0-9]*")


@dataclass(frozen=True)
class RetryPolicy:
    maximum: int = 12
    interval: int = 5

    def to_wire(self) -> dict[str, Any]:
        return {"MaxRetryCount": self.maximum, "IntervalInSeconds": self.interval, "Backoff": "Simple"}


@dataclass(frozen=True)
class Choice:
    """An entity, by logical name, or an N:N relationship, by schema name, that a profile exports."""

    name: str
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Description:
    """What a profile is to do. `id` only names an existing profile, when its description is validated again."""

    name: str
    organization_id: str | None
    organization_url: str | None
    key_vault_uri: str
    entities: tuple[Choice, ...]
    relationships: tuple[Choice, ...] = ()
    prefix: str = ""
    schema: str = "dbo"
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    write_delete_log: bool = False
    id: str | None = None

    def table(self, name: str) -> str:
        """The destination table of an entity, a relationship or of metadata."""
        return f"{self.prefix}_{name}" if self.prefix else name

    def to_wire(self) -> dict[str, Any]:
        return {
            "Name": self.name,
            "OrganizationId": self.organization_id,
            "OrganizationUrl": self.organization_url,
            "DestinationType": "sqlazure",
            "DestinationKeyVaultUri": self.key_vault_uri,
            "DestinationPrefix": self.prefix,
            "DestinationSchemaName": self.schema,
            "RetryPolicy": self.retry.to_wire(),
            "WriteDeleteLog": self.write_delete_log,
        }


@dataclass(frozen=True)
class SecretAddress:
    """A secret's URI in parts: `https://<vault>/secrets/<name>[/<version>]`."""

    vault: str
    name: str
    version: str | None

    @classmethod
    def parse(cls, uri: str) -> SecretAddress | None:
        try:
            parts = urlsplit(uri)
            path = [part for part in parts.path.split("/") if part]
            fits = parts.scheme == "https" and parts.hostname and not parts.query and not parts.fragment
            parts.port  # noqa: B018 (raises where the port is none)
        except ValueError:
            return None
        if not fits or parts.username or len(path) not in {2, 3} or path[0] != "secrets":
            return None
        return cls(f"https://{parts.netloc}", path[1], path[2] if len(path) == 3 else None)


class Reader:
    """Reads a body whose names are in any case, as the service's own serializer did, and collects every problem."""

    def __init__(self, body: Mapping[str, Any]) -> None:
        self._body = {str(key).lower(): value for key, value in body.items()}
        self.problems: list[Problem] = []

    def problem(self, name: str, message: str) -> None:
        self.problems.append(Problem("InvalidDescription", name, message))

    def text(self, name: str, default: str | None = None) -> str | None:
        value = self._body.get(name.lower())
        if value is None:
            return default
        if not isinstance(value, str):
            self.problem(name, f"{name} must be a text.")
            return default
        return value

    def flag(self, name: str) -> bool:
        value = self._body.get(name.lower())
        if value is None or isinstance(value, bool):
            return bool(value)
        self.problem(name, f"{name} must be true or false.")
        return False

    def number(self, name: str, default: int, limit: int) -> int:
        value = self._body.get(name.lower())
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= limit:
            self.problem(name, f"{name} must be a whole number from 0 to {limit}.")
            return default
        return value

    def any(self, name: str) -> Any:
        return self._body.get(name.lower())

    def choices(self, name: str) -> tuple[Choice, ...]:
        value = self._body.get(name.lower())
        if value is None:
            return ()
        if not isinstance(value, Sequence) or isinstance(value, str):
            self.problem(name, f"{name} must be a list.")
            return ()
        found: dict[str, Choice] = {}
        for number, entry in enumerate(value, 1):
            item = Reader(entry) if isinstance(entry, Mapping) else None
            chosen = (item.text("Type") or item.text("LogicalName")) if item else None
            if item is None or not chosen:
                self.problem(name, f"Entry {number} of {name} names no Type.")
                continue
            settings = item.any("Settings")
            # The service refused null here, so clients send {}.
            if not isinstance(settings, Mapping):
                self.problem(name, f"Settings of '{chosen}' in {name} must be an object, such as {{}}.")
                settings = {}
            if chosen.lower() in found:
                self.problem(name, f"'{chosen}' occurs twice in {name}.")
            found[chosen.lower()] = Choice(chosen, dict(settings))
        return tuple(found.values())


def read(body: Any) -> tuple[Description, list[Problem]]:
    """The description in a request's body and all that is wrong with it by itself, without asking anybody."""
    if not isinstance(body, Mapping):
        return Description("", None, None, "", ()), [
            Problem("InvalidDescription", "body", "A profile description must be a JSON object.")
        ]
    reader = Reader(body)
    policy = reader.any("RetryPolicy")
    if policy is not None and not isinstance(policy, Mapping):
        reader.problem("RetryPolicy", "RetryPolicy must be an object.")
        policy = None
    retry = Reader(policy or {})
    description = Description(
        id=reader.text("Id"),
        name=(reader.text("Name") or "").strip(),
        organization_id=reader.text("OrganizationId"),
        organization_url=reader.text("OrganizationUrl"),
        key_vault_uri=reader.text("DestinationKeyVaultUri") or "",
        entities=reader.choices("Entities"),
        relationships=reader.choices("Relationships"),
        prefix=reader.text("DestinationPrefix") or "",
        schema=reader.text("DestinationSchemaName") or "dbo",
        retry=RetryPolicy(
            maximum=retry.number("MaxRetryCount", RetryPolicy.maximum, RETRY_COUNT_LIMIT),
            interval=retry.number("IntervalInSeconds", RetryPolicy.interval, RETRY_INTERVAL_LIMIT),
        ),
        write_delete_log=reader.flag("WriteDeleteLog"),
    )
    # Enumerations come as names or as numbers; the numbers are those of the profile API of Synapse Link.
    if str(retry.any("Backoff") or "Simple").lower() not in {"simple", "0"}:
        retry.problem("RetryPolicy.Backoff", "RetryPolicy.Backoff must be Simple.")
    if str(reader.any("DestinationType") or "sqlazure").lower() not in {"sqlazure", "4"}:
        reader.problem("DestinationType", "DestinationType must be sqlazure.")
    _check(description, reader)
    return description, reader.problems + retry.problems


def _check(description: Description, reader: Reader) -> None:
    if not description.name or len(description.name) > NAME_LIMIT:
        reader.problem("Name", f"A profile needs a Name of 1 to {NAME_LIMIT} characters.")
    if not (description.organization_id or description.organization_url):
        reader.problem("OrganizationId", "A profile needs an OrganizationId or an OrganizationUrl.")
    if SecretAddress.parse(description.key_vault_uri) is None:
        reader.problem(
            "DestinationKeyVaultUri",
            "DestinationKeyVaultUri must be a secret's URI: https://<vault>/secrets/<name>, with or without a version.",
        )
    if not _ALPHANUMERIC.fullmatch(description.prefix) or len(description.prefix) > PREFIX_LIMIT:
        reader.problem(
            "DestinationPrefix",
            f"DestinationPrefix '{description.prefix}' must be at most {PREFIX_LIMIT} letters and digits.",
        )
    if not _ALPHANUMERIC.fullmatch(description.schema) or len(description.schema) > SQL_NAME_LIMIT:
        reader.problem(
            "DestinationSchemaName",
            f"DestinationSchemaName '{description.schema}' must be letters and digits.",
        )
    if not description.entities:
        reader.problem("Entities", "A profile needs at least one entity.")
