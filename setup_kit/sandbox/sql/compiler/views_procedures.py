"""What the system procedures in T-SQL select from besides the documented views: facts for ODBC, storage, lines of text.

They stand where SQL Server has objects of its own, `sys.spt_…`, that no documentation describes.
"""

from __future__ import annotations

from setup_kit.sandbox.sql.compiler.bound import Runtime
from setup_kit.sandbox.sql.compiler.names import find_object
from setup_kit.sandbox.sql.compiler.object_facts import parameters_of, visible
from setup_kit.sandbox.sql.compiler.type_facts import column_facts, type_rows
from setup_kit.sandbox.sql.compiler.views import Registry, Rows
from setup_kit.sandbox.sql.compiler.views_indexes import pages_of
from setup_kit.sandbox.sql.compiler.views_system import columns_of, system_views
from setup_kit.sandbox.sql.permissions import of_object
from setup_kit.sandbox.sql.values import types as t
from setup_kit.sandbox.sql.values.types import Stored

REGISTRY = Registry()

_FACTS = (
    "object_id int, column_id int, DATA_TYPE smallint, TYPE_NAME sysname, PRECISION int, LENGTH int, SCALE smallint, "
    "RADIX smallint, SQL_DATA_TYPE smallint, SQL_DATETIME_SUB smallint, CHAR_OCTET_LENGTH int, SS_DATA_TYPE tinyint"
)


@REGISTRY.view(
    "sys.spt_datatype_info",
    "TYPE_NAME sysname, DATA_TYPE smallint, PRECISION int, LITERAL_PREFIX varchar(32), LITERAL_SUFFIX varchar(32), "
    "CREATE_PARAMS varchar(32), NULLABLE smallint, CASE_SENSITIVE smallint, SEARCHABLE smallint, "
    "UNSIGNED_ATTRIBUTE smallint, MONEY smallint, AUTO_INCREMENT smallint, LOCAL_TYPE_NAME sysname, "
    "MINIMUM_SCALE smallint, MAXIMUM_SCALE smallint, SQL_DATA_TYPE smallint, SQL_DATETIME_SUB smallint, "
    "NUM_PREC_RADIX int, INTERVAL_PRECISION smallint, USERTYPE smallint",
    arguments=2,
)
def _datatype_info(runtime: Runtime, version: Stored, release: Stored) -> Rows:
    """By the version of ODBC and the release of SQL Server that the client knows (90 or 100)."""
    return type_rows(_number(version), _number(release))


@REGISTRY.view("sys.spt_columns", _FACTS, arguments=2)
def _column_facts(runtime: Runtime, version: Stored, release: Stored) -> Rows:
    """Of the columns of tables, views, system views and table types, by the same two."""
    listed = [(found.id, found.columns) for found in visible(runtime, "U", "V", "TT")]
    listed += [(number, tuple(columns_of(view))) for number, view in system_views()]
    for number, columns in listed:
        for column in columns:
            counts = column.identity is not None
            facts = column_facts(
                column.type, _number(version), _number(release), nullable=column.nullable, identity=counts
            )
            yield number, column.id, *facts


@REGISTRY.view(
    "sys.spt_parameters", _FACTS + ", name sysname, COLUMN_TYPE smallint, NULLABLE smallint, TYPE_SCHEMA sysname",
    arguments=2,
)  # fmt: skip
def _parameter_facts(runtime: Runtime, version: Stored, release: Stored) -> Rows:
    """Of the return value of each procedure and of its parameters; COLUMN_TYPE 5 return value, 1 input, 2 both ways."""
    for found in visible(runtime, "P"):
        facts = column_facts(t.INT, _number(version), _number(release), nullable=False)
        yield found.id, 0, *facts, "@RETURN_VALUE", 5, 0, None
        for number, one in enumerate(parameters_of(runtime, found), 1):
            facts, schema = column_facts(one.type, _number(version), _number(release), nullable=True), None
            if one.made is not None and one.type == t.TABLE:
                facts = (facts[0], one.made.name, *facts[2:])
                schema = runtime.catalog.schemas[one.made.schema_id].name
            yield found.id, number, *facts, one.name, 2 if one.output else 1, 1, schema


@REGISTRY.view("sys.spt_storage", "object_id int, rows bigint, data_pages bigint, index_pages bigint")
def _storage(runtime: Runtime) -> Rows:
    """Rows of each table, and the pages they and their indexes might take."""
    for found in visible(runtime, "U"):
        count = runtime.count_rows(found)
        indexes = sum(1 for key in found.keys if key.kind != "PK")
        yield found.id, count, pages_of(found, count), indexes * -(-count // 400)


@REGISTRY.view("sys.spt_lines", "number int, text nvarchar(max)", arguments=1)
def _lines(runtime: Runtime, name: Stored) -> Rows:
    """The lines of a view's or procedure's definition, each with its line break, for who may see it."""
    found = find_object(runtime, str(name)) if name is not None else None
    if found is not None and found.definition and runtime.permissions.holds("VIEW DEFINITION", of_object(found)):
        yield from enumerate(found.definition.splitlines(keepends=True), 1)


def _number(value: Stored) -> int:
    return int(value or 0)
