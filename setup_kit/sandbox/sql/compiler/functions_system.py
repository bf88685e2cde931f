"""Functions and @@variables that tell about the server, the database, the session and the last error.

"Configuration Functions", "System Functions" and "Metadata Functions" of the T-SQL reference.
"""

from __future__ import annotations

from collections.abc import Callable

from setup_kit.sandbox.sql import errors
from setup_kit.sandbox.sql.compiler.bound import Bound, Program, Runtime
from setup_kit.sandbox.sql.compiler.builtin import Entry, entry
from setup_kit.sandbox.sql.compiler.views import COLLATION
from setup_kit.sandbox.sql.storage.catalog import fold
from setup_kit.sandbox.sql.values import types as t
from setup_kit.sandbox.sql.values.types import SqlType, Stored

#: What Azure SQL Database says of itself; the last line says that this is a rehearsal.
PRODUCT_VERSION = (12, 0, 2000)
VERSION_TEXT = (
    "Microsoft SQL Azure (RTM) - 12.0.2000.8 \n\tJan  1 2026 00:00:00 \n\tCopyright (C) 2025 Microsoft Corporation\n"
    "\t(setup-kit sandbox: a rehearsal, not SQL Server)\n"
)
_SERVER_PROPERTIES: dict[str, Stored] = {
    "buildclrversion": "v4.0.30319", "collation": COLLATION, "collationid": 872468488, "comparisonstyle": 196609,
    "edition": "SQL Azure", "editionid": 1674378470, "engineedition": 5, "isadvancedanalyticsinstalled": 0,
    "isclustered": 0, "isexternalauthenticationonly": 0, "isfulltextinstalled": 1, "ishadrenabled": 0,
    "isintegratedsecurityonly": 0, "islocaldb": 0, "ispolybaseinstalled": 0, "issingleuser": 0, "isxtpsupported": 0,
    "lcid": 1033, "licensetype": "DISABLED", "productbuild": "2000", "productbuildtype": None, "productlevel": "RTM",
    "productmajorversion": "12", "productminorversion": "0", "productupdatelevel": None,
    "productversion": "12.0.2000.8", "resourceversion": "16.00.0", "sqlcharset": 1, "sqlcharsetname": "iso_1",
    "sqlsortorder": 52, "sqlsortordername": "nocase_iso",
}  # fmt: skip


#: Where a SQL Server on a virtual machine says something else.
VIRTUAL_MACHINE_VERSION = (16, 0, 1000)
_VIRTUAL_MACHINE_TEXT = (
    "Microsoft SQL Server 2022 (RTM) - 16.0.1000.6 (X64) \n\tOct  8 2022 05:58:25 \n\tCopyright (C) 2022 Microsoft "
    "Corporation\n\tDeveloper Edition (64-bit) on Linux\n\t(setup-kit sandbox: a rehearsal, not SQL Server)\n"
)
_VIRTUAL_MACHINE_PROPERTIES: dict[str, Stored] = {
    "edition": "Developer Edition (64-bit)", "editionid": -2117995310, "engineedition": 3, "productbuild": "1000",
    "productmajorversion": "16", "productversion": "16.0.1000.6",
}  # fmt: skip


def _version(runtime: Runtime) -> Stored:
    return _VIRTUAL_MACHINE_TEXT if runtime.virtual_machine else VERSION_TEXT


def _server_property(runtime: Runtime, name: str | None) -> Stored:
    if name is None:
        return None
    if fold(name) == "servername":
        return runtime.server.name
    if runtime.virtual_machine and fold(name) in _VIRTUAL_MACHINE_PROPERTIES:
        return _VIRTUAL_MACHINE_PROPERTIES[fold(name)]
    return _SERVER_PROPERTIES.get(fold(name))


# Databases


def _database_name(runtime: Runtime, database_id: int | None = None) -> Stored:
    if database_id is None or database_id == runtime.database.id:
        return runtime.database.name
    return next((found.name for found in runtime.server.databases() if found.id == database_id), None)


def _database_id(runtime: Runtime, name: str | None = None) -> Stored:
    found = runtime.database if name is None else runtime.server.database(name)
    return found.id if found else None


def _has_database_access(runtime: Runtime, name: str | None) -> Stored:
    found = runtime.server.database(name) if name is not None else None
    return None if found is None else int(found.id == runtime.database.id)


def _database_property(runtime: Runtime, database: str | None, name: str | None) -> Stored:
    found = runtime.server.database(database) if database is not None else None
    if found is None or name is None:
        return None
    master = fold(found.name) == "master"
    values: dict[str, Stored] = {
        "collation": COLLATION, "comparisonstyle": 196609, "edition": "System" if master else "GeneralPurpose",
        "isansinulldefault": 0, "isansinullsenabled": 0, "isansipaddingenabled": 0, "isansiwarningsenabled": 0,
        "isarithmeticabortenabled": 0, "isautoclose": 0, "isautocreatestatistics": 1, "isautoshrink": 0,
        "isautoupdatestatistics": 1, "isclone": 0, "isclosecursorsoncommitenabled": 0, "isfulltextenabled": 0,
        "isinstandby": 0, "islocalcursorsdefault": 0, "isnullconcat": 0, "isnumericroundabortenabled": 0,
        "isparameterizationforced": 0, "isquotedidentifiersenabled": 0, "isrecursivetriggersenabled": 0,
        "istornpagedetectionenabled": 0, "isxtpsupported": 0, "lcid": 1033, "maxsizeinbytes": 34359738368,
        "recovery": "FULL", "serviceobjective": "System0" if master else "GP_S_Gen5_2", "sqlsortorder": 52,
        "status": "ONLINE", "updateability": "READ_WRITE", "useraccess": "MULTI_USER", "version": 957,
    }  # fmt: skip
    return values.get(fold(name))


