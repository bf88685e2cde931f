"""The cloud that an environment file means."""

from __future__ import annotations

import dataclasses

from setup_kit.clouds import CLOUDS, Cloud, sandbox_cloud
from setup_kit.environment.models import Endpoints, Environment


def cloud_of(environment: Environment) -> Cloud:
    """Its addresses and audiences. Raises UsageError where a sandbox is meant and none is named."""
    if isinstance(environment.cloud, Endpoints):
        cloud = Cloud(name="own", **environment.cloud.model_dump())
    elif environment.cloud == "sandbox":
        cloud = sandbox_cloud()
    else:
        cloud = CLOUDS[environment.cloud]
    if environment.export_service.discovery is not None:
        cloud = dataclasses.replace(cloud, discovery=environment.export_service.discovery)
    return cloud
