"""The environment file's shape. No secret has a place in it.

The descriptions are for people: they become the JSON Schema, the reference and the comments of a new file.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from setup_kit.environment import across, export_names, fields, names, targets
from setup_kit.environment.fields import fault

SERVICE_APPLICATION_ID = UUID("b861dbcc-a7ef-4219-a005-0e4de4ea7dcf")


class Section(BaseModel):
    # A file is read by alias only (see loading); code may build a section by field name too.
    model_config = ConfigDict(extra="forbid", frozen=True, validate_by_name=True, validate_by_alias=True)


class Endpoints(Section):
    """A cloud of one's own: its addresses (https, no path) and the audiences its tokens carry."""

    authority: Annotated[
        fields.Address,
        Field(description="Where tokens are issued: Microsoft Entra.", examples=["https://login.microsoftonline.com"]),
    ]
    resource_manager: Annotated[
        fields.Address, Field(description="Azure Resource Manager.", examples=["https://management.azure.com"])
    ]
    resource_manager_audience: Annotated[
        fields.Audience,
        Field(
            description="Audience of tokens for Resource Manager, as the cloud writes it.",
            examples=["https://management.core.windows.net/"],
        ),
    ]
    graph: Annotated[fields.Address, Field(description="Microsoft Graph.", examples=["https://graph.microsoft.com"])]
    graph_audience: Annotated[
        fields.Audience, Field(description="Audience of tokens for Graph.", examples=["https://graph.microsoft.com"])
    ]
    vault_audience: Annotated[
        fields.Audience, Field(description="Audience of tokens for Key Vault.", examples=["https://vault.azure.net"])
    ]
    sql_audience: Annotated[
        fields.Audience,
        Field(description="Audience of tokens for Azure SQL.", examples=["https://database.windows.net/"]),
    ]
    discovery: Annotated[
        fields.AddressWithPath,
        Field(description="Discovery host of the Data Export Service.", examples=["https://export.contoso.com"]),
    ]
    vault_suffix: Annotated[
        fields.Suffix,
        Field(description="What follows a vault's name in its host name.", examples=[".vault.azure.net"]),
    ] = ""


class EntraGroup(Section):
    """A group (or user, or service principal) of Microsoft Entra."""

    name: Annotated[fields.GroupName, Field(description="Display name.", examples=["SQL Administrators"])]
    object_id: Annotated[UUID, Field(description="Object id in the tenant.")]


class Administrator(Section):
    """Who administers SQL Server: exactly one of the two; a machine's is a SQL login."""

    entra_group: Annotated[
        EntraGroup | None,
        Field(description="An Entra group that whoever runs the kit is in. No password is needed."),
    ] = None
    sql_login: Annotated[
        fields.AdministratorLogin | None,
        Field(
            description="A SQL login. Its password comes from SETUP_KIT_SQL_ADMIN_PASSWORD or is asked for. "
            "That of a machine may create databases and logins.",
            examples=["sqladministrator"],
        ),
    ] = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        """Exactly one of entra_group and sql_login."""
        if self.entra_group is None and self.sql_login is None:
            raise ValueError("names no administrator: give either entra_group or sql_login")
        if self.entra_group is not None and self.sql_login is not None:
            raise ValueError(across.TWO_ADMINISTRATORS)
        return self


class Database(Section):
    """The database that the rows are exported into."""

    name: Annotated[fields.DatabaseName, Field(description="Name on the server.", examples=["crm-export"])]
    sku: Annotated[
        fields.Sku,
        Field(
            description="SKU as Azure names it; Premium P1 or better is recommended for the first synchronization.",
            examples=["P1", "S3", "GP_Gen5_2"],
        ),
    ] = "P1"
    max_size_gb: Annotated[
        int, Field(ge=1, le=names.HYPERSCALE_GB, description="Size that the database may grow to, in GB.")
    ] = 250
    read_committed_snapshot: Annotated[
        bool, Field(description="Readers do not wait for the export's writes; recommended on.")
    ] = True
    maxdop: Annotated[
        int,
        Field(
            ge=0,
            le=32767,
            description="Processors that one query may use (MAXDOP); 1 is recommended, 0 means no limit.",
        ),
    ] = 1

    @model_validator(mode="after")
    def _fits(self) -> Self:
        """max_size_gb is no more than the SKU holds."""
        most = names.most_gigabytes(self.sku)
        if self.max_size_gb > most:
            raise fault("max_size_gb", f"a database of SKU {self.sku} holds at most {most} GB, not {self.max_size_gb}")
        return self


