"""The errors that this server raises. Texts, classes and states are in `messages`, by number; `error(number, …)` makes
one of them. Those that several modules raise have a function with a name here.
"""

from __future__ import annotations

from setup_kit.sandbox.sql.messages import MESSAGES


class SqlError(Exception):
    """One error message as it goes to the client: number, severity class, state, text.

    `ends_batch` says whether the rest of the batch is skipped; most errors end only their statement.
    `ends_session` closes the connection after the message has been sent.
    """

    def __init__(
        self,
        number: int,
        message: str,
        severity: int = 16,
        state: int = 1,
        *,
        ends_batch: bool = False,
        ends_session: bool = False,
    ) -> None:
        super().__init__(message)
        self.number = number
        self.message = message
        self.severity = severity
        self.state = state
        self.ends_batch = ends_batch
        self.ends_session = ends_session
        self.raised = False  # by RAISERROR
        self.also: list[SqlError] = []
        self.line = 0
        self.procedure = ""
        self.logged_state = 0  # of 18456: it says why, to the server's log only; a client sees state 1


class ProtocolError(Exception):
    """The client broke the protocol; the connection is closed without an answer."""


class Cancelled(Exception):  # noqa: N818 - a signal of the client, no error
    """The client sent an attention signal."""


class EndOfBatch(Exception):  # noqa: N818 - the error has been reported
    """An error ends the batch."""


def error(number: int, *arguments: object, severity: int | None = None, state: int | None = None) -> SqlError:
    """The error of a number, with the placeholders of its text filled in order; KeyError for one that is not listed."""
    found = MESSAGES[number]
    return SqlError(
        number, found.fill(*arguments), found.severity if severity is None else severity,
        found.state if state is None else state, ends_batch=found.ends_batch, ends_session=found.ends_session,
    )  # fmt: skip


# Syntax and names


#: "Reserved Keywords (Transact-SQL)".
_RESERVED = frozenset(
    """
    ADD ALL ALTER AND ANY AS ASC AUTHORIZATION BACKUP BEGIN BETWEEN BREAK BROWSE BULK BY CASCADE CASE CHECK
    CHECKPOINT CLOSE CLUSTERED COALESCE COLLATE COLUMN COMMIT COMPUTE CONSTRAINT CONTAINS CONTAINSTABLE CONTINUE
    CONVERT CREATE CROSS CURRENT CURRENT_DATE CURRENT_TIME CURRENT_TIMESTAMP CURRENT_USER CURSOR DATABASE DBCC
    DEALLOCATE DECLARE DEFAULT DELETE DENY DESC DISK DISTINCT DISTRIBUTED DOUBLE DROP DUMP ELSE END ERRLVL ESCAPE
    EXCEPT EXEC EXECUTE EXISTS EXIT EXTERNAL FETCH FILE FILLFACTOR FOR FOREIGN FREETEXT FREETEXTTABLE FROM FULL
    FUNCTION GOTO GRANT GROUP HAVING HOLDLOCK IDENTITY IDENTITYCOL IDENTITY_INSERT IF IN INDEX INNER INSERT
    INTERSECT INTO IS JOIN KEY KILL LEFT LIKE LINENO LOAD MERGE NATIONAL NOCHECK NONCLUSTERED NOT NULL NULLIF OF
    OFF OFFSETS ON OPEN OPENDATASOURCE OPENQUERY OPENROWSET OPENXML OPTION OR ORDER OUTER OVER PERCENT PIVOT PLAN
    PRECISION PRIMARY PRINT PROC PROCEDURE PUBLIC RAISERROR READ READTEXT RECONFIGURE REFERENCES REPLICATION
    RESTORE RESTRICT RETURN REVERT REVOKE RIGHT ROLLBACK ROWCOUNT ROWGUIDCOL RULE SAVE SCHEMA SECURITYAUDIT SELECT
    SEMANTICKEYPHRASETABLE SEMANTICSIMILARITYDETAILSTABLE SEMANTICSIMILARITYTABLE SESSION_USER SET SETUSER
    SHUTDOWN SOME STATISTICS SYSTEM_USER TABLE TABLESAMPLE TEXTSIZE THEN TO TOP TRAN TRANSACTION TRIGGER TRUNCATE
    TRY_CONVERT TSEQUAL UNION UNIQUE UNPIVOT UPDATE UPDATETEXT USE USER VALUES VARYING VIEW WAITFOR WHEN WHERE
    WHILE WITH WITHIN WRITETEXT
    """.split()  # noqa: SIM905 - two hundred quoted words would be harder to read
)


def incorrect_syntax(near: str) -> SqlError:
    """156 near a reserved keyword, 102 near anything else."""
    return error(156 if near.upper() in _RESERVED else 102, near)


def missing_name() -> SqlError:
    return error(1038, state=5)


def undeclared_variable(name: str) -> SqlError:
    return error(137, name)


def invalid_column(name: str) -> SqlError:
    return error(207, name)


def invalid_object(name: str) -> SqlError:
    return error(208, name)


def ambiguous_column(name: str) -> SqlError:
    return error(209, name)


def unbound_identifier(name: str) -> SqlError:
    return error(4104, name)


def column_count_mismatch() -> SqlError:
    return error(213)


UNKNOWN_TYPE = 2715


def unknown_type(ordinal: int, name: str) -> SqlError:
    return error(UNKNOWN_TYPE, ordinal, name)


