"""How requests travel: one transport for all clients, and the policies that each call goes through."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from setup_kit import __version__

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential
    from azure.core.pipeline.transport import RequestsTransport

    from setup_kit.clouds import Cloud

# Seconds. Azure answers within a minute or says 504; a host that does not take a connection soon never will.
CONNECT_TIMEOUT = 20
READ_TIMEOUT = 120

# Seconds between two looks at an operation whose answer carries no Retry-After.
POLLING_INTERVAL = 1


def transport(cloud: Cloud) -> RequestsTransport:
    """Verifies TLS against the system's authorities, or the cloud's own one. Shared: it keeps connections alive."""
    from azure.core.pipeline.transport import RequestsTransport

    verify = str(cloud.ca_file) if cloud.ca_file is not None else True
    made = RequestsTransport(connection_timeout=CONNECT_TIMEOUT, read_timeout=READ_TIMEOUT, connection_verify=verify)
    made.open()
    return made


def retry_options() -> dict[str, Any]:
    """Connection failures are soon given up; 429 and 5xx are repeated, each after its Retry-After."""
    return {"retry_total": 8, "retry_connect": 2, "retry_status": 8, "retry_backoff_max": 30}


#: Given to a call whose POST only asks, or comes to the same when it is repeated: it may then be repeated as a GET is.
REPEATABLE: Mapping[str, Any] = {"retry_on_methods": frozenset({"POST"})}


def policies(credential: TokenCredential, scope: str) -> list[Any]:
    """A new list for each client, because a policy belongs to one pipeline.

    Unlike the SDK's own list it does not register resource providers in passing: reading would write.
    """
    from azure.core.pipeline import policies as core
    from azure.mgmt.core.policies import ARMChallengeAuthenticationPolicy, ARMHttpLoggingPolicy

    return [
        core.RequestIdPolicy(),
        core.HeadersPolicy(),
        core.UserAgentPolicy(f"setup-kit/{__version__}"),
        core.ContentDecodePolicy(),
        core.RedirectPolicy(),
        core.RetryPolicy(**retry_options()),
        ARMChallengeAuthenticationPolicy(credential, scope),
        core.SensitiveHeaderCleanupPolicy(),
        ARMHttpLoggingPolicy(),
    ]