class FirewallRule(Section):
    """A range of IPv4 addresses that the logical server admits."""

    name: Annotated[fields.RuleName, Field(description="Name of the rule.", examples=["office"])]
    start: Annotated[fields.IPv4, Field(description="First address.", examples=["203.0.113.0"])]
    end: Annotated[
        fields.IPv4, Field(description="Last address; the first one again for a single one.", examples=["203.0.113.7"])
    ]

    @model_validator(mode="before")
    @classmethod
    def _not_everybody(cls, given: Any) -> Any:
        """Never every address of the Internet."""
        if isinstance(given, dict) and names.everybody(given.get("start"), given.get("end")):
            raise fault("start", "the range admits every address of the Internet: name the addresses that need it")
        return given

    @field_validator("end")
    @classmethod
    def _in_order(cls, end: str, info: ValidationInfo) -> str:
        """Not lower than start."""
        if "start" in info.data:
            names.ipv4_range(info.data["start"], end)
        return end


class Firewall(Section):
    """Which addresses the logical server admits, beside the operator's own while the kit works."""

    allow_azure_services: Annotated[
        bool, Field(description="Admit every address of Azure, other customers' included; the service recommends it.")
    ] = True
    service_region: Annotated[
        fields.Region | None,
        Field(
            description="Region of the organization, to admit the addresses that the export service calls from there.",
            examples=["West Europe"],
        ),
    ] = None
    rules: Annotated[tuple[FirewallRule, ...], Field(description="Further addresses to admit.")] = ()

    @field_validator("rules")
    @classmethod
    def _distinct(cls, rules: tuple[FirewallRule, ...]) -> tuple[FirewallRule, ...]:
        """No two of one name."""
        twice = names.first_duplicate(rule.name for rule in rules)
        if twice is not None:
            raise ValueError(across.two_rules(twice))
        return rules


class Authentication(StrEnum):
    LOGIN = "login"
    CONTAINED = "contained"


class ExportUser(Section):
    """The SQL user that the export service works as."""

    name: Annotated[
        fields.ExportUserName,
        Field(
            description="Name of the login and of the user; `rotate` takes turns between it and it with _2 appended.",
            examples=["dataexport"],
        ),
    ] = "dataexport"
    schema_name: Annotated[
        fields.SchemaName,
        Field(alias="schema", description="Schema that it holds its grants on: the same as profile.schema."),
    ] = "dbo"
    authentication: Annotated[
        Authentication,
        Field(description="login: a login of the server and a user of the database; contained: a user alone."),
    ] = Authentication.LOGIN


class Machine(Section):
    """SQL Server on a virtual machine: it is there already, and encrypts with a certificate that the service trusts."""

    host: Annotated[
        fields.HostName,
        Field(
            description="Name that the service reaches it by; the certificate of SQL Server must be for this name.",
            examples=["sql01.contoso.com"],
        ),
    ]
    port: Annotated[int, Field(ge=1, le=65535, description="TCP port that SQL Server listens on.")] = 1433

    def __str__(self) -> str:
        return f"{self.host},{self.port}"


