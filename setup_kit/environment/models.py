"""The environment file's shape. No secret has a place in it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

SERVICE_APPLICATION_ID = UUID("b861dbcc-a7ef-4219-a005-0e4de4ea7dcf")


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=False)


class Endpoints(Section):
    """A cloud of one's own."""

    authority: str
    resource_manager: str
    resource_manager_audience: str
    graph: str
    graph_audience: str
    vault_audience: str
    sql_audience: str
    discovery: str
    sql_suffix: str = ""
    vault_suffix: str = ""


class EntraGroup(Section):
    name: str
    object_id: UUID


class Administrator(Section):
    """Exactly one of the two."""

    entra_group: EntraGroup | None = None
    sql_login: str | None = None


class Database(Section):
    name: str
    sku: str = "P1"
    max_size_gb: int = 250
    read_committed_snapshot: bool = True
    maxdop: int = 1


class FirewallRule(Section):
    name: str
    start: str
    end: str


class Firewall(Section):
    allow_azure_services: bool = True
    service_region: str | None = None
    rules: tuple[FirewallRule, ...] = ()


class Authentication(StrEnum):
    LOGIN = "login"
    CONTAINED = "contained"


class ExportUser(Section):
    name: str = "dataexport"
    schema_name: Annotated[str, Field(alias="schema")] = "dbo"
    authentication: Authentication = Authentication.LOGIN


class Sql(Section):
    server: str
    administrator: Administrator
    database: Database
    firewall: Firewall = Firewall()
    export_user: ExportUser = ExportUser()


class Authorization(StrEnum):
    ACCESS_POLICY = "access_policy"
    RBAC = "rbac"


class KeyVault(Section):
    name: str
    authorization: Authorization = Authorization.RBAC
    secret: str = "data-export-connection"


class Dynamics(Section):
    organization_url: str
    organization_id: UUID


class ExportService(Section):
    """Where the Data Export Service answers; by default where the cloud says."""

    discovery: str | None = None
    application_id: UUID = SERVICE_APPLICATION_ID


class Retry(Section):
    count: int = 12
    interval_seconds: int = 5


class Activate(StrEnum):
    ALL = "all"
    METADATA = "metadata"
    DATA = "data"
    NONE = "none"


class Profile(Section):
    name: str
    prefix: str = ""
    schema_name: Annotated[str, Field(alias="schema")] = "dbo"
    entities: tuple[str, ...]
    relationships: tuple[str, ...] = ()
    retry: Retry = Retry()
    delete_log: bool = True
    activate: Activate = Activate.ALL


class Environment(Section):
    version: Literal[1] = 1
    cloud: Literal["public", "usgov", "china", "sandbox"] | Endpoints = "public"
    tenant: UUID
    subscription: UUID
    location: str
    resource_group: str
    tags: dict[str, str] = {}
    sql: Sql
    key_vault: KeyVault
    dynamics: Dynamics
    export_service: ExportService = ExportService()
    profile: Profile
