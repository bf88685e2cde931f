"""Where the service wants its callers' tokens from: the challenge of its 401, and whether it may be followed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from setup_kit.clouds import Cloud
from setup_kit.errors import KitError

PATH = "/crm/exporter/aad/challenge"

# The identifier URI that the service's application has had since 2016.
SERVICE_AUDIENCE = "https://dataexportserviceformicrosoftdynamics365.com/"

# Other names of the same authorities, as Microsoft's sign-in libraries know them.
_ALIASES = (
    frozenset({"login.microsoftonline.com", "login.windows.net", "login.microsoft.com", "sts.windows.net"}),
    frozenset({"login.microsoftonline.us", "login.usgovcloudapi.net"}),
    frozenset({"login.chinacloudapi.cn", "login.partner.microsoftonline.cn"}),
)

_PARAMETER = re.compile(r'([A-Za-z_]+)\s*=\s*(?:"([^"]*)"|([^\s",]+))')


@dataclass(frozen=True)
class Challenge:
    """`authority` is the address that gives tokens, `audience` what they must be for."""

    authority: str
    audience: str


def read_challenge(header: str) -> Challenge:
    """Reads `Bearer authorization_uri="…", resource_id="…"`, the two that Microsoft's ADAL reads. Raises KitError."""
    _, scheme, rest = header.partition("Bearer") if "Bearer" in header else ("", "", "")
    values = {name.lower(): quoted or bare for name, quoted, bare in _PARAMETER.findall(rest)}
    authority, audience = values.get("authorization_uri", ""), values.get("resource_id", "")
    if not (scheme and authority and audience):
        raise KitError(
            "the Data Export Service does not say where its tokens come from",
            why="the WWW-Authenticate header of its 401 has no authorization_uri and resource_id",
            remedy="check that export_service.discovery is the address of a Data Export Service",
            original=header,
        )
    return Challenge(authority, audience)


def check_challenge(challenge: Challenge, cloud: Cloud, discovery: str, application_id: str) -> None:
    """Refuses a challenge that would send the caller, or a token for something else, to a stranger. Raises KitError.

    The authority must be the cloud's. The audience must be the service's own: its well-known identifier, its
    application id, or the discovery host. Otherwise whoever answers at the discovery address could ask for a token
    for Resource Manager or Key Vault, and use it.
    """
    if not _same_authority(challenge.authority, cloud.authority):
        raise KitError(
            f"the Data Export Service at {discovery} names a foreign authority for its tokens: {challenge.authority}",
            why=f"the authority of this cloud is {cloud.authority}; nothing was sent to the other one",
            remedy="check export_service.discovery and cloud in the environment file",
        )
    if not _own_audience(challenge.audience, discovery, application_id):
        raise KitError(
            f"the Data Export Service at {discovery} asks for a token for something else: {challenge.audience}",
            why="a token for another service could be misused by whoever answers there; none was asked for",
            remedy=f"the audience may be {SERVICE_AUDIENCE}, api://{application_id}, or the service's own address:"
            " check export_service.discovery, or set export_service.application_id to that of your own service",
        )


def _same_authority(named: str, known: str) -> bool:
    theirs, ours = _host(named), _host(known)
    if theirs is None or ours is None:
        return False
    return theirs == ours or any({theirs[0], ours[0]} <= names and theirs[1] == 443 for names in _ALIASES)


def _own_audience(audience: str, discovery: str, application_id: str) -> bool:
    bare = audience.rstrip("/").lower()
    if bare in (SERVICE_AUDIENCE.rstrip("/"), application_id.lower(), f"api://{application_id.lower()}"):
        return True
    theirs, ours = _host(audience), _host(discovery)
    return theirs is not None and ours is not None and theirs[0] == ours[0]


def _host(url: str) -> tuple[str, int] | None:
    """Host and port of an https URL that names nobody ("user@"); None for anything else."""
    try:
        parts = urlsplit(url)
        port = parts.port or 443
    except ValueError:
        return None
    if parts.scheme != "https" or not parts.hostname or parts.username is not None or parts.password is not None:
        return None
    return parts.hostname, port
