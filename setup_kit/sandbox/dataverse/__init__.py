"""The sandbox's organization: tables, rows and change tracking behind Dataverse's Web API."""

from setup_kit.sandbox.dataverse.application import DATABASE, application
from setup_kit.sandbox.dataverse.database import Database
from setup_kit.sandbox.dataverse.organization import Organization

__all__ = ["DATABASE", "Database", "Organization", "application"]
