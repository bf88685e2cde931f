"""Resource providers: a subscription registers those that it uses."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from setup_kit.azure.errors import AzureRefusal, translating
from setup_kit.azure.patience import Patience
from setup_kit.azure.pipeline import REPEATABLE
from setup_kit.azure.polling import Elapsed, quiet

if TYPE_CHECKING:
    from azure.mgmt.resource.resources import ResourceManagementClient

REGISTERED = "Registered"

# Seconds: registering takes up to some minutes ("Azure resource providers and types"); an estimate of the longest.
_PATIENCE = 600.0
_PAUSE = 5.0


@dataclass(frozen=True)
class Provider:
    """`state` is "Registered", "NotRegistered", "Registering", …; `regions`: type → where it can be made."""

    state: str
    regions: Mapping[str, tuple[str, ...]]


class Providers:
    def __init__(self, client: ResourceManagementClient, patience: Patience) -> None:
        self._patience = patience
        self._providers = client.providers

    def get(self, namespace: str) -> Provider:
        with translating(f"Reading the resource provider {namespace} failed"):
            found = self._providers.get(namespace)
        regions = {str(each.resource_type): tuple(each.locations or ()) for each in found.resource_types or ()}
        return Provider(found.registration_state or "", regions)

    def state(self, namespace: str) -> str:
        """As a provider's `state`."""
        return self.get(namespace).state

    def register(self, namespace: str, elapsed: Elapsed = quiet) -> None:
        """Registers and waits until it holds."""
        begun = time.monotonic()
        with translating(f"Registering the resource provider {namespace} failed"):
            self._providers.register(namespace, **REPEATABLE)
        while (state := self.state(namespace)) != REGISTERED:
            waited = time.monotonic() - begun
            if waited > _PATIENCE:
                raise AzureRefusal(
                    f"The resource provider {namespace} is not registered after {waited:.0f} seconds: {state}",
                    remedy=f"look at it: az provider show --namespace {namespace} --query registrationState",
                )
            elapsed(waited)
            if self._patience.wait(_PAUSE):
                raise AzureRefusal(f"The run was ended while the resource provider {namespace} was being registered")
