"""Which organization is served, and by what rules a caller is let in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

VERSION = "9.2.24092.199"


@dataclass(frozen=True)
class Organization:
    """An organization of Dataverse; `url` has no slash at its end.

    `administrators` are object ids of users or service principals with the role System Administrator, `applications`
    are application ids of application users, who may read. `application_ids` gives the application id of each
    administrator that is a service principal, by object id: its user carries both. `authority` is where the challenge
    sends callers for a token. A new one begins with `records` times the usual records, about 5,000.
    """

    name: str
    url: str
    id: str
    tenant_id: str
    administrators: frozenset[str] = field(default_factory=frozenset)
    applications: frozenset[str] = field(default_factory=frozenset)
    version: str = VERSION
    application_ids: Mapping[str, str] = field(default_factory=dict)
    authority: str = "https://login.microsoftonline.com"
    records: float = 1.0
