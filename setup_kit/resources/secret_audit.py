"""What an auditor asks of a secret that holds: when it ends, who else its tags let use it, and what was not seen."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from setup_kit.engine.resource import Finding, Node, Status
from setup_kit.resources.secret_state import SecretState

SOON = timedelta(days=30)
YEAR = timedelta(days=365)


def audit_end(node: Node, expires_on: datetime | None, attributes: Sequence[str]) -> list[Finding]:
    """A warning where the secret expires soon. `attributes` is the command that sets its attributes."""
    now = datetime.now(UTC)
    if expires_on is None or not now < expires_on < now + SOON:
        return []
    message = f"the secret expires on {expires_on:%Y-%m-%d}; the service refuses it from then on"
    remedy = shlex.join([*attributes, "--expires", f"{now + YEAR:%Y-%m-%dT%H:%M:%SZ}"])
    evidence = f"expires {expires_on:%Y-%m-%d %H:%M} UTC, in {(expires_on - now).days} days"
    return [Finding("secret.expiry", Status.WARNING, node.address, message, remedy, evidence)]


def audit_organizations(
    node: Node, tags: Mapping[str, str], wanted: Mapping[str, str], attributes: Sequence[str]
) -> list[Finding]:
    """A warning for each organization beside the wanted ones that a tag allows to use the secret."""
    findings = []
    for name, value in tags.items():
        if not _is_id(name) or name.lower() in wanted:
            continue
        kept = [f"{key}={held}" for key, held in tags.items() if key != name]
        message = f"the organization {name} may use the secret as well"
        remedy = shlex.join([*attributes, "--tags", *kept])
        findings.append(
            Finding("secret.organization", Status.WARNING, node.address, message, remedy, f"tag {name} → {value}")
        )
    return findings


def unread(node: Node, observed: SecretState, evidence: str) -> Finding | None:
    """That the value was not read; None where it is known."""
    kept_out = observed.unreadable
    if kept_out is None:
        return None
    message = (
        f"its value could not be read, since {kept_out.why}; it is taken as it is, and proven by the export service's"
        " own validation instead"
    )
    return Finding("secret.value", Status.SKIPPED, node.address, message, kept_out.remedy, evidence)


def _is_id(name: str) -> bool:
    try:
        UUID(name)
    except ValueError:
        return False
    return True
