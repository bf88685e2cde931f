"""The Data Export Service: its REST interface and the replicator behind it.

A program that the owner of a Dataverse organization can host. It reads the destination's connection string from
Key Vault as its own principal, the organization through the Dataverse Web API, and writes as the user it was given.
"""

from setup_kit.service.settings import Settings
from setup_kit.service.web import application

__all__ = ["Settings", "application"]