# The session and its last error


def _connection_property(runtime: Runtime, name: str | None) -> Stored:
    values: dict[str, Stored] = {
        "net_transport": "TCP", "protocol_type": "TSQL", "auth_scheme": "SQL", "physical_net_transport": "TCP",
        "local_net_address": "127.0.0.1", "client_net_address": "127.0.0.1",
    }  # fmt: skip
    return values.get(fold(name)) if name is not None else None


def _session_context(runtime: Runtime, key: str | None) -> Stored:
    return None if key is None else runtime.context(key)


def _caught(index: int) -> Callable[[Runtime], Stored]:
    return lambda runtime: runtime.caught[-1][index] if runtime.caught else None


#: Bits of @@OPTIONS: those of the options that are always on here, and those of the others.
_ALWAYS_ON = 5432 & ~512
_OPTION_BITS = {"IMPLICIT_TRANSACTIONS": 2, "NOCOUNT": 512, "XACT_ABORT": 16384}


def _options(runtime: Runtime) -> Stored:
    return _ALWAYS_ON + sum(bit for name, bit in _OPTION_BITS.items() if runtime.options.get(name) == "ON")


_NAME = t.nvarchar(776)

TABLE: dict[str, Entry] = {
    "DB_NAME": entry(0, 1, "db_name", t.SYSNAME, _database_name, t.INT),
    "DB_ID": entry(0, 1, "db_id", t.SMALLINT, _database_id, _NAME),
    "ORIGINAL_DB_NAME": entry(0, 0, "original_db_name", t.SYSNAME, _database_name),
    "HAS_DBACCESS": entry(1, 1, "has_dbaccess", t.INT, _has_database_access, _NAME),
    "SERVERPROPERTY": entry(1, 1, "serverproperty", t.VARIANT, _server_property, _NAME),
    "DATABASEPROPERTYEX": entry(2, 2, "databasepropertyex", t.VARIANT, _database_property, _NAME, _NAME),
    "CONNECTIONPROPERTY": entry(1, 1, "connectionproperty", t.VARIANT, _connection_property, _NAME),
    "APP_NAME": entry(0, 0, "app_name", t.SYSNAME, lambda runtime: runtime.application),
    "HOST_NAME": entry(0, 0, "host_name", t.SYSNAME, lambda runtime: runtime.client_host),
    "SESSION_CONTEXT": entry(1, 1, "session_context", t.VARIANT, _session_context, t.SYSNAME),
    "SCOPE_IDENTITY": entry(0, 0, "scope_identity", t.decimal(38, 0), lambda runtime: runtime.identity),
    "XACT_STATE": entry(0, 0, "xact_state", t.SMALLINT, lambda runtime: runtime.transaction_state),
    "ERROR_NUMBER": entry(0, 0, "error_number", t.INT, _caught(0)),
    "ERROR_SEVERITY": entry(0, 0, "error_severity", t.INT, _caught(1)),
    "ERROR_STATE": entry(0, 0, "error_state", t.INT, _caught(2)),
    "ERROR_MESSAGE": entry(0, 0, "error_message", t.nvarchar(4000), _caught(3)),
    "ERROR_LINE": entry(0, 0, "error_line", t.INT, _caught(4)),
    "ERROR_PROCEDURE": entry(0, 0, "error_procedure", t.SYSNAME, lambda runtime: _caught(5)(runtime) or None),
}

_VARIABLES: dict[str, tuple[SqlType, Callable[[Runtime], Stored]]] = {
    "VERSION": (t.nvarchar(300), _version),
    "SPID": (t.SMALLINT, lambda runtime: runtime.spid),
    "TRANCOUNT": (t.INT, lambda runtime: runtime.transaction_depth),
    "ROWCOUNT": (t.INT, lambda runtime: runtime.row_count),
    "ERROR": (t.INT, lambda runtime: runtime.last_error),
    "IDENTITY": (t.decimal(38, 0), lambda runtime: runtime.identity),
    "SERVERNAME": (t.SYSNAME, lambda runtime: runtime.server.name),
    "SERVICENAME": (t.SYSNAME, lambda runtime: None),
    "LANGUAGE": (t.SYSNAME, lambda runtime: "us_english"),
    "LANGID": (t.SMALLINT, lambda runtime: 0),
    "DATEFIRST": (t.TINYINT, lambda runtime: int(runtime.options.get("DATEFIRST", "7"))),
    "MICROSOFTVERSION": (t.INT, lambda runtime: 0x0C0007D0),
    "MAX_PRECISION": (t.TINYINT, lambda runtime: 38),
    "TEXTSIZE": (t.INT, lambda runtime: int(runtime.options.get("TEXTSIZE", "2147483647"))),
    "LOCK_TIMEOUT": (t.INT, lambda runtime: int(runtime.options.get("LOCK_TIMEOUT", "-1"))),
    "NESTLEVEL": (t.INT, lambda runtime: runtime.nest_level),
    "PROCID": (t.INT, lambda runtime: 0),
    "OPTIONS": (t.INT, _options),
    "CURSOR_ROWS": (t.INT, lambda runtime: 0),
    "FETCH_STATUS": (t.INT, lambda runtime: 0),
}


def variable(program: Program, name: str) -> Bound:
    """An @@variable; 40513 for one that is not known here."""
    found = _VARIABLES.get(name.upper())
    if found is None:
        raise errors.error(40513, f"@@{name}")
    kind, slot = found
    return program.from_slot(slot, kind)