class Sql(Section):
    """The logical server or the machine, its database, firewall and users."""

    server: Annotated[
        fields.ServerName | None,
        Field(
            description="Name of the logical server of Azure SQL Database; taken once in the whole cloud.",
            examples=["sql-contoso-prod"],
        ),
    ] = None
    machine: Annotated[
        Machine | None, Field(description="Instead of a logical server: SQL Server on an Azure virtual machine.")
    ] = None
    administrator: Annotated[Administrator, Field(description="Who administers SQL Server: exactly one of the two.")]
    database: Annotated[Database, Field(description="The database that the rows are exported into.")]
    firewall: Annotated[Firewall, Field(description="Which addresses the logical server admits.")] = Firewall()
    export_user: Annotated[
        ExportUser, Field(validate_default=True, description="The SQL user that the export service works as.")
    ] = ExportUser()

    @property
    def address(self) -> str:
        """What people call the place of the database: the logical server's name, or the machine's host and port."""
        return self.server or str(self.machine)

    @field_validator("administrator")
    @classmethod
    def _login_that_azure_takes(cls, administrator: Administrator, info: ValidationInfo) -> Administrator:
        """Only a machine's may be `sa`."""
        of_server = info.data.get("server") is not None and info.data.get("machine", ...) is None
        if administrator.sql_login is not None and of_server:
            try:
                names.login(administrator.sql_login)
            except ValueError as error:
                raise fault("sql_login", str(error)) from None
        return administrator

    @field_validator("export_user")
    @classmethod
    def _not_the_administrator(cls, user: ExportUser, info: ValidationInfo) -> ExportUser:
        """Its name, and the one that a rotation gives it, are not the administrator's login."""
        administrator = info.data.get("administrator")
        login = "" if administrator is None else (administrator.sql_login or "").lower()
        if login == user.name.lower():
            raise fault("name", "the export user cannot be the server's administrator: give it a name of its own")
        if login == export_names.second(user.name).lower():
            raise fault(
                "name",
                f"a rotation gives the export user the name {export_names.second(user.name)}, which is the server's "
                "administrator: give it another name",
            )
        return user

    @model_validator(mode="after")
    def _exactly_one_target(self) -> Self:
        """Exactly one of server and machine."""
        if self.server is not None and self.machine is not None:
            raise fault("machine", targets.BOTH)
        if self.server is None and self.machine is None:
            raise PydanticCustomError("missing", "{message}", {"message": targets.NEITHER, "key": "server"})
        return self


class Authorization(StrEnum):
    ACCESS_POLICY = "access_policy"
    RBAC = "rbac"


class KeyVault(Section):
    """The vault that keeps the connection string for the export service."""

    name: Annotated[
        fields.VaultName,
        Field(description="Name of the vault; taken once in the whole cloud.", examples=["kv-contoso-prod"]),
    ]
    authorization: Annotated[
        Authorization,
        Field(description="How the vault decides who reads: rbac (Azure roles) or access_policy."),
    ] = Authorization.RBAC
    secret: Annotated[
        fields.SecretName, Field(description="Name of the secret (its value has no place in this file).")
    ] = "data-export-connection"  # noqa: S105 -- a name


class Dynamics(Section):
    """The Dynamics 365 organization whose rows are exported."""

    organization_url: Annotated[
        fields.Address,
        Field(description="Address of the organization.", examples=["https://contoso.crm4.dynamics.com"]),
    ]
    organization_id: Annotated[UUID, Field(description="Id of the organization (Settings, Developer resources).")]


class ExportService(Section):
    """Where the Data Export Service answers. Microsoft's own was shut down in November 2022."""

    discovery: Annotated[
        fields.AddressWithPath | None,
        Field(
            description="Discovery host; by default what the cloud says.",
            examples=["https://export.contoso.com"],
        ),
    ] = None
    application_id: Annotated[UUID, Field(description="Application that the service reads the secret as.")] = (
        SERVICE_APPLICATION_ID
    )


class Retry(Section):
    """What the service does with a row that could not be written."""

    count: Annotated[int, Field(ge=0, le=20, description="How often it tries again, 0 to 20.")] = 12
    interval_seconds: Annotated[int, Field(ge=0, le=3600, description="Seconds between tries, 0 to 3600.")] = 5


