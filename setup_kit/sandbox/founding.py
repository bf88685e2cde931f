"""The tenant, subscription, organization and people that a new sandbox begins with."""

from __future__ import annotations

import uuid
from dataclasses import asdict, dataclass

from setup_kit.sandbox import access
from setup_kit.sandbox.state import State
from setup_kit.sandbox.tenant import (
    ADMINISTRATOR_NAME,
    APPLICATION_ADMINISTRATOR,
    SERVICE_APP_ID,
    SERVICE_AUDIENCE,
    SERVICE_NAME,
    SQL_ADMINISTRATORS,
    Tenant,
)

# Counts up whenever what is kept in a sandbox's directory takes another shape.
FORMAT = 3

LOCATION = "westeurope"
SERVICE_REGION = "West Europe"
SERVICE_ADDRESS = "40.68.252.224"  # what the hosted service called from in West Europe


@dataclass(frozen=True)
class Foundation:
    """Ids that stay the same for as long as the directory lives."""

    tenant_id: str
    subscription_id: str
    organization_id: str
    client_id: str
    object_id: str
    sql_administrators: str


class OtherFormat(Exception):  # noqa: N818 - a state of affairs
    """The directory was made by another version of setup-kit, whose databases this one does not read."""


def found(state: State) -> Foundation:
    """The foundation kept in the state; the first call makes it. Raises OtherFormat."""
    kept = state.get("sandbox", "foundation")
    if kept is not None:
        if (state.get("sandbox", "format") or {}).get("version") != FORMAT:
            raise OtherFormat
        return Foundation(**kept)
    tenant_id, subscription_id, client_id = (str(uuid.uuid4()) for _ in range(3))
    tenant = Tenant(state, tenant_id)
    tenant.add_application(client_id, ADMINISTRATOR_NAME)
    administrator = tenant.add_principal(client_id, ADMINISTRATOR_NAME, roles=(APPLICATION_ADMINISTRATOR,))
    tenant.add_application(SERVICE_APP_ID, SERVICE_NAME, audiences=(SERVICE_AUDIENCE,))
    tenant.add_principal(SERVICE_APP_ID, SERVICE_NAME)
    group = tenant.add_group(SQL_ADMINISTRATORS, [administrator.object_id])
    access.assign(state, f"/subscriptions/{subscription_id}", access.OWNER, administrator.object_id, "ServicePrincipal")
    foundation = Foundation(
        tenant_id=tenant_id,
        subscription_id=subscription_id,
        organization_id=str(uuid.uuid4()),
        client_id=client_id,
        object_id=administrator.object_id,
        sql_administrators=group,
    )
    state.put("sandbox", "format", {"version": FORMAT})
    # Written last: a start that was killed half-way founds afresh, and its leftovers stand in nobody's way.
    state.put("sandbox", "foundation", asdict(foundation))
    return foundation
