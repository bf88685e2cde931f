"""Table functions that the catalog procedures of ODBC select from (`system_procedures`): type lists, column facts.

They stand where SQL Server has views of its own, `sys.spt_…`, that no documentation describes.
"""

from __future__ import annotations

from setup_kit.sandbox.sql.compiler.bound import Runtime
from setup_kit.sandbox.sql.compiler.type_facts import column_facts, type_rows
from setup_kit.sandbox.sql.compiler.views import Registry, Rows
from setup_kit.sandbox.sql.compiler.views_objects import parameters_of, visible
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
    """Of the columns of tables and views, by the same two."""
    for found in visible(runtime, "U", "V"):
        for column in found.columns:
            counts = column.identity is not None
            facts = column_facts(
                column.type, _number(version), _number(release), nullable=column.nullable, identity=counts
            )
            yield found.id, column.id, *facts


@REGISTRY.view("sys.spt_parameters", _FACTS, arguments=2)
def _parameter_facts(runtime: Runtime, version: Stored, release: Stored) -> Rows:
    for found in visible(runtime, "P"):
        for number, parameter in enumerate(parameters_of(found), 1):
            facts = column_facts(parameter.type, _number(version), _number(release), nullable=True)
            yield found.id, number, *facts


def _number(value: Stored) -> int:
    return int(value or 0)