class Activate(StrEnum):
    ALL = "all"
    METADATA = "metadata"
    DATA = "data"
    NONE = "none"


class Profile(Section):
    """The export profile: what is exported, and how."""

    name: Annotated[fields.ProfileName, Field(description="Name; once in an organization.", examples=["Contoso CRM"])]
    prefix: Annotated[
        fields.Prefix,
        Field(
            description="Put before each table's name with an underscore; letters and digits, at most 14.",
            examples=["crm"],
        ),
    ] = ""
    schema_name: Annotated[
        fields.SchemaName, Field(alias="schema", description="Schema of the tables: letters and digits.")
    ] = "dbo"
    entities: Annotated[
        fields.Entities,
        Field(
            description="Logical names of the entities to export; each needs change tracking.",
            examples=[["account", "contact"]],
        ),
    ]
    relationships: Annotated[
        fields.Relationships,
        Field(description="Schema names of the N:N relationships to export.", examples=[["contactleads_association"]]),
    ] = ()
    retry: Annotated[Retry, Field(description="What the service does with a row that could not be written.")] = Retry()
    delete_log: Annotated[bool, Field(description="Keep a table of the rows that were deleted.")] = True
    activate: Annotated[Activate, Field(description="What apply activates: all, metadata, data or none.")] = (
        Activate.ALL
    )


def _cloud_tag(value: object) -> str:
    return "<endpoints>" if isinstance(value, dict | Endpoints) else "<cloud>"


class Environment(Section):
    """Everything that one Dynamics 365 organization needs to have its data exported into Azure SQL."""

    version: Annotated[Literal[1], Field(description="Version of this file's shape.")] = 1
    cloud: Annotated[
        Annotated[Literal["public", "usgov", "china", "sandbox"], Tag("<cloud>")]
        | Annotated[Endpoints, Tag("<endpoints>")],
        Discriminator(_cloud_tag),
        Field(
            description="Which cloud: public, usgov, china, sandbox (the one that SETUP_KIT_SANDBOX names), "
            "or the endpoints of one of your own."
        ),
    ] = "public"
    tenant: Annotated[UUID, Field(description="Microsoft Entra tenant of the subscription and the organization.")]
    subscription: Annotated[UUID, Field(description="Azure subscription that everything is made in.")]
    location: Annotated[fields.Location, Field(description="Azure region.", examples=["westeurope"])]
    resource_group: Annotated[
        fields.ResourceGroupName, Field(description="Resource group; made when it is missing.", examples=["rg-contoso"])
    ]
    tags: Annotated[
        fields.Tags, Field(description="Tags of the resource group, server, database and vault: readable by many.")
    ] = {}
    sql: Annotated[Sql, Field(description="The logical server or the machine, its database, firewall and users.")]
    key_vault: Annotated[
        KeyVault, Field(description="The vault that keeps the connection string for the export service.")
    ]
    dynamics: Annotated[Dynamics, Field(description="The Dynamics 365 organization whose rows are exported.")]
    export_service: Annotated[ExportService, Field(description="Where the Data Export Service answers.")] = (
        ExportService()
    )
    profile: Annotated[Profile, Field(description="The export profile: what is exported, and how.")]

    @field_validator("version", mode="before")
    @classmethod
    def _whole_number(cls, version: Any) -> Any:
        # To Python True and 1.0 are 1.
        if type(version) is not int:
            raise PydanticCustomError("literal_error", "must be {expected}", {"expected": "1"})
        return version

    @field_validator("profile")
    @classmethod
    def _one_schema(cls, profile: Profile, info: ValidationInfo) -> Profile:
        """profile.schema is the same as sql.export_user.schema."""
        sql: Any = info.data.get("sql")
        if sql is not None and sql.export_user.schema_name != profile.schema_name:
            raise fault("schema", across.two_schemas(profile.schema_name, sql.export_user.schema_name))
        return profile