def unknown_function(name: str) -> SqlError:
    return error(195, name, "built-in function name")


def unknown_procedure(name: str) -> SqlError:
    return error(2812, name)


def too_long_identifier(name: str) -> SqlError:
    return error(103, "identifier", name[:128], 128)


def number_out_of_range(text: str) -> SqlError:
    return error(1007, "number", text)


def too_deep() -> SqlError:
    return error(8631)


# What this version does not carry out


def use_refused() -> SqlError:
    return error(40508)


def unknown_database(name: str) -> SqlError:
    return error(911, name)


def no_access(login: str, database: str) -> SqlError:
    """To another database; the session stays where it is."""
    found = error(916, login, database)
    found.ends_session = False
    return found


def other_database(name: str) -> SqlError:
    return error(40515, name)


def must_be_alone(statement: str) -> SqlError:
    return error(40530, statement)


def must_be_in_master() -> SqlError:
    return error(5001)


def ending_session(found: SqlError) -> SqlError:
    """The same error, after which the connection is closed."""
    found.ends_session = True
    return found


# Values


def null_refused(column: str, table: str, verb: str) -> SqlError:
    return error(515, column, table, verb)


def would_truncate(table: str, column: str, value: str) -> SqlError:
    return error(2628, table, column, value)


def conversion_failed(kind: str, value: str, target: str) -> SqlError:
    return error(245, kind, value, target)


def date_conversion_failed() -> SqlError:
    return error(241)


def date_out_of_range(source: str, target: str) -> SqlError:
    return error(242, source, target)


def guid_conversion_failed() -> SqlError:
    return error(8169)


def type_conversion_failed(source: str, target: str) -> SqlError:
    return error(8114, source, target)


def arithmetic_overflow(source: str, target: str, state: int | None = None) -> SqlError:
    return error(8115, source, target, state=state)


def divide_by_zero() -> SqlError:
    return error(8134)


def type_clash(left: str, right: str) -> SqlError:
    return error(206, left, right)


def implicit_conversion_refused(source: str, target: str) -> SqlError:
    return error(257, source, target)


def explicit_conversion_refused(source: str, target: str) -> SqlError:
    return error(529, source, target)


def operator_refused(operator: str, kind: str) -> SqlError:
    return error(8117, kind, operator)


def duplicate_key(kind: str, constraint: str, table: str, values: str) -> SqlError:
    """`kind` is PRIMARY KEY or UNIQUE KEY; `values` as SQL Server lists them, without parentheses."""
    return error(2627, kind, constraint, table, f"({values})")


def duplicate_index_key(table: str, index: str, values: str) -> SqlError:
    return error(2601, table, index, f"({values})")


# Objects and principals


def object_exists(name: str) -> SqlError:
    return error(2714, name)


def principal_exists(name: str) -> SqlError:
    return error(15023, name)


def login_exists(name: str) -> SqlError:
    return error(15025, name)


def not_found(verb: str, kind: str, name: str) -> SqlError:
    """15151: the one text for "not there" and "not yours to see"; `verb` is find, drop or alter."""
    return error(15151, verb, kind, name)


def cannot_drop(kind: str, name: str) -> SqlError:
    return error(3701, "drop", kind, name)


def may_not(verb: str, kind: str, name: str) -> SqlError:
    """3701 for an object that is there but not the caller's to change: `name` without its schema."""
    return error(3701, verb, kind, name, severity=14, state=20)


def cannot_find_object(name: str) -> SqlError:
    return error(4902, name)


def cannot_find_index_object(name: str, state: int = 12) -> SqlError:
    """`state`: 7 TRUNCATE TABLE, 9 DROP INDEX, 11 SET IDENTITY_INSERT, 12 CREATE INDEX, 13 ALTER TABLE."""
    return error(1088, name, state=state)


# Permissions


def permission_denied_on_object(permission: str, name: str, database: str, schema: str) -> SqlError:
    return error(229, permission, name, database, schema)


def permission_denied_in_database(permission: str, database: str) -> SqlError:
    return error(262, permission, database, state=18 if permission in ("CREATE VIEW", "CREATE PROCEDURE") else 1)


def schema_refused(name: str) -> SqlError:
    return error(2760, name)


def not_permitted() -> SqlError:
    return error(15247)


# Logging in


def server_firewall(server: str, address: str) -> SqlError:
    return error(40615, server, address)


def login_failed(login: str, reason: str = "", *, state: int = 1) -> SqlError:
    """`state` is the one of the server's log ("MSSQLSERVER_18456"): 5 no such user, 7 disabled and the wrong password,
    8 wrong password, 38 no such database, 58 no logins by password, 122 no user's name, 132 a token that is not good,
    133 a token of somebody without a user (these two *assumed*).
    """
    found = error(18456, login, f" Reason: {reason}" if reason else "", "")
    found.logged_state = state
    return found


def cannot_open_database(name: str, login: str) -> SqlError:
    found = error(4060, name)
    found.also.append(login_failed(login))
    found.logged_state = 38
    return found


def no_user_in_default_database(database: str, login: str) -> SqlError:
    """A login that names no database and has no user in its default one."""
    found = error(916, login, database)
    found.also += [error(4064), login_failed(login)]
    return found


def database_unavailable(name: str, server: str, tracing_id: str) -> SqlError:
    return error(40613, name, server, tracing_id)
